package lifecycle_test

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"sort"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/db/dbtest"
	"github.com/rollcallhq/rollcall/internal/db/migrations"
	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/lifecycle"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/switching"
	"github.com/rollcallhq/rollcall/internal/token"
)

// clock is set by hand.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// moving is an organization whose directory is being switched.
type moving struct {
	testing.TB

	d         *db.DB
	p         replica
	clock     *clock
	org       org.ID
	old, next *directory.Access
	s         *lifecycle.Switches // remembers every pairing, however fast it was made
	w         switching.Switch
}

func newMoving(t testing.TB, d *db.DB, p replica) *moving {
	m := &moving{TB: t, d: d, p: p, clock: &clock{at: time.Now()}}
	o, err := p.orgs.Create(t.Context(), operator(), org.New{Name: "Acme", Domains: []org.NewDomain{{Domain: "acme.example", State: org.Verified}}})
	m.must(err)
	m.org = o.ID
	m.old, m.next = m.directory(directory.New{Name: "Okta"}), m.directory(directory.New{Name: "Entra", Silent: true})
	m.s = m.process(p, time.Nanosecond, time.Minute)
	m.w, err = m.s.Create(t.Context(), operator(), m.org, lifecycle.NewSwitch{
		Directory: switching.Pair{From: string(m.old.Directory.ID), To: string(m.next.Directory.ID)},
	})
	m.must(err)
	m.s = m.process(p, time.Nanosecond, time.Minute) // the other one remembers that nobody is there
	return m
}

func (m *moving) process(p replica, quick, patience time.Duration) *lifecycle.Switches {
	return lifecycle.NewSwitches(lifecycle.SwitchOptions{
		DB: m.d, Events: p.events, IDs: token.NewSource(time.Now), Organizations: p.orgs, Directories: p.dirs, Members: p.people, Access: p.people.Access(),
		Now: m.clock.now, Logger: slog.New(slog.DiscardHandler), Quick: quick, Patience: patience,
	})
}

func (m *moving) must(err error) {
	m.Helper()
	if err != nil {
		m.Fatal(err)
	}
}

func (m *moving) directory(n directory.New) *directory.Access {
	m.Helper()
	n.OrganizationID, n.Type = string(m.org), directory.OktaSCIM
	_, secret, err := m.p.dirs.Create(m.Context(), operator(), n)
	m.must(err)
	a, err := m.p.dirs.Authenticate(m.Context(), "", secret)
	m.must(err)
	return a
}

func (m *moving) person(a *directory.Access, name string) string {
	m.Helper()
	u, _, err := m.p.dirs.CreateUser(m.Context(), a, object(`{"userName":"`+name+`@acme.example","active":true}`), nil)
	m.must(err)
	return string(u.ID)
}

func (m *moving) group(a *directory.Access, name string) string {
	m.Helper()
	g, err := m.p.dirs.CreateGroup(m.Context(), a, object(`{"displayName":"`+name+`"}`), nil, nil)
	m.must(err)
	return string(g.ID)
}

// look is a page of the people as a page shows it.
func (m *moving) look(q lifecycle.PairingQuery) lifecycle.PairingPage {
	m.Helper()
	if q.Limit == 0 {
		q.Limit, q.Ascending = 50, true
	}
	p, err := m.s.Look(m.Context(), m.org, m.w.ID, switching.People, q)
	m.must(err)
	return p
}

// names are the lines in short, like "ada=ada matched".
func names(lines []lifecycle.Pairing) (out []string) {
	short := func(s *lifecycle.PairingSide) string {
		if s == nil {
			return "-"
		}
		name, _, _ := strings.Cut(s.UserName+s.Name, "@")
		return name
	}
	for _, l := range lines {
		out = append(out, short(l.Old)+"="+short(l.New)+" "+string(l.Match))
	}
	sort.Strings(out)
	return out
}

func (m *moving) is(got []string, want ...string) {
	m.Helper()
	if !slices.Equal(got, want) {
		m.Errorf("got %q, want %q", got, want)
	}
}

// unseen changes an external id past all that tells of it.
func (m *moving) unseen(a *directory.Access, id, external string) {
	m.Helper()
	var w db.Write
	w.Exec(`UPDATE directory_users SET external_id = $3 WHERE directory_id = $1 AND id = $2`, string(a.Directory.ID), id, external)
	m.must(m.d.Write(m.Context(), &w))
}

func TestWho_is_who_is_remembered_until_one_of_the_sides_or_a_hand_changes_it_and_a_minute_at_most(t *testing.T) {
	onEach(t, func(t *testing.T, d *db.DB, p replica) {
		m := newMoving(t, d, p)
		ada, bob := m.person(m.old, "ada"), m.person(m.old, "bob")
		m.person(m.next, "ada")
		robert := m.person(m.next, "robert")
		first := m.look(lifecycle.PairingQuery{})
		m.is(names(first.Lines), "-=robert only_new", "ada=ada matched", "bob=- unmatched")
		if first.Stale || !first.At.Equal(m.clock.now().UTC().Truncate(time.Microsecond)) || first.Switch.Counts.People != (switching.Counts{Matched: 1, Unmatched: 1, OnlyNew: 1}) {
			t.Errorf("%+v", first)
		}

		// Nothing tells of this change, so only a pairing that is made anew sees it.
		m.unseen(m.old, bob, "1")
		m.unseen(m.next, robert, "1")
		m.clock.pass(59 * time.Second)
		if again := m.look(lifecycle.PairingQuery{}); again.Stale || !again.At.Equal(first.At) {
			t.Errorf("was not remembered: as of %s, not %s", again.At, first.At)
		}
		m.clock.pass(time.Second)
		if old := m.look(lifecycle.PairingQuery{}); !old.Stale {
			t.Error("what is a minute old is taken for the present one")
		}
		m.until(func() bool { return !m.look(lifecycle.PairingQuery{}).Stale })
		m.is(names(m.look(lifecycle.PairingQuery{}).Lines), "ada=ada matched", "bob=robert matched")

		m.person(m.next, "cyd")
		m.is(names(m.soon()), "-=cyd only_new", "ada=ada matched", "bob=robert matched")
		m.must(m.p.dirs.DeleteUser(ctx, m.next, robert, directory.Condition{}, nil))
		m.is(names(m.soon()), "-=cyd only_new", "ada=ada matched", "bob=- unmatched")

		// A hand in another process.
		other := m.process(newReplica(d), time.Nanosecond, time.Minute)
		said, err := other.SetMatch(ctx, operator(), m.org, m.w.ID, switching.People, ada, "")
		m.must(err)
		m.is(names([]lifecycle.Pairing{said}), "ada=- unmatched")
		m.is(names(m.look(lifecycle.PairingQuery{}).Lines), "-=ada only_new", "-=cyd only_new", "ada=- unmatched", "bob=- unmatched")
	})
}

// soon is the list when what was made a moment ago has had its rest.
func (m *moving) soon() []lifecycle.Pairing {
	m.Helper()
	m.clock.pass(20 * time.Second)
	return m.look(lifecycle.PairingQuery{}).Lines
}

func TestPage_shows_what_was_last_found_while_a_directory_is_filling_and_says_so(t *testing.T) {
	onEach(t, func(t *testing.T, d *db.DB, p replica) {
		m := newMoving(t, d, p)
		m.person(m.old, "ada")
		first := m.look(lifecycle.PairingQuery{})
		m.person(m.next, "ada")
		page := m.look(lifecycle.PairingQuery{})
		if !page.Stale || !page.At.Equal(first.At) {
			t.Errorf("%+v", page)
		}
		m.is(names(page.Lines), "ada=- unmatched")
		// Whoever asks for what is now gets it, however short ago the last one was made.
		now, _, err := m.s.Pairings(ctx, m.org, m.w.ID, switching.People, lifecycle.PairingQuery{Limit: 10, Ascending: true})
		m.must(err)
		m.is(names(now), "ada=ada matched")
		w, err := m.s.Get(ctx, m.org, m.w.ID)
		m.must(err)
		if w.Counts.People.Matched != 1 {
			t.Errorf("%+v", w.Counts)
		}
	})
}

func TestPage_waits_no_longer_than_it_may_and_shows_nothing_of_before_the_cut_over_after_it(t *testing.T) {
	onEach(t, func(t *testing.T, d *db.DB, p replica) {
		m := newMoving(t, d, p)
		m.person(m.old, "ada")
		m.person(m.next, "ada")
		m.s = m.process(p, time.Nanosecond, time.Nanosecond)
		page := m.look(lifecycle.PairingQuery{})
		if !page.At.IsZero() || !page.Stale || len(page.Lines) > 0 {
			t.Fatalf("who is who was found in no time: %+v", page)
		}
		m.until(func() bool { return !m.look(lifecycle.PairingQuery{}).At.IsZero() })
		m.is(names(m.look(lifecycle.PairingQuery{}).Lines), "ada=ada matched")

		_, err := m.s.CutOver(ctx, operator(), m.org, m.w.ID, lifecycle.Expected{})
		m.must(err)
		if page := m.look(lifecycle.PairingQuery{}); !page.At.IsZero() && page.Stale {
			t.Errorf("shows who is who of another state: %+v", page)
		}
		m.until(func() bool { return !m.look(lifecycle.PairingQuery{}).Stale })
		m.clock.pass(10 * time.Minute)
		if page := m.look(lifecycle.PairingQuery{}); !page.At.IsZero() && page.Stale {
			t.Errorf("shows one that is %s old", m.clock.now().Sub(page.At))
		}
	})
}

// until waits for what is made in the background.
func (m *moving) until(done func() bool) {
	m.Helper()
	for range 500 {
		if done() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	m.Fatal("it did not come about")
}

func TestCut_over_counts_anew_and_does_not_trust_what_is_remembered(t *testing.T) {
	onEach(t, func(t *testing.T, d *db.DB, p replica) {
		m := newMoving(t, d, p)
		ada := m.person(m.old, "ada")
		m.unseen(m.old, ada, "1")
		robert := m.person(m.next, "robert")
		m.is(names(m.look(lifecycle.PairingQuery{}).Lines), "-=robert only_new", "ada=- unmatched")
		m.unseen(m.next, robert, "1")
		one := 1
		_, err := m.s.CutOver(ctx, operator(), m.org, m.w.ID, lifecycle.Expected{Unmatched: &one})
		if f, ok := fault.As(err); !ok || f.Code != "people_unmatched" {
			t.Fatalf("the number of a moment ago was taken: %v", err)
		}
		w, err := m.s.CutOver(ctx, operator(), m.org, m.w.ID, lifecycle.Expected{})
		m.must(err)
		if w.Counts.People.Matched != 1 {
			t.Errorf("%+v", w.Counts)
		}
	})
}

func TestCounterpart_that_is_given_already_or_gone_is_refused_whatever_is_remembered(t *testing.T) {
	onEach(t, func(t *testing.T, d *db.DB, p replica) {
		m := newMoving(t, d, p)
		ada, bob, gone := m.person(m.old, "ada"), m.person(m.old, "bob"), m.person(m.old, "gone")
		robert, left := m.person(m.next, "robert"), m.person(m.next, "left")
		group, theirs := m.group(m.old, "Crew"), m.group(m.next, "Team")
		other := m.directory(directory.New{Name: "Other"})
		stranger := m.person(other, "stranger")
		m.look(lifecycle.PairingQuery{})
		set := func(kind switching.Kind, old, next string) string {
			t.Helper()
			_, err := m.s.SetMatch(ctx, operator(), m.org, m.w.ID, kind, old, next)
			if f, ok := fault.As(err); ok {
				return f.Code
			}
			m.must(err)
			return ""
		}
		for _, one := range []struct {
			what      string
			kind      switching.Kind
			old, next string
			code      string
		}{
			{"free", switching.People, bob, robert, ""},
			{"given by the hand of a moment ago", switching.People, ada, robert, "counterpart_taken"},
			{"of another directory", switching.People, ada, stranger, "unknown_counterpart"},
			{"a group for a person", switching.People, ada, theirs, "unknown_counterpart"},
			{"whoever is not of the old side", switching.People, stranger, left, "entity_not_found"},
			{"somebody of the new side", switching.People, left, left, "entity_not_found"},
			{"a group", switching.Groups, group, theirs, ""},
			{"a person for a group", switching.Groups, group, left, "unknown_counterpart"},
			{"given up", switching.People, bob, "", ""},
			{"free again", switching.People, gone, robert, ""},
		} {
			if code := set(one.kind, one.old, one.next); code != one.code {
				t.Errorf("%s: %q, not %q", one.what, code, one.code)
			}
		}
		m.must(m.p.dirs.DeleteUser(ctx, m.next, left, directory.Condition{}, nil))
		if code := set(switching.People, ada, left); code != "unknown_counterpart" {
			t.Errorf("who has just gone from the new side: %q", code)
		}
		m.must(m.p.dirs.DeleteUser(ctx, m.old, gone, directory.Condition{}, nil))
		if code := set(switching.People, gone, ""); code != "entity_not_found" {
			t.Errorf("who has just gone from the old side: %q", code)
		}
		m.soon()
		if code := set(switching.People, ada, robert); code != "" {
			t.Errorf("what was said of somebody who is gone holds robert: %q", code)
		}
		m.is(names(m.look(lifecycle.PairingQuery{}).Lines), "ada=robert matched", "bob=- unmatched")
	})
}

func TestList_of_who_is_who_is_filtered_by_match_and_text_and_read_in_both_directions(t *testing.T) {
	onEach(t, func(t *testing.T, d *db.DB, p replica) {
		m := newMoving(t, d, p)
		for i := range 6 {
			m.person(m.old, fmt.Sprintf("p%d", i))
			if i%2 == 0 {
				m.person(m.next, fmt.Sprintf("p%d", i))
			}
		}
		robert := m.person(m.next, "robert")
		m.unseen(m.next, robert, "00U-R")
		for _, one := range []struct {
			q    lifecycle.PairingQuery
			want []string
		}{
			{lifecycle.PairingQuery{Match: switching.Unmatched}, []string{"p1=- unmatched", "p3=- unmatched", "p5=- unmatched"}},
			{lifecycle.PairingQuery{Match: switching.OnlyNew}, []string{"-=robert only_new"}},
			{lifecycle.PairingQuery{Search: "OBERT@acme"}, []string{"-=robert only_new"}},
			{lifecycle.PairingQuery{Search: "00u-r"}, []string{"-=robert only_new"}},
			{lifecycle.PairingQuery{Search: robert}, []string{"-=robert only_new"}},
			{lifecycle.PairingQuery{Search: robert[:20]}, nil},
			{lifecycle.PairingQuery{Search: "p3", Match: switching.Matched}, nil},
		} {
			one.q.Limit, one.q.Ascending = 50, true
			m.is(names(m.look(one.q).Lines), one.want...)
		}
		var all []string
		for _, ascending := range []bool{true, false} {
			q := lifecycle.PairingQuery{Limit: 3, Ascending: ascending}
			var forth, back []string
			for page := m.look(q); ; page = m.look(q) {
				forth = append(forth, names(page.Lines)...)
				if !page.More {
					break
				}
				q.After = page.Lines[len(page.Lines)-1].ID
			}
			q.After, q.Before = "", m.look(q).Lines[0].ID
			page := m.look(q)
			back = names(page.Lines)
			if len(forth) != 7 || len(page.Lines) != 3 || !page.More || !slices.Equal(back, forth[3:6]) {
				t.Errorf("ascending %t: %q, before the last one %q, more %t", ascending, forth, back, page.More)
			}
			sort.Strings(forth)
			all = append(all, forth...)
		}
		if !slices.Equal(all[:7], all[7:]) {
			t.Errorf("the directions differ: %q", all)
		}
	})
}

// BenchmarkSwitchPage looks at a page of a switch with 100,000 people on both sides, of whom all but a hundredth are matched, and says how long finding
// who is who took.
func BenchmarkSwitchPage(b *testing.B) {
	const people = 100_000
	for _, engine := range dbtest.Engines(b) {
		b.Run(string(engine), func(b *testing.B) {
			d := dbtest.Open(b, engine, migrations.Files)
			m := newMoving(b, d, newReplica(d))
			m.person(m.old, "first")
			crowdSides(b, d, m, people)
			m.must(d.Analyze(b.Context()))
			m.s = m.process(m.p, 0, 0)
			before, start := heap(), time.Now()
			_, err := m.s.Get(b.Context(), m.org, m.w.ID)
			m.must(err)
			found := time.Since(start)
			var took []time.Duration
			for b.Loop() {
				for _, q := range []lifecycle.PairingQuery{{}, {Match: switching.Ambiguous}, {Search: "person-99999@"}, {Search: "nowhere"}} {
					q.Limit, q.Ascending = 50, true
					begun := time.Now()
					p := m.look(q)
					took = append(took, time.Since(begun))
					if p.At.IsZero() || p.Switch.Counts.People.Matched < people*9/10 {
						b.Fatalf("%+v", p.Switch.Counts)
					}
				}
			}
			slices.Sort(took)
			b.ReportMetric(found.Seconds(), "s-to-find")
			b.ReportMetric(float64(heap()-before)/(1<<20), "MB-remembered")
			runtime.KeepAlive(m)
			b.ReportMetric(took[len(took)/2].Seconds()*1000, "ms-median")
			b.ReportMetric(took[len(took)-1].Seconds()*1000, "ms-slowest")
		})
	}
}

// heap is how much memory is in use.
func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// crowdSides writes people of both sides straight into the tables.
func crowdSides(b *testing.B, d *db.DB, m *moving, people int) {
	b.Helper()
	ids := token.NewSource(time.Now)
	for _, side := range []*directory.Access{m.old, m.next} {
		for n := 0; n < people; n += 1000 {
			var users, mails [][]any
			for i := n; i < n+1000; i++ {
				id, name := ids.NewID("directory_user"), fmt.Sprintf("person-%d@acme.example", i)
				if side == m.next && i%100 == 0 {
					name = "new-" + name
				}
				users = append(users, []any{string(side.Directory.ID), id, name, id, true, false, 1, 1, 1, fmt.Sprintf(
					`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":%q,"displayName":"Given Family %d","emails":[{"value":%q,"type":"work","primary":true}],"active":true}`, name, i, name)})
				mails = append(mails, []any{string(side.Directory.ID), "alias." + name, id})
			}
			var w db.Write
			w.Many(`INSERT INTO directory_users (directory_id, id, user_name_key, idp_id, active, suspended, version, created_at, updated_at, document)
				VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`, users)
			w.Many(`INSERT INTO directory_user_emails (directory_id, email_key, user_id) VALUES ($1, $2, $3)`, mails)
			m.must(d.Write(context.WithoutCancel(b.Context()), &w))
		}
	}
}
