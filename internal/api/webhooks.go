package api

import (
	"net/http"
	"slices"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/webhook"
)

// KnownWebhookType says whether an endpoint may ask for a type: those that are made here, and those of the contract that are not
// made yet.
func KnownWebhookType(t event.Type) bool {
	return slices.Contains(event.Types(), t) || slices.Contains(event.OwnTypes(), t) || slices.Contains(notEmitted(), string(t))
}

// shownEndpoint has the contract's members first; what follows is ours and only where one endpoint is asked for.
type shownEndpoint struct {
	Object    string             `json:"object"`
	ID        webhook.EndpointID `json:"id"`
	URL       string             `json:"endpoint_url"`
	Secret    string             `json:"secret"`
	Status    webhook.Status     `json:"status"`
	Events    []event.Type       `json:"events"`
	CreatedAt string             `json:"created_at"`
	UpdatedAt string             `json:"updated_at"`
}

// endpointHealth is how an endpoint does. The former secret is not shown: who needs it has it.
type endpointHealth struct {
	FailingSince   *string `json:"failing_since"`
	DisabledAt     *string `json:"disabled_at"`
	DisabledReason *string `json:"disabled_reason"`
	OldSecretUntil *string `json:"old_secret_until"`
}

func showEndpoint(e webhook.Endpoint) (jsontext.Value, error) {
	return encode(shownEndpoint{
		Object: "webhook_endpoint", ID: e.ID, URL: e.URL, Secret: e.Secret.Reveal(), Status: e.Status, Events: e.Types,
		CreatedAt: event.Shown(e.CreatedAt), UpdatedAt: event.Shown(e.UpdatedAt),
	})
}

func showEndpointHealth(e webhook.Endpoint) (jsontext.Value, error) {
	shown, err := showEndpoint(e)
	if err != nil {
		return nil, err
	}
	return extended(shown, endpointHealth{
		FailingSince: optionalTime(e.FailingSince), DisabledAt: optionalTime(e.DisabledAt), DisabledReason: optional(e.DisabledReason),
		OldSecretUntil: optionalTime(e.OldUntil),
	})
}

func listWebhookEndpoints(c *call) (answer, error) {
	p, err := c.paging(webhook.EndpointPrefix, false)
	if err != nil {
		return answer{}, err
	}
	found, more, err := c.o.Webhooks.List(c.ctx(), p.webhookPage())
	if err != nil {
		return answer{}, err
	}
	page, err := listOf(p, found, more, func(e webhook.Endpoint) string { return string(e.ID) }, showEndpoint)
	return ok(page), err
}

func createWebhookEndpoint(c *call) (answer, error) {
	var wanted struct {
		URL    string       `json:"endpoint_url"`
		Events []event.Type `json:"events"`
	}
	if err := c.body(&wanted); err != nil {
		return answer{}, err
	}
	made, err := c.o.Webhooks.Create(c.ctx(), webhook.New{URL: wanted.URL, Types: wanted.Events})
	if err != nil {
		return answer{}, err
	}
	shown, err := showEndpoint(made)
	return answer{http.StatusCreated, shown}, err
}

// endpointID reads the id of the address.
func (c *call) endpointID() (webhook.EndpointID, error) {
	id := c.path["id"]
	if !isID(id, webhook.EndpointPrefix) {
		return "", errMissing("Webhook endpoint", id)
	}
	return webhook.EndpointID(id), nil
}

func (c *call) deliveryID() (webhook.DeliveryID, error) {
	id := c.path["id"]
	if !isID(id, webhook.DeliveryPrefix) {
		return "", errMissing("Webhook delivery", id)
	}
	return webhook.DeliveryID(id), nil
}

func getWebhookEndpoint(c *call) (answer, error) {
	id, err := c.endpointID()
	if err != nil {
		return answer{}, err
	}
	found, err := c.o.Webhooks.Get(c.ctx(), id)
	if err != nil {
		return answer{}, err
	}
	shown, err := showEndpointHealth(found)
	return ok(shown), err
}

// updateWebhookEndpoint takes null for what is not to change.
func updateWebhookEndpoint(c *call) (answer, error) {
	id, err := c.endpointID()
	if err != nil {
		return answer{}, err
	}
	var wanted struct {
		URL    *string         `json:"endpoint_url"`
		Status *webhook.Status `json:"status"`
		Events []event.Type    `json:"events"`
	}
	if err := c.body(&wanted); err != nil {
		return answer{}, err
	}
	after, err := c.o.Webhooks.Update(c.ctx(), id, webhook.Change{URL: wanted.URL, Status: wanted.Status, Types: wanted.Events})
	if err != nil {
		return answer{}, err
	}
	shown, err := showEndpoint(after)
	return ok(shown), err
}

func deleteWebhookEndpoint(c *call) (answer, error) {
	id, err := c.endpointID()
	if err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusNoContent}, c.o.Webhooks.Delete(c.ctx(), id)
}

func rotateWebhookSecret(c *call) (answer, error) {
	id, err := c.endpointID()
	if err != nil {
		return answer{}, err
	}
	var wanted struct {
		KeepOld *int64 `json:"keep_old_for_seconds"`
	}
	if err := c.body(&wanted); err != nil {
		return answer{}, err
	}
	keep := webhook.DefaultKeepOld
	if wanted.KeepOld != nil { // bounded first, so that no multiplication goes over
		keep = time.Duration(min(max(*wanted.KeepOld, -1), int64(webhook.MaxKeepOld/time.Second)+1)) * time.Second
	}
	after, err := c.o.Webhooks.RotateSecret(c.ctx(), id, keep)
	if err != nil {
		return answer{}, err
	}
	shown, err := showEndpointHealth(after)
	return ok(shown), err
}

type shownDelivery struct {
	Object         string             `json:"object"`
	ID             webhook.DeliveryID `json:"id"`
	EndpointID     webhook.EndpointID `json:"webhook_endpoint_id"`
	OrganizationID *string            `json:"organization_id"`
	EventID        string             `json:"event_id"`
	Event          event.Type         `json:"event"`
	State          webhook.State      `json:"state"`
	Reason         *string            `json:"reason"`
	Replay         bool               `json:"replay"`
	Attempts       int                `json:"attempt_count"`
	NextAttemptAt  *string            `json:"next_attempt_at"`
	CreatedAt      string             `json:"created_at"`
	FinishedAt     *string            `json:"finished_at"`
}

func shownDeliveryOf(d webhook.Delivery) shownDelivery {
	return shownDelivery{
		Object: "webhook_delivery", ID: d.ID, EndpointID: d.EndpointID, OrganizationID: optional(d.OrganizationID), EventID: d.EventID, Event: d.Type,
		State: d.State, Reason: optional(d.Reason), Replay: d.Replay, Attempts: d.Attempts, NextAttemptAt: optionalTime(d.NextAt),
		CreatedAt: event.Shown(d.CreatedAt), FinishedAt: optionalTime(d.FinishedAt),
	}
}

type shownAttempt struct {
	Object       string  `json:"object"`
	ID           string  `json:"id"`
	At           string  `json:"at"`
	Milliseconds float64 `json:"milliseconds"`
	Status       *int    `json:"status"` // of the answer; null when there was none
	Error        *string `json:"error"`
	Answer       *string `json:"answer"` // the first of its body
}

func showAttempt(a webhook.Attempt) shownAttempt {
	shown := shownAttempt{
		Object: "webhook_attempt", ID: a.ID, At: event.Shown(a.At), Milliseconds: float64(a.Took) / float64(time.Millisecond),
		Error: optional(a.Error), Answer: optional(a.Answer),
	}
	if a.Status != 0 {
		shown.Status = &a.Status
	}
	return shown
}

func listWebhookDeliveries(c *call) (answer, error) {
	id, err := c.endpointID()
	if err != nil {
		return answer{}, err
	}
	p, err := c.paging(webhook.DeliveryPrefix, false)
	if err != nil {
		return answer{}, err
	}
	q := webhook.DeliveryQuery{Page: p.webhookPage(), State: webhook.State(c.query.Get("state")), Type: event.Type(c.query.Get("event"))}
	if q.State != "" && !slices.Contains(webhook.States(), q.State) {
		return answer{}, errField("state", "invalid_state", "state is pending, delivered, failed or cancelled, not %.40q.", string(q.State))
	}
	if q.Type != "" && !KnownWebhookType(q.Type) {
		return answer{}, errField("event", "invalid_event", "There is no event type %.60q. Types are written like dsync.user.created.", string(q.Type))
	}
	found, more, err := c.o.Webhooks.Deliveries(c.ctx(), id, q)
	if err != nil {
		return answer{}, err
	}
	page, err := listOf(p, found, more, func(d webhook.Delivery) string { return string(d.ID) },
		func(d webhook.Delivery) (jsontext.Value, error) { return encode(shownDeliveryOf(d)) })
	return ok(page), err
}

func getWebhookDelivery(c *call) (answer, error) {
	id, err := c.deliveryID()
	if err != nil {
		return answer{}, err
	}
	found, attempts, err := c.o.Webhooks.Delivery(c.ctx(), id)
	if err != nil {
		return answer{}, err
	}
	shown := make([]shownAttempt, len(attempts))
	for i, a := range attempts {
		shown[i] = showAttempt(a)
	}
	return ok(struct {
		shownDelivery
		Attempts []shownAttempt `json:"attempts"`
	}{shownDeliveryOf(found), shown}), nil
}

func replayWebhookDelivery(c *call) (answer, error) {
	id, err := c.deliveryID()
	if err != nil {
		return answer{}, err
	}
	if err := c.body(&struct{}{}); err != nil {
		return answer{}, err
	}
	made, err := c.o.Webhooks.ReplayDelivery(c.ctx(), id)
	return answer{http.StatusCreated, shownDeliveryOf(made)}, err
}

func replayWebhookEndpoint(c *call) (answer, error) {
	id, err := c.endpointID()
	if err != nil {
		return answer{}, err
	}
	var wanted struct {
		EventIDs   []string `json:"event_ids"`
		RangeStart string   `json:"range_start"`
		RangeEnd   string   `json:"range_end"`
		Failed     bool     `json:"failed"`
	}
	if err := c.body(&wanted); err != nil {
		return answer{}, err
	}
	r := webhook.Replay{EventIDs: wanted.EventIDs, Failed: wanted.Failed}
	if r.From, err = readMoment("range_start", wanted.RangeStart); err != nil {
		return answer{}, err
	}
	if r.Until, err = readMoment("range_end", wanted.RangeEnd); err != nil {
		return answer{}, err
	}
	n, err := c.o.Webhooks.Replay(c.ctx(), id, r)
	return answer{http.StatusAccepted, struct {
		Replayed int `json:"replayed"`
	}{n}}, err
}

// webhookPage is the paging in the noun's words.
func (p paging) webhookPage() webhook.Page {
	return webhook.Page{Before: p.before, After: p.after, Limit: p.limit, Ascending: p.ascending}
}
