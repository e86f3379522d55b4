package dashboard

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/idp"
	"github.com/rollcallhq/rollcall/internal/operator"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/sso"
	"github.com/rollcallhq/rollcall/internal/web/ui"
)

const connectionsPath = Prefix + "connections"

// connectionPages are the addresses of connections.
func connectionPages() []row {
	const see, change = operator.ReadOnly, operator.Admin
	one := connectionsPath + "/{id}"
	return []row{
		{connectionsPath, "dashboard_connections", see, showConnections, change, nil},
		{organizationsPath + "/{id}/connections/new", "dashboard_connection_new", change, showNewConnection, change, createConnection},
		exportRow(connectionsPath, "dashboard_connections", see, connectionsTable),
		{one, "dashboard_connection", see, showConnection, change, nil},
		{one + "/settings", "dashboard_connection_settings", see, showConnectionSettings, change, saveConnectionSettings},
		{one + "/options", "dashboard_connection_settings", see, nil, change, saveConnectionOptions},
		{one + "/activate", "dashboard_connection_state", see, nil, change, activateConnection},
		{one + "/deactivate", "dashboard_connection_state", change, askDeactivateConnection, change, deactivateConnection},
		{one + "/delete", "dashboard_connection_state", change, askDeleteConnection, change, deleteConnection},
		{one + "/test", "dashboard_connection_test", see, nil, change, testConnection},
		{one + "/certificates", "dashboard_connection_certificates", see, nil, change, addConnectionCertificate},
		{one + "/certificates/{fingerprint}", "dashboard_connection_certificates", see, nil, change, deleteConnectionCertificate},
		{one + "/refresh", "dashboard_connection_metadata", see, nil, change, refreshConnectionMetadata},
		{one + "/approve", "dashboard_connection_metadata", see, nil, change, approveConnectionMetadata},
		{one + "/sign-ins", "dashboard_sign_ins", see, showSignIns, change, nil},
		exportRow(one+"/sign-ins", "dashboard_sign_ins", see, signInsTable),
		{one + "/sign-ins/{attempt}", "dashboard_sign_in_attempt", see, showSignInAttempt, change, nil},
	}
}

// connection finds the one of the address.
func (c *call) connection() (sso.Connection, error) {
	id := c.values["id"]
	if !isID(id, sso.ConnectionPrefix) {
		return sso.Connection{}, sso.NotFound(id)
	}
	return c.s.o.Connections.Get(c.ctx(), sso.ID(id))
}

func connectionHref(id sso.ID, parts ...string) string {
	return hrefOf("connections", append([]string{string(id)}, parts...)...)
}

// providerName is what the catalogue calls a provider.
func (c *call) providerName(slug string) string {
	if c.s.o.Catalog != nil {
		if p, known := c.s.o.Catalog.Provider(idp.Slug(slug)); known {
			return p.Name
		}
	}
	return slug
}

func (c *call) connectionBadge(s sso.State) ui.BadgeProps {
	tone := map[sso.State]ui.Tone{sso.Active: ui.Good, sso.Validating: ui.Info, sso.Draft: ui.Warn, sso.Inactive: ui.Neutral}[s]
	return ui.BadgeProps{Label: sayOr(c.words(), "connections.state_"+string(s), string(s)), Tone: tone, Dot: true}
}

func protocolName(p sso.Protocol) string {
	if p == sso.OIDC {
		return "OpenID Connect"
	}
	return "SAML 2.0"
}

// connectionRow is a connection in a list, with the name of whose it is.
type connectionRow struct {
	sso.Connection
	Organization string
}

// connectionsTable are the connections of all organizations, or of one.
func connectionsTable(c *call) (table[connectionRow], error) {
	query, err := c.query()
	if err != nil {
		return table[connectionRow]{}, err
	}
	organization, err := filterOrganizationID(query)
	if err != nil {
		return table[connectionRow]{}, err
	}
	w, owner := c.words(), c.owners()
	return table[connectionRow]{
		id: "connections", file: "connections", at: connectionsPath, query: query, filters: connectionFilters(), cursor: sso.ConnectionPrefix,
		key: func(r connectionRow) string { return string(r.ID) },
		read: func(ctx context.Context, p paging, limit int) ([]connectionRow, bool, error) {
			found, more, err := c.s.o.Connections.List(ctx, sso.ListQuery{
				OrganizationID: organization, Search: searchOf(query.Get("search")), Before: p.before, After: p.after, Limit: limit,
			})
			out := make([]connectionRow, len(found))
			for i, one := range found {
				name, err := owner(ctx, one.OrganizationID)
				if err != nil {
					return nil, false, err
				}
				out[i] = connectionRow{one, name}
			}
			return out, more, err
		},
		fields: ui.Fields[connectionRow]{
			ui.InExport("id", func(r connectionRow) string { return string(r.ID) }),
			ui.Both(ui.Column{Label: w.T("common.name")}, func(r connectionRow) templ.Component { return link(r.Name, connectionHref(r.ID)) },
				"name", func(r connectionRow) string { return r.Name }),
			ui.InExport("organization_id", func(r connectionRow) string { return r.OrganizationID }),
			ui.Both(ui.Column{Label: w.T("common.organization")}, func(r connectionRow) templ.Component { return link(r.Organization, organizationHref(r.OrganizationID)) },
				"organization", func(r connectionRow) string { return r.Organization }),
			ui.Both(ui.Column{Label: w.T("connections.provider"), Minor: true}, func(r connectionRow) templ.Component {
				return ui.Text(c.providerName(r.Provider) + " · " + protocolName(r.Protocol))
			}, "provider", func(r connectionRow) string { return r.Provider }),
			ui.InExport("type", func(r connectionRow) string { return string(r.Type) }),
			ui.Both(ui.Column{Label: w.T("common.state")}, func(r connectionRow) templ.Component { return ui.Badge(c.connectionBadge(r.State)) },
				"state", func(r connectionRow) string { return string(r.State) }),
			ui.Both(ui.Column{Label: w.T("connections.last_success"), Minor: true}, func(r connectionRow) templ.Component { return moment(r.LastSuccessAt) },
				"last_success_at", func(r connectionRow) string { return written(r.LastSuccessAt) }),
			ui.InExport("created_at", func(r connectionRow) string { return written(r.CreatedAt) }),
		},
	}, nil
}

// connectionFilters are the parameters that narrow the connections.
func connectionFilters() []string { return []string{"search", "organization"} }

func showConnections(c *call) error {
	list, err := connectionsTable(c)
	if err != nil {
		return err
	}
	w, query := c.words(), list.query
	t := ui.TableProps{
		Caption: w.T("connections.title"), Empty: ui.EmptyProps{Icon: ui.IconShield, Title: w.T("connections.none"), Text: w.T("connections.none_text")},
		Tools: connectionTools(searchOf(query.Get("search")), query.Get("organization"), cleared(query, connectionsPath, connectionFilters()...)),
	}
	if _, err := list.fill(c, &t); err != nil {
		return err
	}
	head := ui.HeadProps{Title: w.T("connections.title"), Text: w.T("connections.lead"), Actions: acts([]action{list.exportAction(c)})}
	return c.show(frame{Title: w.T("connections.title")}, listing(sheetView{Head: head}, t))
}

// connectionSheet is what all pages of a connection have in common.
func (c *call) connectionSheet(one sso.Connection, tab string, m misfit) (sheetView, frame, error) {
	w := c.words()
	o, err := c.s.o.Organizations.Get(c.ctx(), org.ID(one.OrganizationID))
	if err != nil {
		return sheetView{}, frame{}, err
	}
	s := sheetView{Wrong: m, Head: ui.HeadProps{
		Title: one.Name, Text: w.T("connections.about", "protocol", protocolName(one.Protocol), "provider", c.providerName(one.Provider), "organization", o.Name),
		Badge: ui.Badge(c.connectionBadge(one.State)), Actions: acts(c.connectionActions(one)),
	}}
	for _, t := range []struct{ key, label, href string }{
		{"", w.T("connections.tab_overview"), connectionHref(one.ID)},
		{"sign-ins", w.T("connections.tab_sign_ins"), connectionHref(one.ID, "sign-ins")},
		{"settings", w.T("connections.tab_settings"), connectionHref(one.ID, "settings")},
		{"mapping", w.T("connections.tab_mapping"), connectionHref(one.ID, "mapping")},
	} {
		if t.key != "mapping" || c.s.o.Members != nil {
			s.Tabs = append(s.Tabs, ui.Tab{Label: t.label, Href: t.href, Current: t.key == tab})
		}
	}
	f := frame{Title: one.Name, Status: m.Status, Crumbs: []ui.Link{{Label: o.Name, Href: organizationHref(one.OrganizationID)}, {Label: one.Name, Href: connectionHref(one.ID)}}}
	return s, f, nil
}

// connectionActions are the buttons that suit the state.
func (c *call) connectionActions(one sso.Connection) []action {
	if !c.operator.Role.May(operator.Admin) {
		return nil
	}
	w := c.words()
	var out []action
	if len(one.Lacks()) == 0 && c.s.o.NewTest != nil {
		out = append(out, action{Label: w.T("connections.test"), Form: c.form(connectionHref(one.ID, "test")), Variant: ui.Secondary, Icon: ui.IconPlay})
	}
	switch one.State {
	case sso.Inactive:
		out = append(out, action{Label: w.T("connections.activate"), Form: c.form(connectionHref(one.ID, "activate")), Icon: ui.IconCheck})
	case sso.Active, sso.Validating:
		out = append(out, action{Label: w.T("connections.deactivate"), Href: connectionHref(one.ID, "deactivate"), Variant: ui.Secondary, Icon: ui.IconPause})
	case sso.Draft:
	}
	return append(out, action{Label: w.T("connections.delete"), Href: connectionHref(one.ID, "delete"), Variant: ui.Danger, Icon: ui.IconTrash})
}

// connectionView is the overview of one.
type connectionView struct {
	Sheet        sheetView
	Facts        []ui.Pair
	Ours         []ui.CopyProps
	Theirs       []ui.Pair
	Certificates *ui.TableProps // nil: it has none by its protocol
	Add          *formView      // of a certificate; nil for those who may not
	Actions      []action       // about the provider's documents
}

func showConnection(c *call) error {
	one, err := c.connection()
	if err != nil {
		return err
	}
	return c.connectionPage(one, misfit{})
}

func (c *call) connectionPage(one sso.Connection, m misfit) error {
	s, f, err := c.connectionSheet(one, "", m)
	if err != nil {
		return err
	}
	s.Alerts = append(s.Alerts, c.connectionAlerts(one)...)
	v := connectionView{Sheet: s, Facts: c.connectionFacts(one, f.Crumbs[0].Label), Ours: c.connectionOurs(one), Theirs: c.connectionTheirs(one)}
	if one.Protocol == sso.SAML {
		t := c.connectionCertificates(one)
		v.Certificates = &t
		if c.operator.Role.May(operator.Admin) {
			v.Add = c.certificateForm(one, m)
			if one.MetadataURL != "" {
				v.Actions = append(v.Actions, action{Label: c.words().T("connections.refresh"), Form: c.form(connectionHref(one.ID, "refresh")), Variant: ui.Secondary, Small: true, Icon: ui.IconRefresh})
			}
			if one.Pending != nil {
				v.Actions = append(v.Actions, action{Label: c.words().T("connections.approve"), Form: c.form(connectionHref(one.ID, "approve")), Small: true, Icon: ui.IconCheck})
			}
		}
	}
	return c.show(f, v.view())
}

// connectionAlerts say what is missing and what will soon be wrong.
func (c *call) connectionAlerts(one sso.Connection) (out []ui.AlertProps) {
	w := c.words()
	if lacks := one.Lacks(); len(lacks) > 0 {
		names := make([]string, len(lacks))
		for i, name := range lacks {
			names[i] = sayOr(w, "connections.field_"+name, name)
		}
		out = append(out, ui.AlertProps{Tone: ui.Warn, Title: w.T("connections.lacks"), Text: strings.Join(names, ", ")})
	}
	for _, text := range one.Warnings(c.s.o.Now()) {
		out = append(out, ui.AlertProps{Tone: ui.Warn, Title: text})
	}
	return out
}

func (c *call) connectionFacts(one sso.Connection, organization string) []ui.Pair {
	w := c.words()
	pairs := []ui.Pair{
		idPair(w, string(one.ID)),
		{Key: w.T("common.organization"), Value: link(organization, organizationHref(one.OrganizationID))},
		{Key: w.T("connections.type"), Text: string(one.Type), Mono: true},
		{Key: w.T("connections.first_success"), Value: moment(one.FirstSuccessAt)},
		{Key: w.T("connections.last_success"), Value: moment(one.LastSuccessAt)},
		{Key: w.T("common.created"), Value: exactly(one.CreatedAt)},
		{Key: w.T("common.updated"), Value: moment(one.UpdatedAt)},
	}
	if one.Protocol == sso.SAML && one.MetadataURL != "" {
		pairs = append(pairs, ui.Pair{Key: w.T("connections.metadata_read"), Value: moment(one.MetadataAt)})
	}
	return pairs
}

// connectionOurs are the values that the provider has to be given.
func (c *call) connectionOurs(one sso.Connection) []ui.CopyProps {
	w := c.words()
	at := one.Addresses(c.s.o.PublicURL(c.r, one.OrganizationID))
	var out []ui.CopyProps
	add := func(id, label, value string) {
		if value != "" {
			out = append(out, ui.CopyProps{ID: id, Label: label, Value: value})
		}
	}
	add("acs", w.T("connections.acs"), at.ACS)
	add("entity-id", w.T("connections.sp_entity_id"), at.EntityID)
	add("metadata", w.T("connections.sp_metadata"), at.Metadata)
	add("slo", w.T("connections.slo"), at.SLO)
	add("redirect-uri", w.T("connections.redirect_uri"), at.RedirectURI)
	add("logout-uri", w.T("connections.logout_uri"), at.BackchannelLogout)
	add("signed-out", w.T("connections.signed_out"), at.SignedOut)
	add("login", w.T("connections.login"), at.Login)
	return out
}

func (c *call) connectionTheirs(one sso.Connection) []ui.Pair {
	w := c.words()
	if one.Protocol == sso.OIDC {
		return []ui.Pair{
			{Key: w.T("connections.field_issuer"), Text: one.Issuer, Mono: true},
			{Key: w.T("connections.field_client_id"), Text: one.ClientID, Mono: true},
			{Key: w.T("connections.field_client_secret"), Text: yesSet(c, one.HasSecret)},
			{Key: w.T("connections.field_client_secret_expires_at"), Value: ui.Time(ui.TimeProps{At: one.ClientSecretExpiresAt, Absolute: true})},
		}
	}
	return []ui.Pair{
		{Key: w.T("connections.field_idp_entity_id"), Text: one.IDPEntityID, Mono: true},
		{Key: w.T("connections.field_sso_url"), Text: one.SSOURL, Mono: true},
		{Key: w.T("connections.field_slo_url"), Text: one.SLOURL, Mono: true},
		{Key: w.T("connections.field_metadata_url"), Text: one.MetadataURL, Mono: true},
	}
}

func yesSet(c *call, is bool) string {
	if is {
		return c.words().T("connections.secret_set")
	}
	return c.words().T("connections.secret_none")
}

// soonEnding is when an end is shown as a warning.
const soonEnding = 30 * 24 * time.Hour

func (c *call) connectionCertificates(one sso.Connection) ui.TableProps {
	w, now := c.words(), c.s.o.Now()
	t := ui.TableProps{
		ID: "certificates", Caption: w.T("connections.certificates"),
		Columns: []ui.Column{
			{Label: w.T("connections.subject")},
			{Label: w.T("connections.from"), Minor: true},
			{Label: w.T("connections.until")},
			{Label: w.T("connections.source"), Minor: true},
			{Label: w.T("connections.last_used")},
			{Label: w.T("common.actions"), Unseen: true, Number: true},
		},
		Empty: ui.EmptyProps{Icon: ui.IconKey, Title: w.T("connections.certificates_none"), Text: w.T("connections.certificates_none_text")},
	}
	for _, cert := range one.Certificates {
		state := ui.BadgeProps{Label: w.T("connections.certificate_good"), Tone: ui.Good}
		switch left := cert.NotAfter.Sub(now); {
		case left <= 0:
			state = ui.BadgeProps{Label: w.T("connections.certificate_ended"), Tone: ui.Bad}
		case left <= soonEnding:
			state = ui.BadgeProps{Label: w.T("connections.certificate_ending"), Tone: ui.Warn}
		}
		var remove templ.Component
		if c.operator.Role.May(operator.Admin) {
			remove = act(action{Label: w.T("common.remove"), Form: c.form(connectionHref(one.ID, "certificates", cert.Fingerprint)), Variant: ui.Danger, Small: true})
		}
		t.Rows = append(t.Rows, ui.Row{Cells: []templ.Component{
			certificateName(cert.Subject, cert.Fingerprint), exactly(cert.NotBefore), certificateEnd(cert.NotAfter, state),
			ui.Text(sayOr(w, "connections.source_"+string(cert.Source), string(cert.Source))), moment(cert.LastUsedAt), remove,
		}})
	}
	return t
}

func (c *call) certificateForm(one sso.Connection, m misfit) *formView {
	w := c.words()
	return &formView{
		ID: "certificate-form", Form: c.form(connectionHref(one.ID, "certificates")), Title: w.T("connections.certificate_add"), Save: w.T("connections.certificate_add"),
		Fields: []templ.Component{ui.TextArea(ui.TextAreaProps{
			FieldProps: ui.FieldProps{ID: "certificate", Label: w.T("connections.certificate"), Hint: w.T("connections.certificate_hint"), Error: m.on("certificate")},
			Value:      c.posted.Get("certificate"), Mono: true, Rows: 6,
		})},
	}
}

// change carries out a verb on the connection of the address and goes back to it; a refusal is shown there.
func (c *call) changeConnection(did string, verb func(sso.Connection) error) error {
	one, err := c.connection()
	if err != nil {
		return err
	}
	if err := verb(one); err != nil {
		return again(err, func(m misfit) error { return c.connectionPage(one, m) })
	}
	return c.done(connectionHref(one.ID), did)
}

func activateConnection(c *call) error {
	return c.changeConnection("connection_activated", func(one sso.Connection) error {
		on := sso.Active
		_, err := c.s.o.Connections.Update(c.ctx(), c.operator.Actor(), one.ID, sso.Change{State: &on})
		return err
	})
}

func addConnectionCertificate(c *call) error {
	return c.changeConnection("certificate_added", func(one sso.Connection) error {
		_, err := c.s.o.Connections.AddCertificate(c.ctx(), c.operator.Actor(), one.ID, c.posted.Get("certificate"))
		return err
	})
}

func deleteConnectionCertificate(c *call) error {
	return c.changeConnection("certificate_removed", func(one sso.Connection) error {
		_, err := c.s.o.Connections.DeleteCertificate(c.ctx(), c.operator.Actor(), one.ID, c.values["fingerprint"])
		return err
	})
}

func refreshConnectionMetadata(c *call) error {
	return c.changeConnection("metadata_read", func(one sso.Connection) error {
		_, err := c.s.o.Connections.RefreshMetadata(c.ctx(), c.operator.Actor(), one.ID)
		return err
	})
}

func approveConnectionMetadata(c *call) error {
	return c.changeConnection("metadata_approved", func(one sso.Connection) error {
		_, err := c.s.o.Connections.ApproveMetadata(c.ctx(), c.operator.Actor(), one.ID)
		return err
	})
}

// testConnection makes the address of a test sign-in and shows it: a form may lead nowhere but to us, and the test leads to the provider.
func testConnection(c *call) error {
	one, err := c.connection()
	if err != nil {
		return err
	}
	if c.s.o.NewTest == nil {
		return fault.New(fault.Unsupported, "not_offered", "Test sign-ins are not offered here.")
	}
	to, err := c.s.o.NewTest(c.ctx(), one.ID)
	if err != nil {
		return again(err, func(m misfit) error { return c.connectionPage(one, m) })
	}
	s, f, err := c.connectionSheet(one, "", misfit{})
	if err != nil {
		return err
	}
	return c.show(f, connectionTestView{Sheet: s, Address: to, Results: connectionHref(one.ID, "sign-ins")}.view())
}

// connectionTestView leads to a test sign-in.
type connectionTestView struct {
	Sheet            sheetView
	Address, Results string
}

func askDeactivateConnection(c *call) error { return c.askConnection(deactivating(), misfit{}) }
func askDeleteConnection(c *call) error     { return c.askConnection(deleting(), misfit{}) }

// closing is what takes a way in from people.
type closing struct{ part, did string }

func deactivating() closing { return closing{"deactivate", "connection_deactivated"} }
func deleting() closing     { return closing{"delete", "connection_deleted"} }

func (c *call) askConnection(k closing, m misfit) error {
	one, err := c.connection()
	if err != nil {
		return err
	}
	shut, err := c.s.o.Policies.ShutOutWithout(c.ctx(), one.ID)
	if err != nil {
		return err
	}
	_, f, err := c.connectionSheet(one, "", m)
	if err != nil {
		return err
	}
	w := c.words()
	p := ui.ConfirmProps{
		Title: w.T("connections."+k.part+"_title", "name", one.Name), Text: w.T("connections." + k.part + "_text"),
		Form: c.form(connectionHref(one.ID, k.part)), Confirm: w.T("connections." + k.part), Cancel: ui.Link{Href: connectionHref(one.ID)}, Error: m.on("confirm"),
		Lines: []string{w.T("connections.line_sessions")},
	}
	if k == deleting() {
		p.Lines, p.Type = append(p.Lines, w.T("connections.line_addresses")), one.Name
	}
	if shut.Number > 0 {
		p.Lines = append(p.Lines, w.N("connections.line_shut_out", shut.Number, "names", strings.Join(shut.Names, ", ")))
		p.Type = strconv.Itoa(shut.Number)
	}
	return c.show(f, asking(m, p))
}

// confirmedNumber is the number that was typed in; nil for anything else.
func (c *call) confirmedNumber() *int {
	n, err := strconv.Atoi(strings.TrimSpace(c.posted.Get("confirm")))
	if err != nil {
		return nil
	}
	return &n
}

func deactivateConnection(c *call) error {
	one, err := c.connection()
	if err != nil {
		return err
	}
	if _, err := c.s.o.Policies.CloseConnection(c.ctx(), c.operator.Actor(), one.ID, c.confirmedNumber()); err != nil {
		return again(err, func(m misfit) error { return c.askConnection(deactivating(), m) })
	}
	return c.done(connectionHref(one.ID), deactivating().did)
}

// deleteConnection wants the name typed in, or the number of those who would have no way in.
func deleteConnection(c *call) error {
	one, err := c.connection()
	if err != nil {
		return err
	}
	number := c.confirmedNumber()
	if typed := strings.TrimSpace(c.posted.Get("confirm")); number == nil && typed != strings.TrimSpace(one.Name) {
		return again(c.notTyped(), func(m misfit) error { return c.askConnection(deleting(), m) })
	}
	if err := c.s.o.Policies.DeleteConnection(c.ctx(), c.operator.Actor(), one.ID, number); err != nil {
		return again(err, func(m misfit) error { return c.askConnection(deleting(), m) })
	}
	return c.done(organizationHref(one.OrganizationID), deleting().did)
}

// notTyped is the refusal of a confirmation that says something else.
func (c *call) notTyped() error {
	return fault.New(fault.Unprocessable, "not_confirmed", "%s", c.words().T("common.not_typed")).On("confirm")
}

// signInsTable are the attempts to sign in through a connection.
func signInsTable(c *call) (table[sso.Attempt], error) {
	one, err := c.connection()
	if err != nil {
		return table[sso.Attempt]{}, err
	}
	return c.signInsOf(one)
}

func (c *call) signInsOf(one sso.Connection) (table[sso.Attempt], error) {
	query, err := c.query()
	if err != nil {
		return table[sso.Attempt]{}, err
	}
	state, known := chosen(query.Get("state"), sso.AttemptStates())
	if !known {
		return table[sso.Attempt]{}, fault.New(fault.Unprocessable, "invalid_state", "There is no state %.40q.", query.Get("state")).On("state")
	}
	w := c.words()
	refused := func(of func(sso.Refused) string) func(sso.Attempt) string {
		return func(a sso.Attempt) string {
			if a.Refused == nil {
				return ""
			}
			return of(*a.Refused)
		}
	}
	reason := refused(func(r sso.Refused) string { return r.Message })
	return table[sso.Attempt]{
		id: "sign-ins", file: "sign-ins", at: connectionHref(one.ID, "sign-ins"), query: query, filters: []string{"state"}, cursor: sso.AttemptPrefix,
		key: func(a sso.Attempt) string { return string(a.ID) },
		read: func(ctx context.Context, p paging, limit int) ([]sso.Attempt, bool, error) {
			return c.s.o.Connections.Attempts(ctx, sso.AttemptQuery{ConnectionID: one.ID, State: state, Before: p.before, After: p.after, Limit: limit})
		},
		fields: ui.Fields[sso.Attempt]{
			ui.InExport("id", func(a sso.Attempt) string { return string(a.ID) }),
			ui.OnPage(ui.Column{Label: w.T("connections.who")}, func(a sso.Attempt) templ.Component {
				return link(signInName(a), connectionHref(one.ID, "sign-ins", string(a.ID)))
			}),
			ui.InExport("email", func(a sso.Attempt) string { return a.Email }),
			ui.InExport("idp_id", func(a sso.Attempt) string { return a.IDPID }),
			ui.InExport("user_id", func(a sso.Attempt) string { return a.UserID }),
			ui.Both(ui.Column{Label: w.T("common.state")}, func(a sso.Attempt) templ.Component { return ui.Badge(c.attemptBadge(a.State)) },
				"state", func(a sso.Attempt) string { return string(a.State) }),
			ui.InExport("code", refused(func(r sso.Refused) string { return string(r.Code) })),
			ui.Both(ui.Column{Label: w.T("connections.reason")}, func(a sso.Attempt) templ.Component { return ui.Text(reason(a)) }, "reason", reason),
			ui.Both(ui.Column{Label: w.T("connections.fixer"), Minor: true}, func(a sso.Attempt) templ.Component {
				return ui.Text(refused(func(r sso.Refused) string { return c.fixerName(r.Fixer) })(a))
			}, "mended_by", refused(func(r sso.Refused) string { return string(r.Fixer) })),
			ui.Both(ui.Column{Label: w.T("connections.kind"), Minor: true}, func(a sso.Attempt) templ.Component {
				return ui.Text(sayOr(w, "connections.kind_"+string(a.Kind), string(a.Kind)))
			}, "kind", func(a sso.Attempt) string { return string(a.Kind) }),
			ui.InExport("ip_address", func(a sso.Attempt) string { return a.IP }),
			ui.InExport("user_agent", func(a sso.Attempt) string { return a.UserAgent }),
			ui.Both(ui.Column{Label: w.T("common.when")}, func(a sso.Attempt) templ.Component { return moment(a.CreatedAt) },
				"began_at", func(a sso.Attempt) string { return written(a.CreatedAt) }),
			ui.InExport("finished_at", func(a sso.Attempt) string { return written(a.FinishedAt) }),
		},
	}, nil
}

// signInName is what an attempt is known by: the person, else its number.
func signInName(a sso.Attempt) string {
	for _, name := range []string{a.Email, a.IDPID, a.LoginHint} {
		if name != "" {
			return name
		}
	}
	return string(a.ID)
}

func (c *call) fixerName(f sso.Fixer) string {
	return sayOr(c.words(), "connections.fixer_"+string(f), string(f))
}

func (c *call) attemptBadge(s sso.AttemptState) ui.BadgeProps {
	tone := map[sso.AttemptState]ui.Tone{sso.Succeeded: ui.Good, sso.Failed: ui.Bad, sso.TimedOut: ui.Warn, sso.AtProvider: ui.Info}[s]
	return ui.BadgeProps{Label: sayOr(c.words(), "connections.attempt_"+string(s), string(s)), Tone: tone, Dot: true}
}

func showSignIns(c *call) error {
	one, err := c.connection()
	if err != nil {
		return err
	}
	list, err := c.signInsOf(one)
	if err != nil {
		return err
	}
	w, path := c.words(), connectionHref(one.ID, "sign-ins")
	t := ui.TableProps{
		Caption: w.T("connections.tab_sign_ins"), Empty: ui.EmptyProps{Icon: ui.IconShield, Title: w.T("connections.sign_ins_none"), Text: w.T("connections.sign_ins_none_text")},
		Tools: signInTools(path, list.query.Get("state"), options(w, "connections.attempt_", sso.AttemptStates()), cleared(list.query, path, "state"), list.exportLink(c)),
	}
	if _, err := list.fill(c, &t); err != nil {
		return err
	}
	s, f, err := c.connectionSheet(one, "sign-ins", misfit{})
	if err != nil {
		return err
	}
	return c.show(f, listing(s, t))
}

// attemptView is one attempt with what was looked at.
type attemptView struct {
	Head    ui.HeadProps
	Refused *ui.AlertProps // nil: it was not refused
	Advice  string
	Code    string
	Wanted  string
	Got     string
	Facts   []ui.Pair
	Checks  []ui.EventProps
}

func showSignInAttempt(c *call) error {
	one, err := c.connection()
	if err != nil {
		return err
	}
	id := c.values["attempt"]
	if !isID(id, sso.AttemptPrefix) {
		return sso.AttemptNotFound(id)
	}
	a, err := c.s.o.Connections.Attempt(c.ctx(), sso.AttemptID(id))
	if err == nil && a.ConnectionID != one.ID {
		err = sso.AttemptNotFound(id)
	}
	if err != nil {
		return err
	}
	_, f, err := c.connectionSheet(one, "sign-ins", misfit{})
	if err != nil {
		return err
	}
	f.Title = signInName(a)
	f.Crumbs = append(f.Crumbs, ui.Link{Label: c.words().T("connections.tab_sign_ins"), Href: connectionHref(one.ID, "sign-ins")}, ui.Link{Label: f.Title})
	return c.show(f, c.attemptView(a).view())
}

func (c *call) attemptView(a sso.Attempt) attemptView {
	w := c.words()
	v := attemptView{
		Head: ui.HeadProps{
			Title: signInName(a), Badge: ui.Badge(c.attemptBadge(a.State)), Text: sayOr(w, "connections.kind_"+string(a.Kind), string(a.Kind)),
			Back: ui.Link{Label: w.T("connections.tab_sign_ins"), Href: connectionHref(a.ConnectionID, "sign-ins")},
		},
		Facts: []ui.Pair{
			idPair(w, string(a.ID)),
			{Key: w.T("connections.email"), Text: a.Email},
			{Key: w.T("connections.idp_id"), Text: a.IDPID, Mono: true},
			{Key: w.T("common.began"), Value: exactly(a.CreatedAt)},
			{Key: w.T("common.finished"), Value: exactly(a.FinishedAt)},
			{Key: w.T("common.ip"), Text: a.IP, Mono: true},
			{Key: w.T("common.browser"), Text: a.UserAgent},
			{Key: w.T("connections.profile"), Text: string(a.ProfileID), Mono: true},
			{Key: w.T("common.user"), Text: a.UserID, Mono: true},
			{Key: w.T("common.session"), Text: a.SessionID, Mono: true},
		},
	}
	if r := a.Refused; r != nil {
		v.Refused = &ui.AlertProps{Tone: ui.Bad, Title: r.Message, Text: w.T("connections.mends", "who", c.fixerName(r.Fixer))}
		v.Advice, v.Code, v.Wanted, v.Got = r.Advice, string(r.Code), r.Wanted, r.Got
	}
	for _, check := range a.Checks {
		e := ui.EventProps{Title: sayOr(w, "member.check_"+check.Name, check.Name), Tone: ui.Good, At: a.CreatedAt}
		if !check.Passed {
			e.Tone = ui.Bad
		}
		e.Text = w.T("connections.check_values", "wanted", orDash(check.Wanted), "got", orDash(check.Got))
		v.Checks = append(v.Checks, e)
	}
	return v
}

// rowOf are buttons for the foot of a frame; nil where there are none.
func rowOf(all []action) templ.Component {
	if len(all) == 0 {
		return nil
	}
	return rowed(all)
}

// shortened is enough of a fingerprint to tell two apart.
func shortened(fingerprint string) string {
	const enough = 16
	return fingerprint[:min(len(fingerprint), enough)]
}
