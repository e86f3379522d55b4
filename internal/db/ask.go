package db

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
)

// Question is a query and what reads its rows. Read closes nothing and returns what Rows.Err says.
type Question struct {
	SQL  string
	Args []any
	Read func(Rows) error
}

// Ask asks several questions of a reader: of a [DB] at once, see [DB.Ask], of a transaction or a snapshot one after the other.
func Ask(ctx context.Context, r Reader, questions ...Question) error {
	if d, ok := r.(*DB); ok {
		return d.Ask(ctx, questions...)
	}
	return inTurn(ctx, r, questions)
}

// Ask asks several questions at once: on PostgreSQL they travel together, and cost one round trip instead of one each. Each sees what
// was committed when its turn came. The first error ends it; what was read is then not to be used.
func (d *DB) Ask(ctx context.Context, questions ...Question) error {
	if pg, ok := d.engine.(*pgEngine); ok && len(questions) > 1 {
		return pg.ask(ctx, questions)
	}
	return inTurn(ctx, d, questions)
}

func inTurn(ctx context.Context, r Reader, questions []Question) error {
	for _, q := range questions {
		rows, err := r.Query(ctx, q.SQL, q.Args...)
		if err != nil {
			return err
		}
		if err := q.read(rows); err != nil {
			return err
		}
	}
	return nil
}

func (q Question) read(rows Rows) error {
	defer rows.Close()
	return errors.Join(q.Read(rows), rows.Err())
}

func (e *pgEngine) ask(ctx context.Context, questions []Question) (err error) {
	var batch pgx.Batch
	for _, q := range questions {
		args, err := canonArgs(q.SQL, q.Args)
		if err != nil {
			return err
		}
		batch.Queue(q.SQL, args...)
	}
	answers := e.pool.SendBatch(ctx, &batch)
	defer func() { err = errors.Join(err, pgError(answers.Close())) }()
	for _, q := range questions {
		rows, err := answers.Query()
		if err != nil {
			return pgError(err)
		}
		if err := q.read(&pgRows{rows: rows}); err != nil {
			return err
		}
	}
	return nil
}

// Tally counts rows between neighbouring edges, from each up to the next one, which is exclusive. text counts what is between $1 and $2, and no more than $3 of
// it, so that what it costs is bounded; the columns of $1 and $2 need an index.
func (d *DB) Tally(ctx context.Context, text string, edges []string, most int) ([]int, error) {
	counts := make([]int, max(0, len(edges)-1))
	return counts, d.tally(ctx, text, edges, most, func(part int) []any { return []any{&counts[part]} })
}

// Tally2 is Tally of a text that counts two things in one look at the same rows.
func (d *DB) Tally2(ctx context.Context, text string, edges []string, most int) (first, second []int, err error) {
	first, second = make([]int, max(0, len(edges)-1)), make([]int, max(0, len(edges)-1))
	return first, second, d.tally(ctx, text, edges, most, func(part int) []any { return []any{&first[part], &second[part]} })
}

func (d *DB) tally(ctx context.Context, text string, edges []string, most int, into func(part int) []any) error {
	questions := make([]Question, max(0, len(edges)-1))
	for i := range questions {
		questions[i] = Question{SQL: text, Args: []any{edges[i], edges[i+1], most}, Read: func(rows Rows) error {
			for rows.Next() {
				if err := rows.Scan(into(i)...); err != nil {
					return err
				}
			}
			return rows.Err()
		}}
	}
	return d.Ask(ctx, questions...)
}
