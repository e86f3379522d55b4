package scimapi_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/scimapi/scimapitest"
)

const off, on = `{"directory_sync":false}`, `{"directory_sync":true}`

//scim:51,58
func TestFeature_that_is_off_refuses_every_request_and_changes_nothing(t *testing.T) {
	scimapitest.Each(t, func(t *testing.T, h *scimapitest.House) {
		f := h.Linked(directory.New{})
		id := f.User("ada")
		group := f.Do("POST", "/Groups", `{"displayName":"G","members":["`+id+`"]}`).Want(http.StatusCreated).ID()
		_, key := h.Key(h.Organization.ID, `["scim"]`)
		f.Events()
		h.Features(off)
		asked := []struct{ method, path, body string }{
			{"GET", "/Users", ""},
			{"GET", "/Users/" + id, ""},
			{"GET", "/ServiceProviderConfig", ""},
			{"GET", "/Schemas", ""},
			{"OPTIONS", "/Users", ""},
			{"GET", "/Nothing", ""},
			{"POST", "/Users", `{"userName":"bob"}`},
			{"PUT", "/Users/" + id, `{"userName":"eve"}`},
			{"POST", "/Groups", `{"displayName":"H"}`},
			{"PATCH", "/Groups/" + group, `{"Operations":[{"op":"remove","path":"members"}]}`},
			{"DELETE", "/Groups/" + group, ""},
			{"POST", "/Bulk", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[{"method":"DELETE","path":"/Groups/` + group + `"}]}`},
			{"POST", "/Users/.search", `{}`},
			{"POST", "/Users", `not JSON`},
		}
		for _, r := range asked {
			a := f.Do(r.method, r.path, r.body).WantError(http.StatusForbidden, "")
			if detail, _ := a.At("detail").(string); !strings.Contains(detail, "switched off") {
				t.Errorf("%s %s: %s", r.method, r.path, detail)
			}
		}
		f.Do("GET", "/Users", "", "Authorization", key.Reveal()).WantError(http.StatusForbidden, "")
		f.Do("GET", "/Users", "", "Authorization", "Bearer wrong").WantError(http.StatusUnauthorized, "")
		f.WantNews()
		refused := 0
		for _, x := range f.Exchanges(3 + len(asked) + 2) {
			if x.Status != http.StatusForbidden {
				continue
			}
			refused++
			e := effectOf(t, x)
			if !x.Refused || x.TokenID == "" || scimapitest.At(e, "refusal.code") != "feature_disabled" || scimapitest.At(e, "refusal.fix_by") != "operator" || e["change"] != "unchanged" {
				t.Errorf("%s %s: %+v %s", x.Method, x.Path, x.Refused, x.Effect)
			}
		}
		if refused != len(asked)+1 {
			t.Errorf("%d refusals are recorded, want %d", refused, len(asked)+1)
		}
		h.Features(on)
		if got := f.Do("GET", "/Groups/"+group, "").Want(http.StatusOK).At("members.0.value"); got != id {
			t.Errorf("member %v", got)
		}
		f.Do("GET", `/Users?filter=userName+eq+"bob"`, "").Want(http.StatusOK)
	})
}

func TestFeature_that_is_off_does_not_link_a_directory(t *testing.T) {
	scimapitest.Each(t, func(t *testing.T, h *scimapitest.House) {
		f := h.Feed(directory.New{})
		h.Features(off)
		f.Do("GET", "/Users", "").WantError(http.StatusForbidden, "")
		f.Do("POST", "/Users", `{"userName":"ada","active":false}`).WantError(http.StatusForbidden, "")
		f.WantNews()
		h.Features(on)
		f.Do("GET", "/Users", "").Want(http.StatusOK)
		f.WantNews("dsync.activated")
	})
}

func TestFeature_that_is_off_does_not_keep_a_leaver_in(t *testing.T) {
	scimapitest.Each(t, func(t *testing.T, h *scimapitest.House) {
		f := h.Linked(directory.New{})
		ids := map[string]string{}
		for _, name := range []string{"patched", "put", "posted", "deleted", "bulk-patched", "bulk-deleted", "stays", "renamed"} {
			ids[name] = f.User(name)
		}
		f.Events()
		h.Features(off)
		patch := `{"Operations":[{"op":"replace","path":"active","value":false}]}`
		f.Do("PATCH", "/Users/"+ids["patched"], patch).WantError(http.StatusForbidden, "")
		f.Do("PUT", "/Users/"+ids["put"], `{"userName":"put","active":"False"}`).WantError(http.StatusForbidden, "")
		f.Do("POST", "/Users", `{"userName":"posted","active":false}`).WantError(http.StatusForbidden, "")
		f.Do("DELETE", "/Users/"+ids["deleted"], "").WantError(http.StatusForbidden, "")
		f.Do("PATCH", "/Users/"+ids["renamed"], `{"Operations":[{"op":"replace","path":"title","value":"x"}]}`).WantError(http.StatusForbidden, "")
		f.Do("DELETE", "/Users/directory_user_nobody", "").WantError(http.StatusForbidden, "")
		f.Do("POST", "/Bulk", fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[
			{"method":"PATCH","path":"/Users/%s","data":%s},{"method":"DELETE","path":"/Users/%s"},{"method":"POST","path":"/Users","bulkId":"a","data":{"userName":"x"}}]}`,
			ids["bulk-patched"], patch, ids["bulk-deleted"])).WantError(http.StatusForbidden, "")
		f.WantNews("dsync.user.updated", "dsync.user.updated", "dsync.user.updated", "dsync.user.updated", "dsync.user.updated", "dsync.user.updated")
		for name, id := range ids {
			u, _, err := h.Directories.APIUser(t.Context(), directory.UserID(id))
			if err != nil {
				t.Fatal(err)
			}
			if stopped := name != "stays" && name != "renamed"; u.Suspended != stopped || !u.Active {
				t.Errorf("%s: suspended %v, active %v", name, u.Suspended, u.Active)
			}
		}
		x := find(t, f.Exchanges(8), "DELETE", "/Users/"+ids["deleted"], http.StatusForbidden)
		if e := effectOf(t, x); e["change"] != "suspended" || x.Refused {
			t.Errorf("%v %s", x.Refused, x.Effect)
		}
		h.Features(on)
		f.Do("PATCH", "/Users/"+ids["patched"], strings.Replace(patch, "false", "true", 1)).Want(http.StatusOK)
		u, _, err := h.Directories.APIUser(t.Context(), directory.UserID(ids["patched"]))
		if err != nil || u.Suspended {
			t.Errorf("an accepted request lifts it: %v %v", u.Suspended, err)
		}
	})
}

func TestRefusals_by_feature_are_kept_in_limited_number(t *testing.T) {
	scimapitest.Each(t, func(t *testing.T, h *scimapitest.House) {
		f := h.Linked(directory.New{})
		id := f.User("ada")
		h.Features(off)
		f.Do("DELETE", "/Users/"+id, "").WantError(http.StatusForbidden, "")
		for range 130 {
			f.Do("GET", "/Groups", "").WantError(http.StatusForbidden, "")
		}
		count := func(condition string) (n int) {
			if err := h.DB.QueryRow(t.Context(), "SELECT COUNT(*) FROM exchanges WHERE directory_id = $1 AND status = 403 AND "+condition, string(f.Directory.ID)).Scan(&n); err != nil {
				t.Fatal(err)
			}
			return n
		}
		f.Settled(func() bool { return count("refused") == 100 })
		if count("NOT refused") != 1 {
			t.Error("the stopped leaver is not kept")
		}
	})
}
