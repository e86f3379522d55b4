package signin_test

import (
	"testing"
)

func TestSignIn_by_SAML_leads_to_the_application_with_a_code_and_a_session(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		b := w.browser()
		status, tokens := w.redeem(b.signIn())
		if status != 200 {
			t.Fatalf("token: %d %v", status, tokens)
		}
		claims := w.claims(tokens)
		for name, want := range map[string]any{
			"email": "alice@acme.example", "email_verified": true, "given_name": "Alice", "org_id": string(w.org.ID), "connection_id": string(w.conn.ID), "nonce": "n-1", "iss": w.server.URL,
		} {
			if claims[name] != want {
				t.Errorf("claim %s is %v, want %v (all: %v)", name, claims[name], want, claims)
			}
		}
		w.wantTypes("authentication.sso_started", "authentication.sso_succeeded", "connection.activated", "user.created", "organization_membership.created", "session.created")
		// The session goes on without the provider.
		w.code(b.get(w.authorization()).location(t))
	})
}
