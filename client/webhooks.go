package client

import (
	"context"
	"iter"
	"time"
)

// WebhookEndpoint is an address that events are sent to.
type WebhookEndpoint struct {
	Raw

	ID             string    `json:"id"`
	URL            string    `json:"endpoint_url"`
	Secret         string    `json:"secret"`
	Status         string    `json:"status"` // enabled or disabled
	Types          []string  `json:"events"`
	FailingSince   time.Time `json:"failing_since"`
	DisabledAt     time.Time `json:"disabled_at"`
	DisabledReason string    `json:"disabled_reason"`
	OldSecretUntil time.Time `json:"old_secret_until"` // until then the secret before signs too
	CreatedAt      time.Time `json:"created_at"`
	UpdatedAt      time.Time `json:"updated_at"`
}

// NewWebhookEndpoint is an endpoint to be made.
type NewWebhookEndpoint struct {
	URL   string   `json:"endpoint_url"`
	Types []string `json:"events"`
}

// WebhookEndpointChange says what is to be changed; nil is left as it is.
type WebhookEndpointChange struct {
	URL    *string   `json:"endpoint_url,omitempty"`
	Status *string   `json:"status,omitempty"` // enabled or disabled
	Types  *[]string `json:"events,omitempty"`
}

// WebhookEndpoints lists all.
func (c *Client) WebhookEndpoints(ctx context.Context, l Listing) iter.Seq2[WebhookEndpoint, error] {
	return list[WebhookEndpoint](ctx, c, l.query(), "webhook_endpoints")
}

// WebhookEndpoint gives one.
func (c *Client) WebhookEndpoint(ctx context.Context, id string) (WebhookEndpoint, error) {
	return fetch[WebhookEndpoint](ctx, c, get(nil, "webhook_endpoints", id))
}

// CreateWebhookEndpoint makes one.
func (c *Client) CreateWebhookEndpoint(ctx context.Context, n NewWebhookEndpoint) (WebhookEndpoint, error) {
	return fetch[WebhookEndpoint](ctx, c, post(n, "webhook_endpoints"))
}

// UpdateWebhookEndpoint changes one.
func (c *Client) UpdateWebhookEndpoint(ctx context.Context, id string, change WebhookEndpointChange) (WebhookEndpoint, error) {
	return fetch[WebhookEndpoint](ctx, c, patch(change, "webhook_endpoints", id))
}

// DeleteWebhookEndpoint ends one.
func (c *Client) DeleteWebhookEndpoint(ctx context.Context, id string) error {
	return c.send(ctx, remove("webhook_endpoints", id))
}

// RotateWebhookSecret makes a new secret. The old one signs too for a while, at least a second; 0 leaves the time to the server.
func (c *Client) RotateWebhookSecret(ctx context.Context, id string, keepOld time.Duration) (WebhookEndpoint, error) {
	body := map[string]any{}
	if keepOld > 0 {
		body["keep_old_for_seconds"] = int64(keepOld / time.Second)
	}
	return fetch[WebhookEndpoint](ctx, c, post(body, "webhook_endpoints", id, "rotate_secret"))
}

// Delivery is one event on its way to one endpoint. Attempts are only in what Delivery gives.
type Delivery struct {
	Raw

	ID             string    `json:"id"`
	EndpointID     string    `json:"webhook_endpoint_id"`
	OrganizationID string    `json:"organization_id"`
	EventID        string    `json:"event_id"`
	Type           string    `json:"event"`
	State          string    `json:"state"`  // pending, delivered, failed or cancelled
	Reason         string    `json:"reason"` // why it is failed or cancelled
	Replay         bool      `json:"replay"`
	AttemptCount   int       `json:"attempt_count"`
	Attempts       []Attempt `json:"attempts"`
	NextAttemptAt  time.Time `json:"next_attempt_at"`
	CreatedAt      time.Time `json:"created_at"`
	FinishedAt     time.Time `json:"finished_at"`
}

// Attempt is one request of a delivery.
type Attempt struct {
	ID           string    `json:"id"`
	At           time.Time `json:"at"`
	Milliseconds float64   `json:"milliseconds"`
	Status       int       `json:"status"` // of the answer; 0 where there was none
	Error        string    `json:"error"`
	Answer       string    `json:"answer"` // its beginning
}

// DeliveryQuery narrows the list of an endpoint's deliveries.
type DeliveryQuery struct {
	Listing

	State string
	Type  string // of the event
}

// Deliveries lists those of an endpoint.
func (c *Client) Deliveries(ctx context.Context, endpointID string, q DeliveryQuery) iter.Seq2[Delivery, error] {
	query := q.query()
	set(query, "state", q.State)
	set(query, "event", q.Type)
	return list[Delivery](ctx, c, query, "webhook_endpoints", endpointID, "deliveries")
}

// Delivery gives one with its attempts.
func (c *Client) Delivery(ctx context.Context, id string) (Delivery, error) {
	return fetch[Delivery](ctx, c, get(nil, "webhook_deliveries", id))
}

// ReplayDelivery sends its event once more, as a delivery of its own.
func (c *Client) ReplayDelivery(ctx context.Context, id string) (Delivery, error) {
	return fetch[Delivery](ctx, c, post(nil, "webhook_deliveries", id, "replay"))
}

// Replay says what to send to an endpoint once more: events by id, those of a time, or those that failed.
type Replay struct {
	EventIDs []string  `json:"event_ids,omitempty"`
	From     time.Time `json:"range_start,omitzero"`
	Until    time.Time `json:"range_end,omitzero"`
	Failed   bool      `json:"failed,omitempty"`
}

// Replayed says how many events are sent once more.
type Replayed struct {
	Raw

	Events int `json:"replayed"`
}

// ReplayEvents sends events to an endpoint once more.
func (c *Client) ReplayEvents(ctx context.Context, endpointID string, what Replay) (Replayed, error) {
	return fetch[Replayed](ctx, c, post(what, "webhook_endpoints", endpointID, "replay"))
}
