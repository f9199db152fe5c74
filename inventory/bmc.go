package inventory

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// BMC says how to read the Redfish tree of a live management controller. Only GET is ever sent, only to this host.
type BMC struct {
	URL      string // https://HOST[:PORT], with or without /redfish/v1
	User     string // for basic authentication; empty for none
	Password string
	Insecure bool          // accept any certificate: whoever answers may be somebody else
	Timeout  time.Duration // of one request; 0 is 30 seconds
}

// bmc is a BMC, opened.
type bmc struct {
	base   url.URL
	auth   BMC
	client *http.Client
}

// Open checks the address and returns the tree. Nothing is sent yet.
func (b BMC) Open() (Source, error) {
	u, err := url.Parse(b.URL)
	if err != nil {
		return nil, fmt.Errorf("reading the BMC's address: %w", err)
	}
	switch {
	case u.Scheme != "https" && u.Scheme != "http" || u.Host == "":
		return nil, fmt.Errorf("the BMC's address %q is not https://HOST", b.URL)
	case u.User != nil:
		return nil, errors.New("the BMC's address holds a user or password, which others on this machine could read: " +
			"use --user and TIDEWAITER_BMC_PASSWORD")
	case strings.TrimSuffix(strings.TrimSuffix(u.Path, "/"), rootPath) != "":
		return nil, fmt.Errorf("the BMC's address has the path %q: a Redfish tree begins at %s", u.Path, rootPath)
	}
	if b.Timeout == 0 {
		b.Timeout = 30 * time.Second
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{InsecureSkipVerify: b.Insecure}
	s := &bmc{base: url.URL{Scheme: u.Scheme, Host: u.Host}, auth: b}
	s.client = &http.Client{Transport: transport, Timeout: b.Timeout, CheckRedirect: s.checkRedirect}
	return s, nil
}

func (s *bmc) checkRedirect(next *http.Request, via []*http.Request) error {
	if next.URL.Scheme != s.base.Scheme || next.URL.Host != s.base.Host {
		return fmt.Errorf("sent away to another host (%s)", next.URL.Host)
	}
	if len(via) >= 3 {
		return errors.New("sent on more than three times")
	}
	return nil
}

func (s *bmc) Get(ctx context.Context, path string) ([]byte, error) {
	ref, err := url.Parse(path)
	if err != nil || ref.Host != "" || ref.Scheme != "" {
		return nil, fmt.Errorf("%q is not a path on this host", path)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.base.ResolveReference(ref).String(), nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("OData-Version", "4.0") // DSP0266 §6.5
	if s.auth.User != "" {
		req.SetBasicAuth(s.auth.User, s.auth.Password)
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return nil, unreachable(ctx, err)
	}
	defer resp.Body.Close()
	if err := s.refusal(resp.StatusCode); err != nil {
		return nil, err
	}
	body, err := readBounded(resp.Body)
	if err != nil && ctx.Err() == nil && isTimeout(err) {
		return nil, unreachable(ctx, err)
	}
	return body, err
}

// unreachable tells a BMC that does not answer from a caller who no longer waits, and leaves the address out of the message.
func unreachable(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if wrapped := (*url.Error)(nil); errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	return fmt.Errorf("%w: %w", ErrUnreachable, err)
}

func isTimeout(err error) bool {
	var t interface{ Timeout() bool }
	return errors.As(err, &t) && t.Timeout()
}

// refusal is the error for an answer that holds no resource, or nil.
func (s *bmc) refusal(status int) error {
	switch {
	case status == http.StatusOK:
		return nil
	case status == http.StatusNotFound:
		return fmt.Errorf("the BMC has no such resource (404): %w", fs.ErrNotExist)
	case status == http.StatusUnauthorized && s.auth.User == "":
		return errors.New("the BMC asks who is reading (401): give --user, and the password in TIDEWAITER_BMC_PASSWORD")
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return fmt.Errorf("the BMC refuses user %q (%d): check the password in TIDEWAITER_BMC_PASSWORD and the user's role", s.auth.User, status)
	}
	return fmt.Errorf("the BMC answered %d %s", status, http.StatusText(status))
}
