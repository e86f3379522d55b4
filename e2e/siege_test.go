package e2e_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rollcallhq/rollcall/internal/db"
)

// target is an address that takes bodies.
type target struct{ method, path, secret string }

// fixture is what the nasty requests are aimed at.
type fixture struct {
	p           *process
	x           tenant
	user, group string
}

func newFixture(t *testing.T, p *process) fixture {
	t.Helper()
	x := newTenant(t, p, "Besieged")
	idp := x.scim(p)
	f := fixture{p: p, x: x}
	f.user = text(idp.must(t, 201, "POST", "/Users", userBody("ann", "Ann")), "id")
	f.group = text(idp.must(t, 201, "POST", "/Groups", groupBody("Team")), "id")
	idp.must(t, 200, "PATCH", "/Groups/"+f.group+"?attributes=id", addMember(f.user))
	return f
}

func (f fixture) targets() []target {
	s, scim := f.x.path, f.x.token
	return []target{
		{"POST", s + "/Users", scim},
		{"PUT", s + "/Users/" + f.user, scim},
		{"PATCH", s + "/Users/" + f.user, scim},
		{"POST", s + "/Groups", scim},
		{"PUT", s + "/Groups/" + f.group, scim},
		{"PATCH", s + "/Groups/" + f.group, scim},
		{"POST", s + "/Bulk", scim},
		{"POST", s + "/.search", scim},
		{"POST", s + "/Users/.search", scim},
		{"POST", "/organizations", managementKey},
		{"POST", "/directories", managementKey},
		{"POST", "/directories/" + f.x.directory + "/tokens", managementKey},
	}
}

// request writes one as it goes over the wire: no library would send some of these.
func (f fixture) request(at target, body string, headers ...string) string {
	lines := append([]string{
		at.method + " " + at.path + " HTTP/1.1", "Host: " + f.p.address(), "Authorization: Bearer " + at.secret,
		"Content-Type: application/json", fmt.Sprintf("Content-Length: %d", len(body)), "Connection: close",
	}, headers...)
	return strings.Join(lines, "\r\n") + "\r\n\r\n" + body
}

// send gives the answer, or none when the server just hung up.
func (f fixture) send(t *testing.T, wire string) (a answer, answered bool) {
	t.Helper()
	conn := f.p.dial(t)
	defer func() { _ = conn.Close() }()
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		_, _ = io.WriteString(conn, wire) // a server that refuses early need not read it all
	}()
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		_ = conn.Close()
		<-sent
		return answer{}, false
	}
	raw, _ := io.ReadAll(res.Body) // of a HEAD there is none
	_ = res.Body.Close()
	_ = conn.Close()
	<-sent
	return answer{res.StatusCode, res.Header, raw}, true
}

// check holds an answer against what every stranger is owed.
func (f fixture) check(t *testing.T, what string, a answer) {
	t.Helper()
	// RFC 7644 section 3.11 wants a 501 for /Me where it is not offered.
	if a.status >= 500 && (a.status != http.StatusNotImplemented || !strings.Contains(what, "/Me")) {
		t.Errorf("%s: %d %s", what, a.status, a.raw)
	}
	id := a.header.Get("X-Request-Id")
	if !strings.HasPrefix(id, "req_") {
		t.Errorf("%s: %d without a request id: %s", what, a.status, a.raw)
		return
	}
	if line := f.p.access(t, id); int(line["status"].(float64)) != a.status {
		t.Errorf("%s: answered %d, logged as %v", what, a.status, line)
	}
	if a.status >= 400 && !strings.HasPrefix(what, http.MethodHead+" ") {
		checkRefusal(t, what, a, id)
	}
}

// checkRefusal: a sentence for a person, in the format of the edge, with the id that finds it in the log.
func checkRefusal(t *testing.T, what string, a answer, id string) {
	t.Helper()
	var body struct {
		Status    string `json:"status"`
		Detail    string `json:"detail"`
		Code      string `json:"code"`
		Message   string `json:"message"`
		RequestID string `json:"request_id"`
	}
	if err := json.Unmarshal(a.raw, &body); err != nil {
		t.Errorf("%s: %d, %v in %q", what, a.status, err, a.raw)
		return
	}
	scim := body.Status == fmt.Sprint(a.status) && len(body.Detail) > 20 && strings.Contains(body.Detail, id)
	api := body.Code != "" && len(body.Message) > 20 && body.RequestID == id
	if !scim && !api {
		t.Errorf("%s: %d names nothing: %s", what, a.status, a.raw)
	}
	if !bytes.Equal(a.raw, bytes.ToValidUTF8(a.raw, nil)) || bytes.ContainsRune(a.raw, 0) {
		t.Errorf("%s: the refusal repeats bytes that are no text: %q", what, a.raw)
	}
}

// besieged starts a server, lets the story throw things at it and sees that it stands.
func besieged(t *testing.T, story func(t *testing.T, f fixture)) {
	t.Helper()
	eachEngine(t, func(t *testing.T, engine db.Engine) {
		p := newHome(t, engine).start(t, "--log-level", "debug") // probes and scrapes are in the log too
		f := newFixture(t, p)
		story(t, f)
		if !p.alive() || p.status("/readyz") != http.StatusOK {
			t.Fatalf("the server is down:\n%s", p.log.tail())
		}
		f.x.scim(p).must(t, 201, "POST", "/Users", userBody("afterwards", "Afterwards"))
		if hit := regexp.MustCompile(`(?m)^.*("level":"ERROR"|panic).*$`).FindString(p.log.String()); hit != "" {
			t.Errorf("the log has a failure of ours: %s", hit)
		}
		p.stop(t)
	})
}

func (f fixture) sendAndCheck(t *testing.T, what, wire string) answer {
	t.Helper()
	a, answered := f.send(t, wire)
	if !answered {
		t.Errorf("%s: no answer", what)
		return a
	}
	// HTTP itself refuses before any edge sees the request: in plain text, and there is nothing to log.
	if a.header.Get("X-Request-Id") == "" && slices.Contains([]int{400, 431, 501}, a.status) && strings.HasPrefix(a.header.Get("Content-Type"), "text/plain") {
		return a
	}
	f.check(t, what, a)
	return a
}
