package epcis

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/tidewaiter/tidewaiter/gs1"
)

// Hash is the event hash of CBV 2.0 §8.9.2: an RFC 6920 name, "ni:///sha-256;…?ver=CBV2.0". It leaves out the event id, the
// record time and the error declaration.
//
// It is a name and no commitment: by its definition numbers are doubles and fields have no separators, so that two different
// events can have one hash. Where the standard's text and its reference vectors disagree (the order of source and destination
// lists; certification info, which the vectors include) it follows the vectors.
func Hash(ev *Event, ctx *Context) (string, error) {
	pre, err := preHash(ev, ctx)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(pre))
	return "ni:///sha-256;" + hex.EncodeToString(sum[:]) + "?ver=CBV2.0", nil
}

// preHash is the text that is hashed.
func preHash(ev *Event, ctx *Context) (string, error) {
	var err error
	if bytes.Contains(ev.Raw, []byte(`"@context"`)) {
		if ctx, err = ownContext(ev.Raw, ctx); err != nil {
			return "", err
		}
	}
	var members map[string]jsontext.Value
	if err := json.Unmarshal(ev.Raw, &members); err != nil {
		return "", syntax(err)
	}
	h := hasher{ctx}
	var b strings.Builder
	b.WriteString("eventType=" + string(ev.Type))
	for _, name := range hashOrder {
		if v, ok := members[name]; ok {
			b.WriteString(h.standard(name, v))
		}
	}
	b.WriteString(h.extensions(ev.ILMD, "ilmd"))
	b.WriteString(h.extensions(ev.Extensions, ""))
	return b.String(), nil
}

// hashOrder is the order of an event's members.
var hashOrder = []string{"eventTime", "eventTimeZoneOffset", "certificationInfo", "parentID", "epcList", "inputEPCList", "childEPCs", "quantityList",
	"childQuantityList", "inputQuantityList", "outputEPCList", "outputQuantityList", "action", "transformationID", "bizStep", "disposition",
	"persistentDisposition", "readPoint", "bizLocation", "bizTransactionList", "destinationList", "sourceList", "sensorElementList"}

// memberOrder is the order of members inside the standard's own objects.
var memberOrder = []string{"id", "set", "unset", "epcClass", "quantity", "type", "bizTransaction", "source", "destination", "sensorMetadata", "sensorReport",
	"exception", "time", "startTime", "endTime", "deviceID", "deviceMetadata", "rawData", "dataProcessingMethod", "bizRules",
	"microorganism", "chemicalSubstance", "value", "component", "stringValue", "booleanValue", "hexBinaryValue", "uriValue", "minValue",
	"maxValue", "meanValue", "sDev", "percRank", "percValue", "uom", "coordinateReferenceSystem"}

// elementName is what comes before each element of a list, where the list's own name comes once.
var elementName = map[string]string{"epcList": "epc", "childEPCs": "epc", "inputEPCList": "epc", "outputEPCList": "epc",
	"quantityList": "quantityElement", "childQuantityList": "quantityElement", "inputQuantityList": "quantityElement",
	"outputQuantityList": "quantityElement", "sensorElementList": "sensorElement"}

type hasher struct{ ctx *Context }

// standard writes one member of the standard's own: its name, and its value or its parts.
func (h hasher) standard(name string, v jsontext.Value) string {
	switch v.Kind() {
	case '[':
		return h.list(name, v)
	case '{':
		if body := h.object(name, v); body != "" {
			return name + body
		}
		return ""
	}
	if s := h.scalar(name, v); s != "" {
		return name + "=" + s
	}
	return ""
}

func (h hasher) list(name string, v jsontext.Value) string {
	var elements []jsontext.Value
	if json.Unmarshal(v, &elements) != nil || len(elements) == 0 {
		return ""
	}
	each := elementName[name]
	var parts []string
	for _, e := range elements {
		var part string
		switch {
		case e.Kind() == '{':
			part = each + h.object(name, e)
		case each != "":
			part = each + "=" + h.scalar(name, e)
		default:
			part = name + "=" + h.scalar(name, e)
		}
		if name == "sensorReport" {
			part = name + part
		}
		parts = append(parts, part)
	}
	slices.Sort(parts)
	body := strings.Join(parts, "")
	if name == "sensorReport" || each == "" && elements[0].Kind() != '{' {
		return body // its name stands before each element already
	}
	return name + body
}

// object writes the members of one of the standard's own objects in their order, then those of anybody else's.
func (h hasher) object(name string, v jsontext.Value) string {
	var members map[string]jsontext.Value
	if json.Unmarshal(v, &members) != nil {
		return ""
	}
	var b strings.Builder
	done := map[string]bool{}
	for _, m := range memberOrder {
		if sub, ok := members[m]; ok && !done[m] {
			done[m] = true
			if m == "type" || m == "id" {
				b.WriteString(h.typed(name, m, sub))
			} else {
				b.WriteString(h.standard(m, sub))
			}
		}
	}
	rest := Fields{}
	for m, sub := range members {
		if !done[m] {
			rest[h.ctx.Expand(m)] = sub
		}
	}
	b.WriteString(h.extensions(rest, ""))
	return b.String()
}

// typed writes a member whose meaning depends on the object that it stands in.
func (h hasher) typed(parent, name string, v jsontext.Value) string {
	m := meaningOf(parent, name)
	s, err := unquoteText(v)
	if err != nil {
		return ""
	}
	return name + "=" + h.text(s, m)
}

func (h hasher) scalar(name string, v jsontext.Value) string {
	if v.Kind() != '"' {
		return plainNumber(string(v))
	}
	s, err := unquoteText(v)
	if err != nil {
		return ""
	}
	return h.text(s, meaningOf("", name))
}

func unquoteText(v jsontext.Value) (s string, err error) {
	err = json.Unmarshal(v, &s)
	return s, err
}

func (h hasher) text(s string, m meaning) string {
	s = strings.TrimSpace(s)
	switch m.kind {
	case identifier:
		s = h.ctx.Expand(s)
		if canonical, err := gs1.Canonical(s); err == nil {
			return canonical
		}
	case word:
		if bare, why := m.words.bare(s, h.ctx); why == "" {
			return m.words.uri(bare)
		}
	case instant:
		return hashTime(s)
	default:
	}
	return s
}

// hashTime is an instant in UTC, rounded to milliseconds.
func hashTime(s string) string {
	t, err := parseTime(s)
	if err != nil {
		return s
	}
	const millisecond = 1_000_000
	return t.UTC().Round(millisecond).Format("2006-01-02T15:04:05.000Z")
}

// plainNumber writes a number without zeros at its end, as a double, which is what the standard reads.
func plainNumber(s string) string {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return s
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}

// extensions writes what stands in anybody's own namespace, sorted.
func (h hasher) extensions(fields Fields, before string) string {
	if len(fields) == 0 {
		return ""
	}
	var parts []string
	for name, v := range fields {
		parts = append(parts, h.extension(name, v)...)
	}
	slices.Sort(parts)
	return before + strings.Join(parts, "")
}

// extension writes one field: "{namespace}local=value", or its name and its parts.
func (h hasher) extension(name string, v jsontext.Value) []string {
	ns, local := Namespace(name)
	key := "{" + ns + "}" + local
	if ns == "" {
		key = local
	}
	switch v.Kind() {
	case '[':
		var elements []jsontext.Value
		if json.Unmarshal(v, &elements) != nil {
			return nil
		}
		var parts []string
		for _, e := range elements {
			parts = append(parts, h.extension(name, e)...)
		}
		return parts
	case '{':
		var members map[string]jsontext.Value
		if json.Unmarshal(v, &members) != nil {
			return nil
		}
		inner := Fields{}
		for m, sub := range members {
			inner[h.ctx.Expand(m)] = sub
		}
		return []string{key + h.extensions(inner, "")}
	}
	return []string{key + "=" + h.loose(v)}
}

// loose writes a value of which nothing is known; what looks like a number is one, whether quoted or not.
func (h hasher) loose(v jsontext.Value) string {
	s := string(v)
	if v.Kind() == '"' {
		text, err := unquoteText(v)
		if err != nil {
			return ""
		}
		s = strings.TrimSpace(text)
	}
	if f, err := strconv.ParseFloat(s, 64); err == nil && !strings.ContainsAny(s, "xXpPiInN_") {
		return strconv.FormatFloat(f, 'f', -1, 64)
	}
	if t, err := parseTime(s); err == nil && strings.ContainsRune(s, 'T') {
		return t.UTC().Round(1_000_000).Format("2006-01-02T15:04:05.000Z")
	}
	return s
}
