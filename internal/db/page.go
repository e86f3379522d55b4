package db

import (
	"fmt"
	"slices"
	"strings"
)

// Page builds the statement of a list that is read by the ids before or after a cursor, both exclusive. Ids grow with time, so
// ascending is oldest first.
type Page struct {
	Before, After string
	Limit         int // rows of a page; one more is read, to know whether others follow (see Cut)
	Ascending     bool

	conditions []string
	args       []any
}

// Arg adds an argument and gives its placeholder.
func (p *Page) Arg(value any) string {
	p.args = append(p.args, value)
	return fmt.Sprintf("$%d", len(p.args))
}

// Where adds a condition; its arguments come from Arg.
func (p *Page) Where(condition string) { p.conditions = append(p.conditions, condition) }

// Contains adds the condition that a column holds a part, in any letter case (of ASCII letters on SQLite); the part's own % and _
// mean themselves.
func (p *Page) Contains(column, part string) {
	part = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(strings.ToLower(part))
	p.Where("lower(" + column + ") LIKE " + p.Arg("%"+part+"%") + ` ESCAPE '\'`)
}

// backwards: the page before a cursor is read from the cursor on, against the order shown.
func (p *Page) backwards() bool { return p.Before != "" && p.After == "" }

// Statement completes a SELECT that has a WHERE already, in the order of its column id.
func (p *Page) Statement(text, id string) (string, []any) {
	before, after := " < ", " > "
	if !p.Ascending {
		before, after = after, before
	}
	if p.After != "" {
		p.Where(id + after + p.Arg(p.After))
	}
	if p.Before != "" {
		p.Where(id + before + p.Arg(p.Before))
	}
	for _, c := range p.conditions {
		text += " AND " + c
	}
	order := "DESC"
	if p.Ascending != p.backwards() {
		order = "ASC"
	}
	return fmt.Sprintf("%s ORDER BY %s %s LIMIT %s", text, id, order, p.Arg(p.Limit+1)), p.args
}

// Cut takes the extra row off that tells whether more follow in the direction read, and puts a page read backwards in order.
func Cut[T any](p Page, rows []T) (page []T, more bool) {
	more = len(rows) > p.Limit
	page = rows[:min(len(rows), p.Limit)]
	if p.backwards() {
		slices.Reverse(page)
	}
	return page, more
}
