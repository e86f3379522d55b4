package scimapi_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/scimapi"
	"github.com/rollcallhq/rollcall/internal/scimapi/scimapitest"
)

//scim:39,40,102,134,142,144,150
func TestThe_configuration_tells_what_is_true(t *testing.T) {
	h := scimapitest.SQLite(t, func(o *scimapi.Options) { o.MaxBulkOps, o.MaxBody, o.MaxPageSize, o.PageSize = 3, 5000, 4, 2 })
	f, strict := h.Linked(directory.New{}), h.Linked(directory.New{Name: "Strict", Strict: true})
	a := f.Do("GET", "/ServiceProviderConfig", "").Want(http.StatusOK)
	for path, want := range map[string]any{
		"patch.supported": true, "bulk.supported": true, "bulk.maxOperations": 3.0, "bulk.maxPayloadSize": 5000.0,
		"filter.supported": true, "filter.maxResults": 4.0, "sort.supported": true, "etag.supported": true, "changePassword.supported": false,
		"pagination.cursor": true, "pagination.index": true, "pagination.defaultPaginationMethod": "index", "pagination.defaultPageSize": 2.0,
		"pagination.maxPageSize": 4.0, "pagination.cursorTimeout": 3600.0, "authenticationSchemes.0.type": "oauthbearertoken",
		"interopProfileConformant": nil, "meta.location": f.Base + "/ServiceProviderConfig",
	} {
		if got := a.At(path); got != want {
			t.Errorf("%s: %v, want %v", path, got, want)
		}
	}
	if got := strict.Do("GET", "/ServiceProviderConfig", "").At("interopProfileConformant"); got != true {
		t.Errorf("strict: %v", got)
	}
	people(f, 6)
	if got := names(f.Do("GET", "/Users", "")); got != "user01 user02" {
		t.Errorf("default page: %s", got)
	}
	if got := names(f.Do("GET", "/Users?count=100", "")); got != "user01 user02 user03 user04" {
		t.Errorf("largest page: %s", got)
	}
	op := `{"method":"DELETE","path":"/Users/x"}`
	tooMany := f.Do("POST", "/Bulk", `{"Operations":[`+strings.Repeat(op+",", 3)+op+`]}`).WantError(http.StatusRequestEntityTooLarge, "")
	if detail, _ := tooMany.At("detail").(string); !strings.Contains(detail, "maxOperations") || !strings.Contains(detail, "3") {
		t.Errorf("detail %q", detail)
	}
	tooLong := f.Do("POST", "/Bulk", `{"Operations":[`+op+strings.Repeat(" ", 5000)+`]}`).WantError(http.StatusRequestEntityTooLarge, "")
	if detail, _ := tooLong.At("detail").(string); !strings.Contains(detail, "maxPayloadSize") || !strings.Contains(detail, "5000") {
		t.Errorf("detail %q", detail)
	}
}

//scim:41
func TestThe_configuration_is_public_below_an_address_and_tells_nothing_else(t *testing.T) {
	h := scimapitest.SQLite(t)
	f := h.Linked(directory.New{Label: "acme"})
	public := f.Do("GET", "/ServiceProviderConfig", "", "Authorization", "").Want(http.StatusOK)
	if known := f.Do("GET", "/ServiceProviderConfig", ""); string(known.Body) != string(public.Body) {
		t.Errorf("with a token %s, without %s", known.Body, public.Body)
	}
	nobodys := f.DoAt(h.Server.URL+"/scim/v2/nobody/ServiceProviderConfig", "GET", "", "Authorization", "").Want(http.StatusOK)
	acme := f.DoAt(h.Server.URL+"/scim/v2/acme/ServiceProviderConfig", "GET", "", "Authorization", "").Want(http.StatusOK)
	if strings.ReplaceAll(string(nobodys.Body), "nobody", "acme") != string(acme.Body) {
		t.Errorf("an address that is nobody's can be told: %s, %s", nobodys.Body, acme.Body)
	}
	f.Do("GET", "/ServiceProviderConfig", "", "Authorization", "Bearer wrong").WantError(http.StatusUnauthorized, "")
	f.DoAt(h.Server.URL+"/scim/v2/ServiceProviderConfig", "GET", "", "Authorization", "").WantError(http.StatusUnauthorized, "")
	for _, path := range []string{"/Schemas", "/ResourceTypes", "/Users", ""} {
		f.Do("GET", path, "", "Authorization", "").WantError(http.StatusUnauthorized, "")
	}
	f.WantNews()
}

//scim:42,43,48,142,143
func TestDiscovery_lists_types_and_schemas_and_each_by_id(t *testing.T) {
	h := scimapitest.SQLite(t)
	f := h.Linked(directory.New{Extensions: []byte(`{"user":[{"id":"urn:example:badge","name":"Badge","attributes":[{"name":"number","type":"string"}]}]}`)})
	for path, ids := range map[string][]string{
		"/ResourceTypes": {"User", "Group"},
		"/Schemas": {
			"urn:ietf:params:scim:schemas:core:2.0:User", "urn:ietf:params:scim:schemas:core:2.0:Group",
			"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User", "urn:example:badge",
		},
	} {
		a := f.Do("GET", path+"?startIndex=2&count=1&sortBy=id", "").Want(http.StatusOK)
		list, _ := a.At("Resources").([]any)
		if a.At("totalResults") != float64(len(list)) || len(list) < len(ids) {
			t.Errorf("%s: %s", path, a.Body)
		}
		if strings.Contains(string(a.Body), "scim:api:messages") && path == "/Schemas" && strings.Contains(string(a.Body), `"id":"urn:ietf:params:scim:api:messages`) {
			t.Errorf("%s lists messages", path)
		}
		for _, id := range ids {
			one := f.Do("GET", path+"/"+id, "").Want(http.StatusOK)
			if one.ID() != id || one.At("meta.location") != one.Header.Get("Location") {
				t.Errorf("%s/%s: %s", path, id, one.Body)
			}
			if !strings.Contains(string(a.Body), string(one.Body)) {
				t.Errorf("%s does not list %s as it is by itself", path, id)
			}
		}
		f.Do("GET", path+"/nothing", "").WantError(http.StatusNotFound, "")
		f.Do("GET", path+"?filter=id+eq+%22User%22", "").WantError(http.StatusForbidden, "")
		f.Do("POST", path, "{}").WantError(http.StatusMethodNotAllowed, "")
	}
	f.Do("GET", "/Schemas/URN:IETF:params:scim:schemas:core:2.0:user", "").Want(http.StatusOK)
}

//scim:112,126
func TestA_strict_directory_refuses_what_the_profile_refuses(t *testing.T) {
	h := scimapitest.SQLite(t)
	strict := h.Linked(directory.New{Strict: true})
	user := `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada"}`
	id := strict.Do("POST", "/Users", user).Want(http.StatusCreated).ID()
	strict.Do("POST", "/Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"b","nonsense":1}`).WantError(http.StatusBadRequest, "invalidSyntax")
	strict.Do("PATCH", "/Users/"+id, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"replace","value":{"title":"x"}}]}`).Want(http.StatusBadRequest)
	strict.Do("GET", "/Users?filter=nonsense+eq+%22x%22", "").WantError(http.StatusBadRequest, "invalidFilter")
	strict.Do("GET", "/?filter=nonsense+eq+%22x%22", "").WantError(http.StatusBadRequest, "invalidFilter")
	if got := names(strict.Do("GET", "/?filter=userName+eq+%22ada%22", "").Want(http.StatusOK)); got != "ada" {
		t.Errorf("filter at the base address: %q", got)
	}
}
