// Package sdk_test drives the built program with the official WorkOS SDKs and runs what examples/ holds: nothing but the base URL
// is changed for them. What the SDKs are answered is also held against the contract, as it goes over the wire.
//
// The SDKs, and Node to run two of them, are installed into folders that git ignores (tools_test.go); Python 3.11 with venv is all
// that has to be there.
package sdk_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

const root = "../.." // of the module

// program is the binary under test, with the race detector when the tests run with it.
var program string

// noteSources lets the test cache know what the program and the scripts are made of: it notices the files that a test looks at,
// not those that the go command and other programs read.
var noteSources = sync.OnceValue(func() error {
	look := func(path string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist): // an editor's or a test's, and gone again
			return nil
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "node_modules" || strings.HasPrefix(d.Name(), ".venv")):
			return fs.SkipDir
		}
		if _, err = os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	}
	var errs []error
	for _, part := range []string{"cmd", "internal", "client", "examples", "e2e/sdk", "go.mod", "go.sum"} {
		errs = append(errs, filepath.WalkDir(filepath.Join(root, part), look))
	}
	return errors.Join(errs...)
})

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "rollcall-sdk-")
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e/sdk:", err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }() // what is left is in the temporary folder
	program = filepath.Join(dir, "rollcall")
	if err := build(program); err != nil {
		fmt.Fprintln(os.Stderr, "e2e/sdk: build the program:", err)
		return 1
	}
	return m.Run()
}

func build(to string) error {
	args := []string{"build", "-o", to}
	cgo := "CGO_ENABLED=0" // as it is released
	if underRace {
		args, cgo = append(args, "-race"), "CGO_ENABLED=1"
	}
	cmd := exec.Command("go", append(args, "github.com/rollcallhq/rollcall/cmd/rollcall")...)
	cmd.Env = append(os.Environ(), cgo)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	return cmd.Run()
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
