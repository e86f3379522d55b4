package client

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Raw is the JSON that an object was read from. It is part of every object, so that what this release does not know is not lost.
type Raw struct{ text json.RawMessage }

// JSON is the object as the server wrote it.
func (r Raw) JSON() json.RawMessage { return r.text }

func (r *Raw) keep(text json.RawMessage) { r.text = text }

type keeper interface{ keep(json.RawMessage) }

// call is one request to be made, as often as it takes.
type call struct {
	method string
	path   []string // segments, not escaped
	query  url.Values
	body   any // nil: none
}

func get(query url.Values, path ...string) call {
	return call{method: http.MethodGet, path: path, query: query}
}

func post(body any, path ...string) call {
	return call{method: http.MethodPost, path: path, body: body}
}

func put(body any, path ...string) call { return call{method: http.MethodPut, path: path, body: body} }

func patch(body any, path ...string) call {
	return call{method: http.MethodPatch, path: path, body: body}
}
func remove(path ...string) call { return call{method: http.MethodDelete, path: path} }

// fetch makes a call and reads its answer.
func fetch[T any](ctx context.Context, c *Client, what call) (out T, err error) {
	text, err := c.do(ctx, what)
	if err != nil {
		return out, err
	}
	return decode[T](text)
}

func decode[T any](text []byte) (out T, err error) {
	if err := json.Unmarshal(text, &out); err != nil {
		return out, fmt.Errorf("the server's answer is not what it should be: %w", err)
	}
	if k, ok := any(&out).(keeper); ok {
		k.keep(text)
	}
	return out, nil
}

// send makes a call whose answer holds nothing.
func (c *Client) send(ctx context.Context, what call) error {
	_, err := c.do(ctx, what)
	return err
}

// do makes a call, again where that may help, and gives the body of a success.
func (c *Client) do(ctx context.Context, what call) ([]byte, error) {
	p, err := c.prepare(what)
	if err != nil {
		return nil, err
	}
	doubtful := false // an earlier attempt may have been carried out
	for attempt := 0; ; attempt++ {
		text, err := c.attempt(ctx, p)
		if err == nil || doubtful && what.method == http.MethodDelete && Status(err) == http.StatusNotFound {
			return text, nil
		}
		wait, again := c.again(ctx, err, attempt)
		if !again {
			return nil, err
		}
		doubtful = doubtful || Status(err) != http.StatusTooManyRequests
		if sleep(ctx, wait) != nil {
			return nil, errors.Join(ctx.Err(), err)
		}
	}
}

// prepared is a call in the form in which every attempt sends it.
type prepared struct {
	method, url string
	header      http.Header
	body        []byte
}

func (c *Client) prepare(what call) (prepared, error) {
	p := prepared{method: what.method, header: http.Header{
		"Authorization": {"Bearer " + c.key}, "User-Agent": {c.agent}, "Accept": {"application/json"},
	}}
	address := *c.base
	var path, raw strings.Builder
	for _, s := range what.path {
		if s == "" || s == "." || s == ".." {
			return p, fmt.Errorf("%q cannot be part of an address; an id is missing or wrong", s)
		}
		path.WriteString("/" + s)
		raw.WriteString("/" + url.PathEscape(s))
	}
	address.RawPath = address.EscapedPath() + raw.String()
	address.Path += path.String()
	address.RawQuery = what.query.Encode()
	p.url = address.String()
	if what.method == http.MethodPost {
		p.header.Set("Idempotency-Key", rand.Text())
	}
	if what.body == nil {
		return p, nil
	}
	p.header.Set("Content-Type", "application/json")
	var err error
	p.body, err = json.Marshal(what.body)
	return p, err
}

// open sends a request and gives the answer of a success; who reads it has to close it.
func (c *Client) open(ctx context.Context, p prepared) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, p.method, p.url, bytes.NewReader(p.body))
	if err != nil {
		return nil, err
	}
	req.Header = p.header.Clone()
	res, err := c.http.Do(req)
	if err != nil {
		return nil, c.unreachable(err)
	}
	if res.StatusCode/100 != 2 {
		refusal := refusalOf(res, time.Now())
		return nil, errors.Join(refusal, res.Body.Close())
	}
	return res, nil
}

func (c *Client) unreachable(err error) error {
	// The URL of the standard library's error says no more than ours and may hold a person's address.
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	return &UnreachableError{URL: c.base.Redacted(), Err: err}
}

func (c *Client) attempt(ctx context.Context, p prepared) ([]byte, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, c.timeout, fmt.Errorf("it took longer than %s", c.timeout))
	defer cancel()
	res, err := c.open(ctx, p)
	if err != nil {
		return nil, explain(ctx, err)
	}
	defer func() { _ = res.Body.Close() }() // it was only read from
	text, err := io.ReadAll(io.LimitReader(res.Body, c.maxAnswer+1))
	if err != nil {
		return nil, explain(ctx, c.unreachable(err))
	}
	if int64(len(text)) > c.maxAnswer {
		return nil, fmt.Errorf("the answer is larger than %d bytes; ask for a smaller page", c.maxAnswer)
	}
	return text, nil
}

// explain puts the reason of an ended context in the place of "context deadline exceeded".
func explain(ctx context.Context, err error) error {
	var u *UnreachableError
	if errors.As(err, &u) && ctx.Err() != nil && context.Cause(ctx) != nil {
		u.Err = context.Cause(ctx)
	}
	return err
}

const (
	firstWait = 200 * time.Millisecond
	longWait  = 10 * time.Second
	// maxRetryAfter: who is told to come back later than this decides for themselves.
	maxRetryAfter = time.Minute
)

// again says whether to try again, and after what time.
func (c *Client) again(ctx context.Context, err error, attempt int) (time.Duration, bool) {
	if attempt >= c.retries || ctx.Err() != nil || !passing(err) {
		return 0, false
	}
	wait := backOff(attempt, firstWait, longWait)
	var e *Error
	if errors.As(err, &e) && e.RetryAfter > 0 {
		wait = e.RetryAfter + jitter(firstWait)
	}
	deadline, bounded := ctx.Deadline()
	return wait, wait <= maxRetryAfter+firstWait && (!bounded || time.Now().Add(wait).Before(deadline))
}

// passing says whether an error may be gone at the next attempt.
func passing(err error) bool {
	var u *UnreachableError
	if errors.As(err, &u) {
		return true
	}
	var e *Error
	return errors.As(err, &e) && e.Code != tooManyMails && (slices.Contains([]int{
		http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout,
	}, e.Status) || e.Status == http.StatusConflict && e.Code == underWay)
}

// tooManyMails is how the server refuses a mail that would come too soon after the last: no matter of how fast one asks, so the caller decides.
const tooManyMails = "too_many_mails"

// underWay is how the server refuses a repetition that overtakes the first request with the same Idempotency-Key.
const underWay = "idempotency_in_progress"

// backOff doubles from first to at most long, and spreads over the upper half so that many clients do not come back together.
func backOff(attempt int, first, long time.Duration) time.Duration {
	d := min(first<<min(attempt, 20), long)
	return d/2 + jitter(d/2)
}

func jitter(d time.Duration) time.Duration { return mathrand.N(d + 1) }

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
