package gallery

import (
	"time"

	"github.com/a-h/templ"

	"github.com/rollcallhq/rollcall/internal/web/ui"
)

// Now is the moment at which the gallery is looked at.
var Now = time.Date(2026, 11, 22, 8, 40, 25, 0, time.UTC)

func before(d time.Duration) time.Time { return Now.Add(-d) }

// Page is a page of the gallery.
type Page struct {
	Name string
	Body templ.Component
}

// Pages are all pages of the gallery.
func Pages() []Page {
	return []Page{
		{"overview", overview()},
		{"people", people()},
		{"empty", empty()},
		{"organization", organization()},
		{"exchange", exchange()},
		{"settings", settings()},
		{"confirm", confirm()},
		{"portal", portal()},
		{"portal-single", portalSingle()},
		{"controls", controls()},
	}
}

func dashboard(title string, current int, crumbs ...ui.Link) ui.ShellProps {
	nav := []ui.NavGroup{
		{Items: []ui.NavItem{{Label: "Overview", Href: "/overview", Icon: ui.IconHome}, {Label: "Organizations", Href: "/people", Icon: ui.IconBuilding}, {Label: "Exchanges", Href: "/exchange", Icon: ui.IconActivity, Count: 3}}},
		{Label: "Developers", Items: []ui.NavItem{{Label: "Applications", Href: "/a", Icon: ui.IconCode}, {Label: "Events", Href: "/e", Icon: ui.IconZap}, {Label: "Webhooks", Href: "/w", Icon: ui.IconWebhook}, {Label: "API keys", Href: "/k", Icon: ui.IconKey}}},
		{Label: "Installation", Items: []ui.NavItem{{Label: "Audit log", Href: "/au", Icon: ui.IconAudit}, {Label: "Settings", Href: "/settings", Icon: ui.IconSettings}}},
	}
	nav[0].Items[min(current, 2)].Current = true
	return ui.ShellProps{
		Title: title, Nav: nav, Crumbs: append([]ui.Link{{Label: "Rollcall", Href: "/overview"}}, crumbs...),
		Account: ui.Account{Name: "Grace Hopper", Note: "grace@acme.example", SignOut: ui.FormProps{Action: "/sign-out"}, Links: []ui.Link{{Label: "Your sessions", Href: "/s"}}},
		Search:  ui.FilterProps{Search: "q", Action: "/search", Label: "Find a person or an id"},
	}
}

func stats() []ui.StatProps {
	return []ui.StatProps{
		{Label: "Organizations", Value: "48", Note: "2 set up this week", Icon: ui.IconBuilding, Href: "/people", Tone: ui.Good},
		{Label: "Members", Value: "12,407", Note: "31 invited", Icon: ui.IconUsers, Href: "/people"},
		{Label: "Sign-ins today", Value: "3,918", Note: "4 refused", Icon: ui.IconShield, Tone: ui.Warn},
		{Label: "Webhooks waiting", Value: "0", Note: "all delivered", Icon: ui.IconWebhook, Tone: ui.Good},
	}
}

func signIns() ui.ChartProps {
	return ui.ChartProps{
		ID: "sign-ins", Title: "Sign-ins, last 14 days", Text: "Most on Thursday, 19 November: 4,120. Fewest on Sunday, 15 November: 388.", Over: "Day",
		Labels: []string{"9 Nov", "10 Nov", "11 Nov", "12 Nov", "13 Nov", "14 Nov", "15 Nov", "16 Nov", "17 Nov", "18 Nov", "19 Nov", "20 Nov", "21 Nov", "22 Nov"},
		Series: []ui.Series{
			{Name: "Succeeded", Values: []float64{3711, 3802, 3655, 3920, 3540, 512, 388, 3801, 3890, 4012, 4120, 3702, 498, 1904}},
			{Name: "Refused", Values: []float64{21, 14, 160, 38, 22, 3, 1, 15, 40, 24, 31, 19, 2, 8}, Tone: ui.Bad},
		},
	}
}

func requests() ui.ChartProps {
	c := signIns()
	c.ID, c.Title, c.Kind, c.Text = "requests", "SCIM requests, last 14 days", ui.Lines, "Steady at about 900 a day."
	c.Series = []ui.Series{{Name: "Requests", Values: []float64{880, 912, 931, 870, 1220, 640, 610, 905, 922, 941, 930, 899, 580, 420}}}
	return c
}

func happened() []ui.EventProps {
	return []ui.EventProps{
		{Title: "Ada Lovelace was deactivated", Text: "Okta sent active: false. 3 sessions ended 41 ms later.", At: before(4 * time.Minute), Tone: ui.Warn, Icon: ui.IconUserMinus, Who: "Okta", Href: "/x", Detail: ui.Code(ui.CodeProps{ID: "ev1", Label: "What Okta sent", JSON: true, Text: patch})},
		{Title: "Sign-in refused for bob@globex.example", Text: "The signing certificate is none of the connection's.", At: before(52 * time.Minute), Tone: ui.Bad, Who: "Globex", Href: "/x"},
		{Title: "12 people were invited", At: before(5 * time.Hour), Tone: ui.Good, Icon: ui.IconUserPlus, Who: "Entra ID"},
		{Title: "Domain initech.example was verified", At: before(30 * time.Hour), Icon: ui.IconGlobe, Who: "Initech"},
	}
}

const patch = `{
  "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
  "Operations": [
    {
      "op": "replace",
      "path": "active",
      "value": "False"
    },
    { "op": "replace", "path": "emails[type eq \"work\"].value", "value": "ada@acme.example", "primary": true, "order": 1 }
  ]
}`

func members() ui.TableProps {
	row := func(name, email string, state ui.BadgeProps, role, provider string, groups string, seen time.Duration) ui.Row {
		return ui.Row{Cells: []templ.Component{
			ui.Person(name, email, "/organization"), ui.Badge(state), ui.Text(role), ui.Text(provider), ui.Text(groups), ui.Time(ui.TimeProps{At: before(seen)}),
		}}
	}
	active, invited := ui.BadgeProps{Label: "Active", Tone: ui.Good, Dot: true}, ui.BadgeProps{Label: "Invited", Tone: ui.Info, Dot: true}
	inactive, removed := ui.BadgeProps{Label: "Inactive", Tone: ui.Neutral, Dot: true}, ui.BadgeProps{Label: "Blocked", Tone: ui.Bad, Dot: true}
	return ui.TableProps{
		ID: "members", Caption: "Members of Acme Corporation", Tools: filter(),
		Columns: []ui.Column{
			{Label: "Name", Sort: "?sort=-name", Sorted: ui.Ascending},
			{Label: "State", Sort: "?sort=state"},
			{Label: "Role"},
			{Label: "Provider", Minor: true},
			{Label: "Groups", Number: true, Minor: true},
			{Label: "Last seen", Sort: "?sort=seen"},
		},
		Rows: []ui.Row{
			row("Ada Lovelace", "ada@acme.example", inactive, "Member", "Okta", "4", 4*time.Minute),
			row("Alan Turing", "alan.mathison.turing@research.acme.example", active, "Administrator", "Okta", "12", 20*time.Second),
			row("Barbara Liskov", "barbara@acme.example", active, "Member", "Okta", "3", 3*time.Hour),
			row("", "dennis@acme.example", invited, "Member", "Okta", "0", 26*time.Hour),
			row("Donald E. Knuth", "donald@acme.example", active, "Member", "Entra ID", "2", 9*24*time.Hour),
			row("李小龙", "bruce@acme.example", removed, "Member", "Okta", "1", 400*24*time.Hour),
		},
		Pager: ui.Pager{First: "?", Previous: "?before=x", Next: "?after=y", Summary: "51 to 56 of 1,234"},
	}
}

func steps() []ui.Step {
	return []ui.Step{
		{Label: "Choose your provider", Note: "Okta", Href: "/portal", State: ui.StepDone},
		{Label: "Prove your domain", Note: "acme.example", Href: "/portal", State: ui.StepDone},
		{Label: "Set up single sign-on", State: ui.StepCurrent},
		{Label: "Test the sign-in", State: ui.StepNext},
		{Label: "Sync your directory", Note: "Optional", State: ui.StepNext},
		{Label: "Go live", State: ui.StepNext},
	}
}
