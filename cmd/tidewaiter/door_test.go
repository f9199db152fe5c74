package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	bignum "math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

const theMaker = "https://id.gs1.org/417/9521234500001"

// token makes a credential for a party.
func token(t *testing.T, data, party string) string {
	t.Helper()
	return strings.TrimSpace(process(t, "--data", data, "credential", "add", party))
}

// send posts a body with a token.
func (s *service) send(client *http.Client, path, token string, body io.Reader) answer {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.url+path, body)
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Proto, resp.Header.Get("Location"), string(text)}
}

// answer is what these tests read of a response.
type answer struct {
	status                int
	proto, location, text string
}

func world(t *testing.T) io.Reader {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "world.json"))
	if err != nil {
		t.Fatal(err)
	}
	return bytes.NewReader(text)
}

// eventually waits until it holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("20 seconds, and still not: %s", what)
		}
	}
}

// What comes over HTTP is in the ledger, said by the credential's party; the views follow by themselves; jobs survive the service.
func TestCaptureOverHTTP(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	mine := token(t, data, theMaker)
	s := startService(t, data, "--every", "50ms")
	kept := s.send(http.DefaultClient, "/epcis/capture", mine, world(t))
	job := kept.location
	if kept.status != http.StatusAccepted || !strings.Contains(kept.text, `"accepted":11,`) {
		t.Fatalf("%d %s", kept.status, kept.text)
	}
	eventually(t, "the views have followed, and it is published", func() bool {
		code, state := s.get("/readyz")
		return code == http.StatusOK && strings.Contains(state, `"entries":11,"published":11,"views":[{"view":"main","behind":0}]`)
	})
	process(t, "--data", data, "credential", "revoke", strings.Split(mine, "_")[1])
	eventually(t, "the token is refused", func() bool {
		return s.send(http.DefaultClient, "/epcis/capture", mine, world(t)).status == http.StatusUnauthorized
	})
	s.stop()
	s = startService(t, data)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+job, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token(t, data, theMaker))
	again, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Body.Close()
	if text, err := io.ReadAll(again.Body); err != nil || again.StatusCode != http.StatusOK || !strings.Contains(string(text), `"accepted":11,`) {
		t.Errorf("the job, after a restart: %d %s (%v)", again.StatusCode, text, err)
	}
	s.stop()
	sound(t, data)
	if trace := process(t, "--data", data, "--json", "log", "proof", "3"); !strings.Contains(trace, theMaker) {
		t.Errorf("entry 3: %s", trace)
	}
}

// A service that is asked to end finishes what it has begun to take in, and takes in nothing new.
func TestEndWhileCapturing(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	mine := token(t, data, theMaker)
	s := startService(t, data)
	document, err := io.ReadAll(world(t))
	if err != nil {
		t.Fatal(err)
	}
	body, writing := io.Pipe()
	answered := make(chan answer, 1)
	go func() {
		answered <- s.send(http.DefaultClient, "/epcis/capture", mine, body)
	}()
	if _, err := writing.Write(document[:1000]); err != nil {
		t.Fatal(err)
	}
	time.Sleep(100 * time.Millisecond)
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the port is closed", func() bool {
		conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
		if err == nil {
			conn.Close()
		}
		return err != nil
	})
	if _, err := writing.Write(document[1000:]); err != nil {
		t.Fatal(err)
	}
	writing.Close()
	if a := <-answered; a.status != http.StatusAccepted || !strings.Contains(a.text, `"accepted":11,`) {
		t.Errorf("%d %s", a.status, a.text)
	}
	if err := s.cmd.Wait(); err != nil {
		t.Errorf("the service ended with %v", err)
	}
	if r := sound(t, data); r.Entries != 11 {
		t.Errorf("%+v", r)
	}
}

// certificate writes a certificate for this machine, and its key.
func certificate(t *testing.T) (cert, key string, pool *x509.CertPool) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: bignum.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	dir, pool := t.TempDir(), x509.NewCertPool()
	pemCert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	pool.AppendCertsFromPEM(pemCert)
	return writeFile(t, dir, "cert.pem", pemCert), writeFile(t, dir, "key.pem", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})), pool
}

func TestServeTLS(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	mine := token(t, data, theMaker)
	cert, key, pool := certificate(t)
	s := startService(t, data, "--tls-cert", cert, "--tls-key", key)
	if !strings.HasPrefix(s.url, "https://") {
		t.Fatal(s.url)
	}
	for name, protocol := range map[string]bool{"HTTP/2.0": true, "HTTP/1.1": false} {
		client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: protocol}}
		event := fmt.Sprintf(`{"type":"ObjectEvent","action":"OBSERVE","eventTime":"2026-03-11T08:00:00Z","eventTimeZoneOffset":"+00:00","epcList":["urn:x:%s"]}`, name)
		a := s.send(client, "/epcis/events", mine, strings.NewReader(event))
		if a.status != http.StatusCreated || a.proto != name {
			t.Errorf("%s: %s %d %s", name, a.proto, a.status, a.text)
		}
		client.CloseIdleConnections()
	}
	s.stop()
	for _, flags := range [][]string{{"--tls-cert", cert}, {"--tls-key", key}, {"--tls-cert", key, "--tls-key", cert}, {"--max-captures", "0"}} {
		if r := finish(t, command(t, append([]string{"--data", data, "serve", "--listen", "127.0.0.1:0"}, flags...)...)); r.code != exitUsage {
			t.Errorf("%v: %+v", flags, r)
		}
	}
}
