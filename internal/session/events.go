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

// endedPayload is what the payloads of sessions have in common that end together at one organization, of one user or of several.
type endedPayload struct {
	Object         string `json:"object"`
	OrganizationID string `json:"organization_id,omitempty"`
	UserID         string `json:"user_id,omitempty"` // "" of several
	Status         string `json:"status"`
	EndedAt        string `json:"ended_at"`
	UpdatedAt      string `json:"updated_at"`
}

// endedSession is what they have not. Together they are a payload.
type endedSession struct {
	ID        string  `json:"id"`
	IP        *string `json:"ip_address"`
	UserAgent *string `json:"user_agent"`
	UserID    string  `json:"user_id,omitempty"` // "" where it is shared
	Method    string  `json:"auth_method"`
	ExpiresAt string  `json:"expires_at"`
	CreatedAt string  `json:"created_at"`
}

// revoked makes the events of sessions that end: those of an organization in one entry, for somebody may have many.
func revoked(sessions []Open, why Ending, now time.Time) []event.Entry {
	cause := why.Context
	cause.Reason = string(why.Reason)
	text := cause.JSON()
	var organizations []string
	at := map[string][]Open{}
	for _, s := range sessions {
		if at[s.OrganizationID] == nil {
			organizations = append(organizations, s.OrganizationID)
		}
		at[s.OrganizationID] = append(at[s.OrganizationID], s)
	}
	out := make([]event.Entry, 0, len(organizations))
	for _, organization := range organizations {
		ended := at[organization]
		user := ended[0].UserID
		if slices.ContainsFunc(ended, func(s Open) bool { return s.UserID != user }) {
			user = ""
		}
		entry := event.Entry{OrganizationID: organization, Type: event.SessionRevoked, Context: text, Each: make([][]byte, len(ended))}
		shown := event.Shown(now)
		shared := encode(endedPayload{Object: "session", OrganizationID: organization, UserID: user, Status: "revoked", EndedAt: shown, UpdatedAt: shown})
		entry.Shared = shared[:len(shared)-1]
		for i, s := range ended {
			one := endedSession{ID: s.ID, IP: optional(s.IP), UserAgent: optional(s.UserAgent), Method: s.Method.shown(), ExpiresAt: event.Shown(s.ExpiresAt), CreatedAt: event.Shown(s.CreatedAt)}
			if user == "" {
				one.UserID = s.UserID
			}
			entry.Each[i] = encode(one)
			entry.Each[i][0] = ','
		}
		out = append(out, entry)
	}
	return out
}

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
