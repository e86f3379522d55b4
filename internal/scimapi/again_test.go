package scimapi_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/scimapi"
	"github.com/rollcallhq/rollcall/internal/scimapi/scimapitest"
)

func TestRead_is_repeated_without_a_token_of_its_own_directory_alone_and_without_a_record(t *testing.T) {
	scimapitest.Each(t, func(t *testing.T, h *scimapitest.House) {
		f, other := h.Linked(directory.New{Label: "acme"}), h.Linked(directory.New{Label: "other", Name: "Other"})
		ada := f.Do("POST", "/Users", `{"userName":"ada"}`).Want(http.StatusCreated).ID()
		other.Do("POST", "/Users", `{"userName":"theirs"}`).Want(http.StatusCreated)
		again := scimapi.NewAgain(scimapi.Options{Directory: h.Directories}, func(string) string { return "https://sso.example/below" })
		for path, want := range map[string]struct {
			status int
			holds  string
		}{
			"/Users/" + ada:                          {http.StatusOK, "https://sso.example/below/scim/v2/acme/Users/" + ada},
			`/Users?filter=userName+eq+%22ada%22`:    {http.StatusOK, `"totalResults":1`},
			`/Users?filter=userName+eq+%22theirs%22`: {http.StatusOK, `"totalResults":0`},
			"/Users/nobody":                          {http.StatusNotFound, "detail"},
			"/../other/Users":                        {http.StatusNotFound, "detail"},
		} {
			got, err := again(t.Context(), f.Directory.ID, path)
			if err != nil || got.Status != want.status || !strings.Contains(string(got.Body), want.holds) || strings.Contains(string(got.Body), `"theirs"`) {
				t.Errorf("%s: %d %.300s %v", path, got.Status, got.Body, err)
			}
		}
		f.Do("GET", "/Users", "").Want(http.StatusOK) // is the third, if none of the above was recorded
		if got := f.Exchanges(3); len(got) != 3 {
			t.Errorf("%d exchanges", len(got))
		}
		if _, err := again(t.Context(), "directory_none", "/Users"); !fault.Is(err, fault.NotFound) {
			t.Errorf("%v", err)
		}
		if _, err := again(t.Context(), f.Directory.ID, "/Users?%zz\x7f"); !fault.Is(err, fault.Invalid) {
			t.Errorf("%v", err)
		}
	})
}
