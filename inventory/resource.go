package inventory

import (
	"path"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// resource is what one Redfish resource says that matters here. One struct serves all schemas: a BMC that puts a property
// where its schema has none is still understood.
type resource struct {
	path  string
	class class
	in    *resource // what it is built into, as far as the tree says; see containment.go

	ODataType     text   `json:"@odata.type"`
	ID            text   `json:"Id"`
	Name          text   `json:"Name"`
	Manufacturer  text   `json:"Manufacturer"`
	Model         text   `json:"Model"`
	PartNumber    text   `json:"PartNumber"`
	SerialNumber  text   `json:"SerialNumber"`
	UUID          text   `json:"UUID"`
	ProcessorType text   `json:"ProcessorType"`
	ChassisType   text   `json:"ChassisType"`
	DeviceType    text   `json:"DeviceType"`
	Status        status `json:"Status"`

	// Of the service root, a system or a chassis: where its parts are.
	Systems           links `json:"Systems"`
	Chassis           links `json:"Chassis"`
	Processors        links `json:"Processors"`
	Memory            links `json:"Memory"`
	Storage           links `json:"Storage"`
	Drives            links `json:"Drives"`
	NetworkInterfaces links `json:"NetworkInterfaces"`
	NetworkAdapters   links `json:"NetworkAdapters"`
	PCIeDevices       links `json:"PCIeDevices"`
	PowerSubsystem    links `json:"PowerSubsystem"`
	PowerSupplies     links `json:"PowerSupplies"`
	Assembly          links `json:"Assembly"`

	Links      related    `json:"Links"`
	Assemblies assemblies `json:"Assemblies"`

	// Of a collection.
	Members  links `json:"Members"`
	NextLink text  `json:"Members@odata.nextLink"`
}

// related are the links that say how resources belong together.
type related struct {
	Chassis         links `json:"Chassis"`
	ComputerSystems links `json:"ComputerSystems"`
	ContainedBy     links `json:"ContainedBy"`
	Contains        links `json:"Contains"`
	Processors      links `json:"Processors"`
	Switches        links `json:"Switches"`
	Drives          links `json:"Drives"`
	PCIeDevices     links `json:"PCIeDevices"`
	NetworkAdapter  links `json:"NetworkAdapter"`
	NetworkAdapters links `json:"NetworkAdapters"`
	Oem             oem   `json:"Oem"`
}

// oem are the links that one vendor adds: which part a root-of-trust chip vouches for.
type oem struct {
	Nvidia nvidia `json:"Nvidia"`
}

type nvidia struct {
	ComponentsProtected links `json:"ComponentsProtected"`
}

type status struct {
	State text `json:"State"`
}

// assemblies are the boards and marks of one part (Redfish Assembly schema): a part often bears its serial number only here.
type assemblies []assembly

type assembly struct {
	Name         text `json:"Name"`
	Model        text `json:"Model"`
	PartNumber   text `json:"PartNumber"`
	SerialNumber text `json:"SerialNumber"`
	Vendor       text `json:"Vendor"`
}

// parse reads a resource as tolerantly as can be: nothing is hashed or signed here, and a BMC cannot be asked to mend its JSON.
func parse(body []byte) (*resource, error) {
	r := new(resource)
	err := json.Unmarshal(body, r, lenient)
	return r, err
}

// text is a string, however it was written: some BMCs write a serial number as a number, or null. Anything else is empty.
type text string

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (t *text) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	v, err := dec.ReadValue()
	if err != nil {
		return err
	}
	*t = ""
	switch v.Kind() {
	case '"':
		var s string
		if err := json.Unmarshal(v, &s, lenient); err != nil {
			return err
		}
		*t = text(strings.TrimSpace(s))
	case '0':
		*t = text(v)
	}
	return nil
}

// links are references to resources: one object with an @odata.id, or an array of them. Anything else is no link.
type links []string

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (l *links) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	v, err := dec.ReadValue()
	if err != nil {
		return err
	}
	*l = nil
	var many []jsontext.Value
	switch v.Kind() {
	case '{':
		many = []jsontext.Value{v}
	case '[':
		if err := json.Unmarshal(v, &many, lenient); err != nil {
			return err
		}
	}
	for _, one := range many {
		var ref struct {
			ID text `json:"@odata.id"`
		}
		if one.Kind() != '{' {
			continue
		}
		if err := json.Unmarshal(one, &ref, lenient); err != nil {
			return err
		}
		if ref.ID != "" {
			*l = append(*l, string(ref.ID))
		}
	}
	return nil
}

var lenient = json.JoinOptions(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))

// UnmarshalJSONFrom implements json.UnmarshalerFrom: what is not an object holds no links.
func (r *related) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	type plain related
	return objectOnly(dec, (*plain)(r))
}

// UnmarshalJSONFrom implements json.UnmarshalerFrom: what is not an object has no state.
func (s *status) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	type plain status
	return objectOnly(dec, (*plain)(s))
}

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (o *oem) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	type plain oem
	return objectOnly(dec, (*plain)(o))
}

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (n *nvidia) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	type plain nvidia
	return objectOnly(dec, (*plain)(n))
}

// objectOnly reads an object, and passes over anything else.
func objectOnly(dec *jsontext.Decoder, into any) error {
	v, err := dec.ReadValue()
	if err != nil || v.Kind() != '{' {
		return err
	}
	return json.Unmarshal(v, into, lenient)
}

// UnmarshalJSONFrom implements json.UnmarshalerFrom: what is not an array of objects holds no assemblies.
func (a *assemblies) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	v, err := dec.ReadValue()
	if err != nil || v.Kind() != '[' {
		return err
	}
	var many []jsontext.Value
	if err := json.Unmarshal(v, &many, lenient); err != nil {
		return err
	}
	for _, one := range many {
		var x assembly
		if one.Kind() != '{' {
			continue
		}
		if err := json.Unmarshal(one, &x, lenient); err != nil {
			return err
		}
		*a = append(*a, x)
	}
	return nil
}

// id is the resource's own name, which is the last element of its path when it gives none.
func (r *resource) id() string {
	if r.ID != "" {
		return string(r.ID)
	}
	return path.Base(r.path)
}

// short is the path as people write it, from the service root on.
func short(p string) string { return strings.TrimPrefix(strings.TrimPrefix(p, rootPath), "/") }
