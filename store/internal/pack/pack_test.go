package pack

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

const event = `{"type":"ObjectEvent","eventID":"urn:uuid:0d1c0b5a-6e0e-4d7c-9d8c-0c5a3b1f2e4d","eventTime":"2025-06-30T05:28:48.000Z",` +
	`"eventTimeZoneOffset":"+00:00","epcList":["https://id.gs1.org/01/09521000000018/21/1","https://id.gs1.org/01/09521000000018/21/2"],` +
	`"action":"OBSERVE","bizStep":"receiving","disposition":"in_progress","readPoint":{"id":"https://id.gs1.org/414/9521004000014"}}`

func TestAnEventIsPackedToHalfOrLess(t *testing.T) {
	p, ok := Events.Pack([]byte(event))
	if !ok || 2*len(p) > len(event) {
		t.Errorf("%d bytes of %d", len(p), len(event))
	}
}

func TestWhatIsPackedComesBack(t *testing.T) {
	texts := rapid.OneOf(
		rapid.SliceOf(rapid.Byte()),
		rapid.Custom(func(t *rapid.T) []byte { // parts of an event, again and again
			at := rapid.IntRange(0, len(event)-1).Draw(t, "at")
			return []byte(strings.Repeat(event[at:], rapid.IntRange(0, 300).Draw(t, "times")))
		}),
	)
	rapid.Check(t, func(t *rapid.T) {
		text := texts.Draw(t, "text")
		for _, d := range []*Dictionary{Events, States} {
			if p, ok := d.Pack(text); ok {
				if back, err := d.Unpack(p); err != nil || !bytes.Equal(back, text) {
					t.Fatalf("%q came back as %q, %v", text, back, err)
				}
			}
		}
	})
}

func TestBrokenBytesAreAnErrorAndNoPanic(t *testing.T) {
	good, _ := Events.Pack([]byte(event))
	for i := range good {
		for _, flip := range []byte{1, 0x80, 0xff} {
			bad := bytes.Clone(good)
			bad[i] ^= flip
			if text, err := Events.Unpack(bad); err == nil && len(text) > largest {
				t.Errorf("byte %d: %d bytes", i, len(text))
			}
		}
		if text, err := Events.Unpack(good[:i]); err == nil {
			t.Errorf("%d bytes of it are %q", i, text)
		}
	}
	if _, err := Events.Unpack([]byte{0xff, 0xff, 0xff, 0xff, 0x0f}); err == nil {
		t.Error("four gigabytes were believed")
	}
}

// What was packed by an earlier version must be read for ever.
func TestTheDictionariesAreThoseThatWereUsed(t *testing.T) {
	for _, c := range []struct {
		name  string
		words []byte
		sum   string
	}{
		{"event.dict", eventWords, "86d8ac1f2b53e41e0f29a419cbe34258ac5f4253de6fb4299305641f59f5ffea"},
		{"state.dict", stateWords, "3f1c5d35e9df37d530e299ce691a1e61437c45e7414e304cb4f18350a5727f1a"},
	} {
		if got := fmt.Sprintf("%x", sha256.Sum256(c.words)); got != c.sum {
			t.Errorf("%s has changed (%s): what was packed with it can no longer be read; add another dictionary", c.name, got)
		}
	}
}
