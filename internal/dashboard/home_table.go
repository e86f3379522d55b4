package dashboard

import (
	"context"

	"github.com/a-h/templ"

	"github.com/rollcallhq/rollcall/internal/web/ui"
)

func (h homeView) table(ctx context.Context) ui.TableProps {
	t := ui.TableProps{ID: "attention", Caption: ui.T(ctx, "dashboard.attention"), Columns: []ui.Column{
		{Label: ui.T(ctx, "dashboard.attention_what")}, {Label: ui.T(ctx, "dashboard.attention_state")}, {Label: ui.T(ctx, "dashboard.attention_when")}, {Label: ui.T(ctx, "dashboard.attention_mend"), Minor: true},
	}}
	for _, c := range h.Concerns {
		when := ui.Text(ui.T(ctx, "dashboard.last_day"))
		if !c.Since.IsZero() {
			when = ui.Time(ui.TimeProps{At: c.Since})
		}
		t.Rows = append(t.Rows, ui.Row{Cells: []templ.Component{
			ui.Anchor(ui.Link{Label: c.What, Href: c.Href}), worry(c), when, ui.Text(ui.T(ctx, "dashboard.mend_"+c.Kind)),
		}})
	}
	return t
}
