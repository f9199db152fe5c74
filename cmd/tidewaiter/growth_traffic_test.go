package main

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// traffic writes the documents that the benchmarks of growth capture: typical events of about a kilobyte that name five units each.
// Accelerators go in lots of five: made, sent, received, built into a server, heard of by three check-ins, taken out, and sent back to their
// maker, who receives them: ten events for each lot. An eighth of all lots is under way at any time, each of them heard of once before any is heard of again, so
// that what comes next may be any of very many units. All of it is honest.
type traffic struct {
	rng    *rand.Rand
	lots   int // that were begun
	window int // how many may be under way
	round  []lot
	next   []lot // of the next round
	clock  time.Time
	step   time.Duration
}

// lot is five accelerators on their way.
type lot struct{ number, stage int }

const (
	lotEvents = 10
	lotUnits  = 5
	farms     = 20 // sites with their operators
)

// newTraffic begins the traffic of so many events, which fills eighteen months.
func newTraffic(events int) *traffic {
	return &traffic{
		rng: rand.New(rand.NewPCG(1, uint64(events))), window: max(1, events/lotEvents/8),
		clock: time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC), step: 540 * 24 * time.Hour / time.Duration(events),
	}
}

// document is the next n events. The first document has the master data.
func (t *traffic) document(n int) []byte {
	b := []byte(`{"@context":["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld",{"tw":"https://tidewaiter.org/ns/"}],` +
		`"type":"EPCISDocument","schemaVersion":"2.0","creationDate":"2025-01-01T00:00:00Z",`)
	if t.lots == 0 {
		b = appendTrafficMasterData(b)
	}
	b = append(b, `"epcisBody":{"eventList":[`...)
	for i := range n {
		if i > 0 {
			b = append(b, ",\n"...)
		}
		b = t.event(b)
	}
	return append(b, "]}}"...)
}

// event writes the next event of some lot.
func (t *traffic) event(b []byte) []byte {
	t.clock = t.clock.Add(t.step)
	if len(t.round) == 0 {
		t.round, t.next = t.next, nil
		t.rng.Shuffle(len(t.round), func(i, j int) { t.round[i], t.round[j] = t.round[j], t.round[i] })
	}
	var l lot
	if n := len(t.round); n == 0 || n+len(t.next) < t.window && t.rng.IntN(5) == 0 {
		l = t.begin()
	} else {
		l, t.round = t.round[n-1], t.round[:n-1]
	}
	b = t.write(b, l)
	if l.stage++; l.stage < lotEvents {
		t.next = append(t.next, l)
	}
	return b
}

func (t *traffic) begin() lot {
	t.lots++
	return lot{number: t.lots - 1}
}

func checked(digits string) string {
	sum := 0
	for i := range digits {
		sum += int(digits[i]-'0') * (1 + 2*((len(digits)-i)%2))
	}
	return digits + string(rune('0'+(10-sum%10)%10))
}

func partyLink(n int) string {
	return "https://id.gs1.org/417/" + checked(fmt.Sprintf("9521%03d00000", n))
}
func siteLink(n int) string {
	return "https://id.gs1.org/414/" + checked(fmt.Sprintf("9521%03d00001", n))
}

// unit is the link of one of a lot's accelerators.
func (l lot) unit(i int) string {
	return fmt.Sprintf("https://id.gs1.org/01/%s/21/165%02d25%06d", checked("0952100000001"), l.number%52+1, l.number*lotUnits+i)
}

func (l lot) server() string {
	return fmt.Sprintf("https://id.gs1.org/01/%s/21/SRV%08d", checked("0952100000002"), l.number)
}

func (l lot) units() string {
	s := ""
	for i := range lotUnits {
		s += fmt.Sprintf(`,"%s"`, l.unit(i))
	}
	return s[1:]
}

// write writes one event. The maker is party 0; everything else happens at the lot's site, and its operator tells it.
func (t *traffic) write(b []byte, l lot) []byte {
	farm := 1 + l.number%farms
	head := func(kind string) {
		b = fmt.Appendf(b, `{"type":"%s","eventID":"urn:uuid:%08x-%04x-4%03x-8%03x-%012x","eventTime":"%s","eventTimeZoneOffset":"+00:00","recordTime":"%s",`,
			kind, t.rng.Uint32(), t.rng.IntN(1<<16), t.rng.IntN(1<<12), t.rng.IntN(1<<12), t.rng.Uint64()>>16,
			t.clock.Add(-time.Hour).Format("2006-01-02T15:04:05.000Z"), t.clock.Format("2006-01-02T15:04:05.000Z"))
	}
	at := func(n int) { b = fmt.Appendf(b, `,"readPoint":{"id":"%s"},"bizLocation":{"id":"%[1]s"}`, siteLink(n)) }
	switch l.stage {
	case 0:
		head("ObjectEvent")
		b = fmt.Appendf(b, `"epcList":[%s],"action":"ADD","bizStep":"commissioning","disposition":"active"`, l.units())
		at(0)
		b = fmt.Appendf(b, `,"bizTransactionList":[{"type":"prodorder","bizTransaction":"urn:epcglobal:cbv:bt:9521000000009:%d"}]`, l.number/40)
	case 1, 8:
		head("ObjectEvent")
		b = fmt.Appendf(b, `"epcList":[%s],"action":"OBSERVE","bizStep":"shipping","disposition":"in_transit"`, l.units())
		b = l.papers(b, farm)
	case 2, 9:
		head("ObjectEvent")
		b = fmt.Appendf(b, `"epcList":[%s],"action":"OBSERVE","bizStep":"receiving","disposition":"in_progress"`, l.units())
		b = l.papers(b, farm)
	case 3, 7:
		what := `"action":"ADD","bizStep":"installing"`
		if l.stage == 7 {
			what = `"action":"DELETE","bizStep":"removing"`
		}
		head("AssociationEvent")
		b = fmt.Appendf(b, `"parentID":"%s","childEPCs":[%s],%s,"disposition":"active"`, l.server(), l.units(), what)
		at(farm)
	default:
		head("ObjectEvent")
		b = fmt.Appendf(b, `"epcList":[%s],"action":"OBSERVE","bizStep":"sensor_reporting","readPoint":{"id":"%s"},"tw:tier":3,`, l.units(), siteLink(farm))
		b = fmt.Appendf(b, `"tw:evidence":"sha256:%016x%016x%016x%016x",`, t.rng.Uint64(), t.rng.Uint64(), t.rng.Uint64(), t.rng.Uint64())
		b = fmt.Appendf(b, `"sensorElementList":[{"sensorMetadata":{"time":"%s","deviceID":"%s"},"sensorReport":[{"type":"Temperature","value":%.1f,"uom":"CEL"},{"type":"Power","value":%.1f,"uom":"WTT"}]}]`,
			t.clock.Add(-time.Hour).Format("2006-01-02T15:04:05.000Z"), l.server(), 30+40*t.rng.Float64(), 300+400*t.rng.Float64())
	}
	return append(b, '}')
}

// papers writes where a dispatch is, or a receipt, who sends to whom, and what the papers say.
func (l lot) papers(b []byte, farm int) []byte {
	from, to, paper := 0, farm, "po"
	if l.stage > lotEvents/2 {
		from, to, paper = farm, 0, "rma"
	}
	if l.stage == 2 || l.stage == 9 {
		b = fmt.Appendf(b, `,"readPoint":{"id":"%s"},"bizLocation":{"id":"%[1]s"}`, siteLink(to))
	} else {
		b = fmt.Appendf(b, `,"readPoint":{"id":"%s"}`, siteLink(from))
	}
	b = fmt.Appendf(b, `,"bizTransactionList":[{"type":"%s","bizTransaction":"urn:epcglobal:cbv:bt:9521000000009:%d"}]`, paper, l.number)
	for _, end := range []struct {
		name string
		of   int
	}{{"source", from}, {"destination", to}} {
		b = fmt.Appendf(b, `,"%[1]sList":[{"type":"possessing_party","%[1]s":"%[2]s"},{"type":"owning_party","%[1]s":"%[2]s"},{"type":"location","%[1]s":"%[3]s"}]`,
			end.name, partyLink(end.of), siteLink(end.of))
	}
	return fmt.Appendf(b, `,"tw:consignment":"HAWB-%08d-%s","tw:declaredDescription":"GPU modules","tw:declaredHSCode":"8473.30","tw:grossWeightKg":%d`, l.number, paper, 20+l.number%9)
}

// appendTrafficMasterData describes the parties, the sites and the products.
func appendTrafficMasterData(b []byte) []byte {
	b = append(b, `"epcisHeader":{"epcisMasterData":{"vocabularyList":[{"type":"urn:epcglobal:epcis:vtype:EPCClass","vocabularyElementList":[`...)
	b = fmt.Appendf(b, `{"id":"https://id.gs1.org/01/%s","attributes":[{"id":"tw:kind","attribute":"accelerator"}]},`, checked("0952100000001"))
	b = fmt.Appendf(b, `{"id":"https://id.gs1.org/01/%s","attributes":[{"id":"tw:kind","attribute":"server"}]}]},`, checked("0952100000002"))
	b = append(b, `{"type":"urn:epcglobal:epcis:vtype:Location","vocabularyElementList":[`...)
	for i := range farms + 1 {
		if i > 0 {
			b = append(b, ',')
		}
		b = fmt.Appendf(b, `{"id":"%s","attributes":[{"id":"cbvmda:name","attribute":"Site %d"},{"id":"cbvmda:countryCode","attribute":"US"},{"id":"cbvmda:latitude","attribute":%d.5},{"id":"cbvmda:longitude","attribute":-%d.25},{"id":"tw:operator","attribute":"%s"},{"id":"tw:siteType","attribute":"datacentre"}]}`,
			siteLink(i), i, 30+i, 80+i, partyLink(i))
	}
	b = append(b, `]},{"type":"urn:tidewaiter:vtype:Party","vocabularyElementList":[`...)
	for i := range farms + 1 {
		if i > 0 {
			b = append(b, ',')
		}
		role := "operator"
		if i == 0 {
			role = "manufacturer"
		}
		b = fmt.Appendf(b, `{"id":"%s","attributes":[{"id":"cbvmda:name","attribute":"Party %d"},{"id":"tw:role","attribute":"%s"},{"id":"cbvmda:countryCode","attribute":"US"}]}`,
			partyLink(i), i, role)
	}
	return append(b, `]}]}},`...)
}
