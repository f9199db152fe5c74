package epcis

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Context is a JSON-LD @context as far as EPCIS needs it: the prefixes and the terms that names are written with. It never
// fetches anything: contexts named by address are taken for the standard one, whose terms the package knows. A nil Context is
// the standard one alone.
//
// A Context is not changed after it was made, and safe for concurrent use.
type Context struct {
	terms map[string]string // prefix or term -> what it stands for
}

// standard are the prefixes of the EPCIS context (EPCIS 2.0 §10, epcis-context.jsonld), and Tidewaiter's own, which an event
// may use without saying so.
var standard = &Context{terms: map[string]string{
	"epcis":   "https://ref.gs1.org/epcis/",
	"cbv":     "https://ref.gs1.org/cbv/",
	"cbvmda":  "urn:epcglobal:cbv:mda:",
	"gs1":     "https://gs1.org/voc/",
	"rdfs":    "http://www.w3.org/2000/01/rdf-schema#",
	"owl":     "http://www.w3.org/2002/07/owl#",
	"xsd":     "http://www.w3.org/2001/XMLSchema#",
	"dcterms": "http://purl.org/dc/terms/",
	"tw":      "https://tidewaiter.org/ns/",
}}

// contexts remembers what was parsed: a ledger of millions of entries has a handful of contexts.
var contexts struct {
	sync.RWMutex
	known map[contextKey]*Context
}

type contextKey struct {
	base *Context
	raw  string
}

// What is remembered is bounded in number and in size.
const (
	maxContexts      = 256
	maxContextLength = 1 << 16
)

// ParseContext reads a @context: an address, an object, or an array of these; nil stands for the standard context alone. An
// error is an *Error.
func ParseContext(raw jsontext.Value) (*Context, error) {
	if len(raw) == 0 {
		return standard, nil
	}
	return standard.with(raw)
}

// with returns the context with the definitions of raw on top.
func (c *Context) with(raw jsontext.Value) (*Context, error) {
	if c == nil {
		c = standard
	}
	contexts.RLock()
	next := contexts.known[contextKey{c, string(raw)}]
	contexts.RUnlock()
	if next != nil {
		return next, nil
	}
	next = &Context{terms: maps.Clone(c.terms)}
	if err := next.define(raw); err != nil {
		return nil, err
	}
	if len(raw) <= maxContextLength {
		next.remember(contextKey{c, string(raw)})
	}
	return next, nil
}

func (c *Context) remember(key contextKey) {
	contexts.Lock()
	defer contexts.Unlock()
	if contexts.known == nil || len(contexts.known) >= maxContexts {
		contexts.known = map[contextKey]*Context{}
	}
	contexts.known[key] = c
}

// maxIRI is the length of the longest name that a term may stand for.
const maxIRI = 2048

// contextError is an error about a @context.
func contextError(reason string) error { return &Error{"/@context", reason} }

func (c *Context) define(raw jsontext.Value) error {
	if raw.Kind() != '[' {
		return c.defineOne(raw)
	}
	var list []jsontext.Value
	if err := json.Unmarshal(raw, &list); err != nil {
		return contextError(syntaxReason(err))
	}
	for _, one := range list {
		if err := c.defineOne(one); err != nil {
			return err
		}
	}
	return nil
}

func (c *Context) defineOne(raw jsontext.Value) error {
	switch raw.Kind() {
	case '"':
		var address string
		if err := json.Unmarshal(raw, &address); err != nil {
			return contextError(syntaxReason(err))
		}
		if !isURI(address) {
			return contextError("names " + quoteShort(address) + ", which is no absolute URI")
		}
		return nil
	case '{':
		return c.defineTerms(raw)
	}
	return contextError("must be an address, an object, or an array of these, and holds " + kindName(raw.Kind()))
}

func (c *Context) defineTerms(raw jsontext.Value) error {
	var given map[string]jsontext.Value
	if err := json.Unmarshal(raw, &given); err != nil {
		return contextError(syntaxReason(err))
	}
	d := definitions{ctx: c, iris: map[string]string{}, state: map[string]progress{}}
	for name, def := range given {
		if strings.HasPrefix(name, "@") || strings.ContainsAny(name, ": ") {
			continue // keywords, and definitions of what has a full name anyhow
		}
		if iri := definition(def); iri != "" {
			d.iris[name] = iri
		}
	}
	for _, name := range slices.Sorted(maps.Keys(d.iris)) {
		switch {
		case !d.settle(name):
			return contextError("defines " + quoteShort(name) + " by itself, round a circle")
		case len(d.iris[name]) > maxIRI:
			return contextError(fmt.Sprintf("defines %s to stand for more than %d characters", quoteShort(name), maxIRI))
		}
	}
	maps.Copy(c.terms, d.iris)
	return nil
}

// definitions are the terms of one object, which may be written with each other (JSON-LD 1.1 API §4.2).
type definitions struct {
	ctx   *Context
	iris  map[string]string
	state map[string]progress
}

type progress int

const (
	begun progress = iota + 1
	settled
)

// settle writes a term's definition in full; it is false for one that needs itself.
func (d *definitions) settle(name string) bool {
	switch d.state[name] {
	case begun:
		return false
	case settled:
		return true
	}
	d.state[name] = begun
	prefix, rest, ok := cutPrefix(d.iris[name])
	if _, own := d.iris[prefix]; own && ok {
		if !d.settle(prefix) {
			return false
		}
		d.iris[name] = d.iris[prefix] + rest
	} else {
		d.iris[name] = d.ctx.Expand(d.iris[name])
	}
	d.state[name] = settled
	return true
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

// cutPrefix takes a compact name apart: "tw:payer" is tw and payer, and a term is all prefix. It is false for a name that is
// no such thing: one that begins with a colon, or has // behind it (JSON-LD 1.1 §3.2).
func cutPrefix[T string | []byte](name T) (prefix, rest T, ok bool) {
	for i := range len(name) {
		if name[i] == ':' {
			return name[:i], name[i+1:], i > 0 && !(len(name) > i+2 && name[i+1] == '/' && name[i+2] == '/')
		}
	}
	return name, rest, true
}

// Expand turns a compact name ("tw:payer") into the full one where the context knows its prefix, and returns any other name
// as it is.
func (c *Context) Expand(name string) string {
	if namespace, rest, ok := lookUp(c, name); ok {
		return namespace + rest
	}
	return name
}

// expand is Expand for what is a part of something else, and not to be kept.
func (c *Context) expand(name []byte) []byte {
	if namespace, rest, ok := lookUp(c, name); ok {
		return append([]byte(namespace), rest...)
	}
	return name
}

// appendExpanded writes what Expand returns.
func (c *Context) appendExpanded(dst, name []byte) []byte {
	if namespace, rest, ok := lookUp(c, name); ok {
		return append(append(dst, namespace...), rest...)
	}
	return append(dst, name...)
}

// lookUp finds the namespace of a compact name, or what a term stands for.
func lookUp[T string | []byte](c *Context, name T) (namespace string, rest T, ok bool) {
	prefix, rest, ok := cutPrefix(name)
	if !ok {
		return "", rest, false
	}
	if c == nil {
		c = standard
	}
	namespace, ok = c.terms[string(prefix)]
	return namespace, rest, ok
}
