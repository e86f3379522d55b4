package member

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/go-json-experiment/json"

	"github.com/rollcallhq/rollcall/internal/db"
)

// Joined gives the directory person that the member behind (connection, idp id) was joined with, "" if none: the caller asks the
// directory about that person before it looks for one by any other key.
func (s *Service) Joined(ctx context.Context, r db.Reader, organizationID, connectionID, idpID string) (string, error) {
	var id *string
	err := r.QueryRow(ctx, selectJoined, organizationID, connectionID, idpID).Scan(&id)
	if errors.Is(err, db.ErrNoRows) || err == nil && id == nil {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read whom an identity was joined with: %w", err)
	}
	return *id, nil
}

// Known reads who is behind an identity. The caller asks the directory about whom they were joined with, as by Joined, and gives all of
// it to Facts.
func (s *Service) Known(ctx context.Context, r db.Reader, organizationID, connectionID, idpID string) (*Known, error) {
	k := &Known{organizationID: organizationID, connectionID: connectionID, idpID: idpID}
	if !storable(idpID) {
		return k, nil
	}
	var err error
	k.person, err = person(ctx, r, personByIdentity, Arrival{OrganizationID: organizationID, ConnectionID: connectionID}, idpID)
	return k, err
}

// Knowing is Known, to be asked beside other questions.
func (s *Service) Knowing(organizationID, connectionID, idpID string, into **Known) db.Question {
	k := &Known{organizationID: organizationID, connectionID: connectionID, idpID: idpID}
	*into = k
	if !storable(idpID) {
		idpID = "" // nobody's
	}
	return db.Question{SQL: personByIdentity, Args: []any{organizationID, connectionID, idpID}, Read: func(rows db.Rows) (err error) {
		k.person, err = readPerson(rows, Arrival{OrganizationID: organizationID, ConnectionID: connectionID})
		return err
	}}
}

// identified is who is behind the identity of the arrival.
func (s *Service) identified(ctx context.Context, r db.Reader, a Arrival) (*Person, error) {
	k, err := a.Known, error(nil)
	if k == nil || k.organizationID != a.OrganizationID || k.connectionID != a.ConnectionID || k.idpID != a.IDPID {
		k, err = s.Known(ctx, r, a.OrganizationID, a.ConnectionID, a.IDPID)
	}
	if err != nil {
		return nil, err
	}
	return k.person, nil
}

// Facts reads what Admit decides by. AdmitInto guards all of it.
func (s *Service) Facts(ctx context.Context, r db.Reader, a Arrival) (f Facts, err error) {
	f.newUser, f.newMembership = UserID(s.ids.NewID(userPrefix)), MembershipID(s.ids.NewID(membershipPrefix))
	key, ok := EmailKey(a.Email)
	if !ok || !storable(a.IDPID) { // Admit refuses it
		return f, nil
	}
	if f.ByIdentity, err = s.identified(ctx, r, a); err != nil {
		return f, err
	}
	if id := a.Standing.DirectoryUserID; id != "" {
		if f.ByDirectory, err = one(f.ByIdentity, f.ByIdentity.joined() == id, func() (*Person, error) { return person(ctx, r, personByDirectory, a, id) }); err != nil {
			return f, err
		}
	}
	f.ByEmail, err = one(f.ByIdentity, f.ByIdentity.has(key), func() (*Person, error) { return person(ctx, r, personByEmail, a, key) })
	if err != nil {
		return f, err
	}
	f.settle(a.IDPID)
	if err := f.claims(ctx, r); err != nil || f.isIn() {
		return f, err
	}
	f.unlinked, err = s.unlinked(ctx, r, a.OrganizationID, f.address(a))
	return f, err
}

// people are those whom the arrival may be, the likeliest first.
func (f *Facts) people() []*Person {
	return slices.DeleteFunc([]*Person{f.ByIdentity, f.ByDirectory, f.ByEmail}, func(p *Person) bool { return p == nil })
}

// isIn tells whether somebody is a member already whom the arrival may be: of them all that directories say is known.
func (f *Facts) isIn() bool {
	return slices.ContainsFunc(f.people(), func(p *Person) bool { return p.Membership != nil && p.Membership.State == Active })
}

// address is the one that directories know who arrives by.
func (f *Facts) address(a Arrival) string {
	if all := f.people(); len(all) > 0 {
		return all[0].User.Email
	}
	return a.Email
}

// claims reads what directories say of those who are not in: of those who are, that is settled.
func (f *Facts) claims(ctx context.Context, r db.Reader) error {
	for _, p := range f.people() {
		if p.Membership == nil || p.Membership.State == Active || p.Claims != nil {
			continue
		}
		claims, err := readClaims(ctx, r, selectClaimsByMember, string(p.Membership.ID))
		if err != nil {
			return err
		}
		p.Claims = []Claim{}
		for _, c := range claims {
			p.Claims = append(p.Claims, c.pure())
		}
	}
	return nil
}

// settle mends what was read at different moments: a sign-in of the same person may have been committed between the queries, and its
// identity must not be taken for another one of the account's. What is written is guarded; a refusal is not.
func (f *Facts) settle(idpID string) {
	for _, p := range []*Person{f.ByDirectory, f.ByEmail} {
		if f.ByIdentity == nil && p != nil && slices.ContainsFunc(p.Identities, func(i Identity) bool { return i.IDPID == idpID }) {
			f.ByIdentity = p
		}
	}
}

// one spares a query that would find the same person again.
func one(known *Person, same bool, read func() (*Person, error)) (*Person, error) {
	if same {
		return known, nil
	}
	return read()
}

// has tells whether the account has the address.
func (p *Person) has(key string) bool {
	if p == nil {
		return false
	}
	own, ok := EmailKey(p.User.Email)
	return ok && own == key
}

// person reads a person with the identities at the arrival's connection, a row for each.
func person(ctx context.Context, r db.Reader, text string, a Arrival, key string) (*Person, error) {
	rows, err := r.Query(ctx, text, a.OrganizationID, a.ConnectionID, key)
	if err != nil {
		return nil, fmt.Errorf("read a person: %w", err)
	}
	defer rows.Close()
	return readPerson(rows, a)
}

func readPerson(rows db.Rows, a Arrival) (*Person, error) {
	var p *Person
	for rows.Next() {
		row, err := scanPerson(rows)
		if err != nil {
			return nil, err
		}
		if p == nil {
			p = &Person{User: row.user, Membership: row.membership}
		}
		if row.idpID != nil {
			p.Identities = append(p.Identities, row.identity(a))
		}
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read a person: %w", err)
	}
	return p, nil
}

// personRow is a row of selectPerson. The columns of what is not there are NULL.
type personRow struct {
	user       User
	membership *Membership

	idpID, linkedBy        *string
	linkedAt, identityUsed *int64
}

func scanPerson(rows db.Rows) (p personRow, err error) {
	var u userRow
	var m membershipRow
	err = rows.Scan(slices.Concat(u.into(&p.user), m.into(), []any{&p.idpID, &p.linkedBy, &p.linkedAt, &p.identityUsed})...)
	if err != nil {
		return p, fmt.Errorf("read a person: %w", err)
	}
	if p.membership, err = m.membership(); err != nil {
		return p, err
	}
	return p, u.finish(&p.user)
}

func (p personRow) identity(a Arrival) Identity {
	return Identity{
		ConnectionID: a.ConnectionID, IDPID: *p.idpID, OrganizationID: a.OrganizationID, UserID: p.user.ID, LinkedBy: LinkedBy(*p.linkedBy),
		CreatedAt: db.Time(*p.linkedAt), LastUsedAt: db.TimeOrZero(p.identityUsed),
	}
}

// userRow holds the columns of a user that need more than being copied.
type userRow struct {
	first, last, picture, locale, external, home *string
	deprovisionedBy                              *string
	metadata                                     []byte
	signedIn, deprovisionedAt                    *int64
	created, updated                             int64
}

func (r *userRow) into(u *User) []any {
	return []any{
		(*string)(&u.ID), &u.Email, &u.EmailVerified, &r.first, &r.last, &r.picture, &r.locale, &r.external, &r.metadata, &r.home,
		&r.deprovisionedAt, &r.deprovisionedBy, &r.signedIn, &u.Version, &r.created, &r.updated,
	}
}

func (r *userRow) finish(u *User) error {
	u.FirstName, u.LastName, u.PictureURL, u.Locale = text(r.first), text(r.last), text(r.picture), text(r.locale)
	u.ExternalID, u.HomeOrganizationID = text(r.external), text(r.home)
	u.DeprovisionedAt, u.DeprovisionedBy = db.TimeOrZero(r.deprovisionedAt), text(r.deprovisionedBy)
	u.LastSignInAt, u.CreatedAt, u.UpdatedAt = db.TimeOrZero(r.signedIn), db.Time(r.created), db.Time(r.updated)
	if err := json.Unmarshal(r.metadata, &u.Metadata); err != nil {
		return fmt.Errorf("metadata of user %s: %w", u.ID, err)
	}
	return nil
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
