package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/client"
)

// asked runs a command against a server and gives what it sent.
func asked(t *testing.T, status int, body, stdin string, interactive bool, args ...string) (code int, stdout, stderr string, requests []string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests = append(requests, r.Method+" "+r.URL.RequestURI())
		w.Header().Set("X-Request-ID", "req_1")
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}))
	defer server.Close()
	var out, complaints spoken
	w := world{
		environ: []string{"ROLLCALL_URL=http://127.0.0.1:1", "ROLLCALL_URL=" + server.URL, "ROLLCALL_API_KEY=sk_test"},
		stdin:   strings.NewReader(stdin), stdout: &out, stderr: &complaints, interactive: interactive,
	}
	code = run(t.Context(), w, args)
	return code, out.String(), complaints.String(), requests
}

func TestVersion_is_that_of_the_client(t *testing.T) {
	if version != client.Version {
		t.Errorf("the command is %s, the client %s", version, client.Version)
	}
}

const acme = `{"object":"organization","id":"org_1","name":"Acme","domains":[],"metadata":{}}`

func TestDeleting_asks_a_person_and_no_script(t *testing.T) {
	for _, c := range []struct {
		answer      string
		interactive bool
		more        []string
		deleted     bool
	}{
		{"yes\n", true, nil, true},
		{"no\n", true, nil, false},
		{"y\n", true, nil, false},
		{"", true, nil, false},
		{"", true, []string{"--yes"}, true},
		{"", false, nil, true},
	} {
		code, _, stderr, requests := asked(t, 200, acme, c.answer, c.interactive, append([]string{"organization", "delete", "org_1"}, c.more...)...)
		deleted := strings.Contains(strings.Join(requests, " "), "DELETE /organizations/org_1")
		if deleted != c.deleted || (code == 0) != c.deleted {
			t.Errorf("%+v: exit %d, %s, sent %q", c, code, stderr, requests)
		}
		if c.interactive && c.more == nil && !strings.Contains(stderr, `Delete the organization "Acme" with its directories`) {
			t.Errorf("asked %q", stderr)
		}
	}
}

// Every verb that cannot be undone has to ask first.
func TestEverything_that_cannot_be_undone_asks(t *testing.T) {
	for _, command := range []string{
		"organization delete org_1", "domain delete d", "directory delete d", "token revoke d t", "directory-user erase u", "consumer delete c",
		"webhook delete w", "api-key delete k", "api-key expire k",
		"connection delete c", "connection approve-metadata c", "certificate delete c f", "application delete a", "client-secret delete s",
		"policy end-sessions o", "policy delete-identity-provider o", "redirect-uri delete r", "signing-key rotate --compromised",
		"user delete u", "member deactivate m", "member remove m", "session revoke s", "session revoke --user u", "invitation revoke i", "role delete r",
		"role remove-permission r p", "permission delete p", "team delete o t", "team remove o t m", "licence delete o l", "licence release m", "directory go-live d",
		"mapping set conn_1 testdata/mapping.json",
	} {
		code, _, stderr, requests := asked(t, 200, `{"id":"x"}`, "no\n", true, strings.Fields(command)...)
		for _, r := range requests {
			if !strings.HasPrefix(r, "GET ") && !strings.Contains(r, "/preview?") { // which changes nothing either
				t.Errorf("%s sent %s", command, r)
			}
		}
		if code != exitFailed || !strings.Contains(stderr, "Type yes: ") || !strings.Contains(stderr, "nothing was done") {
			t.Errorf("%s: exit %d, %s", command, code, stderr)
		}
	}
}

func TestJSON_is_the_servers_to_the_byte(t *testing.T) {
	one := `{"id":"org_1",  "new":"<&>"}`
	if _, out, stderr, _ := asked(t, 200, one, "", false, "organization", "get", "org_1", "--json"); out != one+"\n" || stderr != "" {
		t.Errorf("%q %q", out, stderr)
	}
	list := `{"object":"list","data":[` + one + `,{"id":"org_2"}],"list_metadata":{"before":null,"after":null}}`
	if _, out, stderr, _ := asked(t, 200, list, "", false, "organization", "list", "--json"); out != one+"\n{\"id\":\"org_2\"}\n" || stderr != "" {
		t.Errorf("%q %q", out, stderr)
	}
}

func TestExit_codes_and_advice_fit_the_refusal(t *testing.T) {
	for _, c := range []struct {
		status, code int
		body, says   string
	}{
		{401, exitFailed, `{"code":"unauthorized","message":"No."}`, "The key comes from --api-key or ROLLCALL_API_KEY"},
		{403, exitFailed, `{"code":"feature_disabled","message":"Directory sync is off."}`, "rollcall: Directory sync is off. (403 feature_disabled, request req_1)\n"},
		{404, exitFailed, `{"code":"entity_not_found","message":"No."}`, `"list" in the place of the verb`},
		{404, exitFailed, `{"code":"not_found","message":"No."}`, "may be older than this program"},
		{405, exitFailed, `{"code":"method_not_allowed","message":"No."}`, "may be older than this program"},
		{500, exitLater, `{"code":"internal","message":"No."}`, "look for req_1"},
		{200, exitFailed, `<html>`, "not what it should be"},
	} {
		code, _, stderr, _ := asked(t, c.status, c.body, "", false, "organization", "get", "org_1")
		if code != c.code || !strings.Contains(stderr, c.says) {
			t.Errorf("%d: exit %d, %s", c.status, code, stderr)
		}
	}
}

func TestConflicting_or_missing_flags_are_usage_errors_and_nothing_is_sent(t *testing.T) {
	for _, command := range []string{
		"directory-user list", "directory-group list", "webhook replay we_1", "webhook replay whd_1 --failed", "organization list --limit -1",
		"event tail -n 101", "organization features org_1 --on sso --off sso", "webhook update w --enable --disable", "event mirror",
		"event list --since yesterday", "directory create o n --extensions /nowhere/x.json", "completion tcsh",
		"member list", "member update om_1", "session revoke", "session revoke session_1 --user user_1", "role create Name", "invitation send a@a.com --days 31",
		"invitation list --state lost", "audit --format xml", "audit --format csv --json", "audit --since soon", "access org_1 --format jsonl --json",
		"licence update org_1 pro --seats 3 --unlimited", "mapping set directory_1 /nowhere/x.json", "mapping set directory_1 remote_test.go",
	} {
		if code, _, stderr, requests := asked(t, 200, "{}", "", false, strings.Fields(command)...); code != exitUsage || len(requests) > 0 || stderr == "" {
			t.Errorf("%s: exit %d, sent %q, %s", command, code, requests, stderr)
		}
	}
}

func TestMoments_are_times_days_and_durations(t *testing.T) {
	noon, midnight := time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC), time.Date(2026, 1, 15, 0, 0, 0, 0, time.UTC)
	for text, want := range map[string][2]time.Time{
		"2026-01-15T12:00:00Z": {noon, noon}, "2026-01-15": {midnight, midnight},
		"2h": {time.Now().Add(2 * time.Hour), time.Now().Add(-2 * time.Hour)}, "30d": {time.Now().AddDate(0, 0, 30), time.Now().AddDate(0, 0, -30)},
	} {
		var m moment
		var p past
		if err := errors.Join(m.UnmarshalText([]byte(text)), p.UnmarshalText([]byte(text))); err != nil ||
			m.Sub(want[0]).Abs() > 2*time.Hour-time.Minute || p.Sub(want[1]).Abs() > 2*time.Hour-time.Minute {
			t.Errorf("%s: %s, %s, %v", text, m, p, err)
		}
	}
	var m moment
	for _, text := range []string{"", "yesterday", "-2h", "1.5d", "2026-13-01"} {
		if m.UnmarshalText([]byte(text)) == nil {
			t.Errorf("%q passes for a time", text)
		}
	}
}

func TestTypes_may_be_short(t *testing.T) {
	for short, want := range map[string]string{
		"okta": "okta scim v2.0", "entra": "azure scim v2.0", "jumpcloud": "jump cloud scim v2.0", "generic scim v2.0": "generic scim v2.0",
	} {
		if got := fullType(short); got != want {
			t.Errorf("%s: %s", short, got)
		}
	}
}

func TestAgo_takes_the_largest_unit(t *testing.T) {
	for d, want := range map[time.Duration]string{0: "0s ago", 90 * time.Second: "1m ago", 5 * time.Hour: "5h ago", 72 * time.Hour: "3d ago"} {
		if got := ago(time.Now().Add(-d)); got != want {
			t.Errorf("%s: %s", d, got)
		}
	}
	if ago(time.Time{}) != "" || when(time.Time{}) != "" {
		t.Error("no time is shown as one")
	}
}

func TestTerminals_are_not_steered(t *testing.T) {
	if got := printable("a\x1b[31m\u202eb\tc\n東é"); got != "a\uFFFD[31m\uFFFDb c 東é" {
		t.Errorf("%q", got)
	}
}
