package portal

import (
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

// exportButton takes a list along.
func exportButton(table, label, href string) ui.ButtonProps {
	b := ui.ExportProps(table, ui.Link{Label: label, Href: href})
	b.Small = true
	return b
}
