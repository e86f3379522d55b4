package sso

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/idp"
	"github.com/rollcallhq/rollcall/internal/member"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/outbound"
	"github.com/rollcallhq/rollcall/internal/saml"
	"github.com/rollcallhq/rollcall/internal/saml/second"
	"github.com/rollcallhq/rollcall/internal/session"
	"github.com/rollcallhq/rollcall/internal/token"
)

// Config is what the service is built from.
type Config struct {
	DB            *db.DB
	Events        *event.Log
	IDs           *token.Source
	Sealer        *db.Sealer
	Organizations *org.Service
	Sessions      *session.Service
	Members       *member.Service
	Policy        outbound.Policy // who may be asked for metadata, discovery, keys and tokens
	Catalog       *idp.Catalog
	Now           func() time.Time
	Logger        *slog.Logger
	// OpenPerNetwork is how many attempts may be at their providers that were begun from one network; 0: 2000, which an office of
	// thousands does not reach in the morning.
	OpenPerNetwork int
	// OneVerifier leaves out the second verifier of SAML signatures.
	OneVerifier bool
	// Second is the second verifier, nil for gosaml2. The guess is what that said already.
	Second func(g second.Guess, response []byte, e saml.Expectation, ours *saml.Assertion) error
}

// Service holds the verbs; Run is the background work.
type Service struct {
	c       Config
	clients clients
	strays  strays
	parts   keptParts
	gate    func(response []byte) (*saml.Document, error)                       // saml.Open
	consume func(d *saml.Document, e saml.Expectation) (*saml.Assertion, error) // its Consume
	ahead   func(response []byte, e saml.Expectation) second.Guess              // second.Ahead
	second  func(g second.Guess, response []byte, e saml.Expectation, ours *saml.Assertion) error

	disagreements atomic.Int64
	dropped       atomic.Int64
}

// NewService makes the service.
func NewService(c Config) *Service {
	s := &Service{c: c, clients: newClients(c.Policy), strays: strays{seen: map[ID]int{}}, parts: keptParts{of: map[ID]parts{}}, gate: saml.Open, consume: (*saml.Document).Consume, ahead: second.Ahead, second: second.Guess.Check}
	if c.OpenPerNetwork == 0 {
		s.c.OpenPerNetwork = defaultPerNetwork
	}
	if c.Second != nil {
		s.second = c.Second
	}
	c.Events.Forgets(event.Forgetter{Rows: s.forget})
	return s
}

// Disagreements counts responses that the two verifiers read differently: more than none is an alarm.
func (s *Service) Disagreements() float64 { return float64(s.disagreements.Load()) }

// Dropped counts refusals of no attempt that were not recorded because there were too many at once.
func (s *Service) Dropped() float64 { return float64(s.dropped.Load()) }

// strays bounds how much a stranger can have written: refusals that belong to no attempt, by connection, in the present window.
type strays struct {
	mu    sync.Mutex
	since time.Time
	seen  map[ID]int
}

// Of refusals that belong to no attempt.
const (
	strayWindow = 10 * time.Second
	strayBurst  = 20  // recorded of a connection in a window
	strayKept   = 100 // kept of a connection
)

func (b *strays) admit(id ID, now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if now.Sub(b.since) >= strayWindow || now.Before(b.since) {
		b.since, b.seen = now, map[ID]int{}
	}
	b.seen[id]++
	return b.seen[id] <= strayBurst
}

// Get finds one connection.
func (s *Service) Get(ctx context.Context, id ID) (Connection, error) {
	return s.one(ctx, s.c.DB, string(id), " AND id = $1", string(id))
}

func (s *Service) one(ctx context.Context, r db.Reader, name, where string, args ...any) (Connection, error) {
	found, err := connections(ctx, r, selectConnection+where, args...)
	if err != nil {
		return Connection{}, err
	}
	if len(found) == 0 {
		return Connection{}, NotFound(name)
	}
	return found[0], nil
}

// ByKey finds the connection of an address.
func (s *Service) ByKey(ctx context.Context, key string) (Connection, error) {
	return s.one(ctx, s.c.DB, key, " AND key = $1", key)
}

// Takes says whether responses are taken at a further path, for any connection.
func (s *Service) Takes(ctx context.Context, path string) (bool, error) {
	var n int
	if err := s.c.DB.QueryRow(ctx, isPath, path).Scan(&n); err != nil {
		return false, fmt.Errorf("look for the connections of a path: %w", err)
	}
	return n > 0, nil
}

// open says whether people may sign in through the connection.
func (c Connection) open() bool { return c.LetsIn() }

// LetsIn says whether people may sign in through the connection. One that comes with a switch is only tested.
func (c Connection) LetsIn() bool {
	return (c.State == Active || c.State == Validating) && c.Switching != Coming
}

// Vouches says whether those who came through the connection may stay. They may also where it was retired by a switch, until that is
// finished, and where it comes with one.
func (c Connection) Vouches() bool {
	return c.State == Active || c.State == Validating || c.Switching == Retired
}

// Choose finds the connection that is meant by an organization: the one that lets people in, or of several the default. Refusals:
// NotFound "connection_not_found", Conflict "ambiguous_connection_selector".
func (s *Service) Choose(ctx context.Context, organizationID string) (Connection, error) {
	found, err := connections(ctx, s.c.DB, selectEntrances, organizationID)
	if err != nil {
		return Connection{}, err
	}
	switch i := slices.IndexFunc(found, func(c Connection) bool { return c.Options.Default }); {
	case len(found) == 0:
		return Connection{}, fault.New(fault.NotFound, "connection_not_found", "Organization %.80q has no connection that lets people in.", organizationID)
	case i >= 0:
		return found[i], nil
	case len(found) == 1:
		return found[0], nil
	}
	ids := make([]string, len(found))
	for i, c := range found {
		ids[i] = string(c.ID)
	}
	return Connection{}, fault.New(fault.Conflict, "ambiguous_connection_selector",
		"Organization %s has %d connections that let people in, and none is the default. Name one, or make one the default by its options.", organizationID, len(found)).
		Compared("one connection, or options.default", shown(strings.Join(ids, ", ")))
}

// ListQuery selects a page of connections. Before and After are ids.
type ListQuery struct {
	OrganizationID string
	Type           Type
	Domain         string // of their organizations
	Search         string // part of the name, in any case
	Before, After  string
	Limit          int
	Ascending      bool
}

// maxDomainOwners bounds how many organizations may claim a domain in a list by domain, and how many are asked about at once.
const maxDomainOwners = 200

// OfOrganizations gives the connections of a page of organizations, by their ids, in the order of the connections'.
func (s *Service) OfOrganizations(ctx context.Context, ids ...string) (map[string][]Connection, error) {
	out := map[string][]Connection{}
	for part := range slices.Chunk(ids, maxDomainOwners) {
		marks, args := make([]string, len(part)), make([]any, len(part))
		for i, id := range part {
			marks[i], args[i] = fmt.Sprintf("$%d", i+1), id
		}
		found, err := connections(ctx, s.c.DB, selectConnection+" AND organization_id IN ("+strings.Join(marks, ",")+") ORDER BY id", args...)
		if err != nil {
			return nil, err
		}
		for _, c := range found {
			out[c.OrganizationID] = append(out[c.OrganizationID], c)
		}
	}
	return out, nil
}

// List gives a page and whether more follow in the direction read.
func (s *Service) List(ctx context.Context, q ListQuery) ([]Connection, bool, error) {
	p := db.Page{Before: q.Before, After: q.After, Limit: q.Limit, Ascending: q.Ascending}
	if q.OrganizationID != "" {
		p.Where("organization_id = " + p.Arg(q.OrganizationID))
	}
	if q.Type != "" {
		p.Where("type = " + p.Arg(string(q.Type)))
	}
	if q.Search != "" {
		p.Contains("name", q.Search)
	}
	if q.Domain != "" {
		owners, _, err := s.c.Organizations.List(ctx, org.ListQuery{Domains: []string{q.Domain}, Limit: maxDomainOwners})
		if err != nil || len(owners) == 0 {
			return nil, false, err
		}
		marks := make([]string, len(owners))
		for i, o := range owners {
			marks[i] = p.Arg(string(o.ID))
		}
		p.Where("organization_id IN (" + strings.Join(marks, ",") + ")")
	}
	text, args := p.Statement(selectConnection, "id")
	found, err := connections(ctx, s.c.DB, text, args...)
	if err != nil {
		return nil, false, err
	}
	found, more := db.Cut(p, found)
	return found, more, nil
}

// Attempt finds one attempt.
func (s *Service) Attempt(ctx context.Context, id AttemptID) (Attempt, error) {
	found, err := attempts(ctx, s.c.DB, selectAttempt+" AND id = $1", string(id))
	if err != nil {
		return Attempt{}, err
	}
	if len(found) == 0 {
		return Attempt{}, AttemptNotFound(string(id))
	}
	return found[0], nil
}

// AttemptQuery selects a page of the attempts of a connection.
type AttemptQuery struct {
	ConnectionID  ID
	State         AttemptState // "": whatever it is
	Before, After string
	Limit         int
	Ascending     bool
}

// Attempts gives a page and whether more follow in the direction read.
func (s *Service) Attempts(ctx context.Context, q AttemptQuery) ([]Attempt, bool, error) {
	p := db.Page{Before: q.Before, After: q.After, Limit: q.Limit, Ascending: q.Ascending}
	p.Where("connection_id = " + p.Arg(string(q.ConnectionID)))
	if q.State != "" {
		p.Where("state = " + p.Arg(string(q.State)))
	}
	text, args := p.Statement(selectAttempt, "id")
	found, err := attempts(ctx, s.c.DB, text, args...)
	if err != nil {
		return nil, false, err
	}
	found, more := db.Cut(p, found)
	return found, more, nil
}

// RawOf gives what the provider sent with an attempt, nil when it is blanked. It holds personal data.
func (s *Service) RawOf(ctx context.Context, a Attempt) ([]byte, error) {
	var sealed *string
	if err := s.c.DB.QueryRow(ctx, selectRaw, a.OrganizationID, string(a.ID)).Scan(&sealed); err != nil {
		return nil, fmt.Errorf("read what came with attempt %s: %w", a.ID, err)
	}
	if sealed == nil {
		return nil, nil
	}
	return s.c.Sealer.Open(rawPlace(a.ID), *sealed)
}

// Profile finds one profile.
func (s *Service) Profile(ctx context.Context, id ProfileID) (Profile, error) {
	found, err := profiles(ctx, s.c.DB, selectProfile+" WHERE id = $1", string(id))
	if err != nil {
		return Profile{}, err
	}
	if len(found) == 0 {
		return Profile{}, fault.New(fault.NotFound, "entity_not_found", "Profile not found: '%.80s'.", string(id))
	}
	p := found[0]
	if err := s.c.DB.QueryRow(ctx, typeOfConnection, p.OrganizationID, string(p.ConnectionID)).Scan((*string)(&p.ConnectionType)); err != nil {
		return Profile{}, fmt.Errorf("read the connection of profile %s: %w", id, err)
	}
	return p, nil
}

// ProfilesAt gives the profiles of a connection behind one, in the order of their ids: what its provider said of each person at their last sign-in.
func (s *Service) ProfilesAt(ctx context.Context, organizationID string, id ID, after ProfileID, limit int) ([]Profile, error) {
	return profiles(ctx, s.c.DB, nextProfilesAt, organizationID, string(id), string(after), limit)
}
