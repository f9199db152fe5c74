package casework

import (
	"cmp"
	"math"
	"slices"

	"github.com/tidewaiter/tidewaiter/custody"
)

// path is through whose hands, books and purses the units of a case went.
type path struct {
	v       *View
	units   int
	through map[string]int // units of the case that went through a party
	last    map[string]int // units of the case of which it was the last to have them
	roles   map[string]map[string]bool
	senders map[string]bool // who sent parcels that may have carried them
}

func (v *View) pathOf(c *Case) *path {
	p := &path{v: v, units: len(c.Units), through: map[string]int{}, last: map[string]int{}, roles: map[string]map[string]bool{}, senders: map[string]bool{}}
	mem := v.Machine.Memory
	for _, m := range c.Units {
		u := mem.Unit(m.Unit)
		if u == nil {
			continue
		}
		seen := map[string]bool{}
		for _, h := range u.Path {
			if c.From > 0 && h.At > c.To+custody.Day && h.Role != "owner" {
				continue
			}
			p.role(h.Party, h.Role)
			if !seen[h.Party] {
				seen[h.Party] = true
				p.through[h.Party]++
			}
		}
		if st := mem.Standing(m.Unit); st != nil {
			for _, party := range []string{st.Holder, st.Owner} {
				if party != "" && seen[party] {
					p.last[party]++
				}
			}
		}
	}
	return p
}

func (p *path) role(party, role string) {
	if p.roles[party] == nil {
		p.roles[party] = map[string]bool{}
	}
	p.roles[party][role] = true
}

// share is how many of the case's units went through a party, per mille.
func (p *path) share(party string) int {
	if p.units == 0 {
		return 0
	}
	return p.through[party] * 1000 / p.units
}

// lift is how many of all units that went through a party are in the case, per mille: an honest distributor's is small however
// many of the case's units it sold.
func (p *path) lift(party string) int {
	all := p.v.Machine.Memory.Party(party).Units
	if all == 0 {
		return 0
	}
	return p.through[party] * 1000 / max(all, p.through[party])
}

// held says whether a party was the last to have most of the units.
func (p *path) held(party string) bool { return 2*p.last[party] > p.units }

// onPaper says whether a party owned units, or paid for them, and never had them.
func (p *path) onPaper(party string) bool {
	r := p.roles[party]
	return r["owner"] && !r["holder"] && !r["endUser"]
}

// Weights of the bridge's evidence, in nats.
const (
	bridgeSender  = 1.6 // sent the parcels that may have carried them
	bridgeBarred  = 1.6 // and sent them to a barred country
	bridgeLast    = 1.0 // was the last to have them
	bridgeFlag    = 0.4 // does not fit
	bridgeSmooth  = 24  // units of honest business that everybody is granted
	bridgeLeast   = 0.35
	bridgeOnPaper = 0.15 // the least for who owned the units and never had them: a broker of record
	bridgeMost    = 5
)

// bridge ranks the parties by how much more of the case than of their business went through them. It gives no opinion when no
// party had at least a third of the units or when none stands out of its own volume.
func (v *View) bridge(c *Case, p *path) []Bridge {
	mem := v.Machine.Memory
	var out []Bridge
	var weights []float64
	for party, n := range p.through {
		all := max(mem.Party(party).Units, n)
		lift := float64(n) / (float64(all) + bridgeSmooth)
		least := bridgeLeast
		if p.onPaper(party) {
			least = bridgeOnPaper
		}
		if n*3 < p.units || lift < least && !p.senders[party] {
			continue
		}
		w := math.Log(lift) + math.Log(float64(n)/float64(p.units))
		if p.senders[party] {
			w += bridgeSender
			if c.ToBarred != "" {
				w += bridgeBarred
			}
		}
		if p.last[party]*2 > p.units {
			w += bridgeLast
		}
		if v.flagged(c, party) {
			w += bridgeFlag
		}
		out = append(out, Bridge{Party: party, Units: n, Of: all})
		weights = append(weights, w)
	}
	return normalise(out, weights)
}

func (v *View) flagged(c *Case, party string) bool {
	for _, f := range v.Machine.Live() {
		if f.Group == "party" && slices.Contains(f.Parties, party) && slices.Contains(c.Findings, f.ID) {
			return true
		}
	}
	return false
}

// normalise turns weights into shares of one opinion, highest first.
func normalise(list []Bridge, weights []float64) []Bridge {
	total := 0.0
	for _, w := range weights {
		total += math.Exp(2 * w)
	}
	for i := range list {
		list[i].Score = int(math.Round(1000 * math.Exp(2*weights[i]) / total))
	}
	slices.SortFunc(list, func(a, b Bridge) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.Of, b.Of), cmp.Compare(a.Party, b.Party))
	})
	if len(list) > bridgeMost {
		list = list[:bridgeMost]
	}
	return list
}
