package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/client"
)

// attempts is a server whose log of one connection's sign-ins grows with each look at it.
type attempts struct {
	mu    sync.Mutex
	looks [][]string // what there is at each look, oldest first; the last goes on
	asked []string
}

func attempt(id, kind, state string) string {
	return fmt.Sprintf(`{"object":"sign_in_attempt","id":%q,"kind":%q,"state":%q,"checks":[]}`, id, kind, state)
}

func (a *attempts) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.asked = append(a.asked, r.URL.Query().Get("after"))
	now := a.looks[0]
	if len(a.looks) > 1 {
		a.looks = a.looks[1:]
	}
	after := r.URL.Query().Get("after")
	from := 1 + slices.IndexFunc(now, func(text string) bool { return after != "" && strings.Contains(text, `"id":"`+after+`"`) })
	fmt.Fprintf(w, `{"object":"list","data":[%s],"list_metadata":{"before":null,"after":null}}`, strings.Join(now[from:], ","))
}

func (a *attempts) wait(t *testing.T, after string, patience time.Duration) (client.SignInAttempt, error) {
	t.Helper()
	server := httptest.NewServer(a)
	defer server.Close()
	api, err := client.New(server.URL, "sk_test")
	if err != nil {
		t.Fatal(err)
	}
	return awaitTest(t.Context(), api, "conn_1", after, patience)
}

// An earlier test, a sign-in of somebody else, and a test that nobody goes on with are not what is waited for.
func TestWaiting_ends_with_the_next_test_that_is_finished(t *testing.T) {
	before := []string{attempt("1", "test", "failed")}
	begun := slices.Concat(before, []string{attempt("2", "sign_in", "succeeded"), attempt("3", "test", "at_provider"), attempt("4", "sign_in", "failed")})
	done := slices.Concat(begun, []string{attempt("5", "test", "failed")})
	a := &attempts{looks: [][]string{before, begun, done}}
	found, err := a.wait(t, "1", time.Minute)
	if err != nil || found.ID != "5" {
		t.Errorf("%+v %v", found, err)
	}
	if !slices.Equal(a.asked, []string{"1", "1", "2"}) { // 3 is looked at again, and what came before it is not
		t.Errorf("asked after %q", a.asked)
	}
	a = &attempts{looks: [][]string{begun, {attempt("3", "test", "succeeded")}}}
	if found, err = a.wait(t, "2", time.Minute); err != nil || found.ID != "3" {
		t.Errorf("%+v %v", found, err)
	}
}

func TestWaiting_for_nobody_ends(t *testing.T) {
	a := &attempts{looks: [][]string{{attempt("1", "test", "at_provider")}}}
	if _, err := a.wait(t, "", 20*time.Millisecond); err == nil || err.Error() != "nobody finished the test within 20ms" {
		t.Error(err)
	}
}

func TestOptions_are_read_as_what_they_look_like_and_shown_where_they_are_not_as_usual(t *testing.T) {
	given := optionValues(map[string]string{"a": "true", "b": "60", "c": "refuse", "d": `["urn:x"]`, "e": "null", "f": "urn:oasis:x", "g": ""})
	if got := compact(given); got != `{"a":true,"b":60,"c":"refuse","d":["urn:x"],"e":null,"f":"urn:oasis:x","g":""}` {
		t.Error(got)
	}
	if optionValues(nil) != nil {
		t.Error("nothing is something")
	}
	const usual = `{"clock_skew":120,"sign_requests":false,"nameid_format":"","scopes":[],"allow_sha1_until":null,"unsolicited":"restart"}`
	const chosen = `{"clock_skew":60,"sign_requests":true,"nameid_format":"urn:x","scopes":["openid","groups"],"allow_sha1_until":"2026-01-15T12:00:00.000Z","unsolicited":"refuse","later":7}`
	for options, want := range map[string]string{
		usual:  "",
		chosen: "\nOPTIONS  allow_sha1_until=2026-01-15T12:00:00.000Z, clock_skew=60, later=7, nameid_format=urn:x, scopes=[\"openid\",\"groups\"], sign_requests=true, unsolicited=refuse\n",
	} {
		code, stdout, stderr, _ := asked(t, 200, `{"id":"conn_1","options":`+options+`}`, "", false, "connection", "get", "conn_1")
		if code != exitOK || !strings.Contains(stdout, want) || want == "" && strings.Contains(stdout, "OPTIONS") {
			t.Errorf("%d %s %s", code, stdout, stderr)
		}
	}
}

func TestAttributes_are_added_to_what_is_there_and_taken_away(t *testing.T) {
	before := map[string][]string{"department": {"dept"}, "team": {"team"}}
	after := mapped(before, map[string]string{"team": "", "email": "mail,Email"})
	if got := attributesOf(after); got != "department=dept, email=mail,Email" || len(before) != 2 {
		t.Errorf("%s, before %v", got, before)
	}
}

// A person decides on what was read: it is shown before the question.
func TestApproval_shows_what_waits_before_it_asks(t *testing.T) {
	const waiting = `{"id":"conn_1","name":"Okta","idp_entity_id":"https://old","sso_url":"https://old/sso","pending_metadata":{"reasons":["entity_id_changed","not_secure"],
		"read_at":"2026-01-15T12:00:00Z","idp_entity_id":"https://new\u001b[2J","sso_url":"https://old/sso","certificates":["abc"]}}`
	code, _, stderr, requests := asked(t, 200, waiting, "no\n", true, "connection", "approve-metadata", "conn_1")
	if code != exitFailed || len(requests) != 1 {
		t.Errorf("exit %d, sent %q", code, requests)
	}
	for _, want := range []string{
		"waits because of entity_id_changed, not_secure:\n", "  entity id     https://new\uFFFD[2J (until now https://old)\n", "  sign-in URL   https://old/sso\n",
		"  certificates  abc\n", `Take it over for "Okta"?`,
	} {
		if !strings.Contains(stderr, want) {
			t.Errorf("%q is not in %s", want, stderr)
		}
	}
}

// The secret is the file's line, without its end.
func TestClient_secret_is_read_from_a_file_or_the_input(t *testing.T) {
	w := world{stdin: strings.NewReader("hush\n")}
	got, err := connectionSettings{ClientSecret: "-"}.read(w)
	if err != nil || *got.ClientSecret != "hush" || got.MetadataXML != nil || got.Options != nil || got.Certificates != nil || got.ACSPaths != nil {
		t.Errorf("%+v %v", got, err)
	}
	for _, s := range []connectionSettings{{ClientSecret: "-", Metadata: "-"}, {Metadata: "-", Certificate: []string{"-"}}, {Certificate: []string{"-", "-"}}} {
		if _, err := s.read(w); err == nil || err.Error() != "only one file can be read from the input" {
			t.Errorf("%+v: %v", s, err)
		}
	}
	ends := time.Date(2027, 1, 31, 0, 0, 0, 0, time.UTC)
	if got, err := (connectionSettings{SecretEnds: &moment{ends}}).read(w); err != nil || !got.ClientSecretExpiresAt.Equal(ends) {
		t.Errorf("it ends at %v, %v", got.ClientSecretExpiresAt, err)
	}
	if _, err := (connectionSettings{Certificate: []string{"/nowhere.pem"}}).read(w); err == nil {
		t.Error("a file that is not there is read")
	}
}
