package api

import (
	"net/http"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/session"
)

const sessionNoun = "Session"

func (c *call) showSession(s session.Session) (jsontext.Value, error) {
	return jsontext.Value(s.Payload(c.o.Now())), nil
}

// listSessions lists all that are kept, ended ones too: they tell where somebody has been signed in.
func listSessions(c *call) (answer, error) {
	u, err := c.account()
	if err != nil {
		return answer{}, err
	}
	p, err := c.paging(session.Prefix, false)
	if err != nil {
		return answer{}, err
	}
	found, more, err := c.o.Sessions.List(c.ctx(), session.ListQuery{
		UserID: string(u.ID), Before: p.before, After: p.after, Limit: p.limit, Ascending: p.ascending,
	})
	if err != nil {
		return answer{}, err
	}
	page, err := listOf(p, found, more, func(s session.Session) string { return s.ID }, c.showSession)
	return ok(page), err
}

// revoked is why the operator's hand ends a session.
func (c *call) revoked() session.Ending {
	return session.Ending{Reason: session.Revoked, Context: event.Context{Actor: c.actor}}
}

// revokeSession ends a session. One that has ended already stays so, and that is no refusal.
func revokeSession(c *call) (answer, error) {
	var wanted struct {
		SessionID string `json:"session_id"`
	}
	if err := c.body(&wanted); err != nil {
		return answer{}, err
	}
	if err := c.keepsAccounts(); err != nil {
		return answer{}, err
	}
	switch {
	case wanted.SessionID == "":
		return answer{}, errField("session_id", "required", "Name the session to end as session_id.")
	case !isID(wanted.SessionID, session.Prefix):
		return answer{}, errMissing(sessionNoun, wanted.SessionID)
	}
	if _, err := c.o.Sessions.Get(c.ctx(), wanted.SessionID); err != nil {
		return answer{}, err
	}
	_, err := c.o.Sessions.End(c.ctx(), session.Selection{SessionID: wanted.SessionID}, c.revoked())
	return answer{status: http.StatusOK}, err
}

// revokeSessions ends all sessions of a person, everywhere.
func revokeSessions(c *call) (answer, error) {
	id, err := c.accountID()
	if err != nil {
		return answer{}, err
	}
	n, err := c.o.Members.EndAll(c.ctx(), c.actor, id)
	return ok(struct {
		Object  string `json:"object"`
		Revoked int    `json:"revoked"`
	}{"revoked_sessions", n}), err
}
