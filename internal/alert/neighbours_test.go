package alert_test

import (
	"sync"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/alert"
	"github.com/rollcallhq/rollcall/internal/org"
)

// rows are what is stored of alerts and rhythms, by whom they are about.
func (h *house) rows() map[string]string {
	h.Helper()
	out := map[string]string{}
	for _, text := range []string{
		`SELECT subject, id || ' ' || organization_id || ' ' || kind || ' ' || name || ' ' || CAST(stage AS TEXT) || ' ' || CAST(told_stage AS TEXT) || ' ' ||
			CAST(COALESCE(told_at, 0) AS TEXT) || ' ' || CAST(COALESCE(closed_at, 0) AS TEXT) FROM alerts`,
		`SELECT 'rhythm of ' || directory_id, organization_id || ' ' || CAST(contact_at AS TEXT) || ' ' || CAST(longest AS TEXT) FROM alert_rhythms`,
	} {
		found, err := h.db.Query(h.Context(), text)
		h.must(err)
		for found.Next() {
			var about, is string
			h.must(found.Scan(&about, &is))
			out[about] = is
		}
		found.Close()
		h.must(found.Err())
	}
	return out
}

// touches does something and wants only the rows about these to be others than before.
func (h *house) touches(what string, do func(), about ...string) {
	h.Helper()
	before := h.rows()
	do()
	after := h.rows()
	want := map[string]bool{}
	for _, one := range about {
		want[one] = true
		if before[one] == after[one] {
			h.Errorf("%s: %s stays %q", what, one, after[one])
		}
	}
	for one, was := range before {
		if !want[one] && after[one] != was {
			h.Errorf("%s: %s became %q, was %q", what, one, after[one], was)
		}
	}
}

func (h *house) fails(endpoint string) {
	h.Helper()
	h.exec(`UPDATE webhook_endpoints SET failing_since = $2 WHERE id = $1`, endpoint, h.now().UnixMicro())
}

func TestWhat_becomes_of_one_alert_leaves_the_others_as_they_are(t *testing.T) {
	onBoth(t, func(h *house) {
		first, second, third := h.endpoint("https://app.example/1"), h.endpoint("https://app.example/2"), h.endpoint("https://app.example/3")
		look := func() { h.look() }
		h.touches("the first fails", func() { h.fails(first); h.look() }, first)
		h.later(30 * time.Minute)
		h.touches("the second fails", func() { h.fails(second); h.look() }, second)
		h.touches("the third fails", func() { h.fails(third); h.look() }, third)
		h.later(31 * time.Minute)
		h.touches("the first is told of", look, first)
		h.touches("it was told of", look)
		h.touches("the first is called something else", func() {
			h.exec(`UPDATE webhook_endpoints SET url = 'https://app.example/one' WHERE id = $1`, first)
			h.look()
		}, first)
		h.touches("the second is well, of which nobody was told", func() {
			h.exec(`UPDATE webhook_endpoints SET failing_since = NULL WHERE id = $1`, second)
			h.look()
		}, second)
		h.later(2 * time.Hour)
		h.touches("the third is told of", look, third)
		h.touches("the first is well", func() {
			h.exec(`UPDATE webhook_endpoints SET failing_since = NULL WHERE id = $1`, first)
			h.look()
		}, first)
		h.touches("what is well stays closed", look)
		h.touches("the second fails again", func() { h.fails(second); h.look() }, second)
	})
}

func TestEach_that_is_worse_than_wrong_from_the_start_is_told_of_at_once(t *testing.T) {
	onBoth(t, func(h *house) {
		for _, url := range []string{"https://app.example/1", "https://app.example/2", "https://app.example/3"} {
			h.exec(`UPDATE webhook_endpoints SET status = 'disabled', disabled_at = $2, disabled_reason = 'gone' WHERE id = $1`, h.endpoint(url), h.now().UnixMicro())
		}
		off := func(n string) string {
			return operator + ": Acme Shop: The webhook endpoint https://app.example/" + n + " was switched off"
		}
		h.wants("all at once", off("1"), off("2"), off("3"))
		h.wants("they were told")
	})
}

func TestOf_several_processes_that_look_at_once_one_tells(t *testing.T) {
	onBoth(t, func(h *house) {
		id := h.endpoint("https://app.example/hook")
		h.fails(id)
		h.look()
		h.later(61 * time.Minute)
		all := func() {
			var wait sync.WaitGroup
			for range 4 {
				process := alert.NewService(h.options)
				wait.Go(func() {
					if err := process.Look(h.Context()); err != nil {
						t.Error(err)
					}
				})
			}
			wait.Wait()
		}
		all()
		if got := h.mails(); len(got) != 1 {
			t.Errorf("%d mails that it fails", len(got))
		}
		h.exec(`UPDATE webhook_endpoints SET failing_since = NULL WHERE id = $1`, id)
		all()
		if got := h.mails(); len(got) != 1 {
			t.Errorf("%d mails that it works again", len(got))
		}
		h.inAudit("", alert.Opened, alert.Healed)
	})
}

func TestOrganizations_see_their_own_alerts_and_take_nobody_elses_with_them(t *testing.T) {
	onBoth(t, func(h *house) {
		acme, beta := h.organization("Acme"), h.organization("Beta")
		for _, id := range []org.ID{acme, beta} {
			d := h.directory(id, "entra-id")
			for range 3 {
				h.came(d, request{method: "POST", path: "/Users", body: `{"userName":"ada@acme.example","active":true}`})
				h.came(d, request{method: "POST", path: "/Users?x=1", body: `{"schemas":[],"userName" : "bob@acme.example"}`, status: 400, reason: "The value of emails is no address."})
				h.later(40 * time.Minute)
				h.look()
			}
		}
		own := map[org.ID]string{}
		for _, id := range []org.ID{acme, beta} {
			found, err := h.s.OpenOf(h.Context(), id, 100)
			h.must(err)
			if len(found) != 1 || found[0].Of() != id {
				t.Fatalf("%s sees %+v", id, found)
			}
			own[id] = found[0].Subject
		}
		if own[acme] == own[beta] {
			t.Fatal("both see the same")
		}
		if _, there := h.rows()["rhythm of "+own[beta]]; !there {
			t.Fatal("no rhythm")
		}
		h.must(h.deleteOrganization(acme))
		h.later(48 * time.Hour)
		before := h.rows()
		_, err := h.events.Erase(h.Context(), h.now())
		h.must(err)
		after := h.rows()
		if after[own[acme]] != "" || after["rhythm of "+own[acme]] != "" || after[own[beta]] != before[own[beta]] || after["rhythm of "+own[beta]] != before["rhythm of "+own[beta]] {
			t.Errorf("%v, was %v", after, before)
		}
	})
}
