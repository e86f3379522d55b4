package api

import (
	"net/http"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/org"
)

const tokenPrefix = "directory_token"

// shownToken has the members of the contract's dsync.token events and when it was used and ended.
type shownToken struct {
	Object         string            `json:"object"`
	ID             directory.TokenID `json:"id"`
	DirectoryID    directory.ID      `json:"directory_id"`
	OrganizationID string            `json:"organization_id"`
	Suffix         string            `json:"token_suffix"`
	CreatedAt      string            `json:"created_at"`
	LastUsedAt     *string           `json:"last_used_at"`
	RevokedAt      *string           `json:"revoked_at"`
	SCIMEndpoint   string            `json:"scim_endpoint,omitempty"`
	BearerToken    string            `json:"bearer_token,omitempty"` // only in the answer that makes it
}

func showToken(d directory.Directory, t directory.Token) shownToken {
	return shownToken{
		Object: "directory_token", ID: t.ID, DirectoryID: d.ID, OrganizationID: d.OrganizationID, Suffix: t.Suffix,
		CreatedAt: org.Time(t.CreatedAt), LastUsedAt: optionalTime(t.LastUsedAt), RevokedAt: optionalTime(t.RevokedAt),
	}
}

func optionalTime(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	return optional(org.Time(t))
}

// listTokens gives all of them in one page: two live ones at most, and those that were revoked.
func listTokens(c *call) (answer, error) {
	d, err := c.directory()
	if err != nil {
		return answer{}, err
	}
	found, err := c.o.Directories.Tokens(c.ctx(), d.ID)
	if err != nil {
		return answer{}, err
	}
	page, err := listOf(paging{}, found, false, func(t directory.Token) string { return string(t.ID) },
		func(t directory.Token) (jsontext.Value, error) { return encode(showToken(d, t)) })
	return ok(page), err
}

func createToken(c *call) (answer, error) {
	d, err := c.directory()
	if err != nil {
		return answer{}, err
	}
	if err := c.body(&struct{}{}); err != nil {
		return answer{}, err
	}
	made, secret, err := c.o.Directories.CreateToken(c.ctx(), c.actor, d.ID)
	if err != nil {
		return answer{}, err
	}
	shown := showToken(d, made)
	shown.SCIMEndpoint, shown.BearerToken = c.endpoint(d), secret.Reveal()
	return answer{http.StatusCreated, shown}, nil
}

func revokeToken(c *call) (answer, error) {
	d, err := c.directory()
	if err != nil {
		return answer{}, err
	}
	id := c.path["token_id"]
	if !isID(id, tokenPrefix) {
		return answer{}, errMissing("Token", id)
	}
	if err := c.o.Directories.RevokeToken(c.ctx(), c.actor, d.ID, directory.TokenID(id)); err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusNoContent}, nil
}
