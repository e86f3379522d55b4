package dashboard

import (
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
		{eventsPath + "/{id}", "dashboard_event", see, showEvent, change, nil},
	}
}

// eventTypes are all there are, by name.
func eventTypes() []event.Type {
	out := slices.Concat(event.Types(), event.OwnTypes())
	slices.Sort(out)
	return slices.Compact(out)
}

// eventQuery reads the page that is asked for. The log knows earlier and later, the page shows the latest first.
func eventQuery(query url.Values) (event.Query, paging, error) {
	p, err := pageOf(query, eventPrefix)
	if err != nil {
		return event.Query{}, p, err
	}
	q := event.Query{Before: p.after, Descending: true, Limit: perPage + 1}
	if p.before != "" && p.after == "" {
		q.After, q.Descending = p.before, false
	}
	if q.OrganizationID, err = filterOrganizationID(query); err != nil {
		return q, p, err
	}
	kind, known := chosen(query.Get("type"), eventTypes())
	if !known {
		return q, p, fault.New(fault.Unprocessable, "invalid_event", "There is no event type %.60q.", query.Get("type")).On("type")
	}
	if kind != "" {
		q.Types = []event.Type{kind}
	}
	if q.From, q.Until, err = spanOf(query); err != nil {
		return q, p, err
	}
	return q, p, nil
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

func showEvents(c *call) error {
	query, err := c.query()
	if err != nil {
		return err
	}
	q, p, err := eventQuery(query)
	if err != nil {
		return err
	}
	found, err := c.s.o.Events.List(c.ctx(), q)
	if err != nil {
		return err
	}
	more := len(found) > perPage
	found = found[:min(len(found), perPage)]
	if !q.Descending {
		slices.Reverse(found)
	}
	w := c.words()
	t := ui.TableProps{
		ID: "events", Caption: w.T("log.events"), Empty: ui.EmptyProps{Icon: ui.IconActivity, Title: w.T("log.events_none"), Text: w.T("log.events_none_text")},
		Tools: eventTools(eventFilter{
			Type: query.Get("type"), Organization: query.Get("organization"), From: query.Get("from"), Until: query.Get("until"), Types: options(w, "log.type_", eventTypes()),
			Clear: cleared(query, eventsPath, "type", "organization", "from", "until"),
		}),
		Columns: []ui.Column{{Label: w.T("log.type")}, {Label: w.T("log.about")}, {Label: w.T("log.actor"), Minor: true}, {Label: w.T("common.organization"), Minor: true}, {Label: w.T("common.when")}},
	}
	owner := c.owners()
	for _, e := range found {
		name, err := owner(e.OrganizationID)
		if err != nil {
			return err
		}
		t.Rows = append(t.Rows, ui.Row{ID: e.ID, Cells: []templ.Component{
			link(string(e.Type), hrefOf("events", e.ID)), ui.Text(aboutEvent(e)), ui.Text(c.actorText(causeOf(e).Actor)), ui.Text(orDash(name)), moment(e.CreatedAt),
		}})
	}
	first, last := ends(found, func(e event.Event) string { return e.ID })
	t.Pager = pager(query, p, first, last, more)
	return c.show(frame{Title: w.T("log.events")}, listing(sheetView{Head: ui.HeadProps{Title: w.T("log.events"), Text: w.T("log.events_lead")}}, t))
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
	Sheet      sheetView
	Cause      []ui.Pair
	JSON       string
	Changes    string // JSON; "" for none
	Deliveries ui.TableProps
	Waiting    bool // an endpoint is still to be told
}

func showEvent(c *call) error {
	id := c.values["id"]
	missing := fault.New(fault.NotFound, "entity_not_found", "Event not found: '%.80s'.", id)
	if !isID(id, eventPrefix) {
		return missing
	}
	found, err := c.s.o.Events.Named(c.ctx(), []string{id})
	if err != nil {
		return err
	}
	e, there := found[id]
	if !there {
		return missing
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
	v.Waiting, v.Deliveries = waiting, c.deliveriesTable(told)
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
