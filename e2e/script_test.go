package e2e_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestCommand_line runs testdata/script. Beside testscript's own commands there is
//
//	await FILE REGEXP [NAME]
//
// which waits until a file that a background process writes matches, and puts the first group into the variable NAME.
func TestCommand_line(t *testing.T) {
	must(t, noteSources())
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", "script"),
		Setup: func(env *testscript.Env) error {
			env.Setenv("PATH", filepath.Dir(program)+string(os.PathListSeparator)+env.Getenv("PATH"))
			env.Setenv("LONG_KEY", managementKey)
			env.Setenv("SEALING_KEY", sealingKey)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"await": await},
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
