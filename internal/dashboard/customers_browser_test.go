package dashboard_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/lifecycle"
	"github.com/rollcallhq/rollcall/internal/operator"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/scim"
	"github.com/rollcallhq/rollcall/internal/switching"
	"github.com/rollcallhq/rollcall/internal/web/browsertest"
)

// customer is an organization that looks like one.
func (w *world) customer() (org.Organization, *feed, directory.User, directory.Group, directory.ExchangeID) {
	w.t.Helper()
	acme := w.organization("Acme Corporation", org.NewDomain{Domain: "acme.example", State: org.Verified}, org.NewDomain{Domain: "acme-research.example", State: org.Pending})
	for i := range 28 {
		w.organization(fmt.Sprintf("Customer %d", i))
	}
	w.proven(acme)
	ada := w.people(acme, "ada@acme.example")[0]
	_, err := w.policies.NameBreakGlass(ctx, tester(), acme.ID, lifecycle.NewBreakGlass{UserID: ada.ID, Reason: "Okta is down", ExpiresAt: w.now().Add(5 * time.Hour)})
	w.ok(err)
	f := w.feed(acme, directory.New{})
	for i := range 40 {
		f.user(fmt.Sprintf(`{"userName":"person%02d@acme.example","externalId":"00u%d","displayName":"Person %d","title":"Engineer","active":%v}`, i, i, i, i%7 != 0))
	}
	u := f.user(`{"userName":"grace.hopper@research.acme.example","externalId":"00u1k2l3m4","displayName":"Grace Brewster Murray Hopper","title":"Rear admiral","name":{"givenName":"Grace","familyName":"Hopper"},` +
		`"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"department":"Research and development of compilers"}}`)
	g := f.group("Administrators of everything", string(u.ID), "00u-not-here-yet")
	f.exchange(directory.Exchange{})
	bad := f.exchange(directory.Exchange{
		Method: "PATCH", Path: "/Users/" + string(u.ID), Status: 400, Took: 1234 * time.Microsecond, RequestID: "req_01KAJ7C9V3Z8P0N6M2Q4R5S7T8", UserAgent: "Okta SCIM Client 1.0.0", Effect: []byte(refusedEffect),
		Body:    []byte(`{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"replace","path":"active","value":"Flase"}]}`),
		Answer:  []byte(`{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"400","scimType":"invalidValue","detail":"active is neither true nor false"}`),
		TokenID: f.access.TokenID,
	})
	return acme, f, u, g, bad
}

func TestPages_of_customers_can_be_read_by_everybody(t *testing.T) {
	w, ctx := small(t), browsertest.Start(t)
	said := browsertest.Complaints(ctx, t)
	w.signIn(ctx, t, operator.Admin)
	acme, f, u, g, bad := w.customer()
	silent := w.feed(acme, directory.New{Name: "Set up in the portal", Silent: true})
	silent.user(`{"userName":"alan@acme.example"}`)
	for name, page := range map[string]string{
		"organizations": "/dashboard/organizations", "organization-new": "/dashboard/organizations/new", "organization": at(acme), "organization-edit": at(acme, "edit"),
		"organization-delete": at(acme, "delete"), "domains": at(acme, "domains"), "policy": at(acme, "policy"), "left-out": at(acme, "policy", "left-out"), "features": at(acme, "features"),
		"directory-new": at(acme, "directories", "new"), "directory": f.at(), "users": f.at("users"), "user": f.at("users", string(u.ID)), "groups": f.at("groups"),
		"group": f.at("groups", string(g.ID)), "exchanges": f.at("exchanges"), "exchange": f.at("exchanges", string(bad)), "tokens": f.at("tokens"),
		"directory-settings": f.at("settings"), "directory-delete": f.at("delete"), "go-live": silent.at("go-live"), "directory-silent": silent.at(),
	} {
		inspect(ctx, t, w.base+page, name, said)
	}
	does(ctx, t, chromedp.Navigate(w.base+f.at("tokens")), chromedp.Click(".listing-tools button"), chromedp.WaitVisible("#token"))
	browsertest.Picture(ctx, t, "token-made")
}

func TestExchange_appears_within_seconds_and_leaves_the_keyboard_where_it_is(t *testing.T) {
	w, ctx := small(t), browsertest.Start(t)
	said := browsertest.Complaints(ctx, t)
	w.signIn(ctx, t, operator.ReadOnly)
	f := w.feed(w.organization("Acme"), directory.New{})
	first := f.exchange(directory.Exchange{})
	does(ctx, t, chromedp.Navigate(w.base+f.at("exchanges")), chromedp.WaitVisible("#"+string(first)))
	browsertest.Evaluate[any](ctx, t, fmt.Sprintf("document.querySelector('#%s a').focus(); 1", first))
	second := f.exchange(directory.Exchange{Method: "PATCH", Path: "/Users/2", Status: http.StatusBadRequest, Effect: []byte(refusedEffect)})
	begin := time.Now()
	does(ctx, t, chromedp.WaitVisible("#"+string(second)))
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("it took %s", took)
	}
	if at := browsertest.Evaluate[string](ctx, t, "document.activeElement.closest('tr')?.id ?? ''"); at != string(first) {
		t.Errorf("the keyboard is at %q", at)
	}
	if text := browsertest.Evaluate[string](ctx, t, "document.querySelector('#exchanges tbody tr').innerText"); !strings.Contains(text, "PATCH /Users/2") {
		t.Error("the newest is not first:", text)
	}
	if lines := said(); len(lines) > 0 {
		t.Error("the browser says", lines)
	}
}

func TestHealth_of_a_directory_and_what_an_IT_admin_asks_for_can_be_read_by_everybody(t *testing.T) {
	w, ctx := small(t), browsertest.Start(t)
	said := browsertest.Complaints(ctx, t)
	acme := w.organization("Acme Corporation")
	d, err := w.orgs.CreateDomain(ctx, tester(), acme.ID, "acme.example")
	w.ok(err)
	asker := "it@acme.example"
	_, err = w.orgs.AskApproval(ctx, event.Actor{ID: "contact_1", Source: event.AdminPortal, Name: &asker}, acme.ID, d.ID)
	w.ok(err)
	f := w.feed(acme, directory.New{})
	u := f.user(`{"userName":"grace@acme.example","displayName":"Grace Hopper","title":"Rear admiral","active":true}`)
	f.group("App users of the whole company", string(u.ID))
	f.deactivate(u)
	w.came(w.okta(acme, "Okta"), "ada.lovelace@acme.example")
	w.later(2 * time.Hour)
	w.signIn(ctx, t, operator.Admin)
	for name, page := range map[string]string{"health": f.at("health"), "domain-asked": at(acme, "domains"), "home-month": "/dashboard/?over=month"} {
		inspect(ctx, t, w.base+page, name, said)
	}
}

// deactivate makes somebody inactive.
func (f *feed) deactivate(u directory.User) {
	f.w.t.Helper()
	_, _, err := f.w.dirs.UpdateUser(f.w.t.Context(), f.access, string(u.ID), directory.Condition{MentionsActive: true}, func(doc *scim.Object) (*scim.Object, error) {
		out := doc.Clone()
		out.Set("active", scim.BoolOf(false))
		return out, nil
	}, f.record)
	f.w.ok(err)
}

func TestPages_of_the_brake_can_be_read_by_everybody(t *testing.T) {
	w, ctx := small(t), browsertest.Start(t)
	said := browsertest.Complaints(ctx, t)
	w.signIn(ctx, t, operator.Admin)
	acme := w.organization("Acme Corporation", org.NewDomain{Domain: "acme.example", State: org.Verified})
	f, _, h := w.braked(acme, "Grace Brewster Murray Hopper", 30)
	page := f.at("holds", string(h.ID))
	for name, path := range map[string]string{
		"home": "/dashboard/", "directory": f.at(), "settings": f.at("settings"), "holds": f.at("holds"), "hold": page, "release": page + "/release", "undo": page + "/undo",
	} {
		inspect(ctx, t, w.base+path, "brake-"+name, said)
	}
}

func TestPages_of_a_switch_can_be_read_by_everybody(t *testing.T) {
	w, ctx := small(t), browsertest.Start(t)
	said := browsertest.Complaints(ctx, t)
	w.signIn(ctx, t, operator.Admin)
	m := w.moving("Acme")
	s, err := w.switches.Create(t.Context(), tester(), m.org.ID, lifecycle.NewSwitch{Directory: switching.Pair{From: string(m.old.dir.ID), To: string(m.next.dir.ID)}})
	w.ok(err)
	path := m.at(string(s.ID))
	for name, page := range map[string]string{
		"organization": at(m.org), "list": m.at(), "new": m.at("new"), "one": path, "match": path + "/people/" + string(m.bob.ID), "cut-over": path + "/cut-over", "directory": m.next.at(),
	} {
		inspect(ctx, t, w.base+page, "switch-"+name, said)
	}
}

func TestPages_of_who_might_not_get_in_can_be_read_by_everybody(t *testing.T) {
	w, ctx := small(t), browsertest.Start(t)
	said := browsertest.Complaints(ctx, t)
	w.signIn(ctx, t, operator.Admin)
	acme, _, _, _, _ := w.customer()
	w.people(acme, "mary.somerville@acme.example", "a.contractor.with.rather.a.long.name@agency-for-contractors.example")
	inspect(ctx, t, w.base+at(acme, "policy", "left-out"), "left-out-some", said)
	choose := func(policy string) {
		does(ctx, t, chromedp.Navigate(w.base+at(acme, "policy")), chromedp.Click(`input[name="sso"][value="`+policy+`"]`), chromedp.Submit(`input[name="sso"]`))
	}
	choose("optional")
	does(ctx, t, chromedp.WaitReady(`input[name="sso"][value="optional"][checked]`))
	for _, l := range browsertest.Looks() {
		l.Put(ctx, t)
		choose("required_for_all")
		does(ctx, t, chromedp.WaitReady(`input[name="confirm"]`))
		seen(ctx, t, "left-out-asks", l.Name)
	}
}
