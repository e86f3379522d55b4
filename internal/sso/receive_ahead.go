package sso

import (
	"bytes"
	"context"
	"runtime"
	"unicode/utf8"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/saml"
	"github.com/rollcallhq/rollcall/internal/saml/second"
	"github.com/rollcallhq/rollcall/internal/token"
)

// maxAhead is the longest response that the second verifier is asked about before the first is through, in bytes.
const maxAhead = 64 << 10

// ahead is what is done for a response before it is verified: the attempt that it seems to answer is read and, if this browser has begun
// that attempt, the second verifier is asked already, once. Whoever has begun nothing cannot have more done than one verifier does.
// Nothing of it counts before the response is verified and says the same.
type ahead struct {
	request string
	attempt *Attempt // once it was read
}

// opinion is the second verifier at work.
type opinion struct {
	done  chan struct{} // closed when the guess is there
	guess second.Guess
}

// newAhead is nil where there is nothing to look for.
func newAhead(request string, browser token.Hash) *ahead {
	if request == "" || browser == "" {
		return nil
	}
	return &ahead{request: request}
}

// question reads the attempt.
func (l *ahead) question() db.Question {
	return db.Question{SQL: selectRequested, Args: []any{string(token.HashOf(token.Secret(l.request)))}, Read: func(rows db.Rows) error {
		found, err := readAttempts(rows)
		if len(found) > 0 {
			l.attempt = &found[0]
		}
		return err
	}}
}

// look reads the attempt of a request now.
func (s *Service) look(ctx context.Context, request string, browser token.Hash) (*ahead, error) {
	l := newAhead(request, browser)
	if l == nil {
		return nil, nil //nolint:nilnil // nothing to look for, nothing wrong
	}
	return l, s.c.DB.Ask(ctx, l.question())
}

// began says whether the attempt of a request was read.
func (l *ahead) began(request string) bool { return l != nil && l.request == request && request != "" }

// plain says whether a document is short and simple enough to be given to the second verifier before the gate has judged it. What the
// gate refuses of it costs at most what a sign-in does: no document type, a bounded number of elements and of namespaces.
func plain(document []byte) bool {
	const mostTags, mostNamespaces = 1000, 64
	return len(document) <= maxAhead && bytes.HasPrefix(document, []byte("<")) && utf8.Valid(document) && !bytes.Contains(document, []byte("<!")) &&
		bytes.Count(document, []byte("<")) <= mostTags && bytes.Count(document, []byte("xmlns")) <= mostNamespaces
}

// ask asks the second verifier about a document, if the attempt that it seems to answer is one of this browser's at this connection.
func (a *arrival) ask(document []byte, e saml.Expectation) {
	l := a.ahead
	if l == nil || a.asked != nil || a.s.c.OneVerifier || len(document) > maxAhead {
		return
	}
	if l.attempt == nil || l.attempt.ConnectionID != a.c.ID || l.attempt.State != AtProvider || !a.sameBrowser(l.attempt) {
		return
	}
	at := &opinion{done: make(chan struct{})}
	verify := a.s.ahead
	go func() {
		defer close(at.done)
		at.guess = verify(document, e)
	}()
	a.asked = at
	// Nothing takes longer of what is left. So it goes on here at once, and what comes after this call at another processor, which may
	// have to be woken.
	runtime.Gosched()
}

// guessed waits for the second verifier, if it was asked.
func (a *opinion) guessed(ctx context.Context) (second.Guess, error) {
	if a == nil {
		return second.Guess{}, nil
	}
	select {
	case <-a.done:
		return a.guess, nil
	case <-ctx.Done():
		return second.Guess{}, ctx.Err()
	}
}

// Where the request is looked for that a response claims to answer, and how long its id may be, in bytes.
const (
	hintWithin  = 2 << 10
	hintLongest = 128
)

// hint finds in the front of a document what it seems to answer, without reading it: "" if that is not plain to see. It is good for
// beginning to read, and is forgotten where the document says something else once it is read.
func hint(document []byte) string {
	_, rest, _ := bytes.Cut(document[:min(len(document), hintWithin)], []byte(` InResponseTo=`))
	if len(rest) == 0 || rest[0] != '"' && rest[0] != '\'' {
		return ""
	}
	end := bytes.IndexByte(rest[1:], rest[0])
	if end < 0 || end > hintLongest {
		return ""
	}
	return string(rest[1 : 1+end])
}
