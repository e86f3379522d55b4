package issuer_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/db/dbtest"
	"github.com/rollcallhq/rollcall/internal/db/migrations"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/issuer"
	"github.com/rollcallhq/rollcall/internal/oidc"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/outbound"
	"github.com/rollcallhq/rollcall/internal/session"
	"github.com/rollcallhq/rollcall/internal/token"
)

var ctx = context.Background()

const (
	home     = "https://sso.example.com"
	callback = "https://app.test/callback"
	verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk" // RFC 7636, appendix B
	browser  = token.Hash("browser-hash")
)

// world is an installation whose clock the test moves, and which knows the people the test tells it of.
type world struct {
	testing.TB
	db            *db.DB
	events        *event.Log
	ids           *token.Source
	sealer        *db.Sealer
	organizations *org.Service
	sessions      *session.Service
	s             *issuer.Service
	management    token.Secret

	mu      sync.Mutex
	ahead   time.Duration
	out     map[string]error // who may not come in
	claims  map[string]any
	profile map[string]issuer.Profile
}

func each(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	dbtest.Each(t, migrations.Files, func(t *testing.T, open func() *db.DB) { test(t, newWorld(t, open())) })
}

func newWorld(t testing.TB, d *db.DB) *world {
	w := &world{TB: t, db: d, ids: token.NewSource(time.Now), management: token.NewSecret("sk"), out: map[string]error{}, profile: map[string]issuer.Profile{}}
	w.claims = map[string]any{
		"sub": "user_forged", "iss": "https://evil.test", "org_id": "org_forged", "email": "ada@acme.test", "email_verified": true, "name": "Ada Lovelace",
		"given_name": "Ada", "groups": []string{"Engineering"}, "roles": []string{"member"},
	}
	w.events = event.NewLog(d, w.ids)
	var err error
	w.sealer, err = db.NewSealer([]byte("0123456789abcdef0123456789abcdef"))
	w.must(err)
	w.organizations = org.NewService(d, w.events, w.ids, w.now)
	w.sessions = session.NewService(session.Options{DB: d, Events: w.events, IDs: w.ids, Sealer: w.sealer, Now: w.now})
	w.s = w.process()
	return w
}

// Invited is the concern of who keeps invitations.
func (w *world) Invited(context.Context, issuer.Grant, token.Secret) error { return nil }

// process makes one more process on the same database.
func (w *world) process() *issuer.Service {
	s := issuer.NewService(issuer.Options{
		DB: w.db, Events: w.events, IDs: w.ids, Sealer: w.sealer, Sessions: w.sessions, Issuer: home + "/", ClientID: w.organizations.ClientID,
		Policy:         outbound.NewPolicy([]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, nil),
		ManagementKeys: []token.Hash{token.HashOf(w.management)}, UserAgent: "Rollcall/test", Now: w.now, Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	s.SetPeople(w)
	s.SetProfiles(w)
	s.SetAccounts(w)
	return s
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return time.Now().Add(w.ahead)
}

func (w *world) later(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ahead += d
}

// Claims is what the world knows of anybody; issuer.People.
func (w *world) Claims(_ context.Context, _ issuer.Grant, _ []string) (map[string]any, error) {
	return w.claims, nil
}

// Admitted refuses whom the test has shut out.
func (w *world) Admitted(_ context.Context, g issuer.Grant) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.out[g.Subject()]
}

// Account is what the world knows of anybody; issuer.Accounts.
func (w *world) Account(_ context.Context, g issuer.Grant) (issuer.Account, error) {
	return issuer.Account{
		User: []byte(`{"object":"user","id":"` + g.UserID + `"}`), Role: "admin", Roles: []string{"admin", "member"}, Permissions: []string{"people:read"},
	}, nil
}

// Elsewhere: everybody is a member of org_2 too.
func (w *world) Elsewhere(_ context.Context, _ issuer.Grant, organizationID string) (issuer.Elsewhere, bool, error) {
	return issuer.Elsewhere{Email: "ada@acme.test", ConnectionIDs: []string{"conn_2"}}, organizationID == "org_2", nil
}

func (w *world) shutOut(subject string, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.out[subject] = err
}

// Profile finds what the test has told; issuer.Profiles.
func (w *world) Profile(_ context.Context, id string) (issuer.Profile, error) {
	found, ok := w.profile[id]
	if !ok {
		return found, fault.New(fault.NotFound, "entity_not_found", "Profile not found: '%s'.", id)
	}
	return found, nil
}

// client is an application with a secret of it.
type client struct {
	issuer.Application
	secret token.Secret
}

func (w *world) app(change ...func(*issuer.New)) client {
	w.Helper()
	n := issuer.New{Name: "App", FirstParty: true, SignIn: []issuer.NewURI{{URI: callback}}, SignOut: []string{"https://app.test/bye"}, Algorithm: oidc.ES256}
	for _, c := range change {
		c(&n)
	}
	a, err := w.s.Create(ctx, n)
	w.must(err)
	c := client{Application: a}
	if !a.Public {
		_, c.secret, err = w.s.CreateSecret(ctx, a.ID)
		w.must(err)
	}
	return c
}

func (c client) credentials() oidc.ClientCredentials {
	if c.Public {
		return oidc.ClientCredentials{ID: c.ClientID, Method: oidc.AuthNone}
	}
	return oidc.ClientCredentials{ID: c.ClientID, Secret: c.secret.Reveal(), Method: oidc.AuthBasic}
}

func (c client) request() oidc.AuthorizationRequest {
	return oidc.AuthorizationRequest{
		ClientID: c.ClientID, RedirectURI: callback, State: "st-1", Nonce: "n-1", Challenge: oidc.Challenge(verifier),
		Scope: []string{"openid", "profile", "email", "groups", "roles", "offline_access"},
	}
}

// arrived is a sign-in that has ended in a code.
type arrived struct {
	code     string
	redirect *url.URL
	session  session.Session
}

// signIn goes the whole way of a browser.
func (w *world) signIn(c client, change ...func(*oidc.AuthorizationRequest)) arrived {
	w.Helper()
	r := c.request()
	for _, f := range change {
		f(&r)
	}
	return w.arrive(c, r, oidc.StyleOIDC, issuer.Grant{OrganizationID: "org_1", UserID: "user_1", ProfileID: "prof_1", ConnectionID: "conn_1", AMR: []string{"pwd"}})
}

func (w *world) arrive(_ client, r oidc.AuthorizationRequest, style oidc.Style, g issuer.Grant) (out arrived) {
	w.Helper()
	a, err := w.s.Authorize(ctx, r, style)
	w.must(err)
	a, err = w.s.OpenAuthorization(w.s.SealAuthorization(a, browser), browser)
	w.must(err)
	var write db.Write
	g.AuthenticatedAt = w.now()
	if g.UserID != "" {
		out.session = w.sessions.StartInto(&write, session.New{
			Cookie: token.HashOf(token.NewSecret("rs")), OrganizationID: g.OrganizationID, UserID: g.UserID, ConnectionID: g.ConnectionID, ProfileID: g.ProfileID,
			Method: session.SSO, AMR: g.AMR,
		})
		g.SessionID, g.SessionUntil = out.session.ID, out.session.ExpiresAt
	}
	redirect, err := w.s.CodeInto(&write, a, g)
	w.must(err)
	w.must(w.db.Write(ctx, &write))
	out.redirect, err = url.Parse(redirect)
	w.must(err)
	out.code = out.redirect.Query().Get("code")
	return out
}

func (c client) redeem(code string) oidc.TokenRequest {
	return oidc.TokenRequest{Grant: oidc.GrantCode, Client: c.credentials(), Code: code, RedirectURI: callback, Verifier: verifier}
}

func (c client) refresh(t token.Secret, scope ...string) oidc.TokenRequest {
	return oidc.TokenRequest{Grant: oidc.GrantRefresh, Client: c.credentials(), RefreshToken: t.Reveal(), Scope: scope}
}

func (w *world) token(r oidc.TokenRequest) issuer.TokenResponse {
	w.Helper()
	answer, err := w.s.Token(ctx, r, oidc.StyleOIDC)
	w.must(err)
	return answer
}

// refused gives the code of an OAuth refusal.
func refused(err error) oidc.ErrorCode {
	var refusal *oidc.ErrorResponse
	if !errors.As(err, &refusal) {
		return ""
	}
	return refusal.Code
}

func (w *world) wantRefused(err error, code oidc.ErrorCode, what string) {
	w.Helper()
	if refused(err) != code {
		w.Errorf("%s: %v, want %s", what, err, code)
	}
}

// info are the claims at the userinfo endpoint; nil when it refuses.
func (w *world) info(access token.Secret) map[string]any {
	w.Helper()
	body, err := w.s.UserInfo(ctx, access)
	if refused(err) == oidc.InvalidToken {
		return nil
	}
	w.must(err)
	return w.object(body)
}

func (w *world) object(body []byte) (out map[string]any) {
	w.Helper()
	if err := json.Unmarshal(body, &out); err != nil {
		w.Fatalf("%v in %s", err, body)
	}
	return out
}

func (w *world) active(c client, t token.Secret) bool {
	w.Helper()
	body, err := w.s.Introspect(ctx, oidc.TokenQuestion{Client: c.credentials(), Token: t.Reveal()})
	w.must(err)
	return w.object(body)["active"] == true
}

// idToken verifies an ID token by the published keys, as a client does.
func (w *world) idToken(s *issuer.Service, raw string) map[string]any {
	w.Helper()
	claims, err := oidc.VerifyOwn(raw, w.published(s), oidc.TypeIDToken)
	w.must(err)
	return claims
}

func (w *world) published(s *issuer.Service) (out []oidc.PublicKey) {
	w.Helper()
	body, err := s.JWKS(ctx)
	w.must(err)
	var set struct{ Keys []json.RawMessage }
	w.must(json.Unmarshal(body, &set))
	for _, one := range set.Keys {
		if strings.Contains(string(one), `"d":`) {
			w.Fatal("a private key is published")
		}
		key, err := oidc.ParsePublicKey(one)
		w.must(err)
		out = append(out, key)
	}
	return out
}

func (w *world) exec(text string, args ...any) error {
	var write db.Write
	write.Exec(text, args...)
	return w.db.Write(ctx, &write)
}

func encoded(w *world, v any) []byte {
	w.Helper()
	text, err := json.Marshal(v)
	w.must(err)
	return text
}
