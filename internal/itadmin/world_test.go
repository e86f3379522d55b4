package itadmin_test

import (
	"context"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/db/dbtest"
	"github.com/rollcallhq/rollcall/internal/db/migrations"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/itadmin"
	"github.com/rollcallhq/rollcall/internal/mail"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/token"
)

const (
	base      = "https://sync.example.com"
	dashboard = "https://ops.example.com/dashboard/"
)

// house is an installation whose clock the test moves, and whose mails it reads.
type house struct {
	*testing.T
	db      *db.DB
	events  *event.Log
	orgs    *org.Service
	s       *itadmin.Service
	outbox  *mail.Outbox
	ending  mail.ConnectionCertificate
	mu      sync.Mutex
	ahead   time.Duration
	letters []mail.Letter
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
		ids := token.NewSource(h.now)
		h.events = event.NewLog(h.db, ids)
		h.orgs = org.NewService(h.db, h.events, ids, h.now)
		sealer, err := db.NewSealer([]byte("0123456789abcdef0123456789abcdef"))
		h.must(err)
		log := slog.New(slog.DiscardHandler)
		h.outbox, err = mail.NewOutbox(mail.Options{DB: h.db, IDs: ids, Sealer: sealer, Now: h.now, Logger: log, Sender: h, App: "Acme Shop"})
		h.must(err)
		h.s = itadmin.NewService(itadmin.Options{
			DB: h.db, Events: h.events, IDs: ids, Sealer: sealer, Organizations: h.orgs, Mails: h.outbox, Base: func(string) string { return base },
			Operator: "ops@shop.example", Dashboard: func() string { return dashboard }, Now: h.now, Logger: log,
			Ending: func(context.Context, db.Reader, string, string) (mail.ConnectionCertificate, bool, error) {
				return h.ending, h.ending.Subject != "", nil
			},
		})
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

func (h *house) refused(err error, code string) {
	h.Helper()
	if f, ok := fault.As(err); !ok || f.Code != code {
		h.Errorf("got %v, want %s", err, code)
	}
}

func actor() event.Actor { return event.Actor{ID: "management_key", Source: event.API} }

func (h *house) organization(name string) org.ID {
	h.Helper()
	o, err := h.orgs.Create(h.Context(), actor(), org.New{Name: name})
	h.must(err)
	return o.ID
}

func (h *house) contact(id org.ID, email string) itadmin.Contact {
	h.Helper()
	c, err := h.s.AddContact(h.Context(), actor(), id, itadmin.NewContact{Email: email})
	h.must(err)
	return c
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

// work answers who asked, and tells of changes.
func (h *house) work() {
	h.Helper()
	h.later(4 * time.Second)
	_, err := h.s.AnswerAsks(h.Context())
	h.must(err)
	for {
		n, err := h.s.TellOfChanges(h.Context())
		h.must(err)
		if n == 0 {
			return
		}
	}
}

// quiet takes what was to be told so far.
func (h *house) quiet() { h.Helper(); h.work(); h.mails() }

func secretOf(address string) token.Secret {
	return token.Secret(address[strings.LastIndexByte(address, '/')+1:])
}

var (
	linkIn = regexp.MustCompile(regexp.QuoteMeta(base) + `/portal/link/\S+`)
	codeIn = regexp.MustCompile(`(?m)^ +(\d{6})$`)
)

func (h *house) linkIn(l mail.Letter) token.Secret {
	h.Helper()
	found := linkIn.FindString(l.Text)
	if found == "" {
		h.Fatalf("no link in %s", l.Text)
	}
	return secretOf(found)
}

func (h *house) codeIn(l mail.Letter) token.Secret {
	h.Helper()
	found := codeIn.FindStringSubmatch(l.Text)
	if found == nil {
		h.Fatalf("no code in %s", l.Text)
	}
	return token.Secret(found[1])
}

// audited lists the actions of an organization, oldest first.
func (h *house) audited(id org.ID, actions ...event.Action) []event.AuditEntry {
	h.Helper()
	page, err := h.events.Audit(h.Context(), event.AuditQuery{OrganizationID: string(id), Actions: actions, Limit: 100})
	h.must(err)
	slices.Reverse(page.Entries)
	return page.Entries
}
