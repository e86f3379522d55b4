package member

import (
	"context"
	"fmt"

	"github.com/rollcallhq/rollcall/internal/db"
)

// StrandedQuery selects a page of those of an organization who could not come in without its identity provider. Before and After are ids of
// memberships.
type StrandedQuery struct {
	OrganizationID string
	Mails          bool // mails are sent: whose address is proven comes in by a mailed code, and who is invited by their invitation
	Before, After  string
	Limit          int
	Ascending      bool
}

// where are the conditions of those who are in or asked in, and have no other way.
func (q StrandedQuery) where() string {
	if q.Mails {
		return strandedUnproven
	}
	return strandedUnmailed
}

// Stranded gives a page of them, and whether more follow in the direction read.
func (s *Service) Stranded(ctx context.Context, q StrandedQuery) ([]Member, bool, error) {
	p := db.Page{Before: q.Before, After: q.After, Limit: q.Limit, Ascending: q.Ascending}
	p.Where("m.organization_id = " + p.Arg(q.OrganizationID))
	p.Where(q.where())
	text, args := p.Statement(selectMembersIn, "m.id")
	found, err := members(ctx, s.db, text, args...)
	if err != nil {
		return nil, false, err
	}
	found, more := db.Cut(p, found)
	return found, more, nil
}

// CountStrandedIn is how many they are in all.
func CountStrandedIn(ctx context.Context, r db.Reader, q StrandedQuery) (n int, err error) {
	if err := r.QueryRow(ctx, countStranded+q.where(), q.OrganizationID).Scan(&n); err != nil {
		return 0, fmt.Errorf("count who has no other way into %s: %w", q.OrganizationID, err)
	}
	return n, nil
}
