package directory_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/access"
	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/member"
	"github.com/rollcallhq/rollcall/internal/scim"
	"github.com/rollcallhq/rollcall/internal/token"
)

// ledger takes over people by writing down, in the transaction, what it was told: what was undone is not in it.
type ledger struct {
	events *event.Log
	nudged atomic.Int64

	mu      sync.Mutex
	broken  map[string]bool // directory users who cannot be applied
	reading func(member.DirectoryPerson)

	restricting func() // comes while a request that shuts somebody out is being written
}

const (
	entryApplied = event.OrganizationMembershipUpdated
	entryOut     = event.OrganizationMembershipDeleted
	entryFrozen  = event.OrganizationMembershipCreated
)

type entry struct {
	User     string         `json:"user"`
	Says     member.Says    `json:"says"`
	Mode     string         `json:"mode"`
	Email    string         `json:"email"`
	Verified bool           `json:"verified"`
	First    string         `json:"first"`
	Roles    []string       `json:"roles"`
	Teams    []string       `json:"teams"`
	More     map[string]any `json:"more"`
	Exchange string         `json:"-"`
}

func (l *ledger) write(w *db.Write, t event.Type, p member.DirectoryPerson, cause event.Context) {
	data, err := json.Marshal(entry{
		User: p.DirectoryUserID, Says: p.Says, Mode: string(p.Provisioning), Email: p.Email, Verified: p.EmailVerified, First: p.FirstName,
		Roles: p.Mapped.Roles, Teams: p.Mapped.Teams, More: p.Mapped.Attributes,
	})
	if err != nil {
		panic(err)
	}
	l.events.Append(w, time.Now(), event.Entry{OrganizationID: p.OrganizationID, Type: t, Context: cause.JSON(), Data: data})
}

func (l *ledger) ApplyInto(_ context.Context, _ db.Reader, w *db.Write, p member.DirectoryPerson, _ *member.Foreknown, cause event.Context) (member.Outcome, error) {
	l.mu.Lock()
	broken, reading := l.broken[p.DirectoryUserID], l.reading
	l.mu.Unlock()
	if reading != nil {
		reading(p)
	}
	if broken {
		return "", errors.New("this person cannot be applied")
	}
	l.write(w, entryApplied, p, cause)
	return member.OutcomeUpdated, nil
}

func (l *ledger) ReadAhead(_ context.Context, _ db.Reader, people []member.DirectoryPerson) ([]member.Foreknown, error) {
	return make([]member.Foreknown, len(people)), nil
}

func (l *ledger) AskLeaver(string, string, string, *member.Foreknown) []db.Question { return nil }

func (l *ledger) RestrictInto(_ context.Context, _ db.Reader, w *db.Write, p member.DirectoryPerson, _ *member.Foreknown, cause event.Context) error {
	if l.restricting != nil {
		l.restricting()
	}
	l.write(w, entryOut, p, cause)
	return nil
}

func (l *ledger) Nudge() {
	l.nudged.Add(1)
	l.events.Nudge()
}

func (l *ledger) FreezeTx(ctx context.Context, tx db.Tx, organizationID, directoryID string, cause event.Context) error {
	return l.events.AppendTx(ctx, tx, time.Now(), event.Entry{OrganizationID: organizationID, Type: entryFrozen, Context: cause.JSON(), Data: []byte(`{"user":"` + directoryID + `"}`)})
}

func (l *ledger) EndHoldInto(context.Context, db.Reader, *db.Write, member.HoldEnd, event.Context) error {
	return nil
}

func (l *ledger) fails(id directory.UserID, broken bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.broken == nil {
		l.broken = map[string]bool{}
	}
	l.broken[string(id)] = broken
}

// teams are those that follow groups.
func (h *house) teams() *access.Service {
	return access.NewService(access.Options{
		DB: h.db, Events: h.events, IDs: token.NewSource(time.Now), Now: time.Now,
		Living: func(context.Context, db.Tx, string) error { return nil },
	})
}

// taken makes the house keep accounts in a ledger.
func (h *house) taken() *ledger {
	h.t.Helper()
	l := &ledger{events: h.events}
	h.s.SetMembers(l, h.teams())
	h.ok(h.db.Tx(ctx, func(tx db.Tx) error { return h.s.Moved(ctx, tx) })) // what the door remembers was made without
	h.reopen()
	return l
}

// domain gives the organization a verified domain.
func (h *house) domain(name string) {
	h.t.Helper()
	d, err := h.orgs.CreateDomain(ctx, actor(), h.org.ID, name)
	h.ok(err)
	_, err = h.orgs.VouchForDomain(ctx, actor(), d.ID)
	h.ok(err)
}

// maps saves the directory's mapping, and has everybody looked at by it.
func (h *house) maps(n access.NewMapping) {
	h.t.Helper()
	n.OrganizationID, n.SourceID = string(h.org.ID), string(h.dir.ID)
	h.ok(h.db.Tx(ctx, func(tx db.Tx) error {
		is, was, err := h.teams().SetMappingTx(ctx, tx, actor(), n)
		if err != nil || is.Version == was.Version {
			return err
		}
		return h.s.ReapplyTx(ctx, tx, actor(), n.OrganizationID, h.dir.ID, directory.LeftOutBy(was, is))
	}))
	h.reopen()
	h.provision(h.s)
}

func (h *house) provision(s *directory.Service) {
	h.t.Helper()
	h.ok(s.Provision(ctx))
}

// told is what was written into the ledger since the last call.
func (h *house) told() (applied, out []entry) {
	h.t.Helper()
	for _, e := range h.newEvents() {
		if e.Type != entryApplied && e.Type != entryOut {
			continue
		}
		var one entry
		h.ok(json.Unmarshal(e.Data, &one))
		var cause event.Context
		h.ok(json.Unmarshal(e.Context, &cause))
		one.Exchange = cause.ExchangeID
		if e.Type == entryApplied {
			applied = append(applied, one)
		} else {
			out = append(out, one)
		}
	}
	return applied, out
}

func (h *house) due() (n int64) {
	h.t.Helper()
	h.ok(h.db.QueryRow(ctx, `SELECT COUNT(*) FROM directory_people_due`).Scan(&n))
	return n
}

// wantTold asks who was applied since the last call, as "user says", and who was shut out.
func (h *house) wantTold(applied, out []string) {
	h.t.Helper()
	gotApplied, gotOut := h.told()
	short := func(all []entry) (short []string) {
		for _, e := range all {
			short = append(short, e.User+" "+string(e.Says))
		}
		slices.Sort(short)
		return short
	}
	slices.Sort(applied)
	slices.Sort(out)
	if got := short(gotApplied); !slices.Equal(got, applied) {
		h.t.Errorf("applied\n got %v\nwant %v", got, applied)
	}
	if got := short(gotOut); !slices.Equal(got, out) {
		h.t.Errorf("shut out\n got %v\nwant %v", got, out)
	}
}

func put(name, value string) func(*scim.Object) (*scim.Object, error) {
	return set(scim.Member{Name: name, Value: scim.StringOf(value)})
}

func (h *house) edit(id directory.UserID, change func(*scim.Object) (*scim.Object, error)) {
	h.t.Helper()
	_, _, err := h.s.UpdateUser(ctx, h.a, string(id), directory.Condition{}, change, record)
	h.ok(err)
}

func TestProvisioning_tells_members_of_everybody_once_the_request_is_answered(t *testing.T) {
	each(t, func(h *house) {
		h.taken()
		h.domain("acme.example")
		u := h.user(`{"userName":"ada@acme.example","name":{"givenName":"Ada"},"title":"Engineer","active":true}`)
		if applied, _ := h.told(); len(applied) > 0 {
			t.Fatalf("told before the worker looked: %+v", applied)
		}
		h.provision(h.s)
		applied, out := h.told()
		if len(applied) != 1 || len(out) != 0 {
			t.Fatalf("told %+v, out %+v", applied, out)
		}
		got := applied[0]
		if got.User != string(u.ID) || got.Says != member.SaysActive || got.Email != "ada@acme.example" || !got.Verified || got.First != "Ada" || got.Mode != "invite" {
			t.Errorf("told %+v", got)
		}
		if got.Exchange == "" {
			t.Error("the events that come of it do not name the request")
		}
		if h.due() != 0 {
			t.Error("the person is still due")
		}
	})
}

func TestProvisioning_knows_whether_the_domain_is_verified_by_this_organization(t *testing.T) {
	each(t, func(h *house) {
		h.taken()
		h.domain("acme.example")
		h.person("ada@elsewhere.example")
		h.person("ada@sub.acme.example")
		h.person("ada")
		h.provision(h.s)
		applied, _ := h.told()
		if len(applied) != 3 {
			t.Fatalf("told of %d", len(applied))
		}
		for _, e := range applied {
			if e.Verified {
				t.Errorf("%q counts as verified", e.Email)
			}
		}
	})
}

func TestDeactivation_shuts_out_in_the_write_of_the_request(t *testing.T) {
	off := set(scim.Member{Name: "active", Value: scim.BoolOf(false)})
	for name, c := range map[string]struct {
		end  func(h *house, u directory.User)
		says member.Says
	}{
		"active false, the person remembered": {func(h *house, u directory.User) { h.edit(u.ID, off) }, member.SaysInactive},
		"active false, the person read": {func(h *house, u directory.User) {
			h.s.Forget(u.ID)
			h.edit(u.ID, off)
		}, member.SaysInactive},
		"active false, with groups": {func(h *house, u directory.User) {
			h.group("Engineering", string(u.ID))
			h.provision(h.s)
			h.told()
			h.edit(u.ID, off)
		}, member.SaysInactive},
		"another name with it": {func(h *house, u directory.User) {
			h.edit(u.ID, set(scim.Member{Name: "active", Value: scim.BoolOf(false)}, scim.Member{Name: "userName", Value: scim.StringOf("other")}))
		}, member.SaysInactive},
		"a refused request that asked for it": {func(h *house, u directory.User) {
			done, err := h.s.SuspendUser(ctx, h.a, string(u.ID), record)
			h.ok(err)
			if !done {
				h.t.Error("not suspended")
			}
		}, member.SaysInactive},
		"a deletion": {func(h *house, u directory.User) {
			h.ok(h.s.DeleteUser(ctx, h.a, string(u.ID), directory.Condition{}, record))
		}, member.SaysRemoved},
		"an erasure": {func(h *house, u directory.User) { h.ok(h.s.Erase(ctx, actor(), u.ID)) }, member.SaysRemoved},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(h *house) {
				h.t = t
				h.taken()
				u := h.person("ada@acme.example")
				h.provision(h.s)
				h.told()
				c.end(h, u)
				h.wantTold(nil, []string{string(u.ID) + " " + string(c.says)})
				h.provision(h.s)
				if c.says == member.SaysInactive {
					h.wantTold([]string{string(u.ID) + " inactive"}, nil)
					return
				}
				h.wantTold(nil, nil) // there is nobody to look at any more
			})
		})
	}
}

func TestDeletion_of_somebody_who_is_inactive_removes_them(t *testing.T) {
	each(t, func(h *house) {
		h.taken()
		u := h.user(`{"userName":"ada","active":false}`)
		h.ok(h.s.DeleteUser(ctx, h.a, string(u.ID), directory.Condition{}, record))
		h.wantTold(nil, []string{string(u.ID) + " removed"})
	})
}

func TestChange_that_members_take_nothing_of_makes_nobody_due(t *testing.T) {
	each(t, func(h *house) {
		h.taken()
		u := h.person("ada@acme.example")
		g := h.group("Engineering")
		h.provision(h.s)
		h.told()
		h.edit(u.ID, put("displayName", "Ada L."))
		h.edit(u.ID, put("nickName", "A"))
		h.members(g, scim.MembersAdd, string(u.ID)) // the mapping drives nothing by groups
		if n := h.due(); n != 0 {
			t.Errorf("%d people are due", n)
		}
		for _, change := range []func(*scim.Object) (*scim.Object, error){
			set(scim.Member{Name: "name", Value: scim.ObjectOf(scim.NewObject(scim.Member{Name: "givenName", Value: scim.StringOf("Ada")}))}),
			put("userName", "ada@other.example"), put("locale", "de-DE"), put("title", "Engineer"),
			set(scim.Member{Name: "photos", Value: scim.ListOf(scim.ObjectOf(scim.NewObject(scim.Member{Name: "value", Value: scim.StringOf("https://pictures.example/a")})))}),
			set(scim.Member{Name: scim.EnterpriseURN, Value: scim.ObjectOf(scim.NewObject(scim.Member{Name: "department", Value: scim.StringOf("Sales")}))}),
		} {
			h.edit(u.ID, change)
			if h.due() != 1 {
				t.Error("a change that members take over made nobody due")
			}
			h.provision(h.s)
		}
	})
}

func TestApp_that_keeps_the_accounts_has_nobody_due(t *testing.T) {
	each(t, func(h *house) {
		u := h.person("ada@acme.example")
		h.activate(u.ID, false)
		h.ok(h.s.DeleteUser(ctx, h.a, string(u.ID), directory.Condition{}, record))
		h.provision(h.s)
		if h.due() != 0 {
			t.Error("somebody is due")
		}
	})
}

func TestQueue_is_worked_off_by_the_process_that_starts_after_one_died(t *testing.T) {
	each(t, func(h *house) {
		h.taken()
		a, b := h.person("ada"), h.person("bob")
		// The process died with one of the two in hand: claimed, and the lease has run out.
		_, err := h.exec(`UPDATE directory_people_due SET tries = 1, next_at = $1 WHERE directory_user_id = $2`, time.Now().UnixMicro(), string(a.ID))
		h.ok(err)
		next := h.service(directory.Options{})
		next.SetMembers(&ledger{events: h.events}, h.teams())
		h.provision(next)
		h.wantTold([]string{string(a.ID) + " active", string(b.ID) + " active"}, nil)
	})
}

func TestQueue_is_worked_off_by_two_processes_without_anybody_twice(t *testing.T) {
	each(t, func(h *house) {
		h.taken()
		const people = 230
		for i := range people {
			h.person(fmt.Sprintf("person-%d", i))
		}
		processes := []*directory.Service{h.s}
		if h.db.Engine() == db.PostgreSQL {
			other := h.service(directory.Options{})
			other.SetMembers(&ledger{events: h.events}, h.teams())
			processes = append(processes, other)
		}
		var working sync.WaitGroup
		for range 2 {
			for _, s := range processes {
				working.Go(func() {
					if err := s.Provision(ctx); err != nil {
						t.Error(err)
					}
				})
			}
		}
		working.Wait()
		applied, _ := h.told()
		times := map[string]int{}
		for _, e := range applied {
			times[e.User]++
		}
		if len(times) != people || len(applied) != people || h.due() != 0 {
			t.Errorf("%d people were applied %d times, %d are due", len(times), len(applied), h.due())
		}
	})
}

func TestClaim_keeps_other_processes_away_until_its_lease_runs_out(t *testing.T) {
	each(t, func(h *house) {
		l := h.taken()
		u := h.person("ada")
		other := h.service(directory.Options{})
		other.SetMembers(&ledger{events: h.events}, h.teams())
		var during int64
		l.reading = func(member.DirectoryPerson) {
			h.provision(other)
			during = h.due()
		}
		h.provision(h.s)
		if during != 1 {
			t.Error("another process applied somebody who was in hand")
		}
		h.wantTold([]string{string(u.ID) + " active"}, nil)
	})
}

func TestChange_while_a_person_is_applied_is_not_lost(t *testing.T) {
	each(t, func(h *house) {
		l := h.taken()
		u := h.person("ada")
		var once sync.Once
		l.reading = func(member.DirectoryPerson) {
			once.Do(func() { h.activate(u.ID, false) })
		}
		h.provision(h.s)
		h.wantTold([]string{string(u.ID) + " inactive"}, []string{string(u.ID) + " inactive"})
	})
}

func TestChange_while_several_people_are_applied_is_not_lost(t *testing.T) {
	each(t, func(h *house) {
		l := h.taken()
		a, b := h.person("ada"), h.person("bob")
		var once sync.Once
		l.reading = func(member.DirectoryPerson) {
			once.Do(func() { h.activate(a.ID, false) })
		}
		h.provision(h.s)
		h.wantTold([]string{string(a.ID) + " inactive", string(b.ID) + " active"}, []string{string(a.ID) + " inactive"})
	})
}

func TestPerson_who_cannot_be_applied_keeps_nobody_waiting_and_comes_again(t *testing.T) {
	each(t, func(h *house) {
		l := h.taken()
		a, b, c := h.person("ada"), h.person("bob"), h.person("cyd")
		l.fails(b.ID, true)
		h.provision(h.s)
		h.wantTold([]string{string(a.ID) + " active", string(c.ID) + " active"}, nil)
		if h.due() != 1 || h.s.NotApplied() != 1 {
			t.Errorf("%d due, %d put off", h.due(), h.s.NotApplied())
		}
		h.provision(h.s)
		h.wantTold(nil, nil) // not before its time
		if h.s.NotApplied() != 1 {
			t.Error("tried again at once")
		}
		l.fails(b.ID, false)
		_, err := h.exec(`UPDATE directory_people_due SET next_at = $1`, time.Now().UnixMicro())
		h.ok(err)
		h.provision(h.s)
		h.wantTold([]string{string(b.ID) + " active"}, nil)
	})
}

func TestWorker_is_woken_by_the_commit(t *testing.T) {
	each(t, func(h *house) {
		l := h.taken()
		told := make(chan string, 10)
		l.reading = func(p member.DirectoryPerson) { told <- p.DirectoryUserID }
		running, stop := context.WithCancel(ctx)
		done := make(chan struct{})
		go func() {
			h.s.Run(running)
			close(done)
		}()
		for _, name := range []string{"ada", "bob", "cyd"} {
			began := time.Now()
			u := h.person(name)
			select {
			case id := <-told:
				if id != string(u.ID) {
					t.Errorf("told of %s", id)
				}
				t.Logf("after %s", time.Since(began))
			case <-time.After(30 * time.Second):
				t.Fatal("nobody was told")
			}
		}
		stop()
		<-done
		if h.due() != 0 || h.s.Applied() != 3 {
			t.Errorf("%d due, %d applied: what was in hand is not finished", h.due(), h.s.Applied())
		}
	})
}

func TestDirectory_that_collects_says_nothing_until_it_goes_live(t *testing.T) {
	each(t, func(h *house) {
		h.taken()
		silent, secret := h.directory(directory.New{Name: "Quiet", Silent: true})
		h.token = secret
		h.a = h.open(secret)
		if !silent.LiveAt.IsZero() {
			t.Fatal("it is live")
		}
		u, v := h.person("ada@acme.example"), h.user(`{"userName":"bob@acme.example","active":false}`)
		h.provision(h.s)
		h.wantTold(nil, nil)
		if h.due() != 0 {
			t.Error("the queue keeps people of a directory that only collects")
		}
		found, err := directory.StandingOf(ctx, h.db, string(h.org.ID), directory.Keys{IDPID: "x", NameID: "ada@acme.example"})
		h.ok(err)
		if found.Standing == directory.StandingActive {
			t.Error("it lets people in already")
		}

		foreseen, more, err := h.s.Preview(ctx, directory.PreviewQuery{Directory: silent.ID, Limit: 1, Ascending: true})
		h.ok(err)
		if len(foreseen) != 1 || !more || foreseen[0].User != u.ID || foreseen[0].Outcome != member.OutcomeUpdated || foreseen[0].Says != member.SaysActive {
			t.Errorf("foreseen %+v, more %v", foreseen, more)
		}
		h.wantTold(nil, nil)

		for range 2 { // asking again is harmless
			live, err := h.s.GoLive(ctx, actor(), silent.ID)
			h.ok(err)
			if live.LiveAt.IsZero() {
				t.Error("it is not live")
			}
		}
		if p := h.progress(silent.ID); p != (directory.Progress{State: directory.Applying, Total: 2}) {
			t.Errorf("progress %+v", p)
		}
		h.provision(h.s)
		h.wantTold([]string{string(u.ID) + " active", string(v.ID) + " inactive"}, nil)
		if p := h.progress(silent.ID); p != (directory.Progress{State: directory.UpToDate, Done: 2, Total: 2}) {
			t.Errorf("progress %+v", p)
		}
		_, err = h.s.GoLive(ctx, actor(), "directory_none")
		h.wantFault(err, fault.NotFound, "entity_not_found")
	})
}

func (h *house) progress(id directory.ID) directory.Progress {
	h.t.Helper()
	p, err := h.s.Progress(ctx, id)
	h.ok(err)
	return p
}

func TestProvisioning_that_is_changed_has_everybody_looked_at_again(t *testing.T) {
	each(t, func(h *house) {
		h.taken()
		const people = 620 // more than one chunk
		for i := range people {
			h.person(fmt.Sprintf("person-%d", i))
		}
		h.provision(h.s)
		h.told()
		mode := directory.Direct
		_, err := h.s.Update(ctx, actor(), h.dir.ID, directory.Changes{Provisioning: &mode})
		h.ok(err)
		h.provision(h.s)
		applied, _ := h.told()
		if len(applied) != people || applied[0].Mode != "direct" {
			t.Errorf("%d were applied, as %q", len(applied), applied[0].Mode)
		}
		if p := h.progress(h.dir.ID); p.State != directory.UpToDate || p.Done != people || p.Total != people {
			t.Errorf("progress %+v", p)
		}
		_, err = h.s.Update(ctx, actor(), h.dir.ID, directory.Changes{Provisioning: &mode})
		h.ok(err)
		h.provision(h.s)
		h.wantTold(nil, nil)
	})
}

func TestReapplication_goes_on_where_a_process_died(t *testing.T) {
	each(t, func(h *house) {
		h.taken()
		a, b := h.person("ada"), h.person("bob")
		h.provision(h.s)
		h.told()
		h.ok(h.s.Reapply(ctx, actor(), string(h.org.ID), h.dir.ID))
		_, err := h.exec(`UPDATE directories SET reapply_after = $1`, string(a.ID)) // the first was made due, and applied
		h.ok(err)
		next := h.service(directory.Options{})
		next.SetMembers(&ledger{events: h.events}, h.teams())
		h.provision(next)
		h.wantTold([]string{string(b.ID) + " active"}, nil)
		later := h.later()
		h.provision(later) // requests let in before the mapping changed are over
		h.wantTold([]string{string(a.ID) + " active", string(b.ID) + " active"}, nil)
		h.provision(later)
		h.wantTold(nil, nil)
	})
}

// later is a process two minutes after: no request is under way any more that was let in before.
func (h *house) later() *directory.Service {
	later := h.service(directory.Options{Now: func() time.Time { return time.Now().Add(3 * time.Minute) }})
	later.SetMembers(&ledger{events: h.events}, h.teams())
	return later
}

// unchanged has been in the directory for long.
func (h *house) unchanged(ids ...directory.UserID) {
	h.t.Helper()
	for _, id := range ids {
		_, err := h.exec(`UPDATE directory_users SET updated_at = $2 WHERE id = $1`, string(id), time.Now().Add(-time.Hour).UnixMicro())
		h.ok(err)
		h.s.Forget(id)
	}
}

func TestReapplication_looks_once_more_at_whom_requests_changed_that_knew_the_mapping_of_before(t *testing.T) {
	each(t, func(h *house) {
		h.taken()
		a, b := h.person("ada"), h.person("bob")
		h.provision(h.s)
		h.unchanged(a.ID, b.ID)
		h.told()
		was := h.a
		rule := func(from string) access.NewMapping {
			return access.NewMapping{Rules: []access.Rule{{Set: access.SetAttribute, Name: "nick", From: from}}}
		}
		h.maps(rule("nickName"))
		h.wantTold([]string{string(a.ID) + " active", string(b.ID) + " active"}, nil)
		h.a = was
		h.edit(b.ID, put("nickName", "Bobby"))
		h.provision(h.s)
		h.wantTold(nil, nil) // the request knew nothing of nicknames
		h.reopen()
		mode := directory.Direct
		_, err := h.s.Update(ctx, actor(), h.dir.ID, directory.Changes{Provisioning: &mode}) // has everybody looked at now, and not once more
		h.ok(err)
		h.provision(h.s)
		h.wantTold([]string{string(a.ID) + " active", string(b.ID) + " active"}, nil)
		later := h.later()
		h.provision(later)
		h.wantTold([]string{string(b.ID) + " active"}, nil)
		if p := h.progress(h.dir.ID); p != (directory.Progress{State: directory.UpToDate, Done: 2, Total: 2}) {
			t.Errorf("progress %+v", p)
		}
		h.provision(later)
		h.wantTold(nil, nil)
	})
}

func TestReapplication_looks_once_more_at_everybody_when_groups_begin_to_count(t *testing.T) {
	each(t, func(h *house) {
		h.taken()
		a, b := h.person("ada"), h.person("bob")
		g := h.group("Engineering")
		h.provision(h.s)
		h.unchanged(a.ID, b.ID)
		was := h.a
		h.maps(access.NewMapping{DrivesTeams: true, TeamsFollow: true})
		h.told()
		h.a = was
		h.members(g, scim.MembersAdd, string(b.ID)) // by a request that knew nothing of teams
		h.reopen()
		h.maps(access.NewMapping{Rules: []access.Rule{{Set: access.SetAttribute, Name: "nick", From: "nickName"}}, DrivesTeams: true, TeamsFollow: true})
		h.told()
		h.provision(h.later())
		h.wantTold([]string{string(a.ID) + " active", string(b.ID) + " active"}, nil)
	})
}

func TestSecond_look_at_those_who_were_changed_is_no_pass_of_everybody(t *testing.T) {
	each(t, func(h *house) {
		h.taken()
		a, b := h.person("ada"), h.person("bob")
		h.provision(h.s)
		_, err := h.exec(`UPDATE directories SET reapply_total = 2, reapply_done = 0, reapply_after = '', reapply_since = 1`)
		h.ok(err)
		if p := h.progress(h.dir.ID); p != (directory.Progress{State: directory.UpToDate, Done: 2, Total: 2}) {
			t.Errorf("a second look is under way: %+v", p)
		}
		h.ok(h.s.Reapply(ctx, actor(), string(h.org.ID), h.dir.ID)) // everybody, from the beginning
		h.told()
		h.provision(h.s)
		h.wantTold([]string{string(a.ID) + " active", string(b.ID) + " active"}, nil)
	})
}

func TestReapplication_that_begins_anew_is_not_taken_for_the_second_look_before_it(t *testing.T) {
	each(t, func(h *house) {
		h.taken()
		a, b := h.person("ada"), h.person("bob")
		h.provision(h.s)
		h.told()
		_, err := h.exec(`UPDATE directories SET reapply_after = '', reapply_since = $1`, time.Now().Add(time.Hour).UnixMicro()) // nobody was changed since
		h.ok(err)
		h.ok(h.s.Reapplied(ctx, func() { h.ok(h.s.Reapply(ctx, actor(), string(h.org.ID), h.dir.ID)) }))
		h.provision(h.s)
		h.wantTold([]string{string(a.ID) + " active", string(b.ID) + " active"}, nil)
	})
}

func TestReapplication_of_another_organizations_directory_does_nothing(t *testing.T) {
	each(t, func(h *house) {
		h.taken()
		h.person("ada")
		h.provision(h.s)
		h.told()
		h.ok(h.s.Reapply(ctx, actor(), "org_other", h.dir.ID))
		h.provision(h.s)
		h.wantTold(nil, nil)
	})
}

func TestDirectory_that_is_deleted_frees_its_people(t *testing.T) {
	each(t, func(h *house) {
		h.taken()
		h.person("ada")
		h.told()
		h.ok(h.s.Delete(ctx, actor(), h.dir.ID))
		if n := h.due(); n != 0 {
			t.Errorf("%d people of it are still due", n)
		}
		frozen := 0
		for _, e := range h.newEvents() {
			if e.Type == entryFrozen && strings.Contains(string(e.Data), string(h.dir.ID)) {
				frozen++
			}
		}
		if frozen != 1 {
			t.Errorf("members were told %d times", frozen)
		}
		h.provision(h.s)
		h.wantTold(nil, nil)
	})
}

func group(id directory.GroupID, name string) *access.Group {
	return &access.Group{ID: string(id), Name: name}
}

func TestGroups_that_decide_make_their_people_due(t *testing.T) {
	each(t, func(h *house) {
		h.taken()
		ada, bob := h.person("ada"), h.person("bob")
		g, idle := h.group("Engineering", string(ada.ID)), h.group("Idle")
		h.provision(h.s)
		h.told()
		h.maps(access.NewMapping{DrivesRoles: true, Rules: []access.Rule{{Set: access.SetRole, To: access.RoleMember, When: []access.Condition{{Group: group("", "Engineering")}}}}})
		h.wantTold([]string{string(ada.ID) + " active", string(bob.ID) + " active"}, nil)

		h.members(g, scim.MembersAdd, string(bob.ID))
		h.provision(h.s)
		applied, _ := h.told()
		if len(applied) != 1 || applied[0].User != string(bob.ID) || !slices.Equal(applied[0].Roles, []string{"member"}) {
			t.Errorf("joining: %+v", applied)
		}
		h.members(g, scim.MembersRemove, string(ada.ID))
		h.provision(h.s)
		applied, _ = h.told()
		if len(applied) != 1 || applied[0].User != string(ada.ID) || len(applied[0].Roles) != 0 {
			t.Errorf("leaving: %+v", applied)
		}
		h.rename(g, "Makers")
		h.provision(h.s)
		applied, _ = h.told()
		if len(applied) != 1 || applied[0].User != string(bob.ID) || len(applied[0].Roles) != 0 {
			t.Errorf("renaming: %+v", applied)
		}
		h.rename(g, "Engineering")
		h.provision(h.s)
		h.told()
		h.ok(h.s.DeleteGroup(ctx, h.a, string(g.ID), directory.Condition{}, record))
		h.provision(h.s)
		applied, _ = h.told()
		if len(applied) != 1 || applied[0].User != string(bob.ID) || len(applied[0].Roles) != 0 {
			t.Errorf("deleting: %+v", applied)
		}
		h.ok(h.s.DeleteGroup(ctx, h.a, string(idle.ID), directory.Condition{}, record))
		if h.due() != 0 {
			t.Error("a group without people made somebody due")
		}
	})
}

func (h *house) rename(g directory.Group, name string) {
	h.t.Helper()
	_, _, err := h.s.UpdateGroup(ctx, h.a, string(g.ID), directory.Condition{}, func(o *scim.Object) (*scim.Object, []scim.MemberChange, error) {
		o = o.Clone()
		o.Set("displayName", scim.StringOf(name))
		return o, nil, nil
	}, record)
	h.ok(err)
}

func TestWaiting_member_value_that_is_resolved_makes_the_person_due(t *testing.T) {
	each(t, func(h *house) {
		h.taken()
		h.maps(access.NewMapping{DrivesRoles: true, Rules: []access.Rule{{Set: access.SetRole, To: access.RoleMember, When: []access.Condition{{Group: group("", "Engineering")}}}}})
		u := h.person("ada")
		h.group("Engineering", "late")
		h.provision(h.s)
		h.told()
		h.edit(u.ID, put("externalId", "late"))
		h.provision(h.s)
		applied, _ := h.told()
		if len(applied) != 1 || !slices.Equal(applied[0].Roles, []string{"member"}) {
			t.Errorf("told %+v", applied)
		}
	})
}

func TestTeams_that_follow_groups_are_made_renamed_and_deleted_with_them(t *testing.T) {
	each(t, func(h *house) {
		h.taken()
		u := h.person("ada")
		g := h.group("Engineering", string(u.ID))
		h.provision(h.s)
		h.told()
		h.wantTeams() // nothing follows unless asked for
		h.maps(access.NewMapping{DrivesTeams: true, TeamsFollow: true})
		h.wantTeams("Engineering")
		applied, _ := h.told()
		if len(applied) != 1 || len(applied[0].Teams) != 1 {
			t.Fatalf("told %+v", applied)
		}
		sales := h.group("Sales", string(u.ID))
		h.wantTeams("Engineering", "Sales")
		h.provision(h.s)
		if applied, _ = h.told(); len(applied) != 1 || len(applied[0].Teams) != 2 {
			t.Errorf("told %+v", applied)
		}
		h.rename(g, "Makers")
		h.wantTeams("Makers", "Sales")
		h.ok(h.s.DeleteGroup(ctx, h.a, string(sales.ID), directory.Condition{}, record))
		h.wantTeams("Makers")
		h.ok(h.s.Delete(ctx, actor(), h.dir.ID))
		h.wantTeams("Makers") // kept, and no longer the directory's
		var following int64
		h.ok(h.db.QueryRow(ctx, `SELECT COUNT(*) FROM teams WHERE directory_id IS NOT NULL`).Scan(&following))
		if following != 0 {
			t.Error("a team still follows the directory that is deleted")
		}
	})
}

func (h *house) wantTeams(want ...string) {
	h.t.Helper()
	rows, err := h.db.Query(ctx, `SELECT name FROM teams ORDER BY name`)
	h.ok(err)
	defer rows.Close()
	var got []string
	for rows.Next() {
		var name string
		h.ok(rows.Scan(&name))
		got = append(got, name)
	}
	h.ok(rows.Err())
	if !slices.Equal(got, want) {
		h.t.Errorf("teams %v, want %v", got, want)
	}
}

func TestChange_of_what_a_rule_reads_makes_the_person_due(t *testing.T) {
	each(t, func(h *house) {
		h.taken()
		u := h.person("ada")
		h.maps(access.NewMapping{Rules: []access.Rule{{Set: access.SetAttribute, Name: "nick", From: "nickName"}}})
		h.told()
		h.edit(u.ID, put("nickName", "A"))
		h.provision(h.s)
		if applied, _ := h.told(); len(applied) != 1 || applied[0].More["nick"] != "A" {
			t.Errorf("told %+v", applied)
		}
	})
}

func TestSomebody_who_may_have_a_seat_now_is_looked_at_again(t *testing.T) {
	each(t, func(h *house) {
		nudged := h.taken()
		u := h.person("ada@acme.example")
		h.provision(h.s)
		h.wantTold([]string{string(u.ID) + " active"}, nil)

		due := func(organizationID, user string) {
			var w db.Write
			h.s.DueInto(&w, organizationID, string(h.dir.ID), user)
			h.ok(h.db.Write(ctx, &w))
		}
		due("org_other", string(u.ID))
		due(h.dir.OrganizationID, "directory_user_unknown")
		if n := h.due(); n != 0 {
			t.Errorf("%d are due of another organization, or are nobody", n)
		}
		due(h.dir.OrganizationID, string(u.ID))
		due(h.dir.OrganizationID, string(u.ID))
		before := nudged.nudged.Load()
		if n := h.due(); n != 1 {
			t.Errorf("%d are due, want one", n)
		}
		h.provision(h.s)
		if nudged.nudged.Load() == before {
			t.Error("nobody was told that there is something to send")
		}
		h.wantTold([]string{string(u.ID) + " active"}, nil)
	})
}
