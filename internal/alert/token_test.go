package alert_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/alert"
)

const (
	standsStill = "Directory sync stands still: the token that The okta sends is refused"
	worksAgain  = "Directory sync works again: The okta comes with a good token"
)

func TestWrong_token_of_a_provider_that_had_a_good_one_is_mailed_once_and_once_more_when_it_is_well(t *testing.T) {
	onBoth(t, func(h *house) {
		id, other := h.organization("Acme"), h.organization("Beta")
		d, calm := h.directory(id, "okta"), h.directory(other, "okta")
		h.came(d, request{})
		h.came(calm, request{})
		h.wants("nothing is wrong")
		h.later(time.Hour)
		for range 3 {
			h.came(d, request{refused: true, agent: "Okta SCIM Client 1.1.0"})
			h.later(time.Minute)
		}
		h.wants("a token may be being exchanged just now")
		h.isOpen(id, alert.WrongToken)
		h.later(11 * time.Minute)
		h.restart()
		h.must(h.s.Look(t.Context()))
		letters := h.mails()
		if len(letters) != 2 || letters[0].To != "it@acme.example" || letters[1].To != operator {
			t.Fatalf("mailed %+v", letters)
		}
		for i, page := range []string{portalBase + "/portal/tokens/" + string(d.ID), dashboard + "directories/" + string(d.ID) + "/tokens"} {
			if l := letters[i]; l.Subject != "Acme: "+standsStill || !strings.Contains(l.Text, page) || !strings.Contains(l.Text, "Make a new token") || !strings.Contains(l.Text, "The okta") {
				t.Errorf("%s is told %q\n%s", l.To, l.Subject, l.Text)
			}
		}
		h.later(3 * 24 * time.Hour)
		h.came(d, request{refused: true})
		h.restart()
		h.wants("it was told")
		h.isOpen(id, alert.WrongToken)
		h.came(d, request{})
		h.later(time.Minute)
		h.wants("a good token came", "it@acme.example: Acme: "+worksAgain, operator+": Acme: "+worksAgain)
		h.wants("it was told that it is well")
		h.isOpen(id)
		h.isOpen(other)
		h.inAudit(id, alert.Opened, alert.Healed)
		h.inAudit(other)
	})
}

func TestStrangers_cannot_have_mails_made_by_wrong_tokens(t *testing.T) {
	onBoth(t, func(h *house) {
		id := h.organization("Acme")
		never, unknown, other := h.directory(id, "okta"), h.directory(id, "okta"), h.directory(id, "okta")
		long, busy := h.directory(id, "okta"), h.directory(id, "okta")
		h.came(long, request{})
		h.later(31 * 24 * time.Hour)
		h.came(unknown, request{})
		h.came(other, request{})
		h.came(busy, request{})
		for range 20 {
			h.later(time.Minute)
			h.came(never, request{refused: true}) // no good token was ever seen there
			h.came(unknown, request{refused: true, agent: "curl/8.0"})
			h.came(long, request{refused: true}) // the provider left a month ago
			h.came(busy, request{refused: true})
			h.came(busy, request{}) // and the provider gets in all the while
		}
		h.came(other, request{refused: true})
		h.came(other, request{refused: true}) // two may be a mistake
		h.wants("strangers")
		h.isOpen(id)
		h.later(time.Hour)
		h.wants("an hour later")
	})
}

func TestStranger_who_knows_address_and_program_causes_one_mail_a_day_at_most(t *testing.T) {
	onBoth(t, func(h *house) {
		id := h.organization("Acme")
		d := h.directory(id, "okta")
		h.came(d, request{})
		mails := map[string]int{}
		for range 3 * 24 { // the provider gets in once an hour, and the stranger knocks in between
			for range 3 {
				h.later(10 * time.Minute)
				h.came(d, request{refused: true})
				for _, m := range h.look() {
					mails[m]++
				}
			}
			h.later(30 * time.Minute)
			for _, m := range h.look() {
				mails[m]++
			}
			h.came(d, request{})
			for _, m := range h.look() {
				mails[m]++
			}
		}
		for _, m := range []string{"it@acme.example: Acme: " + standsStill, "it@acme.example: Acme: " + worksAgain, operator + ": Acme: " + standsStill, operator + ": Acme: " + worksAgain} {
			if n := mails[m]; n == 0 || n > 3 {
				t.Errorf("%q came %d times in three days", m, n)
			}
			delete(mails, m)
		}
		if len(mails) > 0 {
			t.Errorf("mailed %v", mails)
		}
	})
}

// troubled has an alert about a wrong token that is due.
func (h *house) troubled(name string) {
	h.Helper()
	d := h.directory(h.organization(name), "okta")
	h.came(d, request{})
	for range 3 {
		h.later(time.Second)
		h.came(d, request{refused: true})
	}
	h.wants("too early to tell")
	h.later(11 * time.Minute)
}

func TestSeveral_processes_tell_once(t *testing.T) {
	onBoth(t, func(h *house) {
		h.troubled("Acme")
		var all sync.WaitGroup
		for range 8 {
			s := alert.NewService(h.options)
			all.Go(func() {
				if err := s.Look(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if got := h.mails(); len(got) != 2 {
			t.Errorf("mailed %+v", got)
		}
	})
}

func TestProcess_that_read_an_alert_a_while_ago_does_not_tell_again(t *testing.T) {
	onBoth(t, func(h *house) {
		h.troubled("Acme")
		read, err := h.s.Open(t.Context(), 10)
		h.must(err)
		h.must(h.s.Tell(t.Context(), h.now(), read[0]))
		h.must(h.s.Tell(t.Context(), h.now(), read[0]))
		if got := h.mails(); len(got) != 2 {
			t.Errorf("mailed %+v", got)
		}
		// It does not know that it was told, so it may not close it without a word either.
		h.must(h.s.CloseWell(t.Context(), read[0], h.now()))
		now, err := h.s.Open(t.Context(), 10)
		h.must(err)
		if len(now) != 1 || !now[0].Told() || len(h.mails()) != 0 {
			t.Fatalf("open are %+v", now)
		}
		h.must(h.s.CloseWell(t.Context(), now[0], h.now()))
		h.must(h.s.CloseWell(t.Context(), now[0], h.now()))
		if got := h.mails(); len(got) != 2 {
			t.Errorf("mailed %+v", got)
		}
		h.must(h.s.Tell(t.Context(), h.now().Add(48*time.Hour), read[0]))
		if got := h.mails(); len(got) != 0 {
			t.Errorf("told of a closed one: %+v", got)
		}
	})
}

func TestWhat_is_gone_is_told_to_nobody(t *testing.T) {
	onBoth(t, func(h *house) {
		id := h.organization("Acme")
		d := h.directory(id, "okta")
		h.came(d, request{})
		for range 3 {
			h.later(time.Second)
			h.came(d, request{refused: true})
		}
		h.look()
		h.later(11 * time.Minute)
		if got := h.look(); len(got) != 2 {
			t.Fatalf("mailed %q", got)
		}
		h.exec(`UPDATE directories SET deleted_at = 1 WHERE id = $1`, string(d.ID))
		h.wants("the directory is gone")
		h.isOpen(id)
		h.inAudit(id, alert.Opened, alert.Closed)
	})
}

func TestDeleted_organization_is_told_of_nothing_and_leaves_no_alerts(t *testing.T) {
	onBoth(t, func(h *house) {
		h.troubled("Acme")
		read, err := h.s.Open(t.Context(), 10)
		h.must(err)
		h.must(h.deleteOrganization(read[0].Of()))
		h.must(h.s.Tell(t.Context(), h.now(), read[0])) // by a process that looked just before
		if got := h.mails(); len(got) != 0 {
			t.Errorf("mailed %+v", got)
		}
		h.directory(h.organization("Beta"), "okta")
		h.later(time.Hour)
		_, err = h.events.Erase(t.Context(), h.now())
		h.must(err)
		for _, table := range []string{"alerts", "alert_rhythms"} {
			var left int
			h.must(h.db.QueryRow(t.Context(), "SELECT COUNT(*) FROM "+table+" WHERE organization_id = $1", string(read[0].Of())).Scan(&left))
			if left != 0 {
				t.Errorf("%d rows are left in %s", left, table)
			}
		}
	})
}

func TestContacts_who_were_removed_are_told_of_nothing(t *testing.T) {
	onBoth(t, func(h *house) {
		h.troubled("Acme")
		h.exec(`DELETE FROM it_contacts`)
		h.wants("nobody is left but the operator", operator+": Acme: "+standsStill)
	})
}

func TestOperator_who_is_a_contact_too_is_written_to_once(t *testing.T) {
	onBoth(t, func(h *house) {
		h.troubled("Acme")
		h.exec(`UPDATE it_contacts SET email = 'OPS@shop.example', email_key = 'ops@shop.example'`)
		h.wants("one mail", operator+": Acme: "+standsStill)
	})
}

func TestWrong_token_that_nobody_sends_any_more_is_forgotten_without_a_word(t *testing.T) {
	onBoth(t, func(h *house) {
		h.troubled("Acme")
		if got := h.look(); len(got) != 2 {
			t.Fatalf("mailed %q", got)
		}
		h.later(15 * 24 * time.Hour)
		h.wants("two weeks later")
		if found, err := h.s.Open(t.Context(), 10); err != nil || len(found) != 0 {
			t.Errorf("open are %+v, %v", found, err)
		}
	})
}
