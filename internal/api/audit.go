package api

import (
	"context"
	"regexp"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/lifecycle"
	"github.com/rollcallhq/rollcall/internal/web"
)

const maxFilter = 100 // bytes of an id that a filter names

// actionForm is how actions are written: directory.updated.
var actionForm = regexp.MustCompile(`^[a-z_]+(\.[a-z_]+){1,3}$`)

func (c *call) auditQuery() (event.AuditQuery, error) {
	q := event.AuditQuery{After: c.query.Get("after"), Actor: c.query.Get("actor"), Target: c.query.Get("target")}
	for name, value := range map[string]string{"actor": q.Actor, "target": q.Target} {
		if len(value) > maxFilter {
			return q, errField(name, "too_long", "%s is an id of at most %d characters.", name, maxFilter)
		}
	}
	p, err := c.auditOrder()
	if err != nil {
		return q, err
	}
	q.Limit, q.Ascending = p.limit, p.ascending
	if q.OrganizationID, err = c.filterID("organization_id", orgPrefix); err != nil {
		return q, err
	}
	actions, err := c.values("actions")
	if err != nil {
		return q, err
	}
	for _, a := range actions {
		if len(a) > maxFilter || !actionForm.MatchString(a) {
			return q, errField("actions", "invalid_action", "Actions are written like directory.updated, not %.60q.", a)
		}
		q.Actions = append(q.Actions, event.Action(a))
	}
	if q.From, err = c.moment("range_start"); err != nil {
		return q, err
	}
	q.Until, err = c.moment("range_end")
	return q, err
}

// auditOrder reads limit and order; the list has a cursor of its own.
func (c *call) auditOrder() (p paging, err error) {
	if c.query.Get("before") != "" {
		return p, errField("before", "invalid_cursor", "This list is read forward in its order: take list_metadata.after, or turn the order round.")
	}
	switch order := c.query.Get("order"); order {
	case "", "normal", "desc":
	case "asc":
		p.ascending = true
	default:
		return p, errField("order", "invalid_order", "order is asc or desc, not %.40q.", order)
	}
	p.limit, err = c.limit()
	return p, err
}

// listAudit lists every change with its one cause.
func listAudit(c *call) (answer, error) {
	form, err := c.exportForm()
	if err != nil {
		return answer{}, err
	}
	q, err := c.auditQuery()
	if err != nil {
		return answer{}, err
	}
	if form != asPages {
		return c.exportAudit(form, q)
	}
	page, err := c.o.Events.Audit(c.ctx(), q)
	if err != nil {
		return answer{}, err
	}
	out, err := listOf(paging{}, page.Entries, false, func(e event.AuditEntry) string { return e.ID }, showAudit)
	out.Metadata = ends{After: optional(page.After)}
	return ok(out), err
}

func (c *call) exportAudit(form exportAs, q event.AuditQuery) (answer, error) {
	return c.export(form, "audit", event.AuditColumns(), func(ctx context.Context, after string) ([]web.Exported, string, error) {
		q.After, q.Limit = after, exportBatch
		page, err := c.o.Events.Audit(ctx, q)
		out := make([]web.Exported, len(page.Entries))
		for i, e := range page.Entries {
			out[i] = web.Exported{Line: e.JSON(), Cells: e.Cells()}
		}
		return out, page.After, err
	})
}

func showAudit(e event.AuditEntry) (jsontext.Value, error) { return e.JSON(), nil }

// listAccess lists who has access to an organization, or had it at a moment.
func listAccess(c *call) (answer, error) {
	form, err := c.exportForm()
	if err != nil {
		return answer{}, err
	}
	q := lifecycle.AccessQuery{OrganizationID: c.path["id"]}
	if q.After = c.query.Get("after"); q.After != "" && !isID(q.After, membershipPrefix) {
		return answer{}, errCursor("after", q.After, membershipPrefix)
	}
	if q.At, err = c.moment("at"); err != nil {
		return answer{}, err
	}
	if q.At.IsZero() { // one moment for all pages of an export
		q.At = c.o.Now()
	}
	if q.Limit, err = c.limit(); err != nil {
		return answer{}, err
	}
	if form != asPages {
		return c.exportAccess(form, q)
	}
	found, more, err := c.o.Audits.AccessAt(c.ctx(), q)
	if err != nil {
		return answer{}, err
	}
	out, err := listOf(paging{after: q.After}, found, more, func(a lifecycle.Access) string { return a.MembershipID }, showAccess(q.At))
	out.Metadata.Before = nil // it is read forward alone
	return ok(out), err
}

func (c *call) exportAccess(form exportAs, q lifecycle.AccessQuery) (answer, error) {
	columns := []string{"at", "organization_membership_id", "user_id", "email", "first_name", "last_name", "role", "primary", "since"}
	show := showAccess(q.At)
	return c.export(form, "access", columns, func(ctx context.Context, after string) ([]web.Exported, string, error) {
		q.After, q.Limit = after, exportBatch
		found, more, err := c.o.Audits.AccessAt(ctx, q)
		if err != nil {
			return nil, "", err
		}
		out := make([]web.Exported, len(found))
		for i, a := range found {
			if out[i].Line, err = show(a); err != nil {
				return nil, "", err
			}
			out[i].Cells = []string{
				event.Shown(q.At), a.MembershipID, a.UserID, a.Email, a.FirstName, a.LastName, a.Role, strconv.FormatBool(a.Primary), event.Shown(a.Since),
			}
		}
		if !more {
			return out, "", nil
		}
		return out, found[len(found)-1].MembershipID, nil
	})
}

func showAccess(at time.Time) func(lifecycle.Access) (jsontext.Value, error) {
	return func(a lifecycle.Access) (jsontext.Value, error) {
		return encode(struct {
			Object       string  `json:"object"`
			MembershipID string  `json:"organization_membership_id"`
			UserID       string  `json:"user_id"`
			Email        *string `json:"email"`
			FirstName    *string `json:"first_name"`
			LastName     *string `json:"last_name"`
			Role         string  `json:"role"`
			Primary      bool    `json:"primary"`
			Since        string  `json:"since"`
			At           string  `json:"at"`
		}{"access", a.MembershipID, a.UserID, optional(a.Email), optional(a.FirstName), optional(a.LastName), a.Role, a.Primary, event.Shown(a.Since), event.Shown(at)})
	}
}
