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
	all, err := c.s.o.Operators.List(c.ctx())
	if err != nil {
		return err
	}
	page.Operators, page.Me, page.Form = all, c.operator.ID, c.form(Prefix+"operators")
	for _, r := range operator.Roles() {
		page.Roles = append(page.Roles, ui.Option{Value: string(r), Label: c.roleName(r), Hint: c.words().T("dashboard.role_hint_" + string(r))})
	}
	return c.show(frame{Title: c.words().T("dashboard.nav_operators"), Status: status}, page.view())
}

// inviteOperator makes an operator, and shows the link that lets them in: it is shown once.
func inviteOperator(c *call) error {
	n := operator.New{Email: c.posted.Get("email"), Name: c.posted.Get("name"), Role: operator.Role(c.posted.Get("role"))}
	secret := operator.NewSecret()
	o, err := c.s.o.Operators.Invite(c.ctx(), n, token.HashOf(secret), operator.SentLinkLife)
	if f, ok := fault.As(err); ok && f.Field != "" {
		page := operatorsView{Email: n.Email, Name: n.Name, Role: string(n.Role), Wrong: f}
		return c.operatorsPage(web.Status(f.Kind), page)
	}
	if err != nil {
		return err
	}
	return c.operatorsPage(http.StatusOK, operatorsView{Role: string(operator.Admin), Link: c.q.Base + linkPath + secret.Reveal(), LinkOf: o.Called()})
}
