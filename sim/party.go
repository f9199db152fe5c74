package sim

// party is a legal entity. What it is (its master data) and how it reports (its feed) are drawn apart.
type party struct {
	number     int
	name       string
	role       string
	prefix     string // GS1 company prefix of 7 digits
	gln        string
	country    string
	city       city
	address    string
	phone      string
	domain     string
	formed     instant // tw:incorporated
	business   string
	capital    int64 // US dollars
	parent     *party
	parentLand string
	share      float64
	since      instant // master data reaches the registry
	renamed    instant // never, or when it takes the new name
	newName    string

	sites []*site
	feed  feed

	noise     stream
	items     int // trade items numbered so far
	racks     int
	packed    int
	extension int // first digit of its SSCCs
	documents int
}

// feed is a party's way to report: its spelling and its tidiness.
type feed struct {
	urn      bool // EPC URNs, else Digital Links
	webWords bool // CBV words as Web URIs, else bare
	local    bool // event times in local time, else UTC
	ids      bool // gives event ids
	geo      bool // check-ins carry a geo: place, else the site's SGLN
	whole    bool // check-ins name the server beside its accelerators
	tier     int  // of check-ins
	tidiness int  // 0 tidy, 1 ordinary, 2 untidy: index of Feed.MissingScan
	weekly   bool // uploads once a week
}

// site is a place that one party runs.
type site struct {
	number   int
	gln      string
	operator *party
	city     city
	lat, lon float64
	kind     string // tw:siteType
	name     string
	powerKW  int
	checkin  bool
	clock    instant // its clocks are off by so much
	since    instant
	zone     bool // a free zone
	shelf    []shelved
	dark     []span // outages
}

// shelved is stock that stood in a warehouse for a while.
type shelved struct {
	items []ref
	span  span
	owner *party
}

// The kinds of site (tw:siteType).
const (
	factorySite    = "factory"
	warehouseSite  = "warehouse"
	freeZoneSite   = "free_zone"
	datacentreSite = "datacentre"
	forwarderSite  = "forwarder"
	serviceSite    = "service"
	officeSite     = "office"
)

// cast is who takes part, by role.
type cast struct {
	maker       *party
	builders    []*party
	distributor []*party
	resellers   []*party
	brokers     []*party
	forwarders  []*party
	carriers    []*party
	operators   []*party // with halls of their own
	tenants     []*party // in space rented from operators
	secondHand  []*party
	services    []*party
	recyclers   []*party
	dealers     []*party // parts hubs in barred destinations
	lessors     []*party
	treasuries  []*party // parents that pay for their group
	authorities []*party
}

// newParty draws a party. Every kind comes through here, honest or not.
func (g *gen) newParty(role, country string) *party {
	s := g.people
	home := pick(s, citiesOf(country))
	p := &party{
		number: len(g.w.parties), role: role, country: country, city: home,
		name: g.namer.name(role), address: g.namer.address(s), prefix: g.prefix(),
		formed: g.start - s.days(900, 9000), business: pick(s, usualBusiness[role]),
		capital: int64(s.lognormal(30, 1)) * 1_000_000, since: g.start, renamed: never, extension: s.count(0, 9),
	}
	p.capital = max(p.capital, 2_000_000)
	p.gln = gln(p.prefix, 0)
	p.phone = "+" + padded(s.count(10, 99), 2) + " 555 " + padded(s.IntN(10_000), 4)
	p.domain = domain(p.name)
	p.feed = g.newFeed(role)
	p.noise = g.stream("noise/" + p.prefix)
	g.w.parties = append(g.w.parties, p)
	return p
}

// domain is the name in lower case, without blanks.
func domain(name string) string {
	b := make([]byte, 0, len(name)+8)
	for i := range len(name) {
		switch c := name[i]; {
		case 'A' <= c && c <= 'Z':
			b = append(b, c+'a'-'A')
		case c != ' ':
			b = append(b, c)
		}
	}
	return string(b) + ".example"
}

// prefix draws a GS1 company prefix of the demonstration range 952 that nobody has.
func (g *gen) prefix() string {
	for {
		p := "952" + padded(g.people.IntN(10_000), 4)
		if !g.prefixes[p] {
			g.prefixes[p] = true
			return p
		}
	}
}

func (g *gen) newFeed(role string) feed {
	s := g.feeds
	f := feed{
		urn: s.chance(0.5), webWords: s.chance(0.3), local: s.chance(0.4), ids: !s.chance(g.cfg.Feed.NoEventID),
		geo: s.chance(0.35), whole: s.chance(0.3), tier: 3, weekly: s.chance(g.cfg.Feed.WeeklyBatch),
	}
	if s.chance(g.cfg.Feed.CheckInTier2) {
		f.tier = 2
	}
	draw := s.Float64()
	switch role {
	case roleManufacturer, roleAuthority:
		f.tidiness = 0
	case roleForwarder, roleCarrier:
		f.tidiness = 1 + int(draw*1.6)
	default:
		f.tidiness = int(draw * 2.2)
	}
	f.tidiness = min(f.tidiness, 2)
	return f
}

// newSite draws a site of a party in a country.
func (g *gen) newSite(p *party, kind, country string) *site {
	s := g.people
	place := pick(s, citiesOf(country))
	x := &site{
		number: len(g.w.sites), operator: p, city: place, kind: kind, checkin: true, since: p.since, zone: kind == freeZoneSite,
		gln: gln(p.prefix, 1+len(p.sites)), lat: place.lat + s.between(-0.12, 0.12), lon: place.lon + s.between(-0.12, 0.12),
		name: p.name + ", " + place.name,
	}
	if len(p.sites) > 0 {
		x.name += " " + padded(len(p.sites)+1, 1)
	}
	if g.feeds.chance(g.cfg.Feed.ClockHours) {
		x.clock = hour * instant(pick(g.feeds, []int{-8, -1, -1, 1, 1, 1, 2, 8}))
	}
	p.sites = append(p.sites, x)
	g.w.sites = append(g.w.sites, x)
	return x
}
