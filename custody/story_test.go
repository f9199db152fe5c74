package custody_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/tidewaiter/tidewaiter/custody"
)

var (
	gpu, gpu2 = sgtin(1, "g1"), sgtin(1, "g2")
	board     = sgtin(2, "b1")
	server    = sgtin(3, "s1")
	server2   = sgtin(3, "s2")
	rack      = sgtin(4, "r1")
	pallet    = sscc(1)
	pallet2   = sscc(2)
)

// story is what was told, and what does not add up about one unit; and what is left of that when more is told, later but of
// earlier times.
type story struct {
	name string
	unit string
	told []event
	want []string
	late []event
	left []string
}

func kindsOf(list ...string) []string { return list }

var stories = []story{
	{
		name: "an honest life", unit: gpu,
		told: []event{
			made(0, gpu), built(0.5, board, gpu).at(fab), built(0.6, server, board).with("bizStep", "assembling").at(fab), object("ADD", "commissioning", 0.7, server).at(fab),
			packed(1, pallet, server).at(fab), shipped(2, maker, operator, fab, hall, pallet), received(5, maker, operator, hall, pallet),
			unpacked(5.1, pallet).at(hall), built(6, rack, server).at(hall), built(6.1, hall, rack), checkedIn(8, hall, 3, gpu, server),
			removed(20, board, gpu).at(hall), shipped(21, operator, builder, hall, works, gpu), received(25, operator, builder, works, gpu),
			object("DELETE", "destroying", 30, gpu).at(works), object("DELETE", "decommissioning", 31, gpu).at(works),
		},
	},
	{
		name: "in two servers, until the removal arrives", unit: gpu,
		told: []event{made(0, gpu), built(1, server, gpu).at(fab), built(9, server2, gpu).at(fab)}, want: kindsOf("two-parents"),
		late: []event{removed(8, server, gpu).at(fab)},
	},
	{
		name: "seen in another server", unit: gpu,
		told: []event{made(0, gpu), built(1, server, gpu).at(fab), link("AssociationEvent", "OBSERVE", "inspecting", 9, server2, gpu).at(fab)},
		want: kindsOf("two-parents"), late: []event{removed(8, server).at(fab)},
	},
	{
		name: "built in while still packed, until its pallet was emptied", unit: gpu,
		told: []event{made(0, gpu), packed(1, pallet, gpu).at(fab), built(9, server, gpu).at(fab)}, want: kindsOf("two-parents"),
		late: []event{unpacked(8, pallet).at(fab)},
	},
	{
		name: "packed while still built in, until the server is packed too", unit: gpu,
		told: []event{made(0, gpu), built(1, server, gpu).at(fab), packed(9, pallet, gpu).at(fab)}, want: kindsOf("two-parents"),
		late: []event{packed(9, pallet, server).at(fab)},
	},
	{
		name: "unpacked long after it was put elsewhere", unit: gpu,
		told: []event{made(0, gpu), packed(1, pallet, gpu).at(fab), packed(5, pallet2, gpu).at(fab), unpacked(9, pallet, gpu).at(fab)},
		want: kindsOf("two-parents"), late: []event{unpacked(4, pallet).at(fab)},
	},
	{
		name: "used after it was destroyed, unless it was not", unit: gpu,
		told: []event{made(0, gpu), object("DELETE", "destroying", 5, gpu).at(fab).id("end"), checkedIn(9, hall, 3, gpu)}, want: kindsOf("use-after-end"),
		late: []event{object("DELETE", "destroying", 5, gpu).at(fab).id("end").wrongly()},
	},
	{
		name: "destroyed twice", unit: gpu,
		told: []event{made(0, gpu), object("DELETE", "destroying", 5, gpu).at(fab), object("DELETE", "destroying", 9, gpu).at(works)}, want: kindsOf("use-after-end"), left: kindsOf("use-after-end"),
	},
	{
		name: "used after it was made into something else", unit: gpu,
		told: []event{
			made(0, gpu), base("TransformationEvent", "", "", 3).with("inputEPCList", []string{gpu}, "outputEPCList", []string{gpu2}).at(fab), seen(5, "stock_taking", fab, gpu),
		},
		want: kindsOf("use-after-end"), left: kindsOf("use-after-end"),
	},
	{
		name: "received without having been sent, until the dispatch arrives", unit: gpu,
		told: []event{made(0, gpu), received(9, maker, operator, hall, gpu)}, want: kindsOf("receive-without-ship"),
		late: []event{shipped(8, maker, operator, fab, hall, gpu)},
	},
	{
		name: "received one by one without a dispatch of their pallet", unit: gpu,
		told: []event{made(0, gpu), packed(1, pallet, gpu).at(fab), received(9, maker, operator, hall, gpu)}, want: kindsOf("away-from-parent", "receive-without-ship"),
		late: []event{shipped(8, maker, operator, fab, hall, pallet)},
	},
	{
		name: "received and then accepted", unit: gpu,
		told: []event{made(0, gpu), shipped(3, maker, operator, fab, hall, gpu), received(9, maker, operator, hall, gpu), received(9.1, maker, operator, hall, gpu).with("bizStep", "accepting")},
	},
	{
		name: "received by another, until the onward dispatch arrives", unit: gpu,
		told: []event{made(0, gpu), shipped(3, maker, carrier, fab, dock, gpu), received(9, carrier, operator, hall, gpu)}, want: kindsOf("received-by-another"),
		late: []event{received(5, maker, carrier, dock, gpu), shipped(6, carrier, operator, dock, hall, gpu)},
	},
	{
		name: "out of a pallet, received by another", unit: gpu,
		told: []event{made(0, gpu), packed(1, pallet, gpu).at(fab), shipped(3, maker, carrier, fab, dock, pallet), received(9, carrier, operator, hall, gpu)},
		want: kindsOf("received-by-another"),
		late: []event{received(5, maker, carrier, dock, pallet), shipped(6, carrier, operator, dock, hall, pallet)},
	},
	{
		name: "sent by a party that did not have it, until it got it", unit: gpu,
		told: []event{made(0, gpu), shipped(9, operator, tenant, hall, hall2, gpu)}, want: kindsOf("ship-without-possession"),
		late: []event{shipped(2, maker, operator, fab, hall, gpu), received(5, maker, operator, hall, gpu)},
	},
	{
		name: "sent out of a server that another holds", unit: gpu,
		told: []event{made(0, gpu), built(1, server, gpu).at(fab), shipped(9, operator, tenant, hall, hall2, gpu)},
		want: kindsOf("away-from-parent", "ship-without-possession"),
		late: []event{shipped(2, maker, operator, fab, hall, server), received(5, maker, operator, hall, server)},
	},
	{
		name: "sent on by a party that it was not under way to", unit: gpu,
		told: []event{made(0, gpu), shipped(3, maker, carrier, fab, dock, gpu), shipped(6, operator, tenant, hall, hall2, gpu)}, want: kindsOf("ship-without-possession"),
		late: []event{received(4, maker, carrier, dock, gpu), shipped(4.1, carrier, operator, dock, hall, gpu), received(5, carrier, operator, hall, gpu)},
	},
	{
		name: "sent on without a receipt", unit: gpu,
		told: []event{made(0, gpu), shipped(3, maker, carrier, fab, dock, gpu), shipped(6, carrier, operator, dock, hall, gpu)}, want: kindsOf("receipt-missing"),
		late: []event{received(5, maker, carrier, dock, gpu)},
	},
	{
		name: "handled where it was sent to without a receipt", unit: gpu,
		told: []event{made(0, gpu), shipped(3, maker, operator, fab, hall, gpu), seen(6, "stock_taking", hall, gpu)}, want: kindsOf("receipt-missing"),
		late: []event{received(5, maker, operator, hall, gpu)},
	},
	{
		name: "out of a pallet that was never received", unit: gpu,
		told: []event{made(0, gpu), packed(1, pallet, gpu).at(fab), shipped(3, maker, operator, fab, hall, pallet), seen(6, "stock_taking", hall, gpu)}, want: kindsOf("receipt-missing"),
		late: []event{received(5, maker, operator, hall, pallet)},
	},
	{
		name: "only arriving is no receipt and asks for none", unit: gpu,
		told: []event{made(0, gpu), shipped(3, maker, operator, fab, hall, gpu), seen(6, "arriving", hall, gpu)},
	},
	{
		name: "sent twice", unit: gpu,
		told: []event{made(0, gpu), shipped(3, maker, carrier, fab, dock, gpu), shipped(6, maker, operator, fab, hall, gpu)}, want: kindsOf("shipped-twice"),
		late: []event{object("OBSERVE", "void_shipping", 5, gpu).at(fab).between(maker, carrier, "")},
	},
	{
		name: "one dispatch in two steps", unit: gpu,
		told: []event{made(0, gpu), shipped(3, maker, carrier, fab, dock, gpu), shipped(3.1, maker, carrier, fab, dock, gpu).with("bizStep", "departing")},
	},
	{
		name: "a dispatch that never was is called back, until it is told", unit: gpu,
		told: []event{made(0, gpu), object("OBSERVE", "void_shipping", 5, gpu).at(fab).between(maker, carrier, "")}, want: kindsOf("void-without-ship"),
		late: []event{shipped(3, maker, carrier, fab, dock, gpu)},
	},
	{
		name: "another consignment is called back", unit: gpu,
		told: []event{
			made(0, gpu), shipped(3, maker, carrier, fab, dock, gpu).with("tw:consignment", "K1"),
			object("OBSERVE", "void_shipping", 5, gpu).at(fab).between(maker, carrier, "").with("tw:consignment", "K2"),
		},
		want: kindsOf("void-without-ship"), left: kindsOf("void-without-ship"),
	},
	{
		name: "faster than an aircraft, unless one sighting was a mistake", unit: gpu,
		told: []event{made(0, gpu), seen(3, "stock_taking", fab, gpu), seen(3.1, "stock_taking", hall, gpu).id("far")}, want: kindsOf("impossible-travel"),
		late: []event{seen(3.1, "stock_taking", hall, gpu).id("far").wrongly()},
	},
	{
		name: "in two places by its own check-ins", unit: gpu,
		told: []event{made(0, gpu), checkedIn(3, "geo:53.3,-6.3;u=2000", 3, gpu), checkedIn(3.1, "geo:34.7,135.5;u=2000", 3, gpu)}, want: kindsOf("impossible-travel"), left: kindsOf("impossible-travel"),
	},
	{
		name: "as fast as an aircraft", unit: gpu,
		told: []event{made(0, gpu), seen(3, "stock_taking", fab, gpu), seen(3.6, "stock_taking", hall, gpu)},
	},
	{
		name: "a position with its uncertainty is near the site", unit: gpu,
		told: []event{made(0, gpu), seen(3, "stock_taking", hall, gpu), checkedIn(3.01, "geo:51.5,-6.3;u=150000", 3, gpu)},
	},
	{
		name: "taken out of what it was never in, until it is told that it was", unit: gpu,
		told: []event{made(0, gpu), removed(5, server, gpu).at(fab)}, want: kindsOf("delete-without-link"),
		late: []event{built(3, server, gpu).at(fab)},
	},
	{
		name: "emptied although nothing was inside", unit: pallet,
		told: []event{unpacked(5, pallet).at(fab)}, want: kindsOf("delete-without-link"),
		late: []event{packed(3, pallet, gpu).at(fab)},
	},
	{
		name: "elsewhere than its server, until the server went there", unit: gpu,
		told: []event{made(0, gpu), built(1, server, gpu).at(fab), checkedIn(9, hall, 3, gpu)}, want: kindsOf("away-from-parent"),
		late: []event{shipped(2, maker, operator, fab, hall, server), received(5, maker, operator, hall, server)},
	},
	{
		name: "its server went, and it stayed", unit: gpu,
		told: []event{
			made(0, gpu), built(1, server, gpu).at(hall), checkedIn(3, hall, 3, gpu),
			shipped(4, operator, operator, hall, hall2, server), received(6, operator, operator, hall2, server), checkedIn(9, hall, 3, gpu),
		},
		want: kindsOf("away-from-parent"), late: []event{removed(3.5, server, gpu).at(hall)},
	},
	{
		name: "its position is not where its server is", unit: gpu,
		told: []event{made(0, gpu), built(1, server, gpu).at(hall), checkedIn(9, "geo:34.7,135.5;u=2000", 3, gpu)}, want: kindsOf("away-from-parent"), left: kindsOf("away-from-parent"),
	},
	{
		name: "used before it was made, and by mistake", unit: gpu,
		told: []event{seen(1, "stock_taking", fab, gpu).id("early"), made(5, gpu)}, want: kindsOf("use-before-commissioning"),
		late: []event{seen(1, "stock_taking", fab, gpu).id("early").wrongly()},
	},
	{
		name: "made twice", unit: gpu,
		told: []event{made(1, gpu), made(5, gpu).id("again")}, want: kindsOf("commissioned-twice"), late: []event{made(5, gpu).id("again").wrongly()},
	},
	{
		name: "a provisional name is given at each first sight", unit: "https://tidewaiter.org/unit/gpu-uuid/GPU-1",
		told: []event{
			built(1, server, "https://tidewaiter.org/unit/gpu-uuid/GPU-1").at(hall),
			made(2, "https://tidewaiter.org/unit/gpu-uuid/GPU-1").at(hall), made(9, "https://tidewaiter.org/unit/gpu-uuid/GPU-1").at(hall),
		},
	},
	{
		name: "a wrong clock, until the event is withdrawn", unit: gpu,
		told: []event{made(0, gpu), seen(4000, "stock_taking", fab, gpu).id("year")}, want: kindsOf("implausible-time"),
		late: []event{seen(4000, "stock_taking", fab, gpu).id("year").wrongly()},
	},
	{
		name: "before computers", unit: gpu,
		told: []event{made(0, gpu), seen(-30000, "stock_taking", fab, gpu)}, want: kindsOf("implausible-time"), left: kindsOf("implausible-time"),
	},
	{
		name: "inside itself", unit: server,
		told: []event{built(1, server, server).at(fab)}, want: kindsOf("inside-itself"), left: kindsOf("inside-itself"),
	},
	{
		name: "inside what is inside it, until it is taken out", unit: server,
		told: []event{built(1, server, board).at(fab), built(2, board, server).at(fab)}, want: kindsOf("inside-itself"),
		late: []event{removed(3, server, board).at(fab)},
	},
	{
		name: "in circles by way of three, packed and built in", unit: rack,
		told: []event{built(1, rack, server).at(fab), packed(2, server, pallet).at(fab), packed(3, pallet, rack).at(fab)}, want: kindsOf("inside-itself"),
		late: []event{removed(4, rack).at(fab), removed(4, rack, server).at(fab)},
	},
}

func TestWhatDoesNotAddUp(t *testing.T) {
	for _, s := range stories {
		t.Run(s.name, func(t *testing.T) {
			d := openDoor(t).describe().tell(s.told...)
			if got := d.kinds(s.unit); !slices.Equal(got, s.want) {
				t.Fatalf("%v do not add up; want %v\n%v", got, s.want, d.exceptions())
			}
			checkFlags(t, d, s.unit, s.want)
			if len(s.late) == 0 {
				return
			}
			d.tell(s.late...)
			if got := d.kinds(s.unit); !slices.Equal(got, s.left) {
				t.Errorf("after what came late %v do not add up; want %v\n%v", got, s.left, d.exceptions())
			}
		})
	}
}

// checkFlags: where says what does not add up, too, and every exception names its entries.
func checkFlags(t *testing.T, d *door, unit string, want []string) {
	t.Helper()
	flags := d.now(unit).Flags
	for _, kind := range want {
		if !slices.Contains(flags, "exception:"+kind) {
			t.Errorf("where has the flags %v, without exception:%s", flags, kind)
		}
	}
	for _, x := range d.exceptions() {
		if len(x.Seqs) == 0 || x.Note == "" || x.Count < 1 {
			t.Errorf("an exception without entries, words or count: %+v", x)
		}
	}
}

// Whoever does not report an event cannot declare it erroneous, and says so in vain.
func TestOnlyWhoToldAnEventWithdrawsIt(t *testing.T) {
	e := seen(5, "stock_taking", hall, gpu).id("count")
	d := openDoor(t).describe().tell(made(0, gpu)).tellAs(operator, e)
	d.tellAs(tenant, e.wrongly())
	if got := d.kinds(gpu); !slices.Equal(got, kindsOf("foreign-error-declaration")) || d.now(gpu).Site != hall {
		t.Errorf("a stranger's declaration: %v at %s", got, d.now(gpu).Site)
	}
	d.tellAs(tenant, e) // now it has told the event as well, and withdraws its own word only
	if got := d.kinds(gpu); len(got) > 0 || d.now(gpu).Site != hall {
		t.Errorf("a stranger's withdrawal of its own word: %v at %s", got, d.now(gpu).Site)
	}
	d.tellAs(operator, e.wrongly())
	if got := d.now(gpu).Site; got != fab {
		t.Errorf("withdrawn by who told it, and still at %s", got)
	}
}

func TestTheRegistrarMayWithdraw(t *testing.T) {
	e := seen(5, "stock_taking", hall, gpu).id("count")
	d := openDoor(t).describe().tell(made(0, gpu)).tellAs(operator, e).tellAs(custody.Registrar, e.wrongly())
	if got := d.now(gpu).Site; got != fab {
		t.Errorf("withdrawn by the registrar, and still at %s", got)
	}
}

// The questions that a unit gives rise to are bounded, and that there were too many is said.
func TestTooManyQuestionsAreSaid(t *testing.T) {
	d := openDoor(t).describe().tell(made(0, gpu))
	var events []event
	for i := range 60 {
		events = append(events, seen(1+float64(i)/10, "stock_taking", []string{fab, hall}[i%2], gpu))
	}
	d.capture("", document(t, nil, events...))
	if got := d.kinds(gpu); !slices.Contains(got, "more-than-is-kept") || !slices.Contains(got, "impossible-travel") {
		t.Errorf("sixty impossible journeys gave %v", got)
	}
}

// One cause is one exception, however many units it concerns.
func TestOneCauseIsOneException(t *testing.T) {
	d := openDoor(t).describe().tell(made(0, gpu), made(0, gpu2), made(0, board), packed(1, pallet, gpu, gpu2, board).at(fab))
	d.tell(seen(5, "stock_taking", hall, gpu), seen(7, "stock_taking", hall2, gpu2)) // nobody said that they were unpacked
	list := d.exceptions()
	if len(list) != 1 || list[0].Kind != "away-from-parent" || !slices.Equal(list[0].Units, []string{gpu, gpu2}) || list[0].Count != 2 {
		t.Errorf("one pallet that was not unpacked gave %+v", list)
	}
	d = openDoor(t).describe().tell(made(0, gpu), made(0, gpu2), built(1, server, gpu).at(fab), built(1, server2, gpu2).at(fab), seen(5, "stock_taking", hall, gpu, gpu2))
	list = d.exceptions()
	if len(list) != 1 || list[0].Kind != "away-from-parent" || !slices.Equal(list[0].Units, []string{gpu, gpu2}) {
		t.Errorf("one wrong stock-taking gave %+v", list)
	}
}

// Very deep containment and circles of every length end, say so, and leave the rest of the answer.
func TestContainmentEnds(t *testing.T) {
	for _, n := range []int{2, 3, 5, 9, 12, 40} {
		for _, circle := range []bool{false, true} {
			var events []event
			for i := range n - 1 {
				events = append(events, built(float64(i), sgtin(5, fmt.Sprint(i+1)), sgtin(5, fmt.Sprint(i))), packed(float64(i)+0.5, sgtin(5, fmt.Sprint(i+1)), sgtin(5, fmt.Sprint(i))))
			}
			if circle {
				events = append(events, built(50, sgtin(5, "0"), sgtin(5, fmt.Sprint(n-1))), packed(51, sgtin(5, "0"), sgtin(5, fmt.Sprint(n-1))))
			}
			events = append(events, seen(60, "stock_taking", hall, sgtin(5, fmt.Sprint(n-1))))
			d := openDoor(t).describe()
			d.capture("", document(t, nil, events...))
			w := d.now(sgtin(5, "0"))
			cut := slices.Contains(w.Flags, "containment_cut")
			if wantCut := circle || n > 9; cut != wantCut {
				t.Errorf("%d deep, circle %v: flags %v", n, circle, w.Flags)
			}
			if !circle && n <= 9 && w.Site != hall {
				t.Errorf("%d deep: at %q, not where the outermost is", n, w.Site)
			}
			if len(w.Inside) == 0 || len(w.Inside) > n {
				t.Errorf("%d deep, circle %v: inside %d things", n, circle, len(w.Inside))
			}
			if got := slices.Contains(d.kinds(sgtin(5, "0")), "inside-itself"); got != circle {
				t.Errorf("%d deep, circle %v: kinds %v", n, circle, d.kinds(sgtin(5, "0")))
			}
		}
	}
}
