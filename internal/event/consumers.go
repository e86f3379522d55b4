package event

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/token"
)

// Consumer is a reader of the log that remembers here how far it has come, by acknowledging what it has dealt with.
type Consumer struct {
	Name           string
	OrganizationID string // "": all
	Types          []Type // none: all of the compatible API
	Cursor         string // the last event acknowledged, or where it began; "" before the first
	CreatedAt      time.Time
	UpdatedAt      time.Time
	AcknowledgedAt time.Time // zero: never

	Lag int64 // events that wait for it, MaxLag at most
	Gap bool  // events that waited were deleted because of their age

	passed string // a later event than the cursor up to which nothing was for it, or ""
}

const (
	// MaxLag is the most that is counted.
	MaxLag = 10_000
	// maxConsumers bounds how many there are. Each costs a count where they are listed.
	maxConsumers = 100
	// passEvery is how much further the log has to be, for a consumer that nothing waits for, before that is written down. It
	// keeps the events it need not look at again few, and its place within the retention.
	passEvery = 10 * time.Minute
)

var consumerForm = regexp.MustCompile(`^[a-z0-9]([a-z0-9._-]{0,62}[a-z0-9])?$`)

var typeForm = regexp.MustCompile(`^[a-z_]{1,60}(\.[a-z_]{1,60}){1,5}$`)

// NewConsumer is what a consumer is made of.
type NewConsumer struct {
	Name           string
	OrganizationID string
	Types          []Type
	Start          string // "beginning" (or ""), "now", or the id of the event after which it begins
}

func (n NewConsumer) check() error {
	if !consumerForm.MatchString(n.Name) {
		return fault.New(fault.Unprocessable, "invalid_name",
			"A consumer is named by 1 to 64 lower-case letters, digits, dots, hyphens and underscores, with a letter or digit at both ends; %.80q is not such a name.", n.Name).On("name")
	}
	for _, t := range n.Types {
		if !typeForm.MatchString(string(t)) {
			return fault.New(fault.Unprocessable, "invalid_event", "There is no event type %.60q. Types are written like dsync.user.created.", t).On("events")
		}
	}
	return nil
}

// CreateConsumer makes a consumer. A name that is taken is a Conflict.
func (l *Log) CreateConsumer(ctx context.Context, n NewConsumer, at time.Time) (Consumer, error) {
	if err := n.check(); err != nil {
		return Consumer{}, err
	}
	cursor, err := l.start(ctx, n.Start)
	if err != nil {
		return Consumer{}, err
	}
	types, err := json.Marshal(append([]Type{}, n.Types...))
	if err != nil {
		return Consumer{}, err
	}
	var made int64
	err = l.db.Tx(ctx, func(tx db.Tx) (err error) {
		made, err = tx.Exec(ctx, insertConsumer, n.Name, db.TextOrNull(n.OrganizationID), types, cursor, at.UnixMicro(), maxConsumers)
		if err != nil || made == 0 {
			return err
		}
		return l.AuditTx(ctx, tx, at, Change{
			OrganizationID: n.OrganizationID, Action: "event_consumer.created", Target: n.Name, Cause: Context{Actor: Asking(ctx)},
			After: Settings{"events": n.Types, "start": n.Start},
		})
	})
	var unique *db.UniqueError
	switch {
	case errors.As(err, &unique):
		return Consumer{}, fault.New(fault.Conflict, "name_taken", "There is a consumer called %q already.", n.Name).On("name")
	case err != nil:
		return Consumer{}, fmt.Errorf("create consumer: %w", err)
	case made == 0:
		return Consumer{}, fault.New(fault.Conflict, "consumer_limit", "There are %d consumers already, which is the most there can be. Delete one first.", maxConsumers)
	}
	return l.Consumer(ctx, n.Name)
}

func (l *Log) start(ctx context.Context, start string) (cursor string, err error) {
	switch start {
	case "", "beginning":
		return "", nil
	case "now":
		return l.last(ctx)
	}
	if err := l.Position(ctx); err != nil {
		return "", err
	}
	if _, err := l.cursor(ctx, l.db, start); fault.Is(err, fault.Invalid) {
		return "", fault.New(fault.Unprocessable, "invalid_start", `start is "beginning", "now" or the id of an event; %.60q is none of these.`, start).On("start")
	} else if err != nil {
		return "", err
	}
	return start, nil
}

// last is the id of the last event that was committed before the call.
func (l *Log) last(ctx context.Context) (string, error) {
	if err := l.Position(ctx); err != nil {
		return "", err
	}
	return lastID(ctx, l.db)
}

// Consumers lists all consumers by name, each with its lag.
func (l *Log) Consumers(ctx context.Context) ([]Consumer, error) {
	found, err := l.queryConsumers(ctx, l.db, selectConsumers)
	if err != nil {
		return nil, err
	}
	if err := l.Position(ctx); err != nil {
		return nil, err
	}
	for i := range found {
		if err := l.measure(ctx, &found[i]); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// Consumer finds one consumer, with its lag.
func (l *Log) Consumer(ctx context.Context, name string) (Consumer, error) {
	c, err := l.findConsumer(ctx, l.db, selectConsumer, name)
	if err != nil {
		return Consumer{}, err
	}
	if err := l.Position(ctx); err != nil {
		return Consumer{}, err
	}
	return c, l.measure(ctx, &c)
}

// DeleteConsumer forgets a consumer and how far it had come.
func (l *Log) DeleteConsumer(ctx context.Context, name string) error {
	if !consumerForm.MatchString(name) {
		return noConsumer(name)
	}
	return l.db.Tx(ctx, func(tx db.Tx) error {
		n, err := tx.Exec(ctx, deleteConsumer, name)
		if err != nil {
			return fmt.Errorf("delete consumer: %w", err)
		}
		if n == 0 {
			return noConsumer(name)
		}
		return l.AuditTx(ctx, tx, time.Now(), Change{Action: "event_consumer.deleted", Target: name, Cause: Context{Actor: Asking(ctx)}, Before: Settings{}})
	})
}

func noConsumer(name string) error {
	return fault.New(fault.NotFound, "entity_not_found", "Event consumer not found: '%.80s'.", name)
}

// ConsumerEvents reads the events after the last one that the consumer has acknowledged, the same ones until it acknowledges them. When
// events it had not read were deleted because of their age it is a Conflict "cursor_expired".
func (l *Log) ConsumerEvents(ctx context.Context, name string, limit int) ([]Event, error) {
	c, err := l.findConsumer(ctx, l.db, selectConsumer, name)
	if err != nil {
		return nil, err
	}
	end, err := l.last(ctx) // before the events are read: what it passes has been looked at
	if err != nil {
		return nil, err
	}
	from, err := l.place(ctx, c)
	if err != nil {
		return nil, err
	}
	q := c.query()
	q.Limit = limit
	found, err := l.list(ctx, q, from, place{})
	if err == nil && len(found) == 0 {
		err = l.pass(ctx, c, end)
	}
	return found, err
}

// pass writes down that nothing up to an event was for the consumer.
func (l *Log) pass(ctx context.Context, c Consumer, end string) error {
	if !later(end, max(c.passed, c.Cursor), passEvery) {
		return nil
	}
	err := l.db.Tx(ctx, func(tx db.Tx) error {
		_, err := tx.Exec(ctx, passConsumer, c.Name, c.Cursor, end)
		return err
	})
	if err != nil {
		return fmt.Errorf("move consumer %s: %w", c.Name, err)
	}
	return nil
}

// later tells whether an event was made so much after another, by the times in their ids.
func later(id, than string, by time.Duration) bool {
	_, a, ok := token.Parse(id)
	if !ok {
		return false
	}
	_, b, ok := token.Parse(than)
	return !ok || a.Timestamp().Sub(b.Timestamp()) >= by
}

// Acknowledge says that the consumer has dealt with an event and all before it. It never moves back: an event before the last one
// acknowledged changes nothing. One that is none of the consumer's is Unprocessable.
func (l *Log) Acknowledge(ctx context.Context, name, id string, at time.Time) (Consumer, error) {
	if err := l.Position(ctx); err != nil {
		return Consumer{}, err
	}
	err := l.db.Tx(ctx, func(tx db.Tx) error {
		// Under the lock of the consumer, so that of two processes the later event wins.
		c, err := l.findConsumer(ctx, tx, selectConsumer+l.db.ForUpdate(), name)
		if err != nil {
			return err
		}
		moves, err := l.moves(ctx, tx, c, id)
		if err != nil || !moves {
			return err
		}
		_, err = tx.Exec(ctx, moveConsumer, name, id, at.UnixMicro())
		return err
	})
	if err != nil {
		return Consumer{}, fmt.Errorf("acknowledge: %w", err)
	}
	return l.Consumer(ctx, name)
}

// moves tells whether acknowledging the event moves the consumer.
func (l *Log) moves(ctx context.Context, tx db.Tx, c Consumer, id string) (bool, error) {
	to, err := l.cursor(ctx, tx, id)
	f, _ := fault.As(err)
	unknown := fault.New(fault.Unprocessable, "unknown_event", "%.60q is not the id of an event.", id).On("event_id")
	switch {
	case id == "":
		return false, unknown
	case f != nil && f.Code == CodeExpired:
		return false, nil // it was deleted since it was read, so it is older than all there is
	case f != nil:
		return false, unknown
	case err != nil:
		return false, err
	case to.kind != "" && !c.wants(to):
		return false, fault.New(fault.Unprocessable, "foreign_event", "The event %.60q is none of those that this consumer reads.", id).On("event_id")
	}
	from, err := l.cursor(ctx, tx, c.Cursor)
	if f, is := fault.As(err); is && f.Code == CodeExpired {
		return true, nil
	}
	return err == nil && (!from.set || from.before(to)), err
}

func (c Consumer) wants(p place) bool {
	if c.OrganizationID != "" && c.OrganizationID != p.organizationID {
		return false
	}
	if len(c.Types) == 0 {
		return !slices.Contains(OwnTypes(), p.kind)
	}
	return slices.Contains(c.Types, p.kind)
}

func (c Consumer) query() Query {
	return Query{Types: c.Types, Compatible: true, OrganizationID: c.OrganizationID}
}

// place is from where on there may be something for the consumer.
func (l *Log) place(ctx context.Context, c Consumer) (place, error) {
	switch {
	case c.passed != "":
		return l.cursor(ctx, l.db, c.passed)
	case c.Cursor != "":
		return l.cursor(ctx, l.db, c.Cursor)
	}
	// It has read nothing yet. What was deleted before it was made it was never to read.
	last, err := readNoted(ctx, l.db)
	if err == nil && last.id > token.Before("event", c.CreatedAt) {
		err = errExpired(last.id)
	}
	return place{}, err
}

// measure fills in how many events wait.
func (l *Log) measure(ctx context.Context, c *Consumer) error {
	from, err := l.place(ctx, *c)
	if f, is := fault.As(err); is && f.Code == CodeExpired {
		c.Gap, err = true, nil
	}
	if err != nil {
		return err
	}
	var w conditions
	w.add("pos > $%d", from.pos)
	c.query().choose(&w)
	source := "event_log"
	if l.positioned() {
		source = "event_positions" // which knows all that is asked here
	}
	err = l.db.QueryRow(ctx, fmt.Sprintf(countWaiting, source, strings.Join(w.where, " AND "), MaxLag), w.args...).Scan(&c.Lag)
	if err != nil {
		return fmt.Errorf("count what waits for consumer %s: %w", c.Name, err)
	}
	if from.set && c.wants(from) {
		c.Lag += from.rest
	}
	c.Lag = min(c.Lag, MaxLag)
	return nil
}

func (l *Log) findConsumer(ctx context.Context, r db.Reader, text, name string) (Consumer, error) {
	if !consumerForm.MatchString(name) { // such a name was never given
		return Consumer{}, noConsumer(name)
	}
	found, err := l.queryConsumers(ctx, r, text, name)
	if err != nil {
		return Consumer{}, err
	}
	if len(found) == 0 {
		return Consumer{}, noConsumer(name)
	}
	return found[0], nil
}

func (l *Log) queryConsumers(ctx context.Context, r db.Reader, text string, args ...any) ([]Consumer, error) {
	rows, err := r.Query(ctx, text, args...)
	if err != nil {
		return nil, fmt.Errorf("read consumers: %w", err)
	}
	defer rows.Close()
	var out []Consumer
	for rows.Next() {
		var c Consumer
		var organization *string
		var types []byte
		var created, updated int64
		var acknowledged *int64
		if err := rows.Scan(&c.Name, &organization, &types, &c.Cursor, &c.passed, &created, &updated, &acknowledged); err != nil {
			return nil, fmt.Errorf("read consumers: %w", err)
		}
		if err := json.Unmarshal(types, &c.Types); err != nil {
			return nil, fmt.Errorf("event types of consumer %s: %w", c.Name, err)
		}
		if organization != nil {
			c.OrganizationID = *organization
		}
		c.CreatedAt, c.UpdatedAt, c.AcknowledgedAt = db.Time(created), db.Time(updated), db.TimeOrZero(acknowledged)
		out = append(out, c)
	}
	return out, rows.Err()
}
