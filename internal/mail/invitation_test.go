package mail_test

import (
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	netmail "net/mail"
	"strings"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/mail"
)

// parts reads a mail as its reader does: the subject, and what is in each part.
func parts(t *testing.T, data string) (subject string, byType map[string]string) {
	t.Helper()
	m, err := netmail.ReadMessage(strings.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	subject, err = new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if err != nil {
		t.Fatal(err)
	}
	kind, how, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		t.Fatalf("%s: %v", kind, err)
	}
	byType = map[string]string{}
	for r := multipart.NewReader(m.Body, how["boundary"]); ; {
		part, err := r.NextRawPart()
		if errors.Is(err, io.EOF) {
			return subject, byType
		}
		if err != nil {
			t.Fatal(err)
		}
		var body io.Reader = part
		if strings.EqualFold(part.Header.Get("Content-Transfer-Encoding"), "quoted-printable") {
			body = quotedprintable.NewReader(part)
		}
		text, err := io.ReadAll(body)
		if err != nil {
			t.Fatal(err)
		}
		kind, _, err := mime.ParseMediaType(part.Header.Get("Content-Type"))
		if err != nil {
			t.Fatal(err)
		}
		byType[kind] = string(text)
	}
}

func TestInvitation_arrives_with_both_parts_and_the_link_in_each(t *testing.T) {
	onEach(t, func(h *house) {
		s := serve(t, options{})
		sender, err := mail.ParseSMTP("smtp://" + s.address)
		h.must(err)
		sender.From = netmail.Address{Name: "Acme", Address: "no-reply@acme.example"}
		o := h.process(sender)
		const link = "https://id.example/invitations/invitation_0123456789abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGH"
		h.put(o, mail.Message{OrganizationID: "org_1", To: "ada@home.example", Content: mail.Invitation{
			Organization: "Söhne & Co", Inviter: "Grace Hopper", Link: link, ExpiresAt: h.time().Add(7 * 24 * time.Hour),
		}})
		if n := h.send(o); n != 1 {
			t.Fatalf("%d sent", n)
		}
		subject, byType := parts(t, s.mails()[0].data)
		if subject != "You are invited to join Söhne & Co on Acme" || len(byType) != 2 {
			t.Errorf("%q with %d parts", subject, len(byType))
		}
		for kind, body := range byType {
			if !strings.Contains(body, link) || !strings.Contains(body, "Grace Hopper has invited you") || !strings.Contains(body, "good for 7 days") {
				t.Errorf("%s: %s", kind, body)
			}
		}
	})
}

func TestInvitation_is_not_sent_after_its_link_has_expired(t *testing.T) {
	onEach(t, func(h *house) {
		k := &keeping{}
		o := h.process(k)
		h.put(o, mail.Message{OrganizationID: "org_1", To: "ada@home.example", Content: mail.Invitation{Link: "https://id.example/x", ExpiresAt: h.time().Add(time.Hour)}})
		h.pass(time.Hour)
		h.send(o)
		if len(k.letters) != 0 {
			t.Error("sent")
		}
		h.wantRow("failed", 1, false, "too late")
	})
}
