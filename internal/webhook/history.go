package webhook

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
)

// DeliveryQuery selects deliveries of one endpoint.
type DeliveryQuery struct {
	Page
	State State      // "": any
	Type  event.Type // "": any
}

// Deliveries gives a page of an endpoint's deliveries and whether more follow in the direction read.
func (s *Service) Deliveries(ctx context.Context, id EndpointID, q DeliveryQuery) ([]Delivery, bool, error) {
	if _, err := s.Get(ctx, id); err != nil {
		return nil, false, err
	}
	p := q.database()
	text := selectDelivery + " WHERE d.endpoint_id = " + p.Arg(string(id))
	switch q.State {
	case "":
	case Failed, Cancelled: // in the words of the index over what was lost
		p.Where("d.state = " + p.Arg(string(q.State)) + " AND d.state IN ('failed', 'cancelled')")
	case Pending:
		p.Where("d.state = 'pending'")
	default:
		p.Where("d.state = " + p.Arg(string(q.State)))
	}
	if q.Type != "" {
		p.Where("d.type = " + p.Arg(string(q.Type)))
	}
	text, args := p.Statement(text, "d.id")
	found, err := s.readDeliveries(ctx, s.db, text, args...)
	if err != nil {
		return nil, false, err
	}
	found, more := db.Cut(p, found)
	return found, more, nil
}

// Delivery finds one delivery with its attempts, the oldest first.
func (s *Service) Delivery(ctx context.Context, id DeliveryID) (Delivery, []Attempt, error) {
	found, err := s.readDeliveries(ctx, s.db, deliveryByID, string(id))
	if err != nil {
		return Delivery{}, nil, err
	}
	if len(found) == 0 {
		return Delivery{}, nil, deliveryNotFound(id)
	}
	attempts, err := s.attempts(ctx, id)
	return found[0], attempts, err
}

func (s *Service) attempts(ctx context.Context, id DeliveryID) ([]Attempt, error) {
	rows, err := s.db.Query(ctx, attemptsOf, string(id))
	if err != nil {
		return nil, fmt.Errorf("read webhook attempts: %w", err)
	}
	defer rows.Close()
	var out []Attempt
	for rows.Next() {
		var a Attempt
		var at, took int64
		var status *int64
		var failed, answer *string
		if err := rows.Scan(&a.ID, &at, &took, &status, &failed, &answer); err != nil {
			return nil, fmt.Errorf("read webhook attempts: %w", err)
		}
		a.At, a.Took = db.Time(at), time.Duration(took)*time.Microsecond
		if status != nil {
			a.Status = int(*status)
		}
		if failed != nil {
			a.Error = *failed
		}
		if answer != nil {
			a.Answer = *answer
		}
		out = append(out, a)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read webhook attempts: %w", err)
	}
	return out, nil
}

// MaxReplay is how many deliveries one replay makes at most.
const MaxReplay = 10_000

// maxNamed is how many events a replay may name.
const maxNamed = 1000

// Replay says what to deliver again: exactly one of its parts.
type Replay struct {
	EventIDs    []string  // these, whether the endpoint asked for their types or not
	From, Until time.Time // what it asked for, appended at or after From and before Until; either may be open
	Failed      bool      // what failed or was cancelled and was not replayed since, the oldest first
}

// ReplayDelivery makes a new delivery of a delivery's event. Refusals: NotFound, Conflict "endpoint_disabled", Unprocessable
// "event_gone".
func (s *Service) ReplayDelivery(ctx context.Context, id DeliveryID) (Delivery, error) {
	was, _, err := s.Delivery(ctx, id)
	if err != nil {
		return Delivery{}, err
	}
	e, err := s.enabled(ctx, was.EndpointID)
	if err != nil {
		return Delivery{}, err
	}
	found, err := s.o.Events.Named(ctx, []string{was.EventID})
	if err != nil {
		return Delivery{}, err
	}
	if len(found) == 0 {
		return Delivery{}, fault.New(fault.Unprocessable, "event_gone", "The event %s is no longer in the log, so there is nothing to deliver.", was.EventID).On("id")
	}
	made := []Delivery{s.again(e.ID, was.EventID, was)}
	if err := s.insertReplays(ctx, e.ID, made, []Delivery{was}); err != nil {
		return Delivery{}, err
	}
	return made[0], nil
}

// again is a new delivery like a former one.
func (s *Service) again(to EndpointID, eventID string, like Delivery) Delivery {
	now := s.time()
	return Delivery{
		ID: DeliveryID(s.ids.NewID(DeliveryPrefix)), EndpointID: to, OrganizationID: like.OrganizationID, EventID: eventID, Type: like.Type,
		Replay: true, State: Pending, NextAt: now, CreatedAt: now, entity: like.entity,
	}
}

func (s *Service) enabled(ctx context.Context, id EndpointID) (Endpoint, error) {
	e, err := s.Get(ctx, id)
	if err == nil && e.Status != Enabled {
		return e, errDisabled(id)
	}
	return e, err
}

func errDisabled(id EndpointID) error {
	return fault.New(fault.Conflict, "endpoint_disabled", "The endpoint %s is disabled. Enable it first, then replay.", id)
}

// Replay delivers events again and says how many. It refuses to make more than MaxReplay of a span of time; of what failed it
// makes that many, and the rest when it is called again.
func (s *Service) Replay(ctx context.Context, id EndpointID, r Replay) (int, error) {
	if err := r.check(); err != nil {
		return 0, err
	}
	e, err := s.enabled(ctx, id)
	if err != nil {
		return 0, err
	}
	var made, were []Delivery
	switch {
	case r.Failed:
		were, err = s.readDeliveries(ctx, s.db, lostOf, string(id), MaxReplay)
		for _, d := range were {
			made = append(made, s.again(id, d.EventID, d))
		}
	case r.EventIDs != nil:
		made, err = s.replayNamed(ctx, e, r.EventIDs)
	default:
		made, err = s.replaySpan(ctx, e, r.From, r.Until)
	}
	if err != nil || len(made) == 0 {
		return 0, err
	}
	return len(made), s.insertReplays(ctx, id, made, were)
}

func (r Replay) check() error {
	span := !r.From.IsZero() || !r.Until.IsZero()
	given := 0
	for _, one := range []bool{r.EventIDs != nil, span, r.Failed} {
		if one {
			given++
		}
	}
	switch {
	case given != 1:
		return fault.New(fault.Unprocessable, "ambiguous_replay", "Say what to replay by exactly one of event_ids, range_start with range_end, and failed: true.").On("event_ids")
	case len(r.EventIDs) > maxNamed:
		return fault.New(fault.Unprocessable, "too_many", "event_ids takes at most %d ids.", maxNamed).On("event_ids")
	case span && !r.From.IsZero() && !r.Until.IsZero() && !r.From.Before(r.Until):
		return fault.New(fault.Unprocessable, "invalid_range", "range_start has to be before range_end.").On("range_start")
	}
	return nil
}

func (s *Service) replayNamed(ctx context.Context, e Endpoint, ids []string) ([]Delivery, error) {
	var made []Delivery
	for part := range slices.Chunk(ids, 500) {
		found, err := s.o.Events.Named(ctx, part)
		if err != nil {
			return nil, err
		}
		for _, id := range part {
			one, there := found[id]
			if !there {
				return nil, fault.New(fault.Unprocessable, "unknown_event", "There is no event %.60q in the log.", id).On("event_ids")
			}
			made = append(made, s.replayOf(e, one))
		}
	}
	return made, nil
}

func (s *Service) replayOf(e Endpoint, one event.Event) Delivery {
	d := s.delivery(e.ID, one, entityOf(one), 0, s.time())
	d.Replay = true
	return d
}

func (s *Service) replaySpan(ctx context.Context, e Endpoint, from, until time.Time) ([]Delivery, error) {
	if len(e.Types) == 0 {
		return nil, nil
	}
	var made []Delivery
	for after := ""; ; {
		found, err := s.o.Events.List(ctx, event.Query{After: after, From: from, Until: until, Types: e.Types, Limit: 1000})
		if err != nil {
			return nil, err
		}
		for _, one := range found {
			made = append(made, s.replayOf(e, one))
		}
		if len(made) > MaxReplay {
			return nil, fault.New(fault.Unprocessable, "too_many", "More than %d events are in this span. Replay shorter ones.", MaxReplay).On("range_start")
		}
		if len(found) < 1000 {
			return made, nil
		}
		after = found[len(found)-1].ID
	}
}

// insertReplays numbers the deliveries after all that there are, and marks what they stand for.
func (s *Service) insertReplays(ctx context.Context, id EndpointID, made, were []Delivery) error {
	s.fan.mu.Lock() // or the rounds of this process would win again and again
	defer s.fan.mu.Unlock()
	s.fan.known = false
	for {
		var c cursor
		if err := s.db.QueryRow(ctx, selectCursor).Scan(&c.event, &c.last, &c.version); err != nil {
			return fmt.Errorf("read the webhook cursor: %w", err)
		}
		for i := range made {
			made[i].seq = c.last + int64(i) + 1
		}
		var w db.Write
		w.Guard(moveCursor, c.event, c.last+int64(len(made)), c.event, c.last, c.version)
		w.Guard(stillEnabled, string(id))
		w.Many(insertDelivery, rowsOf(made))
		marks := make([][]any, len(were))
		for i, d := range were {
			marks[i] = []any{string(d.ID), made[i].CreatedAt.UnixMicro()}
		}
		w.Many(markReplayed, marks)
		err := s.db.Write(ctx, &w)
		var lost *db.GuardError
		switch {
		case err == nil:
			s.dispatch.nudge()
			return nil
		case errors.As(err, &lost) && lost.Statement == 1:
			return errDisabled(id)
		case !errors.As(err, &lost):
			return fmt.Errorf("write replayed webhook deliveries: %w", err)
		}
	}
}

// Forget takes away what receivers answered to deliveries about a person of an organization, or about all of it where subject is "".
// What they were sent is not kept here. It goes through the table in parts, each a short transaction, and may be repeated.
func (s *Service) Forget(ctx context.Context, organizationID, subject string) error {
	pattern := ""
	if subject != "" {
		pattern = "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(subject) + " %"
	}
	for from := ""; ; {
		var until *string
		if err := s.db.QueryRow(ctx, deliveriesPart, from).Scan(&until); err != nil {
			return fmt.Errorf("read webhook deliveries: %w", err)
		}
		if until == nil {
			return nil
		}
		for _, how := range []string{"=", "+"} { // held alone or shared
			like := pattern
			if like != "" {
				like = "% " + how + like[1:]
			}
			var w db.Write
			w.Exec(forgetAnswers, from, *until, organizationID, like)
			if err := s.db.Write(ctx, &w); err != nil {
				return fmt.Errorf("forget answers to webhooks: %w", err)
			}
		}
		from = *until
	}
}
