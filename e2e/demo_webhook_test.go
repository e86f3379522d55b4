//go:build unix

package e2e_test

import (
	"encoding/json"
	"errors"
	"net"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// The lines of the guide by which an app hears of its first person, with the demo running: one makes the endpoint, one starts the
// receiver with the secret that the first one printed, one sends a person as an identity provider does, and one takes her away.
// SCIM and TOKEN are what the demo prints, ID is in the answer that the person got.
const (
	makeEndpoint  = `bin/rollcall webhook create http://127.0.0.1:9000/webhooks --events dsync.user.created,dsync.user.updated,dsync.user.deleted`
	startReceiver = `WEBHOOK_SECRETS=whsec_… go run ./examples/receiver-go`
	followLog     = `bin/rollcall event tail -f`
	arrive        = `curl -s "$SCIM/Users" -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/scim+json' ` +
		`-d '{"userName":"grace@example.com","active":true}'`
	leave = `curl -sX PATCH "$SCIM/Users/$ID" -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/scim+json' ` +
		`-d '{"Operations":[{"op":"replace","path":"active","value":false}]}'`
)

var (
	secretLine  = regexp.MustCompile(`(?m)^SECRET +(whsec_\S+)$`)
	keyLine     = regexp.MustCompile(`(?m)^  API key +(sk_demo\w+)$`)
	scimLine    = regexp.MustCompile(`(?m)^  SCIM base URL +(\S+)$`)
	tokenLine   = regexp.MustCompile(`(?m)^  Bearer token +(\S+)$`)
	addressLine = regexp.MustCompile(`(?m)^  Address +(\S+)$`)
)

func TestGuide_has_the_lines_of_the_first_event(t *testing.T) {
	guide, err := os.ReadFile("../docs/guide/first-event.md")
	must(t, err)
	for _, line := range []string{makeEndpoint, startReceiver, followLog, arrive, leave} {
		if !strings.Contains(string(guide), line) {
			t.Errorf("the guide lacks: %s", line)
		}
	}
}

// typed is a line run in the project's folder by a shell, to the end of the test. A signal reaches what the line has started too.
func typed(t *testing.T, line string, env ...string) *process {
	t.Helper()
	cmd := exec.Command("sh", "-c", strings.ReplaceAll(line, "bin/rollcall", program))
	cmd.Dir = ".."
	cmd.Env = slices.Concat(os.Environ(), env)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	p := &process{cmd: cmd, out: &stream{}, log: &stream{}, ended: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = p.out, p.log
	must(t, cmd.Start())
	go func() {
		_ = cmd.Wait() // how it ended is in ProcessState
		close(p.ended)
	}()
	t.Cleanup(func() {
		if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
			t.Error(err)
		}
		p.wait(t)
	})
	return p
}

// finished is typed for lines that end by themselves, and well.
func finished(t *testing.T, line string, env ...string) *process {
	t.Helper()
	p := typed(t, line, env...)
	if code := p.wait(t); code != 0 {
		t.Fatalf("exit code %d: %s from: %s", code, p.log, line)
	}
	return p
}

// freeAddress is one that nobody listened at a moment ago.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer func() { _ = l.Close() }() // nothing was asked of it
	return l.Addr().String()
}

func TestApp_receives_its_first_event_by_the_lines_of_the_guide(t *testing.T) {
	p, lines := demo(t, &home{dir: t.TempDir()})
	pasted(t, lines[0]) // of the first screen; Ada was there before the endpoint
	shown := func(line *regexp.Regexp) string { return p.says(t, p.out, line) }
	// The ports are the test's own; the lines are as they are printed.
	env := []string{
		"ROLLCALL_URL=" + shown(addressLine), "ROLLCALL_API_KEY=" + shown(keyLine),
		"SCIM=" + shown(scimLine), "TOKEN=" + shown(tokenLine),
	}
	listen := freeAddress(t)

	log := typed(t, followLog, env...)
	made := finished(t, strings.Replace(makeEndpoint, "127.0.0.1:9000", listen, 1), env...)
	secret := made.says(t, made.out, secretLine)
	receiver := typed(t, strings.Replace(startReceiver, "whsec_…", secret, 1), "LISTEN="+listen)
	receiver.says(t, receiver.out, regexp.MustCompile(`(?m)^listening on http://`+regexp.QuoteMeta(listen)+`/webhooks$`))

	arrived := finished(t, arrive, env...)
	receiver.says(t, receiver.out, regexp.MustCompile(`(?m)^grace@example\.com may use the app: true$`))
	log.says(t, log.out, regexp.MustCompile(`(?m)^[0-9-]+ [0-9:]+Z  dsync\.user\.created +grace@example\.com +event_\w+$`))

	var grace object
	must(t, json.Unmarshal([]byte(arrived.out.String()), &grace))
	finished(t, leave, append(env, "ID="+text(grace, "id"))...)
	receiver.says(t, receiver.out, regexp.MustCompile(`(?m)^grace@example\.com may use the app: false$`))
	log.says(t, log.out, regexp.MustCompile(`(?m)dsync\.user\.updated +grace@example\.com \(inactive\) +event_\w+$`))
	t.Logf("the endpoint:\n%s%s\nthe receiver:\n%s\nthe log:\n%s", made.out, made.log, receiver.out, log.out)
	p.stop(t)
}

// What the demo may call by itself is this machine; a setting of one's own stands in its place.
func TestDemo_calls_receivers_on_this_machine_and_none_elsewhere_in_private(t *testing.T) {
	create := func(p *process, url string) (int, string) {
		made := typed(t, "bin/rollcall webhook create "+url+" --events dsync.user.created",
			"ROLLCALL_URL="+p.says(t, p.out, addressLine), "ROLLCALL_API_KEY="+p.says(t, p.out, keyLine))
		return made.wait(t), made.log.String()
	}
	p, _ := demo(t, &home{dir: t.TempDir()})
	for _, url := range []string{"http://127.0.0.1:9000/webhooks", "http://[::1]:9000/webhooks"} {
		if code, complaints := create(p, url); code != 0 {
			t.Errorf("%s: %d %s", url, code, complaints)
		}
	}
	for _, url := range []string{"http://10.0.0.1/webhooks", "http://169.254.169.254/latest", "http://[fe80::1]/"} {
		if code, complaints := create(p, url); code != 1 || !strings.Contains(complaints, "--allow-target") {
			t.Errorf("%s: %d %s", url, code, complaints)
		}
	}
	p.stop(t)

	own, _ := demo(t, &home{dir: t.TempDir(), env: []string{"ROLLCALL_ALLOW_TARGET=10.1.0.0/16"}})
	if code, complaints := create(own, "http://127.0.0.1:9000/webhooks"); code != 1 || !strings.Contains(complaints, "--allow-target") {
		t.Errorf("with a setting of one's own: %d %s", code, complaints)
	}
	if code, complaints := create(own, "http://10.1.0.1/webhooks"); code != 0 {
		t.Errorf("with a setting of one's own: %d %s", code, complaints)
	}
	own.stop(t)
}
