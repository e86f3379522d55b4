package portal

import (
	"net/http"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/alert"
	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/itadmin"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/sso"
	"github.com/rollcallhq/rollcall/internal/web/words"
)

// wrongToken has the provider of a directory come with a wrong token.
func (d *desk) wrongToken(o org.Organization) directory.Directory {
	d.Helper()
	one, _, err := d.dirs.Create(d.Context(), d.operator(), directory.New{OrganizationID: string(o.ID), Name: o.Name + " people <script>alert(1)</script>", Type: directory.OktaSCIM})
	d.must(err)
	var w db.Write
	w.Exec(`UPDATE directories SET state = 'linked' WHERE id = $1`, string(one.ID))
	for i := range 4 {
		var credential any
		if i == 0 {
			credential = "directory_token_1"
		}
		w.Exec(`INSERT INTO exchanges (id, organization_id, directory_id, at, size, refused, token_id, method, path, status, micros, request_id, user_agent, effect)
			VALUES ($1, $2, $3, $4, 1, $5, $6, 'POST', '/Users', $7, 1, 'r', 'Okta', '{}')`,
			string(d.dirs.NewExchangeID()), string(o.ID), string(one.ID), d.now.Add(time.Duration(i)*time.Second).UnixMicro(), i > 0, credential, map[bool]int{true: 401, false: 200}[i > 0])
	}
	d.must(d.db.Write(d.Context(), &w))
	d.now = d.now.Add(time.Minute)
	d.must(d.alerts.Look(d.Context()))
	return one
}

func (d *desk) oidcConnection(o org.Organization, ends time.Time) sso.Connection {
	d.Helper()
	one, err := d.conns.Create(d.Context(), d.operator(), sso.New{OrganizationID: string(o.ID), Type: "GenericOIDC", Settings: sso.Change{
		Name: new(o.Name + " sign-in"), ClientID: new("app-of-" + o.Name), ClientSecret: new("old"), ClientSecretExpiresAt: &ends,
	}})
	d.must(err)
	var w db.Write
	w.Exec(`UPDATE connections SET state = 'active' WHERE id = $1`, string(one.ID))
	d.must(d.db.Write(d.Context(), &w))
	return one
}

func TestHome_shows_what_is_wrong_with_its_fix_to_the_organization_that_has_it_and_to_no_other(t *testing.T) {
	atDesks(t, true, func(d *desk) {
		ours, theirs := d.organization("Ours"), d.organization("Theirs")
		wrong := d.wrongToken(ours)
		one := d.oidcConnection(ours, d.now.Add(5*24*time.Hour))
		d.must(d.alerts.Look(t.Context()))

		page := d.enter(ours.ID, itadmin.Everything).get("/portal/home").wants(http.StatusOK)
		page.shows("The token that Ours people", "Make a new token, paste it", "/portal/tokens/"+string(wrong.ID), "The client secret of Ours sign-in ends within a week", "/portal/secrets/"+string(one.ID))
		page.hides("<script>alert(1)")
		d.enter(ours.ID, itadmin.DirectorySync).get("/portal/home").wants(http.StatusOK).shows("The token that Ours people").hides("The client secret of Ours")
		d.enter(ours.ID, itadmin.SSO).get("/portal/home").wants(http.StatusOK).shows("The client secret of Ours").hides("The token that Ours people")
		d.enter(theirs.ID, itadmin.Everything).get("/portal/home").wants(http.StatusOK).hides("Ours", "is refused", "ends within", string(wrong.ID), string(one.ID))
	})
}

func TestClient_secret_is_renewed_in_the_portal_and_never_shown(t *testing.T) {
	atDesks(t, true, func(d *desk) {
		ours, theirs := d.organization("Ours"), d.organization("Theirs")
		ends := d.now.Add(5 * 24 * time.Hour).UTC()
		one, other := d.oidcConnection(ours, ends), d.oidcConnection(theirs, ends)
		d.must(d.alerts.Look(t.Context()))
		b := d.enter(ours.ID, itadmin.SSO)
		at := "/portal/secrets/" + string(one.ID)
		b.get(at).wants(http.StatusOK).shows("app-of-Ours", ends.Format(time.DateOnly)).hides(`value="old"`)

		b.post(at, "client_secret", "n3w", "client_secret_expires_at", "soon").wants(http.StatusUnprocessableEntity).shows("This is no day").hides("n3w")
		b.post(at, "client_secret_expires_at", "1970-01-01").wants(http.StatusUnprocessableEntity).shows("between the years")
		b.post(at, "client_secret", "a\x00b").wants(http.StatusBadRequest)
		b.post("/portal/secrets/"+string(other.ID), "client_secret", "n3w").wants(http.StatusNotFound).hides("Theirs")
		b.get("/portal/secrets/" + string(other.ID)).wants(http.StatusNotFound).hides("Theirs")
		if now, err := d.conns.Get(t.Context(), one.ID); err != nil || !now.ClientSecretExpiresAt.Equal(one.ClientSecretExpiresAt) {
			t.Fatalf("a refusal changed it: %v, %v", now.ClientSecretExpiresAt, err)
		}

		// The day that was not touched keeps its hour.
		b.post(at, "client_secret_expires_at", ends.Format(time.DateOnly)).wants(http.StatusSeeOther)
		if now, err := d.conns.Get(t.Context(), one.ID); err != nil || !now.ClientSecretExpiresAt.Equal(one.ClientSecretExpiresAt) {
			t.Errorf("it ends at %v, %v", now.ClientSecretExpiresAt, err)
		}
		b.post(at, "client_secret", "n3w", "client_secret_expires_at", "2199-01-31").wants(http.StatusSeeOther)
		if now, err := d.conns.Get(t.Context(), one.ID); err != nil || now.ClientSecretExpiresAt.Format(time.DateOnly) != "2199-01-31" || !now.HasSecret {
			t.Errorf("it ends at %v, %v", now.ClientSecretExpiresAt, err)
		}
		d.must(d.alerts.Look(t.Context()))
		b.get("/portal/home").wants(http.StatusOK).hides("ends within a week")
		d.enter(ours.ID, itadmin.DirectorySync).get(at).wants(http.StatusForbidden)
	})
}

func TestEvery_alert_of_an_IT_admin_has_its_words(t *testing.T) {
	all, err := words.Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range alert.Kinds() {
		_, theirs := k.Intent()
		last := map[alert.Kind]int{alert.CertificateEnding: alert.Worse, alert.SecretEnding: alert.Worst}[k]
		for stage := alert.Wrong; theirs && stage <= max(last, alert.Wrong); stage++ {
			key := string(k)
			if stage > alert.Wrong {
				key += "_" + string(rune('0'+stage))
			}
			if !all.Source().Has("alerts.told_"+key) || !all.Source().Has("alerts.fix_"+key) {
				t.Errorf("no words for %s", key)
			}
		}
	}
}
