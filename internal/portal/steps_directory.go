package portal

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/rollcallhq/rollcall/internal/access"
	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/member"
	"github.com/rollcallhq/rollcall/internal/web/ui"
)

// mappingView is what groups and attributes of a directory give.
type mappingView struct {
	Provider     string
	Drives       []driveView
	Rules        []ruleView
	RulesJSON    string
	Version      string
	Gives        []ui.Option // what a rule may give: "role:editor"
	Groups       []ui.Option
	Preview      *previewView
	Action, Back string
	Hidden       []ui.Hidden
	Refused      string
	Saved        bool
	Next         ui.Link
}

// driveView is a switch.
type driveView struct {
	Name, Label, Hint string
	On                bool
}

// ruleView is a rule in words.
type ruleView struct {
	Number, Text string
	Code         string // of a rule that words do not tell
}

// previewView is who would gain and lose what.
type previewView struct {
	Scanned     int
	Differences []differenceView
	More        bool
}

type differenceView struct {
	Name, Email string
	Changes     []string
}

// draft is a mapping as the form has it.
type draft struct {
	roles, teams, licences, follow bool
	rules                          []access.Rule
	version                        int64
}

// draftOf is a mapping as it is saved.
func draftOf(m access.Mapping) draft {
	return draft{m.DrivesRoles, m.DrivesTeams, m.DrivesLicences, m.TeamsFollow, m.Rules, m.Version}
}

func (d draft) mapping(f feed) access.NewMapping {
	return access.NewMapping{
		OrganizationID: f.directory.OrganizationID, SourceID: string(f.directory.ID), DrivesRoles: d.roles, DrivesTeams: d.teams, DrivesLicences: d.licences,
		TeamsFollow: d.teams && d.follow, Rules: d.rules, Version: &d.version,
	}
}

func (s *steps) showMapping(v *walk) (screen, error) {
	f, err := s.mappedFeed(v)
	if err != nil {
		return screen{}, err
	}
	m, err := s.o.Access.Mapping(v.ctx, f.directory.OrganizationID, string(f.directory.ID))
	if err != nil {
		return screen{}, err
	}
	return s.mappingPage(v, f, draftOf(m), nil, "")
}

// mappedFeed finds the directory of the address, where its people become members.
func (s *steps) mappedFeed(v *walk) (feed, error) {
	if !s.keeps() {
		return feed{}, fault.New(fault.NotFound, "not_found", "What groups give is decided by the app itself here.")
	}
	return s.feed(v)
}

func (s *steps) mappingPage(v *walk, f feed, d draft, preview *previewView, refused string) (screen, error) {
	words, err := s.mappingWords(v, f)
	if err != nil {
		return screen{}, err
	}
	view := mappingView{
		Provider: f.provider.Name, RulesJSON: string(access.RulesJSON(d.rules)), Version: strconv.FormatInt(d.version, 10), Gives: words.gives, Groups: words.groups,
		Preview: preview, Action: f.at("mapping"), Back: f.step(len(f.guide.Steps) - 1), Hidden: v.hidden, Refused: refused, Saved: v.query.Get("saved") != "",
		Next: ui.Link{Label: v.say.T("setup.next", "step", v.say.T("setup.step_live")), Href: f.at("live")},
		Drives: []driveView{
			{"drives_roles", v.say.T("setup.drives_roles"), v.say.T("setup.drives_roles_hint"), d.roles},
			{"drives_teams", v.say.T("setup.drives_teams"), v.say.T("setup.drives_teams_hint"), d.teams},
			{"teams_follow", v.say.T("setup.teams_follow"), v.say.T("setup.teams_follow_hint"), d.follow},
			{"drives_licences", v.say.T("setup.drives_licences"), v.say.T("setup.drives_licences_hint"), d.licences},
		},
	}
	for i, r := range d.rules {
		view.Rules = append(view.Rules, words.rule(v, i, r))
	}
	return screen{status: statusOf(refused), title: v.say.T("setup.mapping_title"), steps: s.ladderOfDirectory(v, f, atMapping), body: mappingPage(view)}, nil
}

// mappingWords are the names of what rules give and ask for.
type mappingWords struct {
	gives, groups []ui.Option
	names         map[string]string // of "role:editor", and of a group's id
}

// listed is how many teams and groups are offered.
const listed = 100

func (s *steps) mappingWords(v *walk, f feed) (out mappingWords, err error) {
	out.names = map[string]string{}
	give := func(kind access.Target, value, name string) {
		key := string(kind) + ":" + value
		out.names[key] = v.say.T("setup.gives_"+string(kind), "name", name)
		out.gives = append(out.gives, ui.Option{Value: key, Label: out.names[key]})
	}
	organization := f.directory.OrganizationID
	roles, err := s.o.Access.Roles(v.ctx, organization)
	if err != nil {
		return out, err
	}
	for _, r := range roles {
		give(access.SetRole, r.Slug, cmp.Or(r.Name, r.Slug))
	}
	licences, err := s.o.Access.Licences(v.ctx, organization)
	if err != nil {
		return out, err
	}
	for _, l := range licences {
		give(access.SetLicence, l.Type.Slug, cmp.Or(l.Type.Name, l.Type.Slug))
	}
	teams, _, err := s.o.Access.Teams(v.ctx, organization, access.Page{Limit: listed, Ascending: true})
	if err != nil {
		return out, err
	}
	for _, t := range teams {
		give(access.SetTeam, string(t.ID), t.Name)
	}
	groups, _, _, err := s.o.Directories.APIGroups(v.ctx, directory.APIQuery{Directory: f.directory.ID, Limit: listed, Ascending: true})
	for _, g := range groups {
		out.names[string(g.ID)] = g.Name
		out.groups = append(out.groups, ui.Option{Value: string(g.ID), Label: g.Name})
	}
	slices.SortFunc(out.groups, func(a, b ui.Option) int { return strings.Compare(a.Label, b.Label) })
	return out, err
}

// rule tells a rule in words where it is of the kinds that the form makes; else as the API writes it.
func (w mappingWords) rule(v *walk, i int, r access.Rule) ruleView {
	out := ruleView{Number: number(i)}
	switch {
	case r.Set == access.SetAttribute && r.From != "" && len(r.When) == 0 && len(r.Transforms) == 0:
		out.Text = v.say.T("setup.rule_attribute", "name", r.Name, "from", r.From)
	case r.To != "" && r.Name == "" && len(r.When) == 1 && r.When[0].Group != nil:
		g := *r.When[0].Group
		out.Text = v.say.T("setup.rule_group", "gives", cmp.Or(w.names[string(r.Set)+":"+r.To], r.To), "group", cmp.Or(g.Name, w.names[g.ID], g.ID))
	default:
		out.Code = strings.TrimSuffix(strings.TrimPrefix(string(access.RulesJSON([]access.Rule{r})), "["), "]")
	}
	return out
}

// typedDraft reads the form: the rules that were there, without those that are ticked to go, and with the one that is added.
func typedDraft(v *walk) (draft, error) {
	on := func(name string) bool { return v.form.Get(name) != "" }
	out := draft{roles: on("drives_roles"), teams: on("drives_teams"), licences: on("drives_licences"), follow: on("teams_follow")}
	var err error
	if out.version, err = strconv.ParseInt(v.form.Get("version"), 10, 64); err != nil {
		return out, fault.New(fault.Invalid, "invalid_form", "The form is not whole. Open the page again.")
	}
	rules, err := access.ParseRules([]byte(cmp.Or(v.form.Get("rules"), "[]")))
	if err != nil {
		return out, err
	}
	for i, r := range rules {
		if !slices.Contains(v.form["remove"], number(i)) {
			out.rules = append(out.rules, r)
		}
	}
	added, err := typedRules(v)
	out.rules = append(out.rules, added...)
	return out, err
}

// typedRules are those that the form adds.
func typedRules(v *walk) ([]access.Rule, error) {
	var all []map[string]any
	gives, group := v.form.Get("gives"), v.form.Get("group")
	if gives != "" || group != "" {
		kind, value, found := strings.Cut(gives, ":")
		if !found || group == "" {
			return nil, fault.New(fault.Unprocessable, "required", "A rule needs both: a group, and what its members get.")
		}
		all = append(all, map[string]any{"set": kind, "to": value, "when": map[string]any{"group_id": group}})
	}
	name, from := strings.TrimSpace(v.form.Get("attribute")), strings.TrimSpace(v.form.Get("from"))
	if name != "" || from != "" {
		if name == "" || from == "" {
			return nil, fault.New(fault.Unprocessable, "required", "An attribute needs both: its name here, and the SCIM attribute that it is read from.")
		}
		all = append(all, map[string]any{"set": "attribute", "name": name, "from": from})
	}
	if len(all) == 0 {
		return nil, nil
	}
	text, err := json.Marshal(all, json.Deterministic(true), jsontext.AllowInvalidUTF8(true))
	if err != nil {
		return nil, fmt.Errorf("write a rule: %w", err)
	}
	return access.ParseRules(text)
}

func (s *steps) setMapping(v *walk) (screen, error) {
	f, err := s.mappedFeed(v)
	if err != nil {
		return screen{}, err
	}
	d, err := typedDraft(v)
	if err == nil && v.form.Get("do") == "save" {
		_, err = s.o.Mappings.Set(v.ctx, v.actor, d.mapping(f))
		if err == nil {
			return screen{to: f.at("mapping?saved=yes")}, nil
		}
	}
	var preview *previewView
	if err == nil {
		preview, err = s.preview(v, f, d)
	}
	if err != nil {
		said, err := refusal(err)
		if err != nil {
			return screen{}, err
		}
		return s.mappingPage(v, f, d, nil, said)
	}
	return s.mappingPage(v, f, d, preview, "")
}

// previewed is how many people are shown who would gain or lose something.
const previewed = 50

func (s *steps) preview(v *walk, f feed, d draft) (*previewView, error) {
	found, err := s.o.Directories.PreviewMapping(v.ctx, directory.MappingQuery{Directory: f.directory, Mapping: d.mapping(f), Limit: previewed})
	if err != nil {
		return nil, err
	}
	out := &previewView{Scanned: found.Scanned, More: found.After != ""}
	for _, one := range found.Differences {
		out.Differences = append(out.Differences, differenceView{Name: one.Person.Name, Email: one.Person.Email, Changes: changesOf(v, one, found.Teams)})
	}
	return out, nil
}

func changesOf(v *walk, d access.Difference, teams map[access.TeamID]directory.PreviewedTeam) (out []string) {
	say := func(key, before, after string) {
		none := v.say.T("setup.nothing")
		out = append(out, v.say.T("setup.change", "what", v.say.T("setup.change_"+key), "before", cmp.Or(before, none), "after", cmp.Or(after, none)))
	}
	if d.Role.Changes() {
		say("role", d.Role.Before, d.Role.After)
	}
	if d.Licence.Changes() {
		say("licence", d.Licence.Before, d.Licence.After)
	}
	for _, id := range d.Gains {
		out = append(out, v.say.T("setup.change_joins", "team", teams[id].Name))
	}
	for _, id := range d.Loses {
		out = append(out, v.say.T("setup.change_leaves", "team", teams[id].Name))
	}
	for _, name := range sortedKeys(d.Attributes) {
		values, none := d.Attributes[name], v.say.T("setup.nothing")
		out = append(out, v.say.T("setup.change", "what", name, "before", cmp.Or(shownValue(values.Before), none), "after", cmp.Or(shownValue(values.After), none)))
	}
	return out
}

func sortedKeys[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

func shownValue(value any) string {
	if value == nil {
		return ""
	}
	return fmt.Sprint(value)
}

// liveView is the last step: what becomes of those who have arrived.
type liveView struct {
	Provider     string
	Live         bool
	Keeps        bool
	Total        int
	Summary      []countView
	People       []foreseenView
	Partial      bool // the summary is of the first people only
	More         string
	Mode         string
	Modes        []ui.Option
	Action, Back string
	Hidden       []ui.Hidden
	Refused      string
	Why          string // why it cannot go live by itself; "": it can
	Done, All    int
	Applying     bool
	Home         ui.Link
}

// countView is how many meet with one outcome.
type countView struct {
	Label string
	Tone  ui.Tone
	N     int
}

type foreseenView struct {
	Name, Email, Outcome string
	Tone                 ui.Tone
}

// foreseenMost is how many people are looked at before going live: more would make the page slow. foreseenPage of them are shown.
const (
	foreseenMost = 200
	foreseenPage = 50
)

func (s *steps) showLive(v *walk) (screen, error) {
	f, err := s.feed(v)
	if err != nil {
		return screen{}, err
	}
	return s.livePage(v, f, "")
}

func (s *steps) livePage(v *walk, f feed, refused string) (screen, error) {
	mode := directory.Provisioning(cmp.Or(v.form.Get("provisioning"), v.query.Get("provisioning"), string(f.directory.Provisioning)))
	if !slices.Contains([]directory.Provisioning{directory.Invite, directory.Direct, directory.ExistingOnly}, mode) {
		mode = f.directory.Provisioning
	}
	view := liveView{
		Provider: f.provider.Name, Live: f.directory.Live(), Keeps: s.keeps(), Total: int(f.counts.Active + f.counts.Inactive), Mode: string(mode),
		Action: f.at("live"), Back: f.at("mapping"), Hidden: v.hidden, Refused: refused, Home: ui.Link{Label: v.say.T("setup.finish"), Href: "/portal/done"},
	}
	if !view.Keeps {
		view.Back = f.step(len(f.guide.Steps) - 1)
	}
	for _, m := range []directory.Provisioning{directory.Invite, directory.Direct, directory.ExistingOnly} {
		view.Modes = append(view.Modes, ui.Option{Value: string(m), Label: v.say.T("setup.mode_" + string(m)), Hint: v.say.T("setup.mode_hint_" + string(m))})
	}
	if f.directory.Switching != "" && !view.Live {
		view.Why = v.say.T("portal.not_live_" + string(f.directory.Switching))
	}
	if err := s.becomes(v, f, mode, &view); err != nil {
		return screen{}, err
	}
	return screen{status: statusOf(refused), title: v.say.T("setup.live_title"), steps: s.ladderOfDirectory(v, f, atLive), body: livePage(view)}, nil
}

// becomes fills in what will become of people, or how far that is.
func (s *steps) becomes(v *walk, f feed, mode directory.Provisioning, view *liveView) error {
	switch {
	case !view.Keeps:
		return nil
	case view.Live:
		p, err := s.o.Directories.Progress(v.ctx, f.directory.ID)
		view.Done, view.All, view.Applying = int(p.Done), int(p.Total), p.State == directory.Applying
		return err
	}
	found, more, err := s.o.Directories.Preview(v.ctx, directory.PreviewQuery{Directory: f.directory.ID, Provisioning: mode, After: v.after(), Limit: foreseenMost, Ascending: true})
	if err != nil {
		return err
	}
	counts := map[member.Outcome]int{}
	for i, one := range found {
		counts[one.Outcome]++
		if i < foreseenPage {
			view.People = append(view.People, foreseenView{one.Name, one.Email, v.say.T("setup.outcome_" + string(one.Outcome)), toneOf(one.Outcome)})
		}
	}
	for _, o := range outcomes() {
		if counts[o] > 0 {
			view.Summary = append(view.Summary, countView{v.say.T("setup.outcome_" + string(o)), toneOf(o), counts[o]})
		}
	}
	view.Partial = more
	if last := min(len(found), foreseenPage); last > 0 && (more || len(found) > foreseenPage) {
		view.More = withQuery(f.at("live"), "after", string(found[last-1].User)) + "&provisioning=" + string(mode)
	}
	return nil
}

// after is the person behind whom a list goes on. Whatever else somebody writes there is nobody's id.
func (v *walk) after() string {
	after := v.query.Get("after")
	if !strings.HasPrefix(after, "directory_user_") || len(after) > 60 {
		return ""
	}
	return after
}

// outcomes are those that a preview counts, in the order shown.
func outcomes() []member.Outcome {
	return []member.Outcome{
		member.OutcomeInvited, member.OutcomeActivated, member.OutcomeLinked, member.OutcomeReturned, member.OutcomeUpdated, member.OutcomeUnchanged,
		member.OutcomeDeactivated, member.OutcomeHeld, member.OutcomeRemoved, member.OutcomeUnmatched, member.OutcomeRefused, member.OutcomeNoEmail, member.OutcomeNotExisting, member.OutcomeStored,
	}
}

func toneOf(o member.Outcome) ui.Tone {
	switch o {
	case member.OutcomeInvited, member.OutcomeActivated, member.OutcomeLinked, member.OutcomeReturned:
		return ui.Good
	case member.OutcomeDeactivated, member.OutcomeHeld, member.OutcomeRemoved, member.OutcomeNotExisting, member.OutcomeUnmatched:
		return ui.Warn
	case member.OutcomeRefused, member.OutcomeNoEmail:
		return ui.Bad
	case member.OutcomeUpdated, member.OutcomeUnchanged, member.OutcomeStored:
	}
	return ui.Neutral
}

// goLive lets members follow the directory. What was chosen on the page comes first, so that nobody is invited who was not to be.
func (s *steps) goLive(v *walk) (screen, error) {
	f, err := s.feed(v)
	if err != nil {
		return screen{}, err
	}
	mode := directory.Provisioning(v.form.Get("provisioning"))
	waits := s.keeps() && !f.directory.Live()
	if waits && v.form.Get("do") == "show" {
		return s.livePage(v, f, "")
	}
	if waits && (mode == "" || string(mode) != v.form.Get("shown")) { // nobody is invited by a choice whose outcome was not seen
		return s.livePage(v, f, v.say.T("setup.mode_changed"))
	}
	if waits {
		_, err = s.o.Directories.Update(v.ctx, v.actor, f.directory.ID, directory.Changes{Provisioning: &mode})
	}
	if err == nil {
		_, err = s.o.Directories.GoLive(v.ctx, v.actor, f.directory.ID)
	}
	if err != nil {
		said, err := refusal(err)
		if err != nil {
			return screen{}, err
		}
		return s.livePage(v, f, said)
	}
	return screen{to: f.at("live")}, nil
}
