package db

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/pressly/goose/v3/lock"
)

// NotEmptyError refuses to restore over what is there.
type NotEmptyError struct{ Table string }

func (e *NotEmptyError) Error() string {
	return fmt.Sprintf("db: the database is in use: its table %s has rows; restore into a new, empty database", e.Table)
}

// load is a restoring transaction: it runs once, because its source can be read only once.
type load struct {
	Tx
	// lock keeps every other writer and every migration out until the end.
	lock func(ctx context.Context, tables []tableInfo) error
	// insert takes rows from next until it gives nil.
	insert func(ctx context.Context, t backupTable, next func() ([]any, error)) error
	// count has the engine's counters go on behind the rows.
	count func(ctx context.Context, tables []tableInfo) error
}

// Restore fills an empty database from a backup and brings it to the newest of the migrations. Nothing of a damaged backup is kept;
// then the database is as empty as before, with the schema of the backup.
func (d *DB) Restore(ctx context.Context, r io.Reader, o BackupOptions) (BackupSummary, error) {
	b, err := openBackup(r)
	if err != nil {
		return BackupSummary{}, err
	}
	if err := d.prepare(ctx, b.summary.BackupHeader, o); err != nil {
		return b.summary, err
	}
	all := packings(o.Packings)
	err = d.engine.load(ctx, func(l load) error {
		tables, err := catalogue(ctx, d.kind, l, all.leave)
		if err != nil {
			return err
		}
		if err := l.lock(ctx, tables); err != nil {
			return fmt.Errorf("db: keep others out: %w", err)
		}
		if err := d.atSchema(ctx, l, b.summary.Schema); err != nil {
			return err
		}
		if err := all.empty(ctx, l, tables); err != nil {
			return err
		}
		if err := all.clear(ctx, l, tables); err != nil {
			return err
		}
		if err := b.fill(ctx, l, tables, o); err != nil {
			return err
		}
		if err := l.count(ctx, tables); err != nil {
			return fmt.Errorf("db: set the counters: %w", err)
		}
		return all.finish(ctx, l)
	})
	if err != nil {
		return b.summary, err
	}
	if err := d.Migrate(ctx, o.Migrations); err != nil {
		return b.summary, fmt.Errorf("everything is restored, with the older schema %d, but bringing that up to date failed: %w", b.summary.Schema, err)
	}
	return b.summary, nil
}

// prepare gives the empty database the schema of the backup. It looks before it touches anything.
func (d *DB) prepare(ctx context.Context, h BackupHeader, o BackupOptions) error {
	known, err := newestKnown(o.Migrations)
	if err != nil {
		return err
	}
	have, err := d.SchemaVersion(ctx)
	switch {
	case err != nil:
		return err
	case h.Schema > known:
		return fmt.Errorf("db: the backup has schema version %d, this program knows up to %d: restore it with the release that made it (%s) or a newer one", h.Schema, known, h.Program)
	case h.Schema < 1:
		return &DamagedBackupError{Line: 1, Reason: fmt.Sprintf("its schema version is %d", h.Schema)}
	}
	all := packings(o.Packings)
	err = d.Snapshot(ctx, func(r Reader) error {
		tables, err := catalogue(ctx, d.kind, r, all.leave)
		if err != nil {
			return err
		}
		return all.empty(ctx, r, tables)
	})
	if err != nil {
		return err
	}
	if have > h.Schema {
		return fmt.Errorf("db: the database has schema version %d already and the backup has %d: restore into a database that was never started", have, h.Schema)
	}
	return d.engine.migrate(ctx, o.Migrations, h.Schema)
}

func (d *DB) atSchema(ctx context.Context, r Reader, want int64) error {
	have, err := schemaVersion(ctx, d.kind, r)
	if err == nil && have != want {
		err = fmt.Errorf("db: another process has changed the schema meanwhile, from version %d to %d: stop it and restore into a new database", want, have)
	}
	return err
}

// empty returns a *NotEmptyError when there are rows that migrations did not put there.
func (all packings) empty(ctx context.Context, r Reader, tables []tableInfo) error {
	for _, t := range tables {
		text := "SELECT EXISTS (SELECT 1 FROM " + quoteName(t.name)
		if condition, ok := all.seeded(t.name); ok {
			text += " WHERE NOT (" + condition + ")"
		}
		var found bool
		if err := r.QueryRow(ctx, text+")").Scan(&found); err != nil {
			return fmt.Errorf("db: look into %s: %w", t.name, err)
		}
		if found {
			return &NotEmptyError{Table: t.name}
		}
	}
	return nil
}

// clear takes away what migrations put there: the backup has its own.
func (all packings) clear(ctx context.Context, tx Tx, tables []tableInfo) error {
	for _, t := range tables {
		if _, ok := all.seeded(t.name); !ok {
			continue
		}
		if _, err := tx.Exec(ctx, "DELETE FROM "+quoteName(t.name)); err != nil {
			return fmt.Errorf("db: clear %s: %w", t.name, err)
		}
	}
	return nil
}

// fill inserts everything and checks that it was everything.
func (b *backupReader) fill(ctx context.Context, l load, tables []tableInfo, o BackupOptions) error {
	missing := map[string]tableInfo{}
	for _, t := range tables {
		missing[t.name] = t
	}
	for {
		t, err := b.nextTable()
		if err != nil {
			return err
		}
		if t == nil {
			break
		}
		// Names that reach SQL text are the database's own: they are compared with its catalogue here.
		if !sameColumns(missing[t.Table].columns, t.Columns) {
			return b.damaged("schema %d has no table %.60q with the columns it names", b.summary.Schema, t.Table)
		}
		delete(missing, t.Table)
		err = l.insert(ctx, *t, func() ([]any, error) {
			o.tell(b.summary.Rows)
			return b.nextRow()
		})
		if err != nil {
			return b.refusedRow(t.Table, err)
		}
	}
	for name := range missing {
		return b.damaged("the table %s is missing", name)
	}
	return nil
}

// refusedRow tells rows that contradict each other, which no backup holds, from a database that fails.
func (b *backupReader) refusedRow(table string, err error) error {
	var twice *UniqueError
	if errors.Is(err, ErrForeignKey) || errors.As(err, &twice) {
		return b.damaged("a row of %s does not belong to the others: %v", table, err)
	}
	return fmt.Errorf("db: restore %s: %w", table, err)
}

func sameColumns(have, want []tableColumn) bool {
	kinds := map[string]columnType{}
	for _, c := range have {
		kinds[c.Name] = c.Type
	}
	for _, c := range want {
		if kinds[c.Name] != c.Type {
			return false
		}
		delete(kinds, c.Name) // a column named twice is found out
	}
	return len(kinds) == 0 && len(want) > 0
}

func (e *sqliteEngine) load(ctx context.Context, fn func(load) error) error {
	none := func(context.Context, []tableInfo) error { return nil }
	return e.tx(ctx, func(tx Tx) error {
		session, ok := tx.(*sqliteSession)
		if !ok {
			return errors.New("db: a transaction of another engine")
		}
		// The file is this process's alone, and the next row number follows the highest by itself.
		return fn(load{Tx: tx, lock: none, count: none, insert: session.insert})
	})
}

func (s *sqliteSession) insert(ctx context.Context, t backupTable, next func() ([]any, error)) error {
	marks := make([]string, len(t.Columns))
	for i := range marks {
		marks[i] = fmt.Sprintf("$%d", i+1)
	}
	text := "INSERT INTO " + quoteName(t.Table) + " (" + tableInfo{columns: t.Columns}.columnList() + ") VALUES (" + strings.Join(marks, ", ") + ")"
	for {
		row, err := next()
		if err != nil || row == nil {
			return errors.Join(err, ctx.Err())
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if _, err := s.conn.exec(text, namedValues(row)); err != nil {
			s.failed = true
			return err
		}
	}
}

func (e *pgEngine) load(ctx context.Context, fn func(load) error) error {
	return e.transact(ctx, pgx.TxOptions{IsoLevel: pgx.ReadCommitted}, func(s *pgSession) error {
		return fn(load{Tx: s, lock: s.lockOut, count: s.setCounters, insert: s.insert})
	})
}

func (s *pgSession) lockOut(ctx context.Context, tables []tableInfo) error {
	// The lock of the migrations, then every table against writers and other restores; readers may go on.
	if _, err := s.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", lock.DefaultLockID); err != nil {
		return err
	}
	names := make([]string, len(tables))
	for i, t := range tables {
		names[i] = quoteName(t.name)
	}
	_, err := s.Exec(ctx, "LOCK TABLE "+strings.Join(names, ", ")+" IN SHARE ROW EXCLUSIVE MODE")
	return err
}

func (s *pgSession) setCounters(ctx context.Context, tables []tableInfo) error {
	for _, t := range tables {
		for _, c := range t.columns {
			if !c.counted {
				continue
			}
			name, table := quoteName(c.Name), quoteName(t.name)
			text := "SELECT setval(pg_get_serial_sequence($1, $2), COALESCE(MAX(" + name + "), 1), COUNT(*) > 0) FROM " + table
			if _, err := s.Exec(ctx, text, table, c.Name); err != nil {
				return err
			}
		}
	}
	return nil
}

// insert streams the rows by COPY: a round trip for each would take hours.
func (s *pgSession) insert(ctx context.Context, t backupTable, next func() ([]any, error)) error {
	names := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		names[i] = c.Name
	}
	var broken error
	_, err := s.tx.CopyFrom(ctx, pgx.Identifier{t.Table}, names, pgx.CopyFromFunc(func() ([]any, error) {
		row, err := next()
		if err != nil {
			broken = err
		}
		return row, err
	}))
	if broken != nil {
		return broken
	}
	if err != nil {
		s.failure = pgError(err)
	}
	return pgError(err)
}
