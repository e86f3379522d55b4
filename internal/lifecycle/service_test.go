package lifecycle_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/db/dbtest"
	"github.com/rollcallhq/rollcall/internal/db/migrations"
	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/lifecycle"
	"github.com/rollcallhq/rollcall/internal/member"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/session"
	"github.com/rollcallhq/rollcall/internal/token"
)

var ctx = context.Background()

func operator() event.Actor { return event.Actor{ID: "test", Source: event.API} }

// replica is one Rollcall process on a database.
type replica struct {
	events *event.Log
	orgs   *org.Service
	dirs   *directory.Service
	people *member.Service
	s      *lifecycle.Service
}

func newReplica(d *db.DB) replica {
	ids := token.NewSource(time.Now)
	p := replica{events: event.NewLog(d, ids)}
	p.orgs = org.NewService(d, p.events, ids, time.Now)
	p.dirs = directory.NewService(directory.Options{DB: d, Events: p.events, IDs: ids, Now: time.Now, Logger: slog.New(slog.DiscardHandler)})
	p.orgs.SetDoors(p.dirs)
	p.people = newMembers(d, p.events, ids, p.orgs)
	p.s = lifecycle.NewService(d, p.orgs, p.dirs, p.people, time.Now)
	return p
}

// run does the background work of the process until the test ends.
func (p replica) run(t *testing.T) {
	running, stop := context.WithCancel(ctx)
	var working sync.WaitGroup
	working.Go(func() { p.dirs.Run(running) })
	t.Cleanup(func() {
		stop()
		working.Wait()
	})
}

func onEach(t *testing.T, story func(t *testing.T, d *db.DB, p replica)) {
	t.Helper()
	dbtest.Each(t, migrations.Files, func(t *testing.T, open func() *db.DB) {
		d := open()
		story(t, d, newReplica(d))
	})
}

func (p replica) organization(t *testing.T, name string) org.ID {
	t.Helper()
	o, err := p.orgs.Create(ctx, operator(), org.New{Name: name})
	if err != nil {
		t.Fatal(err)
	}
	return o.ID
}

func (p replica) directory(t *testing.T, id org.ID) (directory.Directory, token.Secret) {
	t.Helper()
	d, secret, err := p.dirs.Create(ctx, operator(), directory.New{OrganizationID: string(id), Name: "Okta", Type: directory.OktaSCIM})
	if err != nil {
		t.Fatal(err)
	}
	return d, secret
}

func (p replica) types(t *testing.T, id org.ID) []string {
	t.Helper()
	events, err := p.events.List(ctx, event.Query{OrganizationID: string(id), Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range events {
		out = append(out, string(e.Type))
	}
	return out
}

func TestDeleted_organization_is_shut_out_of_every_process_at_once(t *testing.T) {
	onEach(t, func(t *testing.T, d *db.DB, p replica) {
		processes := []replica{p}
		if d.Engine() == db.PostgreSQL {
			processes = append(processes, newReplica(d), newReplica(d))
			for _, p := range processes {
				p.run(t)
			}
			time.Sleep(800 * time.Millisecond) // until they hold leases and answer from memory
		}
		gone, kept := p.organization(t, "Acme"), p.organization(t, "Other")
		_, first := p.directory(t, gone)
		_, second := p.directory(t, gone)
		_, others := p.directory(t, kept)
		_, key, err := p.orgs.CreateAPIKey(ctx, operator(), gone, org.NewAPIKey{Name: "Key"})
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range processes {
			for _, secret := range []token.Secret{first, second, others} {
				if _, err := p.dirs.Authenticate(ctx, "", secret); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := p.s.DeleteOrganization(ctx, operator(), gone); err != nil {
			t.Fatal(err)
		}
		for i, p := range processes {
			for _, secret := range []token.Secret{first, second} {
				if _, err := p.dirs.Authenticate(ctx, "", secret); !fault.Is(err, fault.Unauthorized) {
					t.Errorf("process %d still lets a deleted organization in: %v", i, err)
				}
			}
			if _, err := p.dirs.Authenticate(ctx, "", others); err != nil {
				t.Errorf("process %d shut another organization out: %v", i, err)
			}
			if _, good, err := p.orgs.AuthenticateAPIKey(ctx, key); err != nil || good {
				t.Errorf("process %d takes the API key: %v", i, err)
			}
		}
		want := []string{
			"organization.created", "dsync.token.created", "dsync.token.created", "api_key.created",
			"dsync.deleted", "dsync.deleted", "api_key.revoked", "organization.deleted",
		}
		if got := p.types(t, gone); !slices.Equal(got, want) {
			t.Errorf("events\n got %v\nwant %v", got, want)
		}
		if got := p.types(t, kept); len(got) != 2 {
			t.Errorf("of the other organization: %v", got)
		}
		if err := p.s.DeleteOrganization(ctx, operator(), gone); !fault.Is(err, fault.NotFound) {
			t.Errorf("deleted twice: %v", err)
		}
	})
}

// brokenDoors fail when the organization's part is done, after that of the directories.
type brokenDoors struct{ err error }

func (b brokenDoors) Moved(context.Context, db.Tx) error { return b.err }
func (b brokenDoors) Await(context.Context) error        { return nil }

func TestDeletion_that_fails_in_part_deletes_nothing(t *testing.T) {
	onEach(t, func(t *testing.T, _ *db.DB, p replica) {
		id := p.organization(t, "Acme")
		_, secret := p.directory(t, id)
		before := p.types(t, id)
		broken := errors.New("no door")
		p.orgs.SetDoors(brokenDoors{broken})
		if err := p.s.DeleteOrganization(ctx, operator(), id); !errors.Is(err, broken) {
			t.Fatal(err)
		}
		if _, err := p.dirs.Authenticate(ctx, "", secret); err != nil {
			t.Errorf("the token is gone: %v", err)
		}
		if _, err := p.orgs.Get(ctx, id); err != nil {
			t.Errorf("the organization is gone: %v", err)
		}
		if got := p.types(t, id); !slices.Equal(got, before) {
			t.Errorf("events %v", got)
		}
	})
}

func TestDeleted_organization_keeps_nothing_that_was_made_at_the_same_time(t *testing.T) {
	onEach(t, func(t *testing.T, d *db.DB, p replica) {
		for range 8 {
			id := p.organization(t, "Acme")
			var at sync.WaitGroup
			missing := func(err error) {
				if err != nil && !fault.Is(err, fault.NotFound) {
					t.Error(err)
				}
			}
			at.Go(func() {
				_, _, err := p.dirs.Create(ctx, operator(), directory.New{OrganizationID: string(id), Name: "Okta", Type: directory.OktaSCIM})
				missing(err)
			})
			at.Go(func() {
				_, _, err := p.orgs.CreateAPIKey(ctx, operator(), id, org.NewAPIKey{Name: "Key"})
				missing(err)
			})
			at.Go(func() {
				_, err := p.orgs.CreateDomain(ctx, operator(), id, "example.com")
				missing(err)
			})
			at.Go(func() {
				if err := p.s.DeleteOrganization(ctx, operator(), id); err != nil {
					t.Error(err)
				}
			})
			at.Wait()
			var left int64
			if err := d.QueryRow(ctx, `SELECT (SELECT COUNT(*) FROM directories WHERE organization_id = $1 AND deleted_at IS NULL)
				+ (SELECT COUNT(*) FROM api_keys WHERE organization_id = $1) + (SELECT COUNT(*) FROM organization_domains WHERE organization_id = $1)
				+ (SELECT COUNT(*) FROM directory_tokens t JOIN directories d ON d.id = t.directory_id WHERE d.organization_id = $1 AND t.revoked_at IS NULL)`,
				string(id)).Scan(&left); err != nil || left != 0 {
				t.Errorf("%d things are left: %v", left, err)
			}
			if got := p.types(t, id); got[len(got)-1] != "organization.deleted" {
				t.Errorf("events %v", got)
			}
		}
	})
}

func newMembers(d *db.DB, events *event.Log, ids *token.Source, orgs *org.Service) *member.Service {
	sealer, err := db.NewSealer([]byte("sealing key of tests"))
	if err != nil {
		panic(err)
	}
	return member.NewService(d, events, ids, orgs, session.NewService(session.Options{DB: d, Events: events, IDs: ids, Sealer: sealer}), time.Now)
}

func TestDeleted_organization_takes_its_members_along_and_leaves_their_accounts(t *testing.T) {
	onEach(t, func(t *testing.T, d *db.DB, p replica) {
		gone, kept := p.organization(t, "Acme"), p.organization(t, "Other")
		var user member.UserID
		for _, id := range []org.ID{gone, kept} {
			a := member.Arrival{
				OrganizationID: string(id), ConnectionID: "conn_of_" + string(id), IDPID: "1", Email: "ada@acme.example", EmailVerified: true,
				Standing: member.Standing{Says: member.NoDirectory}, JIT: member.JITVerifiedDomain,
			}
			f, err := p.people.Facts(ctx, d, a)
			if err != nil {
				t.Fatal(err)
			}
			ad, err := member.Admit(f, a, time.Now())
			if err != nil {
				t.Fatal(err)
			}
			var w db.Write
			if err := p.people.AdmitInto(ctx, &w, ad, event.Context{Actor: operator()}); err != nil {
				t.Fatal(err)
			}
			if err := d.Write(ctx, &w); err != nil {
				t.Fatal(err)
			}
			user = ad.User.ID
		}
		if err := p.s.DeleteOrganization(ctx, operator(), gone); err != nil {
			t.Fatal(err)
		}
		places, err := p.people.MembersOf(ctx, user)
		if err != nil || len(places) != 1 || places[0].Membership.OrganizationID != string(kept) {
			t.Errorf("member of %+v: %v", places, err)
		}
		known, err := p.people.Identities(ctx, user)
		if err != nil || len(known) != 1 || known[0].OrganizationID != string(kept) {
			t.Errorf("known as %+v: %v", known, err)
		}
		u, err := p.people.User(ctx, user)
		if err != nil || u.HomeOrganizationID != "" {
			t.Errorf("at home in %q: %v", u.HomeOrganizationID, err)
		}
	})
}
