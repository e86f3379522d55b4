package saml_test

import (
	"strings"
	"testing"

	"github.com/rollcallhq/rollcall/internal/saml"
	"github.com/rollcallhq/rollcall/internal/saml/samltest"
)

// S14: at the very front stands an XML declaration or nothing.
func TestS14_instruction_in_the_place_of_the_declaration_is_refused(t *testing.T) {
	doc := string(idp.Respond(message(), samltest.BothSigned))
	accepted(t, []byte(`<?xml version="1.0"?>`+doc), expectation())
	if r := refused(t, []byte(`<?other version="1.0"?>`+doc), expectation(), saml.CodeMalformed); !strings.HasPrefix(r.Wanted, "no processing instruction") {
		t.Errorf("wanted %q", r.Wanted)
	}
}
