package portal

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/idp"
	"github.com/rollcallhq/rollcall/internal/lifecycle"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/sso"
	"github.com/rollcallhq/rollcall/internal/token"
	"github.com/rollcallhq/rollcall/internal/web/ui"
)

// guideView is a step of a guide.
type guideView struct {
	Provider, Logo string
	Title          string
	Intro          []idp.Block // before the first step only
	Blocks         []blockView
	Good           []blockView // good to know; on the last step
	Trouble        []idp.Trouble
	Checks         checksView
	Panel          bool         // the checks stand at the end, as no block is their place
	Left           *leftOutView // before a first test
	Previous, Next ui.Link
}

// blockView is a block of a guide, filled.
type blockView struct {
	idp.Block

	ID      string
	Lines   []copyView
	Filled  string // lines of code
	Answers []answerView
	Token   *tokenView // the block shows a token, and none is there to be shown
	Panel   bool       // the checks stand here
}

// copyView is a value to enter at the provider.
type copyView struct {
	ID, Label, Value string
	Token            bool // it is the place of a token that is not shown
}

// answerView is one way of answering what a step asks for.
type answerView struct {
	Number string
	Title  string
	Fields []fieldView
	Open   bool
	Error  string // of no single field
	Action string
	Hidden []ui.Hidden
}

// fieldView is something to bring from the provider.
type fieldView struct {
	ID          string
	Name        idp.AskField
	Label, Hint string
	Value       string
	Error       string
	Optional    bool
	Long        bool // a document, which may come as a file
	Secret      bool
	Day         bool
}

// tokenView offers a new token.
type tokenView struct {
	Action string
	Hidden []ui.Hidden
	Used   bool // one is in use already
	Error  string
}

// leftOutView says whom the requirement of single sign-on would leave without a way in, before it begins.
type leftOutView struct {
	Names  []string
	More   bool
	Action string // makes it optional
	Hidden []ui.Hidden
	Until  string // the day that is proposed, "2026-11-22"
}

// values fills the placeholders of a connection's guide.
func (s *steps) values(v *walk, w way) map[idp.Placeholder]string {
	at := w.connection.Addresses(v.base)
	return s.ofTest(w.connection.Key, map[idp.Placeholder]string{
		idp.PlaceholderACSURL: at.ACS, idp.PlaceholderSPEntityID: at.EntityID, idp.PlaceholderSPMetadataURL: at.Metadata, idp.PlaceholderSLOURL: at.SLO,
		idp.PlaceholderLoginURL: at.Login, idp.PlaceholderRedirectURI: at.RedirectURI,
		idp.PlaceholderAppName: s.appName(v), idp.PlaceholderOrganization: v.organization.Name,
	})
}

// ofTest adds what the guides of the demo's test identity provider show.
func (s *steps) ofTest(clientID string, values map[idp.Placeholder]string) map[idp.Placeholder]string {
	if s.o.TestIDP != "" {
		values[idp.PlaceholderTestIDP], values[idp.PlaceholderTestClient] = s.o.TestIDP, clientID
	}
	return values
}

// valuesOfDirectory: the secret is empty but right after it was made.
func (s *steps) valuesOfDirectory(v *walk, f feed, secret token.Secret) map[idp.Placeholder]string {
	return s.ofTest("", map[idp.Placeholder]string{
		idp.PlaceholderSCIMURL: v.base + "/scim/v2/" + f.directory.Address(), idp.PlaceholderSCIMToken: secret.Reveal(),
		idp.PlaceholderAppName: s.appName(v), idp.PlaceholderOrganization: v.organization.Name,
	})
}

// blocks fills those of a step. Ids are numbered, so that a script finds what to copy.
func blocks(all []idp.Block, prefix string, values map[idp.Placeholder]string) []blockView {
	out := make([]blockView, len(all))
	for i, b := range all {
		id := prefix + "-" + number(i)
		out[i] = blockView{Block: b, ID: id, Filled: b.FillCode(values)}
		for j, line := range b.Copy {
			one := copyView{ID: id + "-" + number(j), Label: line.Label, Value: line.Fill(values)}
			one.Token = strings.Contains(one.Value, "{{"+string(idp.PlaceholderSCIMToken)+"}}")
			out[i].Lines = append(out[i].Lines, one)
		}
	}
	return out
}

// number is a small number in an id.
func number(i int) string {
	const digits = "0123456789"
	if i < len(digits) {
		return digits[i : i+1]
	}
	return number(i/len(digits)) + digits[i%len(digits):i%len(digits)+1]
}

// guidePage draws what both kinds of guides have.
func guidePage(p idp.Provider, g idp.Guide, i int, values map[idp.Placeholder]string) guideView {
	step := g.Steps[i]
	out := guideView{Provider: p.Name, Logo: p.Logo, Title: step.Title, Blocks: blocks(step.Blocks, "block", values), Trouble: g.Trouble}
	if i == 0 {
		out.Intro = g.Intro
	}
	at := slices.IndexFunc(out.Blocks, func(b blockView) bool { return b.Kind == idp.BlockCheck })
	if out.Panel = at < 0; !out.Panel {
		out.Blocks[at].Panel = true
	}
	if i == len(g.Steps)-1 {
		out.Good = blocks(g.GoodToKnow, "good", values)
	}
	return out
}

func (s *steps) showSSOStep(v *walk) (screen, error) {
	w, err := s.connection(v)
	if err != nil {
		return screen{}, err
	}
	i, err := stepAt(v, w.guide)
	if err != nil {
		return screen{}, err
	}
	return s.ssoStep(v, w, i, nil)
}

// answers are what was typed and what is wrong with it.
type answers struct {
	alternative int
	refusal     *fault.Error
}

func (s *steps) ssoStep(v *walk, w way, i int, a *answers) (screen, error) {
	view := guidePage(w.provider, w.guide, i, s.values(v, w))
	for at := range view.Blocks {
		if b := &view.Blocks[at]; b.Kind == idp.BlockAsk {
			b.Answers = answersFor(v, w, b.Ask, w.step(i), a)
		}
	}
	var err error
	if view.Checks, err = s.checksOfSSO(v, w, i); err != nil {
		return screen{}, err
	}
	if slices.Contains(checksOf(w.guide.Steps[i]), idp.CheckTestSignIn) {
		if view.Left, err = s.leftOut(v, w, i); err != nil {
			return screen{}, err
		}
	}
	view.Previous, view.Next = s.beforeSSO(v, w, i), s.afterSSO(v, w, i)
	out := screen{title: view.Title, steps: s.ladderOfSSO(v, w, i), body: guideStep(view)}
	if a != nil && a.refusal != nil {
		out.status = http.StatusUnprocessableEntity
	}
	return out, nil
}

func (s *steps) beforeSSO(v *walk, w way, i int) ui.Link {
	if i == 0 {
		return ui.Link{Label: v.say.T("setup.step_domains"), Href: "/portal/domains"}
	}
	return ui.Link{Label: w.guide.Steps[i-1].Title, Href: w.step(i - 1)}
}

func (s *steps) afterSSO(v *walk, w way, i int) ui.Link {
	if i+1 < len(w.guide.Steps) {
		return ui.Link{Label: v.say.T("setup.next", "step", w.guide.Steps[i+1].Title), Href: w.step(i + 1)}
	}
	return ui.Link{Label: v.say.T("setup.next", "step", v.say.T("setup.step_attributes")), Href: w.at("attributes")}
}

// answersFor are the ways of answering. The one that was tried, or by which the connection has what it has, is open; else the first.
func answersFor(v *walk, w way, all [][]idp.Field, action string, a *answers) []answerView {
	open := answered(w.connection, all)
	if a != nil {
		open = a.alternative
	}
	out := make([]answerView, len(all))
	for i, fields := range all {
		one := answerView{Number: number(i), Open: i == open, Action: action, Hidden: v.hidden, Title: fieldNames(fields)}
		tried := a != nil && a.alternative == i
		for _, f := range fields {
			one.Fields = append(one.Fields, fieldOf(v, w, f, i, tried, a))
			if f.Field == idp.FieldClientSecret {
				one.Fields = append(one.Fields, endOfSecret(v, w, i, tried, a))
			}
		}
		if tried && a.refusal != nil && !slices.ContainsFunc(one.Fields, func(f fieldView) bool { return f.Error != "" }) {
			one.Error = a.refusal.Message
		}
		out[i] = one
	}
	return out
}

func fieldNames(fields []idp.Field) string {
	var names []string
	for _, f := range fields {
		names = append(names, f.Label)
	}
	return strings.Join(names, ", ")
}

// answered is the alternative by which the connection was configured; 0 where it was not.
func answered(c sso.Connection, all [][]idp.Field) int {
	by := idp.FieldMetadataXML
	switch {
	case c.IDPEntityID == "" && c.Issuer == "":
		return 0
	case c.MetadataURL != "":
		by = idp.FieldMetadataURL
	case slices.ContainsFunc(c.Certificates, func(one sso.Certificate) bool { return one.Source == sso.ByHand }):
		by = idp.FieldCertificate
	}
	at := slices.IndexFunc(all, func(fields []idp.Field) bool {
		return slices.ContainsFunc(fields, func(f idp.Field) bool { return f.Field == by })
	})
	return max(at, 0)
}

func fieldOf(v *walk, w way, f idp.Field, alternative int, tried bool, a *answers) fieldView {
	out := fieldView{
		ID: string(f.Field) + "-" + number(alternative), Name: f.Field, Label: f.Label, Hint: f.Hint, Value: known(w.connection, f.Field), Optional: f.Field == idp.FieldSLOURL,
		Long: f.Field == idp.FieldMetadataXML || f.Field == idp.FieldCertificate, Secret: f.Field == idp.FieldClientSecret,
	}
	if out.Secret && w.connection.HasSecret {
		out.Optional, out.Hint = true, strings.TrimSpace(out.Hint+" "+v.say.T("setup.secret_kept"))
	}
	if tried {
		if !out.Secret && !out.Long {
			out.Value = v.form.Get(string(f.Field))
		}
		if a.refusal != nil && a.refusal.Field == fieldInAPI(f.Field) {
			out.Error = a.refusal.Message
		}
	}
	return out
}

// endsField is the day on which a client secret ends. No guide asks for it: whoever copies a secret sees it beside it, and nobody later.
const endsField = "client_secret_expires_at"

func endOfSecret(v *walk, w way, alternative int, tried bool, a *answers) fieldView {
	out := fieldView{
		ID: endsField + "-" + number(alternative), Name: endsField, Label: v.say.T("portal.secret_ends"), Hint: v.say.T("portal.secret_ends_hint"),
		Value: dayOf(w.connection.ClientSecretExpiresAt), Optional: true, Day: true,
	}
	if tried {
		out.Value = v.form.Get(endsField)
		if a.refusal != nil && a.refusal.Field == endsField {
			out.Error = a.refusal.Message
		}
	}
	return out
}

// fieldInAPI is what refusals call a field.
func fieldInAPI(f idp.AskField) string {
	if f == idp.FieldCertificate {
		return "certificates"
	}
	return string(f)
}

// known is what a connection has of a field that may be shown.
func known(c sso.Connection, f idp.AskField) string {
	switch f {
	case idp.FieldMetadataURL:
		return c.MetadataURL
	case idp.FieldIDPEntityID:
		return c.IDPEntityID
	case idp.FieldSSOURL:
		return c.SSOURL
	case idp.FieldSLOURL:
		return c.SLOURL
	case idp.FieldIssuer:
		return c.Issuer
	case idp.FieldClientID:
		return c.ClientID
	case idp.FieldMetadataXML, idp.FieldCertificate, idp.FieldClientSecret:
	}
	return ""
}

// takeAnswers gives the connection what the admin brought from the provider, by the verb of the API.
func (s *steps) takeAnswers(v *walk) (screen, error) {
	w, err := s.connection(v)
	if err != nil {
		return screen{}, err
	}
	i, err := stepAt(v, w.guide)
	if err != nil {
		return screen{}, err
	}
	if v.form.Get("optional") != "" {
		return s.keepOptional(v, w, i)
	}
	fields, at, err := chosen(w.guide.Steps[i], v.form.Get("alternative"))
	if err != nil {
		return screen{}, err
	}
	change, err := changeOf(v, w.connection, fields)
	if err == nil {
		_, err = s.o.Connections.Update(v.ctx, v.actor, w.connection.ID, change)
	}
	if err == nil {
		return screen{to: w.step(i) + "#checks"}, nil
	}
	if _, err := refusal(err); err != nil {
		return screen{}, err
	}
	f, _ := fault.As(err)
	return s.ssoStep(v, w, i, &answers{at, f})
}

// chosen are the fields of the alternative that was sent.
func chosen(step idp.GuideStep, alternative string) ([]idp.Field, int, error) {
	for _, b := range step.Blocks {
		for i, fields := range b.Ask {
			if number(i) == alternative {
				return fields, i, nil
			}
		}
	}
	return nil, 0, fault.New(fault.Invalid, "unknown_alternative", "This step does not ask for that. Go back to it and fill it in again.")
}

// changeOf is the change of a connection that answers make. What is given one by one ends the reading of a metadata address.
func changeOf(v *walk, c sso.Connection, fields []idp.Field) (sso.Change, error) {
	var out sso.Change
	for _, f := range fields {
		value := strings.TrimSpace(v.form.Get(string(f.Field)))
		if value == "" && f.Field != idp.FieldSLOURL && (f.Field != idp.FieldClientSecret || !c.HasSecret) {
			return out, fault.New(fault.Unprocessable, "required", "Fill in %s.", f.Label).On(fieldInAPI(f.Field))
		}
		switch f.Field {
		case idp.FieldMetadataURL:
			out.MetadataURL = &value
		case idp.FieldMetadataXML:
			out.MetadataXML = &value
		case idp.FieldIDPEntityID:
			out.IDPEntityID = &value
		case idp.FieldSSOURL:
			out.SSOURL, out.MetadataURL = &value, new(string)
		case idp.FieldSLOURL:
			out.SLOURL = &value
		case idp.FieldCertificate:
			all := append(byHand(c), value)
			out.Certificates = &all
		case idp.FieldIssuer:
			out.Issuer = &value
		case idp.FieldClientID:
			out.ClientID = &value
		case idp.FieldClientSecret:
			if value != "" {
				out.ClientSecret = &value
			}
			if !secretEnds(&out, v.form.Get(endsField), c) {
				return out, fault.New(fault.Unprocessable, "invalid_day", "%s", v.say.T("portal.secret_day_wrong")).On(endsField)
			}
		}
	}
	return out, nil
}

// byHand are the certificates that were given one by one: another is added to them, so that a change of keys has no gap.
func byHand(c sso.Connection) (out []string) {
	for _, one := range c.Certificates {
		if one.Source == sso.ByHand {
			out = append(out, one.PEM)
		}
	}
	return out
}

func (s *steps) showSSOChecks(v *walk) (screen, error) {
	w, err := s.connection(v)
	if err != nil {
		return screen{}, err
	}
	i, err := stepAt(v, w.guide)
	if err != nil {
		return screen{}, err
	}
	checks, err := s.checksOfSSO(v, w, i)
	return screen{body: checksPanel(checks), alone: true}, err
}

// beginTest leads to a test sign-in: nobody is let in by it, and nothing is written before the provider is asked.
func (s *steps) beginTest(v *walk) (screen, error) {
	w, err := s.connection(v)
	if err != nil {
		return screen{}, err
	}
	to, err := s.o.NewTest(v.ctx, w.connection.ID)
	return screen{to: to}, err
}

func (s *steps) approveMetadata(v *walk) (screen, error) {
	w, err := s.connection(v)
	if err != nil {
		return screen{}, err
	}
	if _, err := s.o.Connections.ApproveMetadata(v.ctx, v.actor, w.connection.ID); err != nil {
		if _, err := refusal(err); err != nil {
			return screen{}, err
		}
	}
	i := slices.IndexFunc(w.guide.Steps, func(step idp.GuideStep) bool { return slices.Contains(checksOf(step), idp.CheckMetadata) })
	return screen{to: w.step(max(i, 0)) + "#checks"}, nil
}

// leftOut says, before the first success, what will begin with it, and for whom it would be the end.
func (s *steps) leftOut(v *walk, w way, i int) (*leftOutView, error) {
	policy, err := s.o.Policies.Get(v.ctx, v.organization.ID)
	if err != nil || policy.Reach != lifecycle.NotStarted {
		return nil, err
	}
	found, more, err := s.o.Policies.LeftOut(v.ctx, lifecycle.LeftOutQuery{OrganizationID: v.organization.ID, As: policy.InForce, ConnectionID: w.connection.ID, Limit: shownPeople})
	if err != nil {
		return nil, err
	}
	out := &leftOutView{More: more, Action: w.step(i), Hidden: append(slices.Clone(v.hidden), ui.Hidden{Name: "optional", Value: "yes"}), Until: s.proposed()}
	for _, l := range found {
		out.Names = append(out.Names, l.Name())
	}
	return out, nil
}

// timeOffered is for how long single sign-on is proposed to stay optional.
const timeOffered = 14 * 24 * time.Hour

func (s *steps) proposed() string { return s.o.Now().Add(timeOffered).UTC().Format(time.DateOnly) }

// untilOf is the day until which single sign-on is to stay optional; nil where none is given.
func untilOf(v *walk) (*time.Time, error) {
	text := v.form.Get("until")
	if text == "" {
		return nil, nil //nolint:nilnil // none is an answer
	}
	at, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return nil, fault.New(fault.Unprocessable, "invalid_optional_until", "%s", v.say.T("setup.until_wrong")).On("until")
	}
	return &at, nil
}

// keepOptional lets people go on as before until a day, or without one until somebody decides otherwise.
func (s *steps) keepOptional(v *walk, w way, i int) (screen, error) {
	until, err := untilOf(v)
	if err != nil {
		return screen{}, err
	}
	change := org.PolicyChange{OptionalUntil: until}
	if until == nil {
		free := org.Optional
		change.SSO = &free
	}
	if _, err := s.o.Policies.Set(v.ctx, v.actor, v.organization.ID, change, nil); err != nil {
		return screen{}, err
	}
	return screen{to: w.step(i)}, nil
}

func (s *steps) showDirectoryStep(v *walk) (screen, error) {
	f, err := s.feed(v)
	if err != nil {
		return screen{}, err
	}
	i, err := stepAt(v, f.guide)
	if err != nil {
		return screen{}, err
	}
	return s.directoryStep(v, f, i, "", "")
}

func (s *steps) directoryStep(v *walk, f feed, i int, secret token.Secret, refused string) (screen, error) {
	view := guidePage(f.provider, f.guide, i, s.valuesOfDirectory(v, f, secret))
	used, err := s.inUse(v, f)
	if err != nil {
		return screen{}, err
	}
	for at := range view.Blocks {
		b := &view.Blocks[at]
		if secret == "" && slices.Contains(b.Placeholders(), idp.PlaceholderSCIMToken) {
			b.Token = &tokenView{Action: f.step(i), Hidden: v.hidden, Used: used, Error: refused}
		}
	}
	if view.Checks, err = s.checksOfDirectory(v, f, i); err != nil {
		return screen{}, err
	}
	view.Previous, view.Next = s.beforeDirectory(v, f, i), s.afterDirectory(v, f, i)
	return screen{
		status: statusOf(refused), title: view.Title, steps: s.ladderOfDirectory(v, f, i), body: guideStep(view),
	}, nil
}

// inUse says whether a living token has ever been shown by a provider.
func (s *steps) inUse(v *walk, f feed) (bool, error) {
	all, err := s.o.Directories.Tokens(v.ctx, f.directory.ID)
	if err != nil {
		return false, err
	}
	for _, t := range all {
		if t.RevokedAt.IsZero() && !t.LastUsedAt.IsZero() {
			return true, nil
		}
	}
	return false, nil
}

func (s *steps) beforeDirectory(v *walk, f feed, i int) ui.Link {
	if i == 0 {
		return ui.Link{Label: v.say.T("setup.step_provider"), Href: "/portal/directory/new"}
	}
	return ui.Link{Label: f.guide.Steps[i-1].Title, Href: f.step(i - 1)}
}

func (s *steps) afterDirectory(v *walk, f feed, i int) ui.Link {
	switch {
	case i+1 < len(f.guide.Steps):
		return ui.Link{Label: v.say.T("setup.next", "step", f.guide.Steps[i+1].Title), Href: f.step(i + 1)}
	case s.keeps():
		return ui.Link{Label: v.say.T("setup.next", "step", v.say.T("setup.step_mapping")), Href: f.at("mapping")}
	}
	return ui.Link{Label: v.say.T("setup.next", "step", v.say.T("setup.step_live")), Href: f.at("live")}
}

// newToken answers with the step that needs the token, and the token in it: it is nowhere else, so there is no page to go on to.
func (s *steps) newToken(v *walk) (screen, error) {
	f, err := s.feed(v)
	if err != nil {
		return screen{}, err
	}
	i, err := stepAt(v, f.guide)
	if err != nil {
		return screen{}, err
	}
	_, secret, err := s.o.SetUps.NewToken(v.ctx, v.actor, f.directory.ID)
	if err != nil {
		said, err := refusal(err)
		if err != nil {
			return screen{}, err
		}
		return s.directoryStep(v, f, i, "", said)
	}
	return s.directoryStep(v, f, i, secret, "")
}

func (s *steps) showDirectoryChecks(v *walk) (screen, error) {
	f, err := s.feed(v)
	if err != nil {
		return screen{}, err
	}
	i, err := stepAt(v, f.guide)
	if err != nil {
		return screen{}, err
	}
	checks, err := s.checksOfDirectory(v, f, i)
	return screen{body: checksPanel(checks), alone: true}, err
}
