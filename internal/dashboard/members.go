package dashboard

import (
	"cmp"
	"context"
	"net/url"
	"slices"
	"strconv"

	"github.com/a-h/templ"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/rollcallhq/rollcall/internal/access"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/member"
	"github.com/rollcallhq/rollcall/internal/operator"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/session"
	"github.com/rollcallhq/rollcall/internal/web/ui"
	"github.com/rollcallhq/rollcall/internal/web/words"
)

const membersPath = Prefix + "members"

// memberPages are the addresses of members.
func memberPages() []row {
	const see, change = operator.ReadOnly, operator.Admin
	one := membersPath + "/{id}"
	return []row{
		{membersPath, "dashboard_members", see, showMembers, change, nil},
		exportRow(membersPath, "dashboard_members", see, membersTable),
		exportRow(one+"/sessions", "dashboard_member_sessions", see, memberSessionsTable),
		{one, "dashboard_member", see, showMember, change, nil},
		{one + "/block", "dashboard_member_state", change, askBlockMember, change, blockMember},
		{one + "/unblock", "dashboard_member_state", see, nil, change, unblockMember},
		{one + "/remove", "dashboard_member_state", change, askRemoveMember, change, removeMember},
		{one + "/access", "dashboard_member_access", see, nil, change, saveMemberAccess},
		{one + "/teams", "dashboard_member_teams", see, nil, change, addMemberToTeam},
		{one + "/teams/{team}/leave", "dashboard_member_teams", see, nil, change, removeMemberFromTeam},
		{one + "/sessions/end", "dashboard_member_sessions", see, nil, change, endMemberSessions},
		{one + "/sessions/{session}/end", "dashboard_member_sessions", see, nil, change, endMemberSession},
	}
}

// keepsAccounts refuses what is about accounts where the app keeps them.
func (c *call) keepsAccounts() error {
	if c.s.o.Members == nil {
		return fault.New(fault.Forbidden, "accounts_not_kept", "%s", c.words().T("people.not_kept"))
	}
	return nil
}

func memberHref(id member.MembershipID, parts ...string) string {
	return hrefOf("members", append([]string{string(id)}, parts...)...)
}

// memberStates are those that a list may be narrowed to.
func memberStates() []member.State {
	return []member.State{member.Active, member.Pending, member.Inactive, member.Removed}
}

func (c *call) memberBadge(s member.State) ui.BadgeProps {
	tone := map[member.State]ui.Tone{member.Active: ui.Good, member.Pending: ui.Info, member.Inactive: ui.Neutral, member.Removed: ui.Bad}[s]
	return ui.BadgeProps{Label: sayOr(c.words(), "people.state_"+string(s), string(s)), Tone: tone, Dot: true}
}

func (c *call) whySentence(y member.Why) string {
	return sayOr(c.words(), "people.why_"+string(y), string(y))
}

// showMembers lists the members of one organization, or where an address is given everywhere that its account is one.
func showMembers(c *call) error {
	if err := c.keepsAccounts(); err != nil {
		return err
	}
	query, err := c.query()
	if err != nil {
		return err
	}
	organization, err := filterOrganizationID(query)
	switch {
	case err != nil:
		return err
	case organization != "":
		return c.membersOf(query, organization)
	case query.Get("email") != "":
		return c.membersByEmail(query)
	}
	w := c.words()
	return c.chooseOrganization(query, w.T("people.title"), w.T("people.choose"), "members", memberSearch())
}

// memberRow is a member in a list; the organization has its name where the list is not of one.
type memberRow struct {
	member.Member
	Organization string
}

func (r memberRow) key() string { return string(r.Membership.ID) }

func memberRows(all []member.Member) []memberRow {
	out := make([]memberRow, len(all))
	for i, m := range all {
		out[i].Member = m
	}
	return out
}

// memberFields are the columns of members; first are those that name them on the page, last what can be done there.
func (c *call) memberFields(first ui.Field[memberRow], last ...ui.Field[memberRow]) ui.Fields[memberRow] {
	w := c.words()
	return slices.Concat(ui.Fields[memberRow]{
		ui.InExport("id", memberRow.key),
		ui.InExport("organization_id", func(r memberRow) string { return r.Membership.OrganizationID }),
		ui.InExport("user_id", func(r memberRow) string { return string(r.User.ID) }),
		first,
		ui.InExport("name", func(r memberRow) string { return r.User.Name() }),
		ui.Both(ui.Column{Label: w.T("common.state")}, func(r memberRow) templ.Component { return ui.Badge(c.memberBadge(r.Membership.State)) },
			"state", func(r memberRow) string { return string(r.Membership.State) }),
		ui.Both(ui.Column{Label: w.T("people.why"), Minor: true}, func(r memberRow) templ.Component { return ui.Text(c.whySentence(r.Membership.Why)) },
			"why", func(r memberRow) string { return string(r.Membership.Why) }),
		ui.InExport("primary", func(r memberRow) string { return strconv.FormatBool(r.Membership.Primary) }),
		ui.Both(ui.Column{Label: w.T("people.role")}, func(r memberRow) templ.Component { return ui.Text(r.Membership.Role) },
			"role", func(r memberRow) string { return r.Membership.Role }),
		ui.InExport("licence", func(r memberRow) string { return r.Membership.Licence }),
		ui.InExport("directory_user_id", func(r memberRow) string { return r.Membership.DirectoryUserID }),
		ui.Both(ui.Column{Label: w.T("people.joined"), Minor: true}, func(r memberRow) templ.Component { return moment(r.Membership.JoinedAt) },
			"joined_at", func(r memberRow) string { return written(r.Membership.JoinedAt) }),
	}, last)
}

// namedMember is the column of a list of one organization.
func namedMember(w *words.Words) ui.Field[memberRow] {
	return ui.Both(ui.Column{Label: w.T("common.name")}, func(r memberRow) templ.Component {
		return ui.Person(r.User.Name(), r.User.Email, memberHref(r.Membership.ID))
	}, "email", func(r memberRow) string { return r.User.Email })
}

// membersTable are the members of one organization, or where an address is given everywhere that its account is one.
func membersTable(c *call) (table[memberRow], error) {
	if err := c.keepsAccounts(); err != nil {
		return table[memberRow]{}, err
	}
	query, err := c.query()
	if err != nil {
		return table[memberRow]{}, err
	}
	t := table[memberRow]{id: "members", file: "members", at: membersPath, query: query, key: memberRow.key}
	id, err := filterOrganizationID(query)
	if err != nil {
		return t, err
	}
	if id == "" && query.Get("email") != "" {
		return c.membersByEmailTable(t), nil
	}
	o, err := c.organization(id)
	if err != nil {
		return t, err
	}
	states, err := memberStateOf(query)
	if err != nil {
		return t, err
	}
	t.filters, t.cursor, t.fields = []string{"organization", "state"}, membershipPrefix, c.memberFields(namedMember(c.words()))
	t.read = func(ctx context.Context, p paging, limit int) ([]memberRow, bool, error) {
		found, more, err := c.s.o.Members.List(ctx, member.ListQuery{OrganizationID: string(o.ID), States: states, Before: p.before, After: p.after, Limit: limit})
		return memberRows(found), more, err
	}
	return t, nil
}

// memberStateOf is the state that a list of members is narrowed to; none is all but the removed.
func memberStateOf(query url.Values) (states []member.State, err error) {
	state, known := chosen(query.Get("state"), memberStates())
	switch {
	case !known:
		return nil, fault.New(fault.Unprocessable, "invalid_state", "There is no state %.40q.", query.Get("state")).On("state")
	case state != "":
		return []member.State{state}, nil
	}
	return nil, nil
}

func (c *call) membersOf(query url.Values, organizationID string) error {
	o, err := c.organization(organizationID)
	if err != nil {
		return err
	}
	list, err := membersTable(c)
	if err != nil {
		return err
	}
	w := c.words()
	t := ui.TableProps{
		Caption: w.T("people.of", "organization", o.Name),
		Tools: memberTools(memberFilter{
			Organization: organizationID, State: query.Get("state"), States: options(w, "people.state_", memberStates()), Clear: cleared(query, membersPath+"?organization="+organizationID, "state"),
		}),
		Empty: ui.EmptyProps{Icon: ui.IconUsers, Title: w.T("people.none"), Text: w.T("people.none_text")},
	}
	if _, err := list.fill(c, &t); err != nil {
		return err
	}
	s := sheetView{Head: ui.HeadProps{
		Title: o.Name, Text: w.T("people.lead"), Back: ui.Link{Label: w.T("people.title"), Href: membersPath}, Actions: acts([]action{list.exportAction(c)}),
	}}
	return c.show(frame{Title: w.T("people.of", "organization", o.Name), Crumbs: []ui.Link{{Label: o.Name}}}, listing(s, t))
}

// memberFilter narrows the members of an organization.
type memberFilter struct {
	Organization, State, Clear string
	States                     []ui.Option
}

// membersByEmailTable are the memberships of the person with an address, found by the whole of it.
func (c *call) membersByEmailTable(t table[memberRow]) table[memberRow] {
	email := searchOf(t.query.Get("email"))
	t.filters = []string{"email"}
	t.fields = c.memberFields(ui.Both(ui.Column{Label: c.words().T("common.organization")}, func(r memberRow) templ.Component {
		return link(r.Organization, memberHref(r.Membership.ID))
	}, "organization", func(r memberRow) string { return r.Organization }), ui.InExport("email", func(r memberRow) string { return r.User.Email }))
	t.read = whole(func(ctx context.Context) ([]memberRow, error) {
		u, err := c.s.o.Members.UserByEmail(ctx, email)
		if fault.Is(err, fault.NotFound) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		all, err := c.s.o.Members.MembersOf(ctx, u.ID)
		out, owner := memberRows(all), c.owners()
		for i := range out {
			if out[i].Organization, err = owner(ctx, out[i].Membership.OrganizationID); err != nil {
				return nil, err
			}
		}
		return out, err
	})
	return t
}

func (c *call) membersByEmail(query url.Values) error {
	w, email := c.words(), searchOf(query.Get("email"))
	list, err := membersTable(c)
	if err != nil {
		return err
	}
	t := ui.TableProps{
		Caption: w.T("people.title"), Empty: ui.EmptyProps{Icon: ui.IconUsers, Title: w.T("people.nobody", "email", email), Text: w.T("people.nobody_text")},
	}
	if _, err := list.fill(c, &t); err != nil {
		return err
	}
	return c.show(frame{Title: w.T("people.title"), Crumbs: []ui.Link{{Label: email}}}, listing(sheetView{Head: ui.HeadProps{
		Title: email, Text: w.T("people.everywhere"), Back: ui.Link{Label: w.T("people.title"), Href: membersPath}, Actions: acts([]action{list.exportAction(c)}),
	}}, t))
}

// member finds the one of the address.
func (c *call) member() (member.Member, error) {
	if err := c.keepsAccounts(); err != nil {
		return member.Member{}, err
	}
	id := c.values["id"]
	if !isID(id, membershipPrefix) {
		return member.Member{}, member.NotFound("Organization membership", id)
	}
	return c.s.o.Members.Member(c.ctx(), member.MembershipID(id))
}

// memberView is the page of one.
type memberView struct {
	Sheet      sheetView
	Why        ui.AlertProps
	Facts      []ui.Pair
	RoleFrom   string
	Access     formView
	Teams      ui.TableProps
	Join       *formView // nil: there is no team to join, or nobody who may
	Attributes string    // JSON
	Identities ui.TableProps
	Sessions   ui.TableProps
	OfSessions []action
}

func showMember(c *call) error {
	m, err := c.member()
	if err != nil {
		return err
	}
	return c.memberPage(m, misfit{})
}

func (c *call) memberPage(m member.Member, bad misfit) error {
	o, err := c.s.o.Organizations.Get(c.ctx(), org.ID(m.Membership.OrganizationID))
	if err != nil {
		return err
	}
	w := c.words()
	v := memberView{
		Sheet: sheetView{Wrong: bad, Head: ui.HeadProps{
			Title: orElse(m.User.Name(), m.User.Email), Text: c.memberKind(m, o.Name), Badge: ui.Badge(c.memberBadge(m.Membership.State)), Actions: acts(c.memberActions(m)),
			Back: ui.Link{Label: o.Name, Href: membersPath + "?organization=" + string(o.ID)},
		}},
		Why: ui.AlertProps{Tone: whyTone(m.Membership.State), Title: c.whySentence(m.Membership.Why), Text: c.whyMore(m.Membership)}, Facts: c.memberFacts(m, o.Name),
		RoleFrom: sayOr(w, "people.role_by_"+string(m.Membership.RoleBy), w.T("people.role_by_default")),
	}
	if len(m.Membership.CustomAttributes) > 0 {
		v.Attributes = pretty(m.Membership.CustomAttributes)
	}
	for _, fill := range []func(member.Member, *memberView, misfit) error{c.memberAccess, c.memberTeams, c.memberIdentities, c.memberSessions} {
		if err := fill(m, &v, bad); err != nil {
			return err
		}
	}
	f := frame{Title: v.Sheet.Head.Title, Status: bad.Status, Crumbs: []ui.Link{{Label: o.Name, Href: v.Sheet.Head.Back.Href}, {Label: v.Sheet.Head.Title}}}
	return c.show(f, v.view())
}

func whyTone(s member.State) ui.Tone {
	switch s {
	case member.Active, member.Pending:
		return ui.Info
	case member.Inactive, member.Removed:
	}
	return ui.Warn
}

func (c *call) memberKind(m member.Member, organization string) string {
	if m.Membership.Primary {
		return c.words().T("people.primary", "organization", organization)
	}
	return c.words().T("people.guest", "organization", organization)
}

// whyMore names who is behind the reason: a directory's person, or a hand.
func (c *call) whyMore(m member.Membership) string {
	w := c.words()
	switch {
	case !m.BlockedAt.IsZero():
		return w.T("people.blocked_by", "who", m.BlockedBy)
	case m.DirectoryUserID != "":
		return w.T("people.directory_person", "id", m.DirectoryUserID)
	case m.InvitationID != "":
		return w.T("people.by_invitation", "id", m.InvitationID)
	}
	return ""
}

func (c *call) memberActions(m member.Member) []action {
	if !c.operator.Role.May(operator.Admin) {
		return nil
	}
	w, id := c.words(), m.Membership.ID
	remove := action{Label: w.T("people.remove"), Href: memberHref(id, "remove"), Variant: ui.Danger, Icon: ui.IconUserMinus}
	switch m.Membership.State {
	case member.Active:
		return []action{{Label: w.T("people.block"), Href: memberHref(id, "block"), Variant: ui.Secondary, Icon: ui.IconLock}, remove}
	case member.Inactive:
		return []action{{Label: w.T("people.unblock"), Form: c.form(memberHref(id, "unblock")), Variant: ui.Secondary, Icon: ui.IconUndo}, remove}
	case member.Pending:
		return []action{remove}
	case member.Removed:
	}
	return nil
}

func (c *call) memberFacts(m member.Member, organization string) []ui.Pair {
	w := c.words()
	verified := w.T("people.email_unproven")
	if m.User.EmailVerified {
		verified = w.T("people.email_proven")
	}
	pairs := []ui.Pair{
		idPair(w, string(m.Membership.ID)),
		{Key: w.T("common.user"), Text: string(m.User.ID), Mono: true},
		{Key: w.T("people.email"), Text: m.User.Email + " (" + verified + ")"},
		{Key: w.T("common.organization"), Value: link(organization, organizationHref(m.Membership.OrganizationID))},
		{Key: w.T("people.joined"), Value: moment(m.Membership.JoinedAt)},
		{Key: w.T("people.joined_by"), Text: sayOr(w, "people.via_"+string(m.Membership.JoinedBy), string(m.Membership.JoinedBy))},
		{Key: w.T("people.directory_user"), Text: m.Membership.DirectoryUserID, Mono: true},
		{Key: w.T("people.last_sign_in"), Value: moment(m.User.LastSignInAt)},
		{Key: w.T("common.created"), Value: exactly(m.Membership.CreatedAt)},
	}
	if !m.User.DeprovisionedAt.IsZero() {
		pairs = append(pairs, ui.Pair{Key: w.T("people.deprovisioned"), Value: moment(m.User.DeprovisionedAt)})
	}
	return pairs
}

// memberAccess is the form of role and licence, with where the present ones came from.
func (c *call) memberAccess(m member.Member, v *memberView, bad misfit) error {
	w, organization := c.words(), m.Membership.OrganizationID
	roles, err := c.s.o.Access.Roles(c.ctx(), organization)
	if err != nil {
		return err
	}
	licences, err := c.s.o.Access.Licences(c.ctx(), organization)
	if err != nil {
		return err
	}
	role := ui.SelectProps{FieldProps: ui.FieldProps{ID: "role", Label: w.T("people.role"), Error: bad.on("role_slug"), Lax: true}, Value: c.kept("role", m.Membership.Role)}
	for _, r := range roles {
		role.Options = append(role.Options, ui.Option{Value: r.Slug, Label: r.Name})
	}
	licence := ui.SelectProps{
		FieldProps: ui.FieldProps{ID: "licence", Label: w.T("people.licence"), Error: bad.on("licence"), Lax: true}, Value: c.kept("licence", m.Membership.Licence), Empty: w.T("people.licence_none"),
	}
	if m.Membership.WantedLicence != "" && m.Membership.WantedLicence != m.Membership.Licence {
		licence.Hint = w.T("people.licence_wanted", "licence", m.Membership.WantedLicence)
	}
	for _, l := range licences {
		licence.Options = append(licence.Options, ui.Option{Value: l.Type.Slug, Label: l.Type.Name})
	}
	v.Access = formView{
		ID: "access-form", Form: c.form(memberHref(m.Membership.ID, "access")), Title: w.T("people.access_title"), Text: v.RoleFrom, Save: w.T("common.save"),
		Fields: []templ.Component{ui.Select(role), ui.Select(licence)},
	}
	return nil
}

// teamsOffered is how many teams the list to choose from has.
const teamsOffered = 100

func (c *call) memberTeams(m member.Member, v *memberView, bad misfit) error {
	w, place := c.words(), m.Membership
	in, err := c.s.o.Access.TeamsOfMember(c.ctx(), place.OrganizationID, string(place.ID))
	if err != nil {
		return err
	}
	v.Teams = ui.TableProps{
		ID: "teams", Caption: w.T("people.teams"), Empty: ui.EmptyProps{Icon: ui.IconTeam, Title: w.T("people.teams_none")},
		Columns: []ui.Column{{Label: w.T("common.name")}, {Label: w.T("people.put_by")}, {Label: w.T("common.actions"), Unseen: true, Number: true}},
	}
	admin := c.operator.Role.May(operator.Admin) && place.State != member.Removed
	for _, t := range in {
		var leave templ.Component
		if admin && t.PutBy != access.ByMapping && !t.Team.Follows() {
			leave = act(action{Label: w.T("common.remove"), Form: c.form(memberHref(place.ID, "teams", string(t.Team.ID), "leave")), Variant: ui.Danger, Small: true})
		}
		v.Teams.Rows = append(v.Teams.Rows, ui.Row{Cells: []templ.Component{
			link(t.Team.Name, teamHref(place.OrganizationID, t.Team.ID)), ui.Text(sayOr(w, "people.put_by_"+string(t.PutBy), string(t.PutBy))), leave,
		}})
	}
	all, _, err := c.s.o.Access.Teams(c.ctx(), place.OrganizationID, access.Page{Limit: teamsOffered})
	if err != nil || !admin {
		return err
	}
	choice := ui.SelectProps{FieldProps: ui.FieldProps{ID: "team", Label: w.T("people.team"), Error: bad.on("team")}}
	for _, t := range all {
		if !t.Follows() && !inTeam(in, t.ID) {
			choice.Options = append(choice.Options, ui.Option{Value: string(t.ID), Label: t.Name})
		}
	}
	if len(choice.Options) > 0 {
		v.Join = &formView{
			ID: "team-form", Form: c.form(memberHref(place.ID, "teams")), Title: w.T("people.team_add"), Save: w.T("people.team_add"), Fields: []templ.Component{ui.Select(choice)},
		}
	}
	return nil
}

func inTeam(in []access.MemberTeam, id access.TeamID) bool {
	return slices.ContainsFunc(in, func(t access.MemberTeam) bool { return t.Team.ID == id })
}

func (c *call) memberIdentities(m member.Member, v *memberView, _ misfit) error {
	w := c.words()
	all, err := c.s.o.Members.Identities(c.ctx(), m.User.ID)
	if err != nil {
		return err
	}
	v.Identities = ui.TableProps{
		ID: "identities", Caption: w.T("people.identities"), Empty: ui.EmptyProps{Icon: ui.IconKey, Title: w.T("people.identities_none")},
		Columns: []ui.Column{{Label: w.T("people.idp_id")}, {Label: w.T("people.connection"), Minor: true}, {Label: w.T("people.linked_by"), Minor: true}, {Label: w.T("people.last_used")}},
	}
	for _, i := range all {
		if i.OrganizationID != m.Membership.OrganizationID {
			continue
		}
		v.Identities.Rows = append(v.Identities.Rows, ui.Row{Cells: []templ.Component{
			ui.Mono(i.IDPID), link(i.ConnectionID, hrefOf("connections", i.ConnectionID)), ui.Text(sayOr(w, "people.linked_"+string(i.LinkedBy), string(i.LinkedBy))), moment(i.LastUsedAt),
		}})
	}
	return nil
}

// memberSessionsTable are a person's sessions in one organization: another's are on that one's page.
func memberSessionsTable(c *call) (table[session.Session], error) {
	m, err := c.member()
	if err != nil {
		return table[session.Session]{}, err
	}
	return c.sessionsOf(m)
}

func (c *call) sessionsOf(m member.Member) (table[session.Session], error) {
	query, err := c.query()
	if err != nil {
		return table[session.Session]{}, err
	}
	w, now := c.words(), c.s.o.Now()
	t := table[session.Session]{
		id: "sessions", file: "sessions", at: memberHref(m.Membership.ID, "sessions"), query: query, cursor: session.Prefix, key: func(s session.Session) string { return s.ID },
		read: func(ctx context.Context, p paging, limit int) ([]session.Session, bool, error) {
			return c.s.o.Sessions.List(ctx, session.ListQuery{UserID: string(m.User.ID), Before: p.before, After: p.after, Limit: limit})
		},
		skip: func(s session.Session) bool {
			return s.OrganizationID != "" && s.OrganizationID != m.Membership.OrganizationID
		},
		fields: ui.Fields[session.Session]{
			ui.InExport("id", func(s session.Session) string { return s.ID }),
			ui.Both(ui.Column{Label: w.T("people.session_where")}, func(s session.Session) templ.Component { return sessionPlace(s.IP, s.UserAgent) },
				"ip_address", func(s session.Session) string { return s.IP }),
			ui.InExport("user_agent", func(s session.Session) string { return s.UserAgent }),
			ui.InExport("method", func(s session.Session) string { return string(s.Method) }),
			ui.Both(ui.Column{Label: w.T("common.state")}, func(s session.Session) templ.Component { return ui.Badge(c.sessionBadge(s)) },
				"living", func(s session.Session) string { return strconv.FormatBool(s.Living(now)) }),
			ui.Both(ui.Column{Label: w.T("people.session_since")}, func(s session.Session) templ.Component { return moment(s.CreatedAt) },
				"created_at", func(s session.Session) string { return written(s.CreatedAt) }),
			ui.Both(ui.Column{Label: w.T("people.session_seen"), Minor: true}, func(s session.Session) templ.Component { return moment(s.SeenAt) },
				"seen_at", func(s session.Session) string { return written(s.SeenAt) }),
			ui.InExport("ended_at", func(s session.Session) string { return written(s.EndedAt) }),
			ui.InExport("end_reason", func(s session.Session) string { return string(s.EndReason) }),
			ui.OnPage(ui.Column{Label: w.T("common.actions"), Unseen: true, Number: true}, func(s session.Session) templ.Component {
				if !c.changes() || !s.Living(now) {
					return templ.NopComponent
				}
				return act(action{Label: w.T("people.session_end"), Form: c.form(memberHref(m.Membership.ID, "sessions", s.ID, "end")), Variant: ui.Danger, Small: true})
			}),
		},
	}
	return t, nil
}

func (c *call) memberSessions(m member.Member, v *memberView, _ misfit) error {
	w, now := c.words(), c.s.o.Now()
	list, err := c.sessionsOf(m)
	if err != nil {
		return err
	}
	v.Sessions = ui.TableProps{Caption: w.T("people.sessions"), Empty: ui.EmptyProps{Icon: ui.IconGlobe, Title: w.T("people.sessions_none")}}
	v.OfSessions = []action{list.exportSmall(c)}
	found, err := list.fill(c, &v.Sessions)
	if err != nil {
		return err
	}
	if c.changes() && slices.ContainsFunc(found, func(s session.Session) bool { return s.Living(now) }) {
		v.OfSessions = append(v.OfSessions, action{Label: w.T("people.sessions_end"), Form: c.form(memberHref(m.Membership.ID, "sessions", "end")), Variant: ui.Danger, Small: true, Icon: ui.IconLogOut})
	}
	return nil
}

func (c *call) sessionBadge(s session.Session) ui.BadgeProps {
	w := c.words()
	switch {
	case s.Living(c.s.o.Now()):
		return ui.BadgeProps{Label: w.T("people.session_living"), Tone: ui.Good, Dot: true}
	case s.EndedAt.IsZero():
		return ui.BadgeProps{Label: w.T("people.session_expired")}
	}
	return ui.BadgeProps{Label: sayOr(w, "people.ended_"+string(s.EndReason), string(s.EndReason))}
}

// changeMember carries out a verb on the member of the address and goes back to their page; a refusal is shown there.
func (c *call) changeMember(did string, verb func(member.Member) error) error {
	m, err := c.member()
	if err != nil {
		return err
	}
	if err := verb(m); err != nil {
		return again(err, func(bad misfit) error { return c.memberPage(m, bad) })
	}
	return c.done(memberHref(m.Membership.ID), did)
}

func blockMember(c *call) error {
	return c.changeMember("member_blocked", func(m member.Member) error {
		_, err := c.s.o.Members.Deactivate(c.ctx(), c.operator.Actor(), m.Membership.ID)
		return err
	})
}

func unblockMember(c *call) error {
	return c.changeMember("member_unblocked", func(m member.Member) error {
		_, err := c.s.o.Members.Reactivate(c.ctx(), c.operator.Actor(), m.Membership.ID)
		return err
	})
}

func removeMember(c *call) error {
	return c.changeMember("member_removed", func(m member.Member) error {
		return c.s.o.Members.Remove(c.ctx(), c.operator.Actor(), m.Membership.ID)
	})
}

func saveMemberAccess(c *call) error {
	return c.changeMember("saved", func(m member.Member) error {
		var ch member.MembershipChanges
		if c.posted.Has("role") {
			ch.Role = told(c.posted.Get("role"), m.Membership.Role)
		}
		if c.posted.Has("licence") {
			ch.Licence = told(c.posted.Get("licence"), m.Membership.Licence)
		}
		_, err := c.s.o.Members.UpdateMembership(c.ctx(), c.operator.Actor(), m.Membership.ID, ch)
		return err
	})
}

func addMemberToTeam(c *call) error {
	return c.changeMember("team_joined", func(m member.Member) error {
		team := c.posted.Get("team")
		if !isID(team, teamPrefix) {
			return access.TeamNotFound(team)
		}
		_, err := c.s.o.Access.AddToTeam(c.ctx(), c.operator.Actor(), m.Membership.OrganizationID, access.TeamID(team), string(m.Membership.ID))
		return err
	})
}

func removeMemberFromTeam(c *call) error {
	return c.changeMember("team_left", func(m member.Member) error {
		return c.s.o.Access.RemoveFromTeam(c.ctx(), c.operator.Actor(), m.Membership.OrganizationID, access.TeamID(c.values["team"]), string(m.Membership.ID))
	})
}

func endMemberSessions(c *call) error {
	return c.changeMember("sessions_ended", func(m member.Member) error {
		_, err := c.s.o.Policies.EndSessions(c.ctx(), c.operator.Actor(), org.ID(m.Membership.OrganizationID), m.User.ID)
		return err
	})
}

// endMemberSession ends a session of the member. One of somebody else, or of another organization, is not there.
func endMemberSession(c *call) error {
	return c.changeMember("session_ended", func(m member.Member) error {
		id := c.values["session"]
		missing := fault.New(fault.NotFound, "entity_not_found", "Session not found: '%.80s'.", id)
		if !isID(id, session.Prefix) {
			return missing
		}
		found, err := c.s.o.Sessions.Get(c.ctx(), id)
		if err != nil {
			return err
		}
		if found.UserID != string(m.User.ID) || found.OrganizationID != "" && found.OrganizationID != m.Membership.OrganizationID {
			return missing
		}
		_, err = c.s.o.Sessions.End(c.ctx(), session.Selection{SessionID: id}, session.Ending{Reason: session.Revoked, Context: event.Context{Actor: c.operator.Actor()}})
		return err
	})
}

func askBlockMember(c *call) error  { return c.askMember("block") }
func askRemoveMember(c *call) error { return c.askMember("remove") }

// askMember asks before somebody is shut out.
func (c *call) askMember(part string) error {
	m, err := c.member()
	if err != nil {
		return err
	}
	w, name := c.words(), orElse(m.User.Name(), m.User.Email)
	return c.show(frame{Title: name, Crumbs: []ui.Link{{Label: name, Href: memberHref(m.Membership.ID)}}}, asking(misfit{}, ui.ConfirmProps{
		Title: w.T("people."+part+"_title", "name", name), Text: w.T("people." + part + "_text"), Lines: []string{w.T("people.line_sessions"), w.T("people." + part + "_line")},
		Form: c.form(memberHref(m.Membership.ID, part)), Confirm: w.T("people." + part), Cancel: ui.Link{Href: memberHref(m.Membership.ID)},
	}))
}

// actionOf is a button for the head of a frame; nil where there is none.
func actionOf(a *action) templ.Component {
	if a == nil {
		return nil
	}
	return act(*a)
}

// pretty is JSON for people.
func pretty(v any) string {
	text, err := json.Marshal(v, json.Deterministic(true), jsontext.WithIndent("  "), jsontext.AllowInvalidUTF8(true))
	if err != nil { // what was read from JSON
		return ""
	}
	return string(text)
}

func orElse(a, b string) string { return cmp.Or(a, b) }
