package api

import (
	"slices"
	"time"

	"github.com/rollcallhq/rollcall/internal/event"
)

const eventPrefix = "event"

// listEvents reads in the order of the log unless asked otherwise: that is what a reader who follows a cursor needs. At the end
// of the log after is null, and the reader keeps the id of the last event it has seen.
func listEvents(c *call) (answer, error) {
	p, err := c.paging(eventPrefix, true)
	if err != nil {
		return answer{}, err
	}
	q, err := c.eventQuery(p)
	if err != nil {
		return answer{}, err
	}
	found, err := c.o.Events.List(c.ctx(), q)
	if err != nil {
		return answer{}, err
	}
	return ok(showEvents(p, found)), nil
}

// showEvents makes the page of what was read for it, one event more than it holds if there is one. It is the one list whose metadata
// has no before (contract), and the longest: it is put together of what events are, and not encoded again.
func showEvents(p paging, found []event.Event) written {
	more := len(found) > p.limit
	found = found[:min(len(found), p.limit)]
	if p.backwards() {
		slices.Reverse(found)
	}
	size := 128
	for _, e := range found {
		size += len(e.Data) + len(e.Context) + 256
	}
	out := append(make([]byte, 0, size), `{"object":"list","data":[`...)
	for i, e := range found {
		if i > 0 {
			out = append(out, ',')
		}
		out = e.AppendJSON(out)
	}
	out = append(out, `],"list_metadata":{"after":`...)
	if len(found) == 0 {
		return append(out, `null}}`...)
	}
	after := p.ends(found[0].ID, found[len(found)-1].ID, more).After
	if after == nil {
		return append(out, `null}}`...)
	}
	return append(append(append(out, '"'), *after...), `"}}`...)
}

// eventQuery asks for one event more than the page holds. The log knows earlier and later, a list before and after in the order
// shown; the page before a cursor is read from the cursor on, against that order.
func (c *call) eventQuery(p paging) (event.Query, error) {
	q := event.Query{After: p.after, Before: p.before, Compatible: true, Limit: p.limit + 1, Descending: p.ascending == p.backwards()}
	if !p.ascending {
		q.After, q.Before = p.before, p.after
	}
	var err error
	if q.Types, err = c.eventTypes(); err != nil {
		return q, err
	}
	if q.OrganizationID, err = c.filterID("organization_id", orgPrefix); err != nil {
		return q, err
	}
	if q.From, err = c.moment("range_start"); err != nil {
		return q, err
	}
	q.Until, err = c.moment("range_end")
	return q, err
}

func (c *call) eventTypes() ([]event.Type, error) {
	names, err := c.values("events")
	if err != nil {
		return nil, err
	}
	types := make([]event.Type, len(names))
	for i, name := range names {
		types[i] = event.Type(name)
		if !isEventType(name) {
			return nil, errField("events", "invalid_event", "There is no event type %.60q. Types are written like dsync.user.created.", name)
		}
	}
	return types, nil
}

func isEventType(name string) bool {
	return slices.Contains(event.Types(), event.Type(name)) || slices.Contains(event.OwnTypes(), event.Type(name)) || slices.Contains(notEmitted(), name)
}

// notEmitted are types of the contract that nothing here appends yet. Clients written for it name them, so they find nothing and
// are no fault, unlike a misspelt one.
func notEmitted() []string {
	return []string{
		"agent.registration.claim.attempt.created", "agent.registration.claim.completed", "agent.registration.created",
		"agent.registration.credential.issued", "agent.registration.deleted", "agent.registration.expired",
		"agent.registration.organization.switched", "agent.registration.refreshed", "agent.registration.revoked",
		"authentication.email_verification_succeeded", "authentication.mfa_succeeded", "authentication.oauth_failed", "authentication.oauth_succeeded",
		"authentication.passkey_failed", "authentication.passkey_succeeded", "authentication.password_failed",
		"authentication.password_succeeded", "authentication.radar_risk_detected", "authentication.reauthentication_succeeded",
		"email_verification.created",
		"flag.created", "flag.deleted", "flag.rule_updated", "flag.updated",
		"password_reset.created", "password_reset.succeeded",
		"pipes.connected_account.connected", "pipes.connected_account.connection_failed", "pipes.connected_account.disconnected",
		"pipes.connected_account.reauthorization_needed",
		"radar.challenge_created",
		"waitlist_user.approved", "waitlist_user.created", "waitlist_user.denied",
	}
}

// moment reads an ISO 8601 time, or a day, which begins at midnight UTC.
func (c *call) moment(name string) (time.Time, error) {
	return readMoment(name, c.query.Get(name))
}

func readMoment(name, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339Nano, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, errField(name, "invalid_date", "%s is an ISO 8601 time like 2026-01-15T12:00:00.000Z, not %.40q.", name, text)
}
