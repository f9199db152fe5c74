package registry

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/tidewaiter/tidewaiter/ledger"
	"github.com/tidewaiter/tidewaiter/store"
)

// What SCITT calls a registration policy: a statement is taken when it is signed with a key with which its issuer, a party, is trusted.
// Which keys those are stands in the ledger too, before the statement: whoever has the entries can decide again as it was decided.

// issuerRecord is the body of an entry of KindIssuer.
type issuerRecord struct {
	Kind    ledger.Kind `json:"kind"`
	Party   string      `json:"party"`
	Key     []byte      `json:"key"` // SubjectPublicKeyInfo, DER
	Trusted bool        `json:"trusted"`
}

// IssuerKey is a key with which a party's statements are verified.
type IssuerKey struct {
	Party string
	Key   []byte // SubjectPublicKeyInfo, DER
	Kid   []byte // COSE Key Thumbprint
	Since int64  // the entry that says so
}

func issuerName(party string) string {
	return "https://tidewaiter.org/issuer?party=" + party
}

// finder is where entries are looked up by name: a ledger, or one inside a transaction.
type finder interface {
	Named(name string) ([]int64, error)
	Entry(seq int64) (ledger.Entry, error)
}

// outside looks things up outside a transaction.
type outside struct {
	ctx context.Context
	st  store.Ledger
}

func (o outside) Named(name string) ([]int64, error)    { return o.st.Named(o.ctx, name) }
func (o outside) Entry(seq int64) (ledger.Entry, error) { return o.st.Entry(o.ctx, seq) }

// IssuerKeys lists the keys with which a party is trusted now.
func IssuerKeys(ctx context.Context, st store.Ledger, party string) ([]IssuerKey, error) {
	return issuerKeys(outside{ctx, st}, party)
}

func issuerKeys(f finder, party string) (keys []IssuerKey, err error) {
	seqs, err := f.Named(issuerName(party))
	if err != nil {
		return nil, err
	}
	for _, seq := range seqs {
		e, err := f.Entry(seq)
		if err != nil {
			return nil, err
		}
		if e.Kind != ledger.KindIssuer {
			continue
		}
		var r issuerRecord
		if err := json.Unmarshal(e.Body, &r, json.RejectUnknownMembers(true)); err != nil {
			return nil, fmt.Errorf("entry %d, an issuer's key: %w", seq, err)
		}
		_, kid, err := ledger.LoadIssuerKey(r.Key)
		if err != nil {
			return nil, fmt.Errorf("entry %d, an issuer's key: %w", seq, err)
		}
		keys = without(keys, r.Key)
		if r.Trusted {
			keys = append(keys, IssuerKey{party, r.Key, kid, seq})
		}
	}
	return keys, nil
}

func without(keys []IssuerKey, der []byte) (left []IssuerKey) {
	for _, k := range keys {
		if string(k.Key) != string(der) {
			left = append(left, k)
		}
	}
	return left
}

// Trust says in the ledger that a party's statements may be signed with a key, or may not any more. ErrRefused when that is so already.
func Trust(ctx context.Context, st store.Ledger, party string, der []byte, trusted bool, now time.Time) (seq int64, err error) {
	if party, err = PartyName(party); err != nil {
		return 0, err
	}
	body, err := json.Marshal(issuerRecord{ledger.KindIssuer, party, der, trusted}, json.Deterministic(true))
	if err != nil {
		return 0, err
	}
	err = st.Append(ctx, func(tx store.Appender) error {
		keys, err := issuerKeys(tx, party)
		if err != nil {
			return err
		}
		if known := len(without(keys, der)) < len(keys); known == trusted {
			return fmt.Errorf("%w: %s is %strusted with this key already", ErrRefused, party, map[bool]string{false: "not "}[trusted])
		}
		key := keyOf(string(ledger.KindIssuer), party, fmt.Appendf(nil, "%s %d", body, tx.Head().Size))
		seq, err = appendAs(tx, issuerName(party), ledger.KindIssuer, body, now, key)
		return err
	})
	return seq, err
}

// Register verifies a signed statement and appends it, said by its issuer. A statement that is there already is not appended again: its
// entry is returned. What is wrong with it is a *ledger.StatementError.
func Register(ctx context.Context, st store.Ledger, text []byte, now time.Time) (seq int64, err error) {
	s, err := ledger.ParseStatement(text)
	if err != nil {
		return 0, err
	}
	issuer, err := PartyName(s.Issuer)
	if err != nil {
		return 0, &ledger.StatementError{Title: ledger.NotTrusted, Detail: fmt.Sprintf("the issuer: %v", err)}
	}
	body := s.Bytes()
	sum := sha256.Sum256(body)
	name := "https://tidewaiter.org/statement/" + hex.EncodeToString(sum[:])
	key := keyOf(string(ledger.KindStatement), issuer, s.Signed())
	err = st.Append(ctx, func(tx store.Appender) error {
		if err := verifyIssuer(tx, s, issuer); err != nil {
			return err
		}
		was, ok, err := tx.Seen(key)
		if err != nil || ok {
			seq = was
			return err
		}
		seq, err = appendSaid(tx, ledger.Entry{Kind: ledger.KindStatement, Speaker: issuer, Name: name, Body: body}, now, key)
		return err
	})
	return seq, err
}

// verifyIssuer looks for the key that signed the statement, among those with which its issuer is trusted as of this transaction.
func verifyIssuer(tx store.Appender, s *ledger.Statement, issuer string) error {
	keys, err := issuerKeys(tx, issuer)
	if err != nil {
		return err
	}
	for _, k := range keys {
		public, _, err := ledger.LoadIssuerKey(k.Key)
		if err != nil {
			return err
		}
		if err := s.Verify(public); err == nil {
			return nil
		} else if !errors.Is(err, ledger.ErrNotProven) {
			return err
		}
	}
	return &ledger.StatementError{Title: ledger.NotTrusted, Detail: "it is not signed with a key with which its issuer is trusted here"}
}
