package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rollcallhq/rollcall/internal/access"
	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/mail"
	"github.com/rollcallhq/rollcall/internal/member"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/session"
	"github.com/rollcallhq/rollcall/internal/sso"
)

// PolicyOptions are what Policies is built over.
type PolicyOptions struct {
	DB            *db.DB
	Events        *event.Log
	Organizations *org.Service
	Directories   *directory.Service
	Members       *member.Service
	Connections   *sso.Service
	Sessions      *session.Service
	Access        *access.Service
	Mails         *mail.Outbox // nil: no mail is ever sent
	Now           func() time.Time

	// ProfilesOnly: the app keeps the accounts.
	ProfilesOnly bool
}

// Policies holds the verbs on who may come in to an organization, and how; SignIns holds people to it.
//
// What must stay true: nobody shuts an organization out by mistake. What requires the provider of more people than before needs a connection
// that has worked, and that those who would be left out are known by number; what takes the provider away needs the same.
type Policies struct {
	o PolicyOptions
}

// NewPolicies makes the verbs.
func NewPolicies(o PolicyOptions) *Policies { return &Policies{o: o} }

func (s *Policies) time() time.Time { return s.o.Now().UTC().Truncate(time.Microsecond) }

// Reach says how far a policy is from binding anybody.
type Reach string

// The closed list.
const (
	NotRequired Reach = "not_required" // the policy is optional now
	NotStarted  Reach = "not_started"  // nobody has come in through the provider yet, nor tested it
	Required    Reach = "required"
	Shut        Reach = "shut" // it is required, and no connection lets anybody in: only break-glass users come in
)

// PolicyNow is a policy with what it comes to now.
type PolicyNow struct {
	org.Policy

	InForce org.SSOPolicy // by the date
	Reach   Reach
	JIT     member.JIT // with the default filled in
}

// Get is the policy of an organization, and what it comes to.
func (s *Policies) Get(ctx context.Context, id org.ID) (PolicyNow, error) {
	p, err := s.o.Organizations.Policy(ctx, id)
	if err != nil {
		return PolicyNow{}, err
	}
	return s.now(ctx, p)
}

func (s *Policies) now(ctx context.Context, p org.Policy) (PolicyNow, error) {
	out := PolicyNow{Policy: p, InForce: p.At(s.time()), JIT: member.JIT(p.JIT)}
	var err error
	if out.Reach, err = s.reach(ctx, p.OrganizationID, out.InForce); err != nil {
		return PolicyNow{}, err
	}
	if p.JIT == org.JITDefault {
		found, err := directory.StandingOf(ctx, s.o.DB, string(p.OrganizationID), directory.Keys{})
		if err != nil {
			return PolicyNow{}, err
		}
		out.JIT = jitFor(p, found.Standing)
	}
	return out, nil
}

// jitFor is who is created just in time: as the policy says, else by whether there is a directory.
func jitFor(p org.Policy, s directory.Standing) member.JIT {
	switch {
	case p.JIT != org.JITDefault:
		return member.JIT(p.JIT)
	case s == directory.StandingNone:
		return member.JITVerifiedDomain
	}
	return member.JITDirectory
}

func (s *Policies) reach(ctx context.Context, id org.ID, inForce org.SSOPolicy) (Reach, error) {
	if inForce == org.Optional {
		return NotRequired, nil
	}
	if proven, err := sso.Proven(ctx, s.o.DB, string(id)); err != nil || !proven {
		return NotStarted, err
	}
	ways, err := s.ways(ctx, id)
	if err != nil {
		return "", err
	}
	if len(ways) == 0 {
		return Shut, nil
	}
	return Required, nil
}

// ways are the connections through which people come in now.
func (s *Policies) ways(ctx context.Context, id org.ID) ([]sso.Connection, error) {
	f, err := s.o.Organizations.Features(ctx, id)
	if err != nil || !f.On(org.SSO) {
		return nil, err
	}
	return s.o.Connections.Open(ctx, string(id))
}

// ConfirmationError asks that a change be confirmed by how many people it leaves without a way in. It wraps the refusal.
type ConfirmationError struct {
	Number  int
	Names   []string // of the first of them, where they are known
	refusal *fault.Error
}

func (e *ConfirmationError) Error() string { return e.refusal.Error() }

// Unwrap gives the refusal.
func (e *ConfirmationError) Unwrap() error { return e.refusal }

// Set changes a policy. Where that binds people by the provider who are free now, there has to be a connection through which somebody has
// come in or tested it (Conflict "sso_not_proven"), and confirm has to be the number of those who would be left out (a *ConfirmationError
// "people_left_out"), unless the change leaves a date until which single sign-on is optional. Sessions that the policy does not let go on
// end with it, and those that it lets live shorter do.
func (s *Policies) Set(ctx context.Context, actor event.Actor, id org.ID, c org.PolicyChange, confirm *int) (PolicyNow, error) {
	for range rounds {
		p, err := s.set(ctx, actor, id, c, confirm)
		var moved *org.PolicyMovedError
		switch {
		case errors.As(err, &moved):
			continue
		case err != nil:
			return PolicyNow{}, fmt.Errorf("set the policy of organization %s: %w", id, err)
		}
		s.o.Events.Nudge()
		return s.now(ctx, p)
	}
	return PolicyNow{}, fault.New(fault.Unavailable, "busy", "The policy was changed several times at once. Please look at it and try again.")
}

func (s *Policies) set(ctx context.Context, actor event.Actor, id org.ID, c org.PolicyChange, confirm *int) (org.Policy, error) {
	before, err := s.o.Organizations.Policy(ctx, id)
	if err != nil {
		return org.Policy{}, err
	}
	now := s.time()
	after, err := before.With(c, now)
	if err != nil {
		return org.Policy{}, err
	}
	tighter := after.At(now).Stricter(before.At(now))
	if tighter || after.Later().Stricter(before.Later()) {
		if err := s.mayRequire(ctx, id); err != nil {
			return org.Policy{}, err
		}
	}
	if tighter {
		if err := s.confirmed(ctx, id, after.At(now), confirm); err != nil {
			return org.Policy{}, err
		}
	}
	err = s.o.DB.Tx(ctx, func(tx db.Tx) error {
		if after, err = s.o.Organizations.SetPolicyTx(ctx, tx, actor, after); err != nil {
			return err
		}
		if after.Idle != before.Idle || after.Life != before.Life {
			if err := s.o.Sessions.ShortenTx(ctx, tx, string(id), session.Life{Idle: after.Idle, Absolute: after.Life}); err != nil {
				return err
			}
		}
		if !tighter {
			return nil
		}
		return s.endFreeTx(ctx, tx, actor, after.At(now), session.Selection{OrganizationID: string(id), Unvouched: true})
	})
	return after, err
}

// mayRequire refuses to require a provider that nobody has come in through, or can.
func (s *Policies) mayRequire(ctx context.Context, id org.ID) error {
	ways, err := s.ways(ctx, id)
	if err != nil {
		return err
	}
	for _, c := range ways {
		if !c.FirstSuccessAt.IsZero() {
			return nil
		}
	}
	return fault.New(fault.Conflict, "sso_not_proven",
		"Single sign-on can be required once somebody has come in through a connection that lets people in, or tested it with success. Make a test sign-in first: POST /connections/{id}/test_sign_ins.").On("sso")
}

// confirmed refuses where people would be left out and the caller has not said how many.
func (s *Policies) confirmed(ctx context.Context, id org.ID, as org.SSOPolicy, confirm *int) error {
	out, err := s.everyLeftOut(ctx, LeftOutQuery{OrganizationID: id, As: as})
	if err != nil {
		return err
	}
	return out.confirmed(confirm, "people_left_out",
		"%s. They have never come in through the provider, are not in the directory, or have an address outside the verified domains; GET /organizations/%s/left_out says which. "+
			"Give optional_until to leave them time, or confirm %d to go on.", string(id))
}

// endFreeTx ends the sessions of a selection that came about without the provider and that a policy does not let go on.
func (s *Policies) endFreeTx(ctx context.Context, tx db.Tx, actor event.Actor, as org.SSOPolicy, sel session.Selection) error {
	if proven, err := sso.Proven(ctx, tx, sel.OrganizationID); err != nil || !proven {
		return err
	}
	why := session.Ending{Reason: session.SSORequired, Context: event.Context{Actor: actor}}
	_, err := s.o.Sessions.EndPickedTx(ctx, tx, sel, func(all []session.Session) ([]session.Session, error) {
		return s.bound(ctx, tx, sel.OrganizationID, as, all)
	}, why)
	return err
}

// bound leaves of sessions those whose people a policy binds.
func (s *Policies) bound(ctx context.Context, r db.Reader, organizationID string, as org.SSOPolicy, all []session.Session) ([]session.Session, error) {
	users := make([]member.UserID, len(all))
	for i, one := range all {
		users[i] = member.UserID(one.UserID)
	}
	primary, err := member.Primaries(ctx, r, organizationID, users)
	if err != nil {
		return nil, err
	}
	exempt, err := org.ExemptIn(ctx, r, org.ID(organizationID), s.time())
	if err != nil {
		return nil, err
	}
	out := all[:0:0]
	for _, one := range all {
		if as.Binds(primary[member.UserID(one.UserID)]) && !exempt[one.UserID] {
			out = append(out, one)
		}
	}
	return out, nil
}

// EndSessions ends all sessions of an organization at once, or of one of its members, and says how many.
func (s *Policies) EndSessions(ctx context.Context, actor event.Actor, id org.ID, user member.UserID) (int, error) {
	if _, err := s.o.Organizations.Features(ctx, id); err != nil {
		return 0, err
	}
	if user != "" {
		if _, err := s.o.Members.MemberOf(ctx, string(id), user); err != nil {
			return 0, err
		}
	}
	return s.o.Sessions.End(ctx, session.Selection{OrganizationID: string(id), UserID: string(user)},
		session.Ending{Reason: session.Revoked, Context: event.Context{Actor: actor}})
}
