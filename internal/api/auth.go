package api

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/token"
	"github.com/rollcallhq/rollcall/internal/web"
)

// call is an authenticated request. Only open makes one.
type call struct {
	*server
	r     *http.Request
	query url.Values
	path  map[string]string
	actor event.Actor

	caller string // which management key it was, by its hash
}

func (c *call) ctx() context.Context { return c.r.Context() }

// actorID is who acted when the management key did: there is one such key, held by the app's own company.
const actorID = "management_key"

func (s *server) open(r *http.Request, t target) (*call, error) {
	caller, err := s.admit(r)
	if err != nil {
		return nil, err
	}
	query, err := readQuery(r.URL.RawQuery)
	if err != nil {
		return nil, err
	}
	actor := event.Actor{ID: actorID, Source: event.API}
	return &call{server: s, r: r.WithContext(event.As(r.Context(), actor)), query: query, path: t.path, actor: actor, caller: caller}, nil
}

// bearer reads what the request came with.
func bearer(r *http.Request) (token.Secret, error) {
	values := r.Header.Values("Authorization")
	if len(values) != 1 {
		return "", errUnauthorized("Send the management key in one header: Authorization: Bearer <key>.")
	}
	scheme, secret, _ := strings.Cut(values[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", errUnauthorized("Send the management key as a bearer token: Authorization: Bearer <key>.")
	}
	return token.Secret(strings.TrimSpace(secret)), nil
}

// accepts compares with every key, also after one has matched: time must not tell which.
func (s *server) accepts(secret token.Secret) (caller string, accepted bool) {
	for _, key := range s.o.Keys {
		if key.Matches(secret) {
			caller, accepted = callerOf(key), true
		}
	}
	return caller, accepted
}

// callerOf names a key by part of its hash: enough to tell keys apart, and nothing a secret could be found by.
func callerOf(key token.Hash) string {
	const enough = 16
	return "mk_" + string(key[:min(len(key), enough)])
}

// hint says what kind of secret it is: a directory's token by its form, an organization's API key to whoever holds a living one. To
// everybody else it says nothing that they did not know.
func (s *server) hint(ctx context.Context, secret token.Secret) string {
	switch {
	case token.WellFormed(secret, "scim"):
		return "This is the SCIM token of a directory. The API wants the management key."
	case token.WellFormed(secret, "sk"):
		_, living, err := s.o.Organizations.AuthenticateAPIKey(ctx, secret)
		if err != nil { // the answer is a refusal in any case
			s.o.Logger.ErrorContext(ctx, "an API key could not be looked up", "request_id", web.From(ctx).ID, "error", err)
		}
		if living {
			return "This is an API key of an organization. The API wants the management key."
		}
	}
	return "The management key is not valid. Check that it was copied whole."
}

func errUnauthorized(message string) error {
	return fault.New(fault.Unauthorized, "unauthorized", "%s", message)
}

func readQuery(raw string) (url.Values, error) {
	query, err := url.ParseQuery(raw)
	if err != nil {
		return nil, fault.New(fault.Invalid, "invalid_query", "The query of the address cannot be read; encode it as in name=value&name=value.").Because(err)
	}
	for name, values := range query {
		for _, v := range values {
			if !web.IsText(v) || !web.IsText(name) {
				return nil, fault.New(fault.Invalid, "invalid_query", "The query parameter %.40q holds U+0000 or is not UTF-8.", name).On(name)
			}
		}
	}
	return query, nil
}
