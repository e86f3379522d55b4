package oidc

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"fmt"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/rollcallhq/rollcall/internal/fault"
)

const (
	maxKeys  = 100
	maxTried = 16 // keys that are tried for a token that names none
)

// KeySet is an identity provider's published keys (RFC 7517, section 5), without those that cannot verify anything. The zero value is empty.
type KeySet struct {
	keys    []jose.JSONWebKey
	skipped []string
}

// ParseKeySet reads a key set document. Keys of unknown kinds and curves, for encryption, with another algorithm, symmetric ones, private
// ones and RSA keys of other than 2,048 to 4,096 bits are passed over: a provider may publish what we do not use. A set without any usable key is refused.
func ParseKeySet(data []byte) (KeySet, error) {
	if len(data) > MaxDocument {
		return KeySet{}, fault.New(fault.TooLarge, CodeMalformed, "The key set has more than %d bytes.", MaxDocument)
	}
	var doc struct {
		Keys []jsontext.Value `json:"keys"`
	}
	if err := json.Unmarshal(data, &doc); err != nil {
		return KeySet{}, refuse(CodeMalformed, "The key set is not the JSON that RFC 7517 describes.").Because(err)
	}
	if len(doc.Keys) > maxKeys {
		return KeySet{}, fault.New(fault.TooLarge, CodeMalformed, "The key set holds more than %d keys.", maxKeys).Compared(fmt.Sprint(maxKeys), fmt.Sprint(len(doc.Keys)))
	}
	var set KeySet
	for i, text := range doc.Keys {
		key, why := usableKey(text)
		if why != "" {
			set.skipped = append(set.skipped, fmt.Sprintf("key %d %s", i+1, why))
			continue
		}
		set.keys = append(set.keys, key)
	}
	if len(set.keys) == 0 {
		return KeySet{}, refuse(CodeMalformed, "The key set holds no key that can be used.").Compared("an RSA key of 2,048 bits or more, EC or Ed25519, for signatures", strings.Join(set.skipped, "; "))
	}
	return set, nil
}

// KIDs lists the ids of the keys; "" for one without.
func (s KeySet) KIDs() []string {
	out := make([]string, len(s.keys))
	for i, k := range s.keys {
		out[i] = k.KeyID
	}
	return out
}

// Skipped says of each key that is not used why.
func (s KeySet) Skipped() []string { return slices.Clone(s.skipped) }

func usableKey(text jsontext.Value) (key jose.JSONWebKey, why string) {
	if err := key.UnmarshalJSON(text); err != nil {
		return key, "is of an unknown kind, malformed, or RSA of more than 4,096 bits"
	}
	switch {
	case key.Use != "" && key.Use != "sig":
		return key, "is not for signatures"
	case key.Algorithm != "" && !slices.Contains(verifiable(), Algorithm(key.Algorithm)):
		return key, "is for an algorithm that is not accepted"
	}
	switch k := key.Key.(type) {
	case *rsa.PublicKey:
		if bits := k.N.BitLen(); bits < rsaBits {
			return key, fmt.Sprintf("is a weak RSA key of %d bits", bits)
		}
	case *ecdsa.PublicKey, ed25519.PublicKey:
	default: // symmetric, or the private half
		return key, "is not a public key"
	}
	return key, ""
}

// candidates are the keys that may have signed a token with this header: of the id it names, and of a kind that fits the algorithm.
func (s KeySet) candidates(h header) []jose.JSONWebKey {
	var out []jose.JSONWebKey
	for _, k := range s.keys {
		if (h.kid == "" || k.KeyID == h.kid) && fits(k, Algorithm(h.alg)) && len(out) < maxTried {
			out = append(out, k)
		}
	}
	return out
}

func fits(k jose.JSONWebKey, alg Algorithm) bool {
	if k.Algorithm != "" && k.Algorithm != string(alg) {
		return false
	}
	switch key := k.Key.(type) {
	case *rsa.PublicKey:
		return strings.HasPrefix(string(alg), "RS") || strings.HasPrefix(string(alg), "PS")
	case *ecdsa.PublicKey:
		return map[int]Algorithm{256: ES256, 384: ES384, 521: ES512}[key.Curve.Params().BitSize] == alg
	case ed25519.PublicKey:
		return alg == EdDSA
	}
	return false
}
