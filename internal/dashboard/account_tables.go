package dashboard

import (
	"cmp"
	"context"

	"github.com/a-h/templ"

	"github.com/rollcallhq/rollcall/internal/operator"
	"github.com/rollcallhq/rollcall/internal/web/ui"
)

func (a accountView) passkeyTable(ctx context.Context) ui.TableProps {
	t := ui.TableProps{
		ID: "passkeys", Caption: ui.T(ctx, "dashboard.passkeys"),
		Columns: []ui.Column{{Label: ui.T(ctx, "dashboard.name")}, {Label: ui.T(ctx, "dashboard.passkey_host"), Minor: true}, {Label: ui.T(ctx, "dashboard.last_used")}, {Label: ui.T(ctx, "dashboard.actions"), Unseen: true}},
		Empty:   ui.EmptyProps{Icon: ui.IconKey, Title: ui.T(ctx, "dashboard.passkeys_none"), Text: ui.T(ctx, "dashboard.passkeys_none_lead")},
	}
	for _, p := range a.Passkeys {
		name := cmp.Or(p.Name, ui.T(ctx, "dashboard.passkey"))
		t.Rows = append(t.Rows, ui.Row{ID: p.ID, Cells: []templ.Component{
			ui.Text(name), ui.Text(p.Host), ui.Time(ui.TimeProps{At: p.LastUsedAt}), small(a.form(accountPath+"/passkeys/"+p.ID+"/delete"), ui.T(ctx, "dashboard.delete"), name),
		}})
	}
	return t
}

func (a accountView) sessionTable(ctx context.Context) ui.TableProps {
	t := ui.TableProps{ID: "sessions", Caption: ui.T(ctx, "dashboard.sessions"), Columns: []ui.Column{
		{Label: ui.T(ctx, "dashboard.session_browser")},
		{Label: ui.T(ctx, "dashboard.session_by"), Minor: true},
		{Label: ui.T(ctx, "dashboard.session_ip"), Minor: true},
		{Label: ui.T(ctx, "dashboard.last_used")},
		{Label: ui.T(ctx, "dashboard.actions"), Unseen: true},
	}}
	for _, s := range a.Sessions {
		mark, action := "", small(a.form(accountPath+"/sessions/"+s.ID+"/end"), ui.T(ctx, "dashboard.session_end"), s.Device)
		if s.Here {
			mark, action = ui.T(ctx, "dashboard.session_here"), ui.Text("")
		}
		t.Rows = append(t.Rows, ui.Row{ID: s.ID, Cells: []templ.Component{
			named(s.Device, mark), ui.Text(methodName(ctx, s.Method)), ui.Mono(s.IP), ui.Time(ui.TimeProps{At: s.SeenAt}), action,
		}})
	}
	return t
}

func methodName(ctx context.Context, m operator.Method) string {
	return ui.T(ctx, "dashboard.method_"+string(m))
}

// footer ends all sessions but this one, where there are others.
func (a accountView) footer() templ.Component {
	if len(a.Sessions) < 2 {
		return nil
	}
	return a.others()
}
