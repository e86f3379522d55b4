package signin

import (
	"regexp"
	"testing"

	"github.com/rollcallhq/rollcall/internal/sso"
)

// A path of a connection never hides a page, and those of former vendors are possible beside ours.
func TestPaths_of_connections_never_hide_a_route(t *testing.T) {
	placeholder := regexp.MustCompile(`\{[^}]*\}`)
	for _, r := range table() {
		if path := placeholder.ReplaceAllString(r.pattern, "x"); sso.Free(path) || sso.Free(path+"/x") {
			t.Errorf("%s may become the path of a connection: reserve it in package sso", r.pattern)
		}
	}
	for _, path := range []string{"/sso/saml/acs/01HXYZ", "/api/oauth/saml", "/saml2/idpresponse"} {
		if at, _ := find(routes(), path); at != nil || !sso.Free(path) {
			t.Errorf("%s cannot be taken over", path)
		}
	}
}
