package registry

import (
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/tidewaiter/tidewaiter/custody"
	"github.com/tidewaiter/tidewaiter/epcis"
	"github.com/tidewaiter/tidewaiter/ledger"
)

// overlay is the directory with what the document being captured tells on top: its own master data decides who speaks.
type overlay struct {
	under custody.Directory
	told  map[string]*custody.Element
}

// Element implements custody.Directory.
func (o *overlay) Element(id string) *custody.Element {
	if e, ok := o.told[id]; ok {
		return e
	}
	if o.under == nil {
		return nil
	}
	return o.under.Element(id)
}

func (o *overlay) tell(e ledger.Entry, el *epcis.Element) {
	o.told[el.ID] = o.Element(el.ID).With(e, el)
}

// unmarshalLoose reads what it can of a value that may have duplicate names or bad text.
func unmarshalLoose(raw jsontext.Value, into any) error {
	return json.Unmarshal(raw, into, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
}
