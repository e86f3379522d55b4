package sso

import (
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/saml"
)

// SetSecond puts another second verifier in.
func (s *Service) SetSecond(check func([]byte, saml.Expectation, *saml.Assertion) error) {
	s.second = check
}

// Deny is a refusal as those who decide on accounts make one.
func Deny(code Code, wanted, got string) *fault.Error { return deny(code, wanted, got, "Not with %s.", got) }
