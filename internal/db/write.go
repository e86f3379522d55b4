package db

import "context"

type statementKind uint8

const (
	plain statementKind = iota
	guard
	guardSelect
	many
)

type statement struct {
	kind statementKind
	sql  string
	args []any   // canonical
	rows [][]any // canonical; of a many
}

// Write is a transaction as data: statements gathered outside and applied in
// order, all or nothing, by [DB.Write]. The zero value is ready. It is not safe
// for concurrent use. It may be written again after an error.
//
// A []byte argument must not be modified until DB.Write has returned.
type Write struct {
	// Lane names what the write is likely to contend for, a tenant for one: on PostgreSQL, writes of a lane that come at the same
	// time share a transaction. "" shares with nobody.
	Lane string

	// Before, if set, is asked before the commit; its error undoes the write and is what DB.Write returns. It is for a question that is
	// being answered meanwhile and soon: on PostgreSQL the statements run while it is waited for, and hold their locks, by themselves
	// and in no lane; on SQLite, whose one writer everybody needs, it is waited for first. It may be asked again.
	Before func() error

	statements []statement
	err        error // the first refused argument; DB.Write returns it
}

// Exec adds a statement that may affect any number of rows.
func (w *Write) Exec(sql string, args ...any) { w.add(plain, sql, args) }

// Guard adds an INSERT, UPDATE or DELETE (without RETURNING) that must affect at
// least one row; else nothing of the write is kept and DB.Write returns a
// *[GuardError]. Put guards first: losing one is then cheapest.
func (w *Write) Guard(sql string, args ...any) { w.add(guard, sql, args) }

// GuardSelect adds a SELECT that must find at least one row, else as Guard. It may
// end in [DB.ForShare] or [DB.ForUpdate]; the rows stay locked until the commit.
func (w *Write) GuardSelect(sql string, args ...any) { w.add(guardSelect, sql, args) }

// Many adds one statement to be applied to each row of arguments; no rows, no
// statement. A plain INSERT … VALUES is sent to PostgreSQL as one statement with
// arrays, so its rows must not depend on each other.
func (w *Write) Many(sql string, rows [][]any) {
	if len(rows) == 0 {
		return
	}
	canonical := make([][]any, len(rows))
	for i, row := range rows {
		args, err := canonArgs(sql, row)
		if err != nil {
			w.refuse(err)
			return
		}
		canonical[i] = args
	}
	w.statements = append(w.statements, statement{kind: many, sql: sql, rows: canonical})
}

// Len is the number of statements; a Many with rows counts as one.
func (w *Write) Len() int { return len(w.statements) }

// In applies the write in a transaction, instead of one of its own. Its error, of which a *[GuardError] is one, has to end the transaction: what
// came before it in the write is done. Lane is of no account.
func (w *Write) In(ctx context.Context, tx Tx) error {
	if w.err != nil {
		return w.err
	}
	for i := range w.statements {
		if err := w.statements[i].in(ctx, tx, i); err != nil {
			return err
		}
	}
	if w.Before != nil {
		return w.Before()
	}
	return nil
}

func (s *statement) in(ctx context.Context, tx Tx, index int) error {
	switch s.kind {
	case many:
		for _, row := range s.rows {
			if _, err := tx.Exec(ctx, s.sql, row...); err != nil {
				return err
			}
		}
		return nil
	case guardSelect:
		rows, err := tx.Query(ctx, s.sql, s.args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		if rows.Next() {
			return nil
		}
		if err := rows.Err(); err != nil {
			return err
		}
		return &GuardError{Statement: index}
	case plain, guard:
	}
	n, err := tx.Exec(ctx, s.sql, s.args...)
	if err == nil && n == 0 && s.kind == guard {
		err = &GuardError{Statement: index}
	}
	return err
}

func (w *Write) add(kind statementKind, sql string, args []any) {
	canonical, err := canonArgs(sql, args)
	if err != nil {
		w.refuse(err)
		return
	}
	w.statements = append(w.statements, statement{kind: kind, sql: sql, args: canonical})
}

func (w *Write) refuse(err error) {
	if w.err == nil {
		w.err = err
	}
}
