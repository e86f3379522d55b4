package api

import (
	"net/http"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/member"
	"github.com/rollcallhq/rollcall/internal/org"
)

const (
	membershipPrefix = "om"
	membershipNoun   = "Organization membership"
)

func showMember(m member.Member) (jsontext.Value, error) { return jsontext.Value(m.Payload()), nil }

// shownStates are those that may be asked for. Who was removed is shown to who asks for it.
var shownStates = []member.State{member.Active, member.Inactive, member.Pending, member.Removed}

// membershipQuery reads what is asked for: active members, unless another state is named.
func (c *call) membershipQuery() (paging, member.ListQuery, error) {
	var q member.ListQuery
	p, err := c.paging(membershipPrefix, false)
	if err != nil {
		return p, q, err
	}
	q = member.ListQuery{Before: p.before, After: p.after, Limit: p.limit, Ascending: p.ascending, States: []member.State{member.Active}}
	if q.OrganizationID, err = c.filterID("organization_id", orgPrefix); err != nil {
		return p, q, err
	}
	user, err := c.filterID("user_id", accountPrefix)
	if err != nil {
		return p, q, err
	}
	q.UserID = member.UserID(user)
	if q.UserID == "" && q.OrganizationID == "" {
		return p, q, fault.New(fault.Invalid, "missing_user_id_or_organization_id", "Name the organization or the user whose memberships are meant: organization_id or user_id.").On("organization_id")
	}
	named, err := c.statuses()
	if len(named) > 0 {
		q.States = named
	}
	return p, q, err
}

// statuses reads the states of memberships that are asked for.
func (c *call) statuses() ([]member.State, error) {
	return among(c, "statuses", "invalid_status", shownStates)
}

func listMemberships(c *call) (answer, error) {
	if err := c.keepsAccounts(); err != nil {
		return answer{}, err
	}
	p, q, err := c.membershipQuery()
	if err != nil {
		return answer{}, err
	}
	if q.OrganizationID != "" {
		if _, err := c.o.Organizations.Get(c.ctx(), org.ID(q.OrganizationID)); err != nil {
			return answer{}, err
		}
	}
	if q.UserID != "" {
		if _, err := c.o.Members.User(c.ctx(), q.UserID); err != nil {
			return answer{}, err
		}
	}
	found, more, err := c.o.Members.List(c.ctx(), q)
	if err != nil {
		return answer{}, err
	}
	page, err := listOf(p, found, more, func(m member.Member) string { return string(m.Membership.ID) }, showMember)
	return ok(page), err
}

func (c *call) membershipID() (member.MembershipID, error) {
	if err := c.keepsAccounts(); err != nil {
		return "", err
	}
	id := c.path["id"]
	if !isID(id, membershipPrefix) {
		return "", errMissing(membershipNoun, id)
	}
	return member.MembershipID(id), nil
}

// getMembership: one that was removed is gone, as the contract has it; the list shows it to who asks for removed ones.
func getMembership(c *call) (answer, error) {
	id, err := c.membershipID()
	if err != nil {
		return answer{}, err
	}
	m, err := c.o.Members.Member(c.ctx(), id)
	if err != nil {
		return answer{}, err
	}
	if m.Membership.State == member.Removed {
		return answer{}, errMissing(membershipNoun, string(id))
	}
	return ok(jsontext.Value(m.Payload())), nil
}

func deleteMembership(c *call) (answer, error) {
	id, err := c.membershipID()
	if err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusOK}, c.o.Members.Remove(c.ctx(), c.actor, id)
}

func deactivateMembership(c *call) (answer, error) {
	return c.moveMembership(c.deactivate, "cannot_deactivate_pending_organization_membership")
}

func reactivateMembership(c *call) (answer, error) {
	return c.moveMembership(c.reactivate, "cannot_reactivate_pending_organization_membership")
}

func (c *call) deactivate(id member.MembershipID) (member.Member, error) {
	return c.o.Members.Deactivate(c.ctx(), c.actor, id)
}

func (c *call) reactivate(id member.MembershipID) (member.Member, error) {
	return c.o.Members.Reactivate(c.ctx(), c.actor, id)
}

// moveMembership answers with the member as it is then; pending is the contract's code for one whom nobody has come in by yet.
func (c *call) moveMembership(move func(member.MembershipID) (member.Member, error), pending string) (answer, error) {
	id, err := c.membershipID()
	if err != nil {
		return answer{}, err
	}
	m, err := move(id)
	if f, refused := fault.As(err); refused && f.Code == codePending {
		return answer{}, fault.New(fault.Invalid, pending, "%s", f.Message)
	}
	if err != nil {
		return answer{}, err
	}
	return ok(jsontext.Value(m.Payload())), nil
}

const codePending = "membership_pending" // of the verbs
