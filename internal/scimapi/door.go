package scimapi

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/scim"
	"github.com/rollcallhq/rollcall/internal/token"
	"github.com/rollcallhq/rollcall/internal/web"
)

// visit is what is known of a request before anybody is known to have sent it.
type visit struct {
	at        time.Time
	target    target
	method    string
	query     string // as sent
	agent     string
	requestID string
	base      string // address that paths of resources are added to; "" until it is known who asks
}

func (s *server) visit(r *http.Request) visit {
	t := s.router.find(r.URL)
	return visit{
		at: s.o.Now(), target: t, method: r.Method, query: r.URL.RawQuery, agent: r.UserAgent(),
		requestID: web.From(r.Context()).ID,
	}
}

// base is the address that paths of resources are added to. For a stranger (organizationID is "") it does not depend on whose directory
// the address is.
func (s *server) base(r *http.Request, t target, organizationID string) string {
	base := s.o.Called(r, organizationID) + "/scim/v2"
	if t.address != "" {
		base += "/" + t.address
	}
	return base
}

// call is a request whose token was accepted. Only open makes one, and call.operation from one.
type call struct {
	visit

	ctx    context.Context
	server *server
	access *directory.Access
	header http.Header // of the request
	r      *http.Request

	body   []byte
	data   *scim.Object // the body, where it is already read (bulk)
	answer answer
	effect effect

	// recorded: the exchange is part of a transaction that was committed.
	recorded bool
}

// open is the bearer door.
func (s *server) open(r *http.Request, v visit) (*call, error) {
	secret, ok := bearer(r.Header)
	if !ok {
		return nil, fault.New(fault.Unauthorized, "", "no credentials")
	}
	access, err := s.dir.Authenticate(r.Context(), v.target.address, secret)
	if err != nil {
		return nil, s.undecided(r, v, err)
	}
	v.base = s.base(r, v.target, access.Directory.OrganizationID)
	return &call{visit: v, ctx: r.Context(), server: s, access: access, header: r.Header, r: r}, nil
}

// undecided names the addresses to whoever came with a good API key to the one where it is not clear which directory is meant.
func (s *server) undecided(r *http.Request, v visit, err error) error {
	var u *directory.UndecidedError
	if !errors.As(err, &u) {
		return err
	}
	if err := s.limit(u.KeyID, v.at); err != nil {
		return err
	}
	if len(u.Directories) == 0 {
		return fault.New(fault.Invalid, codeUndecided, "The API key is good, but its organization has no directory yet. Make one first.")
	}
	addresses := make([]string, len(u.Directories))
	for i, d := range u.Directories {
		addresses[i] = s.o.Preferred(r, d.OrganizationID) + "/scim/v2/" + d.Address() + " (" + shorten(d.Name) + ")"
	}
	more := ""
	if u.More {
		more = ", and more"
	}
	return fault.New(fault.Invalid, codeUndecided, "The API key is good, but its organization has several directories. Use the address of one of them: %s%s.",
		strings.Join(addresses, ", "), more)
}

// bearer takes the token out of the Authorization header: behind the word Bearer in any letter case (RFC 9110 section 11.1),
// or alone, as Okta's header mode sends it. Two headers are no answer to the question which one counts.
func bearer(h http.Header) (token.Secret, bool) {
	values := h["Authorization"]
	if len(values) != 1 {
		return "", false
	}
	scheme, rest, two := strings.Cut(strings.TrimSpace(values[0]), " ")
	if !two {
		return token.Secret(scheme), scheme != "" && !strings.EqualFold(scheme, "bearer")
	}
	rest = strings.TrimSpace(rest)
	return token.Secret(rest), strings.EqualFold(scheme, "bearer") && rest != "" && !strings.ContainsAny(rest, " \t")
}

// strangerDetail is the one sentence for everybody whose token was not accepted.
const strangerDetail = "The bearer token is missing or not valid for this address. Copy the token of this directory again, or make a new one, " +
	"and send it as: Authorization: Bearer <token>."

// challenge is RFC 6750 section 3.
const challenge = `Bearer realm="SCIM"`

// turnAway answers who did not come through the door. It is filed under the directory of the address, if there is one, so that its
// administrator sees why nothing arrives.
func (s *server) turnAway(w http.ResponseWriter, r *http.Request, v visit, err error) {
	if fault.Is(err, fault.Unauthorized) {
		err = fault.New(fault.Unauthorized, "", strangerDetail)
	}
	a, refusal := s.refusal(r.Context(), v, err)
	if refusal.Kind == fault.Unauthorized {
		a.challenge = challenge
	}
	a.write(w, r.Header)
	if refusal.Kind != fault.Internal && refusal.Kind != fault.Unavailable { // then nobody was refused: the store did not answer
		s.noteStranger(r.Context(), v, a, refusal)
	}
}

func (s *server) noteStranger(ctx context.Context, v visit, a answer, refusal *fault.Error) {
	d, _ := s.dir.KnownAddress(ctx, v.target.address) // under no directory it is only counted
	x := v.exchange(s, d, a)
	x.Refused = true
	x.Effect = effect{refusal: refusal}.appendJSON(nil)
	s.dir.Note(x)
}

// serve runs the call to its answer and sees to it that it is recorded.
func (c *call) serve() {
	if err := c.server.limit(c.access.TokenID, c.at); err != nil {
		c.refuse(err)
	} else if err := c.run(); err != nil {
		c.refuse(err)
	}
	c.settle()
}

// limit applies the rate limit of a token or key.
func (s *server) limit(credential directory.TokenID, at time.Time) error {
	wait, ok := s.limiter.Allow(string(credential), at)
	if ok {
		return nil
	}
	f := fault.New(fault.Limited, "", "More than %g requests a second came with this token. Nothing was changed; send it again after the time in Retry-After.",
		s.o.RateLimit)
	f.RetryAfter = wait
	return f
}

// run reads the body before anything can be refused, so that a refusal is recorded with what it refused.
func (c *call) run() (err error) {
	if c.method == http.MethodPost || c.method == http.MethodPut || c.method == http.MethodPatch {
		if c.body, err = web.ReadBody(c.r, c.server.o.MaxBody); err != nil {
			return asMaxPayload(err, c.server.o.MaxBody)
		}
	}
	if c.access.Off {
		c.stopBulkLeavers()
		return errFeatureOff()
	}
	return c.handle()
}

func (c *call) handle() error {
	h, err := c.target.handler(c.method)
	if err != nil {
		return err
	}
	if id := c.target.id; len(id) > longestID || !utf8.ValidString(id) || strings.Contains(id, "\x00") {
		return fault.New(fault.NotFound, "", "There is nothing with the id %q.", shorten(id))
	}
	return h(c)
}

// longestID bounds what is looked up; ours are shorter, and no schema's URN is longer.
const longestID = 512

// condition is the If-Match of the call. Strict directories' clients send none.
func (c *call) condition() directory.Condition { return condition(c.header["If-Match"]) }

// asMaxPayload names the limit as the ServiceProviderConfig does (RFC 7644 section 3.7.4).
func asMaxPayload(err error, limit int64) error {
	if !fault.Is(err, fault.TooLarge) {
		return err
	}
	return fault.New(fault.TooLarge, "", "The body is over the limit of %d bytes (maxPayloadSize). Nothing was changed; send less in one request.", limit).
		Because(err)
}

// object is the body as a JSON object, whatever its Content-Type says.
func (c *call) object() (*scim.Object, error) {
	if c.data != nil {
		return c.data, nil
	}
	if len(c.body) == 0 {
		return nil, fault.New(fault.Invalid, scim.CodeInvalidSyntax, "The request has no body; send a JSON object.")
	}
	return scim.ReadObject(c.body, scim.DefaultLimits)
}

// refuse makes the refusal the call's answer. What a verb had prepared before it failed did not happen.
func (c *call) refuse(err error) {
	c.recorded = false
	c.answer, c.effect.refusal = c.server.refusal(c.ctx, c.visit, err)
	c.effect.outcome = directory.Outcome{}
}

// settle records what no transaction has recorded.
func (c *call) settle() {
	if c.effect.refusal != nil {
		c.stopLeaver()
	}
	if c.recorded {
		return
	}
	if c.effect.refusal == nil && c.access.Directory.State != directory.Linked {
		// The answer stands without it, and the next request tries again.
		if err := c.server.dir.NoteAccepted(c.ctx, c.access); err != nil {
			c.server.log.ErrorContext(c.ctx, "a directory could not be marked as linked", "request_id", c.requestID,
				"directory", c.access.Directory.ID, "error", err)
		}
	}
	if c.method == http.MethodGet && c.effect.refusal == nil && c.server.dir.Busy() {
		return
	}
	c.server.dir.Note(c.exchange())
}
