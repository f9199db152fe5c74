package epcis

import (
	"github.com/go-json-experiment/json/jsontext"

	"github.com/tidewaiter/tidewaiter/gs1"
)

// Element is one element of a vocabulary: master data about a party, a place, a class or an instance (CBV 2.0 §9).
type Element struct {
	Type       string // the vocabulary's type, a URI
	ID         string // canonical
	Attributes Fields // by expanded name; an attribute without a value is an empty string
	Children   []string
}

// ParseMasterData validates one element of a vocabulary of the given type. An error is an *Error.
func ParseMasterData(raw jsontext.Value, vocabularyType string, ctx *Context) (*Element, error) {
	p := newParser(raw, ctx)
	defer p.release()
	el := &Element{Attributes: Fields{}}
	err := p.object(func(name string) (err error) {
		switch name {
		case "id":
			el.ID, err = p.elementID()
		case "attributes":
			err = p.array(func(int) error { return p.attribute(el) })
		case "children":
			el.Children, err = p.ids(false)
		case "type", "isA", "@context":
			_, err = p.value()
		default:
			err = p.foreign(name)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	el.Type = ctx.Expand(vocabularyType)
	switch {
	case el.ID == "":
		return nil, p.in("/id", "is missing")
	case !isURI(el.Type):
		return nil, p.in("", "belongs to a vocabulary whose type is %s, which is no absolute URI", quoteShort(vocabularyType))
	}
	return el, nil
}

// elementID reads the subject's identifier. Master data may also name patterns, which are no keys of one thing.
func (p *parser) elementID() (string, error) {
	s, err := p.uri()
	if err != nil {
		return "", err
	}
	c, err := gs1.Canonical(s)
	if err != nil {
		return "", p.fail("is %s: %v", quoteShort(s), err)
	}
	return c, nil
}

func (p *parser) attribute(el *Element) error {
	var id, at string
	value := jsontext.Value(`""`)
	err := p.object(func(name string) (err error) {
		at = parentOf(string(p.dec.StackPointer()))
		switch name {
		case "id":
			id, err = p.text()
			id = p.ctx.Expand(id)
		case "attribute":
			value, err = p.value()
			if k := value.Kind(); err == nil && k != '"' && k != '0' && k != '{' {
				err = p.fail("must be a string, a number or an object, not %s", kindName(k))
			}
		default:
			err = p.foreign(name)
		}
		return err
	})
	switch {
	case err != nil:
		return err
	case id == "":
		return p.in(at+"/id", "is missing")
	}
	el.Attributes[id] = value
	return nil
}
