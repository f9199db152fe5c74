package main

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// writeDocument writes an EPCIS document of n events, each of about so many bytes and of a unit of its own.
func writeDocument(w io.Writer, n int64, bytes int) error {
	b := bufio.NewWriterSize(w, 1<<20)
	_, _ = b.WriteString(`{"@context":["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld",{"tw":"https://tidewaiter.org/ns/"}],` +
		`"type":"EPCISDocument","schemaVersion":"2.0","creationDate":"2026-03-20T00:00:00Z","epcisBody":{"eventList":[`)
	note := strings.Repeat("x", max(bytes-280, 1))
	for i := range n {
		if i > 0 {
			_ = b.WriteByte(',')
		}
		fmt.Fprintf(b, "\n"+`{"type":"ObjectEvent","action":"OBSERVE","bizStep":"inspecting","eventTime":"2026-03-11T08:00:00Z","eventTimeZoneOffset":"+00:00",`+
			`"epcList":["https://id.gs1.org/01/09521234000013/21/M%d"],"readPoint":{"id":"https://id.gs1.org/414/9521234500032"},"tw:note":"%s"}`, i, note)
	}
	_, _ = b.WriteString("]}}\n")
	return b.Flush() // and any error before
}
