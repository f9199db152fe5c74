package epcis

// certification reads one certificate's URI, or a list of them.
func (p *parser) certification() ([]string, error) {
	if p.kind() == '[' {
		return p.uris()
	}
	s, err := p.uri()
	return []string{s}, err
}

func (p *parser) uris() ([]string, error) {
	out := []string{}
	err := p.array(func() error {
		s, err := p.uri()
		out = append(out, s)
		return err
	})
	return out, err
}

func (p *parser) declaration() (*ErrorDeclaration, error) {
	d := &ErrorDeclaration{}
	at, timed := p.here(), false
	err := p.object(func(name []byte) (err error) {
		switch string(name) {
		case "declarationTime":
			timed = true
			d.Time, err = p.time()
		case "reason":
			d.Reason, err = p.word(errorReasons)
		case "correctiveEventIDs":
			d.CorrectiveEventIDs, err = p.uris()
		default:
			err = p.foreign(name)
		}
		return err
	})
	switch {
	case err != nil:
		return nil, err
	case !timed:
		return nil, p.failMember(at, "declarationTime", "is missing")
	case d.Reason == "did_not_occur" && len(d.CorrectiveEventIDs) > 0:
		return nil, p.failMember(at, "correctiveEventIDs", "may not stand beside did_not_occur: what did not occur is not corrected (CBV 2.0 §7.5)")
	}
	return d, nil
}

func (p *parser) quantities() ([]Quantity, error) {
	out := make([]Quantity, 0, 1)
	err := p.array(func() error {
		q, err := p.quantity()
		out = append(out, q)
		return err
	})
	return out, err
}

func (p *parser) quantity() (q Quantity, err error) {
	at := p.here()
	err = p.object(func(name []byte) (err error) {
		switch string(name) {
		case "epcClass":
			q.Class, err = p.id()
		case "quantity":
			q.Quantity, err = p.decimal()
		case "uom":
			q.UOM, err = p.unitOfMeasure()
		default:
			err = p.fail(p.member, "is not known here: a quantity has epcClass, quantity and uom")
		}
		return err
	})
	if err == nil && q.Class == "" {
		err = p.failMember(at, "epcClass", "is missing")
	}
	return q, err
}

// unitOfMeasure reads a code of UN/ECE Recommendation 20: two or three capital letters and digits.
func (p *parser) unitOfMeasure() (string, error) {
	s, at, err := p.read()
	if err != nil {
		return "", err
	}
	ok := len(s) == 2 || len(s) == 3
	for i := range len(s) {
		ok = ok && ('A' <= s[i] && s[i] <= 'Z' || isDigit(s[i]))
	}
	if !ok {
		return "", p.fail(at, "is %s; it must be a code of UN/ECE Recommendation 20, such as KGM", quoteShort(s))
	}
	return string(s), nil
}

// typedList reads a list of transactions, sources or destinations; member is what their identifier is called.
func (p *parser) typedList(member string, v *vocabulary, needsType bool) ([]Typed, error) {
	out := make([]Typed, 0, 2)
	err := p.array(func() error {
		t, err := p.typed(member, v, needsType)
		out = append(out, t)
		return err
	})
	return out, err
}

func (p *parser) typed(member string, v *vocabulary, needsType bool) (t Typed, err error) {
	at := p.here()
	err = p.object(func(name []byte) (err error) {
		switch string(name) {
		case "type":
			t.Type, err = p.word(v)
		case member:
			t.ID, err = p.id()
		default:
			err = p.fail(p.member, "is not known here: an entry has type and %s", member)
		}
		return err
	})
	switch {
	case err != nil:
	case t.ID == "":
		err = p.failMember(at, member, "is missing")
	case needsType && t.Type == "":
		err = p.failMember(at, "type", "is missing")
	}
	return t, err
}

func (p *parser) persistent() (set, unset []string, err error) {
	at := p.here()
	err = p.object(func(name []byte) (err error) {
		switch string(name) {
		case "set":
			set, err = p.words(dispositions)
		case "unset":
			unset, err = p.words(dispositions)
		default:
			err = p.fail(p.member, "is not known here: a persistent disposition has set and unset")
		}
		return err
	})
	if err == nil && set == nil && unset == nil {
		err = p.fail(at, "must have set or unset")
	}
	return set, unset, err
}

// place reads a read point or a business location.
func (p *parser) place() (id string, err error) {
	at := p.here()
	err = p.object(func(name []byte) (err error) {
		if string(name) == "id" {
			id, err = p.id()
			return err
		}
		_, err = p.value()
		return err
	})
	if err == nil && id == "" {
		err = p.failMember(at, "id", "is missing")
	}
	return id, err
}
