package dashboard_test

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/dashboard"
	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/operator"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/scim"
	"github.com/rollcallhq/rollcall/internal/token"
)

// feed is a directory with its door open.
type feed struct {
	w      *world
	dir    directory.Directory
	secret token.Secret
	access *directory.Access
}

func (w *world) feed(o org.Organization, n directory.New) *feed {
	w.t.Helper()
	n.OrganizationID, n.Type, n.Provider = string(o.ID), directory.OktaSCIM, "okta"
	if n.Name == "" {
		n.Name = "Okta"
	}
	d, secret, err := w.dirs.Create(ctx, tester(), n)
	w.ok(err)
	f := &feed{w: w, dir: d, secret: secret}
	f.open()
	w.ok(w.dirs.NoteAccepted(ctx, f.access))
	f.open()
	return f
}

func (f *feed) open() {
	f.w.t.Helper()
	var err error
	f.access, err = f.w.dirs.Authenticate(ctx, "", f.secret)
	f.w.ok(err)
}

// at is an address below the directory's.
func (f *feed) at(parts ...string) string {
	return "/dashboard/directories/" + strings.Join(append([]string{string(f.dir.ID)}, parts...), "/")
}

// effect is what the edge of SCIM says of a change.
func effect(o directory.Outcome) string {
	id := ""
	if o.User != nil {
		id = `,"resource":"user","id":"` + string(o.User.ID) + `"`
	}
	return `{"summary":"A person was added.","change":"` + string(o.Change) + `"` + id + `,"events":[{"type":"dsync.user.created","id":"event_1"}]}`
}

func (f *feed) record(o directory.Outcome) *directory.Exchange {
	return &directory.Exchange{
		At: f.w.now(), Method: "POST", Path: "/Users", Status: 201, Took: 1500 * time.Microsecond, RequestID: "req_1", UserAgent: "Okta SCIM Client", Effect: []byte(effect(o)),
		Body: []byte(`{"userName":"sent"}`), Answer: []byte(`{"userName":"answered"}`),
	}
}

func (f *feed) document(kind *scim.ResourceType, text string) *scim.Object {
	f.w.t.Helper()
	o, err := scim.ReadObject([]byte(text), scim.DefaultLimits)
	f.w.ok(err)
	o, err = kind.Prepare(o, scim.Mode{})
	f.w.ok(err)
	return o
}

func (f *feed) user(text string) directory.User {
	f.w.t.Helper()
	u, _, err := f.w.dirs.CreateUser(ctx, f.access, f.document(f.access.Model.User, text), f.record)
	f.w.ok(err)
	return u
}

func (f *feed) group(name string, members ...string) directory.Group {
	f.w.t.Helper()
	refs := make([]scim.MemberRef, len(members))
	for i, m := range members {
		refs[i].Value = m
	}
	g, err := f.w.dirs.CreateGroup(ctx, f.access, f.document(f.access.Model.Group, fmt.Sprintf(`{"displayName":%q}`, name)), refs, f.record)
	f.w.ok(err)
	return g
}

const refusedEffect = `{"summary":"The request was refused: The value of active is no boolean.","change":"unchanged","refusal":{"status":400,"code":"invalidValue",` +
	`"reason":"The value of active is no boolean.","field":"active","wanted":"true or false","got":"\"Flase\"","fix_by":"it_admin","advice":"Change the attribute mapping."}}`

// exchange records a request that changed nothing. Background work that ends writes what is waiting.
func (f *feed) exchange(x directory.Exchange) directory.ExchangeID {
	f.w.t.Helper()
	x.ID, x.OrganizationID, x.DirectoryID, x.At = f.w.dirs.NewExchangeID(), f.dir.OrganizationID, f.dir.ID, f.w.now()
	if x.Method == "" {
		x.Method, x.Path, x.Status, x.Effect = "GET", "/Users", 200, []byte(`{"summary":"People were listed.","change":"unchanged","action":"list"}`)
	}
	f.w.dirs.Note(&x)
	ended, end := context.WithCancel(ctx)
	end()
	f.w.dirs.Run(ended)
	return x.ID
}

var copied = regexp.MustCompile(`(?s)id="(endpoint|token)">([^<]+)<`)

func TestDirectory_is_added_by_choosing_a_provider_and_shows_its_token_once(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		acme := w.organization("Acme")
		b := w.as(operator.Admin)
		path := at(acme, "directories", "new")
		b.get(path).want(t, http.StatusOK).says(t, "Okta", "Microsoft Entra ID", "Another SCIM 2.0 client", "Invite")
		for _, wrong := range []string{"", "nobody", "custom-saml", hostile} {
			b.send(path, "provider", wrong, "provisioning", "invite").want(t, http.StatusUnprocessableEntity).says(t, "Choose an identity provider").harmless(t)
		}
		b.send(path, "provider", "okta", "provisioning", "everybody").want(t, http.StatusUnprocessableEntity)
		made := b.send(path, "provider", "okta", "name", "", "provisioning", "direct").want(t, http.StatusOK).says(t, "Okta is ready", "now and never again")
		w.byOperator(t, "directory.created")
		w.byOperator(t, "dsync.token.created")
		shown := map[string]string{}
		for _, m := range copied.FindAllStringSubmatch(made.body, -1) {
			shown[m[1]] = m[2]
		}
		found, _, err := w.dirs.List(ctx, directory.ListQuery{OrganizationID: string(acme.ID), Limit: 5})
		if err != nil || len(found) != 1 || found[0].Type != directory.OktaSCIM || found[0].Provider != "okta" || found[0].Provisioning != directory.Direct || found[0].LiveAt.IsZero() {
			t.Fatalf("%+v %v", found, err)
		}
		if shown["endpoint"] != w.base+"/scim/v2/"+found[0].AddressKey {
			t.Error("endpoint", shown["endpoint"])
		}
		if _, err := w.dirs.Authenticate(ctx, found[0].AddressKey, token.Secret(shown["token"])); err != nil {
			t.Errorf("the token %q opens nothing: %v", shown["token"], err)
		}
		if made.Header.Get("Cache-Control") != "no-store" {
			t.Error("the page with the token may be kept")
		}
		here := "/dashboard/directories/" + string(found[0].ID)
		for _, page := range []string{"", "/tokens", "/settings"} {
			if strings.Contains(b.get(here+page).want(t, http.StatusOK).body, shown["token"]) {
				t.Errorf("%s shows the token again", page)
			}
		}
		if strings.Contains(w.said(), shown["token"]) {
			t.Error("the log holds the token")
		}
		b.get(here).says(t, "No request has come yet", "Waiting for the provider", "Active at once")
		b.get(at(acme)).says(t, "Okta", "Waiting for the provider")
	})
}

func TestTokens_are_two_at_most_and_end_one_by_one(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		f, other := w.feed(w.organization("Acme"), directory.New{}), w.feed(w.organization("Globex"), directory.New{})
		b := w.as(operator.Admin)
		b.send(f.at("tokens")).want(t, http.StatusOK).says(t, "A second token is ready", "Bearer token")
		w.byOperator(t, "dsync.token.created")
		b.send(f.at("tokens")).want(t, http.StatusConflict)
		all, err := w.dirs.Tokens(ctx, f.dir.ID)
		if err != nil || len(all) != 2 {
			t.Fatalf("%+v %v", all, err)
		}
		b.get(f.at("tokens")).want(t, http.StatusOK).says(t, "…"+all[0].Suffix, "…"+all[1].Suffix, "Live")
		revoke := f.at("tokens", string(all[0].ID), "revoke")
		b.get(revoke).want(t, http.StatusOK).says(t, "Revoke the token that ends in "+all[0].Suffix)
		b.send(other.at("tokens", string(all[0].ID), "revoke")).want(t, http.StatusNotFound)
		if _, err := w.dirs.Authenticate(ctx, "", f.secret); err != nil {
			t.Fatal("another directory's page has revoked the token:", err)
		}
		b.send(revoke).location(t)
		w.byOperator(t, "dsync.token.revoked")
		if _, err := w.dirs.Authenticate(ctx, "", f.secret); err == nil {
			t.Error("the revoked token opens the door")
		}
		b.get(f.at("tokens")).says(t, "Revoked")
		b.send(revoke).want(t, http.StatusNotFound)
		b.send(f.at("tokens", "directory_token_x", "revoke")).want(t, http.StatusNotFound)
	})
}

func TestSettings_of_a_directory_change_what_the_form_changes(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		f := w.feed(w.organization("Acme"), directory.New{})
		b := w.as(operator.Admin)
		form := func(pairs ...string) []string {
			all := map[string]string{"name": "Okta", "provider": "okta", "label": "", "inactive_users": "kept", "provisioning": "invite"}
			for i := 0; i+1 < len(pairs); i += 2 {
				all[pairs[i]] = pairs[i+1]
			}
			var out []string
			for k, v := range all {
				out = append(out, k, v)
			}
			return out
		}
		b.get(f.at("settings")).want(t, http.StatusOK).says(t, "Label", "Strict", "as updated")
		for name, value := range map[string]string{"name": "", "label": "No Label", "provider": "nobody", "inactive_users": "burnt", "provisioning": "all"} {
			b.send(f.at("settings"), form(name, value)...).want(t, http.StatusUnprocessableEntity)
		}
		b.send(f.at("settings"), form()...).location(t)
		if got := w.audits("directory.updated"); len(got) != 0 {
			t.Error("what changes nothing is in the audit", got)
		}
		b.send(f.at("settings"), form("name", hostile, "label", "acme", "inactive_users", "removed", "provisioning", "existing_only", "strict", "on")...).location(t)
		w.byOperator(t, "directory.updated")
		d, err := w.dirs.Get(ctx, f.dir.ID)
		if err != nil || d.Name != hostile || d.Label != "acme" || d.InactiveUsers != directory.Removed || d.Provisioning != directory.ExistingOnly || !d.Strict || d.Provider != "okta" {
			t.Fatalf("%+v %v", d, err)
		}
		b.get(f.at()).want(t, http.StatusOK).says(t, hostile, w.base+"/scim/v2/acme").harmless(t)
		b.send(f.at("settings"), form("name", hostile, "provider", "")...).location(t)
		if d, err = w.dirs.Get(ctx, f.dir.ID); err != nil || d.Strict || d.Provider != "" || d.Label != "" {
			t.Errorf("%+v %v", d, err)
		}
	})
}

func TestPeople_of_a_directory_are_found_by_name_and_state_and_shown_with_what_they_are_made_of(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		f, other := w.feed(w.organization("Acme"), directory.New{}), w.feed(w.organization("Globex"), directory.New{})
		var ada directory.User
		for i := range 30 {
			f.user(fmt.Sprintf(`{"userName":"person%02d@acme.example"}`, i))
		}
		ada = f.user(fmt.Sprintf(`{"userName":"ada@acme.example","externalId":"00u1","displayName":%q,"title":"Countess","name":{"givenName":"Ada"}}`, hostile))
		gone := f.user(`{"userName":"gone@acme.example","active":false}`)
		staff := f.group(hostile, string(ada.ID), "nobody-yet")
		b := w.as(operator.ReadOnly)
		page := b.get(f.at("users")).want(t, http.StatusOK).says(t, hostile, "gone@acme.example", "Inactive", "person29").harmless(t)
		second := b.get(f.at("users")+hrefOf(t, page, `rel="next"`)).want(t, http.StatusOK).says(t, "person00")
		b.get(f.at("users")+hrefOf(t, second, `rel="prev"`)).says(t, "gone@acme.example")
		if text := b.get(f.at("users")+"?state=inactive").says(t, "gone@acme.example").text(); strings.Contains(text, "person") {
			t.Error("active people are among the inactive", text)
		}
		if text := b.get(f.at("users")+"?search=ADA&state=active").says(t, "ada@acme.example").text(); strings.Contains(text, "person") || strings.Contains(text, "gone@") {
			t.Error("others are among those found:", text)
		}
		b.get(f.at("users")+"?search=xyz").says(t, "Nobody matches")
		b.get(f.at("users")+"?search=%00").want(t, http.StatusBadRequest)

		b.get(f.at("users", string(ada.ID))).want(t, http.StatusOK).harmless(t).says(t,
			hostile, "displayName", "ada@acme.example", "userName", "Countess", "job_title", "title", "00u1", "externalId", "Directly", "Nothing was made of this person yet", `"userName" : "ada@acme.example"`)
		b.get(f.at("users", string(gone.ID))).says(t, "Inactive", "In no group")
		b.get(f.at("groups")).want(t, http.StatusOK).says(t, hostile).harmless(t)
		b.get(f.at("groups")+"?search=xyz").says(t, "No group matches")
		b.get(f.at("groups", string(staff.ID))).want(t, http.StatusOK).says(t, hostile, "ada@acme.example", "nobody-yet", "Names nobody yet").harmless(t)

		for _, path := range []string{
			other.at("users", string(ada.ID)), other.at("groups", string(staff.ID)), f.at("users", "x"), f.at("groups", "x"), f.at("users", string(staff.ID)),
			"/dashboard/directories/x", "/dashboard/directories/x/users", f.at("nothing"),
		} {
			b.get(path).want(t, http.StatusNotFound)
		}
	})
}

func TestPerson_whose_sign_in_was_stopped_is_marked_and_a_member_is_shown_with_why(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		acme := w.organization("Acme", org.NewDomain{Domain: "acme.example", State: org.Verified})
		f := w.feed(acme, directory.New{Provisioning: directory.Direct})
		ada, nobody := f.user(`{"userName":"ada@acme.example"}`), f.user(`{"userName":"nobody"}`)
		w.ok(w.dirs.Provision(ctx))
		b := w.as(operator.ReadOnly)
		b.get(f.at("users", string(ada.ID))).want(t, http.StatusOK).says(t, "Active: the directory wants them in")
		b.get(f.at("users", string(nobody.ID))).says(t, "has no usable address")
		_, err := w.dirs.SuspendUser(ctx, f.access, string(ada.ID), f.record)
		w.ok(err)
		b.get(f.at("users", string(ada.ID))).want(t, http.StatusOK).says(t, "Suspended", "The sign-in of this person is stopped")
	})
}

func TestExchanges_say_what_they_did_and_who_has_to_mend_what(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		f, other := w.feed(w.organization("Acme"), directory.New{}), w.feed(w.organization("Globex"), directory.New{})
		b := w.as(operator.ReadOnly)
		b.get(f.at("exchanges")).want(t, http.StatusOK).says(t, "No requests yet")
		ada := f.user(`{"userName":"ada@acme.example"}`)
		bad := f.exchange(directory.Exchange{
			Method: "PATCH", Path: "/Users/" + hostile, Status: 400, RequestID: "req_2", UserAgent: hostile, Effect: []byte(refusedEffect), Body: []byte(hostile), Answer: []byte(`{"detail":"no"}`),
			TokenID: f.access.TokenID,
		})
		page := b.get(f.at("exchanges")).want(t, http.StatusOK).says(t, "A person was added.", "PATCH /Users/", "400", "201").harmless(t)
		if strings.Index(page.text(), "PATCH") > strings.Index(page.text(), "POST") {
			t.Error("the newest is not first")
		}
		if text := b.get(f.at("exchanges")+"?show=refused").says(t, "PATCH").text(); strings.Contains(text, "A person was added") {
			t.Error("accepted ones are among the refused:", text)
		}
		b.get(f.at("exchanges", string(bad))).want(t, http.StatusOK).harmless(t).says(t,
			"The value of active is no boolean", "To be mended by whoever looks after the identity provider.", "Change the attribute mapping", "true or false", `"Flase"`, hostile, `"detail" : "no"`, "…"+w.suffix(f))
		b.get(other.at("exchanges", string(bad))).want(t, http.StatusNotFound)
		b.get(f.at("exchanges", "x")).want(t, http.StatusNotFound)
		good, _, err := w.dirs.ExchangeHeads(ctx, directory.ExchangeQuery{Directory: f.dir.ID, Before: bad, Limit: 1})
		w.ok(err)
		b.get(f.at("exchanges", string(good[0].ID))).says(t, "dsync.user.created event_1", string(ada.ID), "1.5 ms", `"userName" : "sent"`, `"userName" : "answered"`)
		b.get(f.at()).says(t, "The last request was refused", "The value of active is no boolean")
	})
}

func (w *world) suffix(f *feed) string {
	w.t.Helper()
	all, err := w.dirs.Tokens(ctx, f.dir.ID)
	w.ok(err)
	return all[0].Suffix
}

func TestExchanges_that_are_new_arrive_at_a_page_that_is_open(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		f := w.feed(w.organization("Acme"), directory.New{})
		f.exchange(directory.Exchange{})
		b := w.as(operator.ReadOnly)
		poll := hrefOf(t, answerWithHref(b.get(f.at("exchanges")).says(t, "New requests appear by themselves")), `hx-trigger`)
		if !strings.HasPrefix(poll, f.at("exchanges", "live")) {
			t.Fatal("it asks at", poll)
		}
		b.get(poll).want(t, http.StatusNoContent)
		f.exchange(directory.Exchange{Method: "PATCH", Path: "/Users/2", Status: 400, Effect: []byte(refusedEffect)})
		fresh := b.get(poll).want(t, http.StatusOK).says(t, "PATCH /Users/2")
		if strings.Contains(fresh.body, "<html") {
			t.Error("it is a whole page")
		}
		again := hrefOf(t, answerWithHref(fresh), `hx-trigger`)
		b.get(again).want(t, http.StatusNoContent)

		// Whoever looks at the refused ones only is not disturbed by others.
		refused := hrefOf(t, answerWithHref(b.get(f.at("exchanges")+"?show=refused")), `hx-trigger`)
		f.exchange(directory.Exchange{})
		b.get(refused).want(t, http.StatusNoContent)

		w.later(21 * time.Minute)
		ended := b.get(again).want(t, http.StatusOK).says(t, "stopped following")
		if strings.Contains(ended.body, "hx-get") {
			t.Error("it goes on asking for ever, and with it the session")
		}
		b.get(f.at("exchanges", "live")+"?until=x").want(t, http.StatusBadRequest)
	})
}

// answerWithHref reads the address that a script asks as if it were a link's.
func answerWithHref(a answer) answer {
	a.body = strings.ReplaceAll(a.body, `hx-get="`, `href="`)
	return a
}

func TestExchanges_go_back_in_time_page_by_page(t *testing.T) {
	w := small(t)
	f := w.feed(w.organization("Acme"), directory.New{})
	for i := range 30 {
		f.user(fmt.Sprintf(`{"userName":"person%02d"}`, i))
	}
	b := w.as(operator.ReadOnly)
	first := b.get(f.at("exchanges")).want(t, http.StatusOK)
	older := b.get(hrefOf(t, first, `rel="next"`)).want(t, http.StatusOK).says(t, "Older requests", "First page")
	if n := strings.Count(older.text(), "POST /Users"); n != 5 || strings.Contains(older.body, "hx-get") {
		t.Errorf("%d requests on the second page", n)
	}
	b.get(f.at("exchanges")+"?after=x").want(t, http.StatusBadRequest)
}

func TestSilent_directory_says_what_becomes_of_whom_before_it_goes_live(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		f := w.feed(w.organization("Acme"), directory.New{Silent: true})
		f.user(`{"userName":"ada@acme.example"}`)
		f.user(`{"userName":"nobody"}`)
		reader := w.as(operator.ReadOnly)
		if strings.Contains(reader.get(f.at("go-live")).want(t, http.StatusOK).says(t, "Is invited by mail", "has no usable address").body, `action="`+f.at("go-live")) {
			t.Error("the button is offered to who may only look")
		}
		b := w.as(operator.Admin)
		b.get(f.at()).says(t, "Collecting", "This directory only collects")
		b.send(f.at("go-live")).location(t)
		if d, err := w.dirs.Get(ctx, f.dir.ID); err != nil || d.LiveAt.IsZero() {
			t.Fatalf("%+v %v", d, err)
		}
		w.byOperator(t, "directory.updated")
		if to := b.get(f.at("go-live")).location(t); to != f.at() {
			t.Error(to)
		}
	})
}

func TestPaused_directory_is_looked_at_before_it_goes_live_again(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		f := w.feed(w.organization("Acme"), directory.New{})
		f.user(`{"userName":"ada@acme.example"}`)
		var pause db.Write
		pause.Exec("UPDATE directories SET paused_at = $2 WHERE id = $1", string(f.dir.ID), w.now().UnixMicro())
		w.ok(w.db.Write(ctx, &pause))
		b := w.as(operator.Admin)
		b.get(f.at()).says(t, "Paused", "This directory is paused")
		b.get(f.at("go-live")).want(t, http.StatusOK).says(t, "Is invited by mail")
		b.send(f.at("go-live")).location(t)
		if d, err := w.dirs.Get(ctx, f.dir.ID); err != nil || !d.Live() {
			t.Fatalf("%+v %v", d, err)
		}
	})
}

func TestDirectory_is_deleted_by_who_types_its_name(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		acme := w.organization("Acme")
		f := w.feed(acme, directory.New{Name: "Okta  of\tAcme"})
		f.user(`{"userName":"ada@acme.example"}`)
		b := w.as(operator.Admin)
		b.get(f.at("delete")).want(t, http.StatusOK).says(t, "1 person is in it", "stop working at once")
		b.send(f.at("delete"), "confirm", "okta").want(t, http.StatusUnprocessableEntity)
		if to := b.send(f.at("delete"), "confirm", " Okta of Acme").location(t); to != at(acme)+"?did=directory_deleted" {
			t.Error(to)
		}
		w.byOperator(t, "dsync.deleted")
		b.get(f.at()).want(t, http.StatusNotFound)
		b.get(f.at("users")).want(t, http.StatusNotFound)
		if _, err := w.dirs.Authenticate(ctx, "", f.secret); err == nil {
			t.Error("its token opens the door")
		}
	})
}

func TestOrganization_whose_feature_is_off_says_so_on_its_directory(t *testing.T) {
	w := small(t)
	acme := w.organization("Acme")
	f := w.feed(acme, directory.New{})
	_, err := w.orgs.SetFeatures(ctx, tester(), acme.ID, map[org.Feature]bool{org.DirectorySync: false})
	w.ok(err)
	w.as(operator.ReadOnly).get(f.at()).want(t, http.StatusOK).says(t, "Directory sync is switched off for this organization")
}

func TestPages_of_customers_change_nothing_without_the_token_of_the_session(t *testing.T) {
	w := small(t)
	acme := w.organization("Acme")
	f := w.feed(acme, directory.New{})
	b, reader := w.as(operator.Admin), w.as(operator.ReadOnly)
	looked := 0
	for _, line := range dashboard.Table() {
		if !line.Posts || !strings.HasPrefix(line.Pattern, "/dashboard/organizations") && !strings.HasPrefix(line.Pattern, "/dashboard/directories") {
			continue
		}
		looked++
		path := strings.Replace(strings.Replace(line.Pattern, "organizations/{id}", "organizations/"+string(acme.ID), 1), "directories/{id}", "directories/"+string(f.dir.ID), 1)
		b.post(path, nil).want(t, http.StatusForbidden)
		reader.send(path, "confirm", "Acme").want(t, http.StatusForbidden)
	}
	if looked < 15 {
		t.Errorf("looked at only %d addresses", looked)
	}
	if _, err := w.orgs.Get(ctx, acme.ID); err != nil {
		t.Error(err)
	}
	if got := w.audits("directory.updated"); len(got) > 0 {
		t.Error(got)
	}
}

func TestExchange_that_was_a_read_can_be_asked_again_and_no_other(t *testing.T) {
	asked := ""
	each(t, func(t *testing.T, w *world) {
		f, theirs := w.feed(w.organization("Acme"), directory.New{}), w.feed(w.organization("Other"), directory.New{Name: "Theirs"})
		read := f.exchange(directory.Exchange{Method: "GET", Path: "/Users?count=2", Status: 200, Effect: []byte(`{"summary":"listed"}`), Answer: []byte(`{"was":"then"}`)})
		wrote := f.exchange(directory.Exchange{Method: "PATCH", Path: "/Users/1", Status: 200, Effect: []byte(`{"summary":"changed"}`)})
		b, reader := w.as(operator.Admin), w.as(operator.ReadOnly)
		b.get(f.at("exchanges", string(read))).want(t, http.StatusOK).says(t, "Ask again")
		if strings.Contains(b.get(f.at("exchanges", string(wrote))).text(), "Ask again") || strings.Contains(reader.get(f.at("exchanges", string(read))).text(), "Ask again") {
			t.Error("it is offered where it cannot be done")
		}
		b.send(f.at("exchanges", string(read), "replay")).want(t, http.StatusOK).says(t, "Asked again", `"was" : "then"`, `"is" : "now`).harmless(t)
		if asked != string(f.dir.ID)+" /Users?count=2" {
			t.Error("asked", asked)
		}
		asked = ""
		b.send(f.at("exchanges", string(wrote), "replay")).want(t, http.StatusConflict)
		b.send(theirs.at("exchanges", string(read), "replay")).want(t, http.StatusNotFound)
		reader.send(f.at("exchanges", string(read), "replay")).want(t, http.StatusForbidden)
		if asked != "" {
			t.Error("asked", asked)
		}
	}, func(o *dashboard.Options) {
		o.Again = func(_ context.Context, d directory.ID, path string) (int, []byte, error) {
			asked = string(d) + " " + path
			return http.StatusOK, []byte(`{"is":"now <script>alert(1)</script>"}`), nil
		}
	})
}
