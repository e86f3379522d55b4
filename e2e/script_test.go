package e2e_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
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
// with path, answer, the header webhook-id and body.
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
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"await": await, "receive": receive},
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
