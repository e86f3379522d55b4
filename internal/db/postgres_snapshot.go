package db

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// snapshotAfter runs prepare in a transaction of its own, has a second one take over its snapshot, commits the first and reads in
// the second (https://www.postgresql.org/docs/current/functions-admin.html#FUNCTIONS-SNAPSHOT-SYNCHRONIZATION). The reader sees
// what prepare saw and nothing that prepare wrote.
func (e *pgEngine) snapshotAfter(ctx context.Context, prepare func(Tx) error, read func(Reader) error) error {
	var err error
	for attempt := range attempts {
		if err = pause(ctx, attempt); err != nil {
			return err
		}
		var taken *pgTaken
		if taken, err = e.take(ctx, prepare); err == nil {
			return taken.read(ctx, read)
		}
		if !repeatable(err) {
			return err
		}
		e.counts.retries.Add(1)
	}
	return err
}

// pgTaken is a read-only transaction on a snapshot that was handed over.
type pgTaken struct{ tx pgx.Tx }

// take needs two connections at once. Who holds one and waits for the other must be alone in that, or several would wait for each
// other until none is left.
func (e *pgEngine) take(ctx context.Context, prepare func(Tx) error) (taken *pgTaken, err error) {
	select {
	case e.taking <- struct{}{}:
		defer func() { <-e.taking }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	var session *pgSession
	err = e.transact(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead}, func(s *pgSession) error {
		session = s
		if err := prepare(s); err != nil {
			return err
		}
		var id string
		if err := s.QueryRow(ctx, "SELECT pg_export_snapshot()").Scan(&id); err != nil {
			return fmt.Errorf("export a snapshot: %w", err)
		}
		taken, err = e.adopt(ctx, id)
		return err
	})
	if err != nil {
		if taken != nil {
			taken.end(ctx)
		}
		if session != nil && repeatable(session.failure) {
			err = session.failure // prepare may have wrapped it away
		}
		return nil, err
	}
	for _, hook := range session.hooks {
		hook()
	}
	return taken, nil
}

func (e *pgEngine) adopt(ctx context.Context, id string) (*pgTaken, error) {
	tx, err := e.pool.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return nil, pgError(err)
	}
	t := &pgTaken{tx}
	// It takes no parameter. The id is the server's own, of hexadecimal digits and hyphens; no quote can be in it.
	if strings.Trim(id, "0123456789ABCDEFabcdef-") != "" {
		t.end(ctx)
		return nil, fmt.Errorf("db: %q is no snapshot id", id)
	}
	if _, err := tx.Exec(ctx, "SET TRANSACTION SNAPSHOT '"+id+"'"); err != nil {
		t.end(ctx)
		return nil, fmt.Errorf("take over a snapshot: %w", pgError(err))
	}
	return t, nil
}

func (t *pgTaken) read(ctx context.Context, read func(Reader) error) error {
	defer t.end(ctx)
	session := &pgSession{tx: t.tx}
	defer session.end()
	return read(session)
}

// end gives the connection back, also when ctx is over.
func (t *pgTaken) end(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := t.tx.Rollback(ctx); err != nil && !errors.Is(err, pgx.ErrTxClosed) {
		return // pgx closes a connection that cannot roll back, which ends the transaction too
	}
}
