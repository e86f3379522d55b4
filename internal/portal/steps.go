package portal

import (
	"context"
	"net/url"

	"github.com/a-h/templ"

	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/idp"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/sso"
	"github.com/rollcallhq/rollcall/internal/web/ui"
	"github.com/rollcallhq/rollcall/internal/web/words"
)

// steps lead an IT admin through connecting a provider. They keep nothing: where somebody is follows from what is there.
type steps struct{ o Options }

func newSteps(o Options) *steps { return &steps{o} }

// walk is an IT admin at a step. Only the door makes one, so an organization's things are never asked for by somebody else.
type walk struct {
	ctx          context.Context //nolint:containedctx // it is as short-lived as the request
	say          *words.Words
	organization org.Organization
	actor        event.Actor
	base         string // of addresses that the provider stores, without a slash at the end
	allows       allowed
	hidden       []ui.Hidden // fields that every form of ours sends along
	path         func(name string) string
	query, form  url.Values
}

// allowed are the parts that a link opens.
type allowed struct{ SSO, Directory, Domains bool }

// part is a part of the set-up.
type part string

// The parts.
const (
	partSSO       part = "sso"
	partDirectory part = "directory"
	partDomains   part = "domains"
)

// screen is what a step answers with: a page, a part of one that a script puts in, or the way on.
type screen struct {
	status int // 0: 200
	title  string
	steps  []ui.Step
	body   templ.Component
	alone  bool // the body is no page
	to     string
	toast  *ui.ToastProps
}

// stepRoute is a row of the table of addresses. Parts in braces are for walk.path.
type stepRoute struct {
	method, pattern string
	part            part
	serve           func(*steps, *walk) (screen, error)
}

func stepRoutes() []stepRoute {
	return []stepRoute{
		{"GET", "/portal/domains", partDomains, (*steps).showDomains},
		{"POST", "/portal/domains", partDomains, (*steps).addDomain},
		{"POST", "/portal/domains/{domain}/check", partDomains, (*steps).checkDomain},
		{"POST", "/portal/domains/{domain}/ask", partDomains, (*steps).askApproval},
		{"POST", "/portal/domains/{domain}/delete", partDomains, (*steps).deleteDomain},

		{"GET", "/portal/sso", partSSO, (*steps).resumeSSO},
		{"GET", "/portal/sso/new", partSSO, (*steps).pickForSSO},
		{"GET", "/portal/sso/new/{provider}", partSSO, (*steps).pickProtocol},
		{"POST", "/portal/sso/new/{provider}", partSSO, (*steps).createConnection},
		{"POST", "/portal/sso/{connection}/delete", partSSO, (*steps).deleteDraft},
		{"GET", "/portal/sso/{connection}/guide/{step}", partSSO, (*steps).showSSOStep},
		{"POST", "/portal/sso/{connection}/guide/{step}", partSSO, (*steps).takeAnswers},
		{"GET", "/portal/sso/{connection}/guide/{step}/checks", partSSO, (*steps).showSSOChecks},
		{"GET", "/portal/sso/{connection}/test", partSSO, (*steps).beginTest},
		{"POST", "/portal/sso/{connection}/approve", partSSO, (*steps).approveMetadata},
		{"GET", "/portal/sso/{connection}/attributes", partSSO, (*steps).showAttributes},
		{"POST", "/portal/sso/{connection}/attributes", partSSO, (*steps).setAttributes},
		{"GET", "/portal/sso/{connection}/people", partSSO, (*steps).showPeople},
		{"POST", "/portal/sso/{connection}/people", partSSO, (*steps).setPeople},

		{"GET", "/portal/directory", partDirectory, (*steps).resumeDirectory},
		{"GET", "/portal/directory/new", partDirectory, (*steps).pickForDirectory},
		{"GET", "/portal/directory/new/{provider}", partDirectory, (*steps).confirmDirectory},
		{"POST", "/portal/directory/new/{provider}", partDirectory, (*steps).createDirectory},
		{"GET", "/portal/directory/{directory}/guide/{step}", partDirectory, (*steps).showDirectoryStep},
		{"POST", "/portal/directory/{directory}/guide/{step}", partDirectory, (*steps).newToken},
		{"GET", "/portal/directory/{directory}/guide/{step}/checks", partDirectory, (*steps).showDirectoryChecks},
		{"GET", "/portal/directory/{directory}/mapping", partDirectory, (*steps).showMapping},
		{"POST", "/portal/directory/{directory}/mapping", partDirectory, (*steps).setMapping},
		{"GET", "/portal/directory/{directory}/live", partDirectory, (*steps).showLive},
		{"POST", "/portal/directory/{directory}/live", partDirectory, (*steps).goLive},
	}
}

// keeps says whether accounts are kept here.
func (s *steps) keeps() bool { return s.o.KeepsAccounts && s.o.Access != nil && s.o.Mappings != nil }

func (s *steps) appName(v *walk) string {
	if s.o.AppName != nil {
		if name := s.o.AppName(v.ctx); name != "" {
			return name
		}
	}
	return v.say.T("setup.the_app")
}

// way is a connection on its way to working, with what the catalogue knows of it.
type way struct {
	connection sso.Connection
	provider   idp.Provider
	guide      idp.Guide
}

func (w way) at(rest string) string { return "/portal/sso/" + string(w.connection.ID) + "/" + rest }

func (w way) step(i int) string { return w.at("guide/" + w.guide.Steps[i].Slug) }

// connection finds the one of the address. One of another organization is not there.
func (s *steps) connection(v *walk) (way, error) {
	id := v.path("connection")
	c, err := s.o.Connections.Get(v.ctx, sso.ID(id))
	if err != nil {
		return way{}, err
	}
	if c.OrganizationID != string(v.organization.ID) {
		return way{}, sso.NotFound(id)
	}
	return s.wayOf(c), nil
}

func (s *steps) wayOf(c sso.Connection) way {
	provider, _ := s.o.Catalog.Provider(idp.Slug(c.Provider))
	guide, there := provider.Guides[idp.Protocol(c.Protocol)]
	if !there { // the provider has lost the protocol since: whoever stands for all is like it
		provider = s.o.Catalog.ByConnectionType(map[sso.Protocol]idp.ConnectionType{sso.SAML: idp.ConnectionGenericSAML, sso.OIDC: idp.ConnectionGenericOIDC}[c.Protocol])[0]
		guide = provider.Guides[idp.Protocol(c.Protocol)]
	}
	return way{c, provider, guide}
}

// feed is a directory on its way to being live.
type feed struct {
	directory directory.Directory
	counts    directory.Counts
	provider  idp.Provider
	guide     idp.Guide
}

func (f feed) at(rest string) string {
	return "/portal/directory/" + string(f.directory.ID) + "/" + rest
}

func (f feed) step(i int) string { return f.at("guide/" + f.guide.Steps[i].Slug) }

// feed finds the directory of the address. One of another organization is not there.
func (s *steps) feed(v *walk) (feed, error) {
	id := v.path("directory")
	d, err := s.o.Directories.Get(v.ctx, directory.ID(id))
	if err != nil {
		return feed{}, err
	}
	if d.OrganizationID != string(v.organization.ID) {
		return feed{}, directory.NotFound(id)
	}
	return s.feedOf(v, d)
}

func (s *steps) feedOf(v *walk, d directory.Directory) (feed, error) {
	f := feed{directory: d}
	f.provider, _ = s.o.Catalog.Provider(idp.Slug(d.Provider))
	var there bool
	if f.guide, there = f.provider.Guides[idp.SCIM]; !there {
		f.provider = s.o.Catalog.ByDirectoryType(idp.DirectoryType(d.Type))[0]
		f.guide = f.provider.Guides[idp.SCIM]
	}
	var err error
	f.counts, err = s.o.Directories.Counts(v.ctx, d.ID)
	return f, err
}

// stepAt is the number of the step that the address names.
func stepAt(v *walk, g idp.Guide) (int, error) {
	slug := v.path("step")
	for i, step := range g.Steps {
		if step.Slug == slug {
			return i, nil
		}
	}
	return 0, fault.New(fault.NotFound, "not_found", "There is no step of this name. Begin again at the first.")
}

// connectionsOf are the organization's connections, the oldest first.
func (s *steps) connectionsOf(v *walk) ([]sso.Connection, error) {
	found, _, err := s.o.Connections.List(v.ctx, sso.ListQuery{OrganizationID: string(v.organization.ID), Limit: few, Ascending: true})
	return found, err
}

func (s *steps) directoriesOf(v *walk) ([]directory.Directory, error) {
	found, _, err := s.o.Directories.List(v.ctx, directory.ListQuery{OrganizationID: string(v.organization.ID), Limit: few, Ascending: true})
	return found, err
}

// few is more than an organization has of what a person makes one by one.
const few = 20

// resumeSSO goes to where the set-up is: the last connection's furthest step, or the choice of a provider.
func (s *steps) resumeSSO(v *walk) (screen, error) {
	all, err := s.connectionsOf(v)
	if err != nil {
		return screen{}, err
	}
	if len(all) == 0 {
		return screen{to: "/portal/sso/new"}, nil
	}
	return screen{to: s.nextOf(v, s.wayOf(all[len(all)-1]))}, nil
}

func (s *steps) nextOf(v *walk, w way) string {
	if !w.connection.FirstSuccessAt.IsZero() {
		if s.keeps() {
			return w.at("people")
		}
		return w.at("attributes")
	}
	if i := furthest(w.guide, w.evident); i > 0 {
		return w.step(min(i, len(w.guide.Steps)-1))
	}
	if !proves(v.organization) {
		return "/portal/domains"
	}
	return w.step(0)
}

func (s *steps) resumeDirectory(v *walk) (screen, error) {
	all, err := s.directoriesOf(v)
	if err != nil {
		return screen{}, err
	}
	if len(all) == 0 {
		return screen{to: "/portal/directory/new"}, nil
	}
	f, err := s.feedOf(v, all[len(all)-1])
	if err != nil {
		return screen{}, err
	}
	i := furthest(f.guide, f.evident)
	if i >= len(f.guide.Steps) || f.directory.Live() {
		return screen{to: f.at("live")}, nil
	}
	return screen{to: f.step(i)}, nil
}

// furthest is the step after the last one of which something was seen to be done.
func furthest(g idp.Guide, evident func(idp.Check) bool) int {
	next := 0
	for i, step := range g.Steps {
		if checks := checksOf(step); len(checks) > 0 && allOf(checks, evident) {
			next = i + 1
		}
	}
	return next
}

func checksOf(step idp.GuideStep) (out []idp.Check) {
	for _, b := range step.Blocks {
		out = append(out, b.Checks...)
	}
	return out
}

func allOf(checks []idp.Check, evident func(idp.Check) bool) bool {
	for _, c := range checks {
		if !evident(c) {
			return false
		}
	}
	return true
}

// proves says whether an organization has a verified domain.
func proves(o org.Organization) bool {
	for _, d := range o.Domains {
		if d.State == org.Verified {
			return true
		}
	}
	return false
}

// ladder draws the steps of a guide between others: what is behind the furthest is done, what was seen to fail is wrong.
type ladder struct {
	steps []ui.Step
}

func (l *ladder) add(label, note, href string, done, here bool) {
	state := ui.StepNext
	switch {
	case here:
		state = ui.StepCurrent
	case done:
		state = ui.StepDone
	}
	l.steps = append(l.steps, ui.Step{Label: label, Note: note, Href: href, State: state})
}

func (l *ladder) guide(g idp.Guide, address func(int) string, reached, here int) {
	for i, step := range g.Steps {
		l.add(step.Title, "", address(i), i < reached, i == here)
	}
}

// Places beside the guide's steps, for ladders.
const (
	atProvider = -1 - iota
	atDomains
	atAttributes
	atPeople
	atMapping
	atLive
)

// ladderOfSSO lists the steps of a connection; here is the number of one, or a place.
func (s *steps) ladderOfSSO(v *walk, w way, here int) []ui.Step {
	var l ladder
	l.add(v.say.T("setup.step_provider"), w.provider.Name+" · "+protocolName(idp.Protocol(w.connection.Protocol)), "/portal/sso/new", true, here == atProvider)
	l.add(v.say.T("setup.step_domains"), "", "/portal/domains", proves(v.organization), here == atDomains)
	l.guide(w.guide, w.step, furthest(w.guide, w.evident), here)
	tested := !w.connection.FirstSuccessAt.IsZero()
	l.add(v.say.T("setup.step_attributes"), "", w.at("attributes"), tested, here == atAttributes)
	if s.keeps() {
		l.add(v.say.T("setup.step_people"), "", w.at("people"), false, here == atPeople)
	}
	return l.steps
}

func (s *steps) ladderOfDirectory(v *walk, f feed, here int) []ui.Step {
	var l ladder
	l.add(v.say.T("setup.step_provider"), f.provider.Name+" · "+protocolName(idp.SCIM), "/portal/directory/new", true, here == atProvider)
	l.guide(f.guide, f.step, furthest(f.guide, f.evident), here)
	if s.keeps() {
		l.add(v.say.T("setup.step_mapping"), "", f.at("mapping"), false, here == atMapping)
	}
	l.add(v.say.T("setup.step_live"), "", f.at("live"), f.directory.Live(), here == atLive)
	return l.steps
}

func protocolName(p idp.Protocol) string {
	switch p {
	case idp.SAML:
		return "SAML"
	case idp.OIDC:
		return "OpenID Connect"
	case idp.SCIM:
		return "SCIM"
	}
	return string(p)
}
