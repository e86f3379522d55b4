package oidc_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"testing"

	"github.com/rollcallhq/rollcall/internal/oidc"
)

// The floor of signing is the signature alone.
func BenchmarkSign(b *testing.B) {
	claims := oidc.IDTokenClaims{Issuer: "https://rc.example", Subject: "user_1", ClientID: "client_1", IssuedAt: now, Expires: now, Nonce: "n", AccessToken: "t", Extra: map[string]any{"email": "a@b.example"}}
	for _, alg := range []oidc.Algorithm{oidc.ES256, oidc.RS256} {
		key, err := oidc.NewSigningKey(alg, now)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(string(alg), func(b *testing.B) {
			for b.Loop() {
				if _, err := oidc.Sign(key, oidc.TypeIDToken, claims.Claims(alg)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("ES256 floor", func(b *testing.B) {
		key, sum := keys().ec, sha256.Sum256([]byte("x"))
		for b.Loop() {
			if _, err := ecdsa.SignASN1(rand.Reader, key, sum[:]); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkVerifyIDToken(b *testing.B) {
	t := &testing.T{}
	raw, set := newPeer(t).token(), allKeys(t)
	for b.Loop() {
		if _, err := oidc.VerifyIDToken(context.Background(), raw, set, expectation()); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParseTokenRequest(b *testing.B) {
	in := oidc.Request{ContentType: "application/x-www-form-urlencoded", Body: []byte("grant_type=authorization_code&code=c&client_id=i&client_secret=s&code_verifier=v&redirect_uri=https%3A%2F%2Fa.example%2Fcb")}
	for b.Loop() {
		if _, err := oidc.ParseTokenRequest(in, oidc.StyleOIDC); err != nil {
			b.Fatal(err)
		}
	}
}
