package dashboard

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/lifecycle"
	"github.com/rollcallhq/rollcall/internal/member"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/web/ui"
	"github.com/rollcallhq/rollcall/internal/web/words"
)

// policyForm is the form of a policy as it was typed: a date as browsers have it, lives in minutes.
type policyForm struct{ sso, until, jit, idle, life string }

const dateForm = "2006-01-02"

// policyFormOf shows a policy. A date that is past is none any more.
func policyFormOf(p lifecycle.PolicyNow, now time.Time) policyForm {
	f := policyForm{sso: string(p.SSO), jit: string(p.Policy.JIT), idle: minutes(p.Idle), life: minutes(p.Life)}
	if p.SSOOptionalUntil.After(now) {
		f.until = p.SSOOptionalUntil.UTC().Format(dateForm)
	}
	return f
}

func minutes(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return strconv.Itoa(int(d / time.Minute))
}

func (c *call) policyPosted() policyForm {
	get := func(name string) string { return strings.TrimSpace(c.posted.Get(name)) }
	return policyForm{get("sso"), get("optional_until"), get("jit"), get("session_idle_seconds"), get("session_life_seconds")}
}

// change is what the form changes of what it showed.
func (f policyForm) change(shown policyForm, p lifecycle.PolicyNow) (out org.PolicyChange, err error) {
	if f.sso != shown.sso {
		sso := org.SSOPolicy(f.sso)
		out.SSO = &sso
	}
	switch {
	case f.until != shown.until:
		if out.OptionalUntil, err = dateOf(f.until); err != nil {
			return out, err
		}
	case out.SSO != nil && f.until != "": // which would take the date away
		out.OptionalUntil = &p.SSOOptionalUntil
	}
	if f.jit != shown.jit {
		jit := org.JIT(f.jit)
		out.JIT = &jit
	}
	if f.idle != shown.idle {
		if out.Idle, err = minutesOf("session_idle_seconds", f.idle); err != nil {
			return out, err
		}
	}
	if f.life != shown.life {
		out.Life, err = minutesOf("session_life_seconds", f.life)
	}
	return out, err
}

func dateOf(text string) (*time.Time, error) {
	if text == "" {
		return &time.Time{}, nil
	}
	at, err := time.Parse(dateForm, text)
	if err != nil {
		return nil, fault.New(fault.Unprocessable, "invalid_optional_until", "%.40q is not a date like 2026-11-22.", text).On("optional_until")
	}
	return &at, nil
}

// minutesOf takes nothing for the installation's.
func minutesOf(field, text string) (*time.Duration, error) {
	var d time.Duration
	if text == "" {
		return &d, nil
	}
	n, err := strconv.Atoi(text)
	if longest := int(org.MaxSession / time.Minute); err != nil || n < int(org.MinSession/time.Minute) || n > longest {
		return nil, fault.New(fault.Unprocessable, "invalid_session_life", "Give a number of minutes from %d to %d, or leave it empty.", int(org.MinSession/time.Minute), longest).On(field)
	}
	d = time.Duration(n) * time.Minute
	return &d, nil
}

func showPolicy(c *call) error {
	o, p, err := c.policy()
	if err != nil {
		return err
	}
	return c.policyPage(o, p, policyFormOf(p, c.s.o.Now()), breakGlassForm{hours: "24"}, misfit{})
}

func (c *call) policy() (o org.Organization, p lifecycle.PolicyNow, err error) {
	if o, err = c.organization(c.values["id"]); err == nil {
		p, err = c.s.o.Policies.Get(c.ctx(), o.ID)
	}
	return o, p, err
}

func (c *call) policyPage(o org.Organization, p lifecycle.PolicyNow, f policyForm, b breakGlassForm, m misfit) error {
	w, id := c.words(), string(o.ID)
	v := policyView{Sheet: c.organizationSheet(o, "policy")}
	v.Sheet.Wrong = m
	v.Sheet.Alerts = []ui.AlertProps{policyState(w, p)}
	v.Policy = c.readable(formView{
		ID: "policy", Form: c.form(hrefOf("organizations", id, "policy")), Title: w.T("organizations.policy"), Save: w.T("organizations.save"), Fields: c.policyFields(p, f, m),
	})
	if c.s.o.Members != nil {
		var err error
		if v.BreakGlass, err = c.breakGlassTable(); err != nil {
			return err
		}
		if c.changes() {
			v.Name = c.breakGlassFormView(id, b, m)
		}
	}
	v.LeftOut = ui.Link{Label: w.T("organizations.left_out_title"), Href: hrefOf("organizations", id, "policy", "left-out")}
	fr := organizationFrame(o, w.T("organizations.tab_policy"))
	fr.Status = m.Status
	return c.show(fr, v.view())
}

// policyState says whom the policy binds now.
func policyState(w *words.Words, p lifecycle.PolicyNow) ui.AlertProps {
	a := ui.AlertProps{Tone: ui.Info, Title: w.T("organizations.reach_" + string(p.Reach)), Text: w.T("organizations.reach_text_" + string(p.Reach))}
	switch p.Reach {
	case lifecycle.Required:
		a.Tone = ui.Good
	case lifecycle.Shut:
		a.Tone = ui.Bad
	case lifecycle.NotStarted, lifecycle.NotRequired:
	}
	return a
}

func (c *call) policyFields(p lifecycle.PolicyNow, f policyForm, m misfit) []templ.Component {
	w, off := c.words(), !c.changes()
	field := func(id, label, hint string) ui.FieldProps {
		return ui.FieldProps{ID: id, Label: label, Hint: hint, Error: m.on(id), Optional: true, Disabled: off}
	}
	choices := ui.ChoicesProps{FieldProps: ui.FieldProps{ID: "sso", Label: w.T("organizations.sso"), Error: m.on("sso"), Disabled: off}, Value: f.sso}
	for _, one := range org.AllSSOPolicies() {
		choices.Options = append(choices.Options, ui.Option{
			Value: string(one), Label: w.T("organizations.sso_" + string(one)), Hint: w.T("organizations.sso_hint_" + string(one)),
		})
	}
	jit := ui.SelectProps{
		FieldProps: field("jit", w.T("organizations.jit"), ""), Value: f.jit, Empty: w.T("organizations.jit_default", "now", w.T("organizations.jit_"+string(p.JIT))),
		Options: options(w, "organizations.jit_", org.AllJIT()),
	}
	lived := func(id, label, value string) templ.Component {
		return ui.Input(ui.InputProps{FieldProps: field(id, label, w.T("organizations.session_hint")), Type: "number", Value: value, Attrs: templ.Attributes{"min": "5", "max": "525600"}})
	}
	return []templ.Component{
		ui.Choices(choices),
		ui.Input(ui.InputProps{FieldProps: field("optional_until", w.T("organizations.optional_until"), w.T("organizations.optional_until_hint")), Type: "date", Value: f.until}),
		ui.Select(jit),
		lived("session_idle_seconds", w.T("organizations.idle"), f.idle),
		lived("session_life_seconds", w.T("organizations.life"), f.life),
	}
}

func setPolicy(c *call) error {
	o, p, err := c.policy()
	if err != nil {
		return err
	}
	posted := c.policyPosted()
	redraw := func(m misfit) error { return c.policyPage(o, p, posted, breakGlassForm{hours: "24"}, m) }
	change, err := posted.change(policyFormOf(p, c.s.o.Now()), p)
	if err != nil {
		return again(err, redraw)
	}
	_, err = c.s.o.Policies.Set(c.ctx(), c.operator.Actor(), o.ID, change, c.confirmedNumber())
	if asks := (*lifecycle.ConfirmationError)(nil); errors.As(err, &asks) {
		return c.leftOutPage(o, posted, asks.Number)
	}
	if err != nil {
		return again(c.notProven(err), redraw)
	}
	return c.done(hrefOf("organizations", string(o.ID), "policy"), "saved")
}

// notProven says how to mend it here what the verb says for the API.
func (c *call) notProven(err error) error {
	if f, ok := fault.As(err); ok && f.Code == "sso_not_proven" {
		return fault.New(f.Kind, f.Code, "%s", c.words().T("organizations.not_proven")).On(f.Field).Because(err)
	}
	return err
}

// breakGlassForm is the form that exempts somebody, as it was typed.
type breakGlassForm struct{ email, reason, hours string }

func (c *call) breakGlassFormView(id string, b breakGlassForm, m misfit) formView {
	w := c.words()
	return formView{
		ID: "break-glass", Form: c.form(hrefOf("organizations", id, "policy", "break-glass")), Title: w.T("organizations.exempt"), Text: w.T("organizations.exempt_text"),
		Save: w.T("organizations.exempt"), Fields: []templ.Component{
			ui.Input(ui.InputProps{FieldProps: ui.FieldProps{ID: "email", Label: w.T("organizations.email"), Hint: w.T("organizations.email_hint"), Error: m.on("email")}, Type: "email", Value: b.email, MaxLength: 254}),
			ui.Input(ui.InputProps{FieldProps: ui.FieldProps{ID: "reason", Label: w.T("organizations.reason"), Hint: w.T("organizations.reason_hint"), Error: m.on("reason")}, Value: b.reason, MaxLength: 500}),
			ui.Input(ui.InputProps{
				FieldProps: ui.FieldProps{ID: "hours", Label: w.T("organizations.hours"), Error: m.on("expires_at")}, Type: "number", Value: b.hours,
				Attrs: templ.Attributes{"min": "1", "max": strconv.Itoa(int(org.MaxBreakGlassLife.Hours()))},
			}),
		},
	}
}

// exemptRow is somebody who is exempted from the policy.
type exemptRow struct {
	org.BreakGlass
	user member.User
}

// exemptTable are those who are exempted from an organization's policy.
func exemptTable(c *call) (table[exemptRow], error) {
	o, err := c.organization(c.values["id"])
	if err != nil {
		return table[exemptRow]{}, err
	}
	if c.s.o.Members == nil {
		return table[exemptRow]{}, c.errNoAccounts()
	}
	w := c.words()
	return table[exemptRow]{
		id: "exempt", file: "exempted", at: hrefOf("organizations", string(o.ID), "policy", "break-glass"), key: func(exemptRow) string { return "" },
		read: whole(func(ctx context.Context) ([]exemptRow, error) { return c.exempted(ctx, o.ID) }),
		fields: ui.Fields[exemptRow]{
			ui.InExport("user_id", func(r exemptRow) string { return r.UserID }),
			ui.Both(ui.Column{Label: w.T("organizations.person")}, func(r exemptRow) templ.Component { return ui.Person(r.user.Name(), r.user.Email, "") },
				"email", func(r exemptRow) string { return r.user.Email }),
			ui.Both(ui.Column{Label: w.T("organizations.reason")}, func(r exemptRow) templ.Component { return ui.Text(r.Reason) }, "reason", func(r exemptRow) string { return r.Reason }),
			ui.InExport("named_by", func(r exemptRow) string { return r.NamedBy }),
			ui.InExport("created_at", func(r exemptRow) string { return written(r.CreatedAt) }),
			ui.Both(ui.Column{Label: w.T("organizations.ends")}, func(r exemptRow) templ.Component { return moment(r.ExpiresAt) },
				"expires_at", func(r exemptRow) string { return written(r.ExpiresAt) }),
			ui.OnPage(ui.Column{Label: w.T("organizations.actions"), Unseen: true, Number: true}, func(r exemptRow) templ.Component {
				if !c.changes() {
					return templ.NopComponent
				}
				return ui.Button(ui.ButtonProps{
					Label: w.T("organizations.revoke"), Variant: ui.Secondary, Small: true, Href: hrefOf("organizations", string(r.OrganizationID), "policy", "break-glass", r.UserID, "revoke"),
				})
			}),
		},
	}, nil
}

func (c *call) exempted(ctx context.Context, id org.ID) ([]exemptRow, error) {
	all, err := c.s.o.Policies.BreakGlassUsers(ctx, id)
	if err != nil {
		return nil, err
	}
	out := make([]exemptRow, len(all))
	for i, b := range all {
		u, err := c.s.o.Members.User(ctx, member.UserID(b.UserID))
		if fault.Is(err, fault.NotFound) { // the account was deleted, and its exemption is not yet
			u, err = member.User{Email: b.UserID}, nil
		}
		if err != nil {
			return nil, err
		}
		out[i] = exemptRow{b, u}
	}
	return out, nil
}

func (c *call) breakGlassTable() (ui.TableProps, error) {
	list, err := exemptTable(c)
	if err != nil {
		return ui.TableProps{}, err
	}
	w := c.words()
	t := ui.TableProps{
		Caption: w.T("organizations.break_glass"), Titled: true, Export: list.exportLink(c),
		Empty: ui.EmptyProps{Icon: ui.IconKey, Title: w.T("organizations.no_break_glass"), Text: w.T("organizations.no_break_glass_text")},
	}
	_, err = list.fill(c, &t)
	return t, err
}

// errNoAccounts: people can be exempted only where they are known.
func (c *call) errNoAccounts() error {
	return fault.New(fault.Unsupported, "no_accounts", "%s", c.words().T("organizations.no_accounts"))
}

func nameBreakGlass(c *call) error {
	o, p, err := c.policy()
	if err != nil {
		return err
	}
	if c.s.o.Members == nil {
		return c.errNoAccounts()
	}
	b := breakGlassForm{strings.TrimSpace(c.posted.Get("email")), c.posted.Get("reason"), strings.TrimSpace(c.posted.Get("hours"))}
	if err := c.exempt(o.ID, b); err != nil {
		if fault.Is(err, fault.NotFound) {
			err = fault.New(fault.Unprocessable, "no_member", "%s", c.words().T("organizations.no_such_member", "email", b.email)).On("email").Because(err)
		}
		return again(err, func(m misfit) error { return c.policyPage(o, p, policyFormOf(p, c.s.o.Now()), b, m) })
	}
	return c.done(hrefOf("organizations", string(o.ID), "policy"), "exempted")
}

func (c *call) exempt(id org.ID, b breakGlassForm) error {
	u, err := c.s.o.Members.UserByEmail(c.ctx(), b.email)
	if err != nil {
		return err
	}
	hours, err := strconv.Atoi(b.hours)
	if err != nil || hours < 1 || hours > int(org.MaxBreakGlassLife.Hours()) {
		return fault.New(fault.Unprocessable, "invalid_expires_at", "%s", c.words().T("organizations.hours_wrong", "n", int(org.MaxBreakGlassLife.Hours()))).On("expires_at")
	}
	_, err = c.s.o.Policies.NameBreakGlass(c.ctx(), c.operator.Actor(), id, lifecycle.NewBreakGlass{
		UserID: u.ID, Reason: b.reason, ExpiresAt: c.s.o.Now().Add(time.Duration(hours) * time.Hour),
	})
	return err
}

func showBreakGlassRevoke(c *call) error {
	o, err := c.organization(c.values["id"])
	if err != nil {
		return err
	}
	if c.s.o.Members == nil {
		return c.errNoAccounts()
	}
	m, err := c.s.o.Members.MemberOf(c.ctx(), string(o.ID), member.UserID(c.values["user"]))
	if err != nil {
		return err
	}
	w, back := c.words(), hrefOf("organizations", string(o.ID), "policy")
	f := organizationFrame(o, w.T("organizations.revoke"))
	f.Narrow = true
	return c.show(f, ui.Confirm(ui.ConfirmProps{
		Title: w.T("organizations.revoke_title", "email", m.User.Email), Text: w.T("organizations.revoke_text"),
		Form: c.form(back + "/break-glass/" + string(m.User.ID) + "/revoke"), Confirm: w.T("organizations.revoke"), Cancel: ui.Link{Href: back},
	}))
}

func revokeBreakGlass(c *call) error {
	o, err := c.organization(c.values["id"])
	if err != nil {
		return err
	}
	if c.s.o.Members == nil {
		return c.errNoAccounts()
	}
	if err := c.s.o.Policies.RevokeBreakGlass(c.ctx(), c.operator.Actor(), o.ID, member.UserID(c.values["user"])); err != nil {
		return err
	}
	return c.done(hrefOf("organizations", string(o.ID), "policy"), "exemption_revoked")
}
