package signin_test

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"testing"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/sso"
)

// two makes Alice a member of two organizations that are entered without a provider, and gives their ids.
func (w *world) two() (acme, globex string) {
	w.t.Helper()
	w.browser().signIn()
	other, err := w.orgs.Create(ctx, operator(), org.New{Name: "Globex"})
	w.ok(err)
	var as db.Write // as an invitation makes a guest
	as.Exec(`INSERT INTO organization_memberships (id, organization_id, user_id, state, is_primary, role, why, version, created_at, updated_at)
		SELECT 'om_guest', $1, user_id, state, FALSE, role, why, 1, created_at, updated_at FROM organization_memberships`, string(other.ID))
	w.ok(w.db.Write(ctx, &as))
	w.optional()
	_, err = w.conns.Update(ctx, operator(), w.conn.ID, sso.Change{State: ref(sso.Inactive)})
	w.ok(err)
	return string(w.org.ID), string(other.ID)
}

// choosing proves an address by a mailed code and gives the page that asks for the organization.
func (b *browser) choosing(email string, more ...string) answer {
	b.w.t.Helper()
	_, code, magic := b.w.mailed(b, email, more...)
	page := b.post("/sign-in/code", url.Values{"magic": {magic}, "code": {code}})
	return page.want(b.w.t, http.StatusOK)
}

func (b *browser) choose(page answer, organization string) answer {
	b.w.t.Helper()
	return b.post("/sign-in/organization", url.Values{"choice": {page.hidden(b.w.t, "choice")}, "organization": {organization}})
}

// offered are the organizations on the page in their order, and the one that is marked.
func offered(page answer) (ids []string, marked string) {
	for _, m := range regexp.MustCompile(`name="organization" value="([^"]+)">([^<]*)(<span)?`).FindAllStringSubmatch(page.body, -1) {
		ids = append(ids, m[1])
		if m[3] != "" {
			marked += m[1]
		}
	}
	return ids, marked
}

func TestChoice_of_an_organization_is_shown_first_the_next_time_and_binds_nobody(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		acme, globex := w.two()
		b := w.browser()
		page := b.choosing("alice@acme.example")
		if ids, marked := offered(page); len(ids) != 2 || marked != "" {
			t.Fatalf("the first time: %v, marked %q", ids, marked)
		}
		for _, chosen := range []string{globex, acme, globex} { // one of them is not first by itself
			w.code(b.choose(page, chosen).location(t))
			page = b.choosing("alice@acme.example", "prompt", "login")
			if ids, marked := offered(page); len(ids) != 2 || ids[0] != chosen || marked != chosen || !slices.Contains(ids, acme) || !slices.Contains(ids, globex) {
				t.Errorf("after choosing %s: %v, marked %q", chosen, ids, marked)
			}
		}
	})
}

func TestChoice_of_one_person_is_not_shown_to_another_of_the_same_browser(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		_, globex := w.two()
		b := w.browser()
		w.code(b.choose(b.choosing("alice@acme.example"), globex).location(t))
		w.mailed(b, "bob@guest.example", "prompt", "login") // types another address, and forgets the choice with it
		if ids, marked := offered(b.choosing("alice@acme.example", "prompt", "login")); len(ids) != 2 || marked != "" {
			t.Errorf("%v, marked %q", ids, marked)
		}
	})
}
