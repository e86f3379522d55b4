package dashboard

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/a-h/templ"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/issuer"
	"github.com/rollcallhq/rollcall/internal/operator"
	"github.com/rollcallhq/rollcall/internal/sso"
	"github.com/rollcallhq/rollcall/internal/web/ui"
	"github.com/rollcallhq/rollcall/internal/webhook"
)

const eventsPath = Prefix + "events"

// eventPages are the addresses of the log.
func eventPages() []row {
	const see, change = operator.ReadOnly, operator.Admin
	return []row{
		{eventsPath, "dashboard_events", see, showEvents, change, nil},
		exportRow(eventsPath, "dashboard_events", see, eventsTable),
		{eventsPath + "/{id}", "dashboard_event", see, showEvent, change, nil},
		exportRow(eventsPath+"/{id}/deliveries", "dashboard_event_deliveries", see, toldTable),
	}
}

// eventTypes are all there are, by name.
func eventTypes() []event.Type {
	out := slices.Concat(event.Types(), event.OwnTypes())
	slices.Sort(out)
	return slices.Compact(out)
}

// eventQuery reads what the log is narrowed to.
func eventQuery(query url.Values) (q event.Query, err error) {
	if q.OrganizationID, err = filterOrganizationID(query); err != nil {
		return q, err
	}
	kind, known := chosen(query.Get("type"), eventTypes())
	if !known {
		return q, fault.New(fault.Unprocessable, "invalid_event", "There is no event type %.60q.", query.Get("type")).On("type")
	}
	if kind != "" {
		q.Types = []event.Type{kind}
	}
	q.From, q.Until, err = spanOf(query)
	return q, err
}

// spanOf reads two days in UTC; the last one counts whole.
func spanOf(query url.Values) (from, until time.Time, err error) {
	if from, err = dayOf(query, "from"); err != nil {
		return from, until, err
	}
	if until, err = dayOf(query, "until"); err == nil && !until.IsZero() {
		until = until.AddDate(0, 0, 1)
	}
	return from, until, err
}

func dayOf(query url.Values, name string) (time.Time, error) {
	text := query.Get(name)
	if text == "" {
		return time.Time{}, nil
	}
	at, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return at, fault.New(fault.Unprocessable, "invalid_date", "A day is written like 2026-01-15, not %.40q.", text).On(name)
	}
	return at, nil
}

// eventFilter narrows the log.
type eventFilter struct {
	Type, Organization, From, Until, Clear string
	Types                                  []ui.Option
}

// eventRow is an event in a list, with the name of whose it is.
type eventRow struct {
	event.Event
	Organization string
}

// eventsTable is the log, as the filter leaves it.
func eventsTable(c *call) (table[eventRow], error) {
	query, err := c.query()
	if err != nil {
		return table[eventRow]{}, err
	}
	of, err := eventQuery(query)
	if err != nil {
		return table[eventRow]{}, err
	}
	w, owner := c.words(), c.owners()
	actor := func(e eventRow) event.Actor { return causeOf(e.Event).Actor }
	return table[eventRow]{
		id: "events", file: "events", at: eventsPath, query: query, filters: eventFilters(), cursor: eventPrefix, key: func(e eventRow) string { return e.ID },
		read: func(ctx context.Context, p paging, limit int) ([]eventRow, bool, error) {
			found, more, err := c.eventsBetween(ctx, of, p, limit)
			out := make([]eventRow, len(found))
			for i, e := range found {
				name, err := owner(ctx, e.OrganizationID)
				if err != nil {
					return nil, false, err
				}
				out[i] = eventRow{e, name}
			}
			return out, more, err
		},
		fields: ui.Fields[eventRow]{
			ui.InExport("id", func(e eventRow) string { return e.ID }),
			ui.Both(ui.Column{Label: w.T("log.type")}, func(e eventRow) templ.Component { return link(string(e.Type), hrefOf("events", e.ID)) },
				"event", func(e eventRow) string { return string(e.Type) }),
			ui.Both(ui.Column{Label: w.T("log.about")}, func(e eventRow) templ.Component { return ui.Text(aboutEvent(e.Event)) },
				"about", func(e eventRow) string { return aboutEvent(e.Event) }),
			ui.Both(ui.Column{Label: w.T("log.actor"), Minor: true}, func(e eventRow) templ.Component { return ui.Text(c.actorText(actor(e))) },
				"actor_id", func(e eventRow) string { return actor(e).ID }),
			ui.InExport("actor_source", func(e eventRow) string { return string(actor(e).Source) }),
			ui.InExport("organization_id", func(e eventRow) string { return e.OrganizationID }),
			ui.Both(ui.Column{Label: w.T("common.organization"), Minor: true}, func(e eventRow) templ.Component { return ui.Text(orDash(e.Organization)) },
				"organization", func(e eventRow) string { return e.Organization }),
			ui.Both(ui.Column{Label: w.T("common.when")}, func(e eventRow) templ.Component { return moment(e.CreatedAt) },
				"created_at", func(e eventRow) string { return written(e.CreatedAt) }),
		},
	}, nil
}

// eventsBetween reads a page, the latest first. The log knows earlier and later, the page shows the latest first.
func (c *call) eventsBetween(ctx context.Context, q event.Query, p paging, limit int) ([]event.Event, bool, error) {
	q.Before, q.Descending, q.Limit = p.after, true, limit+1
	if p.before != "" && p.after == "" {
		q.Before, q.After, q.Descending = "", p.before, false
	}
	found, err := c.s.o.Events.List(ctx, q)
	if err != nil {
		return nil, false, err
	}
	more := len(found) > limit
	found = found[:min(len(found), limit)]
	if !q.Descending {
		slices.Reverse(found)
	}
	return found, more, nil
}

func eventFilters() []string { return []string{"type", "organization", "from", "until"} }

func showEvents(c *call) error {
	list, err := eventsTable(c)
	if err != nil {
		return err
	}
	w, query := c.words(), list.query
	t := ui.TableProps{
		Caption: w.T("log.events"), Empty: ui.EmptyProps{Icon: ui.IconActivity, Title: w.T("log.events_none"), Text: w.T("log.events_none_text")},
		Tools: eventTools(eventFilter{
			Type: query.Get("type"), Organization: query.Get("organization"), From: query.Get("from"), Until: query.Get("until"), Types: options(w, "log.type_", eventTypes()),
			Clear: cleared(query, eventsPath, eventFilters()...),
		}),
	}
	if _, err := list.fill(c, &t); err != nil {
		return err
	}
	head := ui.HeadProps{Title: w.T("log.events"), Text: w.T("log.events_lead"), Actions: acts([]action{list.exportAction(c)})}
	return c.show(frame{Title: w.T("log.events")}, listing(sheetView{Head: head}, t))
}

// aboutEvent is a word about whom or what an event tells.
func aboutEvent(e event.Event) string {
	var data struct {
		Email string `json:"email"`
		Name  string `json:"name"`
		User  struct {
			Email string `json:"email"`
		} `json:"user"`
		ID     string `json:"id"`
		UserID string `json:"user_id"`
		Domain string `json:"domain"`
	}
	if err := json.Unmarshal(e.Data, &data, jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true)); err != nil {
		return "" // of another form: the event's own page shows it
	}
	for _, one := range []string{data.Email, data.User.Email, data.Name, data.Domain, data.UserID, data.ID} {
		if strings.TrimSpace(one) != "" {
			return one
		}
	}
	return ""
}

// causeOf is what is told of why there was an event; nothing where it cannot be read.
func causeOf(e event.Event) event.Context {
	var out event.Context
	if err := json.Unmarshal(e.Context, &out, jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true)); err != nil {
		return event.Context{}
	}
	return out
}

func (c *call) actorText(a event.Actor) string {
	name := a.ID
	if a.Name != nil && *a.Name != "" {
		name = *a.Name
	}
	return orDash(name) + " (" + sayOr(c.words(), "log.source_"+string(a.Source), string(a.Source)) + ")"
}

// eventView is one event with its cause and who was told.
type eventView struct {
	Sheet        sheetView
	Cause        []ui.Pair
	JSON         string
	Changes      string // JSON; "" for none
	Deliveries   ui.TableProps
	OfDeliveries []action
	Waiting      bool // an endpoint is still to be told
}

// event finds the one of the address.
func (c *call) event() (event.Event, error) {
	id := c.values["id"]
	missing := fault.New(fault.NotFound, "entity_not_found", "Event not found: '%.80s'.", id)
	if !isID(id, eventPrefix) {
		return event.Event{}, missing
	}
	found, err := c.s.o.Events.Named(c.ctx(), []string{id})
	if err != nil {
		return event.Event{}, err
	}
	e, there := found[id]
	if !there {
		return event.Event{}, missing
	}
	return e, nil
}

// toldTable are the deliveries of an event.
func toldTable(c *call) (table[webhook.Delivery], error) {
	e, err := c.event()
	if err != nil {
		return table[webhook.Delivery]{}, err
	}
	told, _, err := c.s.o.Webhooks.Told(c.ctx(), []event.Event{e})
	return c.deliveriesOf(e, told), err
}

func (c *call) deliveriesOf(e event.Event, told []webhook.Delivery) table[webhook.Delivery] {
	t := c.deliveriesTable()
	t.at, t.read = hrefOf("events", e.ID, "deliveries"), whole(func(context.Context) ([]webhook.Delivery, error) { return told, nil })
	return t
}

func showEvent(c *call) error {
	e, err := c.event()
	if err != nil {
		return err
	}
	w, cause := c.words(), causeOf(e)
	v := eventView{
		Sheet: sheetView{Head: ui.HeadProps{Title: string(e.Type), Text: aboutEvent(e), Back: ui.Link{Label: w.T("log.events"), Href: eventsPath}}},
		JSON:  indented(e.JSON()), Cause: c.causePairs(e.OrganizationID, cause),
	}
	v.Cause = append([]ui.Pair{idPair(w, e.ID), {Key: w.T("common.when"), Value: exactly(e.CreatedAt)}}, v.Cause...)
	if len(cause.Changes) > 0 {
		v.Changes = indented(cause.Changes)
	}
	told, waiting, err := c.s.o.Webhooks.Told(c.ctx(), []event.Event{e})
	if err != nil {
		return err
	}
	list := c.deliveriesOf(e, told)
	v.Waiting, v.Deliveries = waiting, c.noDeliveries()
	v.OfDeliveries = []action{list.exportSmall(c)}
	if _, err := list.fill(c, &v.Deliveries); err != nil {
		return err
	}
	return c.show(frame{Title: string(e.Type), Crumbs: []ui.Link{{Label: string(e.Type)}}}, v.view())
}

// causePairs say who or what is behind a change.
func (c *call) causePairs(organizationID string, cause event.Context) []ui.Pair {
	w := c.words()
	pairs := []ui.Pair{
		{Key: w.T("log.actor"), Text: c.actorText(cause.Actor)},
		{Key: w.T("log.actor_id"), Value: actorLink(cause.Actor.ID)},
	}
	if cause.ExchangeID != "" {
		at := ui.Mono(cause.ExchangeID)
		if isID(cause.Actor.ID, directoryPrefix) {
			at = link(cause.ExchangeID, hrefOf("directories", cause.Actor.ID, "exchanges", cause.ExchangeID))
		}
		pairs = append(pairs, ui.Pair{Key: w.T("log.exchange"), Value: at})
	}
	if cause.Reason != "" {
		pairs = append(pairs, ui.Pair{Key: w.T("log.reason"), Text: cause.Reason, Mono: true})
	}
	pairs = append(pairs, ui.Pair{Key: w.T("log.derived"), Text: yesNo(w, cause.Derived)})
	if organizationID != "" {
		pairs = append(pairs, ui.Pair{Key: w.T("common.organization"), Value: link(organizationID, organizationHref(organizationID))})
	}
	return pairs
}

// actorLink leads to who acted where they have a page.
func actorLink(id string) templ.Component {
	for prefix, list := range map[string]string{
		orgPrefix: "organizations", directoryPrefix: "directories", sso.ConnectionPrefix: "connections", webhook.EndpointPrefix: "webhooks", membershipPrefix: "members",
		issuer.ApplicationPrefix: "applications",
	} {
		if isID(id, prefix) {
			return link(id, hrefOf(list, id))
		}
	}
	return ui.Mono(orDash(id))
}
