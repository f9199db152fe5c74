package epcis

// sensorKind is how the value of a sensor attribute is written.
type sensorKind int

const (
	aURI sensorKind = iota
	aTime
	aDecimal
	aText
	aBoolean
	aHex
	aMeasurement
	anAlert
	aComponent
)

// The attributes of EPCIS 2.0 §7.3.7.
var (
	sensorMetadata = map[string]sensorKind{"time": aTime, "startTime": aTime, "endTime": aTime, "deviceID": aURI, "deviceMetadata": aURI,
		"rawData": aURI, "dataProcessingMethod": aURI, "bizRules": aURI}
	sensorReport = map[string]sensorKind{"type": aMeasurement, "exception": anAlert, "deviceID": aURI, "deviceMetadata": aURI, "rawData": aURI,
		"dataProcessingMethod": aURI, "bizRules": aURI, "time": aTime, "microorganism": aURI, "chemicalSubstance": aURI,
		"coordinateReferenceSystem": aURI, "value": aDecimal, "component": aComponent, "stringValue": aText, "booleanValue": aBoolean,
		"hexBinaryValue": aHex, "uriValue": aURI, "minValue": aDecimal, "maxValue": aDecimal, "meanValue": aDecimal, "sDev": aDecimal,
		"percRank": aDecimal, "percValue": aDecimal, "uom": aText}
)

// sensorElements validates a list of sensor elements and says whether there are any.
func (p *parser) sensorElements() (any bool, err error) {
	err = p.array(func(int) error {
		any = true
		reports, at := 0, ""
		err := p.object(func(name string) error {
			at = parentOf(string(p.dec.StackPointer()))
			switch name {
			case "sensorMetadata":
				return p.object(func(name string) error { return p.sensorAttribute(sensorMetadata, name) })
			case "sensorReport":
				return p.sensorReports(&reports)
			}
			return p.foreign(name)
		})
		if err == nil && reports == 0 {
			err = p.in(at+"/sensorReport", "is missing, or empty")
		}
		return err
	})
	return any, err
}

func (p *parser) sensorReports(n *int) error {
	return p.array(func(int) error {
		*n++
		typed, at := false, ""
		err := p.object(func(name string) error {
			at = parentOf(string(p.dec.StackPointer()))
			typed = typed || name == "type"
			return p.sensorAttribute(sensorReport, name)
		})
		if err == nil && !typed {
			err = p.in(at+"/type", "is missing")
		}
		return err
	})
}

func (p *parser) sensorAttribute(known map[string]sensorKind, name string) (err error) {
	kind, ok := known[name]
	if !ok {
		return p.foreign(name)
	}
	switch kind {
	case aURI:
		_, err = p.id()
	case aTime:
		_, err = p.time()
	case aDecimal:
		_, err = p.decimal()
	case aText:
		_, err = p.text()
	case aBoolean:
		err = p.boolean()
	case aHex:
		err = p.hex()
	case aMeasurement:
		_, err = p.word(measurements)
	case anAlert:
		_, err = p.word(alerts)
	case aComponent:
		_, err = p.word(components)
	}
	return err
}

func (p *parser) boolean() error {
	tok, err := p.dec.ReadToken()
	if err != nil {
		return syntax(err)
	}
	if k := tok.Kind(); k != 't' && k != 'f' {
		return p.fail("must be true or false, not %s", kindName(k))
	}
	return nil
}

func (p *parser) hex() error {
	s, err := p.text()
	if err != nil {
		return err
	}
	ok := s != ""
	for i := range len(s) {
		c := s[i] | 0x20
		ok = ok && ('0' <= s[i] && s[i] <= '9' || 'a' <= c && c <= 'f')
	}
	if !ok {
		return p.fail("is %s; it must be hexadecimal", quoteShort(s))
	}
	return nil
}
