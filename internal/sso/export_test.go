package sso

import "github.com/rollcallhq/rollcall/internal/saml"

// SetSecond puts another second verifier in.
func (s *Service) SetSecond(check func([]byte, saml.Expectation, *saml.Assertion) error) {
	s.second = check
}
