package alert_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/alert"
	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/db/dbtest"
	"github.com/rollcallhq/rollcall/internal/db/migrations"
	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/idp"
	"github.com/rollcallhq/rollcall/internal/itadmin"
	"github.com/rollcallhq/rollcall/internal/mail"
	"github.com/rollcallhq/rollcall/internal/member"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/outbound"
	"github.com/rollcallhq/rollcall/internal/session"
	"github.com/rollcallhq/rollcall/internal/sso"
	"github.com/rollcallhq/rollcall/internal/token"
	"github.com/rollcallhq/rollcall/internal/webhook"
)

const (
	portalBase = "https://id.shop.example"
	dashboard  = "https://ops.shop.example/dashboard/"
	operator   = "ops@shop.example"
)

// house is an installation whose clock the test moves, and whose mails it reads.
type house struct {
	*testing.T
	db       *db.DB
	events   *event.Log
	orgs     *org.Service
	dirs     *directory.Service
	conns    *sso.Service
	webhooks *webhook.Service
	admins   *itadmin.Service
	outbox   *mail.Outbox
	s        *alert.Service
	members  *member.Service
	options  alert.Options
	mu       sync.Mutex
	ahead    time.Duration
	letters  []mail.Letter
}

// Send takes a letter.
func (h *house) Send(_ context.Context, l mail.Letter) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.letters = append(h.letters, l)
	return nil
}

func onBoth(t *testing.T, test func(h *house)) {
	t.Helper()
	dbtest.Each(t, migrations.Files, func(t *testing.T, open func() *db.DB) {
		h := &house{T: t, db: open()}
		log := slog.New(slog.DiscardHandler)
		ids := token.NewSource(h.now)
		sealer, err := db.NewSealer([]byte("0123456789abcdef0123456789abcdef"))
		h.must(err)
		catalog, err := idp.Load()
		h.must(err)
		policy := outbound.NewPolicy([]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, func(context.Context, string) ([]netip.Addr, error) {
			return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
		})
		h.events = event.NewLog(h.db, ids)
		h.orgs = org.NewService(h.db, h.events, ids, h.now)
		h.dirs = directory.NewService(directory.Options{DB: h.db, Events: h.events, IDs: ids, Now: h.now, Logger: log, APIKeys: h.orgs})
		h.orgs.SetDoors(h.dirs)
		sessions := session.NewService(session.Options{DB: h.db, Events: h.events, IDs: ids, Sealer: sealer, Now: h.now, Logger: log})
		h.members = member.NewService(h.db, h.events, ids, h.orgs, sessions, h.now)
		h.conns = sso.NewService(sso.Config{
			DB: h.db, Events: h.events, IDs: ids, Sealer: sealer, Organizations: h.orgs, Sessions: sessions, Members: h.members, Policy: policy, Catalog: catalog, Now: h.now, Logger: log,
		})
		h.webhooks = webhook.NewService(webhook.Options{
			DB: h.db, Events: h.events, IDs: ids, Sealer: sealer, Policy: policy, Now: h.now, Logger: log, KnownType: func(event.Type) bool { return true }, UserAgent: "test",
		})
		h.outbox, err = mail.NewOutbox(mail.Options{DB: h.db, IDs: ids, Sealer: sealer, Now: h.now, Logger: log, Sender: h, App: "Acme Shop"})
		h.must(err)
		h.admins = itadmin.NewService(itadmin.Options{
			DB: h.db, Events: h.events, IDs: ids, Sealer: sealer, Organizations: h.orgs, Mails: h.outbox, Base: func(string) string { return portalBase }, Now: h.now, Logger: log,
			Operator: operator, Dashboard: func() string { return dashboard }, Ending: func(context.Context, db.Reader, string, string) (mail.ConnectionCertificate, bool, error) {
				return mail.ConnectionCertificate{Connection: "Okta", Subject: "CN=okta", ExpiresAt: h.now().Add(time.Hour)}, true, nil
			},
		})
		h.options = alert.Options{
			DB: h.db, Events: h.events, IDs: ids, Organizations: h.orgs, Admins: h.admins, Mails: h.outbox, Directories: h.dirs, Connections: h.conns, Webhooks: h.webhooks, Members: h.members,
			Catalog: catalog, Portal: func(string) string { return portalBase }, Dashboard: func() string { return dashboard }, Operator: operator, Now: h.now, Logger: log,
		}
		h.s = alert.NewService(h.options)
		test(h)
	})
}

func (h *house) now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return time.Now().Add(h.ahead)
}

func (h *house) later(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ahead += d
}

func (h *house) must(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

// restart is what a new process knows: nothing but what is stored.
func (h *house) restart() { h.s = alert.NewService(h.options) }

func actor() event.Actor { return event.Actor{ID: "management_key", Source: event.API} }

// organization makes one with a contact, it@NAME.example.
func (h *house) organization(name string) org.ID {
	h.Helper()
	o, err := h.orgs.Create(h.Context(), actor(), org.New{Name: name})
	h.must(err)
	_, err = h.admins.AddContact(h.Context(), actor(), o.ID, itadmin.NewContact{Email: "it@" + strings.ToLower(name) + ".example"})
	h.must(err)
	return o.ID
}

// directory makes one that is linked.
func (h *house) directory(id org.ID, provider string) directory.Directory {
	h.Helper()
	d, _, err := h.dirs.Create(h.Context(), actor(), directory.New{OrganizationID: string(id), Name: "The " + provider, Type: directory.GenericSCIM, Provider: provider})
	h.must(err)
	h.exec(`UPDATE directories SET state = 'linked' WHERE id = $1`, string(d.ID))
	return d
}

func (h *house) exec(sql string, args ...any) {
	h.Helper()
	var w db.Write
	w.Exec(sql, args...)
	h.must(h.db.Write(h.Context(), &w))
}

// request is a recorded one. Its zero fields are those of an accepted PATCH by Okta.
type request struct {
	method, path, agent, body, reason string
	status                            int
	refused                           bool // 401
}

func (h *house) came(d directory.Directory, r request) string {
	h.Helper()
	r.method, r.path, r.agent = or(r.method, "PATCH"), or(r.path, "/Users/1"), or(r.agent, "Okta SCIM Client 1.0.0")
	var credential, body any = "directory_token_1", nil
	if r.body != "" {
		body = r.body
	}
	if r.refused {
		r.status, credential = 401, nil
	}
	if r.status == 0 {
		r.status = 200
	}
	id := string(h.dirs.NewExchangeID())
	h.exec(`INSERT INTO exchanges (id, organization_id, directory_id, at, size, refused, token_id, method, path, status, micros, request_id, user_agent, effect, body)
		VALUES ($1, $2, $3, $4, 1, $5, $6, $7, $8, $9, 1, 'r', $10, $11, $12)`, id, d.OrganizationID, string(d.ID), h.now().UnixMicro(), r.refused, credential, r.method, r.path,
		r.status, r.agent, fmt.Sprintf(`{"refusal":{"reason":%q}}`, r.reason), body)
	return id
}

func or(a, b string) string {
	if a == "" {
		return b
	}
	return a
}

// look looks, and gives the mails that came of it as "to: subject", sorted.
func (h *house) look() []string {
	h.Helper()
	h.must(h.s.Look(h.Context()))
	var out []string
	for _, l := range h.mails() {
		if l.Kind == mail.KindAlert {
			out = append(out, l.To+": "+l.Subject)
		}
	}
	slices.Sort(out)
	return out
}

// mails sends what waits and gives what was sent since the last call, sorted by whom it is for.
func (h *house) mails() []mail.Letter {
	h.Helper()
	_, err := h.outbox.Send(h.Context())
	h.must(err)
	h.mu.Lock()
	defer h.mu.Unlock()
	out := h.letters
	h.letters = nil
	slices.SortStableFunc(out, func(a, b mail.Letter) int { return strings.Compare(a.To, b.To) })
	return out
}

// wants looks, and wants these mails.
func (h *house) wants(what string, wanted ...string) {
	h.Helper()
	if got := h.look(); !slices.Equal(got, wanted) {
		h.Errorf("%s: got %q, want %q", what, got, wanted)
	}
}

// open are the kinds that are open of an organization.
func (h *house) open(id org.ID) (out []alert.Kind) {
	h.Helper()
	found, err := h.s.OpenOf(h.Context(), id, 100)
	h.must(err)
	for _, a := range found {
		out = append(out, a.Kind)
	}
	return out
}

func (h *house) isOpen(id org.ID, kinds ...alert.Kind) {
	h.Helper()
	if got := h.open(id); !slices.Equal(got, kinds) {
		h.Errorf("open are %q, want %q", got, kinds)
	}
}

// audited are the actions on alerts in the audit of an organization, oldest first.
func (h *house) audited(id org.ID) (out []event.Action) {
	h.Helper()
	page, err := h.events.Audit(h.Context(), event.AuditQuery{OrganizationID: string(id), Actions: []event.Action{alert.Opened, alert.Healed, alert.Closed}, Limit: 100})
	h.must(err)
	for _, e := range slices.Backward(page.Entries) {
		out = append(out, e.Action)
	}
	return out
}

func (h *house) inAudit(id org.ID, actions ...event.Action) {
	h.Helper()
	if got := h.audited(id); !slices.Equal(got, actions) {
		h.Errorf("the audit has %q, want %q", got, actions)
	}
}

// deleteOrganization does what the verb over all nouns does of it.
func (h *house) deleteOrganization(id org.ID) error {
	at := h.now()
	return h.db.Tx(h.Context(), func(tx db.Tx) error { return h.orgs.DeleteTx(h.Context(), tx, actor(), id, at) })
}
