package api

import (
	"net/http"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/member"
)

// givenBody is what a membership is given by hand. null is the same as leaving out, but for licence, which it takes away.
type givenBody struct {
	Role    *string        `json:"role_slug"`
	Roles   []string       `json:"role_slugs"`
	Licence jsontext.Value `json:"licence"`
}

// given reads a role and a licence. The contract knows several roles of a member; here a member has one.
func (b givenBody) given() (out member.MembershipChanges, err error) {
	switch {
	case b.Role != nil && b.Roles != nil:
		return out, errField("role_slugs", "invalid", "Give role_slug or role_slugs, not both.")
	case len(b.Roles) > 1:
		return out, fault.New(fault.Unprocessable, "multiple_roles_not_enabled", "A member has one role; these are %d.", len(b.Roles)).On("role_slugs")
	case len(b.Roles) == 1:
		out.Role = &b.Roles[0]
	case b.Roles != nil:
		return out, errField("role_slugs", "required", "A member has a role: name it in role_slugs, or leave role_slugs out.")
	default:
		out.Role = b.Role
	}
	out.Licence, err = textOrNull("licence", b.Licence)
	return out, err
}

func createMembership(c *call) (answer, error) {
	if err := c.keepsAccounts(); err != nil {
		return answer{}, err
	}
	var wanted struct {
		givenBody

		UserID         string `json:"user_id"`
		OrganizationID string `json:"organization_id"`
	}
	if err := c.body(&wanted); err != nil {
		return answer{}, err
	}
	given, err := wanted.given()
	if err != nil {
		return answer{}, err
	}
	for _, one := range []struct{ field, id, prefix, noun string }{
		{"user_id", wanted.UserID, accountPrefix, accountNoun}, {"organization_id", wanted.OrganizationID, orgPrefix, orgNoun},
	} {
		switch {
		case one.id == "":
			return answer{}, errField(one.field, "required", "Say whose membership it is, and where: user_id and organization_id.")
		case !isID(one.id, one.prefix):
			return answer{}, errMissing(one.noun, one.id)
		}
	}
	n := member.NewMembership{OrganizationID: wanted.OrganizationID, UserID: member.UserID(wanted.UserID)}
	if given.Role != nil {
		n.Role = *given.Role
	}
	if given.Licence != nil {
		n.Licence = *given.Licence
	}
	made, err := c.o.Members.CreateMembership(c.ctx(), c.actor, n)
	if err != nil {
		return answer{}, err
	}
	return answer{http.StatusCreated, jsontext.Value(made.Payload())}, nil
}

func updateMembership(c *call) (answer, error) {
	id, err := c.membershipID()
	if err != nil {
		return answer{}, err
	}
	var wanted givenBody
	if err := c.body(&wanted); err != nil {
		return answer{}, err
	}
	given, err := wanted.given()
	if err != nil {
		return answer{}, err
	}
	changed, err := c.o.Members.UpdateMembership(c.ctx(), c.actor, id, given)
	if err != nil {
		return answer{}, err
	}
	return ok(jsontext.Value(changed.Payload())), nil
}
