package member

import "slices"

// Entitlement is what decides which role and licence a member has, and by whose word.
type Entitlement struct {
	// Driven are the mappings of living directories that want the person in, the oldest directory first. None: what is there stays.
	Driven []Driven
	// Connection is what a connection's mapping gave at the last sign-in. Of what a living directory drives it says nothing.
	Connection Driven
	// Out: no living directory wants the person in, and something shuts them out, or a brake keeps them as they are: what mappings gave stays.
	Out bool

	Role         string // as it is
	RoleBy       GivenBy
	GivenRole    string
	Licence      string // as it is: held or wanted
	GivenLicence string
}

// Driven is what one directory's mapping gives. Nil is not driven by it.
type Driven struct {
	Roles   []string // slugs, the one that wins first; empty but not nil: driven, and nothing is mapped
	Licence *string
	Teams   []string
}

// ResolveRole gives the role: the first that a directory's mapping gives, else a connection's, else the given one, else everybody's. Where no
// living directory speaks of the person, what a mapping gave stays: it comes back with them, or stands until a sign-in or a hand changes it.
// Whether a given role that takes a mapped one's place was a hand's or an invitation's is not known here: ByHand.
func (e Entitlement) ResolveRole() (role string, by GivenBy) {
	for _, d := range e.Driven {
		if len(d.Roles) > 0 {
			return d.Roles[0], ByMapping
		}
	}
	switch {
	case e.Out && e.RoleBy.mapped():
		return e.Role, e.RoleBy
	case len(e.Connection.Roles) > 0 && !e.Out && !e.drives(drivesRoles):
		return e.Connection.Roles[0], ByConnection
	case e.RoleBy == ByMapping && len(e.Driven) == 0:
		return e.Role, e.RoleBy
	case e.GivenRole == "":
		return RoleMember, ""
	case e.RoleBy == ByInvitation:
		return e.GivenRole, ByInvitation
	}
	return e.GivenRole, ByHand
}

// ResolveLicence gives the licence that the member is to have, "" for none; whether a seat is left is another question.
func (e Entitlement) ResolveLicence() string {
	for _, d := range e.Driven {
		if d.Licence != nil && *d.Licence != "" {
			return *d.Licence
		}
	}
	driven := e.drives(drivesLicences)
	asserted := e.Connection.Licence
	if e.Out {
		asserted = nil
	}
	switch {
	case !driven && asserted != nil && *asserted != "":
		return *asserted
	case e.GivenLicence != "":
		return e.GivenLicence
	case driven, asserted != nil:
		return ""
	}
	return e.Licence
}

// ResolveTeams are the teams that mappings put the member into; driven is false where none says anything about teams.
func (e Entitlement) ResolveTeams() (teams []string, driven bool) {
	for _, d := range e.Driven {
		teams, driven = append(teams, d.Teams...), driven || d.Teams != nil
	}
	slices.Sort(teams)
	return slices.Compact(teams), driven
}

// entitlement gathers it. The sayings of living directories come with it.
func (p *place) entitlement() (e Entitlement, said []saying, err error) {
	e = Entitlement{Role: p.m.Role, RoleBy: p.m.RoleBy, GivenRole: p.m.GivenRole, Licence: p.m.Licence, GivenLicence: p.m.GivenLicence}
	if e.Licence == "" {
		e.Licence = p.m.WantedLicence
	}
	is, err := p.m.said()
	if err != nil {
		return e, nil, err
	}
	was, err := p.before().said()
	if err != nil {
		return e, nil, err
	}
	if e.Connection = is.Mapped.driven(); e.Connection.Licence == nil && was.Mapped.Licence != nil && *was.Mapped.Licence == e.Licence {
		e.Licence = "" // the connection gave it, and does not any more
	}
	for _, c := range p.claims {
		if c.says != SaysActive || !c.frozenAt.IsZero() {
			continue
		}
		one, err := c.read()
		if err != nil {
			return e, nil, err
		}
		said, e.Driven = append(said, one), append(e.Driven, one.Mapped.driven())
		if one.Mapped.Licence != nil || e.Licence == "" {
			continue
		}
		if gave := c.saidBefore().Mapped.Licence; gave != nil && *gave == e.Licence {
			e.Licence = "" // its mapping gave it, and drives none any more
		}
	}
	kept := slices.ContainsFunc(p.claims, func(c *claim) bool { return c.held == HeldKept && c.frozenAt.IsZero() })
	e.Out = len(e.Driven) == 0 && (kept || p.m.State != Active && p.m.State != Pending)
	return e, said, nil
}

func (m mapped) driven() Driven {
	d := Driven{Licence: m.Licence}
	if m.Roles != nil {
		d.Roles = append([]string{}, *m.Roles...)
	}
	if m.Teams != nil {
		d.Teams = append([]string{}, *m.Teams...)
	}
	return d
}
