package api

import (
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/member"
)

const (
	accountPrefix = "user"
	accountNoun   = "User"
)

// keepsAccounts refuses what is about accounts where the app keeps them.
func (c *call) keepsAccounts() error {
	if c.o.Members == nil {
		return fault.New(fault.Forbidden, "accounts_not_kept", "This installation keeps no accounts (accounts: app): its sign-ins end in profiles. Set accounts: rollcall to have users here.")
	}
	return nil
}

const invalidParameters = "invalid_request_parameters"

// ownCodes are those of the contract for fields that it has a code of their own for.
var ownCodes = []string{"invalid_role", "multiple_roles_not_enabled"}

// asContract gives refusals of fields the one code that the contract has for them on these routes; what is wrong with the field stands
// beside it, in errors.
func asContract(h handler) handler {
	return func(c *call) (answer, error) {
		a, err := h(c)
		f, refused := fault.As(err)
		if !refused || f.Kind != fault.Unprocessable || f.Code == invalidParameters || slices.Contains(ownCodes, f.Code) {
			return a, err
		}
		same := *f
		same.Code, same.Detail = invalidParameters, f.Code
		return a, &same
	}
}

// invalidAsContract does so with malformed requests, on the one route where the contract has a code for them.
func invalidAsContract(h handler) handler {
	return func(c *call) (answer, error) {
		a, err := h(c)
		f, refused := fault.As(err)
		if !refused || f.Kind != fault.Invalid || f.Code == invalidParameters || f.Code == "missing_user_id_or_organization_id" {
			return a, err
		}
		same := *f
		same.Code, same.Detail = invalidParameters, f.Code
		return a, &same
	}
}

// account finds the user that the address names as id.
func (c *call) account() (member.User, error) {
	id, err := c.accountID()
	if err != nil {
		return member.User{}, err
	}
	return c.o.Members.User(c.ctx(), id)
}

func (c *call) accountID() (member.UserID, error) {
	if err := c.keepsAccounts(); err != nil {
		return "", err
	}
	id := c.path["id"]
	if !isID(id, accountPrefix) {
		return "", errMissing(accountNoun, id)
	}
	return member.UserID(id), nil
}

func showAccount(u member.User) (jsontext.Value, error) { return jsontext.Value(u.Payload()), nil }

func getAccount(c *call) (answer, error) {
	u, err := c.account()
	if err != nil {
		return answer{}, err
	}
	return ok(jsontext.Value(u.Payload())), nil
}

// listIdentities lists the accounts at social networks that somebody signs in with, of which there are none: people come in through an
// identity provider of their organization (see listSSOIdentities) or by a mailed code.
func listIdentities(c *call) (answer, error) {
	if _, err := c.account(); err != nil {
		return answer{}, err
	}
	return ok([]jsontext.Value{}), nil
}

// shownIdentity says who a person is at a connection.
type shownIdentity struct {
	Object         string          `json:"object"`
	ConnectionID   string          `json:"connection_id"`
	OrganizationID string          `json:"organization_id"`
	IDPID          string          `json:"idp_id"`
	LinkedBy       member.LinkedBy `json:"linked_by"`
	CreatedAt      string          `json:"created_at"`
	LastUsedAt     *string         `json:"last_used_at"`
}

func listSSOIdentities(c *call) (answer, error) {
	u, err := c.account()
	if err != nil {
		return answer{}, err
	}
	found, err := c.o.Members.Identities(c.ctx(), u.ID)
	if err != nil {
		return answer{}, err
	}
	out := make([]shownIdentity, len(found))
	for i, one := range found {
		out[i] = shownIdentity{
			Object: "sso_identity", ConnectionID: one.ConnectionID, OrganizationID: one.OrganizationID, IDPID: one.IDPID, LinkedBy: one.LinkedBy,
			CreatedAt: event.Shown(one.CreatedAt), LastUsedAt: optionalTime(one.LastUsedAt),
		}
	}
	return ok(out), nil
}
