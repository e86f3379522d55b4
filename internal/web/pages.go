package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strings"
)

//go:embed pages
var pageFiles embed.FS

// Page is one of the pages below: what varies in it. Everything in it is text to show and is escaped where it is shown.
type Page interface {
	name() string // of its template
}

// Field is a hidden field of a form.
type Field struct{ Name, Value string }

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

func (SignInPage) name() string       { return "sign_in" }
func (CodePage) name() string         { return "code" }
func (LinkPage) name() string         { return "link" }
func (ChoosePage) name() string       { return "choose" }
func (RefusalPage) name() string      { return "refusal" }
func (AlreadyPage) name() string      { return "already" }
func (InvitationPage) name() string   { return "invitation" }
func (NoInvitationPage) name() string { return "no_invitation" }
func (JoinedPage) name() string       { return "joined" }
func (WrongPage) name() string        { return "wrong" }
func (SignOutPage) name() string      { return "sign_out" }
func (SignedOutPage) name() string    { return "signed_out" }
func (OnwardPage) name() string       { return "onward" }
func (TestPage) name() string         { return "test" }

func everyPage() []Page {
	return []Page{
		SignInPage{}, CodePage{}, LinkPage{}, ChoosePage{}, RefusalPage{}, AlreadyPage{}, InvitationPage{}, NoInvitationPage{}, JoinedPage{}, WrongPage{}, SignOutPage{}, SignedOutPage{}, OnwardPage{}, TestPage{},
	}
}

// Pages are the parsed pages. Safe for use by many goroutines.
type Pages struct {
	byName     map[string]*template.Template
	style      template.CSS
	script     template.JS
	styleHash  string
	scriptHash string
}

// NewPages parses the pages that are part of the program.
func NewPages() (*Pages, error) {
	p := &Pages{byName: map[string]*template.Template{}}
	layout, err := template.New("layout.html").Funcs(template.FuncMap{"say": Say, "app": appName}).ParseFS(pageFiles, "pages/layout.html")
	if err != nil {
		return nil, fmt.Errorf("parse the layout of pages: %w", err)
	}
	for _, page := range everyPage() {
		t, err := layout.Clone()
		if err == nil {
			t, err = t.ParseFS(pageFiles, "pages/"+page.name()+".html")
		}
		if err != nil {
			return nil, fmt.Errorf("parse the page %s: %w", page.name(), err)
		}
		p.byName[page.name()] = t
	}
	style, err := pageFiles.ReadFile("pages/style.css")
	if err != nil {
		return nil, err
	}
	script, err := pageFiles.ReadFile("pages/submit.js")
	if err != nil {
		return nil, err
	}
	p.style, p.styleHash = template.CSS(style), sourceHash(style)    //nolint:gosec // our own file
	p.script, p.scriptHash = template.JS(script), sourceHash(script) //nolint:gosec // our own file
	return p, nil
}

// sourceHash names inline code in a Content-Security-Policy (CSP level 3, section 8.4): stricter than a nonce, because no other text
// can ever run.
func sourceHash(code []byte) string {
	sum := sha256.Sum256(code)
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// Write answers with a page. target is where a form of the page may lead in the end beside https addresses, an application's
// redirect URI for one; "" for none.
func (p *Pages) Write(w http.ResponseWriter, r *http.Request, status int, page Page, target string) error {
	_, posts := page.(OnwardPage)
	_, wide := page.(TestPage)
	data := struct {
		Page   Page
		Style  template.CSS
		Script template.JS
		Host   string
		Wide   bool
	}{Page: page, Style: p.style, Host: hostOf(From(r.Context()).Base), Wide: wide}
	if posts {
		data.Script = p.script
	}
	var out bytes.Buffer
	if err := p.byName[page.name()].Execute(&out, data); err != nil {
		return fmt.Errorf("write the page %s: %w", page.name(), err)
	}
	w.Header().Set("Content-Security-Policy", p.policy(r, posts, target))
	// With no-referrer a browser says that a form comes from "null" (Fetch standard, section 3.2), which is all that it says of it without
	// TLS: our own forms would look like anybody's. No other origin is told anything by this one either.
	w.Header().Set("Referrer-Policy", "same-origin")
	WriteBody(w, status, "text/html; charset=utf-8", out.Bytes())
	return nil
}

// policy: browsers check form-action again at every redirect that follows a form, to wherever the identity provider and the app lead,
// so it cannot name them all. What has to be kept out is the clear-text web, where a person's code would be read on the way.
func (p *Pages) policy(r *http.Request, posts bool, target string) string {
	script := "'none'"
	if posts {
		script = p.scriptHash
	}
	return "default-src 'none'; style-src " + p.styleHash + "; script-src " + script + "; form-action 'self' " + formTargets(From(r.Context()).Base, target) +
		"; frame-ancestors 'none'; base-uri 'none'"
}

// formTargets: an installation that is itself reached by http is on somebody's desk, and so are its apps. An app of a native kind has a
// scheme of its own (RFC 8252 section 7.1), or listens on the loopback interface.
func formTargets(base, target string) string {
	targets, desk := "https:", strings.HasPrefix(base, "http://")
	if desk {
		targets += " http:"
	}
	u, err := url.Parse(target)
	switch {
	case err != nil || u.Scheme == "" || u.Scheme == "https" || u.Scheme == "http" && desk:
		return targets
	case u.Scheme == "http":
		return targets + " http://" + u.Host
	}
	return targets + " " + u.Scheme + ":"
}

func hostOf(base string) string {
	u, err := url.Parse(base)
	if err != nil {
		return ""
	}
	return u.Host
}
