package dashboard

import (
	"context"
	"strconv"

	"github.com/a-h/templ"

	"github.com/rollcallhq/rollcall/internal/operator"
	"github.com/rollcallhq/rollcall/internal/web/ui"
)

// operatorsTable are those who may use the dashboard.
func operatorsTable(c *call) (table[operator.Operator], error) {
	w := c.words()
	return table[operator.Operator]{
		id: "operators", file: "operators", at: operatorsPath, key: func(o operator.Operator) string { return string(o.ID) }, read: whole(c.s.o.Operators.List),
		fields: ui.Fields[operator.Operator]{
			ui.InExport("id", func(o operator.Operator) string { return string(o.ID) }),
			ui.Both(ui.Column{Label: w.T("dashboard.name")}, func(o operator.Operator) templ.Component {
				return ui.Person(o.Called(), o.Email, operatorsPath+"/"+string(o.ID))
			},
				"email", func(o operator.Operator) string { return o.Email }),
			ui.InExport("name", func(o operator.Operator) string { return o.Name }),
			ui.Both(ui.Column{Label: w.T("dashboard.role")}, func(o operator.Operator) templ.Component { return ui.Text(c.roleName(o.Role)) },
				"role", func(o operator.Operator) string { return string(o.Role) }),
			ui.Both(ui.Column{Label: w.T("dashboard.passkeys"), Number: true, Minor: true}, func(o operator.Operator) templ.Component { return ui.Text(w.Number(o.Passkeys)) },
				"passkeys", func(o operator.Operator) string { return strconv.Itoa(o.Passkeys) }),
			ui.Both(ui.Column{Label: w.T("dashboard.last_sign_in"), Minor: true}, func(o operator.Operator) templ.Component { return moment(o.LastSignInAt) },
				"last_sign_in_at", func(o operator.Operator) string { return written(o.LastSignInAt) }),
			ui.InExport("created_at", func(o operator.Operator) string { return written(o.CreatedAt) }),
		},
	}, nil
}

// figure is a number as the language of the page writes it.
func figure(ctx context.Context, n int) string { return ui.Of(ctx).Words.Number(n) }
