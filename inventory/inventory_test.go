package inventory_test

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"github.com/tidewaiter/tidewaiter/inventory"
)

// tree is a Source of resources by their path from the service root on.
type tree map[string]jsontext.Value

func (t tree) Get(_ context.Context, path string) ([]byte, error) {
	body, ok := t[strings.TrimPrefix(strings.TrimPrefix(path, "/redfish/v1"), "/")]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return body, nil
}

func loadTree(t *testing.T, name string) tree {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var tr tree
	if err := json.Unmarshal(text, &tr); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return tr
}

func read(t *testing.T, s inventory.Source) (*inventory.Inventory, []inventory.Skipped) {
	t.Helper()
	inv, skipped, err := inventory.Read(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	return inv, skipped
}

// lines writes units as "kind alias alias < parent's alias".
func lines(inv *inventory.Inventory) (out []string) {
	for _, u := range inv.Units {
		line := u.Kind + " " + strings.Join(u.Aliases, " ")
		if u.Parent != "" {
			line += " < " + strings.Replace(strings.TrimPrefix(u.Parent, "https://tidewaiter.org/unit/"), "/", ":", 1)
		}
		out = append(out, line)
	}
	slices.Sort(out)
	return out
}

func skips(skipped []inventory.Skipped) (out []string) {
	for _, s := range skipped {
		out = append(out, s.String())
	}
	slices.Sort(out)
	return out
}

func TestVendorsGaps(t *testing.T) {
	for _, test := range []struct {
		tree    string
		units   []string
		skipped []string
		assumed []string
	}{
		{
			tree: "modules",
			units: []string{
				"accelerator gpu-uuid:GPU-11111111-aaaa-4bbb-8ccc-000000000000 pdi:0x1122334455667700 < nvidia-sn:1990124000315",
				"accelerator pdi:0x1122334455667701 < nvidia-sn:1990124000315",
				"baseboard nvidia-sn:1990124000315 < nvidia-sn:1990124000001",
				"cpu nvidia-sn:0x0000000142AB01FF < nvidia-sn:1990124000315",
				"server nvidia-sn:1990124000001",
			},
			skipped: []string{
				"Chassis/HGX_ERoT_CPU_0: a root-of-trust chip, soldered to what it protects",
			},
		},
		{
			tree: "cards",
			units: []string{
				"accelerator nvidia-sn:1990222007043 < example-servers-sn:CNX0000001",
				"card mellanox-sn:MT0000X00001 < example-servers-sn:CNX0000001",
				"memory samsung-sn:S0000A1 < example-servers-sn:CNX0000001",
				"server example-servers-sn:CNX0000001",
			},
			skipped: []string{
				"../../etc/passwd: a link out of the Redfish tree, not followed",
				"Chassis/Gone: named, but not there",
				"Systems/System.Embedded.1/Memory/A2: no serial number (it says “NA”)",
				"Systems/System.Embedded.1/Memory/A3: no serial number (it says “00000000”)",
				"Systems/System.Embedded.1/Processors/CPU.Socket.1: no serial number (it says “N/A”)",
				"Systems/System.Embedded.1/Processors/Settings: settings that wait to be applied, not a part",
				"Systems/System.Embedded.1/Processors/Video.Slot.7-1: an empty place (Status.State is Absent)",
				"https://elsewhere.example/redfish/v1/Chassis/1: a link to somewhere else, not followed",
			},
		},
		{
			tree: "trays",
			units: []string{
				"accelerator nvidia-sn:1990324005679 < nvidia-sn:1990324650029",
				"accelerator nvidia-sn:1990324005680 gpu-uuid:GPU-22222222-aaaa-4bbb-8ccc-000000000002 < nvidia-sn:1990324650029",
				"baseboard nvidia-sn:1990324650029 < tray-maker-sn:TM9000000001",
				"board tray-maker-sn:OU01 < tray-maker-sn:TM9000000001",
				"board tray-maker-sn:OU02 < tray-maker-sn:OU01",
				"board tray-maker-sn:RS01 < tray-maker-sn:TM9000000001",
				"cpu advanced-micro-devices-sn:2B49EC1F00000001 < tray-maker-sn:TM9000000001",
				"nic broadcom-sn:BC9000000001 < tray-maker-sn:TM9000000001",
				"server tray-maker-sn:TM9000000001",
			},
			skipped: []string{
				"Chassis/Ouroboros_1: said to be inside itself: what it is built into is left open",
				"Chassis/Riser_2: the same serial number as Chassis/Riser_1: taken for the same part",
			},
			assumed: []string{
				"Chassis/HGX_Chassis_0 is in Chassis/1: the tree does not say so, but has no other host",
				"Chassis/Ouroboros_1 is in Chassis/1: the tree does not say so, but has no other host",
			},
		},
	} {
		t.Run(test.tree, func(t *testing.T) {
			inv, skipped := read(t, loadTree(t, test.tree))
			if diff := cmp.Diff(test.units, lines(inv)); diff != "" {
				t.Errorf("units (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.skipped, skips(skipped)); diff != "" {
				t.Errorf("skipped (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.assumed, inv.Assumed); diff != "" {
				t.Errorf("assumed (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFolderAndArchiveHoldTheSameTree(t *testing.T) {
	want, _ := read(t, loadTree(t, "trays"))
	dir := t.TempDir()
	packed, err := os.Create(filepath.Join(dir, "trays.tar.gz"))
	if err != nil {
		t.Fatal(err)
	}
	gz := gzip.NewWriter(packed)
	tw := tar.NewWriter(gz)
	for path, body := range loadTree(t, "trays") {
		name := filepath.Join("captured", "redfish", "v1", path, "index.json")
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), body, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := tw.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Size: int64(len(body)), Mode: 0o644}); err != nil {
			t.Fatal(err)
		}
		if _, err := tw.Write(body); err != nil {
			t.Fatal(err)
		}
	}
	for _, err := range []error{tw.Close(), gz.Close(), packed.Close()} {
		if err != nil {
			t.Fatal(err)
		}
	}
	above, closer, err := inventory.OpenDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer closer.Close()
	folder, closer, err := inventory.OpenDir(filepath.Join(dir, "captured"))
	if err != nil {
		t.Fatal(err)
	}
	defer closer.Close()
	archive, err := inventory.OpenArchive(packed.Name())
	if err != nil {
		t.Fatal(err)
	}
	for name, s := range map[string]inventory.Source{"folder": folder, "the folder above": above, "archive": archive} {
		if got, _ := read(t, s); cmp.Diff(want, got) != "" {
			t.Errorf("%s (-want +got):\n%s", name, cmp.Diff(want, got))
		}
	}
}

func TestWhatIsNoTreeIsSaidToBeNone(t *testing.T) {
	if _, _, err := inventory.OpenDir(t.TempDir()); err == nil || !strings.Contains(err.Error(), "no redfish/v1/index.json") {
		t.Errorf("an empty folder: %v", err)
	}
	file := filepath.Join(t.TempDir(), "x.tar.gz")
	if err := os.WriteFile(file, []byte("PK\x03\x04"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := inventory.OpenArchive(file); err == nil || !strings.Contains(err.Error(), "not a gzip file") {
		t.Errorf("a file that is no archive: %v", err)
	}
	if _, _, err := inventory.Read(t.Context(), tree{}); err == nil || !strings.Contains(err.Error(), "service root") {
		t.Errorf("a tree without a root: %v", err)
	}
	if _, _, err := inventory.Read(t.Context(), tree{"": jsontext.Value(`[1]`)}); err == nil || !strings.Contains(err.Error(), "not a JSON object") {
		t.Errorf("a root that is no object: %v", err)
	}
}

// endless is a tree in which every collection has one more page.
type endless struct{ n int }

func (e *endless) Get(_ context.Context, path string) ([]byte, error) {
	e.n++
	return fmt.Appendf(nil, `{"Id":"%d","SerialNumber":"SN%d","Members":[{"@odata.id":"/redfish/v1/Chassis/%d"}],`+
		`"Members@odata.nextLink":"/redfish/v1/Chassis?$skip=%d","PCIeDevices":{"@odata.id":"/redfish/v1/P%d/PCIeDevices"}}`, e.n, e.n, e.n, e.n, e.n), nil
}

func TestEndlessTreeEnds(t *testing.T) {
	e := &endless{}
	if _, _, err := inventory.Read(t.Context(), e); err == nil || !strings.Contains(err.Error(), "leads in circles") {
		t.Errorf("got %v", err)
	}
	if e.n > 5000 {
		t.Errorf("%d requests", e.n)
	}
}

func TestGivesUpWhenToldTo(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := inventory.Read(ctx, loadTree(t, "cards")); err == nil {
		t.Error("read a tree although nobody waits for it")
	}
}

func TestRealMachine(t *testing.T) {
	file := filepath.Join("..", "..", "shared", "data", "redfish", "dgx-h100.tar.gz")
	if _, err := os.Stat(file); err != nil {
		t.Skipf("%s absent: the real DGX H100 tree is not tested", file)
	}
	s, err := inventory.OpenArchive(file)
	if err != nil {
		t.Fatal(err)
	}
	inv, skipped := read(t, s)
	const board, chassis = "https://tidewaiter.org/unit/nvidia-sn/1663123650029", "https://tidewaiter.org/unit/nvidia-sn/1663123000052"
	var accelerators []string
	for _, u := range inv.Units {
		switch {
		case u.Kind == "accelerator":
			accelerators = append(accelerators, strings.TrimPrefix(u.Aliases[0], "nvidia-sn:"))
			fallthrough
		case u.Kind == "switch":
			if u.Parent != board {
				t.Errorf("%s is in %q, not in the baseboard", u.Path, u.Parent)
			}
		case u.Kind == "baseboard" && (u.URI != board || u.Parent != chassis), u.Kind == "server" && (u.URI != chassis || u.Parent != ""):
			t.Errorf("%s is %s in %q", u.Path, u.URI, u.Parent)
		}
	}
	want := []string{"1652923001497", "1652923003067", "1652923003348", "1652923003447", "1652923003973", "1652923004252", "1652923004435", "1652923004442"}
	if diff := cmp.Diff(want, accelerators); diff != "" {
		t.Errorf("accelerators (-want +got):\n%s", diff)
	}
	if got := inv.Summary(); got != "54 units: 8 accelerator, 1 baseboard, 2 board, 32 memory, 6 psu, 1 server, 4 switch" {
		t.Error(got)
	}
	if !slices.Contains(skips(skipped), "Systems/DGX/Processors/DevType1_CPU0: no serial number") {
		t.Error("the CPUs' missing serial numbers are not named")
	}
}

func TestDocumentIsTheSameEachTime(t *testing.T) {
	when := time.Date(2024, 7, 10, 15, 9, 38, 0, time.UTC)
	write := func(o inventory.Options) string {
		inv, _ := read(t, loadTree(t, "trays"))
		doc, err := inventory.Document(inv, o)
		if err != nil {
			t.Fatal(err)
		}
		return string(doc)
	}
	o := inventory.Options{Time: when, Site: "https://id.gs1.org/414/9521234500018", Party: "https://id.gs1.org/417/9521234500006"}
	first := write(o)
	if again := write(o); again != first {
		t.Error("two readings of one tree at one time gave two documents")
	}
	o.Time = when.Add(time.Hour)
	if ids(t, first)[0] == ids(t, write(o))[0] {
		t.Error("readings at two times gave events of one id")
	}
	o.Site = ""
	if other := write(o); strings.Contains(other, "bizLocation") || strings.Contains(other, "installing") {
		t.Error("a site is stated although none was given")
	}
}

type writtenEvent struct {
	EventID   string   `json:"eventID"`
	EventTime string   `json:"eventTime"`
	BizStep   string   `json:"bizStep"`
	ParentID  string   `json:"parentID"`
	ChildEPCs []string `json:"childEPCs"`
}

func events(t *testing.T, doc string) []writtenEvent {
	t.Helper()
	var d struct {
		EPCISBody struct {
			EventList []writtenEvent `json:"eventList"`
		} `json:"epcisBody"`
	}
	if err := json.Unmarshal([]byte(doc), &d); err != nil {
		t.Fatal(err)
	}
	return d.EPCISBody.EventList
}

func ids(t *testing.T, doc string) (all []string) {
	for _, e := range events(t, doc) {
		all = append(all, e.EventID)
	}
	return all
}

func TestAssemblyGoesFromTheInsideOut(t *testing.T) {
	inv, _ := read(t, loadTree(t, "modules"))
	doc, err := inventory.Document(inv, inventory.Options{Time: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), Site: "https://id.gs1.org/414/9521234500018"})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range events(t, string(doc)) {
		if e.ParentID != "" {
			got = append(got, fmt.Sprintf("%s %s %s +%d", e.EventTime[17:], e.BizStep, filepath.Base(e.ParentID), len(e.ChildEPCs)))
		}
	}
	want := []string{"00.001Z assembling 1990124000315 +3", "00.002Z assembling 1990124000001 +1", "00.003Z installing 9521234500018 +1"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// same is a Source that answers everything with one body.
type same []byte

func (s same) Get(context.Context, string) ([]byte, error) { return s, nil }

func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"Members":[{"@odata.id":"/redfish/v1/Chassis/1"}],"SerialNumber":"A1","Links":{"ContainedBy":{"@odata.id":"/redfish/v1/Chassis/2"}}}`))
	f.Add([]byte(`{"Members":[{"@odata.id":"/redfish/v1/Systems/IRoT_1"}],"ProcessorType":"GPU","UUID":"22222222-aaaa-4bbb-8ccc-000000000002","Assemblies":[1,{}]}`))
	f.Add([]byte("{\"Members\":7,\"Links\":[],\"SerialNumber\":\"\xff\"}"))
	f.Fuzz(func(t *testing.T, body []byte) {
		inv, _, err := inventory.Read(t.Context(), same(body))
		if err != nil {
			return
		}
		seen := map[string]bool{"": true}
		for _, u := range inv.Units {
			if !seen[u.Parent] {
				t.Fatalf("%s comes before its parent %s", u.URI, u.Parent)
			}
			seen[u.URI] = true
		}
		if _, err := inventory.Document(inv, inventory.Options{}); err != nil {
			t.Fatal(err)
		}
	})
}

// A system whose serial number cannot be used is named like any part that is left out, or a whole machine would be missing without
// a word; what its BMC wrote there is shown without what a terminal would obey.
func TestASystemWhoseSerialNumberCannotBeUsedIsNamed(t *testing.T) {
	_, skipped := read(t, tree{
		"":          jsontext.Value(`{"Systems": {"@odata.id": "/redfish/v1/Systems"}}`),
		"Systems":   jsontext.Value(`{"Members": [{"@odata.id": "/redfish/v1/Systems/1"}]}`),
		"Systems/1": jsontext.Value(`{"@odata.id": "/redfish/v1/Systems/1", "Id": "1", "SerialNumber": "S\u001b[31m1"}`),
	})
	want := inventory.Skipped{Path: "Systems/1", Reason: "a serial number that cannot be used (“S?[31m1”)"}
	if !slices.Contains(skipped, want) {
		t.Errorf("skipped %v; want %v among them", skipped, want)
	}
}
