package sso

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"slices"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/token"
)

// arrival is an answer on its way to being verified.
type arrival struct {
	s       *Service
	c       Connection
	owner   org.Organization
	browser token.Hash
	came    arrived
	bases   []string
	ahead   *ahead
	asked   *opinion  // the second verifier; nil: not yet
	claimed AttemptID // at a path of several connections: what the response has to answer
}

// refuse makes the refusal of an answer that belongs to no attempt.
func (a *arrival) refuse(f *fault.Error) *Refusal {
	return &Refusal{Fault: f, Connection: a.c, arrived: a.came}
}

// refuseFor makes the refusal of an attempt's answer. It is noted at the attempt only for the browser that made it: nobody else ends it.
func (a *arrival) refuseFor(attempt *Attempt, f *fault.Error) *Refusal {
	r := a.refuse(f)
	switch {
	case attempt == nil || attempt.ConnectionID != a.c.ID || !a.sameBrowser(attempt):
	case attempt.State == AtProvider:
		r.Attempt = attempt
	default:
		r.Over = attempt
	}
	return r
}

func (a *arrival) sameBrowser(attempt *Attempt) bool {
	return attempt.browser != "" && subtle.ConstantTimeCompare([]byte(attempt.browser), []byte(a.browser)) == 1
}

// attempt finds the attempt of a request, nil if there is none of this connection.
func (a *arrival) attempt(ctx context.Context, request string) (found *Attempt, err error) {
	if a.ahead.began(request) {
		found = a.ahead.attempt
	} else {
		found, err = a.s.requested(ctx, request)
	}
	if err != nil || found == nil || found.ConnectionID != a.c.ID {
		return nil, err
	}
	return found, nil
}

// requested finds the attempt of a request, nil if there is none.
func (s *Service) requested(ctx context.Context, request string) (*Attempt, error) {
	if request == "" {
		return nil, nil //nolint:nilnil // no request, no attempt, nothing wrong
	}
	found, err := attempts(ctx, s.c.DB, selectRequested, string(token.HashOf(token.Secret(request))))
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return &found[0], nil
}

// closed says why the connection takes no answer of this kind.
func (a *arrival) closed(kind Kind) *fault.Error {
	if kind != Test && !a.c.open() {
		return errInactive(a.c)
	}
	return nil
}

// usable says why an attempt cannot be answered any more, or not by this browser.
func (a *arrival) usable(attempt *Attempt) *fault.Error {
	switch {
	case attempt.State == TimedOut, attempt.State == AtProvider && !a.s.moment().Before(attempt.ExpiresAt):
		return deny(TimedOutCode, "an answer within ten minutes", "a later one", "The answer came more than ten minutes after the sign-in began.")
	case attempt.State != AtProvider:
		return errReplayed()
	case a.browser == "":
		return deny(StateLost, "the cookie of the browser that began the sign-in", "no cookie", "The browser did not send the cookie that the sign-in began with.")
	case !a.sameBrowser(attempt):
		return deny(StateLost, "the browser that began the sign-in", "another one", "The answer came to another browser than the one that began the sign-in.")
	}
	return nil
}

func errReplayed() *fault.Error {
	return deny(Replayed, "an answer that was not used yet", "one that was", "This answer of the identity provider has been used already.")
}

// conclude maps the person and makes the verified answer, or the refusal. Whether the person may come in, and with this address, is for
// others to decide: the package member, or where no accounts are kept the lifecycle.
func (a *arrival) conclude(attempt *Attempt, st statement, v *Verified) (*Verified, error) {
	v.Subject = st.subject
	m := mappingOf(a.s.c.Catalog, a.c)
	p, refused := m.profile(a.c, st, a.c.Options.AllowUnverifiedEmail)
	if refused != nil {
		r := a.refuseFor(attempt, refused)
		r.checks = append(v.Checks, checkOf(refused))
		return nil, r
	}
	p.Subject = st.whom
	v.Attempt, v.Connection, v.Profile, v.arrived, v.owner = *attempt, a.c, p, a.came, a.owner
	v.DomainVerified = verifiedBy(a.owner, p.Email)
	v.Checks = append(v.Checks, personChecks(p)...)
	if p.GroupsCut > 0 {
		v.Warnings = append(v.Warnings, fmt.Sprintf("The answer has %d groups; %d are kept. Let the identity provider send only those that the app needs.", p.GroupsCut+MaxGroups, MaxGroups))
	}
	v.meeting = a.s.meeting(v)
	return v, nil
}

// meeting gives the profile its id: the one it has, or a new one.
func (s *Service) meeting(v *Verified) []db.Question {
	text := selectProfile + " WHERE connection_id = $1 AND idp_id = $2"
	return []db.Question{{SQL: text, Args: []any{string(v.Connection.ID), v.Profile.IDPID}, Read: func(rows db.Rows) error {
		found, err := readProfiles(rows)
		if err != nil {
			return err
		}
		v.identify(found, func() ProfileID { return ProfileID(s.c.IDs.NewID(ProfilePrefix)) })
		v.meeting = nil
		return nil
	}}}
}

// met asks now.
func (s *Service) met(ctx context.Context, v *Verified) error {
	return s.c.DB.Ask(ctx, v.meeting...)
}

// identify makes the profile the one that is stored, of which there is one at most.
func (v *Verified) identify(stored []Profile, next func() ProfileID) {
	v.changed = true
	if len(stored) == 0 {
		v.Profile.ID, v.Profile.userID, v.Profile.version = next(), "", 0
		return
	}
	was := stored[0]
	v.Profile.ID, v.Profile.userID, v.Profile.version, v.Profile.CreatedAt, v.Profile.UpdatedAt = was.ID, was.userID, was.version, was.CreatedAt, was.UpdatedAt
	v.changed = !was.says(v.Profile)
}

// Renew reads again what FinishInto writes by, after a write was lost: the first who come through a connection make it active, and the same
// person may have signed in elsewhere. A connection that is gone is NotFound.
func (s *Service) Renew(ctx context.Context, v *Verified) error {
	c, err := s.Get(ctx, v.Connection.ID)
	if err != nil {
		return err
	}
	v.Connection = c
	v.meeting = s.meeting(v)
	return s.met(ctx, v)
}

// says compares what two profiles say of a person.
func (p Profile) says(other Profile) bool {
	return p.Subject == other.Subject && p.Email == other.Email && p.EmailVerified == other.EmailVerified && p.FirstName == other.FirstName && p.LastName == other.LastName &&
		p.Name == other.Name && slices.Equal(p.Groups, other.Groups) && slices.Equal(p.Roles, other.Roles) &&
		string(encode(p.Custom)) == string(encode(other.Custom)) && string(encode(p.Raw)) == string(encode(other.Raw))
}

// verifiedBy says whether an address lies in a domain that the organization has verified. Names are compared whole: a domain does not
// vouch for those below it.
func verifiedBy(o org.Organization, email string) bool {
	_, domain, reason := parseEmail(email)
	return reason == "" && slices.ContainsFunc(o.Domains, func(d org.Domain) bool { return d.State == org.Verified && d.Domain == domain })
}

// Refuse makes the refusal of a verified answer, for reasons that lie with the caller. err has one of the codes of this package.
func (v *Verified) Refuse(err *fault.Error) *Refusal {
	attempt := v.Attempt
	return &Refusal{
		Fault: err, Attempt: &attempt, Connection: v.Connection, arrived: v.arrived, idpID: v.Profile.IDPID, email: v.Profile.Email,
		checks: append(slices.DeleteFunc(slices.Clone(v.Checks), func(c Check) bool { return c.Code == Code(err.Code) }), checkOf(err)),
	}
}

// openArrival begins with the connection of an address; belongsTo goes on.
func (s *Service) openArrival(c Connection, err error, protocol Protocol, browser token.Hash, came arrived) (*arrival, error) {
	a := &arrival{s: s, c: c, browser: browser, came: came}
	if fault.Is(err, fault.NotFound) || err == nil && c.Protocol != protocol {
		a.c = Connection{}
		return nil, a.refuse(fault.New(fault.NotFound, string(ConnectionInactive), "There is no connection at this address."))
	}
	if err != nil {
		return nil, err
	}
	return a, nil
}

// owned is the organization of a connection, and why it lets nobody in.
type owned struct {
	by      org.Organization
	refused *fault.Error
}

func (s *Service) owned(ctx context.Context, c Connection) (o owned, err error) {
	o.by, o.refused, err = s.owner(ctx, c)
	return o, err
}

// belongsTo takes the organization of the connection.
func (a *arrival) belongsTo(o owned, err error) error {
	a.owner = o.by
	if err == nil && o.refused != nil {
		return a.refuse(o.refused)
	}
	return err
}

// Used says whether what a sign-in was verified by has been used meanwhile, for the attempt or for another one. The write decides that:
// whoever lost one asks here why.
func (s *Service) Used(ctx context.Context, v *Verified) (bool, error) {
	attempt, err := s.Attempt(ctx, v.Attempt.ID)
	if err != nil || attempt.State != AtProvider {
		return err == nil, err
	}
	var until int64
	err = s.c.DB.QueryRow(ctx, selectUsed, string(v.Connection.ID), string(v.assertion)).Scan(&until)
	if errors.Is(err, db.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look for a used assertion: %w", err)
	}
	return true, nil
}
