package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/access"
	"github.com/rollcallhq/rollcall/internal/api/contracttest"
	"github.com/rollcallhq/rollcall/internal/api/openapi/openapitest"
	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/db/dbtest"
	"github.com/rollcallhq/rollcall/internal/db/migrations"
	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/idempotency"
	"github.com/rollcallhq/rollcall/internal/idp"
	"github.com/rollcallhq/rollcall/internal/issuer"
	"github.com/rollcallhq/rollcall/internal/itadmin"
	"github.com/rollcallhq/rollcall/internal/lifecycle"
	"github.com/rollcallhq/rollcall/internal/mail"
	"github.com/rollcallhq/rollcall/internal/member"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/outbound"
	"github.com/rollcallhq/rollcall/internal/scim"
	"github.com/rollcallhq/rollcall/internal/session"
	"github.com/rollcallhq/rollcall/internal/sso"
	"github.com/rollcallhq/rollcall/internal/token"
	"github.com/rollcallhq/rollcall/internal/web"
	"github.com/rollcallhq/rollcall/internal/webhook"
)

const publicURL = "https://sync.example.com"

// world is the API over a database of its own, behind the same front as in the real thing.
type world struct {
	*testing.T
	key      token.Secret
	handler  http.Handler
	server   *server
	dirs     *directory.Service
	sessions *session.Service
	issuer   *issuer.Service
	profiles profiles
	db       *db.DB
	orgs     *org.Service
	members  *member.Service
	access   *access.Service
	conns    *sso.Service
	dns      texts
	now      func() time.Time // of organizations
	log      *bytes.Buffer
	contract contracttest.Contract

	offboardings *lifecycle.Offboardings

	described *openapitest.Document
	ids       *token.Source
}

// onBoth runs a test on both engines.
func onBoth(t *testing.T, test func(w *world)) {
	t.Helper()
	dbtest.Each(t, migrations.Files, func(t *testing.T, open func() *db.DB) { test(newWorld(t, open())) })
}

func newWorld(t *testing.T, d *db.DB) *world {
	t.Helper()
	ids := token.NewSource(time.Now)
	w := &world{T: t, db: d, key: token.NewSecret("sk"), log: &bytes.Buffer{}, contract: readContract(t), ids: ids, dns: texts{}, now: time.Now}
	log := slog.New(slog.NewTextHandler(w.log, nil))
	events := event.NewLog(d, ids)
	w.dirs = directory.NewService(directory.Options{DB: d, Events: events, IDs: ids, Now: time.Now, Logger: log})
	w.orgs = org.NewService(d, events, ids, func() time.Time { return w.now() })
	w.orgs.SetDoors(w.dirs)
	w.orgs.SetResolver(w.dns)
	sealer, err := db.NewSealer([]byte("sealing key of tests"))
	w.must(err)
	w.sessions = session.NewService(session.Options{DB: d, Events: events, IDs: ids, Sealer: sealer, Logger: log})
	w.issuer = issuer.NewService(issuer.Options{
		DB: d, Events: events, IDs: ids, Sealer: sealer, Sessions: w.sessions, Issuer: publicURL, ClientID: w.orgs.ClientID, Logger: log,
		Policy: outbound.NewPolicy([]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, nil),
	})
	w.profiles = profiles{}
	w.issuer.SetProfiles(w.profiles)
	catalog, err := idp.Load()
	w.must(err)
	w.members = member.NewService(d, events, ids, w.orgs, w.sessions, time.Now)
	w.members.SetInviting(member.Inviting{Sealer: sealer, Base: func(string) string { return publicURL }})
	w.conns = sso.NewService(sso.Config{
		DB: d, Events: events, IDs: ids, Sealer: sealer, Organizations: w.orgs, Sessions: w.sessions, Members: w.members, Catalog: catalog, Now: time.Now, Logger: log,
		Policy: outbound.NewPolicy([]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, func(context.Context, string) ([]netip.Addr, error) {
			return nil, errors.New("no names in tests")
		}),
	})
	w.access = access.NewService(access.Options{DB: d, Events: events, IDs: ids, Now: time.Now, Living: func(ctx context.Context, tx db.Tx, id string) error {
		return w.orgs.LockTx(ctx, tx, org.ID(id))
	}})
	policies := lifecycle.NewPolicies(lifecycle.PolicyOptions{
		DB: d, Events: events, Organizations: w.orgs, Directories: w.dirs, Members: w.members, Connections: w.conns, Sessions: w.sessions, Now: time.Now,
		Access: w.access,
	})
	hooks := webhooks(t, d, events, ids, log)
	w.offboardings = lifecycle.NewOffboardings(lifecycle.OffboardingOptions{
		DB: d, Events: events, IDs: ids, Organizations: w.orgs, Directories: w.dirs, Webhooks: hooks, Issuer: w.issuer, Now: time.Now, Logger: log,
	})
	mails, err := mail.NewOutbox(mail.Options{DB: d, IDs: ids, Sealer: sealer, Now: time.Now, Logger: log})
	w.must(err)
	w.server = New(Options{
		Admins: itadmin.NewService(itadmin.Options{
			DB: d, Events: events, IDs: ids, Sealer: sealer, Organizations: w.orgs, Mails: mails, Logger: log, Base: func(string) string { return publicURL },
		}),
		Audits:       lifecycle.NewAudits(d, w.orgs, time.Now),
		Offboardings: w.offboardings,
		Access:       w.access,
		Mappings:     lifecycle.NewMappings(d, w.access, w.dirs),
		Policies:     policies,
		Switches: lifecycle.NewSwitches(lifecycle.SwitchOptions{
			DB: d, Events: events, IDs: ids, Organizations: w.orgs, Directories: w.dirs, Connections: w.conns, Members: w.members, Access: w.access, Logger: log,
		}),
		Issuer:      w.issuer,
		Connections: w.conns,
		Members:     w.members,
		Sessions:    w.sessions,
		NewTest: func(_ context.Context, id sso.ID) (string, error) {
			return publicURL + "/sign-in/test/" + string(id), nil
		},
		Lifecycle:     lifecycle.NewService(d, w.orgs, w.dirs, w.members, time.Now),
		Organizations: w.orgs, Directories: w.dirs, Events: events,
		Keys:          []token.Hash{token.HashOf(token.NewSecret("sk")), token.HashOf(w.key)},
		KnownProvider: func(slug string) bool { return slug == "okta" },
		Logger:        log,
		Idempotency:   idempotency.NewService(idempotency.Options{DB: d, Sealer: sealer, Now: time.Now, Logger: log}),
		Snapshots:     lifecycle.NewSnapshots(events, w.dirs),
		Webhooks:      hooks,
	}).(*server)
	w.described, err = theDocument()
	w.must(err)
	public, err := url.Parse(publicURL + "/")
	w.must(err)
	w.handler = web.Front{
		Log: slog.New(slog.DiscardHandler), NewID: func() string { return ids.NewID("req") }, PublicURL: public, BodyLimit: 16 << 20,
		Refuse: func(_ http.ResponseWriter, _ *http.Request, f *fault.Error) {
			t.Errorf("the front had to answer: %v", f)
		},
	}.Wrap(w.server)
	return w
}

// webhooks does not run: nothing is sent.
func webhooks(t *testing.T, d *db.DB, events *event.Log, ids *token.Source, log *slog.Logger) *webhook.Service {
	t.Helper()
	sealer, err := db.NewSealer([]byte("0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	return webhook.NewService(webhook.Options{DB: d, Events: events, IDs: ids, Sealer: sealer, Now: time.Now, Logger: log, KnownType: KnownWebhookType})
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// reply is an answer that was read.
type reply struct {
	*world
	status int
	header http.Header
	raw    string
	object map[string]any
	array  []map[string]any // of an answer that is a bare array
}

// send makes a request with the management key. Every answer there is in these tests is held against the contract.
func (w *world) send(method, path, body string) reply {
	w.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+w.key.Reveal())
	r.Header.Set("Content-Type", "application/json")
	return w.serve(r)
}

func (w *world) get(path string) reply { w.Helper(); return w.send(http.MethodGet, path, "") }

func (w *world) serve(r *http.Request) reply {
	w.Helper()
	recorder := httptest.NewRecorder()
	w.handler.ServeHTTP(recorder, r)
	got := reply{world: w, status: recorder.Code, header: recorder.Header(), raw: recorder.Body.String()}
	if got.header.Get("Content-Type") == ndjson {
		got.lines()
	} else if got.raw != "" {
		if got.header.Get("Content-Type") != "application/json" {
			w.Errorf("%s %s: the body is %q", r.Method, r.URL, got.header.Get("Content-Type"))
		}
		var into any = &got.object
		if strings.HasPrefix(got.raw, "[") {
			into = &got.array
		}
		if err := json.Unmarshal(recorder.Body.Bytes(), into); err != nil {
			w.Fatalf("%s %s: %v in %s", r.Method, r.URL, err, got.raw)
		}
	}
	if !strings.HasPrefix(got.header.Get("X-Request-ID"), "req_") {
		w.Errorf("%s %s: no request id", r.Method, r.URL)
	}
	if got.status >= http.StatusInternalServerError {
		w.Errorf("%s %s: %d %s\n%s", r.Method, r.URL, got.status, got.raw, w.log)
	}
	if got.status >= http.StatusBadRequest {
		got.checkRefusal(r)
	}
	w.check(r, w.server.find(r.URL), got)
	w.isAsDescribed(r, got)
	return got
}

// lines reads an answer of one JSON object a line; object is the last of them.
func (r *reply) lines() (all []map[string]any) {
	r.Helper()
	for line := range strings.Lines(r.raw) {
		var v map[string]any
		if err := json.Unmarshal([]byte(line), &v); err != nil || !strings.HasSuffix(line, "}\n") {
			r.Fatalf("%v in %s", err, line)
		}
		all, r.object = append(all, v), v
	}
	return all
}

// checkRefusal holds an error against what clients need of one.
func (r reply) checkRefusal(request *http.Request) {
	r.Helper()
	where := request.Method + " " + request.URL.String() + ": " + r.raw
	if r.text("message") == "" || r.text("code") == "" {
		r.Errorf("%s: no message or code", where)
	}
	if r.text("request_id") != r.header.Get("X-Request-ID") {
		r.Errorf("%s: the request id is not that of the header", where)
	}
	if _, oauth := r.object["error"]; oauth {
		r.Errorf("%s: looks like an OAuth error", where)
	}
	if strings.Contains(r.raw, r.key.Reveal()) {
		r.Errorf("%s: shows the key", where)
	}
	errs, _ := r.object["errors"].([]any)
	if (r.status == http.StatusBadRequest || r.status == http.StatusUnprocessableEntity) != (len(errs) > 0) {
		r.Errorf("%s: errors belong to 400 and 422", where)
	}
	for _, e := range errs {
		one := e.(map[string]any)
		if one["code"] == "" || r.status == http.StatusUnprocessableEntity && (one["field"] == nil || one["field"] == "") {
			r.Errorf("%s: an error without code or field", where)
		}
	}
}

func (r reply) wants(status int) reply {
	r.Helper()
	if r.status != status {
		r.Fatalf("status %d, want %d: %s", r.status, status, r.raw)
	}
	return r
}

// refused checks status, code and field of an error.
func (r reply) refused(status int, code, field string) {
	r.Helper()
	got := ""
	if errs, _ := r.object["errors"].([]any); len(errs) > 0 {
		got, _ = errs[0].(map[string]any)["field"].(string)
	}
	if r.status != status || r.text("code") != code || got != field {
		r.Errorf("got %d %q on %q, want %d %q on %q: %s", r.status, r.text("code"), got, status, code, field, r.raw)
	}
}

// at reads a member by its path: "list_metadata.after".
func (r reply) at(path string) any {
	var v any = r.object
	for name := range strings.SplitSeq(path, ".") {
		o, _ := v.(map[string]any)
		v = o[name]
	}
	return v
}

func (r reply) text(path string) string { s, _ := r.at(path).(string); return s }

// data gives the entries of a list.
func (r reply) data() []map[string]any {
	r.Helper()
	if r.object["object"] != "list" {
		r.Fatalf("no list: %s", r.raw)
	}
	items, isArray := r.object["data"].([]any)
	if !isArray {
		r.Fatalf("no data: %s", r.raw)
	}
	out := make([]map[string]any, len(items))
	for i, item := range items {
		out[i] = item.(map[string]any)
	}
	return out
}

// each gives one member of every entry of a list.
func (r reply) each(name string) []string {
	r.Helper()
	out := []string{}
	for _, item := range r.data() {
		s, _ := item[name].(string)
		out = append(out, s)
	}
	return out
}

func (w *world) organization(name string) string {
	w.Helper()
	return w.send("POST", "/organizations", `{"name":"`+name+`"}`).wants(http.StatusCreated).text("id")
}

// feed is a directory and its opened door.
type feed struct {
	*world
	id, organization string
	made             reply
	access           *directory.Access
}

// feed makes a directory; more are further members of the request, with a comma before.
func (w *world) feed(organization, more string) feed {
	w.Helper()
	made := w.send("POST", "/directories", `{"organization_id":"`+organization+`","name":"People","type":"okta scim v2.0"`+more+`}`).wants(http.StatusCreated)
	access, err := w.dirs.Authenticate(w.Context(), "", token.Secret(made.text("bearer_token")))
	w.must(err)
	return feed{w, made.text("id"), organization, made, access}
}

func (f feed) object(text string) *scim.Object {
	f.Helper()
	o, err := scim.ReadObject([]byte(text), scim.DefaultLimits)
	f.must(err)
	return o
}

// person arrives; more are further attributes, with a comma before.
func (f feed) person(name, more string) string {
	f.Helper()
	doc := `{"schemas":["` + scim.UserURN + `"],"userName":"` + name + `@example.com","name":{"givenName":"` + name + `","familyName":"Sample"},
		"emails":[{"value":"` + name + `@example.com","type":"work","primary":true}]` + more
	if !strings.Contains(more, `"active"`) {
		doc += `,"active":true`
	}
	u, _, err := f.dirs.CreateUser(f.Context(), f.access, f.object(doc+"}"), nothing)
	f.must(err)
	return string(u.ID)
}

func (f feed) group(name string, members ...string) string {
	f.Helper()
	refs := make([]scim.MemberRef, len(members))
	for i, m := range members {
		refs[i] = scim.MemberRef{Value: m}
	}
	g, err := f.dirs.CreateGroup(f.Context(), f.access, f.object(`{"schemas":["`+scim.GroupURN+`"],"displayName":"`+name+`"}`), refs, nothing)
	f.must(err)
	return string(g.ID)
}

// set changes one attribute of a person.
func (f feed) set(user, attribute, value string) {
	f.Helper()
	v, found := f.object(`{"v":` + value + `}`).Get("v")
	if !found {
		f.Fatal("no value")
	}
	_, _, err := f.dirs.UpdateUser(f.Context(), f.access, user, directory.Condition{}, func(doc *scim.Object) (*scim.Object, error) {
		doc = doc.Clone()
		doc.Set(attribute, v)
		return doc, nil
	}, nothing)
	f.must(err)
}

func (f feed) rename(group, name string, changes ...scim.MemberChange) {
	f.Helper()
	v, _ := f.object(`{"v":"` + name + `"}`).Get("v")
	_, _, err := f.dirs.UpdateGroup(f.Context(), f.access, group, directory.Condition{}, func(doc *scim.Object) (*scim.Object, []scim.MemberChange, error) {
		doc = doc.Clone()
		doc.Set("displayName", v)
		return doc, changes, nil
	}, nothing)
	f.must(err)
}

func nothing(directory.Outcome) *directory.Exchange { return nil }

func same(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n got %q\nwant %q", what, got, want)
	}
}

func reversed(s []string) []string {
	out := slices.Clone(s)
	slices.Reverse(out)
	return out
}
