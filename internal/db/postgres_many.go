package db

import (
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
)

// insertHead recognises INSERT INTO t (columns) VALUES.
var insertHead = regexp.MustCompile(`(?is)^\s*INSERT\s+INTO\s+[a-z_][a-z0-9_]*\s*\([a-z0-9_,\s]*\)\s*VALUES\s*`)

// plainInsert is an INSERT … VALUES (…) of one row whose result depends on no other row.
type plainInsert struct {
	head string // up to and without VALUES
	row  string // what stands between the brackets of VALUES
	tail string // nothing, or ON CONFLICT … DO NOTHING
}

var doNothing = regexp.MustCompile(`(?is)^\s*ON\s+CONFLICT\s*(\([a-z0-9_,\s]*\)\s*)?DO\s+NOTHING\s*$`)

// parsePlainInsert reads the statement; ok is false for anything that is not surely
// a plain insert, which is then sent as it is.
func parsePlainInsert(sql string) (_ plainInsert, ok bool) {
	sql = strings.TrimRight(sql, "; \t\r\n")
	m := insertHead.FindStringIndex(sql)
	if m == nil {
		return plainInsert{}, false
	}
	head := strings.TrimSpace(sql[:m[1]])
	p := plainInsert{head: head[:len(head)-len("VALUES")]}
	p.row, p.tail, ok = firstBrackets(sql[m[1]:])
	if !ok || strings.TrimSpace(p.tail) != "" && !doNothing.MatchString(p.tail) {
		return plainInsert{}, false
	}
	lower := strings.ToLower(p.row)
	return p, !strings.Contains(lower, "select") && !strings.Contains(lower, "default")
}

// firstBrackets splits "(a, b) c" into "a, b" and " c".
func firstBrackets(text string) (inside, after string, ok bool) {
	if !strings.HasPrefix(text, "(") {
		return "", "", false
	}
	depth, at := 0, 0
	for _, p := range pieces(text) {
		for i := 0; i < len(p.text); i++ {
			if p.plain {
				continue
			}
			switch p.text[i] {
			case '(':
				depth++
			case ')':
				if depth--; depth == 0 {
					return text[1 : at+i], text[at+i+1:], true
				}
			}
		}
		at += len(p.text)
	}
	return "", "", false
}

// rowsPerStatement bounds the size of one message.
const rowsPerStatement = 10_000

// inserts remembers which texts are plain inserts, and their texts for many rows.
type inserts struct{ known, arrays sync.Map }

func (m *inserts) parse(sql string) *plainInsert {
	if known, ok := m.known.Load(sql); ok {
		return known.(*plainInsert)
	}
	var parsed *plainInsert
	if p, ok := parsePlainInsert(sql); ok {
		parsed = &p
	}
	m.known.Store(sql, parsed)
	return parsed
}

// arrayText gives the insert for any number of rows, its arguments being one array
// for each column: INSERT … SELECT … FROM unnest($1::text[], …). It is "" if a
// type is not one that is stored here.
func (m *inserts) arrayText(p *plainInsert, d *pgconn.StatementDescription) string {
	if text, ok := m.arrays.Load(d.SQL); ok {
		return text.(string)
	}
	text := p.overArrays(d.ParamOIDs)
	m.arrays.Store(d.SQL, text)
	return text
}

func (p *plainInsert) overArrays(oids []uint32) string {
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
	row := mapPlaceholders(p.row, func(n int) string { return "u.c" + strconv.Itoa(n) })
	return p.head + "SELECT " + row + " FROM unnest(" + strings.Join(lists, ", ") + ") AS u(" + strings.Join(names, ", ") + ")" + p.tail
}

func arrayType(oid uint32) string {
	switch oid {
	case pgtype.TextOID, pgtype.VarcharOID:
		return "text[]"
	case pgtype.Int8OID, pgtype.Int4OID, pgtype.Int2OID:
		return "bigint[]"
	case pgtype.BoolOID:
		return "boolean[]"
	}
	return ""
}

// columnArrays turns rows into one array for each column; ok is false when a column
// mixes types or a row has another length, which the plain statement reports better.
func columnArrays(rows [][]any, columns int) (arrays []any, ok bool) {
	arrays = make([]any, columns)
	for c := range columns {
		switch sample(rows, c).(type) {
		case string, nil:
			arrays[c], ok = column[string](rows, c)
		case int64:
			arrays[c], ok = column[int64](rows, c)
		case bool:
			arrays[c], ok = column[bool](rows, c)
		}
		if !ok {
			return nil, false
		}
	}
	return arrays, true
}

// sample is the first value of a column that is not NULL.
func sample(rows [][]any, c int) any {
	for _, row := range rows {
		if c < len(row) && row[c] != nil {
			return row[c]
		}
	}
	return nil
}

func column[T any](rows [][]any, c int) (any, bool) {
	values, nulls := make([]T, len(rows)), false
	for i, row := range rows {
		if c >= len(row) {
			return nil, false
		}
		if row[c] == nil {
			nulls = true
			continue
		}
		v, ok := row[c].(T)
		if !ok {
			return nil, false
		}
		values[i] = v
	}
	if !nulls {
		return values, true
	}
	pointers := make([]*T, len(rows))
	for i, row := range rows {
		if row[c] != nil {
			pointers[i] = &values[i]
		}
	}
	return pointers, true
}
