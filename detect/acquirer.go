package detect

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tidewaiter/tidewaiter/custody"
)

// Acquirer sees a party that holds accelerators and does not fit them: too young, too small, in another business, owned from a
// barred country, or paid for by somebody who has no reason to.
//
// Source: BIS industry guidance of 13 May 2025 (red flags for advanced chips), EAR Supp. 3 to part 732; the payer's mismatch in
// most of the charged cases. No single flag decides, and all of them together never make a case.
//
// Innocent: a start-up cloud; a group whose treasury pays; a lessor or a bank that pays; a firm that changed its business.
type Acquirer struct{}

// Parameters of Acquirer, in nats.
const (
	acquirerMinUnits = 8
	acquirerYoung    = 0.8 // founded less than a year before
	acquirerSmall    = 0.6 // capital below a hundredth of what it holds
	acquirerBusiness = 0.8
	acquirerParent   = 0.9
	acquirerPayer    = 0.9
	acquirerMost     = 1.8
	acquirerPrice    = 25000.0 // US dollars for an accelerator, the order of magnitude
)

// Kind implements Detector.
func (Acquirer) Kind() string { return "acquirer-does-not-fit" }

// Find implements Detector.
func (d Acquirer) Find(m *Memory, now Micros) []Finding {
	var out []Finding
	for _, party := range m.partyList {
		if p := m.Party(party); p.Received >= acquirerMinUnits {
			if f, ok := d.judge(m, party, p); ok {
				out = append(out, f)
			}
		}
	}
	slices.SortFunc(out, func(a, b Finding) int { return strings.Compare(a.ID, b.ID) })
	return out
}

func (d Acquirer) judge(m *Memory, party string, p *PartyMemory) (Finding, bool) {
	e := m.Custody.Element(party)
	switch e.Attr("tw:role") {
	case "manufacturer", "carrier", "forwarder", "authority", "service", "recycler":
		return Finding{}, false
	}
	var llr float64
	var why []string
	add := func(w float64, text string) { llr += w; why = append(why, text) }
	if born, err := time.Parse(time.DateOnly, e.Attr("tw:incorporated")); err == nil {
		if age := p.First.Time().Sub(born); age < 365*24*time.Hour {
			add(acquirerYoung, fmt.Sprintf("it was founded %d months before its first accelerators", max(0, int(age.Hours()/24/30))))
		}
	}
	if capital := number(e.Attr("tw:capital")); capital > 0 && capital < acquirerPrice*float64(p.Received)/100 {
		add(acquirerSmall, "its capital is below a hundredth of what it holds")
	}
	if b := strings.ToLower(e.Attr("tw:lineOfBusiness")); b != "" && !fits(b) {
		add(acquirerBusiness, "its business is "+e.Attr("tw:lineOfBusiness"))
	}
	if c := e.Attr("tw:parentCountry"); IsBarred(c) {
		add(acquirerParent, "its parent is in "+c)
	}
	if payer := m.oddPayer(party, p); payer != "" {
		add(acquirerPayer, "paid for by "+m.Name(payer))
	}
	if llr == 0 {
		return Finding{}, false
	}
	return Finding{ID: identify(d.Kind(), party), Kind: d.Kind(), Group: GroupParty, MilliNats: nats(min(llr, acquirerMost)), Parties: []string{party},
		First: p.First, Evidence: []int64{p.FirstSeq},
		Innocent: []string{
			"a young firm in a growing business; a group or a lessor that pays for it",
			"master data that is out of date",
		},
		Explanation: fmt.Sprintf("%s received %s, and %s", m.Name(party), Counted(p.Received, "accelerator"), strings.Join(why, "; "))}, true
}

// fits says whether a line of business is one that buys accelerators.
func fits(business string) bool {
	for _, w := range []string{"data cent", "datacent", "cloud", "hosting", "comput", "research", "universit", "telecom", "artificial", " ai", "ai ", "machine learning",
		"semiconductor", "server", "electronics", "distribut", "technolog", "software", "internet", "network", "colocation", "leasing", "finance", "hardware", "it services", "information"} {
		if strings.Contains(" "+business+" ", w) {
			return true
		}
	}
	return false
}

// oddPayer is somebody who paid for a fair share of what a party received without being it, its parent, or a lessor.
func (m *Memory) oddPayer(party string, p *PartyMemory) string {
	total := 0
	for _, n := range p.Payers {
		total += n
	}
	var odd []string
	for payer, n := range p.Payers {
		e := m.Custody.Element(payer)
		role := e.Attr("tw:role")
		related := payer == party || payer == canonical(m.Attr(party, "tw:parentParty")) || canonical(e.Attr("tw:parentParty")) == party ||
			canonical(e.Attr("tw:parentParty")) != "" && canonical(e.Attr("tw:parentParty")) == canonical(m.Attr(party, "tw:parentParty"))
		if related || role == "lessor" || n*5 < total {
			continue
		}
		if role == "forwarder" || role == "carrier" || role == "broker" || IsBarred(m.partyCountry(payer)) || IsBarred(e.Attr("tw:parentCountry")) || role == "" {
			odd = append(odd, payer)
		}
	}
	slices.Sort(odd)
	return first(odd...)
}

// canonical gives the canonical form of an identifier where there is one.
func canonical(id string) string { return custody.Canonical(id) }
