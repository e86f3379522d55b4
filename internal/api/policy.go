package api

import (
	"net/http"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/rollcallhq/rollcall/internal/lifecycle"
	"github.com/rollcallhq/rollcall/internal/member"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/sso"
)

type shownPolicy struct {
	org.PolicyPayload
	InForce    org.SSOPolicy   `json:"sso_in_force"`
	State      lifecycle.Reach `json:"sso_state"`
	JITInForce member.JIT      `json:"jit_in_force"`
}

func showPolicy(p lifecycle.PolicyNow) answer {
	return ok(shownPolicy{p.Shown(), p.InForce, p.Reach, p.JIT})
}

func getPolicy(c *call) (answer, error) {
	id, err := c.organizationID("id")
	if err != nil {
		return answer{}, err
	}
	p, err := c.o.Policies.Get(c.ctx(), id)
	if err != nil {
		return answer{}, err
	}
	return showPolicy(p), nil
}

// policyChange is what a client sends: what is left out stays, null is the default again.
type policyChange struct {
	SSO           *org.SSOPolicy `json:"sso"`
	OptionalUntil jsontext.Value `json:"optional_until"`
	JIT           jsontext.Value `json:"jit"`
	Idle          jsontext.Value `json:"session_idle_seconds"`
	Life          jsontext.Value `json:"session_life_seconds"`
	Confirm       jsontext.Value `json:"confirm"`
}

func (p policyChange) change() (out org.PolicyChange, confirm *int, err error) {
	out.SSO = p.SSO
	until, err := textOrNull("optional_until", p.OptionalUntil)
	if err != nil {
		return out, nil, err
	}
	if until != nil {
		var at time.Time
		if p.OptionalUntil.Kind() != 'n' {
			if at, err = instant("optional_until", *until); err != nil {
				return out, nil, err
			}
		}
		out.OptionalUntil = &at
	}
	jit, err := textOrNull("jit", p.JIT)
	if err != nil {
		return out, nil, err
	}
	if jit != nil {
		if *jit == "" && p.JIT.Kind() != 'n' {
			return out, nil, errField("jit", "invalid_jit", "jit is directory, verified_domain, off, or null for the default.")
		}
		out.JIT = (*org.JIT)(jit)
	}
	for _, one := range []struct {
		name string
		from jsontext.Value
		to   **time.Duration
	}{{"session_idle_seconds", p.Idle, &out.Idle}, {"session_life_seconds", p.Life, &out.Life}} {
		if *one.to, err = secondsOrNull(one.name, one.from); err != nil {
			return out, nil, err
		}
	}
	confirm, err = number("confirm", p.Confirm)
	return out, confirm, err
}

// secondsOrNull reads a member that null empties: nil if it was left out.
func secondsOrNull(field string, v jsontext.Value) (*time.Duration, error) {
	n, err := number(field, v)
	if err != nil || v.Kind() == 0 {
		return nil, err
	}
	var d time.Duration
	if n != nil {
		if *n == 0 { // which would be taken for nothing
			return nil, errField(field, "invalid_session_life", "%s cannot be 0. null is the installation's.", field)
		}
		d = time.Duration(*n) * time.Second
	}
	return &d, nil
}

// number reads a whole number that is not negative; nil for null and what was left out.
func number(field string, v jsontext.Value) (*int, error) {
	switch v.Kind() {
	case 0, 'n':
		return nil, nil //nolint:nilnil // nothing was said and nothing is wrong
	case '0':
		return whole(field, v.String())
	default:
		return nil, errField(field, "invalid_type", "%s has to be a number.", field)
	}
}

// longest is more than any number that is asked for; a duration of so many seconds does not overflow.
const longest = 1_000_000_000

func whole(field, text string) (*int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > longest {
		return nil, errField(field, "invalid_number", "%s has to be a whole number from 0 to %d.", field, longest)
	}
	return &n, nil
}

func setPolicy(c *call) (answer, error) {
	id, err := c.organizationID("id")
	if err != nil {
		return answer{}, err
	}
	var wanted policyChange
	if err := c.body(&wanted); err != nil {
		return answer{}, err
	}
	change, confirm, err := wanted.change()
	if err != nil {
		return answer{}, err
	}
	p, err := c.o.Policies.Set(c.ctx(), c.actor, id, change, confirm)
	if err != nil {
		return answer{}, err
	}
	return showPolicy(p), nil
}

type shownLeftOut struct {
	Object       string                    `json:"object"`
	MembershipID member.MembershipID       `json:"organization_membership_id"`
	UserID       member.UserID             `json:"user_id"`
	Email        string                    `json:"email"`
	Name         *string                   `json:"name"`
	Primary      bool                      `json:"primary"`
	State        member.State              `json:"status"`
	Reasons      []lifecycle.LeftOutReason `json:"reasons"`
}

func showLeftOut(l lifecycle.LeftOut) (jsontext.Value, error) {
	return encode(shownLeftOut{
		"left_out_member", l.Member.Membership.ID, l.Member.User.ID, l.Member.User.Email, optional(l.Member.User.Name()), l.Member.Membership.Primary,
		l.Member.Membership.State, l.Reasons,
	})
}

func listLeftOut(c *call) (answer, error) {
	id, err := c.organizationID("id")
	if err != nil {
		return answer{}, err
	}
	p, err := c.paging(membershipPrefix, false)
	if err != nil {
		return answer{}, err
	}
	connection, err := c.filterID("connection", sso.ConnectionPrefix)
	if err != nil {
		return answer{}, err
	}
	as := org.SSOPolicy(c.query.Get("sso"))
	if as != "" && as != org.RequiredForAll && as != org.RequiredForPrimary {
		return answer{}, errField("sso", "invalid_sso", "sso is required_for_all or required_for_primary_members, not %.60q.", string(as))
	}
	without := c.query.Get("without")
	if without != "" && (without != "identity_provider" || as != "" || connection != "") {
		return answer{}, errField("without", "invalid_without", "without is identity_provider, and goes with neither sso nor connection: nobody is bound by a provider that is gone.")
	}
	q := lifecycle.LeftOutQuery{
		OrganizationID: id, As: as, ConnectionID: sso.ID(connection), Without: without != "", Before: p.before, After: p.after, Limit: p.limit, Ascending: p.ascending,
	}
	found, more, err := c.o.Policies.LeftOut(c.ctx(), q)
	if err != nil {
		return answer{}, err
	}
	page, err := listOf(p, found, more, func(l lifecycle.LeftOut) string { return string(l.Member.Membership.ID) }, showLeftOut)
	if err != nil {
		return answer{}, err
	}
	out := leftOutList{list: page}
	if p.before == "" && p.after == "" {
		total, err := c.o.Policies.CountLeftOut(c.ctx(), q)
		if err != nil {
			return answer{}, err
		}
		out.Total = &total
	}
	return ok(out), nil
}

// leftOutList is a page with how many there are in all: everybody is looked at for that, so only the first page has it.
type leftOutList struct {
	list
	Total *int `json:"total"`
}

type endOf struct {
	UserID string `json:"user_id"`
}

type ended struct {
	Object string `json:"object"`
	Ended  int    `json:"ended"`
}

// endSessions ends all of an organization, or of one of its members.
func endSessions(c *call) (answer, error) {
	id, err := c.organizationID("id")
	if err != nil {
		return answer{}, err
	}
	var whose endOf
	if err := c.body(&whose); err != nil {
		return answer{}, err
	}
	if whose.UserID != "" && !isID(whose.UserID, accountPrefix) {
		return answer{}, errMissing(accountNoun, whose.UserID)
	}
	n, err := c.o.Policies.EndSessions(c.ctx(), c.actor, id, member.UserID(whose.UserID))
	if err != nil {
		return answer{}, err
	}
	return ok(ended{"ended_sessions", n}), nil
}

// deleteIdentityProvider takes connections and directories away; the number that confirms it is in the address, as the method has no body.
func deleteIdentityProvider(c *call) (answer, error) {
	id, err := c.organizationID("id")
	if err != nil {
		return answer{}, err
	}
	var confirm *int
	if text := c.query.Get("confirm"); text != "" {
		if confirm, err = whole("confirm", text); err != nil {
			return answer{}, err
		}
	}
	if err := c.o.Policies.DeleteIdentityProvider(c.ctx(), c.actor, id, confirm); err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusNoContent}, nil
}

// listBreakGlassUsers is one page: they are few.
func listBreakGlassUsers(c *call) (answer, error) {
	id, err := c.organizationID("id")
	if err != nil {
		return answer{}, err
	}
	found, err := c.o.Policies.BreakGlassUsers(c.ctx(), id)
	if err != nil {
		return answer{}, err
	}
	out := list{Object: "list", Data: make([]jsontext.Value, len(found))}
	for i, b := range found {
		out.Data[i] = b.Payload()
	}
	return ok(out), nil
}

type newBreakGlassUser struct {
	UserID    string `json:"user_id"`
	Reason    string `json:"reason"`
	ExpiresAt string `json:"expires_at"`
}

func createBreakGlassUser(c *call) (answer, error) {
	id, err := c.organizationID("id")
	if err != nil {
		return answer{}, err
	}
	var wanted newBreakGlassUser
	if err := c.body(&wanted); err != nil {
		return answer{}, err
	}
	switch {
	case wanted.UserID == "":
		return answer{}, errField("user_id", "required", "Say who, by the id of the account.")
	case !isID(wanted.UserID, accountPrefix):
		return answer{}, errMissing(accountNoun, wanted.UserID)
	}
	n := lifecycle.NewBreakGlass{UserID: member.UserID(wanted.UserID), Reason: wanted.Reason}
	if wanted.ExpiresAt != "" {
		if n.ExpiresAt, err = instant("expires_at", wanted.ExpiresAt); err != nil {
			return answer{}, err
		}
	}
	made, err := c.o.Policies.NameBreakGlass(c.ctx(), c.actor, id, n)
	if err != nil {
		return answer{}, err
	}
	return answer{http.StatusCreated, jsontext.Value(made.Payload())}, nil
}

func deleteBreakGlassUser(c *call) (answer, error) {
	id, err := c.organizationID("id")
	if err != nil {
		return answer{}, err
	}
	user := c.path["user_id"]
	if !isID(user, accountPrefix) {
		return answer{}, errMissing("Break-glass user", user)
	}
	if err := c.o.Policies.RevokeBreakGlass(c.ctx(), c.actor, id, member.UserID(user)); err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusNoContent}, nil
}
