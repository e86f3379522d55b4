package dashboard

import (
	"context"
	"strings"

	"github.com/a-h/templ"

	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/token"
	"github.com/rollcallhq/rollcall/internal/web/ui"
)

const directoryTokenPrefix = "directory_token"

func showTokens(c *call) error {
	d, o, err := c.directory()
	if err != nil {
		return err
	}
	return c.tokensPage(d, o, misfit{})
}

func (c *call) tokensPage(d directory.Directory, o org.Organization, m misfit) error {
	s, _, err := c.directorySheet(d, o, "tokens")
	if err != nil {
		return err
	}
	all, err := c.s.o.Directories.Tokens(c.ctx(), d.ID)
	if err != nil {
		return err
	}
	s.Wrong = m
	f := c.tabFrame(d, o, "tokens")
	f.Status = m.Status
	return c.show(f, tokensView{Sheet: s, Endpoint: c.endpointCard(d), Tokens: c.tokenTable(d, all)}.view())
}

func (c *call) tokenTable(d directory.Directory, all []directory.Token) ui.TableProps {
	w := c.words()
	t := ui.TableProps{
		ID: "tokens", Caption: w.T("directories.tab_tokens"), Titled: true, Columns: []ui.Column{
			{Label: w.T("directories.token")},
			{Label: w.T("organizations.state")},
			{Label: w.T("organizations.created"), Minor: true},
			{Label: w.T("directories.last_used")},
			{Label: w.T("organizations.actions"), Unseen: true, Number: true},
		},
		Empty: ui.EmptyProps{Icon: ui.IconKey, Title: w.T("directories.no_tokens")},
	}
	if c.changes() {
		t.Tools = act(action{Label: w.T("directories.make_token"), Form: c.form(directoryHref(d.ID, "tokens")), Icon: ui.IconPlus, Variant: ui.Secondary})
	}
	for i := range all {
		one := all[len(all)-1-i] // the newest first
		state := ui.BadgeProps{Label: w.T("directories.token_live"), Tone: ui.Good, Dot: true}
		if !one.RevokedAt.IsZero() {
			state = ui.BadgeProps{Label: w.T("directories.token_revoked"), Dot: true}
		}
		cells := []templ.Component{ui.Mono("…" + one.Suffix), ui.Badge(state), moment(one.CreatedAt), moment(one.LastUsedAt)}
		if one.RevokedAt.IsZero() && c.changes() {
			cells = append(cells, ui.Button(ui.ButtonProps{
				Label: w.T("directories.revoke"), Variant: ui.Secondary, Small: true, Href: directoryHref(d.ID, "tokens", string(one.ID), "revoke"),
			}))
		}
		t.Rows = append(t.Rows, ui.Row{ID: string(one.ID), Cells: cells})
	}
	return t
}

// createToken makes a further token, so that the provider can change over while the old one still works.
func createToken(c *call) error {
	d, o, err := c.directory()
	if err != nil {
		return err
	}
	_, secret, err := c.s.o.Directories.CreateToken(c.ctx(), c.operator.Actor(), d.ID)
	if err != nil {
		return again(err, func(m misfit) error { return c.tokensPage(d, o, m) })
	}
	return c.showSecret(d, o, c.words().T("directories.token_made"), secret)
}

// showSecret is the only page that ever shows a bearer token.
func (c *call) showSecret(d directory.Directory, o org.Organization, title string, secret token.Secret) error {
	w := c.words()
	v := secretView{
		Head: ui.HeadProps{Title: title, Back: ui.Link{Label: o.Name, Href: organizationHref(string(o.ID))}},
		Values: append(c.endpointCard(d), ui.CopyProps{
			ID: "token", Label: w.T("directories.bearer_token"), Value: secret.Reveal(), Hint: w.T("directories.bearer_token_hint"),
		}),
		Forward: ui.Link{Label: w.T("directories.to_directory"), Href: directoryHref(d.ID)},
	}
	f := directoryFrame(d, o, ui.Link{Label: title})
	f.Narrow = true
	return c.show(f, v.view())
}

// liveToken finds the token of the address.
func (c *call) liveToken(d directory.Directory) (directory.Token, error) {
	id := c.values["token"]
	gone := fault.New(fault.NotFound, "entity_not_found", "Token not found: '%.80s'.", id)
	if !isID(id, directoryTokenPrefix) {
		return directory.Token{}, gone
	}
	all, err := c.s.o.Directories.Tokens(c.ctx(), d.ID)
	if err != nil {
		return directory.Token{}, err
	}
	for _, one := range all {
		if string(one.ID) == id && one.RevokedAt.IsZero() {
			return one, nil
		}
	}
	return directory.Token{}, gone
}

func showTokenRevoke(c *call) error {
	d, o, err := c.directory()
	if err != nil {
		return err
	}
	one, err := c.liveToken(d)
	if err != nil {
		return err
	}
	w, back := c.words(), directoryHref(d.ID, "tokens")
	text := w.T("directories.revoke_unused")
	if !one.LastUsedAt.IsZero() {
		text = w.T("directories.revoke_used")
	}
	f := directoryFrame(d, o, ui.Link{Label: w.T("directories.tab_tokens"), Href: back}, ui.Link{Label: w.T("directories.revoke")})
	f.Narrow = true
	return c.show(f, ui.Confirm(ui.ConfirmProps{
		Title: w.T("directories.revoke_title", "suffix", one.Suffix), Text: text, Form: c.form(back + "/" + string(one.ID) + "/revoke"),
		Confirm: w.T("directories.revoke"), Cancel: ui.Link{Href: back},
	}))
}

func revokeToken(c *call) error {
	d, _, err := c.directory()
	if err != nil {
		return err
	}
	one, err := c.liveToken(d)
	if err != nil {
		return err
	}
	if err := c.s.o.Directories.RevokeToken(c.ctx(), c.operator.Actor(), d.ID, one.ID); err != nil {
		return err
	}
	return c.done(directoryHref(d.ID, "tokens"), "token_revoked")
}

// directorySettings is the form of settings as it was filled in.
type directorySettings struct {
	name, label, provider, inactive, provisioning string
	strict                                        bool
}

func directorySettingsOf(d directory.Directory) directorySettings {
	return directorySettings{d.Name, d.Label, d.Provider, string(d.InactiveUsers), string(d.Provisioning), d.Strict}
}

func showDirectorySettings(c *call) error {
	d, o, err := c.directory()
	if err != nil {
		return err
	}
	return c.directorySettingsPage(d, o, directorySettingsOf(d), misfit{})
}

func (c *call) directorySettingsPage(d directory.Directory, o org.Organization, f directorySettings, m misfit) error {
	s, _, err := c.directorySheet(d, o, "settings")
	if err != nil {
		return err
	}
	s.Wrong = m
	w := c.words()
	v := c.readable(formView{
		ID: "settings", Form: c.form(directoryHref(d.ID, "settings")), Title: w.T("directories.tab_settings"), Save: w.T("organizations.save"), Fields: c.directoryFields(f, m),
	})
	fr := c.tabFrame(d, o, "settings")
	fr.Status = m.Status
	return c.show(fr, forms(s, v, c.brakeForm(d, m)))
}

func (c *call) directoryFields(f directorySettings, m misfit) []templ.Component {
	w, off := c.words(), !c.changes()
	inactive := ui.ChoicesProps{
		FieldProps: ui.FieldProps{ID: "inactive_users", Label: w.T("directories.inactive_users"), Error: m.on("inactive_users"), Disabled: off}, Value: f.inactive,
	}
	for _, one := range []directory.InactiveUsers{directory.Kept, directory.Removed} {
		inactive.Options = append(inactive.Options, ui.Option{
			Value: string(one), Label: w.T("directories.inactive_" + string(one)), Hint: w.T("directories.inactive_hint_" + string(one)),
		})
	}
	return []templ.Component{
		ui.Input(ui.InputProps{FieldProps: ui.FieldProps{ID: "name", Label: w.T("organizations.name"), Error: m.on("name"), Disabled: off}, Value: f.name, MaxLength: 255}),
		ui.Select(ui.SelectProps{
			FieldProps: ui.FieldProps{ID: "provider", Label: w.T("organizations.provider"), Hint: w.T("directories.provider_change_hint"), Error: m.on("provider"), Optional: true, Disabled: off},
			Value:      f.provider, Empty: w.T("directories.provider_none"), Options: c.scimProviders(),
		}),
		ui.Input(ui.InputProps{
			FieldProps: ui.FieldProps{ID: "label", Label: w.T("directories.label"), Hint: w.T("directories.label_hint"), Error: m.on("label"), Optional: true, Disabled: off},
			Value:      f.label, MaxLength: 63, Mono: true,
		}),
		c.provisioningField(directory.Provisioning(f.provisioning), m, off),
		ui.Choices(inactive),
		ui.Switch(ui.SwitchProps{FieldProps: ui.FieldProps{ID: "strict", Label: w.T("directories.strict"), Hint: w.T("directories.strict_hint"), Disabled: off}, On: f.strict}),
	}
}

func setDirectory(c *call) error {
	d, o, err := c.directory()
	if err != nil {
		return err
	}
	f := directorySettings{
		c.posted.Get("name"), strings.TrimSpace(c.posted.Get("label")), c.posted.Get("provider"), c.posted.Get("inactive_users"), c.posted.Get("provisioning"),
		c.posted.Get("strict") != "",
	}
	changes := directory.Changes{Name: told(f.name, d.Name), Label: told(f.label, d.Label), Provider: told(f.provider, d.Provider)}
	if f.strict != d.Strict {
		changes.Strict = &f.strict
	}
	if is := directory.InactiveUsers(f.inactive); is != d.InactiveUsers {
		changes.InactiveUsers = &is
	}
	if is := directory.Provisioning(f.provisioning); is != d.Provisioning {
		changes.Provisioning = &is
	}
	err = c.knownProvider(changes.Provider)
	if err == nil {
		_, err = c.s.o.Directories.Update(c.ctx(), c.operator.Actor(), d.ID, changes)
	}
	if err != nil {
		return again(err, func(m misfit) error { return c.directorySettingsPage(d, o, f, m) })
	}
	return c.done(directoryHref(d.ID, "settings"), "saved")
}

// knownProvider asks that a new provider is one of the catalogue.
func (c *call) knownProvider(slug *string) error {
	if slug == nil || *slug == "" || hasOption(c.scimProviders(), *slug) {
		return nil
	}
	return fault.New(fault.Unprocessable, "invalid_provider", "%s", c.words().T("directories.choose_provider")).On("provider")
}

func hasOption(all []ui.Option, value string) bool {
	for _, o := range all {
		if o.Value == value {
			return true
		}
	}
	return false
}

// foreseenTable is what would become of everybody whom a silent directory has brought.
func foreseenTable(c *call) (table[directory.Foreseen], error) {
	d, _, err := c.directory()
	if err != nil {
		return table[directory.Foreseen]{}, err
	}
	q, err := c.query()
	if err != nil {
		return table[directory.Foreseen]{}, err
	}
	w := c.words()
	return table[directory.Foreseen]{
		id: "preview", file: "go-live", at: directoryHref(d.ID, "go-live"), query: q, cursor: directoryUserPrefix, key: func(f directory.Foreseen) string { return string(f.User) },
		read: func(ctx context.Context, p paging, limit int) ([]directory.Foreseen, bool, error) {
			return c.s.o.Directories.Preview(ctx, directory.PreviewQuery{Directory: d.ID, Before: p.before, After: p.after, Limit: limit})
		},
		fields: ui.Fields[directory.Foreseen]{
			ui.InExport("directory_user_id", func(f directory.Foreseen) string { return string(f.User) }),
			ui.Both(ui.Column{Label: w.T("organizations.name")}, func(f directory.Foreseen) templ.Component {
				return ui.Person(f.Name, f.Email, directoryHref(d.ID, "users", string(f.User)))
			}, "name", func(f directory.Foreseen) string { return f.Name }),
			ui.InExport("email", func(f directory.Foreseen) string { return f.Email }),
			ui.Both(ui.Column{Label: w.T("directories.outcome")}, func(f directory.Foreseen) templ.Component {
				return ui.Text(w.T("directories.outcome_" + string(f.Outcome)))
			},
				"outcome", func(f directory.Foreseen) string { return string(f.Outcome) }),
		},
	}, nil
}

// showGoLive says of everybody whom a silent directory has brought what would become of them.
func showGoLive(c *call) error {
	d, o, err := c.directory()
	if err != nil {
		return err
	}
	if d.Live() || d.Switching != "" { // its page says why there is nothing to let live
		c.redirect(directoryHref(d.ID))
		return nil
	}
	list, err := foreseenTable(c)
	if err != nil {
		return err
	}
	w := c.words()
	t := ui.TableProps{
		Caption: w.T("directories.preview"), Empty: ui.EmptyProps{Icon: ui.IconUsers, Title: w.T("directories.nobody"), Text: w.T("directories.waiting_text")},
	}
	if _, err := list.fill(c, &t); err != nil {
		return err
	}
	v := goLiveView{
		Head: ui.HeadProps{
			Title: w.T("directories.go_live_title", "name", d.Name), Text: w.T("directories.go_live_lead"), Back: ui.Link{Label: d.Name, Href: directoryHref(d.ID)}, Actions: acts([]action{list.exportAction(c)}),
		},
		People: t, Back: directoryHref(d.ID),
	}
	if c.changes() {
		v.Form = c.form(directoryHref(d.ID, "go-live"))
	}
	return c.show(directoryFrame(d, o, ui.Link{Label: w.T("directories.go_live")}), v.view())
}

func goLive(c *call) error {
	d, _, err := c.directory()
	if err != nil {
		return err
	}
	if _, err := c.s.o.Directories.GoLive(c.ctx(), c.operator.Actor(), d.ID); err != nil {
		return err
	}
	return c.done(directoryHref(d.ID), "went_live")
}
