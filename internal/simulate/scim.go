package simulate

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/rollcallhq/rollcall/internal/idp"
)

// Target is the SCIM server that is talked to.
type Target struct {
	BaseURL string       // ends in /scim/v2/… or what the server has; a query in it goes with every request
	Token   string       // as the server gave it, without a scheme
	HTTP    *http.Client // nil: one that follows no redirect; the dialect's timeout applies either way
}

// SCIMOptions set up a client.
type SCIMOptions struct {
	Options []string // settings of the provider, by their names in its dialect
	Seed    uint64   // what is random is the same for the same seed
	State   State    // what an earlier client knew
	// Watch sees each exchange as it ends; Note hears remarks between them. Both may be nil.
	Watch func(Exchange)
	Note  func(string)
	// Wait waits before a request is sent again; nil: until the time is over or ctx ends.
	Wait func(ctx context.Context, d time.Duration) error
}

// Exchange is one request with its answer and what the provider makes of it. No token is in it.
type Exchange struct {
	Move         idp.Move
	Method       string
	Target       string // below the base address, as sent
	Header       http.Header
	Body         string
	Status       int // 0: there was no answer
	AnswerHeader http.Header
	Answer       string
	Took         time.Duration
	Says         string // what the provider makes of it
	Failed       bool   // the provider takes it for a failure
	Again        bool   // it is sent once more after this
}

// Failure is an answer that the provider takes for a failure.
type Failure struct {
	Provider string // its name
	Move     idp.Move
	Sentence string // what its administrator sees
	Status   int    // of the answer; 0: there was none
	cause    error
}

func (f *Failure) Error() string { return f.Provider + " would show: " + f.Sentence }

func (f *Failure) Unwrap() error { return f.cause }

// ErrUnknown is about somebody or a group that neither the client nor the server knows.
var ErrUnknown = errors.New("nobody of this name is known")

// ErrNotSpoken is about a move that the provider's client does not have.
var ErrNotSpoken = errors.New("the provider's client has no such move")

// SCIMClient plays a provider's SCIM client in its dialect. It is not safe for concurrent use: a provider's client works one thing after another.
type SCIMClient struct {
	name     string
	slug     idp.Slug
	dialect  *idp.Dialect
	base     *url.URL
	query    string // with every request
	token    string
	http     *http.Client
	seed     uint64
	random   *rand.Rand
	state    State
	watch    func(Exchange)
	note     func(string)
	wait     func(context.Context, time.Duration) error
	recorded []Exchange
}

// NewSCIMClient makes a client of the provider for one server. Errors say what is wrong with the address, the options or the state.
func NewSCIMClient(p idp.Provider, target Target, o SCIMOptions) (*SCIMClient, error) {
	if p.Dialect == nil {
		return nil, errors.New(silent(p))
	}
	base, err := url.Parse(target.BaseURL)
	if err != nil || base.Host == "" || (base.Scheme != "http" && base.Scheme != "https") {
		return nil, fmt.Errorf("%q is no address of a SCIM server; want http:// or https:// and what follows", target.BaseURL)
	}
	options, queries := settings(p.Dialect, o.Options, base.RawQuery)
	dialect, err := p.Dialect.With(options...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", p.Name, err)
	}
	if bad := strings.IndexAny(base.Path, dialect.BaseWithout); dialect.BaseWithout != "" && bad >= 0 {
		return nil, fmt.Errorf("%s takes no base address with %q in it: %s", p.Name, base.Path[bad], target.BaseURL)
	}
	c := &SCIMClient{
		name: p.Name, slug: p.Slug, dialect: dialect, base: base, query: strings.Join(queries, "&"), token: target.Token,
		http: clientOf(target.HTTP, time.Duration(dialect.TimeoutSeconds)*time.Second),
		seed: o.Seed, random: rand.New(rand.NewPCG(o.Seed, uint64(len(p.Slug)))), state: o.State,
		watch: o.Watch, note: o.Note, wait: o.Wait,
	}
	if c.wait == nil {
		c.wait = patiently
	}
	return c, c.state.belongsTo(p.Slug, c.address())
}

// silent says why a provider cannot be played.
func silent(p idp.Provider) string {
	if p.WithoutSCIM != "" {
		return p.Name + " sends no SCIM. " + p.WithoutSCIM
	}
	return "how " + p.Name + " talks is not written down; internal/idp/catalog/" + string(p.Slug) + "/simulate.json would do it"
}

// settings are the options that are on, those included whose flag the address has, and the queries that go with every request.
func settings(d *idp.Dialect, named []string, query string) (options, queries []string) {
	options = slices.Clone(named)
	if query != "" {
		queries = strings.Split(query, "&")
	}
	for name, o := range d.Options {
		flagged := o.Query != "" && slices.Contains(queries, o.Query)
		switch {
		case flagged && !slices.Contains(options, name):
			options = append(options, name)
		case o.Query != "" && !flagged && slices.Contains(options, name):
			queries = append(queries, o.Query)
		}
	}
	return options, queries
}

func clientOf(given *http.Client, timeout time.Duration) *http.Client {
	c := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	if given != nil {
		c = *given
	}
	if c.Timeout == 0 || c.Timeout > timeout {
		c.Timeout = timeout
	}
	return &c
}

func patiently(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (c *SCIMClient) address() string {
	at := *c.base
	at.RawQuery, at.User = "", nil
	return strings.TrimSuffix(at.String(), "/")
}

// Exchanges are all requests so far, in order.
func (c *SCIMClient) Exchanges() []Exchange { return slices.Clone(c.recorded) }

// State is what the client knows, for another one to go on with.
func (c *SCIMClient) State() State { return c.state.clone() }

// Rhythm is the time between two cycles; 0 for a provider that acts at once.
func (c *SCIMClient) Rhythm() time.Duration {
	return time.Duration(c.dialect.CycleMinutes) * time.Minute
}

// Speaks tells whether the provider's client has the move.
func (c *SCIMClient) Speaks(m idp.Move) bool { return len(c.dialect.Moves[m]) > 0 }

// Connect does what the provider does when its administrator tests or saves the connection.
func (c *SCIMClient) Connect(ctx context.Context) error {
	return c.play(ctx, idp.MoveConnect, nobodyYet())
}

// Import reads everybody and every group.
func (c *SCIMClient) Import(ctx context.Context) error {
	return c.play(ctx, idp.MoveImport, nobodyYet())
}

// nobodyYet is the scene of a move that is about nobody: a provider may still make a person and a group to try whether it can.
func nobodyYet() *scene { return &scene{person: &Known{}, group: &KnownGroup{}} }

// Find looks a person up and gives what the server knows of them, by the provider's attribute mapping. It is [ErrUnknown] if there is nobody.
func (c *SCIMClient) Find(ctx context.Context, userName string) (Person, error) {
	if have := c.state.person(userName); have != nil && have.SCIMID != "" {
		return have.Person, nil
	}
	k, err := known(Person{Email: userName, Profile: Profile{UserName: userName}}, c)
	if err != nil {
		return Person{}, err
	}
	s := &scene{person: k}
	if err := c.play(ctx, idp.MoveFind, s); err != nil {
		return Person{}, err
	}
	if k.SCIMID == "" {
		return Person{}, fmt.Errorf("%w: %s; hire them first", ErrUnknown, userName)
	}
	if k.Person, err = c.readBack(k.Person, s.document); err != nil {
		return Person{}, err
	}
	k.Active = !strings.EqualFold(textOf(member(s.document, "active")), "false")
	if id := textOf(member(s.document, "externalId")); id != "" {
		k.ExternalID = id
	}
	c.state.keep(*k)
	return k.Person, nil
}

// Hire gives a person access: the provider finds them at the server or creates them.
func (c *SCIMClient) Hire(ctx context.Context, p Person) error { return c.tell(ctx, idp.MoveHire, p) }

// Change tells that a person is now as given. What is empty is taken away.
func (c *SCIMClient) Change(ctx context.Context, p Person) error {
	if _, err := c.Find(ctx, p.userName()); err != nil {
		return err
	}
	return c.tell(ctx, idp.MoveChange, p)
}

// Suspend stops the person's sign-in at the provider; to many servers that means nothing.
func (c *SCIMClient) Suspend(ctx context.Context, userName string) error {
	return c.about(ctx, idp.MoveSuspend, userName)
}

// Leave takes the person's access away.
func (c *SCIMClient) Leave(ctx context.Context, userName string) error {
	return c.about(ctx, idp.MoveLeave, userName)
}

// Return gives it back.
func (c *SCIMClient) Return(ctx context.Context, userName string) error {
	return c.about(ctx, idp.MoveReturn, userName)
}

// Delete removes the person for good, where the provider ever does.
func (c *SCIMClient) Delete(ctx context.Context, userName string) error {
	return c.about(ctx, idp.MoveDelete, userName)
}

func (c *SCIMClient) about(ctx context.Context, move idp.Move, userName string) error {
	p, err := c.Find(ctx, userName)
	if err != nil {
		return err
	}
	return c.tell(ctx, move, p)
}

// tell plays a move about a person and keeps what comes of it. What fails is owed, for a provider that holds it back and tries again.
func (c *SCIMClient) tell(ctx context.Context, move idp.Move, p Person) error {
	k, err := known(p, c)
	if err != nil {
		return err
	}
	if before := c.state.person(p.userName()); before != nil {
		k.SCIMID, k.ExternalID, k.Active = before.SCIMID, before.ExternalID, before.Active
	}
	was := k.Active
	k.Active = c.activeAfter(move, was)
	err = c.play(ctx, move, &scene{person: k})
	k.Owed = ""
	var failure *Failure
	switch {
	case err == nil && move == idp.MoveDelete:
		c.state.forget(p.userName())
		return nil
	case errors.As(err, &failure) && c.dialect.Escrow:
		k.Owed = move
	}
	if err != nil {
		k.Active = was
	}
	if before := c.state.person(p.userName()); before != nil && before.SCIMID != k.SCIMID {
		c.state.forget(p.userName()) // another record, which no group has
	}
	if k.SCIMID != "" || k.Owed != "" {
		c.state.keep(*k)
	}
	return err
}

// activeAfter tells whether the provider wants a person in after a move. A suspension of which the server is told is what leaving is.
func (c *SCIMClient) activeAfter(move idp.Move, before bool) bool {
	switch move {
	case idp.MoveHire, idp.MoveReturn:
		return true
	case idp.MoveLeave:
		return false
	case idp.MoveSuspend:
		return before && c.onlyRemarks(move)
	}
	return before
}

// Cycle is what a provider does again and again: what it owes is tried once more, then everybody and every group is compared.
func (c *SCIMClient) Cycle(ctx context.Context) error {
	var faults []error
	for _, k := range c.state.clone().People {
		move := idp.MoveChange
		if k.Owed != "" {
			move = k.Owed
		}
		if k.Active || k.Owed != "" {
			faults = append(faults, c.tell(ctx, move, k.Person))
		}
	}
	for _, g := range c.state.clone().Groups {
		if c.Speaks(idp.MoveCheckGroup) {
			faults = append(faults, c.play(ctx, idp.MoveCheckGroup, &scene{group: &g}))
		}
	}
	return errors.Join(faults...)
}
