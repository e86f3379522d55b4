package app

import (
	"strings"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/mail"
)

func TestStart_says_how_mail_leaves(t *testing.T) {
	for want, change := range map[string]func(*Config){
		"level=WARN msg=\"no mail is sent, so nobody can sign in by a mailed code and invitations reach nobody (give their links away yourself): name a mail server with --smtp-url": func(*Config) {},
		"level=WARN msg=\"mail is not sent but written to this log": func(c *Config) { c.MailToLog = true },
		"level=INFO msg=\"mail is sent\" server=mail.example.com port=587": func(c *Config) {
			c.Mail, c.MailToLog = &mail.SMTP{Host: "mail.example.com", Port: 587, User: "rollcall", Password: "secret"}, true
		},
	} {
		c := testConfig(t)
		c.Accounts = AccountsRollcall
		change(&c)
		var log diary
		a, err := New(t.Context(), c, "test", log.logger())
		if err != nil {
			t.Fatal(err)
		}
		if err := a.Close(); err != nil {
			t.Error(err)
		}
		if got := log.String(); !strings.Contains(got, want) || strings.Contains(got, "secret") || strings.Count(got, "mail") > 10 {
			t.Errorf("want %s in\n%s", want, got)
		}
	}
}

func TestErasure_reaches_the_outbox(t *testing.T) {
	a := build(t, testConfig(t))
	defer func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	}()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	const organization = "org_01ARZ3NDEKTSV4RRFFQ69G5FAV"
	must(a.db.Tx(t.Context(), func(tx db.Tx) error {
		if err := a.signIn.mails.PutTx(t.Context(), tx, mail.Message{OrganizationID: organization, To: "ada@acme.example", Content: mail.MagicAuth{Code: "123456", ExpiresAt: time.Now().Add(time.Minute)}}); err != nil {
			return err
		}
		return a.events.ForgetTx(t.Context(), tx, organization, "", time.Now())
	}))
	n, err := a.events.Erase(t.Context(), time.Now().Add(time.Hour))
	must(err)
	var left int64
	must(a.db.QueryRow(t.Context(), `SELECT COUNT(*) FROM mails WHERE recipient IS NOT NULL OR content IS NOT NULL`).Scan(&left))
	if n != 1 || left != 0 {
		t.Errorf("%d erased, %d mails left", n, left)
	}
}
