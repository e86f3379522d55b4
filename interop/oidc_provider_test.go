//go:build interop

package interop_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

func TestOidcProvider_signs_people_in(t *testing.T) {
	client := standInClient()
	provider := startOidcProvider(t, client)
	provider.provesItself(t, client)
	provider.understands(t, client)
}

// startOidcProvider runs the npm package of that name, which is strict and signs with an elliptic curve here.
func startOidcProvider(t *testing.T, client oidcApp) oidcProvider {
	t.Helper()
	issuer := "http://" + freeAddress(t)
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	key, err := json.Marshal(jose.JSONWebKey{Key: private, KeyID: "interop", Algorithm: "ES256", Use: "sig"})
	must(t, err)
	settings, err := json.Marshal(client)
	must(t, err)
	cmd := exec.CommandContext(t.Context(), node(t), "peers/oidc-provider.mjs")
	cmd.Env = append(os.Environ(), "PEER_MODULES="+modules(t), "PEER_ISSUER="+issuer, "PEER_CLIENT="+string(settings), "PEER_KEY="+string(key))
	serve(t, cmd, issuer+"/.well-known/openid-configuration", 30*time.Second)
	const who = "grace@acme.example"
	return oidcProvider{
		Name: "oidc-provider", Version: "9.13.3", Issuer: issuer, Scopes: []string{"profile", "email"},
		SignIn: map[string]string{"login": who, "password": "any"},
		Who:    map[string]string{"sub": who, "email": who, "given_name": "Grace", "family_name": "Hopper"},
	}
}
