package db

import (
	"context"
	"errors"
	"slices"
	"strings"
)

type statementKind uint8

const (
	plain statementKind = iota
	guard
	guardSelect
	many
	each
	eachSelect
	just
)

type statement struct {
	kind statementKind
	sql  string
	args []any   // canonical
	rows [][]any // canonical; of a many, and of an each

	ids   []string // of Just, sorted
	texts []string // of Wide
	wide  int      // rows so far
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
	once       []string
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

// Just adds an UPDATE or DELETE (without RETURNING) of a table with an id that must affect the rows with these ids, in any order, and no others;
// else as Guard. No ids: it must affect none.
func (w *Write) Just(ids []string, sql string, args ...any) {
	w.add(just, sql, args)
	if w.err == nil {
		sorted := append([]string{}, ids...) // never nil, which PostgreSQL takes for NULL
		slices.Sort(sorted)
		w.statements[len(w.statements)-1].ids = sorted
	}
}

// Each is Guard for one of many rows: those of the same text are applied together, where the first of them was added, so each has to name a row
// of its own, and none may rest on a statement that was added in between. An UPDATE or DELETE is sent to PostgreSQL as one statement with arrays.
func (w *Write) Each(sql string, args ...any) { w.addEach(each, sql, args) }

// EachSelect is GuardSelect for one of many rows, as Each is Guard: SELECT … FROM table WHERE …, which may end in [DB.ForShare].
func (w *Write) EachSelect(sql string, args ...any) { w.addEach(eachSelect, sql, args) }

func (w *Write) addEach(kind statementKind, sql string, args []any) {
	row, err := canonArgs(sql, args)
	if err != nil {
		w.refuse(err)
		return
	}
	at := slices.IndexFunc(w.statements, func(s statement) bool { return s.kind == kind && s.sql == sql })
	if at < 0 {
		at = len(w.statements)
		w.statements = append(w.statements, statement{kind: kind, sql: sql})
	}
	w.statements[at].rows = append(w.statements[at].rows, row)
}

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

// Wide adds one more row to a statement that is written for several: texts[n] is the statement for n rows, whose arguments stand behind each
// other. Rows of the same texts are applied in order where the first of them was added, as many by one statement as there are texts; so none may
// rest on what was added in between. Texts are the same where they are the same slice.
func (w *Write) Wide(texts []string, args ...any) {
	if len(texts) < 2 {
		w.refuse(errors.New("db: Wide without a text for one row"))
		return
	}
	row, err := canonArgs(texts[1], args)
	if err != nil {
		w.refuse(err)
		return
	}
	at, after := -1, len(w.statements)
	for i := range w.statements {
		if s := &w.statements[i]; s.wide > 0 && &s.texts[0] == &texts[0] {
			at, after = i, i+1
		}
	}
	if at < 0 || w.statements[at].wide == len(texts)-1 {
		w.statements = slices.Insert(w.statements, after, statement{kind: plain, texts: texts})
		at = after
	}
	s := &w.statements[at]
	s.wide++
	s.sql, s.args = texts[s.wide], append(s.args, row...)
}

// Once refuses the write if the key is given again: Each and EachSelect find no row that was changed by a statement in between, so what rests on the
// same rows as something else must not be joined with it. The refusal is ErrTwice.
func (w *Write) Once(key string) {
	if slices.Contains(w.once, key) {
		w.refuse(ErrTwice)
	}
	w.once = append(w.once, key)
}

// ErrTwice refuses a write that gathers two changes of what one write may change once. Apply them by a write each.
var ErrTwice = errors.New("db: a write concerns the same thing twice")

// Len is the number of statements; a Many with rows counts as one, and so do the rows of Each and of Wide that are applied together.
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
	case each, eachSelect:
		for _, row := range s.rows {
			one := statement{kind: s.kind.ofOne(), sql: s.sql, args: row}
			if err := one.in(ctx, tx, index); err != nil {
				return err
			}
		}
		return nil
	case just:
		got, err := readStrings(ctx, tx, returningID(s.sql), s.args...)
		if err != nil {
			return err
		}
		return s.justThose(got, index)
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

// ofOne is the kind of a single row.
func (k statementKind) ofOne() statementKind {
	switch k {
	case each:
		return guard
	case eachSelect:
		return guardSelect
	case plain, guard, guardSelect, many, just:
	}
	return k
}

// justThose compares the ids that a Just has affected, which it sorts.
func (s *statement) justThose(got []string, index int) error {
	if slices.Sort(got); !slices.Equal(got, s.ids) {
		return &GuardError{Statement: index}
	}
	return nil
}

// returningID is a statement of Just for the engine.
func returningID(sql string) string { return strings.TrimRight(sql, "; \t\r\n") + "\nRETURNING id" }

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
