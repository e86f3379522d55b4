package api

import (
	"bytes"
	"io"
	"net/http"
	"slices"

	"github.com/rollcallhq/rollcall/internal/api/openapi"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/idempotency"
	"github.com/rollcallhq/rollcall/internal/web"
)

const (
	idempotencyKey = "Idempotency-Key"
	replayedHeader = "Idempotency-Replayed"
)

// repeatable: the header counts on every method that may change something.
func (c *call) repeatable(t target) bool {
	switch c.r.Method {
	case http.MethodGet, http.MethodHead:
		return false
	}
	return c.o.Idempotency != nil && len(c.r.Header.Values(idempotencyKey)) > 0 && !slices.Contains(openapi.OnlyReads(), openapi.Route{Method: c.r.Method, Pattern: t.row.pattern})
}

// once carries out a request the first time its key comes, and replays the answer later.
func (c *call) once(w http.ResponseWriter, t target, h handler) error {
	wanted, err := c.repeat(t)
	if err != nil {
		return err
	}
	claim, kept, err := c.o.Idempotency.Begin(c.ctx(), wanted)
	if err != nil {
		return err
	}
	if kept != nil {
		replay(w, *kept)
		return nil
	}
	// A handler that panics neither keeps nor releases: what it has done is not known, which is what becomes of its claim.
	first := &draft{header: w.Header()}
	err = c.carryOut(first, h)
	if err != nil {
		c.refuse(first, c.r, t, err)
	}
	c.settle(claim, first, err)
	first.send(w)
	return nil
}

// repeat reads what makes a request the same as another. It reads the body, so that one which cannot be read claims nothing.
func (c *call) repeat(t target) (idempotency.Request, error) {
	values := c.r.Header.Values(idempotencyKey)
	if len(values) > 1 {
		return idempotency.Request{}, fault.New(fault.Invalid, "invalid_idempotency_key", "The header Idempotency-Key is there %d times; send it once.", len(values)).On(idempotencyKey)
	}
	key, err := idempotency.ParseKey(values[0])
	if err != nil {
		return idempotency.Request{}, err
	}
	body, err := web.ReadBody(c.r, c.o.MaxBody)
	if err != nil {
		return idempotency.Request{}, err
	}
	c.r.Body = io.NopCloser(bytes.NewReader(body))
	return idempotency.Request{Caller: c.caller, Route: c.r.Method + " " + t.row.pattern, Path: c.r.URL.RequestURI(), Key: key, Body: body}, nil
}

// settle: what a repeat could mend (429 and our own failures) is not kept. When the answer cannot be stored the client gets it
// all the same, for the request was carried out; a repeat is then told that the outcome is unknown.
func (c *call) settle(claim *idempotency.Claim, first *draft, cause error) {
	var err error
	if first.status == http.StatusTooManyRequests || first.status >= http.StatusInternalServerError {
		err = claim.Release(c.ctx(), cause)
	} else {
		err = claim.Keep(c.ctx(), idempotency.Answer{Status: first.status, ContentType: first.header.Get("Content-Type"), Body: first.body.Bytes()})
	}
	if err != nil {
		c.o.Logger.ErrorContext(c.ctx(), "the answer to a request with an Idempotency-Key could not be settled; repeats will be refused",
			"request_id", web.From(c.ctx()).ID, "error", err)
	}
}

func replay(w http.ResponseWriter, kept idempotency.Answer) {
	w.Header().Set(replayedHeader, "true")
	if len(kept.Body) == 0 {
		w.WriteHeader(kept.Status)
		return
	}
	web.WriteBody(w, kept.Status, kept.ContentType, kept.Body)
}

// draft is an answer that is not sent yet. Headers go straight to the real one.
type draft struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (d *draft) Header() http.Header { return d.header }

func (d *draft) WriteHeader(status int) {
	if d.status == 0 {
		d.status = status
	}
}

func (d *draft) Write(p []byte) (int, error) {
	d.WriteHeader(http.StatusOK)
	return d.body.Write(p)
}

// send: the error of writing to a client that has gone away has nobody to be told to.
func (d *draft) send(w http.ResponseWriter) {
	w.WriteHeader(d.status)
	if d.body.Len() > 0 {
		_, _ = w.Write(d.body.Bytes())
	}
}
