package sso

import (
	"context"
	"fmt"

	"github.com/rollcallhq/rollcall/internal/saml"
	"github.com/rollcallhq/rollcall/internal/saml/second"
)

// maxAhead is the longest response that the second verifier is asked about before the first is through, in bytes.
const maxAhead = 64 << 10

// ahead is work on a response that goes on while it is verified: the attempt that it claims to answer is read and, if this browser has
// begun that attempt, the second verifier is asked already. Whoever has begun nothing cannot have more done than one verifier does.
// Nothing of it counts before the response is verified and says the same.
type ahead struct {
	request string

	found   chan struct{} // closed when the next two are there
	attempt *Attempt
	err     error

	done  chan struct{} // closed when the next one is there
	guess second.Guess
}

// look begins it.
func (a *arrival) look(ctx context.Context, document []byte, e saml.Expectation, claim saml.Claimed) {
	l := &ahead{request: claim.InResponseTo, found: make(chan struct{}), done: make(chan struct{})}
	a.ahead = l
	worth := !a.s.c.OneVerifier && len(document) <= maxAhead
	connection, mine := a.c.ID, a.sameBrowser
	go func() {
		defer close(l.done)
		l.attempt, l.err = a.s.requested(ctx, l.request)
		close(l.found)
		if worth && l.err == nil && l.attempt != nil && l.attempt.ConnectionID == connection && l.attempt.State == AtProvider && mine(l.attempt) {
			l.guess = a.s.ahead(document, e)
		}
	}()
}

// began says whether the attempt of a request is being read.
func (l *ahead) began(request string) bool { return l != nil && l.request == request && request != "" }

// read gives the attempt.
func (l *ahead) read() (*Attempt, error) {
	<-l.found
	return l.attempt, l.err
}

// guessed waits for the second verifier.
func (l *ahead) guessed(ctx context.Context) (second.Guess, error) {
	if l == nil {
		return second.Guess{}, nil
	}
	select {
	case <-l.done:
		return l.guess, nil
	case <-ctx.Done():
		return second.Guess{}, ctx.Err()
	}
}

// beside begins work and gives a function that waits for it. A panic of it is an error of whoever waits.
func beside[T any](work func() (T, error)) (wait func() (T, error)) {
	type outcome struct {
		value T
		err   error
	}
	done := make(chan outcome, 1)
	go func() {
		var o outcome
		defer func() {
			if r := recover(); r != nil {
				o.err = fmt.Errorf("panicked: %v", r)
			}
			done <- o
		}()
		o.value, o.err = work()
	}()
	return func() (T, error) {
		o := <-done
		return o.value, o.err
	}
}
