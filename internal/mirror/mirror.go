package mirror

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/rollcallhq/rollcall/client"
)

// Options say what to mirror and where to.
type Options struct {
	To             string // URL of the app's database
	Schema         string
	Consumer       string // name of the consumer on the server
	OrganizationID string // "": all
	Once           bool   // end when caught up

	Batch int           // events in one transaction: 1 to 100; 0: 100
	Poll  time.Duration // between looks at the end of the log; 0: one second

	OnRetry func(err error, wait time.Duration) // told of what went wrong and is tried again
	Note    func(text string)                   // told of what a person may like to know

	patience time.Duration // with the lock of another mirror; 0: ten seconds
}

// snapshotBatch records go to the database at once.
const snapshotBatch = 500

// Run mirrors until ctx ends, or with Once until everything is there. It outlives restarts of both sides; what either refuses
// ends it.
func Run(ctx context.Context, api *client.Client, o Options) error {
	o = o.filled()
	config, err := pgx.ParseConfig(o.To)
	if err != nil {
		return fmt.Errorf("--to is no address of a PostgreSQL: %w", withoutPassword(err))
	}
	for failures := 0; ; failures++ {
		m := mirror{api: api, o: o, t: tables(o.Schema)}
		err := m.connected(ctx, config)
		if err == nil || ctx.Err() != nil || !lost(err) {
			return err
		}
		if m.progress {
			failures = 0
		}
		wait := min(time.Second<<min(failures, 6), time.Minute)
		o.OnRetry(err, wait)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
	}
}

func (o Options) filled() Options {
	if o.Batch <= 0 {
		o.Batch = 100
	}
	if o.Poll <= 0 {
		o.Poll = time.Second
	}
	if o.patience <= 0 {
		o.patience = 10 * time.Second
	}
	if o.OnRetry == nil {
		o.OnRetry = func(error, time.Duration) {}
	}
	if o.Note == nil {
		o.Note = func(string) {}
	}
	return o
}

// withoutPassword: the library's error repeats the address, masked; a broken one it repeats as it is.
func withoutPassword(err error) error {
	var parse *pgconn.ParseConfigError
	if errors.As(err, &parse) {
		return errors.New("write it like postgres://user:password@host/database")
	}
	return err
}

// lost says whether the connection to the database is what failed, rather than a statement.
func lost(err error) bool {
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		// Shutdown, crash, not yet up, too many connections, and what may pass by itself: serialization, deadlock.
		return slices.ContainsFunc([]string{"57", "53", "08", "40"}, func(class string) bool { return strings.HasPrefix(refused.Code, class) })
	}
	var connect *pgconn.ConnectError
	var foreign *foreignError
	return errors.As(err, &connect) || errors.As(err, &foreign)
}

// foreignError is a failure of the app's database that is no answer of it.
type foreignError struct{ err error }

func (e *foreignError) Error() string { return "the app's database: " + e.err.Error() }
func (e *foreignError) Unwrap() error { return e.err }

func atDatabase(err error) error {
	if err == nil {
		return nil
	}
	return &foreignError{err}
}

type mirror struct {
	api      *client.Client
	conn     *pgx.Conn
	o        Options
	t        tables
	cursor   string
	progress bool // something was applied since the connection was made
}

func (m *mirror) connected(ctx context.Context, config *pgx.ConnConfig) (err error) {
	m.conn, err = pgx.ConnectConfig(ctx, config.Copy())
	if err != nil {
		return atDatabase(err)
	}
	defer func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		_ = m.conn.Close(closing) // what counts is committed
	}()
	if err := m.prepare(ctx); err != nil {
		return err
	}
	begun, err := m.place(ctx)
	if err != nil {
		return err
	}
	if !begun {
		if err := m.snapshot(ctx); err != nil {
			return err
		}
	}
	if err := m.register(ctx); err != nil {
		return err
	}
	return m.follow(ctx)
}

// prepare takes the lock that keeps a second mirror away for as long as the connection lives, and makes the tables.
func (m *mirror) prepare(ctx context.Context) error {
	if err := m.lock(ctx); err != nil {
		return err
	}
	return m.transaction(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, lockSchema, m.o.Schema); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, m.t.in(schema))
		return err
	})
}

// lock waits a while: of a mirror that has just ended the database may not know yet.
func (m *mirror) lock(ctx context.Context) error {
	for deadline := time.Now().Add(m.o.patience); ; {
		var mine bool
		err := m.conn.QueryRow(ctx, lockMirror, m.o.Schema).Scan(&mine)
		switch {
		case err != nil:
			return atDatabase(err)
		case mine:
			return nil
		case time.Now().After(deadline):
			return fmt.Errorf("another mirror is at work in the schema %q of that database", m.o.Schema)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (m *mirror) transaction(ctx context.Context, do func(pgx.Tx) error) error {
	return atDatabase(pgx.BeginFunc(ctx, m.conn, do))
}

// place reads how far the mirror has come; false: it has not begun. The tables belong to one mirror.
func (m *mirror) place(ctx context.Context) (begun bool, err error) {
	var consumer, organization, cursor string
	err = m.conn.QueryRow(ctx, m.t.in(readMirrors)).Scan(&consumer, &organization, &cursor)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return false, nil
	case err != nil:
		return false, atDatabase(err)
	case consumer != m.o.Consumer || organization != m.o.OrganizationID:
		return false, fmt.Errorf("the schema %q holds the mirror of the consumer %q (organization %s); choose another with --schema, or go on with that one",
			m.o.Schema, consumer, orAll(organization))
	}
	m.cursor = cursor
	return true, nil
}

func orAll(s string) string {
	if s == "" {
		return "all"
	}
	return s
}

// snapshot puts the present state and its place into the place of what is there, in one transaction: a run that ends in the middle
// changes nothing, and readers see the old or the new.
func (m *mirror) snapshot(ctx context.Context) error {
	cursor, records, err := m.api.Snapshot(ctx, client.SnapshotQuery{OrganizationID: m.o.OrganizationID})
	if err != nil {
		return err
	}
	n, b := 0, &pgx.Batch{}
	var failure error // of the server or of a record: not the database's
	err = m.transaction(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, m.t.in(clearAll)); err != nil {
			return err
		}
		for e, err := range records {
			if err == nil {
				err = m.t.apply(b, e)
			}
			if err != nil {
				failure = err
				return err
			}
			if n++; n%snapshotBatch == 0 {
				if err := tx.SendBatch(ctx, b).Close(); err != nil {
					return err
				}
				b = &pgx.Batch{}
			}
		}
		b.Queue(m.t.in(addMirror), m.o.Consumer, m.o.OrganizationID, cursor)
		return tx.SendBatch(ctx, b).Close()
	})
	if failure != nil {
		return failure
	}
	if err == nil {
		m.cursor, m.progress = cursor, true
		m.o.Note(fmt.Sprintf("The snapshot of %d records is in place; going on with the log.", n))
	}
	return err
}

// register makes the consumer where it is missing, also if somebody has deleted it since.
func (m *mirror) register(ctx context.Context) error {
	found, err := m.api.Consumer(ctx, m.o.Consumer)
	if client.Status(err) != http.StatusNotFound {
		if err == nil && found.OrganizationID != m.o.OrganizationID {
			return fmt.Errorf("the consumer %q exists for organization %s; choose another name with --consumer", m.o.Consumer, orAll(found.OrganizationID))
		}
		return err
	}
	start := m.cursor
	if start == "" {
		start = client.Beginning
	}
	_, err = m.api.CreateConsumer(ctx, client.NewConsumer{Name: m.o.Consumer, OrganizationID: m.o.OrganizationID, Types: types, Start: start})
	return err
}

// follow applies the log batch by batch.
func (m *mirror) follow(ctx context.Context) error {
	q := client.EventQuery{Types: types, OrganizationID: m.o.OrganizationID, PageSize: m.o.Batch}
	for {
		q.After = m.cursor
		events, err := client.Collect(m.api.Events(ctx, q), m.o.Batch)
		if err == nil && len(events) > 0 {
			err = m.applied(ctx, events)
		}
		switch {
		case client.Code(err) == client.CodeExpired:
			m.o.Note("The log no longer holds what came after the last run; taking a new snapshot.")
			if err := m.snapshot(ctx); err != nil {
				return err
			}
			continue
		case err != nil && !m.passing(ctx, err):
			return err
		case err == nil && len(events) > 0:
			continue
		case err == nil && m.o.Once:
			m.o.Note("Caught up.")
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(m.o.Poll):
		}
	}
}

// passing says whether the server, having been asked several times, is worth asking again.
func (m *mirror) passing(ctx context.Context, err error) bool {
	var unreachable *client.UnreachableError
	status := client.Status(err)
	if ctx.Err() != nil || !errors.As(err, &unreachable) && status < http.StatusInternalServerError && status != http.StatusTooManyRequests {
		return false
	}
	m.o.OnRetry(err, m.o.Poll)
	return true
}

// applied writes a batch of events and the place after it, then tells the server. moveMirror insists on the old place: nobody
// has come between, whatever became of the lock.
func (m *mirror) applied(ctx context.Context, events []client.Event) error {
	b := &pgx.Batch{}
	for _, e := range events {
		if err := m.t.apply(b, e); err != nil {
			return err
		}
	}
	last := events[len(events)-1].ID
	err := m.transaction(ctx, func(tx pgx.Tx) error {
		moved, err := tx.Exec(ctx, m.t.in(moveMirror), m.o.Consumer, m.cursor, last)
		if err == nil && moved.RowsAffected() != 1 {
			return errMoved
		}
		if err != nil || b.Len() == 0 {
			return err
		}
		return tx.SendBatch(ctx, b).Close()
	})
	if errors.Is(err, errMoved) {
		return errMoved
	}
	if err != nil {
		return err
	}
	m.cursor, m.progress = last, true
	_, err = m.api.Acknowledge(ctx, m.o.Consumer, last)
	if client.Status(err) == http.StatusNotFound { // it was deleted meanwhile
		return m.register(ctx)
	}
	return err
}

var errMoved = errors.New("another mirror has written to these tables meanwhile; only one may")
