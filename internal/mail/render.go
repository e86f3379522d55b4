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
	own  map[Kind]set // an operator's, for some kinds
	each set
}

// set makes the parts of a letter.
type set struct {
	subject *texttemplate.Template // nil: the subject is ours
	text    *texttemplate.Template
	html    *template.Template
}

// kinds lists all kinds there are.
func kinds() []Kind {
	return []Kind{KindMagicAuth, KindConnectionCertificate, KindInvitation, KindPortalLink, KindPortalCode, KindProviderChange, KindAlert}
}

// newPress reads the templates that are part of the program, and an operator's own from a folder, if one is named.
func newPress(app, folder string) (*press, error) {
	text, err := texttemplate.ParseFS(files, "templates/mail.txt")
	if err != nil {
		return nil, fmt.Errorf("mail template: %w", err)
	}
	html, err := template.ParseFS(files, "templates/mail.html")
	if err != nil {
		return nil, fmt.Errorf("mail template: %w", err)
	}
	p := &press{app: app, each: set{text: text, html: html}, own: map[Kind]set{}}
	if folder == "" {
		return p, nil
	}
	return p, p.read(folder)
}

func (p *press) letter(c Content, now time.Time) (l Letter, err error) {
	w := english(p.app, c, now)
	with, own := p.own[c.kind()]
	if !own {
		with = p.each
	}
	return with.letter(c.kind(), w)
}

func (s set) letter(k Kind, w words) (l Letter, err error) {
	var subject, text, html strings.Builder
	subject.WriteString(w.Subject)
	if s.subject != nil {
		subject.Reset()
		if err := s.subject.Execute(&subject, w); err != nil {
			return l, fmt.Errorf("write the subject of a mail: %w", err)
		}
	}
	if err := s.text.Execute(&text, w); err != nil {
		return l, fmt.Errorf("write the text of a mail: %w", err)
	}
	if err := s.html.Execute(&html, w); err != nil {
		return l, fmt.Errorf("write the HTML of a mail: %w", err)
	}
	return Letter{Kind: k, Subject: line(subject.String()), Text: text.String(), HTML: html.String()}, nil
}
