package db

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/pressly/goose/v3"
)

// columnType is what both engines call a column's contents.
type columnType string

const (
	typeText    columnType = "text"
	typeInteger columnType = "integer"
	typeBoolean columnType = "boolean"
)

type tableColumn struct {
	Name string     `json:"name"`
	Type columnType `json:"type"`

	// counted: the engine gives this column its next number.
	counted bool
}

// tableInfo is a table as the database describes it.
type tableInfo struct {
	name    string
	columns []tableColumn
	refers  []string // tables its foreign keys point at
}

// The catalogues are asked and not the migrations, so that no table can be forgotten. PostgreSQL's information_schema would hide
// what the role may not read; pg_catalog does not, and reading fails loudly.
const (
	sqliteTables  = `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\_%' ESCAPE '\' ORDER BY name`
	sqliteColumns = `SELECT name, type, FALSE FROM pragma_table_info($1) ORDER BY cid`
	sqliteRefers  = `SELECT DISTINCT "table" FROM pragma_foreign_key_list($1)`

	pgTables = `SELECT relname::text FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
		ORDER BY relname::text COLLATE "C"`
	pgColumns = `SELECT attname::text, format_type(atttypid, NULL), attidentity <> '' FROM pg_attribute
		WHERE attrelid = (SELECT oid FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relname = $1)
		AND attnum > 0 AND NOT attisdropped ORDER BY attnum`
	pgRefers = `SELECT DISTINCT t.relname::text FROM pg_constraint c JOIN pg_class s ON s.oid = c.conrelid JOIN pg_class t ON t.oid = c.confrelid
		WHERE c.contype = 'f' AND s.relnamespace = current_schema()::regnamespace AND s.relname = $1`
)

// catalogue describes the tables but those in leave, each after the tables it refers to.
func catalogue(ctx context.Context, engine Engine, r Reader, leave func(table string) bool) ([]tableInfo, error) {
	list, columns, refers := sqliteTables, sqliteColumns, sqliteRefers
	if engine == PostgreSQL {
		list, columns, refers = pgTables, pgColumns, pgRefers
	}
	names, err := readStrings(ctx, r, list)
	if err != nil {
		return nil, fmt.Errorf("db: list the tables: %w", err)
	}
	var out []tableInfo
	for _, name := range names {
		if name == goose.DefaultTablename || leave(name) {
			continue
		}
		t := tableInfo{name: name}
		if t.columns, err = readColumns(ctx, r, columns, name); err != nil {
			return nil, err
		}
		if t.refers, err = readStrings(ctx, r, refers, name); err != nil {
			return nil, fmt.Errorf("db: foreign keys of %s: %w", name, err)
		}
		out = append(out, t)
	}
	return byReference(out)
}

func readStrings(ctx context.Context, r Reader, sql string, args ...any) ([]string, error) {
	rows, err := r.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, rows.Err()
}

func readColumns(ctx context.Context, r Reader, sql, table string) ([]tableColumn, error) {
	rows, err := r.Query(ctx, sql, table)
	if err != nil {
		return nil, fmt.Errorf("db: columns of %s: %w", table, err)
	}
	defer rows.Close()
	var out []tableColumn
	for rows.Next() {
		var c tableColumn
		var declared string
		if err := rows.Scan(&c.Name, &declared, &c.counted); err != nil {
			return nil, fmt.Errorf("db: columns of %s: %w", table, err)
		}
		if c.Type, err = neutralType(declared); err != nil {
			return nil, fmt.Errorf("db: column %s of %s: %w", c.Name, table, err)
		}
		out = append(out, c)
	}
	return out, rows.Err()
}

func neutralType(declared string) (columnType, error) {
	switch strings.ToLower(declared) {
	case "text":
		return typeText, nil
	case "bigint", "integer":
		return typeInteger, nil
	case "boolean":
		return typeBoolean, nil
	}
	return "", fmt.Errorf("the type %q cannot be carried from engine to engine: use text, bigint or boolean", declared)
}

// byReference puts each table behind those it refers to, and otherwise keeps the order.
func byReference(tables []tableInfo) ([]tableInfo, error) {
	out := make([]tableInfo, 0, len(tables))
	placed := map[string]bool{}
	here := map[string]bool{}
	for _, t := range tables {
		here[t.name] = true
	}
	for len(out) < len(tables) {
		before := len(out)
		for _, t := range tables {
			waits := slices.ContainsFunc(t.refers, func(other string) bool { return here[other] && !placed[other] })
			if !placed[t.name] && !waits {
				out, placed[t.name] = append(out, t), true
			}
		}
		if len(out) == before {
			return nil, fmt.Errorf("db: foreign keys go round in a circle: no order in which rows could be put back (placed %d of %d tables)", before, len(tables))
		}
	}
	return out, nil
}

// columnList is for SQL text. The names come from the database's own catalogue.
func (t tableInfo) columnList() string {
	names := make([]string, len(t.columns))
	for i, c := range t.columns {
		names[i] = quoteName(c.Name)
	}
	return strings.Join(names, ", ")
}

func quoteName(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }
