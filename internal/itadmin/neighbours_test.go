package itadmin_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/itadmin"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/token"
)

// rows are all that is stored of the portal, a line for each, by a key that stays.
func (h *house) rows() map[string]string {
	h.Helper()
	out := map[string]string{}
	for _, text := range []string{
		`SELECT id, organization_id || ' ' || email_key || ' ' || COALESCE(name, '') FROM it_contacts`,
		`SELECT id, organization_id || ' ' || COALESCE(contact_id, '') || ' ' || CAST(COALESCE(used_at, 0) AS TEXT) FROM portal_links`,
		`SELECT id, organization_id || ' ' || hash || ' ' || CASE WHEN code IS NULL THEN 'no code' ELSE 'code' END || ' ' || CAST(tries AS TEXT) || ' ' ||
			CAST(COALESCE(verified_at, 0) AS TEXT) || ' ' || CAST(expires_at AS TEXT) || ' ' || CAST(COALESCE(ended_at, 0) AS TEXT) FROM portal_sessions`,
		`SELECT id, email_key || ' ' || CAST(COALESCE(done_at, 0) AS TEXT) FROM portal_asks`,
	} {
		found, err := h.db.Query(h.Context(), text)
		h.must(err)
		for found.Next() {
			var id, rest string
			h.must(found.Scan(&id, &rest))
			out[id] = rest
		}
		found.Close()
		h.must(found.Err())
	}
	return out
}

// let is a contact with a link, a session, one that waits for its code, and one that has ended.
type let struct {
	contact itadmin.Contact
	link    token.Secret
	in      itadmin.Opened
	waiting itadmin.Opened
	code    token.Secret
}

func (h *house) let(id org.ID, email string) (out let) {
	h.Helper()
	out.contact = h.contact(id, email)
	h.quiet()
	_, err := h.s.MailLink(h.Context(), actor(), id, out.contact.ID)
	h.must(err)
	out.link = h.linkIn(h.mails()[0])
	enter := func() itadmin.Opened {
		opened, err := h.s.Open(h.Context(), out.link, "")
		h.must(err)
		in, err := h.s.EnterCode(h.Context(), opened.Cookie, h.codeIn(h.mails()[0]))
		h.must(err)
		return in
	}
	h.must(h.s.End(h.Context(), enter().Session))
	out.in = enter()
	out.waiting, err = h.s.Open(h.Context(), out.link, "")
	h.must(err)
	out.code = h.codeIn(h.mails()[0])
	return out
}

func TestWhat_is_done_about_one_contact_touches_no_other(t *testing.T) {
	onBoth(t, func(h *house) {
		acme, beta := h.organization("Acme"), h.organization("Beta")
		ida := h.let(acme, "ida@acme.example")
		h.let(acme, "joe@acme.example")
		h.let(beta, "ida@acme.example")
		app := h.link(acme, itadmin.SSO)
		unopened := h.link(acme, itadmin.SSO)
		h.must(h.s.Ask(h.Context(), "somebody@elsewhere.example"))
		step := func(name string, touches int, do func() error) {
			h.Helper()
			before := h.rows()
			h.later(time.Second)
			h.must(do())
			after, changed := h.rows(), 0
			for id, was := range before {
				if after[id] != was {
					changed++
				}
			}
			if changed != touches {
				t.Errorf("%s: %d rows of before are others or gone, want %d", name, changed, touches)
			}
		}
		step("a wrong code", 1, func() error {
			_, err := h.s.EnterCode(h.Context(), ida.waiting.Cookie, wrongFor(ida.code))
			h.refused(err, "invalid_one_time_code")
			return nil
		})
		var in itadmin.Opened
		step("the right code", 1, func() (err error) {
			in, err = h.s.EnterCode(h.Context(), ida.waiting.Cookie, ida.code)
			return err
		})
		step("the code of a session that waits for none", 0, func() error {
			_, err := h.s.EnterCode(h.Context(), in.Cookie, ida.code)
			h.refused(err, "invalid_one_time_code")
			return nil
		})
		step("signing out", 1, func() error { return h.s.End(h.Context(), in.Session) })
		step("signing out again", 0, func() error { return h.s.End(h.Context(), in.Session) })
		stranger := ida.in.Session
		stranger.OrganizationID = beta
		step("signing out of it at another organization", 0, func() error { return h.s.End(h.Context(), stranger) })
		step("opening a link of the app over a session", 2, func() error {
			_, err := h.s.Open(h.Context(), app, ida.in.Cookie)
			return err
		})
		step("and over one that has ended", 1, func() error {
			_, err := h.s.Open(h.Context(), unopened, ida.in.Cookie)
			return err
		})
		step("asking, and being answered", 1, func() error {
			_, err := h.s.AnswerAsks(h.Context())
			return err
		})
		step("removing a contact that is another's", 0, func() error {
			h.refused(h.s.RemoveContact(h.Context(), actor(), beta, ida.contact.ID), "entity_not_found")
			return nil
		})
		before := h.rows()
		h.must(h.s.RemoveContact(h.Context(), actor(), acme, ida.contact.ID))
		after := h.rows()
		maps.DeleteFunc(before, func(id, row string) bool { return after[id] == row })
		for id, row := range before {
			if strings.Contains(row, string(beta)) || !strings.Contains(row, string(acme)) || strings.Contains(row, "joe@") {
				t.Errorf("removing a contact took %s: %s", id, row)
			}
		}
		if len(before) != 1+1+3 { // the contact, the link, the sessions
			t.Errorf("removing a contact took %d rows: %v", len(before), before)
		}
		before = h.rows()
		h.must(h.deleteOrganization(acme))
		h.later(48 * time.Hour)
		_, err := h.events.Erase(h.Context(), h.now())
		h.must(err)
		after = h.rows()
		for id, row := range before {
			if gone := after[id] == ""; gone != strings.Contains(row, string(acme)) {
				t.Errorf("deleting an organization: gone %t: %s %s", gone, id, row)
			}
		}
	})
}

// wrongFor is another code than that.
func wrongFor(code token.Secret) token.Secret {
	if code == "000000" {
		return "000001"
	}
	return "000000"
}

func TestCode_of_one_contact_is_limited_by_their_own_tries_alone(t *testing.T) {
	onBoth(t, func(h *house) {
		acme, beta := h.organization("Acme"), h.organization("Beta")
		ida, joe, other := h.let(acme, "ida@acme.example"), h.let(acme, "joe@acme.example"), h.let(beta, "ida@acme.example")
		for range 5 {
			for range 5 {
				_, err := h.s.EnterCode(h.Context(), ida.waiting.Cookie, wrongFor(ida.code))
				h.refused(err, "invalid_one_time_code")
			}
			opened, err := h.s.Open(h.Context(), ida.link, "")
			if err != nil {
				h.refused(err, "too_many_codes")
				break
			}
			ida.waiting, ida.code = opened, h.codeIn(h.mails()[0])
		}
		_, err := h.s.EnterCode(h.Context(), ida.waiting.Cookie, wrongFor(ida.code))
		h.refused(err, "invalid_one_time_code")
		for _, one := range []let{joe, other} {
			_, err := h.s.EnterCode(h.Context(), one.waiting.Cookie, one.code)
			h.must(err)
			_, err = h.s.Open(h.Context(), one.link, "")
			h.must(err)
		}
	})
}

func TestWhoever_waits_for_no_code_is_not_asked_for_one(t *testing.T) {
	onBoth(t, func(h *house) {
		acme := h.organization("Acme")
		ida := h.let(acme, "ida@acme.example")
		ofApp, err := h.s.Open(h.Context(), h.link(acme, itadmin.SSO), "")
		h.must(err)
		for name, cookie := range map[string]token.Secret{"in": ida.in.Cookie, "of the app": ofApp.Cookie, "none": "", "nonsense": "x", "unknown": token.NewSecret("ps")} {
			if email, waits, err := h.s.Waiting(h.Context(), cookie); waits || email != "" || err != nil {
				t.Errorf("%s: %q, %v", name, email, err)
			}
			_, err := h.s.EnterCode(h.Context(), cookie, ida.code)
			h.refused(err, "invalid_one_time_code")
		}
		h.later(itadmin.CodeLife)
		if _, waits, err := h.s.Waiting(h.Context(), ida.waiting.Cookie); waits || err != nil {
			t.Errorf("waits for a code that is over: %v", err)
		}
	})
}

func TestContacts_and_links_that_make_no_sense_are_refused_by_name(t *testing.T) {
	onBoth(t, func(h *house) {
		acme := h.organization("Acme")
		for code, all := range map[string][]itadmin.NewContact{
			"required":      {{}, {Email: " "}},
			"invalid_email": {{Email: "nobody"}, {Email: "a b@acme.example"}},
			"too_long":      {{Email: "a@acme.example", Name: strings.Repeat("ä", 256)}, {Email: "a@acme.example", Name: "a\x00b"}, {Email: "a@acme.example", Name: "\xff"}},
		} {
			for _, n := range all {
				_, err := h.s.AddContact(h.Context(), actor(), acme, n)
				h.refused(err, code)
			}
		}
		h.contact(acme, "ida@acme.example")
		_, err := h.s.AddContact(h.Context(), actor(), acme, itadmin.NewContact{Email: "IDA@acme.example"})
		h.refused(err, "contact_exists")
		for _, id := range []string{"contact_none", ""} {
			_, err = h.s.Contact(h.Context(), acme, id)
			h.refused(err, "entity_not_found")
			_, err = h.s.MailLink(h.Context(), actor(), acme, id)
			h.refused(err, "entity_not_found")
		}
		for _, address := range []string{"javascript:alert(1)", "//app.example", "https://", "https://user@app.example", "https://app.example/a b", `https://app.example\x`, "https://app.example/" + strings.Repeat("a", 4096), "ftp://app.example"} {
			_, _, err := h.s.MakeLink(h.Context(), actor(), itadmin.NewLink{OrganizationID: acme, ReturnURL: address})
			h.refused(err, "invalid_url")
			_, _, err = h.s.MakeLink(h.Context(), actor(), itadmin.NewLink{OrganizationID: acme, SuccessURL: address})
			h.refused(err, "invalid_url")
		}
		_, _, err = h.s.MakeLink(h.Context(), actor(), itadmin.NewLink{OrganizationID: acme, Emails: make([]string, itadmin.MaxNamed+1)})
		h.refused(err, "too_many")
		_, _, err = h.s.MakeLink(h.Context(), actor(), itadmin.NewLink{OrganizationID: acme, Emails: []string{"nobody"}})
		h.refused(err, "invalid_email")
		for _, secret := range []token.Secret{"", "x", "portal_x"} {
			_, err := h.s.Look(h.Context(), secret)
			h.refused(err, "portal_link_invalid")
		}
	})
}

func TestOrganization_has_a_bounded_number_of_contacts_of_its_own(t *testing.T) {
	onBoth(t, func(h *house) {
		acme, beta := h.organization("Acme"), h.organization("Beta")
		for i := range itadmin.MaxContacts {
			h.contact(acme, fmt.Sprintf("it%d@acme.example", i))
		}
		_, err := h.s.AddContact(h.Context(), actor(), acme, itadmin.NewContact{Email: "one.more@acme.example"})
		h.refused(err, "too_many")
		h.contact(beta, "one.more@acme.example")
	})
}

func TestClean_takes_what_is_over_and_leaves_what_is_not(t *testing.T) {
	onBoth(t, func(h *house) {
		acme := h.organization("Acme")
		ida := h.let(acme, "ida@acme.example")
		h.must(h.s.Ask(h.Context(), "ida@acme.example"))
		h.link(acme, itadmin.SSO)
		before := h.rows()
		h.must(h.s.Clean(h.Context()))
		if after := h.rows(); !maps.Equal(before, after) {
			t.Errorf("cleaned away what is not over: %v, was %v", after, before)
		}
		if _, _, ok, err := h.s.SessionFor(h.Context(), ida.in.Cookie); !ok || err != nil {
			t.Errorf("not in any more: %v", err)
		}
	})
}

func TestThose_who_ask_are_answered_some_at_a_time_and_none_is_forgotten(t *testing.T) {
	onBoth(t, func(h *house) {
		for i := range 25 {
			h.must(h.s.Ask(h.Context(), fmt.Sprintf("it%d@acme.example", i)))
		}
		for _, want := range []int{20, 5, 0} {
			if n, err := h.s.AnswerAsks(h.Context()); n != want || err != nil {
				t.Errorf("answered %d, %v; want %d", n, err, want)
			}
		}
	})
}
