package sso

import (
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/saml"
	"github.com/rollcallhq/rollcall/internal/saml/second"
)

// SetSecond puts another second verifier in.
func (s *Service) SetSecond(check func([]byte, saml.Expectation, *saml.Assertion) error) {
	s.second = func(_ second.Guess, response []byte, e saml.Expectation, ours *saml.Assertion) error {
		return check(response, e, ours)
	}
}

// SetConsume puts another first verifier in.
func (s *Service) SetConsume(consume func([]byte, saml.Expectation) (*saml.Assertion, error)) {
	s.consume = consume
}

// SetAhead is told of each question that is asked ahead.
func (s *Service) SetAhead(asked func()) {
	s.ahead = func(response []byte, e saml.Expectation) second.Guess {
		asked()
		return second.Ahead(response, e)
	}
}

// Deny is a refusal as those who decide on accounts make one.
func Deny(code Code, wanted, got string) *fault.Error {
	return deny(code, wanted, got, "Not with %s.", got)
}
