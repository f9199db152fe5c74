package sim

import (
	"errors"
	"fmt"
	"time"
)

// MinUnits is the smallest world: enough servers for a few honest halls beside one small scheme.
const MinUnits = 200

// Config determines a world. Rates are probabilities (0–1) or yearly rates per unit, as each field says.
type Config struct {
	Seed    uint64
	Units   int       // accelerators made over the whole span
	Months  int       // span; at least 9
	Schemes int       // planted schemes; 0 makes an honest world
	Start   time.Time // first instant, UTC

	Feed  Feed
	Fleet Fleet
	Trade Trade

	EventsPerDocument int // a month with more events is split into several documents
}

// Feed says how parties' data goes wrong between the floor and the registry.
type Feed struct {
	MissingScan     [3]float64    // an event is never reported: tidy, ordinary and untidy parties
	Duplicate       float64       // an event is sent again, unchanged
	MisScan         float64       // one serial in an event is wrong
	Corrected       float64       // of mis-scans and phantom events: later declared erroneous (and corrected)
	Phantom         float64       // a handling event that did not occur is reported
	WrongUnit       float64       // a gross weight is given in pounds or grams as if it were kilograms
	LateMedian      time.Duration // lateness is lognormal: its median …
	LateSigma       float64       // … and the standard deviation of its logarithm
	WeeklyBatch     float64       // share of parties that upload once a week
	ClockHours      float64       // share of sites whose clock is off by whole hours
	ClockYear       float64       // an event carries the wrong year
	NoEventID       float64       // share of parties that give no event ids
	CheckInMiss     float64       // one weekly check-in of one server fails to arrive
	CheckInTier2    float64       // share of operators whose check-ins are read by BMC or agent, not vendor-signed
	WrongGeo        float64       // an activation is located at the wrong place (address databases, private networks)
	NoCheckIn       [2]float64    // range of the share of units at operators that declare no check-in
	OutagePerDay    float64       // per site: check-ins stop for hours to two weeks
	RegionalOutages float64       // mean number per world; 1–7 days, every site of one country
	LongFreeze      float64       // probability that an honest site falls silent for 2–3 weeks soon after an inspection
}

// Fleet says what happens to honest units after installation. Yearly rates are per unit.
type Fleet struct {
	Failure      float64 // permanent failures, returned under warranty; tripled in a unit's first 60 days
	ChassisSwap  float64 // of failures: the host is replaced and the board moves to another chassis
	Rerack       float64 // moved to another rack of the same site, in clusters
	PowerOff     float64 // servers switched off for one to four weeks, yearly
	Loss         float64 // lost or stolen, and reported
	SpareShare   float64 // of all units: made as spares
	HallMoves    float64 // mean number of data-hall moves per 5,000 units
	Resales      float64 // mean number of halls decommissioned and sold second-hand per 5,000 units
	Leasebacks   float64 // mean number of sale-and-lease-back deals per 5,000 units
	BoxedBuyers  float64 // mean number of large buyers that keep boxed stock in a second warehouse per 5,000 units
	PartsParcels float64 // honest parcels of spare parts per server and year
}

// Trade says how goods and money move between honest parties.
type Trade struct {
	Palletised   float64 // of consignments: packed on pallets (SSCC)
	CrossDock    float64 // of forwarder stops: handled in under 24 hours
	FreeZone     float64 // of forwarder stops: stored in a free zone (lognormal, median 20 days, long tail)
	Split        float64 // of orders: delivered in two consignments
	ThirdPayer   float64 // of orders: paid by a group treasury, a lessor or a forwarder
	Young        float64 // of operators and tenants: incorporated less than a year before their first order
	OddBusiness  float64 // of operators and tenants: a line of business that does not suggest accelerators
	NameChange   float64 // of parties: renamed during the span
	SurgeBuyers  float64 // of operators: order much more just before a rule date
	HubParcels   float64 // of honest parts parcels: consigned to a parts hub in a barred destination
	HeavyParcels float64 // of honest parts parcels: 40–200 kg of low-value metal
}

// DefaultConfig is a world of 18 months from 6 January 2025 with one scheme and the published rates of honest noise.
func DefaultConfig(seed uint64, units int) Config {
	return Config{
		Seed: seed, Units: units, Months: 18, Schemes: 1,
		Start:             time.Date(2025, 1, 6, 0, 0, 0, 0, time.UTC),
		Feed:              defaultFeed(),
		Fleet:             defaultFleet(),
		Trade:             defaultTrade(),
		EventsPerDocument: 20_000,
	}
}

func defaultFeed() Feed {
	return Feed{
		MissingScan: [3]float64{0.005, 0.03, 0.10},
		Duplicate:   0.01, MisScan: 0.001, Corrected: 0.5, Phantom: 0.001, WrongUnit: 0.002,
		LateMedian: 6 * time.Hour, LateSigma: 1.586, // 1 % later than ten days
		WeeklyBatch: 0.05, ClockHours: 0.02, ClockYear: 0.002, NoEventID: 0.2,
		CheckInMiss: 0.01, CheckInTier2: 0.2, WrongGeo: 0.02, NoCheckIn: [2]float64{0.05, 0.30},
		OutagePerDay: 0.005, RegionalOutages: 1, LongFreeze: 0.5,
	}
}

func defaultFleet() Fleet {
	return Fleet{
		Failure: 0.04, ChassisSwap: 0.1, Rerack: 0.03, PowerOff: 0.04, Loss: 0.0002, SpareShare: 0.03,
		HallMoves: 1.2, Resales: 1.2, Leasebacks: 1, BoxedBuyers: 1, PartsParcels: 0.6,
	}
}

func defaultTrade() Trade {
	return Trade{
		Palletised: 0.6, CrossDock: 0.15, FreeZone: 0.15, Split: 0.10,
		ThirdPayer: 0.10, Young: 0.20, OddBusiness: 0.08, NameChange: 0.05, SurgeBuyers: 0.1,
		HubParcels: 0.15, HeavyParcels: 0.12,
	}
}

// Check says what in the configuration cannot be simulated.
func (c Config) Check() error {
	switch {
	case c.Units < MinUnits:
		return fmt.Errorf("a world needs at least %d units, not %d", MinUnits, c.Units)
	case c.Units > 10_000_000:
		return fmt.Errorf("%d units are more than the serial numbers of the simulated maker allow (10,000,000)", c.Units)
	case c.Months < 9 || c.Months > 60:
		return fmt.Errorf("a world spans 9 to 60 months, not %d", c.Months)
	case c.Schemes < 0 || c.Schemes*minSchemeUnits*4 > c.Units:
		return fmt.Errorf("%d schemes do not fit into %d units: each needs at least %d units and three times as many honest ones",
			c.Schemes, c.Units, minSchemeUnits)
	case c.EventsPerDocument < 1:
		return errors.New("EventsPerDocument must be at least 1")
	case c.Start.Year() < 2000 || c.Start.Year() > 2094:
		return fmt.Errorf("start %s lies outside the years 2000 to 2094 that two-digit serials can tell apart", c.Start)
	}
	return nil
}
