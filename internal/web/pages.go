package web

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/a-h/templ"

	"github.com/rollcallhq/rollcall/internal/web/assets"
	"github.com/rollcallhq/rollcall/internal/web/ui"
	"github.com/rollcallhq/rollcall/internal/web/words"
)

//go:generate go tool templ generate -f members.templ -log-level error

// Page is one of the pages below: what varies in it. Everything in it is text to show and is escaped where it is shown.
type Page interface {
	title(*words.Words) string // of the window, and the page's heading
	main() templ.Component     // what stands below the heading
}

// Field is a hidden field of a form.
type Field = ui.Hidden

// The pages. App is the name of the application that the person wants to get into.
type (
	// SignInPage asks for an address. Continue is what was sealed of the authorization request. Codes: everybody may ask for a mailed code.
	SignInPage struct {
		App, Email, Continue, Wrong string
		SignUp, Codes               bool
	}
	// CodePage asks for the mailed code. It looks the same whether anything was mailed. Again leads back.
	CodePage struct{ App, Email, Magic, Wrong, Again, Continue string }
	// LinkPage has a person confirm a mailed link: programs that look into mails open links too.
	LinkPage struct{ App string }
	// ChoosePage lets a person choose one of several organizations.
	ChoosePage struct {
		App, Email, Choice string
		Organizations      []Choice
	}
	// RefusalPage is the same for every refused sign-in but for its number.
	RefusalPage struct{ App, ID, Again string }
	// AlreadyPage says that a sign-in has succeeded before, and leads to the applications.
	AlreadyPage struct{ Places []Place }
	// InvitationPage shows who invites, and what happens next. SSO: name of the way in; "" for a mailed code.
	InvitationPage struct {
		Organization, Inviter, Email, App, SSO string
		Code                                   bool // a mailed code comes before SSO, or is all there is
		Provable                               bool
	}
	// NoInvitationPage says why a link opens nothing any more, and what to do. State is renew, renewed, expired, used or gone.
	NoInvitationPage struct{ State string }
	// JoinedPage is the end of an acceptance.
	JoinedPage struct {
		Organization string
		Places       []Place
	}
	// WrongPage says that a request itself is wrong: for developers, mostly.
	WrongPage struct{ Sentence, ID string }
	// SignOutPage asks whether to sign out.
	SignOutPage struct {
		App, Email, Action string
		Fields             []Field
	}
	// SignedOutPage says that it is done.
	SignedOutPage struct{}
	// OnwardPage posts a form by itself, or by its button where there is no script. Back: to ourselves.
	OnwardPage struct {
		Action string
		Fields []Field
		Back   bool
	}
	// TestPage is the result of a test sign-in.
	TestPage struct {
		Connection, Organization, ID string
		OK                           bool
		Checks                       []Check
	}
)

// Place is the way into an application.
type Place struct{ App, URL string }

// Choice is an organization to choose.
type Choice struct {
	ID, Name string
	Last     bool // chosen the last time
}

// Check is one line of a test sign-in.
type Check struct {
	Name, Note, Expected, Actual string
	OK                           bool
}

// Pages are the pages of sign-ins. Safe for use by many goroutines.
type Pages struct{ site *Site }

// NewPages makes the pages of a site.
func NewPages(site *Site) *Pages { return &Pages{site: site} }

// Words is the language in which a page would be written.
func (p *Pages) Words(r *http.Request) *words.Words { return p.site.Words(r) }

// Write answers with a page. target is where a form of the page may lead in the end beside https addresses, an application's
// redirect URI for one; "" for none.
func (p *Pages) Write(w http.ResponseWriter, r *http.Request, status int, page Page, target string) error {
	_, posts := page.(OnwardPage)
	return p.site.Write(w, r, Answer{
		Status: status, Body: member(page, page.title(p.Words(r))), Script: posts, Forms: formTargets(From(r.Context()).Base, target),
	})
}

// shell: a page that posts by itself has the one script that does so, and the result of a test has much to show.
func shell(page Page, title string) ui.PlainProps {
	props := ui.PlainProps{Title: title}
	switch page.(type) {
	case OnwardPage:
		props.Script = assets.Submit
	case TestPage:
		props.Wide = true
	}
	return props
}

// formTargets: browsers check form-action again at every redirect that follows a form, to wherever the identity provider and the app lead,
// so it cannot name them all. What has to be kept out is the clear-text web, where a person's code would be read on the way.
//
// An installation that is itself reached by http is on somebody's desk, and so are its apps. An app of a native kind has a
// scheme of its own (RFC 8252 section 7.1), or listens on the loopback interface.
func formTargets(base, target string) []string {
	targets, desk := []string{"https:"}, strings.HasPrefix(base, "http://")
	if desk {
		targets = append(targets, "http:")
	}
	u, err := url.Parse(target)
	switch {
	case err != nil || u.Scheme == "" || u.Scheme == "https" || u.Scheme == "http" && desk:
		return targets
	case u.Scheme == "http":
		return append(targets, "http://"+u.Host)
	}
	return append(targets, u.Scheme+":")
}

func hostOf(base string) string {
	u, err := url.Parse(base)
	if err != nil {
		return ""
	}
	return u.Host
}

// appName stands in for an application's empty name.
func appName(w *words.Words, name string) string {
	if name == "" {
		return w.T("member.the_app")
	}
	return name
}

// The headings.

func (p SignInPage) title(w *words.Words) string {
	if p.SignUp {
		return w.T("member.sign_up_title", "app", appName(w, p.App))
	}
	return w.T("member.sign_in_title", "app", appName(w, p.App))
}

func (CodePage) title(w *words.Words) string { return w.T("member.code_title") }

func (p LinkPage) title(w *words.Words) string {
	return w.T("member.link_title", "app", appName(w, p.App))
}

func (ChoosePage) title(w *words.Words) string  { return w.T("member.choose_title") }
func (RefusalPage) title(w *words.Words) string { return w.T("member.refusal_title") }
func (AlreadyPage) title(w *words.Words) string { return w.T("member.already_title") }

func (p InvitationPage) title(w *words.Words) string {
	return w.T("member.invitation_title", "name", p.where(w))
}

// where is what a person is invited to.
func (p InvitationPage) where(w *words.Words) string {
	if p.Organization != "" {
		return p.Organization
	}
	return appName(w, p.App)
}

func (p NoInvitationPage) title(w *words.Words) string {
	return w.T("member.no_invitation_" + p.State + "_title")
}

func (JoinedPage) title(w *words.Words) string    { return w.T("member.joined_title") }
func (WrongPage) title(w *words.Words) string     { return w.T("member.wrong_title") }
func (SignOutPage) title(w *words.Words) string   { return w.T("member.sign_out_title") }
func (SignedOutPage) title(w *words.Words) string { return w.T("member.signed_out_title") }

func (p OnwardPage) title(w *words.Words) string {
	if p.Back {
		return w.T("member.bounce_title")
	}
	return w.T("member.onward_title")
}

func (p TestPage) title(w *words.Words) string {
	return w.T("member.test_title", "connection", p.Connection)
}

// SayCheck names a check of a test sign-in. One that has no sentence is shown as it is called.
func SayCheck(w *words.Words, name string) string {
	if key := "member.check_" + name; w.Has(key) {
		return w.T(key)
	}
	return name
}

// SayFixer says who mends what a test found; "" where nobody has to.
func SayFixer(w *words.Words, who string) string {
	if key := "member.fixer_" + who; w.Has(key) {
		return w.T(key)
	}
	return ""
}
