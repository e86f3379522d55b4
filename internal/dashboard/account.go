package dashboard

import (
	"net/http"

	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/operator"
	"github.com/rollcallhq/rollcall/internal/web"
)

// showAccount shows an operator what is their own: name, passkeys, sessions.
func showAccount(c *call) error { return c.accountPage(http.StatusOK, c.operator.Name, "") }

func (c *call) accountPage(status int, name, wrong string) error {
	passkeys, err := c.s.o.Operators.Passkeys(c.ctx(), c.operator.ID)
	if err != nil {
		return err
	}
	sessions, err := c.s.o.Operators.Sessions(c.ctx(), c.operator.ID)
	if err != nil {
		return err
	}
	page := accountView{
		Operator: c.operator, Role: c.roleName(c.operator.Role), Name: name, Wrong: wrong, NameForm: c.form(accountPath), Passkeys: passkeys,
		Here: c.session.ID, EndOthers: c.form(accountPath + "/sessions/end-others"), form: c.form,
	}
	for _, one := range sessions {
		page.Sessions = append(page.Sessions, sessionLine{Session: one, Device: device(c.words(), one.UserAgent), Here: one.ID == c.session.ID})
	}
	return c.show(frame{Title: c.words().T("dashboard.account_title"), Narrow: true, Status: status}, page.view())
}

func renameAccount(c *call) error {
	name := c.posted.Get("name")
	_, err := c.s.o.Operators.Update(c.ctx(), c.operator.ID, operator.Change{Name: &name})
	if f, ok := fault.As(err); ok && f.Field == "name" {
		return c.accountPage(web.Status(f.Kind), name, f.Message)
	}
	if err != nil {
		return err
	}
	return c.done(accountPath, "name_saved")
}

func deletePasskey(c *call) error {
	if err := c.s.o.Operators.DeletePasskey(c.ctx(), c.operator.ID, c.values["id"]); err != nil {
		return err
	}
	return c.done(accountPath, "passkey_deleted")
}

func endSession(c *call) error {
	if c.values["id"] == c.session.ID {
		return signOut(c)
	}
	if err := c.s.o.Operators.EndSession(c.ctx(), c.operator.ID, c.values["id"]); err != nil {
		return err
	}
	return c.done(accountPath, "session_ended")
}

func endOtherSessions(c *call) error {
	if err := c.s.o.Operators.EndOtherSessions(c.ctx(), c.operator.ID, c.session.ID); err != nil {
		return err
	}
	return c.done(accountPath, "sessions_ended")
}
