package sdk_test

import (
	"context"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/simulate"
)

// identityProvider runs one that speaks SAML and signs in whoever is typed. It gives what a connection to it is made of.
func identityProvider(t *testing.T) []string {
	t.Helper()
	provider := simulated(t, func(entityID string) string { return entityID + "/acs" })
	return []string{
		"IDP_ENTITY_ID=" + provider.EntityID(), "IDP_SSO_URL=" + strings.TrimSuffix(provider.EntityID(), "/metadata") + "/sso",
		"IDP_CERTIFICATE=" + string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: provider.Certificate().Raw})),
	}
}

// formerProvider runs one that was set up for another product. It gives the address of its metadata.
func formerProvider(t *testing.T, entityID, acs string) string {
	t.Helper()
	provider := simulated(t, func(asks string) string {
		if asks == entityID {
			return acs
		}
		return ""
	})
	return provider.EntityID()
}

// simulated runs a provider; acs says where its answers for an application go, "" if it does not know it.
func simulated(t *testing.T, acs func(entityID string) string) *simulate.SAML {
	t.Helper()
	mux := http.NewServeMux()
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	provider, err := simulate.NewSAML(simulate.SAMLOptions{
		Base: s.URL + "/saml", People: simulate.People("acme.example"), Now: time.Now,
		ServiceProvider: func(_ context.Context, entityID string) (simulate.SAMLServiceProvider, bool) {
			at := acs(entityID)
			return simulate.SAMLServiceProvider{Name: "Rollcall", ACS: []string{at}}, at != ""
		},
	})
	must(t, err)
	mux.Handle("/saml/", provider)
	return provider
}
