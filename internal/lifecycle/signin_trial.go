package lifecycle

import (
	"context"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/member"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/sso"
	"github.com/rollcallhq/rollcall/internal/token"
)

// TestPath is where a test sign-in begins and where its result is shown; a sealed word follows.
const TestPath = "/sign-in/test/"

// testLife is how long the address of a test serves, and how long its result is shown.
const testLife = 24 * time.Hour

// ticket is what is sealed in an address of a test: a connection to be tested, or an attempt to be shown to the browser that made it.
type ticket struct {
	Connection sso.ID        `json:"c,omitempty"`
	Attempt    sso.AttemptID `json:"a,omitempty"`
	Browser    token.Hash    `json:"b,omitempty"`
	Until      time.Time     `json:"u"`
}

const ticketPlace = "sign_in.test"

func (s *SignIns) sealTicket(t ticket) (string, error) {
	t.Until = s.time().Add(testLife)
	text, err := json.Marshal(t)
	if err != nil {
		return "", fmt.Errorf("seal a test: %w", err)
	}
	return addressable(s.o.Sealer.Seal(ticketPlace, text)), nil
}

func (s *SignIns) openTicket(sealed string) (t ticket, err error) {
	gone := fault.New(fault.NotFound, "not_found", "This test is not there, or was too long ago. Begin a new one.")
	text, ok := fromAddress(sealed)
	if !ok {
		return t, gone
	}
	clear, err := s.o.Sealer.Open(ticketPlace, text)
	if err != nil {
		return t, gone
	}
	if err := json.Unmarshal(clear, &t); err != nil || !s.time().Before(t.Until) {
		return ticket{}, gone
	}
	return t, nil
}

// NewTest gives the address at which a browser makes a test sign-in: it may be handed to the organization's administrator.
func (s *SignIns) NewTest(ctx context.Context, id sso.ID) (string, error) {
	c, err := s.o.Connections.Get(ctx, id)
	if err != nil {
		return "", err
	}
	sealed, err := s.sealTicket(ticket{Connection: id})
	return s.o.Bases(c.OrganizationID)[0] + TestPath + sealed, err
}

// Result is what a test sign-in came to.
type Result struct {
	Connection   string // its name
	Organization string // its name
	Attempt      sso.Attempt
}

// Test begins the test that an address names, or shows what came of it to the browser that made it.
func (s *SignIns) Test(ctx context.Context, v Visitor, sealed string) (Next, *Result, error) {
	t, err := s.openTicket(sealed)
	if err != nil {
		return Next{}, nil, err
	}
	if t.Attempt != "" {
		r, err := s.result(ctx, v, t)
		return Next{}, r, err
	}
	c, err := s.o.Connections.Get(ctx, t.Connection)
	if err != nil {
		return Next{}, nil, err
	}
	out, err := s.o.Connections.Start(ctx, sso.Start{
		ConnectionID: c.ID, Kind: sso.Test, Browser: v.Browser, Base: s.o.Bases(c.OrganizationID)[0], IP: v.IP, UserAgent: v.UserAgent,
	})
	return Next{URL: out.URL, Form: out.Form, App: c.Name}, nil, err
}

func (s *SignIns) result(ctx context.Context, v Visitor, t ticket) (*Result, error) {
	if t.Browser != v.Browser {
		return nil, fault.New(fault.NotFound, "not_found", "This test is not there, or was made in another browser.")
	}
	attempt, err := s.o.Connections.Attempt(ctx, t.Attempt)
	if err != nil {
		return nil, err
	}
	c, err := s.o.Connections.Get(ctx, attempt.ConnectionID)
	if err != nil {
		return nil, err
	}
	o, err := s.o.Organizations.Get(ctx, org.ID(attempt.OrganizationID))
	if err != nil {
		return nil, err
	}
	return &Result{Connection: c.Name, Organization: o.Name, Attempt: attempt}, nil
}

// tested leads to the result of a test.
func (s *SignIns) tested(v Visitor, a sso.Attempt) Next {
	sealed, err := s.sealTicket(ticket{Attempt: a.ID, Browser: v.Browser})
	if err != nil { // strings and a time
		return Next{Page: ShowRefuse, Attempt: string(a.ID)}
	}
	return Next{URL: TestPath + sealed}
}

// Names of the checks that are ours; those of the protocol come with the answer.
const (
	checkDomain    = "email_in_verified_domain"
	checkDirectory = "found_in_directory"
	checkAdmitted  = "would_be_let_in"
)

// finishTest looks at everything that a sign-in would look at and records it. It makes no profile, no account and no session.
func (s *SignIns) finishTest(ctx context.Context, v Visitor, verified *sso.Verified) (Next, error) {
	checks, err := s.checks(ctx, verified)
	if err != nil {
		return Next{}, err
	}
	attempt, err := s.o.Connections.FinishTest(ctx, verified, checks...)
	if err != nil {
		return Next{}, err
	}
	s.o.Events.Nudge()
	return s.tested(v, attempt), nil
}

func (s *SignIns) checks(ctx context.Context, v *sso.Verified) ([]sso.Check, error) {
	arrival, err := s.arrival(ctx, v)
	if refused(err) {
		return []sso.Check{admittedCheck(err)}, nil
	}
	if err != nil {
		return nil, err
	}
	if v.Connection.Switching == sso.Coming { // the directory that would know the person is not heard before the cut-over
		return []sso.Check{domainCheck(arrival)}, nil
	}
	keys := keysOf(v, arrival.EmailVerified)
	found, err := directory.StandingOf(ctx, s.o.DB, arrival.OrganizationID, keys)
	if err != nil {
		return nil, err
	}
	out := []sso.Check{domainCheck(arrival)}
	if found.Standing != directory.StandingNone { // without a directory there is nothing to be found in
		out = append(out, directoryCheck(found))
	}
	if s.o.ProfilesOnly {
		return append(out, admittedCheck(admitProfile(arrival))), nil
	}
	policy, err := org.PolicyIn(ctx, s.o.DB, org.ID(arrival.OrganizationID))
	if err != nil {
		return nil, err
	}
	arrival = under(policy, arrival)
	facts, err := s.o.Members.Facts(ctx, s.o.DB, arrival)
	if err != nil {
		return nil, err
	}
	_, err = member.Admit(facts, arrival, s.time())
	if err != nil && !refused(err) {
		return nil, err
	}
	return append(out, admittedCheck(err)), nil
}

func domainCheck(a member.Arrival) sso.Check {
	c := sso.Check{Name: checkDomain, Passed: a.EmailVerified || a.Trust, Wanted: "an address in a domain that the organization has verified", Got: a.Email}
	if !c.Passed {
		c.Code = sso.EmailDomainNotAllowed
	}
	return c
}

// directoryCheck says by which attribute the person was found. A near miss names the one to map differently.
func directoryCheck(f directory.Found) sso.Check {
	c := sso.Check{Name: checkDirectory, Passed: f.Standing == directory.StandingActive, Wanted: "an active person in the directory"}
	switch f.Standing {
	case directory.StandingNone:
	case directory.StandingUnknown:
		c.Got, c.Code = "nobody whose externalId, userName or email fits", sso.NotInDirectory
	case directory.StandingInactive:
		c.Got, c.Code = "found by "+string(f.JoinedBy)+", inactive", sso.UserDeprovisioned
	case directory.StandingActive:
		c.Got = "found by " + string(f.JoinedBy)
	}
	if n := f.Near; n != nil {
		c.Got += fmt.Sprintf("; to join by a stable id, map %s in the directory to what the sign-in calls %q: the directory has %q", n.Attribute, n.Wanted, n.Has)
	}
	return c
}

func admittedCheck(err error) sso.Check {
	c := sso.Check{Name: checkAdmitted, Passed: err == nil, Wanted: "a sign-in"}
	if f, ok := fault.As(err); ok {
		c.Code, c.Got = sso.Code(f.Code), f.Message
		if f.Wanted != "" {
			c.Wanted = f.Wanted
		}
	}
	return c
}
