package portal

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/lifecycle"
	"github.com/rollcallhq/rollcall/internal/member"
	"github.com/rollcallhq/rollcall/internal/token"
	"github.com/rollcallhq/rollcall/internal/web"
	"github.com/rollcallhq/rollcall/internal/web/ui"
)

const rowsShown = 50 // on a page

// kept refuses pages about accounts where the app has them.
func (c *call) kept() error {
	if c.s.o.KeepsAccounts {
		return nil
	}
	return fault.New(fault.NotFound, "not_found", "%s", c.t("portal.not_found"))
}

// accessView is who has access, or had it on a day.
type accessView struct {
	Day    string // "2026-11-22"; "": now
	Today  string // the last that may be asked for
	At     time.Time
	Wrong  string
	Table  ui.TableProps
	Export string
}

// asked is the moment that an address asks about: the end of a day in UTC, now if that has not come.
func (c *call) asked() (day string, at time.Time, err error) {
	now := c.s.o.Now().UTC()
	day = c.r.URL.Query().Get("day")
	if day == "" {
		return "", now, nil
	}
	begins, err := time.Parse(time.DateOnly, day)
	if err != nil || begins.Year() < 2000 || begins.After(now) { //nolint:mnd // before there was anything to ask about
		return "", now, fault.New(fault.Unprocessable, "invalid_date", "%s", c.t("portal.access_wrong")).On("day")
	}
	if at = begins.Add(24*time.Hour - time.Microsecond); at.After(now) {
		at = now
	}
	return day, at, nil
}

// accessList is who had access at a moment.
func (c *call) accessList(at time.Time) web.List[lifecycle.Access] {
	return web.List[lifecycle.Access]{
		Name: "access-" + at.Format(time.DateOnly),
		Read: func(ctx context.Context, after string, limit int) ([]lifecycle.Access, string, error) {
			found, more, err := c.s.o.Audits.AccessAt(ctx, lifecycle.AccessQuery{OrganizationID: string(c.org()), At: at, After: after, Limit: limit})
			return found, following(found, more, func(a lifecycle.Access) string { return a.MembershipID }), err
		},
		Fields: ui.Fields[lifecycle.Access]{
			ui.InExport("at", func(lifecycle.Access) string { return event.Shown(at) }),
			ui.Both(ui.Column{Label: c.t("portal.person")}, accessPerson, "email", func(a lifecycle.Access) string { return a.Email }),
			ui.InExport("first_name", func(a lifecycle.Access) string { return a.FirstName }),
			ui.InExport("last_name", func(a lifecycle.Access) string { return a.LastName }),
			ui.Both(ui.Column{Label: c.t("portal.role")}, func(a lifecycle.Access) templ.Component { return ui.Text(a.Role) }, "role", func(a lifecycle.Access) string { return a.Role }),
			ui.Both(ui.Column{Label: c.t("portal.belongs")}, func(a lifecycle.Access) templ.Component { return belongs(a.Primary) },
				"primary", func(a lifecycle.Access) string { return strconv.FormatBool(a.Primary) }),
			ui.Both(ui.Column{Label: c.t("portal.since")}, func(a lifecycle.Access) templ.Component { return ui.Time(ui.TimeProps{At: a.Since, Absolute: true}) },
				"since", func(a lifecycle.Access) string { return event.Shown(a.Since) }),
			ui.InExport("user_id", func(a lifecycle.Access) string { return a.UserID }),
			ui.InExport("organization_membership_id", func(a lifecycle.Access) string { return a.MembershipID }),
		},
	}
}

// following is the cursor after rows, "" at the end.
func following[T any](rows []T, more bool, id func(T) string) string {
	if !more || len(rows) == 0 {
		return ""
	}
	return id(rows[len(rows)-1])
}

// fill puts a page of a list into what is drawn, and gives the cursor after it.
func fill[T any](c *call, l web.List[T], after string, into *ui.TableProps) (next string, err error) {
	rows, next, err := l.Read(c.ctx(), after, rowsShown)
	into.Columns = l.Fields.Columns()
	for _, one := range rows {
		into.Rows = append(into.Rows, ui.Row{Cells: l.Fields.Cells(one)})
	}
	return next, err
}

// placed is an address with those of its parameters that are given.
func placed(path string, pairs ...string) string {
	q := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			q.Set(pairs[i], pairs[i+1])
		}
	}
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}

func showAccess(c *call) error {
	if err := c.kept(); err != nil {
		return err
	}
	day, at, err := c.asked()
	v := accessView{Day: day, Today: c.s.o.Now().UTC().Format(time.DateOnly), At: at}
	if f, ok := fault.As(err); ok && f.Kind == fault.Unprocessable {
		v.Wrong, day = f.Message, "" // those of now are shown, and exported
	}
	nobody := "portal.access_none"
	if day != "" {
		nobody = "portal.access_none_then"
	}
	v.Table = ui.TableProps{
		ID: "access", Caption: c.t("portal.access_at", "at", exactly(at)), Titled: true, Empty: ui.EmptyProps{Icon: ui.IconUsers, Title: c.t(nobody)},
	}
	next, err := fill(c, c.accessList(at), c.after("om"), &v.Table)
	if err != nil {
		return err
	}
	if next != "" {
		v.Table.Pager.Next = placed("/portal/access", "day", day, "after", next)
	}
	v.Export = placed("/portal/access.csv", "day", day)
	return c.ok(c.t("portal.access_title"), accessPage(v))
}

func exportAccess(c *call) error {
	if err := c.kept(); err != nil {
		return err
	}
	_, at, err := c.asked()
	if err != nil {
		return err
	}
	return c.accessList(at).Export(c.w, c.r, web.ExportCSV, c.s.o.Logger)
}

// after is the cursor of an address; what is none begins at the top.
func (c *call) after(prefix string) string {
	if after := c.r.URL.Query().Get("after"); token.Is(after, prefix) {
		return after
	}
	return ""
}

// leaverView is somebody whose access has ended.
type leaverView struct {
	lifecycle.Offboarding

	Name, Email string
	Seconds     string // from the provider's request, or the end, to the last step that is known
	Missing     []string
	Href        string // of the receipt
}

// leaversList are those who left, the last ones first.
func (c *call) leaversList() web.List[leaverView] {
	at := func(of func(leaverView) *string) func(leaverView) string {
		return func(l leaverView) string { return orNothing(of(l)) }
	}
	return web.List[leaverView]{
		Name: "leavers",
		Read: func(ctx context.Context, after string, limit int) ([]leaverView, string, error) {
			found, more, err := c.s.o.Offboardings.List(ctx, lifecycle.OffboardingQuery{OrganizationID: string(c.org()), After: after, Limit: limit})
			if err != nil {
				return nil, "", err
			}
			views := make([]leaverView, len(found))
			for i, f := range found {
				if views[i], err = c.leaver(ctx, f); err != nil {
					return nil, "", err
				}
			}
			return views, following(found, more, func(f lifecycle.Offboarding) string { return f.ID }), nil
		},
		Fields: ui.Fields[leaverView]{
			ui.InExport("offboarding_id", func(l leaverView) string { return l.ID }),
			ui.InExport("user_id", func(l leaverView) string { return l.UserID }),
			ui.InExport("organization_membership_id", func(l leaverView) string { return l.MembershipID }),
			ui.Both(ui.Column{Label: c.t("portal.person")}, func(l leaverView) templ.Component { return ui.Person(l.Name, l.Email, "") }, "name", func(l leaverView) string { return l.Name }),
			ui.InExport("email", func(l leaverView) string { return l.Email }),
			ui.InExport("status", func(l leaverView) string { return l.State }),
			ui.InExport("why", func(l leaverView) string { return l.Why }),
			ui.InExport("requested_at", at(func(l leaverView) *string { return l.Receipt.RequestedAt })),
			ui.Both(ui.Column{Label: c.t("portal.left")}, func(l leaverView) templ.Component { return ui.Time(ui.TimeProps{At: l.EndedAt, Absolute: true}) },
				"ended_at", func(l leaverView) string { return l.Receipt.EndedAt }),
			ui.InExport("committed_by", func(l leaverView) string { return l.Receipt.CommittedBy }),
			ui.Both(ui.Column{Label: c.t("portal.sessions_ended"), Number: true}, func(l leaverView) templ.Component { return ui.Text(strconv.Itoa(l.Sessions)) },
				"sessions_ended", func(l leaverView) string { return strconv.Itoa(l.Sessions) }),
			ui.InExport("webhooks_delivered_at", func(l leaverView) string {
				return lastOf(l.Receipt.Webhooks, func(w lifecycle.ReceiptWebhook) *string { return w.DeliveredAt })
			}),
			ui.InExport("logouts_delivered_at", func(l leaverView) string {
				return lastOf(l.Receipt.Logouts, func(o lifecycle.ReceiptLogout) *string { return o.DeliveredAt })
			}),
			ui.InExport("acknowledged_at", at(func(l leaverView) *string {
				if a := l.Receipt.Acknowledgement; a != nil {
					return &a.At
				}
				return nil
			})),
			ui.Both(ui.Column{Label: c.t("portal.took")}, leaverTook, "seconds", func(l leaverView) string { return l.Seconds }),
			ui.InExport("complete", func(l leaverView) string { return strconv.FormatBool(l.Receipt.Complete) }),
			ui.InExport("missing", func(l leaverView) string { return strings.Join(l.Missing, " ") }),
			ui.OnPage(ui.Column{Label: c.t("portal.receipt")}, leaverReceipt),
		},
	}
}

func orNothing(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}

// lastOf is the last of several times, "" where one of them is not known yet. They are written alike, so that their order is that of the texts.
func lastOf[T any](all []T, at func(T) *string) (last string) {
	for _, one := range all {
		t := at(one)
		if t == nil {
			return ""
		}
		last = max(last, *t)
	}
	return last
}

func showLeavers(c *call) error {
	if err := c.kept(); err != nil {
		return err
	}
	t := ui.TableProps{
		ID: "leavers", Caption: c.t("portal.leavers_title"), Empty: ui.EmptyProps{Icon: ui.IconUserMinus, Title: c.t("portal.leavers_none"), Text: c.t("portal.leavers_none_lead")},
	}
	next, err := fill(c, c.leaversList(), c.after(lifecycle.OffboardingPrefix), &t)
	if err != nil {
		return err
	}
	if next != "" {
		t.Pager.Next = placed("/portal/leavers", "after", next)
	}
	return c.ok(c.t("portal.leavers_title"), leaversPage(t))
}

func exportLeavers(c *call) error {
	if err := c.kept(); err != nil {
		return err
	}
	return c.leaversList().Export(c.w, c.r, web.ExportCSV, c.s.o.Logger)
}

func (c *call) leaver(ctx context.Context, f lifecycle.Offboarding) (leaverView, error) {
	v := leaverView{
		Offboarding: f, Name: f.UserID, Href: "/portal/leavers/" + f.ID + "/receipt",
		Seconds: strconv.FormatFloat(float64(f.Receipt.SpanMS)/1000, 'f', 1, 64), //nolint:mnd // milliseconds of a second
	}
	for _, m := range f.Receipt.Missing {
		if !slices.Contains(v.Missing, m.Why) {
			v.Missing = append(v.Missing, m.Why)
		}
	}
	u, err := c.s.o.Members.User(ctx, member.UserID(f.UserID))
	if lost, ok := fault.As(err); ok && lost.Kind == fault.NotFound {
		return v, nil // the account is gone: its id is what stays
	}
	if err != nil {
		return v, err
	}
	v.Email = u.Email
	if name := u.Name(); name != "" {
		v.Name = name
	} else {
		v.Name = u.Email
	}
	return v, nil
}

// showReceipt hands out the signed receipt of somebody who left this organization.
func showReceipt(c *call) error {
	if err := c.kept(); err != nil {
		return err
	}
	id := c.path("offboarding")
	f, err := c.s.o.Offboardings.Get(c.ctx(), id)
	if lost, ok := fault.As(err); ok && lost.Kind == fault.NotFound || err == nil && f.OrganizationID != string(c.org()) {
		return fault.New(fault.NotFound, "not_found", "%s", c.t("portal.not_found"))
	}
	if err != nil {
		return err
	}
	_, signed, err := c.s.o.Offboardings.Signed(c.ctx(), f.ID)
	if err != nil {
		return err
	}
	c.w.Header().Set("Content-Disposition", `attachment; filename="`+f.ID+`.jws"`)
	web.WriteBody(c.w, http.StatusOK, "application/jose", []byte(signed))
	return nil
}

// auditView is a page of changes.
type auditView struct {
	Rows   []ui.EventProps
	Next   string
	Export string
}

// auditLine is an entry of the audit, with what exports write of it.
type auditLine struct {
	event.AuditEntry
	cells []string
}

// auditList is every change of the organization, the last ones first.
func (c *call) auditList() web.List[auditLine] {
	l := web.List[auditLine]{Name: "audit", Read: func(ctx context.Context, after string, limit int) ([]auditLine, string, error) {
		page, err := c.s.o.Events.Audit(ctx, event.AuditQuery{OrganizationID: string(c.org()), After: after, Limit: limit})
		out := make([]auditLine, len(page.Entries))
		for i, e := range page.Entries {
			out[i] = auditLine{e, e.Cells()}
		}
		return out, page.After, err
	}}
	for i, name := range event.AuditColumns() {
		l.Fields = append(l.Fields, ui.InExport(name, func(e auditLine) string { return e.cells[i] }))
	}
	return l
}

func showAudit(c *call) error {
	found, next, err := c.auditList().Read(c.ctx(), c.r.URL.Query().Get("after"), rowsShown)
	if err != nil {
		return err
	}
	v := auditView{Export: "/portal/audit.csv"}
	for _, e := range found {
		v.Rows = append(v.Rows, auditRow(e.AuditEntry))
	}
	if next != "" {
		v.Next = placed("/portal/audit", "after", next)
	}
	return c.ok(c.t("portal.audit_title"), auditPage(v))
}

func auditRow(e event.AuditEntry) ui.EventProps {
	who := e.Context.Actor.ID
	if name := e.Context.Actor.Name; name != nil && *name != "" {
		who = *name
	}
	row := ui.EventProps{Title: string(e.Action), Text: e.Target, At: e.At, Tone: ui.Neutral, Who: who + " · " + string(e.Context.Actor.Source)}
	if len(e.Changes) > 0 && string(e.Changes) != "{}" {
		row.Detail = ui.Code(ui.CodeProps{ID: e.ID, Label: e.ID, Text: string(e.Changes), JSON: true})
	}
	return row
}

func exportAudit(c *call) error {
	return c.auditList().Export(c.w, c.r, web.ExportCSV, c.s.o.Logger)
}
