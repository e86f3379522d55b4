package itadmin_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/itadmin"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/token"
)

func (h *house) link(id org.ID, intent itadmin.Intent) token.Secret {
	h.Helper()
	_, address, err := h.s.MakeLink(h.Context(), actor(), itadmin.NewLink{OrganizationID: id, Intent: intent, ReturnURL: "https://app.example/back"})
	h.must(err)
	return secretOf(address.Reveal())
}

func TestLink_of_the_app_opens_once_and_within_five_minutes(t *testing.T) {
	onBoth(t, func(h *house) {
		id := h.organization("Acme")
		secret := h.link(id, itadmin.SSO)
		for range 3 { // whoever looks does not open
			d, err := h.s.Look(h.Context(), secret)
			h.must(err)
			if d.Organization != "Acme" || d.Intent != itadmin.SSO || d.Email != "" {
				t.Errorf("the link says %+v", d)
			}
		}
		opened, err := h.s.Open(h.Context(), secret, "")
		h.must(err)
		in, o, ok, err := h.s.SessionFor(h.Context(), opened.Cookie)
		h.must(err)
		if !ok || in.OrganizationID != id || o.Name != "Acme" || in.Intent != itadmin.SSO || in.ReturnURL != "https://app.example/back" || !in.May(itadmin.SSO) || in.May(itadmin.DirectorySync) {
			t.Errorf("the session is %+v, %v", in, ok)
		}
		_, err = h.s.Open(h.Context(), secret, "")
		h.refused(err, "portal_link_invalid")
		_, err = h.s.Look(h.Context(), secret)
		h.refused(err, "portal_link_invalid")

		late := h.link(id, itadmin.Everything)
		h.later(itadmin.LinkLife)
		_, err = h.s.Open(h.Context(), late, "")
		h.refused(err, "portal_link_invalid")
		_, err = h.s.Open(h.Context(), token.NewSecret("portal"), "")
		h.refused(err, "portal_link_invalid")

		h.later(itadmin.SessionLife)
		if _, _, ok, err := h.s.SessionFor(h.Context(), opened.Cookie); ok || err != nil {
			t.Errorf("the session goes on after its end: %v", err)
		}
		h.must(h.s.Clean(h.Context()))
		if got := h.audited(id, itadmin.SessionCreated); len(got) != 1 || got[0].Context.Actor.Source != event.AdminPortal || got[0].Target != in.ID {
			t.Errorf("the audit has %+v", got)
		}
	})
}

func TestLink_that_is_opened_by_many_at_once_lets_one_in(t *testing.T) {
	onBoth(t, func(h *house) {
		secret := h.link(h.organization("Acme"), itadmin.Everything)
		var wait sync.WaitGroup
		var mu sync.Mutex
		in := 0
		for range 8 {
			wait.Go(func() {
				if _, err := h.s.Open(h.Context(), secret, ""); err == nil {
					mu.Lock()
					in++
					mu.Unlock()
				}
			})
		}
		wait.Wait()
		if in != 1 {
			t.Errorf("%d came in", in)
		}
	})
}

func TestSession_ends_when_signed_out_replaced_or_its_organization_is_deleted(t *testing.T) {
	onBoth(t, func(h *house) {
		id := h.organization("Acme")
		living := func(cookie token.Secret) bool {
			_, _, ok, err := h.s.SessionFor(h.Context(), cookie)
			h.must(err)
			return ok
		}
		first, err := h.s.Open(h.Context(), h.link(id, itadmin.Everything), "")
		h.must(err)
		second, err := h.s.Open(h.Context(), h.link(id, itadmin.Everything), first.Cookie)
		h.must(err)
		if living(first.Cookie) || !living(second.Cookie) {
			t.Error("the session that was replaced goes on, or the new one does not")
		}
		h.must(h.s.End(h.Context(), second.Session))
		h.must(h.s.End(h.Context(), second.Session))
		if living(second.Cookie) {
			t.Error("a session goes on after signing out")
		}
		if got := h.audited(id, itadmin.SessionEnded); len(got) != 1 {
			t.Errorf("the audit has %d ends", len(got))
		}
		third, err := h.s.Open(h.Context(), h.link(id, itadmin.Everything), "")
		h.must(err)
		unopened := h.link(id, itadmin.Everything)
		h.must(h.deleteOrganization(id))
		if living(third.Cookie) {
			t.Error("a session outlives its organization")
		}
		_, err = h.s.Open(h.Context(), unopened, "")
		h.refused(err, "portal_link_invalid")
		_, err = h.s.Look(h.Context(), unopened)
		h.refused(err, "portal_link_invalid")
	})
}

func TestMailed_link_opens_with_a_code_that_goes_to_its_contact(t *testing.T) {
	onBoth(t, func(h *house) {
		id := h.organization("Acme")
		c := h.contact(id, "ida@acme.example")
		h.quiet()
		_, err := h.s.MailLink(h.Context(), actor(), id, c.ID)
		h.must(err)
		letters := h.mails()
		if len(letters) != 1 || letters[0].To != "ida@acme.example" || !strings.Contains(letters[0].HTML, "Acme") {
			t.Fatalf("mailed %+v", letters)
		}
		secret := h.linkIn(letters[0])
		h.later(6 * 24 * time.Hour)
		if d, err := h.s.Look(h.Context(), secret); err != nil || d.Email != "i…@acme.example" {
			t.Errorf("the link says %+v, %v", d, err)
		}
		if n := len(h.mails()); n != 0 {
			t.Errorf("looking at a link has sent %d mails", n)
		}
		opened, err := h.s.Open(h.Context(), secret, "")
		h.must(err)
		if _, _, ok, err := h.s.SessionFor(h.Context(), opened.Cookie); ok || err != nil {
			t.Errorf("the session serves before its code: %v", err)
		}
		if email, ok, err := h.s.Waiting(h.Context(), opened.Cookie); email != "i…@acme.example" || !ok || err != nil {
			t.Errorf("nobody waits for the code: %q %v", email, err)
		}
		code := h.codeIn(h.mails()[0])
		_, err = h.s.EnterCode(h.Context(), token.NewSecret("ps"), code)
		h.refused(err, "invalid_one_time_code")
		wrong := token.Secret("000000")
		if code == wrong {
			wrong = "000001"
		}
		_, err = h.s.EnterCode(h.Context(), opened.Cookie, wrong)
		h.refused(err, "invalid_one_time_code")
		in, err := h.s.EnterCode(h.Context(), opened.Cookie, token.Secret(code.Reveal()[:3]+" "+code.Reveal()[3:]))
		h.must(err)
		if in.Cookie == opened.Cookie {
			t.Error("the cookie is the one from before the code")
		}
		found, _, ok, err := h.s.SessionFor(h.Context(), in.Cookie)
		if !ok || err != nil || found.Contact.ID != c.ID || found.Intent != itadmin.Everything || found.Actor().ID != c.ID {
			t.Errorf("the session is %+v, %v", found, err)
		}
		_, err = h.s.EnterCode(h.Context(), opened.Cookie, code)
		h.refused(err, "invalid_one_time_code")
		_, err = h.s.Open(h.Context(), secret, "") // again, on another device
		h.must(err)

		h.must(h.s.RemoveContact(h.Context(), actor(), id, c.ID))
		if _, _, ok, err := h.s.SessionFor(h.Context(), in.Cookie); ok || err != nil {
			t.Errorf("the session outlives its contact: %v", err)
		}
		_, err = h.s.Open(h.Context(), secret, "")
		h.refused(err, "portal_link_invalid")
	})
}

func TestMailed_link_ends_after_seven_days_and_its_code_after_ten_minutes(t *testing.T) {
	onBoth(t, func(h *house) {
		id := h.organization("Acme")
		c := h.contact(id, "ida@acme.example")
		h.quiet()
		_, err := h.s.MailLink(h.Context(), actor(), id, c.ID)
		h.must(err)
		secret := h.linkIn(h.mails()[0])
		opened, err := h.s.Open(h.Context(), secret, "")
		h.must(err)
		code := h.codeIn(h.mails()[0])
		h.later(itadmin.CodeLife)
		_, err = h.s.EnterCode(h.Context(), opened.Cookie, code)
		h.refused(err, "invalid_one_time_code")
		h.later(itadmin.MailedLinkLife)
		_, err = h.s.Open(h.Context(), secret, "")
		h.refused(err, "portal_link_invalid")
	})
}

func TestCodes_cannot_be_guessed(t *testing.T) {
	onBoth(t, func(h *house) {
		id := h.organization("Acme")
		c := h.contact(id, "ida@acme.example")
		h.quiet()
		_, err := h.s.MailLink(h.Context(), actor(), id, c.ID)
		h.must(err)
		secret := h.linkIn(h.mails()[0])
		good := 0
		for range 7 {
			opened, err := h.s.Open(h.Context(), secret, "")
			h.must(err)
			code := h.codeIn(h.mails()[0])
			for i := range 5 {
				guess := token.Secret("00000" + string(rune('0'+i)))
				if guess == code {
					guess = "999999"
				}
				_, err = h.s.EnterCode(h.Context(), opened.Cookie, guess)
				h.refused(err, "invalid_one_time_code")
			}
			if _, err = h.s.EnterCode(h.Context(), opened.Cookie, code); err == nil {
				good++
			}
		}
		if good != 0 {
			t.Errorf("%d codes were good after five guesses", good)
		}
		h.later(30 * time.Minute) // the day's guesses are used up, whatever is mailed
		opened, err := h.s.Open(h.Context(), secret, "")
		h.must(err)
		_, err = h.s.EnterCode(h.Context(), opened.Cookie, h.codeIn(h.mails()[0]))
		h.refused(err, "invalid_one_time_code")
		for range 2 {
			_, err = h.s.Open(h.Context(), secret, "")
			h.must(err)
		}
		_, err = h.s.Open(h.Context(), secret, "")
		h.refused(err, "too_many_codes")
		h.later(25 * time.Hour)
		opened, err = h.s.Open(h.Context(), secret, "")
		h.must(err)
		letters := h.mails()
		_, err = h.s.EnterCode(h.Context(), opened.Cookie, h.codeIn(letters[len(letters)-1]))
		h.must(err)
	})
}

func TestAsking_looks_the_same_for_everybody_and_mails_contacts_alone(t *testing.T) {
	onBoth(t, func(h *house) {
		acme, beta := h.organization("Acme"), h.organization("Beta")
		h.contact(acme, "Ida@Acme.example")
		h.contact(beta, "ida@acme.example")
		h.quiet()
		h.must(h.s.Ask(h.Context(), "nobody@acme.example"))
		h.must(h.s.Ask(h.Context(), " IDA@acme.EXAMPLE "))
		h.refused(h.s.Ask(h.Context(), "not an address"), "invalid_email")
		if n := len(h.mails()); n != 0 {
			t.Errorf("asking has sent %d mails by itself", n)
		}
		h.work()
		letters := h.mails()
		if len(letters) != 2 || !strings.EqualFold(letters[0].To, "ida@acme.example") || !strings.EqualFold(letters[1].To, "ida@acme.example") {
			t.Fatalf("mailed %+v", letters)
		}
		names := map[string]bool{}
		for _, l := range letters {
			d, err := h.s.Look(h.Context(), h.linkIn(l))
			h.must(err)
			names[d.Organization] = true
		}
		if !names["Acme"] || !names["Beta"] {
			t.Errorf("the links lead to %v", names)
		}
		for range 10 {
			h.must(h.s.Ask(h.Context(), "ida@acme.example"))
		}
		h.work()
		if n := len(h.mails()); n != 2*4 { // of five an hour one was used
			t.Errorf("%d mails", n)
		}
		h.later(time.Hour)
		h.must(h.s.Ask(h.Context(), "ida@acme.example"))
		h.work()
		if n := len(h.mails()); n != 2 {
			t.Errorf("%d mails an hour later", n)
		}
		h.later(25 * time.Hour)
		h.must(h.s.Clean(h.Context()))
		var left int
		h.must(h.db.QueryRow(h.Context(), "SELECT COUNT(*) FROM portal_asks").Scan(&left))
		if left != 0 {
			t.Errorf("%d addresses are remembered for ever", left)
		}
	})
}

func TestLink_that_binds_to_nobody_lives_for_a_day_at_most(t *testing.T) {
	onBoth(t, func(h *house) {
		id := h.organization("Acme")
		for _, life := range []time.Duration{-time.Second, 24*time.Hour + time.Second} {
			_, _, err := h.s.MakeLink(h.Context(), actor(), itadmin.NewLink{OrganizationID: id, Life: life})
			h.refused(err, "invalid_life")
		}
		l, address, err := h.s.MakeLink(h.Context(), actor(), itadmin.NewLink{OrganizationID: id, Life: 24 * time.Hour})
		h.must(err)
		if got := l.ExpiresAt.Sub(l.CreatedAt); got != 24*time.Hour {
			t.Errorf("it lives for %s", got)
		}
		h.later(24*time.Hour - time.Minute)
		_, err = h.s.Look(h.Context(), secretOf(address.Reveal()))
		h.must(err)
		h.later(time.Minute)
		_, err = h.s.Look(h.Context(), secretOf(address.Reveal()))
		h.refused(err, "portal_link_invalid")
	})
}
