package portal

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/idp"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/sso"
	"github.com/rollcallhq/rollcall/internal/web/ui"
)

// tile is a provider to choose. Logo is SVG of the catalogue, which has checked it.
type tile struct {
	Name, Note, Href, Logo string
}

// begun is something that is there already.
type begun struct {
	Name, Note string
	Href       string
	Remove     string // address that takes it away; "": it cannot be taken away here
	Done       bool
}

// pickView is the choice of a provider.
type pickView struct {
	Title, Text   string
	Action, Query string
	Tiles, Others []tile
	Begun         []begun
	Off           string // why nothing can be chosen
	Hidden        []ui.Hidden
}

// protocolChoice is a way of connecting a provider.
type protocolChoice struct {
	Value, Label, Hint string
}

// protocolView is the choice of how to connect a provider.
type protocolView struct {
	Provider      string
	Logo          string
	Text          string
	Action, Back  string
	Choices       []protocolChoice
	Hidden        []ui.Hidden
	Refused       string
	First         ui.Link // what has to be done before; zero: nothing
	Button, Intro string
}

// stands says whether a provider is there for all that have no folder of their own.
func stands(p idp.Provider) bool {
	return len(p.StandsForConnections) > 0 || p.StandsFor == idp.TypeGeneric
}

func fits(p idp.Provider, query string) bool {
	query = strings.ToLower(strings.TrimSpace(query))
	return query == "" || strings.Contains(strings.ToLower(p.Name), query) || strings.Contains(string(p.Slug), query)
}

// tilesOf are the providers that speak one of the protocols and fit the search, by name; others are those that stand for the rest.
func (s *steps) tilesOf(query, address string, protocols ...idp.Protocol) (tiles, others []tile) {
	for _, p := range s.o.Catalog.Providers() {
		var speaks []string
		for _, protocol := range protocols {
			if p.Speaks(protocol) {
				speaks = append(speaks, protocolName(protocol))
			}
		}
		t := tile{Name: p.Name, Note: strings.Join(speaks, " · "), Href: address + string(p.Slug), Logo: p.Logo}
		switch {
		case len(speaks) == 0:
		case stands(p):
			others = append(others, t)
		case fits(p, query):
			tiles = append(tiles, t)
		}
	}
	slices.SortFunc(tiles, func(a, b tile) int { return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)) })
	return tiles, others
}

// longestQuery is how much of a search is looked at, in bytes.
const longestQuery = 100

func (v *walk) search() string {
	q := strings.ToValidUTF8(v.query.Get("q"), "")
	if len(q) > longestQuery {
		return strings.ToValidUTF8(q[:longestQuery], "")
	}
	return q
}

// off says why a part of the set-up cannot be used: the operator has switched its feature off.
func (s *steps) off(v *walk, f org.Feature) (string, error) {
	features, err := s.o.Organizations.Features(v.ctx, v.organization.ID)
	if err != nil || features.On(f) {
		return "", err
	}
	return v.say.T("setup.off_" + string(f)), nil
}

func (s *steps) pickForSSO(v *walk) (screen, error) {
	off, err := s.off(v, org.SSO)
	if err != nil {
		return screen{}, err
	}
	all, err := s.connectionsOf(v)
	if err != nil {
		return screen{}, err
	}
	p := pickView{
		Title: v.say.T("setup.pick_sso_title"), Text: v.say.T("setup.pick_sso_text"), Action: "/portal/sso/new", Query: v.search(), Off: off, Hidden: v.hidden,
	}
	p.Tiles, p.Others = s.tilesOf(p.Query, "/portal/sso/new/", idp.SAML, idp.OIDC)
	for _, c := range all {
		w := s.wayOf(c)
		one := begun{Name: c.Name, Note: w.provider.Name + " · " + protocolName(idp.Protocol(c.Protocol)), Href: s.nextOf(v, w), Done: !c.FirstSuccessAt.IsZero()}
		if removable(c) {
			one.Remove = w.at("delete")
		}
		p.Begun = append(p.Begun, one)
	}
	return screen{title: p.Title, body: pickPage(p), steps: s.ladderOfPick(v, true)}, nil
}

// removable: nobody has come in through it, and nobody can.
func removable(c sso.Connection) bool { return c.State == sso.Draft && c.FirstSuccessAt.IsZero() }

// ladderOfPick is what a set-up looks like before there is anything.
func (s *steps) ladderOfPick(v *walk, signOn bool) []ui.Step {
	var l ladder
	l.add(v.say.T("setup.step_provider"), "", "", false, true)
	if signOn {
		l.add(v.say.T("setup.step_domains"), "", "/portal/domains", proves(v.organization), false)
		l.add(v.say.T("setup.step_configure"), "", "", false, false)
		l.add(v.say.T("setup.step_test"), "", "", false, false)
		return l.steps
	}
	l.add(v.say.T("setup.step_configure"), "", "", false, false)
	l.add(v.say.T("setup.step_live"), "", "", false, false)
	return l.steps
}

// provider finds the one of the address, if it speaks one of the protocols.
func (s *steps) provider(v *walk, protocols ...idp.Protocol) (idp.Provider, error) {
	slug := v.path("provider")
	p, there := s.o.Catalog.Provider(idp.Slug(slug))
	if !there || !slices.ContainsFunc(protocols, p.Speaks) {
		return p, fault.New(fault.NotFound, "not_found", "There is no identity provider of this name here. Choose one of the list.")
	}
	return p, nil
}

func (s *steps) pickProtocol(v *walk) (screen, error) { return s.protocolPage(v, "") }

func (s *steps) protocolPage(v *walk, refused string) (screen, error) {
	p, err := s.provider(v, idp.SAML, idp.OIDC)
	if err != nil {
		return screen{}, err
	}
	view := protocolView{
		Provider: p.Name, Logo: p.Logo, Text: v.say.T("setup.protocol_text", "provider", p.Name), Action: "/portal/sso/new/" + string(p.Slug), Back: "/portal/sso/new",
		Hidden: v.hidden, Refused: refused, Button: v.say.T("setup.protocol_button"),
	}
	for _, protocol := range []idp.Protocol{idp.SAML, idp.OIDC} {
		if p.Speaks(protocol) {
			view.Choices = append(view.Choices, protocolChoice{string(protocol), protocolName(protocol), v.say.T("setup.protocol_" + string(protocol))})
		}
	}
	title := v.say.T("setup.protocol_title", "provider", p.Name)
	return screen{status: statusOf(refused), title: title, body: protocolPage(title, view), steps: s.ladderOfPick(v, true)}, nil
}

func statusOf(refused string) int {
	if refused == "" {
		return http.StatusOK
	}
	return http.StatusUnprocessableEntity
}

// refusal is what a person is told of an error that is for them to mend; others go up.
func refusal(err error) (string, error) {
	f, ok := fault.As(err)
	if !ok {
		return "", err
	}
	switch f.Kind {
	case fault.Invalid, fault.Forbidden, fault.Conflict, fault.Precondition, fault.TooLarge, fault.Unprocessable:
		return f.Message, nil
	case fault.Unauthorized, fault.NotFound, fault.NotAllowed, fault.Limited, fault.Internal, fault.Unsupported, fault.Unavailable:
	}
	return "", err
}

func (s *steps) createConnection(v *walk) (screen, error) {
	p, err := s.provider(v, idp.SAML, idp.OIDC)
	if err != nil {
		return screen{}, err
	}
	name := p.Name
	c, err := s.o.Connections.Create(v.ctx, v.actor, sso.New{
		OrganizationID: string(v.organization.ID), Provider: string(p.Slug), Protocol: sso.Protocol(v.form.Get("protocol")), Settings: sso.Change{Name: &name},
	})
	if err != nil {
		said, err := refusal(err)
		if err != nil {
			return screen{}, err
		}
		return s.protocolPage(v, said)
	}
	return screen{to: s.nextOf(v, s.wayOf(c))}, nil
}

// deleteDraft takes a connection away that was begun by mistake.
func (s *steps) deleteDraft(v *walk) (screen, error) {
	w, err := s.connection(v)
	if err != nil {
		return screen{}, err
	}
	if !removable(w.connection) {
		return screen{}, fault.New(fault.Conflict, "connection_in_use", "People may be coming in through this connection. Only one that was never completed is taken away here.")
	}
	if err := s.o.Connections.Delete(v.ctx, v.actor, w.connection.ID); err != nil {
		return screen{}, err
	}
	return screen{to: "/portal/sso/new"}, nil
}

func (s *steps) pickForDirectory(v *walk) (screen, error) {
	off, err := s.off(v, org.DirectorySync)
	if err != nil {
		return screen{}, err
	}
	all, err := s.directoriesOf(v)
	if err != nil {
		return screen{}, err
	}
	p := pickView{
		Title: v.say.T("setup.pick_directory_title"), Text: v.say.T("setup.pick_directory_text"), Action: "/portal/directory/new", Query: v.search(), Off: off,
		Hidden: v.hidden,
	}
	p.Tiles, p.Others = s.tilesOf(p.Query, "/portal/directory/new/", idp.SCIM)
	if err := s.knownFirst(v, &p); err != nil {
		return screen{}, err
	}
	for _, d := range all {
		f, err := s.feedOf(v, d)
		if err != nil {
			return screen{}, err
		}
		p.Begun = append(p.Begun, begun{Name: d.Name, Note: f.provider.Name, Href: f.step(min(furthest(f.guide, f.evident), len(f.guide.Steps)-1)), Done: d.Live()})
	}
	return screen{title: p.Title, body: pickPage(p), steps: s.ladderOfPick(v, false)}, nil
}

// knownFirst puts the provider first by which people sign in already, and says what to do where it sends no directory.
func (s *steps) knownFirst(v *walk, p *pickView) error {
	all, err := s.connectionsOf(v)
	if err != nil {
		return err
	}
	for _, c := range all {
		provider, _ := s.o.Catalog.Provider(idp.Slug(c.Provider))
		if provider.WithoutSCIM != "" && !stands(provider) {
			p.Text += " " + provider.WithoutSCIM
			continue
		}
		at := slices.IndexFunc(p.Tiles, func(t tile) bool { return t.Href == "/portal/directory/new/"+string(provider.Slug) })
		if at > 0 {
			known := p.Tiles[at]
			p.Tiles = slices.Insert(slices.Delete(p.Tiles, at, at+1), 0, known)
		}
	}
	return nil
}

// signOnFirst: where a link is for single sign-on too, that comes first.
func (v *walk) signOnFirst() bool { return v.allows.SSO }

func (s *steps) confirmDirectory(v *walk) (screen, error) { return s.directoryPage(v, "") }

func (s *steps) directoryPage(v *walk, refused string) (screen, error) {
	p, err := s.provider(v, idp.SCIM)
	if err != nil {
		return screen{}, err
	}
	view := protocolView{
		Provider: p.Name, Logo: p.Logo, Text: v.say.T("setup.directory_text", "provider", p.Name), Action: "/portal/directory/new/" + string(p.Slug),
		Back: "/portal/directory/new", Hidden: v.hidden, Refused: refused, Button: v.say.T("setup.directory_button"), Intro: v.say.T("setup.protocol_scim"),
	}
	if s.keeps() {
		view.Intro += " " + v.say.T("setup.directory_silent")
	}
	proven, err := s.o.SetUps.Proven(v.ctx, string(v.organization.ID))
	if err != nil {
		return screen{}, err
	}
	if !proven && v.signOnFirst() {
		view.First = ui.Link{Label: v.say.T("setup.directory_first_button"), Href: "/portal/sso"}
	}
	title := v.say.T("setup.directory_title", "provider", p.Name)
	return screen{status: statusOf(refused), title: title, body: protocolPage(title, view), steps: s.ladderOfPick(v, false)}, nil
}

func (s *steps) createDirectory(v *walk) (screen, error) {
	p, err := s.provider(v, idp.SCIM)
	if err != nil {
		return screen{}, err
	}
	kind := p.StandsFor
	if kind == "" {
		kind = p.DirectoryTypes[0]
	}
	d, err := s.o.SetUps.CreateDirectory(v.ctx, v.actor, directory.New{
		OrganizationID: string(v.organization.ID), Name: p.Name, Type: directory.Type(kind), Provider: string(p.Slug),
	}, v.signOnFirst())
	if err != nil {
		said, err := refusal(err)
		if err != nil {
			return screen{}, err
		}
		return s.directoryPage(v, said)
	}
	f, err := s.feedOf(v, d)
	if err != nil {
		return screen{}, err
	}
	return screen{to: f.step(0)}, nil
}

// withQuery puts a search behind an address.
func withQuery(address, name, value string) string {
	if value == "" {
		return address
	}
	return address + "?" + url.Values{name: {value}}.Encode()
}
