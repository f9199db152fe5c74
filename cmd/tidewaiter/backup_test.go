package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/tidewaiter/tidewaiter/ledger"
	"github.com/tidewaiter/tidewaiter/registry"
	"github.com/tidewaiter/tidewaiter/store"
	"github.com/tidewaiter/tidewaiter/store/sqlite"
)

// TestBackupWhileCapturing takes one backup after the other while a process captures. Each of them holds every document that was
// acknowledged before it was begun, and each document as a whole or not at all.
func TestBackupWhileCapturing(t *testing.T) {
	data, inbox := filepath.Join(t.TempDir(), "data"), t.TempDir()
	process(t, "--data", data, "capture", "--trust-record-time", crashDocument(t, inbox, 0))
	var mu sync.Mutex
	acknowledged, done := int64(eventsEach), make(chan struct{})
	go func() {
		defer close(done)
		for n := 1; n <= 40; n++ {
			var out, errs bytes.Buffer
			if code := run(context.Background(), []string{"--data", data, "capture", "--trust-record-time", crashDocument(t, inbox, n)}, nil, &out, &errs); code != exitDone {
				t.Errorf("capture: exit code %d: %s", code, errs.String())
				return
			}
			mu.Lock()
			acknowledged += eventsEach
			mu.Unlock()
		}
	}()
	for n := 0; ; n++ {
		mu.Lock()
		before := acknowledged
		mu.Unlock()
		file := filepath.Join(t.TempDir(), fmt.Sprint(n, ".backup"))
		report := decode[backupReport](t, process(t, "--data", data, "backup", "--with-key", file))
		if report.Entries < before || report.Entries%eventsEach != 0 {
			t.Errorf("%d entries; %d were acknowledged before", report.Entries, before)
		}
		copied := filepath.Join(t.TempDir(), "restored")
		process(t, "--data", copied, "restore", file)
		if got := sound(t, copied); got.Entries != report.Entries || got.Root != report.Root {
			t.Errorf("restored %+v from %+v", got, report)
		}
		select {
		case <-done:
			t.Logf("%d backups meanwhile", n+1)
			return
		default:
		}
	}
}

// A backup that is killed leaves nothing that looks like one.
func TestKilledWhileBackingUp(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	process(t, "--data", data, "capture", crashDocument(t, t.TempDir(), 0))
	for n := range 8 {
		file := filepath.Join(t.TempDir(), "a.backup")
		cmd := command(t, "--data", data, "backup", file)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(n*10) * time.Millisecond)
		_ = cmd.Process.Kill() // unless it is done
		_ = cmd.Wait()
		if _, err := os.Stat(file); err == nil {
			process(t, "--data", filepath.Join(t.TempDir(), "restored"), "restore", file)
		}
	}
	sound(t, data)
}

// A disk that stalls holds a writer up in the middle of its transaction. Another one gives up after a while, by name, keeps nothing, and
// succeeds when the disk has come back.
func TestStalledWriter(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	slow, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer slow.Close()
	quick, err := sqlite.Open(t.Context(), path, sqlite.Options{Wait: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer quick.Close()
	stalled(t, slow, func() {
		if _, err := registry.Sweep(t.Context(), quick, time.Now()); !errors.Is(err, store.ErrBusy) {
			t.Errorf("while the disk stalls: %v", err)
		}
	})
	if seq, err := registry.Sweep(t.Context(), quick, time.Now()); err != nil || seq != 1 {
		t.Errorf("afterwards: entry %d, %v", seq, err)
	}
}

// stalled runs fn while a writer has begun and does not come to its end.
func stalled(t *testing.T, st store.Ledger, fn func()) {
	t.Helper()
	err := st.Append(t.Context(), func(tx store.Appender) error {
		e := ledger.Entry{Kind: ledger.KindSweep, Recorded: time.Unix(1, 0), Body: []byte("{}")}
		_, err := tx.Append(e, store.Key{1})
		fn()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestDoctorJudgesTheDisk(t *testing.T) {
	for took, want := range map[time.Duration]string{time.Millisecond: "ok", 200 * time.Millisecond: "warn", time.Minute: "fail"} {
		v := &doctor{}
		if v.judgeDisk(took); len(v.list) != 1 || v.list[0].Status != want {
			t.Errorf("%s: %+v, want %s", took, v.list, want)
		}
	}
}
