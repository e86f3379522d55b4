package scimapi_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/scimapi"
	"github.com/rollcallhq/rollcall/internal/scimapi/scimapitest"
)

//scim:51,52,54
func TestAPI_key_is_taken_as_a_directorys_token_with_or_without_the_word_Bearer(t *testing.T) {
	scimapitest.Each(t, func(t *testing.T, h *scimapitest.House) {
		f := h.Linked(directory.New{Label: "acme"})
		id, secret := h.Key(h.Organization.ID, `["scim"]`)
		host := h.Server.URL + "/scim/v2"
		for _, authorization := range []string{"Bearer " + secret.Reveal(), "bearer  " + secret.Reveal(), secret.Reveal()} {
			for _, base := range []string{f.Base, host + "/acme", host, h.Server.URL + "/scim"} {
				f.DoAt(base+"/Users", "GET", "", "Authorization", authorization).Want(http.StatusOK)
			}
		}
		made := f.DoAt(host+"/Users", "POST", `{"userName":"ada"}`, "Authorization", secret.Reveal()).Want(http.StatusCreated)
		if got := made.Header.Get("Location"); got != host+"/Users/"+made.ID() {
			t.Errorf("location %s", got)
		}
		f.WantNews("dsync.user.created")
		x := find(t, f.Exchanges(14), "POST", "/Users", http.StatusCreated)
		if string(x.TokenID) != id || x.DirectoryID != f.Directory.ID {
			t.Errorf("the exchange names %s", x.TokenID)
		}
		h.DeleteKey(id)
		f.DoAt(host+"/Users", "GET", "", "Authorization", secret.Reveal()).WantError(http.StatusUnauthorized, "")
	})
}

//scim:51,56
func TestAPI_key_without_permission_or_of_others_gets_the_strangers_answer(t *testing.T) {
	scimapitest.Each(t, func(t *testing.T, h *scimapitest.House) {
		f := h.Linked(directory.New{Label: "acme"})
		h.Feed(directory.New{Name: "Second"}) // where the key decides, addresses are only for those who may have them
		theirs, err := h.Organizations.Create(t.Context(), scimapitest.Actor(), org.New{Name: "Other"})
		if err != nil {
			t.Fatal(err)
		}
		_, weak := h.Key(h.Organization.ID, `["users"]`)
		_, foreign := h.Key(theirs.ID, `["scim"]`)
		gone, deleted := h.Key(h.Organization.ID, `["scim"]`)
		h.DeleteKey(gone)
		_, expired := h.Key(h.Organization.ID, `["scim"]`)
		h.ExpireKey(expired)
		strip := func(a scimapitest.Answer) string {
			return requestID.ReplaceAllString(string(a.Body), "") + a.Header.Get("WWW-Authenticate")
		}
		want := strip(f.Do("GET", "/Users", "", "Authorization", "Bearer wrong").WantError(http.StatusUnauthorized, ""))
		for name, secret := range map[string]string{"weak": weak.Reveal(), "foreign": foreign.Reveal(), "deleted": deleted.Reveal(), "expired": expired.Reveal(), "none": "sk_x"} {
			for _, base := range []string{f.Base, h.Server.URL + "/scim/v2/acme", h.Server.URL + "/scim/v2/nobody", h.Server.URL + "/scim/v2"} {
				if name == "foreign" && base == h.Server.URL+"/scim/v2" {
					continue // there it is good, for its own organization
				}
				for _, authorization := range []string{secret, "Bearer " + secret} {
					if got := strip(f.DoAt(base+"/Users", "GET", "", "Authorization", authorization).WantError(http.StatusUnauthorized, "")); got != want {
						t.Errorf("%s at %s: %s, want %s", name, base, got, want)
					}
				}
			}
		}
		f.WantNews()
	})
}

//scim:51
func TestAPI_key_alone_is_told_the_addresses_of_several_directories(t *testing.T) {
	scimapitest.Each(t, func(t *testing.T, h *scimapitest.House) {
		f, second := h.Linked(directory.New{Label: "acme"}), h.Linked(directory.New{Name: "Second"})
		_, secret := h.Key(h.Organization.ID, `["scim"]`)
		a := f.DoAt(h.Server.URL+"/scim/v2/Users", "GET", "", "Authorization", secret.Reveal()).WantError(http.StatusBadRequest, "")
		for _, want := range []string{h.Server.URL + "/scim/v2/acme (People)", second.Base + " (Second)"} {
			if detail, _ := a.At("detail").(string); !strings.Contains(detail, want) {
				t.Errorf("%s is not in %s", want, detail)
			}
		}
		f.DoAt(second.Base+"/Users", "POST", `{"userName":"ada"}`, "Authorization", secret.Reveal()).Want(http.StatusCreated)
		second.WantNews("dsync.user.created")
		f.WantNews()
	})
}

//scim:51,58
func TestAPI_key_has_a_rate_limit_of_its_own(t *testing.T) {
	h := scimapitest.SQLite(t, func(o *scimapi.Options) { o.RateLimit = 2 })
	f := h.Feed(directory.New{})
	_, one := h.Key(h.Organization.ID, `["scim"]`)
	_, two := h.Key(h.Organization.ID, `["scim"]`)
	ask := func(secret string) int { return f.Do("GET", "/Users", "", "Authorization", secret).Status }
	if got := []int{ask(one.Reveal()), ask(one.Reveal()), ask(one.Reveal()), ask(two.Reveal())}; got[2] != http.StatusTooManyRequests || got[0] != 200 || got[3] != 200 {
		t.Errorf("%v", got)
	}
	f.Do("GET", "/Users", "").Want(http.StatusOK) // the token has its own too
	h.Feed(directory.New{Name: "Second"})
	undecided := func() int {
		return f.DoAt(h.Server.URL+"/scim/v2/Users", "GET", "", "Authorization", two.Reveal()).Status
	}
	if got := []int{undecided(), undecided(), undecided()}; got[0] != http.StatusBadRequest || got[2] != http.StatusTooManyRequests {
		t.Errorf("undecided: %v", got)
	}
}
