package sdk_test

import (
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// signInApps are the apps of examples/ that sign people in by OpenID Connect, as the commands that start them. All are told by ISSUER,
// CLIENT_ID, CLIENT_SECRET and PORT.
func signInApps(t *testing.T) map[string][]string {
	t.Helper()
	box := tools(t)
	folder := func(name string) string {
		path, err := filepath.Abs(filepath.Join(root, "examples", name))
		must(t, err)
		return path
	}
	inGo := filepath.Join(t.TempDir(), "app")
	if out, err := exec.Command("go", "build", "-o", inGo, folder("sign-in-go")).CombinedOutput(); err != nil {
		t.Fatalf("build the app in Go: %v\n%s", err, out)
	}
	return map[string][]string{
		"go":     {inGo},
		"node":   {box.node, folder("sign-in-node/app.mjs")},
		"python": {box.flask, "-B", folder("sign-in-python/app.py")},
	}
}

var appLine = regexp.MustCompile(`The app is at (http://\S+)/`)

// freeApp is where an app may listen.
func freeApp(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	must(t, l.Close())
	return "http://" + l.Addr().String()
}

const thousands = "http://127.0.0.1:3000" // where the guide's apps are

// demonstration is a running demo, as the guide has it in variables.
type demonstration struct {
	url, key, client, organization, scim, token string
	env                                         []string
}

func startDemo(t *testing.T) demonstration {
	t.Helper()
	p := launch(t, t.TempDir(), nil, program, "serve", "--demo", "--listen", "127.0.0.1:0")
	shown := func(name string) string {
		t.Helper()
		return p.says(t, p.out, regexp.MustCompile(`(?m)^  `+name+` +(\S+)\n`))
	}
	d := demonstration{
		url: shown("Base URL"), key: shown("API key"), client: shown("Client id"), organization: shown("Organization"),
		scim: shown("SCIM base URL"), token: shown("Bearer token"),
	}
	shown("Example app") // the demo's provider is connected
	d.env = []string{"ROLLCALL_URL=" + d.url, "ROLLCALL_API_KEY=" + d.key}
	return d
}

// registered follows the first chapter of the guide and gives client id and secret.
func (d demonstration) registered(t *testing.T, app string) (id, secret string) {
	t.Helper()
	made := pasted(t, d.env, lines(t, "sign-in.md", "/connect/applications\"", thousands, app))
	shown := pasted(t, d.env, lines(t, "sign-in.md", "client_secrets", "conn_app_…", member(t, made, "id")))
	return member(t, made, "client_id"), member(t, shown, "secret")
}

func TestSign_in_examples_run_as_they_are(t *testing.T) {
	apps := signInApps(t)
	for name, command := range apps {
		t.Run(name, func(t *testing.T) {
			d := startDemo(t)
			at := freeApp(t)
			id, secret := d.registered(t, at)
			_, port, _ := strings.Cut(strings.TrimPrefix(at, "http://"), ":")
			p := launch(t, t.TempDir(), []string{"ISSUER=" + d.url, "CLIENT_ID=" + id, "CLIENT_SECRET=" + secret, "PORT=" + port}, command[0], command[1:]...)
			if got := p.says(t, p.out, appLine); got != at {
				t.Fatalf("the app is at %s, want %s", got, at)
			}
			signedIn, out := "Signed in as ada@acme.example of "+d.organization, "Not signed in"
			b := ada()
			eventually(t, "the app", func() bool { shown, err := b.walk(at+"/", ""); return err == nil && strings.Contains(shown.body, out) })

			// In, and out by the app's own way out: Rollcall's session ends with it, so the next sign-in asks again.
			b.shows(t, at+"/sign-in", signedIn)
			b.shows(t, at+"/", signedIn)
			b.shows(t, at+"/sign-out", out)
			b.shows(t, at+"/", out)
			b.trail = nil
			b.shows(t, at+"/sign-in", signedIn)
			if !strings.Contains(strings.Join(b.trail, "\n"), "/simulate/saml/sso") {
				t.Errorf("after signing out nobody asked who it is:\n%s", strings.Join(b.trail, "\n"))
			}

			// A second browser is signed in beside it; the connection is deleted, and both are out without having done anything.
			other := ada()
			other.shows(t, at+"/sign-in", signedIn)
			d.deleteConnection(t)
			b.becomes(t, at+"/", out)
			other.becomes(t, at+"/", out)

			for what, token := range map[string]string{"nonsense": "nonsense", "none": ""} {
				answer, err := http.PostForm(at+"/backchannel-logout", map[string][]string{"logout_token": {token}})
				must(t, err)
				_ = answer.Body.Close()
				if answer.StatusCode < 400 {
					t.Errorf("a logout token that is %s is answered with %d", what, answer.StatusCode)
				}
			}
		})
	}
}

func (d demonstration) deleteConnection(t *testing.T) {
	t.Helper()
	listed := pasted(t, d.env, `curl -sS --fail-with-body "$ROLLCALL_URL/connections" -H "Authorization: Bearer $ROLLCALL_API_KEY"`)
	id := regexp.MustCompile(`conn_[0-9A-Z]{26}`).FindString(listed)
	pasted(t, d.env, `curl -sS --fail-with-body -X DELETE "$ROLLCALL_URL/connections/`+id+`" -H "Authorization: Bearer $ROLLCALL_API_KEY"`)
}

func TestSign_in_example_with_the_WorkOS_SDK_runs_as_it_is(t *testing.T) {
	box := tools(t)
	d := startDemo(t)
	at := freeApp(t)
	pasted(t, d.env, lines(t, "sign-in.md", "/user_management/redirect_uris", thousands, at))
	script, err := filepath.Abs(filepath.Join(root, "examples/sign-in-workos/app.mjs"))
	must(t, err)
	_, port, _ := strings.Cut(strings.TrimPrefix(at, "http://"), ":")
	env := append(slices.Clone(d.env), "ROLLCALL_CLIENT_ID="+d.client, "ORGANIZATION="+d.organization, "PORT="+port)
	p := launch(t, t.TempDir(), env, box.node, script)
	if got := p.says(t, p.out, appLine); got != at {
		t.Fatalf("the app is at %s, want %s", got, at)
	}
	b := ada()
	b.shows(t, at+"/", "Not signed in")
	b.shows(t, at+"/sign-in", "Signed in as ada@acme.example of "+d.organization)
	b.shows(t, at+"/", "Signed in as ada@acme.example")
	ada().shows(t, at+"/callback?code=x&state=y", "this sign-in was not begun here")
}

// TestGuide_to_moving_is_true: the provider knows the former product's entity id and path, and neither changes.
func TestGuide_to_moving_is_true(t *testing.T) {
	d := startDemo(t)
	at := freeApp(t)
	pasted(t, d.env, lines(t, "sign-in.md", "/user_management/redirect_uris", thousands, at))
	const entityID, path = "urn:amazon:cognito:sp:eu-west-1_a1B2c3D4e", "/saml2/idpresponse"
	provider := formerProvider(t, entityID, d.url+path)
	made := pasted(t, d.env, lines(t, "moving.md", "acs_paths", "org_…", d.organization, "https://acme.okta.com/app/…/sso/saml/metadata", provider))
	id := member(t, made, "id")
	if !strings.Contains(made, entityID) || !strings.Contains(made, path) || !strings.Contains(made, `"not_secure"`) {
		t.Fatalf("the connection is %s", made)
	}
	post := func(what string) string {
		t.Helper()
		return pasted(t, d.env, `curl -sS --fail-with-body -X POST "$ROLLCALL_URL/connections/`+id+`/`+what+`" -H "Authorization: Bearer $ROLLCALL_API_KEY"`)
	}
	if approved := post("approve_metadata"); !strings.Contains(approved, `"lacks":[]`) {
		t.Fatalf("the connection is not complete: %s", approved)
	}
	who := map[string]string{"person": "sim-ada", "email": "ada@acme.example"}
	newBrowser(who).shows(t, member(t, post("test_sign_ins"), "url"), `class="verdict good"`)

	start := d.url + "/sso/authorize?response_type=code&client_id=" + d.client + "&connection=" + id + "&redirect_uri=" + at + "/callback"
	b := newBrowser(who)
	back, err := b.walk(start, at)
	must(t, err)
	if back.at == nil || !back.at.Query().Has("code") {
		t.Fatalf("the sign-in ends at %v %s\n%s", back.at, back.body, strings.Join(b.trail, "\n"))
	}
	if !strings.Contains(strings.Join(b.trail, "\n"), "POST "+d.url+path) {
		t.Errorf("the answer did not come at the former path:\n%s", strings.Join(b.trail, "\n"))
	}

	// Another customer's connection shares the path, and the first one goes on as before.
	other := pasted(t, d.env, `curl -sS --fail-with-body "$ROLLCALL_URL/organizations" -H "Authorization: Bearer $ROLLCALL_API_KEY" -d '{"name":"Other"}'`)
	shared := lines(t, "moving.md", "acs_paths", "org_…", member(t, other, "id"), "https://acme.okta.com/app/…/sso/saml/metadata", provider)
	if answer := pasted(t, d.env, shared); member(t, answer, "id") == id || !strings.Contains(answer, path) {
		t.Errorf("a second connection at the same path: %s", answer)
	}
	if back, err = newBrowser(who).walk(start, at); err != nil || back.at == nil || !back.at.Query().Has("code") {
		t.Errorf("beside another connection at its path the sign-in ends at %v %s %v", back.at, back.body, err)
	}
}
