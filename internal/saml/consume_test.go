package saml_test

import (
	"testing"

	"github.com/rollcallhq/rollcall/internal/saml/samltest"
)

func TestResponse_is_accepted_in_each_layout(t *testing.T) {
	each(t, func(t *testing.T, l samltest.Layout) {
		a := accepted(t, idp.Respond(message(), l), expectation())
		t.Logf("%+v", a)
		m := message()
		m.Microsoft = true
		accepted(t, idp.Respond(m, l), expectation())
	})
}
