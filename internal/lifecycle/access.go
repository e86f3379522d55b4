package lifecycle

import (
	"context"
	"fmt"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/org"
)

// Access is that somebody may use the app as a member of an organization.
type Access struct {
	OrganizationID string
	MembershipID   string
	UserID         string
	Primary        bool   // else a guest
	Role           string // then
	Since          time.Time
	// What the account is called now; "" once it was deleted.
	Email, FirstName, LastName string
}

// AccessQuery selects a page. After is the id of a membership.
type AccessQuery struct {
	OrganizationID string
	At             time.Time // zero: now
	After          string
	Limit          int
}

// Audits answers who did what, and who could.
type Audits struct {
	db            *db.DB
	organizations *org.Service
	now           func() time.Time
}

// NewAudits makes the service.
func NewAudits(d *db.DB, organizations *org.Service, now func() time.Time) *Audits {
	return &Audits{d, organizations, now}
}

// AccessAt lists who had access to an organization at a moment, by the ids of their memberships, and says whether more follow. It reads
// what memberships were, which no erasure and no retention takes away. A moment that is still to come is Invalid.
func (s *Audits) AccessAt(ctx context.Context, q AccessQuery) ([]Access, bool, error) {
	now := s.now()
	switch {
	case q.At.IsZero():
		q.At = now
	case q.At.After(now):
		return nil, false, errFuture(q.At, now)
	}
	if _, err := s.organizations.Get(ctx, org.ID(q.OrganizationID)); err != nil {
		return nil, false, err
	}
	rows, err := s.db.Query(ctx, selectAccess, q.OrganizationID, q.At.UnixMicro(), q.After, int64(q.Limit+1))
	if err != nil {
		return nil, false, fmt.Errorf("read who had access to %s: %w", q.OrganizationID, err)
	}
	defer rows.Close()
	var out []Access
	for rows.Next() {
		a := Access{OrganizationID: q.OrganizationID}
		var since int64
		var email, first, last *string
		var deleted *int64
		if err := rows.Scan(&a.MembershipID, &a.UserID, &a.Primary, &a.Role, &since, &email, &first, &last, &deleted); err != nil {
			return nil, false, fmt.Errorf("read who had access to %s: %w", q.OrganizationID, err)
		}
		a.Since, a.Email, a.FirstName, a.LastName = db.Time(since), orEmpty(email), orEmpty(first), orEmpty(last)
		out = append(out, a)
	}
	if err := rows.Err(); err != nil {
		return nil, false, fmt.Errorf("read who had access to %s: %w", q.OrganizationID, err)
	}
	if len(out) > q.Limit {
		return out[:q.Limit], true, nil
	}
	return out, false, nil
}

func orEmpty(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func errFuture(at, now time.Time) error {
	return fault.New(fault.Unprocessable, "invalid_date", "at lies in the future: %s. It is %s now.", event.Shown(at), event.Shown(now)).On("at")
}
