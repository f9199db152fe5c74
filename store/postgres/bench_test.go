package postgres_test

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tidewaiter/tidewaiter/ledger"
	"github.com/tidewaiter/tidewaiter/store"
	"github.com/tidewaiter/tidewaiter/store/postgres"
	"github.com/tidewaiter/tidewaiter/store/postgres/pgtest"
	"github.com/tidewaiter/tidewaiter/store/storetest"
)

// perAppend is how many entries one transaction of the benchmarks has.
const perAppend = 1000

// kilobyte makes an entry with a body of 1 KB that does not compress, and with a name and a key that are random to an index.
func kilobyte(n int) (ledger.Entry, store.Key) {
	e, _ := storetest.Entry(n)
	e.Body = make([]byte, 1024)
	rand.Read(e.Body)
	key := sha256.Sum256(binary.BigEndian.AppendUint64(nil, uint64(n)))
	e.Name = fmt.Sprintf("ni:///sha-256;%x?ver=CBV2.0", sha256.Sum256(key[:]))
	return e, key
}

// appendKilobytes appends n entries, as capture does: it asks for the keys and the names first.
func appendKilobytes(b *testing.B, s *postgres.Store, first, n int) {
	b.Helper()
	err := s.Append(b.Context(), func(tx store.Appender) error {
		entries, keys, names := make([]ledger.Entry, n), make([]store.Key, n), make([]string, n)
		for i := range n {
			entries[i], keys[i] = kilobyte(first + i)
			names[i] = entries[i].Name
		}
		if err := store.Foresee(tx, keys, names); err != nil {
			return err
		}
		for i, e := range entries {
			if _, _, err := tx.Seen(keys[i]); err != nil {
				return err
			}
			if _, err := tx.Named(e.Name); err != nil {
				return err
			}
			if _, err := tx.Append(e, keys[i]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
}

// BenchmarkAppend appends 1000 entries a transaction. Of the same rows, in the same run and as many in a transaction, ratio is to
// COPY into a table that has their columns and nothing else, and indexed to COPY into one with the same indexes.
func BenchmarkAppend(b *testing.B) {
	url := pgtest.Database(b)
	s := open(b, url, postgres.Options{})
	n := 0
	before := ask(b, url, "SELECT pg_current_wal_lsn() - '0/0'::pg_lsn")
	for b.Loop() {
		appendKilobytes(b, s, n, perAppend)
		n += perAppend
	}
	rate := float64(n) / b.Elapsed().Seconds()
	b.ReportMetric((ask(b, url, "SELECT pg_current_wal_lsn() - '0/0'::pg_lsn")-before)/float64(n), "wal-bytes/entry")
	b.ReportMetric(rate, "entries/s")
	b.ReportMetric(rate/rawCopy(b, url, n, ""), "ratio")
	b.ReportMetric(rate/rawCopy(b, url, n, "INCLUDING INDEXES"), "indexed")
	b.ReportMetric(size(b, url)/float64(n), "bytes/entry")
}

// rawCopy copies the entries' rows into a table that is like theirs, and gives the rate.
func rawCopy(b *testing.B, url string, n int, like string) float64 {
	b.Helper()
	conn, err := pgx.Connect(b.Context(), url)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close(b.Context())
	if _, err := conn.Exec(b.Context(), "DROP TABLE IF EXISTS bare; CREATE TABLE bare (LIKE tidewaiter.entries "+like+")"); err != nil {
		b.Fatal(err)
	}
	var spent time.Duration
	for at := 0; at < n; at += perAppend {
		var rows bytes.Buffer
		query := fmt.Sprintf("COPY (SELECT * FROM tidewaiter.entries WHERE seq >= %d AND seq < %d) TO STDOUT (FORMAT binary)", at, at+perAppend)
		if _, err := conn.PgConn().CopyTo(b.Context(), &rows, query); err != nil {
			b.Fatal(err)
		}
		begun := time.Now()
		done, err := conn.PgConn().CopyFrom(b.Context(), &rows, "COPY bare FROM STDIN (FORMAT binary)")
		spent += time.Since(begun)
		if err != nil || done.RowsAffected() != perAppend {
			b.Fatalf("%v, %v", done, err)
		}
	}
	return float64(n) / spent.Seconds()
}

// size is what the store's tables take on the disk, with their indexes.
func size(b *testing.B, url string) float64 {
	b.Helper()
	return ask(b, url, "SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'tidewaiter' AND c.relkind = 'r'")
}

// ask asks the database for a number.
func ask(b *testing.B, url, query string) (n float64) {
	b.Helper()
	conn, err := pgx.Connect(b.Context(), url)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close(b.Context())
	if err := conn.QueryRow(b.Context(), query).Scan(&n); err != nil {
		b.Fatal(err)
	}
	return n
}

// BenchmarkAppendOne appends one entry a transaction: what a single check-in costs.
func BenchmarkAppendOne(b *testing.B) {
	s := open(b, pgtest.Database(b), postgres.Options{})
	n := 0
	for b.Loop() {
		err := s.Append(b.Context(), func(tx store.Appender) error {
			e, key := kilobyte(n)
			n++
			_, err := tx.Append(e, key)
			return err
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "entries/s")
}

// BenchmarkCommit commits what 1000 entries change in a view: five rows of 300 bytes each, half of them there already.
func BenchmarkCommit(b *testing.B) {
	const rowsPerEntry = 5
	url := pgtest.Database(b)
	s := open(b, url, postgres.Options{})
	value := make([]byte, 300)
	var at, made int64
	for b.Loop() {
		changes := make(map[string][]byte, perAppend*rowsPerEntry)
		for i := range perAppend * rowsPerEntry {
			n := made
			if i%2 == 1 && made > 0 {
				n = int64(binary.BigEndian.Uint32(value[:4])) % made // some row from before
			} else {
				made++
			}
			rand.Read(value)
			h := sha256.Sum256(binary.BigEndian.AppendUint64(nil, uint64(n)))
			changes[fmt.Sprintf("unit/https://id.gs1.org/01/09521321000013/21/%x", h[:6])] = append([]byte(nil), value...)
		}
		if err := s.Commit(b.Context(), "v", at, at+perAppend, changes); err != nil {
			b.Fatal(err)
		}
		at += perAppend
	}
	b.ReportMetric(float64(at)/b.Elapsed().Seconds(), "entries/s")
	b.ReportMetric(size(b, url)/float64(made), "bytes/row")
}

// BenchmarkEntries reads entries in order, as a follower does.
func BenchmarkEntries(b *testing.B) {
	s := open(b, pgtest.Database(b), postgres.Options{})
	const n = 20000
	appendKilobytes(b, s, 0, n)
	read := 0
	for b.Loop() {
		if err := s.Entries(b.Context(), 0, n, func(ledger.Entry) error { read++; return nil }); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(read)/b.Elapsed().Seconds(), "entries/s")
}

// BenchmarkGet reads one row of a hundred thousand, as a view does for each unit that it has not met before.
func BenchmarkGet(b *testing.B) {
	s := open(b, pgtest.Database(b), postgres.Options{})
	const n = 100000
	key := func(i int) string { return fmt.Sprintf("unit/https://id.gs1.org/01/09521321000013/21/%x", i) }
	changes := make(map[string][]byte, n)
	for i := range n {
		changes[key(i)] = make([]byte, 300)
	}
	if err := s.Commit(b.Context(), "v", 0, 0, changes); err != nil {
		b.Fatal(err)
	}
	rows := s.Rows(b.Context(), "v")
	i := 0
	for b.Loop() {
		if v, err := rows.Get(key(i * 7919 % n)); v == nil || err != nil {
			b.Fatal(err)
		}
		i++
	}
}

// BenchmarkHead asks where the ledger ends, as each read that catches up does.
func BenchmarkHead(b *testing.B) {
	s := open(b, pgtest.Database(b), postgres.Options{})
	for b.Loop() {
		if _, err := s.Head(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}
