package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/client"
)

// answers are what a server says to each request, the longest beginning first; what is not there is 404.
type answers map[string]string

func (a answers) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	asked, best := r.Method+" "+r.URL.RequestURI(), ""
	for beginning := range a {
		if strings.HasPrefix(asked, beginning) && len(beginning) > len(best) {
			best = beginning
		}
	}
	if best == "" {
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, `{"code":"entity_not_found","message":"Nothing is there."}`)
		return
	}
	_, _ = io.WriteString(w, a[best])
}

// told runs a command against such a server, as a person who answers.
func (a answers) told(t *testing.T, answer string, args ...string) (code int, stdout, stderr string, sent []string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		sent = append(sent, strings.TrimSpace(r.Method+" "+r.URL.Path+" "+string(body)))
		a.ServeHTTP(w, r)
	}))
	defer server.Close()
	var out, complaints spoken
	w := world{
		environ: []string{"ROLLCALL_URL=" + server.URL, "ROLLCALL_API_KEY=sk_test"}, stdin: strings.NewReader(answer), stdout: &out, stderr: &complaints,
		interactive: answer != "",
	}
	code = run(t.Context(), w, args)
	return code, out.String(), complaints.String(), sent
}

func many(items ...string) string {
	return `{"object":"list","data":[` + strings.Join(items, ",") + `],"list_metadata":{"before":null,"after":null}}`
}

func TestEvery_reason_has_a_sentence_of_its_own(t *testing.T) {
	page, err := os.ReadFile("../../docs/reference/membership.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(page), "## What `why` says")
	table, _, _ = strings.Cut(table, "\n## ")
	known, n := reasons(), 0
	for line := range strings.Lines(table) {
		if why, _, found := strings.Cut(strings.TrimPrefix(line, "| `"), "` |"); found && strings.HasPrefix(line, "| `") && why != "why" {
			if n++; known[why] == "" {
				t.Errorf("nothing is said of %s", why)
			}
		}
	}
	if n != len(known) {
		t.Errorf("the reference has %d reasons, the command %d", n, len(known))
	}
}

func TestWhy_names_who_it_was(t *testing.T) {
	const person = `,"user_id":"user_1","organization_id":"org_1","user":{"id":"user_1","email":"ann@a.com","first_name":"Ann","name":"Ann Li"}`
	member := func(more string) string { return `{"id":"om_1"` + person + `,"status":"inactive",` + more + `}` }
	two := many(`{"id":"directory_1","name":"Okta"}`, `{"id":"directory_2","name":"Entra"}`)
	for name, c := range map[string]struct {
		member string
		more   answers
		want   string
	}{
		"by the person that it was joined with": {
			member(`"why":"directory_inactive","directory_user_id":"directory_user_1"`),
			answers{"GET /directory_users/directory_user_1": `{"id":"directory_user_1","directory_id":"directory_2"}`, "GET /directories/directory_2": `{"id":"directory_2","name":"Entra"}`},
			`Ann Li (ann@a.com) is inactive in Acme: the directory "Entra" wants them out. They come back when it says active.`,
		},
		"by the address, where it was joined with nobody": {
			member(`"why":"directory_inactive"`),
			answers{"GET /directories?": two, "GET /directory_users?directory=directory_1": many(), "GET /directory_users?directory=directory_2": many(`{"id":"u"}`)},
			`the directory "Entra" wants them out`,
		},
		"of several that have the address": {
			member(`"why":"directory_inactive"`),
			answers{"GET /directories?": two, "GET /directory_users?": many(`{"id":"u"}`)},
			`one of the directories "Okta", "Entra" wants them out`,
		},
		"of several that have not": {
			member(`"why":"directory_removed","directory_user_id":"directory_user_9"`),
			answers{"GET /directories?": two, "GET /directory_users?": many()},
			`Ann Li (ann@a.com) was removed from Acme: one of the directories "Okta", "Entra" has deleted them.`,
		},
		"the only one": {
			member(`"why":"directory_removed"`),
			answers{"GET /directories?": many(`{"id":"directory_1","name":"Okta"}`), "GET /directory_users?": many()},
			`the directory "Okta" has deleted them`,
		},
		"one that is gone": {
			member(`"why":"directory_inactive"`), answers{"GET /directories?": many()}, `a directory that is deleted now wants them out`,
		},
		"the organization that the account belongs to": {
			member(`"why":"account_deprovisioned"`),
			answers{
				"GET /user_management/organization_memberships?": many(`{"id":"om_1","organization_id":"org_1","primary":false}`, `{"id":"om_2","organization_id":"org_2","primary":true}`),
				"GET /organizations/org_2":                       `{"id":"org_2","name":"Beta"}`,
			},
			`the organization "Beta", which the account belongs to, has shut them out`,
		},
		"one that is not told": {
			member(`"why":"account_deprovisioned"`), answers{"GET /user_management/organization_memberships?": many()}, `an organization, which the account belongs to`,
		},
		"a reason of a newer server": {member(`"why":"moonlight"`), nil, `is inactive in Acme: moonlight.`},
		"a name for terminals to fear": {
			`{"id":"om_1","organization_id":"org_1","status":"active","why":"api","user":{"email":"\u001b[31m@a.com"}}`, nil, "\uFFFD[31m@a.com is active in Acme",
		},
	} {
		a := answers{"GET /user_management/organization_memberships/om_1": c.member, "GET /organizations/org_1": `{"id":"org_1","name":"Acme"}`}
		for k, v := range c.more {
			a[k] = v
		}
		if code, out, stderr, _ := a.told(t, "", "member", "why", "om_1"); code != 0 || !strings.Contains(out, c.want) || stderr != "" || strings.Count(out, "\n") != 1 {
			t.Errorf("%s: exit %d, %q %q, want %q", name, code, out, stderr, c.want)
		}
	}
}

func TestWhy_says_what_failed(t *testing.T) {
	a := answers{"GET /user_management/organization_memberships/om_1": `{"id":"om_1","organization_id":"org_1","why":"directory","directory_user_id":"directory_user_1"}`}
	if code, out, stderr, _ := a.told(t, "", "member", "why", "om_1"); code != exitFailed || out != "" || !strings.Contains(stderr, "Nothing is there") {
		t.Errorf("exit %d, %q %q", code, out, stderr)
	}
}

func TestSaving_a_mapping_tells_how_many_lose(t *testing.T) {
	a := answers{
		"POST /directories/directory_1/mapping/preview": many(
			`{"directory_user_id":"u1","role":{"before":"admin","after":null},"teams_gained":[],"teams_lost":[]}`,
			`{"directory_user_id":"u2","role":{"before":null,"after":"editor"},"teams_gained":[{"name":"A"}],"teams_lost":[]}`,
			`{"directory_user_id":"u3","teams_gained":[],"teams_lost":[{"id":"group_1","name":"B"}]}`),
		"PUT /directories/directory_1/mapping":      `{"source_id":"directory_1","version":8,"rules":[{"set":"role"}]}`,
		"GET /directories/directory_1/provisioning": `{"state":"applying","done":1,"total":3}`,
	}
	const saved = `PUT /directories/directory_1/mapping {"drives_roles":true,"drives_teams":false,"drives_licences":false,"teams_follow_groups":false,"rules":[],"version":7}`
	code, out, stderr, sent := a.told(t, "no\n", "mapping", "set", "directory_1", "testdata/mapping.json")
	if code != exitFailed || out != "" || !strings.Contains(stderr, "This changes 3 people, of whom 2 lose a role, a licence or a team") || slices.Contains(sent, saved) {
		t.Errorf("exit %d, %q %q %q", code, out, stderr, sent)
	}
	code, out, stderr, sent = a.told(t, "", "mapping", "set", "directory_1", "testdata/mapping.json")
	if code != 0 || !strings.Contains(out, "RULE 1  {\"set\":\"role\"}") || stderr != "Members follow the directory: 1 of 3 people done.\n" || !slices.Contains(sent, saved) {
		t.Errorf("exit %d, %q %q %q", code, out, stderr, sent)
	}
	for _, s := range sent {
		if strings.Contains(s, "preview") {
			t.Error("a script pays for a preview that nobody reads")
		}
	}
}

func TestMapping_of_another_source_brings_no_version(t *testing.T) {
	a := answers{"PUT /connections/conn_1/mapping": `{"source_id":"conn_1","version":1,"rules":[]}`}
	code, _, stderr, sent := a.told(t, "", "mapping", "set", "conn_1", "testdata/mapping.json")
	if code != 0 || len(sent) != 1 || strings.Contains(sent[0], "version") || !strings.Contains(stderr, "at their next sign-in") {
		t.Errorf("exit %d, %q %q", code, stderr, sent)
	}
}

func TestMapping_file_is_one_mapping(t *testing.T) {
	for text, want := range map[string]string{`{}{}`: "more than one mapping", `[]`: "is no mapping", ``: "is no mapping", `{"rules":"x"}`: ""} {
		_, err := world{stdin: strings.NewReader(text)}.mapping("-", "directory_1")
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestPermissions_are_taken_only_after_asking(t *testing.T) {
	a := answers{
		"GET /authorization/roles/editor":             `{"slug":"editor","permissions":["a","b"]}`,
		"PUT /authorization/roles/editor/permissions": `{"slug":"editor","permissions":["a"]}`,
	}
	code, _, stderr, _ := a.told(t, "no\n", "role", "set-permissions", "editor", "a", "c")
	if code != exitFailed || !strings.Contains(stderr, `Take b from everybody with the role "editor"?`) {
		t.Errorf("exit %d, %q", code, stderr)
	}
	code, _, stderr, sent := a.told(t, "no\n", "role", "set-permissions", "editor", "a", "b", "c")
	if code != 0 || stderr != "" || len(sent) != 2 || sent[1] != `PUT /authorization/roles/editor/permissions {"permissions":["a","b","c"]}` {
		t.Errorf("exit %d, %q %q", code, stderr, sent)
	}
}

func TestGoing_live_tells_who_is_invited(t *testing.T) {
	a := answers{
		"GET /directories/d":                      `{"id":"d","name":"Okta","live":false}`,
		"GET /directories/d/provisioning/preview": many(`{"outcome":"linked"}`, `{"outcome":"invited"}`, `{"outcome":"invited"}`, `{"outcome":"refused"}`),
		"GET /directories/d/provisioning":         `{"state":"up_to_date","done":4,"total":4}`,
		"POST /directories/d/go_live":             `{"id":"d","name":"Okta","live":true}`,
	}
	code, _, stderr, sent := a.told(t, "no\n", "directory", "go-live", "d")
	if code != exitFailed || !strings.Contains(stderr, `Of 4 people: 2 invited, 1 linked, 1 refused (no licence left). Invitations are mailed. Let members follow the directory "Okta"`) ||
		slices.Contains(sent, "POST /directories/d/go_live") {
		t.Errorf("exit %d, %q %q", code, stderr, sent)
	}
	code, out, stderr, _ := a.told(t, "yes\n", "directory", "go-live", "d", "--wait")
	if code != 0 || !strings.Contains(out, "LIVE") || !strings.Contains(stderr, "Members are as the directory says.") {
		t.Errorf("exit %d, %q %q", code, out, stderr)
	}
	a["GET /directories/d"] = `{"id":"d","name":"Okta","live":true}`
	if code, _, stderr, _ := a.told(t, "no\n", "directory", "go-live", "d"); code != 0 || strings.Contains(stderr, "Type yes") {
		t.Errorf("one that is live: exit %d, %q", code, stderr)
	}
}

func TestWaiting_tells_of_each_step(t *testing.T) {
	n := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		n++
		_, _ = io.WriteString(w, []string{`{"state":"applying","done":1,"total":2}`, `{"state":"applying","done":1,"total":2}`, `{"state":"up_to_date","done":2,"total":2}`}[min(n, 3)-1])
	}))
	defer server.Close()
	var out, complaints spoken
	w := world{environ: []string{"ROLLCALL_URL=" + server.URL, "ROLLCALL_API_KEY=sk_test"}, stdout: &out, stderr: &complaints}
	if code := run(t.Context(), w, []string{"directory", "progress", "d", "--wait"}); code != 0 || n != 3 ||
		complaints.String() != "Members follow the directory: 1 of 2 people done.\nMembers are as the directory says.\n" {
		t.Errorf("exit %d after %d looks: %q", code, n, complaints.String())
	}
}

func TestWaiting_may_be_ended(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	server := httptest.NewServer(answers{"GET /directories/d/provisioning": `{"state":"applying","done":1,"total":2}`})
	defer server.Close()
	var out, complaints spoken
	w := world{environ: []string{"ROLLCALL_URL=" + server.URL, "ROLLCALL_API_KEY=sk_test"}, stdout: &out, stderr: &complaints}
	code := make(chan int, 1)
	go func() { code <- run(ctx, w, []string{"directory", "progress", "d", "--wait"}) }()
	for deadline := time.Now().Add(20 * time.Second); complaints.String() == "" && time.Now().Before(deadline); time.Sleep(time.Millisecond) {
	}
	stop()
	if got := <-code; got != exitFailed || !strings.Contains(complaints.String(), "it goes on\n  \"rollcall directory progress\" says how far it is.") {
		t.Errorf("exit %d: %s", got, complaints.String())
	}
}

func TestDifferences_name_the_reasons_of_what_differs(t *testing.T) {
	var d client.MappingDifference
	if err := json.Unmarshal([]byte(`{"role":{"before":null,"after":"editor"},"teams_gained":[{"id":"group_1","name":"A"}],"teams_lost":[{"id":"group_2","name":"B"}],
		"attributes":{"office":{"before":null,"after":"Graz"},"profile.locale":{"before":"de","after":"en"}},
		"why":{"role:editor":"group Editors","team:group_1":"everybody","attribute:office":"city","attribute:other":"not this","profile:locale":"tongue"}}`), &d); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range differenceColumns() {
		got = append(got, c.cell(d))
	}
	if want := []string{"", "", "none → editor", "", "+A, -B", `office: none → "Graz", profile.locale: "de" → "en"`, "group Editors; everybody; city; tongue"}; !slices.Equal(got, want) {
		t.Errorf("%q\nwant %q", got, want)
	}
}

func TestInvitation_that_nobody_mails_says_so(t *testing.T) {
	a := answers{"POST /user_management/invitations": `{"id":"i","email":"a@a.com","state":"pending","accept_invitation_url":"https://x/i","warning":"Nothing is mailed."}`}
	code, out, stderr, _ := a.told(t, "", "invitation", "send", "a@a.com")
	if code != 0 || !strings.Contains(out, "https://x/i") || !strings.Contains(stderr, "give the link to the person yourself") || strings.Contains(stderr, "under way") {
		t.Errorf("exit %d, %q %q", code, out, stderr)
	}
}

func TestExport_of_receipts_stays_in_its_folder(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "out")
	offboarding := func(id string) answers {
		return answers{
			"GET /oauth2/jwks": `{"keys":[]}`, "GET /organizations/o/offboardings": many(fmt.Sprintf(`{"id":%q}`, id)),
			"GET /offboardings/": `{"receipt":"a.b.c","complete":false,"missing":[{"step":"request","why":"not recorded"}],"frozen_at":null}`,
		}
	}
	code, _, stderr, _ := offboarding("offboarding_1").told(t, "", "offboarding", "export", "o", folder)
	text, err := os.ReadFile(filepath.Join(folder, "offboarding_1.jws"))
	if code != 0 || err != nil || string(text) != "a.b.c\n" || !strings.Contains(stderr, "1 receipt and keys.json are in ") || !strings.Contains(stderr, "Not final yet: 1.") {
		t.Errorf("exit %d, %q %v: %s", code, text, err, stderr)
	}
	code, _, stderr, _ = offboarding("../evil").told(t, "", "offboarding", "export", "o", folder)
	if _, err := os.Stat(filepath.Join(folder, "..", "evil.jws")); code != exitFailed || err == nil || !strings.Contains(stderr, "cannot be the name of a file") {
		t.Errorf("exit %d, %v: %s", code, err, stderr)
	}
	if left, err := filepath.Glob(filepath.Join(folder, "*.part")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %q %v", left, err)
	}
}

func TestReceipt_says_what_it_lacks(t *testing.T) {
	for text, want := range map[string]string{
		`{"receipt":"a.b.c","complete":true,"missing":[]}`:                                                                  "",
		`{"receipt":"a.b.c","complete":false,"missing":[{"step":"webhook","id":"whd_1","why":"failed"}]}`:                   "It may still say more, until nothing is missing or a day is over. Missing: webhook whd_1: failed.\n",
		`{"receipt":"a.b.c","complete":false,"missing":[{"step":"event","why":"none"}],"frozen_at":"2026-01-15T12:00:00Z"}`: "It is final. Missing: event: none.\n",
	} {
		if code, out, stderr, _ := (answers{"GET /offboardings/f/receipt": text}).told(t, "", "offboarding", "receipt", "f"); code != 0 || out != "a.b.c\n" || stderr != want {
			t.Errorf("exit %d, %q %q, want %q", code, out, stderr, want)
		}
	}
}

func TestExport_that_breaks_off_fails(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "created_at,id\r\n")
		if err := http.NewResponseController(w).Flush(); err != nil {
			t.Error(err)
		}
		panic(http.ErrAbortHandler)
	}))
	defer server.Close()
	var out, complaints spoken
	w := world{environ: []string{"ROLLCALL_URL=" + server.URL, "ROLLCALL_API_KEY=sk_test"}, stdout: &out, stderr: &complaints}
	if code := run(t.Context(), w, []string{"audit", "--format", "csv"}); code != exitFailed || !strings.Contains(complaints.String(), "the export broke off after 15 bytes") {
		t.Errorf("exit %d: %s", code, complaints.String())
	}
}

func TestShow_is_another_word_for_get(t *testing.T) {
	if code, out, stderr, _ := asked(t, 200, acme, "", false, "organization", "show", "org_1"); code != 0 || !strings.Contains(out, "Acme") {
		t.Errorf("exit %d, %s", code, stderr)
	}
	parser, err := newParser(world{stdout: io.Discard, stderr: io.Discard}, func(int) {})
	if err != nil {
		t.Fatal(err)
	}
	for _, noun := range parser.Model.Children {
		for _, verb := range noun.Children {
			if verb.Name == "get" && !slices.Contains(verb.Aliases, "show") {
				t.Errorf("%s cannot be shown", noun.Name)
			}
		}
	}
	if got := candidates(parser.Model, []string{"member", "show", "--js"}); len(got) != 1 || !strings.HasPrefix(got[0], "--json\t") {
		t.Errorf("completed %q", got)
	}
}

func TestTooManyMails_are_not_blamed_on_the_key(t *testing.T) {
	code, _, stderr, requests := asked(t, 429, `{"code":"too_many_mails","message":"Wait a little."}`, "", false, "invitation", "resend", "i")
	if code != exitLater || len(requests) != 1 || strings.Contains(stderr, "how fast one key may ask") || !strings.Contains(stderr, "Wait a little. (429 too_many_mails") {
		t.Errorf("exit %d after %d requests: %s", code, len(requests), stderr)
	}
}
