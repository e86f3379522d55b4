package dashboard

import (
	"context"

	"github.com/a-h/templ"

	"github.com/rollcallhq/rollcall/internal/web/ui"
)

func (o operatorsView) table(ctx context.Context) ui.TableProps {
	t := ui.TableProps{ID: "operators", Caption: ui.T(ctx, "dashboard.nav_operators"), Columns: []ui.Column{
		{Label: ui.T(ctx, "dashboard.name")}, {Label: ui.T(ctx, "dashboard.role")}, {Label: ui.T(ctx, "dashboard.passkeys"), Number: true, Minor: true}, {Label: ui.T(ctx, "dashboard.last_sign_in"), Minor: true},
	}}
	for _, one := range o.Operators {
		t.Rows = append(t.Rows, ui.Row{ID: string(one.ID), Cells: []templ.Component{
			ui.Person(one.Called(), one.Email, operatorsPath+"/"+string(one.ID)), ui.Text(ui.T(ctx, "dashboard.role_"+string(one.Role))),
			ui.Text(figure(ctx, one.Passkeys)), ui.Time(ui.TimeProps{At: one.LastSignInAt}),
		}})
	}
	return t
}

// figure is a number as the language of the page writes it.
func figure(ctx context.Context, n int) string { return ui.Of(ctx).Words.Number(n) }
