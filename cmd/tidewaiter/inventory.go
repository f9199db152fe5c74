package main

import (
	"fmt"
	"io"
	"os"
	"path"
	"strings"
	"time"

	"github.com/tidewaiter/tidewaiter/gs1"
	"github.com/tidewaiter/tidewaiter/inventory"
)

type inventoryCmd struct {
	Redfish redfishCmd `cmd:"" help:"Read a server's parts from its BMC, or from a captured Redfish tree, and write them as an EPCIS document."`
}

type redfishCmd struct {
	Source   string    `arg:"" help:"https://BMC, a folder that Redfish-Mockup-Creator wrote, or a .tar.gz of one."`
	Time     time.Time `help:"When the machine was read; now, if not given." placeholder:"RFC3339"`
	Site     string    `help:"Where the machine stands: an SGLN. Says that it is installed there." placeholder:"URI"`
	As       string    `help:"Who vouches for the reading: a PGLN. Becomes the document's sender." placeholder:"URI"`
	User     string    `help:"User for the BMC. The password is read from TIDEWAITER_BMC_PASSWORD."`
	Insecure bool      `help:"Accept any certificate of the BMC. Whoever answers may then be somebody else."`
}

// Help is shown by --help.
func (c *redfishCmd) Help() string {
	return `The document goes to stdout; capture it with

    tidewaiter inventory redfish SOURCE | tidewaiter capture -

Nothing is changed on the BMC. Each part that has to be left out is named on stderr, with the reason.`
}

func (c *redfishCmd) Run(e *env) error {
	if err := c.check(); err != nil {
		return err
	}
	source, closer, err := c.open(e.stderr)
	if err != nil {
		return err
	}
	defer closer.Close()
	inv, skipped, err := inventory.Read(e.ctx, source)
	for _, s := range gather(skipped) {
		fmt.Fprintln(e.stderr, "skipped", s)
	}
	if err != nil {
		return err
	}
	for _, a := range inv.Assumed {
		fmt.Fprintln(e.stderr, "assumed", a)
	}
	if len(inv.Units) == 0 {
		return fmt.Errorf("%s names no part by a serial number: nothing to write", c.Source)
	}
	if c.Time.IsZero() {
		c.Time = e.now().UTC().Truncate(time.Millisecond)
	}
	doc, err := inventory.Document(inv, inventory.Options{Time: c.Time, Site: c.Site, Party: c.As})
	if err != nil {
		return err
	}
	fmt.Fprintf(e.stderr, "%s\n", inv.Summary())
	if _, err := e.stdout.Write(doc); err != nil {
		return fmt.Errorf("writing the document: %w", err)
	}
	return nil
}

func (c *redfishCmd) check() (err error) {
	for _, flag := range []struct {
		name, like string
		uri        *string
	}{{"--site", "https://id.gs1.org/414/9521234500018", &c.Site}, {"--as", "https://id.gs1.org/417/9521234500001", &c.As}} {
		if *flag.uri == "" {
			continue
		}
		if *flag.uri, err = gs1.Canonical(*flag.uri); err != nil {
			return fmt.Errorf("%w: %s: a URI such as %s: %w", errUsage, flag.name, flag.like, err)
		}
	}
	return nil
}

// open chooses how to read the source by its shape.
func (c *redfishCmd) open(stderr io.Writer) (inventory.Source, io.Closer, error) {
	nothing := io.NopCloser(strings.NewReader(""))
	if strings.Contains(c.Source, "://") {
		if c.Insecure {
			fmt.Fprintln(stderr, "WARNING: --insecure: the BMC's certificate is not checked. Whoever answers may be somebody else, and learns the password.")
		} else if strings.HasPrefix(c.Source, "http://") && c.User != "" {
			fmt.Fprintln(stderr, "WARNING: http: the password travels unencrypted.")
		}
		s, err := inventory.BMC{URL: c.Source, User: c.User, Password: os.Getenv("TIDEWAITER_BMC_PASSWORD"), Insecure: c.Insecure}.Open()
		return s, nothing, err
	}
	info, err := os.Stat(c.Source)
	if err != nil {
		return nil, nil, fmt.Errorf("opening the source: %w", err)
	}
	if info.IsDir() {
		return inventory.OpenDir(c.Source)
	}
	s, err := inventory.OpenArchive(c.Source)
	return s, nothing, err
}

// gather puts parts of one folder that were skipped for one reason into one line: "Systems/1/Memory/{DIMM1, DIMM2}: empty".
func gather(skipped []inventory.Skipped) (lines []string) {
	type group struct{ folder, reason string }
	var order []group
	names := map[group][]string{}
	for _, s := range skipped {
		g := group{path.Dir(s.Path), s.Reason}
		if names[g] == nil {
			order = append(order, g)
		}
		names[g] = append(names[g], path.Base(s.Path))
	}
	for _, g := range order {
		name := names[g][0]
		if len(names[g]) > 1 {
			name = "{" + strings.Join(names[g], ", ") + "}"
		}
		lines = append(lines, path.Join(g.folder, name)+": "+g.reason)
	}
	return lines
}
