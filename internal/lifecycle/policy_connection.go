package lifecycle

import (
	"context"
	"fmt"
	"slices"

	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/member"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/sso"
)

// ShutOut are those who have no way in without a connection: how many, and the first of them by name.
type ShutOut struct {
	Number int
	Names  []string
}

// ShutOutWithout says who would have no way in if a connection let nobody in any more. That is nobody while another connection of the
// organization does, or while the policy leaves people other ways. Break-glass users keep theirs. Where the app keeps the accounts it is
// everybody whom the provider has asserted.
func (s *Policies) ShutOutWithout(ctx context.Context, id sso.ID) (ShutOut, error) {
	c, err := s.o.Connections.Get(ctx, id)
	if err != nil {
		return ShutOut{}, err
	}
	t, err := s.shutOut(ctx, c)
	return ShutOut{t.number, t.names}, err
}

func (s *Policies) shutOut(ctx context.Context, c sso.Connection) (out tally, err error) {
	ways, err := s.ways(ctx, org.ID(c.OrganizationID))
	if err != nil {
		return out, err
	}
	same := func(o sso.Connection) bool { return o.ID == c.ID }
	if !slices.ContainsFunc(ways, same) || len(ways) > 1 { // it lets nobody in as it is, or is not the only way
		return out, nil
	}
	if s.o.ProfilesOnly {
		first, n, err := s.o.Connections.ProfilesOf(ctx, c.OrganizationID, namesInRefusal)
		for _, p := range first {
			out.add(p.Email)
		}
		out.number = n
		return out, err
	}
	return s.boundMembers(ctx, org.ID(c.OrganizationID))
}

// boundMembers are those whom the policy in force lets in through the provider alone.
func (s *Policies) boundMembers(ctx context.Context, id org.ID) (out tally, err error) {
	p, err := s.Get(ctx, id)
	if err != nil || p.Reach != Required {
		return out, err
	}
	exempt, err := org.ExemptIn(ctx, s.o.DB, id, s.time())
	if err != nil {
		return out, err
	}
	return out, s.everyMember(ctx, id, func(page []member.Member) error {
		for _, m := range page {
			if p.InForce.Binds(m.Membership.Primary) && !exempt[string(m.User.ID)] {
				out.add(LeftOut{Member: m}.Name())
			}
		}
		return nil
	})
}

const shutOutSentence = "%s: the policy of %s lets them in through the provider alone, and this is the only connection that does. " +
	"Make single sign-on optional first, or confirm %d to go on."

// DeleteConnection deletes a connection. confirm has to be the number of those who would have no way in (a *ConfirmationError "people_left_out").
func (s *Policies) DeleteConnection(ctx context.Context, actor event.Actor, id sso.ID, confirm *int) error {
	if err := s.mayShut(ctx, id, confirm); err != nil {
		return err
	}
	return s.o.Connections.Delete(ctx, actor, id)
}

// CloseConnection switches a connection off, which ends the sessions through it. confirm is as for DeleteConnection.
func (s *Policies) CloseConnection(ctx context.Context, actor event.Actor, id sso.ID, confirm *int) (sso.Connection, error) {
	if err := s.mayShut(ctx, id, confirm); err != nil {
		return sso.Connection{}, err
	}
	off := sso.Inactive
	return s.o.Connections.Update(ctx, actor, id, sso.Change{State: &off})
}

func (s *Policies) mayShut(ctx context.Context, id sso.ID, confirm *int) error {
	c, err := s.o.Connections.Get(ctx, id)
	if err != nil {
		return err
	}
	out, err := s.shutOut(ctx, c)
	if err != nil {
		return fmt.Errorf("count who comes in through connection %s alone: %w", id, err)
	}
	return out.confirmed(confirm, "people_left_out", shutOutSentence, c.OrganizationID)
}
