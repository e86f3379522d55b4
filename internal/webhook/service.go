package webhook

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/outbound"
	"github.com/rollcallhq/rollcall/internal/token"
)

// Options are what the service is built from.
type Options struct {
	DB     *db.DB
	Events *event.Log
	IDs    *token.Source
	Sealer *db.Sealer
	Policy outbound.Policy
	Now    func() time.Time
	Logger *slog.Logger

	// KnownType says whether an event type may be subscribed to.
	KnownType func(event.Type) bool
	// Retention is how long finished deliveries and attempts are kept; 0 is for ever.
	Retention time.Duration
	UserAgent string
}

// Service holds the verbs on endpoints and deliveries; Run delivers.
type Service struct {
	o      Options
	db     *db.DB
	ids    *token.Source
	log    *slog.Logger
	client *http.Client

	fan      fanout
	dispatch dispatcher
	counts   counters
}

// NewService makes the service.
func NewService(o Options) *Service {
	s := &Service{o: o, db: o.DB, ids: o.IDs, log: o.Logger, client: o.Policy.Client()}
	s.dispatch.init(s)
	s.fan.wake = make(chan struct{}, 1)
	o.Events.Forgets(event.Forgetter{Rows: func(ctx context.Context, who event.Forgotten) error {
		return s.Forget(ctx, who.OrganizationID, who.Subject)
	}})
	return s
}

// time is now, at the precision that is stored.
func (s *Service) time() time.Time { return s.o.Now().UTC().Truncate(time.Microsecond) }

// New is an endpoint to be made.
type New struct {
	URL   string
	Types []event.Type
}

// Create makes an enabled endpoint. It gets what is appended from now on. Refusals: Unprocessable "invalid_url" and
// "invalid_request_parameters", Conflict "duplicate_endpoint".
func (s *Service) Create(ctx context.Context, n New) (Endpoint, error) {
	if n.Types == nil {
		return Endpoint{}, invalidParameter("events", "required", "events is required: a list of event types like [\"dsync.user.created\"].")
	}
	if err := s.checkTypes(n.Types); err != nil {
		return Endpoint{}, err
	}
	if err := s.checkURL(ctx, n.URL); err != nil {
		return Endpoint{}, err
	}
	// What was appended before this call is for those who were there.
	if err := s.fan.catchUp(ctx, s); err != nil {
		return Endpoint{}, err
	}
	now := s.time()
	e := Endpoint{
		ID: EndpointID(s.ids.NewID(EndpointPrefix)), URL: n.URL, Status: Enabled, Types: unique(n.Types), Secret: newSecret(), CreatedAt: now, UpdatedAt: now,
	}
	err := s.change(ctx, func(tx db.Tx) error {
		var there int
		if err := tx.QueryRow(ctx, countEndpoints).Scan(&there); err != nil {
			return err
		}
		if there >= MaxEndpoints {
			return fault.New(fault.Conflict, "too_many_endpoints", "There are %d endpoints, and no more are possible. Delete one that is no longer needed.", there)
		}
		if err := s.auditTx(ctx, tx, "webhook_endpoint.created", e.ID, nil, &e); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, insertEndpoint, string(e.ID), e.URL, string(e.Status), encodeTypes(e.Types), s.seal(e.ID, e.Secret), now.UnixMicro())
		return err
	})
	return e, s.explain(err, e.URL, "create")
}

func (s *Service) seal(id EndpointID, secret token.Secret) string {
	return s.o.Sealer.Seal(place(id), []byte(secret.Reveal()))
}

// explain turns a taken address into its refusal.
func (s *Service) explain(err error, url, verb string) error {
	var taken *db.UniqueError
	if errors.As(err, &taken) && taken.Constraint == "webhook_endpoints_url" {
		return duplicate(url)
	}
	if _, ok := fault.As(err); ok || err == nil {
		return err
	}
	return fmt.Errorf("%s webhook endpoint: %w", verb, err)
}

// change runs fn in a transaction that no delivery is made beside, and has the dispatchers look again.
func (s *Service) change(ctx context.Context, fn func(tx db.Tx) error) error {
	return s.db.Tx(ctx, func(tx db.Tx) error {
		tx.OnCommit(s.changed)
		if _, err := tx.Exec(ctx, changeVersion); err != nil {
			return err
		}
		return fn(tx)
	})
}

// changed wakes those who work with endpoints.
func (s *Service) changed() {
	s.dispatch.nudge()
	select {
	case s.fan.wake <- struct{}{}:
	default:
	}
}

func (s *Service) checkTypes(types []event.Type) error {
	if len(types) > maxTypes {
		return invalidParameter("events", "too_many", "events takes at most %d types.", maxTypes)
	}
	for _, t := range types {
		if !s.o.KnownType(t) {
			return unknownType(t)
		}
	}
	return nil
}

func (s *Service) checkURL(ctx context.Context, url string) error {
	if url == "" {
		return invalidURL("endpoint_url is required: the address that gets the events, like https://app.example.com/webhooks.", nil)
	}
	var refused *outbound.RefusedError
	if _, err := s.o.Policy.Check(ctx, url); errors.As(err, &refused) {
		return invalidURL(refused.Reason, refused.Unwrap())
	} else if err != nil {
		return fmt.Errorf("check the address of an endpoint: %w", err)
	}
	return nil
}

func unique(types []event.Type) []event.Type {
	out := []event.Type{}
	for _, t := range types {
		if !slices.Contains(out, t) {
			out = append(out, t)
		}
	}
	return out
}

func encodeTypes(types []event.Type) []byte {
	out, err := json.Marshal(types)
	if err != nil { // strings
		panic(err)
	}
	return out
}

// Get finds one endpoint.
func (s *Service) Get(ctx context.Context, id EndpointID) (Endpoint, error) {
	found, err := s.endpoints(ctx, s.db, selectEndpoint+" AND id = $1", string(id))
	if err != nil {
		return Endpoint{}, err
	}
	if len(found) == 0 {
		return Endpoint{}, notFound(id)
	}
	return found[0].Endpoint, nil
}

// Page selects a page of a list. Limit is the page size; Before and After are ids.
type Page struct {
	Before, After string
	Limit         int
	Ascending     bool
}

func (p Page) database() db.Page {
	return db.Page{Before: p.Before, After: p.After, Limit: p.Limit, Ascending: p.Ascending}
}

// List gives a page and whether more follow in the direction read.
func (s *Service) List(ctx context.Context, q Page) ([]Endpoint, bool, error) {
	p := q.database()
	text, args := p.Statement(selectEndpoint, "id")
	found, err := s.endpoints(ctx, s.db, text, args...)
	if err != nil {
		return nil, false, err
	}
	out := make([]Endpoint, len(found))
	for i, e := range found {
		out[i] = e.Endpoint
	}
	out, more := db.Cut(p, out)
	return out, more, nil
}

// stored is an endpoint with who delivers to it.
type stored struct {
	Endpoint
	owner string
}

func (s *Service) endpoints(ctx context.Context, from db.Reader, text string, args ...any) ([]stored, error) {
	rows, err := from.Query(ctx, text, args...)
	if err != nil {
		return nil, fmt.Errorf("read webhook endpoints: %w", err)
	}
	defer rows.Close()
	var out []stored
	for rows.Next() {
		e, err := s.scan(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read webhook endpoints: %w", err)
	}
	return out, nil
}

func (s *Service) scan(rows db.Rows) (e stored, err error) {
	var types []byte
	var secret string
	var old, reason, owner *string
	var oldUntil, failing, disabled *int64
	var created, updated int64
	if err := rows.Scan((*string)(&e.ID), &e.URL, (*string)(&e.Status), &types, &secret, &old, &oldUntil, &failing, &disabled, &reason,
		&created, &updated, &owner); err != nil {
		return e, fmt.Errorf("read webhook endpoints: %w", err)
	}
	if err := json.Unmarshal(types, &e.Types); err != nil {
		return e, fmt.Errorf("types of webhook endpoint %s: %w", e.ID, err)
	}
	if e.Secret, err = s.open(e.ID, secret); err != nil {
		return e, err
	}
	if old != nil {
		if e.OldSecret, err = s.open(e.ID, *old); err != nil {
			return e, err
		}
	}
	if reason != nil {
		e.DisabledReason = *reason
	}
	if owner != nil {
		e.owner = *owner
	}
	e.OldUntil, e.FailingSince, e.DisabledAt = db.TimeOrZero(oldUntil), db.TimeOrZero(failing), db.TimeOrZero(disabled)
	e.CreatedAt, e.UpdatedAt = db.Time(created), db.Time(updated)
	return e, nil
}

func (s *Service) open(id EndpointID, sealed string) (token.Secret, error) {
	clear, err := s.o.Sealer.Open(place(id), sealed)
	if err != nil {
		return "", fmt.Errorf("secret of webhook endpoint %s: %w", id, err)
	}
	return token.Secret(clear), nil
}

// Change is what Update changes; nil leaves as it is.
type Change struct {
	URL    *string
	Status *Status
	Types  []event.Type
}

// Update changes an endpoint. Disabling cancels what is pending; it can be replayed when the endpoint is enabled again, and a
// replay by time brings what was appended meanwhile.
func (s *Service) Update(ctx context.Context, id EndpointID, c Change) (Endpoint, error) {
	if err := s.checkChange(ctx, c); err != nil {
		return Endpoint{}, err
	}
	if c.Status != nil && *c.Status == Enabled { // what was appended while it was disabled is not for it
		if err := s.fan.catchUp(ctx, s); err != nil {
			return Endpoint{}, err
		}
	}
	var after Endpoint
	err := s.change(ctx, func(tx db.Tx) error {
		found, err := s.endpoints(ctx, tx, selectEndpoint+" AND id = $1", string(id))
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return notFound(id)
		}
		after = found[0].with(c, s.time())
		if err := s.auditTx(ctx, tx, "webhook_endpoint.updated", id, &found[0].Endpoint, &after); err != nil {
			return err
		}
		return s.update(ctx, tx, found[0].Endpoint, after)
	})
	url := ""
	if c.URL != nil {
		url = *c.URL
	}
	return after, s.explain(err, url, "update")
}

func (s *Service) checkChange(ctx context.Context, c Change) error {
	if c.Status != nil && *c.Status != Enabled && *c.Status != Disabled {
		return invalidParameter("status", "invalid_status", "status is enabled or disabled, not %.40q.", string(*c.Status))
	}
	if err := s.checkTypes(c.Types); err != nil {
		return err
	}
	if c.URL != nil {
		return s.checkURL(ctx, *c.URL)
	}
	return nil
}

func (e stored) with(c Change, now time.Time) Endpoint {
	out := e.Endpoint
	out.UpdatedAt = now
	if c.URL != nil {
		out.URL = *c.URL
	}
	if c.Types != nil {
		out.Types = unique(c.Types)
	}
	if c.Status != nil && *c.Status != out.Status {
		out.Status, out.DisabledAt, out.DisabledReason, out.FailingSince = *c.Status, time.Time{}, "", time.Time{}
		if out.Status == Disabled {
			out.DisabledAt, out.DisabledReason = now, ByOperator
		}
	}
	return out
}

func (s *Service) update(ctx context.Context, tx db.Tx, before, after Endpoint) error {
	var reason *string
	if after.DisabledReason != "" {
		reason = &after.DisabledReason
	}
	if _, err := tx.Exec(ctx, updateEndpoint, string(after.ID), after.URL, string(after.Status), encodeTypes(after.Types),
		db.MicrosOrNull(after.FailingSince), db.MicrosOrNull(after.DisabledAt), reason, after.UpdatedAt.UnixMicro()); err != nil {
		return err
	}
	if before.Status == Enabled && after.Status == Disabled {
		_, err := tx.Exec(ctx, cancelPending, string(after.ID), endpointDisabled, after.UpdatedAt.UnixMicro())
		return err
	}
	return nil
}

// Delete removes an endpoint; what is pending is cancelled.
func (s *Service) Delete(ctx context.Context, id EndpointID) error {
	now := s.time().UnixMicro()
	err := s.change(ctx, func(tx db.Tx) error {
		found, err := s.endpoints(ctx, tx, selectEndpoint+" AND id = $1", string(id))
		if err != nil {
			return err
		}
		for _, e := range found {
			if err := s.auditTx(ctx, tx, "webhook_endpoint.deleted", id, &e.Endpoint, nil); err != nil {
				return err
			}
		}
		n, err := tx.Exec(ctx, deleteEndpoint, string(id), now)
		if err != nil {
			return err
		}
		if n == 0 {
			return notFound(id)
		}
		_, err = tx.Exec(ctx, cancelPending, string(id), endpointDeleted, now)
		return err
	})
	return s.explain(err, "", "delete")
}

// How long the former secret goes on signing after a rotation.
const (
	DefaultKeepOld = 24 * time.Hour
	MaxKeepOld     = 7 * 24 * time.Hour
)

// RotateSecret gives an endpoint a new secret. The former one signs too for keepOld; one that was still signing from an earlier
// rotation ends.
func (s *Service) RotateSecret(ctx context.Context, id EndpointID, keepOld time.Duration) (Endpoint, error) {
	if keepOld < 0 || keepOld > MaxKeepOld {
		return Endpoint{}, invalidParameter("keep_old_for_seconds", "out_of_range", "keep_old_for_seconds is from 0 to %d.", int(MaxKeepOld.Seconds()))
	}
	var after Endpoint
	err := s.change(ctx, func(tx db.Tx) error {
		found, err := s.endpoints(ctx, tx, selectEndpoint+" AND id = $1", string(id))
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return notFound(id)
		}
		after = found[0].Endpoint
		after.UpdatedAt = s.time()
		after.OldSecret, after.OldUntil, after.Secret = after.Secret, after.UpdatedAt.Add(keepOld), newSecret()
		var old *string
		if keepOld > 0 {
			sealed := s.seal(id, after.OldSecret)
			old = &sealed
		} else {
			after.OldSecret, after.OldUntil = "", time.Time{}
		}
		if err := s.auditTx(ctx, tx, "webhook_endpoint.secret_rotated", id, &found[0].Endpoint, &after); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, rotateSecret, string(id), s.seal(id, after.Secret), old, db.MicrosOrNull(after.OldUntil), after.UpdatedAt.UnixMicro())
		return err
	})
	return after, s.explain(err, "", "rotate the secret of")
}

// disable ends deliveries to an endpoint that is of no use, and tells so in the log.
func (s *Service) disable(ctx context.Context, e Endpoint, reason string) error {
	now := s.time()
	e.Status, e.DisabledAt, e.DisabledReason, e.UpdatedAt = Disabled, now, reason, now
	why := endpointDisabled
	if reason == ByGone {
		why = endpointGone
	}
	return s.change(ctx, func(tx db.Tx) error {
		n, err := tx.Exec(ctx, disableEndpoint, string(e.ID), now.UnixMicro(), reason)
		if err != nil || n == 0 {
			return err
		}
		if _, err := tx.Exec(ctx, cancelPending, string(e.ID), why, now.UnixMicro()); err != nil {
			return err
		}
		return s.o.Events.AppendTx(ctx, tx, now, event.Entry{
			Type: event.WebhookEndpointDisabled, Context: event.Context{Actor: event.Actor{ID: string(e.ID), Source: event.System}}.JSON(), Data: e.payload(),
		})
	})
}

// payload is the endpoint as its event shows it: without secrets.
func (e Endpoint) payload() []byte {
	var failing *string
	if !e.FailingSince.IsZero() {
		at := event.Shown(e.FailingSince)
		failing = &at
	}
	out, err := json.Marshal(struct {
		Object         string       `json:"object"`
		ID             EndpointID   `json:"id"`
		URL            string       `json:"endpoint_url"`
		Status         Status       `json:"status"`
		Events         []event.Type `json:"events"`
		DisabledReason string       `json:"disabled_reason"`
		FailingSince   *string      `json:"failing_since"`
		CreatedAt      string       `json:"created_at"`
		UpdatedAt      string       `json:"updated_at"`
	}{"webhook_endpoint", e.ID, e.URL, e.Status, e.Types, e.DisabledReason, failing, event.Shown(e.CreatedAt), event.Shown(e.UpdatedAt)})
	if err != nil { // strings
		panic(err)
	}
	return out
}
