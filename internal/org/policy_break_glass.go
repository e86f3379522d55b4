package org

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
)

// Limits of break-glass users.
const (
	MaxBreakGlass     = 20 // of an organization, at a time
	MaxBreakGlassLife = 30 * 24 * time.Hour
	maxReason         = 500 // characters
)

// BreakGlass is a named person whom an organization's policy does not bind for a while: for the day on which the provider does not work.
// It exempts from the policy, never from what a directory or a hand has decided about the membership.
type BreakGlass struct {
	OrganizationID ID
	UserID         string
	Reason         string
	NamedBy        string // the actor's id
	ExpiresAt      time.Time
	CreatedAt      time.Time
}

func (b *BreakGlass) check(now time.Time) error {
	b.Reason = strings.TrimSpace(b.Reason)
	b.ExpiresAt = b.ExpiresAt.UTC().Truncate(time.Microsecond)
	switch {
	case b.Reason == "":
		return fault.New(fault.Unprocessable, "required", "Say why this person may come in without the identity provider: others will ask.").On("reason")
	case utf8.RuneCountInString(b.Reason) > maxReason:
		return fault.New(fault.Unprocessable, "too_long", "The reason is longer than %d characters.", maxReason).On("reason")
	case b.ExpiresAt.IsZero():
		return fault.New(fault.Unprocessable, "required", "Say until when, within %d days.", int(MaxBreakGlassLife.Hours()/24)).On("expires_at")
	case !b.ExpiresAt.After(now) || b.ExpiresAt.After(now.Add(MaxBreakGlassLife)):
		return fault.New(fault.Unprocessable, "invalid_expires_at", "expires_at is a time within the next %d days, and %s is not.",
			int(MaxBreakGlassLife.Hours()/24), Time(b.ExpiresAt)).On("expires_at")
	}
	return nil
}

// NameBreakGlassTx exempts a person, or changes reason and end of one who is exempt. That they are a member is the caller's to know. It
// holds the organization. Those whose time is over go.
func (s *Service) NameBreakGlassTx(ctx context.Context, tx db.Tx, actor event.Actor, b BreakGlass) (BreakGlass, error) {
	now := s.time()
	if err := b.check(now); err != nil {
		return BreakGlass{}, err
	}
	b.NamedBy, b.CreatedAt = actor.ID, now
	if err := s.LockTx(ctx, tx, b.OrganizationID); err != nil {
		return BreakGlass{}, err
	}
	if _, err := tx.Exec(ctx, expireBreakGlass, string(b.OrganizationID), now.UnixMicro()); err != nil {
		return BreakGlass{}, err
	}
	var others int64
	if err := tx.QueryRow(ctx, countBreakGlass, string(b.OrganizationID), b.UserID).Scan(&others); err != nil {
		return BreakGlass{}, err
	}
	if others >= MaxBreakGlass {
		return BreakGlass{}, fault.New(fault.Conflict, "too_many_break_glass_users",
			"The organization has %d break-glass users already. Revoke one, or make single sign-on optional for a while.", MaxBreakGlass)
	}
	_, err := tx.Exec(ctx, upsertBreakGlass, string(b.OrganizationID), b.UserID, b.Reason, b.NamedBy, b.ExpiresAt.UnixMicro(), b.CreatedAt.UnixMicro())
	if err != nil {
		return BreakGlass{}, fmt.Errorf("name a break-glass user of organization %s: %w", b.OrganizationID, err)
	}
	return b, s.events.AppendTx(ctx, tx, now, b.entry(event.BreakGlassUserCreated, actor))
}

// RevokeBreakGlassTx binds a person by the policy again. Who is not exempt is NotFound.
func (s *Service) RevokeBreakGlassTx(ctx context.Context, tx db.Tx, actor event.Actor, id ID, userID string) error {
	if err := s.LockTx(ctx, tx, id); err != nil {
		return err
	}
	found, err := breakGlass(ctx, tx, selectBreakGlass+" AND user_id = $2", string(id), userID)
	if err != nil {
		return err
	}
	if len(found) == 0 {
		return fault.New(fault.NotFound, "entity_not_found", "Break-glass user not found: '%.80s'.", userID)
	}
	if _, err := tx.Exec(ctx, deleteBreakGlass, string(id), userID); err != nil {
		return fmt.Errorf("revoke a break-glass user of organization %s: %w", id, err)
	}
	return s.events.AppendTx(ctx, tx, s.time(), found[0].entry(event.BreakGlassUserDeleted, actor))
}

// BreakGlassUsers lists those of an organization, the first to end first; also those whose time is over, until another is named.
func (s *Service) BreakGlassUsers(ctx context.Context, id ID) ([]BreakGlass, error) {
	if _, err := s.Features(ctx, id); err != nil {
		return nil, err
	}
	return breakGlass(ctx, s.db, selectBreakGlass+" ORDER BY expires_at, user_id", string(id))
}

// BreakGlassIn is the exemption of a person that r sees; ok is false where there is none, or its time is over.
func BreakGlassIn(ctx context.Context, r db.Reader, id ID, userID string, now time.Time) (b BreakGlass, ok bool, err error) {
	found, err := breakGlass(ctx, r, selectBreakGlass+" AND user_id = $2 AND expires_at > $3", string(id), userID, now.UnixMicro())
	if err != nil || len(found) == 0 {
		return BreakGlass{}, false, err
	}
	return found[0], true, nil
}

// ExemptIn tells who of an organization is exempt at a moment.
func ExemptIn(ctx context.Context, r db.Reader, id ID, now time.Time) (map[string]bool, error) {
	found, err := breakGlass(ctx, r, selectBreakGlass+" AND expires_at > $2", string(id), now.UnixMicro())
	out := map[string]bool{}
	for _, b := range found {
		out[b.UserID] = true
	}
	return out, err
}

// ExemptInto makes a write hold only while a person is exempt.
func (s *Service) ExemptInto(w *db.Write, b BreakGlass) {
	w.GuardSelect(selectBreakGlass+" AND user_id = $2 AND expires_at > $3", string(b.OrganizationID), b.UserID, s.time().UnixMicro())
}

// ExemptUsedInto tells of a sign-in, and its session, that the policy would have refused.
func (s *Service) ExemptUsedInto(w *db.Write, b BreakGlass, sessionID string) {
	p := b.payload()
	p.SessionID = sessionID
	s.events.Append(w, s.time(), event.Entry{
		OrganizationID: string(b.OrganizationID), Type: event.BreakGlassUserSignedIn, Data: encode(p),
		Context: event.Context{Actor: event.Actor{ID: b.UserID, Source: event.System}}.JSON(),
	})
}

func breakGlass(ctx context.Context, r db.Reader, text string, args ...any) ([]BreakGlass, error) {
	rows, err := r.Query(ctx, text, args...)
	if err != nil {
		return nil, fmt.Errorf("read break-glass users: %w", err)
	}
	defer rows.Close()
	var out []BreakGlass
	for rows.Next() {
		var b BreakGlass
		var expires, created int64
		if err := rows.Scan((*string)(&b.OrganizationID), &b.UserID, &b.Reason, &b.NamedBy, &expires, &created); err != nil {
			return nil, fmt.Errorf("read break-glass users: %w", err)
		}
		b.ExpiresAt, b.CreatedAt = db.Time(expires), db.Time(created)
		out = append(out, b)
	}
	return out, rows.Err()
}

func (b BreakGlass) entry(t event.Type, actor event.Actor) event.Entry {
	return event.Entry{OrganizationID: string(b.OrganizationID), Type: t, Context: event.Context{Actor: actor}.JSON(), Data: b.Payload()}
}

type breakGlassPayload struct {
	Object         string `json:"object"`
	OrganizationID ID     `json:"organization_id"`
	UserID         string `json:"user_id"`
	SessionID      string `json:"session_id,omitempty"` // of the sign-in that is told of
	Reason         string `json:"reason"`
	NamedBy        string `json:"named_by"`
	ExpiresAt      string `json:"expires_at"`
	CreatedAt      string `json:"created_at"`
}

func (b BreakGlass) payload() breakGlassPayload {
	return breakGlassPayload{
		Object: "break_glass_user", OrganizationID: b.OrganizationID, UserID: b.UserID, Reason: b.Reason, NamedBy: b.NamedBy,
		ExpiresAt: Time(b.ExpiresAt), CreatedAt: Time(b.CreatedAt),
	}
}

// Payload is a break-glass user as API and events show it.
func (b BreakGlass) Payload() []byte { return encode(b.payload()) }

// forget takes out of which organizations' policies a deleted account was exempt.
func (s *Service) forget(ctx context.Context, who event.Forgotten) error {
	if who.Subject == "" {
		return nil // an organization's go with it
	}
	var w db.Write
	w.Exec(forgetBreakGlass, who.Subject)
	if err := s.db.Write(ctx, &w); err != nil {
		return fmt.Errorf("forget that %s was a break-glass user: %w", who.Subject, err)
	}
	return nil
}
