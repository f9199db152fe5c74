package custody_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidewaiter/tidewaiter/custody"
)

// stand is the part of an answer that a scenario is about.
type stand struct {
	holder, owner, site, country string
	inside                       []string
	transit                      bool
}

func (d *door) stand(unit string, when float64) stand {
	a := custody.Asked{}
	if when >= 0 {
		a.At = day(when)
	}
	w := d.where(unit, a)
	return stand{w.Holder, w.Owner, w.Site, w.Country, w.Inside, w.Transit != nil}
}

func (d *door) expect(what, unit string, when float64, want stand) {
	d.t.Helper()
	got := d.stand(unit, when)
	if got.holder != want.holder || got.owner != want.owner || got.site != want.site || got.country != want.country || got.transit != want.transit ||
		!slices.Equal(got.inside, want.inside) {
		d.t.Errorf("%s:\n got %+v\nwant %+v", what, got, want)
	}
}

const latest = -1

// A GPU is where its rack is: moving the rack is one event, and the GPU is asked about at each step.
func TestAGPUIsWhereItsRackIs(t *testing.T) {
	d := openDoor(t).describe().tell(
		made(0, gpu), built(1, board, gpu).at(fab), shipped(2, maker, builder, fab, works, board), received(5, maker, builder, works, board),
		built(6, server, board).with("bizStep", "assembling").at(works), packed(7, pallet, server).at(works),
		shipped(8, builder, operator, works, hall, pallet), received(12, builder, operator, hall, pallet), unpacked(12.5, pallet).at(hall),
		built(13, rack, server).at(hall), built(13.5, hall, rack).at(hall),
		removed(20, hall, rack).at(hall), shipped(21, operator, operator, hall, hall2, rack), received(25, operator, operator, hall2, rack),
	)
	d.expect("made", gpu, 0.5, stand{holder: maker, site: fab, country: "TW"})
	d.expect("its board under way", gpu, 3, stand{holder: maker, inside: []string{board}, transit: true})
	d.expect("at the builder's, by its board's receipt", gpu, 5.5, stand{holder: builder, site: works, country: "MX", inside: []string{board}})
	d.expect("its pallet under way", gpu, 9, stand{holder: builder, inside: []string{board, server, pallet}, transit: true})
	d.expect("unpacked with all that was on the pallet", gpu, 12.7, stand{holder: operator, site: hall, country: "IE", inside: []string{board, server}})
	d.expect("in the rack", gpu, 15, stand{holder: operator, site: hall, country: "IE", inside: []string{board, server, rack}})
	d.expect("the rack moved", gpu, latest, stand{holder: operator, site: hall2, country: "JP", inside: []string{board, server, rack}})
	if got := d.kinds(gpu); len(got) > 0 {
		t.Errorf("an honest move does not add up: %v", got)
	}
	if w := d.now(gpu); !slices.Contains(w.Flags, "place_from_parent") || !w.Since.Equal(day(25)) {
		t.Errorf("since %s with flags %v; want since the rack's arrival, and that the place is the rack's", w.Since, w.Flags)
	}
	d.tell(removed(30, board, gpu).at(hall2))
	d.expect("taken out", gpu, latest, stand{holder: operator, site: hall2, country: "JP"})
	d.tell(shipped(31, operator, operator, hall2, hall, rack), received(35, operator, operator, hall, rack))
	d.expect("the rack moved on without it", gpu, latest, stand{holder: operator, site: hall2, country: "JP"})
	d.expect("with the board that stayed in it", board, latest, stand{holder: operator, site: hall, country: "IE", inside: []string{server, rack}})
}

// What an event leaves open of place and holder when something is taken out is what held for the parent at that moment.
func TestTakenOutWithoutAPlace(t *testing.T) {
	d := openDoor(t).describe().tell(
		made(0, gpu), built(1, server, gpu).at(fab), shipped(2, maker, operator, fab, hall, server), received(5, maker, operator, hall, server), removed(6, server, gpu),
		shipped(8, operator, operator, hall, hall2, server), received(9, operator, operator, hall2, server),
	)
	d.expect("where the server was", gpu, latest, stand{holder: operator, site: hall, country: "IE"})
}

// A pallet that is used again: what was put on it after it was emptied is on it; what was emptied is not, whenever that was.
func TestReusedPallet(t *testing.T) {
	d := openDoor(t).describe().tell(
		made(0, gpu), made(0, gpu2), packed(1, pallet, gpu, gpu2).at(fab), unpacked(2, pallet).at(fab), packed(3, pallet, gpu).at(fab),
		shipped(4, maker, operator, fab, hall, pallet), received(5, maker, operator, hall, pallet),
	)
	d.expect("packed again", gpu, latest, stand{holder: operator, site: hall, country: "IE", inside: []string{pallet}})
	d.expect("left behind", gpu2, latest, stand{holder: maker, site: fab, country: "TW"})
	var events []event
	for i := range 150 { // more often than a state remembers
		events = append(events, packed(6+float64(i), pallet, board).at(hall), unpacked(6.5+float64(i), pallet).at(hall))
	}
	d.capture("", document(t, nil, append(events, shipped(200, operator, operator, hall, hall2, pallet), received(201, operator, operator, hall2, pallet))...))
	d.expect("emptied long ago, where it was emptied", gpu, latest, stand{holder: operator, site: hall, country: "IE"})
	d.expect("left behind still", gpu2, latest, stand{holder: maker, site: fab, country: "TW"})
}

// An association is no packing: emptying the one leaves the other.
func TestUnpackingLeavesWhatIsBuiltIn(t *testing.T) {
	d := openDoor(t).describe().tell(made(0, gpu), built(1, server, gpu).at(fab), packed(2, server, gpu2).at(fab), unpacked(3, server).at(fab))
	d.expect("built in", gpu, latest, stand{holder: maker, site: fab, country: "TW", inside: []string{server}})
	d.tell(removed(4, server).at(fab))
	d.expect("taken apart", gpu, latest, stand{holder: maker, site: fab, country: "TW"})
}

// Custody changes by a hand-over, not by being put into what somebody else holds: a tenant's server in the operator's rack.
func TestPutIntoAnothersRackItStaysWithItsHolder(t *testing.T) {
	d := openDoor(t).describe().tell(
		seen(0, "stock_taking", hall, rack), made(0, server), shipped(1, maker, tenant, fab, hall, server), received(4, maker, tenant, hall, server),
		built(5, rack, server).at(hall), // told by the operator, whose site it is
	)
	d.expect("in the rack", server, latest, stand{holder: tenant, site: hall, country: "IE", inside: []string{rack}})
	d.tell(shipped(6, operator, carrier, hall, dock, rack), received(9, operator, carrier, dock, rack))
	d.expect("handed over with the rack", server, latest, stand{holder: carrier, site: dock, country: "SG", inside: []string{rack}})
}

func TestSaleAndLeaseBack(t *testing.T) {
	d := openDoor(t).describe().tell(
		made(0, gpu), built(1, server, gpu).at(fab),
		shipped(2, maker, operator, fab, hall, server).with("destinationList", []event{
			{"type": "possessing_party", "destination": operator}, {"type": "owning_party", "destination": operator}, {"type": "location", "destination": hall},
		}),
		received(5, maker, operator, hall, server), sold(8, operator, tenant, server),
	)
	d.expect("before the sale", gpu, 7, stand{holder: operator, owner: operator, site: hall, country: "IE", inside: []string{server}})
	d.expect("sold, and still where it was with whom it was", gpu, latest, stand{holder: operator, owner: tenant, site: hall, country: "IE", inside: []string{server}})
	d.tell(removed(9, server, gpu).at(hall), shipped(10, operator, builder, hall, works, gpu), received(14, operator, builder, works, gpu))
	d.expect("sent for repair, its owner the same", gpu, latest, stand{holder: builder, owner: tenant, site: works, country: "MX"})
	d.tell(sold(20, tenant, maker, server))
	d.expect("the server is sold again without it", gpu, latest, stand{holder: builder, owner: tenant, site: works, country: "MX"})
}

func TestTransit(t *testing.T) {
	d := openDoor(t).describe().tell(made(0, gpu), shipped(2, maker, operator, fab, hall, gpu).with("tw:consignment", "K1"))
	d.expect("under way", gpu, latest, stand{holder: maker, transit: true})
	w := d.now(gpu)
	if tr := w.Transit; tr == nil || tr.From != maker || tr.To != operator || tr.FromSite != fab || tr.ToSite != hall || tr.Consignment != "K1" {
		t.Errorf("transit %+v", tr)
	}
	if !slices.Contains(w.Flags, "in_transit") || !w.Since.Equal(day(2)) {
		t.Errorf("flags %v since %s", w.Flags, w.Since)
	}
	d.tell(checkedIn(4, hall2, 3, gpu))
	d.expect("it says itself where it is", gpu, latest, stand{holder: maker, site: hall2, country: "JP"})
	d.tell(object("OBSERVE", "receiving", 6, gpu).between(maker, operator, ""))
	d.expect("received, at where it was sent to", gpu, latest, stand{holder: operator, site: hall, country: "IE"})
}

func TestConsigningGivesCustodyAtOnceAndVoidTakesItBack(t *testing.T) {
	consigned := object("OBSERVE", "consigning", 2, gpu).at(fab).between(maker, operator, hall)
	d := openDoor(t).describe().tell(made(0, gpu), consigned)
	d.expect("consigned", gpu, latest, stand{holder: operator, transit: true})
	d.tell(object("OBSERVE", "void_shipping", 3, gpu).between(maker, operator, ""))
	d.expect("called back", gpu, latest, stand{holder: maker, site: fab, country: "TW"})
	d.expect("and before that it was under way", gpu, 2.5, stand{holder: operator, transit: true})
}

func TestVoidShippingOfAParcel(t *testing.T) {
	d := openDoor(t).describe().tell(made(0, gpu), packed(1, pallet, gpu).at(fab), shipped(2, maker, operator, fab, hall, pallet))
	d.expect("under way", gpu, latest, stand{holder: maker, inside: []string{pallet}, transit: true})
	d.tell(object("OBSERVE", "void_shipping", 3, pallet).at(fab).between(maker, operator, ""))
	d.expect("called back", gpu, latest, stand{holder: maker, site: fab, country: "TW", inside: []string{pallet}})
}

// Who handles what was sent to it has it, even if the receipt never comes.
func TestArrivalWithoutAReceipt(t *testing.T) {
	d := openDoor(t).describe().tell(
		made(0, gpu), packed(1, pallet, gpu).at(fab), shipped(2, maker, operator, fab, hall, pallet), unpacked(6, pallet, gpu).at(hall), built(7, server, gpu).at(hall),
	)
	d.expect("unpacked", gpu, 6.5, stand{holder: operator, site: hall, country: "IE"})
	d.expect("built in", gpu, latest, stand{holder: operator, site: hall, country: "IE", inside: []string{server}})
	d.expect("the pallet too", pallet, latest, stand{holder: operator, site: hall, country: "IE"})
}

func TestTiersAndEvidence(t *testing.T) {
	d := openDoor(t).describe().tell(made(0, gpu), seen(2, "stock_taking", hall, gpu))
	if w := d.now(gpu); w.Tier != 1 || !w.Seen.Equal(day(2)) {
		t.Errorf("a scan: tier %d, seen %s", w.Tier, w.Seen)
	}
	d.tell(checkedIn(3, hall, 4, gpu))
	w := d.now(gpu)
	if w.Tier != 4 || !w.Seen.Equal(day(3)) || !w.Since.Equal(day(2)) {
		t.Errorf("a check-in: tier %d, seen %s, since %s; want 4, day 3, since it is there: day 2", w.Tier, w.Seen, w.Since)
	}
	d.tell(seen(9, "stock_taking", hall2, gpu))
	if w := d.now(gpu); w.Tier != 1 || w.Site != hall2 {
		t.Errorf("a newer scan elsewhere: tier %d at %s", w.Tier, w.Site)
	}
	d = openDoor(t).describe().tellAs(tenant, seen(2, "stock_taking", hall, gpu))
	if w := d.now(gpu); w.Tier != 0 {
		t.Errorf("a claim: tier %d", w.Tier)
	}
}

// What others say is followed only for as long as nobody who may speak has spoken, whenever that is told.
func TestClaims(t *testing.T) {
	d := openDoor(t).describe().tellAs(tenant, shipped(1, operator, tenant, hall, hall2, gpu))
	w := d.now(gpu)
	if w.Transit == nil || !slices.Contains(w.Flags, "hearsay") {
		t.Errorf("only hearsay: %+v", w)
	}
	d.tell(made(3, gpu))
	d.expect("the maker speaks", gpu, latest, stand{holder: maker, site: fab, country: "TW"})
	if got := d.kinds(gpu); len(got) > 0 {
		t.Errorf("a claim made the maker's word not add up: %v", got)
	}
	if flags := d.now(gpu).Flags; !slices.Contains(flags, "claim:shipping by "+tenant) || slices.Contains(flags, "hearsay") {
		t.Errorf("flags %v", flags)
	}
	d.tellAs(tenant, received(9, maker, operator, hall, gpu))
	d.expect("a claim later", gpu, latest, stand{holder: maker, site: fab, country: "TW"})
	d.tellAs(office, seen(12, "inspecting", hall2, gpu))
	d.expect("an authority is believed about the place, and does not hold it", gpu, latest, stand{holder: maker, site: hall2, country: "JP"})
}

// Whose site it is may be told after the events there.
func TestAClaimIsOneWhenTheOperatorBecomesKnown(t *testing.T) {
	d := openDoor(t).tellAs(tenant, seen(5, "stock_taking", hall, gpu)).tellAs(maker, made(0, gpu))
	d.expect("nobody knows whose hall it is", gpu, latest, stand{holder: maker, site: hall})
	d.describe()
	d.expect("it is not the tenant's", gpu, latest, stand{holder: maker, site: fab, country: "TW"})
	then := custody.Asked{Known: day(400).Add(2 * time.Second)}
	if w := d.where(gpu, then); w.Site != hall {
		t.Errorf("as known then at %q, want the hall", w.Site)
	}
}

// An event keeps the weight that it had when the hall was somebody else's.
func TestOperatorsChange(t *testing.T) {
	d := openDoor(t).describe().tell(made(0, gpu)).tellAs(operator, seen(5, "stock_taking", hall, gpu))
	d.capture("", document(t, []event{vocabulary("urn:epcglobal:epcis:vtype:BusinessLocation", hall, "name", "Hall", "countryCode", "IE", "tw:operator", tenant)}))
	d.expect("told when it was the operator's", gpu, latest, stand{holder: maker, site: hall, country: "IE"})
	if flags := d.now(gpu).Flags; len(flags) > 0 {
		t.Errorf("flags %v", flags)
	}
}

func TestFlags(t *testing.T) {
	d := openDoor(t).describe().tell(made(0, gpu), seen(1, "inspecting", fab, gpu).with("disposition", "non_conformant"),
		seen(2, "stock_taking", fab, gpu).with("persistentDisposition", event{"set": []string{"stolen"}}), seen(3, "", nowhere, gpu).with("tw:sighting", "warranty"))
	if got := d.now(gpu).Flags; !slices.Equal(got, []string{"non_conformant", "sighted:warranty", "stolen"}) {
		t.Errorf("flags %v", got)
	}
	d.expect("a sighting moves nothing", gpu, latest, stand{holder: maker, site: fab, country: "TW"})
	d.tell(seen(4, "inspecting", fab, gpu).with("disposition", "conformant", "persistentDisposition", event{"unset": []string{"stolen"}}))
	if got := d.now(gpu).Flags; len(got) > 0 {
		t.Errorf("flags %v after it was found and passed", got)
	}
	d.tellAs(tenant, seen(5, "", hall, gpu).with("tw:sighting", "marketplace", "persistentDisposition", event{"set": []string{"stolen"}}))
	if got := d.now(gpu).Flags; !slices.Equal(got, []string{"sighted:marketplace"}) {
		t.Errorf("flags %v: a passer-by cannot have it stolen", got)
	}
}

// A check-in is the unit's own word only when it is passed on by who can vouch for it.
func TestWhoMayPassOnACheckIn(t *testing.T) {
	const dublin = "geo:53.35,-6.26;u=2000"
	start := func() *door {
		return openDoor(t).describe().tell(made(0, server), made(0, gpu), built(1, server, gpu).at(fab), shipped(2, maker, operator, fab, hall, server),
			received(3, maker, operator, hall, server))
	}
	d := start().tellAs(tenant, checkedIn(5, hall2, 3, gpu), checkedIn(5, dublin, 3, gpu))
	d.expect("a passer-by says where it is", gpu, latest, stand{holder: operator, site: hall, country: "IE", inside: []string{server}})
	if w := d.now(gpu); w.Tier >= 3 || w.Geo != "" || !slices.Contains(w.Flags, "sighted:check-in") || !slices.ContainsFunc(w.Flags, func(f string) bool {
		return strings.HasPrefix(f, "claim:check-in by ")
	}) {
		t.Errorf("tier %d at %q with flags %v", w.Tier, w.Geo, w.Flags)
	}
	for what, by := range map[string]string{"the holder of the server": operator, "the deployment": ""} {
		d := start().tellAs(by, checkedIn(5, dublin, 3, gpu)).tellAs(tenant, checkedIn(6, "geo:1,2;u=2000", 3, gpu))
		if w := d.now(gpu); w.Tier != 3 || w.Geo != dublin {
			t.Errorf("%s says: tier %d at %q", what, w.Tier, w.Geo)
		}
	}
}

func TestAliases(t *testing.T) {
	const serial, uuid, pdi = "nvidia-sn:1652923003067", "gpu-uuid:GPU-7", "pdi:0xABCD"
	temporary := "https://tidewaiter.org/unit/gpu-uuid/GPU-7"
	find := func(d *door, word string) []string {
		list, err := d.view.Find(word)
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	check := func(d *door, what, word string, want ...string) {
		t.Helper()
		slices.Sort(want)
		if got := find(d, word); !slices.Equal(got, want) {
			t.Errorf("%s: %s is %v, want %v", what, word, got, want)
		}
	}
	d := openDoor(t).describe().tell(made(1, temporary, uuid).at(hall))
	check(d, "a provisional name", uuid, temporary)
	check(d, "a provisional name", "GPU-7", temporary)
	d.tell(made(0, gpu, serial, uuid, pdi))
	for _, word := range []string{serial, uuid, pdi, "1652923003067", "GPU-7", "0xABCD", gpu, "g1", "urn:epc:id:sgtin:9520000.000001.g1"} {
		check(d, "the maker told", word, gpu)
	}
	check(d, "by its own identifier", temporary, temporary, gpu)
	if flags := d.now(gpu).Flags; !slices.Contains(flags, "also_told_as:"+temporary) {
		t.Errorf("flags %v: that there is more under the provisional name is not said", flags)
	}
	d.tellAs(tenant, seen(5, "inspecting", hall, gpu2).with("tw:aliases", []string{uuid}))
	check(d, "another's claim", uuid, gpu)
	d.tell(seen(6, "repairing", works, gpu2).with("tw:aliases", []string{uuid, "pdi:0x2"}))
	check(d, "a later binding", uuid, gpu)
	check(d, "a binding of its own", "0x2", gpu2)
	d.tell(seen(7, "repairing", works, gpu2).with("tw:aliases", []string{"pdi:0x3"}, "tw:replaces", []string{"pdi:0x2", temporary}))
	check(d, "replaced, and nobody else's", "0x2", gpu2)
	check(d, "replaces a unit", temporary, gpu, gpu2, temporary)
	d.tell(seen(8, "repairing", works, board).with("tw:aliases", []string{"pdi:0x2"}))
	check(d, "replaced, and now another's", "0x2", board)
	check(d, "nothing", "0x99")
	d.tell(seen(6, "repairing", works, gpu2).with("tw:aliases", []string{uuid, "pdi:0x2"}).wrongly(), made(0, gpu, serial, uuid, pdi).wrongly())
	check(d, "a binding that was withdrawn", serial)
	check(d, "of a withdrawn maker's word", pdi)
}

func TestUnknown(t *testing.T) {
	d := openDoor(t).describe().tell(made(5, gpu))
	for _, q := range []custody.Asked{{At: day(4)}, {Known: day(300)}} {
		if w, err := d.view.Where(gpu, q); err != nil || w != nil {
			t.Errorf("asked %+v: %+v, %v; want nothing", q, w, err)
		}
	}
	if w, err := d.view.Where(gpu2, custody.Asked{}); err != nil || w != nil {
		t.Errorf("never named: %+v, %v", w, err)
	}
	d.tell(made(5, gpu).wrongly())
	if w, err := d.view.Where(gpu, custody.Asked{}); err != nil || w != nil {
		t.Errorf("all of it withdrawn: %+v, %v", w, err)
	}
	list, err := d.view.Trace(gpu, custody.Asked{})
	if err != nil || len(list) != 2 || !list[0].Withdrawn || list[1].Withdrawn {
		t.Errorf("the trace of what was withdrawn: %+v, %v", list, err)
	}
}
