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
func (s *Service) SetConsume(consume func(*saml.Document, saml.Expectation) (*saml.Assertion, error)) {
	s.consume = consume
}

// SetGate puts another reader of documents in.
func (s *Service) SetGate(gate func([]byte) (*saml.Document, error)) { s.gate = gate }

// SetAhead is told of each question that is asked ahead.
func (s *Service) SetAhead(asked func()) {
	s.ahead = func(response []byte, e saml.Expectation) second.Guess {
		asked()
		return second.Ahead(response, e)
	}
}

// Hint is what a document seems to answer, Plain whether it may be given away before it is read.
func Hint(document string) string { return hint([]byte(document)) }

// Plain says whether a document may be given to the second verifier before it is read.
func Plain(document string) bool { return plain([]byte(document)) }

// Deny is a refusal as those who decide on accounts make one.
func Deny(code Code, wanted, got string) *fault.Error {
	return deny(code, wanted, got, "Not with %s.", got)
}

// KeepParts keeps what a connection without certificates has in other tables.
func (s *Service) KeepParts(id ID) { s.parts.put(id, parts{}) }

// PartsKept is of how many connections they are kept.
func (s *Service) PartsKept() int { return len(s.parts.of) }
