package session

import (
	"slices"
	"time"

	"github.com/rollcallhq/rollcall/internal/event"
)

// payload is a session in the words of the contract.
type payload struct {
	Object         string  `json:"object"`
	ID             string  `json:"id"`
	IP             *string `json:"ip_address"`
	OrganizationID string  `json:"organization_id,omitempty"`
	UserAgent      *string `json:"user_agent"`
	UserID         string  `json:"user_id"`
	Method         string  `json:"auth_method"`
	Status         string  `json:"status"`
	ExpiresAt      string  `json:"expires_at"`
	EndedAt        *string `json:"ended_at"`
	CreatedAt      string  `json:"created_at"`
	UpdatedAt      string  `json:"updated_at"`
}

// Payload is the session as API and events show it at a moment.
func (s Session) Payload(now time.Time) []byte {
	p := payload{
		Object: "session", ID: s.ID, IP: optional(s.IP), OrganizationID: s.OrganizationID, UserAgent: optional(s.UserAgent), UserID: s.UserID,
		Method: s.Method.shown(), Status: "active", ExpiresAt: event.Shown(s.ExpiresAt), CreatedAt: event.Shown(s.CreatedAt), UpdatedAt: event.Shown(s.SeenAt),
	}
	switch {
	case !s.EndedAt.IsZero():
		at := event.Shown(s.EndedAt)
		p.Status, p.EndedAt, p.UpdatedAt = "revoked", &at, at
	case !s.Living(now):
		p.Status = "expired"
	}
	return encode(p)
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// revoked makes the events of sessions that end: those of an organization in one entry, for somebody may have many.
func revoked(sessions []Session, why Ending, now time.Time) []event.Entry {
	cause := why.Context
	cause.Reason = string(why.Reason)
	text := cause.JSON()
	var out []event.Entry
	for _, s := range sessions {
		s.EndedAt, s.EndReason = now, why.Reason
		each := s.Payload(now)[len(opening):]
		i := slices.IndexFunc(out, func(e event.Entry) bool { return e.OrganizationID == s.OrganizationID })
		if i < 0 {
			i = len(out)
			out = append(out, event.Entry{OrganizationID: s.OrganizationID, Type: event.SessionRevoked, Context: text, Shared: []byte(opening)})
		}
		out[i].Each = append(out[i].Each, each)
	}
	return out
}

// opening is how each payload of a session begins.
const opening = `{"object":"session"`

type magicPayload struct {
	Object    string  `json:"object"`
	ID        string  `json:"id"`
	UserID    *string `json:"user_id"`
	Email     string  `json:"email"`
	ExpiresAt string  `json:"expires_at"`
	CreatedAt string  `json:"created_at"`
	UpdatedAt string  `json:"updated_at"`
}

// payload is a magic auth without what it is proven by.
func (m Magic) payload() []byte {
	return encode(magicPayload{
		Object: "magic_auth", ID: m.ID, UserID: optional(m.UserID), Email: m.Email, ExpiresAt: event.Shown(m.ExpiresAt),
		CreatedAt: event.Shown(m.CreatedAt), UpdatedAt: event.Shown(m.CreatedAt),
	})
}

type attemptPayload struct {
	Type   string        `json:"type"`
	Status string        `json:"status"`
	IP     *string       `json:"ip_address"`
	Agent  *string       `json:"user_agent"`
	UserID *string       `json:"user_id"`
	Email  *string       `json:"email"`
	Error  *attemptError `json:"error,omitempty"`
}

type attemptError struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}
