package main

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
)

// switches is what the instrumented files call: which guard is away, an environment variable says; which ones came to decide something, they
// write down in the file that another names.
const switches = `package %s

import (
	"os"
	"strconv"
	"sync"
)

var mutateAway = mutateNumber(os.Getenv("MUTATE_AWAY"))

var mutateTrace = os.Getenv("MUTATE_TRACE")

var mutateSeen sync.Map

func mutateNumber(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		return -1
	}
	return n
}

func mutateNote(what string) {
	if mutateTrace == "" {
		return
	}
	if _, known := mutateSeen.LoadOrStore(what, true); known {
		return
	}
	f, err := os.OpenFile(mutateTrace, os.O_APPEND|os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		panic(err)
	}
	defer f.Close()
	if _, err := f.WriteString(what + "\n"); err != nil {
		panic(err)
	}
}

func mutateHolds[T ~bool](n int, cond T) T {
	if cond {
		mutateNote(strconv.Itoa(n))
	}
	return cond && n != mutateAway
}

func mutateFalse(n int, result bool) bool {
	mutateNote(strconv.Itoa(n))
	return result || n == mutateAway
}

func mutateResult[T any](n int, result T) T {
	mutateNote(strconv.Itoa(n))
	if n == mutateAway {
		var none T
		return none
	}
	return result
}

func mutateWrite[F any](n int, away, kept F) F {
	mutateNote(strconv.Itoa(n))
	if n == mutateAway {
		return away
	}
	return kept
}

func mutateOpens(n int) string {
	if n == mutateAway {
		return "("
	}
	return ""
}

func mutateShuts(n int) string {
	if n == mutateAway {
		return " OR TRUE)"
	}
	return ""
}

func mutateUsed(name, text string) string {
	mutateNote(name)
	return text
}
`

// instrumented is the file with the edits in it.
func instrumented(source []byte, edits []edit) []byte {
	sort.SliceStable(edits, func(i, j int) bool { return edits[i].at < edits[j].at })
	var out []byte
	done := 0
	for _, e := range edits {
		out = append(append(out, source[done:e.at]...), e.text...)
		done = e.at
		if e.text == "var" {
			done += len("const")
		}
	}
	return append(out, source[done:]...)
}

func numbered(g *guard, number int) []edit {
	all := make([]edit, len(g.edits))
	for i, e := range g.edits {
		all[i] = edit{e.at, strings.ReplaceAll(e.text, "%d", strconv.Itoa(number))}
	}
	return all
}

// overlay writes the instrumented files of the guards' packages and says which takes whose place.
func overlay(guards []*guard, dir string) (list string, uses map[string][]string, err error) {
	replace, edits, folders := map[string]string{}, map[string][]edit{}, map[string]bool{}
	for i, g := range guards {
		edits[g.file] = append(edits[g.file], numbered(g, i)...)
		folders[filepath.Clean(g.folder)] = true
	}
	uses = map[string][]string{}
	put := func(name string, text []byte) error {
		whole, err := filepath.Abs(name)
		if err != nil {
			return fmt.Errorf("find a source: %w", err)
		}
		changed := filepath.Join(dir, fmt.Sprintf("%d.go", len(replace)))
		replace[whole] = changed
		return os.WriteFile(changed, text, 0o600)
	}
	for folder := range folders {
		name, err := variables(folder, edits, uses)
		if err != nil {
			return "", nil, err
		}
		if err := put(filepath.Join(folder, "mutate_switches.go"), fmt.Appendf(nil, switches, name)); err != nil {
			return "", nil, err
		}
	}
	for name, all := range edits {
		source, err := os.ReadFile(name)
		if err != nil {
			return "", nil, fmt.Errorf("read a source: %w", err)
		}
		if err := put(name, instrumented(source, all)); err != nil {
			return "", nil, err
		}
	}
	text, err := json.Marshal(map[string]map[string]string{"Replace": replace})
	if err != nil {
		return "", nil, fmt.Errorf("write an overlay: %w", err)
	}
	list = filepath.Join(dir, "overlay.json")
	return list, uses, os.WriteFile(list, text, 0o600)
}

// variables makes the statements of a package variables, since what a switch changes is no constant, and has each use of one noted. It
// adds to uses, by the name of a statement with its folder, the statements that hold it. It returns the package's name.
func variables(folder string, edits map[string][]edit, uses map[string][]string) (string, error) {
	set := token.NewFileSet()
	files, err := sources(set, folder)
	if err != nil {
		return "", err
	}
	statements := statementsOf(files)
	title := ""
	for name, f := range files {
		title = f.Name.Name
		if more := noted(set, folder, f, statements, uses); len(more) > 0 {
			edits[name] = append(edits[name], more...)
		}
	}
	return title, nil
}

func sources(set *token.FileSet, folder string) (map[string]*ast.File, error) {
	names, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", folder, err)
	}
	files := map[string]*ast.File{}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(set, name, nil, 0)
		if err != nil {
			return nil, fmt.Errorf("parse a source: %w", err)
		}
		files[name] = f
	}
	return files, nil
}

// statementsOf are the names of the constants of sql.go, and of those that are made of them.
func statementsOf(files map[string]*ast.File) map[string]bool {
	statements := map[string]bool{}
	for name, f := range files {
		if filepath.Base(name) == "sql.go" {
			for _, spec := range constants(f) {
				statements[spec.Names[0].Name] = true
			}
		}
	}
	for again := true; again; {
		again = false
		for _, f := range files {
			for _, spec := range constants(f) {
				if name := spec.Names[0].Name; !statements[name] && len(held(spec, statements)) > 0 {
					statements[name], again = true, true
				}
			}
		}
	}
	return statements
}

// noted makes one file's statements variables and notes the uses of any in its functions.
func noted(set *token.FileSet, folder string, f *ast.File, statements map[string]bool, uses map[string][]string) []edit {
	var edits []edit
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.GenDecl:
			if d.Tok == token.CONST && variable(folder, d, statements, uses) {
				edits = append(edits, edit{set.Position(d.Pos()).Offset, "var"})
			}
		case *ast.FuncDecl:
			if d.Body == nil {
				continue
			}
			for _, id := range used(d.Body, statements) {
				before := fmt.Sprintf("mutateUsed(%q, ", folder+" "+id.Name)
				edits = append(edits, edit{set.Position(id.Pos()).Offset, before}, edit{set.Position(id.End()).Offset, ")"})
			}
		}
	}
	return edits
}

// variable: does a declaration hold statements? What each holds is added to uses.
func variable(folder string, d *ast.GenDecl, statements map[string]bool, uses map[string][]string) bool {
	found := false
	for _, s := range d.Specs {
		spec := s.(*ast.ValueSpec)
		name := spec.Names[0].Name
		if !statements[name] {
			continue
		}
		found = true
		for _, part := range held(spec, statements) {
			uses[folder+" "+part] = append(uses[folder+" "+part], folder+" "+name)
		}
	}
	return found
}

// used are the places of a body that name a statement and not a field, a method or a variable of its own.
func used(body ast.Node, statements map[string]bool) []*ast.Ident {
	var found []*ast.Ident
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			found = append(found, used(n.X, statements)...)
			return false
		case *ast.KeyValueExpr:
			if _, named := n.Key.(*ast.Ident); named {
				found = append(found, used(n.Value, statements)...)
				return false
			}
		case *ast.Ident:
			if statements[n.Name] && n.Obj == nil {
				found = append(found, n)
			}
		}
		return true
	})
	return found
}

func held(spec *ast.ValueSpec, statements map[string]bool) []string {
	var names []string
	for _, v := range spec.Values {
		ast.Inspect(v, func(n ast.Node) bool {
			if id, is := n.(*ast.Ident); is && statements[id.Name] {
				names = append(names, id.Name)
			}
			return true
		})
	}
	return names
}
