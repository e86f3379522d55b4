package dashboard

import (
	"context"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/operator"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/web/ui"
)

const apiKeysPath = Prefix + "api-keys"

// apiKeyPages are the addresses of API keys, which belong to organizations.
func apiKeyPages() []row {
	const see, change = operator.ReadOnly, operator.Admin
	return []row{
		{apiKeysPath, "dashboard_api_keys", see, showAPIKeys, change, createAPIKey},
		exportRow(apiKeysPath, "dashboard_api_keys", see, apiKeysTable),
		{apiKeysPath + "/{organization}/{id}/revoke", "dashboard_api_key", change, askRevokeAPIKey, change, revokeAPIKey},
	}
}

func apiKeysOf(id org.ID) string { return apiKeysPath + "?organization=" + url.QueryEscape(string(id)) }

func showAPIKeys(c *call) error {
	query, err := c.query()
	if err != nil {
		return err
	}
	organization, err := filterOrganizationID(query)
	if err != nil {
		return err
	}
	if organization == "" {
		w := c.words()
		return c.chooseOrganization(query, w.T("keys.title"), w.T("keys.choose"), "api-keys")
	}
	return c.apiKeysPage(organization, query, misfit{})
}

// apiKeysTable are the keys of an organization, without their values.
func apiKeysTable(c *call) (table[org.APIKey], error) {
	query, err := c.query()
	if err != nil {
		return table[org.APIKey]{}, err
	}
	id, err := filterOrganizationID(query)
	if err != nil {
		return table[org.APIKey]{}, err
	}
	o, err := c.organization(id)
	if err != nil {
		return table[org.APIKey]{}, err
	}
	return c.apiKeysOf(o, query), nil
}

func (c *call) apiKeysOf(o org.Organization, query url.Values) table[org.APIKey] {
	w := c.words()
	t := table[org.APIKey]{
		id: "api-keys", file: "api-keys", at: apiKeysPath, query: query, filters: []string{"organization"}, cursor: apiKeyPrefix, key: func(k org.APIKey) string { return k.ID },
		read: func(ctx context.Context, p paging, limit int) ([]org.APIKey, bool, error) {
			return c.s.o.Organizations.APIKeys(ctx, org.APIKeyQuery{OrganizationID: o.ID, Before: p.before, After: p.after, Limit: limit})
		},
		fields: ui.Fields[org.APIKey]{
			ui.InExport("id", func(k org.APIKey) string { return k.ID }),
			ui.Both(ui.Column{Label: w.T("common.name")}, func(k org.APIKey) templ.Component { return ui.Strong(k.Name) }, "name", func(k org.APIKey) string { return k.Name }),
			ui.Both(ui.Column{Label: w.T("keys.value")}, func(k org.APIKey) templ.Component { return ui.Mono("sk_…" + k.Hint) }, "hint", func(k org.APIKey) string { return k.Hint }),
			ui.Both(ui.Column{Label: w.T("common.state")}, func(k org.APIKey) templ.Component { return ui.Badge(c.apiKeyBadge(k)) },
				"expired", func(k org.APIKey) string { return strconv.FormatBool(k.Expired(c.s.o.Now())) }),
			ui.Both(ui.Column{Label: w.T("keys.permissions"), Minor: true}, func(k org.APIKey) templ.Component { return ui.Text(orDash(strings.Join(k.Permissions, ", "))) },
				"permissions", func(k org.APIKey) string { return joined(k.Permissions) }),
			ui.Both(ui.Column{Label: w.T("keys.last_used")}, func(k org.APIKey) templ.Component { return moment(k.LastUsedAt) },
				"last_used_at", func(k org.APIKey) string { return written(k.LastUsedAt) }),
			ui.Both(ui.Column{Label: w.T("keys.expires"), Minor: true}, func(k org.APIKey) templ.Component { return expiry(k.ExpiresAt) },
				"expires_at", func(k org.APIKey) string { return written(k.ExpiresAt) }),
			ui.InExport("created_at", func(k org.APIKey) string { return written(k.CreatedAt) }),
			ui.OnPage(ui.Column{Label: w.T("common.actions"), Unseen: true, Number: true}, func(k org.APIKey) templ.Component {
				if !c.changes() {
					return templ.NopComponent
				}
				return act(action{Label: w.T("keys.revoke"), Href: hrefOf("api-keys", string(o.ID), k.ID, "revoke"), Variant: ui.Danger, Small: true})
			}),
		},
	}
	return t
}

func (c *call) apiKeysPage(organizationID string, query url.Values, m misfit) error {
	o, err := c.organization(organizationID)
	if err != nil {
		return err
	}
	w := c.words()
	query.Set("organization", string(o.ID)) // where a form was refused the address does not say it
	list := c.apiKeysOf(o, query)
	t := ui.TableProps{Caption: w.T("keys.of", "organization", o.Name), Empty: ui.EmptyProps{Icon: ui.IconKey, Title: w.T("keys.none"), Text: w.T("keys.none_text")}}
	if _, err := list.fill(c, &t); err != nil {
		return err
	}
	s := sheetView{Wrong: m, Head: ui.HeadProps{
		Title: w.T("keys.of", "organization", o.Name), Text: w.T("keys.lead"), Back: ui.Link{Label: w.T("keys.title"), Href: apiKeysPath}, Actions: acts([]action{list.exportAction(c)}),
	}}
	return c.show(frame{Title: s.Head.Title, Status: m.Status, Crumbs: []ui.Link{{Label: o.Name}}}, listing(s, t, c.ifAdmin(form(c.apiKeyForm(o, m)))...))
}

// expiry is a cell with an end; none is said so.
func expiry(at time.Time) templ.Component {
	if at.IsZero() {
		return neverEnds()
	}
	return moment(at)
}

func (c *call) apiKeyBadge(k org.APIKey) ui.BadgeProps {
	if k.Expired(c.s.o.Now()) {
		return ui.BadgeProps{Label: c.words().T("keys.expired"), Dot: true}
	}
	return ui.BadgeProps{Label: c.words().T("keys.living"), Tone: ui.Good, Dot: true}
}

func (c *call) apiKeyForm(o org.Organization, m misfit) formView {
	w := c.words()
	return formView{
		ID: "api-key-form", Form: c.form(apiKeysPath, ui.Hidden{Name: "organization", Value: string(o.ID)}), Title: w.T("keys.add"), Text: w.T("keys.add_text"), Save: w.T("keys.add"),
		Fields: []templ.Component{
			ui.Input(ui.InputProps{FieldProps: ui.FieldProps{ID: "name", Label: w.T("common.name"), Hint: w.T("keys.name_hint"), Error: m.on("name")}, Value: c.posted.Get("name"), MaxLength: 255}),
			ui.Switch(ui.SwitchProps{FieldProps: ui.FieldProps{ID: "scim", Label: w.T("keys.scim"), Hint: w.T("keys.scim_hint")}, On: c.posted == nil || c.posted.Get("scim") != ""}),
			ui.TextArea(ui.TextAreaProps{
				FieldProps: ui.FieldProps{ID: "permissions", Label: w.T("keys.permissions"), Hint: w.T("keys.permissions_hint"), Optional: true, Error: m.on("permissions")},
				Value:      c.posted.Get("permissions"), Mono: true, Rows: 2,
			}),
			ui.Input(ui.InputProps{FieldProps: ui.FieldProps{ID: "expires_at", Label: w.T("keys.expires"), Hint: w.T("keys.expires_hint"), Optional: true, Error: m.on("expires_at")}, Type: "date", Value: c.posted.Get("expires_at")}),
		},
	}
}

// createAPIKey shows the value, which no other page does.
func createAPIKey(c *call) error {
	o, err := c.organization(c.posted.Get("organization"))
	if err != nil {
		return err
	}
	draw := func(m misfit) error { return c.apiKeysPage(string(o.ID), url.Values{}, m) }
	ends, err := dayOf(c.posted, "expires_at")
	if err != nil {
		return again(err, draw)
	}
	n := org.NewAPIKey{Name: c.posted.Get("name"), Permissions: lines(c.posted.Get("permissions")), ExpiresAt: ends}
	if c.posted.Get("scim") != "" {
		n.Permissions = append(n.Permissions, org.PermissionSCIM)
	}
	made, value, err := c.s.o.Organizations.CreateAPIKey(c.ctx(), c.operator.Actor(), o.ID, n)
	if err != nil {
		return again(err, draw)
	}
	w := c.words()
	s := sheetView{
		Head:   ui.HeadProps{Title: w.T("keys.made"), Text: made.Name},
		Alerts: []ui.AlertProps{{Tone: ui.Warn, Title: w.T("common.once"), Text: w.T("keys.made_text"), Live: true}},
	}
	return c.show(frame{Title: s.Head.Title, Narrow: true, Crumbs: []ui.Link{{Label: o.Name, Href: apiKeysOf(o.ID)}, {Label: made.Name}}},
		shownOnce(s, []ui.CopyProps{{ID: "api-key", Label: w.T("keys.value"), Value: value.Reveal()}}, ui.Link{Label: w.T("common.noted"), Href: apiKeysOf(o.ID)}))
}

// apiKey finds the organization and the id of the address. Whose key it is, is checked: ids alone say nothing about the organization.
func (c *call) apiKey() (org.Organization, org.APIKey, error) {
	o, err := c.organization(c.values["organization"])
	if err != nil {
		return o, org.APIKey{}, err
	}
	id := c.values["id"]
	if !isID(id, apiKeyPrefix) {
		return o, org.APIKey{}, org.KeyNotFound(id)
	}
	k, err := c.s.o.Organizations.APIKey(c.ctx(), o.ID, id)
	return o, k, err
}

func askRevokeAPIKey(c *call) error {
	o, k, err := c.apiKey()
	if err != nil {
		return err
	}
	w := c.words()
	return c.show(frame{Title: w.T("keys.title"), Crumbs: []ui.Link{{Label: o.Name, Href: apiKeysOf(o.ID)}, {Label: k.Name}}}, asking(misfit{}, ui.ConfirmProps{
		Title: w.T("keys.revoke_title", "name", k.Name), Text: w.T("keys.revoke_text"), Form: c.form(hrefOf("api-keys", string(o.ID), k.ID, "revoke")),
		Confirm: w.T("keys.revoke"), Cancel: ui.Link{Href: apiKeysOf(o.ID)},
	}))
}

func revokeAPIKey(c *call) error {
	o, k, err := c.apiKey()
	if err != nil {
		return err
	}
	if err := c.s.o.Organizations.DeleteAPIKey(c.ctx(), c.operator.Actor(), k.ID); err != nil {
		if fault.Is(err, fault.NotFound) { // somebody else was faster: it is revoked
			return c.done(apiKeysOf(o.ID), "key_revoked")
		}
		return err
	}
	return c.done(apiKeysOf(o.ID), "key_revoked")
}
