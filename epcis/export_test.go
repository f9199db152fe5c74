package epcis

// PreHash is for the messages of tests.
var PreHash = preHash
