package mail

import (
	"embed"
	"fmt"
	"html/template"
	"strings"
	texttemplate "text/template"
	"time"
)

//go:embed templates/mail.txt templates/mail.html
var files embed.FS

// Letter is a mail ready to be sent.
type Letter struct {
	ID      string `json:"-"` // the mail's; the same at each attempt
	To      string `json:"-"`
	Kind    Kind   `json:"-"`
	Subject string `json:"subject"`
	Text    string `json:"text"`
	HTML    string `json:"html"`
}

// press makes letters.
type press struct {
	app  string
	text *texttemplate.Template
	html *template.Template
}

func newPress(app string) (*press, error) {
	text, err := texttemplate.ParseFS(files, "templates/mail.txt")
	if err != nil {
		return nil, fmt.Errorf("mail template: %w", err)
	}
	html, err := template.ParseFS(files, "templates/mail.html")
	if err != nil {
		return nil, fmt.Errorf("mail template: %w", err)
	}
	return &press{app: app, text: text, html: html}, nil
}

func (p *press) letter(c Content, now time.Time) (l Letter, err error) {
	w := english(p.app, c, now)
	var text, html strings.Builder
	if err := p.text.Execute(&text, w); err != nil {
		return l, fmt.Errorf("write the text of a mail: %w", err)
	}
	if err := p.html.Execute(&html, w); err != nil {
		return l, fmt.Errorf("write the HTML of a mail: %w", err)
	}
	return Letter{Kind: c.kind(), Subject: w.Subject, Text: text.String(), HTML: html.String()}, nil
}
