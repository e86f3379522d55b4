package dashboard

import (
	"strconv"
	"time"

	"github.com/a-h/templ"
	"github.com/go-json-experiment/json"

	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/operator"
	"github.com/rollcallhq/rollcall/internal/sso"
	"github.com/rollcallhq/rollcall/internal/web/ui"
)

func showConnectionSettings(c *call) error {
	one, err := c.connection()
	if err != nil {
		return err
	}
	return c.connectionSettings(one, misfit{})
}

// connectionSettings is the page of what can be changed. Who may only look sees the same values and no button.
func (c *call) connectionSettings(one sso.Connection, m misfit) error {
	s, f, err := c.connectionSheet(one, "settings", m)
	if err != nil {
		return err
	}
	w := c.words()
	all := []formView{
		{
			ID: "connection-form", Form: c.form(connectionHref(one.ID, "settings")), Title: w.T("connections.theirs"), Text: w.T("connections.settings_text"),
			Save: w.T("common.save"), Fields: c.connectionFields(one, m),
		},
		{
			ID: "options-form", Form: c.form(connectionHref(one.ID, "options")), Title: w.T("connections.options"), Text: w.T("connections.options_text"),
			Save: w.T("common.save"), Fields: c.optionFields(one, m),
		},
	}
	if !c.operator.Role.May(operator.Admin) {
		s.Alerts = append(s.Alerts, ui.AlertProps{Tone: ui.Info, Title: w.T("common.look_only")})
	}
	return c.show(f, forms(s, all...))
}

// kept is what somebody has typed into a form that was refused, else what is stored.
func (c *call) kept(name, stored string) string {
	if c.posted.Has(name) {
		return c.posted.Get(name)
	}
	return stored
}

func (c *call) connectionFields(one sso.Connection, m misfit) []templ.Component {
	w := c.words()
	line := func(name, stored, hint string, optional bool) templ.Component {
		return ui.Input(ui.InputProps{
			FieldProps: ui.FieldProps{ID: name, Label: w.T("connections.field_" + name), Hint: hint, Optional: optional, Error: m.on(name)},
			Value:      c.kept(name, stored), Mono: name != "name",
		})
	}
	fields := []templ.Component{line("name", one.Name, "", false)}
	if one.Protocol == sso.OIDC {
		return append(fields, line("issuer", one.Issuer, w.T("connections.issuer_hint"), true), line("client_id", one.ClientID, "", true),
			ui.Input(ui.InputProps{
				FieldProps: ui.FieldProps{
					ID: "client_secret", Label: w.T("connections.field_client_secret"), Hint: w.T("connections.client_secret_hint"), Optional: true, Error: m.on("client_secret"),
				},
				Type: "password", Mono: true, Autocomplete: "new-password",
			}),
			ui.Input(ui.InputProps{
				FieldProps: ui.FieldProps{
					ID: "client_secret_expires_at", Label: w.T("connections.field_client_secret_expires_at"), Hint: w.T("connections.client_secret_expires_at_hint"), Optional: true,
					Error: m.on("client_secret_expires_at"),
				},
				Type: "date", Value: c.kept("client_secret_expires_at", dayShown(one.ClientSecretExpiresAt)),
			}))
	}
	return append(fields,
		line("metadata_url", one.MetadataURL, w.T("connections.metadata_url_hint"), true),
		ui.TextArea(ui.TextAreaProps{
			FieldProps: ui.FieldProps{ID: "metadata_xml", Label: w.T("connections.field_metadata_xml"), Hint: w.T("connections.metadata_xml_hint"), Optional: true, Error: m.on("metadata_xml")},
			Value:      c.posted.Get("metadata_xml"), Mono: true,
		}),
		line("idp_entity_id", one.IDPEntityID, "", true), line("sso_url", one.SSOURL, "", true), line("slo_url", one.SLOURL, "", true),
	)
}

// saveConnectionSettings sends what differs from what is stored: a metadata address is read again only where it is another one.
func saveConnectionSettings(c *call) error {
	one, err := c.connection()
	if err != nil {
		return err
	}
	ch := sso.Change{Name: told(c.posted.Get("name"), one.Name)}
	if one.Protocol == sso.OIDC {
		ends, err := dayOf(c.posted, "client_secret_expires_at")
		if err != nil {
			return again(err, func(m misfit) error { return c.connectionSettings(one, m) })
		}
		if day := c.posted.Get("client_secret_expires_at"); day != dayShown(one.ClientSecretExpiresAt) || c.posted.Get("client_secret") != "" {
			ch.ClientSecretExpiresAt = &ends
		}
		ch.Issuer, ch.ClientID, ch.ClientSecret = told(c.posted.Get("issuer"), one.Issuer), told(c.posted.Get("client_id"), one.ClientID), told(c.posted.Get("client_secret"), "")
	} else {
		ch.MetadataURL, ch.MetadataXML = told(c.posted.Get("metadata_url"), one.MetadataURL), told(c.posted.Get("metadata_xml"), "")
		if ch.MetadataXML != nil && ch.MetadataURL == nil && one.MetadataURL != "" {
			ch.MetadataURL = new(string) // the document stands in for the address
		}
		ch.IDPEntityID, ch.SSOURL, ch.SLOURL = told(c.posted.Get("idp_entity_id"), one.IDPEntityID), told(c.posted.Get("sso_url"), one.SSOURL), told(c.posted.Get("slo_url"), one.SLOURL)
	}
	if _, err := c.s.o.Connections.Update(c.ctx(), c.operator.Actor(), one.ID, ch); err != nil {
		return again(err, func(m misfit) error { return c.connectionSettings(one, m) })
	}
	return c.done(connectionHref(one.ID, "settings"), "saved")
}

// dayShown is a moment as a field for a day has it; "" for none.
func dayShown(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.DateOnly)
}

// connectionSwitches are the options that are on or off, by the names that the API has for them.
func connectionSwitches(p sso.Protocol) []string {
	all := []string{"default", "force_authn", "allow_outside_domains", "allow_unverified_email", "single_logout"}
	if p == sso.SAML {
		all = append(all, "sign_requests", "require_encrypted", "allow_cbc", "restart_unknown_requests")
	}
	return all
}

// optionValues are the options as JSON has them.
func optionValues(one sso.Connection) (map[string]any, error) {
	text, err := json.Marshal(one.ShownOptions())
	if err != nil {
		return nil, err
	}
	out := map[string]any{}
	return out, json.Unmarshal(text, &out)
}

func (c *call) optionFields(one sso.Connection, m misfit) []templ.Component {
	w := c.words()
	now, err := optionValues(one)
	if err != nil { // plain values; there is nothing to show then
		return nil
	}
	var out []templ.Component
	for _, name := range connectionSwitches(one.Protocol) {
		on, _ := now[name].(bool)
		if c.posted.Has("clock_skew") { // the form as it was sent
			on = c.posted.Get(name) != ""
		}
		out = append(out, ui.Switch(ui.SwitchProps{
			FieldProps: ui.FieldProps{ID: name, Label: w.T("connections.option_" + name), Hint: w.T("connections.option_hint_" + name), Error: m.on("options." + name)}, On: on,
		}))
	}
	skew, _ := now["clock_skew"].(float64)
	out = append(out, ui.Input(ui.InputProps{
		FieldProps: ui.FieldProps{ID: "clock_skew", Label: w.T("connections.option_clock_skew"), Hint: w.T("connections.option_hint_clock_skew"), Error: m.on("options.clock_skew")},
		Type:       "number", Value: c.kept("clock_skew", strconv.Itoa(int(skew))),
	}))
	if one.Protocol == sso.SAML {
		unsolicited, _ := now["unsolicited"].(string)
		return append(out, ui.Select(ui.SelectProps{
			FieldProps: ui.FieldProps{ID: "unsolicited", Label: w.T("connections.option_unsolicited"), Hint: w.T("connections.option_hint_unsolicited"), Error: m.on("options.unsolicited")},
			Value:      c.kept("unsolicited", unsolicited), Options: options(w, "connections.unsolicited_", []sso.UnsolicitedPolicy{sso.Restart, sso.Refuse}),
		}))
	}
	method, _ := now["token_endpoint_auth_method"].(string)
	return append(out, ui.Select(ui.SelectProps{
		FieldProps: ui.FieldProps{ID: "token_endpoint_auth_method", Label: w.T("connections.option_auth_method"), Error: m.on("options.token_endpoint_auth_method")},
		Value:      c.kept("token_endpoint_auth_method", method), Options: options(w, "connections.auth_", []sso.AuthMethod{sso.SecretBasic, sso.SecretPost, sso.PrivateKeyJWT}),
	}))
}

// saveConnectionOptions sends the options of the form that differ.
func saveConnectionOptions(c *call) error {
	one, err := c.connection()
	if err != nil {
		return err
	}
	draw := func(m misfit) error { return c.connectionSettings(one, m) }
	patch, err := c.optionPatch(one)
	if err != nil {
		return again(err, draw)
	}
	if _, err := c.s.o.Connections.Update(c.ctx(), c.operator.Actor(), one.ID, sso.Change{Options: patch}); err != nil {
		return again(err, draw)
	}
	return c.done(connectionHref(one.ID, "settings"), "saved")
}

func (c *call) optionPatch(one sso.Connection) ([]byte, error) {
	now, err := optionValues(one)
	if err != nil {
		return nil, err
	}
	patch := map[string]any{}
	for _, name := range connectionSwitches(one.Protocol) {
		if on := c.posted.Get(name) != ""; on != now[name] {
			patch[name] = on
		}
	}
	skew, err := strconv.Atoi(c.posted.Get("clock_skew"))
	if err != nil {
		return nil, fault.New(fault.Unprocessable, "invalid_option", "The clock difference is a number of seconds.").On("options.clock_skew")
	}
	patch["clock_skew"] = skew
	for _, name := range []string{"unsolicited", "token_endpoint_auth_method"} {
		if c.posted.Has(name) {
			patch[name] = c.posted.Get(name)
		}
	}
	return json.Marshal(patch)
}
