package client

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"time"
)

// AuditEntry is one change with its one cause.
type AuditEntry struct {
	Raw

	ID             string          `json:"id"`              // of the event that tells of it, event_…; audit_… where the log has none
	OrganizationID string          `json:"organization_id"` // "": the installation's
	Action         string          `json:"action"`          // like directory.updated
	Target         string          `json:"target"`          // id or slug of what was changed
	Actor          Actor           `json:"actor"`
	Cause          AuditCause      `json:"cause"`
	Derived        bool            `json:"derived"` // concluded by Rollcall, not said by the provider
	Reason         string          `json:"reason"`  // why, of sessions that ended
	Changes        json.RawMessage `json:"changes"` // {"name":{"before":…,"after":…}}; null: the event of this id tells it. Secrets are hidden
	CreatedAt      time.Time       `json:"created_at"`
}

// AuditCause is what caused a change: exchange, with the id of the identity provider's recorded request, or where it was done, with the actor's.
type AuditCause struct {
	Type string `json:"type"`
	ID   string `json:"id"`
}

// AuditQuery narrows the audit.
type AuditQuery struct {
	OrganizationID string
	Actor          string // id of who did it: management_key, directory_…, user_…
	Actions        []string
	Target         string // id or slug of what was changed
	From, Until    time.Time
	Ascending      bool // oldest first, without the last minute, so that a reader who goes on from a cursor misses nothing
	PageSize       int  // 1 to 100; 0: 100
}

func (q AuditQuery) query() url.Values {
	query := q.export()
	for name, values := range (Listing{PageSize: q.PageSize}).query() {
		query[name] = values
	}
	return query
}

// export is without what asks for a part.
func (q AuditQuery) export() url.Values {
	query := url.Values{}
	if q.Ascending {
		query.Set("order", "asc")
	}
	set(query, "organization_id", q.OrganizationID)
	set(query, "actor", q.Actor)
	set(query, "actions", q.Actions...)
	set(query, "target", q.Target)
	setAt(query, "range_start", q.From)
	setAt(query, "range_end", q.Until)
	return query
}

// Audit lists every change with its cause, the newest first.
func (c *Client) Audit(ctx context.Context, q AuditQuery) iter.Seq2[AuditEntry, error] {
	return walk[AuditEntry](ctx, c, get(q.query(), "audit"), true)
}

// Format is how a list is exported.
type Format string

// The formats.
const (
	CSV       Format = "csv"   // RFC 4180, with a line of names; cells that a spreadsheet would reckon out have an apostrophe before them
	JSONLines Format = "jsonl" // one object a line, as the list has it
)

// ExportAudit writes all that a query finds in a format. An error after the first byte means that what was written is not whole.
func (c *Client) ExportAudit(ctx context.Context, q AuditQuery, as Format, to io.Writer) error {
	return c.export(ctx, as, to, q.export(), "audit")
}

// export streams a list that the server writes in one answer. A server that is silent for the client's timeout ends it.
func (c *Client) export(ctx context.Context, as Format, to io.Writer, query url.Values, path ...string) error {
	query.Set("format", string(as))
	p, err := c.prepare(get(query, path...))
	if err != nil {
		return err
	}
	p.header.Set("Accept", "*/*")
	for attempt := 0; ; attempt++ {
		err := c.copy(ctx, p, to)
		wait, again := c.again(ctx, err, attempt)
		if err == nil || !again {
			return err
		}
		if err := sleep(ctx, wait); err != nil {
			return err
		}
	}
}

// copy gives an error that may pass only while nothing was written.
func (c *Client) copy(ctx context.Context, p prepared, to io.Writer) error {
	l, err := c.openLines(ctx, p)
	if err != nil {
		return err
	}
	defer l.close()
	n, err := io.Copy(to, l)
	if err != nil {
		return fmt.Errorf("the export broke off after %d bytes: %v", n, err) //nolint:errorlint // wrapped, it would be tried again
	}
	return nil
}

// Read gives a part of the stream as it comes.
func (l *lines) Read(p []byte) (int, error) {
	l.silent.Reset(l.c.timeout)
	n, err := l.reader.Read(p)
	l.silent.Stop()                  // the time that the caller takes is not the server's
	if err != nil && err != io.EOF { //nolint:errorlint // io.Reader's contract
		err = explain(l.ctx, l.c.unreachable(err))
	}
	return n, err
}

// Offboarding is the end of one membership, and what became of it since. Times are exact to the microsecond; zero is not yet, or not known.
type Offboarding struct {
	Raw

	ID             string           `json:"id"` // offboarding_…
	OrganizationID string           `json:"organization_id"`
	MembershipID   string           `json:"organization_membership_id"`
	UserID         string           `json:"user_id"`
	Status         string           `json:"status"` // inactive or removed
	Why            string           `json:"why"`
	Cause          OffboardingCause `json:"cause"`
	RequestedAt    time.Time        `json:"requested_at"` // the identity provider's request came; zero: by hand
	EndedAt        time.Time        `json:"ended_at"`     // the moment that the transaction wrote
	CommittedBy    time.Time        `json:"committed_by"` // seen to be committed: it was no later
	Sessions       struct {
		Ended int       `json:"ended"` // in the same transaction
		At    time.Time `json:"at"`
	} `json:"sessions"`
	Events []struct {
		ID   string `json:"id"`
		Type string `json:"event"`
	} `json:"events"`
	Webhooks []struct {
		EndpointID  string    `json:"webhook_endpoint_id"`
		EventID     string    `json:"event_id"`
		State       string    `json:"state"`
		DeliveredAt time.Time `json:"delivered_at"`
	} `json:"webhooks"`
	Logouts []struct {
		ApplicationID string    `json:"application_id"`
		SessionID     string    `json:"session_id"`
		State         string    `json:"state"`
		DeliveredAt   time.Time `json:"delivered_at"`
	} `json:"logouts"`
	Acknowledgement *struct { // the app's first word about one of the events
		EventID string    `json:"event_id"`
		ActorID string    `json:"actor_id"`
		Source  string    `json:"source"`
		At      time.Time `json:"at"`
	} `json:"acknowledgement"`
	Span     int64         `json:"span_ms"`  // from the request, or the end where there was none, to the last step that is known
	Complete bool          `json:"complete"` // every step was seen
	Missing  []MissingStep `json:"missing"`
	FrozenAt time.Time     `json:"frozen_at"` // since when it stays as it is: complete, or a day old
}

// OffboardingCause is who or what ended a membership.
type OffboardingCause struct {
	ActorID    string `json:"actor_id"`
	Source     string `json:"source"`
	ExchangeID string `json:"exchange_id"` // the identity provider's recorded request
}

// MissingStep is a step that was not seen.
type MissingStep struct {
	Step string `json:"step"` // event, request, webhook, logout or acknowledgement
	ID   string `json:"id"`
	Why  string `json:"why"`
}

// Offboardings lists those of an organization, the latest first.
func (c *Client) Offboardings(ctx context.Context, organizationID string, l Listing) iter.Seq2[Offboarding, error] {
	return list[Offboarding](ctx, c, l.query(), "organizations", organizationID, "offboardings")
}

// Offboarding gives one.
func (c *Client) Offboarding(ctx context.Context, id string) (Offboarding, error) {
	return fetch[Offboarding](ctx, c, get(nil, "offboardings", id))
}

// Receipt is the signed record of an offboarding: a JWS in compact form (RFC 7515), typ offboarding-receipt+jwt, ES256, which anybody can check by
// the key set alone. It names nobody but by id.
type Receipt struct {
	Raw

	OffboardingID string        `json:"offboarding_id"`
	JWS           string        `json:"receipt"`
	Complete      bool          `json:"complete"`
	Missing       []MissingStep `json:"missing"`
	FrozenAt      time.Time     `json:"frozen_at"` // zero: it may still say more
}

// OffboardingReceipt gives that of an offboarding. Keep the key set (KeySet) with it: keys are followed by others every 90 days.
func (c *Client) OffboardingReceipt(ctx context.Context, offboardingID string) (Receipt, error) {
	return fetch[Receipt](ctx, c, get(nil, "offboardings", offboardingID, "receipt"))
}

// KeySet gives the public keys that tokens and receipts are signed with, as a JSON Web Key Set (RFC 7517). It is no secret.
func (c *Client) KeySet(ctx context.Context) (json.RawMessage, error) {
	return fetch[json.RawMessage](ctx, c, call{method: http.MethodGet, path: []string{"oauth2", "jwks"}})
}
