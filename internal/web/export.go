package web

import (
	"bytes"
	"context"
	"encoding/csv"
	"log/slog"
	"net/http"
	"strings"
	"time"
)

// ExportForm is how a whole list is written.
type ExportForm string

// The forms.
const (
	ExportCSV   ExportForm = "csv"   // RFC 4180, with a line of names
	ExportLines ExportForm = "jsonl" // a JSON object on each line
)

// Exported is an entry of a list in both forms.
type Exported struct {
	Line  []byte // JSON
	Cells []string
}

// Export is a whole list to take along, however long it is.
type Export struct {
	Name    string // of the file, without its ending
	Form    ExportForm
	Columns []string
	// Next gives a page from a cursor on, "" for the first, and the cursor after it, "" at the end.
	Next func(ctx context.Context, after string) ([]Exported, string, error)
	Log  *slog.Logger // of what broke off
}

const exportStall = 30 * time.Second

// Write streams the list. When it returns an error nothing was written; what goes wrong later breaks the connection off, which is all that can
// tell then that the list is not whole. It fails so when the client takes no part of it for half a minute.
func (e Export) Write(w http.ResponseWriter, r *http.Request) error {
	kind := "application/x-ndjson"
	if e.Form == ExportCSV {
		kind = "text/csv; charset=utf-8; header=present" // RFC 4180, section 3
	}
	header := w.Header()
	header.Set("Content-Type", kind)
	header.Set("Content-Disposition", `attachment; filename="`+e.Name+"."+string(e.Form)+`"`)
	header.Set("Cache-Control", "no-store")
	if r.Method == http.MethodHead {
		return nil
	}
	to := NewStream(w, kind, exportStall)
	// A request's deadline is for answers that fit into it; the stream has its own.
	err := e.stream(context.WithoutCancel(r.Context()), to)
	if err == nil || !to.Began() {
		return err
	}
	e.Log.WarnContext(r.Context(), "an export broke off", "request_id", From(r.Context()).ID, "name", e.Name, "error", err)
	panic(http.ErrAbortHandler)
}

func (e Export) stream(ctx context.Context, to *Stream) error {
	// The first page is read before anything is written: until then a refusal can be told.
	page, after, err := e.Next(ctx, "")
	if err != nil {
		return err
	}
	if e.Form == ExportCSV {
		if _, err := to.Write(CSVLine(e.Columns)); err != nil {
			return err
		}
	}
	for {
		for _, one := range page {
			line := append(one.Line, '\n')
			if e.Form == ExportCSV {
				line = CSVLine(one.Cells)
			}
			if _, err := to.Write(line); err != nil {
				return err
			}
		}
		if after == "" {
			return to.Flush()
		}
		if page, after, err = e.Next(ctx, after); err != nil {
			return err
		}
	}
}

// CSVLine writes cells as RFC 4180 wants them, none of which a spreadsheet takes for a formula.
func CSVLine(cells []string) []byte {
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	w.UseCRLF = true
	harmless := make([]string, len(cells))
	for i, cell := range cells {
		harmless[i] = harmlessCell(cell)
	}
	if err := w.Write(harmless); err != nil { // into memory
		panic(err)
	}
	w.Flush()
	return out.Bytes()
}

// harmlessCell puts an apostrophe before what a spreadsheet would reckon out: names come from strangers. Some programs pass over what is blank
// before, and take the wide forms of the signs for the signs.
func harmlessCell(cell string) string {
	cell = strings.ToValidUTF8(strings.ReplaceAll(cell, "\x00", ""), "\uFFFD")
	if cell == "" {
		return cell
	}
	bare := strings.TrimLeftFunc(cell, func(r rune) bool { return r <= ' ' || r == 0xA0 || r == 0xFEFF })
	if strings.IndexAny(bare, "=+-@＝＋－＠") == 0 || strings.ContainsAny(cell[:1], "\t\r\n") {
		return "'" + cell
	}
	return cell
}
