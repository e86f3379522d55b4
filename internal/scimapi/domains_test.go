package scimapi_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/scimapi"
	"github.com/rollcallhq/rollcall/internal/scimapi/scimapitest"
)

// Which host counts is for web.Domains; here every address in an answer must come from it.
//
//scim:26,54
func TestAddresses_in_answers_begin_with_the_host_of_the_organization(t *testing.T) {
	var house *scimapitest.House
	h := scimapitest.SQLite(t, func(o *scimapi.Options) {
		o.Called = func(_ *http.Request, organization string) string {
			if house != nil && organization == string(house.Organization.ID) {
				return "https://scim.acme.example"
			}
			return "https://sync.example.com"
		}
		o.Preferred = func(*http.Request, string) string { return "https://new.acme.example" }
	})
	house = h
	f := h.Linked(directory.New{Label: "acme"})
	base := "https://scim.acme.example/scim/v2/" + f.Directory.AddressKey
	made := f.Do("POST", "/Users", `{"userName":"ada"}`).Want(http.StatusCreated)
	if got := made.Header.Get("Location"); got != base+"/Users/"+made.ID() || made.At("meta.location") != got {
		t.Errorf("location %s, %s", got, made.Body)
	}
	group := f.Do("POST", "/Groups", `{"displayName":"G","members":["`+made.ID()+`"]}`).Want(http.StatusCreated)
	if got := group.At("members.0.$ref"); got != base+"/Users/"+made.ID() {
		t.Errorf("$ref %v", got)
	}
	if got := f.Do("GET", "/Users/"+made.ID(), "").At("groups.0.$ref"); got != base+"/Groups/"+group.ID() {
		t.Errorf("$ref %v", got)
	}
	bulk := f.Do("POST", "/Bulk", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[{"method":"DELETE","path":"/Users/`+made.ID()+`"}]}`)
	for _, a := range []scimapitest.Answer{
		bulk.Want(http.StatusOK), f.Do("GET", "/Users", ""), f.Do("GET", "/ServiceProviderConfig", ""), f.Do("GET", "/Schemas", ""), f.Do("GET", "/ResourceTypes/User", ""),
	} {
		if server, err := url.Parse(h.Server.URL); err != nil || strings.Contains(string(a.Body), server.Host) || strings.Contains(string(a.Body), "sync.example.com") {
			t.Errorf("%s %v", a.Body, err)
		}
	}
	// Who is nobody yet must not learn whose host belongs to the address.
	if got := f.Do("GET", "/ServiceProviderConfig", "", "Authorization", "").Want(http.StatusOK); strings.Contains(string(got.Body), "acme.example") {
		t.Errorf("a stranger is told %s", got.Body)
	}
	second := h.Linked(directory.New{Name: "Second"})
	_, secret := h.Key(h.Organization.ID, `["scim"]`)
	a := f.DoAt(h.Server.URL+"/scim/v2/Users", "GET", "", "Authorization", secret.Reveal()).WantError(http.StatusBadRequest, "")
	if detail, _ := a.At("detail").(string); !strings.Contains(detail, "https://new.acme.example/scim/v2/acme") ||
		!strings.Contains(detail, "https://new.acme.example/scim/v2/"+second.Directory.AddressKey) {
		t.Errorf("addresses: %s", detail)
	}
}
