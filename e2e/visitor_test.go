package e2e_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"

	"github.com/rollcallhq/rollcall/internal/simulate"
)

const (
	codeVerifier = "0123456789abcdef0123456789abcdef0123456789abcdef"
	mostForms    = 10 // in a row
)

// visitor is somebody with a browser without script of their own, and the app's tokens for them.
type visitor struct {
	s       *saas
	person  simulate.Person
	known   bool // the provider's page lists them
	browser *http.Client

	access, refresh, idToken string
	seconds                  float64 // that the access token lives
}

// landing is where a browser ended.
type landing struct {
	at     *url.URL
	status int
	page   string
}

func (s *saas) visitor(p simulate.Person) *visitor {
	s.t.Helper()
	jar, err := cookiejar.New(nil)
	must(s.t, err)
	return &visitor{s: s, person: p, browser: &http.Client{Jar: jar, Timeout: patience}}
}

// at is a visitor whom the company's provider may know.
func (c *company) visitor(p simulate.Person) *visitor {
	c.t.Helper()
	v := c.saas.visitor(p)
	_, v.known = c.people[p.Email]
	return v
}

// ask is the address at which the app has people sign in to an organization; more are names and values.
func (s *saas) ask(organization string, more ...string) string {
	sum := sha256.Sum256([]byte(codeVerifier))
	q := url.Values{
		"client_id": {s.client}, "redirect_uri": {s.url + "/callback"}, "response_type": {"code"}, "scope": {"openid profile email offline_access"}, "state": {"xyz"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"}, "nonce": {"n-1"},
	}
	if organization != "" {
		q.Set("organization", organization)
	}
	for i := 0; i+1 < len(more); i += 2 {
		q.Set(more[i], more[i+1])
	}
	return s.p.url + "/oauth2/authorize?" + q.Encode()
}

// open goes to an address and sends every form that it is led to, as the visitor fills it in. bySSO presses "Sign in with SSO" rather than
// have a code mailed.
func (v *visitor) open(address string, bySSO bool) landing {
	v.s.t.Helper()
	mailed := v.s.inbox.count(v.person.Email)
	answer, err := v.browser.Get(address)
	for range mostForms {
		must(v.s.t, err)
		raw, err2 := io.ReadAll(answer.Body)
		must(v.s.t, err2)
		must(v.s.t, answer.Body.Close())
		end := landing{answer.Request.URL, answer.StatusCode, string(raw)}
		form := formOf.FindSubmatch(raw)
		if form == nil || answer.StatusCode >= http.StatusBadRequest || strings.HasPrefix(end.at.String(), v.s.url) {
			return end
		}
		to, err2 := answer.Request.URL.Parse(partsOf(string(form[1]))["action"])
		must(v.s.t, err2)
		answer, err = v.browser.PostForm(to.String(), filled(string(form[2]), v.fills(string(form[2]), bySSO, mailed)))
	}
	v.s.t.Fatalf("%s leads from form to form", address)
	return landing{}
}

// fills gives what the visitor writes into a form.
func (v *visitor) fills(form string, bySSO bool, mailed int) map[string]string {
	v.s.t.Helper()
	out := map[string]string{
		"email": v.person.Email, "first_name": v.person.FirstName, "last_name": v.person.LastName, "scenario": string(simulate.SignIn), "person": "other",
		"groups": strings.Join(v.person.Groups, ","), "way": "code",
	}
	if v.known {
		out["person"] = v.person.ID
	}
	if bySSO {
		out["way"] = "sso"
	}
	if strings.Contains(form, `name="code"`) {
		out["code"] = v.s.inbox.code(v.person.Email, mailed)
	}
	return out
}

// signIn comes in through the organization's provider, and the app redeems the code.
func (v *visitor) signIn(organization string) {
	v.s.t.Helper()
	v.comesIn(v.open(v.s.ask(organization), true))
}

// byCode comes in by a code that is mailed.
func (v *visitor) byCode(organization string) {
	v.s.t.Helper()
	v.comesIn(v.open(v.s.ask(organization, "prompt", "select_account"), false))
}

func (v *visitor) comesIn(end landing) {
	v.s.t.Helper()
	if !v.redeem(end.at.Query().Get("code")) {
		v.s.t.Fatalf("%s did not come in: %d %s\n%s", v.person.Email, end.status, end.at, wordsOf(end.page))
	}
}

// refused tries to come in through the provider and gives the code of the refusal, as the attempt that the page names has it.
func (v *visitor) refused(organization string) string {
	v.s.t.Helper()
	end := v.open(v.s.ask(organization, "prompt", "login"), true)
	id := regexp.MustCompile(`sign_in_attempt_\w+`).FindString(end.page)
	if end.status < http.StatusBadRequest || id == "" {
		v.s.t.Fatalf("%s is not refused: %d %s\n%s", v.person.Email, end.status, end.at, wordsOf(end.page))
	}
	return text(v.s.api.must(v.s.t, 200, "GET", "/sign_in_attempts/"+id, ""), "error", "code")
}

// redeem tells whether the app got tokens for a code.
func (v *visitor) redeem(code string) bool {
	v.s.t.Helper()
	return code != "" && v.take(url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {v.s.url + "/callback"}, "code_verifier": {codeVerifier}})
}

// refreshes tells whether the app got new tokens for the old.
func (v *visitor) refreshes() bool {
	v.s.t.Helper()
	return v.take(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {v.refresh}})
}

// take keeps tokens where there are any.
func (v *visitor) take(form url.Values) bool {
	v.s.t.Helper()
	status, o := v.s.asApp("/oauth2/token", form)
	if status != http.StatusOK {
		if text(o, "error") != "invalid_grant" {
			v.s.t.Errorf("the token endpoint says %d %v", status, o)
		}
		return false
	}
	v.access, v.refresh, v.idToken = text(o, "access_token"), text(o, "refresh_token"), text(o, "id_token")
	v.seconds, _ = o["expires_in"].(float64)
	return true
}

// sid names the session in tokens.
func (v *visitor) sid() string {
	v.s.t.Helper()
	return text(claimsOf(v.s.t, v.idToken), "sid")
}

// introspected tells whether a token counts.
func (v *visitor) introspected(token string) bool {
	v.s.t.Helper()
	status, o := v.s.asApp("/oauth2/introspect", url.Values{"token": {token}})
	if status != http.StatusOK {
		v.s.t.Errorf("introspection says %d %v", status, o)
	}
	return o["active"] == true
}

// userInfo is the status of the endpoint.
func (v *visitor) userInfo() int {
	v.s.t.Helper()
	a, err := newClient(v.s.p.url, v.access).do(v.s.t.Context(), "GET", "/oauth2/userinfo", "")
	must(v.s.t, err)
	return a.status
}

// silent gives a code from the session that the browser has, "" where there is none.
func (v *visitor) silent(organization string) string {
	v.s.t.Helper()
	return v.open(v.s.ask(organization, "prompt", "none"), true).at.Query().Get("code")
}

// asApp asks as the application.
func (s *saas) asApp(path string, form url.Values) (status int, o object) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, s.p.url+path, strings.NewReader(form.Encode()))
	must(s.t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(url.QueryEscape(s.client), url.QueryEscape(s.secret))
	answer, err := s.api.http.Do(r)
	must(s.t, err)
	defer func() { _ = answer.Body.Close() }()
	must(s.t, json.NewDecoder(answer.Body).Decode(&o))
	return answer.StatusCode, o
}

var markup = regexp.MustCompile(`(?s)<style.*?</style>|<svg.*?</svg>|<script.*?</script>|<[^>]*>`)

// wordsOf is what a page says.
func wordsOf(page string) string {
	return strings.Join(strings.Fields(markup.ReplaceAllString(page, " ")), " ")
}
