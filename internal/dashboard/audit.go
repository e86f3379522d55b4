package dashboard

import (
	"context"
	"net/url"
	"regexp"
	"strings"

	"github.com/a-h/templ"

	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/operator"
	"github.com/rollcallhq/rollcall/internal/web"
	"github.com/rollcallhq/rollcall/internal/web/ui"
)

const auditPath = Prefix + "audit"

// auditPages are the addresses of the audit.
func auditPages() []row {
	const see, change = operator.ReadOnly, operator.Admin
	return []row{
		{auditPath, "dashboard_audit", see, showAudit, change, nil},
		{auditPath + "/export", "dashboard_audit_export", see, exportAudit, change, nil},
	}
}

// maxAuditFilter bounds what a filter names, in bytes.
const maxAuditFilter = 100

// actionForm is how actions are written: directory.updated.
var actionForm = regexp.MustCompile(`^[a-z_]+(\.[a-z_]+){1,3}$`)

// auditFilters are the parameters that narrow the audit.
func auditFilters() []string {
	return []string{"organization", "action", "actor", "target", "from", "until"}
}

// auditQuery reads which entries are asked for.
func auditQuery(query url.Values) (event.AuditQuery, error) {
	q := event.AuditQuery{Actor: strings.TrimSpace(query.Get("actor")), Target: strings.TrimSpace(query.Get("target"))}
	for name, value := range map[string]string{"actor": q.Actor, "target": q.Target} {
		if len(value) > maxAuditFilter {
			return q, fault.New(fault.Unprocessable, "too_long", "%s is an id of at most %d characters.", name, maxAuditFilter).On(name)
		}
	}
	var err error
	if q.OrganizationID, err = filterOrganizationID(query); err != nil {
		return q, err
	}
	if action := strings.TrimSpace(query.Get("action")); action != "" {
		if len(action) > maxAuditFilter || !actionForm.MatchString(action) {
			return q, fault.New(fault.Unprocessable, "invalid_action", "Actions are written like directory.updated, not %.60q.", action).On("action")
		}
		q.Actions = []event.Action{event.Action(action)}
	}
	q.From, q.Until, err = spanOf(query)
	return q, err
}

// auditFilter is the form that narrows the audit.
type auditFilter struct {
	Organization, Action, Actor, Target, From, Until, Clear string
}

// auditRow is an entry of the audit, with what exports write of it.
type auditRow struct {
	event.AuditEntry
	cells []string
}

// auditTable is the audit, as the filter leaves it. Its export has the columns that every export of the audit has.
func auditTable(c *call) (table[auditRow], error) {
	query, err := c.query()
	if err != nil {
		return table[auditRow]{}, err
	}
	of, err := auditQuery(query)
	if err != nil {
		return table[auditRow]{}, err
	}
	w := c.words()
	t := table[auditRow]{
		id: "audit", file: "audit", at: auditPath, query: query, filters: auditFilters(), key: func(e auditRow) string { return e.ID },
		onward: func(ctx context.Context, after string, limit int) ([]auditRow, string, error) {
			q := of
			q.After, q.Limit = after, limit
			page, err := c.s.o.Events.Audit(ctx, q)
			out := make([]auditRow, len(page.Entries))
			for i, e := range page.Entries {
				out[i] = auditRow{e, e.Cells()}
			}
			return out, page.After, err
		},
		line: func(e auditRow) []byte { return e.JSON() },
		fields: ui.Fields[auditRow]{
			ui.OnPage(ui.Column{Label: w.T("log.action")}, func(e auditRow) templ.Component { return auditAction(e.AuditEntry) }),
			ui.OnPage(ui.Column{Label: w.T("log.target")}, func(e auditRow) templ.Component { return actorLink(e.Target) }),
			ui.OnPage(ui.Column{Label: w.T("log.actor")}, func(e auditRow) templ.Component { return ui.Text(c.actorText(e.Context.Actor)) }),
			ui.OnPage(ui.Column{Label: w.T("log.changes"), Minor: true}, func(e auditRow) templ.Component { return auditChanges(e.ID, changesOf(e.AuditEntry)) }),
			ui.OnPage(ui.Column{Label: w.T("common.when")}, func(e auditRow) templ.Component { return moment(e.At) }),
		},
	}
	for i, name := range event.AuditColumns() {
		t.fields = append(t.fields, ui.InExport(name, func(e auditRow) string { return e.cells[i] }))
	}
	return t, nil
}

func showAudit(c *call) error {
	list, err := auditTable(c)
	if err != nil {
		return err
	}
	w := c.words()
	t := ui.TableProps{
		Caption: w.T("log.audit"), Tools: auditTools(auditFilterOf(list.query)),
		Empty: ui.EmptyProps{Icon: ui.IconAudit, Title: w.T("log.audit_none"), Text: w.T("log.audit_none_text")},
	}
	if _, err := list.fill(c, &t); err != nil {
		return err
	}
	csv, lines := list.exportAction(c), list.exportAction(c)
	csv.Href = list.exportHref("format", string(web.ExportCSV))
	lines.ID, lines.Label, lines.Href = "", w.T("log.export_lines"), list.exportHref("format", string(web.ExportLines))
	head := ui.HeadProps{Title: w.T("log.audit"), Text: w.T("log.audit_lead"), Actions: acts([]action{csv, lines})}
	return c.show(frame{Title: w.T("log.audit")}, listing(sheetView{Head: head}, t))
}

// auditAction leads to the event where the change has one.
func auditAction(e event.AuditEntry) templ.Component {
	if isID(e.ID, eventPrefix) {
		return link(string(e.Action), hrefOf("events", e.ID))
	}
	return ui.Mono(string(e.Action))
}

func changesOf(e event.AuditEntry) string {
	if len(e.Changes) == 0 || string(e.Changes) == "{}" {
		return ""
	}
	return indented(e.Changes)
}

func auditFilterOf(query url.Values) auditFilter {
	return auditFilter{
		Organization: query.Get("organization"), Action: query.Get("action"), Actor: query.Get("actor"), Target: query.Get("target"), From: query.Get("from"), Until: query.Get("until"),
		Clear: cleared(query, auditPath, auditFilters()...),
	}
}

// exportAudit streams all entries that the filter leaves, in either form.
func exportAudit(c *call) error {
	list, err := auditTable(c)
	if err != nil {
		return err
	}
	form, known := chosen(list.query.Get("format"), []web.ExportForm{web.ExportCSV, web.ExportLines})
	if !known || form == "" {
		return fault.New(fault.Unprocessable, "invalid_format", "format is csv or jsonl, not %.40q.", list.query.Get("format")).On("format")
	}
	return list.export(c, form)
}
