package dashboard

import (
	"cmp"
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/lifecycle"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/web/ui"
	"github.com/rollcallhq/rollcall/internal/web/words"
)

const (
	namedLeftOut = 20                  // of those who would be left out, on the page that asks; all are on a page of their own
	timeOffered  = 14 * 24 * time.Hour // for which single sign-on is proposed to stay optional

	// withoutProvider asks, in the place of a policy, about those who could not come in if the identity provider was deleted.
	withoutProvider = "without"
)

// leftOutQuery is what an address asks about.
func (c *call) leftOutQuery(o org.Organization, as string) (q lifecycle.LeftOutQuery, err error) {
	q = lifecycle.LeftOutQuery{OrganizationID: o.ID}
	switch as {
	case withoutProvider:
		q.Without = true
	case "", string(org.RequiredForAll), string(org.RequiredForPrimary):
		q.As = org.SSOPolicy(as)
	default:
		err = fault.New(fault.Unprocessable, "invalid_sso", "%s", c.words().T("organizations.left_out_wrong")).On("sso")
	}
	return q, err
}

// leftOutTable are those who might not get in if a policy was in force, or the provider was gone.
func leftOutTable(c *call) (table[lifecycle.LeftOut], error) {
	o, err := c.organization(c.values["id"])
	if err != nil {
		return table[lifecycle.LeftOut]{}, err
	}
	query, err := c.query()
	if err != nil {
		return table[lifecycle.LeftOut]{}, err
	}
	asks, err := c.leftOutQuery(o, query.Get("sso"))
	if err != nil {
		return table[lifecycle.LeftOut]{}, err
	}
	w := c.words()
	return table[lifecycle.LeftOut]{
		id: "left-out", file: "left-out", at: hrefOf("organizations", string(o.ID), "policy", "left-out"), query: query, filters: []string{"sso"}, cursor: membershipPrefix,
		key: func(l lifecycle.LeftOut) string { return string(l.Member.Membership.ID) },
		read: func(ctx context.Context, p paging, limit int) ([]lifecycle.LeftOut, bool, error) {
			q := asks
			q.Before, q.After, q.Limit = p.before, p.after, limit
			return c.s.o.Policies.LeftOut(ctx, q)
		},
		fields: ui.Fields[lifecycle.LeftOut]{
			ui.InExport("organization_membership_id", func(l lifecycle.LeftOut) string { return string(l.Member.Membership.ID) }),
			ui.InExport("name", func(l lifecycle.LeftOut) string { return l.Member.User.Name() }),
			ui.Both(ui.Column{Label: w.T("organizations.person")}, func(l lifecycle.LeftOut) templ.Component {
				return ui.Person(l.Name(), l.Member.User.Email, hrefOf("members", string(l.Member.Membership.ID)))
			}, "email", func(l lifecycle.LeftOut) string { return l.Member.User.Email }),
			ui.InExport("status", func(l lifecycle.LeftOut) string { return string(l.Member.Membership.State) }),
			ui.Both(ui.Column{Label: w.T("organizations.left_out_why")}, func(l lifecycle.LeftOut) templ.Component { return ui.Text(leftOutReasons(w, l)) },
				"reasons", func(l lifecycle.LeftOut) string { return strings.Join(reasonsOf(l), " ") }),
		},
	}, nil
}

func reasonsOf(l lifecycle.LeftOut) []string {
	out := make([]string, len(l.Reasons))
	for i, r := range l.Reasons {
		out[i] = string(r)
	}
	return out
}

func leftOutReasons(w *words.Words, l lifecycle.LeftOut) string {
	says := reasonsOf(l)
	for i, r := range says {
		says[i] = w.T("organizations.left_out_" + r)
	}
	return strings.Join(says, "; ")
}

// showLeftOut lists everybody by name, before anything is required or deleted.
func showLeftOut(c *call) error {
	o, err := c.organization(c.values["id"])
	if err != nil {
		return err
	}
	list, err := leftOutTable(c)
	if err != nil {
		return err
	}
	w, as := c.words(), list.query.Get("sso")
	t := ui.TableProps{
		Caption: w.T("organizations.left_out_title"), Empty: ui.EmptyProps{Icon: ui.IconUsers, Title: w.T("organizations.left_out_nobody"), Text: w.T("organizations.left_out_nobody_text")},
	}
	if _, err := list.fill(c, &t); err != nil {
		return err
	}
	text := w.T("organizations.left_out_text")
	if as == withoutProvider {
		text = w.T("organizations.left_out_without_text")
	}
	back := hrefOf("organizations", string(o.ID), "policy")
	v := leftOutView{
		Head:   ui.HeadProps{Title: w.T("organizations.left_out_title"), Text: text, Back: ui.Link{Label: w.T("organizations.tab_policy"), Href: back}, Actions: acts([]action{list.exportAction(c)})},
		People: t, Path: list.at, As: as,
		Options: []ui.Option{
			{Value: string(org.RequiredForPrimary), Label: w.T("organizations.left_out_primary")}, {Value: withoutProvider, Label: w.T("organizations.left_out_without")},
		},
	}
	return c.show(organizationFrame(o, w.T("organizations.left_out_title")), v.view())
}

// leftOutPage names those who would have no way in any more, and offers to leave them time.
func (c *call) leftOutPage(o org.Organization, f policyForm, n int) error {
	people, more, err := c.s.o.Policies.LeftOut(c.ctx(), lifecycle.LeftOutQuery{OrganizationID: o.ID, As: org.SSOPolicy(f.sso), Limit: namedLeftOut})
	if err != nil {
		return err
	}
	w := c.words()
	says := make([]string, 0, len(people)+1)
	for _, one := range people {
		says = append(says, one.Name()+" ("+one.Member.User.Email+")")
	}
	if more {
		says = append(says, w.T("organizations.left_out_more", "n", n-len(people)))
	}
	href := hrefOf("organizations", string(o.ID), "policy")
	hidden := []ui.Hidden{
		{Name: "sso", Value: f.sso},
		{Name: "jit", Value: f.jit},
		{Name: "session_idle_seconds", Value: f.idle},
		{Name: "session_life_seconds", Value: f.life},
	}
	proposed := cmp.Or(f.until, c.s.o.Now().Add(timeOffered).UTC().Format(dateForm))
	v := leftOutAsks{
		Confirm: ui.ConfirmProps{
			Title: w.N("organizations.left_out", n), Text: w.T("organizations.left_out_text"), Lines: says,
			Form:    c.form(href, append(hidden[:len(hidden):len(hidden)], ui.Hidden{Name: "optional_until", Value: f.until}, ui.Hidden{Name: "confirm", Value: strconv.Itoa(n)})...),
			Confirm: w.T("organizations.require_anyway"), Cancel: ui.Link{Href: href},
		},
		All: ui.Link{Label: w.T("organizations.left_out_all"), Href: href + "/left-out?sso=" + f.sso},
		Time: formView{
			ID: "leave-time", Form: c.form(href, hidden...), Title: w.T("organizations.leave_time"), Text: w.T("organizations.leave_time_text"), Save: w.T("organizations.leave_time_go"),
			Fields: []templ.Component{ui.Input(ui.InputProps{
				FieldProps: ui.FieldProps{ID: "optional_until", Label: w.T("organizations.optional_until"), Hint: w.T("organizations.optional_until_utc")}, Type: "date", Value: proposed,
			})},
		},
	}
	fr := organizationFrame(o, w.T("organizations.tab_policy"))
	fr.Narrow, fr.Status = true, http.StatusConflict
	return c.show(fr, v.view())
}
