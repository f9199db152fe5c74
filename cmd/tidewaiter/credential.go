package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tidewaiter/tidewaiter/registry"
)

type credentialCmd struct {
	Add    credentialAddCmd    `cmd:"" help:"Make a credential, and print its token, once."`
	List   credentialListCmd   `cmd:"" help:"List the credentials, without their tokens, which nobody has but their bearers."`
	Revoke credentialRevokeCmd `cmd:"" help:"End a credential. A service that runs refuses it within a second."`
}

type credentialAddCmd struct {
	Party   string   `arg:"" help:"For whom the bearer speaks: a party's GLN, such as https://id.gs1.org/417/9521234500001."`
	Scope   []string `help:"What it is good for: capture, query, admin (everything), or several with commas; capture by default." default:"capture" placeholder:"SCOPE"`
	Expires moment   `help:"Until when it is good. Without it, until it is revoked." placeholder:"TIME"`
}

// Help is shown by --help.
func (c *credentialAddCmd) Help() string {
	return `Prints the token on stdout and everything else on stderr. The token is shown this once: what is kept is its SHA-256, beside the ledger and
in no entry, where all nodes that share the ledger see it.`
}

// credentialReport is what add and list print with --json.
type credentialReport struct {
	ID      string           `json:"id"`
	Party   string           `json:"party"`
	Scopes  []registry.Scope `json:"scopes"`
	Status  string           `json:"status"` // good, expired, revoked
	Created string           `json:"created"`
	Expires string           `json:"expires,omitempty"`
	Revoked string           `json:"revoked,omitempty"`
	Token   string           `json:"token,omitempty"`
}

func reportCredential(c registry.Credential, now time.Time) credentialReport {
	r := credentialReport{ID: c.ID, Party: c.Party, Scopes: c.Scopes, Status: "good", Created: stamp(c.Created), Expires: stampOrNothing(c.Expires), Revoked: stampOrNothing(c.Revoked)}
	switch {
	case !c.Revoked.IsZero():
		r.Status = "revoked"
	case !c.Good(now):
		r.Status = "expired"
	}
	return r
}

// end says until when a credential is good that is good now.
func (r credentialReport) end() string {
	if r.Status != "good" || r.Expires == "" {
		return ""
	}
	return "  until " + r.Expires
}

func (c *credentialAddCmd) Run(e *env) error {
	var scopes []registry.Scope
	for _, word := range c.Scope {
		s := registry.Scope(strings.TrimSpace(word))
		if !slices.Contains(registry.Scopes, s) {
			return fmt.Errorf("%w: --scope: %q is none of capture, query, admin", errUsage, word)
		}
		scopes = append(scopes, s)
	}
	if _, err := registry.PartyName(c.Party); err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	d, err := e.open()
	if err != nil {
		return err
	}
	defer d.Close()
	token, made, err := d.credentials().Add(e.ctx, c.Party, scopes, c.Expires.Time)
	if err != nil {
		return err
	}
	if e.cli.JSON {
		r := reportCredential(made, e.now())
		r.Token = token
		return e.printJSON(r)
	}
	e.say("credential %s speaks for %s (%s); its token is shown this once", made.ID, made.Party, joinScopes(made.Scopes))
	return e.printf("%s\n", token)
}

func (d *deployment) credentials() *registry.Credentials {
	return &registry.Credentials{Store: d.store, Now: d.env.now}
}

func joinScopes(scopes []registry.Scope) string {
	var words []string
	for _, s := range scopes {
		words = append(words, string(s))
	}
	return strings.Join(words, ", ")
}

type credentialListCmd struct{}

func (c *credentialListCmd) Run(e *env) error {
	d, err := e.openExisting()
	if err != nil {
		return err
	}
	defer d.Close()
	list, err := d.credentials().List(e.ctx)
	if err != nil {
		return err
	}
	for _, one := range list {
		r := reportCredential(one, e.now())
		if e.cli.JSON {
			err = e.printJSON(r)
		} else {
			err = e.printf("%s  %-7s  %s  %s%s\n", r.ID, r.Status, r.Party, joinScopes(r.Scopes), r.end())
		}
		if err != nil {
			return err
		}
	}
	return nil
}

type credentialRevokeCmd struct {
	ID string `arg:"" name:"id" help:"The credential's id, as 'credential list' shows it."`
}

func (c *credentialRevokeCmd) Run(e *env) error {
	d, err := e.openExisting()
	if err != nil {
		return err
	}
	defer d.Close()
	gone, err := d.credentials().Revoke(e.ctx, c.ID)
	if errors.Is(err, registry.ErrNoCredential) {
		return fmt.Errorf("%w: %w", errNo, err)
	}
	if err != nil {
		return err
	}
	if e.cli.JSON {
		return e.printJSON(reportCredential(gone, e.now()))
	}
	return e.printf("%s is revoked; services refuse it within a second\n", gone.ID)
}
