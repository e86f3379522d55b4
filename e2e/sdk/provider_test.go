package sdk_test

import (
	"context"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/simulate"
)

// identityProvider runs one that speaks SAML and signs in whoever is typed. It gives what a connection to it is made of.
func identityProvider(t *testing.T) []string {
	t.Helper()
	mux := http.NewServeMux()
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	provider, err := simulate.NewSAML(simulate.SAMLOptions{
		Base: s.URL + "/saml", People: simulate.People("acme.example"), Now: time.Now,
		ServiceProvider: func(_ context.Context, entityID string) (simulate.SAMLServiceProvider, bool) {
			return simulate.SAMLServiceProvider{Name: "Rollcall", ACS: []string{entityID + "/acs"}}, true
		},
	})
	must(t, err)
	mux.Handle("/saml/", provider)
	return []string{
		"IDP_ENTITY_ID=" + provider.EntityID(), "IDP_SSO_URL=" + s.URL + "/saml/sso",
		"IDP_CERTIFICATE=" + string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: provider.Certificate().Raw})),
	}
}
