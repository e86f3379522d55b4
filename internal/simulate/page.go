package simulate

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"net/http"
)

//go:embed page.html
var pageText string

//go:embed style.css
var styleText string

// submitScript only saves a click; the button does the same without it.
const submitScript = "document.forms[0].submit()"

// page is what the templates show.
type page struct {
	Title, Text, App string
	Action           string
	Hidden           [][2]string
	People           []Person
	Selected, Hint   string
	Bad              []choice
	Facts            [][2]string
	Sessions         []sessionRow
	Send             sendForm
}

type sessionRow struct{ ID, Who, App, Action string }

// pages writes pages. Style and script are named in the policy by their hashes, so nothing that gets into a page by mistake runs.
type pages struct {
	templates *template.Template
	policy    string
}

func newPages() (*pages, error) {
	t, err := template.New("pages").Funcs(template.FuncMap{
		"style":  func() template.CSS { return template.CSS(styleText) },  //nolint:gosec // a file of this package
		"script": func() template.JS { return template.JS(submitScript) }, //nolint:gosec // a constant of this package
	}).Parse(pageText)
	if err != nil {
		return nil, err
	}
	// There is no form-action: browsers hold the whole chain of redirects against it, and that ends at an application nobody knows here.
	policy := "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; style-src " + hashSource(styleText) + "; script-src " + hashSource(submitScript)
	return &pages{t, policy}, nil
}

func hashSource(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

func (p *pages) show(w http.ResponseWriter, status int, name string, content page) {
	var b bytes.Buffer
	if err := p.templates.ExecuteTemplate(&b, name, content); err != nil {
		http.Error(w, "This page could not be written.", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", p.policy)
	harden(h)
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // the browser has gone; there is nobody to tell
}

func harden(h http.Header) {
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "strict-origin")
	h.Set("X-Robots-Tag", "noindex")
}

// refuse tells the person at the browser what was wrong; a tester's mistakes are shown here and sent nowhere.
func (p *pages) refuse(w http.ResponseWriter, text string) {
	p.show(w, http.StatusBadRequest, "message", page{Title: "That does not work", Text: text})
}

// choose shows the people and what can be done with them.
func (p *pages) choose(w http.ResponseWriter, title, app, action, hint string, people []Person, bad []choice, hidden [][2]string) {
	c := page{Title: title, App: app, Action: action, People: people, Hidden: hidden, Bad: bad, Selected: "other"}
	if len(people) > 0 {
		c.Selected = people[0].ID
	}
	for _, one := range people {
		if one.Email == hint {
			c.Selected = one.ID
		}
	}
	if hint != "" && !isAmong(hint, people) {
		c.Hint, c.Selected = hint, "other"
	}
	p.show(w, http.StatusOK, "choose", c)
}

func isAmong(email string, people []Person) bool {
	for _, p := range people {
		if p.Email == email {
			return true
		}
	}
	return false
}
