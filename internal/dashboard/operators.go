package dashboard

import (
	"net/http"

	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/operator"
	"github.com/rollcallhq/rollcall/internal/token"
	"github.com/rollcallhq/rollcall/internal/web"
	"github.com/rollcallhq/rollcall/internal/web/ui"
)

// showOperators lists who may use the dashboard.
func showOperators(c *call) error {
	return c.operatorsPage(http.StatusOK, operatorsView{Role: string(operator.Admin)})
}

func (c *call) operatorsPage(status int, page operatorsView) error {
	list, err := operatorsTable(c)
	if err != nil {
		return err
	}
	page.Table = ui.TableProps{Caption: c.words().T("dashboard.nav_operators")}
	if _, err := list.fill(c, &page.Table); err != nil {
		return err
	}
	page.Head = ui.HeadProps{Title: c.words().T("dashboard.nav_operators"), Text: c.words().T("dashboard.operators_lead"), Actions: acts([]action{list.exportAction(c)})}
	page.Form, page.Roles = c.form(operatorsPath), c.roles()
	return c.show(frame{Title: c.words().T("dashboard.nav_operators"), Status: status}, page.view())
}

// roles are the roles to choose from.
func (c *call) roles() (out []ui.Option) {
	for _, r := range operator.Roles() {
		out = append(out, ui.Option{Value: string(r), Label: c.roleName(r), Hint: c.words().T("dashboard.role_hint_" + string(r))})
	}
	return out
}

// inviteOperator makes an operator, and shows the link that lets them in: it is shown once.
func inviteOperator(c *call) error {
	n := operator.New{Email: c.posted.Get("email"), Name: c.posted.Get("name"), Role: operator.Role(c.posted.Get("role"))}
	secret := operator.NewSecret()
	o, err := c.s.o.Operators.Invite(c.ctx(), n, token.HashOf(secret), operator.SentLinkLife)
	if f, ok := fault.As(err); ok && f.Field != "" {
		return c.operatorsPage(web.Status(f.Kind), operatorsView{Email: n.Email, Name: n.Name, Role: string(n.Role), Wrong: f})
	}
	if err != nil {
		return err
	}
	return c.operatorsPage(http.StatusOK, operatorsView{Role: string(operator.Admin), Link: LinkAddress(c.q.Base, secret), LinkOf: o.Called()})
}

// showOperator shows one, with what may be done about them.
func showOperator(c *call) error { return c.operatorPage(http.StatusOK, operatorView{}) }

func (c *call) operatorPage(status int, page operatorView) error {
	o, err := c.s.o.Operators.Get(c.ctx(), operator.ID(c.values["id"]))
	if err != nil {
		return err
	}
	sessions, err := c.s.o.Operators.Sessions(c.ctx(), o.ID)
	if err != nil {
		return err
	}
	at := operatorsPath + "/" + string(o.ID)
	page.Operator, page.Sessions, page.Roles = o, len(sessions), c.roles()
	page.RoleForm, page.LinkForm, page.EndForm, page.Remove = c.form(at), c.form(at+"/link"), c.form(at+"/end-sessions"), at+"/remove"
	return c.show(frame{Title: o.Called(), Crumbs: []ui.Link{{Label: o.Called()}}, Narrow: true, Status: status}, page.view())
}

func changeOperator(c *call) error {
	role := operator.Role(c.posted.Get("role"))
	_, err := c.s.o.Operators.Update(c.ctx(), operator.ID(c.values["id"]), operator.Change{Role: &role})
	if f, ok := fault.As(err); ok && (f.Field == "role" || f.Code == "last_owner") {
		return c.operatorPage(web.Status(f.Kind), operatorView{Wrong: f.Message})
	}
	if err != nil {
		return err
	}
	return c.done(operatorsPath, "role_saved")
}

// linkOperator makes a link for somebody who is an operator already.
func linkOperator(c *call) error {
	secret := operator.NewSecret()
	if err := c.s.o.Operators.Link(c.ctx(), operator.ID(c.values["id"]), token.HashOf(secret), operator.SentLinkLife); err != nil {
		return err
	}
	return c.operatorPage(http.StatusOK, operatorView{Link: LinkAddress(c.q.Base, secret)})
}

func endOperatorSessions(c *call) error {
	keep := ""
	if operator.ID(c.values["id"]) == c.operator.ID {
		keep = c.session.ID
	}
	if err := c.s.o.Operators.EndOtherSessions(c.ctx(), operator.ID(c.values["id"]), keep); err != nil {
		return err
	}
	return c.done(operatorsPath, "sessions_ended")
}

// confirmRemoval asks before an operator is removed.
func confirmRemoval(c *call) error {
	o, err := c.s.o.Operators.Get(c.ctx(), operator.ID(c.values["id"]))
	if err != nil {
		return err
	}
	at := operatorsPath + "/" + string(o.ID)
	return c.show(frame{Title: c.words().T("dashboard.operator_remove"), Crumbs: []ui.Link{{Label: o.Called(), Href: at}, {Label: c.words().T("dashboard.operator_remove")}}, Narrow: true},
		ui.Confirm(ui.ConfirmProps{
			Title: c.words().T("dashboard.operator_remove_title", "who", o.Called()), Text: c.words().T("dashboard.operator_remove_lead", "email", o.Email),
			Lines: []string{c.words().T("dashboard.operator_remove_out"), c.words().T("dashboard.operator_remove_audit")},
			Form:  c.form(at + "/remove"), Confirm: c.words().T("dashboard.operator_remove"), Cancel: ui.Link{Href: at},
		}))
}

func removeOperator(c *call) error {
	err := c.s.o.Operators.Remove(c.ctx(), operator.ID(c.values["id"]))
	if f, ok := fault.As(err); ok && f.Code == "last_owner" {
		return c.operatorPage(web.Status(f.Kind), operatorView{Wrong: f.Message})
	}
	if err != nil {
		return err
	}
	return c.done(operatorsPath, "operator_removed")
}
