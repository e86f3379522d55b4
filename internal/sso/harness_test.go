package sso_test

import (
	"bytes"
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/db/dbtest"
	"github.com/rollcallhq/rollcall/internal/db/migrations"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/idp"
	"github.com/rollcallhq/rollcall/internal/member"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/outbound"
	"github.com/rollcallhq/rollcall/internal/saml/samltest"
	"github.com/rollcallhq/rollcall/internal/session"
	"github.com/rollcallhq/rollcall/internal/sso"
	"github.com/rollcallhq/rollcall/internal/token"
)

const base = "https://sync.example.com"

var ctx = context.Background()

func bases(string) []string { return []string{base} }

func dbtestEach(t *testing.T, test func(t *testing.T, open func() *db.DB)) {
	t.Helper()
	dbtest.Each(t, migrations.Files, test)
}

// house is the service over a database of its own, with an organization that has verified acme.example.
type house struct {
	*testing.T
	db       *db.DB
	ids      *token.Source
	events   *event.Log
	orgs     *org.Service
	sessions *session.Service
	members  *member.Service
	s        *sso.Service
	sealer   *db.Sealer
	log      *bytes.Buffer
	acme     string
	beta     string
	browser  token.Hash
	seen     string

	mu    sync.Mutex
	ahead time.Duration
}

var actor = event.Actor{ID: "key", Source: event.API}

func onBoth(t *testing.T, test func(h *house)) {
	t.Helper()
	dbtestEach(t, func(t *testing.T, open func() *db.DB) { test(newHouse(t, open())) })
}

// onOne is for what does not depend on the engine.
func onOne(t *testing.T) *house {
	t.Helper()
	return newHouse(t, dbtest.Open(t, db.SQLite, migrations.Files))
}

func newHouse(t *testing.T, d *db.DB) *house {
	t.Helper()
	h := &house{T: t, db: d, log: &bytes.Buffer{}, browser: token.HashOf("browser of " + token.Secret(t.Name()))}
	h.ids = token.NewSource(h.now)
	h.events = event.NewLog(d, h.ids)
	h.orgs = org.NewService(d, h.events, h.ids, h.now)
	var err error
	h.sealer, err = db.NewSealer([]byte("sealing key of tests"))
	h.ok(err)
	logger := slog.New(slog.NewTextHandler(h.log, nil))
	h.sessions = session.NewService(session.Options{DB: d, Events: h.events, IDs: h.ids, Sealer: h.sealer, Now: h.now, Logger: logger})
	h.members = member.NewService(d, h.events, h.ids, h.orgs, h.sessions, h.now)
	h.s = h.service(outbound.NewPolicy([]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, lookup))
	h.acme = h.organization("Acme", "acme.example")
	h.beta = h.organization("Beta", "beta.example")
	return h
}

func lookup(context.Context, string) ([]netip.Addr, error) {
	return nil, errors.New("no names in tests")
}

// service is a further process on the same database.
func (h *house) service(policy outbound.Policy) *sso.Service {
	catalog, err := idp.Load()
	h.ok(err)
	return sso.NewService(sso.Config{
		DB: h.db, Events: h.events, IDs: h.ids, Sealer: h.sealer, Organizations: h.orgs, Sessions: h.sessions, Members: h.members, Policy: policy, Catalog: catalog, OpenPerNetwork: 30,
		Now: h.now, Logger: slog.New(slog.NewTextHandler(h.log, nil)),
	})
}

func (h *house) now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return time.Now().UTC().Add(h.ahead).Truncate(time.Microsecond)
}

func (h *house) wait(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ahead += d
}

func (h *house) ok(err error) {
	h.Helper()
	if err != nil {
		f, _ := fault.As(err)
		h.Fatalf("%v (%+v)", err, f)
	}
}

func (h *house) organization(name string, domains ...string) string {
	h.Helper()
	n := org.New{Name: name}
	for _, d := range domains {
		n.Domains = append(n.Domains, org.NewDomain{Domain: d, State: org.Verified})
	}
	o, err := h.orgs.Create(ctx, actor, n)
	h.ok(err)
	return string(o.ID)
}

func ptr[T any](v T) *T { return &v }

func pemOf(s samltest.Signer) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate.Raw}))
}

// provider is a SAML provider and the connection to it.
type provider struct {
	*house
	*samltest.IDP
	c sso.Connection
}

func (h *house) saml(organization, entityID string, change ...func(*sso.New)) *provider {
	h.Helper()
	p := &provider{house: h, IDP: samltest.New(entityID)}
	n := sso.New{OrganizationID: organization, Type: "GenericSAML", Settings: sso.Change{
		Name: ptr("Single sign-on"), IDPEntityID: ptr(entityID), SSOURL: ptr("https://idp.example.com/sso"), Certificates: &[]string{pemOf(p.Signer)},
	}}
	for _, f := range change {
		f(&n)
	}
	c, err := h.s.Create(ctx, actor, n)
	h.ok(err)
	p.c = c
	return p
}

func (p *provider) change(ch sso.Change) {
	p.Helper()
	c, err := p.s.Update(ctx, actor, p.c.ID, ch)
	p.ok(err)
	p.c = c
}

func (p *provider) start(kind sso.Kind) (sso.Attempt, string) {
	p.Helper()
	out, err := p.s.Start(ctx, sso.Start{
		ConnectionID: p.c.ID, Kind: kind, Browser: p.browser, Base: base, Continuation: []byte("where to go on"), IP: "192.0.2.7", UserAgent: "Tester/1",
	})
	p.ok(err)
	a, err := p.s.Attempt(ctx, out.Attempt)
	p.ok(err)
	if out.Form != nil {
		return a, requestID(p.T, out.Form.Fields[0][1], false)
	}
	u, err := url.Parse(out.URL)
	p.ok(err)
	return a, requestID(p.T, u.Query().Get("SAMLRequest"), true)
}

func (p *provider) message(request string) samltest.Message {
	at := p.c.Addresses(base)
	m := p.Message(samltest.To{EntityID: at.EntityID, ACS: at.ACS}, p.now())
	m.InResponseTo = request
	m.AssertionID = "_" + token.NewKey(20)
	return m
}

func (p *provider) arrival(response []byte) sso.SAMLArrival {
	return sso.SAMLArrival{
		Key: p.c.Key, Bases: bases, Response: samltest.Post(response), Browser: p.browser, IP: "192.0.2.7", UserAgent: "Tester/1",
	}
}

// answer is the good answer to a new attempt.
func (p *provider) answer() (sso.Attempt, sso.SAMLArrival) {
	p.Helper()
	a, request := p.start(sso.SignIn)
	return a, p.arrival(p.Respond(p.message(request), samltest.AssertionSigned))
}

func (p *provider) verified() *sso.Verified {
	p.Helper()
	_, in := p.answer()
	v, err := p.s.ReceiveSAML(ctx, in)
	p.ok(err)
	return v
}

func (h *house) finish(v *sso.Verified, end sso.End) error {
	w := db.Write{Lane: v.Connection.OrganizationID}
	h.ok(h.s.FinishInto(&w, v, end))
	if err := h.db.Write(ctx, &w); err != nil {
		return err
	}
	h.events.Nudge()
	return nil
}

// refused checks that err is a refusal with a code.
func (h *house) refused(err error, code sso.Code) *sso.Refusal {
	h.Helper()
	var r *sso.Refusal
	if !errors.As(err, &r) {
		h.Fatalf("got %v, want a refusal %s", err, code)
	}
	if sso.Code(r.Code) != code {
		h.Fatalf("refused with %s (%s; wanted %q, got %q), want %s", r.Code, r.Message, r.Wanted, r.Got, code)
	}
	return r
}

func (h *house) wantFault(err error, kind fault.Kind, code string) {
	h.Helper()
	f, ok := fault.As(err)
	if !ok || f.Kind != kind || f.Code != code {
		h.Fatalf("got %v (%+v), want a fault %s %s", err, f, kind, code)
	}
}

// news are the types of events since the last call.
func (h *house) news() []string {
	h.Helper()
	var out []string
	for {
		part, err := h.events.List(ctx, event.Query{After: h.seen, Limit: 100})
		h.ok(err)
		if len(part) == 0 {
			return out
		}
		for _, e := range part {
			out = append(out, string(e.Type))
		}
		h.seen = part[len(part)-1].ID
	}
}

func (h *house) wantNews(want ...string) {
	h.Helper()
	if got := h.news(); !slices.Equal(got, want) {
		h.Fatalf("events\n got %v\nwant %v", got, want)
	}
}

// last is the payload of the last event.
func (h *house) last() map[string]any {
	h.Helper()
	found, err := h.events.List(ctx, event.Query{Descending: true, Limit: 1})
	h.ok(err)
	var data map[string]any
	h.ok(json.Unmarshal(found[0].Data, &data))
	return data
}

func (h *house) count(text string, args ...any) (n int) {
	h.Helper()
	h.ok(h.db.QueryRow(ctx, text, args...).Scan(&n))
	return n
}

// server serves on the loopback, where the policy of the tests allows it.
func (h *house) server(handler http.Handler) *httptest.Server {
	h.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	h.ok(err)
	s := httptest.NewUnstartedServer(handler)
	s.Listener = listener
	s.Start()
	h.Cleanup(s.Close)
	return s
}

// metadata describes a provider.
func metadata(entityID, ssoURL string, signers ...samltest.Signer) string {
	var keys strings.Builder
	for _, s := range signers {
		fmt.Fprintf(&keys, `<md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data><ds:X509Certificate>%s</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>`,
			strings.Join(strings.Split(strings.TrimSpace(pemOf(s)), "\n")[1:len(strings.Split(strings.TrimSpace(pemOf(s)), "\n"))-1], ""))
	}
	return `<?xml version="1.0"?><md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="` + entityID + `"><md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">` +
		keys.String() + `<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="` + ssoURL + `"/></md:IDPSSODescriptor></md:EntityDescriptor>`
}
