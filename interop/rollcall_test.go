//go:build interop

package interop_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// rollcall is the built program, started over an empty database.
type rollcall struct {
	url, clientID string
	log           *stream
}

const managementKey = "sk_test_0123456789_abcdefghijklmnop"

var program = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "rollcall-interop-")
	if err != nil {
		return "", err
	}
	name := filepath.Join(dir, "rollcall")
	build := exec.Command("go", "build", "-o", name, "github.com/rollcallhq/rollcall/cmd/rollcall")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	text, err := build.CombinedOutput()
	if err != nil {
		return "", &buildError{string(text), err}
	}
	return name, nil
})

type buildError struct {
	text string
	err  error
}

func (e *buildError) Error() string { return "build the program: " + e.err.Error() + "\n" + e.text }

func TestMain(m *testing.M) {
	code := m.Run()
	if name, err := program(); err == nil {
		_ = os.RemoveAll(filepath.Dir(name)) // a temporary folder
	}
	os.Exit(code)
}

// stream is what a process writes, readable while it does.
type stream struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (s *stream) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.Write(p)
}

func (s *stream) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.String()
}

var clientLine = regexp.MustCompile(`"client_id":"([^"]+)"`)

func startRollcall(t *testing.T) rollcall {
	t.Helper()
	name, err := program()
	must(t, err)
	address := freeAddress(t)
	r := rollcall{url: "http://" + address, log: &stream{}}
	cmd := exec.CommandContext(t.Context(), name, "serve", "--listen", address, "--public-url", r.url, "--log-format", "json",
		"--allow-target", "127.0.0.0/8", "--data-dir", t.TempDir())
	cmd.Env = append(os.Environ(), "ROLLCALL_API_KEY="+managementKey)
	cmd.Stdout, cmd.Stderr = r.log, r.log
	must(t, cmd.Start())
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait() // how it ended is in its log
		close(ended)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt) // it may have ended
		select {
		case <-ended:
		case <-time.After(20 * time.Second):
			_ = cmd.Process.Kill()
			<-ended
		}
		if t.Failed() {
			text := r.log.String()
			t.Logf("Rollcall wrote:\n%s", text[max(0, len(text)-6000):])
		}
	})
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		if found := clientLine.FindStringSubmatch(r.log.String()); found != nil && answers(r.url+"/healthz") {
			r.clientID = found[1]
			return r
		}
		if time.Now().After(deadline) {
			t.Fatal("Rollcall did not start")
		}
	}
}

// call asks the API and gives the answer's object.
func (r rollcall) call(t *testing.T, method, path string, body any) map[string]any {
	t.Helper()
	status, answer := r.ask(t, method, path, body)
	if status/100 != 2 {
		t.Fatalf("%s %s answered %d: %v", method, path, status, answer)
	}
	return answer
}

func (r rollcall) ask(t *testing.T, method, path string, body any) (int, map[string]any) {
	t.Helper()
	text, err := json.Marshal(body)
	must(t, err)
	if body == nil {
		text = nil
	}
	q, err := http.NewRequestWithContext(t.Context(), method, r.url+path, bytes.NewReader(text))
	must(t, err)
	q.Header.Set("Authorization", "Bearer "+managementKey)
	q.Header.Set("Content-Type", "application/json")
	response, err := (&http.Client{Timeout: 30 * time.Second}).Do(q)
	must(t, err)
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	must(t, err)
	answer := map[string]any{}
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &answer); err != nil {
			return response.StatusCode, map[string]any{"body": string(raw)}
		}
	}
	return response.StatusCode, answer
}

// organization makes one that has verified the domain.
func (r rollcall) organization(t *testing.T, domain string) string {
	t.Helper()
	return r.call(t, http.MethodPost, "/organizations", map[string]any{
		"name": domain, "domain_data": []any{map[string]any{"domain": domain, "state": "verified"}},
	})["id"].(string)
}

// connection is one of Rollcall's as the API shows it.
type connection struct{ id, organization, acs, entityID, metadata, redirectURI string }

// draft makes a connection that knows nothing of its provider yet: the provider has to be told of it first.
func (r rollcall) draft(t *testing.T, domain, kind string) connection {
	t.Helper()
	organization := r.organization(t, domain)
	got := r.call(t, http.MethodPost, "/connections", map[string]any{"organization_id": organization, "connection_type": kind, "name": kind})
	text := func(name string) string { s, _ := got[name].(string); return s }
	return connection{text("id"), organization, text("acs_url"), text("sp_entity_id"), text("sp_metadata_url"), text("redirect_uri")}
}

func (r rollcall) update(t *testing.T, c connection, change map[string]any) {
	t.Helper()
	r.call(t, http.MethodPatch, "/connections/"+c.id, change)
}

// isActive says that the connection's first sign-in was seen.
func (r rollcall) isActive(t *testing.T, c connection) {
	t.Helper()
	if state := r.call(t, http.MethodGet, "/connections/"+c.id, nil)["state"]; state != "active" {
		t.Errorf("the connection is %v, want active", state)
	}
}

// application makes one with this redirect URI.
func (r rollcall) application(t *testing.T, redirectURI string, more map[string]any) oidcApp {
	t.Helper()
	settings := map[string]any{
		"name": "Interop", "application_type": "oauth", "is_first_party": true, "uses_pkce": true,
		"redirect_uris": []any{map[string]any{"uri": redirectURI, "default": true}},
	}
	for name, value := range more {
		settings[name] = value
	}
	made := r.call(t, http.MethodPost, "/connect/applications", settings)
	secret := r.call(t, http.MethodPost, "/connect/applications/"+made["id"].(string)+"/client_secrets", map[string]any{})
	return oidcApp{ID: made["client_id"].(string), Secret: secret["secret"].(string), RedirectURI: redirectURI, Method: "client_secret_basic"}
}

// asProvider is Rollcall as the application sees it, with whom its identity provider lets in.
func (r rollcall) asProvider(c connection, signIn, who map[string]string) oidcProvider {
	return oidcProvider{
		Name: "rollcall", Issuer: r.url, Scopes: []string{"profile", "email"}, SignIn: signIn, Who: who,
		Parameters: map[string]string{"connection": c.id},
	}
}

// refusal tells how the sign-in went when no code came: the attempts of the connection.
func (r rollcall) attempts(t *testing.T, c connection) string {
	t.Helper()
	_, answer := r.ask(t, http.MethodGet, "/connections/"+c.id+"/sign_in_attempts", nil)
	text, err := json.MarshalIndent(answer, "", " ")
	must(t, err)
	return strings.TrimSpace(string(text))
}
