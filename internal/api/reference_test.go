package api

import (
	"flag"
	"os"
	"testing"

	"github.com/rollcallhq/rollcall/internal/api/openapi"
)

//go:generate go test -count=1 -run ^TestReference_is_fresh$ . -update

var update = flag.Bool("update", false, "write the reference pages anew")

func TestReference_is_fresh(t *testing.T) {
	for path, want := range map[string]string{
		"../../docs/reference/api.md":    openapi.Reference(served()),
		"../../docs/reference/events.md": openapi.EventReference(),
	} {
		if *update {
			if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != want {
			t.Errorf("%s is out of date; run: go generate ./internal/api", path)
		}
	}
}
