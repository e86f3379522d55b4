package dashboard_test

import (
	"encoding/pem"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/alert"
	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/operator"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/saml/samltest"
	"github.com/rollcallhq/rollcall/internal/sso"
	"github.com/rollcallhq/rollcall/internal/webhook"
)

func somebody() event.Actor { return event.Actor{ID: "test", Source: event.API} }

// troubled makes an installation with one of each trouble.
func (w *world) troubled() {
	w.t.Helper()
	o, err := w.orgs.Create(ctx, somebody(), org.New{Name: "Acme"})
	w.ok(err)
	d, _, err := w.dirs.Create(ctx, somebody(), directory.New{OrganizationID: string(o.ID), Name: "Okta " + hostile, Type: directory.GenericSCIM})
	w.ok(err)
	calm, _, err := w.dirs.Create(ctx, somebody(), directory.New{OrganizationID: string(o.ID), Name: "Calm directory", Type: directory.GenericSCIM})
	w.ok(err)
	var write db.Write
	for id, times := range map[directory.ID]int{d.ID: 3, calm.ID: 2} {
		write.Exec(`UPDATE directories SET state = 'linked' WHERE id = $1`, string(id))
		for range times {
			write.Exec(`INSERT INTO exchanges (id, organization_id, directory_id, at, size, refused, token_id, method, path, status, micros, request_id, user_agent, effect) VALUES ($1, $2, $3, $4, 1, FALSE, 't', 'POST', '/Users', 400, 1, 'r', 'a', '{}')`,
				string(w.dirs.NewExchangeID()), string(o.ID), string(id), w.now().UnixMicro())
		}
	}
	idp := samltest.New("https://idp.example/metadata")
	name, sso1, cert := "Single sign-on "+hostile, "https://idp.example/sso", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: idp.Certificate.Raw}))
	c, err := w.conns.Create(ctx, somebody(), sso.New{OrganizationID: string(o.ID), Type: "GenericSAML", Settings: sso.Change{Name: &name, IDPEntityID: &idp.EntityID, SSOURL: &sso1, Certificates: &[]string{cert}}})
	w.ok(err)
	write.Exec(`UPDATE connection_certificates SET not_after = $2 WHERE connection_id = $1`, string(c.ID), w.now().Add(5*24*time.Hour).UnixMicro())
	for _, path := range []string{"failing", "off", "good"} {
		e, err := w.webhooks.Create(ctx, webhook.New{URL: "https://app.example/" + path, Types: []event.Type{event.UserCreated}})
		w.ok(err)
		switch path {
		case "failing":
			write.Exec(`UPDATE webhook_endpoints SET failing_since = $2 WHERE id = $1`, string(e.ID), w.now().UnixMicro())
		case "off":
			write.Exec(`UPDATE webhook_endpoints SET failing_since = $2, disabled_at = $2, status = 'disabled', disabled_reason = 'x' WHERE id = $1`, string(e.ID), w.now().UnixMicro())
		}
	}
	w.ok(w.db.Write(ctx, &write))
	w.ok(w.alerts.Look(ctx))
}

func TestHome_says_that_all_is_well_where_it_is(t *testing.T) {
	w := small(t)
	w.as(operator.ReadOnly).get("/dashboard/").want(t, http.StatusOK).says(t, "Nothing needs attention")
}

func TestHome_names_what_needs_attention_and_nothing_else(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.troubled()
		b := w.as(operator.Admin)
		page := b.get("/dashboard/").want(t, http.StatusOK)
		page.says(t, "https://app.example/failing", "Webhook fails", "https://app.example/off", "Webhook switched off", "Certificate ends", "in 4 days", "Okta", "Refused again and again", "Read the exchange", "Acme", "Changes", "in the last 24 hours")
		var syncs, all int
		w.ok(w.db.QueryRow(ctx, `SELECT COUNT(*) FROM events WHERE type LIKE 'dsync.%'`).Scan(&syncs))
		w.ok(w.db.QueryRow(ctx, `SELECT COUNT(*) FROM events`).Scan(&all))
		if syncs == 0 || all == syncs {
			t.Fatalf("%d of %d events are of directories", syncs, all)
		}
		page.says(t, "Directory sync", fmt.Sprintf("%d changes by directories in the last 24 hours", syncs), fmt.Sprintf("%d changes of any kind in the last 24 hours", all))
		b.get("/dashboard/?over=month").want(t, http.StatusOK).says(t, "Changes", "in the last 30 days", w.now().UTC().Format("2 Jan"))
		b.get("/dashboard/?over="+url.QueryEscape(hostile)).want(t, http.StatusOK).says(t, "in the last 24 hours").harmless(t)
		for _, calm := range []string{"Calm directory", "app.example/good"} {
			if strings.Contains(page.text(), calm) {
				t.Errorf("%s needs attention", calm)
			}
		}
		if strings.Contains(page.body, "<script>alert") {
			t.Error("a name of a provider became a script")
		}
		if strings.Contains(page.text(), "Silent") {
			t.Error("a directory that sends when it has to is called silent")
		}
		w.later(6 * 24 * time.Hour)
		w.ok(w.alerts.Look(ctx))
		_, path := w.link("later@example.com", operator.Admin)
		b = w.stranger()
		b.post(path, nil).want(t, http.StatusSeeOther)
		b.get("/dashboard/").says(t, "Certificate has ended")
		w.later(8 * 24 * time.Hour)
		w.ok(w.alerts.Look(ctx))
		if found, err := w.alerts.Open(ctx, 10); err != nil || slices.ContainsFunc(found, func(a alert.Alert) bool { return a.Kind == alert.RefusedRequests }) {
			t.Errorf("refusals of two weeks ago: %+v, %v", found, err)
		}
	})
}
