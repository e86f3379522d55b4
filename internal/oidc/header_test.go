package oidc

import (
	"encoding/base64"
	"testing"
)

// Base64 that breaks off gives what came before: a header that is whole would be taken with anything behind it.
func TestHeader_with_more_behind_it_is_refused(t *testing.T) {
	good := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"ES256","kid":"x"  }`))
	if h, err := readHeader(good + ".a.b"); err != nil || h.kid != "x" {
		t.Fatalf("%+v, %v", h, err)
	}
	for _, behind := range []string{"!", "=", "A=="} {
		if h, err := readHeader(good + behind + ".a.b"); err == nil {
			t.Errorf("%q behind it: %+v", behind, h)
		}
	}
}
