package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/tidewaiter/tidewaiter/casework"
	"github.com/tidewaiter/tidewaiter/custody"
)

// asking are the flags of questions about custody.
type asking struct {
	At      moment `help:"As things stood at this time (event time)." placeholder:"TIME"`
	KnownAt moment `help:"By what was known at this time (recorded time)." placeholder:"TIME"`
}

func (a asking) asked() custody.Asked { return custody.Asked{At: a.At.Time, Known: a.KnownAt.Time} }

type whereCmd struct {
	Unit string `arg:"" help:"A unit by any of its names: GS1 identifier in any spelling, alias, or bare serial number."`
	asking
}

// whereReport is what where prints with --json.
type whereReport struct {
	Unit        string   `json:"unit"`
	Holder      string   `json:"holder"`
	Owner       string   `json:"owner"`
	Site        string   `json:"site"`
	Country     string   `json:"country"`
	Geo         string   `json:"geo,omitempty"`
	Inside      []string `json:"inside"`
	Since       string   `json:"since"` // empty, as evidenceAge then is, when nothing was told whose time can be
	Tier        int      `json:"tier"`
	EvidenceAge string   `json:"evidenceAge"` // ISO 8601 duration, by the time asked about or the ledger's
	Evidence    []int64  `json:"evidence"`    // entries
	InTransit   *transit `json:"inTransit,omitempty"`
	Flags       []string `json:"flags"`
	Cases       []string `json:"cases,omitempty"` // open now, in which the unit is
}

// transit is being under way.
type transit struct {
	Consignment string `json:"consignment,omitempty"`
	From        string `json:"from"`
	To          string `json:"to"`
	ToSite      string `json:"toSite,omitempty"`
	Since       string `json:"since"`
}

func (c *whereCmd) Run(e *env) error {
	d, v, err := e.asked()
	if err != nil {
		return err
	}
	defer d.Close()
	units, err := e.find(v, c.Unit)
	if err != nil {
		return err
	}
	known := false
	for _, unit := range units {
		w, err := v.Custody.Where(unit, c.asked())
		if err != nil {
			return err
		}
		if w == nil {
			continue
		}
		known = true
		now := v.Machine.Memory.Clock.Now.Time()
		if !c.At.IsZero() {
			now = c.At.Time
		}
		if e.cli.JSON {
			err = e.printJSON(reportWhere(v, w, now))
		} else {
			err = e.printWhere(v, w, now)
		}
		if err != nil {
			return err
		}
	}
	if !known {
		return fmt.Errorf("%w: nothing was known of %s at that time", errNo, c.Unit)
	}
	return nil
}

// find lists the units that a word names; none is the answer no.
func (e *env) find(v *casework.View, word string) ([]string, error) {
	units, err := v.Custody.Find(word)
	if err != nil {
		return nil, err
	}
	if len(units) == 0 {
		return nil, fmt.Errorf("%w: no event in this ledger names %s", errNo, word)
	}
	if len(units) > 1 {
		fmt.Fprintf(e.stderr, "%s is a name of %d units\n", word, len(units))
	}
	return units, nil
}

func reportWhere(v *casework.View, w *custody.Where, now time.Time) whereReport {
	r := whereReport{
		Unit: w.Unit, Holder: w.Holder, Owner: w.Owner, Site: w.Site, Country: w.Country, Geo: w.Geo, Inside: w.Inside, Since: stampOrNothing(w.Since),
		Tier: w.Tier, Evidence: w.Evidence, Flags: w.Flags,
	}
	if !w.Seen.IsZero() {
		r.EvidenceAge = custody.ISODuration(max(0, now.Sub(w.Seen)))
	}
	if t := w.Transit; t != nil {
		r.InTransit = &transit{t.Consignment, t.From, t.To, t.ToSite, stamp(t.Since.Time())}
	}
	for _, c := range v.Holding(w.Unit) {
		r.Cases = append(r.Cases, c.ID())
	}
	if r.Inside == nil {
		r.Inside = []string{}
	}
	if r.Flags == nil {
		r.Flags = []string{}
	}
	return r
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// stampOrNothing is empty for a time that is not known.
func stampOrNothing(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return stamp(t)
}

// tiers say what each evidence tier is (design §3).
var tiers = []string{"asserted on paper", "serial scanned", "read by BMC or agent", "signed by the device", "signed by the device and its neighbours", "signed by the device, place proven"}

func (e *env) printWhere(v *casework.View, w *custody.Where, now time.Time) error {
	name := v.Machine.Memory.Name
	named := func(id string) string {
		if n := name(id); n != id && id != "" {
			return n + "  " + id
		}
		return id
	}
	var b strings.Builder
	line := func(label, text string) {
		if text != "" {
			fmt.Fprintf(&b, "  %-10s %s\n", label, oneLine(text))
		}
	}
	b.WriteString(w.Unit + "\n")
	if k := custody.KindOf(v.Custody, w.Unit); k != "" {
		line("kind", k)
	}
	if t := w.Transit; t != nil {
		line("in transit", fmt.Sprintf("from %s to %s, since %s", name(t.From), name(t.To), t.Since.Time().Format("2 January 2006")))
	} else {
		line("at", strings.TrimSpace(named(w.Site)+country(w.Country)))
		if !w.Since.IsZero() {
			line("since", w.Since.Format("2 January 2006 15:04 MST"))
		}
	}
	line("position", w.Geo)
	for i, in := range w.Inside {
		label := ""
		if i == 0 {
			label = "inside"
		}
		line(label, strings.TrimSpace(custody.KindOf(v.Custody, in)+" "+in))
	}
	line("held by", named(w.Holder))
	line("owned by", named(w.Owner))
	line("evidence", proof(w, now))
	line("flags", strings.Join(w.Flags, ", "))
	for _, c := range v.Holding(w.Unit) {
		line("in case", fmt.Sprintf("%s, %.2f potential diversion, unexplained (tidewaiter case %s)", c.ID(), float64(c.Score)/1000, c.ID()))
	}
	return e.print([]byte(b.String()))
}

// proof is what the answer rests on.
func proof(w *custody.Where, now time.Time) string {
	if w.Seen.IsZero() {
		return "none whose time can be (see exceptions)"
	}
	if len(w.Evidence) == 0 {
		return fmt.Sprintf("nothing that says more; last named %s ago", age(now.Sub(w.Seen)))
	}
	return fmt.Sprintf("T%d, %s; %s old; entries %s", w.Tier, tiers[min(max(w.Tier, 0), 5)], age(now.Sub(w.Seen)), numbers(w.Evidence))
}

func country(code string) string {
	if code == "" {
		return ""
	}
	return " (" + code + ")"
}

func age(d time.Duration) string {
	switch {
	case d < time.Hour:
		return fmt.Sprintf("%d min", max(0, int(d.Minutes())))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}

func numbers(list []int64) string {
	words := make([]string, len(list))
	for i, n := range list {
		words[i] = fmt.Sprint(n)
	}
	return strings.Join(words, ", ")
}
