package db

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// outgrown finds the tables whose contents are mostly newer than what the planner knows of them.
const outgrown = `SELECT relname FROM pg_stat_user_tables
	WHERE schemaname = current_schema() AND n_live_tup > 1000 AND n_mod_since_analyze > n_live_tup / 2`

// Analyze gives PostgreSQL's planner fresh statistics of tables that have outgrown them. Autovacuum does the same, but looks once
// a minute: a first sync is over by then, and until then the planner reads whole directories to find a few hundred people. SQLite
// plans by its indexes alone; there it does nothing.
func (d *DB) Analyze(ctx context.Context) error {
	e, ok := d.engine.(*pgEngine)
	if !ok {
		return nil
	}
	rows, err := e.pool.Query(ctx, outgrown)
	if err != nil {
		return fmt.Errorf("db: look at statistics: %w", pgError(err))
	}
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return fmt.Errorf("db: look at statistics: %w", pgError(err))
	}
	for _, table := range tables {
		if _, err := e.pool.Exec(ctx, "ANALYZE (SKIP_LOCKED) "+pgx.Identifier{table}.Sanitize()); err != nil {
			return fmt.Errorf("db: statistics of %s: %w", table, pgError(err))
		}
	}
	return nil
}
