package member

import (
	"context"

	"github.com/rollcallhq/rollcall/internal/db"
)

// A directory may have spoken of somebody who is nobody here: who arrived inactive, say, or where only existing accounts are linked. What it said
// then counts as soon as that person becomes a member by another way, and not only from its next word on.

// unlinked is what the directories of an organization say of an address, of which nobody is meant yet.
func (s *Service) unlinked(ctx context.Context, r db.Reader, organizationID, email string) ([]*claim, error) {
	key, ok := EmailKey(email)
	if !ok {
		return nil, nil
	}
	return readClaims(ctx, r, selectUnlinked, organizationID, key)
}

// hearInto has the membership be the one that is meant. Somebody whom a directory wants in it looks at again: that gives what it maps.
func (s *Service) hearInto(w *db.Write, p *place, email string, said []*claim) {
	s.unheardInto(w, p.m.OrganizationID, email, said)
	for _, c := range p.hearAll(said) {
		s.dueInto(w, c)
	}
}

// unheardInto guards a write that makes a member by what directories were seen to say of nobody.
func (s *Service) unheardInto(w *db.Write, organizationID, email string, said []*claim) {
	key, _ := EmailKey(email)
	w.GuardSelect(guardUnlinked, organizationID, key, int64(len(said)))
}

// hearAll has the membership be the one that is meant, and gives the words that have more to say.
func (p *place) hearAll(said []*claim) (wanted []*claim) {
	for _, c := range said {
		p.hear(c)
		if c.says == SaysActive {
			c.said = encode(saying{})
			wanted = append(wanted, c)
		}
	}
	return wanted
}

// dueInto has the directory look at its person again.
func (s *Service) dueInto(w *db.Write, c *claim) {
	if s.directories != nil {
		s.directories.DueInto(w, c.organizationID, c.directoryID, c.directoryUserID)
	}
}

// wantedInto has directories look again at their people with the address of an account that has just been made: those who were wanted, but were
// nobody's.
func (s *Service) wantedInto(ctx context.Context, w *db.Write, u User) error {
	key, _ := EmailKey(u.Email)
	said, err := readClaims(ctx, s.db, selectWantedAs, key)
	for _, c := range said {
		s.dueInto(w, c)
	}
	return err
}

// with is what decides about a membership if it were the one that is meant.
func (c Claims) with(said []*claim) Claims {
	c.Directories = c.Directories[:len(c.Directories):len(c.Directories)]
	for _, one := range said {
		c.Directories = append(c.Directories, one.pure())
	}
	return c
}
