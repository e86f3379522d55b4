package api

import (
	"context"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/web"
)

// exportAs is how a list is to be written.
type exportAs string

// The forms. Pages of JSON are the API's own; the others hold everything in one answer.
const (
	asPages exportAs = "json"
	asCSV   exportAs = "csv"
	asLines exportAs = "jsonl"
)

const (
	exportBatch = 500
	exportStall = 30 * time.Second
)

// exportForm is what the parameter format says, else the Accept header.
func (c *call) exportForm() (exportAs, error) {
	switch form := exportAs(c.query.Get("format")); form {
	case asPages, asCSV, asLines:
		return form, nil
	case "":
	default:
		return "", errField("format", "invalid_format", "format is json, csv or jsonl, not %.40q.", string(form))
	}
	for _, wanted := range strings.Split(strings.Join(c.r.Header.Values("Accept"), ","), ",") {
		kind, _, err := mime.ParseMediaType(wanted)
		switch {
		case err != nil:
		case kind == "application/json" || kind == "*/*":
			return asPages, nil
		case kind == "text/csv":
			return asCSV, nil
		case kind == ndjson || kind == "application/jsonl":
			return asLines, nil
		}
	}
	return asPages, nil
}

// exported is an entry of a list in both forms.
type exported struct {
	line  jsontext.Value
	cells []string
}

// export streams all pages of a list. next gives a page from a cursor on, and the cursor after it, "" at the end.
func (c *call) export(form exportAs, name string, columns []string, next func(ctx context.Context, after string) ([]exported, string, error)) (answer, error) {
	if err := c.wholeList(); err != nil {
		return answer{}, err
	}
	kind := ndjson
	if form == asCSV {
		kind = "text/csv; charset=utf-8; header=present" // RFC 4180, section 3
	}
	return ok(streamed(func(w http.ResponseWriter) error {
		header := w.Header()
		header.Set("Content-Type", kind)
		header.Set("Content-Disposition", `attachment; filename="`+name+"."+string(form)+`"`)
		header.Set("Cache-Control", "no-store")
		if c.r.Method == http.MethodHead {
			return nil
		}
		to := web.NewStream(w, kind, exportStall)
		// A request's deadline is for answers that fit into it; the stream has its own.
		err := writeExport(context.WithoutCancel(c.ctx()), to, form, columns, next)
		if err == nil || !to.Began() {
			return err
		}
		c.o.Logger.WarnContext(c.ctx(), "an export broke off", "request_id", web.From(c.ctx()).ID, "name", name, "error", err)
		panic(http.ErrAbortHandler) // only a broken connection can tell now that it is not whole
	})), nil
}

// wholeList refuses what asks for a part of an export.
func (c *call) wholeList() error {
	for _, name := range []string{"after", "before", "limit"} {
		if c.query.Get(name) != "" {
			return fault.New(fault.Unprocessable, "not_paged", "An export holds the whole list: leave %s out, or ask for pages with format=json.", name).On(name)
		}
	}
	return nil
}

func writeExport(ctx context.Context, to *web.Stream, form exportAs, columns []string, next func(context.Context, string) ([]exported, string, error)) error {
	// The first page is read before anything is written: until then a refusal can be told.
	page, after, err := next(ctx, "")
	if err != nil {
		return err
	}
	if form == asCSV {
		if _, err := to.Write(web.CSVLine(columns)); err != nil {
			return err
		}
	}
	for {
		for _, one := range page {
			line := append(one.line, '\n')
			if form == asCSV {
				line = web.CSVLine(one.cells)
			}
			if _, err := to.Write(line); err != nil {
				return err
			}
		}
		if after == "" {
			return to.Flush()
		}
		if page, after, err = next(ctx, after); err != nil {
			return err
		}
	}
}
