// An app with a "Sign in with SSO" button, in Go with go-oidc and x/oauth2. Rollcall is an OpenID provider like any other:
//
//	ISSUER=http://127.0.0.1:8080 CLIENT_ID=client_… CLIENT_SECRET=… go run ./examples/sign-in-go
//
// Its redirect URI is http://127.0.0.1:3000/callback, its back-channel logout URI http://127.0.0.1:3000/backchannel-logout.
package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"html"
	"log"
	"net/http"
	"net/url"
	"os"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// session is one of this app: a cookie, and behind it who it is. An app keeps them in its database.
type session struct {
	state, nonce, verifier string // of a sign-in that has begun
	idToken                string
	Subject                string `json:"sub"`
	SID                    string `json:"sid"` // Rollcall's session, which a back-channel logout names
	Email                  string `json:"email"`
	Organization           string `json:"org_id"`
}

type app struct {
	home, endSession string
	oauth            oauth2.Config
	verifier         *oidc.IDTokenVerifier

	mu       sync.Mutex
	sessions map[string]session
}

func main() {
	port := cmp.Or(os.Getenv("PORT"), "3000")
	home := "http://127.0.0.1:" + port
	rollcall, err := oidc.NewProvider(context.Background(), os.Getenv("ISSUER"))
	if err != nil {
		log.Fatal(err)
	}
	var more struct {
		EndSession string `json:"end_session_endpoint"`
	}
	if err := rollcall.Claims(&more); err != nil {
		log.Fatal(err)
	}
	clientID := os.Getenv("CLIENT_ID")
	a := &app{
		home: home, endSession: more.EndSession, sessions: map[string]session{},
		verifier: rollcall.Verifier(&oidc.Config{ClientID: clientID}),
		oauth: oauth2.Config{
			ClientID: clientID, ClientSecret: os.Getenv("CLIENT_SECRET"), Endpoint: rollcall.Endpoint(),
			RedirectURL: home + "/callback", Scopes: []string{oidc.ScopeOpenID, "profile", "email"},
		},
	}
	http.HandleFunc("GET /{$}", a.show)
	http.HandleFunc("GET /sign-in", a.signIn)
	http.HandleFunc("GET /callback", a.callback)
	http.HandleFunc("GET /sign-out", a.signOut)
	http.HandleFunc("POST /backchannel-logout", a.backchannelLogout)
	fmt.Println("The app is at", home+"/")
	server := &http.Server{Addr: "127.0.0.1:" + port, ReadHeaderTimeout: 10 * time.Second}
	log.Fatal(server.ListenAndServe())
}

func (a *app) show(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if s := a.session(r, false); s.Subject != "" {
		fmt.Fprintf(w, `Signed in as %s of %s. <a href="/sign-out">Sign out</a>`, html.EscapeString(s.Email), html.EscapeString(s.Organization))
		return
	}
	fmt.Fprint(w, `Not signed in. <a href="/sign-in">Sign in with SSO</a>`)
}

func (a *app) signIn(w http.ResponseWriter, r *http.Request) {
	s := session{state: rand.Text(), nonce: rand.Text(), verifier: oauth2.GenerateVerifier()}
	a.keep(w, s)
	// oauth2.SetAuthURLParam("organization", "org_…") leads straight to that customer's provider; without it Rollcall asks for the
	// email address.
	http.Redirect(w, r, a.oauth.AuthCodeURL(s.state, oidc.Nonce(s.nonce), oauth2.S256ChallengeOption(s.verifier)), http.StatusSeeOther)
}

func (a *app) callback(w http.ResponseWriter, r *http.Request) {
	s := a.session(r, true)
	if s.state == "" || r.FormValue("state") != s.state {
		http.Error(w, "this sign-in was not begun here", http.StatusBadRequest)
		return
	}
	if refused := r.FormValue("error"); refused != "" {
		http.Error(w, refused+": "+r.FormValue("error_description"), http.StatusForbidden)
		return
	}
	s, err := a.redeem(r.Context(), r.FormValue("code"), s)
	if err != nil {
		log.Print(err)
		http.Error(w, "that did not work", http.StatusBadGateway)
		return
	}
	a.keep(w, s) // a new cookie: one that somebody planted before is worth nothing
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func (a *app) redeem(ctx context.Context, code string, begun session) (session, error) {
	tokens, err := a.oauth.Exchange(ctx, code, oauth2.VerifierOption(begun.verifier))
	if err != nil {
		return session{}, err
	}
	raw, _ := tokens.Extra("id_token").(string)
	idToken, err := a.verifier.Verify(ctx, raw)
	if err != nil {
		return session{}, err
	}
	if idToken.Nonce != begun.nonce {
		return session{}, errors.New("the ID token answers another sign-in")
	}
	s := session{idToken: raw}
	return s, idToken.Claims(&s)
}

func (a *app) signOut(w http.ResponseWriter, r *http.Request) {
	s := a.session(r, true)
	back := url.Values{"post_logout_redirect_uri": {a.home + "/"}, "client_id": {a.oauth.ClientID}}
	if s.idToken != "" {
		back.Set("id_token_hint", s.idToken)
	}
	http.Redirect(w, r, a.endSession+"?"+back.Encode(), http.StatusSeeOther)
}

// backchannelLogout is where Rollcall says that a session has ended: by signing out elsewhere, or because the access was taken away.
func (a *app) backchannelLogout(w http.ResponseWriter, r *http.Request) {
	told, err := a.verifier.VerifyLogout(r.Context(), r.PostFormValue("logout_token"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for id, s := range a.sessions {
		if told.SessionID != "" && s.SID == told.SessionID || told.SessionID == "" && s.Subject == told.Subject {
			delete(a.sessions, id)
		}
	}
	w.Header().Set("Cache-Control", "no-store")
}

// session finds what the browser's cookie stands for; take ends it.
func (a *app) session(r *http.Request, take bool) session {
	c, err := r.Cookie("app")
	if err != nil {
		return session{}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	s := a.sessions[c.Value]
	if take {
		delete(a.sessions, c.Value)
	}
	return s
}

func (a *app) keep(w http.ResponseWriter, s session) {
	id := rand.Text()
	a.mu.Lock()
	a.sessions[id] = s
	a.mu.Unlock()
	//nolint:gosec // on one's own machine there is no TLS; anywhere else, add Secure
	http.SetCookie(w, &http.Cookie{Name: "app", Value: id, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
}
