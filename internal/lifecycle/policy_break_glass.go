package lifecycle

import (
	"context"
	"fmt"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/member"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/session"
)

// NewBreakGlass names somebody whom the policy shall not bind.
type NewBreakGlass struct {
	UserID    member.UserID
	Reason    string
	ExpiresAt time.Time
}

// NameBreakGlass exempts a member from the policy for a while; naming them again changes reason and end. Who is no member is NotFound.
func (s *Policies) NameBreakGlass(ctx context.Context, actor event.Actor, id org.ID, n NewBreakGlass) (out org.BreakGlass, err error) {
	if _, err := s.o.Organizations.Features(ctx, id); err != nil {
		return out, err
	}
	m, err := s.o.Members.MemberOf(ctx, string(id), n.UserID)
	if err != nil {
		return out, err
	}
	if m.Membership.State == member.Removed {
		return out, member.NotFound("Organization membership", string(n.UserID))
	}
	err = s.o.DB.Tx(ctx, func(tx db.Tx) error {
		out, err = s.o.Organizations.NameBreakGlassTx(ctx, tx, actor, org.BreakGlass{OrganizationID: id, UserID: string(n.UserID), Reason: n.Reason, ExpiresAt: n.ExpiresAt})
		return err
	})
	if err != nil {
		return out, fmt.Errorf("name a break-glass user of organization %s: %w", id, err)
	}
	s.o.Events.Nudge()
	return out, nil
}

// RevokeBreakGlass binds somebody by the policy again; sessions that it does not let go on end at once.
func (s *Policies) RevokeBreakGlass(ctx context.Context, actor event.Actor, id org.ID, user member.UserID) error {
	err := s.o.DB.Tx(ctx, func(tx db.Tx) error {
		if err := s.o.Organizations.RevokeBreakGlassTx(ctx, tx, actor, id, string(user)); err != nil {
			return err
		}
		p, err := org.PolicyIn(ctx, tx, id)
		if err != nil {
			return err
		}
		return s.endFreeTx(ctx, tx, actor, p.At(s.time()), session.Selection{OrganizationID: string(id), UserID: string(user), Unvouched: true})
	})
	if err != nil {
		return fmt.Errorf("revoke a break-glass user of organization %s: %w", id, err)
	}
	s.o.Events.Nudge()
	return nil
}

// BreakGlassUsers lists those of an organization, the first to end first.
func (s *Policies) BreakGlassUsers(ctx context.Context, id org.ID) ([]org.BreakGlass, error) {
	return s.o.Organizations.BreakGlassUsers(ctx, id)
}
