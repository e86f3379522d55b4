// Package saas is the example app: who is signed in, a button to sign in with SSO, and a page that signs itself out when the session ends
// somewhere else. It uses two libraries that any Go app would: golang.org/x/oauth2 and github.com/coreos/go-oidc.
package saas

import (
	"context"
	"crypto/rand"
	_ "embed"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// Options are what the app is told by its operator.
type Options struct {
	Issuer       string // Rollcall's address
	ClientID     string
	ClientSecret string
	URL          string // the app's own address, without a slash at the end
}

// App is the app. It keeps who is signed in in memory; a real one would use its database.
type App struct {
	o    Options
	mux  *http.ServeMux
	page *template.Template

	mu       sync.Mutex
	provider *oidc.Provider
	pending  map[string]pending
	sessions map[string]*seat
}

// seat is somebody signed in in one browser.
type seat struct {
	Person
	ended chan struct{} // closed when Rollcall has said so
	at    time.Time     // when that was
}

// Person is who is signed in.
type Person struct {
	Subject      string   `json:"sub"`
	Email        string   `json:"email"`
	Verified     bool     `json:"email_verified"`
	Name         string   `json:"name"`
	Organization string   `json:"org_id"`
	Connection   string   `json:"connection_id"`
	SID          string   `json:"sid"` // Rollcall's session: what a back-channel logout names
	Groups       []string `json:"groups"`
	IDToken      string   `json:"-"`
}

// pending is a sign-in that has begun in one browser.
type pending struct {
	nonce, verifier string
	until           time.Time
}

const (
	sessionCookie = "app_session"
	loginCookie   = "app_login"
	loginLife     = 10 * time.Minute
	watchLife     = 25 * time.Second
	tellLife      = time.Hour
	maxPending    = 10_000
)

//go:embed page.html
var pageText string

// New makes the app.
func New(o Options) *App {
	a := &App{
		o: o, mux: http.NewServeMux(), page: template.Must(template.New("page").Parse(pageText)),
		pending: map[string]pending{}, sessions: map[string]*seat{},
	}
	a.mux.HandleFunc("GET /{$}", a.home)
	a.mux.HandleFunc("GET /watch", a.watch)
	a.mux.HandleFunc("GET /login", a.login)
	a.mux.HandleFunc("GET /callback", a.callback)
	a.mux.HandleFunc("POST /logout", a.logout)
	a.mux.HandleFunc("POST /backchannel-logout", a.backChannelLogout)
	return a
}

func (a *App) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	a.mux.ServeHTTP(w, r)
}

// discover reads Rollcall's OpenID configuration once it is needed.
func (a *App) discover(ctx context.Context) (*oidc.Provider, oauth2.Config, error) {
	a.mu.Lock()
	p := a.provider
	a.mu.Unlock()
	if p == nil {
		var err error
		// The provider keeps the context for fetching keys later on: not that of this request.
		if p, err = oidc.NewProvider(context.WithoutCancel(ctx), a.o.Issuer); err != nil {
			return nil, oauth2.Config{}, err
		}
		a.mu.Lock()
		a.provider = p
		a.mu.Unlock()
	}
	return p, oauth2.Config{
		ClientID: a.o.ClientID, ClientSecret: a.o.ClientSecret, Endpoint: p.Endpoint(), RedirectURL: a.o.URL + "/callback",
		Scopes: []string{oidc.ScopeOpenID, "profile", "email", "groups"},
	}, nil
}

func (a *App) home(w http.ResponseWriter, r *http.Request) {
	s, ok := a.signedIn(r)
	said := r.URL.Query().Get("said")
	var person Person
	if ok {
		person = s.Person
		select {
		case <-s.ended: // this browser is told once
			said, ok = "You were signed out at "+s.at.Format(time.TimeOnly)+": your session was ended by your organization, or from another place.", false
			a.forget(s)
		default:
		}
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if err := a.page.Execute(w, map[string]any{"In": ok, "Person": person, "Said": said}); err != nil {
		http.Error(w, "the page cannot be shown", http.StatusInternalServerError)
	}
}

func (a *App) signedIn(r *http.Request) (*seat, bool) {
	c, err := r.Cookie(sessionCookie)
	if err != nil {
		return nil, false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	s, ok := a.sessions[c.Value]
	return s, ok
}

// watch answers when the browser's session has ended, so that its page goes at once; or after a while, to be asked again.
func (a *App) watch(w http.ResponseWriter, r *http.Request) {
	s, ok := a.signedIn(r)
	if !ok {
		w.WriteHeader(http.StatusGone)
		return
	}
	select {
	case <-s.ended:
		w.WriteHeader(http.StatusGone)
	case <-time.After(watchLife):
		w.WriteHeader(http.StatusNoContent)
	case <-r.Context().Done():
	}
}

// login begins a sign-in. It is also where Rollcall sends people whose identity provider began it (OpenID Connect Core 1.0, section 4):
// then iss says by whom, and the rest is handed on.
func (a *App) login(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if iss := q.Get("iss"); iss != "" && iss != a.o.Issuer {
		http.Error(w, "this is not our provider", http.StatusBadRequest)
		return
	}
	_, config, err := a.discover(r.Context())
	if err != nil {
		http.Error(w, "Rollcall cannot be reached", http.StatusBadGateway)
		return
	}
	state, p := rand.Text(), pending{nonce: rand.Text(), verifier: oauth2.GenerateVerifier(), until: time.Now().Add(loginLife)}
	a.remember(state, p)
	http.SetCookie(w, cookie(loginCookie, state))
	options := []oauth2.AuthCodeOption{oidc.Nonce(p.nonce), oauth2.S256ChallengeOption(p.verifier)}
	for _, name := range []string{"organization", "connection", "login_hint", "screen_hint", "prompt"} {
		if value := q.Get(name); value != "" {
			options = append(options, oauth2.SetAuthURLParam(name, value))
		}
	}
	http.Redirect(w, r, config.AuthCodeURL(state, options...), http.StatusSeeOther) //nolint:gosec // the address is the provider's; what comes from the query is encoded
}

func (a *App) remember(state string, p pending) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for old, one := range a.pending {
		if time.Now().After(one.until) || len(a.pending) >= maxPending {
			delete(a.pending, old)
		}
	}
	a.pending[state] = p
}

func cookie(name, value string) *http.Cookie {
	//nolint:gosec // on one's own machine there is no TLS; anywhere else, add Secure
	return &http.Cookie{Name: name, Value: value, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode}
}

// callback takes the code. State and cookie have to be of one browser: nobody is signed in by a link that somebody else made.
func (a *App) callback(w http.ResponseWriter, r *http.Request) {
	p, ok := a.began(r)
	if !ok {
		http.Error(w, "this sign-in was not begun here", http.StatusBadRequest)
		return
	}
	if refused := r.URL.Query().Get("error"); refused != "" {
		http.Redirect(w, r, "/?"+url.Values{"said": {refused + ": " + r.URL.Query().Get("error_description")}}.Encode(), http.StatusSeeOther)
		return
	}
	person, err := a.redeem(r.Context(), r.URL.Query().Get("code"), p)
	if err != nil {
		http.Error(w, "the sign-in failed: "+err.Error(), http.StatusBadGateway)
		return
	}
	id := rand.Text()
	a.mu.Lock()
	a.sessions[id] = &seat{Person: person, ended: make(chan struct{})}
	a.mu.Unlock()
	http.SetCookie(w, cookie(sessionCookie, id))
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func (a *App) began(r *http.Request) (pending, bool) {
	state := r.URL.Query().Get("state")
	c, err := r.Cookie(loginCookie)
	if err != nil || state == "" || c.Value != state {
		return pending{}, false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	p, ok := a.pending[state]
	delete(a.pending, state)
	return p, ok && time.Now().Before(p.until)
}

func (a *App) redeem(ctx context.Context, code string, p pending) (Person, error) {
	provider, config, err := a.discover(ctx)
	if err != nil {
		return Person{}, err
	}
	tokens, err := config.Exchange(ctx, code, oauth2.VerifierOption(p.verifier))
	if err != nil {
		return Person{}, err
	}
	raw, ok := tokens.Extra("id_token").(string)
	if !ok {
		return Person{}, errors.New("no ID token came")
	}
	verified, err := provider.Verifier(&oidc.Config{ClientID: a.o.ClientID}).Verify(ctx, raw)
	if err != nil {
		return Person{}, err
	}
	if verified.Nonce != p.nonce {
		return Person{}, errors.New("the ID token answers another request")
	}
	person := Person{IDToken: raw}
	return person, verified.Claims(&person)
}

// logout ends the app's session and Rollcall's, and comes back (OpenID Connect RP-Initiated Logout 1.0).
func (a *App) logout(w http.ResponseWriter, r *http.Request) {
	person, ok := a.signedIn(r)
	if !ok {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return
	}
	a.forget(person)
	http.Redirect(w, r, a.o.Issuer+"/oauth2/logout?"+url.Values{
		"id_token_hint": {person.IDToken}, "post_logout_redirect_uri": {a.o.URL + "/"},
	}.Encode(), http.StatusSeeOther)
}

// backChannelLogout is told by Rollcall that a session has ended (OpenID Connect Back-Channel Logout 1.0): because the person signed out
// elsewhere, or because their company took the access away.
func (a *App) backChannelLogout(w http.ResponseWriter, r *http.Request) {
	const most = 64 << 10
	r.Body = http.MaxBytesReader(w, r.Body, most)
	provider, _, err := a.discover(r.Context())
	if err != nil {
		http.Error(w, "not now", http.StatusServiceUnavailable)
		return
	}
	told, err := provider.Verifier(&oidc.Config{ClientID: a.o.ClientID}).VerifyLogout(r.Context(), r.PostFormValue("logout_token"))
	if err != nil {
		http.Error(w, fmt.Sprintf("not a logout token: %v", err), http.StatusBadRequest)
		return
	}
	a.end(func(p Person) bool {
		if told.SessionID != "" {
			return p.SID == told.SessionID
		}
		return p.Subject == told.Subject
	})
	w.WriteHeader(http.StatusOK)
}

// end shuts out at once whoever is meant. Their browsers still have to be told.
func (a *App) end(which func(Person) bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for id, s := range a.sessions {
		switch {
		case s.at.IsZero() && which(s.Person):
			s.at = time.Now()
			close(s.ended)
		case !s.at.IsZero() && time.Since(s.at) > tellLife:
			delete(a.sessions, id)
		}
	}
}

func (a *App) forget(gone *seat) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for id, s := range a.sessions {
		if s.SID == gone.SID {
			delete(a.sessions, id)
		}
	}
}

// Initial is the first letter of the name, for the picture.
func (p Person) Initial() string {
	for _, c := range p.Name + p.Email {
		return string(c)
	}
	return "?"
}
