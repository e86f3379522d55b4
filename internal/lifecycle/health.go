package lifecycle

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/idp"
	"github.com/rollcallhq/rollcall/internal/sso"
)

// Healths answers how an organization's directories and its sign-ins agree.
type Healths struct {
	directories *directory.Service
	connections *sso.Service
	audits      *Audits
}

// NewHealths makes the service. audits is nil where the app keeps the accounts.
func NewHealths(directories *directory.Service, connections *sso.Service, audits *Audits) *Healths {
	return &Healths{directories, connections, audits}
}

// NotArrived is somebody who came through a connection of an organization and whom none of its directories has ever had.
type NotArrived struct {
	Email, IDPID string
	ConnectionID sso.ID
	At           time.Time // of the latest sign-in, or test of one
}

// Name is what people know them by.
func (n NotArrived) Name() string { return cmp.Or(n.Email, n.IDPID) }

const (
	connectionsAsked = 20  // of an organization, the newest
	attemptsAsked    = 200 // of each connection, the newest
)

// NotArrived names people who signed in of late and did not arrive through a directory, those who came last first, at most limit of them; more
// says whether there are others. It looks at the newest 200 attempts of each connection, tests among them: whoever sets a provider up signs in
// by one first. Whether the organization has a directory is for the caller to know.
func (s *Healths) NotArrived(ctx context.Context, organizationID string, limit int) (out []NotArrived, more bool, err error) {
	came, err := s.came(ctx, organizationID)
	if err != nil {
		return nil, false, err
	}
	who := make([]directory.Identity, len(came))
	for i, n := range came {
		who[i] = directory.Identity{IDPID: n.IDPID, Email: n.Email}
	}
	arrived, err := s.directories.Arrived(ctx, organizationID, who)
	if err != nil {
		return nil, false, err
	}
	for i, n := range came {
		switch {
		case arrived[i]:
		case len(out) == limit:
			return out, true, nil
		default:
			out = append(out, n)
		}
	}
	return out, false, nil
}

// came is everybody who came through one of the newest attempts, each once.
func (s *Healths) came(ctx context.Context, organizationID string) ([]NotArrived, error) {
	connections, _, err := s.connections.List(ctx, sso.ListQuery{OrganizationID: organizationID, Limit: connectionsAsked})
	if err != nil {
		return nil, err
	}
	var out []NotArrived
	for _, c := range connections {
		attempts, _, err := s.connections.Attempts(ctx, sso.AttemptQuery{ConnectionID: c.ID, Limit: attemptsAsked})
		if err != nil {
			return nil, err
		}
		for _, a := range attempts {
			one := NotArrived{a.Email, a.IDPID, c.ID, a.CreatedAt}
			known := slices.ContainsFunc(out, func(n NotArrived) bool { return n.Email == one.Email && n.IDPID == one.IDPID })
			if a.State == sso.Succeeded && one.Name() != "" && !known {
				out = append(out, one)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b NotArrived) int { return b.At.Compare(a.At) })
	return out, nil
}

// SyncHealth is what can be told of a directory to those who look after it.
type SyncHealth struct {
	directory.Health
	Looked, Refused int              // of the newest requests, at most 100
	Rounds          directory.Rounds // of a provider that sends in rounds
	// NotArrived is empty as long as the directory has brought nobody: then nobody is missing.
	NotArrived     []NotArrived
	MoreNotArrived bool
	// Attributes are what the provider can send, with how many of the newest People, at most 100, have a value.
	Attributes []ArrivingAttribute
	People     int
}

// ArrivingAttribute is what a provider can send, and what comes of it.
type ArrivingAttribute struct {
	idp.Sending

	Has int
}

const (
	requestsLooked  = 100
	notArrivedShown = 20
	refusedFrom     = 400 // status
)

// Of looks at one directory. provider is the one that the directory is for.
func (s *Healths) Of(ctx context.Context, d directory.Directory, provider idp.Provider) (h SyncHealth, err error) {
	if h.Health, err = s.directories.Health(ctx, d.ID); err != nil {
		return h, err
	}
	if err := s.requests(ctx, d, provider, &h); err != nil {
		return h, err
	}
	if err := s.attributes(ctx, d, provider, &h); err != nil {
		return h, err
	}
	if h.People > 0 {
		h.NotArrived, h.MoreNotArrived, err = s.NotArrived(ctx, d.OrganizationID, notArrivedShown)
	}
	return h, err
}

// requests reads the newest requests for what was refused and for the rhythm.
func (s *Healths) requests(ctx context.Context, d directory.Directory, provider idp.Provider, h *SyncHealth) error {
	found, _, err := s.directories.ExchangeHeads(ctx, directory.ExchangeQuery{Directory: d.ID, Limit: requestsLooked})
	if err != nil {
		return err
	}
	at := make([]time.Time, len(found))
	for i, x := range found {
		if at[i] = x.At; x.Status >= refusedFrom {
			h.Refused++
		}
	}
	if h.Looked = len(found); provider.RoundMinutes > 0 {
		h.Rounds = directory.RoundsOf(at, time.Duration(provider.RoundMinutes)*time.Minute)
	}
	return nil
}

func (s *Healths) attributes(ctx context.Context, d directory.Directory, provider idp.Provider, h *SyncHealth) error {
	all := idp.Attributes()
	paths := make([]string, len(all))
	for i, a := range all {
		paths[i] = a.Path()
	}
	has, people, err := s.directories.Arriving(ctx, d.ID, paths...)
	if err != nil {
		return err
	}
	h.People = people
	for _, one := range provider.Sending() {
		h.Attributes = append(h.Attributes, ArrivingAttribute{one, has[one.Attribute.Path()]})
	}
	return nil
}
