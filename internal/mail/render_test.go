package mail

import (
	"bytes"
	"flag"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestLetters_are_as_in_the_golden_files(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	p, err := newPress("Acme & Söhne", "")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]Content{
		"magic_auth":             MagicAuth{Code: "123456", Link: "https://id.example/sign-in/link/x?a=1&b=2", ExpiresAt: now.Add(10 * time.Minute)},
		"connection_certificate": ConnectionCertificate{Organization: "Globex <b>", Connection: "Okta\r\nBcc: x", Subject: "CN=okta, O=\"x\"", Fingerprint: "AB:CD", ExpiresAt: now.Add(14 * 24 * time.Hour), Link: "https://id.example/p"},
		"invitation":             Invitation{Organization: "Globex <b>", Inviter: "Ada\r\nLovelace", Link: "https://id.example/invitations/invitation_x?a=1&b=2", ExpiresAt: now.Add(7 * 24 * time.Hour)},
		"portal_link":            PortalLink{Organization: "Globex <b>", Link: "https://id.example/portal/link/portal_x", ExpiresAt: now.Add(7 * 24 * time.Hour)},
		"portal_code":            PortalCode{Organization: "Globex\r\nBcc: x", Code: "123456", ExpiresAt: now.Add(10 * time.Minute)},
		"provider_change": ProviderChange{Organization: "Globex <b>", Link: "https://id.example/portal", LinkLabel: "Ask for a link to the portal", Changes: []Change{
			{What: "The settings of a connection for single sign-on were changed", Name: "Okta <b>\r\nBcc: x", ID: "conn_1", Settings: "certificates, sso_url", Who: "Ada (portal)", At: now},
			{What: "A token for directory sync was made", At: now},
		}},
		"provider_change_brake": ProviderChange{Organization: "Globex <b>", Link: "https://id.example/portal", LinkLabel: "Ask for a link to the portal", Changes: []Change{{
			What: "The brake of a directory holds people who were shut out in a burst", ID: "directory_1", Settings: "6 of 40 active people left; release it or undo it until 22 November 2026, 13:00 UTC", At: now,
		}}},
		"provider_change_switch": ProviderChange{Organization: "Globex", Changes: []Change{
			{What: "The identity provider was switched over", ID: "identity_provider_switch_1", Settings: "can be reverted until 6 December 2026, 12:00 UTC", Who: "Ada (dashboard)", At: now},
			{What: "The switch of the identity provider was reverted", ID: "identity_provider_switch_1", Who: "Ada (API)", At: now},
		}},
		"provider_change_alone": ProviderChange{Organization: "Globex", Changes: []Change{{What: "A token for directory sync was made", ID: "directory_token_1", At: now}}},
		"alert": Alert{
			Organization: "Globex <b>", Title: "Directory sync stands still: the token of Okta is refused", Text: []string{"Nobody is let in or out.", "Make a new one\r\nBcc: x."},
			Facts: [][2]string{{"Directory", "Okta <b>\r\nBcc: x"}}, Link: "https://id.example/portal/tokens/directory_x", LinkLabel: "Make a new token",
		},
		"alert_well_again":      Alert{Title: "The webhook endpoint https://app.example/hook works again", Text: []string{"Deliveries arrive."}, WellAgain: true},
		"invitation_to_the_app": Invitation{Link: "https://id.example/invitations/invitation_x", ExpiresAt: now.Add(24 * time.Hour)},
	} {
		l, err := p.letter(c, now)
		if err != nil {
			t.Fatal(err)
		}
		got := "Subject: " + l.Subject + "\n\n" + l.Text + "\n" + l.HTML
		golden := filepath.Join("testdata", name+".golden")
		if *update {
			if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil || got != string(want) {
			t.Errorf("%s: %v\n%s", name, err, got)
		}
		if strings.ContainsAny(l.Subject, "\r\n") || strings.Contains(l.HTML, "<b>") || strings.Contains(l.Subject, "123456") {
			t.Errorf("%s: subject %q", name, l.Subject)
		}
	}
}

func TestLink_that_is_none_is_not_made_one(t *testing.T) {
	p, err := newPress("Acme", "")
	if err != nil {
		t.Fatal(err)
	}
	l, err := p.letter(MagicAuth{Code: "1", Link: "javascript:alert(1)"}, time.Now())
	if err != nil || strings.Contains(l.HTML, `href="javascript`) {
		t.Errorf("%v\n%s", err, l.HTML)
	}
	l, err = p.letter(MagicAuth{Code: "1"}, time.Now())
	if err != nil || strings.Contains(l.HTML, "<a ") || strings.Contains(l.Text, "link") || !strings.Contains(l.Text, "less than a minute") {
		t.Errorf("%v\n%s", err, l.Text)
	}
}

func TestLog_sink_shows_the_mail(t *testing.T) {
	var out bytes.Buffer
	sink := LogSink{Logger: slog.New(slog.NewTextHandler(&out, nil))}
	if err := sink.Send(t.Context(), Letter{To: "ada@home.example", Subject: "Sign in", Text: "123456"}); err != nil || !strings.Contains(out.String(), "123456") {
		t.Errorf("%v: %s", err, out.String())
	}
}
