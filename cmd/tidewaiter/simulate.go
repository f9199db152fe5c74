package main

type simulateCmd struct{}

func (c *simulateCmd) Run(e *env) error { return nil }

type scoreCmd struct{}

func (c *scoreCmd) Run(e *env) error { return nil }
