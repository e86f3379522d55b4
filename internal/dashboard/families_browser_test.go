package dashboard_test

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/rollcallhq/rollcall/internal/access"
	"github.com/rollcallhq/rollcall/internal/dashboard"
	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/issuer"
	"github.com/rollcallhq/rollcall/internal/operator"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/web/browsertest"
	"github.com/rollcallhq/rollcall/internal/webhook"
)

// furnished is an installation with something on each page.
type furnished struct {
	*world
	pages map[string]string // by name
}

func furnish(t *testing.T) furnished {
	t.Helper()
	w := small(t, func(o *dashboard.Options) {
		o.Settings = []dashboard.Setting{
			{Name: "listen", Value: "0.0.0.0:8080", Origin: "ROLLCALL_LISTEN"},
			{Name: "public-url", Value: "https://sso.example.com", Origin: "--public-url"},
			{Name: "database-url", Value: "postgres://rollcall:xxxxx@db.example.com/rollcall?sslmode=verify-full", Origin: "/etc/rollcall.conf"},
			{Name: "dns-server", Origin: "default"},
		}
		o.Version, o.Database = "1.0.0", "postgres://rollcall:xxxxx@db.example.com/rollcall"
	})
	acme := w.organization("Acme Corporation")
	users := w.people(acme, "ada@acme.example", "alan.mathison.turing@a-very-long-name-of-a-company.example.com", "grace@acme.example")
	c := w.okta(acme, "Okta of Acme")
	attempt := w.attempt(c, "ada@acme.example")
	rights, crew := w.members.Access(), access.NewTeam{OrganizationID: string(acme.ID), Name: "Engineering", Description: "Everybody who builds"}
	_, err := rights.CreatePermission(ctx, tester(), access.NewPermission{Slug: "posts:write", Name: "Write posts", Description: "Make and change posts."})
	w.ok(err)
	_, err = rights.CreateRole(ctx, tester(), access.NewRole{Slug: "editor", Name: "Editor", Description: "May write", IsAdmin: true})
	w.ok(err)
	team, err := rights.CreateTeam(ctx, tester(), crew)
	w.ok(err)
	seats := int64(10)
	_, err = rights.CreateLicenceType(ctx, tester(), access.NewLicenceType{OrganizationID: string(acme.ID), Slug: "pro", Name: "Professional", Seats: &seats, OverLimit: access.Admit})
	w.ok(err)
	m := w.memberOf(acme, users[0])
	_, err = rights.AddToTeam(ctx, tester(), string(acme.ID), team.ID, string(m.Membership.ID))
	w.ok(err)
	w.seated(acme, users[0])
	e, err := w.webhooks.Create(ctx, webhook.New{URL: "http://127.0.0.1:9/webhooks/rollcall", Types: []event.Type{"organization.created", "user.created"}})
	w.ok(err)
	w.organization("Globex")
	_, err = w.webhooks.Replay(ctx, e.ID, webhook.Replay{From: w.now().AddDate(0, 0, -1)})
	w.ok(err)
	found, _, err := w.webhooks.Deliveries(ctx, e.ID, webhook.DeliveryQuery{Page: webhook.Page{Limit: 1}})
	w.ok(err)
	var as db.Write
	as.Exec(`INSERT INTO webhook_attempts (id, delivery_id, at, micros, status, error, answer) VALUES ('wha_1', $1, $2, 41000, 500, NULL, 'Internal Server Error')`, string(found[0].ID), w.now().UnixMicro())
	w.ok(w.db.Write(ctx, &as))
	_, _, err = w.orgs.CreateAPIKey(ctx, tester(), acme.ID, org.NewAPIKey{Name: "OneLogin", Permissions: []string{org.PermissionSCIM}})
	w.ok(err)
	a, err := w.issuer.Create(ctx, issuer.New{Name: "Shop", FirstParty: true, SignIn: []issuer.NewURI{{URI: "https://shop.example.com/callback"}}, LogoutURI: "http://127.0.0.1:9/logout"})
	w.ok(err)
	_, _, err = w.issuer.CreateSecret(ctx, a.ID)
	w.ok(err)
	_, err = w.issuer.JWKS(ctx)
	w.ok(err)
	d := w.fed(acme, `{"userName":"ada@acme.example","displayName":"Ada Lovelace","title":"Writer","active":true}`)
	events, err := w.events.List(ctx, event.Query{Limit: 1, Types: []event.Type{"user.created"}})
	w.ok(err)
	list := "?organization=" + string(acme.ID)
	return furnished{w, map[string]string{
		"connections": "/dashboard/connections", "connection-new": at(acme, "connections", "new"), "connection": of(c), "connection-settings": of(c, "settings"), "connection-delete": of(c, "delete"), "connection-mapping": of(c, "mapping"),
		"sign-ins": of(c, "sign-ins"), "sign-in-attempt": of(c, "sign-ins", string(attempt)), "members": "/dashboard/members", "members-of": "/dashboard/members" + list,
		"member": memberAt(m), "member-block": memberAt(m, "block"), "roles": "/dashboard/roles", "role": "/dashboard/roles/editor", "permissions": "/dashboard/permissions",
		"teams": at(acme, "teams"), "team": at(acme, "teams", string(team.ID)), "licences": at(acme, "licences"), "licence": at(acme, "licences", "pro"),
		"mapping": "/dashboard/directories/" + string(d.ID) + "/mapping", "events": "/dashboard/events", "event": "/dashboard/events/" + events[0].ID, "webhooks": "/dashboard/webhooks",
		"webhook": "/dashboard/webhooks/" + string(e.ID), "webhook-new": "/dashboard/webhooks/new", "delivery": "/dashboard/webhook-deliveries/" + string(found[0].ID),
		"audit": "/dashboard/audit", "api-keys": "/dashboard/api-keys" + list, "applications": "/dashboard/applications", "application": "/dashboard/applications/" + a.ID,
		"application-new": "/dashboard/applications/new", "signing-keys": "/dashboard/signing-keys", "settings": "/dashboard/settings",
	}}
}

func TestPages_about_who_is_in_and_what_the_app_is_told_can_be_read_by_everybody(t *testing.T) {
	w, ctx := furnish(t), browsertest.Start(t)
	said := browsertest.Complaints(ctx, t)
	w.signIn(ctx, t, operator.Admin)
	for name, path := range w.pages {
		inspect(ctx, t, w.base+path, "families-"+name, said)
	}
}

func TestMapping_is_edited_previewed_and_saved_in_a_browser(t *testing.T) {
	w, ctx := furnish(t), browsertest.Start(t)
	w.signIn(ctx, t, operator.Admin)
	path := w.base + w.pages["mapping"]
	does(ctx, t, chromedp.Navigate(path), chromedp.SendKeys("#group", "Writers"), chromedp.SetValue("#give", "role:editor"), chromedp.Click("button[value=add]"), chromedp.WaitVisible("ol.confirm-lines li"))
	if text := browsertest.Evaluate[string](ctx, t, "document.querySelector('ol.confirm-lines').innerText"); !strings.Contains(text, "role Editor, where in the group Writers") {
		t.Error(text)
	}
	does(ctx, t, chromedp.Click("button[value=preview]"), chromedp.WaitVisible("#differences"))
	browsertest.Picture(ctx, t, "families-mapping-preview")
	if on := browsertest.Evaluate[bool](ctx, t, "document.querySelector('#drives_roles').checked"); !on {
		t.Error("a rule about roles does not switch roles on")
	}
	does(ctx, t, chromedp.Click("button[value=save]"), chromedp.WaitVisible("[data-toast]"))
	browsertest.Picture(ctx, t, "families-mapping-saved")
}

// TestSecret_is_shown_once_in_a_browser goes the way of who makes a client secret.
func TestSecret_is_shown_once_in_a_browser(t *testing.T) {
	w, ctx := furnish(t), browsertest.Start(t)
	w.signIn(ctx, t, operator.Admin)
	does(ctx, t, chromedp.Navigate(w.base+w.pages["application"]), chromedp.Click("form[action$=secrets] button"), chromedp.WaitVisible("#client-secret"))
	browsertest.Picture(ctx, t, "families-secret")
	value := browsertest.Evaluate[string](ctx, t, "document.querySelector('#client-secret').innerText")
	does(ctx, t, chromedp.Click("main .actions a.btn"), chromedp.WaitVisible("#secrets"))
	if page := browsertest.Evaluate[string](ctx, t, "document.documentElement.outerHTML"); value == "" || strings.Contains(page, value) {
		t.Error("the secret is shown again")
	}
}
