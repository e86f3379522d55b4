package db

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// outgrown finds the tables that have grown threefold since the planner looked, small ones too: a plan that was made for an empty table goes
// through all of it. What changes in a table, and does not make it larger, is left to autovacuum: a sample of a large table takes a tenth of a
// second, and all people change when a mapping does.
const outgrown = `SELECT s.relname FROM pg_stat_user_tables s JOIN pg_class c ON c.oid = s.relid
	WHERE s.schemaname = current_schema() AND s.n_live_tup > 50 AND s.n_live_tup > 3 * c.reltuples AND s.n_mod_since_analyze > 0`

// Analyze gives PostgreSQL's planner fresh statistics of tables that have outgrown them. Autovacuum does the same, but looks once
// a minute: a first sync is over by then, and until then the planner reads whole directories to find a few hundred people. SQLite
// plans by its indexes alone; there it does nothing.
func (d *DB) Analyze(ctx context.Context) error {
	e, ok := d.engine.(*pgEngine)
	if !ok {
		return nil
	}
	tables, err := e.tables(ctx, outgrown)
	if err != nil {
		return err
	}
	for _, table := range tables {
		if _, err := e.pool.Exec(ctx, "ANALYZE (SKIP_LOCKED) "+pgx.Identifier{table}.Sanitize()); err != nil {
			return fmt.Errorf("db: statistics of %s: %w", table, pgError(err))
		}
	}
	return nil
}

func (e *pgEngine) tables(ctx context.Context, text string) ([]string, error) {
	rows, err := e.pool.Query(ctx, text)
	if err != nil {
		return nil, fmt.Errorf("db: look at statistics: %w", pgError(err))
	}
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("db: look at statistics: %w", pgError(err))
	}
	return tables, nil
}

// littered finds the tables that are mostly rows that were deleted: queues through which much goes.
const littered = `SELECT relname FROM pg_stat_user_tables
	WHERE schemaname = current_schema() AND n_dead_tup > 1000 AND n_dead_tup > n_live_tup`

// clearPause is how long a table is left alone that is still littered when it has been cleared: somebody's snapshot is old enough to see what was
// deleted.
const clearPause = 30 * time.Second

// clearTable keeps the room that a table has taken: giving it back takes a lock for which all others wait.
const clearTable = `VACUUM (SKIP_LOCKED, INDEX_CLEANUP ON, TRUNCATE OFF) `

// clearing remembers which tables are left alone, and until when.
type clearing struct {
	mu    sync.Mutex
	rests map[string]time.Time
}

// Clear takes out of PostgreSQL's tables what was deleted where that is most of what is in them, so in queues through which much goes: each
// look at one would go past all that has been in it. Autovacuum does the same, but looks once a minute. It costs what the table is large, so
// little; on SQLite, where a deleted row is gone, it does nothing.
func (d *DB) Clear(ctx context.Context) error {
	e, ok := d.engine.(*pgEngine)
	if !ok {
		return nil
	}
	e.clearing.mu.Lock()
	defer e.clearing.mu.Unlock()
	tables, err := e.tables(ctx, littered)
	if err != nil {
		return err
	}
	now := time.Now()
	var cleared []string
	for _, table := range tables {
		if now.Before(e.clearing.rests[table]) {
			continue
		}
		if _, err := e.pool.Exec(ctx, clearTable+pgx.Identifier{table}.Sanitize()); err != nil {
			return fmt.Errorf("db: clear %s: %w", table, pgError(err))
		}
		cleared = append(cleared, table)
	}
	if len(cleared) == 0 {
		return nil
	}
	if tables, err = e.tables(ctx, littered); err != nil {
		return err
	}
	for _, table := range cleared {
		delete(e.clearing.rests, table)
		if slices.Contains(tables, table) {
			e.clearing.rests[table] = now.Add(clearPause)
		}
	}
	return nil
}
