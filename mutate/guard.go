package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/printer"
	"go/token"
	"os"
	"path/filepath"
	"strings"
)

// guard is one place where the code refuses, and how to take it away: what is put before and behind the expression that decides.
type guard struct {
	folder    string
	file      string // as the folder was given
	line      int
	function  string // of a statement: the constant's name
	text      string // the condition, on one line
	nth       int    // of those that look alike in one function
	edits     []edit
	statement bool // a condition of a statement
	hands     bool // it only hands on the error of a function
}

// edit inserts text. %d in it becomes the guard's number.
type edit struct {
	at   int
	text string
}

func (g *guard) String() string {
	return fmt.Sprintf("%s:%d %s: %s", g.file, g.line, g.function, g.text)
}

// key names a guard across changes of the file around it.
func (g *guard) key() string {
	key := filepath.ToSlash(filepath.Clean(g.file)) + "\t" + g.function + "\t" + g.text
	if g.nth > 0 {
		key += fmt.Sprintf(" #%d", g.nth+1)
	}
	return key
}

// guardsIn finds the guards of the package in a folder, in the order of its files.
func guardsIn(folder string, known *module) ([]*guard, error) {
	names, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", folder, err)
	}
	var guards []*guard
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		source, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("read a source: %w", err)
		}
		found, err := guardsOf(name, source, known)
		if err != nil {
			return nil, err
		}
		for _, g := range found {
			g.folder = folder
		}
		guards = append(guards, found...)
	}
	if len(guards) == 0 {
		return nil, fmt.Errorf("no guards in %s; is it a package?", folder)
	}
	return guards, nil
}

func guardsOf(name string, source []byte, known *module) ([]*guard, error) {
	set := token.NewFileSet()
	f, err := parser.ParseFile(set, name, source, 0)
	if err != nil {
		return nil, fmt.Errorf("parse a source: %w", err)
	}
	w := &walker{set: set, name: name, seen: map[string]int{}, known: known, file: newFileFacts(name, f)}
	for _, d := range f.Decls {
		fn, is := d.(*ast.FuncDecl)
		if is && fn.Body != nil {
			w.function, w.inside = nameOf(fn), known.scope(w.file, fn)
			w.body(fn.Type, fn.Body)
		}
	}
	if filepath.Base(name) == "sql.go" {
		w.statements(f)
	}
	return w.guards, nil
}

func nameOf(fn *ast.FuncDecl) string {
	if t := receiver(fn); t != "" {
		return t + "." + fn.Name.Name
	}
	return fn.Name.Name
}

func receiver(fn *ast.FuncDecl) string {
	if fn.Recv == nil || len(fn.Recv.List) == 0 {
		return ""
	}
	t := fn.Recv.List[0].Type
	if star, is := t.(*ast.StarExpr); is {
		t = star.X
	}
	if id, is := t.(*ast.Ident); is {
		return id.Name
	}
	return ""
}

type walker struct {
	set      *token.FileSet
	name     string
	function string
	seen     map[string]int
	guards   []*guard
	known    *module
	file     fileFacts
	inside   scope
}

// body walks one function; what is inside a function literal is judged by the literal's own results.
func (w *walker) body(t *ast.FuncType, body *ast.BlockStmt) {
	kind := w.refusalOf(t)
	handed := handedOn(body)
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			w.body(n.Type, n.Body)
			return false
		case *ast.IfStmt:
			if onlyRefuses(n.Body.List, kind) {
				w.condition(n.Cond, n.Body.List, handed[n], "")
			}
		case *ast.SwitchStmt:
			w.cases(n.Body, n.Tag == nil, kind)
		case *ast.TypeSwitchStmt:
			w.cases(n.Body, false, kind)
		case *ast.ExprStmt:
			w.write(n.X)
		}
		return true
	})
}

// condition makes a guard of each part of a condition, since each refuses by itself. from is the call that the condition follows, if one.
func (w *walker) condition(cond ast.Expr, body []ast.Stmt, from *ast.CallExpr, prefix string) {
	for _, part := range parts(cond) {
		hands, refuses := w.inside.handsOn(part, body, from)
		if !hands || refuses {
			w.addText(prefix+w.text(part), w.line(part), w.never(part)).hands = hands
		}
	}
}

func parts(cond ast.Expr) []ast.Expr {
	if either, is := cond.(*ast.BinaryExpr); is && either.Op == token.LOR {
		return append(parts(either.X), parts(either.Y)...)
	}
	return []ast.Expr{cond}
}

// cases: a condition of a switch without a tag is taken away as that of an if. Any other case returns nothing wrong instead, since
// without it the function may not build.
func (w *walker) cases(body *ast.BlockStmt, conditions bool, kind refusal) {
	for _, s := range body.List {
		c, is := s.(*ast.CaseClause)
		if !is || !onlyRefuses(c.Body, kind) {
			continue
		}
		if conditions && c.List != nil {
			for _, e := range c.List {
				w.condition(e, c.Body, nil, "case ")
			}
			continue
		}
		results := c.Body[0].(*ast.ReturnStmt).Results
		last := results[len(results)-1]
		before := map[how]string{refusesByError: `mutateResult[` + kind.result + `](%d, `, refusesByFalse: `mutateFalse(%d, `}
		w.addText("case "+w.list(c.List), w.line(c), []edit{{w.at(last.Pos()), before[kind.how]}, {w.at(last.End()), ")"}})
	}
}

// write: a statement that a write depends on becomes one that may touch nothing; one that only looks is left out.
func (w *walker) write(e ast.Expr) {
	call, is := e.(*ast.CallExpr)
	if !is || len(call.Args) == 0 {
		return
	}
	fn, is := call.Fun.(*ast.SelectorExpr)
	if !is || fn.Sel.Name != "Guard" && fn.Sel.Name != "GuardSelect" {
		return
	}
	instead := w.text(fn.X) + ".Exec"
	if fn.Sel.Name == "GuardSelect" {
		instead = "func(string, ...any) {}"
	}
	edits := []edit{{w.at(fn.Pos()), "mutateWrite(%d, " + instead + ", "}, {w.at(fn.End()), ")"}}
	w.addText(fn.Sel.Name+" "+w.text(call.Args[0]), w.line(call), edits)
}

func (w *walker) list(exprs []ast.Expr) string {
	if exprs == nil {
		return "default"
	}
	parts := make([]string, len(exprs))
	for i, e := range exprs {
		parts[i] = w.text(e)
	}
	return strings.Join(parts, ", ")
}

// never makes a condition that does not hold while its guard is away.
func (w *walker) never(cond ast.Expr) []edit {
	return []edit{{w.at(cond.Pos()), "mutateHolds(%d, "}, {w.at(cond.End()), ")"}}
}

func (w *walker) addText(text string, line int, edits []edit) *guard {
	g := &guard{file: w.name, line: line, function: w.function, text: text, edits: edits}
	g.nth = w.seen[g.key()]
	w.seen[g.key()]++
	w.guards = append(w.guards, g)
	return g
}

func (w *walker) at(p token.Pos) int { return w.set.Position(p).Offset }

func (w *walker) line(n ast.Node) int { return w.set.Position(n.Pos()).Line }

func (w *walker) text(e ast.Expr) string {
	var b bytes.Buffer
	if err := printer.Fprint(&b, w.set, e); err != nil {
		return err.Error()
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// how a function says no.
type how int

const (
	cannotRefuse how = iota
	refusesByError
	refusesByFalse
)

// refusal is what a function's results are.
type refusal struct {
	how     how
	result  string // the last one's type
	results int
}

func (w *walker) refusalOf(t *ast.FuncType) refusal {
	if t.Results == nil || len(t.Results.List) == 0 {
		return refusal{}
	}
	last := t.Results.List[len(t.Results.List)-1].Type
	r := refusal{result: w.text(last), results: t.Results.NumFields()}
	switch {
	case saysError(r.result):
		r.how = refusesByError
	case r.result == "bool":
		r.how = refusesByFalse
	}
	return r
}

// saysError: a type that holds a refusal, by its name.
func saysError(name string) bool {
	return name == "error" || strings.HasPrefix(name, "*") && (strings.HasSuffix(name, "Error") || strings.HasSuffix(name, "Refusal"))
}

// onlyRefuses: one return with all results, and the last says an error, or false. One that hands on what another function returns
// says nothing yet.
func onlyRefuses(body []ast.Stmt, kind refusal) bool {
	if len(body) != 1 || kind.how == cannotRefuse {
		return false
	}
	r, is := body[0].(*ast.ReturnStmt)
	if !is || len(r.Results) != kind.results {
		return false
	}
	id, is := r.Results[len(r.Results)-1].(*ast.Ident)
	if kind.how == refusesByFalse {
		return is && id.Name == "false"
	}
	return !is || id.Name != "nil"
}
