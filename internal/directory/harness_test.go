package directory_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/db/dbtest"
	"github.com/rollcallhq/rollcall/internal/db/migrations"
	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/scim"
	"github.com/rollcallhq/rollcall/internal/token"
)

// house is an organization with one directory and its opened door, on one engine.
type house struct {
	t      *testing.T
	db     *db.DB
	events *event.Log
	orgs   *org.Service
	s      *directory.Service
	org    org.Organization
	dir    directory.Directory
	token  token.Secret
	a      *directory.Access
	seen   string // the last event read
}

var ctx = context.Background()

func actor() event.Actor { return event.Actor{ID: "test", Source: event.API} }

// each runs a story on both engines, each time in a new house.
func each(t *testing.T, story func(*house)) {
	t.Helper()
	dbtest.Each(t, migrations.Files, func(t *testing.T, open func() *db.DB) {
		story(newHouse(t, open(), directory.New{}))
	})
}

func newHouse(t *testing.T, d *db.DB, n directory.New) *house {
	t.Helper()
	ids := token.NewSource(time.Now)
	h := &house{t: t, db: d, events: event.NewLog(d, ids)}
	h.orgs = org.NewService(d, h.events, ids, time.Now)
	h.s = directory.NewService(directory.Options{DB: d, Events: h.events, IDs: ids, Now: time.Now, Logger: slog.New(slog.DiscardHandler), APIKeys: h.orgs})
	var err error
	h.org, err = h.orgs.Create(ctx, actor(), org.New{Name: "Acme"})
	h.ok(err)
	h.dir, h.token = h.directory(n)
	h.a = h.open(h.token)
	h.ok(h.s.NoteAccepted(ctx, h.a))
	h.a = h.open(h.token)
	h.news()
	return h
}

func (h *house) ok(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) directory(n directory.New) (directory.Directory, token.Secret) {
	h.t.Helper()
	n.OrganizationID = string(h.org.ID)
	if n.Name == "" {
		n.Name = "Okta"
	}
	if n.Type == "" {
		n.Type = directory.OktaSCIM
	}
	d, secret, err := h.s.Create(ctx, actor(), n)
	h.ok(err)
	return d, secret
}

func (h *house) open(secret token.Secret) *directory.Access {
	h.t.Helper()
	a, err := h.s.Authenticate(ctx, "", secret)
	h.ok(err)
	return a
}

// doc is a canonical document from JSON written in a test.
func doc(t *testing.T, text string) *scim.Object {
	t.Helper()
	o, err := scim.ReadObject([]byte(text), scim.DefaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	kind := scim.Standard().User
	if strings.Contains(text, `"displayName"`) && !strings.Contains(text, `"userName"`) {
		kind = scim.Standard().Group
	}
	o, err = kind.Prepare(o, scim.Mode{})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func record(o directory.Outcome) *directory.Exchange {
	effect, err := json.Marshal(o.EventIDs)
	if err != nil {
		panic(err)
	}
	return &directory.Exchange{At: time.Now(), Method: "POST", Path: "/Users", Status: 201, RequestID: "req", Effect: []byte(fmt.Sprintf(`{"change":%q,"events":%s}`, o.Change, effect))}
}

func (h *house) user(text string) directory.User {
	h.t.Helper()
	u, _, err := h.s.CreateUser(ctx, h.a, doc(h.t, text), record)
	h.ok(err)
	return u
}

func (h *house) person(name string) directory.User {
	h.t.Helper()
	return h.user(`{"userName":"` + name + `"}`)
}

func refs(values ...string) []scim.MemberRef {
	out := make([]scim.MemberRef, len(values))
	for i, v := range values {
		out[i].Value = v
	}
	return out
}

func (h *house) group(name string, members ...string) directory.Group {
	h.t.Helper()
	g, err := h.s.CreateGroup(ctx, h.a, doc(h.t, `{"displayName":"`+name+`"}`), refs(members...), record)
	h.ok(err)
	return g
}

// set changes attributes of a user by replacing them.
func set(members ...scim.Member) func(*scim.Object) (*scim.Object, error) {
	return func(o *scim.Object) (*scim.Object, error) {
		o = o.Clone()
		for _, m := range members {
			o.Set(m.Name, m.Value)
		}
		return o, nil
	}
}

func (h *house) activate(id directory.UserID, active bool) directory.User {
	h.t.Helper()
	u, _, err := h.s.UpdateUser(ctx, h.a, string(id), directory.Condition{MentionsActive: true},
		set(scim.Member{Name: "active", Value: scim.BoolOf(active)}), record)
	h.ok(err)
	return u
}

func (h *house) members(g directory.Group, kind scim.MemberChangeKind, values ...string) directory.Change {
	h.t.Helper()
	_, did, err := h.s.UpdateGroup(ctx, h.a, string(g.ID), directory.Condition{}, func(o *scim.Object) (*scim.Object, []scim.MemberChange, error) {
		return o, []scim.MemberChange{{Kind: kind, Members: refs(values...)}}, nil
	}, record)
	h.ok(err)
	return did
}

func (h *house) memberValues(g directory.Group) []string {
	h.t.Helper()
	g, err := h.s.GetGroup(ctx, h.a, string(g.ID), true)
	h.ok(err)
	var out []string
	for _, m := range g.Members {
		out = append(out, m.Value)
	}
	return out
}

// news are the events since the last call, each as its type, with "~" before derived ones.
func (h *house) news() []string {
	h.t.Helper()
	var out []string
	for _, e := range h.newEvents() {
		name := string(e.Type)
		if strings.Contains(string(e.Context), `"derived":true`) {
			name = "~" + name
		}
		out = append(out, short(name))
	}
	return out
}

func (h *house) newEvents() []event.Event {
	h.t.Helper()
	var out []event.Event
	for {
		part, err := h.events.List(ctx, event.Query{After: h.seen, Limit: 100})
		h.ok(err)
		if len(part) == 0 {
			return out
		}
		out = append(out, part...)
		h.seen = part[len(part)-1].ID
	}
}

func (h *house) wantNews(want ...string) {
	h.t.Helper()
	if got := h.news(); !slices.Equal(got, want) {
		h.t.Fatalf("events\n got %v\nwant %v", got, want)
	}
}

func (h *house) wantFault(err error, kind fault.Kind, code string) {
	h.t.Helper()
	f, ok := fault.As(err)
	if !ok || f.Kind != kind || f.Code != code {
		h.t.Fatalf("got %v (%+v), want a fault %s %s", err, f, kind, code)
	}
}

// short leaves "dsync." out where a noun follows that says enough.
func short(name string) string {
	name = strings.Replace(name, "~dsync.", "~", 1)
	if strings.HasPrefix(name, "dsync.user.") || strings.HasPrefix(name, "dsync.group.") {
		return strings.TrimPrefix(name, "dsync.")
	}
	return name
}

// service is another service on the same database, with options of its own.
func (h *house) service(o directory.Options) *directory.Service {
	ids := token.NewSource(time.Now)
	o.DB, o.IDs, o.Logger, o.Events = h.db, ids, slog.New(slog.DiscardHandler), event.NewLog(h.db, ids)
	if o.Now == nil {
		o.Now = time.Now
	}
	return directory.NewService(o)
}

// runBriefly starts the background work and stops it again.
func (h *house) runBriefly() {
	running, stop := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		h.s.Run(running)
		close(done)
	}()
	stop()
	<-done
}

func (h *house) exec(text string, args ...any) (n int64, err error) {
	err = h.db.Tx(ctx, func(tx db.Tx) error {
		n, err = tx.Exec(ctx, text, args...)
		return err
	})
	return n, err
}
