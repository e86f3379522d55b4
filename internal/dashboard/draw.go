package dashboard

import (
	"net/url"
	"time"

	"github.com/a-h/templ"

	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/web/ui"
	"github.com/rollcallhq/rollcall/internal/web/words"
)

// sheetView is what stands around a page's own content.
type sheetView struct {
	Head   ui.HeadProps
	Tabs   []ui.Tab
	Wrong  misfit
	Alerts []ui.AlertProps
	Banner templ.Component // above the tabs' own content; may be nil
}

// action is a button: a link with Href, else a form of its own.
type action struct {
	ID       string // of a link; may be ""
	Label    string
	Form     ui.FormProps
	Href     string
	Variant  ui.Variant
	Icon     ui.Icon
	Small    bool
	Disabled bool
	Download bool
}

// formView is a form with its controls.
type formView struct {
	ID          string
	Form        ui.FormProps
	Title, Text string
	Save        string // label of its button; "": there is none, for those who may only look
	Danger      bool
	Fields      []templ.Component
}

// props are those of the form, by the id that its button names.
func (f formView) props() ui.FormProps {
	out := f.Form
	out.ID, out.Attrs = f.ID, templ.Attributes{"class": "stack"}
	return out
}

func (a action) props() ui.FormProps {
	out := a.Form
	out.Attrs = templ.Attributes{"class": "inline"}
	return out
}

func (a action) attrs() templ.Attributes {
	if a.ID == "" {
		return nil
	}
	return templ.Attributes{"id": a.ID}
}

func (f formView) button() templ.Component {
	if f.Save == "" {
		return nil
	}
	b := ui.ButtonProps{Label: f.Save, Form: f.ID}
	if f.Danger {
		b.Variant = ui.Danger
	}
	return ui.Button(b)
}

// moment is a cell with a time; a row of them reads as how long ago.
func moment(at time.Time) templ.Component { return ui.Time(ui.TimeProps{At: at}) }

// exactly is a cell with a date that matters to the day.
func exactly(at time.Time) templ.Component { return ui.Time(ui.TimeProps{At: at, Absolute: true}) }

func link(label, href string) templ.Component {
	return ui.Anchor(ui.Link{Label: label, Href: href})
}

// numeral writes a number in the language of the page.
func numeral(w *words.Words, n int64) string { return w.Number(int(n)) }

// idPair is a line with an id to take along.
func idPair(w *words.Words, id string) ui.Pair {
	return ui.Pair{Key: w.T("common.id"), Value: ui.CopyValue(ui.CopyProps{ID: "the-id", Label: w.T("common.id"), Value: id, Bare: true})}
}

func yesNo(w *words.Words, is bool) string {
	if is {
		return w.T("common.yes")
	}
	return w.T("common.no")
}

// options are choices of which each is its own label, or has one under a prefix of the words.
func options[T ~string](w *words.Words, prefix string, all []T) []ui.Option {
	out := make([]ui.Option, len(all))
	for i, one := range all {
		out[i] = ui.Option{Value: string(one), Label: sayOr(w, prefix+string(one), string(one))}
	}
	return out
}

// sayOr is a sentence, or what stands in where there is none for what a program below says.
func sayOr(w *words.Words, key, otherwise string) string {
	if w.Has(key) {
		return w.T(key)
	}
	return otherwise
}

// chooseOrganization is the page of what belongs to one organization where none is named yet. more stands below the list.
func (c *call) chooseOrganization(query url.Values, title, text, list string, more ...templ.Component) error {
	p, err := pageOf(query, orgPrefix)
	if err != nil {
		return err
	}
	search := searchOf(query.Get("search"))
	found, follow, err := c.s.o.Organizations.List(c.ctx(), org.ListQuery{Search: search, Before: p.before, After: p.after, Limit: perPage})
	if err != nil {
		return err
	}
	w := c.words()
	t := ui.TableProps{
		ID: "organizations", Caption: w.T("common.organizations"), Columns: []ui.Column{{Label: w.T("common.organization")}, {Label: w.T("common.id"), Minor: true}},
		Tools: ui.Filter(ui.FilterProps{
			Action: hrefOf(list), Search: "search", Query: search, Label: w.T("common.organization_search"), Clear: cleared(query, hrefOf(list), "search"),
		}),
		Empty: ui.EmptyProps{Icon: ui.IconBuilding, Title: w.T("common.organizations_none")},
	}
	for _, o := range found {
		t.Rows = append(t.Rows, ui.Row{Cells: []templ.Component{link(o.Name, hrefOf(list)+"?organization="+string(o.ID)), ui.Mono(string(o.ID))}})
	}
	first, last := ends(found, func(o org.Organization) string { return string(o.ID) })
	t.Pager = pager(query, p, first, last, follow)
	return c.show(frame{Title: title}, listing(sheetView{Head: ui.HeadProps{Title: title, Text: text}}, t, more...))
}

// searchOf keeps what is searched for within what the verbs take.
func searchOf(text string) string {
	const longest = 200
	runes := []rune(text)
	return string(runes[:min(len(runes), longest)])
}
