package ledger_test

import (
	"errors"
	"testing"
	"time"

	"github.com/tidewaiter/tidewaiter/ledger"
)

func TestValidate(t *testing.T) {
	for want, change := range map[string]func(e *ledger.Entry){
		"needs a kind":          func(e *ledger.Entry) { e.Kind = "" },
		`UTF-8: "\xff"`:         func(e *ledger.Entry) { e.Kind = "\xff" },
		`UTF-8: "event", "\xff`: func(e *ledger.Entry) { e.Speaker = "\xff" },
		`"\xed\xa0\x80"`:        func(e *ledger.Entry) { e.Name = "\xed\xa0\x80" }, // half a surrogate pair
		"years 0 to 9999":       func(e *ledger.Entry) { e.Recorded = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) },
		"-0001-12-31":           func(e *ledger.Entry) { e.Recorded = time.Date(-1, 12, 31, 23, 59, 59, 0, time.UTC) },
	} {
		e := entry(7)
		if err := e.Validate(); err != nil {
			t.Fatal(err)
		}
		change(&e)
		wantError(t, e.Validate(), want)
	}
}

func TestDamagedErrorNamesTheEntryAndKeepsTheCause(t *testing.T) {
	cause := errors.New("a byte has gone")
	err := &ledger.DamagedError{Seq: 7, Err: cause}
	wantError(t, err, "entry 7", "a byte has gone", "log fsck", "backup")
	if !errors.Is(err, cause) {
		t.Error("the cause is lost")
	}
}
