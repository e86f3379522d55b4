package api

import (
	"slices"
	"strings"
	"testing"
)

func TestSigningKeys_are_listed_and_rotated(t *testing.T) {
	onBoth(t, func(w *world) {
		first := w.get("/signing_keys").wants(200)
		same(t, "algorithms", first.each("signing_alg"), []string{"ES256", "RS256"})
		same(t, "states", first.each("state"), []string{"signing", "signing"})
		if first.at("list_metadata.after") != nil || strings.Contains(first.raw, `"d"`) || strings.Contains(first.raw, "s1.") {
			t.Errorf("%s", first.raw)
		}
		for _, body := range []string{"", "{}", `{"compromised":null}`, `{"compromised":false}`} { // again changes nothing
			same(t, "rotated", w.send("POST", "/signing_keys/rotate", body).wants(200).each("state"), []string{"waiting", "signing", "waiting", "signing"})
		}
		old := w.get("/signing_keys").wants(200).each("kid")
		replaced := w.send("POST", "/signing_keys/rotate", `{"compromised":true,"signing_alg":"RS256"}`).wants(200)
		same(t, "replaced", replaced.each("state"), []string{"waiting", "signing", "signing"})
		if now := replaced.each("kid"); !slices.Equal(now[:2], old[:2]) || slices.Contains(old, now[2]) {
			t.Errorf("%v, before %v", now, old)
		}
		same(t, "all replaced", w.send("POST", "/signing_keys/rotate", `{"compromised":true}`).wants(200).each("state"), []string{"signing", "signing"})
		w.send("POST", "/signing_keys/rotate", `{"signing_alg":"none"}`).refused(422, "invalid_signing_alg", "signing_alg")
		w.send("POST", "/signing_keys/rotate", `{"compromised":"yes"}`).refused(422, "invalid_type", "compromised")
		w.send("DELETE", "/signing_keys", "").wants(405)
	})
}
