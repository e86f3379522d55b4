package lifecycle

import (
	"context"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/issuer"
	"github.com/rollcallhq/rollcall/internal/webhook"
)

// Receipt is what is signed: who it was (by id alone), what caused it, and every step until the app's word. Times are ISO 8601 in UTC, null
// where there is none.
type Receipt struct {
	Issuer          string              `json:"iss"`
	ID              string              `json:"jti"`
	Subject         string              `json:"sub"` // the account
	IssuedAt        int64               `json:"iat"` // seconds; when it was frozen, or made
	OrganizationID  string              `json:"organization_id"`
	MembershipID    string              `json:"organization_membership_id"`
	State           string              `json:"status"`
	Why             string              `json:"why"`
	Cause           ReceiptCause        `json:"cause"`
	RequestedAt     *string             `json:"requested_at"` // the identity provider's request came
	EndedAt         string              `json:"ended_at"`     // as the transaction says
	CommittedBy     string              `json:"committed_by"` // seen from outside the transaction: it was no later
	Sessions        ReceiptSessions     `json:"sessions"`
	Events          []ReceiptEvent      `json:"events"`
	Webhooks        []ReceiptWebhook    `json:"webhooks"`
	Logouts         []ReceiptLogout     `json:"logouts"`
	Acknowledgement *ReceiptAcknowledge `json:"acknowledgement"` // the app's first word about one of the events
	SpanMS          int64               `json:"span_ms"`         // from the request, or the end where there was none, to the last step that is known
	Complete        bool                `json:"complete"`
	Missing         []ReceiptMissing    `json:"missing"`
	Frozen          bool                `json:"frozen"` // it will not change any more
}

// ReceiptCause is the one cause.
type ReceiptCause struct {
	ActorID    string       `json:"actor_id"`
	Source     event.Source `json:"source"`
	ExchangeID *string      `json:"exchange_id"` // the recorded request of the identity provider
}

// ReceiptSessions says how many ended, and when.
type ReceiptSessions struct {
	Ended int     `json:"ended"`
	At    *string `json:"at"`
}

// ReceiptEvent is an event that tells of it.
type ReceiptEvent struct {
	ID   string     `json:"id"`
	Type event.Type `json:"event"`
}

// ReceiptWebhook is one event for one endpoint.
type ReceiptWebhook struct {
	EndpointID  string        `json:"webhook_endpoint_id"`
	EventID     string        `json:"event_id"`
	State       webhook.State `json:"state"`
	DeliveredAt *string       `json:"delivered_at"`
}

// ReceiptLogout is one back-channel logout of one application.
type ReceiptLogout struct {
	ApplicationID string               `json:"application_id"`
	SessionID     string               `json:"session_id"`
	State         issuer.DeliveryState `json:"state"`
	DeliveredAt   *string              `json:"delivered_at"`
}

// ReceiptAcknowledge is the app's word.
type ReceiptAcknowledge struct {
	EventID string       `json:"event_id"`
	ActorID string       `json:"actor_id"`
	Source  event.Source `json:"source"`
	At      string       `json:"at"`
}

// ReceiptMissing is a step that was not seen.
type ReceiptMissing struct {
	Step string `json:"step"` // event, request, webhook, logout, acknowledgement
	ID   string `json:"id,omitempty"`
	Why  string `json:"why"`
}

func (r Receipt) claims() jsontext.Value {
	out, err := json.Marshal(r, json.Deterministic(true))
	if err != nil { // plain structs
		panic(err)
	}
	return out
}

// receipt looks up what is known now.
func (s *Offboardings) receipt(ctx context.Context, f *Offboarding) (Receipt, error) {
	if err := s.released(ctx, f); err != nil {
		return Receipt{}, err
	}
	b := receiptBuilder{last: f.CommittedBy, r: Receipt{
		Issuer: s.o.Issuer.Issuer(), ID: f.ID, Subject: f.UserID, IssuedAt: s.time().Unix(), OrganizationID: f.OrganizationID, MembershipID: f.MembershipID,
		State: f.State, Why: f.Why, EndedAt: precise(f.EndedAt), CommittedBy: precise(f.CommittedBy), Sessions: ReceiptSessions{Ended: f.Sessions},
		Cause:  ReceiptCause{ActorID: f.Cause.Actor.ID, Source: f.Cause.Actor.Source},
		Events: []ReceiptEvent{}, Webhooks: []ReceiptWebhook{}, Logouts: []ReceiptLogout{}, Missing: []ReceiptMissing{},
	}}
	b.begin(f)
	if err := s.webhooks(ctx, &b, f); err != nil {
		return Receipt{}, err
	}
	found, waiting, err := s.o.Issuer.Logouts(ctx, f.ended())
	if err != nil {
		return Receipt{}, err
	}
	b.logouts(found, waiting)
	said, err := s.o.Events.Acknowledged(ctx, s.o.DB, f.ids())
	if err != nil {
		return Receipt{}, err
	}
	b.acknowledged(said)
	return b.finish(f), nil
}

func (s *Offboardings) webhooks(ctx context.Context, b *receiptBuilder, f *Offboarding) error {
	if s.o.Webhooks == nil {
		return nil
	}
	events := make([]event.Event, len(f.Events))
	for i, e := range f.Events {
		events[i] = event.Event{ID: e.ID, OrganizationID: f.OrganizationID, Type: e.Type, CreatedAt: e.At}
	}
	found, waiting, err := s.o.Webhooks.Told(ctx, events)
	b.webhooks(found, waiting)
	return err
}

// receiptBuilder puts a receipt together. last is the latest step so far.
type receiptBuilder struct {
	r    Receipt
	last time.Time
}

func (b *receiptBuilder) step(at time.Time) {
	if at.After(b.last) {
		b.last = at
	}
}

func (b *receiptBuilder) miss(step, id, why string) {
	b.r.Missing = append(b.r.Missing, ReceiptMissing{step, id, why})
}

func (b *receiptBuilder) begin(f *Offboarding) {
	if x := f.Cause.ExchangeID; x != "" {
		b.r.Cause.ExchangeID = &x
		if f.RequestedAt.IsZero() {
			b.miss("request", x, "not recorded")
		}
	}
	if !f.RequestedAt.IsZero() {
		at := precise(f.RequestedAt)
		b.r.RequestedAt = &at
	}
	switch {
	case f.waits:
		b.miss("event", "", "the brake holds what follows")
	case len(f.Events) == 0:
		b.miss("event", "", "none tells of it")
	}
	for _, e := range f.Events {
		b.r.Events = append(b.r.Events, ReceiptEvent{e.ID, e.Type})
		if e.SessionID != "" && b.r.Sessions.At == nil {
			at := precise(e.At)
			b.r.Sessions.At = &at
		}
	}
}

func (b *receiptBuilder) webhooks(found []webhook.Delivery, waiting bool) {
	if waiting {
		b.miss("webhook", "", "not sent yet")
	}
	for _, d := range found {
		one := ReceiptWebhook{EndpointID: string(d.EndpointID), EventID: d.EventID, State: d.State}
		if d.State == webhook.Delivered {
			at := precise(d.FinishedAt)
			one.DeliveredAt = &at
			b.step(d.FinishedAt)
		} else {
			b.miss("webhook", string(d.ID), string(d.State))
		}
		b.r.Webhooks = append(b.r.Webhooks, one)
	}
}

func (b *receiptBuilder) logouts(found []issuer.Delivery, waiting bool) {
	if waiting {
		b.miss("logout", "", "not sent yet")
	}
	for _, d := range found {
		one := ReceiptLogout{ApplicationID: d.ApplicationID, SessionID: d.SessionID, State: d.State}
		if d.State == issuer.Delivered {
			at := precise(d.FinishedAt)
			one.DeliveredAt = &at
			b.step(d.FinishedAt)
		} else {
			b.miss("logout", d.ID, string(d.State))
		}
		b.r.Logouts = append(b.r.Logouts, one)
	}
}

// acknowledged: the first word about any of the events is enough; the app need not say the same of each.
func (b *receiptBuilder) acknowledged(said []event.Acknowledgement) {
	if len(said) == 0 {
		b.miss("acknowledgement", "", "the app has not acknowledged any of the events")
		return
	}
	first := said[0]
	b.r.Acknowledgement = &ReceiptAcknowledge{first.EventID, first.Actor.ID, first.Actor.Source, precise(first.At)}
	b.step(first.At)
}

func (b *receiptBuilder) finish(f *Offboarding) Receipt {
	from := f.EndedAt
	if !f.RequestedAt.IsZero() {
		from = f.RequestedAt
	}
	b.r.SpanMS, b.r.Complete = max(0, b.last.Sub(from).Milliseconds()), len(b.r.Missing) == 0
	return b.r
}

// precise shows a moment to the microsecond: a receipt is about small differences.
func precise(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000Z") }
