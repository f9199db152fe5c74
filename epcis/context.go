package epcis

import (
	"strings"
	"sync"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Context is a JSON-LD @context as far as EPCIS needs it: the prefixes and the terms that names are written with. It never
// fetches anything: contexts named by address are taken for the standard one, whose terms the package knows.
//
// A Context is not changed after it was made, and safe for concurrent use.
type Context struct {
	terms map[string]string // prefix or term -> what it stands for
}

// standard are the prefixes of the EPCIS context (EPCIS 2.0 §10, epcis-context.jsonld), and Tidewaiter's own, which an event
// may use without saying so.
var standard = map[string]string{
	"epcis":   "https://ref.gs1.org/epcis/",
	"cbv":     "https://ref.gs1.org/cbv/",
	"cbvmda":  "urn:epcglobal:cbv:mda:",
	"gs1":     "https://gs1.org/voc/",
	"rdfs":    "http://www.w3.org/2000/01/rdf-schema#",
	"owl":     "http://www.w3.org/2002/07/owl#",
	"xsd":     "http://www.w3.org/2001/XMLSchema#",
	"dcterms": "http://purl.org/dc/terms/",
	"tw":      "https://tidewaiter.org/ns/",
}

var none = &Context{terms: standard}

// contexts remembers what was parsed: a ledger of millions of entries has a handful of contexts.
var contexts struct {
	sync.RWMutex
	known map[string]*Context
}

const maxContexts = 256

// ParseContext reads a @context: an address, an object, or an array of them; nil stands for the standard context alone. An
// error is an *Error.
func ParseContext(raw jsontext.Value) (*Context, error) {
	if len(raw) == 0 {
		return none, nil
	}
	contexts.RLock()
	c := contexts.known[string(raw)]
	contexts.RUnlock()
	if c != nil {
		return c, nil
	}
	c, err := none.with(raw)
	if err != nil {
		return nil, err
	}
	contexts.Lock()
	defer contexts.Unlock()
	if contexts.known == nil || len(contexts.known) >= maxContexts {
		contexts.known = map[string]*Context{}
	}
	contexts.known[string(raw)] = c
	return c, nil
}

// with returns the context with the definitions of raw on top.
func (c *Context) with(raw jsontext.Value) (*Context, error) {
	next := &Context{terms: make(map[string]string, len(c.terms)+4)}
	for k, v := range c.terms {
		next.terms[k] = v
	}
	if err := next.define(raw, 0); err != nil {
		return nil, err
	}
	return next, nil
}

// maxContextDepth bounds arrays in arrays, which JSON-LD does not know, and terms that stand for each other.
const maxContextDepth = 4

func (c *Context) define(raw jsontext.Value, depth int) error {
	if depth > maxContextDepth {
		return &Error{"/@context", "is nested too deep"}
	}
	switch raw.Kind() {
	case '"', 'n': // an address; null, which would forget the standard terms, is taken for the standard context
		return nil
	case '[':
		var list []jsontext.Value
		if err := json.Unmarshal(raw, &list); err != nil {
			return &Error{"/@context", syntaxReason(err)}
		}
		for _, one := range list {
			if err := c.define(one, depth+1); err != nil {
				return err
			}
		}
		return nil
	case '{':
		return c.defineTerms(raw)
	default:
		return &Error{"/@context", "must be an address, an object, or an array of these"}
	}
}

func (c *Context) defineTerms(raw jsontext.Value) error {
	var defs map[string]jsontext.Value
	if err := json.Unmarshal(raw, &defs); err != nil {
		return &Error{"/@context", syntaxReason(err)}
	}
	for name, def := range defs {
		if strings.HasPrefix(name, "@") || strings.ContainsAny(name, ": ") {
			continue // keywords, and definitions of what has a full name anyhow
		}
		if iri := definition(def); iri != "" {
			c.terms[name] = iri
		}
	}
	for name := range defs { // a prefix may be written with another one
		if _, ok := c.terms[name]; ok {
			c.terms[name] = c.resolve(c.terms[name])
		}
	}
	return nil
}

// definition is what a term stands for: a string, or the @id of an expanded definition (JSON-LD 1.1 §9.15.1).
func definition(def jsontext.Value) string {
	var iri string
	if def.Kind() == '"' {
		if json.Unmarshal(def, &iri) != nil {
			return ""
		}
		return iri
	}
	var full struct {
		ID string `json:"@id"`
	}
	if def.Kind() != '{' || json.Unmarshal(def, &full) != nil {
		return ""
	}
	return full.ID
}

func (c *Context) resolve(iri string) string {
	for range maxContextDepth {
		next := c.Expand(iri)
		if next == iri {
			break
		}
		iri = next
	}
	return iri
}

// Expand turns a compact name ("tw:payer") into the full one where the context knows its prefix, and returns any other name
// as it is.
func (c *Context) Expand(name string) string {
	i := strings.IndexByte(name, ':')
	if i < 0 {
		if iri, ok := c.terms[name]; ok {
			return iri
		}
		return name
	}
	if i == 0 || strings.HasPrefix(name[i+1:], "//") {
		return name
	}
	if ns, ok := c.terms[name[:i]]; ok {
		return ns + name[i+1:]
	}
	return name
}

// Namespace splits an expanded name into namespace and local name: behind the last /, # or :.
func Namespace(expanded string) (namespace, local string) {
	i := strings.LastIndexAny(expanded, "/#:")
	return expanded[:i+1], expanded[i+1:]
}
