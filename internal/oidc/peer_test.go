package oidc_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"math/big"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/oidc"
)

const (
	issuer   = "https://idp.example/tenant"
	clientID = "rollcall"
	nonce    = "n-0S6_WzA2Mj"
)

var now = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

type material struct {
	rsa, other *rsa.PrivateKey
	weak       *rsa.PublicKey
	ec, ec384  *ecdsa.PrivateKey
	ed         ed25519.PrivateKey
}

// keys are made once: RSA keys take their time.
var keys = sync.OnceValue(func() material {
	ec, err1 := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ec384, err2 := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	_, ed, err3 := ed25519.GenerateKey(rand.Reader)
	one, err4 := rsa.GenerateKey(rand.Reader, 2048)
	other, err5 := rsa.GenerateKey(rand.Reader, 2048)
	if err := errors.Join(err1, err2, err3, err4, err5); err != nil {
		panic(err)
	}
	weak := &rsa.PublicKey{N: new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 1024), big.NewInt(105)), E: 65537}
	return material{one, other, weak, ec, ec384, ed}
})

// peer is an identity provider that signs whatever it is told to.
type peer struct {
	t      *testing.T
	header map[string]any
	claims map[string]any
	key    any // private
	alg    oidc.Algorithm
}

func newPeer(t *testing.T) *peer {
	return &peer{
		t:      t,
		header: map[string]any{"alg": "RS256", "kid": "rsa", "typ": "JWT"},
		claims: map[string]any{
			"iss": issuer, "sub": "248289761001", "aud": clientID, "nonce": nonce,
			"iat": now.Add(-10 * time.Second).Unix(), "exp": now.Add(5 * time.Minute).Unix(),
		},
		key: keys().rsa, alg: oidc.RS256,
	}
}

func (p *peer) with(alg oidc.Algorithm, kid string, key any) *peer {
	p.alg, p.key = alg, key
	p.header["alg"], p.header["kid"] = string(alg), kid
	return p
}

func (p *peer) claim(name string, value any) *peer {
	p.claims[name] = value
	return p
}

func (p *peer) without(names ...string) *peer {
	for _, n := range names {
		delete(p.claims, n)
		delete(p.header, n)
	}
	return p
}

func (p *peer) set(header string, value any) *peer {
	p.header[header] = value
	return p
}

func encode(t *testing.T, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(data)
}

// token signs by the standard library, so that it can be as wrong as a test needs it.
func (p *peer) token() string {
	p.t.Helper()
	return p.sign(encode(p.t, p.header) + "." + encode(p.t, p.claims))
}

func (p *peer) sign(input string) string {
	p.t.Helper()
	var signature []byte
	var err error
	switch key := p.key.(type) {
	case nil:
	case []byte:
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(input))
		signature = mac.Sum(nil)
	case ed25519.PrivateKey:
		signature = ed25519.Sign(key, []byte(input))
	case *ecdsa.PrivateKey:
		hash := map[int]crypto.Hash{256: crypto.SHA256, 384: crypto.SHA384}[key.Params().BitSize]
		r, s, e := ecdsa.Sign(rand.Reader, key, digest(hash, input))
		size := key.Params().BitSize / 8
		signature, err = append(r.FillBytes(make([]byte, size)), s.FillBytes(make([]byte, size))...), e
	case *rsa.PrivateKey:
		hash := map[string]crypto.Hash{"256": crypto.SHA256, "384": crypto.SHA384, "512": crypto.SHA512}[string(p.alg)[2:]]
		if strings.HasPrefix(string(p.alg), "PS") {
			signature, err = rsa.SignPSS(rand.Reader, key, hash, digest(hash, input), &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
		} else {
			signature, err = rsa.SignPKCS1v15(rand.Reader, key, hash, digest(hash, input))
		}
	}
	if err != nil {
		p.t.Fatal(err)
	}
	return input + "." + base64.RawURLEncoding.EncodeToString(signature)
}

func digest(h crypto.Hash, input string) []byte {
	hasher := h.New()
	hasher.Write([]byte(input))
	return hasher.Sum(nil)
}

func jwk(key any, kid string, change func(map[string]any)) map[string]any {
	data, err := jose.JSONWebKey{Key: key, KeyID: kid, Use: "sig"}.MarshalJSON()
	if err != nil {
		panic(err)
	}
	var m map[string]any
	if err := json.Unmarshal(data, &m); err != nil {
		panic(err)
	}
	if kid == "" {
		delete(m, "kid")
	}
	if change != nil {
		change(m)
	}
	return m
}

func setOf(t *testing.T, list ...map[string]any) oidc.KeySet {
	t.Helper()
	set, err := oidc.ParseKeySet(document(t, list...))
	if err != nil {
		t.Fatalf("key set: %v", err)
	}
	return set
}

func document(t *testing.T, list ...map[string]any) []byte {
	t.Helper()
	data, err := json.Marshal(map[string]any{"keys": list})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// allKeys is a set of one key of each kind.
func allKeys(t *testing.T) oidc.KeySet {
	k := keys()
	return setOf(t, jwk(k.rsa.Public(), "rsa", nil), jwk(k.ec.Public(), "ec", nil), jwk(k.ec384.Public(), "ec384", nil), jwk(k.ed.Public(), "ed", nil))
}

func expectation() oidc.IDTokenExpectation {
	return oidc.IDTokenExpectation{
		Issuer: issuer, ClientID: clientID, Nonce: nonce, Now: now,
		Algorithms: []oidc.Algorithm{oidc.RS256, oidc.PS256, oidc.ES256, oidc.ES384, oidc.EdDSA},
	}
}

func verify(t *testing.T, raw string, change ...func(*oidc.IDTokenExpectation)) (oidc.IDToken, error) {
	t.Helper()
	e := expectation()
	for _, c := range change {
		c(&e)
	}
	return oidc.VerifyIDToken(context.Background(), raw, allKeys(t), e)
}

func accepted(t *testing.T, raw string, change ...func(*oidc.IDTokenExpectation)) oidc.IDToken {
	t.Helper()
	token, err := verify(t, raw, change...)
	if err != nil {
		t.Fatalf("refused: %v", err)
	}
	return token
}

// refused wants a fault with a code, about a field where one is named.
func refused(t *testing.T, err error, code, field string) *fault.Error {
	t.Helper()
	f, ok := fault.As(err)
	if !ok {
		t.Fatalf("got %v; wanted a refusal with %s", err, code)
	}
	if f.Code != code || f.Field != field {
		t.Fatalf("refused with %s on %q (%v); wanted %s on %q", f.Code, f.Field, err, code, field)
	}
	return f
}

func refusedToken(t *testing.T, raw, code, field string, change ...func(*oidc.IDTokenExpectation)) *fault.Error {
	t.Helper()
	token, err := verify(t, raw, change...)
	f := refused(t, err, code, field)
	if token.Subject != "" || token.Claims != nil {
		t.Fatalf("a refused token gave %+v", token)
	}
	return f
}

func merged(m, over map[string]any) map[string]any {
	out := maps.Clone(m)
	maps.Copy(out, over)
	return out
}

func der(t *testing.T, key crypto.PublicKey) []byte {
	t.Helper()
	data, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
