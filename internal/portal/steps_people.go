package portal

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/idp"
	"github.com/rollcallhq/rollcall/internal/lifecycle"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/sso"
	"github.com/rollcallhq/rollcall/internal/web/ui"
)

// attributesView is which of the provider's attributes mean what.
type attributesView struct {
	Provider     string
	Known        []attributeView
	Custom       []attributeView
	Preview      []lineView // what the last test read
	At           lineView   // when that was
	Tested       bool
	Test         string // "": none can begin
	Action, Back string
	Hidden       []ui.Hidden
	Refused      string
	Next         ui.Link
}

// attributeView is a row. Names are one on each line.
type attributeView struct {
	Key, Label, Names, Hint string
	Meaning                 string // of a custom one
}

// meanings are what is read of a person, with the catalogue's word for it, in the order shown.
func meanings() []struct {
	key   string
	claim idp.Claim
} {
	return []struct {
		key   string
		claim idp.Claim
	}{
		{"idp_id", idp.ClaimID},
		{"email", idp.ClaimEmail},
		{"first_name", idp.ClaimFirstName},
		{"last_name", idp.ClaimLastName},
		{"name", idp.ClaimDisplayName},
		{"groups", idp.ClaimGroups},
		{"roles", idp.ClaimRoles},
	}
}

// moreCustom is how many empty rows are there for further attributes, and mostCustom how many a form is read for.
const (
	moreCustom = 2
	mostCustom = 100
)

func (s *steps) showAttributes(v *walk) (screen, error) {
	w, err := s.connection(v)
	if err != nil {
		return screen{}, err
	}
	return s.attributesPage(v, w, w.connection.AttributeMap, "")
}

func (s *steps) attributesPage(v *walk, w way, m sso.AttributeMap, refused string) (screen, error) {
	view := attributesView{Provider: w.provider.Name, Action: w.at("attributes"), Back: w.step(len(w.guide.Steps) - 1), Hidden: v.hidden, Refused: refused}
	names := s.o.Catalog.ClaimNames(w.provider.Slug, idp.Protocol(w.connection.Protocol))
	own := map[string]bool{}
	for _, known := range meanings() {
		own[known.key] = true
		row := attributeView{Key: known.key, Label: v.say.T("setup.attribute_" + known.key), Names: strings.Join(m[known.key], "\n")}
		if looked := names[known.claim]; len(looked) > 0 {
			row.Hint = v.say.T("setup.attribute_looked", "names", strings.Join(looked[:min(len(looked), 3)], ", "))
		}
		view.Known = append(view.Known, row)
	}
	for _, meaning := range slices.Sorted(maps.Keys(m)) {
		if !own[meaning] {
			view.Custom = append(view.Custom, attributeView{Meaning: meaning, Names: strings.Join(m[meaning], "\n")})
		}
	}
	for range moreCustom {
		view.Custom = append(view.Custom, attributeView{})
	}
	for i := range view.Custom {
		view.Custom[i].Key = number(i)
	}
	if err := s.previewAttributes(v, w, &view); err != nil {
		return screen{}, err
	}
	view.Next = s.afterAttributes(v, w)
	return screen{status: statusOf(refused), title: v.say.T("setup.attributes_title"), steps: s.ladderOfSSO(v, w, atAttributes), body: attributesPage(view)}, nil
}

func (s *steps) afterAttributes(v *walk, w way) ui.Link {
	switch {
	case s.keeps():
		return ui.Link{Label: v.say.T("setup.next", "step", v.say.T("setup.step_people")), Href: w.at("people")}
	case v.allows.Directory:
		return ui.Link{Label: v.say.T("setup.next_directory"), Href: "/portal/directory"}
	}
	return ui.Link{Label: v.say.T("setup.finish"), Href: "/portal/done"}
}

// previewAttributes shows what the last test read of the person who made it.
func (s *steps) previewAttributes(v *walk, w way, view *attributesView) error {
	if len(w.connection.Lacks()) == 0 {
		view.Test = w.at("test")
	}
	last, err := s.lastTest(v, w)
	if err != nil || last == nil {
		return err
	}
	view.Tested, view.At = true, lineView{At: last.CreatedAt}
	ofPerson := []string{"identifier", "email", "name", "groups", "attributes"}
	about := slices.DeleteFunc(slices.Clone(last.Checks), func(c sso.Check) bool { return !slices.Contains(ofPerson, c.Name) })
	view.Preview = linesOfTest(v, sso.Attempt{Checks: about, Refused: last.Refused})
	return nil
}

func lines(text string) (out []string) {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			out = append(out, line)
		}
	}
	return out
}

// typedAttributes reads the form.
func typedAttributes(v *walk) (sso.AttributeMap, error) {
	out := sso.AttributeMap{}
	for _, known := range meanings() {
		if names := lines(v.form.Get(known.key)); len(names) > 0 {
			out[known.key] = names
		}
	}
	for i := range mostCustom {
		meaning, names := strings.TrimSpace(v.form.Get("custom_name_"+number(i))), lines(v.form.Get("custom_from_"+number(i)))
		switch {
		case meaning == "" && len(names) == 0:
			continue
		case meaning == "" || len(names) == 0:
			return out, fault.New(fault.Unprocessable, "required", "A further attribute needs both: its name here and its name at the provider. Leave both empty to take it away.")
		case out[meaning] != nil:
			return out, fault.New(fault.Unprocessable, "duplicate", "There are two rows for %.60q. Put all names at the provider into one.", meaning)
		}
		out[meaning] = names
	}
	return out, nil
}

func (s *steps) setAttributes(v *walk) (screen, error) {
	w, err := s.connection(v)
	if err != nil {
		return screen{}, err
	}
	m, err := typedAttributes(v)
	if err == nil {
		_, err = s.o.Connections.Update(v.ctx, v.actor, w.connection.ID, sso.Change{AttributeMap: &m})
	}
	if err != nil {
		said, err := refusal(err)
		if err != nil {
			return screen{}, err
		}
		return s.attributesPage(v, w, m, said)
	}
	return screen{to: w.at("attributes")}, nil
}

// peopleView is who may come in, and how.
type peopleView struct {
	Provider     string
	Tested       bool
	JIT, InForce string
	SSO          string
	Policies     []ui.Option
	JITs         []ui.Option
	Confirm      *confirmView
	Action, Back string
	Hidden       []ui.Hidden
	Refused      string
	Directory    string // where a directory is connected; "" where none can be
	WithoutSCIM  string // why the provider sends none
	Finish       ui.Link
}

// confirmView names those whom a change would leave without a way in.
type confirmView struct {
	Number int
	Text   string
	Names  []string
	More   bool
	Hidden []ui.Hidden
	Later  []ui.Hidden // of the form that leaves them time
	Until  string      // the day that is proposed, "2026-11-22"
}

func (s *steps) showPeople(v *walk) (screen, error) {
	w, err := s.connection(v)
	if err != nil {
		return screen{}, err
	}
	return s.peoplePage(v, w, nil, "")
}

func (s *steps) peoplePage(v *walk, w way, confirm *confirmView, refused string) (screen, error) {
	if !s.keeps() {
		return screen{}, fault.New(fault.NotFound, "not_found", "Who may come in is decided by the app itself here.")
	}
	now, err := s.o.Policies.Get(v.ctx, v.organization.ID)
	if err != nil {
		return screen{}, err
	}
	view := peopleView{
		Provider: w.provider.Name, Tested: !w.connection.FirstSuccessAt.IsZero(), JIT: string(now.JIT), InForce: string(now.InForce), SSO: string(now.SSO), Confirm: confirm,
		Action: w.at("people"), Back: w.at("attributes"), Hidden: v.hidden, Refused: refused, WithoutSCIM: w.provider.WithoutSCIM,
		Finish: ui.Link{Label: v.say.T("setup.finish"), Href: "/portal/done"},
	}
	if confirm != nil {
		view.SSO, view.JIT = v.form.Get("sso"), v.form.Get("jit")
	}
	for _, p := range org.AllSSOPolicies() {
		view.Policies = append(view.Policies, ui.Option{Value: string(p), Label: v.say.T("setup.policy_" + string(p)), Hint: v.say.T("setup.policy_hint_" + string(p))})
	}
	for _, j := range org.AllJIT() {
		view.JITs = append(view.JITs, ui.Option{Value: string(j), Label: v.say.T("setup.jit_" + string(j)), Hint: v.say.T("setup.jit_hint_" + string(j))})
	}
	if v.allows.Directory {
		view.Directory = "/portal/directory"
	}
	out := screen{status: statusOf(refused), title: v.say.T("setup.people_title"), steps: s.ladderOfSSO(v, w, atPeople), body: peoplePage(view)}
	if confirm != nil {
		out.status = statusOf("confirm")
	}
	return out, nil
}

// policyChange is what the form asks to change: what is as it was is left out.
func policyChange(v *walk, now lifecycle.PolicyNow) (out org.PolicyChange, confirm *int, err error) {
	if p := org.SSOPolicy(v.form.Get("sso")); p != "" && p != now.SSO {
		out.SSO = &p
	}
	if j := org.JIT(v.form.Get("jit")); j != "" && string(j) != string(now.JIT) {
		out.JIT = &j
	}
	if out.OptionalUntil, err = untilOf(v); err != nil {
		return out, nil, err
	}
	if text := v.form.Get("confirm"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			return out, nil, fault.New(fault.Unprocessable, "invalid_number", "The number of people has to be confirmed as it was shown.")
		}
		confirm = &n
	}
	return out, confirm, nil
}

func (s *steps) setPeople(v *walk) (screen, error) {
	w, err := s.connection(v)
	if err != nil {
		return screen{}, err
	}
	if !s.keeps() {
		return s.peoplePage(v, w, nil, "")
	}
	now, err := s.o.Policies.Get(v.ctx, v.organization.ID)
	if err != nil {
		return screen{}, err
	}
	change, confirm, err := policyChange(v, now)
	if err == nil {
		_, err = s.o.Policies.Set(v.ctx, v.actor, v.organization.ID, change, confirm)
	}
	var left *lifecycle.ConfirmationError
	switch {
	case err == nil:
		return screen{to: w.at("people")}, nil
	case errors.As(err, &left):
		return s.confirmPeople(v, w, *change.SSO, left.Number)
	}
	if f, ok := fault.As(err); ok && f.Code == "sso_not_proven" { // its sentence is for programmers
		return s.peoplePage(v, w, nil, v.say.T("setup.policy_not_proven"))
	}
	said, err := refusal(err)
	if err != nil {
		return screen{}, err
	}
	return s.peoplePage(v, w, nil, said)
}

// confirmPeople asks again, and names whom it would leave without a way in.
func (s *steps) confirmPeople(v *walk, w way, as org.SSOPolicy, n int) (screen, error) {
	found, more, err := s.o.Policies.LeftOut(v.ctx, lifecycle.LeftOutQuery{OrganizationID: v.organization.ID, As: as, Limit: shownPeople})
	if err != nil {
		return screen{}, err
	}
	confirm := &confirmView{Number: n, Text: v.say.N("setup.left_out", n), More: more}
	for _, l := range found {
		confirm.Names = append(confirm.Names, l.Name())
	}
	confirm.Later = append(slices.Clone(v.hidden), ui.Hidden{Name: "sso", Value: string(as)}, ui.Hidden{Name: "jit", Value: v.form.Get("jit")})
	confirm.Hidden, confirm.Until = append(slices.Clone(confirm.Later), ui.Hidden{Name: "confirm", Value: fmt.Sprint(n)}), s.proposed()
	return s.peoplePage(v, w, confirm, "")
}
