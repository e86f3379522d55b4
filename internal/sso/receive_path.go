package sso

import (
	"context"
	"fmt"
	"slices"

	"github.com/rollcallhq/rollcall/internal/fault"
)

// addressed finds the connection that a response is for. By key, and at a path that one connection alone has, the address says it. At a
// path that several share, as all connections did in some products, it is the one of the attempt that the response claims to answer:
// claimed. Everything is then verified with that connection alone, and what is verified has to answer the same attempt. The issuer
// never counts: two tenants may have one provider, and an entity id is anybody's to write.
func (s *Service) addressed(ctx context.Context, in SAMLArrival, request string, opened opening) (at address, err error) {
	if in.Key != "" {
		return s.signInBy(ctx, in.Key, request, in.Browser)
	}
	found, err := s.servedAt(ctx, in)
	switch {
	case err != nil:
		return at, err
	case len(found) == 0:
		return at, NotFound(in.Path)
	case len(found) == 1:
		at.c, err = s.Get(ctx, found[0])
	default:
		at.c, at.claimed, err = s.answered(ctx, in, opened)
	}
	if err == nil {
		at.owner, err = s.owned(ctx, at.c)
	}
	return at, err
}

// servedAt finds the connections of a path, two at most: more make no difference.
func (s *Service) servedAt(ctx context.Context, in SAMLArrival) ([]ID, error) {
	rows, err := s.c.DB.Query(ctx, selectPath, in.Path)
	if err != nil {
		return nil, fmt.Errorf("find the connections of a path: %w", err)
	}
	defer rows.Close()
	var found []ID
	for len(found) < 2 && rows.Next() {
		var id, organization string
		if err := rows.Scan(&id, &organization); err != nil {
			return nil, fmt.Errorf("find the connections of a path: %w", err)
		}
		if in.mayServe(organization) {
			found = append(found, ID(id))
		}
	}
	return found, rows.Err()
}

// mayServe says whether the host that was called serves an organization: at the host of one the paths of another are not there.
func (in SAMLArrival) mayServe(organizationID string) bool {
	return in.Called == "" || slices.Contains(in.Bases(organizationID), in.Called)
}

// answered finds the connection of the open attempt that a response claims to answer. A refusal has no connection, so nothing is recorded.
func (s *Service) answered(ctx context.Context, in SAMLArrival, opened opening) (Connection, AttemptID, error) {
	document, err := opened()
	if err != nil {
		return Connection{}, "", nobodys(err)
	}
	claim := document.Claimed()
	attempt, err := s.requested(ctx, claim.InResponseTo)
	if err != nil {
		return Connection{}, "", err
	}
	if attempt == nil || attempt.State != AtProvider {
		return Connection{}, "", nobodys(errShared(claim.InResponseTo))
	}
	c, err := s.Get(ctx, attempt.ConnectionID)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return Connection{}, "", err
	}
	if err != nil || !slices.Contains(c.Paths, in.Path) || !in.mayServe(c.OrganizationID) {
		return Connection{}, "", nobodys(errShared(claim.InResponseTo))
	}
	return c, attempt.ID, nil
}

func errShared(request string) *fault.Error {
	return deny(InResponseToUnknown, "the id of a request that is open", request,
		"Several connections have this address, and the response answers no open request of theirs.")
}

// nobodys makes the refusal of what belongs to no connection.
func nobodys(err error) error {
	if f, ok := fault.As(err); ok {
		return &Refusal{Fault: f}
	}
	return err
}
