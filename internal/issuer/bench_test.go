package issuer_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/db/dbtest"
	"github.com/rollcallhq/rollcall/internal/db/migrations"
	"github.com/rollcallhq/rollcall/internal/issuer"
	"github.com/rollcallhq/rollcall/internal/oidc"
	"github.com/rollcallhq/rollcall/internal/session"
	"github.com/rollcallhq/rollcall/internal/token"
)

// BenchmarkToken measures what the token endpoint does with a code (read, check, sign, one write) beside its floor: one signature of the
// same claims, and one commit of the same rows.
func BenchmarkToken(b *testing.B) {
	for _, engine := range dbtest.Engines(b) {
		for _, alg := range []oidc.Algorithm{oidc.ES256, oidc.RS256} {
			b.Run(fmt.Sprintf("%s/%s", engine, alg), func(b *testing.B) {
				w := newWorld(b, dbtest.Open(b, engine, migrations.Files))
				c := w.app(func(n *issuer.New) { n.Algorithm = alg })
				b.Run("token", func(b *testing.B) { benchToken(b, w, c) })
				b.Run("floor", func(b *testing.B) { benchFloor(b, w, c) })
			})
		}
	}
}

func codes(b *testing.B, w *world, c client) []arrived {
	b.Helper()
	out := make([]arrived, b.N)
	for i := range out {
		out[i] = w.signIn(c)
	}
	w.token(c.redeem(w.signIn(c).code)) // the key is there
	return out
}

func benchToken(b *testing.B, w *world, c client) {
	all := codes(b, w, c)
	b.ResetTimer()
	for _, in := range all {
		w.token(c.redeem(in.code))
	}
}

func benchFloor(b *testing.B, w *world, c client) {
	all := codes(b, w, c)
	key, err := oidc.NewSigningKey(c.Algorithm, time.Now())
	w.must(err)
	b.ResetTimer()
	for _, in := range all {
		now := time.Now()
		claims := oidc.IDTokenClaims{
			Issuer: home, Subject: "user_1", ClientID: c.ClientID, IssuedAt: now, Expires: now.Add(5 * time.Minute), AuthTime: now, Nonce: "n-1", SID: in.session.ID, AMR: []string{"pwd"},
			Extra: map[string]any{"email": "ada@acme.test", "email_verified": true, "name": "Ada Lovelace", "given_name": "Ada", "groups": []string{"Engineering"}, "roles": []string{"member"}},
		}
		if _, err := oidc.Sign(key, oidc.TypeIDToken, claims.Claims(c.Algorithm)); err != nil {
			b.Fatal(err)
		}
		var write db.Write
		w.sessions.RedeemInto(&write, session.Code{
			Hash: token.HashOf(token.Secret(in.code)), ApplicationID: c.ID, RedirectURI: callback, Style: oidc.StyleOIDC, SessionID: in.session.ID,
		})
		w.sessions.AccessInto(&write, session.AccessToken{
			Hash: token.HashOf(token.NewSecret("at")), GrantID: "grant_1", ApplicationID: c.ID, OrganizationID: "org_1", SessionID: in.session.ID, UserID: "user_1", ProfileID: "prof_1",
			ConnectionID: "conn_1", Style: oidc.StyleOIDC, Scope: "openid profile email groups roles offline_access", CreatedAt: now, ExpiresAt: now.Add(5 * time.Minute),
		})
		w.sessions.RefreshInto(&write, session.RefreshToken{
			Hash: token.HashOf(token.NewSecret("rt")), GrantID: "grant_1", ApplicationID: c.ID, OrganizationID: "org_1", SessionID: in.session.ID, UserID: "user_1", ProfileID: "prof_1",
			Scope: "openid profile email groups roles offline_access", Nonce: "n-1", AuthenticatedAt: now, CreatedAt: now, ExpiresAt: now.Add(time.Hour),
		})
		w.must(w.db.Write(ctx, &write))
	}
}
