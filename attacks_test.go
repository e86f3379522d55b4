package rollcall_test

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Attacks on sign-in have numbers, and a test that shows one refused has its number in its name: TestS12_reference_to_another_id_is_refused.
// The page lists each attack with its tests; an attack without one fails here.

//go:generate go test -count=1 -run ^TestAttacks_each_have_a_test$ . -update

const (
	attackList = "docs/reference/attack-list.txt"
	attackPage = "docs/reference/attacks.md"
)

var attackTest = regexp.MustCompile(`^Test([SPRO][0-9]{2})_(?:to_[SPRO][0-9]{2}_)?`)

func TestAttacks_each_have_a_test(t *testing.T) {
	tests := attackTests(t)
	page := bytes.NewBufferString("# Attacks on sign-in\n\nWhat is known to have worked against others, each with the tests that show it refused here. Written from attack-list.txt and the names of the tests.\n")
	for line := range strings.Lines(read(t, attackList)) {
		line = strings.TrimSpace(line)
		if section, is := strings.CutPrefix(line, "## "); is {
			fmt.Fprintf(page, "\n## %s\n\n| | Attack | Seen | Tests |\n| --- | --- | --- | --- |\n", section)
		}
		parts := strings.Split(line, " | ")
		if line == "" || line[0] == '#' {
			continue
		}
		if len(parts) != 3 {
			t.Fatalf("%s: %q has not three parts", attackList, line)
		}
		number, _, _ := strings.Cut(parts[0], "-")
		if len(tests[number]) == 0 {
			t.Errorf("no test has %s in its name: %s", number, parts[1])
		}
		fmt.Fprintf(page, "| %s | %s | %s | %s |\n", parts[0], parts[1], parts[2], strings.Join(tests[number], "<br>"))
		delete(tests, number)
	}
	for number := range tests {
		t.Errorf("%s is not in %s", number, attackList)
	}
	if *update && !t.Failed() {
		if err := os.WriteFile(attackPage, page.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if read(t, attackPage) != page.String() {
		t.Errorf("%s is out of date; run: go generate .", attackPage)
	}
}

// attackTests are the tests by the numbers of the attacks, each as its package and what its name says.
func attackTests(t *testing.T) map[string][]string {
	t.Helper()
	files, err := filepath.Glob("internal/*/*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string][]string{}
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range parsed.Decls {
			f, is := d.(*ast.FuncDecl)
			if !is {
				continue
			}
			if m := attackTest.FindStringSubmatch(f.Name.Name); m != nil {
				said := strings.ReplaceAll(strings.TrimPrefix(f.Name.Name, m[0]), "_", " ")
				found[m[1]] = append(found[m[1]], filepath.Base(filepath.Dir(file))+": "+said)
			}
		}
	}
	for _, names := range found {
		slices.Sort(names)
	}
	return found
}
