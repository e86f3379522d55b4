package web

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/rollcallhq/rollcall/internal/token"
)

func TestMask_takes_out_secrets_and_leaves_ids(t *testing.T) {
	for _, prefix := range []string{"sk", "scim", "whsec"} {
		secret := token.NewSecret(prefix).Reveal()
		for _, form := range []string{secret, secret[:len(secret)-1], secret[:len(prefix)+14], strings.TrimPrefix(secret, prefix+"_"), strings.ToUpper(secret)} {
			got := Mask("Organization not found: '" + form + "'.")
			if got != "Organization not found: '•••'." && got != "Organization not found: '"+strings.ToUpper(prefix)+"_•••'." {
				t.Errorf("%s became %s", form, got)
			}
		}
	}
	for _, harmless := range []string{
		"", "/scim/v2/k3jx0a9m2b7c6d5e4f1g/Users/directory_user_01ARZ3NDEKTSV4RRFFQ69G5FAV", "org_01ARZ3NDEKTSV4RRFFQ69G5FAV",
		"6f1b0f0a-7e3c-4c53-8b43-0f4ff0a3d0d4", "scim_endpoint is read only", "Keys begin with sk_ and tokens with scim_.", "/organizations/external_id/acme",
	} {
		if got := Mask(harmless); got != harmless {
			t.Errorf("%q became %q", harmless, got)
		}
	}
}

func FuzzMask(f *testing.F) {
	f.Add("a ", "sk", " b")
	f.Add("https://example.com/?x=", "scim", "&y=1")
	f.Fuzz(func(t *testing.T, before, prefix, after string) {
		secret := token.NewSecret(prefix).Reveal()
		if got := Mask(before + secret + after); strings.Contains(got, strings.TrimPrefix(secret, prefix+"_")) {
			t.Errorf("%q is shown in %q", secret, got)
		}
	})
}

func TestAccess_log_shows_no_secret_that_was_pasted_into_an_address(t *testing.T) {
	var log strings.Builder
	secret := token.NewSecret("sk").Reveal()
	front := Front{Log: slog.New(slog.NewTextHandler(&log, nil)), NewID: func() string { return "req_1" }}
	r := httptest.NewRequest(http.MethodGet, "/organizations/"+secret+"?after="+secret+"&"+secret+"=1&x="+secret, nil)
	r.Header.Set("User-Agent", "curl "+secret)
	front.Wrap(http.NotFoundHandler()).ServeHTTP(httptest.NewRecorder(), r)
	if strings.Contains(log.String(), secret) || strings.Contains(log.String(), secret[5:20]) || !strings.Contains(log.String(), "path=/organizations/•••") {
		t.Errorf("the log says %s", log.String())
	}
}
