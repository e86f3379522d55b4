package lifecycle

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/sso"
)

// Healths answers how an organization's directories and its sign-ins agree.
type Healths struct {
	directories *directory.Service
	connections *sso.Service
}

// NewHealths makes the service.
func NewHealths(directories *directory.Service, connections *sso.Service) *Healths {
	return &Healths{directories, connections}
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
