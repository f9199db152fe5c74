package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/tidewaiter/tidewaiter/ledger"
	"github.com/tidewaiter/tidewaiter/publish"
)

type serveCmd struct {
	Listen string        `help:"Address and port to listen on; 127.0.0.1:8470 by default." default:"127.0.0.1:8470" placeholder:"ADDR"`
	Every  time.Duration `help:"How often a checkpoint is signed over what has arrived; 10s by default." default:"10s" placeholder:"DURATION"`
	witnessFlags
}

// Help is shown by --help.
func (c *serveCmd) Help() string {
	return `Serves the log at /log/checkpoint and /log/tile/… (C2SP tlog-tiles). Says on stderr where it listens. Stops on SIGTERM or SIGINT, after
the answers that are under way.`
}

func (c *serveCmd) Run(e *env) error {
	if c.Every <= 0 {
		return fmt.Errorf("%w: --every must be more than nothing, such as 10s", errUsage)
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
	var lc net.ListenConfig
	listener, err := lc.Listen(e.ctx, "tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", c.Listen, err)
	}
	e.say("serving http://%s/log/", listener.Addr())
	ctx, stop := context.WithCancel(e.ctx)
	defer stop()
	signed := make(chan struct{})
	go func() {
		defer close(signed)
		d.keepSigning(ctx, w, c.Every)
	}()
	err = serve(ctx, listener, d.routes(w))
	stop()
	<-signed // the store is closed after that
	return err
}

// routes says what is served where.
func (d *deployment) routes(w *publish.Witnesses) *http.ServeMux {
	mux := http.NewServeMux()
	log := d.published(w).Handler(func(err error) { d.env.say("%v", err) })
	mux.Handle("/log/", http.StripPrefix("/log", log))
	mux.HandleFunc("GET /.well-known/scitt-keys", d.serveKeys)
	return mux
}

// serveKeys gives the keys with which COSE Receipts are verified (SCITT Reference APIs, "Transparency Service Keys").
func (d *deployment) serveKeys(w http.ResponseWriter, r *http.Request) {
	list, err := d.log.ListKeys(r.Context())
	var keys []string
	for _, k := range list {
		keys = append(keys, k.VerifierKey)
	}
	set, coseErr := ledger.COSEKeySet(keys)
	if err := errors.Join(err, coseErr); err != nil {
		d.env.say("%v", err)
		http.Error(w, "the keys cannot be read at the moment", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/cbor")
	_, _ = w.Write(set) // whoever hung up does not want to know
}

// keepSigning signs again and again, and says when it cannot.
func (d *deployment) keepSigning(ctx context.Context, w *publish.Witnesses, every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if err := d.advance(ctx, w); err != nil && ctx.Err() == nil {
				d.env.say("%v", err)
			}
		}
	}
}

// How long a caller may take: to send a header, to send a request, to take the answer, to ask again.
const (
	headerTimeout   = 10 * time.Second
	requestTimeout  = 5 * time.Minute // a large document over a slow line
	answerTimeout   = 5 * time.Minute
	idleTimeout     = 2 * time.Minute
	shutdownTimeout = 20 * time.Second
)

// serve answers until ctx ends, and then ends the answers that are under way.
func serve(ctx context.Context, listener net.Listener, handler http.Handler) error {
	server := &http.Server{
		Handler: handler, ReadHeaderTimeout: headerTimeout, ReadTimeout: requestTimeout, WriteTimeout: answerTimeout, IdleTimeout: idleTimeout,
		MaxHeaderBytes: 64 << 10,
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
