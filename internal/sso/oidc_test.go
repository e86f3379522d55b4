package sso_test

import (
	"crypto"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/saml/samltest"
	"github.com/rollcallhq/rollcall/internal/session"
	"github.com/rollcallhq/rollcall/internal/sso"
	"github.com/rollcallhq/rollcall/internal/token"
)

// op is an OpenID provider that does what tests tell it.
type op struct {
	*house
	c      sso.Connection
	issuer string

	key, published *rsa.PrivateKey
	kid, kidShown  string
	claims         func(map[string]any)
	header         func(map[string]any)
	raw            func(string) string
	userinfo       map[string]any
	token          func(http.ResponseWriter, *http.Request) bool
	issParameter   bool
	nonce          string
	keysAsked      atomic.Int64
	form           url.Values
	authorization  string
}

func b64(v any) string {
	text, ok := v.([]byte)
	if !ok {
		text, _ = json.Marshal(v)
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

func (o *op) sign(header, claims map[string]any) string {
	text := b64(header) + "." + b64(claims)
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(nil, o.key, crypto.SHA256, sum[:])
	o.ok(err)
	return text + "." + b64(signature)
}

func (o *op) idToken() string {
	now := o.now().Unix()
	claims := map[string]any{
		"iss": o.issuer, "aud": "client-1", "sub": "person-1", "iat": now, "exp": now + 300, "nonce": o.nonce, "auth_time": now, "sid": "op-session-1",
		"email": "ann@acme.example", "email_verified": true, "given_name": "Ann", "family_name": "Ray", "realm_access": map[string]any{"roles": []string{"admin"}},
	}
	header := map[string]any{"alg": "RS256", "kid": o.kid, "typ": "JWT"}
	if o.claims != nil {
		o.claims(claims)
	}
	if o.header != nil {
		o.header(header)
	}
	text := o.sign(header, claims)
	if o.raw != nil {
		text = o.raw(text)
	}
	return text
}

func (o *op) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	switch r.URL.Path {
	case "/.well-known/openid-configuration":
		json.NewEncoder(w).Encode(map[string]any{
			"issuer": o.issuer, "authorization_endpoint": o.issuer + "/authorize", "token_endpoint": o.issuer + "/token", "jwks_uri": o.issuer + "/keys",
			"userinfo_endpoint": o.issuer + "/userinfo", "id_token_signing_alg_values_supported": []string{"RS256"},
			"token_endpoint_auth_methods_supported": []string{"client_secret_basic", "private_key_jwt"}, "authorization_response_iss_parameter_supported": o.issParameter,
			"response_types_supported": []string{"code"},
		})
	case "/keys":
		o.keysAsked.Add(1)
		json.NewEncoder(w).Encode(map[string]any{"keys": []any{map[string]any{
			"kty": "RSA", "use": "sig", "alg": "RS256", "kid": o.kidShown, "n": b64(o.published.N.Bytes()), "e": b64(big.NewInt(int64(o.published.E)).Bytes()),
		}}})
	case "/token":
		o.ok(r.ParseForm())
		o.form, o.authorization = r.PostForm, r.Header.Get("Authorization")
		if o.token != nil && o.token(w, r) {
			return
		}
		json.NewEncoder(w).Encode(map[string]any{"id_token": o.idToken(), "access_token": "access-1", "token_type": "Bearer"})
	case "/userinfo":
		json.NewEncoder(w).Encode(o.userinfo)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

func (h *house) oidc(change ...func(*sso.New)) *op {
	h.Helper()
	o := &op{house: h, key: samltest.RSA("op", 2048), kid: "k1", kidShown: "k1"}
	o.published = o.key
	o.issuer = h.server(o).URL
	n := sso.New{OrganizationID: h.acme, Type: "GenericOIDC", Settings: sso.Change{
		Name: ptr("OpenID"), Issuer: &o.issuer, ClientID: ptr("client-1"), ClientSecret: ptr("secret+1 %"),
	}}
	for _, f := range change {
		f(&n)
	}
	var err error
	o.c, err = h.s.Create(ctx, actor, n)
	h.ok(err)
	return o
}

func (o *op) start(kind sso.Kind) (sso.Attempt, url.Values) {
	o.Helper()
	out, err := o.s.Start(ctx, sso.Start{ConnectionID: o.c.ID, Kind: kind, Browser: o.browser, Base: base, Continuation: []byte("on")})
	o.ok(err)
	u, err := url.Parse(out.URL)
	o.ok(err)
	a, err := o.s.Attempt(ctx, out.Attempt)
	o.ok(err)
	o.nonce = u.Query().Get("nonce")
	return a, u.Query()
}

func (o *op) arrival(asked url.Values) sso.OIDCArrival {
	return sso.OIDCArrival{Key: o.c.Key, Query: url.Values{"state": {asked.Get("state")}, "code": {"code-1"}}, Browser: o.browser, IP: "192.0.2.7"}
}

func (o *op) signIn() (*sso.Verified, error) {
	o.Helper()
	_, asked := o.start(sso.SignIn)
	return o.s.ReceiveOIDC(ctx, o.arrival(asked))
}

func TestOpenID_sign_in_goes_to_the_provider_and_back(t *testing.T) {
	onBoth(t, func(h *house) {
		o := h.oidc()
		if o.c.State != sso.Validating {
			h.Fatalf("%s lacks %v", o.c.State, o.c.Lacks())
		}
		_, asked := o.start(sso.SignIn)
		if asked.Get("redirect_uri") != base+"/oidc/"+o.c.Key+"/callback" || asked.Get("code_challenge_method") != "S256" || len(asked.Get("state")) < 40 ||
			asked.Get("scope") != "openid email profile" {
			h.Errorf("%v", asked)
		}
		v, err := h.s.ReceiveOIDC(ctx, o.arrival(asked))
		h.ok(err)
		if v.Profile.IDPID != "person-1" || v.Profile.Email != "ann@acme.example" || !v.Profile.EmailVerified || v.SessionIndex != "op-session-1" || v.Profile.FirstName != "Ann" {
			h.Errorf("%+v", v.Profile)
		}
		if o.authorization != "Basic "+base64.StdEncoding.EncodeToString([]byte("client-1:secret%2B1+%25")) || o.form.Get("client_secret") != "" || o.form.Get("code_verifier") == "" {
			h.Errorf("%v", o.authorization)
		}
		h.ok(h.finish(v, sso.End{UserID: "user_1"}))
		_, err = h.s.ReceiveOIDC(ctx, o.arrival(asked)) // R02: reused
		h.refused(err, sso.Replayed)
		h.wantNews("organization.created", "organization_domain.created", "organization.created", "organization_domain.created",
			"authentication.sso_started", "connection.activated", "authentication.sso_succeeded")
		if strings.Contains(h.log.String(), "secret+1") { // R12
			h.Error("the client secret is in the log")
		}
	})
}

func TestR01_R02_R11_answers_of_elsewhere_are_refused(t *testing.T) {
	h := onOne(t)
	o, other := h.oidc(), h.oidc()
	for name, one := range map[string]struct {
		change func(*sso.OIDCArrival)
		code   sso.Code
	}{
		"R01 iss of another":       {func(a *sso.OIDCArrival) { a.Query.Set("iss", "https://other.example") }, sso.IssuerMismatch},
		"R02 no state":             {func(a *sso.OIDCArrival) { a.Query.Del("state") }, sso.StateLost},
		"R02 two states":           {func(a *sso.OIDCArrival) { a.Query.Add("state", "x") }, sso.StateLost},
		"R02 other state":          {func(a *sso.OIDCArrival) { a.Query.Set("state", "x") }, sso.StateLost},
		"R02 no cookie":            {func(a *sso.OIDCArrival) { a.Browser = "" }, sso.StateLost},
		"R02 other browser":        {func(a *sso.OIDCArrival) { a.Browser = token.HashOf("x") }, sso.StateLost},
		"R01 R02 other connection": {func(a *sso.OIDCArrival) { a.Key = other.c.Key }, sso.StateLost},
		"R11 error and code":       {func(a *sso.OIDCArrival) { a.Query.Set("error", "access_denied") }, sso.Malformed},
		"R11 two codes":            {func(a *sso.OIDCArrival) { a.Query.Add("code", "x") }, sso.Malformed},
		"denied":                   {func(a *sso.OIDCArrival) { a.Query.Del("code"); a.Query.Set("error", "access_denied") }, sso.IDPDenied},
		"not assigned": {func(a *sso.OIDCArrival) {
			a.Query.Del("code")
			a.Query.Set("error", "access_denied")
			a.Query.Set("error_description", "AADSTS50105: x")
		}, sso.UserNotAssigned},
		"no connection": {func(a *sso.OIDCArrival) { a.Key = "nobody" }, sso.ConnectionInactive},
	} {
		_, asked := o.start(sso.SignIn)
		in := o.arrival(asked)
		one.change(&in)
		_, err := h.s.ReceiveOIDC(ctx, in)
		f, _ := fault.As(err)
		if f == nil || f.Code != string(one.code) {
			t.Errorf("%s: got %v, want %s", name, err, one.code)
		}
	}
	strict := h.oidc()
	strict.issParameter = true
	_, err := h.s.RefreshMetadata(ctx, actor, strict.c.ID)
	h.ok(err)
	_, err = strict.signIn()
	h.refused(err, sso.IssuerMismatch)
}

func TestR03_R04_R05_R06_tokens_that_do_not_hold_are_refused(t *testing.T) {
	h := onOne(t)
	o := h.oidc()
	set := func(name string, value any) func(map[string]any) { return func(m map[string]any) { m[name] = value } }
	without := func(name string) func(map[string]any) { return func(m map[string]any) { delete(m, name) } }
	now := h.now().Unix()
	for name, one := range map[string]struct {
		claims, header func(map[string]any)
		raw            func(string) string
		code           sso.Code
	}{
		"R03 no nonce":    {claims: without("nonce"), code: sso.InResponseToUnknown},
		"R03 other nonce": {claims: set("nonce", "x"), code: sso.InResponseToUnknown},
		"R04 none": {raw: func(t string) string {
			return b64(map[string]any{"alg": "none"}) + "." + strings.Split(t, ".")[1] + "."
		}, code: sso.AlgorithmNotAllowed},
		"R04 public as key":  {raw: func(t string) string { return hs256(o.published, t) }, code: sso.AlgorithmNotAllowed},
		"R04 crit":           {header: set("crit", []string{"x"}), code: sso.Malformed},
		"R05 other audience": {claims: set("aud", "client-2"), code: sso.AudienceMismatch},
		"R05 azp of another": {claims: set("azp", "client-2"), code: sso.AudienceMismatch},
		"R05 two audiences":  {claims: set("aud", []string{"client-1", "client-2"}), code: sso.AudienceMismatch},
		"R05 expired":        {claims: set("exp", now-1000), code: sso.Expired},
		"R05 future":         {claims: set("iat", now+1000), code: sso.NotYetValid},
		"R05 no subject":     {claims: without("sub"), code: sso.MissingAttribute},
		"R06 slash":          {claims: set("iss", o.issuer+"/"), code: sso.IssuerMismatch},
	} {
		o.claims, o.header, o.raw = one.claims, one.header, one.raw
		_, err := o.signIn()
		f, _ := fault.As(err)
		if f == nil || f.Code != string(one.code) {
			t.Errorf("%s: got %v, want %s", name, err, one.code)
		}
		var p *sso.Refusal
		if r, is := err.(*sso.Refusal); is { //nolint:errorlint // it is what the verb says
			p = r
		}
		if p == nil || p.Attempt == nil {
			t.Errorf("%s: not noted at its attempt", name)
		}
	}
	o.claims, o.header, o.raw = nil, nil, nil
	_, err := h.s.Create(ctx, actor, sso.New{OrganizationID: h.acme, Type: "GenericOIDC", Settings: sso.Change{Name: ptr("x"), Issuer: ptr(o.issuer + "/")}})
	h.wantFault(err, fault.Unprocessable, "issuer_mismatch")
	_, err = o.signIn()
	h.ok(err)
}

func hs256(public *rsa.PrivateKey, good string) string {
	der, _ := x509.MarshalPKIXPublicKey(&public.PublicKey)
	text := b64(map[string]any{"alg": "HS256", "kid": "k1"}) + "." + strings.Split(good, ".")[1]
	mac := hmac.New(sha256.New, der)
	mac.Write([]byte(text))
	return text + "." + b64(mac.Sum(nil))
}

// R07: Keycloak CVE-2026-14781, Coder CVE-2026-55076 and -55075.
func TestR07_address_counts_with_what_its_own_document_says_of_it(t *testing.T) {
	h := onOne(t)
	o := h.oidc()
	for name, one := range map[string]struct {
		verified any
		code     sso.Code
	}{
		"true": {true, ""}, "text true": {"true", ""}, "absent": {nil, ""}, "false": {false, sso.MissingAttribute}, "text false": {"false", sso.MissingAttribute},
		"number": {1, sso.MissingAttribute}, "list": {[]string{"true"}, sso.MissingAttribute},
	} {
		o.claims = func(m map[string]any) {
			m["email_verified"] = one.verified
			if one.verified == nil {
				delete(m, "email_verified")
			}
		}
		v, err := o.signIn()
		if one.code != "" {
			h.refused(err, one.code)
			continue
		}
		h.ok(err)
		if v.Profile.EmailVerified != (name == "true" || name == "text true") {
			t.Errorf("%s: %v", name, v.Profile.EmailVerified)
		}
	}
	o.claims = func(m map[string]any) { delete(m, "email") } // says true, of no address
	o.userinfo = map[string]any{"sub": "person-1", "email": "ann@acme.example"}
	v, err := o.signIn()
	h.ok(err)
	if v.Profile.EmailVerified {
		t.Error("the other document's word was taken")
	}
	o.userinfo["email_verified"] = false
	_, err = o.signIn()
	h.refused(err, sso.MissingAttribute)
	o.userinfo = map[string]any{"sub": "person-2", "email": "ceo@acme.example", "email_verified": true}
	_, err = o.signIn()
	h.refused(err, sso.IDPTokenError)
	_, err = h.s.Update(ctx, actor, o.c.ID, sso.Change{Options: []byte(`{"allow_unverified_email":true}`)})
	h.ok(err)
	o.claims = func(m map[string]any) { m["email_verified"] = false }
	_, err = o.signIn()
	h.ok(err)
}

// R08: nOAuth. The key is the object id, so that an address somebody writes into their account makes nobody else of them.
func TestR08_entra_person_is_the_object_id(t *testing.T) {
	h := onOne(t)
	o := h.oidc(func(n *sso.New) { n.Type = "EntraIdOIDC" })
	o.claims = func(m map[string]any) { m["oid"], m["tid"] = "object-1", "tenant-1" }
	v, err := o.signIn()
	h.ok(err)
	if v.Profile.IDPID != "object-1" {
		t.Errorf("%q", v.Profile.IDPID)
	}
}

func TestR09_unknown_key_is_asked_for_once_a_minute(t *testing.T) {
	onBoth(t, func(h *house) {
		o := h.oidc()
		h.wait(2 * time.Minute)
		before := o.keysAsked.Load()
		o.kid = "k2"
		for range 20 {
			_, err := o.signIn()
			h.refused(err, sso.SignatureInvalid)
		}
		if n := o.keysAsked.Load() - before; n != 1 {
			h.Errorf("the keys were asked for %d times", n)
		}
		h.wait(2 * time.Minute)
		o.kidShown = "k2" // now the provider shows it
		_, err := o.signIn()
		h.ok(err)
		_, err = o.signIn()
		h.ok(err)
		if n := o.keysAsked.Load() - before; n != 2 {
			h.Errorf("the keys were asked for %d times", n)
		}
	})
}

func TestR12_R13_code_exchange_keeps_its_secrets(t *testing.T) {
	h := onOne(t)
	o := h.oidc()
	o.token = func(w http.ResponseWriter, _ *http.Request) bool {
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprint(w, `{"error":"invalid_client","error_description":"nope"}`)
		return true
	}
	_, err := o.signIn()
	r := h.refused(err, sso.IDPTokenError)
	if !strings.Contains(r.Got, "invalid_client") || strings.Contains(fmt.Sprintf("%+v", r.Fault), "secret+1") {
		t.Errorf("%+v", r.Fault)
	}
	o.token = func(w http.ResponseWriter, r *http.Request) bool {
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
		return true
	}
	_, err = o.signIn()
	h.refused(err, sso.IDPTokenError)
	o.token = nil
	_, err = h.s.Update(ctx, actor, o.c.ID, sso.Change{Options: []byte(`{"token_endpoint_auth_method":"private_key_jwt"}`), ClientSecret: ptr("")})
	h.ok(err)
	_, err = o.signIn()
	h.ok(err)
	parts := strings.Split(o.form.Get("client_assertion"), ".")
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	h.ok(err)
	var claims map[string]any
	h.ok(json.Unmarshal(payload, &claims))
	if claims["aud"] != o.issuer || claims["sub"] != "client-1" || o.authorization != "" || o.form.Get("client_secret") != "" { // R13
		t.Errorf("%v %v", claims, o.form)
	}
}

func TestR14_logout_token_ends_the_session_and_nothing_else_does(t *testing.T) {
	onBoth(t, func(h *house) {
		o := h.oidc()
		v, err := o.signIn()
		h.ok(err)
		var w db.Write
		cookie := token.NewSecret("session")
		started := h.sessions.StartInto(&w, session.New{
			Cookie: token.HashOf(cookie), OrganizationID: h.acme, UserID: "user_1", ConnectionID: string(o.c.ID), ProfileID: string(v.Profile.ID),
			IDPSession: v.SessionIndex, Method: session.SSO, AuthenticatedAt: v.AuthenticatedAt,
		})
		h.ok(h.s.FinishInto(&w, v, sso.End{UserID: "user_1", SessionID: started.ID}))
		h.ok(h.db.Write(ctx, &w))
		now := h.now().Unix()
		good := map[string]any{
			"iss": o.issuer, "aud": "client-1", "iat": now, "exp": now + 120, "jti": "j1", "sub": "person-1", "sid": "op-session-1",
			"events": map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}},
		}
		send := func(change func(map[string]any)) (int, error) {
			claims := maps.Clone(good)
			change(claims)
			return h.s.ReceiveLogoutToken(ctx, o.c.Key, o.sign(map[string]any{"alg": "RS256", "kid": "k1", "typ": "logout+jwt"}, claims))
		}
		for name, change := range map[string]func(map[string]any){
			"nonce":        func(m map[string]any) { m["nonce"] = "n" },
			"no event":     func(m map[string]any) { delete(m, "events") },
			"other issuer": func(m map[string]any) { m["iss"] = "https://other.example" },
			"audience":     func(m map[string]any) { m["aud"] = "client-2" },
			"nobody":       func(m map[string]any) { delete(m, "sub"); delete(m, "sid") },
		} {
			if _, err := send(change); err == nil {
				h.Errorf("%s: taken", name)
			}
		}
		if _, err := h.s.ReceiveLogoutToken(ctx, o.c.Key, o.idToken()); err == nil {
			h.Error("an ID token is a logout token")
		}
		n, err := send(func(m map[string]any) { m["sid"], m["jti"] = "another", "j0" })
		if err != nil || n != 0 {
			h.Errorf("another session: %d %v", n, err)
		}
		n, err = send(func(map[string]any) {})
		if err != nil || n != 1 {
			h.Errorf("%d %v", n, err)
		}
		if _, ok, err := h.sessions.ByCookie(ctx, cookie); ok || err != nil {
			h.Errorf("the session lives on (%v)", err)
		}
		_, err = send(func(map[string]any) {})
		h.wantFault(err, fault.Forbidden, "replayed")
	})
}

func TestUnreachable_provider_is_the_operators_to_mend(t *testing.T) {
	h := onOne(t)
	o := h.oidc()
	_, asked := o.start(sso.SignIn)
	o.token = func(w http.ResponseWriter, _ *http.Request) bool {
		c, _, err := w.(http.Hijacker).Hijack()
		h.ok(err)
		c.Close()
		return true
	}
	_, err := h.s.ReceiveOIDC(ctx, o.arrival(asked))
	r := h.refused(err, sso.IDPUnreachable)
	a, err := h.s.Fail(ctx, r)
	h.ok(err)
	if a.Refused.Fixer != sso.Operator {
		t.Errorf("%+v", a.Refused)
	}
}
