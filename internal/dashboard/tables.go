package dashboard

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/operator"
	"github.com/rollcallhq/rollcall/internal/web"
	"github.com/rollcallhq/rollcall/internal/web/ui"
)

// table is a list as a page shows it and an export takes it along. Both are made from the same one, so they have the same columns and are narrowed
// by the same parameters.
type table[T any] struct {
	id      string // of the table on the page
	file    string // name of the export, without its ending
	at      string // address below which it is exported
	query   url.Values
	filters []string // the parameters that narrow it
	cursor  string   // what the ids begin with that its pages begin at; "": it has no pages
	key     func(T) string
	fields  ui.Fields[T]
	// read gives a page of at most limit rows, and whether more follow in the direction read. A list without pages is read whole.
	read func(ctx context.Context, p paging, limit int) ([]T, bool, error)
	// onward reads in place of it where a list is read in one direction only, from a cursor that need not be a row's: it gives the next one.
	onward func(ctx context.Context, after string, limit int) ([]T, string, error)
	skip   func(T) bool   // rows that are read and are no business of this list; may be nil
	line   func(T) []byte // JSON, for those that are exported as lines of it too; may be nil
}

// exportRow is the address of a table's export: who may see the table may take it along.
func exportRow[T any](at, class string, see operator.Role, of func(*call) (table[T], error)) row {
	return row{at + "/export", class + "_export", see, func(c *call) error {
		t, err := of(c)
		if err != nil {
			return err
		}
		return t.export(c, web.ExportCSV)
	}, operator.Admin, nil}
}

// fill puts a page of the list into what is drawn, and gives its rows.
func (t table[T]) fill(c *call, into *ui.TableProps) (rows []T, err error) {
	into.ID, into.Columns = t.id, t.fields.Columns()
	if t.onward != nil {
		rows, err = t.fillOnward(c, into)
	} else {
		rows, err = t.fillBetween(c, into)
	}
	if err != nil {
		return nil, err
	}
	rows = t.ours(rows)
	for _, one := range rows {
		into.Rows = append(into.Rows, ui.Row{ID: t.key(one), Cells: t.fields.Cells(one)})
	}
	return rows, nil
}

func (t table[T]) fillBetween(c *call, into *ui.TableProps) ([]T, error) {
	if t.cursor == "" {
		rows, _, err := t.read(c.ctx(), paging{}, perPage)
		return rows, err
	}
	p, err := pageOf(t.query, t.cursor)
	if err != nil {
		return nil, err
	}
	rows, more, err := t.read(c.ctx(), p, perPage)
	first, last := ends(rows, t.key)
	into.Pager = pager(t.query, p, first, last, more)
	return rows, err
}

func (t table[T]) fillOnward(c *call, into *ui.TableProps) ([]T, error) {
	after := t.query.Get("after")
	rows, next, err := t.onward(c.ctx(), after, perPage)
	if next != "" {
		into.Pager.Next = atCursor(t.query, "after", next)
	}
	if after != "" {
		into.Pager.First, into.Pager.Summary = atCursor(t.query, "", ""), c.words().T("log.audit_older")
	}
	return rows, err
}

// ours are the rows that the list is about.
func (t table[T]) ours(rows []T) []T {
	if t.skip == nil {
		return rows
	}
	return slices.DeleteFunc(rows, t.skip)
}

func (t table[T]) export(c *call, form web.ExportForm) error {
	return web.List[T]{Name: t.file, Fields: t.fields, Line: t.line, Read: t.part}.Export(c.w, c.r, form, c.s.o.Logger)
}

// part reads what an export writes at a time.
func (t table[T]) part(ctx context.Context, after string, limit int) (rows []T, next string, err error) {
	if t.onward != nil {
		rows, next, err = t.onward(ctx, after, limit)
		return t.ours(rows), next, err
	}
	rows, more, err := t.read(ctx, paging{after: after, whole: true}, limit)
	if more && len(rows) > 0 {
		next = t.key(rows[len(rows)-1])
	}
	return t.ours(rows), next, err
}

// exportHref is where the list is exported, narrowed as it is.
func (t table[T]) exportHref(more ...string) string {
	q := url.Values{}
	for _, name := range t.filters {
		if v := t.query.Get(name); v != "" {
			q.Set(name, v)
		}
	}
	for i := 0; i+1 < len(more); i += 2 {
		q.Set(more[i], more[i+1])
	}
	return withQuery(t.at+"/export", q)
}

// exportAction is the button in the head of a page that is about the list.
func (t table[T]) exportAction(c *call) action {
	return action{ID: "export-" + t.id, Label: c.words().T("log.export_csv"), Href: t.exportHref(), Variant: ui.Secondary, Icon: ui.IconDownload, Download: true}
}

// exportSmall is the button in the head of a frame that holds the table.
func (t table[T]) exportSmall(c *call) action {
	a := t.exportAction(c)
	a.Small = true
	return a
}

// exportLink is the button above a table that stands among others.
func (t table[T]) exportLink(c *call) ui.Link {
	return ui.Link{Label: c.words().T("log.export_csv"), Href: t.exportHref()}
}

// whole makes the read of a list that has no pages.
func whole[T any](read func(ctx context.Context) ([]T, error)) func(context.Context, paging, int) ([]T, bool, error) {
	return func(ctx context.Context, _ paging, _ int) ([]T, bool, error) {
		all, err := read(ctx)
		return all, false, err
	}
}

// written is a time in an export, "" for none.
func written(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return event.Shown(t)
}

// joined are several values in one cell of an export.
func joined[T ~string](all []T) string {
	parts := make([]string, len(all))
	for i, one := range all {
		parts[i] = string(one)
	}
	return strings.Join(parts, " ")
}
