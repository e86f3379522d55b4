package main

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// An if that only hands on an error of the database, of a reader or of a constructor is no guard: nothing is refused there, and no test can
// make a disk fail at each such place. Which errors are refusals is told from the sources alone: a function refuses if it, or one that it
// calls, makes an error of its own, and by name, so that two functions of one name both count as refusing if one does. A call of another
// module's function refuses if its name says that it reads or judges what it is given. That takes too many for guards rather than too few;
// so one that hands on an error which no test makes is told apart (verdict "unseen") and fails no run: the refusal itself is a guard where it is made.
var judging = regexp.MustCompile(`^(Must)?(Parse|Decode|Unmarshal|Verify|Validate|Check|Open|Decrypt|Lookup|Atoi|Unquote|Consume|Read(Element|From))`)

// module is every function of the module that is not a test.
type module struct {
	funcs   map[string][]*function // by package and name
	methods map[string][]*function // by name
	own     string                 // the module's path
}

type function struct {
	decl    *ast.FuncDecl
	file    fileFacts
	judged  bool
	refuses bool
}

// fileFacts says what the names of a file mean.
type fileFacts struct {
	folder  string
	imports map[string]string // a package by the name that it has here
}

func newFileFacts(name string, f *ast.File) fileFacts {
	facts := fileFacts{filepath.ToSlash(filepath.Clean(filepath.Dir(name))), map[string]string{}}
	for _, i := range f.Imports {
		path, err := strconv.Unquote(i.Path.Value)
		if err != nil {
			continue
		}
		local := path[strings.LastIndex(path, "/")+1:]
		if i.Name != nil {
			local = i.Name.Name
		}
		facts.imports[local] = path
	}
	return facts
}

// readModule parses what lies under the present folder. A folder without a go.mod has no functions to know of.
func readModule() (*module, error) {
	m := &module{funcs: map[string][]*function{}, methods: map[string][]*function{}}
	text, err := os.ReadFile("go.mod")
	if errors.Is(err, fs.ErrNotExist) {
		return m, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read go.mod: %w", err)
	}
	m.own = strings.Fields(strings.SplitN(string(text), "\n", 2)[0])[1]
	return m, filepath.WalkDir(".", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return fmt.Errorf("parse a source: %w", err)
		}
		m.add(path, f)
		return nil
	})
}

func (m *module) add(path string, f *ast.File) {
	facts := newFileFacts(path, f)
	for _, d := range f.Decls {
		fn, is := d.(*ast.FuncDecl)
		switch {
		case !is || fn.Body == nil:
		case fn.Recv != nil:
			m.methods[fn.Name.Name] = append(m.methods[fn.Name.Name], &function{decl: fn, file: facts})
		default:
			key := facts.folder + " " + fn.Name.Name
			m.funcs[key] = append(m.funcs[key], &function{decl: fn, file: facts})
		}
	}
}

// scope is a function from the inside: what the names in it mean.
type scope struct {
	m     *module
	file  fileFacts
	decl  *ast.FuncDecl
	calls map[string][]*ast.CallExpr // by the name of the variable that takes the last result
	local map[string]bool

	literals map[string]*ast.FuncLit // held in variables
}

func (m *module) scope(file fileFacts, fn *ast.FuncDecl) scope {
	s := scope{m, file, fn, map[string][]*ast.CallExpr{}, map[string]bool{}, map[string]*ast.FuncLit{}}
	ast.Inspect(fn, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Field:
			for _, name := range n.Names {
				s.local[name.Name] = true
			}
		case *ast.AssignStmt:
			id, is := n.Lhs[len(n.Lhs)-1].(*ast.Ident)
			if !is {
				return true
			}
			s.local[id.Name] = true
			if literal, is := n.Rhs[len(n.Rhs)-1].(*ast.FuncLit); is {
				s.literals[id.Name] = literal
			}
			if call, is := n.Rhs[len(n.Rhs)-1].(*ast.CallExpr); is {
				s.calls[id.Name] = append(s.calls[id.Name], call)
			}
		}
		return true
	})
	return s
}

// callRefuses: does the function that is called, or a literal that is given to it, make errors of its own?
func (s scope) callRefuses(call *ast.CallExpr) bool {
	for _, arg := range call.Args {
		if literal, is := arg.(*ast.FuncLit); is && s.bodyRefuses(literal.Body, literal.Type) {
			return true
		}
	}
	switch fn := call.Fun.(type) {
	case *ast.Ident:
		if literal, is := s.literals[fn.Name]; is {
			return s.bodyRefuses(literal.Body, literal.Type)
		}
		if s.local[fn.Name] {
			return true // a function held in a variable
		}
		return s.anyRefuses(s.m.funcs[s.file.folder+" "+fn.Name])
	case *ast.SelectorExpr:
		return s.selectedRefuses(fn, call)
	case *ast.IndexExpr:
		if id, is := fn.X.(*ast.Ident); is {
			return s.anyRefuses(s.m.funcs[s.file.folder+" "+id.Name])
		}
	}
	return true
}

func (s scope) selectedRefuses(fn *ast.SelectorExpr, call *ast.CallExpr) bool {
	id, is := fn.X.(*ast.Ident)
	path := ""
	if is && !s.local[id.Name] {
		path = s.file.imports[id.Name]
	}
	folder, ours := strings.CutPrefix(path, s.m.own+"/")
	switch {
	case path == "errors" && fn.Sel.Name == "New":
		return true
	case path == "fmt" && fn.Sel.Name == "Errorf":
		return s.wrapRefuses(call)
	case path == "errors" && fn.Sel.Name == "Join":
		return slices.ContainsFunc(call.Args, s.exprRefuses)
	case ours:
		return s.anyRefuses(s.m.funcs[folder+" "+fn.Sel.Name])
	case path != "":
		return !strings.Contains(path, "json") && judging.MatchString(fn.Sel.Name)
	}
	candidates := s.m.methods[fn.Sel.Name]
	if slices.ContainsFunc(candidates, inDatabase) && !(is && s.isReceiver(id)) {
		return false
	}
	if is && s.isReceiver(id) {
		candidates = s.siblings(candidates)
	}
	if len(candidates) == 0 {
		return judging.MatchString(fn.Sel.Name) && fn.Sel.Name != "Scan"
	}
	return s.anyRefuses(candidates)
}

func (s scope) isReceiver(id *ast.Ident) bool {
	return s.decl.Recv != nil && len(s.decl.Recv.List[0].Names) > 0 && s.decl.Recv.List[0].Names[0].Name == id.Name
}

func (s scope) siblings(all []*function) []*function {
	var own []*function
	for _, f := range all {
		if f.file.folder == s.file.folder && receiver(f.decl) == receiver(s.decl) {
			own = append(own, f)
		}
	}
	return own
}

// inDatabase: what hands rows and statements to and fro. Opening what was sealed is another matter.
func inDatabase(f *function) bool {
	return f.file.folder == "internal/db" && f.decl.Name.Name != "Open"
}

// anyRefuses: the engines' own errors are no refusals of the product.
func (s scope) anyRefuses(all []*function) bool {
	for _, f := range all {
		if inDatabase(f) {
			continue
		}
		if !f.judged {
			f.judged = true // a recursion adds nothing
			f.refuses = s.m.scope(f.file, f.decl).bodyRefuses(f.decl.Body, f.decl.Type)
		}
		if f.refuses {
			return true
		}
	}
	return false
}

func (s scope) bodyRefuses(body *ast.BlockStmt, t *ast.FuncType) bool {
	if t.Results == nil {
		return false
	}
	found := false
	ast.Inspect(body, func(n ast.Node) bool {
		if r, is := n.(*ast.ReturnStmt); is && len(r.Results) > 0 {
			found = found || s.exprRefuses(r.Results[len(r.Results)-1])
		}
		return !found
	})
	return found
}

// exprRefuses: is it an error made here, or by a function that makes its own?
func (s scope) exprRefuses(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.Ident:
		if !s.local[e.Name] {
			return e.Name != "nil" && e.Name != "true" && e.Name != "false"
		}
		calls := s.calls[e.Name]
		s.calls[e.Name] = nil // an error around itself adds nothing
		defer func() { s.calls[e.Name] = calls }()
		return slices.ContainsFunc(calls, s.callRefuses)
	case *ast.CallExpr:
		return s.callRefuses(e)
	case *ast.BinaryExpr, *ast.BasicLit:
		return false
	}
	return true
}

// wrapRefuses: an error around another is a refusal if that is one.
func (s scope) wrapRefuses(call *ast.CallExpr) bool {
	format, is := call.Args[0].(*ast.BasicLit)
	if !is || !strings.Contains(format.Value, "%w") {
		return true
	}
	for _, arg := range call.Args[1:] {
		if id, is := arg.(*ast.Ident); is && s.local[id.Name] && s.exprRefuses(id) {
			return true
		}
	}
	return false
}

// handedOn finds the ifs of a body that follow an assignment, and the call that was assigned.
func handedOn(body *ast.BlockStmt) map[*ast.IfStmt]*ast.CallExpr {
	found := map[*ast.IfStmt]*ast.CallExpr{}
	look := func(list []ast.Stmt) {
		for i, s := range list {
			one, is := s.(*ast.IfStmt)
			if !is {
				continue
			}
			from := one.Init
			if from == nil && i > 0 {
				from = list[i-1]
			}
			if assigned, is := from.(*ast.AssignStmt); is {
				found[one], _ = assigned.Rhs[len(assigned.Rhs)-1].(*ast.CallExpr)
			}
		}
	}
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BlockStmt:
			look(n.List)
		case *ast.CaseClause:
			look(n.Body)
		}
		return true
	})
	return found
}

// handsOn: a condition that asks about an error, with a body that returns that very error, alone or wrapped; and whether anything that
// may have given it refuses.
func (s scope) handsOn(cond ast.Expr, body []ast.Stmt, from *ast.CallExpr) (hands, refuses bool) {
	asks, is := cond.(*ast.BinaryExpr)
	if !is || asks.Op != token.NEQ {
		return false, false
	}
	asked, is := asks.X.(*ast.Ident)
	if !is || s.text(asks.Y) != "nil" {
		return false, false
	}
	results := body[0].(*ast.ReturnStmt).Results
	given := results[len(results)-1]
	if call, is := given.(*ast.CallExpr); is && len(call.Args) > 0 && s.isErrorf(call) {
		given = call.Args[len(call.Args)-1]
	}
	if s.text(given) != asked.Name {
		return false, false
	}
	if from != nil {
		return true, s.callRefuses(from)
	}
	return true, s.exprRefuses(asked)
}

func (s scope) text(e ast.Expr) string {
	if id, is := e.(*ast.Ident); is {
		return id.Name
	}
	return ""
}

func (s scope) isErrorf(call *ast.CallExpr) bool {
	fn, is := call.Fun.(*ast.SelectorExpr)
	return is && s.text(fn.X) == "fmt" && fn.Sel.Name == "Errorf"
}
