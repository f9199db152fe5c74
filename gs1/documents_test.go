package gs1_test

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tidewaiter/tidewaiter/gs1"
)

var (
	epcURN     = regexp.MustCompile(`urn:epc:(id|idpat|class):[^"<\s]+`)
	ownLink    = regexp.MustCompile(`https://id\.gs1\.org/[^"<\s]+`)
	webAddress = regexp.MustCompile(`https?://[^"<\s\\]+`)
)

// GS1's own documents: every EPC and every link on id.gs1.org in them is a key, and every other address passes.
func TestEveryEPCOfTheReferenceDocuments(t *testing.T) {
	root := filepath.Join("..", "..", "shared", "data", "epcis")
	if _, err := os.Stat(root); err != nil {
		t.Skipf("SKIPPED: GS1's documents are not here (%v); put them at %s to prove that every EPC in them is accepted", err, root)
	}
	keys := 0
	for _, pattern := range []string{"json/*.jsonld", "hash/*.jsonld", "hash/*.xml", "xml/*.xml"} {
		files, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: no documents, %v", pattern, err)
		}
		for _, file := range files {
			keys += checkDocument(t, file)
		}
	}
	if keys < 400 {
		t.Errorf("only %d keys found in all documents; they hold more than that", keys)
	}
}

func checkDocument(t *testing.T, file string) int {
	doc, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	ids := append(epcURN.FindAllString(string(doc), -1), ownLink.FindAllString(string(doc), -1)...)
	for _, id := range ids {
		link, err := gs1.Canonical(id)
		if err != nil || !strings.HasPrefix(link, "https://id.gs1.org/") {
			t.Errorf("%s: Canonical(%s) = %s, %v", filepath.Base(file), id, link, err)
		}
	}
	for _, id := range webAddress.FindAllString(string(doc), -1) {
		if _, err := gs1.Canonical(id); err != nil {
			t.Errorf("%s: %v", filepath.Base(file), err)
		}
	}
	return len(ids)
}

// The event with all kinds of keys has one hash, which the reference implementation published. It comes out of our canonical
// links only if each of them is, to the last character, the one that the reference makes.
func TestAllKeysAgainstThePublishedHash(t *testing.T) {
	name := filepath.Join("..", "..", "shared", "data", "epcis", "hash", "epcisDocWithAllGS1Keys")
	doc, err := os.ReadFile(name + ".jsonld")
	if err != nil {
		t.Skipf("SKIPPED: GS1's document with all keys is not here (%v); with it, every canonical link is compared with the reference", err)
	}
	published, err := os.ReadFile(name + ".hashes")
	if err != nil {
		t.Fatal(err)
	}
	links := func(from, to string) (list []string) {
		_, part, _ := strings.Cut(string(doc), from)
		part, _, _ = strings.Cut(part, to)
		for _, id := range append(epcURN.FindAllString(part, -1), ownLink.FindAllString(part, -1)...) {
			link, err := gs1.Canonical(id)
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, link)
		}
		slices.Sort(list)
		return list
	}
	s := "eventType=ObjectEventeventTime=2023-03-27T11:30:00.000ZeventTimeZoneOffset=+01:00epcList"
	for _, link := range links("epcList", "]") {
		s += "epc=" + link
	}
	s += "quantityList"
	for _, link := range links("quantityList", "]") {
		s += "quantityElementepcClass=" + link
	}
	s += "action=OBSERVEbizStep=https://ref.gs1.org/cbv/BizStep-otherreadPointid=" + links("readPoint", "}")[0]
	if hash := fmt.Sprintf("%x", sha256.Sum256([]byte(s))); !strings.Contains(string(published), hash) {
		t.Errorf("the event's hash is %s, published is %s; it is made of %s", hash, published, s)
	}
}
