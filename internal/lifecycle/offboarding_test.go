package lifecycle_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/issuer"
	"github.com/rollcallhq/rollcall/internal/lifecycle"
	"github.com/rollcallhq/rollcall/internal/member"
	"github.com/rollcallhq/rollcall/internal/oidc"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/outbound"
	"github.com/rollcallhq/rollcall/internal/session"
	"github.com/rollcallhq/rollcall/internal/token"
	"github.com/rollcallhq/rollcall/internal/webhook"
)

// office is an installation whose members come and go, with an app that gets webhooks and logouts.
type office struct {
	*testing.T
	replica
	db       *db.DB
	sessions *session.Service
	issuer   *issuer.Service
	hooks    *webhook.Service
	off      *lifecycle.Offboardings
	app      *httptest.Server
	client   issuer.Application

	mu    sync.Mutex
	ahead time.Duration
	spans []float64
	deny  bool // the app answers with errors
}

func (o *office) now() time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	return time.Now().Add(o.ahead)
}

func (o *office) later(d time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ahead += d
}

func (o *office) must(err error) {
	o.Helper()
	if err != nil {
		o.Fatal(err)
	}
}

func eachOffice(t *testing.T, story func(o *office)) {
	t.Helper()
	onEach(t, func(t *testing.T, d *db.DB, p replica) {
		o := &office{T: t, replica: p, db: d}
		o.app = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			o.mu.Lock()
			defer o.mu.Unlock()
			if o.deny {
				w.WriteHeader(http.StatusBadRequest)
			}
		}))
		t.Cleanup(o.app.Close)
		o.build()
		story(o)
	})
}

func (o *office) build() {
	ids, log := token.NewSource(time.Now), slog.New(slog.NewTextHandler(io.Discard, nil))
	sealer, err := db.NewSealer([]byte("sealing key of tests"))
	o.must(err)
	local := outbound.NewPolicy([]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, nil)
	o.sessions = session.NewService(session.Options{DB: o.db, Events: o.events, IDs: ids, Sealer: sealer, Now: o.now})
	o.people = member.NewService(o.db, o.events, ids, o.orgs, o.sessions, o.now)
	o.issuer = issuer.NewService(issuer.Options{
		DB: o.db, Events: o.events, IDs: ids, Sealer: sealer, Sessions: o.sessions, Issuer: "https://sso.example.com", ClientID: o.orgs.ClientID, Policy: local, Logger: log,
	})
	o.hooks = webhook.NewService(webhook.Options{
		DB: o.db, Events: o.events, IDs: ids, Sealer: sealer, Policy: local, Now: time.Now, Logger: log, KnownType: func(event.Type) bool { return true },
	})
	o.client, err = o.issuer.Create(ctx, issuer.New{Name: "App", FirstParty: true, LogoutURI: o.app.URL + "/logout"})
	o.must(err)
	o.off = lifecycle.NewOffboardings(lifecycle.OffboardingOptions{
		DB: o.db, Events: o.events, IDs: ids, Organizations: o.orgs, Directories: o.dirs, Webhooks: o.hooks, Issuer: o.issuer, Now: o.now, Logger: log,
		Observe: func(s float64) { o.spans = append(o.spans, s) },
	})
}

// work runs the deliverers until the test ends.
func (o *office) work() {
	running, stop := context.WithCancel(ctx)
	var working sync.WaitGroup
	working.Go(func() { o.hooks.Run(running) })
	working.Go(func() { o.issuer.Run(running) })
	o.Cleanup(func() {
		stop()
		working.Wait()
	})
}

// join makes somebody an active member with so many sessions, of which the app learned.
func (o *office) join(id org.ID, email string, sessions int) member.Membership {
	o.Helper()
	a := member.Arrival{
		OrganizationID: string(id), ConnectionID: "conn_of_" + string(id), IDPID: email, Email: email, EmailVerified: true,
		Standing: member.Standing{Says: member.NoDirectory}, JIT: member.JITVerifiedDomain,
	}
	f, err := o.people.Facts(ctx, o.db, a)
	o.must(err)
	ad, err := member.Admit(f, a, o.now())
	o.must(err)
	var w db.Write
	o.must(o.people.AdmitInto(ctx, &w, ad, event.Context{Actor: operator()}))
	for range sessions {
		s := o.sessions.StartInto(&w, session.New{
			Cookie: token.HashOf(token.NewSecret("rs")), OrganizationID: string(id), UserID: string(ad.User.ID), ConnectionID: "conn_1", Method: session.SSO,
		})
		w.Exec(`INSERT INTO session_applications (session_id, application_id, created_at) VALUES ($1, $2, $3)`, s.ID, o.client.ID, o.now().UnixMicro())
	}
	o.must(o.db.Write(ctx, &w))
	o.events.Nudge()
	return ad.Membership
}

// one is the only offboarding of an organization, after all there is to do was done once.
func (o *office) one(id org.ID) lifecycle.Offboarding {
	o.Helper()
	o.turn()
	found := o.list(id)
	if len(found) != 1 {
		o.Fatalf("there are %d offboardings", len(found))
	}
	return found[0]
}

func (o *office) turn() {
	o.Helper()
	_, err := o.off.Begin(ctx)
	o.must(err)
	_, err = o.off.Follow(ctx)
	o.must(err)
}

func (o *office) list(id org.ID) []lifecycle.Offboarding {
	o.Helper()
	found, _, err := o.off.List(ctx, lifecycle.OffboardingQuery{OrganizationID: string(id), Limit: 100})
	o.must(err)
	return found
}

func missing(f lifecycle.Offboarding) string {
	var out []string
	for _, m := range f.Receipt.Missing {
		out = append(out, m.Step)
	}
	return strings.Join(out, " ")
}

// verified checks a receipt as a stranger does who has the key set alone.
func (o *office) verified(jws string) lifecycle.Receipt {
	o.Helper()
	set, err := o.issuer.JWKS(ctx)
	o.must(err)
	var keys struct{ Keys []json.RawMessage }
	o.must(json.Unmarshal(set, &keys))
	var public []oidc.PublicKey
	for _, k := range keys.Keys {
		p, err := oidc.ParsePublicKey(k)
		o.must(err)
		public = append(public, p)
	}
	claims, err := oidc.VerifyOwn(jws, public, oidc.TypeReceipt)
	o.must(err)
	for _, other := range []oidc.Type{oidc.TypeAccessToken, oidc.TypeIDToken, oidc.TypeLogoutToken} {
		if _, err := oidc.VerifyOwn(jws, public, other); err == nil {
			o.Errorf("the receipt passes for a token of type %s", other)
		}
	}
	text, err := json.Marshal(claims)
	o.must(err)
	var r lifecycle.Receipt
	o.must(json.Unmarshal(text, &r))
	return r
}

func TestReceipt_has_every_step_and_is_frozen_when_it_is_complete(t *testing.T) {
	eachOffice(t, func(o *office) {
		acme := o.organization(o.T, "Acme")
		endpoint, err := o.hooks.Create(ctx, webhook.New{URL: o.app.URL + "/hook", Types: []event.Type{event.OrganizationMembershipUpdated, event.SessionRevoked}})
		o.must(err)
		o.work()
		m := o.join(acme, "ada@example.com", 3)
		o.join(acme, "bob@example.com", 1) // who stays
		if _, err := o.people.Deactivate(ctx, operator(), m.ID); err != nil {
			o.Fatal(err)
		}
		o.events.Nudge()
		f := o.one(acme)
		for range 300 {
			if missing(f) == "acknowledgement" {
				break
			}
			time.Sleep(20 * time.Millisecond)
			f = o.one(acme)
		}
		r := f.Receipt
		if missing(f) != "acknowledgement" || r.Complete || r.Frozen || !f.FrozenAt.IsZero() {
			o.Fatalf("missing: %+v", r.Missing)
		}
		if r.MembershipID != string(m.ID) || r.Subject != string(m.UserID) || r.State != "inactive" || r.Why != "deactivated" || r.Cause.ActorID != "test" ||
			r.Cause.Source != event.API || r.Cause.ExchangeID != nil || r.RequestedAt != nil || r.Sessions.Ended != 3 || r.Sessions.At == nil {
			o.Errorf("%+v", r)
		}
		if len(r.Webhooks) != 4 || len(r.Logouts) != 3 || len(r.Events) != 4 {
			o.Errorf("%d webhooks, %d logouts, %d events", len(r.Webhooks), len(r.Logouts), len(r.Events))
		}
		for _, w := range r.Webhooks {
			if w.EndpointID != string(endpoint.ID) || w.State != webhook.Delivered || w.DeliveredAt == nil || *w.DeliveredAt < r.EndedAt {
				o.Errorf("%+v", w)
			}
		}
		for _, l := range r.Logouts {
			if l.ApplicationID != o.client.ID || l.State != issuer.Delivered || l.DeliveredAt == nil || *l.DeliveredAt < r.EndedAt {
				o.Errorf("%+v", l)
			}
		}
		_, signed, err := o.off.Signed(ctx, f.ID)
		o.must(err)
		if early := o.verified(signed); early.Frozen || early.Complete || len(early.Missing) != 1 {
			o.Errorf("before: %+v", early)
		}
		told := r.Events[slices.IndexFunc(r.Events, func(e lifecycle.ReceiptEvent) bool { return e.Type == event.OrganizationMembershipUpdated })].ID
		a, err := o.off.Acknowledge(ctx, event.Actor{ID: "management_key", Source: event.API}, told)
		o.must(err)
		f = o.one(acme)
		if !f.Receipt.Complete || !f.Receipt.Frozen || f.FrozenAt.IsZero() || f.Receipt.Acknowledgement == nil || f.Receipt.Acknowledgement.EventID != told {
			o.Fatalf("after the acknowledgement: %+v", f.Receipt)
		}
		if want := a.At.Sub(f.EndedAt).Milliseconds(); f.Receipt.SpanMS != want || len(o.spans) != 1 {
			o.Errorf("span %d, want %d; observed %v", f.Receipt.SpanMS, want, o.spans)
		}
		o.later(48 * time.Hour)
		_, signed, err = o.off.Signed(ctx, f.ID)
		o.must(err)
		if late := o.verified(signed); !reflect.DeepEqual(late, f.Receipt) {
			o.Errorf("it changed after it was frozen:\n%+v\n%+v", late, f.Receipt)
		}
	})
}

func TestReceipt_names_the_request_of_the_identity_provider(t *testing.T) {
	eachOffice(t, func(o *office) {
		acme := o.organization(o.T, "Acme")
		d, _ := o.directory(o.T, acme)
		m := o.join(acme, "ada@example.com", 1)
		at := o.now().UTC().Truncate(time.Microsecond)
		x := o.dirs.NewExchangeID()
		cause := event.Context{Actor: event.Actor{ID: string(d.ID), Source: event.System, Name: &d.Name}, ExchangeID: string(x)}
		var w db.Write // what a SCIM request writes
		w.Exec(`UPDATE organization_memberships SET state = 'inactive', why = 'directory_inactive', directory_user_id = 'directory_user_1', version = version + 1, updated_at = $2 WHERE id = $1`,
			string(m.ID), at.UnixMicro())
		_, err := o.sessions.EndInto(ctx, o.db, &w, session.Selection{UserID: string(m.UserID), OrganizationID: string(acme)}, session.Ending{Reason: session.MembershipEnded, Context: cause})
		o.must(err)
		o.events.Append(&w, at,
			event.Entry{OrganizationID: string(acme), Type: event.DirectoryUserUpdated, Context: cause.JSON(), Data: []byte(`{"id":"directory_user_1"}`)},
			event.Entry{OrganizationID: string(acme), Type: event.DirectoryUserUpdated, Context: cause.JSON(), Data: []byte(`{"id":"directory_user_2"}`)}, // somebody else's
			event.Entry{OrganizationID: string(acme), Type: event.OrganizationMembershipUpdated, Context: cause.JSON(), Data: []byte(`{"id":"` + string(m.ID) + `"}`)})
		o.must(o.db.Write(ctx, &w))

		f := o.one(acme)
		if f.Receipt.RequestedAt != nil || !strings.Contains(missing(f), "request") {
			o.Errorf("before the exchange is written: %+v", f.Receipt)
		}
		var late db.Write
		late.Exec(`INSERT INTO exchanges (id, organization_id, directory_id, at, size, refused, method, path, status, micros, request_id, user_agent, effect)
			VALUES ($1, $2, $3, $4, 0, FALSE, 'PATCH', '/', 200, 900, 'req', '', '{}')`, string(x), string(acme), string(d.ID), at.Add(-7*time.Millisecond).UnixMicro())
		o.must(o.db.Write(ctx, &late))
		o.later(2 * time.Second)
		f = o.one(acme)
		r := f.Receipt
		if r.Cause.ExchangeID == nil || *r.Cause.ExchangeID != string(x) || r.Cause.ActorID != string(d.ID) || r.RequestedAt == nil || strings.Contains(missing(f), "request") {
			o.Errorf("%+v", r)
		}
		if !f.RequestedAt.Equal(at.Add(-7*time.Millisecond)) || r.SpanMS < 7 || r.Sessions.Ended != 1 || len(r.Events) != 3 {
			o.Errorf("requested %v, span %d, %d sessions, events %v", f.RequestedAt, r.SpanMS, r.Sessions.Ended, r.Events)
		}
	})
}

func TestReceipt_of_somebody_whom_a_brake_holds_has_the_request_and_the_sessions_that_ended(t *testing.T) {
	eachOffice(t, func(o *office) {
		acme := o.organization(o.T, "Acme")
		d, _ := o.directory(o.T, acme)
		m := o.join(acme, "ada@example.com", 2)
		at := o.now().UTC().Truncate(time.Microsecond)
		x := o.dirs.NewExchangeID()
		cause := event.Context{Actor: event.Actor{ID: string(d.ID), Source: event.System, Name: &d.Name}, ExchangeID: string(x)}
		var w db.Write // what a SCIM request writes that the brake holds: no event tells of the membership
		w.Exec(`UPDATE organization_memberships SET state = 'inactive', why = 'held_by_brake', told_state = 'active', told_why = 'directory',
			directory_user_id = 'directory_user_1', version = version + 1, updated_at = $2 WHERE id = $1`, string(m.ID), at.UnixMicro())
		w.Exec(`INSERT INTO directory_held_people (hold_id, directory_user_id, organization_id, directory_id, state, says, cause, user_name_key, idp_id, version, groups,
			document, user_created_at, user_updated_at, held_at) VALUES ('directory_hold_1', 'directory_user_1', $1, $2, 'waiting', 'inactive', $3, 'ada', 'ada', 1, '', '{}', 1, 1, $4)`,
			string(acme), string(d.ID), cause.JSON(), at.UnixMicro())
		_, err := o.sessions.EndInto(ctx, o.db, &w, session.Selection{UserID: string(m.UserID), OrganizationID: string(acme)}, session.Ending{Reason: session.MembershipEnded, Context: cause})
		o.must(err)
		w.Exec(`INSERT INTO exchanges (id, organization_id, directory_id, at, size, refused, method, path, status, micros, request_id, user_agent, effect)
			VALUES ($1, $2, $3, $4, 0, FALSE, 'PATCH', '/', 200, 900, 'req', '', '{}')`, string(x), string(acme), string(d.ID), at.Add(-7*time.Millisecond).UnixMicro())
		o.must(o.db.Write(ctx, &w))

		r := o.one(acme).Receipt
		if r.Cause.ExchangeID == nil || *r.Cause.ExchangeID != string(x) || r.RequestedAt == nil || r.Sessions.Ended != 2 || len(r.Events) != 2 || r.Why != string(member.WhyHeldByBrake) {
			o.Errorf("%+v", r)
		}
	})
}

func TestReceipt_is_frozen_after_a_day_and_says_what_is_missing(t *testing.T) {
	eachOffice(t, func(o *office) {
		acme := o.organization(o.T, "Acme")
		o.deny = true
		o.work()
		m := o.join(acme, "ada@example.com", 1)
		o.must(o.people.Remove(ctx, operator(), m.ID))
		o.events.Nudge()
		for range 300 {
			if f := o.one(acme); len(f.Receipt.Logouts) == 1 && f.Receipt.Logouts[0].State == issuer.Failed {
				break
			}
			time.Sleep(20 * time.Millisecond)
		}
		o.later(25 * time.Hour)
		f := o.one(acme)
		if f.FrozenAt.IsZero() || f.Receipt.Complete || missing(f) != "logout acknowledgement" || f.State != "removed" || len(o.spans) != 1 {
			o.Fatalf("%+v %v", f, o.spans)
		}
		_, err := o.off.Acknowledge(ctx, operator(), f.Receipt.Events[0].ID)
		o.must(err)
		if after := o.one(acme); after.Receipt.Acknowledgement != nil || missing(after) != missing(f) {
			o.Errorf("a word that came after the day changed it: %+v", after.Receipt)
		}
	})
}

func TestOffboarding_begins_only_when_access_ends_and_belongs_to_its_organization(t *testing.T) {
	eachOffice(t, func(o *office) {
		acme, other := o.organization(o.T, "Acme"), o.organization(o.T, "Other")
		ada, _ := o.join(acme, "ada@example.com", 1), o.join(other, "ada@example.com", 1)
		o.turn()
		if n := len(o.list(acme)); n != 0 {
			o.Fatalf("%d offboardings of somebody who is in", n)
		}
		for range 2 { // an inactive one stays as they are, and one who is removed was out before
			_, err := o.people.Deactivate(ctx, operator(), ada.ID)
			o.must(err)
		}
		o.must(o.people.Remove(ctx, operator(), ada.ID))
		f := o.one(acme)
		if f.Sessions != 1 || f.State != "inactive" {
			o.Errorf("%+v", f)
		}
		if got := o.list(other); len(got) != 0 {
			o.Errorf("another organization sees it: %+v", got)
		}
		if _, err := o.off.Get(ctx, "offboarding_01JDXA5Q0G8YQZP0R3M4T7W9KE"); !fault.Is(err, fault.NotFound) {
			o.Error(err)
		}
		if _, _, err := o.off.List(ctx, lifecycle.OffboardingQuery{OrganizationID: "org_01JDXA5Q0G8YQZP0R3M4T7W9KE", Limit: 1}); !fault.Is(err, fault.NotFound) {
			o.Error(err)
		}
	})
}

func TestOffboarding_is_made_once_by_several_processes(t *testing.T) {
	eachOffice(t, func(o *office) {
		acme := o.organization(o.T, "Acme")
		for i := range 5 {
			m := o.join(acme, fmt.Sprintf("p%d@example.com", i), 1)
			_, err := o.people.Deactivate(ctx, operator(), m.ID)
			o.must(err)
		}
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				if _, err := o.off.Begin(ctx); err != nil {
					o.Error(err)
				}
			})
		}
		all.Wait()
		if n := len(o.list(acme)); n != 5 {
			o.Errorf("%d offboardings of five people", n)
		}
	})
}
