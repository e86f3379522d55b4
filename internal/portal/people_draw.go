package portal

import (
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"github.com/rollcallhq/rollcall/internal/lifecycle"
	"github.com/rollcallhq/rollcall/internal/web/ui"
)

func exactly(at time.Time) string { return at.UTC().Format("2 January 2006, 15:04 UTC") }

func upTo(day string) templ.Attributes { return templ.Attributes{"max": day} }

func stacked() templ.Attributes { return templ.Attributes{"class": "stack"} }

func fullName(a lifecycle.Access) string { return strings.TrimSpace(a.FirstName + " " + a.LastName) }

func accessRows(all []lifecycle.Access) []ui.Row {
	out := make([]ui.Row, len(all))
	for i, a := range all {
		out[i].Cells = []templ.Component{accessPerson(a), ui.Text(a.Role), belongs(a.Primary), ui.Time(ui.TimeProps{At: a.Since, Absolute: true})}
	}
	return out
}

func leaverRows(all []leaverView) []ui.Row {
	out := make([]ui.Row, len(all))
	for i, l := range all {
		out[i].Cells = []templ.Component{
			ui.Person(l.Name, l.Email, ""), ui.Time(ui.TimeProps{At: l.EndedAt, Absolute: true}), ui.Text(strconv.Itoa(l.Sessions)), leaverTook(l), leaverReceipt(l),
		}
	}
	return out
}
