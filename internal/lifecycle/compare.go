package lifecycle

import (
	"cmp"
	"context"
	"slices"

	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/scim"
)

// Listed is somebody on a list that an identity provider has exported.
type Listed struct {
	Line            int // of the list, counted from 1
	Email, UserName string
	In              *bool // what the list says of whether they are active; nil: nothing
}

// Name is how they are shown.
func (l Listed) Name() string { return cmp.Or(l.Email, l.UserName) }

// Counterpart is somebody who is here.
type Counterpart struct {
	Name, Email string
	In          bool

	directory directory.ID // "": a member
	id        string
	keys      []string
}

// Differing is somebody of both, of whom they do not say the same.
type Differing struct {
	Listed

	Here bool // whether they are active here
}

// Comparison is how a list and an organization differ. Of each kind of difference the first are there, and how many there are in all.
type Comparison struct {
	Directories int // that were compared with; 0: the members were
	Listed      int // people on the list
	Here        int // active people here
	Same        int // people of both, with nothing against it

	OnlyListed  []Listed // active on the list, or without a word about it, and unknown here
	OnlyHere    []Counterpart
	Different   []Differing
	NOnlyListed int
	NOnlyHere   int
	NDifferent  int
}

// Compare compares a list with the people of an organization's directories, or with its members where it has none, and stores nothing. People
// are the same by a user name or an address, letter case aside. Of each kind at most shown are named.
func (s *Healths) Compare(ctx context.Context, organizationID string, list []Listed, shown int) (out Comparison, err error) {
	here, directories, err := s.here(ctx, organizationID)
	if err != nil {
		return out, err
	}
	out.Directories, out.Listed = directories, len(list)
	byKey := map[string]int{}
	for i, p := range here {
		if p.In {
			out.Here++
		}
		for _, key := range p.keys {
			if at, taken := byKey[key]; !taken || p.In && !here[at].In { // of several directories the one that wants them in decides
				byKey[key] = i
			}
		}
	}
	found := out.look(list, here, byKey, shown)
	var missing []Counterpart
	for i, p := range here {
		if p.In && !found[i] && !covered(p, byKey, found) {
			missing = append(missing, p)
		}
	}
	out.NOnlyHere = len(missing)
	out.OnlyHere, err = s.named(ctx, missing[:min(len(missing), shown)])
	return out, err
}

// look goes through the list, and tells who of here is on it.
func (c *Comparison) look(list []Listed, here []Counterpart, byKey map[string]int, shown int) map[int]bool {
	found := map[int]bool{}
	for _, l := range list {
		at, known := 0, false
		for _, key := range l.keys() {
			if at, known = byKey[key]; known {
				break
			}
		}
		switch {
		case !known && (l.In == nil || *l.In):
			if c.NOnlyListed++; len(c.OnlyListed) < shown {
				c.OnlyListed = append(c.OnlyListed, l)
			}
		case !known: // inactive there, unknown here: both say that they are out
			c.Same++
		case (l.In == nil || *l.In) != here[at].In:
			found[at] = true
			if c.NDifferent++; len(c.Different) < shown {
				c.Different = append(c.Different, Differing{l, here[at].In})
			}
		default:
			found[at] = true
			c.Same++
		}
	}
	return found
}

// covered: somebody of another directory with the same name or address was on the list.
func covered(p Counterpart, byKey map[string]int, found map[int]bool) bool {
	return slices.ContainsFunc(p.keys, func(key string) bool { return found[byKey[key]] })
}

func (l Listed) keys() []string { return likenesses(l.UserName, l.Email) }

// likenesses are the forms by which a name or an address is compared.
func likenesses(names ...string) (out []string) {
	for _, n := range names {
		for _, key := range []string{scim.UserNameKey(n), scim.FoldKey(n)} {
			if n != "" && !slices.Contains(out, key) {
				out = append(out, key)
			}
		}
	}
	return out
}

// here is everybody of an organization's directories, or its active members.
func (s *Healths) here(ctx context.Context, organizationID string) (out []Counterpart, directories int, err error) {
	found, _, err := s.directories.List(ctx, directory.ListQuery{OrganizationID: organizationID, Limit: connectionsAsked, Ascending: true})
	if err != nil {
		return nil, 0, err
	}
	for _, d := range found {
		people, err := s.directories.Roster(ctx, d.ID)
		if err != nil {
			return nil, 0, err
		}
		for _, p := range people {
			out = append(out, Counterpart{In: p.In, directory: d.ID, id: p.ID, keys: append(p.Emails, p.Name)})
		}
	}
	if len(found) > 0 || s.audits == nil {
		return out, len(found), nil
	}
	const atOnce = 1000
	for after := ""; ; {
		page, more, err := s.audits.AccessAt(ctx, AccessQuery{OrganizationID: organizationID, After: after, Limit: atOnce})
		if err != nil {
			return nil, 0, err
		}
		for _, a := range page {
			out = append(out, Counterpart{Name: a.FirstName + " " + a.LastName, Email: a.Email, In: true, id: a.MembershipID, keys: likenesses(a.Email)})
		}
		if !more {
			return out, 0, nil
		}
		after = page[len(page)-1].MembershipID
	}
}

// named reads what people of directories are called.
func (s *Healths) named(ctx context.Context, some []Counterpart) ([]Counterpart, error) {
	ids := map[directory.ID][]string{}
	for _, p := range some {
		if p.directory != "" {
			ids[p.directory] = append(ids[p.directory], p.id)
		}
	}
	for d, of := range ids {
		shown, err := s.directories.ShowPeople(ctx, d, of)
		if err != nil {
			return nil, err
		}
		for i, p := range some {
			if one, there := shown[p.id]; there && p.directory == d {
				some[i].Name, some[i].Email = one.Name, cmp.Or(one.Email, one.UserName)
			}
		}
	}
	return some, nil
}
