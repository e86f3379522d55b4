package itadmin_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/itadmin"
	"github.com/rollcallhq/rollcall/internal/mail"
	"github.com/rollcallhq/rollcall/internal/org"
)

// deleteOrganization does what the verb over all nouns does of it.
func (h *house) deleteOrganization(id org.ID) error {
	at := h.now()
	return h.db.Tx(h.Context(), func(tx db.Tx) error { return h.orgs.DeleteTx(h.Context(), tx, actor(), id, at) })
}

// changes appends what a connection's and a directory's room would.
func (h *house) changes(id org.ID, changes []event.Change, entries ...event.Entry) {
	h.Helper()
	h.must(h.db.Tx(h.Context(), func(tx db.Tx) error {
		if err := h.events.AuditTx(h.Context(), tx, h.now(), changes...); err != nil {
			return err
		}
		for i := range entries {
			entries[i].OrganizationID, entries[i].Context = string(id), event.Context{Actor: actor()}.JSON()
		}
		return h.events.AppendTx(h.Context(), tx, h.now(), entries...)
	}))
}

func TestChanges_of_provider_certificate_and_token_are_mailed_to_contacts_and_operator_once(t *testing.T) {
	onBoth(t, func(h *house) {
		id, other := h.organization("Acme"), h.organization("Beta")
		h.contact(id, "ida@acme.example")
		h.contact(id, "max@acme.example")
		h.contact(other, "bea@beta.example")
		h.quiet()
		ada := "Ada"
		cause := event.Context{Actor: event.Actor{ID: "contact_1", Source: event.AdminPortal, Name: &ada}}
		h.changes(id, []event.Change{
			{OrganizationID: string(id), Action: "connection.updated", Target: "conn_1", Cause: cause, Before: event.Settings{"sso_url": "a", "name": "Okta"}, After: event.Settings{"sso_url": "https://evil.example/<b>", "name": "Okta"}},
			{OrganizationID: string(id), Action: "role.nonsense", Target: "x", Cause: cause, After: event.Settings{}},
		},
			event.Entry{Type: event.DirectoryTokenCreated, Data: []byte(`{"object":"directory_token","id":"directory_token_1"}`)},
			event.Entry{Type: event.APIKeyCreated, Data: []byte(`{"object":"api_key","id":"api_key_1","name":"Payroll","permissions":["payroll"]}`)},
			event.Entry{Type: event.APIKeyCreated, Data: []byte(`{"object":"api_key","id":"api_key_2","name":"Sync","permissions":["scim"]}`)},
		)
		if n, err := h.s.TellOfChanges(h.Context()); n != 0 || err != nil {
			t.Errorf("told of %d changes while more may come, %v", n, err)
		}
		h.work()
		letters := h.mails()
		var to []string
		for _, l := range letters {
			to = append(to, l.To)
			for _, want := range []string{"Acme: 3 changes of the identity provider", "conn_1", "sso_url", "by Ada (portal)", "directory_token_1", "Sync", "api_key_2"} {
				if !strings.Contains(l.Subject+l.Text, want) {
					t.Errorf("%q is not in %s\n%s", want, l.Subject, l.Text)
				}
			}
			if link := map[bool]string{false: base + "/portal\n", true: dashboard + "organizations/" + string(id) + "\n"}[l.To == "ops@shop.example"]; !strings.Contains(l.Text, link) {
				t.Errorf("%s is not led to %s: %s", l.To, link, l.Text)
			}
			if strings.Contains(l.Text+l.HTML, "evil") || strings.Contains(l.Text, "Payroll") || strings.Contains(l.HTML, "name=\"") && strings.Contains(l.HTML, "<b>") {
				t.Errorf("the mail says too much: %s", l.Text)
			}
		}
		if strings.Join(to, " ") != "ida@acme.example max@acme.example ops@shop.example" {
			t.Errorf("mailed to %v", to)
		}
		h.work()
		if again := h.mails(); len(again) != 0 {
			t.Errorf("told again: %+v", again)
		}
	})
}

func TestHolds_of_a_brake_and_the_steps_of_a_switch_are_mailed_with_numbers_and_the_time_to_decide(t *testing.T) {
	hold := `{"object":"directory_hold","id":"directory_hold_1","directory_id":"directory_1","count":%d,"departed":6,"active":40,"reason":%s,"until":"2026-11-22T13:00:00.000Z"}`
	change := `{"object":"identity_provider_switch","id":"identity_provider_switch_1","revertible_until":%s}`
	for _, c := range []struct {
		kind    event.Type
		payload string
		says    []string
		not     string
	}{
		{event.DirectoryBrakeEngaged, fmt.Sprintf(hold, 1, "null"), []string{
			"The brake of a directory holds people who were shut out in a burst", "directory_1", "6 of 40 active people left; release it or undo it until 22 November 2026, 13:00 UTC",
		}, "by management_key"},
		{event.DirectoryBrakeReleased, fmt.Sprintf(hold, 6, `"by_hand"`), []string{"Held people of a directory were released, and lose their accounts", "6 held, by management_key (API)"}, "by itself"},
		{event.DirectoryBrakeReleased, fmt.Sprintf(hold, 6, `"expired"`), []string{"6 held, by itself when the time had come"}, "management_key"},
		{event.DirectoryBrakeUndone, fmt.Sprintf(hold, 6, `"by_hand"`), []string{"Held people of a directory were let in again", "directory_1", "6 held"}, "until"},
		{event.SwitchCutOver, fmt.Sprintf(change, `"2026-12-06T12:00:00.000Z"`), []string{"The identity provider was switched over", "can be reverted until 6 December 2026, 12:00 UTC"}, "held"},
		{event.SwitchReverted, fmt.Sprintf(change, "null"), []string{"The switch of the identity provider was reverted", "identity_provider_switch_1"}, "can be reverted"},
	} {
		onBoth(t, func(h *house) {
			id, other := h.organization("Acme"), h.organization("Beta")
			h.contact(id, "ida@acme.example")
			h.contact(other, "bea@beta.example")
			h.quiet()
			h.changes(id, nil, event.Entry{Type: c.kind, Data: []byte(c.payload)})
			h.work()
			letters := h.mails()
			if len(letters) != 2 || letters[0].To != "ida@acme.example" || letters[1].To != "ops@shop.example" {
				t.Fatalf("%s is mailed to %+v", c.kind, letters)
			}
			if c.kind == event.DirectoryBrakeEngaged { // it waits for a decision, and not for long
				c.says = append(c.says, "See who is held:\n"+base+"/portal/brake/directory_1/directory_hold_1\n")
				if link := dashboard + "directories/directory_1/holds/directory_hold_1\n"; !strings.Contains(letters[1].Text, link) {
					t.Errorf("the operator is not led to %s: %s", link, letters[1].Text)
				}
			}
			for _, want := range c.says {
				if !strings.Contains(letters[0].Text, want) {
					t.Errorf("%s does not say %q: %s", c.kind, want, letters[0].Text)
				}
			}
			if strings.Contains(letters[0].Text, c.not) {
				t.Errorf("%s says %q: %s", c.kind, c.not, letters[0].Text)
			}
		})
	}
}

func TestContact_who_was_removed_is_told_too(t *testing.T) {
	onBoth(t, func(h *house) {
		id := h.organization("Acme")
		h.contact(id, "ida@acme.example")
		gone := h.contact(id, "max@acme.example")
		h.quiet()
		h.must(h.s.RemoveContact(h.Context(), actor(), id, gone.ID))
		h.work()
		var to []string
		for _, l := range h.mails() {
			to = append(to, l.To)
			if !strings.Contains(l.Text, "An IT contact was removed") || !strings.Contains(l.Text, "max@acme.example") {
				t.Errorf("the mail says %s", l.Text)
			}
		}
		if strings.Join(to, " ") != "ida@acme.example max@acme.example ops@shop.example" {
			t.Errorf("mailed to %v", to)
		}
	})
}

func TestCertificate_that_ends_is_mailed_for_each_event_and_for_none_that_was_renewed(t *testing.T) {
	onBoth(t, func(h *house) {
		id := h.organization("Acme")
		h.contact(id, "ida@acme.example")
		h.quiet()
		ends := event.Entry{Type: event.ConnectionCertificateEnding, Data: []byte(`{"connection":{"id":"conn_1","organization_id":"x"},"certificate":{},"days_until_expiry":30}`)}
		h.ending = mail.ConnectionCertificate{Connection: "Okta", Subject: "CN=okta", Fingerprint: "ab12", ExpiresAt: h.now().Add(30 * 24 * time.Hour)}
		h.changes(id, nil, ends)
		h.work()
		letters := h.mails()
		if len(letters) != 2 || letters[0].Kind != mail.KindConnectionCertificate || !strings.Contains(letters[0].Text, "ab12") || !strings.Contains(letters[0].Text, base+"/portal/certificates/conn_1\n") || !strings.Contains(letters[1].Text, dashboard+"connections/conn_1\n") {
			t.Errorf("mailed %+v", letters)
		}
		h.ending = mail.ConnectionCertificate{}
		h.changes(id, nil, ends)
		h.work()
		if late := h.mails(); len(late) != 0 {
			t.Errorf("told of a certificate that is not there: %+v", late)
		}
	})
}

func TestDeleted_organization_tells_nobody_and_forgets_its_contacts(t *testing.T) {
	onBoth(t, func(h *house) {
		id := h.organization("Acme")
		h.contact(id, "ida@acme.example")
		h.must(h.deleteOrganization(id))
		h.work()
		if letters := h.mails(); len(letters) != 0 {
			t.Errorf("mailed %+v", letters)
		}
		ctx, stop := context.WithCancel(h.Context())
		defer stop()
		h.later(time.Hour)
		_, err := h.events.Erase(ctx, h.now())
		h.must(err)
		for _, table := range []string{"it_contacts", "portal_links", "portal_sessions", "change_notices"} {
			var left int
			h.must(h.db.QueryRow(ctx, "SELECT COUNT(*) FROM "+table).Scan(&left))
			if left != 0 {
				t.Errorf("%d rows are left in %s", left, table)
			}
		}
	})
}

func TestRun_answers_by_itself_and_ends_with_its_context(t *testing.T) {
	onBoth(t, func(h *house) {
		h.contact(h.organization("Acme"), "ida@acme.example")
		h.quiet()
		ctx, stop := context.WithCancel(h.Context())
		done := make(chan struct{})
		go func() { defer close(done); h.s.Run(ctx) }()
		h.must(h.s.Ask(ctx, "ida@acme.example"))
		for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
			if letters := h.mails(); len(letters) == 1 && letters[0].Kind == mail.KindPortalLink {
				break
			}
			if time.Now().After(deadline) {
				t.Fatal("no link came")
			}
		}
		stop()
		<-done
	})
}

func TestIntents_are_the_contracts_and_those_without_a_page_are_refused_with_a_sentence(t *testing.T) {
	for _, i := range itadmin.Intents() {
		if got, err := itadmin.ParseIntent(string(i)); got != i || err != nil {
			t.Errorf("%s: %v", i, err)
		}
	}
	h := &house{T: t}
	for text, code := range map[string]string{"log_streams": "intent_not_supported", "bring_your_own_key": "intent_not_supported", "everything": "invalid_intent", "SSO": "invalid_intent"} {
		_, err := itadmin.ParseIntent(text)
		h.refused(err, code)
	}
}

func TestQuestion_for_a_domain_is_mailed_with_where_it_is_decided_and_so_is_the_answer(t *testing.T) {
	onBoth(t, func(h *house) {
		id, other := h.organization("Acme"), h.organization("Beta")
		c := h.contact(id, "ida@acme.example")
		h.contact(other, "bea@beta.example")
		h.quiet()
		called := c.Called()
		asker, operating := event.Actor{ID: c.ID, Source: event.AdminPortal, Name: &called}, event.Actor{ID: "operator_1", Source: event.Dashboard}
		// mailed are the contact's mail and the operator's, which lead each to where they look.
		mailed := func(what string) {
			t.Helper()
			h.work()
			letters := h.mails()
			if len(letters) != 2 || letters[0].To != "ida@acme.example" || letters[1].To != "ops@shop.example" {
				t.Fatalf("mailed %+v", letters)
			}
			for i, page := range []string{base + "/portal/domains", dashboard + "organizations/" + string(id) + "/domains"} {
				if l := letters[i]; l.Subject != "Acme: "+what || !strings.Contains(l.Text, page+"\n") || !strings.Contains(l.Text, "acme.example · ") && !strings.Contains(l.Text, "acme.test · ") {
					t.Errorf("%s is told by %q without %s:\n%s", what, l.Subject, page, l.Text)
				}
			}
		}
		for _, name := range []string{"acme.example", "acme.test"} {
			d, err := h.orgs.CreateDomain(h.Context(), actor(), id, name)
			h.must(err)
			_, err = h.orgs.AskApproval(h.Context(), asker, id, d.ID)
			h.must(err)
			mailed("The operator was asked to approve a domain without a DNS record")
			if name == "acme.test" {
				_, err = h.orgs.RefuseApproval(h.Context(), operating, d.ID)
				h.must(err)
				mailed("The operator refused to approve a domain without a DNS record")
				continue
			}
			_, err = h.orgs.VouchForDomain(h.Context(), operating, d.ID)
			h.must(err)
			mailed("The operator approved a domain without a DNS record")
		}
	})
}
