package mail

import (
	"errors"
	"fmt"
	"html/template"
	"os"
	"path/filepath"
	"slices"
	"strings"
	texttemplate "text/template"
	"time"
)

// maxTemplate is the largest template that is read, in bytes.
const maxTemplate = 256 << 10

// CheckTemplates reads an operator's templates from a folder and tries each, as NewOutbox does.
func CheckTemplates(folder string) error {
	_, err := newPress("Rollcall", folder)
	return err
}

// read takes an operator's templates: KIND.txt, KIND.html and KIND.subject.txt in one folder. Text and HTML come together, for a letter has both;
// a file of another name is a mistake that nobody would notice otherwise. Each is tried: a letter that cannot be made is found at the start.
func (p *press) read(folder string) error {
	found, err := os.ReadDir(folder)
	if err != nil {
		return fmt.Errorf("folder of mail templates: %w", err)
	}
	for _, file := range found {
		if err := known(file.Name()); err != nil && !file.IsDir() && !strings.HasPrefix(file.Name(), ".") {
			return err
		}
	}
	for _, k := range kinds() {
		own, there, err := readSet(folder, k)
		if err != nil {
			return err
		}
		if !there {
			continue
		}
		if err := own.try(k); err != nil {
			return err
		}
		p.own[k] = own
	}
	return nil
}

func templateNames(k Kind) (subject, text, html string) {
	return string(k) + ".subject.txt", string(k) + ".txt", string(k) + ".html"
}

func known(name string) error {
	var names []string
	for _, k := range kinds() {
		subject, text, html := templateNames(k)
		names = append(names, subject, text, html)
	}
	if slices.Contains(names, name) {
		return nil
	}
	return fmt.Errorf("mail template %.80q belongs to no mail; the names are %s", name, strings.Join(names, ", "))
}

func readSet(folder string, k Kind) (s set, there bool, err error) {
	subject, text, html := templateNames(k)
	texts := map[string]string{}
	for _, name := range []string{subject, text, html} {
		content, err := readTemplate(filepath.Join(folder, name))
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return s, false, err
		}
		texts[name] = content
	}
	if len(texts) == 0 {
		return s, false, nil
	}
	for _, name := range []string{text, html} {
		if _, given := texts[name]; !given {
			return s, false, fmt.Errorf("mail template %s is missing: a mail has both parts, text and HTML", name)
		}
	}
	if s.text, err = texttemplate.New(text).Option("missingkey=error").Parse(texts[text]); err == nil {
		s.html, err = template.New(html).Option("missingkey=error").Parse(texts[html])
	}
	if content, given := texts[subject]; given && err == nil {
		s.subject, err = texttemplate.New(subject).Option("missingkey=error").Parse(content)
	}
	if err != nil {
		return s, false, fmt.Errorf("mail template: %w", err)
	}
	return s, true, nil
}

func readTemplate(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", fmt.Errorf("mail template: %w", err)
	}
	if info.Size() > maxTemplate || !info.Mode().IsRegular() {
		return "", fmt.Errorf("mail template %s is no file of at most %d bytes", path, maxTemplate)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("mail template: %w", err)
	}
	return string(content), nil
}

// try makes a letter with everything in it, and one with as little as there may be. What the mail is for has to be in both parts.
func (s set) try(k Kind) error {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	const link, code = "https://rollcall.example/try/abc", "482915"
	for _, c := range samples(k, link, code, now) {
		l, err := s.letter(k, english("Rollcall", c, now))
		if err != nil {
			return err
		}
		if strings.TrimSpace(l.Subject) == "" {
			return fmt.Errorf("mail template %s.subject.txt makes an empty subject", k)
		}
		for part, text := range map[string]string{"txt": l.Text, "html": l.HTML} {
			switch {
			case (k == KindMagicAuth || k == KindPortalCode) && !strings.Contains(text, code):
				return fmt.Errorf("mail template %s.%s does not show the code: it needs {{.Code}}", k, part)
			case (k == KindInvitation || k == KindPortalLink) && !strings.Contains(text, link):
				return fmt.Errorf("mail template %s.%s does not show the link: it needs {{.Link}}", k, part)
			}
		}
	}
	return nil
}

func samples(k Kind, link, code string, now time.Time) []Content {
	until := now.Add(time.Hour)
	switch k {
	case KindMagicAuth:
		return []Content{MagicAuth{Code: code, Link: link, ExpiresAt: until}, MagicAuth{Code: code, ExpiresAt: until}}
	case KindConnectionCertificate:
		return []Content{ConnectionCertificate{Organization: "Acme", Connection: "Okta", ExpiresAt: until, Link: link}, ConnectionCertificate{ExpiresAt: until}}
	case KindPortalLink:
		return []Content{PortalLink{Organization: "Acme", Link: link, ExpiresAt: until}}
	case KindPortalCode:
		return []Content{PortalCode{Organization: "Acme", Code: code, ExpiresAt: until}}
	case KindProviderChange:
		return []Content{
			ProviderChange{Organization: "Acme", Link: link, LinkLabel: "See it", Changes: []Change{{What: "A token was made", Name: "Okta", ID: "directory_1", Settings: "name", Who: "Ada", At: now}}},
			ProviderChange{Changes: []Change{{What: "A token was made", At: now}, {What: "A token was revoked", At: now}}},
		}
	case KindAlert:
		return []Content{
			Alert{Organization: "Acme", Title: "Directory sync stands still", Text: []string{"Make a new token."}, Facts: [][2]string{{"Directory", "Okta"}}, Link: link, LinkLabel: "Mend it"},
			Alert{Title: "A webhook works again", WellAgain: true},
		}
	case KindInvitation:
		return []Content{Invitation{Organization: "Acme", Inviter: "Ada", Link: link, ExpiresAt: until}, Invitation{Link: link, ExpiresAt: until}}
	}
	return nil
}
