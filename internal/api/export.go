package api

import (
	"context"
	"mime"
	"net/http"
	"strings"

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

const exportBatch = 500

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

// export streams all pages of a list. next gives a page from a cursor on, and the cursor after it, "" at the end.
func (c *call) export(form exportAs, name string, columns []string, next func(ctx context.Context, after string) ([]web.Exported, string, error)) (answer, error) {
	if err := c.wholeList(); err != nil {
		return answer{}, err
	}
	return ok(streamed(func(w http.ResponseWriter) error {
		return web.Export{Name: name, Form: web.ExportForm(form), Columns: columns, Next: next, Log: c.o.Logger}.Write(w, c.r)
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
