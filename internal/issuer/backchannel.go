package issuer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/oidc"
	"github.com/rollcallhq/rollcall/internal/token"
)

const (
	tellPatience   = 15 * time.Second
	tellLease      = 20 * time.Second // longer than a call: another process goes on when this one has died
	tellFor        = 24 * time.Hour   // then it is given up
	tellAtOnce     = 32               // calls of a process
	tellAtOnceEach = 8                // of them to one application, so that a slow one holds nobody up
	tellPoll       = time.Second
	tellBatch      = 100
	eventsPerRound = 200
	cursorEvery    = time.Minute // how often the cursor follows a log in which no session ends
	keepDeliveries = 90 * 24 * time.Hour
	maxTellError   = 300
)

// delay is how long to wait after so many attempts.
func delay(attempts int) time.Duration {
	table := [...]time.Duration{5 * time.Second, 15 * time.Second, time.Minute, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute}
	if attempts-1 < len(table) {
		return table[max(0, attempts-1)]
	}
	return time.Hour
}

// teller tells applications that sessions have ended.
type teller struct {
	mu       sync.Mutex
	busy     map[string]int // calls under way, by application
	calls    sync.WaitGroup
	wake     chan struct{}
	advanced time.Time

	from, seen string // no session ended between the two: the stored cursor, and the event up to which this process has looked

	delivered, failed, retried atomic.Int64
}

func (t *teller) init() { t.busy, t.wake = map[string]int{}, make(chan struct{}, 1) }

func (t *teller) nudge() {
	select {
	case t.wake <- struct{}{}:
	default:
	}
}

// Counts are of this process since its start.
type Counts struct {
	Delivered int64 // applications that have acknowledged
	Failed    int64 // given up
	Retried   int64 // calls that will be repeated
}

// Counts gives the counters.
func (s *Service) Counts() Counts {
	return Counts{s.teller.delivered.Load(), s.teller.failed.Load(), s.teller.retried.Load()}
}

// Run keeps keys in order and tells applications of ended sessions, until ctx ends; calls under way are waited for.
func (s *Service) Run(ctx context.Context) {
	var all sync.WaitGroup
	all.Go(func() { s.repeat(ctx, keysTended, nil, s.TendKeys, "signing keys could not be tended") })
	all.Go(func() { s.repeat(ctx, time.Hour, nil, s.cleanDeliveries, "old logout deliveries could not be deleted") })
	all.Go(func() { s.follow(ctx) })
	all.Go(func() { s.repeat(ctx, tellPoll, s.teller.wake, s.tellDue, "logout deliveries could not be read") })
	all.Wait()
	s.teller.calls.Wait()
}

func (s *Service) repeat(ctx context.Context, every time.Duration, wake <-chan struct{}, do func(context.Context) error, complaint string) {
	for ctx.Err() == nil {
		if err := do(ctx); err != nil && ctx.Err() == nil {
			s.log.Error(complaint+"; it will be tried again", "error", err)
		}
		wait(ctx, wake, every)
	}
}

func wait(ctx context.Context, wake <-chan struct{}, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-wake:
	case <-timer.C:
	}
}

func (s *Service) follow(ctx context.Context) {
	for ctx.Err() == nil {
		changed := s.o.Events.Changed()
		n, err := s.FanOut(ctx)
		if err != nil && ctx.Err() == nil {
			s.log.Error("ended sessions could not be turned into logouts; it will be tried again", "error", err)
		}
		if n == 0 || err != nil {
			s.o.Events.Await(ctx, changed, tellPoll, event.SessionRevoked)
		}
	}
}

// FanOut turns some ends of sessions into deliveries and says how many ends; 0 only at the end of the log. Of several processes that do the
// same one writes.
func (s *Service) FanOut(ctx context.Context) (int, error) {
	var cursor string
	if err := s.db.QueryRow(ctx, selectCursor).Scan(&cursor); err != nil {
		return 0, fmt.Errorf("read the logout cursor: %w", err)
	}
	newest, err := s.o.Events.List(ctx, event.Query{Descending: true, Limit: 1})
	if err != nil || len(newest) == 0 || newest[0].ID == cursor {
		return 0, err
	}
	found, err := s.ended(ctx, s.teller.seenFrom(cursor))
	if err != nil {
		return 0, err
	}
	next := newest[0].ID
	if len(found) > 0 {
		next = found[len(found)-1].ID
	} else if s.teller.looked(cursor, next); !s.mayAdvance() {
		return 0, nil
	}
	var w db.Write
	w.Guard(moveCursor, next, cursor)
	if err := s.deliveriesInto(ctx, &w, found); err != nil {
		return 0, err
	}
	var guard *db.GuardError
	if err := s.db.Write(ctx, &w); errors.As(err, &guard) {
		return 1, nil // another process was first; look again
	} else if err != nil {
		return 0, fmt.Errorf("write logout deliveries: %w", err)
	}
	s.teller.nudge()
	return len(found), nil
}

// seenFrom is where to look on from a cursor: nothing is looked at twice while the cursor stands still.
func (t *teller) seenFrom(cursor string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.from == cursor && t.seen != "" {
		return t.seen
	}
	return cursor
}

func (t *teller) looked(cursor, until string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.from, t.seen = cursor, until
}

// mayAdvance: a cursor that nothing is behind is moved seldom, so that the writers of the log are not bothered for each event.
func (s *Service) mayAdvance() bool {
	s.teller.mu.Lock()
	defer s.teller.mu.Unlock()
	now := s.time()
	if now.Sub(s.teller.advanced) < cursorEvery {
		return false
	}
	s.teller.advanced = now
	return true
}

// ended reads ends of sessions after the cursor. Where its event is no longer in the log, it goes on with the oldest that is left.
func (s *Service) ended(ctx context.Context, cursor string) ([]event.Event, error) {
	q := event.Query{After: cursor, Types: []event.Type{event.SessionRevoked}, Limit: eventsPerRound}
	found, err := s.o.Events.List(ctx, q)
	if refused, _ := fault.As(err); refused != nil && (refused.Kind == fault.Invalid || refused.Code == event.CodeExpired) {
		q.After = ""
		return s.o.Events.List(ctx, q)
	}
	return found, err
}

func (s *Service) deliveriesInto(ctx context.Context, w *db.Write, events []event.Event) error {
	now := s.time()
	for _, e := range events {
		if now.Sub(e.CreatedAt) > tellFor {
			continue // would be given up anyhow
		}
		var about struct {
			ID     string `json:"id"`
			UserID string `json:"user_id"`
		}
		if err := json.Unmarshal(e.Data, &about); err != nil || about.ID == "" {
			s.log.Error("an event of an ended session cannot be read; no application is told", "event", e.ID, "error", err)
			continue
		}
		applications, err := s.toTell(ctx, about.ID)
		if err != nil {
			return err
		}
		for _, application := range applications {
			w.Exec(insertDelivery, s.ids.NewID(DeliveryPrefix), application, about.ID, e.OrganizationID, about.UserID, e.ID, now.UnixMicro(), e.CreatedAt.UnixMicro())
		}
	}
	return nil
}

func (s *Service) toTell(ctx context.Context, sessionID string) ([]string, error) {
	rows, err := s.db.Query(ctx, toTell, sessionID)
	if err != nil {
		return nil, fmt.Errorf("read whom to tell of session %s: %w", sessionID, err)
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, fmt.Errorf("read whom to tell of session %s: %w", sessionID, err)
		}
		out = append(out, id)
	}
	return out, rows.Err()
}

// tellDue begins the calls that are due, as many as there may be at once.
func (s *Service) tellDue(ctx context.Context) error {
	full, free := s.teller.room()
	if free <= 0 {
		return nil
	}
	now := s.time()
	text, args := dueDeliveries, []any{now.UnixMicro()}
	if len(full) > 0 {
		marks := make([]string, len(full))
		for i, id := range full {
			args = append(args, id)
			marks[i] = fmt.Sprintf("$%d", len(args))
		}
		text += " AND application_id NOT IN (" + strings.Join(marks, ",") + ")"
	}
	due, err := s.deliveries(ctx, text+fmt.Sprintf(" ORDER BY next_at LIMIT %d", tellBatch), args...)
	if err != nil {
		return err
	}
	for _, d := range due {
		if !s.teller.take(d.ApplicationID) {
			continue
		}
		s.teller.calls.Go(func() {
			defer s.teller.give(d.ApplicationID)
			if err := s.tell(context.WithoutCancel(ctx), d); err != nil {
				s.log.Error("a logout delivery could not be recorded", "delivery", d.ID, "error", err)
			}
		})
	}
	return nil
}

// room lists the applications that can take no more calls, and how many calls there may still be.
func (t *teller) room() (full []string, free int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	free = tellAtOnce
	for id, n := range t.busy {
		free -= n
		if n >= tellAtOnceEach {
			full = append(full, id)
		}
	}
	return full, free
}

func (t *teller) take(application string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := 0
	for _, n := range t.busy {
		all += n
	}
	if all >= tellAtOnce || t.busy[application] >= tellAtOnceEach {
		return false
	}
	t.busy[application]++
	return true
}

func (t *teller) give(application string) {
	t.mu.Lock()
	if t.busy[application]--; t.busy[application] == 0 {
		delete(t.busy, application)
	}
	t.mu.Unlock()
	t.nudge()
}

// tell calls one application once, if this process is the one that gets the lease.
func (s *Service) tell(ctx context.Context, d Delivery) error {
	var w db.Write
	w.Guard(claimDelivery, d.ID, d.NextAt.UnixMicro(), s.time().Add(tellLease).UnixMicro())
	var guard *db.GuardError
	if err := s.db.Write(ctx, &w); errors.As(err, &guard) {
		return nil // another process has it
	} else if err != nil {
		return err
	}
	d.Attempts++
	a, err := s.Get(ctx, d.ApplicationID)
	switch {
	case fault.Is(err, fault.NotFound):
		return s.finish(ctx, d, Failed, 0, "The application was deleted.")
	case err != nil:
		return err // the lease runs out, and somebody tries again
	case a.LogoutURI == "":
		return s.finish(ctx, d, Failed, 0, "The application has no backchannel_logout_uri any more.")
	}
	status, problem := s.post(ctx, a, d)
	switch {
	case status == http.StatusOK || status == http.StatusNoContent:
		return s.finish(ctx, d, Delivered, status, "")
	case status == http.StatusBadRequest:
		return s.finish(ctx, d, Failed, status, "The application refused the logout token with 400.")
	case s.time().Add(delay(d.Attempts)).Sub(d.CreatedAt) > tellFor:
		return s.finish(ctx, d, Failed, status, problem)
	}
	var again db.Write
	again.Exec(postponeDelivery, d.ID, s.time().Add(delay(d.Attempts)).UnixMicro(), statusOrNull(status), problem)
	if err := s.db.Write(ctx, &again); err != nil {
		return err
	}
	s.teller.retried.Add(1)
	return nil
}

func statusOrNull(status int) any {
	if status == 0 {
		return nil
	}
	return status
}

func (s *Service) finish(ctx context.Context, d Delivery, state DeliveryState, status int, problem string) error {
	var w db.Write
	w.Exec(finishDelivery, d.ID, string(state), statusOrNull(status), db.TextOrNull(problem), s.time().UnixMicro())
	if err := s.db.Write(ctx, &w); err != nil {
		return err
	}
	if state == Delivered {
		s.teller.delivered.Add(1)
		return nil
	}
	s.teller.failed.Add(1)
	s.log.Error("an application was not told that a session has ended", "application", d.ApplicationID, "session", d.SessionID, "status", status, "reason", problem)
	return nil
}

// post sends the logout token (OpenID Connect Back-Channel Logout 1.0, section 2.5). status is 0 when no answer came.
func (s *Service) post(ctx context.Context, a Application, d Delivery) (status int, problem string) {
	ctx, cancel := context.WithTimeout(ctx, tellPatience)
	defer cancel()
	key, err := s.signer(ctx, a.Algorithm)
	if err != nil {
		return 0, brief(err)
	}
	signed, err := oidc.Sign(key, oidc.TypeLogoutToken, oidc.LogoutClaims(s.o.Issuer, a.ClientID, d.UserID, d.SessionID, token.NewKey(24), s.time()))
	if err != nil {
		return 0, brief(err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, a.LogoutURI, strings.NewReader(url.Values{"logout_token": {signed}}.Encode()))
	if err != nil {
		return 0, brief(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("User-Agent", s.o.UserAgent)
	answer, err := s.client.Do(r)
	if err != nil {
		return 0, brief(err)
	}
	defer func() { _ = answer.Body.Close() }() // nothing more is wanted of it
	_, err = io.CopyN(io.Discard, answer.Body, 4<<10)
	if err != nil && !errors.Is(err, io.EOF) {
		return 0, brief(err)
	}
	return answer.StatusCode, fmt.Sprintf("The application answered %d.", answer.StatusCode)
}

func brief(err error) string {
	text := err.Error()
	return strings.ToValidUTF8(text[:min(len(text), maxTellError)], "")
}

// Deliveries gives a page of an application's logout deliveries and whether more follow in the direction read.
func (s *Service) Deliveries(ctx context.Context, applicationID string, q Page) ([]Delivery, bool, error) {
	if _, err := s.Get(ctx, applicationID); err != nil {
		return nil, false, err
	}
	p := db.Page{Before: q.Before, After: q.After, Limit: q.Limit, Ascending: q.Ascending}
	text, args := p.Statement(selectDelivery+"application_id = "+p.Arg(applicationID), "id")
	found, err := s.deliveries(ctx, text, args...)
	if err != nil {
		return nil, false, err
	}
	found, more := db.Cut(p, found)
	return found, more, nil
}

func (s *Service) deliveries(ctx context.Context, text string, args ...any) ([]Delivery, error) {
	rows, err := s.db.Query(ctx, text, args...)
	if err != nil {
		return nil, fmt.Errorf("read logout deliveries: %w", err)
	}
	defer rows.Close()
	var out []Delivery
	for rows.Next() {
		var d Delivery
		var next, status, finished *int64
		var problem *string
		var ended, created int64
		if err := rows.Scan(&d.ID, &d.ApplicationID, &d.SessionID, &d.OrganizationID, &d.UserID, &d.EventID, (*string)(&d.State), &d.Attempts, &next,
			&status, &problem, &ended, &created, &finished); err != nil {
			return nil, fmt.Errorf("read logout deliveries: %w", err)
		}
		if status != nil {
			d.LastStatus = int(*status)
		}
		d.NextAt, d.LastError, d.EndedAt, d.CreatedAt, d.FinishedAt = db.TimeOrZero(next), orEmpty(problem), db.Time(ended), db.Time(created), db.TimeOrZero(finished)
		out = append(out, d)
	}
	return out, rows.Err()
}

func (s *Service) cleanDeliveries(ctx context.Context) error {
	var w db.Write
	w.Exec(expireTickets, s.time().UnixMicro())
	w.Exec(expireDeliveries, token.Before(DeliveryPrefix, s.time().Add(-keepDeliveries)))
	return s.db.Write(ctx, &w)
}
