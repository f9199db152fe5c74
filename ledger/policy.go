package ledger

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
)

// Policy says whose word on a checkpoint is enough (C2SP tlog-policy, https://c2sp.org/tlog-policy): logs, witnesses, and the
// quorum of witnesses that must have cosigned. Witnesses see every checkpoint of a log and cosign only what extends what they
// saw before, so a checkpoint with a quorum is one that everybody was shown.
type Policy struct {
	Logs      []PolicyLog
	Witnesses []Witness

	groups map[string]group
	quorum string
}

// PolicyLog is a log that the policy trusts to be signed by this key.
type PolicyLog struct {
	Key note.Verifier
	URL string // empty when the policy does not say
}

// Witness cosigns checkpoints.
type Witness struct {
	Name string // in the policy; the key has a name of its own
	Key  note.Verifier
	URL  string // where checkpoints are submitted; empty when the policy does not say
}

// group is met by need of its members.
type group struct {
	need    int
	members []string
}

// noQuorum is the quorum that is always met.
const noQuorum = "none"

// ParsePolicy reads a policy.
func ParsePolicy(text []byte) (*Policy, error) {
	p := &policyReader{p: &Policy{groups: map[string]group{}}, keys: map[string]string{}, named: map[string]bool{noQuorum: true}, member: map[string]bool{}}
	for i, line := range strings.Split(string(text), "\n") {
		if err := p.line(line); err != nil {
			return nil, fmt.Errorf("policy, line %d: %w", i+1, err)
		}
	}
	if p.p.quorum == "" {
		return nil, errors.New("policy: the line \"quorum NAME\" is missing; \"quorum none\" asks for no witness")
	}
	return p.p, nil
}

// policyReader is a policy half read.
type policyReader struct {
	p      *Policy
	keys   map[string]string // what a public key is used for
	named  map[string]bool
	member map[string]bool // of a group
}

func (r *policyReader) line(line string) error {
	if i := strings.IndexFunc(line, func(c rune) bool { return c < 0x20 && c != '\t' || c == 0x7f }); i >= 0 {
		return fmt.Errorf("it holds the control character %q", line[i])
	}
	fields := strings.FieldsFunc(line, func(c rune) bool { return c == ' ' || c == '\t' })
	if len(fields) == 0 || strings.HasPrefix(fields[0], "#") {
		return nil
	}
	args := fields[1:]
	switch fields[0] {
	case "log":
		return r.log(args)
	case "witness":
		return r.witness(args)
	case "group":
		return r.group(args)
	case "quorum":
		return r.quorum(args)
	}
	return fmt.Errorf("%.40q is not log, witness, group or quorum", fields[0])
}

func (r *policyReader) log(args []string) error {
	if len(args) < 1 || len(args) > 2 {
		return errors.New("it should be: log VKEY [URL]")
	}
	v, err := LoadVerifier(args[0])
	if err != nil {
		return err
	}
	if err := r.useKey("log", args[0]); err != nil {
		return err
	}
	r.p.Logs = append(r.p.Logs, PolicyLog{Key: v, URL: strings.Join(args[1:], "")})
	return nil
}

func (r *policyReader) witness(args []string) error {
	if len(args) < 2 || len(args) > 3 {
		return errors.New("it should be: witness NAME VKEY [URL]")
	}
	v, err := LoadCosigner(args[1])
	if err != nil {
		return err
	}
	if err := errors.Join(r.useKey("witness", args[1]), r.name(args[0])); err != nil {
		return err
	}
	r.p.Witnesses = append(r.p.Witnesses, Witness{Name: args[0], Key: v, URL: strings.Join(args[2:], "")})
	return nil
}

// useKey refuses a key that is there already under whatever name.
func (r *policyReader) useKey(as, vkey string) error {
	k, err := parseVKey(vkey)
	if err != nil {
		return err
	}
	id := as + string(k.key)
	if other, used := r.keys[id]; used {
		return fmt.Errorf("the public key of %s is there already, as that of %s: one would count for two", k.name, other)
	}
	r.keys[id] = k.name
	return nil
}

func (r *policyReader) name(name string) error {
	if r.named[name] {
		return fmt.Errorf("the name %q is taken", name)
	}
	r.named[name] = true
	return nil
}

func (r *policyReader) group(args []string) error {
	if len(args) < 3 {
		return errors.New("it should be: group NAME all|any|K MEMBER…")
	}
	g := group{members: args[2:]}
	switch args[1] {
	case "any":
		g.need = 1
	case "all":
		g.need = len(g.members)
	default:
		k, err := strconv.Atoi(args[1])
		if err != nil || strconv.Itoa(k) != args[1] || k < 1 || k > len(g.members) {
			return fmt.Errorf("%q is not all, any, or a number from 1 to the %d members", args[1], len(g.members))
		}
		g.need = k
	}
	for _, m := range g.members {
		switch {
		case m == noQuorum || !r.named[m]:
			return fmt.Errorf("no witness or group %q stands before this line", m)
		case r.member[m]:
			return fmt.Errorf("%q is a member twice: it would count for two", m)
		}
		r.member[m] = true
	}
	r.p.groups[args[0]] = g
	return r.name(args[0])
}

func (r *policyReader) quorum(args []string) error {
	switch {
	case len(args) != 1:
		return errors.New("it should be: quorum NAME")
	case r.p.quorum != "":
		return errors.New("a second quorum")
	case !r.named[args[0]]:
		return fmt.Errorf("no witness or group %q stands before this line", args[0])
	}
	r.p.quorum = args[0]
	return nil
}

// Met says whether the witnesses of these names are a quorum.
func (p *Policy) Met(cosigned []string) bool { return p.met(p.quorum, cosigned) }

func (p *Policy) met(name string, cosigned []string) bool {
	g, isGroup := p.groups[name]
	if !isGroup {
		return name == noQuorum || slices.Contains(cosigned, name)
	}
	n := 0
	for _, m := range g.members {
		if p.met(m, cosigned) {
			n++
		}
	}
	return n >= g.need
}

// String says in words what the quorum is.
func (p *Policy) String() string { return p.describe(p.quorum) }

func (p *Policy) describe(name string) string {
	g, isGroup := p.groups[name]
	if !isGroup {
		return name
	}
	var members []string
	for _, m := range g.members {
		members = append(members, p.describe(m))
	}
	return fmt.Sprintf("%d of (%s)", g.need, strings.Join(members, ", "))
}

// LogKeys are the keys by which the policy knows the log of this name.
func (p *Policy) LogKeys(origin string) (*Keys, error) {
	var keys []Key
	for _, l := range p.Logs {
		if l.Key.Name() == origin {
			keys = append(keys, Key{Verifier: l.Key})
		}
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("%w: the policy does not list the log %q", ErrNotProven, origin)
	}
	return NewKeys(keys...)
}

// Cosignature is a witness's word on a checkpoint.
type Cosignature struct {
	Witness string         // its name in the policy
	At      time.Time      // by its own clock; zero when it does not say
	Line    note.Signature // as it stands beneath the checkpoint
}

// Cosignatures returns those beneath a checkpoint that are of the policy's witnesses and verify. Others do not count; one that
// bears a witness's name and does not verify is an error. The log's own signature is not looked at: that is ParseCheckpoint's.
func (p *Policy) Cosignatures(text []byte) ([]Cosignature, error) {
	var keys []note.Verifier
	for _, w := range p.Witnesses {
		keys = append(keys, w.Key)
	}
	n, err := note.Open(text, note.VerifierList(keys...))
	if _, none := errors.AsType[*note.UnverifiedNoteError](err); none {
		return nil, nil
	}
	if _, forged := errors.AsType[*note.InvalidSignatureError](err); forged {
		return nil, fmt.Errorf("%w: a cosignature does not verify: %w", ErrNotProven, err)
	}
	if err != nil {
		return nil, fmt.Errorf("cosignatures: %w", err)
	}
	var all []Cosignature
	for _, sig := range n.Sigs {
		for _, w := range p.Witnesses {
			if w.Key.Name() == sig.Name && w.Key.KeyHash() == sig.Hash {
				all = append(all, Cosignature{Witness: w.Name, At: CosignedAt(sig), Line: sig})
			}
		}
	}
	return all, nil
}

// Witnessed returns the cosignatures beneath a checkpoint, and an error that wraps ErrNotProven when they are no quorum.
func (p *Policy) Witnessed(text []byte) ([]Cosignature, error) {
	all, err := p.Cosignatures(text)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, c := range all {
		names = append(names, c.Witness)
	}
	if !p.Met(names) {
		by := "nobody"
		if len(names) > 0 {
			by = strings.Join(names, ", ")
		}
		return all, fmt.Errorf("%w: the checkpoint is cosigned by %s, and the policy asks for %s", ErrNotProven, by, p)
	}
	return all, nil
}
