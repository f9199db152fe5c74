// Package cases holds cases from the public record, anonymised, as EPCIS documents with the truth beside them.
//
// Each case is a pattern that was reported, told anew with invented parties, places, dates and numbers: nobody who was named in
// a report, charged or not, is meant by anything in it. Its README says what was reported, by what kind of source, and what was
// changed. The documents hold what the parties would have told, honest work and mistakes among it; the truth file alone knows
// more, and only a scorer reads it. cases/make writes both.
//
// The package hands out bytes. It knows nothing of how they are captured, kept or judged.
package cases

import (
	"embed"
	"fmt"
	"io/fs"
	"strings"
)

//go:embed a b
var files embed.FS

// Case is one case.
type Case struct {
	Letter    string
	Title     string
	Documents fs.FS  // EPCIS 2.0 documents (JSON-LD), in the order of their names; every event has its recordTime
	Truth     []byte // in the form that `tidewaiter score` reads
	README    string // Markdown
}

// Letters lists the cases that there are, in order.
func Letters() []string { return []string{"a", "b"} }

// Open finds a case by its letter.
func Open(letter string) (Case, error) {
	readme, err := files.ReadFile(letter + "/README.md")
	if err != nil {
		return Case{}, fmt.Errorf("there is no case %q; there are %s", letter, strings.Join(Letters(), " and "))
	}
	truth, err := files.ReadFile(letter + "/truth.json")
	if err != nil {
		return Case{}, fmt.Errorf("case %s: read the truth: %w", letter, err)
	}
	documents, err := fs.Sub(files, letter+"/epcis")
	if err != nil {
		return Case{}, fmt.Errorf("case %s: open the documents: %w", letter, err)
	}
	title, _, _ := strings.Cut(strings.TrimPrefix(string(readme), "# "), "\n")
	return Case{Letter: letter, Title: title, Documents: documents, Truth: truth, README: string(readme)}, nil
}
