package api

import (
	"net/http"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/rollcallhq/rollcall/internal/access"
	"github.com/rollcallhq/rollcall/internal/member"
)

const teamPrefix = "group"

func showTeam(status int, t access.Team, err error) (answer, error) {
	if err != nil {
		return answer{}, err
	}
	return answer{status, jsontext.Value(t.Payload())}, nil
}

// placeOf is the organization of the address, for what belongs to one.
func (c *call) placeOf() (string, error) {
	if err := c.keepsAccounts(); err != nil {
		return "", err
	}
	return c.livingOrganization("organizationId")
}

// team reads both ids of an address.
func (c *call) team() (organizationID string, id access.TeamID, err error) {
	if organizationID, err = c.placeOf(); err != nil {
		return "", "", err
	}
	team := c.path["groupId"]
	if !isID(team, teamPrefix) {
		return "", "", access.TeamNotFound(team)
	}
	return organizationID, access.TeamID(team), nil
}

func listTeams(c *call) (answer, error) {
	organization, err := c.placeOf()
	if err != nil {
		return answer{}, err
	}
	p, err := c.paging(teamPrefix, false)
	if err != nil {
		return answer{}, err
	}
	found, more, err := c.o.Access.Teams(c.ctx(), organization, p.page())
	if err != nil {
		return answer{}, err
	}
	page, err := listOf(p, found, more, func(t access.Team) string { return string(t.ID) },
		func(t access.Team) (jsontext.Value, error) { return t.Payload(), nil })
	return ok(page), err
}

func createTeam(c *call) (answer, error) {
	organization, err := c.placeOf()
	if err != nil {
		return answer{}, err
	}
	var wanted struct {
		Name        string `json:"name"`
		Description string `json:"description"`
	}
	if err := c.body(&wanted); err != nil {
		return answer{}, err
	}
	made, err := c.o.Access.CreateTeam(c.ctx(), c.actor, access.NewTeam{OrganizationID: organization, Name: wanted.Name, Description: wanted.Description})
	return showTeam(http.StatusCreated, made, err)
}

func getTeam(c *call) (answer, error) {
	organization, id, err := c.team()
	if err != nil {
		return answer{}, err
	}
	found, err := c.o.Access.Team(c.ctx(), organization, id)
	return showTeam(http.StatusOK, found, err)
}

func updateTeam(c *call) (answer, error) {
	organization, id, err := c.team()
	if err != nil {
		return answer{}, err
	}
	name, about, err := c.named()
	if err != nil {
		return answer{}, err
	}
	changed, err := c.o.Access.UpdateTeam(c.ctx(), c.actor, organization, id, access.TeamChanges{Name: name, Description: about})
	return showTeam(http.StatusOK, changed, err)
}

func deleteTeam(c *call) (answer, error) {
	organization, id, err := c.team()
	if err != nil {
		return answer{}, err
	}
	if err := c.o.Access.DeleteTeam(c.ctx(), c.actor, organization, id); err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusNoContent}, nil
}

// listTeamMembers shows who is in a team, pending and inactive members too: their status says so.
func listTeamMembers(c *call) (answer, error) {
	organization, id, err := c.team()
	if err != nil {
		return answer{}, err
	}
	p, err := c.paging(membershipPrefix, false)
	if err != nil {
		return answer{}, err
	}
	states, err := c.statuses()
	if err != nil {
		return answer{}, err
	}
	if _, err := c.o.Access.Team(c.ctx(), organization, id); err != nil {
		return answer{}, err
	}
	found, more, err := c.o.Members.List(c.ctx(), member.ListQuery{
		OrganizationID: organization, TeamID: string(id), States: states, Before: p.before, After: p.after, Limit: p.limit, Ascending: p.ascending,
	})
	if err != nil {
		return answer{}, err
	}
	page, err := listOf(p, found, more, func(m member.Member) string { return string(m.Membership.ID) }, showMember)
	return ok(page), err
}

func addTeamMember(c *call) (answer, error) {
	organization, id, err := c.team()
	if err != nil {
		return answer{}, err
	}
	var wanted struct {
		MembershipID string `json:"organization_membership_id"`
	}
	if err := c.body(&wanted); err != nil {
		return answer{}, err
	}
	if !isID(wanted.MembershipID, membershipPrefix) {
		return answer{}, errMissing(membershipNoun, wanted.MembershipID)
	}
	found, err := c.o.Access.AddToTeam(c.ctx(), c.actor, organization, id, wanted.MembershipID)
	return showTeam(http.StatusOK, found, err)
}

func removeTeamMember(c *call) (answer, error) {
	organization, id, err := c.team()
	if err != nil {
		return answer{}, err
	}
	who := c.path["omId"]
	if !isID(who, membershipPrefix) {
		return answer{}, errMissing(membershipNoun, who)
	}
	if err := c.o.Access.RemoveFromTeam(c.ctx(), c.actor, organization, id, who); err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusNoContent}, nil
}
