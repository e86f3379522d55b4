package simulate_test

import (
	"crypto/sha256"
	"encoding/base64"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/simulate"
)

var now = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

// clock can be turned by a test.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

// serve mounts a handler at a path below a server's address, which has to be known before the handler is made.
func serve(t *testing.T, path string, build func(base string) http.Handler) string {
	t.Helper()
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	mux.Handle(path+"/", build(server.URL+path))
	return server.URL + path
}

// browser follows nothing by itself.
func browser() *http.Client {
	return &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

type seen struct {
	status   int
	location *url.URL
	header   http.Header
	body     string
}

func see(t *testing.T, answer *http.Response, err error) seen {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	s := seen{status: answer.StatusCode, header: answer.Header, body: string(body)}
	if to := answer.Header.Get("Location"); to != "" {
		if s.location, err = url.Parse(to); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func get(t *testing.T, address string) seen {
	t.Helper()
	answer, err := browser().Get(address)
	return see(t, answer, err)
}

func post(t *testing.T, address string, form url.Values) seen {
	t.Helper()
	answer, err := browser().PostForm(address, form)
	return see(t, answer, err)
}

// form reads the page's first form as a browser without script would send it.
func (s seen) form(t *testing.T) (action string, fields url.Values) {
	t.Helper()
	if s.status != http.StatusOK {
		t.Fatalf("%d %s", s.status, s.body)
	}
	found := regexp.MustCompile(`<form method="post" action="([^"]*)">`).FindStringSubmatch(s.body)
	if found == nil {
		t.Fatalf("no form in %s", s.body)
	}
	fields = url.Values{}
	for _, one := range regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`).FindAllStringSubmatch(s.body, -1) {
		fields.Set(html.UnescapeString(one[1]), html.UnescapeString(one[2]))
	}
	return html.UnescapeString(found[1]), fields
}

// pick fills the page in.
func (s seen) pick(t *testing.T, base string, pairs ...string) seen {
	t.Helper()
	action, fields := s.form(t)
	for i := 0; i < len(pairs); i += 2 {
		fields.Set(pairs[i], pairs[i+1])
	}
	at, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	return post(t, at.ResolveReference(&url.URL{Path: action}).String(), fields)
}

func (s seen) refused(t *testing.T, text string) {
	t.Helper()
	if s.status != http.StatusBadRequest || !strings.Contains(html.UnescapeString(s.body), text) || s.location != nil {
		t.Errorf("%d %s; wanted a refusal with %q", s.status, s.body, text)
	}
}

func people() []simulate.Person { return simulate.People("acme.example") }

// Every page warns, may not be framed, and runs nothing but its own style and script.
func checkPage(t *testing.T, s seen) {
	t.Helper()
	policy := s.header.Get("Content-Security-Policy")
	if !strings.Contains(policy, "default-src 'none'") || !strings.Contains(policy, "frame-ancestors 'none'") || strings.Contains(policy, "unsafe") || s.header.Get("Cache-Control") != "no-store" {
		t.Errorf("%v", s.header)
	}
	for _, tag := range []string{"style", "script"} {
		if _, rest, found := strings.Cut(s.body, "<"+tag+">"); found {
			text, _, _ := strings.Cut(rest, "</"+tag+">")
			sum := sha256.Sum256([]byte(text))
			if !strings.Contains(policy, tag+"-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'") {
				t.Errorf("the policy does not let the page's %s be", tag)
			}
		}
	}
	if !strings.Contains(s.body, "It signs in anybody as anybody") {
		t.Error("the page does not warn")
	}
}
