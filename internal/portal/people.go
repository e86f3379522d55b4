package portal

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/lifecycle"
	"github.com/rollcallhq/rollcall/internal/member"
	"github.com/rollcallhq/rollcall/internal/token"
	"github.com/rollcallhq/rollcall/internal/web"
	"github.com/rollcallhq/rollcall/internal/web/ui"
)

const (
	rowsShown    = 50  // on a page
	rowsExported = 500 // read at once
)

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
	Rows   []lifecycle.Access
	Next   string
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

func showAccess(c *call) error {
	if err := c.kept(); err != nil {
		return err
	}
	day, at, err := c.asked()
	v := accessView{Day: day, Today: c.s.o.Now().UTC().Format(time.DateOnly), At: at}
	if f, ok := fault.As(err); ok && f.Kind == fault.Unprocessable {
		v.Wrong = f.Message
	}
	rows, more, err := c.s.o.Audits.AccessAt(c.ctx(), lifecycle.AccessQuery{OrganizationID: string(c.org()), At: at, After: c.after("om"), Limit: rowsShown})
	if err != nil {
		return err
	}
	if v.Rows = rows; more {
		v.Next = "/portal/access?" + url.Values{"day": {day}, "after": {v.Rows[len(v.Rows)-1].MembershipID}}.Encode()
	}
	v.Export = "/portal/access.csv?" + url.Values{"day": {day}}.Encode()
	return c.ok(c.t("portal.access_title"), accessPage(v))
}

// after is the cursor of an address; what is none begins at the top.
func (c *call) after(prefix string) string {
	if after := c.r.URL.Query().Get("after"); token.Is(after, prefix) {
		return after
	}
	return ""
}

func exportAccess(c *call) error {
	if err := c.kept(); err != nil {
		return err
	}
	_, at, err := c.asked()
	if err != nil {
		return err
	}
	return web.Export{
		Name: "access-" + at.Format(time.DateOnly), Form: web.ExportCSV, Log: c.s.o.Logger,
		Columns: []string{"at", "email", "first_name", "last_name", "role", "primary", "since", "user_id", "organization_membership_id"},
		Next: func(ctx context.Context, after string) ([]web.Exported, string, error) {
			found, more, err := c.s.o.Audits.AccessAt(ctx, lifecycle.AccessQuery{OrganizationID: string(c.org()), At: at, After: after, Limit: rowsExported})
			if err != nil {
				return nil, "", err
			}
			out := make([]web.Exported, len(found))
			for i, a := range found {
				out[i].Cells = []string{
					event.Shown(at), a.Email, a.FirstName, a.LastName, a.Role, strconv.FormatBool(a.Primary), event.Shown(a.Since), a.UserID, a.MembershipID,
				}
			}
			if !more {
				return out, "", nil
			}
			return out, found[len(found)-1].MembershipID, nil
		},
	}.Write(c.w, c.r)
}

// leaverView is somebody whose access has ended.
type leaverView struct {
	Name, Email, Why string
	EndedAt          time.Time
	Sessions         int
	Seconds          string // from the provider's request, or the end, to the last step that is known
	Complete         bool
	Missing          []string
	Receipt          string // address
}

func showLeavers(c *call) error {
	if err := c.kept(); err != nil {
		return err
	}
	found, more, err := c.s.o.Offboardings.List(c.ctx(), lifecycle.OffboardingQuery{
		OrganizationID: string(c.org()), After: c.after(lifecycle.OffboardingPrefix), Limit: rowsShown,
	})
	if err != nil {
		return err
	}
	views := make([]leaverView, len(found))
	for i, f := range found {
		if views[i], err = c.leaver(f); err != nil {
			return err
		}
	}
	next := ""
	if more {
		next = "/portal/leavers?" + url.Values{"after": {found[len(found)-1].ID}}.Encode()
	}
	return c.ok(c.t("portal.leavers_title"), leaversPage(views, next))
}

func (c *call) leaver(f lifecycle.Offboarding) (leaverView, error) {
	v := leaverView{
		Name: f.UserID, Why: f.Why, EndedAt: f.EndedAt, Sessions: f.Sessions, Complete: f.Receipt.Complete, Receipt: "/portal/leavers/" + f.ID + "/receipt",
		Seconds: strconv.FormatFloat(float64(f.Receipt.SpanMS)/1000, 'f', 1, 64), //nolint:mnd // milliseconds of a second
	}
	for _, m := range f.Receipt.Missing {
		if !slices.Contains(v.Missing, m.Why) {
			v.Missing = append(v.Missing, m.Why)
		}
	}
	u, err := c.s.o.Members.User(c.ctx(), member.UserID(f.UserID))
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

func showAudit(c *call) error {
	page, err := c.s.o.Events.Audit(c.ctx(), event.AuditQuery{OrganizationID: string(c.org()), After: c.r.URL.Query().Get("after"), Limit: rowsShown})
	if err != nil {
		return err
	}
	v := auditView{Export: "/portal/audit.csv"}
	for _, e := range page.Entries {
		v.Rows = append(v.Rows, auditRow(e))
	}
	if page.After != "" {
		v.Next = "/portal/audit?" + url.Values{"after": {page.After}}.Encode()
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
	return web.Export{
		Name: "audit", Form: web.ExportCSV, Columns: event.AuditColumns(), Log: c.s.o.Logger,
		Next: func(ctx context.Context, after string) ([]web.Exported, string, error) {
			page, err := c.s.o.Events.Audit(ctx, event.AuditQuery{OrganizationID: string(c.org()), After: after, Limit: rowsExported})
			if err != nil {
				return nil, "", err
			}
			out := make([]web.Exported, len(page.Entries))
			for i, e := range page.Entries {
				out[i].Cells = e.Cells()
			}
			return out, page.After, nil
		},
	}.Write(c.w, c.r)
}
