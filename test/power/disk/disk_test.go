package disk_test

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/tidewaiter/tidewaiter/test/power/disk"
)

const sector = 512

// file makes a file whose name and content are durable.
func file(t *testing.T, d *disk.Disk, name string, content []byte) uint64 {
	t.Helper()
	i, errno := d.Make(disk.Root, name, false, 0o600, 0, 0)
	if errno != 0 {
		t.Fatal(errno)
	}
	write(t, d, i.Ino, 0, content)
	d.Settle()
	return i.Ino
}

func write(t *testing.T, d *disk.Disk, ino uint64, at int64, content []byte) {
	t.Helper()
	if errno := d.Write(ino, at, content); errno != 0 {
		t.Fatal(errno)
	}
}

func content(d *disk.Disk, ino uint64) []byte {
	i, errno := d.Stat(ino)
	if errno != 0 {
		return nil
	}
	text := make([]byte, i.Size)
	return text[:d.Read(ino, 0, text)]
}

// after gives what is left by many cuts, each with a seed of its own.
func after(d *disk.Disk) []*disk.Disk {
	var all []*disk.Disk
	for seed := range uint64(400) {
		all = append(all, d.Cut(rand.New(rand.NewPCG(seed, 0)), d.Habits))
	}
	return all
}

func fill(b byte) []byte { return bytes.Repeat([]byte{b}, disk.PageSize) }

func TestWhatWasSyncedIsThere(t *testing.T) {
	d := disk.New(disk.Habits{Sector: sector})
	ino := file(t, d, "f", fill('a'))
	write(t, d, ino, 100, []byte("changed"))
	d.Sync(ino)
	want := content(d, ino)
	for _, left := range after(d) {
		if got := content(left, ino); !bytes.Equal(got, want) {
			t.Fatalf("%q", got)
		}
	}
}

// Each sector is as it was at one of the times since the sync, whatever its neighbours are.
func TestWhatWasNotSyncedIsCutAndReordered(t *testing.T) {
	d := disk.New(disk.Habits{Sector: sector})
	ino := file(t, d, "f", fill('a'))
	write(t, d, ino, 0, fill('b'))
	write(t, d, ino, 0, fill('c'))
	seen := map[string]bool{}
	for _, left := range after(d) {
		got := content(left, ino)
		mixed := ""
		for at := 0; at < len(got); at += sector {
			if b := got[at : at+sector]; bytes.Count(b, b[:1]) != sector {
				t.Fatalf("a sector is torn: %q", b)
			}
			mixed += string(got[at])
		}
		seen[mixed] = true
	}
	if !seen["aaaaaaaa"] || len(seen) < 50 {
		t.Errorf("only %d outcomes, none lost: %t", len(seen), !seen["aaaaaaaa"])
	}
	later := false
	for s := range seen {
		later = later || s[0] == 'c' && s[7] == 'a' // the second write is there, and the first is not
	}
	if !later {
		t.Error("no later write survived where an earlier one did not")
	}
}

func TestSizeIsOneThatItHad(t *testing.T) {
	d := disk.New(disk.Habits{Sector: sector})
	ino := file(t, d, "f", []byte("0123456789"))
	write(t, d, ino, 10, []byte("abc"))
	if errno := d.Truncate(ino, 4); errno != 0 {
		t.Fatal(errno)
	}
	sizes := map[int]int{}
	for _, left := range after(d) {
		sizes[len(content(left, ino))]++
	}
	if sizes[10] == 0 || sizes[13] == 0 || sizes[4] == 0 || len(sizes) != 3 {
		t.Errorf("sizes and how often: %v", sizes)
	}
}

// What was never written out may show what was deleted before; never what no file had.
func TestStaleRoom(t *testing.T) {
	d := disk.New(disk.Habits{Sector: sector, Stale: true})
	ino := file(t, d, "f", nil)
	file(t, d, "old", fill('x'))
	if errno := d.Remove(disk.Root, "old", false); errno != 0 {
		t.Fatal(errno)
	}
	d.Sync(disk.Root)
	gone := file(t, d, "older", fill('y'))
	if errno := d.Truncate(gone, 0); errno != 0 {
		t.Fatal(errno)
	}
	d.Settle()
	write(t, d, ino, 0, fill('n'))
	stale := false
	for _, left := range after(d) {
		got := content(left, ino)
		stale = stale || bytes.Contains(got, []byte("y"))
		if bytes.Trim(got, "xyn\x00") != nil && len(bytes.Trim(got, "xyn\x00")) > 0 {
			t.Fatalf("%q", got)
		}
	}
	if !stale {
		t.Error("nothing stale was ever seen")
	}
}

// outcomes tells which of the names are there after cuts, and how often.
func outcomes(d *disk.Disk, names ...string) map[string]int {
	seen := map[string]int{}
	for _, left := range after(d) {
		there := ""
		for _, name := range names {
			if _, errno := left.Lookup(disk.Root, name); errno == 0 {
				there += name
			}
		}
		seen[there]++
	}
	return seen
}

func TestNames(t *testing.T) {
	for _, test := range []struct {
		names  disk.Names
		synced bool // the file, not its folder
		want   []string
	}{
		{disk.Each, false, []string{"", "a", "b", "ab"}},
		{disk.Each, true, []string{"", "a", "b", "ab"}}, // a file's sync is not its name's
		{disk.InOrder, false, []string{"", "a", "ab"}},
		{disk.InOrder, true, []string{"ab"}},
	} {
		d := disk.New(disk.Habits{Sector: sector, Names: test.names})
		_, errno := d.Make(disk.Root, "a", false, 0o600, 0, 0)
		b, errno2 := d.Make(disk.Root, "b", false, 0o600, 0, 0)
		if errno != 0 || errno2 != 0 {
			t.Fatal(errno, errno2)
		}
		if test.synced {
			d.Sync(b.Ino)
		}
		seen := outcomes(d, "a", "b")
		for _, want := range test.want {
			if seen[want] == 0 {
				t.Errorf("names %s, synced %t: never %q in %v", test.names, test.synced, want, seen)
			}
		}
		if len(seen) != len(test.want) {
			t.Errorf("names %s, synced %t: %v", test.names, test.synced, seen)
		}
		d.Sync(disk.Root)
		if seen := outcomes(d, "a", "b"); len(seen) != 1 || seen["ab"] == 0 {
			t.Errorf("after a sync of the folder: %v", seen)
		}
	}
}

// A rename happens as a whole: under one of the two names the file is always there, and what it replaces is never half gone.
func TestRename(t *testing.T) {
	for _, names := range []disk.Names{disk.Each, disk.InOrder} {
		d := disk.New(disk.Habits{Sector: sector, Names: names})
		file(t, d, "f", []byte("old"))
		n := file(t, d, "n", []byte("new"))
		if errno := d.Rename(disk.Root, "n", disk.Root, "f"); errno != 0 {
			t.Fatal(errno)
		}
		renamed := 0
		for _, left := range after(d) {
			f, errno := left.Lookup(disk.Root, "f")
			_, still := left.Lookup(disk.Root, "n")
			if errno != 0 || (f.Ino == n) == (still == 0) {
				t.Fatalf("names %s: f is there: %v, and n: %v", names, errno, still)
			}
			if f.Ino == n {
				renamed++
			}
		}
		if renamed == 0 || renamed == 400 {
			t.Errorf("names %s: renamed in %d of 400 cuts", names, renamed)
		}
	}
}

// After a sync that failed, one that succeeds does not bring back what was written before.
func TestFailedSyncForgets(t *testing.T) {
	d := disk.New(disk.Habits{Sector: 4096})
	ino := file(t, d, "f", fill('a'))
	lost := 0
	for seed := range uint64(50) {
		write(t, d, ino, 0, fill('b'))
		if errno := d.FailedSync(ino, rand.New(rand.NewPCG(seed, 0))); errno == 0 {
			t.Fatal("it did not fail")
		}
		if got := content(d, ino); got[0] != 'b' {
			t.Fatal("processes should see what they wrote")
		}
		d.Sync(ino)
		if left := d.Cut(rand.New(rand.NewPCG(seed, 1)), d.Habits); content(left, ino)[0] == 'a' {
			lost++
		}
		write(t, d, ino, 0, fill('a'))
		d.Sync(ino)
	}
	if lost == 0 {
		t.Error("nothing was ever lost")
	}
}

// With one seed the same happens again.
func TestSeedsRepeat(t *testing.T) {
	d := disk.New(disk.Habits{Sector: sector, Names: disk.Each})
	for _, name := range []string{"a", "b", "c", "d"} {
		i, errno := d.Make(disk.Root, name, false, 0o600, 0, 0)
		if errno != 0 {
			t.Fatal(errno)
		}
		for at := range int64(20) {
			write(t, d, i.Ino, at*1000, bytes.Repeat([]byte{byte(at)}, 3000))
		}
	}
	for seed := range uint64(20) {
		one, two := d.Cut(rand.New(rand.NewPCG(seed, 0)), d.Habits), d.Cut(rand.New(rand.NewPCG(seed, 0)), d.Habits)
		names, _ := one.List(disk.Root)
		again, _ := two.List(disk.Root)
		if len(names) != len(again) {
			t.Fatalf("seed %d: %v and %v", seed, names, again)
		}
		for _, n := range names {
			if !bytes.Equal(content(one, n.Ino), content(two, n.Ino)) {
				t.Fatalf("seed %d: %s differs", seed, n.Name)
			}
		}
	}
}
