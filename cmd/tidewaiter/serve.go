package main

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"time"

	"github.com/tidewaiter/tidewaiter/api"
	"github.com/tidewaiter/tidewaiter/casework"
	"github.com/tidewaiter/tidewaiter/ledger"
	"github.com/tidewaiter/tidewaiter/publish"
	"github.com/tidewaiter/tidewaiter/registry"
)

type serveCmd struct {
	Listen           string        `help:"Address and port to listen on; 127.0.0.1:8470 by default." default:"127.0.0.1:8470" placeholder:"ADDR"`
	Every            time.Duration `help:"How often a checkpoint is signed over what has arrived; 10s by default." default:"10s" placeholder:"DURATION"`
	TLSCert          string        `name:"tls-cert" help:"Certificate chain in PEM; then TLS is spoken, and nothing else." type:"existingfile" placeholder:"FILE"`
	TLSKey           string        `name:"tls-key" help:"The certificate's private key in PEM." type:"existingfile" placeholder:"FILE"`
	MaxDocumentBytes int64         `help:"Largest document that is taken over HTTP, unpacked; 1073741824 (1 GiB) by default." default:"1073741824" placeholder:"N"`
	MaxEventBytes    int64         `help:"Largest event that is read; 16777216 (16 MiB) by default." default:"16777216" placeholder:"N"`
	MaxCaptures      int           `help:"How many captures there may be at once, of one party half as many; 128 by default." default:"128" placeholder:"N"`
	witnessFlags
}

// Help is shown by --help.
func (c *serveCmd) Help() string {
	return `Takes in events: POST /epcis/capture (a document) and POST /epcis/events (one event), as the EPCIS 2.0 REST binding has it, from whoever has a
credential (tidewaiter credential add). Serves the log to everybody at /log/checkpoint and /log/tile/… (C2SP tlog-tiles), proofs at
/v1/entries/N/proof, and its own health at /healthz and /readyz. Follows the ledger with the views; of several that share a
database, one does that at a time, and another takes over when it dies. Says on stderr where it listens. Stops on SIGTERM or SIGINT, after
the answers that are under way.`
}

func (c *serveCmd) Run(e *env) error {
	if err := c.check(); err != nil {
		return err
	}
	d, err := e.open()
	if err != nil {
		return err
	}
	defer d.Close()
	w, err := d.witnesses(c.witnessFlags)
	if err != nil {
		return err
	}
	if err := d.advance(e.ctx, w); errors.Is(err, publish.ErrNoQuorum) {
		e.say("%v", err) // it may be there soon
	} else if err != nil {
		return err
	}
	listener, scheme, err := c.listen(e)
	if err != nil {
		return err
	}
	e.say("serving %s://%s/log/", scheme, listener.Addr())
	ctx, stop := context.WithCancel(e.ctx)
	defer stop()
	background := d.background(ctx, w, c.Every)
	err = serve(ctx, listener, d.routes(w, c), d.env)
	stop()
	background.Wait() // the store is closed after that
	return err
}

func (c *serveCmd) check() error {
	switch {
	case c.Every <= 0:
		return fmt.Errorf("%w: --every must be more than nothing, such as 10s", errUsage)
	case (c.TLSCert == "") != (c.TLSKey == ""):
		return fmt.Errorf("%w: --tls-cert and --tls-key belong together", errUsage)
	case c.MaxDocumentBytes < 1 || c.MaxEventBytes < 1 || c.MaxCaptures < 1:
		return fmt.Errorf("%w: --max-document-bytes, --max-event-bytes and --max-captures must be at least 1", errUsage)
	}
	return nil
}

// listen opens the port, with TLS where there is a certificate.
func (c *serveCmd) listen(e *env) (listener net.Listener, scheme string, err error) {
	var chain []tls.Certificate
	if c.TLSCert != "" {
		pair, err := tls.LoadX509KeyPair(c.TLSCert, c.TLSKey)
		if err != nil {
			return nil, "", fmt.Errorf("%w: the certificate %s and its key %s: %w", errUsage, c.TLSCert, c.TLSKey, err)
		}
		chain = append(chain, pair)
	}
	var lc net.ListenConfig
	if listener, err = lc.Listen(e.ctx, "tcp", c.Listen); err != nil {
		return nil, "", fmt.Errorf("listen on %s: %w", c.Listen, err)
	}
	if chain != nil {
		config := &tls.Config{Certificates: chain, MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}}
		return tls.NewListener(listener, config), "https", nil
	}
	if at, ok := listener.Addr().(*net.TCPAddr); ok && !at.IP.IsLoopback() {
		e.say("warning: without --tls-cert, tokens and events pass in clear between here and whoever speaks TLS for us")
	}
	return listener, "http", nil
}

// routes says what is served where.
func (d *deployment) routes(w *publish.Witnesses, c *serveCmd) *http.ServeMux {
	mux := http.NewServeMux()
	failed := func(err error) { d.env.say("%v", oneLine(err.Error())) }
	mux.Handle("/log/", http.StripPrefix("/log", d.published(w).Handler(failed)))
	mux.HandleFunc("GET /.well-known/scitt-keys", d.serveKeys)
	mux.HandleFunc("GET /.well-known/scitt-keys/{kid}", d.serveKeys)
	door := api.API{
		Registry: &registry.Registry{Store: d.ledger, Now: d.env.now}, Store: d.store, Log: &servedLog{d: d, published: d.published(w)},
		Credentials: &registry.Credentials{Store: d.store, Now: d.env.now}, SpoolDir: d.spoolDir(), Views: []string{casework.Name},
		MaxDocument: c.MaxDocumentBytes, MaxEvent: c.MaxEventBytes, Captures: c.MaxCaptures, Grace: bodyGrace, Failed: failed,
	}
	mux.Handle("/", door.Handler())
	return mux
}

// serveKeys gives the keys with which COSE Receipts are verified, or the one that is named (SCITT Reference APIs, "Transparency Service
// Keys" and "Individual Transparency Service Key").
func (d *deployment) serveKeys(w http.ResponseWriter, r *http.Request) {
	set, err := d.coseKeys(r.Context(), r.PathValue("kid"))
	status, kind := http.StatusOK, "application/cbor"
	switch {
	case err != nil:
		d.env.say("%v", err)
		status, set = http.StatusInternalServerError, ledger.ConciseProblem("Try again later", "the keys cannot be read at the moment")
	case set == nil:
		status, set = http.StatusNotFound, ledger.ConciseProblem("No such key", "this log has no key with this id")
	}
	if status != http.StatusOK {
		kind = "application/concise-problem-details+cbor"
	}
	w.Header().Set("Content-Type", kind)
	w.WriteHeader(status)
	_, _ = w.Write(set) // whoever hung up does not want to know
}

// coseKeys is the COSE_KeySet of all keys, or of the one with this id in base64url; nil where there is none.
func (d *deployment) coseKeys(ctx context.Context, kid string) ([]byte, error) {
	list, err := d.log.ListKeys(ctx)
	if err != nil {
		return nil, err
	}
	var keys []string
	for _, k := range list {
		keys = append(keys, k.VerifierKey)
	}
	if kid == "" {
		return ledger.COSEKeySet(keys)
	}
	id, err := base64.RawURLEncoding.DecodeString(kid)
	if err != nil {
		return nil, nil //nolint:nilerr // then it names no key
	}
	return ledger.COSEKeyOf(keys, id)
}

// How long a caller may take: to send a header, to send a request, to take the answer, to ask again.
const (
	headerTimeout   = 10 * time.Second
	requestTimeout  = time.Minute      // where it is not said how fast a body must come
	bodyGrace       = 30 * time.Second // see api.MinRate
	answerTimeout   = 5 * time.Minute
	idleTimeout     = 2 * time.Minute
	shutdownTimeout = 20 * time.Second
)

// serve answers until ctx ends, and then ends the answers that are under way.
func serve(ctx context.Context, listener net.Listener, handler http.Handler, e *env) error {
	server := &http.Server{
		Handler: handler, ReadHeaderTimeout: headerTimeout, ReadTimeout: requestTimeout, WriteTimeout: answerTimeout, IdleTimeout: idleTimeout,
		MaxHeaderBytes: 64 << 10, ErrorLog: log.New(plainly{e.stderr}, "tidewaiter: ", 0),
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	if err := server.Shutdown(last); err != nil {
		return errors.Join(fmt.Errorf("stop: some answers were cut off: %w", err), server.Close())
	}
	return nil
}

// say tells the person who runs the service something, on a line of its own.
func (e *env) say(format string, args ...any) {
	fmt.Fprintf(e.stderr, "tidewaiter: "+format+"\n", args...)
}
