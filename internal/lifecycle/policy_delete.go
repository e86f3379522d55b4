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
// address, or no mail is sent, which leaves out those too who are asked in. It is counted in the transaction. Where the app keeps the accounts that is everybody whom the provider has asserted. An organization without
// connection and directory is NotFound.
func (s *Policies) DeleteIdentityProvider(ctx context.Context, actor event.Actor, id org.ID, confirm *int) error {
	if err := s.hasProvider(ctx, id); err != nil {
		return err
	}
	for range rounds {
		err := s.deleteProvider(ctx, actor, id, confirm)
		var moved *org.PolicyMovedError
		switch {
		case errors.As(err, &moved), errors.Is(err, errOthersLeft):
			continue
		case err != nil:
			return fmt.Errorf("delete the identity provider of organization %s: %w", id, err)
		}
		s.o.Events.Nudge()
		return s.o.Directories.Deleted(ctx)
	}
	return fault.New(fault.Unavailable, "busy", "The organization was changed several times at once. Please look at it and try again.")
}

// deleteProvider counts who is left, and deletes it if that is confirmed.
func (s *Policies) deleteProvider(ctx context.Context, actor event.Actor, id org.ID, confirm *int) error {
	stranded, err := s.stranded(ctx, id)
	if err != nil {
		return err
	}
	if err := stranded.confirmed(confirm, "people_left_out", strandedSentence, string(id)); err != nil {
		return err
	}
	return s.o.DB.Tx(ctx, func(tx db.Tx) error { return s.deleteProviderTx(ctx, tx, actor, id, stranded.number) })
}

const strandedSentence = "%s: without the identity provider of %[2]s they could only come in by a mailed code, and no mail is sent, or nobody has ever proven their address. " +
	"GET /organizations/%[2]s/left_out?without=identity_provider lists them. Confirm %[3]d to delete it all the same."

// errOthersLeft tells that others would be left than were counted before the transaction: it is counted, and asked, again.
var errOthersLeft = errors.New("others would be left without a way in than were counted")

// deleteProviderTx does it, if as many people are left as were counted: who came in meanwhile is one whom nobody has confirmed.
func (s *Policies) deleteProviderTx(ctx context.Context, tx db.Tx, actor event.Actor, id org.ID, counted int) error {
	if err := s.o.Organizations.LockTx(ctx, tx, id); err != nil {
		return err
	}
	if n, err := s.countStranded(ctx, tx, id); err != nil || n != counted {
		if err == nil {
			err = errOthersLeft
		}
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

// stranded are those who come in through the provider, or are asked in, and could not by a mailed code.
func (s *Policies) stranded(ctx context.Context, id org.ID) (out tally, err error) {
	if s.o.ProfilesOnly {
		first, n, err := s.o.Connections.ProfilesOf(ctx, string(id), namesInRefusal)
		for _, p := range first {
			out.add(p.Email)
		}
		out.number = n
		return out, err
	}
	first, _, err := s.leftWithout(ctx, LeftOutQuery{OrganizationID: id, Limit: namesInRefusal, Ascending: true})
	if err != nil {
		return out, err
	}
	for _, one := range first {
		out.add(one.Name())
	}
	out.number, err = s.countStranded(ctx, s.o.DB, id)
	return out, err
}

func (s *Policies) mails() bool { return s.o.Mails != nil && s.o.Mails.Sends() }

// leftWithout is a page of them. Where the app keeps the accounts nobody is a member.
func (s *Policies) leftWithout(ctx context.Context, q LeftOutQuery) ([]LeftOut, bool, error) {
	if _, err := s.o.Organizations.Features(ctx, q.OrganizationID); err != nil {
		return nil, false, err
	}
	mails := s.mails()
	found, more, err := s.o.Members.Stranded(ctx, member.StrandedQuery{
		OrganizationID: string(q.OrganizationID), Mails: mails, Before: q.Before, After: q.After, Limit: q.Limit, Ascending: q.Ascending,
	})
	if err != nil {
		return nil, false, err
	}
	out := make([]LeftOut, len(found))
	for i, m := range found {
		out[i].Member = m
		if !mails {
			out[i].Reasons = append(out[i].Reasons, NoMailSent)
		}
		if !m.User.EmailVerified {
			out[i].Reasons = append(out[i].Reasons, AddressNotProven)
		}
	}
	return out, more, nil
}

func (s *Policies) countStranded(ctx context.Context, r db.Reader, id org.ID) (int, error) {
	if s.o.ProfilesOnly {
		return sso.CountProfilesIn(ctx, r, string(id))
	}
	return member.CountStrandedIn(ctx, r, member.StrandedQuery{OrganizationID: string(id), Mails: s.mails()})
}
