package dashboard

import (
	"context"

	"github.com/a-h/templ"

	"github.com/rollcallhq/rollcall/internal/web/ui"
)

func (h homeView) table(ctx context.Context) ui.TableProps {
	t := ui.TableProps{ID: "attention", Caption: ui.T(ctx, "dashboard.attention"), Columns: []ui.Column{
		{Label: ui.T(ctx, "dashboard.attention_what")}, {Label: ui.T(ctx, "dashboard.attention_whose"), Minor: true}, {Label: ui.T(ctx, "dashboard.attention_state")}, {Label: ui.T(ctx, "dashboard.attention_when")}, {Label: ui.T(ctx, "dashboard.attention_mend"), Minor: true},
	}}
	for _, c := range h.Concerns {
		t.Rows = append(t.Rows, ui.Row{Cells: []templ.Component{
			ui.Anchor(ui.Link{Label: c.What, Href: c.Href}), ui.Text(c.Organization), worry(c), ui.Time(ui.TimeProps{At: c.Since}), ui.Text(ui.T(ctx, "alerts.mend_"+c.Kind)),
		}})
	}
	return t
}
