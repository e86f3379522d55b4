package issuer_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/issuer"
	"github.com/rollcallhq/rollcall/internal/oidc"
)

func TestApplication_keeps_what_it_is_made_of_and_changes_only_what_is_named(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		a, err := w.s.Create(ctx, issuer.New{
			Name: " App ", Description: "For all", FirstParty: true, UsesPKCE: true, Scopes: []string{"openid", "email"}, SignIn: []issuer.NewURI{{URI: "https://a.test/1"}, {URI: "https://a.test/2", Default: true}},
			SignOut: []string{"https://a.test/bye"}, Algorithm: oidc.ES256, LogoutURI: "https://127.0.0.1/logout", InitiateURI: "https://a.test/login",
		})
		w.must(err)
		found, err := w.s.Get(ctx, a.ID)
		if err != nil || found.Name != "App" || found.Description != "For all" || found.DefaultURI() != "https://a.test/2" || len(found.SignOut) != 1 || !found.UsesPKCE || found.Public ||
			found.Algorithm != oidc.ES256 || found.LogoutURI != "https://127.0.0.1/logout" || found.InitiateURI != "https://a.test/login" || strings.Join(found.Scopes, " ") != "openid email" || found.ClientID == "" {
			t.Fatalf("%+v %v", found, err)
		}
		name, uris := "Other", []issuer.NewURI{{URI: "https://a.test/3"}, {URI: "https://a.test/1"}}
		after, err := w.s.Update(ctx, a.ID, issuer.Change{Name: &name, SignIn: &uris})
		w.must(err)
		if stored, _ := w.s.Get(ctx, a.ID); stored.Name != "Other" || stored.Description != "For all" || stored.DefaultURI() != "https://a.test/3" || len(stored.SignIn) != 2 || len(stored.SignOut) != 1 || stored.LogoutURI != a.LogoutURI {
			t.Errorf("%+v", stored)
		}
		if after.SignIn[1].ID != a.SignIn[0].ID {
			t.Error("an address that stays has another id")
		}
		bad := "http://evil.test/"
		for what, c := range map[string]issuer.Change{
			"address": {SignIn: &[]issuer.NewURI{{URI: bad}}}, "after the logout": {SignOut: &[]string{bad}}, "login": {InitiateURI: &bad}, "back channel": {LogoutURI: &bad},
			"twice": {SignIn: &[]issuer.NewURI{{URI: "https://a.test/1"}, {URI: "https://a.test/1"}}}, "scope": {Scopes: &[]string{"everything"}}, "algorithm": {Algorithm: ptr(oidc.Algorithm("HS256"))},
			"name": {Name: ptr("")},
		} {
			if _, err := w.s.Update(ctx, a.ID, c); !fault.Is(err, fault.Unprocessable) {
				t.Errorf("%s: %v", what, err)
			}
		}
		for _, n := range []issuer.New{{FirstParty: true}, {Name: "X"}, {Name: "X", FirstParty: true, OrganizationID: "org_1"}, {Name: strings.Repeat("x", 256), FirstParty: true}} {
			if _, err := w.s.Create(ctx, n); !fault.Is(err, fault.Unprocessable) {
				t.Errorf("%+v: %v", n, err)
			}
		}
		w.must(w.s.Delete(ctx, a.ID))
		if _, err := w.s.Get(ctx, a.ID); !fault.Is(err, fault.NotFound) {
			t.Error(err)
		}
		if err := w.s.Delete(ctx, a.ID); !fault.Is(err, fault.NotFound) {
			t.Error(err)
		}
	})
}

func ptr[T any](v T) *T { return &v }

func TestApplication_that_is_deleted_loses_all_its_tokens(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		c, other := w.app(), w.app()
		mine, theirs := w.token(c.redeem(w.signIn(c).code)), w.token(other.redeem(w.signIn(other).code))
		w.must(w.s.Delete(ctx, c.ID))
		if w.info(mine.AccessToken) != nil {
			t.Error("an access token of a deleted application serves")
		}
		_, err := w.s.Token(ctx, c.refresh(mine.RefreshToken), oidc.StyleOIDC)
		w.wantRefused(err, oidc.InvalidClient, "refresh")
		if w.info(theirs.AccessToken) == nil {
			t.Error("another application's token ended too")
		}
	})
}

func TestDefault_application_is_one_for_all_processes_and_stays(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		var done sync.WaitGroup
		ids := make([]string, 8)
		for i := range ids {
			done.Go(func() {
				a, err := w.process().Default(ctx)
				if err != nil {
					t.Error(err)
				}
				ids[i] = a.ID
			})
		}
		done.Wait()
		for _, id := range ids {
			if id != ids[0] || id == "" {
				t.Fatalf("%v", ids)
			}
		}
		if err := w.s.Delete(ctx, ids[0]); !fault.Is(err, fault.Conflict) {
			t.Errorf("%v", err)
		}
		found, more, err := w.s.List(ctx, issuer.Page{Limit: 10}, "")
		if err != nil || more || len(found) != 1 {
			t.Errorf("%v %v %v", found, more, err)
		}
	})
}

func TestRedirectURIs_of_the_default_application(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		first, err := w.s.AddRedirectURI(ctx, "https://a.test/1")
		w.must(err)
		second, err := w.s.AddRedirectURI(ctx, "https://a.test/2")
		w.must(err)
		if !first.Default || second.Default {
			t.Errorf("%v %v", first, second)
		}
		for _, uri := range []string{"https://a.test/1", "http://a.test/", "", "com.example:/x"} {
			if _, err := w.s.AddRedirectURI(ctx, uri); !fault.Is(err, fault.Unprocessable) {
				t.Errorf("%q: %v", uri, err)
			}
		}
		page, more, err := w.s.RedirectURIs(ctx, issuer.Page{Limit: 1})
		if err != nil || !more || len(page) != 1 || page[0].ID != second.ID {
			t.Errorf("%v %v %v", page, more, err)
		}
		page, more, err = w.s.RedirectURIs(ctx, issuer.Page{Limit: 1, After: second.ID})
		if err != nil || more || len(page) != 1 || page[0].ID != first.ID {
			t.Errorf("%v %v %v", page, more, err)
		}
		if err := w.s.DeleteRedirectURI(ctx, first.ID); !fault.Is(err, fault.Conflict) {
			t.Errorf("%v", err)
		}
		other := w.app()
		for _, id := range []string{"redir_x", other.SignIn[0].ID} {
			if err := w.s.DeleteRedirectURI(ctx, id); !fault.Is(err, fault.NotFound) {
				t.Errorf("%s: %v", id, err)
			}
		}
		w.must(w.s.DeleteRedirectURI(ctx, second.ID))
		w.must(w.s.DeleteRedirectURI(ctx, first.ID))
	})
}
