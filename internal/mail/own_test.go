package mail

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// folder writes templates.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestTemplates_of_an_operator_take_the_place_of_ours_for_their_mail_alone(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	p, err := newPress("Acme", folder(t, map[string]string{
		"invitation.subject.txt": "{{.App}} calls\r\nBcc: eve@evil.example",
		"invitation.txt":         "Come in: {{.Link}}",
		"invitation.html":        `<a href="{{.Link}}">{{.Title}}</a>`,
		".hidden":                "is left alone",
	}))
	if err != nil {
		t.Fatal(err)
	}
	l, err := p.letter(Invitation{Organization: "Globex <b>", Link: "https://id.example/invitations/x", ExpiresAt: now.Add(time.Hour)}, now)
	if err != nil || l.Kind != KindInvitation || l.Subject != "Acme calls Bcc: eve@evil.example" || l.Text != "Come in: https://id.example/invitations/x" ||
		l.HTML != `<a href="https://id.example/invitations/x">You are invited to join Globex &lt;b&gt; on Acme</a>` {
		t.Errorf("%+v: %v", l, err)
	}
	if l, err = p.letter(MagicAuth{Code: "123456", ExpiresAt: now.Add(time.Hour)}, now); err != nil || l.Subject != "Sign in to Acme" || !strings.Contains(l.HTML, "<!doctype html>") {
		t.Errorf("%+v: %v", l, err)
	}
}

func TestTemplates_with_a_mistake_are_found_at_the_start(t *testing.T) {
	html := `<p>{{.Link}}</p>`
	for want, files := range map[string]map[string]string{
		"belongs to no mail":                 {"invite.txt": "x"},
		"invitation.html is missing":         {"invitation.txt": "{{.Link}}"},
		"invitation.txt is missing":          {"invitation.html": html},
		"unclosed action":                    {"invitation.txt": "{{.Link", "invitation.html": html},
		"can't evaluate field Lnk":           {"invitation.txt": "{{.Lnk}}", "invitation.html": html},
		"invitation.txt does not show":       {"invitation.txt": "come in", "invitation.html": html},
		"invitation.html does not show":      {"invitation.txt": "{{.Link}}", "invitation.html": "<p>come in</p>"},
		"magic_auth.txt does not show":       {"magic_auth.txt": "{{.Link}}", "magic_auth.html": "{{.Code}}"},
		"makes an empty subject":             {"invitation.txt": "{{.Link}}", "invitation.html": html, "invitation.subject.txt": " "},
		"is no file of at most 262144 bytes": {"invitation.txt": strings.Repeat("x", maxTemplate+1), "invitation.html": html},
	} {
		if err := CheckTemplates(folder(t, files)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	if err := CheckTemplates(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("a folder that is not there")
	}
	if err := CheckTemplates(t.TempDir()); err != nil {
		t.Error(err)
	}
}
