package sso_test

import (
	"flag"
	"os"
	"testing"

	"github.com/rollcallhq/rollcall/internal/saml"
	"github.com/rollcallhq/rollcall/internal/sso"
)

//go:generate go test -count=1 -run ^TestReference_of_sign_in_errors_is_fresh$ . -update

var update = flag.Bool("update", false, "write the reference page anew")

func TestReference_of_sign_in_errors_is_fresh(t *testing.T) {
	const path = "../../docs/reference/sign-in-errors.md"
	want := sso.Reference()
	if *update {
		if err := os.WriteFile(path, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("%s is out of date; run: go generate ./internal/sso", path)
	}
}

func TestCodes_of_the_grammar_are_explained(t *testing.T) {
	for _, code := range []string{
		saml.CodeMalformed, saml.CodeUnsigned, saml.CodeSignatureInvalid, saml.CodeCertificateUnknown, saml.CodeCertificateExpired, saml.CodeAlgorithmNotAllowed,
		saml.CodeAudienceMismatch, saml.CodeIssuerMismatch, saml.CodeDestinationMismatch, saml.CodeRecipientMismatch, saml.CodeExpired, saml.CodeNotYetValid,
		saml.CodeInResponseTo, saml.CodeDenied, saml.CodeNotAssigned, saml.CodeMissingAttribute, saml.CodeFeatureDisabled, saml.CodeVerifiersDisagree,
	} {
		if e := sso.Explain(sso.Code(code)); e.Advice == "Report the attempt." {
			t.Errorf("%s is not explained", code)
		}
	}
	if e := sso.Explain("something_new"); e.Fixer != sso.Rollcall {
		t.Errorf("%+v", e)
	}
}
