package e2e_test

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	lastLine   = regexp.MustCompile(`(?m)^curl .*/events\?.*\n`)
	clientLine = regexp.MustCompile(`(?m)^  Client id +(client_\w+)$`)
)

// pasted runs a line as a newcomer does who copies it into a shell.
func pasted(t *testing.T, line string) object {
	t.Helper()
	var complaints bytes.Buffer
	cmd := exec.Command("sh", "-c", line)
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v %s(the program curl is needed) from: %s", err, &complaints, line)
	}
	var o object
	if err := json.Unmarshal(out, &o); err != nil {
		t.Fatalf("%v in %q, the answer to: %s", err, out, line)
	}
	return o
}

// demo starts the demo and gives the three lines it prints.
func demo(t *testing.T, h *home) (*process, []string) {
	t.Helper()
	p := h.launch(t, "serve", "--demo", "--listen", "127.0.0.1:0")
	p.says(t, p.out, lastLine)
	lines := regexp.MustCompile(`(?m)^curl .*$`).FindAllString(p.out.String(), -1)
	if len(lines) != 4 {
		t.Fatalf("the demo prints %d curl lines, want 4:\n%s", len(lines), p.out)
	}
	return p, lines
}

func TestFirst_five_minutes_are_three_lines_pasted_from_the_screen(t *testing.T) {
	h := &home{dir: t.TempDir()}
	p, lines := demo(t, h)

	arrived := pasted(t, lines[0])
	if text(arrived, "userName") != "ada@acme.example" || text(arrived, "id") == "" {
		t.Errorf("nobody arrived: %v", arrived)
	}
	seen := list(pasted(t, lines[1]), "data")
	if len(seen) != 1 || text(seen[0], "id") != text(arrived, "id") || text(seen[0], "first_name") != "Ada" || text(seen[0], "state") != "active" {
		t.Errorf("the app does not see her: %v", seen)
	}
	events := list(pasted(t, lines[2]), "data")
	if len(events) != 1 || text(events[0], "event") != "dsync.user.created" || text(events[0], "data", "id") != text(arrived, "id") {
		t.Errorf("her event is not there: %v", events)
	}
	client := p.says(t, p.out, clientLine)
	p.stop(t)

	p, lines = demo(t, h)
	if again := p.says(t, p.out, clientLine); again != client {
		t.Errorf("the client id was %s and is %s after a restart", client, again)
	}
	if got := list(pasted(t, lines[1]), "data"); len(got) != 1 || text(got[0], "id") != text(arrived, "id") {
		t.Errorf("after a restart the app sees %v", got)
	}
	if got := list(pasted(t, lines[2]), "data"); len(got) != 1 || text(got[0], "id") != text(events[0], "id") {
		t.Errorf("after a restart the events are %v", got)
	}
	// The first line pasted again meets her: a refusal in SCIM's words, not a second Ada.
	if again := pasted(t, lines[0]); text(again, "status") != "409" || !strings.Contains(text(again, "detail"), "ada@acme.example") {
		t.Errorf("a second Ada: %v", again)
	}
	p.stop(t)
	if found, err := filepath.Glob(filepath.Join(h.dir, "rollcall-demo", "rollcall.db")); err != nil || len(found) != 1 {
		t.Errorf("the demo's data is not in ./rollcall-demo: %v %v", found, err)
	}
}
