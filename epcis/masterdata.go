package epcis

import (
	"github.com/go-json-experiment/json/jsontext"
)

// Element is one element of a vocabulary: master data about a party, a place, a class or an instance (CBV 2.0 §9).
type Element struct {
	Type       string // the vocabulary's type, a URI
	ID         string // canonical
	Attributes Fields // by expanded name; without a value: an empty string; given more than once: an array of the values
	Children   []string
}

// ParseMasterData validates one element of a vocabulary of the given type. An error is an *Error.
//
// It accepts what the EPCIS 2.0 JSON Schema accepts, except GS1 keys that are malformed, and members that it does not know and
// that bear no prefix: a misspelt "atributs" would go unnoticed. It is looser as ParseEvent is.
func ParseMasterData(raw jsontext.Value, vocabularyType string, ctx *Context) (*Element, error) {
	p, err := newParser(raw, ctx)
	if err != nil {
		return nil, err
	}
	if p.ctx, err = ownContext(raw, ctx); err != nil {
		return nil, err
	}
	el := &Element{Type: p.ctx.Expand(vocabularyType), Attributes: Fields{}}
	err = p.object(func(name []byte) (err error) {
		switch string(name) {
		case "id":
			el.ID, err = p.id()
		case "attributes":
			err = p.array(func() error { return p.masterAttribute(el) })
		case "children":
			el.Children, err = p.ids(false)
		case "type", "isA", "@context":
			_, err = p.value()
		default:
			err = p.foreign(name)
		}
		return err
	})
	switch {
	case err != nil:
		return nil, err
	case el.ID == "":
		return nil, &Error{"/id", "is missing"}
	case !isURI(el.Type):
		return nil, &Error{"", "belongs to a vocabulary whose type is " + quoteShort(vocabularyType) + ", which is no absolute URI"}
	}
	return el, nil
}

func (p *parser) masterAttribute(el *Element) error {
	id, at := "", p.here()
	value := jsontext.Value(`""`)
	err := p.object(func(name []byte) (err error) {
		switch string(name) {
		case "id":
			id, err = p.uri()
		case "attribute":
			value, err = p.attributeValue()
		default:
			err = p.foreign(name)
		}
		return err
	})
	switch {
	case err != nil:
		return err
	case id == "":
		return p.failMember(at, "id", "is missing")
	}
	el.add(id, value)
	return nil
}

func (p *parser) attributeValue() (jsontext.Value, error) {
	at := p.here()
	v, err := p.value()
	if err != nil {
		return nil, err
	}
	if k := v.Kind(); k != '"' && k != '0' && k != '{' {
		return nil, p.fail(at, "must be a string, a number or an object, not %s", kindName(k))
	}
	return v, nil
}

// add adds a value of an attribute. The values are no arrays themselves.
func (el *Element) add(id string, v jsontext.Value) {
	switch old, again := el.Attributes[id]; {
	case !again:
		el.Attributes[id] = v
	case old.Kind() == '[':
		old[len(old)-1] = ','
		el.Attributes[id] = append(append(old, v...), ']')
	default:
		el.Attributes[id] = append(append(append(append(jsontext.Value{'['}, old...), ','), v...), ']')
	}
}
