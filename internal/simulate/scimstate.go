package simulate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rollcallhq/rollcall/internal/idp"
)

// State is what a provider's client has learnt of a server: the ids that it was given. It holds no token.
type State struct {
	Provider idp.Slug     `json:"provider"`
	BaseURL  string       `json:"base_url"`
	People   []Known      `json:"people,omitempty"`
	Groups   []KnownGroup `json:"groups,omitempty"`
}

// Known is a person with what the server calls them.
type Known struct {
	Person     Person   `json:"person"`
	ExternalID string   `json:"external_id,omitempty"` // the provider's own id
	SCIMID     string   `json:"scim_id,omitempty"`     // the server's
	Active     bool     `json:"active"`
	Owed       idp.Move `json:"owed,omitempty"` // what failed and is tried again in the next cycle
}

// KnownGroup is a group with what the server calls it.
type KnownGroup struct {
	Name       string   `json:"name"`
	ExternalID string   `json:"external_id,omitempty"`
	SCIMID     string   `json:"scim_id,omitempty"`
	Members    []string `json:"members,omitempty"` // user names
}

// belongsTo takes a new state as one's own and refuses that of another provider or server: its ids would mean nothing.
func (s *State) belongsTo(p idp.Slug, address string) error {
	if s.Provider == "" && s.BaseURL == "" {
		s.Provider, s.BaseURL = p, address
	}
	if s.Provider != p || s.BaseURL != address {
		return fmt.Errorf("the state that was kept is of %s at %s, not of %s at %s; name another file", s.Provider, s.BaseURL, p, address)
	}
	return nil
}

func (s *State) clone() State {
	out := *s
	out.People, out.Groups = slices.Clone(s.People), slices.Clone(s.Groups)
	for i := range out.Groups {
		out.Groups[i].Members = slices.Clone(out.Groups[i].Members)
	}
	return out
}

func (s *State) person(userName string) *Known {
	i := slices.IndexFunc(s.People, func(k Known) bool { return strings.EqualFold(k.Person.userName(), userName) })
	if i < 0 {
		return nil
	}
	return &s.People[i]
}

// nameOf gives the user name of whoever has the server's id; the id itself where nobody is known to have it.
func (s *State) nameOf(id string) string {
	i := slices.IndexFunc(s.People, func(k Known) bool { return k.SCIMID == id })
	if i < 0 || id == "" {
		return id
	}
	return s.People[i].Person.userName()
}

func (s *State) keep(k Known) {
	if have := s.person(k.Person.userName()); have != nil {
		*have = k
		return
	}
	s.People = append(s.People, k)
}

// forget takes a person out of everything.
func (s *State) forget(userName string) {
	s.People = slices.DeleteFunc(s.People, func(k Known) bool { return strings.EqualFold(k.Person.userName(), userName) })
	for i := range s.Groups {
		s.Groups[i].Members = without(s.Groups[i].Members, []string{userName})
	}
}

func (s *State) group(name string) *KnownGroup {
	i := slices.IndexFunc(s.Groups, func(g KnownGroup) bool { return g.Name == name })
	if i < 0 {
		return nil
	}
	return &s.Groups[i]
}

func (s *State) keepGroup(g KnownGroup) {
	if have := s.group(g.Name); have != nil {
		*have = g
		return
	}
	s.Groups = append(s.Groups, g)
}

func (s *State) forgetGroup(name string) {
	s.Groups = slices.DeleteFunc(s.Groups, func(g KnownGroup) bool { return g.Name == name })
}

// without gives what of all is not among some; user names are no matter of letter case.
func without(all, some []string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(name string) bool { return contains(some, name) })
}

func contains(names []string, name string) bool {
	return slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, name) })
}
