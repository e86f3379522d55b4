package sdk_test

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestExamples_run_as_they_are starts what a newcomer starts, and runs against it what examples/ says to run.
func TestExamples_run_as_they_are(t *testing.T) {
	box := tools(t)
	p := launch(t, t.TempDir(), nil, program, "serve", "--demo", "--listen", "127.0.0.1:0")
	shown := func(name string) string {
		t.Helper()
		return p.says(t, p.out, regexp.MustCompile(`(?m)^  `+name+` +(\S+)\n`))
	}
	env := []string{
		"ROLLCALL_URL=" + shown("Base URL"), "ROLLCALL_API_KEY=" + shown("API key"), "ROLLCALL_CLIENT_ID=" + shown("Client id"),
		"CURSOR_FILE=" + filepath.Join(t.TempDir(), "cursor"),
	}

	lines := example(t, env, "", "sh", "curl.sh")
	wanted := []string{
		"organization.created", "dsync.token.created", "dsync.activated", "dsync.user.created", "dsync.group.created",
		"dsync.group.user_added", "dsync.user.updated", "dsync.group.user_removed",
	}
	// What members do about her follows on its own, a moment later.
	got := slices.DeleteFunc(ends(lines), func(line string) bool {
		return strings.HasPrefix(line, "organization_membership.") || strings.HasPrefix(line, "invitation.") || strings.HasPrefix(line, "user.")
	})
	if got = got[max(0, len(got)-len(wanted)):]; !slices.Equal(got, wanted) {
		t.Errorf("curl.sh reads the events %q, want %q", got, wanted)
	}
	if !strings.Contains(strings.Join(lines, "\n"), `"email":"grace@acme.example"`) {
		t.Errorf("curl.sh does not show her:\n%s", strings.Join(lines, "\n"))
	}

	lines = example(t, env, "node-sdk", box.node, "app.mjs")
	for _, line := range []string{"Acme Okta (active)", "  grace@acme.example, inactive, in no group", "Demo directory (inactive)"} {
		if !slices.Contains(lines, line) {
			t.Errorf("the app of node-sdk does not print %q:\n%s", line, strings.Join(lines, "\n"))
		}
	}
	told := func(lines []string) (out []string) {
		for _, line := range lines {
			if _, event, found := strings.Cut(line, "Z  "); found {
				out = append(out, event)
			}
		}
		return out
	}
	wanted = []string{
		"dsync.user.created  grace@acme.example", "dsync.group.created  Engineers", "dsync.group.user_added  grace@acme.example Engineers",
		"dsync.user.updated  grace@acme.example", "dsync.group.user_removed  grace@acme.example Engineers",
	}
	if got := told(lines); !slices.Equal(got, wanted) {
		t.Errorf("the app of node-sdk is told %q, want %q", got, wanted)
	}
	if got := told(example(t, env, "node-sdk", box.node, "app.mjs")); got != nil {
		t.Errorf("started again it is told %q once more", got)
	}

	// Without the right key an example says what the server says.
	stranger := launch(t, root+"/examples", []string{env[0], "ROLLCALL_API_KEY=sk_wrong"}, "sh", "curl.sh")
	stranger.says(t, stranger.log, regexp.MustCompile(`(The management key is not valid)`))
	<-stranger.ended
	if stranger.cmd.ProcessState.Success() {
		t.Error("curl.sh succeeds with a wrong key")
	}
}

// example runs a program of examples/ to its end and gives the lines that it prints.
func example(t *testing.T, env []string, folder, name string, args ...string) []string {
	t.Helper()
	p := play(t, env, filepath.Join(root, "examples", folder), name, args...)
	return strings.Split(strings.TrimRight(p.out.String(), "\n"), "\n")
}

// ends gives the last word of each line.
func ends(lines []string) []string {
	out := make([]string, len(lines))
	for i, line := range lines {
		out[i] = line[strings.LastIndex(line, " ")+1:]
	}
	return out
}
