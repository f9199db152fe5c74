package epcis

// sensorElements validates a list of sensor elements (EPCIS 2.0 §7.3.7) and says whether there are any.
func (p *parser) sensorElements() (any bool, err error) {
	err = p.array(func() error {
		any = true
		return p.sensorElement()
	})
	return any, err
}

func (p *parser) sensorElement() error {
	at, reports := p.here(), 0
	err := p.object(func(name []byte) error {
		switch string(name) {
		case "sensorMetadata":
			return p.object(func(name []byte) error { return p.attribute(metadataShape, name) })
		case "sensorReport":
			return p.array(func() error {
				reports++
				return p.sensorReport()
			})
		}
		return p.foreign(name)
	})
	if err == nil && reports == 0 {
		err = p.failMember(at, "sensorReport", "is missing, or empty")
	}
	return err
}

func (p *parser) sensorReport() error {
	at, typed := p.here(), false
	err := p.object(func(name []byte) error {
		typed = typed || string(name) == "type"
		return p.attribute(reportShape, name)
	})
	if err == nil && !typed {
		err = p.failMember(at, "type", "is missing")
	}
	return err
}

// attribute reads a member of an object with a simple shape.
func (p *parser) attribute(s *shape, name []byte) (err error) {
	r := s.rule(name)
	if r == nil {
		return p.foreign(name)
	}
	switch r.reads {
	case anID:
		_, err = p.id()
	case aTime:
		_, err = p.time()
	case aDecimal:
		_, err = p.decimal()
	case aText:
		_, _, err = p.read()
	case aBoolean:
		err = p.boolean()
	case aHex:
		err = p.hex()
	case aWord:
		_, err = p.word(r.words)
	default:
		_, err = p.value()
	}
	return err
}
