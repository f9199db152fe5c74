package epcis

import (
	"strconv"
)

// certification reads one certificate's URI, or a list of them.
func (p *parser) certification() ([]string, error) {
	if p.dec.PeekKind() != '[' {
		s, err := p.uri()
		return []string{s}, err
	}
	var out []string
	err := p.array(func(int) error {
		s, err := p.uri()
		out = append(out, s)
		return err
	})
	return out, err
}

func (p *parser) declaration() (*ErrorDeclaration, error) {
	d := &ErrorDeclaration{}
	at := string(p.dec.StackPointer())
	err := p.object(func(name string) (err error) {
		switch name {
		case "declarationTime":
			d.Time, err = p.time()
		case "reason":
			d.Reason, err = p.word(errorReasons)
		case "correctiveEventIDs":
			d.CorrectiveEventIDs = []string{}
			err = p.array(func(int) error {
				s, err := p.uri()
				d.CorrectiveEventIDs = append(d.CorrectiveEventIDs, s)
				return err
			})
		default:
			err = p.foreign(name)
		}
		return err
	})
	switch {
	case err != nil:
		return nil, err
	case d.Time.IsZero():
		return nil, p.in(at+"/declarationTime", "is missing")
	case d.Reason == "did_not_occur" && len(d.CorrectiveEventIDs) > 0:
		return nil, p.in(at+"/correctiveEventIDs", "may not stand beside did_not_occur: what did not occur is not corrected (CBV 2.0 §7.5)")
	}
	return d, nil
}

// foreign passes over a member of somebody's own namespace inside one of ours.
func (p *parser) foreign(name string) error {
	if _, ok := p.extensionName(name); !ok {
		return p.fail("is not known here, and bears no prefix that says whose it is")
	}
	_, err := p.value()
	return err
}

func (p *parser) quantities() ([]Quantity, error) {
	out := []Quantity{}
	err := p.array(func(int) error {
		var q Quantity
		at := ""
		err := p.object(func(name string) (err error) {
			at = parentOf(string(p.dec.StackPointer()))
			switch name {
			case "epcClass":
				q.Class, err = p.id()
			case "quantity":
				q.Quantity, err = p.decimal()
			case "uom":
				q.UOM, err = p.unitOfMeasure()
			default:
				err = p.fail("is not known here: a quantity has epcClass, quantity and uom")
			}
			return err
		})
		if err == nil && q.Class == "" {
			err = p.in(at+"/epcClass", "is missing")
		}
		out = append(out, q)
		return err
	})
	return out, err
}

func parentOf(pointer string) string {
	for i := len(pointer) - 1; i >= 0; i-- {
		if pointer[i] == '/' {
			return pointer[:i]
		}
	}
	return ""
}

func (p *parser) decimal() (float64, error) {
	v, err := p.number()
	if err != nil {
		return 0, err
	}
	f, err := strconv.ParseFloat(string(v), 64)
	if err != nil {
		return 0, p.fail("is %s, which is out of range", quoteShort(string(v)))
	}
	return f, nil
}

// unitOfMeasure reads a code of UN/ECE Recommendation 20: two or three capital letters and digits.
func (p *parser) unitOfMeasure() (string, error) {
	s, err := p.text()
	if err != nil {
		return "", err
	}
	ok := len(s) == 2 || len(s) == 3
	for i := range len(s) {
		ok = ok && ('A' <= s[i] && s[i] <= 'Z' || '0' <= s[i] && s[i] <= '9')
	}
	if !ok {
		return "", p.fail("is %s; it must be a code of UN/ECE Recommendation 20, such as KGM", quoteShort(s))
	}
	return s, nil
}

// typed reads a list of transactions, sources or destinations.
func (p *parser) typed(member string, v *vocabulary, needsType bool) ([]Typed, error) {
	out := []Typed{}
	err := p.array(func(int) error {
		var t Typed
		at := ""
		err := p.object(func(name string) (err error) {
			at = parentOf(string(p.dec.StackPointer()))
			switch name {
			case "type":
				t.Type, err = p.word(v)
			case member:
				t.ID, err = p.id()
			default:
				err = p.fail("is not known here: an entry has type and %s", member)
			}
			return err
		})
		switch {
		case err != nil:
		case t.ID == "":
			err = p.in(at+"/"+member, "is missing")
		case needsType && t.Type == "":
			err = p.in(at+"/type", "is missing")
		}
		out = append(out, t)
		return err
	})
	return out, err
}

func (p *parser) persistent() (set, unset []string, err error) {
	err = p.object(func(name string) (err error) {
		switch name {
		case "set":
			set, err = p.words(dispositions)
		case "unset":
			unset, err = p.words(dispositions)
		default:
			err = p.fail("is not known here: a persistent disposition has set and unset")
		}
		return err
	})
	if err == nil && set == nil && unset == nil {
		err = p.fail("must have set or unset")
	}
	return set, unset, err
}

// place reads a read point or a business location.
func (p *parser) place() (id string, err error) {
	at := string(p.dec.StackPointer())
	err = p.object(func(name string) (err error) {
		if name == "id" {
			id, err = p.id()
			return err
		}
		_, err = p.value()
		return err
	})
	if err == nil && id == "" {
		err = p.in(at+"/id", "is missing")
	}
	return id, err
}
