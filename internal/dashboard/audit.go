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

const (
	maxAuditFilter = 100 // bytes of what a filter names
	exportAtOnce   = 500 // entries that an export reads at a time
)

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
	CSV, Lines                                              string // addresses of the exports
}

func showAudit(c *call) error {
	query, err := c.query()
	if err != nil {
		return err
	}
	q, err := auditQuery(query)
	if err != nil {
		return err
	}
	q.After, q.Limit = query.Get("after"), perPage
	page, err := c.s.o.Events.Audit(c.ctx(), q)
	if err != nil {
		return err
	}
	w, filter := c.words(), c.auditFilter(query)
	t := ui.TableProps{
		ID: "audit", Caption: w.T("log.audit"), Tools: auditTools(filter),
		Empty: ui.EmptyProps{Icon: ui.IconAudit, Title: w.T("log.audit_none"), Text: w.T("log.audit_none_text")},
		Columns: []ui.Column{
			{Label: w.T("log.action")}, {Label: w.T("log.target")}, {Label: w.T("log.actor")}, {Label: w.T("log.changes"), Minor: true}, {Label: w.T("common.when")},
		},
	}
	for _, e := range page.Entries {
		t.Rows = append(t.Rows, ui.Row{ID: e.ID, Cells: []templ.Component{
			auditAction(e), actorLink(e.Target), ui.Text(c.actorText(e.Context.Actor)), auditChanges(e.ID, changesOf(e)), moment(e.At),
		}})
	}
	if page.After != "" {
		t.Pager.Next = atCursor(query, "after", page.After)
	}
	if query.Get("after") != "" {
		t.Pager.First = atCursor(query, "", "")
		t.Pager.Summary = w.T("log.audit_older")
	}
	return c.show(frame{Title: w.T("log.audit")}, listing(sheetView{Head: ui.HeadProps{
		Title: w.T("log.audit"), Text: w.T("log.audit_lead"), Actions: acts([]action{
			{Label: w.T("log.export_csv"), Href: filter.CSV, Variant: ui.Secondary, Icon: ui.IconDownload, Download: true},
			{Label: w.T("log.export_lines"), Href: filter.Lines, Variant: ui.Secondary, Icon: ui.IconDownload, Download: true},
		}),
	}}, t))
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

func (c *call) auditFilter(query url.Values) auditFilter {
	export := func(form web.ExportForm) string {
		q := url.Values{"format": {string(form)}}
		for _, name := range auditFilters() {
			if v := query.Get(name); v != "" {
				q.Set(name, v)
			}
		}
		return auditPath + "/export?" + q.Encode()
	}
	return auditFilter{
		Organization: query.Get("organization"), Action: query.Get("action"), Actor: query.Get("actor"), Target: query.Get("target"), From: query.Get("from"), Until: query.Get("until"),
		Clear: cleared(query, auditPath, auditFilters()...), CSV: export(web.ExportCSV), Lines: export(web.ExportLines),
	}
}

// exportAudit streams all entries that the filter leaves.
func exportAudit(c *call) error {
	query, err := c.query()
	if err != nil {
		return err
	}
	q, err := auditQuery(query)
	if err != nil {
		return err
	}
	form, known := chosen(query.Get("format"), []web.ExportForm{web.ExportCSV, web.ExportLines})
	if !known || form == "" {
		return fault.New(fault.Unprocessable, "invalid_format", "format is csv or jsonl, not %.40q.", query.Get("format")).On("format")
	}
	q.Limit = exportAtOnce
	return web.Export{Name: "audit", Form: form, Columns: event.AuditColumns(), Log: c.s.o.Logger, Next: func(ctx context.Context, after string) ([]web.Exported, string, error) {
		q.After = after
		page, err := c.s.o.Events.Audit(ctx, q)
		out := make([]web.Exported, len(page.Entries))
		for i, e := range page.Entries {
			out[i] = web.Exported{Line: e.JSON(), Cells: e.Cells()}
		}
		return out, page.After, err
	}}.Write(c.w, c.r)
}
