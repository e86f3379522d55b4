package signin

import (
	"net/http"

	"github.com/rollcallhq/rollcall/internal/lifecycle"
	"github.com/rollcallhq/rollcall/internal/token"
	"github.com/rollcallhq/rollcall/internal/web"
)

// showInvitation only shows: programs that look into mails open links, too.
func showInvitation(c *call) error {
	i, err := c.s.o.SignIns.Invitation(c.ctx(), token.Secret(c.values["token"]))
	if err != nil {
		return err
	}
	if i.State != lifecycle.InvitedOpen {
		return c.noInvitation(i.State)
	}
	return c.page(http.StatusOK, web.InvitationPage{
		Organization: i.Organization, Inviter: i.Inviter, Email: i.Email, App: i.App, SSO: i.SSO, Code: i.Code, Provable: i.Provable,
	}, "")
}

// noInvitation: the page of a link that never was one is that of one that was taken back.
func (c *call) noInvitation(state lifecycle.InvitedState) error {
	status := http.StatusGone
	switch state {
	case lifecycle.InvitedGone:
		status = http.StatusNotFound
	case lifecycle.InvitedRenew, lifecycle.InvitedUsed:
		status = http.StatusOK
	case lifecycle.InvitedShut:
		status = http.StatusForbidden
	case lifecycle.InvitedExpired, lifecycle.InvitedOpen:
	}
	return c.page(status, web.NoInvitationPage{State: string(state)}, "")
}

// takeInvitation begins to accept one, or has a fresh link mailed.
func takeInvitation(c *call) error {
	f, err := c.typed()
	if err != nil {
		return err
	}
	secret := token.Secret(c.values["token"])
	if f.Get("renew") != "" {
		if err := c.s.o.SignIns.RenewInvitation(c.ctx(), secret); err != nil {
			return err
		}
		return c.page(http.StatusOK, web.NoInvitationPage{State: "renewed"}, "")
	}
	n, state, err := c.s.o.SignIns.AcceptInvitation(c.ctx(), c.visitor(true), secret)
	if err != nil {
		return err
	}
	if state != lifecycle.InvitedOpen {
		return c.noInvitation(state)
	}
	return c.proceed(n)
}

func showJoined(c *call) error {
	i, err := c.s.o.SignIns.Joined(c.ctx(), c.visitor(false))
	if err != nil {
		return err
	}
	return c.page(http.StatusOK, web.JoinedPage{Organization: i.Organization, Places: places(i.Places)}, "")
}
