package member_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/db/dbtest"
	"github.com/rollcallhq/rollcall/internal/db/migrations"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/member"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/session"
	"github.com/rollcallhq/rollcall/internal/token"
)

// house is a process on a database.
type house struct {
	t        *testing.T
	db       *db.DB
	events   *event.Log
	orgs     *org.Service
	sessions *session.Service
	members  *member.Service

	applications atomic.Int64
}

func operator() event.Actor { return event.Actor{ID: "test", Source: event.API} }

func onEach(t *testing.T, story func(h *house)) {
	t.Helper()
	dbtest.Each(t, migrations.Files, func(t *testing.T, open func() *db.DB) { story(newHouse(t, open())) })
}

func newHouse(t *testing.T, d *db.DB) *house {
	t.Helper()
	ids := token.NewSource(time.Now)
	h := &house{t: t, db: d, events: event.NewLog(d, ids)}
	h.orgs = org.NewService(d, h.events, ids, time.Now)
	sealer, err := db.NewSealer([]byte("0123456789abcdef0123456789abcdef"))
	h.must(err)
	h.sessions = session.NewService(session.Options{DB: d, Events: h.events, IDs: ids, Sealer: sealer, Now: time.Now, Logger: slog.New(slog.DiscardHandler)})
	h.members = member.NewService(d, h.events, ids, h.orgs, h.sessions, time.Now)
	return h
}

// invites lets the house invite people, without mails.
func (h *house) invites() {
	h.t.Helper()
	sealer, err := db.NewSealer([]byte("0123456789abcdef0123456789abcdef"))
	h.must(err)
	h.members.SetInviting(member.Inviting{Sealer: sealer, Base: func(string) string { return "https://id.example" }})
}

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) organization(name string) string {
	h.t.Helper()
	o, err := h.orgs.Create(h.t.Context(), operator(), org.New{Name: name})
	h.must(err)
	return string(o.ID)
}

// arrival is somebody with an address in a verified domain, at an organization without a directory.
func arrival(organizationID, idpID, email string) member.Arrival {
	return member.Arrival{
		OrganizationID: organizationID, ConnectionID: "conn_of_" + organizationID, IDPID: idpID, Email: email, FirstName: "Ada", LastName: "Lovelace",
		EmailVerified: true, Standing: member.Standing{Says: member.NoDirectory}, JIT: member.JITVerifiedDomain,
	}
}

// inDirectory is the same at an organization whose directory knows and wants the person.
func inDirectory(a member.Arrival, directoryUserID string, by member.JoinedBy, key string) member.Arrival {
	a.JIT = member.JITDirectory
	a.Standing = member.Standing{Says: member.SaysActive, DirectoryUserID: directoryUserID, JoinedBy: by, Key: key}
	return a
}

// signIn is what the sign-in transaction does: read, decide, write, and all of it again when something has changed meanwhile.
func (h *house) signIn(a member.Arrival) (member.Admission, session.Session, error) {
	cause := event.Context{Actor: event.Actor{ID: a.ConnectionID, Source: event.System}}
	for range 50 {
		f, err := h.members.Facts(context.Background(), h.db, a)
		if err != nil {
			return member.Admission{}, session.Session{}, err
		}
		ad, err := member.Admit(f, a, time.Now())
		if err != nil {
			return ad, session.Session{}, err
		}
		var w db.Write
		if err := h.members.AdmitInto(context.Background(), &w, ad, cause); err != nil {
			return ad, session.Session{}, err
		}
		started := h.sessions.StartInto(&w, session.New{
			Cookie: token.HashOf(token.NewSecret("cookie")), OrganizationID: a.OrganizationID, UserID: string(ad.User.ID), ConnectionID: a.ConnectionID, Method: session.SSO,
		})
		if err = h.db.Write(context.Background(), &w); err == nil {
			h.events.Nudge()
			return ad, started, nil
		}
		if !repeated(err) {
			return ad, started, err
		}
	}
	return member.Admission{}, session.Session{}, errors.New("never got through")
}

func repeated(err error) bool {
	guard, unique := (*db.GuardError)(nil), (*db.UniqueError)(nil)
	return errors.As(err, &guard) || errors.As(err, &unique)
}

func (h *house) in(a member.Arrival) (member.Admission, session.Session) {
	h.t.Helper()
	ad, started, err := h.signIn(a)
	h.must(err)
	return ad, started
}

func (h *house) refused(a member.Arrival, code string) {
	h.t.Helper()
	_, _, err := h.signIn(a)
	if refusal, ok := fault.As(err); !ok || refusal.Code != code {
		h.t.Errorf("%v, want the refusal %s", err, code)
	}
}

func (h *house) living(s session.Session) bool {
	h.t.Helper()
	return h.count(`SELECT COUNT(*) FROM sessions WHERE ended_at IS NULL AND id = $1`, s.ID) == 1
}

func (h *house) count(text string, args ...any) (n int64) {
	h.t.Helper()
	h.must(h.db.QueryRow(h.t.Context(), text, args...).Scan(&n))
	return n
}

// told gives the types of events after a number of them, without those of sessions and organizations.
func (h *house) told(skip int) (types []string) {
	h.t.Helper()
	all, err := h.events.List(h.t.Context(), event.Query{Limit: 500, Types: []event.Type{
		event.UserCreated, event.UserUpdated, event.UserDeleted,
		event.OrganizationMembershipCreated, event.OrganizationMembershipUpdated, event.OrganizationMembershipDeleted,
	}})
	h.must(err)
	for _, e := range all[min(skip, len(all)):] {
		types = append(types, string(e.Type))
	}
	return types
}

func (h *house) wantTold(skip int, want ...string) {
	h.t.Helper()
	if got := h.told(skip); !slices.Equal(got, want) {
		h.t.Errorf("events\n got %v\nwant %v", got, want)
	}
}
