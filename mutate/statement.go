package main

import (
	"go/ast"
	"go/token"
	"regexp"
	"strings"
)

// A condition of a statement is a guard as an if is: it binds the tenant, the application, the state, or says "not used yet". Each one of
// a WHERE or after an AND, also of those inside others, is taken away by itself: `used_at IS NULL` becomes `(used_at IS NULL OR TRUE)`,
// which keeps every parameter in its place.

var (
	begins = regexp.MustCompile(`\b(WHERE|AND)\s+`)
	ends   = regexp.MustCompile(`^(AND|ORDER|LIMIT|GROUP|RETURNING|UNION|FOR|ON)\b`)
	// What is completed elsewhere cannot be put in parentheses here.
	unfinished = regexp.MustCompile(`([<>=(]|\b(IN|NOT|EXISTS|WHERE|AND|IS))$`)
)

// statements finds the conditions in the constants of a file of statements.
func (w *walker) statements(f *ast.File) {
	for _, spec := range constants(f) {
		w.function = spec.Names[0].Name
		for _, value := range spec.Values {
			ast.Inspect(value, func(n ast.Node) bool {
				if lit, is := n.(*ast.BasicLit); is && lit.Kind == token.STRING && !(lit.Value[0] == '"' && strings.Contains(lit.Value, `\`)) {
					w.conditionsOf(lit)
				}
				return true
			})
		}
	}
}

func constants(f *ast.File) []*ast.ValueSpec {
	var all []*ast.ValueSpec
	for _, d := range f.Decls {
		if g, is := d.(*ast.GenDecl); is && g.Tok == token.CONST {
			for _, s := range g.Specs {
				all = append(all, s.(*ast.ValueSpec))
			}
		}
	}
	return all
}

func (w *walker) conditionsOf(lit *ast.BasicLit) {
	quote, text := lit.Value[:1], lit.Value[1:len(lit.Value)-1]
	start := w.at(lit.Pos()) + 1
	for _, at := range begins.FindAllStringIndex(text, -1) {
		condition := text[at[1]:conditionEnd(text, at[1])]
		condition = strings.TrimRight(condition, " \t\n")
		if condition == "" || condition == "TRUE" || condition == "1 = 1" || unfinished.MatchString(condition) || strings.Count(condition, "(") != strings.Count(condition, ")") {
			continue
		}
		put := func(call string) string { return quote + " + " + call + "(%d) + " + quote }
		g := w.addText(strings.Join(strings.Fields(condition), " "), w.line(lit)+strings.Count(text[:at[1]], "\n"), []edit{
			{start + at[1], put("mutateOpens")}, {start + at[1] + len(condition), put("mutateShuts")},
		})
		g.statement = true
	}
}

// conditionEnd is where the condition that begins at a place ends: before what follows it, or where its parenthesis closes.
func conditionEnd(text string, at int) int {
	depth := 0
	for i := at; i < len(text); i++ {
		switch {
		case text[i] == '(':
			depth++
		case text[i] == ')':
			if depth == 0 {
				return i
			}
			depth--
		case depth == 0 && i > at && (text[i-1] == ' ' || text[i-1] == '\n' || text[i-1] == '\t') && ends.MatchString(text[i:]):
			return i
		}
	}
	return len(text)
}
