package dashboard

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"github.com/rollcallhq/rollcall/internal/issuer"
	"github.com/rollcallhq/rollcall/internal/oidc"
	"github.com/rollcallhq/rollcall/internal/operator"
	"github.com/rollcallhq/rollcall/internal/web/ui"
)

const applicationsPath = Prefix + "applications"

// applicationPages are the addresses of applications and of what signs their tokens.
func applicationPages() []row {
	const see, change = operator.ReadOnly, operator.Admin
	one := applicationsPath + "/{id}"
	return []row{
		{applicationsPath, "dashboard_applications", see, showApplications, change, nil},
		exportRow(applicationsPath, "dashboard_applications", see, applicationsTable),
		exportRow(one+"/logouts", "dashboard_application_logouts", see, logoutsTable),
		{applicationsPath + "/new", "dashboard_applications", change, newApplication, change, createApplication},
		{one, "dashboard_application", see, showApplication, change, saveApplication},
		{one + "/secrets", "dashboard_application_secrets", see, nil, change, createSecret},
		{one + "/secrets/{secret}/delete", "dashboard_application_secrets", see, nil, change, deleteSecret},
		{one + "/delete", "dashboard_application", change, askDeleteApplication, change, deleteApplication},
		{Prefix + "signing-keys", "dashboard_signing_keys", see, showSigningKeys, change, rotateSigningKeys},
	}
}

func applicationHref(id string, parts ...string) string {
	return hrefOf("applications", append([]string{id}, parts...)...)
}

// signingAlgorithms are those an application may choose.
func signingAlgorithms() []oidc.Algorithm { return []oidc.Algorithm{oidc.RS256, oidc.ES256} }

// applicationsTable are the applications, without their secrets.
func applicationsTable(c *call) (table[issuer.Application], error) {
	query, err := c.query()
	if err != nil {
		return table[issuer.Application]{}, err
	}
	w := c.words()
	return table[issuer.Application]{
		id: "applications", file: "applications", at: applicationsPath, query: query, cursor: issuer.ApplicationPrefix, key: func(a issuer.Application) string { return a.ID },
		read: func(ctx context.Context, p paging, limit int) ([]issuer.Application, bool, error) {
			return c.s.o.Issuer.List(ctx, issuer.Page{Before: p.before, After: p.after, Limit: limit}, "")
		},
		fields: ui.Fields[issuer.Application]{
			ui.InExport("id", func(a issuer.Application) string { return a.ID }),
			ui.Both(ui.Column{Label: w.T("common.name")}, func(a issuer.Application) templ.Component { return link(a.Name, applicationHref(a.ID)) },
				"name", func(a issuer.Application) string { return a.Name }),
			ui.InExport("organization_id", func(a issuer.Application) string { return a.OrganizationID }),
			ui.Both(ui.Column{Label: w.T("apps.client_id"), Minor: true}, func(a issuer.Application) templ.Component { return ui.Mono(a.ClientID) },
				"client_id", func(a issuer.Application) string { return a.ClientID }),
			ui.Both(ui.Column{Label: w.T("apps.kind")}, func(a issuer.Application) templ.Component { return badges(c.applicationBadges(a)) },
				"public", func(a issuer.Application) string { return strconv.FormatBool(a.Public) }),
			ui.Both(ui.Column{Label: w.T("apps.alg"), Minor: true}, func(a issuer.Application) templ.Component { return ui.Text(string(a.Algorithm)) },
				"signing_alg", func(a issuer.Application) string { return string(a.Algorithm) }),
			ui.InExport("backchannel_logout_uri", func(a issuer.Application) string { return a.LogoutURI }),
			ui.InExport("created_at", func(a issuer.Application) string { return written(a.CreatedAt) }),
		},
	}, nil
}

func showApplications(c *call) error {
	list, err := applicationsTable(c)
	if err != nil {
		return err
	}
	w := c.words()
	actions := []action{list.exportAction(c), {Label: w.T("apps.keys"), Href: hrefOf("signing-keys"), Variant: ui.Secondary, Icon: ui.IconKey}}
	if c.changes() {
		actions = append(actions, action{Label: w.T("apps.add"), Href: applicationsPath + "/new", Icon: ui.IconPlus})
	}
	t := ui.TableProps{Caption: w.T("apps.title"), Empty: ui.EmptyProps{Icon: ui.IconCode, Title: w.T("apps.none")}}
	if _, err := list.fill(c, &t); err != nil {
		return err
	}
	s := sheetView{Head: ui.HeadProps{Title: w.T("apps.title"), Text: w.T("apps.lead"), Actions: acts(actions)}}
	return c.show(frame{Title: s.Head.Title}, listing(s, t))
}

func (c *call) applicationBadges(a issuer.Application) []ui.BadgeProps {
	w := c.words()
	kind := ui.BadgeProps{Label: w.T("apps.confidential")}
	if a.Public {
		kind.Label = w.T("apps.public")
	}
	out := []ui.BadgeProps{kind}
	if a.Default {
		out = append(out, ui.BadgeProps{Label: w.T("apps.default"), Tone: ui.Info})
	}
	if !a.FirstParty {
		out = append(out, ui.BadgeProps{Label: w.T("apps.of_organization")})
	}
	return out
}

func newApplication(c *call) error { return c.newApplicationPage(misfit{}) }

func (c *call) newApplicationPage(m misfit) error {
	w := c.words()
	s := sheetView{Wrong: m, Head: ui.HeadProps{Title: w.T("apps.add"), Text: w.T("apps.add_text"), Back: ui.Link{Label: w.T("apps.title"), Href: applicationsPath}}}
	fields := append([]templ.Component{ui.Choices(ui.ChoicesProps{
		FieldProps: ui.FieldProps{ID: "kind", Label: w.T("apps.kind")}, Value: orElse(c.posted.Get("kind"), "confidential"),
		Options: []ui.Option{
			{Value: "confidential", Label: w.T("apps.confidential"), Hint: w.T("apps.confidential_hint")}, {Value: "public", Label: w.T("apps.public"), Hint: w.T("apps.public_hint")},
		},
	})}, c.applicationFields(issuer.Application{Algorithm: oidc.RS256}, m)...)
	fields = append(fields, ui.Input(ui.InputProps{
		FieldProps: ui.FieldProps{ID: "organization_id", Label: w.T("common.organization_id"), Hint: w.T("apps.organization_hint"), Optional: true, Error: m.on("organization_id")},
		Value:      c.posted.Get("organization_id"), Mono: true, Placeholder: "org_…",
	}))
	return c.show(frame{Title: s.Head.Title, Status: m.Status, Narrow: true, Crumbs: []ui.Link{{Label: s.Head.Title}}},
		forms(s, formView{ID: "application-form", Form: c.form(applicationsPath + "/new"), Save: w.T("apps.add"), Fields: fields}))
}

func uriLines(all []issuer.RedirectURI) string {
	out := make([]string, len(all))
	for i, u := range all {
		out[i] = u.URI
	}
	return strings.Join(out, "\n")
}

// applicationFields are what can be changed of an application. The default of its redirect URIs is the first line.
func (c *call) applicationFields(a issuer.Application, m misfit) []templ.Component {
	w := c.words()
	uris := slices.Clone(a.SignIn)
	slices.SortStableFunc(uris, func(x, y issuer.RedirectURI) int { return firstTrue(x.Default, y.Default) })
	area := func(id, hint, value string) templ.Component {
		return ui.TextArea(ui.TextAreaProps{
			FieldProps: ui.FieldProps{ID: id, Label: w.T("apps." + id), Hint: hint, Optional: true, Error: m.on(id)}, Value: c.kept(id, value), Mono: true, Rows: 3,
		})
	}
	line := func(id, value string) templ.Component {
		return ui.Input(ui.InputProps{
			FieldProps: ui.FieldProps{ID: id, Label: w.T("apps." + id), Hint: w.T("apps." + id + "_hint"), Optional: true, Error: m.on(id)}, Type: "url", Value: c.kept(id, value), Mono: true,
		})
	}
	fields := []templ.Component{
		ui.Input(ui.InputProps{FieldProps: ui.FieldProps{ID: "name", Label: w.T("common.name"), Error: m.on("name")}, Value: c.kept("name", a.Name), MaxLength: 255}),
		ui.Input(ui.InputProps{FieldProps: ui.FieldProps{ID: "description", Label: w.T("common.description"), Optional: true, Error: m.on("description")}, Value: c.kept("description", a.Description)}),
		area("redirect_uris", w.T("apps.redirect_uris_hint"), uriLines(uris)),
		area("post_logout_redirect_uris", w.T("apps.post_logout_redirect_uris_hint"), uriLines(a.SignOut)),
		line("backchannel_logout_uri", a.LogoutURI), line("initiate_login_uri", a.InitiateURI),
		ui.Select(ui.SelectProps{
			FieldProps: ui.FieldProps{ID: "signing_alg", Label: w.T("apps.alg"), Hint: w.T("apps.alg_hint"), Error: m.on("signing_alg")}, Value: c.kept("signing_alg", string(a.Algorithm)),
			Options: options(w, "apps.alg_", signingAlgorithms()),
		}),
	}
	if a.ID != "" && !a.Public {
		fields = append(fields, ui.Switch(ui.SwitchProps{FieldProps: ui.FieldProps{ID: "uses_pkce", Label: w.T("apps.uses_pkce"), Hint: w.T("apps.uses_pkce_hint")}, On: a.UsesPKCE}))
	}
	return fields
}

// firstTrue sorts what is true to the front.
func firstTrue(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}

func (c *call) postedURIs() []issuer.NewURI {
	out := []issuer.NewURI{}
	for i, uri := range lines(c.posted.Get("redirect_uris")) {
		out = append(out, issuer.NewURI{URI: uri, Default: i == 0})
	}
	return out
}

func createApplication(c *call) error {
	organization := strings.TrimSpace(c.posted.Get("organization_id"))
	if organization != "" {
		if _, err := c.organization(organization); err != nil {
			return err
		}
	}
	made, err := c.s.o.Issuer.Create(c.ctx(), issuer.New{
		Name: c.posted.Get("name"), Description: c.posted.Get("description"), OrganizationID: organization, FirstParty: organization == "", Public: c.posted.Get("kind") == "public",
		SignIn: c.postedURIs(), SignOut: lines(c.posted.Get("post_logout_redirect_uris")), Algorithm: oidc.Algorithm(c.posted.Get("signing_alg")),
		LogoutURI: strings.TrimSpace(c.posted.Get("backchannel_logout_uri")), InitiateURI: strings.TrimSpace(c.posted.Get("initiate_login_uri")),
	})
	if err != nil {
		return again(err, c.newApplicationPage)
	}
	return c.done(applicationHref(made.ID), "application_created")
}

func (c *call) application() (issuer.Application, error) {
	id := c.values["id"]
	if !isID(id, issuer.ApplicationPrefix) {
		return issuer.Application{}, issuer.ApplicationNotFound(id)
	}
	return c.s.o.Issuer.Get(c.ctx(), id)
}

// applicationView is the page of one.
type applicationView struct {
	Sheet     sheetView
	Facts     []ui.Pair
	Values    []ui.CopyProps
	Settings  formView
	Secrets   *ui.TableProps // nil: it has none
	Add       *action        // a secret
	Gap       gapView
	Logouts   ui.TableProps
	OfLogouts []action
}

// gapView says for how long the application may let somebody go on whose access has ended.
type gapView struct {
	Worst, By string
	Facts     []ui.Pair
}

func showApplication(c *call) error { return c.applicationPage(misfit{}) }

func (c *call) applicationPage(m misfit) error {
	a, err := c.application()
	if err != nil {
		return err
	}
	w := c.words()
	v := applicationView{
		Sheet: sheetView{Wrong: m, Head: ui.HeadProps{Title: a.Name, Text: a.Description, Badge: badges(c.applicationBadges(a)), Back: ui.Link{Label: w.T("apps.title"), Href: applicationsPath}}},
		Facts: []ui.Pair{
			idPair(w, a.ID),
			{Key: w.T("apps.scopes"), Text: strings.Join(a.Scopes, " "), Mono: true},
			{Key: w.T("common.created"), Value: exactly(a.CreatedAt)},
			{Key: w.T("common.updated"), Value: moment(a.UpdatedAt)},
		},
		Values: []ui.CopyProps{
			{ID: "client-id", Label: w.T("apps.client_id"), Value: a.ClientID}, {ID: "issuer", Label: w.T("apps.issuer"), Value: c.s.o.Issuer.Issuer(), Hint: w.T("apps.issuer_hint")},
		},
		Settings: formView{ID: "application-form", Form: c.form(applicationHref(a.ID)), Title: w.T("apps.settings"), Save: w.T("common.save"), Fields: c.applicationFields(a, m)},
	}
	if a.OrganizationID != "" {
		v.Facts = append(v.Facts, ui.Pair{Key: w.T("common.organization"), Value: link(a.OrganizationID, organizationHref(a.OrganizationID))})
	}
	if c.operator.Role.May(operator.Admin) && !a.Default {
		v.Sheet.Head.Actions = act(action{Label: w.T("common.delete"), Href: applicationHref(a.ID, "delete"), Variant: ui.Danger, Icon: ui.IconTrash})
	}
	for _, fill := range []func(issuer.Application, *applicationView) error{c.applicationSecrets, c.applicationGap, c.applicationLogouts} {
		if err := fill(a, &v); err != nil {
			return err
		}
	}
	return c.show(frame{Title: a.Name, Status: m.Status, Crumbs: []ui.Link{{Label: a.Name}}}, v.view())
}

func (c *call) applicationSecrets(a issuer.Application, v *applicationView) error {
	if a.Public {
		return nil
	}
	w := c.words()
	found, err := c.s.o.Issuer.Secrets(c.ctx(), a.ID)
	if err != nil {
		return err
	}
	t := ui.TableProps{
		ID: "secrets", Caption: w.T("apps.secrets"), Empty: ui.EmptyProps{Icon: ui.IconKey, Title: w.T("apps.secrets_none"), Text: w.T("apps.secrets_none_text")},
		Columns: []ui.Column{{Label: w.T("apps.secret")}, {Label: w.T("keys.last_used")}, {Label: w.T("common.created"), Minor: true}, {Label: w.T("common.actions"), Unseen: true, Number: true}},
	}
	admin := c.operator.Role.May(operator.Admin)
	for _, s := range found {
		var remove templ.Component
		if admin {
			remove = act(action{Label: w.T("common.delete"), Form: c.form(applicationHref(a.ID, "secrets", s.ID, "delete")), Variant: ui.Danger, Small: true})
		}
		t.Rows = append(t.Rows, ui.Row{Cells: []templ.Component{ui.Mono("…" + s.Hint), moment(s.LastUsedAt), moment(s.CreatedAt), remove}})
	}
	v.Secrets = &t
	if admin {
		v.Add = &action{Label: w.T("apps.secret_add"), Form: c.form(applicationHref(a.ID, "secrets")), Variant: ui.Secondary, Small: true, Icon: ui.IconPlus}
	}
	return nil
}

func (c *call) applicationGap(a issuer.Application, v *applicationView) error {
	g, err := c.s.o.Issuer.Gap(c.ctx(), a.ID)
	if err != nil {
		return err
	}
	w := c.words()
	worst, by := g.TrueWorst()
	v.Gap = gapView{Worst: duration(worst), By: w.T("apps.gap_by_" + by), Facts: []ui.Pair{
		{Key: w.T("apps.gap_logout"), Text: yesNo(w, a.LogoutURI != "")},
		{Key: w.T("apps.gap_introspection"), Text: yesNo(w, g.AsksEachTime(c.s.o.Now()))},
		{Key: w.T("apps.gap_token"), Text: duration(g.TokenLife)},
	}}
	if g.Measured > 0 {
		v.Gap.Facts = append(v.Gap.Facts,
			ui.Pair{Key: w.T("apps.gap_measured"), Text: w.T("apps.gap_measures", "n", g.Measured, "median", duration(g.Median), "p95", duration(g.P95), "worst", duration(g.Worst))})
	}
	if g.Failed+g.Pending > 0 {
		v.Gap.Facts = append(v.Gap.Facts, ui.Pair{Key: w.T("apps.gap_missing"), Text: w.T("apps.gap_failed", "failed", g.Failed, "pending", g.Pending)})
	}
	return nil
}

// duration is a span for people: to the millisecond below a second, to the tenth below a minute.
func duration(d time.Duration) string {
	switch {
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	case d < time.Minute:
		return d.Round(100 * time.Millisecond).String()
	}
	return strings.TrimSuffix(d.Round(time.Second).String(), "0s")
}

// logoutsTable are the logouts that an application was told of, or is to be.
func logoutsTable(c *call) (table[issuer.Delivery], error) {
	a, err := c.application()
	if err != nil {
		return table[issuer.Delivery]{}, err
	}
	return c.logoutsOf(a)
}

func (c *call) logoutsOf(a issuer.Application) (table[issuer.Delivery], error) {
	query, err := c.query()
	if err != nil {
		return table[issuer.Delivery]{}, err
	}
	w := c.words()
	return table[issuer.Delivery]{
		id: "logouts", file: "logouts", at: applicationHref(a.ID, "logouts"), query: query, cursor: issuer.DeliveryPrefix, key: func(d issuer.Delivery) string { return d.ID },
		read: func(ctx context.Context, p paging, limit int) ([]issuer.Delivery, bool, error) {
			return c.s.o.Issuer.Deliveries(ctx, a.ID, issuer.Page{Before: p.before, After: p.after, Limit: limit})
		},
		fields: ui.Fields[issuer.Delivery]{
			ui.InExport("id", func(d issuer.Delivery) string { return d.ID }),
			ui.Both(ui.Column{Label: w.T("common.session")}, func(d issuer.Delivery) templ.Component { return ui.Mono(d.SessionID) },
				"session_id", func(d issuer.Delivery) string { return d.SessionID }),
			ui.InExport("organization_id", func(d issuer.Delivery) string { return d.OrganizationID }),
			ui.InExport("user_id", func(d issuer.Delivery) string { return d.UserID }),
			ui.Both(ui.Column{Label: w.T("common.state")}, func(d issuer.Delivery) templ.Component { return ui.Badge(c.logoutBadge(d.State)) },
				"state", func(d issuer.Delivery) string { return string(d.State) }),
			ui.InExport("attempts", func(d issuer.Delivery) string { return strconv.Itoa(d.Attempts) }),
			ui.Both(ui.Column{Label: w.T("apps.took")}, func(d issuer.Delivery) templ.Component { return logoutTook(d) }, "seconds", func(d issuer.Delivery) string {
				if seconds, known := d.Seconds(); known {
					return strconv.FormatFloat(seconds, 'f', 3, 64) //nolint:mnd // to the millisecond
				}
				return ""
			}),
			ui.Both(ui.Column{Label: w.T("hooks.reason"), Minor: true}, func(d issuer.Delivery) templ.Component { return ui.Text(orDash(d.LastError)) },
				"error", func(d issuer.Delivery) string { return d.LastError }),
			ui.Both(ui.Column{Label: w.T("common.when")}, func(d issuer.Delivery) templ.Component { return moment(d.EndedAt) },
				"session_ended_at", func(d issuer.Delivery) string { return written(d.EndedAt) }),
			ui.InExport("finished_at", func(d issuer.Delivery) string { return written(d.FinishedAt) }),
		},
	}, nil
}

func logoutTook(d issuer.Delivery) templ.Component {
	seconds, known := d.Seconds()
	if !known {
		return ui.Text("–")
	}
	return ui.Text(duration(time.Duration(seconds * float64(time.Second))))
}

func (c *call) logoutBadge(s issuer.DeliveryState) ui.BadgeProps {
	tone := map[issuer.DeliveryState]ui.Tone{issuer.Delivered: ui.Good, issuer.Failed: ui.Bad, issuer.Pending: ui.Info}[s]
	return ui.BadgeProps{Label: sayOr(c.words(), "hooks.state_"+string(s), string(s)), Tone: tone, Dot: true}
}

func (c *call) applicationLogouts(a issuer.Application, v *applicationView) error {
	list, err := c.logoutsOf(a)
	if err != nil {
		return err
	}
	w := c.words()
	v.Logouts = ui.TableProps{Caption: w.T("apps.logouts"), Empty: ui.EmptyProps{Icon: ui.IconLogOut, Title: w.T("apps.logouts_none")}}
	v.OfLogouts = []action{list.exportSmall(c)}
	_, err = list.fill(c, &v.Logouts)
	return err
}

func saveApplication(c *call) error {
	a, err := c.application()
	if err != nil {
		return err
	}
	name, about, alg := c.posted.Get("name"), c.posted.Get("description"), oidc.Algorithm(c.posted.Get("signing_alg"))
	logout, initiate := strings.TrimSpace(c.posted.Get("backchannel_logout_uri")), strings.TrimSpace(c.posted.Get("initiate_login_uri"))
	in, out := c.postedURIs(), lines(c.posted.Get("post_logout_redirect_uris"))
	ch := issuer.Change{Name: &name, Description: &about, Algorithm: &alg, LogoutURI: &logout, InitiateURI: &initiate, SignIn: &in, SignOut: &out}
	if !a.Public {
		pkce := c.posted.Get("uses_pkce") != ""
		ch.UsesPKCE = &pkce
	}
	if _, err := c.s.o.Issuer.Update(c.ctx(), a.ID, ch); err != nil {
		return again(err, c.applicationPage)
	}
	return c.done(applicationHref(a.ID), "saved")
}

// createSecret shows the value, which no other page does.
func createSecret(c *call) error {
	a, err := c.application()
	if err != nil {
		return err
	}
	_, value, err := c.s.o.Issuer.CreateSecret(c.ctx(), a.ID)
	if err != nil {
		return again(err, c.applicationPage)
	}
	w := c.words()
	s := sheetView{
		Head:   ui.HeadProps{Title: w.T("apps.secret_made"), Text: a.Name},
		Alerts: []ui.AlertProps{{Tone: ui.Warn, Title: w.T("common.once"), Text: w.T("apps.secret_made_text"), Live: true}},
	}
	return c.show(frame{Title: s.Head.Title, Narrow: true, Crumbs: []ui.Link{{Label: a.Name, Href: applicationHref(a.ID)}}},
		shownOnce(s, []ui.CopyProps{{ID: "client-id", Label: w.T("apps.client_id"), Value: a.ClientID}, {ID: "client-secret", Label: w.T("apps.secret"), Value: value.Reveal()}},
			ui.Link{Label: w.T("common.noted"), Href: applicationHref(a.ID)}))
}

// deleteSecret ends a secret of the application of the address; one of another application is not there.
func deleteSecret(c *call) error {
	a, err := c.application()
	if err != nil {
		return err
	}
	all, err := c.s.o.Issuer.Secrets(c.ctx(), a.ID)
	if err != nil {
		return err
	}
	id := c.values["secret"]
	if !slices.ContainsFunc(all, func(s issuer.Secret) bool { return s.ID == id }) {
		return issuer.SecretNotFound(id)
	}
	if err := c.s.o.Issuer.DeleteSecret(c.ctx(), id); err != nil {
		return err
	}
	return c.done(applicationHref(a.ID), "secret_deleted")
}

func askDeleteApplication(c *call) error { return c.askApplication(misfit{}) }

func (c *call) askApplication(m misfit) error {
	a, err := c.application()
	if err != nil {
		return err
	}
	w := c.words()
	return c.show(frame{Title: a.Name, Status: m.Status, Crumbs: []ui.Link{{Label: a.Name, Href: applicationHref(a.ID)}}}, asking(m, ui.ConfirmProps{
		Title: w.T("apps.delete_title", "name", a.Name), Text: w.T("apps.delete_text"), Form: c.form(applicationHref(a.ID, "delete")), Confirm: w.T("common.delete"),
		Cancel: ui.Link{Href: applicationHref(a.ID)}, Type: a.Name, Error: m.on("confirm"),
	}))
}

func deleteApplication(c *call) error {
	a, err := c.application()
	if err != nil {
		return err
	}
	if strings.TrimSpace(c.posted.Get("confirm")) != strings.TrimSpace(a.Name) {
		return again(c.notTyped(), c.askApplication)
	}
	if err := c.s.o.Issuer.Delete(c.ctx(), a.ID); err != nil {
		return again(err, c.askApplication)
	}
	return c.done(applicationsPath, "deleted")
}

// showSigningKeys lists what signs tokens, and has been shown to applications.
func showSigningKeys(c *call) error { return c.signingKeysPage(misfit{}) }

func (c *call) signingKeysPage(m misfit) error {
	found, err := c.s.o.Issuer.Keys(c.ctx())
	if err != nil {
		return err
	}
	w := c.words()
	t := ui.TableProps{
		ID: "signing-keys", Caption: w.T("apps.keys"),
		Columns: []ui.Column{{Label: w.T("apps.kid")}, {Label: w.T("apps.alg")}, {Label: w.T("common.state")}, {Label: w.T("apps.signs_from"), Minor: true}, {Label: w.T("apps.signs_until")}},
	}
	for _, k := range found {
		t.Rows = append(t.Rows, ui.Row{Cells: []templ.Component{
			ui.Mono(k.KID), ui.Text(string(k.Algorithm)), ui.Badge(ui.BadgeProps{Label: sayOr(w, "apps.key_"+string(k.State), string(k.State)), Dot: true}), exactly(k.SignsFrom), exactly(k.SignsUntil),
		}})
	}
	s := sheetView{Wrong: m, Head: ui.HeadProps{Title: w.T("apps.keys"), Text: w.T("apps.keys_text"), Back: ui.Link{Label: w.T("apps.title"), Href: applicationsPath}}}
	return c.show(frame{Title: w.T("apps.keys"), Status: m.Status, Crumbs: []ui.Link{{Label: w.T("apps.title"), Href: applicationsPath}, {Label: w.T("apps.keys")}}},
		listing(s, t, c.ifAdmin(form(formView{
			ID: "rotate-form", Form: c.form(hrefOf("signing-keys")), Title: w.T("apps.rotate"), Text: w.T("apps.rotate_text"), Save: w.T("apps.rotate"),
			Fields: []templ.Component{
				ui.Select(ui.SelectProps{FieldProps: ui.FieldProps{ID: "signing_alg", Label: w.T("apps.alg"), Lax: true, Error: m.on("signing_alg")}, Empty: w.T("apps.rotate_all"), Options: options(w, "apps.alg_", signingAlgorithms())}),
				ui.Switch(ui.SwitchProps{FieldProps: ui.FieldProps{ID: "compromised", Label: w.T("apps.compromised"), Hint: w.T("apps.compromised_hint")}}),
			},
		}))...))
}

func rotateSigningKeys(c *call) error {
	_, err := c.s.o.Issuer.Rotate(c.ctx(), issuer.Rotation{Algorithm: oidc.Algorithm(c.posted.Get("signing_alg")), Compromised: c.posted.Get("compromised") != ""})
	if err != nil {
		return again(err, c.signingKeysPage)
	}
	return c.done(hrefOf("signing-keys"), "keys_rotated")
}
