package lifecycle_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
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
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/scim"
	"github.com/rollcallhq/rollcall/internal/token"
)

// process is one Rollcall on a database that others share.
type process struct {
	testing.TB
	events *event.Log
	orgs   *org.Service
	dirs   *directory.Service
	snaps  *lifecycle.Snapshots
}

func newProcess(t testing.TB, d *db.DB) *process {
	ids := token.NewSource(time.Now)
	p := &process{TB: t, events: event.NewLog(d, ids)}
	p.orgs = org.NewService(d, p.events, ids, time.Now)
	p.dirs = directory.NewService(directory.Options{DB: d, Events: p.events, IDs: ids, Now: time.Now, Logger: slog.New(slog.DiscardHandler)})
	p.snaps = lifecycle.NewSnapshots(p.events, p.dirs)
	return p
}

func each(t *testing.T, story func(t *testing.T, d *db.DB)) {
	t.Helper()
	dbtest.Each(t, migrations.Files, func(t *testing.T, open func() *db.DB) { story(t, open()) })
}

var actor = event.Actor{ID: "test", Source: event.API}

func (p *process) must(err error) {
	p.Helper()
	if err != nil {
		p.Fatal(err)
	}
}

func (p *process) organization(name string) org.ID {
	p.Helper()
	o, err := p.orgs.Create(p.Context(), actor, org.New{Name: name, Domains: []org.NewDomain{{Domain: "example.com", State: org.Pending}}})
	p.must(err)
	return o.ID
}

func (p *process) directory(o org.ID, inactive directory.InactiveUsers) *directory.Access {
	p.Helper()
	_, secret, err := p.dirs.Create(p.Context(), actor, directory.New{OrganizationID: string(o), Name: "People", Type: directory.OktaSCIM, InactiveUsers: inactive})
	p.must(err)
	a, err := p.dirs.Authenticate(p.Context(), "", secret)
	p.must(err)
	return a
}

func object(text string) *scim.Object {
	o, err := scim.ReadObject([]byte(text), scim.DefaultLimits)
	if err != nil {
		panic(err)
	}
	return o
}

func (p *process) person(a *directory.Access, name string) (directory.User, error) {
	u, _, err := p.dirs.CreateUser(p.Context(), a, object(`{"userName":"`+name+`@example.com","title":"0","active":true}`), nil)
	return u, err
}

func (p *process) set(a *directory.Access, id, attribute, value string) error {
	v, _ := object(`{"v":` + value + `}`).Get("v")
	_, _, err := p.dirs.UpdateUser(p.Context(), a, id, directory.Condition{MentionsActive: true}, func(doc *scim.Object) (*scim.Object, error) {
		doc = doc.Clone()
		doc.Set(attribute, v)
		return doc, nil
	}, nil)
	return err
}

func (p *process) group(a *directory.Access, name string, members ...string) (directory.Group, error) {
	return p.dirs.CreateGroup(p.Context(), a, object(`{"displayName":"`+name+`"}`), refs(members), nil)
}

func (p *process) members(a *directory.Access, group string, kind scim.MemberChangeKind, members ...string) error {
	_, _, err := p.dirs.UpdateGroup(p.Context(), a, group, directory.Condition{}, func(doc *scim.Object) (*scim.Object, []scim.MemberChange, error) {
		return doc, []scim.MemberChange{{Kind: kind, Members: refs(members)}}, nil
	}, nil)
	return err
}

func refs(ids []string) []scim.MemberRef {
	out := make([]scim.MemberRef, len(ids))
	for i, id := range ids {
		out[i].Value = id
	}
	return out
}

// mirror is a consumer's copy. It is strict: what it is told must follow from what it knows.
type mirror struct {
	cursor string
	begun  int
	kinds  []string
	things map[string]map[string]any // by id
	in     map[string]bool           // "group user"
	wrong  []string
}

func newMirror() *mirror { return &mirror{things: map[string]map[string]any{}, in: map[string]bool{}} }

func (m *mirror) Begin(cursor string) error {
	m.cursor = cursor
	m.begun++
	return nil
}

func (m *mirror) Record(kind event.Type, at time.Time, data []byte) error {
	if at.IsZero() {
		m.fault("%s without a time", kind)
	}
	return m.apply(kind, data)
}

func (m *mirror) fault(format string, args ...any) {
	m.wrong = append(m.wrong, fmt.Sprintf(format, args...))
}

func (m *mirror) apply(kind event.Type, data []byte) error {
	var v map[string]any
	if err := json.Unmarshal(data, &v); err != nil {
		return err
	}
	m.kinds = append(m.kinds, string(kind))
	id, _ := v["id"].(string)
	switch kind {
	case event.DirectoryGroupUserAdded, event.DirectoryGroupUserRemoved:
		m.membership(kind, v)
	case event.DirectoryUserDeleted, event.DirectoryGroupDeleted, event.DirectoryDeleted:
		m.gone(kind, id)
	case event.DirectoryUserUpdated, event.DirectoryGroupUpdated, event.OrganizationUpdated:
		m.changed(kind, id, v)
	case event.DirectoryTokenCreated, event.DirectoryTokenRevoked:
	default:
		if m.things[id] != nil {
			m.fault("%s of %s, which is there already", kind, id)
		}
		m.things[id] = v
	}
	return nil
}

func (m *mirror) changed(kind event.Type, id string, v map[string]any) {
	is := m.things[id]
	if is == nil {
		m.fault("%s of %s, which is not there", kind, id)
	}
	previous, _ := v["previous_attributes"].(map[string]any)
	for _, name := range []string{"job_title", "name", "state"} {
		if was, told := previous[name]; told && is != nil && was != is[name] {
			m.fault("%s of %s: %s was %v and not %v", kind, id, name, is[name], was)
		}
	}
	delete(v, "previous_attributes")
	m.things[id] = v
}

func (m *mirror) gone(kind event.Type, id string) {
	if m.things[id] == nil && kind != event.DirectoryDeleted {
		m.fault("%s of %s, which is not there", kind, id)
	}
	delete(m.things, id)
	for pair := range m.in {
		if bytes.HasPrefix([]byte(pair), []byte(id+" ")) {
			delete(m.in, pair)
		} else if bytes.HasSuffix([]byte(pair), []byte(" "+id)) {
			m.fault("%s of %s, who is in %s", kind, id, pair)
		}
	}
	for other, v := range m.things {
		if kind == event.DirectoryDeleted && v["directory_id"] == id {
			delete(m.things, other)
		}
	}
}

func (m *mirror) membership(kind event.Type, v map[string]any) {
	user, _ := v["user"].(map[string]any)
	group, _ := v["group"].(map[string]any)
	pair := fmt.Sprint(group["id"], " ", user["id"])
	added := kind == event.DirectoryGroupUserAdded
	if m.in[pair] == added {
		m.fault("%s of %s, which is so already", kind, pair)
	}
	if added && m.things[fmt.Sprint(group["id"])] == nil {
		m.fault("%s: there is no group %s", kind, group["id"])
	}
	if added && m.things[fmt.Sprint(user["id"])] == nil {
		m.fault("%s: there is no person %s", kind, user["id"])
	}
	if m.in[pair] = added; !added {
		delete(m.in, pair)
	}
}

// follow applies the events after the cursor.
func (m *mirror) follow(p *process) {
	for after := m.cursor; ; {
		events, err := p.events.List(p.Context(), event.Query{After: after, Limit: 500})
		p.must(err)
		for _, e := range events {
			p.must(m.apply(e.Type, e.Data))
			after = e.ID
		}
		if len(events) == 0 {
			return
		}
	}
}

func (p *process) snapshot(which lifecycle.Selection) *mirror {
	p.Helper()
	m := newMirror()
	p.must(p.snaps.Take(p.Context(), which, m))
	return m
}

func same(t testing.TB, what string, got, want *mirror) {
	t.Helper()
	if !maps.Equal(got.in, want.in) {
		t.Errorf("%s: %d memberships, want %d", what, len(got.in), len(want.in))
	}
	if len(got.things) != len(want.things) {
		t.Errorf("%s: %d things, want %d", what, len(got.things), len(want.things))
	}
	for id, v := range want.things {
		// A group's time of change moves with its members, and no event says so.
		a, b := maps.Clone(got.things[id]), maps.Clone(v)
		if v["object"] != "directory_user" {
			delete(a, "updated_at")
			delete(b, "updated_at")
		}
		one, _ := json.Marshal(a)
		two, _ := json.Marshal(b)
		if !bytes.Equal(one, two) {
			t.Errorf("%s: %s\n got %s\nwant %s", what, id, one, two)
		}
	}
	for _, wrong := range slices.Concat(got.wrong, want.wrong) {
		t.Errorf("%s: %s", what, wrong)
	}
}

// Several processes change people and groups in parallel while snapshots are taken. A snapshot with the events after its cursor has to give
// exactly the final state, and no event after the cursor may tell of what the snapshot holds already or build on what it lacks.
func TestSnapshot_and_the_events_after_its_cursor_are_the_present_state(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		first := newProcess(t, d)
		o := first.organization("Acme")
		doors := []*directory.Access{first.directory(o, directory.Kept), first.directory(o, directory.Removed)}
		const writers, rounds = 6, 60
		var writing, taking sync.WaitGroup
		for w := range writers {
			writing.Go(func() {
				p := newProcess(t, d)
				c := crowd{p: p, a: doors[w%len(doors)], name: fmt.Sprint("w", w)}
				for range rounds {
					c.step()
				}
			})
		}
		done := make(chan struct{})
		taken := make([][]*mirror, 2)
		for s := range taken {
			taking.Go(func() {
				p := newProcess(t, d)
				for more := true; more; {
					select {
					case <-done:
						more = false
					default:
					}
					if m := p.snapshot(lifecycle.Selection{}); len(taken[s]) < 60 {
						taken[s] = append(taken[s], m)
					}
				}
			})
		}
		writing.Wait()
		close(done)
		taking.Wait()
		last := first.snapshot(lifecycle.Selection{})
		if len(last.things) < 10 || len(last.in) == 0 {
			t.Fatalf("only %d things and %d memberships came about", len(last.things), len(last.in))
		}
		from := newMirror()
		from.follow(first)
		same(t, "from the beginning", from, last)
		for s := range taken {
			for i, m := range taken[s] {
				m.follow(first)
				same(t, fmt.Sprintf("snapshot %d of reader %d", i, s), m, last)
				if t.Failed() {
					return
				}
			}
		}
	})
}

// crowd changes people and groups of its own by chance.
type crowd struct {
	p              *process
	a              *directory.Access
	name           string
	n              int
	people, groups []string
}

func (c *crowd) step() {
	c.n++
	var err error
	switch roll := rand.IntN(12); {
	case len(c.people) < 3 || roll == 0:
		var u directory.User
		u, err = c.p.person(c.a, fmt.Sprint(c.name, "-", c.n))
		c.people = append(c.people, string(u.ID))
	case len(c.groups) < 2 || roll == 1:
		var g directory.Group
		g, err = c.p.group(c.a, fmt.Sprint(c.name, "-", c.n), c.people...)
		c.groups = append(c.groups, string(g.ID))
	case roll < 5:
		err = c.p.set(c.a, c.anyone(), "title", fmt.Sprintf("%q", fmt.Sprint(c.n)))
	case roll < 7:
		err = c.p.set(c.a, c.anyone(), "active", fmt.Sprint(rand.IntN(2) == 0))
	case roll < 9:
		kind := scim.MembersAdd
		if rand.IntN(2) == 0 {
			kind = scim.MembersRemove
		}
		err = c.p.members(c.a, c.groups[rand.IntN(len(c.groups))], kind, c.anyone(), c.anyone())
	case roll == 9:
		i := rand.IntN(len(c.people))
		err = c.p.dirs.DeleteUser(c.p.Context(), c.a, c.people[i], directory.Condition{}, nil)
		c.people = slices.Delete(c.people, i, i+1)
	case roll == 10 && len(c.groups) > 2:
		err = c.p.dirs.DeleteGroup(c.p.Context(), c.a, c.groups[0], directory.Condition{}, nil)
		c.groups = c.groups[1:]
	}
	if err != nil {
		c.p.Errorf("%s: %v", c.name, err)
	}
}

func (c *crowd) anyone() string { return c.people[rand.IntN(len(c.people))] }

func TestSnapshot_holds_what_a_consumer_of_the_log_would_have(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		p := newProcess(t, d)
		acme, other := p.organization("Acme"), p.organization("Other")
		kept, removed, strange := p.directory(acme, directory.Kept), p.directory(acme, directory.Removed), p.directory(other, directory.Kept)
		unused := p.directory(acme, directory.Kept)
		for _, a := range []*directory.Access{kept, removed, strange} {
			ann, err := p.person(a, "ann")
			p.must(err)
			bob, err := p.person(a, "bob")
			p.must(err)
			_, err = p.group(a, "Team", string(ann.ID), string(bob.ID), "nobody@example.com")
			p.must(err)
			p.must(p.set(a, string(bob.ID), "active", "false"))
		}
		all := p.snapshot(lifecycle.Selection{})
		from := newMirror()
		from.follow(p)
		same(t, "everything", all, from)
		if all.things[string(unused.Directory.ID)] != nil {
			t.Error("a directory without any request is in it")
		}

		ofAcme := p.snapshot(lifecycle.Selection{OrganizationID: string(acme)})
		want := []string{
			"organization.created", "organization_domain.created",
			"dsync.activated", "dsync.user.created", "dsync.user.created", "dsync.group.created", "dsync.group.user_added",
			"dsync.activated", "dsync.user.created", "dsync.group.created", "dsync.group.user_added",
		}
		if !slices.Equal(ofAcme.kinds, want) {
			t.Errorf("of an organization:\n got %v\nwant %v", ofAcme.kinds, want)
		}
		if got := p.snapshot(lifecycle.Selection{DirectoryID: strange.Directory.ID}).kinds; !slices.Equal(got, want[2:7]) {
			t.Errorf("of a directory: %v", got)
		}
		p.must(p.dirs.Delete(p.Context(), actor, kept.Directory.ID))
		if got := p.snapshot(lifecycle.Selection{OrganizationID: string(acme)}).kinds; !slices.Equal(got, slices.Concat(want[:2], want[7:])) {
			t.Errorf("after a directory was deleted: %v", got)
		}
		for _, which := range []lifecycle.Selection{
			{OrganizationID: "org_01ARZ3NDEKTSV4RRFFQ69G5FAV"},
			{DirectoryID: "directory_01ARZ3NDEKTSV4RRFFQ69G5FAV"},
			{DirectoryID: kept.Directory.ID},
			{OrganizationID: string(acme), DirectoryID: strange.Directory.ID},
		} {
			m := newMirror()
			if err := p.snaps.Take(p.Context(), which, m); !fault.Is(err, fault.NotFound) || m.begun != 0 {
				t.Errorf("%+v: %v, begun %d times", which, err, m.begun)
			}
		}
	})
}

func TestSnapshot_leaves_out_deleted_organizations(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		p := newProcess(t, d)
		gone := p.organization("Gone")
		a := p.directory(gone, directory.Kept)
		_, err := p.person(a, "ann")
		p.must(err)
		p.must(d.Tx(t.Context(), func(tx db.Tx) error {
			_, err := tx.Exec(t.Context(), "UPDATE organizations SET deleted_at = 1 WHERE id = $1", string(gone))
			return err
		}))
		if got := p.snapshot(lifecycle.Selection{}).kinds; len(got) != 0 {
			t.Errorf("%v", got)
		}
		for _, which := range []lifecycle.Selection{{OrganizationID: string(gone)}, {DirectoryID: a.Directory.ID}} {
			if err := p.snaps.Take(p.Context(), which, newMirror()); !fault.Is(err, fault.NotFound) {
				t.Errorf("%+v: %v", which, err)
			}
		}
	})
}

func TestSnapshot_of_an_empty_log_has_no_cursor(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		m := newProcess(t, d).snapshot(lifecycle.Selection{})
		if m.begun != 1 || m.cursor != "" || len(m.kinds) != 0 {
			t.Errorf("%+v", m)
		}
	})
}

// blocked is a sink that nobody reads.
type blocked struct{ begun, release chan struct{} }

func (b blocked) Begin(string) error {
	close(b.begun)
	<-b.release
	return errors.New("gone")
}

func (blocked) Record(event.Type, time.Time, []byte) error { return nil }

func TestSnapshots_at_once_are_few(t *testing.T) {
	each(t, func(t *testing.T, d *db.DB) {
		p := newProcess(t, d)
		release := make(chan struct{})
		var taking sync.WaitGroup
		for range 2 {
			b := blocked{make(chan struct{}), release}
			taking.Go(func() {
				if err := p.snaps.Take(context.Background(), lifecycle.Selection{}, b); err == nil {
					t.Error("the sink's error is lost")
				}
			})
			<-b.begun
		}
		if err := p.snaps.Take(t.Context(), lifecycle.Selection{}, newMirror()); !fault.Is(err, fault.Unavailable) {
			t.Errorf("a third one: %v", err)
		}
		close(release)
		taking.Wait()
		p.snapshot(lifecycle.Selection{})
	})
}
