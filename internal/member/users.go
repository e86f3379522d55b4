package member

import (
	"context"
	"fmt"
	"maps"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/org"
)

// NewUser is what an account is made of by hand.
type NewUser struct {
	Email         string
	EmailVerified bool // the app vouches for the address
	FirstName     string
	LastName      string
	PictureURL    string
	Locale        string
	ExternalID    string
	Metadata      map[string]string
}

// UserChanges are what an update changes of an account; what is nil stays, "" takes away what may be missing.
type UserChanges struct {
	Email         *string
	EmailVerified *bool
	FirstName     *string
	LastName      *string
	PictureURL    *string
	Locale        *string
	ExternalID    *string
	Metadata      map[string]*string // merged: a key with nil goes, keys that are not named stay
}

// UserQuery selects a page of accounts: all, of an organization's members, or with an address.
type UserQuery struct {
	Email          string
	OrganizationID string
	States         []State // those with a membership in one of these, there or anywhere, as the app was told; none: all but removed, if there
	Before, After  string
	Limit          int
	Ascending      bool
}

// maxLocale bounds a locale: BCP 47 tags that are in use are far shorter.
const maxLocale = 35

// CreateUser makes an account that is at home nowhere and member of nothing. An address that is no address is Invalid "invalid_email"; one that
// somebody has "email_not_available"; an external id that somebody has "external_id_already_used".
func (s *Service) CreateUser(ctx context.Context, actor event.Actor, n NewUser) (User, error) {
	now := s.time()
	u := User{
		ID: UserID(s.ids.NewID(userPrefix)), Email: n.Email, EmailVerified: n.EmailVerified, FirstName: name(n.FirstName), LastName: name(n.LastName),
		PictureURL: name(n.PictureURL), Locale: n.Locale, ExternalID: n.ExternalID, Metadata: n.Metadata, Version: 1, CreatedAt: now, UpdatedAt: now,
	}
	err := s.guarded(ctx, "", func(w *db.Write) error {
		if err := s.checkUser(ctx, u, User{}); err != nil {
			return err
		}
		insertUserInto(w, u)
		if err := s.wantedInto(ctx, w, u); err != nil {
			return err
		}
		s.events.Append(w, now, userEntry(event.UserCreated, u, event.Context{Actor: actor}.JSON()))
		return nil
	})
	if err != nil {
		return User{}, fmt.Errorf("create a user: %w", err)
	}
	return u, nil
}

// checkUser refuses what an account cannot be, or what another one is already.
func (s *Service) checkUser(ctx context.Context, u, was User) error {
	key, ok := EmailKey(u.Email)
	if !ok {
		return fault.New(fault.Invalid, "invalid_email", "%.80q is no email address.", u.Email).On("email").Compared("an address like person@example.com", shown(u.Email))
	}
	if len(u.Locale) > maxLocale || !storable(u.Locale) {
		return fault.New(fault.Invalid, "invalid_locale", "A locale has at most %d characters, like en-US.", maxLocale).On("locale")
	}
	if err := org.CheckMetadata(u.Metadata); err != nil {
		return err
	}
	if err := org.CheckExternalID(u.ExternalID); err != nil {
		return err
	}
	if own, _ := EmailKey(was.Email); own != key {
		if _, err := s.UserByEmail(ctx, u.Email); !fault.Is(err, fault.NotFound) {
			return orTaken(err, "email_not_available", "email", "The address is another account's.")
		}
	}
	if u.ExternalID != "" && u.ExternalID != was.ExternalID {
		if _, err := s.UserByExternalID(ctx, u.ExternalID); !fault.Is(err, fault.NotFound) {
			return orTaken(err, "external_id_already_used", "external_id", "The external id is another account's.")
		}
	}
	return nil
}

func orTaken(err error, code, field, what string) error {
	if err != nil {
		return err
	}
	return fault.New(fault.Invalid, code, "%s", what).On(field)
}

// UserByExternalID finds the account that the app has given an id of its own.
func (s *Service) UserByExternalID(ctx context.Context, id string) (User, error) {
	if !storable(id) || id == "" {
		return User{}, NotFound("User", id)
	}
	return user(ctx, s.db, selectUserByExternalID, id, id)
}

// ListUsers gives a page of accounts and whether more follow in the direction read.
func (s *Service) ListUsers(ctx context.Context, q UserQuery) ([]User, bool, error) {
	p := db.Page{Before: q.Before, After: q.After, Limit: q.Limit, Ascending: q.Ascending}
	if q.Email != "" {
		key, ok := EmailKey(q.Email)
		if !ok {
			return nil, false, nil
		}
		p.Where("u.email_key = " + p.Arg(key))
	}
	if q.OrganizationID != "" || len(q.States) > 0 {
		p.Where(q.members(&p))
	}
	text, args := p.Statement(selectUsers, "u.id")
	rows, err := s.db.Query(ctx, text, args...)
	if err != nil {
		return nil, false, fmt.Errorf("list users: %w", err)
	}
	defer rows.Close()
	var out []User
	for rows.Next() {
		var u User
		var row userRow
		if err := rows.Scan(row.into(&u)...); err != nil {
			return nil, false, fmt.Errorf("list users: %w", err)
		}
		if err := row.finish(&u); err != nil {
			return nil, false, err
		}
		out = append(out, u)
	}
	if err := rows.Err(); err != nil {
		return nil, false, fmt.Errorf("list users: %w", err)
	}
	out, more := db.Cut(p, out)
	return out, more, nil
}

// members is the condition for whose membership is asked for.
func (q UserQuery) members(p *db.Page) string {
	of := "m.state <> 'removed'"
	if len(q.States) > 0 {
		of = toldState + " IN (" + states(p, q.States) + ")"
	}
	if q.OrganizationID != "" {
		of += " AND m.organization_id = " + p.Arg(q.OrganizationID)
	}
	return usersWith + of + ")"
}

// UpdateUser changes an account. Address and names of one that a directory manages, and whatever else that says of it, are a Conflict "directory_managed"; other refusals are those of
// CreateUser. A new address is unproven unless the app vouches for it. What changes nothing is silent.
func (s *Service) UpdateUser(ctx context.Context, actor event.Actor, id UserID, c UserChanges) (out User, err error) {
	err = s.guarded(ctx, "", func(w *db.Write) error {
		a, err := s.account(ctx, s.db, id)
		if err != nil {
			return err
		}
		c.change(&a.user)
		out = a.user
		if a.user.same(*a.was) {
			return nil
		}
		if err := a.unmanaged(); err != nil {
			return err
		}
		if err := s.checkUser(ctx, a.user, *a.was); err != nil {
			return err
		}
		_, err = s.accountInto(ctx, s.db, w, a, event.Context{Actor: actor})
		out = a.user
		return err
	})
	if err != nil {
		return User{}, fmt.Errorf("update user %s: %w", id, err)
	}
	return out, nil
}

func (c UserChanges) change(u *User) {
	if c.Email != nil && *c.Email != u.Email {
		u.Email, u.EmailVerified = *c.Email, false
	}
	if c.EmailVerified != nil {
		u.EmailVerified = *c.EmailVerified
	}
	for _, field := range []struct{ to, is *string }{{&u.FirstName, c.FirstName}, {&u.LastName, c.LastName}, {&u.PictureURL, c.PictureURL}} {
		if field.is != nil {
			*field.to = name(*field.is)
		}
	}
	if c.Locale != nil {
		u.Locale = *c.Locale
	}
	if c.ExternalID != nil {
		u.ExternalID = *c.ExternalID
	}
	if len(c.Metadata) == 0 {
		return
	}
	merged := maps.Clone(u.Metadata)
	if merged == nil {
		merged = map[string]string{}
	}
	for k, v := range c.Metadata {
		if delete(merged, k); v != nil {
			merged[k] = *v
		}
	}
	u.Metadata = merged
}

// unmanaged refuses changes of what a directory says of an account that is at home in its organization: of address and names altogether, of the rest
// where it says something.
func (a *account) unmanaged() error {
	home := a.at(a.user.HomeOrganizationID)
	if home == nil || home.manager() == "" {
		return nil
	}
	if a.was.Email != a.user.Email {
		return managedField(home.manager(), "email")
	}
	if c := home.sayer(func(s saying) bool { return s.Verified && s.Email == a.user.Email }); c != nil && a.was.EmailVerified && !a.user.EmailVerified {
		return managedField(c.directory(), "email_verified")
	}
	for _, field := range profileFields() {
		if *field.of(a.was) == *field.of(&a.user) {
			continue
		}
		if c := home.sayer(func(s saying) bool { return field.said(s) != "" }); c != nil {
			return managedField(c.directory(), field.name)
		}
		if field.names() {
			return managedField(home.manager(), field.name)
		}
	}
	return nil
}

func managedField(directory, field string) error {
	return fault.New(fault.Conflict, "directory_managed", "The directory %s manages this account. Change %s in the identity provider.", directory, field).
		On(field).Compared("a field that no directory manages", field)
}

// sayer is the claim of the living directory that has the member and says something; nil: none does.
func (p *place) sayer(says func(saying) bool) *claim {
	for _, c := range p.claims {
		if c.says == SaysRemoved || !c.frozenAt.IsZero() {
			continue
		}
		if one, err := c.read(); err == nil && says(one) {
			return c
		}
	}
	return nil
}
