package sim

// kinds of event, actions and words, as the profile spells them.
const (
	objectEvent      = "ObjectEvent"
	aggregationEvent = "AggregationEvent"
	associationEvent = "AssociationEvent"
	transactionEvent = "TransactionEvent"

	actionAdd     = "ADD"
	actionObserve = "OBSERVE"
	actionDelete  = "DELETE"
)

// event is one event of the world, with what its reporter says. Fields that do not apply are zero.
type event struct {
	kind, action string
	at           instant // as the reporter's clock has it
	known        instant // recordTime: when the registry learnt it
	by           *party
	id           [2]uint64 // zero: the party gives no ids
	step         string
	disposition  string
	persistent   string // persistentDisposition set
	items        []ref  // epcList, or children
	classes      []quantity
	parent       ref
	parentSite   *site // an AssociationEvent's parent may be a place
	readPoint    *site
	geo          *point
	bizLocation  *site
	from, to     *holder
	transactions []transaction
	papers       *papers
	tier         int8 // of a check-in; 0 otherwise
	evidence     uint64
	sighting     string
	born         bool // ilmd with the aliases of its one unit
	replaces     ref
	error        *declared
}

// quantity is a number of pieces of a class.
type quantity struct {
	product *product
	n       int
}

// point is a place on earth with its uncertainty in metres.
type point struct {
	lat, lon float64
	metres   int
}

// holder is one end of a hand-over: who possesses, who owns, where.
type holder struct {
	possessor, owner *party
	site             *site
}

// transaction is a bizTransaction: a type and a document of a party.
type transaction struct {
	kind   string
	issuer *party
	number int
}

// papers are what a consignment's documents declare.
type papers struct {
	consignment string
	description string
	hs          string
	value       float64 // US dollars
	kg          float64
	endUser     *party
	endCountry  string
	payer       *party
}

// declared is an error declaration.
type declared struct {
	at         instant
	reason     string
	corrective [2]uint64
}

// document numbers a new document of a party.
func (g *gen) document(kind string, issuer *party) transaction {
	issuer.documents += 1 + g.ids.IntN(9)
	return transaction{kind, issuer, 100_000 + issuer.documents}
}
