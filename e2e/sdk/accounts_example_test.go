package sdk_test

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// defaultApplication finds the one in a list.
var defaultApplication = regexp.MustCompile(`"id":"(conn_app_[0-9A-Z]{26})"[^{}]*(?:\{[^{}]*\}[^{}]*)*"is_default":true`)

func TestAccounts_example_with_the_WorkOS_SDK_runs_as_it_is(t *testing.T) {
	box := tools(t)
	d := startDemo(t)
	at := freeApp(t)
	const guide = "workos-sdks.md"
	pasted(t, d.env, lines(t, guide, "/user_management/redirect_uris", thousands, at))
	listed := defaultApplication.FindStringSubmatch(pasted(t, d.env, lines(t, guide, `/connect/applications"`)))
	if listed == nil {
		t.Fatal("no default application is listed")
	}
	pasted(t, d.env, lines(t, guide, "post_logout_redirect_uris", "conn_app_…", listed[1], thousands, at))
	script, err := filepath.Abs(filepath.Join(root, "examples/accounts-workos/app.mjs"))
	must(t, err)
	_, port, _ := strings.Cut(strings.TrimPrefix(at, "http://"), ":")
	env := append(slices.Clone(d.env), "ROLLCALL_CLIENT_ID="+d.client, "ORGANIZATION="+d.organization, "PORT="+port)
	p := launch(t, t.TempDir(), env, box.node, script)
	if got := p.says(t, p.out, appLine); got != at {
		t.Fatalf("the app is at %s, want %s", got, at)
	}
	signedIn, out := "Signed in as ada@acme.example, member of "+d.organization, "Not signed in"
	b := ada()
	b.shows(t, at+"/", out)
	b.shows(t, at+"/sign-in", signedIn)
	b.shows(t, at+"/", signedIn)
	b.shows(t, at+"/?refresh=1", signedIn) // with the next refresh token each time
	b.shows(t, at+"/?refresh=1", signedIn)
	b.shows(t, at+"/sign-out", out) // back from Rollcall's logout
	b.trail = nil
	b.shows(t, at+"/sign-in", signedIn)
	if !strings.Contains(strings.Join(b.trail, "\n"), "/simulate/saml/sso") {
		t.Errorf("after signing out nobody asked who it is:\n%s", strings.Join(b.trail, "\n"))
	}
	ada().shows(t, at+"/callback?code=x&state=y", "this sign-in was not begun here")

	// The operator's hand ends the sessions: offline the token counts until its minutes are over, a refresh is refused at once.
	users := pasted(t, d.env, `curl -sS --fail-with-body "$ROLLCALL_URL/user_management/users?email=ada@acme.example" -H "Authorization: Bearer $ROLLCALL_API_KEY"`)
	pasted(t, d.env, `curl -sS --fail-with-body -X POST "$ROLLCALL_URL/user_management/users/`+member(t, users, "id")+`/sessions/revoke" -H "Authorization: Bearer $ROLLCALL_API_KEY"`)
	b.shows(t, at+"/", signedIn)
	b.shows(t, at+"/?refresh=1", out)
	b.shows(t, at+"/", out)
}
