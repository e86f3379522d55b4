package member

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rollcallhq/rollcall/internal/access"
	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/session"
	"github.com/rollcallhq/rollcall/internal/token"
)

const (
	userPrefix       = "user"
	membershipPrefix = "om"
)

// Service holds the verbs on users and memberships.
type Service struct {
	db            *db.DB
	events        *event.Log
	ids           *token.Source
	organizations *org.Service
	sessions      *session.Service
	access        *access.Service
	now           func() time.Time
	inviting      Inviting
	directories   Directories
}

// NewService makes the service.
func NewService(d *db.DB, events *event.Log, ids *token.Source, organizations *org.Service, sessions *session.Service, now func() time.Time) *Service {
	events.Forgets(event.Forgetter{Nullable: map[string][]string{
		"user": {"first_name", "last_name", "name", "profile_picture_url", "locale"},
	}})
	give := access.NewService(access.Options{DB: d, Events: events, IDs: ids, Now: now, Living: func(ctx context.Context, tx db.Tx, id string) error {
		return organizations.LockTx(ctx, tx, org.ID(id))
	}})
	return &Service{access: give, db: d, events: events, ids: ids, organizations: organizations, sessions: sessions, now: now}
}

// Access is the service of what members hold: roles, teams and licences.
func (s *Service) Access() *access.Service { return s.access }

// time is now, at the precision that is stored.
func (s *Service) time() time.Time { return s.now().UTC().Truncate(time.Microsecond) }

// NotFound is the refusal for a user or membership that is not there.
func NotFound(what, id string) error {
	return fault.New(fault.NotFound, "entity_not_found", "%s not found: '%.80s'.", what, id)
}

// User finds one account.
func (s *Service) User(ctx context.Context, id UserID) (User, error) {
	return user(ctx, s.db, selectUser, string(id), string(id))
}

// UserByEmail finds the account with an address, in any case of its ASCII letters. NotFound if there is none.
func (s *Service) UserByEmail(ctx context.Context, email string) (User, error) {
	key, ok := EmailKey(email)
	if !ok {
		return User{}, NotFound("User", email)
	}
	return user(ctx, s.db, selectUserByEmail, key, email)
}

// user reads one account; shown names it in the refusal.
func user(ctx context.Context, r db.Reader, text, key, shown string) (u User, err error) {
	var row userRow
	err = r.QueryRow(ctx, text, key).Scan(row.into(&u)...)
	if errors.Is(err, db.ErrNoRows) {
		return User{}, NotFound("User", shown)
	}
	if err != nil {
		return User{}, fmt.Errorf("read a user: %w", err)
	}
	return u, row.finish(&u)
}

// Member finds one membership, removed ones too.
func (s *Service) Member(ctx context.Context, id MembershipID) (Member, error) {
	return member(ctx, s.db, selectMember, string(id), string(id))
}

// MemberOf finds a user's membership in an organization, a removed one too. NotFound if there is none.
func (s *Service) MemberOf(ctx context.Context, organizationID string, id UserID) (Member, error) {
	return member(ctx, s.db, selectMemberOf, string(id), organizationID, string(id))
}

// Taken is what was last made of a person of a directory.
type Taken struct {
	Outcome Outcome // "": nothing has been made of them yet
	Member  *Member // nil: they are no member
}

// TakenOver tells what was made of a person whom a directory has brought.
func (s *Service) TakenOver(ctx context.Context, organizationID, directoryID, directoryUserID string) (out Taken, err error) {
	var id *string
	err = s.db.QueryRow(ctx, selectTaken, organizationID, directoryID, directoryUserID).Scan((*string)(&out.Outcome), &id)
	switch {
	case errors.Is(err, db.ErrNoRows):
		return Taken{}, nil
	case err != nil:
		return Taken{}, fmt.Errorf("read what was made of %s: %w", directoryUserID, err)
	case id == nil:
		return out, nil
	}
	m, err := s.Member(ctx, MembershipID(*id))
	if fault.Is(err, fault.NotFound) { // deleted meanwhile
		return out, nil
	}
	out.Member = &m
	return out, err
}

func member(ctx context.Context, r db.Reader, text, shown string, args ...any) (Member, error) {
	found, err := members(ctx, r, text, args...)
	if err == nil && len(found) == 0 {
		err = NotFound("Organization membership", shown)
	}
	if err != nil {
		return Member{}, err
	}
	return found[0], nil
}

// MembersOf lists a user's memberships in all organizations, without removed ones, in the order they were made.
func (s *Service) MembersOf(ctx context.Context, id UserID) ([]Member, error) {
	all, err := members(ctx, s.db, selectPlaces, string(id))
	if err != nil {
		return nil, err
	}
	out := all[:0]
	for _, m := range all {
		if m.Membership.State != Removed {
			out = append(out, m)
		}
	}
	return out, nil
}

// Identities lists who the user is at which connections.
func (s *Service) Identities(ctx context.Context, id UserID) ([]Identity, error) {
	rows, err := s.db.Query(ctx, selectIdentitiesOf, string(id))
	if err != nil {
		return nil, fmt.Errorf("read identities: %w", err)
	}
	defer rows.Close()
	var out []Identity
	for rows.Next() {
		var i Identity
		var created int64
		var used *int64
		if err := rows.Scan(&i.ConnectionID, &i.IDPID, &i.OrganizationID, (*string)(&i.UserID), (*string)(&i.LinkedBy), &created, &used); err != nil {
			return nil, fmt.Errorf("read identities: %w", err)
		}
		i.CreatedAt, i.LastUsedAt = db.Time(created), db.TimeOrZero(used)
		out = append(out, i)
	}
	return out, rows.Err()
}

// ListQuery selects a page of memberships of an organization, of a user, or of both. Limit is the page size; Before and After are ids.
type ListQuery struct {
	OrganizationID string
	UserID         UserID
	States         []State // none: all but removed
	TeamID         string  // those in this team of the organization
	Before, After  string
	Limit          int
	Ascending      bool
}

// List gives a page and whether more follow in the direction read.
func (s *Service) List(ctx context.Context, q ListQuery) ([]Member, bool, error) {
	if q.OrganizationID == "" && q.UserID == "" {
		return nil, false, fault.New(fault.Unprocessable, "required", "Give the organization or the user whose memberships are meant.").On("organization_id")
	}
	p := db.Page{Before: q.Before, After: q.After, Limit: q.Limit, Ascending: q.Ascending}
	if q.OrganizationID != "" {
		p.Where("m.organization_id = " + p.Arg(q.OrganizationID))
	}
	if q.UserID != "" {
		p.Where("m.user_id = " + p.Arg(string(q.UserID)))
	}
	if q.TeamID != "" {
		p.Where("m.id IN (" + membersOfTeam + " WHERE organization_id = " + p.Arg(q.OrganizationID) + " AND team_id = " + p.Arg(q.TeamID) + ")")
	}
	from := selectMembers
	if len(q.States) > 0 {
		from = selectMembersIn
		p.Where(toldState + " IN (" + states(&p, q.States) + ")")
	}
	text, args := p.Statement(from, "m.id")
	found, err := members(ctx, s.db, text, args...)
	if err != nil {
		return nil, false, err
	}
	found, more := db.Cut(p, found)
	return found, more, nil
}

func states(p *db.Page, wanted []State) (marks string) {
	for i, state := range wanted {
		if i > 0 {
			marks += ", "
		}
		marks += p.Arg(string(state))
	}
	return marks
}

func members(ctx context.Context, r db.Reader, text string, args ...any) ([]Member, error) {
	rows, err := r.Query(ctx, text, args...)
	if err != nil {
		return nil, fmt.Errorf("read memberships: %w", err)
	}
	defer rows.Close()
	var out []Member
	for rows.Next() {
		m, err := scanMember(rows)
		if err != nil {
			return nil, fmt.Errorf("read memberships: %w", err)
		}
		out = append(out, m)
	}
	return out, rows.Err()
}

func scanMember(rows db.Rows) (out Member, err error) {
	var u userRow
	var row membershipRow
	if err = rows.Scan(append(row.into(), u.into(&out.User)...)...); err != nil {
		return out, err
	}
	m, err := row.membership()
	if err != nil {
		return out, err
	}
	out.Membership = *m
	return out, u.finish(&out.User)
}
