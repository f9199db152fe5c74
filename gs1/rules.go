package gs1

import "fmt"

// rule is the grammar of one primary key: a head of digits that ends in a check digit, and a tail that follows it. A key has
// one of them or both. Formats are those of the GS1 General Specifications §3; which qualifiers may follow, and in which order,
// is said by the GS1 Digital Link standard (and, for machines, by GS1's Barcode Syntax Dictionary).
type rule struct {
	ai, name   string
	head       int   // digits with the check digit; 0 when the key starts with a company prefix of unknown length
	tail       class // alphabet of the rest
	min, max   int   // length of the rest
	further    func(value string) error
	qualifiers []qualifier // in the order in which a path gives them
	required   bool        // one of the qualifiers must be there
}

// qualifier is the grammar of what may stand behind a key.
type qualifier struct {
	ai, name string
	set      class
	min, max int
	alone    bool // not together with other qualifiers
	coarse   bool // says something of the product, names nothing finer: a consumer product variant
	further  func(value string) error
}

var (
	lot         = qualifier{ai: "10", name: "batch or lot", set: set82, min: 1, max: 20}
	serial      = qualifier{ai: "21", name: "serial", set: set82, min: 1, max: 20}
	variant     = qualifier{ai: "22", name: "consumer product variant", set: set82, min: 1, max: 20, coarse: true}
	thirdParty  = qualifier{ai: "235", name: "third-party serial", set: set82, min: 1, max: 28, alone: true}
	extension   = qualifier{ai: "254", name: "GLN extension", set: set82, min: 1, max: 20, alone: true}
	facility    = qualifier{ai: "7040", name: "UIC with extension", set: set82, min: 4, max: 4, alone: true, further: checkFacility}
	partSerial  = qualifier{ai: "8011", name: "CPID serial", set: digits, min: 1, max: 12, further: checkNoLeadingZero}
	relation    = qualifier{ai: "8019", name: "service relation instance", set: digits, min: 1, max: 10}
	paymentSlip = qualifier{ai: "8020", name: "payment slip reference", set: set82, min: 1, max: 25}
)

// rules holds the keys, the usual ones first: ruleOf looks from the start.
var rules = [...]rule{
	{ai: "01", name: "GTIN", head: 14, qualifiers: []qualifier{variant, lot, serial, thirdParty}},
	{ai: "414", name: "GLN", head: 13, qualifiers: []qualifier{extension, facility}},
	{ai: "417", name: "party GLN", head: 13, qualifiers: []qualifier{facility}},
	{ai: "8004", name: "GIAI", tail: set82, min: 5, max: 30, further: checkPrefix, qualifiers: []qualifier{facility}},
	{ai: "00", name: "SSCC", head: 18},
	{ai: "8003", name: "GRAI", head: 14, tail: set82, max: 16, further: checkAssetZero},
	{ai: "253", name: "GDTI", head: 13, tail: set82, max: 17},
	{ai: "8010", name: "CPID", tail: set39, min: 5, max: 30, further: checkPrefix, qualifiers: []qualifier{partSerial}},
	{ai: "401", name: "GINC", tail: set82, min: 5, max: 30, further: checkPrefix},
	{ai: "402", name: "GSIN", head: 17},
	{ai: "8006", name: "ITIP", head: 14, tail: digits, min: 4, max: 4, further: checkPieces, qualifiers: []qualifier{variant, lot, serial}},
	{ai: "8013", name: "GMN", tail: set82, min: 7, max: 25, further: checkModel},
	{ai: "255", name: "GCN", head: 13, tail: digits, max: 12},
	{ai: "8017", name: "GSRN of the provider", head: 18, qualifiers: []qualifier{relation}},
	{ai: "8018", name: "GSRN of the recipient", head: 18, qualifiers: []qualifier{relation}},
	{ai: "415", name: "invoicing GLN", head: 13, qualifiers: []qualifier{paymentSlip}, required: true},
}

// ruleOf is the rule of a primary key's application identifier, or nil.
func ruleOf(ai string) *rule {
	if len(ai) < 2 || len(ai) > 4 {
		return nil
	}
	for i := range rules {
		if rules[i].ai == ai {
			return &rules[i]
		}
	}
	return nil
}

// qualifierOf is the rule's qualifier with that application identifier and its place in the path, or nil.
func (r *rule) qualifierOf(ai string) (*qualifier, int) {
	for i := range r.qualifiers {
		if r.qualifiers[i].ai == ai {
			return &r.qualifiers[i], i
		}
	}
	return nil, 0
}

// check says what is wrong with a key's value.
func (r *rule) check(v string) error {
	if len(v) < r.head+r.min || len(v) > r.head+r.max {
		return fmt.Errorf("%s (%s) %s has %d characters; it must have %s", r.name, r.ai, quote(v), len(v), lengths(r.head+r.min, r.head+r.max))
	}
	if i := stray(v[:r.head], digits); i >= 0 {
		return fmt.Errorf("%s (%s) %s holds %q at position %d, where only a digit may stand", r.name, r.ai, quote(v), v[i], i+1)
	}
	if i := stray(v[r.head:], r.tail); i >= 0 {
		return fmt.Errorf("%s (%s) %s holds %q at position %d; there it may have only %s", r.name, r.ai, quote(v), v[r.head+i], r.head+i+1, alphabet(r.tail))
	}
	if r.further != nil {
		if err := r.further(v); err != nil {
			return fmt.Errorf("%s (%s) %s %w", r.name, r.ai, quote(v), err)
		}
	}
	if r.head > 0 {
		if want := checkDigit(v[:r.head-1]); v[r.head-1] != want {
			return fmt.Errorf("%s (%s) %s has the check digit %c at position %d, and its other digits need %c; compare with the label: one of them was misread",
				r.name, r.ai, quote(v), v[r.head-1], r.head, want)
		}
	}
	return nil
}

// fits is check without words, for a value whose characters are known to share the alphabets all.
func (r *rule) fits(v string, all class) bool {
	if len(v) < r.head+r.min || len(v) > r.head+r.max || all&(r.tail|digits) == 0 {
		return false
	}
	if r.head > 0 && (all&digits == 0 && !within(v[:r.head], digits) || checkDigit(v[:r.head-1]) != v[r.head-1]) {
		return false
	}
	return r.further == nil || r.further(v) == nil
}

// check says what is wrong with a qualifier's value.
func (q *qualifier) check(v string) error {
	if len(v) < q.min || len(v) > q.max {
		return fmt.Errorf("%s (%s) %s has %d characters; it must have %s", q.name, q.ai, quote(v), len(v), lengths(q.min, q.max))
	}
	if i := stray(v, q.set); i >= 0 {
		return fmt.Errorf("%s (%s) %s holds %q at position %d; it may have only %s", q.name, q.ai, quote(v), v[i], i+1, alphabet(q.set))
	}
	if q.further != nil {
		if err := q.further(v); err != nil {
			return fmt.Errorf("%s (%s) %s %w", q.name, q.ai, quote(v), err)
		}
	}
	return nil
}

// fits is check without words, for a value whose characters are known to share the alphabets all.
func (q *qualifier) fits(v string, all class) bool {
	return len(v) >= q.min && len(v) <= q.max && all&q.set != 0 && (q.further == nil || q.further(v) == nil)
}

// lengths says how long something must be.
func lengths(least, most int) string {
	if least == most {
		return fmt.Sprint(least)
	}
	return fmt.Sprintf("%d to %d", least, most)
}

// alphabet says which characters a class allows.
func alphabet(c class) string {
	switch c {
	case digits:
		return "digits"
	case set39:
		return "digits, capital letters and # - /"
	}
	return `letters, digits and !"%&'()*+,-./:;<=>?_`
}
