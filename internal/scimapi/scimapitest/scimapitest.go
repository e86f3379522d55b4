// Package scimapitest runs the SCIM edge for tests: a real database, every service below, and a server on the loopback
// interface, so that a test speaks to it as an identity provider does.
//
//	scimapitest.Each(t, func(t *testing.T, h *scimapitest.House) {
//		f := h.Feed(directory.New{})
//		f.Do("POST", "/Users", `{"userName":"ada"}`).Want(201)
//		f.WantNews("dsync.activated", "dsync.user.created")
//	})
package scimapitest

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/db/dbtest"
	"github.com/rollcallhq/rollcall/internal/db/migrations"
	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/idp"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/scim"
	"github.com/rollcallhq/rollcall/internal/scimapi"
	"github.com/rollcallhq/rollcall/internal/token"
	"github.com/rollcallhq/rollcall/internal/web"
)

// patience is how long a test waits for what is written in the background.
const patience = 20 * time.Second

// House is one organization behind one server.
type House struct {
	T             testing.TB
	DB            *db.DB
	Log           *event.Log
	Organizations *org.Service
	Directories   *directory.Service
	Organization  org.Organization
	Server        *httptest.Server
	Client        *http.Client // follows no redirects
	Lines         *Lines       // what was logged
}

// Each runs a story on both engines, each time in a new house; change, if given, sets options of the edge.
func Each(t *testing.T, story func(t *testing.T, h *House), change ...func(*scimapi.Options)) {
	t.Helper()
	dbtest.Each(t, migrations.Files, func(t *testing.T, open func() *db.DB) {
		story(t, New(t, open(), change...))
	})
}

// SQLite runs a story on SQLite only: for what does not touch the store.
func SQLite(t testing.TB, change ...func(*scimapi.Options)) *House {
	t.Helper()
	return New(t, dbtest.Open(t, db.SQLite, migrations.Files), change...)
}

// New builds a house over an open, migrated database; it is gone at the end of the test.
func New(t testing.TB, d *db.DB, change ...func(*scimapi.Options)) *House {
	t.Helper()
	h := &House{T: t, DB: d, Lines: &Lines{}}
	log := slog.New(slog.NewTextHandler(h.Lines, nil))
	ids := token.NewSource(time.Now)
	h.Log = event.NewLog(d, ids)
	h.Organizations = org.NewService(d, h.Log, ids, time.Now)
	h.Directories = directory.NewService(directory.Options{DB: d, Events: h.Log, IDs: ids, Now: time.Now, Logger: log, APIKeys: h.Organizations})
	catalog, err := idp.Load()
	h.ok(err)
	o := scimapi.Options{Directory: h.Directories, Catalog: catalog, Logger: log}
	for _, c := range change {
		c(&o)
	}
	h.serve(scimapi.New(o), ids, log)
	h.Organization, err = h.Organizations.Create(t.Context(), Actor(), org.New{Name: "Acme"})
	h.ok(err)
	return h
}

// Actor is who sets things up.
func Actor() event.Actor { return event.Actor{ID: "test", Source: event.API} }

func (h *House) serve(edge http.Handler, ids *token.Source, log *slog.Logger) {
	front := web.Front{
		Log: log, NewID: func() string { return ids.NewID("req") }, BodyLimit: 16 << 20, Deadline: time.Minute,
		Refuse: func(w http.ResponseWriter, _ *http.Request, f *fault.Error) {
			http.Error(w, f.Message, web.Status(f.Kind))
		},
	}
	h.Server = httptest.NewServer(front.Wrap(edge))
	h.Client = h.Server.Client()
	h.Client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { h.Directories.Run(ctx) })
	h.T.Cleanup(func() {
		h.Server.Close()
		stop()
		running.Wait()
	})
}

func (h *House) ok(err error) {
	h.T.Helper()
	if err != nil {
		h.T.Fatal(err)
	}
}

// Key makes an API key of an organization with a JSON array of permissions.
func (h *House) Key(of org.ID, permissions string) (id string, secret token.Secret) {
	h.T.Helper()
	secret = token.NewSecret("sk")
	id = "api_key_" + secret.Reveal()[len("sk_"):20]
	h.exec(`INSERT INTO api_keys (id, organization_id, name, hash, hint, permissions, created_at, updated_at) VALUES ($1, $2, 'Key', $3, $4, $5, 1, 1)`,
		id, string(of), string(token.HashOf(secret)), secret.Suffix(), permissions)
	return id, secret
}

// DeleteKey ends an API key.
func (h *House) DeleteKey(id string) {
	h.T.Helper()
	h.exec("DELETE FROM api_keys WHERE id = $1", id)
}

// ExpireKey lets an API key run out.
func (h *House) ExpireKey(secret token.Secret) {
	h.T.Helper()
	h.exec("UPDATE api_keys SET expires_at = $2 WHERE hash = $1", string(token.HashOf(secret)), time.Now().Add(-time.Second).UnixMicro())
}

// Features switches the features of the house's organization, given as a JSON object, and waits until every door knows.
func (h *House) Features(text string) {
	h.T.Helper()
	h.ok(h.DB.Tx(h.T.Context(), func(tx db.Tx) error {
		if _, err := tx.Exec(h.T.Context(), "UPDATE organizations SET features = $2 WHERE id = $1", string(h.Organization.ID), text); err != nil {
			return err
		}
		return h.Directories.Moved(h.T.Context(), tx)
	}))
	h.ok(h.Directories.Await(h.T.Context()))
}

func (h *House) exec(text string, args ...any) {
	h.T.Helper()
	h.ok(h.DB.Tx(h.T.Context(), func(tx db.Tx) error {
		_, err := tx.Exec(h.T.Context(), text, args...)
		return err
	}))
}

// Feed is a directory with its token: what an identity provider is given.
type Feed struct {
	House     *House
	Directory directory.Directory
	Token     token.Secret
	Base      string      // address without a slash at the end
	Header    http.Header // sent with every request
	seen      string      // the last event read
}

// Feed makes a directory in the house's organization, of the generic type and with a name unless n says otherwise.
func (h *House) Feed(n directory.New) *Feed {
	h.T.Helper()
	n.OrganizationID = string(h.Organization.ID)
	if n.Name == "" {
		n.Name = "People"
	}
	if n.Type == "" {
		n.Type = directory.GenericSCIM
	}
	d, secret, err := h.Directories.Create(h.T.Context(), Actor(), n)
	h.ok(err)
	f := &Feed{
		House: h, Directory: d, Token: secret, Base: h.Server.URL + "/scim/v2/" + d.AddressKey,
		Header: http.Header{"Authorization": {"Bearer " + secret.Reveal()}},
	}
	f.Events()
	return f
}

// Linked is a feed whose first request has been made, so that dsync.activated is out of the way.
func (h *House) Linked(n directory.New) *Feed {
	h.T.Helper()
	f := h.Feed(n)
	f.Do("GET", "/Users?count=0", "").Want(http.StatusOK)
	f.Events()
	return f
}

// Answer is what came back.
type Answer struct {
	T      testing.TB
	Status int
	Header http.Header
	Body   []byte
}

// Do sends a request below the base address; header are names and values, replacing those of the feed, and "" sends none.
func (f *Feed) Do(method, path, body string, header ...string) Answer {
	f.House.T.Helper()
	return f.DoAt(f.Base+path, method, body, header...)
}

// DoAt sends a request to an absolute address.
func (f *Feed) DoAt(address, method, body string, header ...string) Answer {
	t := f.House.T
	t.Helper()
	var reader io.Reader = http.NoBody
	if body != "" {
		reader = strings.NewReader(body)
	}
	r, err := http.NewRequestWithContext(t.Context(), method, address, reader)
	f.House.ok(err)
	r.Header = f.Header.Clone()
	if body != "" {
		r.Header.Set("Content-Type", "application/scim+json")
	}
	for pair := range slices.Chunk(header, 2) {
		r.Header.Set(pair[0], pair[1])
		if pair[1] == "" {
			r.Header.Del(pair[0])
		}
	}
	response, err := f.House.Client.Do(r)
	f.House.ok(err)
	got, err := io.ReadAll(response.Body)
	f.House.ok(err)
	f.House.ok(response.Body.Close())
	return Answer{T: t, Status: response.StatusCode, Header: response.Header, Body: got}
}

// Want fails the test at once unless the status is one of these.
func (a Answer) Want(statuses ...int) Answer {
	a.T.Helper()
	if !slices.Contains(statuses, a.Status) {
		a.T.Fatalf("status %d, want %v; body %s", a.Status, statuses, a.Body)
	}
	return a
}

// WantError is Want for refusals, and checks what every Error body must have (RFC 7644 section 3.12).
func (a Answer) WantError(status int, scimType string) Answer {
	a.T.Helper()
	a.Want(status)
	var e struct {
		Schemas                  []string
		Status, ScimType, Detail string
	}
	if err := json.Unmarshal(a.Body, &e); err != nil {
		a.T.Fatalf("error body %s: %v", a.Body, err)
	}
	if !slices.Equal(e.Schemas, []string{scim.ErrorURN}) || e.Status != strconv.Itoa(status) || e.Detail == "" || e.ScimType != scimType {
		a.T.Fatalf("error body %s, want status %d and scimType %q", a.Body, status, scimType)
	}
	return a
}

// Object is the body as a JSON object.
func (a Answer) Object() map[string]any {
	a.T.Helper()
	var o map[string]any
	if err := json.Unmarshal(a.Body, &o); err != nil {
		a.T.Fatalf("body %s: %v", a.Body, err)
	}
	return o
}

// At finds a value by names and, in lists, by numbers: "emails.0.value". nil if it is not there.
func (a Answer) At(path string) any {
	a.T.Helper()
	return At(a.Object(), path)
}

// At finds a value within decoded JSON; a name that holds a dot ends with the next one that is found.
func At(v any, path string) any {
	for path != "" {
		switch x := v.(type) {
		case map[string]any:
			v, path = member(x, path)
		case []any:
			head, rest, _ := strings.Cut(path, ".")
			var i int
			if json.Unmarshal([]byte(head), &i) != nil || i < 0 || i >= len(x) {
				return nil
			}
			v, path = x[i], rest
		default:
			return nil
		}
	}
	return v
}

// member takes the longest name that is there: URNs hold dots.
func member(o map[string]any, path string) (any, string) {
	for end := len(path); end > 0; end = strings.LastIndexByte(path[:end], '.') {
		if v, ok := o[path[:end]]; ok {
			return v, strings.TrimPrefix(path[end:], ".")
		}
	}
	return nil, ""
}

// ID is the id of the resource in the body.
func (a Answer) ID() string {
	a.T.Helper()
	id, _ := a.At("id").(string)
	if id == "" {
		a.T.Fatalf("no id in %s", a.Body)
	}
	return id
}

// User creates a person and gives the id.
func (f *Feed) User(userName string) string {
	f.House.T.Helper()
	return f.Do("POST", "/Users", `{"userName":"`+userName+`"}`).Want(http.StatusCreated).ID()
}

// Events are the directory's events since the last call, oldest first.
func (f *Feed) Events() []event.Event {
	f.House.T.Helper()
	var out []event.Event
	for {
		part, err := f.House.Log.List(f.House.T.Context(), event.Query{After: f.seen, Limit: 500})
		f.House.ok(err)
		if len(part) == 0 {
			return out
		}
		f.seen = part[len(part)-1].ID
		for _, e := range part {
			if bytes.Contains(e.Data, []byte(f.Directory.ID)) {
				out = append(out, e)
			}
		}
	}
}

// WantNews compares the types of the events since the last call.
func (f *Feed) WantNews(types ...event.Type) {
	f.House.T.Helper()
	var got []event.Type
	for _, e := range f.Events() {
		got = append(got, e.Type)
	}
	if !slices.Equal(got, types) {
		f.House.T.Fatalf("events %v, want %v", got, types)
	}
}

// Exchanges waits until at least n are recorded and gives them, oldest first.
func (f *Feed) Exchanges(n int) []directory.Exchange {
	f.House.T.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		all, err := f.House.Directories.Exchanges(f.House.T.Context(), f.Directory.ID, "", 100)
		f.House.ok(err)
		if len(all) >= n {
			slices.Reverse(all)
			return all
		}
		if time.Now().After(deadline) {
			f.House.T.Fatalf("%d exchanges after %s, want %d", len(all), patience, n)
		}
	}
}

// Settled waits until done.
func (f *Feed) Settled(done func() bool) {
	f.House.T.Helper()
	for deadline := time.Now().Add(patience); !done(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			f.House.T.Fatalf("not so after %s", patience)
		}
	}
}

// Lines collects what is logged.
type Lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *Lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *Lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
