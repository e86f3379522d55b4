package mail_test

import (
	"context"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net"
	netmail "net/mail"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/rollcallhq/rollcall/internal/mail"
)

func letter(to string) mail.Letter {
	return mail.Letter{ID: "mail_1", To: to, Kind: mail.KindMagicAuth, Subject: "Sign in to Acme", Text: "Code 123456\n", HTML: "<p>Code 123456</p>"}
}

func to(t *testing.T, s *server, url string) mail.SMTP {
	t.Helper()
	out, err := mail.ParseSMTP(url)
	if err != nil {
		t.Fatal(err)
	}
	out.From, out.RootCAs = netmail.Address{Name: "Acme", Address: "no-reply@acme.example"}, s.roots
	return out.At(s.address)
}

func TestMail_is_sent_over_TLS_with_both_forms_of_its_text(t *testing.T) {
	for name, c := range map[string]struct {
		o   options
		url string
	}{
		"STARTTLS": {options{tls: true, auth: true}, "smtp://rollcall:let%20me%20in@mail.example:587"},
		"implicit": {options{implicit: true, auth: true}, "smtps://rollcall:let%20me%20in@mail.example"},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, c.o)
			if err := to(t, s, c.url).Send(t.Context(), letter("ada@home.example")); err != nil {
				t.Fatal(err)
			}
			got := s.mails()
			if len(got) != 1 || s.secured != 1 || len(s.users) != 1 || got[0].from != "no-reply@acme.example" || got[0].to != "ada@home.example" {
				t.Fatalf("%+v, %d over TLS, users %v", got, s.secured, s.users)
			}
			checkLetter(t, got[0].data)
		})
	}
}

func checkLetter(t *testing.T, data string) {
	t.Helper()
	m, err := netmail.ReadMessage(strings.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"From": `"Acme" <no-reply@acme.example>`, "To": "<ada@home.example>", "Subject": "Sign in to Acme", "Message-Id": "<mail_1@acme.example>",
		"Auto-Submitted": "auto-generated",
	} {
		if got := m.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		t.Fatalf("%s: %v", kind, err)
	}
	parts := multipart.NewReader(m.Body, params["boundary"])
	for _, want := range []struct{ kind, text string }{{"text/plain", "Code 123456"}, {"text/html", "<p>Code 123456</p>"}} {
		p, err := parts.NextPart()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(p)
		if err != nil || !strings.HasPrefix(p.Header.Get("Content-Type"), want.kind) || strings.TrimSpace(string(text)) != want.text {
			t.Errorf("%s %q: %v", p.Header.Get("Content-Type"), text, err)
		}
	}
}

func TestServer_without_TLS_is_refused_except_on_this_machine_or_where_that_is_allowed(t *testing.T) {
	for url, sent := range map[string]bool{
		"smtp://mail.example":                                             false,
		"smtp://rollcall:let%20me%20in@mail.example":                      false,
		"smtp://mail.example?allow-plaintext=true":                        true,
		"smtp://rollcall:let%20me%20in@mail.example?allow-plaintext=true": true,
		"smtp://127.0.0.1":                                                true,
		"smtp://rollcall:let%20me%20in@localhost":                         true,
		"smtps://mail.example":                                            false,
	} {
		s := serve(t, options{auth: strings.Contains(url, "@")})
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		err := to(t, s, url).Send(ctx, letter("ada@home.example"))
		cancel()
		if (err == nil) != sent || (len(s.mails()) == 1) != sent || len(s.users) > 0 && !sent {
			t.Errorf("%s: %v, %d mails, users %v", url, err, len(s.mails()), s.users)
		}
		if forGood := (*mail.PermanentError)(nil); errors.As(err, &forGood) {
			t.Errorf("%s: given up for good: %v", url, err)
		}
	}
}

func TestCertificate_of_another_name_or_of_nobody_known_is_refused(t *testing.T) {
	s := serve(t, options{tls: true})
	sender := to(t, s, "smtp://mail.example")
	sender.RootCAs = nil
	if err := sender.Send(t.Context(), letter("ada@home.example")); err == nil {
		t.Error("an unknown certificate was taken")
	}
	if err := to(t, s, "smtp://other.example").Send(t.Context(), letter("ada@home.example")); err == nil {
		t.Error("a certificate of another name was taken")
	}
	if got := s.mails(); len(got) != 0 {
		t.Errorf("%d mails", len(got))
	}
}

func TestRefusals_are_for_good_or_not_as_the_server_says(t *testing.T) {
	for code, forGood := range map[int]bool{421: false, 450: false, 451: false, 550: true, 553: true} {
		s := serve(t, options{})
		s.refuse = func(string, int) error {
			return &smtp.SMTPError{Code: code, EnhancedCode: smtp.EnhancedCode{code / 100, 1, 1}, Message: "no"}
		}
		err := to(t, s, "smtp://127.0.0.1").Send(t.Context(), letter("ada@home.example"))
		permanent := (*mail.PermanentError)(nil)
		if err == nil || errors.As(err, &permanent) != forGood {
			t.Errorf("%d: %v", code, err)
		}
	}
	s := serve(t, options{tls: true, auth: true})
	permanent := (*mail.PermanentError)(nil)
	if err := to(t, s, "smtp://rollcall:wrong@mail.example").Send(t.Context(), letter("ada@home.example")); err == nil || errors.As(err, &permanent) {
		t.Errorf("a wrong password: %v", err)
	} else if strings.Contains(err.Error(), "wrong@") {
		t.Errorf("the error says the password: %v", err)
	}
}

func TestServer_that_hangs_up_after_taking_a_mail_is_not_given_it_again(t *testing.T) {
	s := serve(t, options{})
	s.dropped = 1
	if err := to(t, s, "smtp://127.0.0.1").Send(t.Context(), letter("ada@home.example")); err != nil {
		t.Error(err)
	}
	if got := s.mails(); len(got) != 1 {
		t.Errorf("%d mails", len(got))
	}
}

func TestServer_that_says_nothing_is_left_in_time(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	start := time.Now()
	for _, url := range []string{"smtp://127.0.0.1", "smtps://127.0.0.1"} {
		if err := to(t, &server{address: listener.Addr().String()}, url).Send(ctx, letter("ada@home.example")); err == nil {
			t.Error("sent to nobody")
		}
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("took %s", took)
	}
}

func TestNeither_address_nor_name_adds_a_line_to_the_header(t *testing.T) {
	s := serve(t, options{})
	sender := to(t, s, "smtp://127.0.0.1")
	for _, address := range []string{
		"ada@home.example\r\nBcc: eve@evil.example", "ada@home.example, eve@evil.example", "Ada <ada@home.example>", "ada@home.example>\r\nDATA", "", "ada",
		"ada@home.example\n", "ada@home.example (x)", "\"a\r\nb\"@home.example",
	} {
		permanent := (*mail.PermanentError)(nil)
		if err := sender.Send(t.Context(), letter(address)); !errors.As(err, &permanent) {
			t.Errorf("%q: %v", address, err)
		}
	}
	if got := s.mails(); len(got) != 0 {
		t.Fatalf("%d mails", len(got))
	}
	l := letter("ada@home.example")
	l.Subject = "Hello\r\nBcc: eve@evil.example"
	if err := sender.Send(t.Context(), l); err != nil {
		t.Fatal(err)
	}
	m, err := netmail.ReadMessage(strings.NewReader(s.mails()[0].data))
	if err != nil || m.Header.Get("Bcc") != "" || m.Header.Get("Subject") != "Hello Bcc: eve@evil.example" {
		t.Errorf("%+v: %v", m.Header, err)
	}
	for _, from := range []string{"Acme\r\nBcc: x@y.example <a@b.example>", "a@b.example, c@d.example", "nobody", ""} {
		if got, err := mail.ParseFrom(from); err == nil {
			t.Errorf("%q: %+v", from, got)
		}
	}
}

func TestAddresses_of_servers_are_read_without_repeating_the_password(t *testing.T) {
	for text, want := range map[string]mail.SMTP{
		"smtp://mail.example":                      {Host: "mail.example", Port: 587},
		"smtp://a:b%40c@mail.example:2525":         {Host: "mail.example", Port: 2525, User: "a", Password: "b@c"},
		"smtps://mail.example":                     {Host: "mail.example", Port: 465, Implicit: true},
		"smtp://mail.example?allow-plaintext=true": {Host: "mail.example", Port: 587, Plaintext: true},
	} {
		if got, err := mail.ParseSMTP(text); err != nil || got != want {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{
		"mail.example:587", "http://mail.example", "smtp://", "smtp://a:secret@mail.example:0", "smtp://a:secret@mail.example:99999", "smtp://secret@mail.example",
		"smtp://a:secret@mail.example?tls=off", "smtp://a:secret@mail.example?allow-plaintext=false", "smtps://a:secret@mail.example?allow-plaintext=true",
		"smtp://a:secret@mail.example/path", "smtp://a:se cret@mail.example:x",
	} {
		if _, err := mail.ParseSMTP(text); err == nil || strings.Contains(err.Error(), "cret") {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestErrors_are_kept_without_addresses(t *testing.T) {
	got := mail.Told(errors.New("550 <ada@home.example>: no such\r\nuser (ada@home.example), ask \"postmaster@home.example\"; " + strings.Repeat("x", 400)))
	if strings.Contains(got, "home.example") || strings.ContainsAny(got, "\r\n") || len([]rune(got)) > 301 || !strings.HasPrefix(got, "550 <…>: no such user") {
		t.Errorf("%q", got)
	}
}

func TestServer_that_is_not_there_is_no_refusal_for_good(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	for _, url := range []string{"smtp://127.0.0.1", "smtps://127.0.0.1"} {
		permanent := (*mail.PermanentError)(nil)
		if err := to(t, &server{address: address}, url).Send(t.Context(), letter("ada@home.example")); err == nil || errors.As(err, &permanent) {
			t.Errorf("%s: %v", url, err)
		}
	}
}
