package casework

import (
	"github.com/tidewaiter/tidewaiter/custody"
	"github.com/tidewaiter/tidewaiter/detect"
)

// Account says how much of what was made is where it was declared.
type Account struct {
	Accelerators int `json:"accelerators"` // that were commissioned
	Accounted    int `json:"accounted"`    // of which no suspicion says that they are not where they were declared
	Signed       int `json:"signed"`       // of which their own signed evidence (tier 3 and above) is a week old at most
	Exceptions   int `json:"exceptions"`   // things in the data that do not add up
}

// Account looks at every accelerator, as of the head of the ledger.
func (v *View) Account() (Account, error) {
	var a Account
	doubted := v.doubted()
	mem := v.Machine.Memory
	since := mem.Clock.Now - 7*detect.Day
	err := v.Custody.Units(func(unit string, s *custody.State) error {
		if s.Born == nil || !mem.IsAccelerator(unit) {
			return nil
		}
		a.Accelerators++
		if !doubted[unit] {
			a.Accounted++
		}
		if st := mem.Standing(unit); st != nil && st.CheckIn != nil && st.CheckIn.Tier >= 3 && st.CheckIn.Time >= since {
			a.Signed++
		}
		return nil
	})
	if err != nil {
		return a, err
	}
	list, err := v.Custody.Exceptions(v.Custody.Own(custody.Asked{}))
	a.Exceptions = len(list)
	return a, err
}

// doubted are the units that an open case or a live suspicion holds.
func (v *View) doubted() map[string]bool {
	out := map[string]bool{}
	for _, c := range v.open {
		if c.Status != StatusClosed {
			for _, m := range c.Units {
				out[m.Unit] = true
			}
		}
	}
	for _, f := range v.Machine.Live() {
		if isAnchor(f) {
			for _, u := range f.Units {
				out[u] = true
			}
		}
	}
	return out
}
