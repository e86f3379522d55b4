package session_test

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/db/dbtest"
	"github.com/rollcallhq/rollcall/internal/db/migrations"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/oidc"
	"github.com/rollcallhq/rollcall/internal/session"
	"github.com/rollcallhq/rollcall/internal/token"
)

var ctx = context.Background()

// world is an installation whose clock the test moves.
type world struct {
	*testing.T
	db     *db.DB
	events *event.Log
	s      *session.Service

	mu    sync.Mutex
	ahead time.Duration
}

func each(t *testing.T, test func(w *world)) {
	t.Helper()
	dbtest.Each(t, migrations.Files, func(t *testing.T, open func() *db.DB) {
		w := &world{T: t, db: open()}
		ids := token.NewSource(time.Now)
		w.events = event.NewLog(w.db, ids)
		sealer, err := db.NewSealer([]byte("0123456789abcdef0123456789abcdef"))
		w.must(err)
		w.s = session.NewService(session.Options{DB: w.db, Events: w.events, IDs: ids, Sealer: sealer, Now: w.now})
		test(w)
	})
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

// signedIn is a session with all that one application can have of it.
type signedIn struct {
	session.Session
	cookie, code, access, refresh token.Secret
	grant                         string
}

const app = "conn_app_1"

func (w *world) signIn(n session.New) signedIn {
	w.Helper()
	in := signedIn{cookie: token.NewSecret("rs"), code: token.NewSecret("code"), access: token.NewSecret("at"), refresh: token.NewSecret("rt"), grant: w.s.NewGrantID()}
	n.Cookie = token.HashOf(in.cookie)
	if n.Method == "" {
		n.Method = session.SSO
	}
	var write db.Write
	in.Session = w.s.StartInto(&write, n)
	now := w.now()
	w.s.CodeInto(&write, session.Code{
		Hash: token.HashOf(in.code), ApplicationID: app, OrganizationID: n.OrganizationID, SessionID: in.ID, UserID: n.UserID, ProfileID: n.ProfileID,
		ConnectionID: n.ConnectionID, RedirectURI: "https://app.test/cb", Scope: "openid", Style: oidc.StyleOIDC, GrantID: in.grant, AuthenticatedAt: now, Until: in.ExpiresAt,
		CreatedAt: now, ExpiresAt: now.Add(time.Minute),
	})
	w.s.AccessInto(&write, session.AccessToken{
		Hash: token.HashOf(in.access), GrantID: in.grant, ApplicationID: app, OrganizationID: n.OrganizationID, SessionID: in.ID, UserID: n.UserID,
		ProfileID: n.ProfileID, ConnectionID: n.ConnectionID, Style: oidc.StyleOIDC, Scope: "openid", CreatedAt: now, ExpiresAt: now.Add(5 * time.Minute),
	})
	w.s.RefreshInto(&write, session.RefreshToken{
		Hash: token.HashOf(in.refresh), GrantID: in.grant, ApplicationID: app, OrganizationID: n.OrganizationID, SessionID: in.ID, UserID: n.UserID,
		ProfileID: n.ProfileID, Scope: "openid", AuthenticatedAt: now, CreatedAt: now, ExpiresAt: in.ExpiresAt,
	})
	w.must(w.db.Write(ctx, &write))
	return in
}

// alone is a grant that ended in a profile.
func (w *world) alone(organization, connection, profile string) signedIn {
	w.Helper()
	in := signedIn{code: token.NewSecret("code"), access: token.NewSecret("at"), grant: w.s.NewGrantID()}
	now := w.now()
	var write db.Write
	w.s.CodeInto(&write, session.Code{
		Hash: token.HashOf(in.code), ApplicationID: app, OrganizationID: organization, ProfileID: profile, ConnectionID: connection, RedirectURI: "https://app.test/cb",
		Scope: "openid", Style: oidc.StyleSSO, GrantID: in.grant, AuthenticatedAt: now, CreatedAt: now, ExpiresAt: now.Add(time.Minute),
	})
	w.s.AccessInto(&write, session.AccessToken{
		Hash: token.HashOf(in.access), GrantID: in.grant, ApplicationID: app, OrganizationID: organization, ProfileID: profile, ConnectionID: connection,
		Style: oidc.StyleSSO, Scope: "openid", CreatedAt: now, ExpiresAt: now.Add(5 * time.Minute),
	})
	w.must(w.db.Write(ctx, &write))
	return in
}

// serves tells what of a sign-in still serves: cookie, code, access and refresh token.
func (w *world) serves(in signedIn) (out [4]bool) {
	w.Helper()
	var err error
	_, out[0], err = w.s.ByCookie(ctx, in.cookie)
	w.must(err)
	code, ok, err := w.s.Code(ctx, app, in.code)
	w.must(err)
	var redeem db.Write
	w.s.RedeemInto(&redeem, code)
	redeem.Guard(`UPDATE sessions SET id = id WHERE id = 'none'`) // so that it is never kept
	var lost *db.GuardError
	if err := w.db.Write(ctx, &redeem); !errors.As(err, &lost) {
		w.Fatal(err)
	}
	out[1] = ok && lost.Statement == redeem.Len()-1
	_, out[2], err = w.s.AccessToken(ctx, in.access)
	w.must(err)
	refresh, ok, err := w.s.RefreshToken(ctx, app, in.refresh)
	w.must(err)
	out[3] = ok && refresh.RevokedAt.IsZero()
	return out
}

func (w *world) wantLost(write db.Write) {
	w.Helper()
	if err := w.db.Write(ctx, &write); !isLost(err) {
		w.Fatalf("a write that has to lose a guard: %v", err)
	}
}

// told lists the events of a type, as data and context.
func (w *world) told(kind event.Type) (data, cause []map[string]any) {
	w.Helper()
	found, err := w.events.List(ctx, event.Query{Types: []event.Type{kind}, Limit: 5000})
	w.must(err)
	for _, e := range found {
		var d, c map[string]any
		w.must(json.Unmarshal(e.Data, &d))
		w.must(json.Unmarshal(e.Context, &c))
		data, cause = append(data, d), append(cause, c)
	}
	return data, cause
}
