package e2e_test

import (
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestCommand_line runs testdata/script. Beside testscript's own commands there is
//
//	await FILE REGEXP [NAME]
//
// which waits until a file that a background process writes matches, and puts the first group into the variable NAME, and
//
//	receive FILE NAME
//
// which receives webhooks until the end of the script: the variable NAME is the address, and each delivery a line of the file
// with path, answer, the header webhook-id and body, and
//
//	visit FILE URL [NAME=VALUE…]
//
// which opens an address in a browser without script, sends the forms that it is led to, filled with the values whose names they have, and
// puts the first page without a form into FILE. Each visit is a browser of its own.
func TestCommand_line(t *testing.T) {
	must(t, noteSources())
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", "script"),
		Setup: func(env *testscript.Env) error {
			env.Setenv("PATH", filepath.Dir(program)+string(os.PathListSeparator)+env.Getenv("PATH"))
			env.Setenv("GORACE", "halt_on_error=1 atexit_sleep_ms=0") // as in home.command
			env.Setenv("LONG_KEY", managementKey)
			env.Setenv("SEALING_KEY", sealingKey)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"await": await, "receive": receive, "visit": visit},
	})
}

func await(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 || len(args) > 3 {
		ts.Fatalf("usage: await FILE REGEXP [NAME]")
	}
	wanted, err := regexp.Compile(args[1])
	ts.Check(err)
	for deadline := time.Now().Add(patience); ; time.Sleep(pause) {
		raw, err := os.ReadFile(ts.MkAbs(args[0]))
		if found := wanted.FindStringSubmatch(string(raw)); err == nil && found != nil {
			if len(args) == 3 {
				ts.Setenv(args[2], found[len(found)-1])
			}
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("%s never matched %s:\n%s", args[0], args[1], raw)
		}
	}
}

func receive(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: receive FILE NAME")
	}
	file, err := os.Create(ts.MkAbs(args[0]))
	ts.Check(err)
	var mu sync.Mutex
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		status := http.StatusNoContent
		body, err := io.ReadAll(r.Body)
		if err == nil {
			_, err = fmt.Fprintf(file, "%s %d %s %s\n", r.URL.Path, status, r.Header.Get("Webhook-Id"), body)
		}
		if err != nil { // the script misses the line
			status = http.StatusInternalServerError
		}
		w.WriteHeader(status)
	}))
	ts.Defer(func() {
		app.Close()
		_ = file.Close() // what was written is read already
	})
	ts.Setenv(args[1], app.URL)
}

var (
	formOf  = regexp.MustCompile(`(?s)<form([^>]*)>(.*?)</form>`)
	inputOf = regexp.MustCompile(`<(?:input|button)[^>]*>`)
	partOf  = regexp.MustCompile(`([\w-]+)="([^"]*)"`)
)

func visit(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: visit FILE URL [NAME=VALUE…]")
	}
	jar, err := cookiejar.New(nil)
	ts.Check(err)
	browser := &http.Client{Jar: jar, Timeout: patience}
	given := map[string]string{}
	for _, pair := range args[2:] {
		name, value, _ := strings.Cut(pair, "=")
		given[name] = value
	}
	page, err := browser.Get(args[1])
	const most = 10 // forms in a row
	for range most {
		ts.Check(err)
		raw, err2 := io.ReadAll(page.Body)
		ts.Check(err2)
		ts.Check(page.Body.Close())
		form := formOf.FindSubmatch(raw)
		if form == nil {
			ts.Check(os.WriteFile(ts.MkAbs(args[0]), raw, 0o600))
			return
		}
		to, err3 := page.Request.URL.Parse(partsOf(string(form[1]))["action"])
		ts.Check(err3)
		page, err = browser.PostForm(to.String(), filled(string(form[2]), given))
	}
	ts.Fatalf("%s leads from form to form", args[1])
}

func partsOf(tag string) map[string]string {
	out := map[string]string{}
	for _, part := range partOf.FindAllStringSubmatch(tag, -1) {
		out[part[1]] = html.UnescapeString(part[2])
	}
	return out
}

// filled gives what a form sends: what is hidden in it, and the values for its other fields.
func filled(form string, given map[string]string) url.Values {
	out := url.Values{}
	for _, tag := range inputOf.FindAllString(form, -1) {
		field := partsOf(tag)
		if value, known := given[field["name"]]; known {
			out.Set(field["name"], value)
		} else if field["type"] == "hidden" {
			out.Set(field["name"], field["value"])
		}
	}
	return out
}
