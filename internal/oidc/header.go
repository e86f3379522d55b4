package oidc

import (
	"encoding/base64"
	"errors"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// header is what of a JWS header is acted on. jwk, jku, x5u and x5c are not among it: a token does not say which key is to be trusted.
type header struct{ alg, kid, typ string }

var errNotJWS = errors.New("not a JWS in compact form")

// readHeader reads the protected header. Any crit is refused: no extension is understood (RFC 7515, section 4.1.11), and b64 of RFC 7797
// is one even where crit does not name it.
func readHeader(raw string) (header, error) {
	part, _, _ := strings.Cut(raw, ".") // that there are three parts, go-jose sees
	data, err := base64.RawURLEncoding.Strict().DecodeString(part)
	if err != nil {
		return header{}, errNotJWS
	}
	var h struct {
		Alg  string         `json:"alg"`
		KID  string         `json:"kid"`
		Typ  string         `json:"typ"`
		Crit jsontext.Value `json:"crit"`
		B64  jsontext.Value `json:"b64"`
	}
	switch err := json.Unmarshal(data, &h); {
	case err != nil:
		return header{}, errNotJWS
	case h.Crit != nil || h.B64 != nil:
		return header{}, errors.New("the header asks for an extension")
	}
	return header{h.Alg, h.KID, h.Typ}, nil
}
