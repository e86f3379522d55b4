package dashboard

import (
	"context"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"github.com/rollcallhq/rollcall/internal/access"
	"github.com/rollcallhq/rollcall/internal/member"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/web/ui"
)

func teamHref(organizationID string, id access.TeamID, parts ...string) string {
	return hrefOf("organizations", append([]string{organizationID, "teams", string(id)}, parts...)...)
}

// teamsTable are the teams of an organization.
func teamsTable(c *call) (table[access.Team], error) {
	o, err := c.owner()
	if err != nil {
		return table[access.Team]{}, err
	}
	query, err := c.query()
	if err != nil {
		return table[access.Team]{}, err
	}
	w := c.words()
	return table[access.Team]{
		id: "teams", file: "teams", at: hrefOf("organizations", string(o.ID), "teams"), query: query, cursor: teamPrefix, key: func(t access.Team) string { return string(t.ID) },
		read: func(ctx context.Context, p paging, limit int) ([]access.Team, bool, error) {
			return c.s.o.Access.Teams(ctx, string(o.ID), access.Page{Before: p.before, After: p.after, Limit: limit})
		},
		fields: ui.Fields[access.Team]{
			ui.InExport("id", func(t access.Team) string { return string(t.ID) }),
			ui.Both(ui.Column{Label: w.T("common.name")}, func(t access.Team) templ.Component { return link(t.Name, teamHref(string(o.ID), t.ID)) },
				"name", func(t access.Team) string { return t.Name }),
			ui.Both(ui.Column{Label: w.T("access.team_from")}, func(t access.Team) templ.Component { return ui.Text(c.teamFrom(t)) },
				"follows_group", func(t access.Team) string { return strconv.FormatBool(t.Follows()) }),
			ui.Both(ui.Column{Label: w.T("common.description"), Minor: true}, func(t access.Team) templ.Component { return ui.Text(t.Description) },
				"description", func(t access.Team) string { return t.Description }),
			ui.Both(ui.Column{Label: w.T("common.created"), Minor: true}, func(t access.Team) templ.Component { return moment(t.CreatedAt) },
				"created_at", func(t access.Team) string { return written(t.CreatedAt) }),
		},
	}, nil
}

func showTeams(c *call) error { return c.teamsPage(misfit{}) }

func (c *call) teamsPage(m misfit) error {
	o, err := c.owner()
	if err != nil {
		return err
	}
	list, err := teamsTable(c)
	if err != nil {
		return err
	}
	w := c.words()
	s, f := c.accessSheet(o, "teams", m)
	s.Head.Actions = acts([]action{list.exportAction(c)})
	t := ui.TableProps{Caption: w.T("access.teams"), Empty: ui.EmptyProps{Icon: ui.IconTeam, Title: w.T("access.teams_none"), Text: w.T("access.teams_none_text")}}
	if _, err := list.fill(c, &t); err != nil {
		return err
	}
	return c.show(f, listing(s, t, c.ifAdmin(form(formView{
		ID: "team-form", Form: c.form(hrefOf("organizations", string(o.ID), "teams")), Title: w.T("access.team_add"), Save: w.T("access.team_add"), Fields: c.namedFields("", "", m),
	}))...))
}

func (c *call) teamFrom(t access.Team) string {
	if t.Follows() {
		return c.words().T("access.team_follows")
	}
	return c.words().T("access.team_by_hand")
}

// namedFields are those of what has a name and a description.
func (c *call) namedFields(name, about string, m misfit) []templ.Component {
	w := c.words()
	return []templ.Component{
		ui.Input(ui.InputProps{FieldProps: ui.FieldProps{ID: "name", Label: w.T("common.name"), Error: m.on("name")}, Value: c.kept("name", name), MaxLength: 255}),
		ui.TextArea(ui.TextAreaProps{
			FieldProps: ui.FieldProps{ID: "description", Label: w.T("common.description"), Optional: true, Error: m.on("description")}, Value: c.kept("description", about), Rows: 2,
		}),
	}
}

func createTeam(c *call) error {
	o, err := c.owner()
	if err != nil {
		return err
	}
	made, err := c.s.o.Access.CreateTeam(c.ctx(), c.operator.Actor(), access.NewTeam{OrganizationID: string(o.ID), Name: c.posted.Get("name"), Description: c.posted.Get("description")})
	if err != nil {
		return again(err, c.teamsPage)
	}
	return c.done(teamHref(string(o.ID), made.ID), "saved")
}

// team finds the one of the address, in the organization of the address.
func (c *call) team() (org.Organization, access.Team, error) {
	o, err := c.owner()
	if err != nil {
		return o, access.Team{}, err
	}
	id := c.values["team"]
	if !isID(id, teamPrefix) {
		return o, access.Team{}, access.TeamNotFound(id)
	}
	t, err := c.s.o.Access.Team(c.ctx(), string(o.ID), access.TeamID(id))
	return o, t, err
}

// teamMembersTable are the members of a team.
func teamMembersTable(c *call) (table[memberRow], error) {
	o, team, err := c.team()
	if err != nil {
		return table[memberRow]{}, err
	}
	query, err := c.query()
	if err != nil {
		return table[memberRow]{}, err
	}
	w := c.words()
	removal := ui.OnPage(ui.Column{Label: w.T("common.actions"), Unseen: true, Number: true}, func(r memberRow) templ.Component {
		if !c.changes() || team.Follows() {
			return templ.NopComponent
		}
		return act(action{Label: w.T("common.remove"), Form: c.form(teamHref(string(o.ID), team.ID, "members", r.key(), "remove")), Variant: ui.Danger, Small: true})
	})
	return table[memberRow]{
		id: "members", file: "team-members", at: teamHref(string(o.ID), team.ID), query: query, cursor: membershipPrefix, key: memberRow.key, fields: c.memberFields(namedMember(w), removal),
		read: func(ctx context.Context, p paging, limit int) ([]memberRow, bool, error) {
			found, more, err := c.s.o.Members.List(ctx, member.ListQuery{OrganizationID: string(o.ID), TeamID: string(team.ID), Before: p.before, After: p.after, Limit: limit})
			return memberRows(found), more, err
		},
	}, nil
}

func showTeam(c *call) error { return c.teamPage(misfit{}) }

func (c *call) teamPage(m misfit) error {
	o, team, err := c.team()
	if err != nil {
		return err
	}
	list, err := teamMembersTable(c)
	if err != nil {
		return err
	}
	w := c.words()
	s, f := c.accessSheet(o, "teams", m)
	s.Head = ui.HeadProps{Title: team.Name, Text: team.Description, Badge: ui.Badge(ui.BadgeProps{Label: c.teamFrom(team)}), Back: ui.Link{Label: w.T("access.teams"), Href: hrefOf("organizations", string(o.ID), "teams")}}
	f.Title, f.Crumbs = team.Name, append(f.Crumbs, ui.Link{Label: team.Name})
	actions := []action{list.exportAction(c)}
	if c.changes() {
		actions = append(actions, action{Label: w.T("common.delete"), Href: teamHref(string(o.ID), team.ID, "delete"), Variant: ui.Danger, Icon: ui.IconTrash})
	}
	s.Head.Actions = acts(actions)
	t := ui.TableProps{Caption: w.T("people.title"), Empty: ui.EmptyProps{Icon: ui.IconUsers, Title: w.T("access.team_empty"), Text: w.T("access.team_empty_text")}}
	if _, err := list.fill(c, &t); err != nil {
		return err
	}
	return c.show(f, listing(s, t, c.ifAdmin(form(formView{
		ID: "team-form", Form: c.form(teamHref(string(o.ID), team.ID)), Title: w.T("access.team"), Save: w.T("common.save"), Fields: c.namedFields(team.Name, team.Description, m),
	}))...))
}

func saveTeam(c *call) error {
	o, team, err := c.team()
	if err != nil {
		return err
	}
	name, about := strings.TrimSpace(c.posted.Get("name")), c.posted.Get("description")
	ch := access.TeamChanges{Description: &about}
	if name != team.Name {
		ch.Name = &name
	}
	if _, err := c.s.o.Access.UpdateTeam(c.ctx(), c.operator.Actor(), string(o.ID), team.ID, ch); err != nil {
		return again(err, c.teamPage)
	}
	return c.done(teamHref(string(o.ID), team.ID), "saved")
}

func removeTeamMember(c *call) error {
	o, team, err := c.team()
	if err != nil {
		return err
	}
	if err := c.s.o.Access.RemoveFromTeam(c.ctx(), c.operator.Actor(), string(o.ID), team.ID, c.values["member"]); err != nil {
		return again(err, c.teamPage)
	}
	return c.done(teamHref(string(o.ID), team.ID), "team_left")
}

func askDeleteTeam(c *call) error { return c.askTeam(misfit{}) }

func (c *call) askTeam(m misfit) error {
	o, team, err := c.team()
	if err != nil {
		return err
	}
	w := c.words()
	_, f := c.accessSheet(o, "teams", m)
	return c.show(f, asking(m, ui.ConfirmProps{
		Title: w.T("access.team_delete_title", "name", team.Name), Text: w.T("access.team_delete_text"), Form: c.form(teamHref(string(o.ID), team.ID, "delete")),
		Confirm: w.T("common.delete"), Cancel: ui.Link{Href: teamHref(string(o.ID), team.ID)},
	}))
}

func deleteTeam(c *call) error {
	o, team, err := c.team()
	if err != nil {
		return err
	}
	if err := c.s.o.Access.DeleteTeam(c.ctx(), c.operator.Actor(), string(o.ID), team.ID); err != nil {
		return again(err, c.askTeam)
	}
	return c.done(hrefOf("organizations", string(o.ID), "teams"), "deleted")
}
