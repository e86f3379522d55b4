package dashboard

import (
	"context"

	"github.com/a-h/templ"

	"github.com/rollcallhq/rollcall/internal/web/ui"
)

const attentionPath = Prefix + "attention"

// attentionTable is what somebody should look at.
func attentionTable(c *call) (table[concern], error) {
	w := c.words()
	return table[concern]{
		id: "attention", file: "attention", at: attentionPath, key: func(concern) string { return "" }, read: whole(func(context.Context) ([]concern, error) { return c.concerns() }),
		fields: ui.Fields[concern]{
			ui.Both(ui.Column{Label: w.T("dashboard.attention_what")}, func(a concern) templ.Component { return link(a.What, a.Href) }, "what", func(a concern) string { return a.What }),
			ui.Both(ui.Column{Label: w.T("dashboard.attention_whose"), Minor: true}, func(a concern) templ.Component { return ui.Text(a.Organization) },
				"organization", func(a concern) string { return a.Organization }),
			ui.Both(ui.Column{Label: w.T("dashboard.attention_state")}, worry, "kind", func(a concern) string { return a.Kind }),
			ui.Both(ui.Column{Label: w.T("dashboard.attention_when")}, func(a concern) templ.Component { return moment(a.Since) }, "since", func(a concern) string { return written(a.Since) }),
			ui.Both(ui.Column{Label: w.T("dashboard.attention_mend"), Minor: true}, func(a concern) templ.Component { return ui.Text(w.T("alerts.mend_" + a.Kind)) },
				"mend", func(a concern) string { return w.T("alerts.mend_" + a.Kind) }),
			ui.InExport("page", func(a concern) string { return a.Href }),
		},
	}, nil
}

// taken is the button that takes along what there is.
func (h homeView) taken() templ.Component {
	if len(h.Attention.Rows) == 0 {
		return nil
	}
	return rowOf(h.OfAttention)
}
