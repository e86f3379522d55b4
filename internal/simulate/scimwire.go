package simulate

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rollcallhq/rollcall/internal/idp"
)

const mostAnswer = 16 << 20 // bytes of an answer that are read

// send sends a request, again where the provider would, and fills in the last answer. The error is that there was none.
func (c *SCIMClient) send(ctx context.Context, x *Exchange) error {
	wait := time.Duration(c.dialect.Retry.FirstSeconds) * time.Second
	for try := 1; ; try++ {
		err := c.once(ctx, x)
		if err != nil || try >= c.dialect.Retry.Tries || !slices.Contains(c.dialect.Retry.Statuses, x.Status) {
			return err
		}
		pause := c.pause(x.AnswerHeader.Get("Retry-After"), wait)
		again := *x
		again.Again, again.Says = true, fmt.Sprintf("sent again in %s", pause)
		c.record(again)
		if err := c.wait(ctx, pause); err != nil {
			return err
		}
		wait *= 2
	}
}

// pause is what the server asks for, in seconds or as a date (RFC 9110 §10.2.3), within what the provider bears; else its own.
func (c *SCIMClient) pause(asked string, own time.Duration) time.Duration {
	most := time.Duration(c.dialect.Retry.MostSeconds) * time.Second
	if seconds, err := strconv.Atoi(strings.TrimSpace(asked)); err == nil && seconds >= 0 {
		own = time.Duration(min(seconds, c.dialect.Retry.MostSeconds)) * time.Second
	} else if at, err := http.ParseTime(asked); err == nil {
		own = time.Until(at).Round(time.Second)
	}
	return max(0, min(own, most))
}

func (c *SCIMClient) once(ctx context.Context, x *Exchange) error {
	request, err := http.NewRequestWithContext(ctx, x.Method, c.address()+x.Target, strings.NewReader(x.Body))
	if err != nil {
		return fmt.Errorf("make a request: %w", err)
	}
	if x.Body == "" {
		request.Body, request.GetBody, request.ContentLength = http.NoBody, nil, 0
	}
	c.dress(request, x.Body != "")
	x.Header = request.Header.Clone()
	x.Header.Del("Authorization")
	started := time.Now()
	answer, err := c.http.Do(request)
	if err != nil {
		x.Took = time.Since(started)
		return err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, mostAnswer))
	x.Took = time.Since(started)
	x.Status, x.AnswerHeader, x.Answer = answer.StatusCode, answer.Header, string(body)
	return err
}

// dress gives a request the provider's headers and the token.
func (c *SCIMClient) dress(r *http.Request, body bool) {
	r.Header.Set("User-Agent", "") // some providers send none, and Go's own would give us away
	for name, value := range c.dialect.Headers {
		if body || !strings.EqualFold(name, "Content-Type") {
			r.Header.Set(name, value)
		}
	}
	switch {
	case c.token == "":
	case c.dialect.Auth == idp.AuthRaw:
		r.Header.Set("Authorization", c.token)
	default:
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
}

func (c *SCIMClient) record(x Exchange) {
	c.recorded = append(c.recorded, x)
	if c.watch != nil {
		c.watch(x)
	}
}
