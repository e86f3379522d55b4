package client

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"time"
)

// Event says what happened. Data depends on Type: As reads it.
type Event struct {
	Raw

	ID        string          `json:"id"` // the same in the log, in webhooks and for consumers; "" in a snapshot
	Type      string          `json:"event"`
	Data      json.RawMessage `json:"data"`
	CreatedAt time.Time       `json:"created_at"`
	Context   struct {
		Actor      Actor  `json:"actor"`
		ExchangeID string `json:"exchange_id"` // the request of the identity provider that caused it
		Derived    bool   `json:"derived"`     // follows from another change; nobody asked for it by itself
	} `json:"context"`
}

// Actor is who or what did something.
type Actor struct {
	ID     string `json:"id"`
	Source string `json:"source"` // api, dashboard, admin_portal or system
	Name   string `json:"name"`
}

// As reads an event's data, for example As[DirectoryUser] of dsync.user.created and As[DirectoryMembership] of dsync.group.user_added.
func As[T any](e Event) (T, error) {
	out, err := decode[T](e.Data)
	if err != nil {
		return out, fmt.Errorf("data of %s %s: %w", e.Type, e.ID, err)
	}
	return out, nil
}

// EventQuery narrows the log.
type EventQuery struct {
	Types          []string
	OrganizationID string
	After          string // id of the event after which to begin; "": the beginning, or Newest the end
	From, Until    time.Time
	Newest         bool // backwards, from the newest
	PageSize       int  // 1 to 100; 0: 100
}

func (q EventQuery) query() url.Values {
	query := Listing{PageSize: q.PageSize, After: q.After}.query()
	query.Set("order", "asc")
	if q.Newest {
		query.Set("order", "desc")
	}
	set(query, "events", q.Types...)
	set(query, "organization_id", q.OrganizationID)
	setAt(query, "range_start", q.From)
	setAt(query, "range_end", q.Until)
	return query
}

// Events reads the log until its end. An event can be read as soon as the request that caused it was answered, and a reader
// that goes on after the last one it has seen misses none.
func (c *Client) Events(ctx context.Context, q EventQuery) iter.Seq2[Event, error] {
	return list[Event](ctx, c, q.query(), "events")
}

// CodeExpired is the code of the refusal for who comes back after the log's retention has deleted events they had not read. Take a
// snapshot, and go on from its cursor.
const CodeExpired = "cursor_expired"

// TailOptions say what to follow and how.
type TailOptions struct {
	Types          []string
	OrganizationID string
	Poll           time.Duration // between looks at the end of the log; 0: one second

	// OnRetry is told what went wrong and after what time it is tried again.
	OnRetry func(err error, wait time.Duration)
}

const defaultPoll = time.Second

// Tail gives the events after an id ("" is the beginning), then those to come, until ctx ends or the server refuses. A server
// that cannot be reached is asked again until it can. To go on later, keep the id of the last event dealt with; Consume does.
func (c *Client) Tail(ctx context.Context, after string, o TailOptions) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		q := EventQuery{Types: o.Types, OrganizationID: o.OrganizationID, After: after}
		if o.Poll <= 0 {
			o.Poll = defaultPoll
		}
		t := tries{onRetry: o.OnRetry}
		for {
			var failure error
			for e, err := range c.Events(ctx, q) {
				if err != nil {
					failure = err
					break
				}
				if !yield(e, nil) {
					return
				}
				q.After = e.ID
				t.failures = 0
			}
			wait := o.Poll
			if failure == nil {
				t.failures = 0
			} else if w, goesOn := t.after(ctx, failure); goesOn {
				wait = w
			} else {
				yield(Event{}, failure)
				return
			}
			if err := sleep(ctx, wait); err != nil {
				yield(Event{}, err)
				return
			}
		}
	}
}

// LastEvent is the id of the newest event that a query would give, "" if there is none: to follow from now on.
func (c *Client) LastEvent(ctx context.Context, q EventQuery) (string, error) {
	q.Newest, q.PageSize, q.After = true, 1, ""
	for e, err := range c.Events(ctx, q) {
		return e.ID, err
	}
	return "", nil
}

const (
	firstFailureWait = 500 * time.Millisecond
	longFailureWait  = time.Minute
)

// tries counts failures in a row of what must not give up.
type tries struct {
	failures int
	onRetry  func(error, time.Duration)
}

// after says how long to wait after a failed call. What the server refuses, it will refuse again.
func (t *tries) after(ctx context.Context, err error) (time.Duration, bool) {
	if ctx.Err() != nil || !passing(err) && Status(err) < http.StatusInternalServerError {
		return 0, false
	}
	return t.wait(err), true
}

// wait is the back-off, at least what the server asked for.
func (t *tries) wait(err error) time.Duration {
	wait := backOff(t.failures, firstFailureWait, longFailureWait)
	if e := asRefusal(err); e != nil {
		wait = max(wait, e.RetryAfter)
	}
	t.failures++
	if t.onRetry != nil {
		t.onRetry(err, wait)
	}
	return wait
}

// Acknowledgement is the app's word that it has done what an event asks of it.
type Acknowledgement struct {
	Raw

	EventID string    `json:"event_id"`
	By      Actor     `json:"acknowledged_by"`
	At      time.Time `json:"acknowledged_at"` // the first time
}

// AcknowledgeEvent gives the app's word; receipts of offboardings hold it. It may be repeated, and the first time counts.
func (c *Client) AcknowledgeEvent(ctx context.Context, id string) (Acknowledgement, error) {
	return fetch[Acknowledgement](ctx, c, post(nil, "events", id, "acknowledge"))
}
