package sim

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"testing"

	"github.com/tidewaiter/tidewaiter/epcis"
)

// documents makes a world, and gives the digest of all that it writes and how many events that is. Each must be one that the front
// door takes.
func documents(t *testing.T, seed uint64) (digest [32]byte, events int) {
	t.Helper()
	w, err := Generate(DefaultConfig(seed, 400))
	if err != nil {
		t.Fatal(err)
	}
	h := sha256.New()
	err = w.Documents(func(name string, document []byte) error {
		h.Write(document)
		dec := epcis.NewDecoder(bytes.NewReader(document), epcis.Options{})
		for {
			it, err := dec.Next()
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				return err
			}
			if it.Err != nil {
				t.Errorf("seed %d, %s%s: %v", seed, name, it.Pointer, it.Err)
				continue
			}
			if it.Kind != epcis.ItemEvent {
				continue
			}
			events++
			ctx, err := epcis.ParseContext(dec.Context())
			if err == nil {
				_, err = epcis.ParseEvent(it.Raw, ctx)
			}
			if err != nil {
				t.Errorf("seed %d, %s%s: %v", seed, name, it.Pointer, err)
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return [32]byte(h.Sum(nil)), events
}

// A world is a function of its seed, to the byte, and all of it is EPCIS.
func TestWorldsAreOfTheirSeedAndValid(t *testing.T) {
	seen := map[[32]byte]uint64{}
	for seed := range uint64(20) {
		digest, events := documents(t, seed)
		if other, again := seen[digest]; again || events < 1000 {
			t.Errorf("seed %d has %d events, and the same documents as seed %d", seed, events, other)
		}
		seen[digest] = seed
		if again, _ := documents(t, seed); seed < 3 && again != digest {
			t.Errorf("seed %d gives other documents the second time", seed)
		}
	}
}
