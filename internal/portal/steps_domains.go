package portal

import (
	"cmp"
	"net/url"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/sso"
	"github.com/rollcallhq/rollcall/internal/web/ui"
)

// domainView is a domain with what proves it.
type domainView struct {
	ID, Name string
	State    org.DomainState
	Records  []org.Record
	Mail     string // address that opens a mail to whoever looks after the DNS
	Text     string // the same as text, to be sent some other way
	Check    string
	Delete   string
	Ask      string // address that asks the operator to approve it; "": they were asked
	Approval org.Approval
}

// domainsView is the page of domains.
type domainsView struct {
	Domains []domainView
	Seen    []string // domains of people whom the provider has named, that are not among them
	Typed   string
	Error   string
	Hidden  []ui.Hidden
	Next    ui.Link // zero: there is none
}

func (s *steps) showDomains(v *walk) (screen, error) { return s.domainsPage(v, "", "") }

func (s *steps) domainsPage(v *walk, typed, refused string) (screen, error) {
	view := domainsView{Typed: typed, Error: refused, Hidden: v.hidden}
	approvals, err := s.o.Organizations.Approvals(v.ctx, v.organization.ID)
	if err != nil {
		return screen{}, err
	}
	for _, d := range v.organization.Domains {
		view.Domains = append(view.Domains, s.domainView(v, d, approvals[d.ID]))
	}
	slices.SortFunc(view.Domains, func(a, b domainView) int { return strings.Compare(a.Name, b.Name) })
	if view.Seen, err = s.seenDomains(v); err != nil {
		return screen{}, err
	}
	out := screen{status: statusOf(refused), title: v.say.T("setup.domains_title"), body: domainsPage(view)}
	if !v.allows.SSO {
		return out, nil
	}
	all, err := s.connectionsOf(v)
	if err != nil || len(all) == 0 {
		return out, err
	}
	w := s.wayOf(all[len(all)-1])
	view.Next = ui.Link{Label: v.say.T("setup.next", "step", w.guide.Steps[0].Title), Href: w.step(0)}
	out.body, out.steps = domainsPage(view), s.ladderOfSSO(v, w, atDomains)
	return out, nil
}

func (s *steps) domainView(v *walk, d org.Domain, a org.Approval) domainView {
	out := domainView{ID: d.ID, Name: d.Domain, State: d.State, Check: "/portal/domains/" + d.ID + "/check", Delete: "/portal/domains/" + d.ID + "/delete"}
	if d.State == org.Verified {
		return out
	}
	if out.Approval = a; !a.Open() {
		out.Ask = "/portal/domains/" + d.ID + "/ask"
	}
	out.Records = d.Records()
	out.Text = v.say.T("setup.mail_body", "domain", d.Domain, "name", out.Records[0].Name, "value", out.Records[0].Value, "app", s.appName(v))
	subject := v.say.T("setup.mail_subject", "domain", d.Domain)
	out.Mail = "mailto:?subject=" + mailEscape(subject) + "&body=" + mailEscape(out.Text)
	return out
}

// mailEscape is for a mailto address (RFC 6068 section 2): a blank is %20, for a plus stays one; lines end with %0D%0A.
func mailEscape(text string) string {
	return strings.ReplaceAll(url.QueryEscape(strings.ReplaceAll(text, "\n", "\r\n")), "+", "%20")
}

// seenMost bounds how many people are looked at for domains, and seenShown how many domains are offered.
const (
	seenMost  = 100
	seenShown = 5
)

// seenDomains are those of people whom sign-ins and directories have named, the most frequent first, that the organization has not added.
func (s *steps) seenDomains(v *walk) ([]string, error) {
	count := map[string]int{}
	note := func(address string) {
		if e, reason := org.ReadEmail(address); reason == "" {
			count[e.Domain]++
		}
	}
	if err := s.addressesOf(v, note); err != nil {
		return nil, err
	}
	for _, d := range v.organization.Domains {
		delete(count, d.Domain)
	}
	var out []string
	for name := range count {
		out = append(out, name)
	}
	slices.SortFunc(out, func(a, b string) int { return cmp.Or(cmp.Compare(count[b], count[a]), strings.Compare(a, b)) })
	return out[:min(len(out), seenShown)], nil
}

// addressesOf reads the newest addresses that the provider has named.
func (s *steps) addressesOf(v *walk, note func(string)) error {
	connections, err := s.connectionsOf(v)
	if err != nil {
		return err
	}
	for _, c := range connections {
		attempts, _, err := s.o.Connections.Attempts(v.ctx, sso.AttemptQuery{ConnectionID: c.ID, Limit: seenMost})
		if err != nil {
			return err
		}
		for _, a := range attempts {
			note(a.Email)
		}
	}
	directories, err := s.directoriesOf(v)
	if err != nil {
		return err
	}
	for _, d := range directories {
		people, err := s.newest(v, d, seenMost)
		if err != nil {
			return err
		}
		for _, p := range people {
			note(p.Email)
		}
	}
	return nil
}

// pushed is a person as a directory has them.
type pushed struct {
	Name  string
	Email string
	State string
	IDPID string
}

// newest are the people who came last.
func (s *steps) newest(v *walk, d directory.Directory, limit int) ([]pushed, error) {
	users, d, _, err := s.o.Directories.APIUsers(v.ctx, directory.APIQuery{Directory: d.ID, Limit: limit})
	if err != nil {
		return nil, err
	}
	out := make([]pushed, len(users))
	for i, u := range users {
		text, err := directory.UserPayload(d, u)
		if err != nil {
			return nil, err
		}
		var shown struct {
			IDPID string  `json:"idp_id"`
			Email *string `json:"email"`
			First *string `json:"first_name"`
			Last  *string `json:"last_name"`
			State string  `json:"state"`
		}
		if err := json.Unmarshal(text, &shown); err != nil {
			return nil, err
		}
		out[i] = pushed{strings.TrimSpace(orEmpty(shown.First) + " " + orEmpty(shown.Last)), orEmpty(shown.Email), shown.State, shown.IDPID}
	}
	return out, nil
}

func orEmpty(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}

func (s *steps) addDomain(v *walk) (screen, error) {
	typed := strings.TrimSpace(v.form.Get("domain"))
	_, err := s.o.Organizations.CreateDomain(v.ctx, v.actor, v.organization.ID, typed)
	if err != nil {
		said, err := refusal(err)
		if err != nil {
			return screen{}, err
		}
		return s.domainsPage(v, typed, said)
	}
	return screen{to: "/portal/domains"}, nil
}

// domain finds the one of the address among the organization's own.
func (v *walk) domain() (org.Domain, error) {
	id := v.path("domain")
	at := slices.IndexFunc(v.organization.Domains, func(d org.Domain) bool { return d.ID == id })
	if at < 0 {
		return org.Domain{}, org.DomainNotFound(id)
	}
	return v.organization.Domains[at], nil
}

// checkDomain looks for the record now and says what was found.
func (s *steps) checkDomain(v *walk) (screen, error) {
	d, err := v.domain()
	if err != nil {
		return screen{}, err
	}
	if d.State == org.Verified {
		return screen{to: "/portal/domains"}, nil
	}
	after, err := s.o.Organizations.VerifyDomain(v.ctx, v.actor, d.ID)
	if f, ok := fault.As(err); ok && f.Code == "domain_already_verified" && f.Field == "id" { // meanwhile
		return screen{to: "/portal/domains"}, nil
	}
	if err != nil {
		said, err := refusal(err)
		if err != nil {
			return screen{}, err
		}
		return s.domainsPage(v, "", said)
	}
	if after.State == org.Verified {
		return screen{to: "/portal/domains"}, nil
	}
	out, err := s.domainsPage(v, "", "")
	out.toast = &ui.ToastProps{Tone: ui.Warn, Title: v.say.T("setup.domain_not_yet", "domain", d.Domain), Text: v.say.T("setup.domain_not_yet_text")}
	return out, err
}

// askApproval asks the operator to vouch for a domain whose DNS nobody here can change.
func (s *steps) askApproval(v *walk) (screen, error) {
	d, err := v.domain()
	if err != nil {
		return screen{}, err
	}
	_, err = s.o.Organizations.AskApproval(v.ctx, v.actor, v.organization.ID, d.ID)
	if f, ok := fault.As(err); ok && f.Code == "domain_already_verified" { // meanwhile
		return screen{to: "/portal/domains"}, nil
	}
	if err != nil {
		said, err := refusal(err)
		if err != nil {
			return screen{}, err
		}
		return s.domainsPage(v, "", said)
	}
	return screen{to: "/portal/domains"}, nil
}

// deleteDomain takes a domain away that is not proven: what hangs on a proven one is not seen here.
func (s *steps) deleteDomain(v *walk) (screen, error) {
	d, err := v.domain()
	if err != nil {
		return screen{}, err
	}
	if d.State == org.Verified {
		return screen{}, fault.New(fault.Conflict, "domain_in_use", "%s is verified, and accounts may depend on it. Ask whoever sent you the link to take it away.", d.Domain)
	}
	if err := s.o.Organizations.DeleteDomain(v.ctx, v.actor, d.ID); err != nil {
		return screen{}, err
	}
	return screen{to: "/portal/domains"}, nil
}
