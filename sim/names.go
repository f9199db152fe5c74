package sim

import "strconv"

// Invented names, put together by chance; a number keeps them apart. Every kind of party draws from the same first words.
var firstWords = []string{
	"Orchid", "Lantern", "Juniper", "Harbour", "Copper", "Willow", "Granite", "Saffron", "Meadow", "Pelican", "Cedar", "Amber",
	"Kestrel", "Marble", "Tamarind", "Breakwater", "Heron", "Lotus", "Quartz", "Rowan", "Sable", "Thistle", "Umber", "Velvet",
	"Walnut", "Yarrow", "Zephyr", "Banyan", "Cobalt", "Drift", "Ember", "Fathom", "Gannet", "Hazel", "Indigo", "Jasper",
	"Kelp", "Linden", "Mistral", "Nutmeg", "Ochre", "Petrel", "Quince", "Russet", "Sorrel", "Teal",
}

var secondWords = map[string][]string{
	roleManufacturer: {"Compute", "Systems", "Electronics", "Works"},
	roleDistributor:  {"Distribution", "Supply", "Channel", "Components"},
	roleCarrier:      {"Express", "Airways", "Lines", "Carriers"},
	roleForwarder:    {"Logistics", "Forwarding", "Freight", "Cargo"},
	roleBroker:       {"Trading", "Resources", "Sourcing", "Digital"},
	roleOperator:     {"Data", "Cloud", "Digital", "Halls", "Hosting", "Compute"},
	roleTenant:       {"Digital", "Labs", "AI", "Cloud", "Research"},
	roleLessor:       {"Capital", "Leasing"},
	roleService:      {"Services", "Repair", "Support"},
	roleRecycler:     {"Recovery", "Renew", "Parts"},
	roleAuthority:    {"Export Office", "Registry"},
}

// The roles of the profile (tw:role).
const (
	roleManufacturer = "manufacturer"
	roleDistributor  = "distributor"
	roleCarrier      = "carrier"
	roleForwarder    = "forwarder"
	roleBroker       = "broker"
	roleOperator     = "operator"
	roleTenant       = "tenant"
	roleLessor       = "lessor"
	roleService      = "service"
	roleRecycler     = "recycler"
	roleAuthority    = "authority"
)

// Lines of business: what one would expect of a role, and what one would not of a buyer of accelerators. Honest firms of
// odd trades buy accelerators too (a mine, a hospital group, a university).
var (
	usualBusiness = map[string][]string{
		roleManufacturer: {"semiconductors and computer systems", "server manufacturing"},
		roleDistributor:  {"wholesale of computer equipment", "electronic components distribution"},
		roleCarrier:      {"air freight", "road freight"},
		roleForwarder:    {"freight forwarding", "customs brokerage and warehousing"},
		roleBroker:       {"trade in computer equipment", "procurement services"},
		roleOperator:     {"data centre operation", "cloud infrastructure", "managed hosting"},
		roleTenant:       {"artificial intelligence services", "software development", "cloud infrastructure"},
		roleLessor:       {"equipment leasing"},
		roleService:      {"computer repair and maintenance"},
		roleRecycler:     {"recovery of electronic equipment", "trade in spare parts"},
		roleAuthority:    {"public administration"},
	}
	oddBusiness = []string{
		"real estate management", "trade in foodstuffs", "medical supplies", "mining", "textiles", "hospital group",
		"travel services", "construction materials", "event management", "education",
	}
	streets = []string{
		"Quay Road", "Station Street", "Garden Avenue", "Market Lane", "Harbour View", "Mill Road", "Temple Street",
		"Park Crescent", "Industrial Way", "Technology Drive", "Bridge Street", "Hill Road",
	}
)

// namer gives each party a name that no other has.
type namer struct {
	s     stream
	taken map[string]bool
}

func (n *namer) name(role string) string {
	for {
		name := pick(n.s, firstWords) + " " + pick(n.s, secondWords[role]) + " " + strconv.Itoa(n.s.count(2, 99))
		if !n.taken[name] {
			n.taken[name] = true
			return name
		}
		// Large worlds exhaust the words: a second first word makes room.
		name = pick(n.s, firstWords) + " " + name
		if !n.taken[name] {
			n.taken[name] = true
			return name
		}
	}
}

func (n *namer) address(s stream) string {
	return strconv.Itoa(s.count(1, 240)) + " " + pick(s, streets)
}
