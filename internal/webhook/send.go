package webhook

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/rollcallhq/rollcall/internal/outbound"
	"github.com/rollcallhq/rollcall/internal/token"
)

const (
	answerKept     = 1 << 10  // bytes of an answer's body that are kept
	answerDrained  = 32 << 10 // read on, so that the connection can be used again; what is longer costs it
	answerPatience = 2 * time.Second
)

// request makes the signed request of an attempt.
func (s *Service) request(ctx context.Context, e *Endpoint, j *job, body []byte, now time.Time) (*http.Request, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, e.URL, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("make a request to %s: %w", e.ID, err)
	}
	secrets := []token.Secret{e.Secret}
	legacy := e.Secret
	if e.rotating(now) {
		secrets = append(secrets, e.OldSecret)
		if j.old {
			legacy = e.OldSecret
		}
	}
	standard, err := standardSignature(secrets, j.eventID, now, body)
	if err != nil {
		return nil, err
	}
	r.Header = http.Header{
		"Content-Type":      {"application/json"},
		"User-Agent":        {s.o.UserAgent},
		"Workos-Signature":  {workosSignature(legacy, now, body)},
		"Webhook-Id":        {j.eventID},
		"Webhook-Timestamp": {strconv.FormatInt(now.Unix(), 10)},
		"Webhook-Signature": {standard},
		// Not sent: it tells net/http that a connection which was closed while idle may be replaced and the request sent again.
		"Idempotency-Key": {},
	}
	return r, nil
}

// rotating says whether the former secret still signs.
func (e *Endpoint) rotating(now time.Time) bool { return e.OldSecret != "" && now.Before(e.OldUntil) }

// post makes one attempt. An answer is enough; what comes after its first kilobyte is not waited for.
func (s *Service) post(ctx context.Context, e *Endpoint, j *job, body []byte) Attempt {
	now := s.time()
	a := Attempt{ID: s.ids.NewID(attemptPrefix), At: now}
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	began := time.Now()
	r, err := s.request(ctx, e, j, body, now)
	if err == nil {
		var answer *http.Response
		if answer, err = s.client.Do(r); err == nil { //nolint:bodyclose // beginning closes it
			a.Status, a.Answer = answer.StatusCode, beginning(answer.Body)
		}
	}
	a.Took = time.Since(began)
	if err != nil {
		a.Error = reason(err)
	}
	return a
}

// beginning reads the first of an answer's body and closes it.
func beginning(body io.ReadCloser) string {
	stop := time.AfterFunc(answerPatience, func() { _ = body.Close() })
	defer stop.Stop()
	defer body.Close()
	kept, err := io.ReadAll(io.LimitReader(body, answerKept))
	if err == nil {
		_, _ = io.CopyN(io.Discard, body, answerDrained) // what cannot be read costs the connection, which is right
	}
	return printable(string(kept))
}

// printable makes text of what a stranger sent.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

const longestReason = 500

// reason is what an attempt's record says of a failure to get an answer.
func reason(err error) string {
	var refused *outbound.RefusedError
	var wrapped *url.Error
	switch {
	case errors.As(err, &refused):
		return refused.Reason
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Sprintf("There was no answer within %d seconds.", int(attemptTimeout.Seconds()))
	case errors.As(err, &wrapped):
		err = wrapped.Err
	}
	text := printable(err.Error())
	return strings.ToValidUTF8(text[:min(len(text), longestReason)], "")
}

// verdict is what becomes of a delivery after an attempt.
type verdict int

const (
	delivered verdict = iota
	again             // at job.due
	givenUp
	gone    // 410: the endpoint wants no more
	undone  // the event is no longer in the log
	aborted // we stopped; nothing is recorded
)

// judge decides by the answer. j.attempts counts this attempt already.
func judge(a Attempt, j *job) (verdict, time.Duration) {
	if a.Status >= 200 && a.Status < 300 {
		return delivered, 0
	}
	wait, more := delayAfter(j.attempts)
	switch {
	case a.Status == http.StatusGone:
		return gone, wait
	case !more:
		return givenUp, 0
	}
	return again, wait
}

// mayBeSignature: an answer that a receiver gives when it does not accept a signature.
func mayBeSignature(status int) bool {
	return status == http.StatusBadRequest || status == http.StatusUnauthorized || status == http.StatusForbidden
}
