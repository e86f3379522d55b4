package alert_test

import (
	"encoding/pem"
	"strings"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/access"
	"github.com/rollcallhq/rollcall/internal/alert"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/mail"
	"github.com/rollcallhq/rollcall/internal/member"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/saml/samltest"
	"github.com/rollcallhq/rollcall/internal/sso"
	"github.com/rollcallhq/rollcall/internal/webhook"
)

func (h *house) endpoint(url string) string {
	h.Helper()
	e, err := h.webhooks.Create(h.Context(), webhook.New{URL: url, Types: []event.Type{event.UserCreated}})
	h.must(err)
	return string(e.ID)
}

func TestFailing_webhook_is_told_to_the_operator_alone_after_an_hour(t *testing.T) {
	onBoth(t, func(h *house) {
		h.organization("Acme")
		id := h.endpoint("https://app.example/hook?key=secret")
		h.endpoint("https://app.example/good")
		h.wants("nothing is wrong")
		h.exec(`UPDATE webhook_endpoints SET failing_since = $2 WHERE id = $1`, id, h.now().UnixMicro())
		h.wants("it may be a restart")
		h.later(61 * time.Minute)
		h.must(h.s.Look(t.Context()))
		letters := h.mails()
		if len(letters) != 1 || letters[0].To != operator || letters[0].Subject != "Acme Shop: The webhook endpoint https://app.example/hook fails" ||
			!strings.Contains(letters[0].Text, dashboard+"webhooks/"+id) || strings.Contains(letters[0].Text, "secret") {
			t.Fatalf("mailed %+v", letters)
		}
		h.wants("it was told")
		h.exec(`UPDATE webhook_endpoints SET status = 'disabled', disabled_at = $2, disabled_reason = 'failing' WHERE id = $1`, id, h.now().UnixMicro())
		h.wants("one mail a day")
		h.later(24 * time.Hour)
		h.wants("it is worse", operator+": Acme Shop: The webhook endpoint https://app.example/hook was switched off")
		h.exec(`UPDATE webhook_endpoints SET status = 'enabled', disabled_at = NULL, disabled_reason = NULL, failing_since = NULL WHERE id = $1`, id)
		h.wants("it is well", operator+": Acme Shop: The webhook endpoint https://app.example/hook works again")
		h.wants("it was told")
		h.inAudit("", alert.Opened, alert.Opened, alert.Healed)
	})
}

func TestWebhook_that_comes_and_goes_is_mailed_once_a_day(t *testing.T) {
	onBoth(t, func(h *house) {
		id := h.endpoint("https://app.example/hook")
		mails := map[string]int{}
		for range 24 { // two hours down, two hours up, for four days
			h.exec(`UPDATE webhook_endpoints SET failing_since = $2 WHERE id = $1`, id, h.now().UnixMicro())
			for range 2 {
				for _, m := range h.look() {
					mails[m]++
				}
				h.later(time.Hour + time.Second)
			}
			for _, m := range h.look() {
				mails[m]++
			}
			h.exec(`UPDATE webhook_endpoints SET failing_since = NULL WHERE id = $1`, id)
			for _, m := range h.look() {
				mails[m]++
			}
			h.later(2 * time.Hour)
		}
		fails, works := mails[operator+": Acme Shop: The webhook endpoint https://app.example/hook fails"], mails[operator+": Acme Shop: The webhook endpoint https://app.example/hook works again"]
		if fails != works || fails < 3 || fails > 4 {
			t.Errorf("mailed %v", mails)
		}
	})
}

func TestWebhook_that_is_gone_or_was_switched_off_by_hand_is_no_alert(t *testing.T) {
	onBoth(t, func(h *house) {
		off, gone := h.endpoint("https://app.example/off"), h.endpoint("https://app.example/gone")
		for _, id := range []string{off, gone} {
			h.exec(`UPDATE webhook_endpoints SET failing_since = $2 WHERE id = $1`, id, h.now().UnixMicro())
		}
		h.look()
		h.later(2 * time.Hour)
		if got := h.look(); len(got) != 2 {
			t.Fatalf("mailed %q", got)
		}
		h.exec(`UPDATE webhook_endpoints SET status = 'disabled', disabled_at = 1, disabled_reason = 'operator' WHERE id = $1`, off)
		h.exec(`UPDATE webhook_endpoints SET deleted_at = 1 WHERE id = $1`, gone)
		h.wants("the operator knows")
		h.inAudit("", alert.Opened, alert.Opened, alert.Closed, alert.Closed)
		here := h.endpoint("https://app.example/410")
		h.exec(`UPDATE webhook_endpoints SET status = 'disabled', disabled_at = $2, disabled_reason = 'gone' WHERE id = $1`, here, h.now().UnixMicro())
		h.wants("it answered that it is gone", operator+": Acme Shop: The webhook endpoint https://app.example/410 was switched off")
	})
}

const (
	againAndAgain = "What The entra-id sends is refused again and again"
	acceptedAgain = "What The entra-id sends is accepted again"
)

func TestWhat_a_provider_repeats_and_is_refused_is_mailed_until_it_is_accepted(t *testing.T) {
	onBoth(t, func(h *house) {
		id := h.organization("Acme")
		h.organization("Beta")
		d := h.directory(id, "entra-id")
		last := ""
		for i := range 3 {
			if i == 2 {
				h.wants("twice is not again and again")
			}
			h.came(d, request{method: "POST", path: "/Users", body: `{"userName":"ada@acme.example","active":true}`})
			last = h.came(d, request{method: "POST", path: "/Users?x=1", body: `{"schemas":[],"userName" : "bob@acme.example"}`, status: 400, reason: "The value of emails is no address."})
			h.later(40 * time.Minute)
		}
		h.wants("it is noticed")
		h.isOpen(id, alert.RefusedRequests)
		h.later(11 * time.Minute)
		h.must(h.s.Look(t.Context()))
		letters := h.mails()
		if len(letters) != 2 || letters[0].To != "it@acme.example" || letters[0].Subject != "Acme: "+againAndAgain {
			t.Fatalf("mailed %+v", letters)
		}
		for _, want := range []string{"The value of emails is no address.", "POST /Users", "400", portalBase + "/portal/home"} {
			if !strings.Contains(letters[0].Text, want) {
				t.Errorf("%q is not in\n%s", want, letters[0].Text)
			}
		}
		if !strings.Contains(letters[1].Text, dashboard+"directories/"+string(d.ID)+"/exchanges/"+last) {
			t.Errorf("the operator is told\n%s", letters[1].Text)
		}
		var kept string
		h.must(h.db.QueryRow(t.Context(), `SELECT facts FROM alerts`).Scan(&kept))
		if strings.Contains(kept, "bob") || strings.Contains(kept, "address") {
			t.Errorf("of persons is stored: %s", kept)
		}
		h.later(30 * time.Hour)
		h.came(d, request{method: "POST", path: "/Users", body: `{"userName":"eve@acme.example"}`})
		h.restart()
		h.wants("another person is not this one")
		h.isOpen(id, alert.RefusedRequests)
		h.came(d, request{method: "POST", path: "/Users", body: `{"userName":"bob@acme.example"}`, status: 201})
		h.later(time.Minute)
		h.wants("it is accepted", "it@acme.example: Acme: "+acceptedAgain, operator+": Acme: "+acceptedAgain)
		h.inAudit(id, alert.Opened, alert.Healed)
	})
}

func TestWhat_is_refused_now_and_then_is_no_alert(t *testing.T) {
	onBoth(t, func(h *house) {
		id := h.organization("Acme")
		d := h.directory(id, "okta")
		for i := range 5 {
			h.came(d, request{method: "GET", status: 404})                          // a read
			h.came(d, request{method: "DELETE", status: 404})                       // what is gone is gone
			h.came(d, request{status: 429})                                         // too fast
			h.came(d, request{status: 503})                                         // our fault
			h.came(d, request{method: "POST", path: "/Users/.search", status: 400}) // a read
			h.came(d, request{path: "/Users/" + string(rune('a'+i)), status: 400})  // each another
			h.came(d, request{method: "POST", path: "/Users", status: 409, body: `{"userName":"` + string(rune('a'+i)) + `"}`})
			h.came(d, request{path: "/Groups/1", status: 400})
			h.came(d, request{path: "/Groups/1"}) // accepted after each refusal
			h.later(time.Minute)
		}
		h.wants("now and then")
		h.isOpen(id)
		for range 3 {
			h.came(d, request{path: "/Users/z", status: 400})
			h.later(13 * time.Hour)
		}
		h.wants("twice a day is not three times")
		h.isOpen(id)
	})
}

func TestRefusals_that_stopped_are_well_after_three_days_if_the_provider_still_comes(t *testing.T) {
	onBoth(t, func(h *house) {
		id := h.organization("Acme")
		d := h.directory(id, "okta")
		for range 3 {
			h.came(d, request{path: "/Users/z", status: 400})
			h.later(time.Minute)
		}
		h.look()
		h.later(11 * time.Minute)
		if got := h.look(); len(got) != 2 {
			t.Fatalf("mailed %q", got)
		}
		h.later(25 * time.Hour)
		h.came(d, request{path: "/Users/y"})
		h.later(time.Minute)
		h.wants("a day is too little")
		h.later(3 * 24 * time.Hour)
		if got := h.look(); len(got) != 2 || !strings.Contains(got[0], "accepted again") {
			t.Errorf("mailed %q", got)
		}
	})
}

const cameAgain = "Requests come from The entra-id again"

func TestProvider_in_rounds_that_falls_silent_is_mailed_and_so_is_its_return(t *testing.T) {
	onBoth(t, func(h *house) {
		id := h.organization("Acme")
		d, push := h.directory(id, "entra-id"), h.directory(id, "okta")
		h.came(push, request{})
		for range 8 * 36 { // eight days
			h.came(d, request{agent: "x"})
			h.must(h.s.Look(t.Context()))
			h.later(40 * time.Minute)
		}
		h.later(2 * time.Hour)
		h.wants("three rounds")
		h.isOpen(id)
		h.later(90 * time.Minute)
		h.wants("six rounds are noticed")
		h.isOpen(id, alert.MissedCycles)
		h.later(91 * time.Minute)
		h.restart()
		got := h.look()
		if len(got) != 2 || !strings.HasPrefix(got[0], "it@acme.example: Acme: Nothing has come from The entra-id since ") {
			t.Fatalf("mailed %q", got)
		}
		h.later(24 * time.Hour)
		h.wants("it was told")
		h.came(d, request{agent: "x"})
		h.wants("it came", "it@acme.example: Acme: "+cameAgain, operator+": Acme: "+cameAgain)
		h.later(4*time.Hour + time.Minute) // a pause that was alerted of has not become usual
		h.wants("silent again")
		h.isOpen(id, alert.MissedCycles)
		h.inAudit(id, alert.Opened, alert.Healed)
	})
}

func TestProvider_that_pauses_at_weekends_is_not_called_silent(t *testing.T) {
	onBoth(t, func(h *house) {
		id := h.organization("Acme")
		d := h.directory(id, "entra-id")
		for range 3 {
			for range 5 * 4 { // it comes when something has changed, on workdays
				h.came(d, request{})
				h.must(h.s.Look(t.Context()))
				h.later(6 * time.Hour)
			}
			h.later(36 * time.Hour)
			h.wants("a weekend")
			h.isOpen(id)
		}
		h.later(30 * time.Hour)
		h.wants("twice the longest pause")
		h.later(40 * time.Hour)
		h.look()
		h.isOpen(id, alert.MissedCycles)
	})
}

func TestNewcomer_may_be_silent_over_a_weekend(t *testing.T) {
	onBoth(t, func(h *house) {
		id := h.organization("Acme")
		d := h.directory(id, "entra-id")
		h.came(d, request{})
		h.look()
		h.later(71 * time.Hour)
		h.wants("a weekend")
		h.isOpen(id)
		h.later(2 * time.Hour)
		h.look()
		h.isOpen(id, alert.MissedCycles)
		h.exec(`UPDATE directories SET provider = 'okta' WHERE id = $1`, string(d.ID))
		h.look()
		h.isOpen(id)
		var left int
		h.must(h.db.QueryRow(t.Context(), `SELECT COUNT(*) FROM alert_rhythms`).Scan(&left))
		if left != 0 {
			t.Errorf("%d rhythms are left of a provider that has none", left)
		}
	})
}

func TestRetired_directory_may_fall_silent(t *testing.T) {
	onBoth(t, func(h *house) {
		id := h.organization("Acme")
		d := h.directory(id, "entra-id")
		h.came(d, request{})
		h.look()
		h.exec(`UPDATE directories SET switching = 'retired' WHERE id = $1`, string(d.ID))
		h.later(30 * 24 * time.Hour)
		h.wants("retired")
		h.isOpen(id)
	})
}

func TestCertificate_that_ends_is_open_until_it_is_renewed_and_mailed_by_its_events_alone(t *testing.T) {
	onBoth(t, func(h *house) {
		id := h.organization("Acme")
		idp := samltest.New("https://idp.example/metadata")
		name, at, cert := "Okta", "https://idp.example/sso", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: idp.Certificate.Raw}))
		c, err := h.conns.Create(t.Context(), actor(), sso.New{OrganizationID: string(id), Type: "GenericSAML", Settings: sso.Change{Name: &name, IDPEntityID: &idp.EntityID, SSOURL: &at, Certificates: &[]string{cert}}})
		h.must(err)
		h.wants("years to go")
		h.exec(`UPDATE connection_certificates SET not_after = $2 WHERE connection_id = $1`, string(c.ID), h.now().Add(20*24*time.Hour).UnixMicro())
		h.wants("its events tell")
		h.isOpen(id, alert.CertificateEnding)
		h.must(h.conns.WatchCertificates(t.Context()))
		h.later(5 * time.Second)
		_, err = h.admins.TellOfChanges(t.Context())
		h.must(err)
		n := 0
		for _, l := range h.mails() {
			if l.Kind == mail.KindConnectionCertificate {
				n++
			}
		}
		if n != 2 {
			t.Errorf("%d mails about the certificate", n)
		}
		h.later(21 * 24 * time.Hour)
		h.wants("it has ended")
		if found, err := h.s.OpenOf(t.Context(), id, 10); err != nil || len(found) != 1 || found[0].Stage != alert.Worse {
			t.Errorf("open are %+v, %v", found, err)
		}
		h.exec(`UPDATE connection_certificates SET not_after = $2 WHERE connection_id = $1`, string(c.ID), h.now().Add(400*24*time.Hour).UnixMicro())
		h.wants("renewed")
		h.isOpen(id)
		h.inAudit(id)
	})
}

func TestClient_secret_that_ends_is_mailed_as_it_comes_nearer_and_when_it_is_renewed(t *testing.T) {
	onBoth(t, func(h *house) {
		id := h.organization("Acme")
		name, client, secret, ends := "Entra", "app", "s3cret", h.now().Add(60*24*time.Hour)
		c, err := h.conns.Create(t.Context(), actor(), sso.New{
			OrganizationID: string(id), Type: "GenericOIDC", Settings: sso.Change{Name: &name, ClientID: &client, ClientSecret: &secret, ClientSecretExpiresAt: &ends},
		})
		h.must(err)
		h.exec(`UPDATE connections SET state = 'active' WHERE id = $1`, string(c.ID))
		h.wants("two months to go")
		h.later(31 * 24 * time.Hour)
		day := ends.UTC().Format("2 January 2006")
		h.must(h.s.Look(t.Context()))
		letters := h.mails()
		if len(letters) != 2 || letters[0].To != "it@acme.example" || letters[0].Subject != "Acme: The client secret of Entra ends on "+day ||
			!strings.Contains(letters[0].Text, portalBase+"/portal/secrets/"+string(c.ID)) || !strings.Contains(letters[1].Text, dashboard+"connections/"+string(c.ID)) {
			t.Fatalf("mailed %+v", letters)
		}
		h.later(10 * 24 * time.Hour)
		h.wants("it was told")
		h.later(13 * 24 * time.Hour)
		h.wants("a week to go", "it@acme.example: Acme: The client secret of Entra ends on "+day, operator+": Acme: The client secret of Entra ends on "+day)
		h.later(7 * 24 * time.Hour)
		h.wants("it has ended", "it@acme.example: Acme: The client secret of Entra has ended", operator+": Acme: The client secret of Entra has ended")
		fresh := "n3w"
		_, err = h.conns.Update(t.Context(), actor(), c.ID, sso.Change{ClientSecret: &fresh})
		h.must(err)
		h.wants("it was renewed", "it@acme.example: Acme: The client secret of Entra was renewed", operator+": Acme: The client secret of Entra was renewed")
		h.isOpen(id)
		h.inAudit(id, alert.Opened, alert.Opened, alert.Opened, alert.Healed)
	})
}

// hires makes somebody a member with a licence, as far as there is a seat.
func (h *house) hires(id org.ID, email, licence string) member.Member {
	h.Helper()
	u, err := h.members.CreateUser(h.Context(), actor(), member.NewUser{Email: email})
	h.must(err)
	m, err := h.members.CreateMembership(h.Context(), actor(), member.NewMembership{OrganizationID: string(id), UserID: u.ID, Licence: licence})
	h.must(err)
	return m
}

func TestLicence_whose_seats_are_taken_is_told_to_the_operator_while_people_wait(t *testing.T) {
	onBoth(t, func(h *house) {
		id, other := h.organization("Acme"), h.organization("Beta")
		seats := int64(1)
		for _, one := range []org.ID{id, other} {
			_, err := h.members.Access().CreateLicenceType(t.Context(), actor(), access.NewLicenceType{OrganizationID: string(one), Slug: "pro", Name: "Pro", Seats: &seats})
			h.must(err)
		}
		h.hires(other, "bea@beta.example", "pro")
		h.hires(id, "ada@acme.example", "pro")
		h.wants("they are taken, and nobody waits")
		since := h.now()
		if m := h.hires(id, "ben@acme.example", "pro"); m.Membership.Licence != "" || m.Membership.WantedLicence != "pro" {
			t.Fatalf("he has %q and waits for %q", m.Membership.Licence, m.Membership.WantedLicence)
		}
		h.hires(id, "cleo@acme.example", "pro")
		h.wants("somebody may go in a moment")
		h.isOpen(id, alert.LicenceFull)
		h.isOpen(other)
		h.later(11 * time.Minute)
		h.must(h.s.Look(t.Context()))
		letters := h.mails()
		if len(letters) != 1 || letters[0].To != operator || letters[0].Subject != "Acme: All seats of the licence Pro are taken" {
			t.Fatalf("mailed %+v", letters)
		}
		for _, want := range []string{
			"without the licence that they are to have", "Seats: 1", "People who wait: 2", since.UTC().Format("2 January 2006, 15:04 UTC"), dashboard + "organizations/" + string(id) + "/licences/pro",
		} {
			if !strings.Contains(letters[0].Text, want) {
				t.Errorf("the mail does not say %q: %s", want, letters[0].Text)
			}
		}
		h.wants("it was told")

		h.later(25 * time.Hour)
		refuse := access.Refuse
		_, err := h.members.Access().UpdateLicenceType(t.Context(), actor(), string(id), "pro", access.LicenceTypeChanges{OverLimit: &refuse})
		h.must(err)
		h.wants("it keeps people out from now on", operator+": Acme: All seats of the licence Pro are taken")
		three := int64(3)
		more := &three
		_, err = h.members.Access().UpdateLicenceType(t.Context(), actor(), string(id), "pro", access.LicenceTypeChanges{Seats: &more})
		h.must(err)
		h.must(h.members.GiveSeats(t.Context()))
		h.wants("there are seats for all", operator+": Acme: Nobody waits for the licence Pro any more")
		h.isOpen(id)
		h.inAudit(id, alert.Opened, alert.Opened, alert.Healed)
	})
}

func TestLicence_that_is_deleted_closes_its_alert_without_a_word(t *testing.T) {
	onBoth(t, func(h *house) {
		id := h.organization("Acme")
		none := int64(0)
		_, err := h.members.Access().CreateLicenceType(t.Context(), actor(), access.NewLicenceType{OrganizationID: string(id), Slug: "pro", Name: "Pro", Seats: &none})
		h.must(err)
		h.hires(id, "ada@acme.example", "pro")
		h.look()
		h.later(11 * time.Minute)
		h.wants("she waits", operator+": Acme: All seats of the licence Pro are taken")
		h.exec(`DELETE FROM licence_types WHERE organization_id = $1`, string(id))
		h.wants("it is gone")
		h.isOpen(id)
		h.inAudit(id, alert.Opened, alert.Closed)
	})
}

func TestAlerts_that_were_closed_long_ago_are_deleted(t *testing.T) {
	onBoth(t, func(h *house) {
		id := h.endpoint("https://app.example/hook")
		h.exec(`UPDATE webhook_endpoints SET failing_since = 1 WHERE id = $1`, id)
		h.look()
		h.exec(`UPDATE webhook_endpoints SET failing_since = NULL WHERE id = $1`, id)
		h.look()
		rows := func() (n int) {
			h.must(h.db.QueryRow(t.Context(), `SELECT COUNT(*) FROM alerts`).Scan(&n))
			return n
		}
		h.later(89 * 24 * time.Hour)
		h.must(h.s.Clean(t.Context()))
		if rows() != 1 {
			t.Error("it is gone too early")
		}
		h.later(2 * 24 * time.Hour)
		h.must(h.s.Clean(t.Context()))
		if rows() != 0 {
			t.Error("it is kept for ever")
		}
	})
}
