package sdk_test

import (
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"regexp"
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
