package dashboard

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/operator"
	"github.com/rollcallhq/rollcall/internal/web/ui"
	"github.com/rollcallhq/rollcall/internal/webhook"
)

const webhooksPath = Prefix + "webhooks"

// webhookPages are the addresses of webhook endpoints and deliveries.
func webhookPages() []row {
	const see, change = operator.ReadOnly, operator.Admin
	one := webhooksPath + "/{id}"
	return []row{
		{webhooksPath, "dashboard_webhooks", see, showWebhooks, change, nil},
		exportRow(webhooksPath, "dashboard_webhooks", see, webhooksTable),
		exportRow(one+"/deliveries", "dashboard_webhook_deliveries", see, webhookDeliveriesTable),
		{webhooksPath + "/new", "dashboard_webhooks", change, newWebhook, change, createWebhook},
		{one, "dashboard_webhook", see, showWebhook, change, nil},
		{one + "/edit", "dashboard_webhook", change, editWebhook, change, saveWebhook},
		{one + "/enable", "dashboard_webhook_state", see, nil, change, enableWebhook},
		{one + "/disable", "dashboard_webhook_state", see, nil, change, disableWebhook},
		{one + "/secret", "dashboard_webhook_secret", see, nil, change, rotateWebhookSecret},
		{one + "/replay", "dashboard_webhook_replay", see, nil, change, replayWebhook},
		{one + "/delete", "dashboard_webhook_state", change, askDeleteWebhook, change, deleteWebhook},
		{Prefix + "webhook-deliveries/{id}", "dashboard_webhook_delivery", see, showDelivery, change, nil},
		{Prefix + "webhook-deliveries/{id}/replay", "dashboard_webhook_replay", see, nil, change, replayDelivery},
	}
}

func webhookHref(id webhook.EndpointID, parts ...string) string {
	return hrefOf("webhooks", append([]string{string(id)}, parts...)...)
}

func deliveryHref(id webhook.DeliveryID, parts ...string) string {
	return hrefOf("webhook-deliveries", append([]string{string(id)}, parts...)...)
}

func (c *call) endpointBadge(e webhook.Endpoint) ui.BadgeProps {
	w := c.words()
	switch {
	case e.Status == webhook.Disabled:
		return ui.BadgeProps{Label: w.T("hooks.disabled"), Dot: true}
	case !e.FailingSince.IsZero():
		return ui.BadgeProps{Label: w.T("hooks.failing"), Tone: ui.Bad, Dot: true}
	}
	return ui.BadgeProps{Label: w.T("hooks.enabled"), Tone: ui.Good, Dot: true}
}

// webhooksTable are the endpoints, without their secrets.
func webhooksTable(c *call) (table[webhook.Endpoint], error) {
	query, err := c.query()
	if err != nil {
		return table[webhook.Endpoint]{}, err
	}
	w := c.words()
	types := func(e webhook.Endpoint) string {
		if asksForAll(e) {
			return w.T("hooks.all")
		}
		return strconv.Itoa(len(e.Types))
	}
	return table[webhook.Endpoint]{
		id: "endpoints", file: "webhook-endpoints", at: webhooksPath, query: query, cursor: webhook.EndpointPrefix, key: func(e webhook.Endpoint) string { return string(e.ID) },
		read: func(ctx context.Context, p paging, limit int) ([]webhook.Endpoint, bool, error) {
			return c.s.o.Webhooks.List(ctx, webhook.Page{Before: p.before, After: p.after, Limit: limit})
		},
		fields: ui.Fields[webhook.Endpoint]{
			ui.InExport("id", func(e webhook.Endpoint) string { return string(e.ID) }),
			ui.Both(ui.Column{Label: w.T("hooks.address")}, func(e webhook.Endpoint) templ.Component { return link(e.URL, webhookHref(e.ID)) },
				"endpoint_url", func(e webhook.Endpoint) string { return e.URL }),
			ui.Both(ui.Column{Label: w.T("common.state")}, func(e webhook.Endpoint) templ.Component { return ui.Badge(c.endpointBadge(e)) },
				"status", func(e webhook.Endpoint) string { return string(e.Status) }),
			ui.Both(ui.Column{Label: w.T("hooks.events"), Number: true, Minor: true}, func(e webhook.Endpoint) templ.Component { return ui.Text(types(e)) },
				"events", func(e webhook.Endpoint) string { return joined(e.Types) }),
			ui.Both(ui.Column{Label: w.T("hooks.failing_since"), Minor: true}, func(e webhook.Endpoint) templ.Component { return moment(e.FailingSince) },
				"failing_since", func(e webhook.Endpoint) string { return written(e.FailingSince) }),
			ui.InExport("disabled_at", func(e webhook.Endpoint) string { return written(e.DisabledAt) }),
			ui.InExport("disabled_reason", func(e webhook.Endpoint) string { return e.DisabledReason }),
			ui.InExport("created_at", func(e webhook.Endpoint) string { return written(e.CreatedAt) }),
		},
	}, nil
}

func showWebhooks(c *call) error {
	list, err := webhooksTable(c)
	if err != nil {
		return err
	}
	w := c.words()
	t := ui.TableProps{Caption: w.T("hooks.title"), Empty: ui.EmptyProps{Icon: ui.IconWebhook, Title: w.T("hooks.none"), Text: w.T("hooks.none_text")}}
	if _, err := list.fill(c, &t); err != nil {
		return err
	}
	actions := []action{list.exportAction(c)}
	if c.changes() {
		actions = append(actions, action{Label: w.T("hooks.add"), Href: webhooksPath + "/new", Icon: ui.IconPlus})
	}
	head := ui.HeadProps{Title: w.T("hooks.title"), Text: w.T("hooks.lead"), Actions: acts(actions)}
	return c.show(frame{Title: w.T("hooks.title")}, listing(sheetView{Head: head}, t))
}

func newWebhook(c *call) error { return c.webhookForm(webhook.Endpoint{}, misfit{}) }

// webhookForm is the page of an endpoint that is made or changed.
func (c *call) webhookForm(e webhook.Endpoint, m misfit) error {
	w := c.words()
	f := formView{ID: "webhook-form", Form: c.form(webhooksPath + "/new"), Save: w.T("hooks.add")}
	s := sheetView{Wrong: m, Head: ui.HeadProps{Title: w.T("hooks.add"), Text: w.T("hooks.add_text"), Back: ui.Link{Label: w.T("hooks.title"), Href: webhooksPath}}}
	if e.ID != "" {
		f.Form, f.Save = c.form(webhookHref(e.ID, "edit")), w.T("common.save")
		s.Head = ui.HeadProps{Title: w.T("hooks.edit"), Text: e.URL, Back: ui.Link{Label: e.URL, Href: webhookHref(e.ID)}}
	}
	f.Fields = append(f.Fields, ui.Input(ui.InputProps{
		FieldProps: ui.FieldProps{ID: "endpoint_url", Label: w.T("hooks.address"), Hint: w.T("hooks.address_hint"), Error: m.on("endpoint_url")},
		Type:       "url", Value: c.kept("endpoint_url", e.URL), Mono: true, MaxLength: 2048, Placeholder: "https://app.example.com/webhooks",
	}))
	f.Fields = append(f.Fields, ui.Switch(ui.SwitchProps{
		FieldProps: ui.FieldProps{ID: "all", Label: w.T("hooks.every"), Hint: w.T("hooks.every_hint")}, On: c.posted.Get("all") != "" || c.posted == nil && (e.ID == "" || asksForAll(e)),
	}), eventChoice(w.T("hooks.types"), w.T("hooks.types_hint"), m.on("events"), c.typeChecks(e)))
	return c.show(frame{Title: s.Head.Title, Status: m.Status, Narrow: true, Crumbs: []ui.Link{{Label: s.Head.Title}}}, forms(s, f))
}

// typeChecks are a tick for each type; those of the form that was sent, else of the endpoint.
func (c *call) typeChecks(e webhook.Endpoint) []ui.CheckProps {
	var out []ui.CheckProps
	all := eventTypes()
	for _, t := range e.Types { // those that nothing here appends, too: to save is not to lose them
		if !slices.Contains(all, t) {
			all = append(all, t)
		}
	}
	for _, t := range all {
		on := slices.Contains(e.Types, t)
		if c.posted != nil {
			on = slices.Contains(c.posted["events"], string(t))
		}
		out = append(out, ui.CheckProps{FieldProps: ui.FieldProps{ID: "event-" + string(t), Name: "events", Label: string(t), Lax: true}, Value: string(t), Checked: on})
	}
	return out
}

// asksForAll tells whether an endpoint gets every event there is.
func asksForAll(e webhook.Endpoint) bool {
	return !slices.ContainsFunc(eventTypes(), func(t event.Type) bool { return !slices.Contains(e.Types, t) })
}

// postedTypes are those that are ticked, or all of this release; never nil, which would change nothing.
func (c *call) postedTypes() []event.Type {
	if c.posted.Get("all") != "" {
		return eventTypes()
	}
	out := []event.Type{}
	for _, name := range c.posted["events"] {
		out = append(out, event.Type(name))
	}
	return out
}

// createWebhook shows the secret, which no other page does.
func createWebhook(c *call) error {
	made, err := c.s.o.Webhooks.Create(c.ctx(), webhook.New{URL: strings.TrimSpace(c.posted.Get("endpoint_url")), Types: c.postedTypes()})
	if err != nil {
		return again(err, func(m misfit) error { return c.webhookForm(webhook.Endpoint{}, m) })
	}
	return c.webhookSecret(made)
}

func (c *call) webhookSecret(e webhook.Endpoint) error {
	w := c.words()
	s := sheetView{
		Head:   ui.HeadProps{Title: w.T("hooks.secret_title"), Text: e.URL},
		Alerts: []ui.AlertProps{{Tone: ui.Warn, Title: w.T("common.once"), Text: w.T("hooks.secret_text"), Live: true}},
	}
	return c.show(frame{Title: s.Head.Title, Narrow: true, Crumbs: []ui.Link{{Label: e.URL, Href: webhookHref(e.ID)}}},
		shownOnce(s, []ui.CopyProps{{ID: "secret", Label: w.T("hooks.secret"), Value: e.Secret.Reveal()}}, ui.Link{Label: w.T("common.noted"), Href: webhookHref(e.ID)}))
}

func (c *call) webhookEndpoint() (webhook.Endpoint, error) {
	id := c.values["id"]
	if !isID(id, webhook.EndpointPrefix) {
		return webhook.Endpoint{}, fault.New(fault.NotFound, "entity_not_found", "Webhook endpoint not found: '%.80s'.", id)
	}
	return c.s.o.Webhooks.Get(c.ctx(), webhook.EndpointID(id))
}

// webhookView is an endpoint with its deliveries.
type webhookView struct {
	Sheet        sheetView
	Facts        []ui.Pair
	Types        []ui.BadgeProps
	All          bool
	Deliveries   ui.TableProps
	OfDeliveries []action
	Replay       []formView
}

func showWebhook(c *call) error {
	e, err := c.webhookEndpoint()
	if err != nil {
		return err
	}
	return c.webhookPage(e, misfit{})
}

func (c *call) webhookPage(e webhook.Endpoint, m misfit) error {
	w := c.words()
	v := webhookView{
		Sheet: sheetView{Wrong: m, Head: ui.HeadProps{
			Title: e.URL, Badge: ui.Badge(c.endpointBadge(e)), Actions: acts(c.webhookActions(e)), Back: ui.Link{Label: w.T("hooks.title"), Href: webhooksPath},
		}},
		Facts: []ui.Pair{
			idPair(w, string(e.ID)),
			{Key: w.T("common.created"), Value: exactly(e.CreatedAt)},
			{Key: w.T("hooks.failing_since"), Value: moment(e.FailingSince)},
			{Key: w.T("hooks.disabled_at"), Value: moment(e.DisabledAt)},
			{Key: w.T("hooks.disabled_by"), Text: sayOr(w, "hooks.by_"+e.DisabledReason, e.DisabledReason)},
			{Key: w.T("hooks.old_secret"), Value: moment(e.OldUntil)},
		},
	}
	if v.All = asksForAll(e); !v.All {
		for _, t := range e.Types {
			v.Types = append(v.Types, ui.BadgeProps{Label: string(t)})
		}
	}
	if err := c.webhookDeliveries(e, &v); err != nil {
		return err
	}
	if c.operator.Role.May(operator.Admin) && e.Status == webhook.Enabled {
		v.Replay = c.replayForms(e, m)
	}
	return c.show(frame{Title: e.URL, Status: m.Status, Crumbs: []ui.Link{{Label: e.URL}}}, v.view())
}

func (c *call) webhookActions(e webhook.Endpoint) []action {
	if !c.operator.Role.May(operator.Admin) {
		return nil
	}
	w := c.words()
	state := action{Label: w.T("hooks.disable"), Form: c.form(webhookHref(e.ID, "disable")), Variant: ui.Secondary, Icon: ui.IconPause}
	if e.Status == webhook.Disabled {
		state = action{Label: w.T("hooks.enable"), Form: c.form(webhookHref(e.ID, "enable")), Icon: ui.IconPlay}
	}
	return []action{
		{Label: w.T("hooks.edit"), Href: webhookHref(e.ID, "edit"), Variant: ui.Secondary, Icon: ui.IconSettings},
		state,
		{Label: w.T("hooks.rotate"), Form: c.form(webhookHref(e.ID, "secret")), Variant: ui.Secondary, Icon: ui.IconKey},
		{Label: w.T("common.delete"), Href: webhookHref(e.ID, "delete"), Variant: ui.Danger, Icon: ui.IconTrash},
	}
}

// webhookDeliveriesTable are the deliveries to an endpoint.
func webhookDeliveriesTable(c *call) (table[webhook.Delivery], error) {
	e, err := c.webhookEndpoint()
	if err != nil {
		return table[webhook.Delivery]{}, err
	}
	return c.deliveriesTo(e)
}

func (c *call) deliveriesTo(e webhook.Endpoint) (table[webhook.Delivery], error) {
	query, err := c.query()
	if err != nil {
		return table[webhook.Delivery]{}, err
	}
	state, known := chosen(query.Get("state"), webhook.States())
	if !known {
		return table[webhook.Delivery]{}, fault.New(fault.Unprocessable, "invalid_state", "There is no state %.40q.", query.Get("state")).On("state")
	}
	t := c.deliveriesTable()
	t.at, t.query, t.filters, t.cursor = webhookHref(e.ID, "deliveries"), query, []string{"state"}, webhook.DeliveryPrefix
	t.read = func(ctx context.Context, p paging, limit int) ([]webhook.Delivery, bool, error) {
		return c.s.o.Webhooks.Deliveries(ctx, e.ID, webhook.DeliveryQuery{Page: webhook.Page{Before: p.before, After: p.after, Limit: limit}, State: state})
	}
	return t, nil
}

func (c *call) webhookDeliveries(e webhook.Endpoint, v *webhookView) error {
	list, err := c.deliveriesTo(e)
	if err != nil {
		return err
	}
	state := list.query.Get("state")
	v.Deliveries, v.OfDeliveries = c.noDeliveries(), []action{list.exportSmall(c)}
	v.Deliveries.Tools = deliveryTools(webhookHref(e.ID), state, options(c.words(), "hooks.state_", webhook.States()), cleared(list.query, webhookHref(e.ID), "state"))
	_, err = list.fill(c, &v.Deliveries)
	return err
}

func (c *call) deliveryBadge(s webhook.State) ui.BadgeProps {
	tone := map[webhook.State]ui.Tone{webhook.Pending: ui.Info, webhook.Delivered: ui.Good, webhook.Failed: ui.Bad, webhook.Cancelled: ui.Warn}[s]
	return ui.BadgeProps{Label: sayOr(c.words(), "hooks.state_"+string(s), string(s)), Tone: tone, Dot: true}
}

// deliveriesTable is a list of deliveries, of an endpoint or of an event.
func (c *call) deliveriesTable() table[webhook.Delivery] {
	w := c.words()
	return table[webhook.Delivery]{
		id: "deliveries", file: "webhook-deliveries", key: func(d webhook.Delivery) string { return string(d.ID) },
		fields: ui.Fields[webhook.Delivery]{
			ui.InExport("id", func(d webhook.Delivery) string { return string(d.ID) }),
			ui.Both(ui.Column{Label: w.T("hooks.event")}, func(d webhook.Delivery) templ.Component { return link(string(d.Type), deliveryHref(d.ID)) },
				"event", func(d webhook.Delivery) string { return string(d.Type) }),
			ui.InExport("event_id", func(d webhook.Delivery) string { return d.EventID }),
			ui.InExport("organization_id", func(d webhook.Delivery) string { return d.OrganizationID }),
			ui.Both(ui.Column{Label: w.T("common.state")}, func(d webhook.Delivery) templ.Component { return ui.Badge(c.deliveryBadge(d.State)) },
				"state", func(d webhook.Delivery) string { return string(d.State) }),
			ui.InExport("reason", func(d webhook.Delivery) string { return d.Reason }),
			ui.InExport("replay", func(d webhook.Delivery) string { return strconv.FormatBool(d.Replay) }),
			ui.Both(ui.Column{Label: w.T("hooks.attempts"), Number: true}, func(d webhook.Delivery) templ.Component { return ui.Text(strconv.Itoa(d.Attempts)) },
				"attempts", func(d webhook.Delivery) string { return strconv.Itoa(d.Attempts) }),
			ui.Both(ui.Column{Label: w.T("hooks.next"), Minor: true}, func(d webhook.Delivery) templ.Component { return nextAttempt(d.NextAt) },
				"next_attempt_at", func(d webhook.Delivery) string { return written(d.NextAt) }),
			ui.Both(ui.Column{Label: w.T("common.when")}, func(d webhook.Delivery) templ.Component { return moment(d.CreatedAt) },
				"created_at", func(d webhook.Delivery) string { return written(d.CreatedAt) }),
			ui.InExport("finished_at", func(d webhook.Delivery) string { return written(d.FinishedAt) }),
		},
	}
}

func (c *call) noDeliveries() ui.TableProps {
	w := c.words()
	return ui.TableProps{Caption: w.T("hooks.deliveries"), Empty: ui.EmptyProps{Icon: ui.IconWebhook, Title: w.T("hooks.deliveries_none"), Text: w.T("hooks.deliveries_none_text")}}
}

func nextAttempt(at time.Time) templ.Component {
	if at.IsZero() {
		return ui.Text("–")
	}
	return moment(at)
}

func (c *call) replayForms(e webhook.Endpoint, m misfit) []formView {
	w := c.words()
	day := func(id, label string) templ.Component {
		return ui.Input(ui.InputProps{FieldProps: ui.FieldProps{ID: id, Label: label, Lax: true, Error: m.on(id)}, Type: "date", Value: c.posted.Get(id)})
	}
	return []formView{
		{ID: "replay-failed", Form: c.form(webhookHref(e.ID, "replay"), ui.Hidden{Name: "what", Value: "failed"}), Title: w.T("hooks.replay_failed"), Text: w.T("hooks.replay_failed_text"), Save: w.T("hooks.replay_failed")},
		{
			ID: "replay-span", Form: c.form(webhookHref(e.ID, "replay"), ui.Hidden{Name: "what", Value: "span"}), Title: w.T("hooks.replay_span"), Text: w.T("hooks.replay_span_text"), Save: w.T("hooks.replay_span"),
			Fields: []templ.Component{day("from", w.T("common.from")), day("until", w.T("common.until"))},
		},
	}
}

// changeWebhook carries out a verb on the endpoint of the address and goes back to it; a refusal is shown there.
func (c *call) changeWebhook(did string, verb func(webhook.Endpoint) error) error {
	e, err := c.webhookEndpoint()
	if err != nil {
		return err
	}
	if err := verb(e); err != nil {
		return again(err, func(m misfit) error { return c.webhookPage(e, m) })
	}
	return c.done(webhookHref(e.ID), did)
}

func editWebhook(c *call) error {
	e, err := c.webhookEndpoint()
	if err != nil {
		return err
	}
	return c.webhookForm(e, misfit{})
}

func saveWebhook(c *call) error {
	e, err := c.webhookEndpoint()
	if err != nil {
		return err
	}
	url := strings.TrimSpace(c.posted.Get("endpoint_url"))
	if _, err := c.s.o.Webhooks.Update(c.ctx(), e.ID, webhook.Change{URL: &url, Types: c.postedTypes()}); err != nil {
		return again(err, func(m misfit) error { return c.webhookForm(e, m) })
	}
	return c.done(webhookHref(e.ID), "saved")
}

func (c *call) switchWebhook(to webhook.Status, did string) error {
	return c.changeWebhook(did, func(e webhook.Endpoint) error {
		_, err := c.s.o.Webhooks.Update(c.ctx(), e.ID, webhook.Change{Status: &to})
		return err
	})
}

func enableWebhook(c *call) error  { return c.switchWebhook(webhook.Enabled, "webhook_enabled") }
func disableWebhook(c *call) error { return c.switchWebhook(webhook.Disabled, "webhook_disabled") }

// rotateWebhookSecret makes a new secret and shows it; the former one signs too for a day.
func rotateWebhookSecret(c *call) error {
	e, err := c.webhookEndpoint()
	if err != nil {
		return err
	}
	after, err := c.s.o.Webhooks.RotateSecret(c.ctx(), e.ID, webhook.DefaultKeepOld)
	if err != nil {
		return again(err, func(m misfit) error { return c.webhookPage(e, m) })
	}
	return c.webhookSecret(after)
}

func replayWebhook(c *call) error {
	return c.changeWebhook("replayed", func(e webhook.Endpoint) error {
		r := webhook.Replay{Failed: c.posted.Get("what") == "failed"}
		if !r.Failed {
			var err error
			if r.From, r.Until, err = spanOf(c.posted); err != nil {
				return err
			}
		}
		_, err := c.s.o.Webhooks.Replay(c.ctx(), e.ID, r)
		return err
	})
}

func askDeleteWebhook(c *call) error {
	e, err := c.webhookEndpoint()
	if err != nil {
		return err
	}
	w := c.words()
	return c.show(frame{Title: e.URL, Crumbs: []ui.Link{{Label: e.URL, Href: webhookHref(e.ID)}}}, asking(misfit{}, ui.ConfirmProps{
		Title: w.T("hooks.delete_title"), Text: w.T("hooks.delete_text", "address", e.URL), Form: c.form(webhookHref(e.ID, "delete")), Confirm: w.T("common.delete"),
		Cancel: ui.Link{Href: webhookHref(e.ID)},
	}))
}

func deleteWebhook(c *call) error {
	e, err := c.webhookEndpoint()
	if err != nil {
		return err
	}
	if err := c.s.o.Webhooks.Delete(c.ctx(), e.ID); err != nil {
		return err
	}
	return c.done(webhooksPath, "deleted")
}

func (c *call) delivery() (webhook.Delivery, []webhook.Attempt, error) {
	id := c.values["id"]
	if !isID(id, webhook.DeliveryPrefix) {
		return webhook.Delivery{}, nil, fault.New(fault.NotFound, "entity_not_found", "Webhook delivery not found: '%.80s'.", id)
	}
	return c.s.o.Webhooks.Delivery(c.ctx(), webhook.DeliveryID(id))
}

// deliveryView is a delivery with its attempts.
type deliveryView struct {
	Sheet    sheetView
	Facts    []ui.Pair
	Attempts []attemptRow
}

// attemptRow is one request with what came back.
type attemptRow struct {
	Event  ui.EventProps
	Answer string
}

func showDelivery(c *call) error { return c.deliveryPage(misfit{}) }

func (c *call) deliveryPage(m misfit) error {
	d, attempts, err := c.delivery()
	if err != nil {
		return err
	}
	w := c.words()
	v := deliveryView{
		Sheet: sheetView{Wrong: m, Head: ui.HeadProps{Title: string(d.Type), Badge: ui.Badge(c.deliveryBadge(d.State)), Back: ui.Link{Label: w.T("hooks.deliveries"), Href: webhookHref(d.EndpointID)}}},
		Facts: []ui.Pair{
			idPair(w, string(d.ID)),
			{Key: w.T("hooks.event"), Value: link(d.EventID, hrefOf("events", d.EventID))},
			{Key: w.T("hooks.endpoint"), Value: link(string(d.EndpointID), webhookHref(d.EndpointID))},
			{Key: w.T("hooks.reason"), Text: sayOr(w, "hooks.reason_"+d.Reason, d.Reason)},
			{Key: w.T("hooks.replay"), Text: yesNo(w, d.Replay)},
			{Key: w.T("common.created"), Value: exactly(d.CreatedAt)},
			{Key: w.T("common.finished"), Value: exactly(d.FinishedAt)},
			{Key: w.T("hooks.next"), Value: moment(d.NextAt)},
		},
	}
	if c.operator.Role.May(operator.Admin) {
		v.Sheet.Head.Actions = act(action{Label: w.T("hooks.replay_one"), Form: c.form(deliveryHref(d.ID, "replay")), Variant: ui.Secondary, Icon: ui.IconRefresh})
	}
	for _, a := range slices.Backward(attempts) {
		v.Attempts = append(v.Attempts, c.attemptRow(a))
	}
	return c.show(frame{Title: string(d.Type), Status: m.Status, Crumbs: []ui.Link{{Label: string(d.EndpointID), Href: webhookHref(d.EndpointID)}, {Label: string(d.ID)}}}, v.view())
}

func (c *call) attemptRow(a webhook.Attempt) attemptRow {
	w := c.words()
	row := attemptRow{Answer: a.Answer, Event: ui.EventProps{At: a.At, Text: w.T("hooks.took", "ms", int(a.Took/time.Millisecond)), Tone: ui.Bad, Title: a.Error}}
	if a.Status != 0 {
		row.Event.Title = w.T("hooks.answered", "status", strconv.Itoa(a.Status))
		if a.Error != "" {
			row.Event.Title += " · " + a.Error
		}
		if a.Status/100 == 2 {
			row.Event.Tone = ui.Good
		}
	}
	return row
}

func replayDelivery(c *call) error {
	d, _, err := c.delivery()
	if err != nil {
		return err
	}
	made, err := c.s.o.Webhooks.ReplayDelivery(c.ctx(), d.ID)
	if err != nil {
		return again(err, c.deliveryPage)
	}
	return c.done(deliveryHref(made.ID), "replayed")
}

// events are the attempts as lines; what was answered is opened by a click.
func (v deliveryView) events() []ui.EventProps {
	out := make([]ui.EventProps, len(v.Attempts))
	for i, a := range v.Attempts {
		out[i] = a.Event
		if a.Answer != "" {
			out[i].Detail = answerText("answer-"+strconv.Itoa(i), a.Answer)
		}
	}
	return out
}
