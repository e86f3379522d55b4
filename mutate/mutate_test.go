package main

import (
	"bytes"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const source = `package small

import "errors"

var errBad = errors.New("bad")

type box struct{ n int }

func (b *box) check(s string) error {
	if s == "" {
		return errBad
	}
	if len(s) > 3 {
		b.n++
		return errBad
	}
	if b.n > 9 {
		return nil
	}
	switch {
	case s == "a", s == "b":
		return errBad
	case s == "c":
		return nil
	}
	switch s {
	case "d":
		return errBad
	default:
		return errors.New("d")
	}
}

func fine(n int) (int, bool) {
	if n < 0 {
		return 0, false
	}
	if n > 9 {
		return n, true
	}
	f := func() error {
		if n == 3 {
			return errBad
		}
		return nil
	}
	return n, f() == nil
}

func silent(n int) int {
	if n > 1 {
		return 2
	}
	return n
}
`

func TestGuards_are_found_and_nothing_else(t *testing.T) {
	guards, err := guardsOf("small.go", []byte(source), &module{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	var edits []edit
	for i, g := range guards {
		got = append(got, g.function+": "+g.text)
		edits = append(edits, numbered(g, i)...)
	}
	changed := instrumented([]byte(source), edits)
	if _, err := parser.ParseFile(token.NewFileSet(), "", changed, 0); err != nil || strings.Count(string(changed), "mutate") != len(guards) {
		t.Errorf("instrumented it is no Go, or not whole: %v\n%s", err, changed)
	}
	want := []string{`box.check: s == ""`, `box.check: case s == "a"`, `box.check: case s == "b"`, `box.check: case "d"`, "box.check: case default", "fine: n < 0", "fine: n == 3"}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("found\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// inPackage writes a module with a package and its tests and goes there.
func inPackage(t *testing.T, code, tests string) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"go.mod": "module small\n\ngo 1.26\n", "small.go": code, "small_test.go": tests} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
}

const guarded = `package small

import "errors"

func check(n int) error {
	if n < 0 {
		return errors.New("small")
	}
	if n > 9 {
		return errors.New("large")
	}
	return nil
}
`

const half = `package small

import "testing"

func TestSmall(t *testing.T) {
	if check(-1) == nil {
		t.Error("accepted")
	}
}
`

func TestSurvivor_fails_the_run_and_an_entry_with_a_reason_allows_it(t *testing.T) {
	inPackage(t, guarded, half)
	o := options{packages: []string{"."}, allowed: "allowed.txt", timeout: time.Minute, parallel: 2}
	run := func(list string) (string, error) {
		t.Helper()
		if err := os.WriteFile("allowed.txt", []byte(list), 0o600); err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		err := mutate(t.Context(), o, &out)
		return out.String(), err
	}
	out, err := run("")
	if err == nil || !strings.Contains(err.Error(), "SURVIVED: small.go:9 check: n > 9") || !strings.Contains(out, "2 guards: 1 killed, 1 survived") {
		t.Errorf("%v\n%s", err, out)
	}
	if out, err := run("# known\nsmall.go\tcheck\tn > 9\tnobody is so large\n"); err != nil || !strings.Contains(out, "allowed to survive") {
		t.Errorf("%v\n%s", err, out)
	}
	if _, err := run("small.go\tcheck\tn > 9\t \n"); err == nil || !strings.Contains(err.Error(), "a reason") {
		t.Errorf("an entry without a reason: %v", err)
	}
	if _, err := run("small.go\tcheck\tn > 9\tx\nsmall.go\tcheck\tn < 0\tx\n"); err == nil || !strings.Contains(err.Error(), "killed, so it needs no entry") {
		t.Errorf("an entry for what is killed: %v", err)
	}
	if _, err := run("small.go\tcheck\tn > 9\tx\nsmall.go\tgone\tn > 9\tx\n"); err == nil || !strings.Contains(err.Error(), "no guard answers to") {
		t.Errorf("an entry for what is gone: %v", err)
	}
	after, err := os.ReadFile("small.go")
	if err != nil || string(after) != guarded {
		t.Errorf("the source was changed: %v\n%s", err, after)
	}
}

func TestFailing_tests_are_told_before_anything_runs(t *testing.T) {
	inPackage(t, guarded, strings.Replace(half, "== nil", "!= nil", 1))
	err := mutate(t.Context(), options{packages: []string{"."}, allowed: "none", timeout: time.Minute, parallel: 1}, &bytes.Buffer{})
	if err == nil || !strings.Contains(err.Error(), "fail as they are") {
		t.Errorf("answered %v", err)
	}
}

func TestOptions(t *testing.T) {
	if _, err := parse([]string{"-parallel", "0"}); err == nil {
		t.Error("no mutants at a time would run for ever")
	}
	o, err := parse([]string{"-packages", "a,b", "-only", "gate.go,shape.go", "-run", "S1", "-timeout", "3s"})
	if err != nil || len(o.packages) != 2 || len(o.only) != 2 || o.run != "S1" || o.timeout != 3*time.Second {
		t.Errorf("%+v, %v", o, err)
	}
	if _, err := guardsIn(t.TempDir(), &module{}); err == nil {
		t.Error("an empty folder passes")
	}
}
