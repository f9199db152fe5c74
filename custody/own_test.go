package custody_test

import (
	"context"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tidewaiter/tidewaiter/custody"
	"github.com/tidewaiter/tidewaiter/ledger"
)

// An Own that is kept answers by what has been told meanwhile, of the past as well.
func TestOwnMayBeKept(t *testing.T) {
	d := openDoor(t).describe().tell(made(0, gpu), seen(9, "stock_taking", hall2, gpu))
	own := d.view.Own(custody.Asked{})
	siteAt := func(when float64) string {
		st, err := custody.Resolve(own, gpu, custody.At(day(when)))
		if err != nil || st == nil {
			t.Fatal(st, err)
		}
		return st.Site
	}
	if got := siteAt(5); got != fab {
		t.Fatalf("on day 5 at %s", got)
	}
	d.tell(seen(4, "stock_taking", hall, gpu)) // late
	if got := siteAt(5); got != hall {
		t.Errorf("on day 5 at %s after it was told that it was in the hall", got)
	}
	d.tell(seen(4, "stock_taking", hall, gpu).wrongly())
	if got := siteAt(5); got != fab {
		t.Errorf("on day 5 at %s after that was withdrawn", got)
	}
}

// The word that counts may be told again where a snapshot was taken: at every number of events before it.
func TestToldAgainAtASnapshot(t *testing.T) {
	for n := 60; n < 70; n++ {
		d := openDoor(t).describe()
		var events []event
		for i := range n - 1 {
			events = append(events, seen(float64(i)/10, "stock_taking", hall, gpu))
		}
		d.capture(operator, document(t, nil, events...))
		last := seen(float64(n)/10, "stock_taking", hall2, gpu).id("last")
		d.tellAs(tenant, last) // a claim
		d.expect(fmt.Sprint(n, " events, the last a claim"), gpu, latest, stand{holder: operator, site: hall, country: "IE"})
		d.tellAs(operator, last)
		d.expect(fmt.Sprint(n, " events, the last told by the operator too"), gpu, latest, stand{holder: operator, site: hall2, country: "JP"})
	}
}

// Folding by whatever way gives what Fold gives.
func TestFoldIsTheDefinition(t *testing.T) {
	d := openDoor(t).describe()
	var events []event
	for i := range 300 {
		events = append(events, seen(float64(i*7%300)/3, "stock_taking", []string{hall, hall2}[i%2], gpu))
	}
	d.capture("", document(t, nil, events...))
	seqs, err := d.view.Told(gpu)
	if err != nil || len(seqs) != 300 {
		t.Fatal(len(seqs), err)
	}
	var told []*custody.Telling
	for _, seq := range seqs {
		e, err := d.store.Entry(context.Background(), seq)
		if err != nil {
			t.Fatal(err)
		}
		x, err := custody.Read(e)
		if err != nil {
			t.Fatal(err)
		}
		told = append(told, x)
	}
	got, err := d.view.State(gpu)
	if err != nil {
		t.Fatal(err)
	}
	want := custody.Fold(gpu, told)
	want.Told = 300 // counted by the view
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// A unit that very many events name, most of them late, is folded once a batch, from not far back: taking them in costs about
// what as many events of as many units would.
func TestVeryManyLateEventsOfOneUnit(t *testing.T) {
	const n = 20000
	d := openDoor(t).describe()
	reads := 0
	v := custody.NewView(d.store.Rows(context.Background(), "counted"), func(seq int64) (ledger.Entry, error) {
		reads++
		return d.store.Entry(context.Background(), seq)
	})
	var events []event
	for i := range n {
		when := float64(i) / 24
		if i%2 == 1 {
			when -= 3.01 // half of them come three days late
		}
		events = append(events, checkedIn(when, hall, 3, gpu))
	}
	d.clock = day(n / 12)
	d.captureOnly("", document(t, nil, events...))
	start := time.Now()
	at := int64(0)
	for to := at + 4096; at < n; to += 4096 {
		for at < min(to, n) {
			d.apply(v, at, at+1)
			at++
			if at%8 == 0 {
				if _, err := v.State(gpu); err != nil { // somebody looks all the time
					t.Fatal(err)
				}
			}
		}
	}
	s, err := v.State(gpu)
	if err != nil || s.Folded < n-10 {
		t.Fatalf("%+v, %v", s, err)
	}
	t.Logf("%d events of one unit, half of them late: %s, %d entries read again", n, time.Since(start).Round(time.Millisecond), reads)
	if reads > 20*n {
		t.Errorf("%d entries were read again for %d events", reads, n)
	}
}

func FuzzGeoPoint(f *testing.F) {
	for _, s := range []string{"geo:52.3702,4.8952;u=20", "geo:-90,180", "geo:1,2,3;crs=wgs84;u=1", "geo:NaN,1", "geo:1e400,0", "geo:,", "geo:91,0", "https://id.gs1.org/414/9520100000010"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		lat, lon, ok := custody.GeoPoint(s)
		if !ok {
			return
		}
		if !(math.Abs(lat) <= 90 && math.Abs(lon) <= 180) {
			t.Errorf("%q is at %v, %v", s, lat, lon)
		}
		if km := custody.Kilometres(lat, lon, -lat, 0); !(km >= 0 && km < 20016) {
			t.Errorf("%q is %v km from somewhere on Earth", s, km)
		}
	})
}

func TestISODuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "PT0M", 30 * time.Second: "PT0M", 90 * time.Minute: "PT1H30M", 24 * time.Hour: "P1D", 49*time.Hour + time.Minute: "P2DT1H1M", -time.Hour: "-PT1H",
	} {
		if got := custody.ISODuration(d); got != want {
			t.Errorf("%s is %s, want %s", d, got, want)
		}
	}
}
