package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// played runs a simulation against a server that answers everything alike.
func played(t *testing.T, status int, body string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer scim_test" {
			status = http.StatusUnauthorized
		}
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}))
	defer server.Close()
	environ := []string{"ROLLCALL_SCIM_URL=" + server.URL + "/scim/v2/acme", "ROLLCALL_SCIM_TOKEN=scim_test"}
	return command(t, environ, append([]string{"simulate"}, args...)...)
}

const nobody = `{"totalResults":0,"Resources":[]}`

func TestSimulation_exits_as_the_server_answers(t *testing.T) {
	for _, tc := range []struct {
		status int
		body   string
		code   int
		stdout string
		stderr string
	}{
		{200, nobody, exitOK, "Okta: the app was verified successfully", ""},
		{403, `{"detail":"not \u001b[31mtoday"}`, exitFailed, "403", "Okta would show: Error authenticating: Forbidden. Errors reported by remote server: not  [31mtoday"},
		{200, `{"totalResults":"0"}`, exitFailed, "Okta would show", "totalResults is no integer"},
		{501, `{}`, exitLater, "501", "Not Implemented"},
	} {
		code, stdout, stderr := played(t, tc.status, tc.body, "okta", "connect")
		if code != tc.code || !strings.Contains(stdout, tc.stdout) || !strings.Contains(stderr, tc.stderr) || strings.Contains(stdout+stderr, "\x1b") || strings.Contains(stdout+stderr, "scim_test") {
			t.Errorf("%d %s: exit %d\n%s\n%s", tc.status, tc.body, code, stdout, stderr)
		}
		if !strings.Contains(stdout, "\nRequests: ") {
			t.Errorf("no summary: %s", stdout)
		}
	}
	code, _, stderr := command(t, nil, "simulate", "okta", "connect", "--url", "http://127.0.0.1:1/scim", "--token", "x")
	if code != exitLater || !strings.Contains(stderr, "cannot be reached") {
		t.Errorf("a server that is down: exit %d, %s", code, stderr)
	}
}

func TestSimulation_says_what_is_wrong_with_the_command_line(t *testing.T) {
	for _, tc := range []struct {
		args []string
		want string
	}{
		{[]string{"acme"}, `there is no provider "acme"; there are authentik, entra-id, jumpcloud, okta, onelogin, oracle-oci-iam, pingfederate, pingone`},
		{[]string{"ping"}, `there is no provider "ping"`},
		{[]string{"google"}, "Google Workspace sends no SCIM."},
		{[]string{"okta", "dance"}, `there is no act "dance" without --user or --group`},
		{[]string{"okta", "hire", "--scenario", "leave"}, "Give one"},
		{[]string{"okta", "dance", "--user", "ada@acme.example"}, "nothing that happens to a person"},
		{[]string{"okta", "dance", "--group", "Staff"}, "nothing that happens to a group"},
		{[]string{"okta", "rename", "--group", "Staff"}, "Give --to"},
		{[]string{"okta", "hire", "--user", "ada@acme.example", "--set", "shoe=44"}, `no attribute "shoe"`},
		{[]string{"okta", "--option", "sings"}, `no option "sings"`},
		{[]string{"okta", "--people", "0"}, "want 1 to"},
		{[]string{"okta", "--url", "nonsense"}, "is no address"},
		{[]string{"okta", "--token-file", "nothing-here"}, "no such file"},
		{[]string{"pingone", "import"}, "has no such move"},
	} {
		if code, _, stderr := played(t, 200, nobody, tc.args...); code != exitUsage || !strings.Contains(stderr, tc.want) {
			t.Errorf("%q: exit %d, %s", tc.args, code, stderr)
		}
	}
	for _, environ := range [][]string{{"ROLLCALL_SCIM_TOKEN=x"}, {"ROLLCALL_SCIM_URL=http://127.0.0.1:1"}} {
		if code, _, stderr := command(t, environ, "simulate", "okta"); code != exitUsage || !strings.Contains(stderr, "ROLLCALL_SCIM_") {
			t.Errorf("%q: exit %d, %s", environ, code, stderr)
		}
	}
}

func TestSimulation_keeps_its_state_for_its_owner_only(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state.json")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			fmt.Fprint(w, nobody)
			return
		}
		w.WriteHeader(http.StatusCreated)
		fmt.Fprint(w, `{"id":"u1","active":true}`)
	}))
	defer server.Close()
	args := []string{"simulate", "okta", "--url", server.URL, "--token", "scim_test", "--keep-state", file}
	if code, _, stderr := command(t, nil, append(args, "hire", "--user", "ada.lovelace@acme.example", "-v")...); code != exitOK {
		t.Fatal(stderr)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 || strings.Contains(string(text), "scim_test") || !strings.Contains(string(text), `"scim_id": "u1"`) || !strings.Contains(string(text), `"last_name": "Lovelace"`) {
		t.Errorf("%s %s", info.Mode(), text)
	}
	code, stdout, _ := command(t, nil, append(args, "leave", "--user", "ada.lovelace@acme.example")...)
	if code != exitOK || !strings.Contains(stdout, "PATCH  /Users/u1  201") || strings.Contains(stdout, "GET") {
		t.Errorf("exit %d, %s", code, stdout)
	}
	if err := os.WriteFile(file, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := command(t, nil, append(args, "connect")...); code != exitUsage || !strings.Contains(stderr, "holds no state") {
		t.Errorf("exit %d, %s", code, stderr)
	}
}

func TestSimulation_repeats_its_cycle_until_it_is_stopped(t *testing.T) {
	requests := make(chan struct{}, 100)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodPost:
			w.WriteHeader(http.StatusCreated)
		case strings.Contains(r.URL.RawQuery, "filter"):
			fmt.Fprint(w, nobody)
			return
		default:
			requests <- struct{}{}
		}
		fmt.Fprint(w, `{"id":"u1","active":true,"userName":"ada@acme.example","displayName":"Ada"}`)
	}))
	defer server.Close()
	file := filepath.Join(t.TempDir(), "state.json")
	args := []string{"simulate", "entra", "--url", server.URL, "--token", "x", "--keep-state", file}
	if code, _, stderr := command(t, nil, append(args, "hire", "--user", "ada@acme.example")...); code != exitOK {
		t.Fatal(stderr)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan int)
	var out, complaints spoken
	go func() {
		ended <- run(ctx, world{stdout: &out, stderr: &complaints}, append(args, "cycle", "--every", "1ms"))
	}()
	for range 6 {
		select {
		case <-requests:
		case <-time.After(10 * time.Second):
			t.Fatal("the cycle does not come again")
		}
	}
	stop()
	if code := <-ended; code != exitOK {
		t.Errorf("exit %d, %s", code, complaints.String())
	}
}

func TestOptions_of_a_provider_are_listed(t *testing.T) {
	code, stdout, _ := command(t, nil, "simulate", "okta", "--option", "list")
	if code != exitOK || !strings.Contains(stdout, "wizard-app         A custom app made by") {
		t.Errorf("exit %d, %s", code, stdout)
	}
	if code, _, stderr := command(t, nil, "simulate", "pingone", "--option", "list"); code != exitOK || !strings.Contains(stderr, "has no options") {
		t.Errorf("exit %d, %s", code, stderr)
	}
}
