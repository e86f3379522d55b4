package api

import (
	"net/http"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/token"
)

const apiKeyPrefix = "api_key"

func showAPIKey(k org.APIKey) (jsontext.Value, error) { return jsontext.Value(k.Payload()), nil }

func listAPIKeys(c *call) (answer, error) {
	id, err := c.organizationID("organizationId")
	if err != nil {
		return answer{}, err
	}
	p, err := c.paging(apiKeyPrefix, false)
	if err != nil {
		return answer{}, err
	}
	found, more, err := c.o.Organizations.APIKeys(c.ctx(), org.APIKeyQuery{
		OrganizationID: id, Before: p.before, After: p.after, Limit: p.limit, Ascending: p.ascending,
	})
	if err != nil {
		return answer{}, err
	}
	page, err := listOf(p, found, more, func(k org.APIKey) string { return k.ID }, showAPIKey)
	return ok(page), err
}

type newAPIKey struct {
	Name        string   `json:"name"`
	Permissions []string `json:"permissions"`
	ExpiresAt   string   `json:"expires_at"`
}

func createAPIKey(c *call) (answer, error) {
	id, err := c.organizationID("organizationId")
	if err != nil {
		return answer{}, err
	}
	var wanted newAPIKey
	if err := c.body(&wanted); err != nil {
		return answer{}, err
	}
	n := org.NewAPIKey{Name: wanted.Name, Permissions: wanted.Permissions}
	if wanted.ExpiresAt != "" {
		if n.ExpiresAt, err = instant("expires_at", wanted.ExpiresAt); err != nil {
			return answer{}, err
		}
	}
	made, value, err := c.o.Organizations.CreateAPIKey(c.ctx(), c.actor, id, n)
	if err != nil {
		return answer{}, err
	}
	return answer{http.StatusCreated, jsontext.Value(made.PayloadWithValue(value))}, nil
}

// instant reads a time of a body.
func instant(field, text string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil || t.Year() < 1970 || t.Year() > 9999 {
		return t, errField(field, "invalid_date", "%s is an ISO 8601 time like 2030-01-15T12:00:00.000Z, not %.40q.", field, text)
	}
	return t, nil
}

// apiKeyID checks the form of the id in the address.
func (c *call) apiKeyID() (string, error) {
	id := c.path["id"]
	if !isID(id, apiKeyPrefix) {
		return "", org.KeyNotFound(id)
	}
	return id, nil
}

func deleteAPIKey(c *call) (answer, error) {
	id, err := c.apiKeyID()
	if err != nil {
		return answer{}, err
	}
	if err := c.o.Organizations.DeleteAPIKey(c.ctx(), c.actor, id); err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusNoContent}, nil
}

// expiry is what a client sends: a time, null to take one back, nothing to end the key now.
type expiry struct {
	ExpiresAt jsontext.Value `json:"expires_at"`
}

func (e expiry) expiry() (out org.Expiry, err error) {
	text, err := textOrNull("expires_at", e.ExpiresAt)
	if err != nil || text == nil {
		return out, err
	}
	if e.ExpiresAt.Kind() == 'n' {
		out.Never = true
		return out, nil
	}
	out.At, err = instant("expires_at", *text)
	return out, err
}

func expireAPIKey(c *call) (answer, error) {
	id, err := c.apiKeyID()
	if err != nil {
		return answer{}, err
	}
	var wanted expiry
	if err := c.body(&wanted); err != nil {
		return answer{}, err
	}
	e, err := wanted.expiry()
	if err != nil {
		return answer{}, err
	}
	k, err := c.o.Organizations.ExpireAPIKey(c.ctx(), c.actor, id, e)
	if err != nil {
		return answer{}, err
	}
	return ok(jsontext.Value(k.Payload())), nil
}

// keyToValidate: a key is a secret also when it is wrong, so it is never in an error.
type keyToValidate struct {
	Value *token.Secret `json:"value"`
}

// validation says null for whatever is not a living key, without a reason.
type validation struct {
	APIKey jsontext.Value `json:"api_key"`
}

func validateAPIKey(c *call) (answer, error) {
	var wanted keyToValidate
	if err := c.body(&wanted); err != nil {
		return answer{}, err
	}
	if wanted.Value == nil {
		return answer{}, errField("value", "required", "Send the API key to look at as value.")
	}
	found, valid, err := c.o.Organizations.AuthenticateAPIKey(c.ctx(), *wanted.Value)
	if err != nil {
		return answer{}, err
	}
	if !valid {
		return ok(validation{jsontext.Value("null")}), nil
	}
	return ok(validation{jsontext.Value(found.Payload())}), nil
}
