package registry

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/tidewaiter/tidewaiter/gs1"
	"github.com/tidewaiter/tidewaiter/store"
)

// Scope is something that a credential lets its bearer do.
type Scope string

// The scopes. An administrator may do everything that the others may.
const (
	ScopeCapture Scope = "capture" // tell events, and see what became of them
	ScopeQuery   Scope = "query"   // ask
	ScopeAdmin   Scope = "admin"   // look after the deployment
)

// Scopes are all scopes there are.
var Scopes = []Scope{ScopeCapture, ScopeQuery, ScopeAdmin}

// Credential lets whoever bears its token speak for a party. Of the token only a hash is kept: 32 random bytes need no slower one.
type Credential struct {
	ID      string    `json:"id"`
	Party   string    `json:"party"` // canonical
	Scopes  []Scope   `json:"scopes"`
	Created time.Time `json:"created"`
	Expires time.Time `json:"expires,omitzero"`
	Revoked time.Time `json:"revoked,omitzero"`
	Hash    string    `json:"hash"` // SHA-256 of the token, in hexadecimal
}

// May says whether the credential has this scope.
func (c Credential) May(s Scope) bool {
	return slices.Contains(c.Scopes, s) || slices.Contains(c.Scopes, ScopeAdmin)
}

// Good says whether the credential may be used at a time.
func (c Credential) Good(now time.Time) bool {
	return c.Revoked.IsZero() && (c.Expires.IsZero() || now.Before(c.Expires))
}

// ErrCredential says that a token is not one that may be used. Whoever shows it learns no more: not whether it ever was.
var ErrCredential = errors.New("this token is unknown, has expired, or was revoked")

// ErrNoCredential says that there is no credential with this id.
var ErrNoCredential = errors.New("there is no such credential")

// credentialsKey is where the credentials are kept: beside the entries, so that all who share a ledger know the same, and in none
// of them, so that nothing of them is published or stays for ever.
const credentialsKey = "credentials"

// credentialAge is how long a node goes by the credentials that it has read: so long a token may be used after it was revoked.
const (
	credentialAge  = time.Second
	credentialMiss = credentialAge / 10 // an unknown token is looked for again, but no more often than that
)

// Credentials are the deployment's credentials. Safe for concurrent use.
type Credentials struct {
	Store store.Ledger
	Now   func() time.Time

	mu   sync.Mutex
	read time.Time
	byID map[string]Credential
}

// tokenMark begins every token, so that people and programs that look for secrets in the wrong places find it.
const tokenMark = "tw_"

var tokenText = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// Add makes a credential and returns the token, which is not kept and cannot be shown again.
func (c *Credentials) Add(ctx context.Context, party string, scopes []Scope, expires time.Time) (token string, made Credential, err error) {
	if party, err = PartyName(party); err != nil {
		return "", made, err
	}
	now := c.Now().UTC().Truncate(time.Second)
	if !expires.IsZero() && !expires.After(now) {
		return "", made, fmt.Errorf("a credential that expires at %s could never be used", expires.UTC().Format(time.RFC3339))
	}
	var id [5]byte
	var secret [32]byte
	if _, err := rand.Read(id[:]); err != nil {
		return "", made, fmt.Errorf("a token: %w", err)
	}
	if _, err := rand.Read(secret[:]); err != nil {
		return "", made, fmt.Errorf("a token: %w", err)
	}
	made = Credential{ID: tokenText.EncodeToString(id[:]), Party: party, Scopes: scopes, Created: now, Expires: expires.UTC()}
	token = tokenMark + made.ID + "_" + tokenText.EncodeToString(secret[:])
	made.Hash = hashToken(token)
	err = c.change(ctx, func(list []Credential) ([]Credential, error) {
		if slices.ContainsFunc(list, func(o Credential) bool { return o.ID == made.ID }) {
			return nil, errors.New("two credentials drew one id: try again")
		}
		return append(list, made), nil
	})
	return token, made, err
}

func hashToken(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// PartyName is the canonical name of a party: a GS1 party number.
func PartyName(party string) (string, error) {
	name, err := gs1.Canonical(party)
	if err != nil {
		return "", fmt.Errorf("a party is named by a URI like https://id.gs1.org/417/9521234500001 (its GLN): %w", err)
	}
	if !strings.HasPrefix(name, "https://id.gs1.org/417/") {
		return "", fmt.Errorf("%s names no party; a party is named by a URI like https://id.gs1.org/417/9521234500001 (its GLN)", name)
	}
	return name, nil
}

// Revoke ends a credential. It stays in the list. ErrNoCredential when there is none with this id.
func (c *Credentials) Revoke(ctx context.Context, id string) (gone Credential, err error) {
	err = c.change(ctx, func(list []Credential) ([]Credential, error) {
		i := slices.IndexFunc(list, func(o Credential) bool { return o.ID == id })
		if i < 0 {
			return nil, fmt.Errorf("%w: %s", ErrNoCredential, id)
		}
		if list[i].Revoked.IsZero() {
			list[i].Revoked = c.Now().UTC().Truncate(time.Second)
		}
		gone = list[i]
		return list, nil
	})
	return gone, err
}

// List returns the credentials in the order in which they were made.
func (c *Credentials) List(ctx context.Context) ([]Credential, error) {
	text, err := c.Store.Meta(ctx, credentialsKey)
	if err != nil {
		return nil, err
	}
	return parseCredentials(text)
}

func parseCredentials(text []byte) (list []Credential, err error) {
	if text == nil {
		return nil, nil
	}
	if err := json.Unmarshal(text, &list, json.RejectUnknownMembers(true)); err != nil {
		return nil, fmt.Errorf("the list of credentials cannot be read: %w", err)
	}
	return list, nil
}

// change changes the list in a transaction, so that of two changes at one time none is lost.
func (c *Credentials) change(ctx context.Context, fn func([]Credential) ([]Credential, error)) error {
	err := c.Store.Append(ctx, func(tx store.Appender) error {
		text, err := tx.Meta(credentialsKey)
		if err != nil {
			return err
		}
		list, err := parseCredentials(text)
		if err != nil {
			return err
		}
		if list, err = fn(list); err != nil {
			return err
		}
		if text, err = json.Marshal(list, json.Deterministic(true)); err != nil {
			return err
		}
		return tx.SetMeta(credentialsKey, text)
	})
	c.mu.Lock()
	defer c.mu.Unlock()
	c.byID = nil
	return err
}

// Check finds the credential of a token, or gives ErrCredential. Other errors say that the store could not be asked.
func (c *Credentials) Check(ctx context.Context, token string) (Credential, error) {
	rest, ok := strings.CutPrefix(token, tokenMark)
	id, _, cut := strings.Cut(rest, "_")
	known, err := c.known(ctx, id)
	if err != nil {
		return Credential{}, err
	}
	// Compared in any case, and in constant time: how long an answer takes says nothing about what is kept.
	same := subtle.ConstantTimeCompare([]byte(hashToken(token)), []byte(known.Hash)) == 1
	if !ok || !cut || !same || known.ID == "" || !known.Good(c.Now()) {
		return Credential{}, ErrCredential
	}
	return known, nil
}

// known is the credential with an id, as of a moment ago; one without an id when there is none.
func (c *Credentials) known(ctx context.Context, id string) (Credential, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	found, ok := c.byID[id]
	age := c.Now().Sub(c.read)
	if c.byID != nil && age >= 0 && age < credentialAge && (ok || age < credentialMiss) {
		return found, nil
	}
	list, err := c.List(ctx)
	if err != nil {
		return Credential{}, fmt.Errorf("look up a credential: %w", err)
	}
	c.read, c.byID = c.Now(), map[string]Credential{}
	for _, one := range list {
		c.byID[one.ID] = one
	}
	return c.byID[id], nil
}
