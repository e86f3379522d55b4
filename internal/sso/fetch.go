package sso

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/outbound"
)

// Limits of asking a provider.
const (
	fetchPatience = 10 * time.Second
	maxRedirects  = 3
	maxDiscovery  = 256 << 10
	maxKeys       = 512 << 10
	maxUserInfo   = 1 << 20
	maxToken      = 1 << 20
)

// clients are the ways out. Both keep to the operator's policy at every dial; one follows a few redirects, which are checked as the
// first address was, the other none, since it carries secrets.
type clients struct{ follows, strict *http.Client }

func newClients(policy outbound.Policy) clients {
	follows := policy.Client()
	follows.CheckRedirect = func(r *http.Request, via []*http.Request) error {
		switch {
		case len(via) > maxRedirects:
			return errors.New("too many redirects")
		case via[0].URL.Scheme == "https" && r.URL.Scheme != "https":
			return errors.New("redirected to an address without TLS")
		}
		_, err := policy.Check(r.Context(), r.URL.String())
		return err
	}
	strict := policy.Client()
	strict.Timeout = fetchPatience
	return clients{follows: follows, strict: strict}
}

func (c clients) close() {
	c.follows.CloseIdleConnections()
	c.strict.CloseIdleConnections()
}

// document is what an address gave.
type document struct {
	body      []byte
	etag      string
	unchanged bool
}

// fetch reads a document. The refusal is idp_unreachable and says why in words for people; nothing of the answer is repeated.
func (s *Service) fetch(ctx context.Context, address, accept, etag string, limit int64) (document, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchPatience)
	defer cancel()
	if _, err := s.c.Policy.Check(ctx, address); err != nil {
		return document{}, unreachable(address, err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return document{}, unreachable(address, err)
	}
	r.Header.Set("Accept", accept)
	r.Header.Set("User-Agent", "Rollcall")
	if etag != "" {
		r.Header.Set("If-None-Match", etag)
	}
	answer, err := s.clients.follows.Do(r)
	if err != nil {
		return document{}, unreachable(address, err)
	}
	defer answer.Body.Close()
	return readAnswer(address, answer, limit)
}

func readAnswer(address string, answer *http.Response, limit int64) (document, error) {
	switch answer.StatusCode {
	case http.StatusNotModified:
		return document{unchanged: true}, nil
	case http.StatusOK:
	default:
		return document{}, deny(IDPUnreachable, "200", fmt.Sprint(answer.StatusCode), "%s answered %d.", hostOf(address), answer.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, limit+1))
	if err != nil {
		return document{}, unreachable(address, err)
	}
	if int64(len(body)) > limit {
		return document{}, deny(IDPUnreachable, fmt.Sprintf("at most %d bytes", limit), "more", "The answer of %s is longer than %d bytes.", hostOf(address), limit)
	}
	return document{body: body, etag: bounded(answer.Header.Get("ETag"), maxName)}, nil
}

// unreachable says in a sentence why there is no answer.
func unreachable(address string, err error) *fault.Error {
	var refused *outbound.RefusedError
	var wrapped *url.Error
	var why string
	switch {
	case errors.As(err, &refused):
		why = refused.Reason
	case errors.Is(err, context.DeadlineExceeded):
		why = fmt.Sprintf("There was no answer within %d seconds.", int(fetchPatience.Seconds()))
	case errors.As(err, &wrapped):
		why = bounded(wrapped.Err.Error(), maxShown)
	default:
		why = bounded(err.Error(), maxShown)
	}
	return deny(IDPUnreachable, "an answer", "none", "%s cannot be reached. %s", hostOf(address), why).Because(err)
}

// hostOf leaves out what may be secret in an address.
func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return "The address"
	}
	return bounded(u.Host, 100)
}
