package web

import (
	"context"
	"log/slog"
	"net/http"

	"github.com/rollcallhq/rollcall/internal/web/ui"
)

// exportAtOnce is how many rows an export reads at a time: what it holds in memory, however long the list.
const exportAtOnce = 500

// List is what a table lists, to take along: an export has the columns that the page's fields name, and every row that the page's filter leaves.
type List[T any] struct {
	Name   string // of the file, without its ending; never anything that somebody has typed
	Fields ui.Fields[T]
	// Read gives rows from a cursor on, "" for the first, and the cursor after them, "" at the end. There may be fewer than the limit, even none,
	// and more after them.
	Read func(ctx context.Context, after string, limit int) ([]T, string, error)
	Line func(T) []byte // JSON, for ExportLines; nil: there is no such form
}

// Export answers with the whole list, read page by page. How much there may be has no limit.
func (l List[T]) Export(w http.ResponseWriter, r *http.Request, form ExportForm, log *slog.Logger) error {
	return Export{Name: l.Name, Form: form, Columns: l.Fields.Names(), Log: log, Next: func(ctx context.Context, after string) ([]Exported, string, error) {
		rows, next, err := l.Read(ctx, after, exportAtOnce)
		if err != nil {
			return nil, "", err
		}
		out := make([]Exported, len(rows))
		for i, one := range rows {
			if form == ExportLines {
				out[i].Line = l.Line(one)
			} else {
				out[i].Cells = l.Fields.Texts(one)
			}
		}
		return out, next, nil
	}}.Write(w, r)
}
