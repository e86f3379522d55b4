package db

import (
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
)

// rowGuard is a guard of one row that can be written for many: UPDATE table SET … WHERE …, DELETE FROM table WHERE …, or SELECT … FROM table WHERE …
// with a lock.
type rowGuard struct {
	kind  statementKind // of one row
	table string
	head  string // up to WHERE
	where string // from WHERE on, without the lock
	lock  string // " FOR SHARE" or nothing
	using string // what brings in another table

	text atomic.Pointer[string] // for arrays; the types of arguments are those of the columns
}

var (
	rowUpdate = regexp.MustCompile(`(?is)^\s*UPDATE\s+([a-z_][a-z0-9_]*)\s+SET\s`)
	rowDelete = regexp.MustCompile(`(?is)^\s*DELETE\s+FROM\s+([a-z_][a-z0-9_]*)\s+WHERE\s`)
	rowSelect = regexp.MustCompile(`(?is)^\s*SELECT\s+(?:1|[a-z_][a-z0-9_]*)\s+FROM\s+([a-z_][a-z0-9_]*)\s+WHERE\s`)
	rowLock   = regexp.MustCompile(`(?is)\s+FOR\s+(SHARE|UPDATE)\s*$`)
	wherever  = regexp.MustCompile(`(?i)\bWHERE\b`)
	nested    = regexp.MustCompile(`(?i)\b(SELECT|FROM|USING|RETURNING)\b`)
)

// parseRowGuard reads the statement; nil for anything that is not surely a guard of one row, which is then sent row by row.
func parseRowGuard(kind statementKind, sql string) *rowGuard {
	sql = strings.TrimRight(sql, "; \t\r\n")
	g := &rowGuard{kind: kind.ofOne()}
	if lock := rowLock.FindString(sql); kind == eachSelect {
		g.lock, sql = lock, strings.TrimSuffix(sql, lock)
	}
	if strings.ContainsAny(sql, `'"`) || strings.Contains(sql, "--") || strings.Contains(sql, "/*") {
		return nil
	}
	where := wherever.FindAllStringIndex(sql, -1)
	if len(where) != 1 {
		return nil
	}
	g.head, g.where = sql[:where[0][0]], sql[where[0][0]:]
	whole, froms := rowUpdate, 0
	switch {
	case kind == eachSelect:
		whole, froms, g.using = rowSelect, 2, ", "
	case rowDelete.MatchString(sql):
		whole, froms, g.using = rowDelete, 1, "USING "
	default:
		g.using = "FROM "
	}
	m := whole.FindStringSubmatch(sql)
	if m == nil || len(nested.FindAllString(sql, -1)) != froms {
		return nil
	}
	g.table = m[1]
	return g
}

// together gives how a guard is written for many rows, nil if it cannot be.
func (g *guardTexts) together(kind statementKind, sql string) *rowGuard {
	if known, ok := g.rows.Load(sql); ok {
		return known.(*rowGuard)
	}
	parsed := parseRowGuard(kind, sql)
	g.rows.Store(sql, parsed)
	return parsed
}

// known is what together has given.
func (g *guardTexts) known(sql string) *rowGuard {
	known, _ := g.rows.Load(sql)
	return known.(*rowGuard)
}

// overArrays gives the guard for any number of rows, its arguments one array for each column and the number of rows: where another number of
// rows is affected, the division fails. It is "" if a type is not one that is stored here.
func (g *rowGuard) overArrays(oids []uint32) string {
	if text := g.text.Load(); text != nil {
		return *text
	}
	text := g.arraysText(oids)
	g.text.Store(&text)
	return text
}

func (g *rowGuard) arraysText(oids []uint32) string {
	var lists, names []string
	for i, oid := range oids {
		kind := arrayType(oid)
		if kind == "" {
			return ""
		}
		n := strconv.Itoa(i + 1)
		lists = append(lists, "$"+n+"::"+kind)
		names = append(names, "c"+n)
	}
	if len(lists) == 0 {
		return ""
	}
	column := func(n int) string { return "given.c" + strconv.Itoa(n) }
	from := "unnest(" + strings.Join(lists, ", ") + ") AS given(" + strings.Join(names, ", ") + ") "
	body := mapPlaceholders(strings.TrimRight(g.head, " \t\r\n"), column) + " " + g.using + from + mapPlaceholders(g.where, column)
	switch {
	case g.kind == guard:
		body += " RETURNING 1"
	case g.lock != "":
		body += g.lock + " OF " + g.table
	}
	return "WITH guarded AS (" + body + "\n) SELECT 1/(CASE WHEN count(*) = $" + strconv.Itoa(len(oids)+1) + "::bigint THEN 1 ELSE 0 END) FROM guarded"
}
