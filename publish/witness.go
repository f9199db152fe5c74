package publish

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/tidewaiter/tidewaiter/ledger"
)

// ErrNoQuorum is wrapped when fewer witnesses cosigned than the policy asks for. Nothing is published then.
var ErrNoQuorum = errors.New("no quorum of witnesses")

// Witnesses asks a policy's witnesses to cosign checkpoints (C2SP tlog-witness).
type Witnesses struct {
	Policy  *ledger.Policy
	Hashes  func(ctx context.Context) tlog.HashReader
	Client  *http.Client
	Timeout time.Duration // for one witness
}

// answerLimit is more than the cosignatures of one witness take.
const answerLimit = 64 << 10

// Cosign returns the checkpoint with the cosignatures of all witnesses that gave one, once they are a quorum. before is the
// checkpoint that was cosigned last, or nil: what it shows of a witness saves a question. All witnesses are asked at once, and
// those that do not answer are named in the error; it wraps ErrNoQuorum when it is for them alone that there is none.
func (w *Witnesses) Cosign(ctx context.Context, text []byte, c ledger.Checkpoint, before []byte) ([]byte, error) {
	known := w.known(before)
	lines, faults := make([]string, len(w.Policy.Witnesses)), make([]error, len(w.Policy.Witnesses))
	var all sync.WaitGroup
	for i, witness := range w.Policy.Witnesses {
		if witness.URL == "" {
			faults[i] = errors.New("the policy gives no address for it")
			continue
		}
		all.Go(func() {
			asking, cancel := context.WithTimeout(ctx, w.Timeout)
			defer cancel()
			lines[i], faults[i] = w.ask(asking, witness, text, c, min(known[witness.Name], c.Size))
		})
	}
	all.Wait()
	var because []error
	for i, witness := range w.Policy.Witnesses {
		if faults[i] != nil {
			because = append(because, fmt.Errorf("%s: %w", witness.Name, faults[i]))
		}
	}
	cosigned := append(bytes.Clone(text), strings.Join(lines, "")...)
	if _, err := w.Policy.Witnessed(cosigned); err != nil {
		return nil, errors.Join(fmt.Errorf("%w for the checkpoint over %d entries: the policy asks for %s", ErrNoQuorum, c.Size, w.Policy), errors.Join(because...))
	}
	return cosigned, nil
}

// known is how many entries each witness has seen for sure.
func (w *Witnesses) known(before []byte) map[string]int64 {
	sizes := map[string]int64{}
	cosigned, err := w.Policy.Cosignatures(before)
	if err != nil {
		return sizes // it is a hint only; the witness says better
	}
	body, _, _ := strings.Cut(string(before), "\n\n")
	c, err := ledger.ParseBody(body + "\n")
	if err != nil {
		return sizes
	}
	for _, s := range cosigned {
		sizes[s.Witness] = c.Size
	}
	return sizes
}

// conflictError is a witness's answer that it has seen another size than was said.
type conflictError struct{ seen int64 }

func (e *conflictError) Error() string { return fmt.Sprintf("it has seen %d entries", e.seen) }

// ask submits a checkpoint, and once more when the witness says from which size on it wants the proof.
func (w *Witnesses) ask(ctx context.Context, witness ledger.Witness, text []byte, c ledger.Checkpoint, old int64) (string, error) {
	for try := 0; ; try++ {
		lines, err := w.submit(ctx, witness, text, c, old)
		conflict, ok := errors.AsType[*conflictError](err)
		switch {
		case !ok:
			return lines, err
		case conflict.seen > c.Size:
			return "", fmt.Errorf("it has seen %d entries of this log, and here %d were signed: the ledger was restored from a backup, or two of them sign with one key", conflict.seen, c.Size)
		case conflict.seen == old:
			return "", fmt.Errorf("it has seen another tree of %d entries of this log: a second history was signed", old)
		case try == 3:
			return "", fmt.Errorf("it changes its mind about how many entries it has seen, %d at last", conflict.seen)
		}
		old = conflict.seen
	}
}

// submit is one add-checkpoint request.
func (w *Witnesses) submit(ctx context.Context, witness ledger.Witness, text []byte, c ledger.Checkpoint, old int64) (string, error) {
	proof, err := ledger.ProveConsistency(w.Hashes(ctx), old, c.Size)
	if err != nil {
		return "", err
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "old %d\n", old)
	for _, h := range proof {
		fmt.Fprintf(&b, "%s\n", base64.StdEncoding.EncodeToString(h[:]))
	}
	b.WriteString("\n")
	b.Write(text)
	code, kind, answer, err := w.post(ctx, witness.URL, b.Bytes())
	if err != nil {
		return "", err
	}
	switch code {
	case http.StatusOK:
		return cosignatureLines(text, answer, witness.Key)
	case http.StatusConflict:
		seen, err := strconv.ParseInt(strings.TrimSpace(string(answer)), 10, 64)
		if err != nil || seen < 0 || !strings.HasPrefix(kind, "text/x.tlog.size") {
			return "", fmt.Errorf("it refuses (409), and does not say how many entries it has seen: %.200q", answer)
		}
		return "", &conflictError{seen}
	case http.StatusNotFound:
		return "", fmt.Errorf("it does not know the log %s; ask its operator to add the log, with its key", c.Origin)
	case http.StatusForbidden:
		return "", errors.New("it knows the log, but not the key that signed; ask its operator to add the key")
	case http.StatusUnprocessableEntity:
		return "", fmt.Errorf("it says that the tree of %d entries does not extend that of %d which it saw (422): %.200q", c.Size, old, answer)
	}
	return "", fmt.Errorf("it answers %d: %.200q", code, answer)
}

func (w *Witnesses) post(ctx context.Context, prefix string, body []byte) (code int, kind string, answer []byte, err error) {
	address, err := url.JoinPath(prefix, "add-checkpoint")
	if err != nil {
		return 0, "", nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return 0, "", nil, err
	}
	req.Header.Set("Content-Type", "text/plain; charset=utf-8")
	resp, err := w.Client.Do(req)
	if err != nil {
		return 0, "", nil, err
	}
	defer resp.Body.Close()
	answer, err = io.ReadAll(io.LimitReader(resp.Body, answerLimit))
	return resp.StatusCode, resp.Header.Get("Content-Type"), answer, err
}

// cosignatureLines takes from the answer what the witness's key signed, and nothing else.
func cosignatureLines(text, answer []byte, key note.Verifier) (string, error) {
	n, err := note.Open(append(bytes.Clone(text), answer...), note.VerifierList(key))
	if err != nil {
		return "", fmt.Errorf("its answer is no cosignature of its key %s+%08x: %w", key.Name(), key.KeyHash(), err)
	}
	var lines strings.Builder
	for _, s := range n.Sigs {
		fmt.Fprintf(&lines, "— %s %s\n", s.Name, s.Base64)
	}
	return lines.String(), nil
}
