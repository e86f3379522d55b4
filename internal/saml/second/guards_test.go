package second_test

import (
	"testing"

	"github.com/rollcallhq/rollcall/internal/saml"
	"github.com/rollcallhq/rollcall/internal/saml/samltest"
	"github.com/rollcallhq/rollcall/internal/saml/second"
)

// Were a document that breaks off read up to there, it could show a gap, and a gap lets the first verifier decide alone.
func TestSecond_sees_no_gap_in_what_is_no_document(t *testing.T) {
	ours, err := saml.Consume(idp.Respond(message(), samltest.BothSigned), expectation())
	if err != nil {
		t.Fatal(err)
	}
	disagreement(t, second.Check([]byte("<Response><EncryptedAssertion/>"), expectation(), ours))
}
