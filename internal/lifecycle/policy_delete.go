package lifecycle

import (
	"context"
	"errors"
	"fmt"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/member"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/sso"
)

// DeleteIdentityProvider takes all connections and directories of an organization away, in one transaction. People, their memberships and
// roles stay as they are; a switch that is open ends with it; sessions through the provider end, and the policy requires it of nobody until there is another that has worked.
// confirm has to be the number of those who would be left without a way in (a *ConfirmationError "people_left_out"): nobody has proven their
// address, or no mail is sent. Where the app keeps the accounts that is everybody whom the provider has asserted. An organization without
// connection and directory is NotFound.
func (s *Policies) DeleteIdentityProvider(ctx context.Context, actor event.Actor, id org.ID, confirm *int) error {
	if err := s.hasProvider(ctx, id); err != nil {
		return err
	}
	stranded, err := s.stranded(ctx, id)
	if err != nil {
		return err
	}
	err = stranded.confirmed(confirm, "people_left_out",
		"%s: without the identity provider of %s they could only come in by a mailed code, and no mail is sent, or nobody has ever proven their address. Confirm %d to delete it all the same.", string(id))
	if err != nil {
		return err
	}
	for range rounds {
		err = s.o.DB.Tx(ctx, func(tx db.Tx) error { return s.deleteProviderTx(ctx, tx, actor, id) })
		var moved *org.PolicyMovedError
		if !errors.As(err, &moved) {
			break
		}
	}
	if err != nil {
		return fmt.Errorf("delete the identity provider of organization %s: %w", id, err)
	}
	s.o.Events.Nudge()
	return s.o.Directories.Deleted(ctx)
}

func (s *Policies) deleteProviderTx(ctx context.Context, tx db.Tx, actor event.Actor, id org.ID) error {
	if err := s.o.Organizations.LockTx(ctx, tx, id); err != nil {
		return err
	}
	at := s.time()
	if err := s.o.Connections.DeleteOrganizationTx(ctx, tx, actor, string(id), at); err != nil {
		return err
	}
	if err := s.releaseTx(ctx, tx, actor, id); err != nil {
		return err
	}
	if err := s.o.Directories.DeleteAllTx(ctx, tx, actor, string(id), at); err != nil {
		return err
	}
	if err := endSwitchTx(ctx, tx, s.o.Events, actor, id, at); err != nil {
		return err
	}
	p, err := org.PolicyIn(ctx, tx, id)
	if err != nil {
		return err
	}
	// What was required of people with this provider is asked anew with the next.
	p.SSO, p.SSOOptionalUntil = org.DefaultPolicy(id).SSO, org.DefaultPolicy(id).SSOOptionalUntil
	_, err = s.o.Organizations.SetPolicyTx(ctx, tx, actor, p)
	return err
}

// directoriesAtOnce is more than an organization has.
const directoriesAtOnce = 1000

// releaseTx lets go of the people and teams of the directories, as the removal of each by itself does. The caller holds the organization, so
// that none is made meanwhile.
func (s *Policies) releaseTx(ctx context.Context, tx db.Tx, actor event.Actor, id org.ID) error {
	found, more, err := s.o.Directories.List(ctx, directory.ListQuery{OrganizationID: string(id), Limit: directoriesAtOnce})
	if err == nil && more {
		err = fault.New(fault.Conflict, "too_many_directories", "The organization has more than %d directories. Delete some of them first.", directoriesAtOnce)
	}
	if err != nil || s.o.ProfilesOnly {
		return err
	}
	for _, d := range found {
		if err := s.o.Members.FreezeTx(ctx, tx, string(id), string(d.ID), event.Context{Actor: actor}); err != nil {
			return err
		}
		if err := s.o.Access.UnfollowTx(ctx, tx, string(id), string(d.ID)); err != nil {
			return err
		}
	}
	return nil
}

func (s *Policies) hasProvider(ctx context.Context, id org.ID) error {
	if _, err := s.o.Organizations.Features(ctx, id); err != nil {
		return err
	}
	found, _, err := s.o.Connections.List(ctx, sso.ListQuery{OrganizationID: string(id), Limit: 1})
	if err != nil || len(found) > 0 {
		return err
	}
	feeds, _, err := s.o.Directories.List(ctx, directory.ListQuery{OrganizationID: string(id), Limit: 1})
	if err != nil || len(feeds) > 0 {
		return err
	}
	return fault.New(fault.NotFound, "entity_not_found", "Organization %s has no identity provider: neither a connection nor a directory.", id)
}

// stranded are those who come in through the provider and could not by a mailed code.
func (s *Policies) stranded(ctx context.Context, id org.ID) (out tally, err error) {
	if s.o.ProfilesOnly {
		first, n, err := s.o.Connections.ProfilesOf(ctx, string(id), namesInRefusal)
		for _, p := range first {
			out.add(p.Email)
		}
		out.number = n
		return out, err
	}
	mails := s.o.Mails != nil && s.o.Mails.Sends()
	return out, s.everyMember(ctx, id, func(page []member.Member) error {
		for _, m := range page {
			if !mails || !m.User.EmailVerified {
				out.add(LeftOut{Member: m}.Name())
			}
		}
		return nil
	})
}
