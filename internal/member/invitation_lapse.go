package member

import (
	"context"
	"fmt"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
)

const lapsedAtOnce = 100

// LapseInvitations puts invitations by hand aside that have expired, and with each the pending membership that it was for, unless a directory
// wants the person too. Nothing is told of the invitation itself: the contract has no event for it. Inviting the person again gives them the same
// membership. The last failure is returned; it holds up no other.
func (s *Service) LapseInvitations(ctx context.Context) error {
	if s.inviting.Sealer == nil { // nobody can be invited here
		return nil
	}
	found, err := s.readInvitations(ctx, s.db, invitationsLapsed, s.time().UnixMicro(), int64(lapsedAtOnce))
	if err != nil {
		return err
	}
	var failed error
	for _, i := range found {
		err := s.guarded(ctx, i.OrganizationID, func(w *db.Write) error { return s.lapseInto(ctx, w, i.ID) })
		if err != nil {
			failed = fmt.Errorf("put invitation %s aside: %w", i.ID, err)
		}
	}
	return failed
}

// lapseInto looks again: another process may have done it, or somebody have accepted, or revoked, at the last moment.
func (s *Service) lapseInto(ctx context.Context, w *db.Write, id InvitationID) error {
	found, err := s.readInvitations(ctx, s.db, invitationLapsed, s.time().UnixMicro(), string(id))
	if err != nil || len(found) == 0 {
		return err
	}
	i := found[0]
	w.Guard(lapseInvitation, string(i.ID), i.Version)
	cause := event.Context{Actor: event.Actor{ID: string(i.ID), Source: event.System}}
	_, err = s.dropInto(ctx, w, i, func(p *place, _ User) error {
		p.m.expiredInvitation = p.m.InvitationID
		return nil
	}, cause)
	return err
}
