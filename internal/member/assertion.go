package member

import (
	"fmt"
	"slices"

	"github.com/go-json-experiment/json"

	"github.com/rollcallhq/rollcall/internal/access"
)

// assertion is what the mapping of a connection gave at the last sign-in. It stands until the next one; what a directory drives goes before
// it, kind by kind.
type assertion struct {
	Connection string `json:"connection"`
	Mapped     mapped `json:"mapped"`
}

// asserts writes what an arrival brings; "" where its connection gives nothing. Fields of the account are the account's.
func (a Arrival) asserts() string {
	m := storedMapped(a.Mapped)
	m.First, m.Last, m.Picture, m.Locale = nil, nil, nil, nil
	if len(m.Attributes) == 0 {
		m.Attributes = nil
	}
	if m.Roles == nil && m.Teams == nil && m.Licence == nil && m.Attributes == nil {
		return ""
	}
	return string(encode(assertion{a.ConnectionID, m}))
}

// said reads what a connection's mapping gave.
func (m Membership) said() (out assertion, err error) {
	if m.asserted == "" {
		return out, nil
	}
	if err := json.Unmarshal([]byte(m.asserted), &out); err != nil {
		return out, fmt.Errorf("what a connection gave membership %s: %w", m.ID, err)
	}
	return out, nil
}

// overrule has a hand's word count until the next sign-in.
func (m *Membership) overrule(change func(*mapped)) error {
	if m.asserted == "" {
		return nil
	}
	said, err := m.said()
	if err != nil {
		return err
	}
	change(&said.Mapped)
	m.asserted = string(encode(said))
	return nil
}

// teamsOf are the teams that mappings put the member into, nil where they stay as they are: as the directories say that drive teams, else as
// the connection did at the last sign-in.
func (p *place) teamsOf(e Entitlement) *access.TeamsOf {
	of := access.TeamsOf{OrganizationID: p.m.OrganizationID, MembershipID: string(p.m.ID), By: access.ByConnection}
	teams, driven := e.ResolveTeams()
	switch {
	case p.forgotten: // nobody's mapping puts them into any
		of.Takes = byPeople()
	case e.Out: // who is out keeps them, to come back to
		return nil
	case driven && (p.moved() || p.anew()):
		of.By, of.Takes = access.ByMapping, []access.PutBy{access.ByMapping, access.ByConnection}
	case driven:
		return nil
	case p.moved() && len(e.Driven) > 0 && p.droveTeams():
		teams, of.Takes = e.Connection.Teams, []access.PutBy{access.ByMapping, access.ByConnection}
	case p.anew():
		teams, of.Takes = e.Connection.Teams, []access.PutBy{access.ByConnection}
	default:
		return nil
	}
	for _, id := range teams {
		of.Teams = append(of.Teams, access.TeamID(id))
	}
	return &of
}

// byPeople are those whose doing goes with a member whom a hand removes.
func byPeople() []access.PutBy { return []access.PutBy{access.ByHand, access.ByInvitation} }

// anew tells whether a sign-in has just said something else than the one before it.
func (p *place) anew() bool { return p.m.asserted != p.before().asserted }

// before is the membership as it was read; of a new one nothing.
func (p *place) before() Membership {
	if p.was == nil {
		return Membership{}
	}
	return *p.was
}

// assertedAttributes puts what the connection gives in the place of what it gave before. What others gave stays.
func (p *place) assertedAttributes() error {
	was, err := p.before().said()
	if err != nil {
		return err
	}
	is, err := p.m.said()
	if err != nil {
		return err
	}
	if len(was.Mapped.Attributes)+len(is.Mapped.Attributes) == 0 {
		return nil
	}
	out := map[string]any{}
	for name, value := range p.m.CustomAttributes {
		if _, had := was.Mapped.Attributes[name]; !had {
			out[name] = value
		}
	}
	for name, value := range is.Mapped.Attributes {
		out[name] = value
	}
	p.m.CustomAttributes = out
	return nil
}

// drives tells whether a directory drives a kind.
func (e Entitlement) drives(kind func(Driven) bool) bool { return slices.ContainsFunc(e.Driven, kind) }

func drivesRoles(d Driven) bool    { return d.Roles != nil }
func drivesLicences(d Driven) bool { return d.Licence != nil }
