package api

import (
	"github.com/go-json-experiment/json/jsontext"

	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/issuer"
	"github.com/rollcallhq/rollcall/internal/oidc"
)

func showSigningKey(k issuer.Key) (jsontext.Value, error) {
	return encode(struct {
		Object     string          `json:"object"`
		KID        string          `json:"kid"`
		Algorithm  oidc.Algorithm  `json:"signing_alg"`
		State      issuer.KeyState `json:"state"`
		SignsFrom  string          `json:"signs_from"`
		SignsUntil string          `json:"signs_until"`
		ShownUntil string          `json:"shown_until"`
		CreatedAt  string          `json:"created_at"`
	}{"signing_key", k.KID, k.Algorithm, k.State, event.Shown(k.SignsFrom), event.Shown(k.SignsUntil), event.Shown(k.ShownUntil), event.Shown(k.CreatedAt)})
}

// signingKeysAnswer is all of them in one page: there are never many.
func signingKeysAnswer(keys []issuer.Key, err error) (answer, error) {
	if err != nil {
		return answer{}, err
	}
	page, err := listOf(paging{}, keys, false, func(issuer.Key) string { return "" }, showSigningKey)
	page.Metadata = ends{}
	return ok(page), err
}

func listSigningKeys(c *call) (answer, error) {
	return signingKeysAnswer(c.o.Issuer.Keys(c.ctx()))
}

func rotateSigningKeys(c *call) (answer, error) {
	var wanted struct {
		Compromised *bool           `json:"compromised"`
		Algorithm   *oidc.Algorithm `json:"signing_alg"`
	}
	if err := c.body(&wanted); err != nil {
		return answer{}, err
	}
	return signingKeysAnswer(c.o.Issuer.Rotate(c.ctx(), issuer.Rotation{Algorithm: valueOf(wanted.Algorithm), Compromised: valueOf(wanted.Compromised)}))
}
