package rollcall_test

import (
	"bufio"
	"bytes"
	"cmp"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The table of conformance is written from what the tests say of themselves: a line //scim:61,T19 directly above a test, and
// "= covers" in a traffic story, which a test of internal/scimapi plays. A line that begins with a tolerance has it in lower
// case, //scim:t19: gofmt takes a comment with a capital there for prose.

//go:generate go test -count=1 -run ^TestConformance_table_is_fresh$ . -update

const (
	statementsFile  = "docs/reference/scim-statements.txt"
	conformancePage = "docs/reference/scim-conformance.md"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestConformance_table_is_fresh(t *testing.T) {
	list := readStatements(t)
	proofs := gather(t)
	for _, fault := range list.faults(proofs) {
		t.Error(fault)
	}
	want := list.page(proofs)
	if *update && !t.Failed() {
		if err := os.WriteFile(conformancePage, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(conformancePage)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is out of date; run: go generate .", conformancePage)
	}
}

// statement is one line of the list; a section has only its text.
type statement struct{ number, source, text string }

type statements struct {
	lines   []statement
	reasons map[string]string // why no test shows a statement, or not all of it
}

func readStatements(t *testing.T) statements {
	t.Helper()
	text, err := os.ReadFile(statementsFile)
	if err != nil {
		t.Fatal(err)
	}
	list := statements{reasons: map[string]string{}}
	scanner := bufio.NewScanner(bytes.NewReader(text))
	for n := 1; scanner.Scan(); n++ {
		if !list.take(scanner.Text()) {
			t.Errorf("%s:%d: want \"number | source | statement\", \"! number | reason\", a section or a remark", statementsFile, n)
		}
	}
	return list
}

func (l *statements) take(line string) bool {
	section, isSection := strings.CutPrefix(line, "## ")
	why, isReason := strings.CutPrefix(line, "! ")
	cells := strings.SplitN(line, " | ", 3)
	switch {
	case isSection:
		l.lines = append(l.lines, statement{text: section})
	case line == "" || line[0] == '#':
	case isReason:
		number, reason, ok := strings.Cut(why, " | ")
		l.reasons[number] = reason
		return ok
	case len(cells) == 3:
		l.lines = append(l.lines, statement{cells[0], cells[1], cells[2]})
	default:
		return false
	}
	return true
}

// proof is a test or a story that shows something.
type proof struct{ name, file string }

// proofs are by the number of the statement.
type proofs map[string][]proof

func (p proofs) add(number string, by proof) {
	if !slices.Contains(p[number], by) {
		p[number] = append(p[number], by)
	}
}

func gather(t *testing.T) proofs {
	t.Helper()
	all := proofs{}
	err := filepath.WalkDir("internal", func(name string, d os.DirEntry, err error) error {
		name = filepath.ToSlash(name)
		switch {
		case err != nil:
			return err
		case d.IsDir() && d.Name() == "testdata":
			return filepath.SkipDir
		case strings.HasSuffix(name, "_test.go"):
			return all.fromTests(name)
		case strings.HasSuffix(name, ".traffic"):
			return all.fromStory(name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, list := range all {
		slices.SortFunc(list, func(a, b proof) int { return cmp.Or(cmp.Compare(a.file, b.file), cmp.Compare(a.name, b.name)) })
	}
	return all
}

const directive = "//scim:"

func (p proofs) fromTests(name string) error {
	set := token.NewFileSet()
	f, err := parser.ParseFile(set, name, nil, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	used := map[token.Pos]bool{}
	for _, d := range f.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok || fn.Doc == nil || !strings.HasPrefix(fn.Name.Name, "Test") {
			continue
		}
		for _, line := range fn.Doc.List {
			numbers, ok := strings.CutPrefix(line.Text, directive)
			if !ok {
				continue
			}
			used[line.Pos()] = true
			for number := range strings.SplitSeq(numbers, ",") {
				p.add(strings.ToUpper(number), proof{name: sentence(fn.Name.Name), file: name})
			}
		}
	}
	for _, group := range f.Comments {
		for _, line := range group.List {
			if strings.HasPrefix(line.Text, directive) && !used[line.Pos()] || strings.HasPrefix(line.Text, "// scim:") {
				return fmt.Errorf("%s: %s is no directive above a test", set.Position(line.Pos()), line.Text)
			}
		}
	}
	return nil
}

// sentence makes words of a test's name.
func sentence(name string) string {
	return strings.ReplaceAll(strings.TrimPrefix(name, "Test"), "_", " ")
}

// dialects are what one provider does, which is not on the list.
var dialects = regexp.MustCompile(`^B\d+$`)

func (p proofs) fromStory(name string) error {
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	provider := path.Base(path.Dir(path.Dir(name)))
	story := provider + "/" + strings.TrimSuffix(path.Base(name), ".traffic")
	for line := range strings.Lines(string(text)) {
		numbers, ok := strings.CutPrefix(line, "= covers ")
		if !ok {
			continue
		}
		for _, number := range strings.Fields(numbers) {
			if !dialects.MatchString(number) {
				p.add(strings.ToUpper(number), proof{name: story, file: name})
			}
		}
	}
	return nil
}

// faults are numbers that are on no list, and statements that nothing speaks for.
func (l statements) faults(shown proofs) []string {
	var out []string
	known := map[string]bool{}
	for _, s := range l.lines {
		if s.number == "" {
			continue
		}
		if known[s.number] {
			out = append(out, "statement "+s.number+" is there twice")
		}
		known[s.number] = true
		if len(shown[s.number]) == 0 && l.reasons[s.number] == "" {
			out = append(out, "no test shows statement "+s.number+", and no reason is given: "+s.text)
		}
	}
	for number, by := range shown {
		if !known[number] {
			out = append(out, by[0].file+" speaks of statement "+strconv.Quote(number)+", which is not on the list")
		}
	}
	slices.Sort(out)
	return out
}

func (l statements) page(shown proofs) []byte {
	var b bytes.Buffer
	b.WriteString("# SCIM conformance\n\nWhat RFC 7643, RFC 7644 and RFC 9865 ask of a server, and what identity providers need beyond them, with the tests that show it.\n" +
		"Written from `" + statementsFile + "`, the tests and the traffic stories by `go generate .`; change them there. `make test` runs all of it,\n" +
		"on SQLite and on PostgreSQL where the store matters. A name such as *okta/05-import* is a conversation in the words of that provider\n" +
		"(`internal/idp/catalog`), played to the real server.\n")
	for _, s := range l.lines {
		switch {
		case s.number == "":
			b.WriteString("\n## " + s.text + "\n\n| # | Statement | Source | Shown by |\n| --- | --- | --- | --- |\n")
		default:
			fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", s.number, s.text, source(s.source), shownBy(shown[s.number]))
		}
	}
	b.WriteString("\n## Not shown by a test, or not all of it\n\n")
	for _, s := range l.lines {
		if reason := l.reasons[s.number]; s.number != "" && reason != "" {
			fmt.Fprintf(&b, "- **%s** %s *%s*\n", s.number, s.text, reason)
		}
	}
	return b.Bytes()
}

var (
	rfc     = regexp.MustCompile(`\b(7643|7644|9865)\b`)
	erratum = regexp.MustCompile(`\berr (\d)`)
)

func source(s string) string {
	return erratum.ReplaceAllString(rfc.ReplaceAllString(s, "RFC $1"), "erratum $1")
}

func shownBy(list []proof) string {
	if len(list) == 0 {
		return "below"
	}
	cells := make([]string, 0, len(list))
	for _, p := range list {
		cells = append(cells, "["+p.name+"](../../"+p.file+")")
	}
	return strings.Join(cells, "<br>")
}
