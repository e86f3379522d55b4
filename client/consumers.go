package client

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// Consumer is a reader of the log whose place the server remembers.
type Consumer struct {
	Raw

	Name           string    `json:"name"`
	Types          []string  `json:"events"`          // empty: all
	OrganizationID string    `json:"organization_id"` // "": all
	Cursor         string    `json:"cursor"`          // id of the event acknowledged last
	Lag            int64     `json:"lag"`             // events that wait
	Gap            bool      `json:"gap"`             // events were deleted by their age before they were acknowledged
	CreatedAt      time.Time `json:"created_at"`
	UpdatedAt      time.Time `json:"updated_at"`
	AcknowledgedAt time.Time `json:"acknowledged_at"`
}

// Where a consumer may start, beside the id of an event: the one after it comes first.
const (
	Beginning = "beginning"
	Now       = "now"
)

// NewConsumer is a consumer to be made.
type NewConsumer struct {
	Name           string   `json:"name"`
	Types          []string `json:"events,omitempty"`
	OrganizationID string   `json:"organization_id,omitempty"`
	Start          string   `json:"start,omitempty"` // Beginning, Now or the id of an event
}

// Consumers lists all.
func (c *Client) Consumers(ctx context.Context) iter.Seq2[Consumer, error] {
	return list[Consumer](ctx, c, Listing{}.query(), "event_consumers")
}

// Consumer gives one.
func (c *Client) Consumer(ctx context.Context, name string) (Consumer, error) {
	return fetch[Consumer](ctx, c, get(nil, "event_consumers", name))
}

// CreateConsumer makes one.
func (c *Client) CreateConsumer(ctx context.Context, n NewConsumer) (Consumer, error) {
	return fetch[Consumer](ctx, c, post(n, "event_consumers"))
}

// DeleteConsumer forgets one and its place.
func (c *Client) DeleteConsumer(ctx context.Context, name string) error {
	return c.send(ctx, remove("event_consumers", name))
}

// ConsumerEvents gives at most limit events (1 to 100; 0: 100) after the one acknowledged last. It moves nothing.
func (c *Client) ConsumerEvents(ctx context.Context, name string, limit int) ([]Event, error) {
	query := Listing{PageSize: limit}.query()
	p, err := fetch[page](ctx, c, get(query, "event_consumers", name, "events"))
	if err != nil {
		return nil, err
	}
	out := make([]Event, len(p.Data))
	for i, text := range p.Data {
		if out[i], err = decode[Event](text); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Acknowledge says that everything up to an event has been dealt with. It never goes backwards.
func (c *Client) Acknowledge(ctx context.Context, name, eventID string) (Consumer, error) {
	return fetch[Consumer](ctx, c, post(map[string]string{"event_id": eventID}, "event_consumers", name, "acknowledge"))
}

// ConsumeOptions say what to consume and how. What makes the consumer (Types, OrganizationID, Start) counts when there is none
// yet; a consumer of the same name that gets something else is an error.
type ConsumeOptions struct {
	Types          []string
	OrganizationID string
	Start          string // Beginning, which is the default, Now or the id of an event

	Batch int           // events fetched, and at most acknowledged, at once: 1 to 100; 0: 100
	Poll  time.Duration // between looks at the end of the log; 0: one second

	// UntilCaughtUp ends with nil when nothing waits.
	UntilCaughtUp bool

	// OnRetry is told what went wrong, with the handler or on the way, and after what time it is tried again.
	OnRetry func(err error, wait time.Duration)
}

// ackPatience is for telling the server how far we came while we are being stopped.
const ackPatience = 5 * time.Second

// Consume calls handle for each event, in order and one at a time, until ctx ends. An event that handle fails on is handed to it again, after a
// growing pause of up to a minute, and holds up those after it; none is skipped. The place is kept by the server under the
// consumer's name: after a crash up to a batch of events comes again, so handle has to tolerate repetitions (Event.ID tells).
// Only one process should consume under a name at a time. A server that cannot be reached is asked again until it can; what it
// refuses for good ends Consume.
func (c *Client) Consume(ctx context.Context, name string, o ConsumeOptions, handle func(context.Context, Event) error) error {
	if o.Poll <= 0 {
		o.Poll = defaultPoll
	}
	k := consumption{c: c, name: name, o: o, handle: handle, calls: tries{onRetry: o.OnRetry}}
	if err := k.persist(ctx, k.ensure); err != nil {
		return err
	}
	for {
		n, err := k.batch(ctx)
		switch {
		case err != nil:
			return err
		case n > 0:
		case o.UntilCaughtUp:
			return nil
		default:
			if err := sleep(ctx, o.Poll); err != nil {
				return err
			}
		}
	}
}

type consumption struct {
	c      *Client
	name   string
	o      ConsumeOptions
	handle func(context.Context, Event) error
	calls  tries
}

// persist repeats a call until it succeeds or there is no hope.
func (k *consumption) persist(ctx context.Context, do func(context.Context) error) error {
	for {
		err := do(ctx)
		if err == nil {
			k.calls.failures = 0
			return nil
		}
		wait, goesOn := k.calls.after(ctx, err)
		if !goesOn {
			return err
		}
		if err := sleep(ctx, wait); err != nil {
			return err
		}
	}
}

func (k *consumption) ensure(ctx context.Context) error {
	found, err := k.c.Consumer(ctx, k.name)
	if Status(err) == http.StatusNotFound {
		found, err = k.c.CreateConsumer(ctx, NewConsumer{
			Name: k.name, Types: k.o.Types, OrganizationID: k.o.OrganizationID, Start: k.o.Start,
		})
		if Status(err) == http.StatusConflict { // another process was faster
			found, err = k.c.Consumer(ctx, k.name)
		}
	}
	if err != nil {
		return err
	}
	return sameConsumer(found, k.o)
}

func sameConsumer(found Consumer, o ConsumeOptions) error {
	have, want := slices.Sorted(slices.Values(found.Types)), slices.Sorted(slices.Values(o.Types))
	if found.OrganizationID != o.OrganizationID || !slices.Equal(have, slices.Compact(want)) {
		return fmt.Errorf("the consumer %s exists and gets other events (organization %s, types %s); take another name, or delete it",
			strconv.Quote(found.Name), orAll(found.OrganizationID), orAll(fmt.Sprint(found.Types)))
	}
	return nil
}

func orAll(s string) string {
	if s == "" || s == "[]" {
		return "all"
	}
	return s
}

// batch handles what waits and acknowledges it; it gives the number of events handled.
func (k *consumption) batch(ctx context.Context) (int, error) {
	var events []Event
	err := k.persist(ctx, func(ctx context.Context) (err error) {
		events, err = k.c.ConsumerEvents(ctx, k.name, k.o.Batch)
		return err
	})
	if err != nil || len(events) == 0 {
		return 0, err
	}
	for i, e := range events {
		if err := k.handleOne(ctx, events[:i], e); err != nil {
			return i, errors.Join(err, k.last(ctx, events[:i]))
		}
	}
	return len(events), k.acknowledge(ctx, events)
}

// handleOne hands an event over until it is taken. What was done before it is acknowledged first, so that it is not done again
// if the process ends while this one waits.
func (k *consumption) handleOne(ctx context.Context, done []Event, e Event) error {
	pause := tries{onRetry: k.o.OnRetry}
	for {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		err := k.handle(ctx, e)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if pause.failures == 0 {
			if err := k.acknowledge(ctx, done); err != nil {
				return err
			}
		}
		if err := sleep(ctx, pause.wait(fmt.Errorf("event %s %s: %w", e.Type, e.ID, err))); err != nil {
			return err
		}
	}
}

func (k *consumption) acknowledge(ctx context.Context, done []Event) error {
	if len(done) == 0 {
		return nil
	}
	err := k.persist(ctx, func(ctx context.Context) error {
		_, err := k.c.Acknowledge(ctx, k.name, done[len(done)-1].ID)
		return err
	})
	if err != nil && ctx.Err() != nil {
		return errors.Join(ctx.Err(), k.last(ctx, done))
	}
	return err
}

// last acknowledges although ctx has ended.
func (k *consumption) last(ctx context.Context, done []Event) error {
	if len(done) == 0 || ctx.Err() == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), ackPatience)
	defer cancel()
	_, err := k.c.Acknowledge(ctx, k.name, done[len(done)-1].ID)
	return err
}
