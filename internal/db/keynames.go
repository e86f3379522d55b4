package db

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"modernc.org/sqlite"
)

// uniqueKey is a unique index under the names both engines report it by.
type uniqueKey struct {
	constraint string
	table      string
	columns    []string
}

// keyNames remembers unique indexes by what the engine's error message calls them.
type keyNames struct {
	mu    sync.Mutex
	known map[string]uniqueKey
}

func newKeyNames() *keyNames { return &keyNames{known: map[string]uniqueKey{}} }

func (k *keyNames) get(message string) (uniqueKey, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	key, ok := k.known[message]
	return key, ok
}

func (k *keyNames) put(message string, key uniqueKey) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.known[message] = key
}

func (u uniqueKey) fail(cause error) *UniqueError {
	return &UniqueError{Constraint: u.constraint, Table: u.table, Columns: u.columns, cause: cause}
}

// sqliteUnique names the violated key. The message holds either the columns
// ("UNIQUE constraint failed: t.a, t.b") or, for an index over expressions, its
// name ("UNIQUE constraint failed: index 'i'").
func (k *keyNames) sqliteUnique(c *sqliteConn, failure *sqlite.Error) error {
	_, message, ok := strings.Cut(failure.Error(), "constraint failed: ")
	if ok {
		// The driver repeats SQLite's general sentence before the detailed one.
		if _, detail, twice := strings.Cut(message, "constraint failed: "); twice {
			message = detail
		}
	}
	message, _, _ = strings.Cut(message, " (")
	if key, known := k.get(message); known {
		return key.fail(failure)
	}
	key, err := sqliteKey(c, message)
	if err != nil {
		return fmt.Errorf("%w (and its key could not be looked up: %w)", failure, err)
	}
	k.put(message, key)
	return key.fail(failure)
}

func sqliteKey(c *sqliteConn, message string) (uniqueKey, error) {
	if quoted, ok := strings.CutPrefix(message, "index '"); ok {
		return sqliteIndex(c, strings.TrimSuffix(quoted, "'"))
	}
	var key uniqueKey
	for _, qualified := range strings.Split(message, ", ") {
		table, column, _ := strings.Cut(qualified, ".")
		key.table = table
		key.columns = append(key.columns, column)
	}
	candidates, err := sqliteUniques(c, key.table)
	if err != nil {
		return uniqueKey{}, err
	}
	var matching []string
	for _, candidate := range candidates {
		if strings.Join(candidate.columns, ",") == strings.Join(key.columns, ",") {
			matching = append(matching, candidate.constraint)
		}
	}
	switch len(matching) {
	case 0: // an INTEGER PRIMARY KEY has no index
		key.constraint = key.table + "_pkey"
	case 1:
		key.constraint = matching[0]
	}
	return key, nil
}

func sqliteIndex(c *sqliteConn, index string) (uniqueKey, error) {
	key := uniqueKey{constraint: index}
	err := c.each("SELECT tbl_name FROM sqlite_master WHERE type = 'index' AND name = $1", []any{index}, &key.table)
	if err != nil {
		return uniqueKey{}, err
	}
	key.columns, err = sqliteIndexColumns(c, index)
	return key, err
}

// sqliteUniques lists the unique indexes of a table that have columns only.
func sqliteUniques(c *sqliteConn, table string) ([]uniqueKey, error) {
	type entry struct{ name, origin string }
	var entries []entry
	rows, err := c.query(context.Background(), `SELECT name, origin FROM pragma_index_list($1) WHERE "unique" = 1 ORDER BY name`, namedValues([]any{table}))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var e entry
		if err := rows.Scan(&e.name, &e.origin); err != nil {
			return nil, err
		}
		entries = append(entries, e)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	var out []uniqueKey
	for _, e := range entries {
		columns, err := sqliteIndexColumns(c, e.name)
		if err != nil {
			return nil, err
		}
		out = append(out, uniqueKey{constraint: constraintName(e.name, e.origin, table, columns), table: table, columns: columns})
	}
	return out, nil
}

// constraintName names a key as PostgreSQL would: SQLite gives no name to what a
// CREATE TABLE declares.
func constraintName(index, origin, table string, columns []string) string {
	switch origin {
	case "pk":
		return table + "_pkey"
	case "u":
		return table + "_" + strings.Join(columns, "_") + "_key"
	}
	return index
}

func sqliteIndexColumns(c *sqliteConn, index string) ([]string, error) {
	return c.texts("SELECT name FROM pragma_index_info($1) WHERE name IS NOT NULL ORDER BY seqno", namedValues([]any{index}))
}

// each scans every row of a query into dest; the last one stays.
func (c *sqliteConn) each(sql string, args []any, dest ...any) error {
	rows, err := c.query(context.Background(), sql, namedValues(args))
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := rows.Scan(dest...); err != nil {
			return err
		}
	}
	return rows.Err()
}
