package rollcall_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// These tests hold the house to its plan (ARCHITECTURE.md). They read the files themselves: asking the go command from a test
// gives an answer that the test cache may keep after the imports have changed.

const module = "github.com/rollcallhq/rollcall"

// room is a package under internal and everything below its folder.
type room struct {
	floor int
	db    bool // may use the database: a noun, or the app that opens it
}

// floors: a package imports only from floors below its own. A new package has to be placed here first.
var floors = map[string]room{
	"app":         {12, true},
	"mirror":      {12, false},
	"scimapi":     {11, false},
	"signin":      {11, false},
	"api":         {11, false},
	"dashboard":   {11, false},
	"portal":      {11, false},
	"simulate":    {11, false},
	"web":         {10, false},
	"lifecycle":   {9, true},
	"issuer":      {8, true},
	"directory":   {7, true},
	"sso":         {7, true},
	"webhook":     {7, true},
	"member":      {6, true},
	"itadmin":     {6, true},
	"org":         {5, true},
	"session":     {5, true},
	"switching":   {6, true},
	"access":      {5, true},
	"alert":       {8, true},
	"operator":    {5, true},
	"event":       {4, true},
	"idempotency": {4, true},
	"mail":        {4, true},
	"idp":         {3, false},
	"scim":        {2, false},
	"saml":        {2, false},
	"oidc":        {2, false},
	"db":          {1, true},
	"token":       {1, false},
	"outbound":    {1, false},
	"fault":       {0, false},
}

const (
	commandFloor = 13
	grammarFloor = 2
)

// drivers are engines and what goes straight to them.
var drivers = []string{"modernc.org/sqlite", "github.com/jackc/pgx", "github.com/lib/pq", "github.com/mattn/go-sqlite3", "github.com/pressly/goose", "database/sql/driver"}

// foreign rooms write to a database that is the app's and not ours, so they need a driver and may not lean on internal/db.
var foreign = []string{"mirror"}

// worldly packages have no place in a grammar: it takes bytes, keys and now, and returns values.
var worldly = []string{"net/http", "database/sql", "os", "os/exec", "log", "log/slog"}

// unwelcome words, put together here so that this file does not hold them.
var unwelcome = []string{"/wo" + "rk/", "proxy." + "golang.org", "registry." + "npmjs.org", "pypi." + "org", "deb." + "debian.org", "TO" + "DO", "FIX" + "ME"}

// inspect gives every breach of the rules among files, a path to its text.
func inspect(files map[string]string) []string {
	h := &house{set: token.NewFileSet(), packages: map[string][]*ast.File{}}
	for name, text := range files {
		h.words(name, text)
		if strings.HasSuffix(name, ".go") {
			h.goFile(name, text)
		}
	}
	for _, pkg := range h.packages {
		h.variables(pkg)
	}
	slices.Sort(h.breaches)
	return h.breaches
}

type house struct {
	set      *token.FileSet
	packages map[string][]*ast.File // by folder; without tests
	breaches []string
}

func (h *house) breach(where, format string, args ...any) {
	h.breaches = append(h.breaches, where+": "+fmt.Sprintf(format, args...))
}

func (h *house) at(n ast.Node) string {
	p := h.set.Position(n.Pos())
	return p.Filename + ":" + strconv.Itoa(p.Line)
}

func (h *house) words(name, text string) {
	for i, line := range strings.Split(text, "\n") {
		for _, word := range unwelcome {
			if strings.Contains(line, word) {
				h.breach(name+":"+strconv.Itoa(i+1), "holds %q", word)
			}
		}
	}
}

func (h *house) goFile(name, text string) {
	f, err := parser.ParseFile(h.set, name, text, parser.ParseComments)
	if err != nil {
		h.breach(name, "cannot be parsed: %v", err)
		return
	}
	who := placeOf(name)
	if who.outside {
		return
	}
	if who.unknown != "" {
		h.breach(name, "package internal/%s has no floor yet; place it in the table of house_test.go", who.unknown)
		return
	}
	for _, spec := range f.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			h.breach(h.at(spec), "import that cannot be read")
			continue
		}
		h.imports(h.at(spec), who, imported)
	}
	h.functions(f)
	if !who.test {
		h.packages[path.Dir(name)] = append(h.packages[path.Dir(name)], f)
	}
}

// place is where in the house a file stands.
type place struct {
	room    string // "" for the command and the client
	floor   int
	db      bool
	test    bool // a test, or a package that only tests use
	client  bool // the public client and the examples: they live without the house
	outside bool // measures or drives the house from outside
	unknown string
}

func placeOf(name string) place {
	parts := strings.Split(path.Dir(name), "/")
	p := place{test: strings.HasSuffix(name, "_test.go")}
	switch {
	case parts[0] == "cmd":
		p.floor = commandFloor
	case parts[0] == "client", parts[0] == "examples":
		p.client = true
	case parts[0] == "internal" && len(parts) > 1:
		r, known := floors[parts[1]]
		if !known {
			p.unknown = parts[1]
		}
		p.room, p.floor, p.db = parts[1], r.floor, r.db
		p.test = p.test || strings.HasSuffix(parts[len(parts)-1], "test")
	default:
		p.outside = true
	}
	return p
}

func (h *house) imports(where string, who place, imported string) {
	target, inside := strings.CutPrefix(imported, module+"/internal/")
	switch {
	case !inside:
		h.foreign(where, who, imported)
	case who.client:
		h.breach(where, "the client and the examples live without the house; they import %s", imported)
	default:
		h.within(where, who, strings.Split(target, "/")[0])
	}
}

func (h *house) foreign(where string, who place, imported string) {
	if who.room != "db" && !slices.Contains(foreign, who.room) && slices.ContainsFunc(drivers, func(d string) bool { return imported == d || strings.HasPrefix(imported, d+"/") }) {
		h.breach(where, "only internal/db talks to %s", imported)
	}
	if imported == "database/sql" && !who.db && !who.test {
		h.breach(where, "only nouns use the database; this imports database/sql")
	}
	if who.floor == grammarFloor && who.room != "" && !who.test && slices.Contains(worldly, imported) {
		h.breach(where, "grammar is pure; it imports %s", imported)
	}
}

func (h *house) within(where string, who place, target string) {
	to, known := floors[target]
	switch {
	case target == who.room:
		return
	case !known:
		h.breach(where, "imports internal/%s, which has no floor", target)
	case to.floor >= who.floor:
		h.breach(where, "floor %d imports internal/%s of floor %d; only lower floors may be imported", who.floor, target, to.floor)
	case target == "db" && !who.db && !who.test:
		h.breach(where, "only nouns and the app use the database")
	case who.floor == grammarFloor && target != "fault" && !who.test:
		h.breach(where, "grammar is pure; it imports internal/%s", target)
	}
}

func (h *house) functions(f *ast.File) {
	for _, d := range f.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
			h.breach(h.at(fn), "init runs behind everybody's back; build it in app.New")
		}
	}
}

// variables: a package-level variable is fine when it is a constant in all but name. So it has its value from the start, is
// nothing that is made to change (a lock, a counter, a channel, an empty map), and nothing in its package writes to it. Errors,
// tables and compiled patterns pass. A sync.Pool passes too: what it holds can be seen by nobody.
func (h *house) variables(pkg []*ast.File) {
	declared := map[string]*ast.ValueSpec{}
	for _, f := range pkg {
		for _, d := range f.Decls {
			if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.VAR {
				h.declaration(g, declared)
			}
		}
	}
	for _, f := range pkg {
		ast.Inspect(f, func(n ast.Node) bool {
			for _, target := range written(n) {
				if spec, ok := declared[target.Name]; ok && refersTo(target, spec) {
					h.breach(h.at(target), "writes to the package-level variable %s", target.Name)
				}
			}
			return true
		})
	}
}

func (h *house) declaration(g *ast.GenDecl, declared map[string]*ast.ValueSpec) {
	for _, s := range g.Specs {
		spec := s.(*ast.ValueSpec)
		for i, name := range spec.Names {
			if name.Name == "_" {
				continue
			}
			declared[name.Name] = spec
			switch {
			case embedded(g, spec):
			case i >= len(spec.Values) && len(spec.Values) != 1:
				h.breach(h.at(name), "package-level variable %s starts without a value, so somebody will write to it", name.Name)
			case changeable(spec):
				h.breach(h.at(name), "package-level variable %s is made to change", name.Name)
			}
		}
	}
}

// embedded files get their value from the compiler.
func embedded(g *ast.GenDecl, spec *ast.ValueSpec) bool {
	for _, doc := range []*ast.CommentGroup{g.Doc, spec.Doc} {
		if doc != nil && slices.ContainsFunc(doc.List, func(c *ast.Comment) bool { return strings.HasPrefix(c.Text, "//go:embed ") }) {
			return true
		}
	}
	return false
}

func changeable(spec *ast.ValueSpec) bool {
	parts := []ast.Expr{spec.Type}
	for _, v := range spec.Values {
		switch v := v.(type) {
		case *ast.CompositeLit:
			parts = append(parts, v.Type)
			if m, ok := v.Type.(*ast.MapType); ok && len(v.Elts) == 0 {
				parts = append(parts, &ast.ChanType{Value: m.Value})
			}
		case *ast.CallExpr:
			if f, ok := v.Fun.(*ast.Ident); ok && (f.Name == "make" || f.Name == "new") {
				return true
			}
		}
	}
	return slices.ContainsFunc(parts, madeToChange)
}

func madeToChange(t ast.Expr) bool {
	switch t := t.(type) {
	case *ast.ChanType:
		return true
	case *ast.IndexExpr: // atomic.Pointer[T]
		return madeToChange(t.X)
	case *ast.SelectorExpr:
		pkg, _ := t.X.(*ast.Ident)
		return pkg != nil && (pkg.Name == "atomic" || pkg.Name == "sync" && t.Sel.Name != "Pool")
	}
	return false
}

// written lists the variables a node writes to, or hands out to be written to.
func written(n ast.Node) []*ast.Ident {
	var targets []ast.Expr
	switch n := n.(type) {
	case *ast.AssignStmt:
		if n.Tok != token.DEFINE {
			targets = n.Lhs
		}
	case *ast.IncDecStmt:
		targets = []ast.Expr{n.X}
	case *ast.RangeStmt:
		if n.Tok == token.ASSIGN {
			targets = []ast.Expr{n.Key, n.Value}
		}
	case *ast.UnaryExpr:
		if n.Op == token.AND {
			targets = []ast.Expr{n.X}
		}
	case *ast.CallExpr:
		if f, ok := n.Fun.(*ast.Ident); ok && (f.Name == "delete" || f.Name == "clear") && len(n.Args) > 0 {
			targets = n.Args[:1]
		}
	}
	var out []*ast.Ident
	for _, t := range targets {
		if id := rootOf(t); id != nil {
			out = append(out, id)
		}
	}
	return out
}

// rootOf finds the variable in table[i].field.
func rootOf(e ast.Expr) *ast.Ident {
	switch e := e.(type) {
	case *ast.Ident:
		return e
	case *ast.IndexExpr:
		return rootOf(e.X)
	case *ast.SelectorExpr:
		return rootOf(e.X)
	case *ast.StarExpr:
		return rootOf(e.X)
	case *ast.ParenExpr:
		return rootOf(e.X)
	}
	return nil
}

// refersTo tells the package's variable from a local one of the same name. The parser's own resolution is enough for that: in
// the declaring file it points at the declaration, in the package's other files it points nowhere.
func refersTo(id *ast.Ident, spec *ast.ValueSpec) bool {
	return id.Obj == nil || id.Obj.Decl == spec
}

func TestHouse_keeps_its_rules(t *testing.T) {
	for _, breach := range inspect(readTree(t)) {
		t.Error(breach)
	}
}

// readTree reads what people read: sources, documents and what builds them.
func readTree(t *testing.T) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != "." && skippedFolder(d.Name()):
			return fs.SkipDir
		case d.IsDir() || !isRead(name):
			return nil
		}
		text, err := os.ReadFile(name)
		files[filepath.ToSlash(name)] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 20 {
		t.Fatalf("found only %d files; the rules would hold for nothing", len(files))
	}
	return files
}

func skippedFolder(name string) bool {
	return name == "testdata" || name == "node_modules" || strings.HasPrefix(name, ".") && name != ".ci" || strings.HasPrefix(name, "rollcall-")
}

func isRead(name string) bool {
	return slices.Contains([]string{".go", ".md", ".yml", ".yaml", ".sql", ".sh", ".json"}, filepath.Ext(name)) ||
		slices.Contains([]string{"Makefile", "go.mod", ".ci/run", ".ci/needs", ".ci/test"}, filepath.ToSlash(name))
}

func TestHouse_finds_a_breach_of_each_rule(t *testing.T) {
	const internal = module + "/internal/"
	source := func(pkg string, imports ...string) string {
		text := "package " + pkg + "\n"
		for _, i := range imports {
			text += "import _ " + strconv.Quote(i) + "\n"
		}
		return text
	}
	cases := []struct {
		name, file, text string
		want             string // part of the breach; empty: there is none
	}{
		{"down is allowed", "internal/directory/a.go", source("directory", internal+"org", internal+"db", internal+"scim"), ""},
		{"up", "internal/org/a.go", source("org", internal+"directory"), "floor 5 imports internal/directory of floor 7"},
		{"a neighbour", "internal/api/a.go", source("api", internal+"scimapi"), "floor 11 imports internal/scimapi of floor 11"},
		{"up from a test", "internal/org/a_test.go", source("org", internal+"directory"), "floor 5 imports internal/directory"},
		{"a room's own parts", "internal/db/dbtest/a.go", source("dbtest", internal+"db", internal+"db/migrations"), ""},
		{"a package without a floor", "internal/util/a.go", source("util"), "internal/util has no floor yet"},
		{"an import without a floor", "internal/app/a.go", source("app", internal+"util"), "internal/util, which has no floor"},
		{"an edge at the database", "internal/api/a.go", source("api", internal+"db"), "only nouns and the app use the database"},
		{"the helper of an edge's test at the database", "internal/api/a_test.go", source("api", internal+"db/dbtest"), ""},
		{"an edge with SQL", "internal/scimapi/a.go", source("scimapi", "database/sql"), "only nouns use the database"},
		{"the command at the database", "cmd/rollcall/a.go", source("main", internal+"db"), "only nouns and the app use the database"},
		{"a noun at a driver", "internal/org/a.go", source("org", "github.com/jackc/pgx/v5/pgxpool"), "only internal/db talks to github.com/jackc/pgx"},
		{"the mirror at a driver", "internal/mirror/a.go", source("mirror", "github.com/jackc/pgx/v5"), ""},
		{"the mirror at our database", "internal/mirror/a.go", source("mirror", internal+"db"), "only nouns and the app use the database"},
		{"the command at a driver", "cmd/rollcall/a.go", source("main", "github.com/jackc/pgx/v5"), "only internal/db talks to github.com/jackc/pgx"},
		{"the database at a driver", "internal/db/a.go", source("db", "github.com/jackc/pgx/v5", "modernc.org/sqlite"), ""},
		{"the benchmark's floor at a driver", "bench/a.go", source("main", "modernc.org/sqlite"), ""},
		{"a grammar that serves", "internal/scim/a.go", source("scim", "net/http"), "grammar is pure; it imports net/http"},
		{"a grammar that makes ids", "internal/scim/a.go", source("scim", internal+"token"), "grammar is pure; it imports internal/token"},
		{"a grammar that refuses", "internal/scim/a.go", source("scim", internal+"fault"), ""},
		{"a client that needs the house", "client/a.go", source("client", internal+"fault"), "live without the house"},
		{"init", "internal/org/a.go", "package org\nfunc init() {}", "init runs behind everybody's back"},
		{"a method called init", "internal/org/a.go", "package org\ntype T struct{}\nfunc (T) init() {}", ""},
		{"an unset variable", "internal/org/a.go", "package org\nvar cache *int", "cache starts without a value"},
		{"an empty map", "internal/org/a.go", "package org\nvar seen = map[string]bool{}", "seen is made to change"},
		{"a made map", "internal/org/a.go", "package org\nvar seen = make(map[string]bool)", "seen is made to change"},
		{"a lock", "internal/org/a.go", "package org\nimport \"sync\"\nvar mu = sync.Mutex{}", "mu is made to change"},
		{"a counter", "internal/org/a.go", "package org\nimport \"sync/atomic\"\nvar n = atomic.Int64{}", "n is made to change"},
		{"a table that is written to", "internal/org/a.go", "package org\nvar names = map[string]int{\"a\": 1}\nfunc f() { names[\"b\"] = 2 }", "writes to the package-level variable names"},
		{"a table that entries are removed from", "internal/org/a.go", "package org\nvar names = map[string]int{\"a\": 1}\nfunc f() { delete(names, \"a\") }", "writes to the package-level variable names"},
		{"a count that goes up", "internal/org/a.go", "package org\nvar n = 1\nfunc f() { n++ }", "writes to the package-level variable n"},
		{"a table whose address is given away", "internal/org/a.go", "package org\nvar t = [2]int{1, 2}\nfunc f() *[2]int { return &t }", "writes to the package-level variable t"},
		{"errors, tables, pools, checks and files", "internal/org/a.go", `package org
import ("embed"; "errors"; "regexp"; "sync")
var errGone = errors.New("gone")
var sizes = map[string]int{"a": 1}
var shape = regexp.MustCompile("a+")
var pool = sync.Pool{New: func() any { return new(int) }}
var _ error = errGone
//go:embed a.sql
var files embed.FS
func f() { sizes := map[string]int{}; sizes["x"] = 1; _ = sizes; shape.MatchString("") }`, ""},
		{"a test may keep state", "internal/org/a_test.go", "package org\nvar update *bool", ""},
		{"a path of one machine", "docs/a.md", "see /wo" + "rk/main", "docs/a.md:1: holds"},
		{"a registry", "Makefile", "all:\n\tcurl https://proxy." + "golang.org", "Makefile:2: holds"},
		{"something left for later", "internal/org/a.go", "package org\n// TO" + "DO: finish", "internal/org/a.go:2: holds"},
		{"something that is no Go", "internal/org/a.go", "pakage org", "cannot be parsed"},
	}
	for _, c := range cases {
		got := strings.Join(inspect(map[string]string{c.file: c.text}), "\n")
		if c.want == "" && got != "" {
			t.Errorf("%s: found %s", c.name, got)
		}
		if c.want != "" && !strings.Contains(got, c.want) {
			t.Errorf("%s: found %q, want %q", c.name, got, c.want)
		}
	}
}

func TestHouse_sees_writes_from_another_file_of_the_package(t *testing.T) {
	got := inspect(map[string]string{
		"internal/org/a.go": "package org\nvar names = map[string]int{\"a\": 1}",
		"internal/org/b.go": "package org\nfunc f() { names[\"b\"] = 2 }",
	})
	if len(got) != 1 || !strings.HasPrefix(got[0], "internal/org/b.go:2: writes to the package-level variable names") {
		t.Errorf("found %q", got)
	}
}
