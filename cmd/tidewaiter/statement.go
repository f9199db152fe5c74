package main

import (
	"encoding/base64"
	"errors"
	"fmt"
	"os"

	"github.com/tidewaiter/tidewaiter/ledger"
	"github.com/tidewaiter/tidewaiter/registry"
)

type statementCmd struct {
	Trust    statementTrustCmd    `cmd:"" help:"Trust a party's public key: statements that are signed with it are registered."`
	Distrust statementDistrustCmd `cmd:"" help:"Trust it no more. What was registered stays."`
	Keys     statementKeysCmd     `cmd:"" help:"List the keys with which a party is trusted."`
}

// issuerKeyArgs name a party and its key.
type issuerKeyArgs struct {
	Party string `arg:"" help:"The party, which the statement's claim iss must name: a GLN, such as https://id.gs1.org/417/9521234500001."`
	Key   string `arg:"" help:"Its public key in PEM (BEGIN PUBLIC KEY): Ed25519, or ECDSA on P-256, P-384 or P-521." type:"existingfile" placeholder:"FILE"`
}

// issuerReport is what trust, distrust and keys print.
type issuerReport struct {
	Party string `json:"party"`
	Kid   string `json:"kid"` // COSE Key Thumbprint (RFC 9679), base64url
	Seq   int64  `json:"seq"` // the entry that says so
}

type statementTrustCmd struct{ issuerKeyArgs }

// Help is shown by --help.
func (c *statementTrustCmd) Help() string {
	return `An entry in the ledger says so, and so does one that ends it: whoever has the entries can check later why a statement was registered.
Statements are registered at POST /entries of the service (SCITT). Prints {"party","kid","seq"}.`
}

func (c *statementTrustCmd) Run(e *env) error { return c.set(e, true) }

type statementDistrustCmd struct{ issuerKeyArgs }

func (c *statementDistrustCmd) Run(e *env) error { return c.set(e, false) }

func (c *issuerKeyArgs) set(e *env, trusted bool) error {
	party, err := registry.PartyName(c.Party)
	if err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	text, err := os.ReadFile(c.Key)
	if err != nil {
		return fmt.Errorf("read the key: %w", err)
	}
	der, kid, err := ledger.ParseIssuerKey(text)
	if err != nil {
		return fmt.Errorf("%w: %s: %w", errUsage, c.Key, err)
	}
	d, err := e.open()
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.maySign(e.ctx); err != nil {
		return err
	}
	seq, err := registry.Trust(e.ctx, d.store, party, der, trusted, e.now())
	if errors.Is(err, registry.ErrRefused) {
		return fmt.Errorf("%w: %w", errNo, err)
	}
	if err != nil {
		return err
	}
	if _, err := d.sign(e.ctx); err != nil {
		return fmt.Errorf("entry %d says so, and no checkpoint was signed over it: %w", seq, err)
	}
	return e.printJSON(issuerReport{party, base64.RawURLEncoding.EncodeToString(kid), seq})
}

type statementKeysCmd struct {
	Party string `arg:"" help:"The party."`
}

func (c *statementKeysCmd) Run(e *env) error {
	party, err := registry.PartyName(c.Party)
	if err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	d, err := e.openExisting()
	if err != nil {
		return err
	}
	defer d.Close()
	keys, err := registry.IssuerKeys(e.ctx, d.store, party)
	if err != nil {
		return err
	}
	for _, k := range keys {
		if err := e.printJSON(issuerReport{k.Party, base64.RawURLEncoding.EncodeToString(k.Kid), k.Since}); err != nil {
			return err
		}
	}
	return nil
}
