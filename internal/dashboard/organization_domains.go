package dashboard

import (
	"strconv"

	"github.com/a-h/templ"

	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/web/ui"
	"github.com/rollcallhq/rollcall/internal/web/words"
)

const domainPrefix = "org_domain"

func showDomains(c *call) error {
	o, err := c.organization(c.values["id"])
	if err != nil {
		return err
	}
	return c.domainsPage(o, "", misfit{})
}

func (c *call) domainsPage(o org.Organization, typed string, m misfit) error {
	w, id := c.words(), string(o.ID)
	v := domainsView{Sheet: c.organizationSheet(o, "domains")}
	v.Sheet.Wrong = m
	approvals, err := c.s.o.Organizations.Approvals(c.ctx(), o.ID)
	if err != nil {
		return err
	}
	for _, d := range o.Domains {
		v.Domains = append(v.Domains, c.domainView(d, approvals[d.ID]))
	}
	if c.changes() {
		v.Add = formView{
			ID: "add", Form: c.form(hrefOf("organizations", id, "domains")), Title: w.T("organizations.add_domain"), Text: w.T("organizations.add_domain_text"),
			Save: w.T("organizations.add_domain"), Fields: []templ.Component{ui.Input(ui.InputProps{
				FieldProps: ui.FieldProps{ID: "domain", Label: w.T("organizations.domain"), Error: m.on("domain")}, Value: typed, Placeholder: "example.com", MaxLength: 253, Mono: true,
			})},
		}
	}
	f := organizationFrame(o, w.T("organizations.tab_domains"))
	f.Status = m.Status
	return c.show(f, v.view())
}

func (c *call) domainView(d org.Domain, a org.Approval) domainView {
	w, href := c.words(), hrefOf("organizations", string(d.OrganizationID), "domains", d.ID)
	v := domainView{ID: d.ID, Name: d.Domain, State: domainBadge(w, d.State), Note: domainNote(w, d)}
	if d.State != org.Verified {
		for i, r := range d.Records() {
			n := d.ID + "-" + strconv.Itoa(i)
			v.Records = append(
				v.Records,
				ui.CopyProps{ID: n + "-name", Label: w.T("organizations.record_name", "n", i+1), Value: r.Name},
				ui.CopyProps{ID: n + "-value", Label: w.T("organizations.record_value", "n", i+1), Value: r.Value},
			)
		}
	}
	asked := a.Open() && d.State != org.Verified
	if asked {
		v.Asked, v.AskedBy = a.AskedAt, a.AskedBy
	}
	if !c.changes() {
		return v
	}
	if asked {
		v.Actions = []action{
			{Label: w.T("organizations.approve"), Href: href + "/vouch", Small: true},
			{Label: w.T("organizations.refuse"), Form: c.form(href + "/refuse"), Variant: ui.Secondary, Small: true},
		}
	} else if d.State != org.Verified {
		v.Actions = []action{
			{Label: w.T("organizations.verify"), Form: c.form(href + "/verify"), Icon: ui.IconRefresh, Small: true},
			{Label: w.T("organizations.vouch"), Href: href + "/vouch", Variant: ui.Secondary, Small: true},
		}
	}
	v.Actions = append(v.Actions, action{Label: w.T("organizations.delete_domain"), Href: href + "/delete", Variant: ui.Ghost, Icon: ui.IconTrash, Small: true})
	return v
}

func domainBadge(w *words.Words, s org.DomainState) ui.BadgeProps {
	b := ui.BadgeProps{Label: w.T("organizations.domain_" + string(s)), Dot: true}
	switch s {
	case org.Verified:
		b.Tone = ui.Good
	case org.Failed:
		b.Tone = ui.Bad
	case org.Pending:
		b.Tone = ui.Info
	}
	return b
}

func domainNote(w *words.Words, d org.Domain) string {
	switch {
	case d.State == org.Verified && d.Strategy == org.Manual:
		return w.T("organizations.domain_note_manual")
	case d.State == org.Verified:
		return w.T("organizations.domain_note_dns")
	case d.State == org.Failed:
		return w.T("organizations.domain_note_failed")
	}
	return w.T("organizations.domain_note_pending")
}

func addDomain(c *call) error {
	o, err := c.organization(c.values["id"])
	if err != nil {
		return err
	}
	typed := c.posted.Get("domain")
	if _, err := c.s.o.Organizations.CreateDomain(c.ctx(), c.operator.Actor(), o.ID, typed); err != nil {
		return again(err, func(m misfit) error { return c.domainsPage(o, typed, m) })
	}
	return c.done(hrefOf("organizations", string(o.ID), "domains"), "domain_added")
}

// domain finds the one of the address, which has to be the organization's.
func (c *call) domain() (o org.Organization, d org.Domain, err error) {
	if o, err = c.organization(c.values["id"]); err != nil {
		return o, d, err
	}
	id := c.values["domain"]
	if !isID(id, domainPrefix) {
		return o, d, org.DomainNotFound(id)
	}
	if d, err = c.s.o.Organizations.GetDomain(c.ctx(), id); err == nil && d.OrganizationID != o.ID {
		err = org.DomainNotFound(id)
	}
	return o, d, err
}

// verifyDomain asks the DNS now. That it has no record yet is no failure: the page says what is missing.
func verifyDomain(c *call) error {
	o, d, err := c.domain()
	if err != nil {
		return err
	}
	if d, err = c.s.o.Organizations.VerifyDomain(c.ctx(), c.operator.Actor(), d.ID); err != nil {
		return again(err, func(m misfit) error { return c.domainsPage(o, "", m) })
	}
	if d.State != org.Verified {
		return c.done(hrefOf("organizations", string(o.ID), "domains"), "domain_looked_for")
	}
	return c.done(hrefOf("organizations", string(o.ID), "domains"), "domain_verified")
}

func showDomainVouch(c *call) error {
	o, d, err := c.domain()
	if err != nil {
		return err
	}
	return c.domainVouchPage(o, d, misfit{})
}

func (c *call) domainVouchPage(o org.Organization, d org.Domain, m misfit) error {
	w := c.words()
	return c.domainAsk(o, d, "vouch", m, ui.ConfirmProps{
		Title: w.T("organizations.vouch_title", "domain", d.Domain), Text: w.T("organizations.vouch_text", "organization", o.Name),
		Confirm: w.T("organizations.vouch"), Variant: ui.Primary,
	})
}

func (c *call) domainAsk(o org.Organization, d org.Domain, verb string, m misfit, p ui.ConfirmProps) error {
	back := hrefOf("organizations", string(o.ID), "domains")
	p.Form, p.Cancel = c.form(back+"/"+d.ID+"/"+verb), ui.Link{Href: back}
	f := organizationFrame(o, p.Title)
	f.Narrow, f.Status = true, m.Status
	return c.show(f, asking(m, p))
}

func vouchForDomain(c *call) error {
	o, d, err := c.domain()
	if err != nil {
		return err
	}
	if _, err := c.s.o.Organizations.VouchForDomain(c.ctx(), c.operator.Actor(), d.ID); err != nil {
		return again(err, func(m misfit) error { return c.domainVouchPage(o, d, m) })
	}
	return c.done(hrefOf("organizations", string(o.ID), "domains"), "domain_verified")
}

// refuseDomain answers whoever asked for it that the operator does not vouch for a domain: the DNS has to prove it.
func refuseDomain(c *call) error {
	o, d, err := c.domain()
	if err != nil {
		return err
	}
	if _, err := c.s.o.Organizations.RefuseApproval(c.ctx(), c.operator.Actor(), d.ID); err != nil {
		return again(err, func(m misfit) error { return c.domainsPage(o, "", m) })
	}
	return c.done(hrefOf("organizations", string(o.ID), "domains"), "domain_refused")
}

// askedDomains wait for the operator's word.
func askedDomains(c *call) (out []concern, err error) {
	found, err := c.s.o.Organizations.AwaitingApproval(c.ctx(), attentionMost)
	if err != nil {
		return nil, err
	}
	for _, a := range found {
		out = append(out, concern{
			Tone: ui.Info, Kind: "domain_asked", What: a.Domain, Organization: a.Organization, Href: hrefOf("organizations", string(a.OrganizationID), "domains"), Since: a.At,
		})
	}
	return out, nil
}

func showDomainDelete(c *call) error {
	o, d, err := c.domain()
	if err != nil {
		return err
	}
	w := c.words()
	return c.domainAsk(o, d, "delete", misfit{}, ui.ConfirmProps{
		Title: w.T("organizations.delete_domain_title", "domain", d.Domain), Text: w.T("organizations.delete_domain_text", "organization", o.Name),
		Confirm: w.T("organizations.delete_domain"),
	})
}

func deleteDomain(c *call) error {
	o, d, err := c.domain()
	if err != nil {
		return err
	}
	if err := c.s.o.Organizations.DeleteDomain(c.ctx(), c.operator.Actor(), d.ID); err != nil {
		return err
	}
	return c.done(hrefOf("organizations", string(o.ID), "domains"), "domain_deleted")
}
