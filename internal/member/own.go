package member

import (
	"context"
	"fmt"

	"github.com/rollcallhq/rollcall/internal/access"
	"github.com/rollcallhq/rollcall/internal/db"
)

// Own is what an active member has without the mapping of a connection.
type Own struct {
	Given  access.Given
	Driven access.Kinds // by directories, whose word goes before a connection's
}

// Own reads it for accounts; those that are no active members of the organization are not in it.
func (s *Service) Own(ctx context.Context, organizationID string, ids []UserID) (map[UserID]Own, error) {
	out := map[UserID]Own{}
	if len(ids) == 0 {
		return out, nil
	}
	args := []any{organizationID}
	rows, err := s.db.Query(ctx, fmt.Sprintf(selectOwn, marks(&args, ids)), args...)
	if err != nil {
		return nil, fmt.Errorf("read what members have: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var id UserID
		var h Own
		var role, licence, said *string
		if err := rows.Scan((*string)(&id), &h.Given.MembershipID, &role, &licence, &said); err != nil {
			return nil, fmt.Errorf("read what members have: %w", err)
		}
		if known, there := out[id]; there { // another directory's word
			h = known
		}
		h.Given.Role, h.Given.Licence = text(role), text(licence)
		if said != nil {
			one, err := (&claim{said: []byte(*said)}).read()
			if err != nil {
				return nil, err
			}
			h.Driven.Attributes = true
			h.Driven.Roles = h.Driven.Roles || one.Mapped.Roles != nil
			h.Driven.Teams = h.Driven.Teams || one.Mapped.Teams != nil
			h.Driven.Licences = h.Driven.Licences || one.Mapped.Licence != nil
		}
		out[id] = h
	}
	return out, rows.Err()
}

// BesideIn is what other directories that want them in give to people of a directory, by the people's ids, as members have taken it over. Those of
// whom no other one speaks are not in it.
func BesideIn(ctx context.Context, r db.Reader, organizationID, directoryID string, people []string) (map[string]access.Beside, error) {
	out := map[string]access.Beside{}
	if len(people) == 0 {
		return out, nil
	}
	args := []any{organizationID, directoryID}
	rows, err := r.Query(ctx, fmt.Sprintf(selectBeside, marks(&args, people)), args...)
	if err != nil {
		return nil, fmt.Errorf("read what other directories give: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var person, directory, said string
		if err := rows.Scan(&person, &directory, &said); err != nil {
			return nil, fmt.Errorf("read what other directories give: %w", err)
		}
		one, err := (&claim{said: []byte(said)}).read()
		if err != nil {
			return nil, err
		}
		b := out[person]
		if directory < directoryID {
			b.Older = append(b.Older, one.given())
		} else {
			b.Newer = append(b.Newer, one.given())
		}
		out[person] = b
	}
	return out, rows.Err()
}

// given is what a saying gives, as a mapping would.
func (s saying) given() (out access.Mapped) {
	m := s.Mapped
	out.DrivesRoles, out.DrivesTeams, out.DrivesLicences, out.Attributes = m.Roles != nil, m.Teams != nil, m.Licence != nil, m.Attributes
	if m.Roles != nil {
		out.Roles = *m.Roles
	}
	if m.Teams != nil {
		out.Teams = *m.Teams
	}
	out.Licence = text(m.Licence)
	fields := []**string{&out.FirstName, &out.LastName, &out.PictureURL, &out.Locale}
	for i, field := range profileFields() {
		if said := field.said(s); said != "" {
			*fields[i] = &said
		}
	}
	return out
}
