package org_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/token"
)

// dns is a world of TXT records. A name it does not have does not exist; failure, if set, is the answer to everything.
type dns struct {
	mu      sync.Mutex
	texts   map[string][]string
	failure error
	asked   []string
	during  func(name string) // called while a question is answered
}

func (d *dns) LookupTXT(ctx context.Context, name string) ([]string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked = append(d.asked, name)
	if d.during != nil {
		d.during(name)
	}
	if _, limited := ctx.Deadline(); !limited {
		return nil, errors.New("a question without a deadline")
	}
	if d.failure != nil {
		return nil, d.failure
	}
	if found, there := d.texts[name]; there {
		return found, nil
	}
	return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
}

// town is a house with a clock and a DNS of its own.
type town struct {
	*house
	dns *dns
	now time.Time
}

func towns(t *testing.T, story func(*town)) {
	t.Helper()
	each(t, func(h *house) {
		w := &town{house: h, dns: &dns{texts: map[string][]string{}}, now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
		w.s = w.service()
		story(w)
	})
}

// service is one more process on the same database.
func (w *town) service() *org.Service {
	ids := token.NewSource(time.Now)
	s := org.NewService(w.db, event.NewLog(w.db, ids), ids, func() time.Time { return w.now })
	s.SetResolver(w.dns)
	return s
}

func (w *town) domain(name string) org.Domain {
	w.Helper()
	d, err := w.s.CreateDomain(ctx, operator(), w.must(org.New{Name: "Acme"}).ID, name)
	if err != nil {
		w.Fatal(err)
	}
	return d
}

func operator() event.Actor { return event.Actor{ID: "key", Source: event.API} }

func (w *town) state(d org.Domain) org.DomainState {
	w.Helper()
	found, err := w.s.GetDomain(ctx, d.ID)
	if err != nil {
		w.Fatal(err)
	}
	return found.State
}

// check looks at what is due and gives how often the domain itself was asked for.
func (w *town) check(d org.Domain) (looks int) {
	w.Helper()
	w.dns.mu.Lock()
	w.dns.asked = nil
	w.dns.mu.Unlock()
	if err := w.s.CheckDomains(ctx); err != nil {
		w.Fatal(err)
	}
	for _, name := range w.dns.asked {
		if name == d.Domain+"." {
			looks++
		}
	}
	return looks
}

func TestDomain_is_looked_for_soon_and_then_ever_less_often_until_it_fails(t *testing.T) {
	towns(t, func(w *town) {
		d := w.domain("example.com")
		var gaps []time.Duration
		for last, end := w.now, w.now.Add(40*24*time.Hour); w.now.Before(end) && w.state(d) == org.Pending; {
			w.now = w.now.Add(max(5*time.Second, w.now.Sub(last)/10))
			if w.check(d) > 0 {
				gaps = append(gaps, w.now.Sub(last))
				last = w.now
			}
		}
		if gaps[0] > 40*time.Second || len(gaps) > 60 || len(gaps) < 40 {
			t.Errorf("%d looks, the first after %s", len(gaps), gaps[0])
		}
		for i, gap := range gaps {
			if gap > 28*time.Hour || i > 2 && gap < gaps[i-1]/2 {
				t.Errorf("look %d came %s after the one before, that %s", i, gap, gaps[i-1])
			}
		}
		waited := w.now.Sub(d.CreatedAt)
		if w.state(d) != org.Failed || waited < 30*24*time.Hour || waited > 32*24*time.Hour {
			t.Errorf("%s after %s", w.state(d), waited)
		}
		if got := w.types(); !strings.HasSuffix(got, "organization_domain.created organization_domain.verification_failed") {
			t.Error(got)
		}
		w.now = w.now.Add(365 * 24 * time.Hour)
		if looks := w.check(d); looks != 0 {
			t.Errorf("a failed domain was looked at %d times", looks)
		}
	})
}

func TestDomain_is_verified_in_the_background_and_then_left_alone(t *testing.T) {
	towns(t, func(w *town) {
		d := w.domain("example.com")
		w.now = w.now.Add(time.Minute)
		w.check(d)
		w.dns.texts["example.com."] = []string{"other", "rollcall-domain-verification=" + d.VerificationToken}
		if w.check(d) != 0 || w.state(d) != org.Pending {
			t.Error("it was looked at before it was due")
		}
		w.now = w.now.Add(time.Minute)
		if w.check(d) != 1 || w.state(d) != org.Verified {
			t.Errorf("the state is %s", w.state(d))
		}
		delete(w.dns.texts, "example.com.")
		w.now = w.now.Add(100 * 24 * time.Hour)
		if w.check(d) != 0 || w.state(d) != org.Verified {
			t.Error("a verified domain was looked at")
		}
		events, err := w.events.List(ctx, event.Query{Limit: 10})
		if err != nil || len(events) != 3 || events[2].Type != event.OrganizationDomainVerified || !strings.Contains(string(events[2].Context), `"source":"system"`) {
			t.Errorf("%v %v", w.types(), err)
		}
	})
}

func TestDomain_does_not_fail_because_the_DNS_cannot_be_reached(t *testing.T) {
	towns(t, func(w *town) {
		d := w.domain("example.com")
		w.dns.failure = &net.DNSError{Err: "i/o timeout", IsTimeout: true, IsTemporary: true}
		w.now = w.now.Add(31 * 24 * time.Hour)
		if w.check(d) != 1 || w.state(d) != org.Pending {
			t.Errorf("after 31 days without an answer the state is %s", w.state(d))
		}
		w.now = w.now.Add(7 * 24 * time.Hour)
		if w.check(d); w.state(d) != org.Failed {
			t.Errorf("after 38 days without an answer the state is %s", w.state(d))
		}
	})
}

func TestDomain_that_failed_waits_anew_when_it_is_asked_for(t *testing.T) {
	towns(t, func(w *town) {
		d := w.domain("example.com")
		w.now = w.now.Add(31 * 24 * time.Hour)
		w.check(d)
		before := w.types()
		again, err := w.s.VerifyDomain(ctx, operator(), d.ID)
		if err != nil || again.State != org.Pending || !again.UpdatedAt.Equal(w.now) {
			t.Errorf("%+v %v", again, err)
		}
		if got := strings.TrimPrefix(w.types(), before); got != " organization_domain.updated" {
			t.Error(got)
		}
		w.now = w.now.Add(29 * 24 * time.Hour)
		if w.check(d); w.state(d) != org.Pending {
			t.Errorf("29 days later it is %s", w.state(d))
		}
		before = w.types()
		if _, err := w.s.VerifyDomain(ctx, operator(), d.ID); err != nil || w.types() != before {
			t.Errorf("asked for while pending: %s %v", w.types(), err)
		}
		w.now = w.now.Add(29 * 24 * time.Hour)
		if w.check(d); w.state(d) != org.Pending {
			t.Errorf("asking for it did not begin its time anew: it is %s", w.state(d))
		}
	})
}

func TestDomain_older_than_verification_gets_its_whole_time(t *testing.T) {
	towns(t, func(w *town) {
		d := w.domain("example.com")
		if err := w.db.Tx(ctx, func(tx db.Tx) error {
			_, err := tx.Exec(ctx, `UPDATE organization_domains SET pending_since = NULL, check_at = 0`)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		for _, days := range []int{100, 29} {
			w.now = w.now.AddDate(0, 0, days)
			if w.check(d) != 1 || w.state(d) != org.Pending {
				t.Errorf("it is %s", w.state(d))
			}
		}
		w.now = w.now.Add(2 * 24 * time.Hour)
		if w.check(d); w.state(d) != org.Failed {
			t.Errorf("after its time it is %s", w.state(d))
		}
	})
}

func TestDomains_that_are_due_are_looked_at_by_one_process_each(t *testing.T) {
	towns(t, func(w *town) {
		o := w.must(org.New{Name: "Acme"})
		const many = 40
		for i := range many {
			if _, err := w.s.CreateDomain(ctx, operator(), o.ID, fmt.Sprintf("d%d.example.com", i)); err != nil {
				t.Fatal(err)
			}
		}
		w.now = w.now.Add(time.Minute)
		var checking sync.WaitGroup
		for range 3 {
			s := w.service()
			checking.Go(func() {
				if err := s.CheckDomains(ctx); err != nil {
					t.Error(err)
				}
			})
		}
		checking.Wait()
		slices.Sort(w.dns.asked)
		if n := len(slices.Compact(w.dns.asked)); n != 2*many || len(w.dns.asked) != n {
			t.Errorf("%d names were asked for, %d of them different", len(w.dns.asked), n)
		}
	})
}

// Nothing of the DNS may hold up the database: a question is answered while a transaction writes.
func TestDomain_may_go_or_be_decided_while_it_is_looked_at(t *testing.T) {
	towns(t, func(w *town) {
		gone, vouched := w.domain("gone.example.com"), w.domain("vouched.example.com")
		var once sync.Map
		w.dns.during = func(name string) {
			if _, again := once.LoadOrStore(name, true); again {
				return
			}
			var err error
			switch name {
			case "gone.example.com.":
				err = w.s.DeleteDomain(ctx, operator(), gone.ID)
			case "vouched.example.com.":
				_, err = w.s.VouchForDomain(ctx, operator(), vouched.ID)
			}
			if err != nil {
				t.Error(err)
			}
		}
		w.now = w.now.Add(31 * 24 * time.Hour)
		w.check(gone)
		if w.state(vouched) != org.Verified {
			t.Errorf("the operator's word was overruled: %s", w.state(vouched))
		}
		w.now = w.now.AddDate(1, 0, 0)
		if looks := w.check(vouched); looks != 0 {
			t.Errorf("a domain that was vouched for was looked at %d times more", looks)
		}
		if _, err := w.s.GetDomain(ctx, gone.ID); !fault.Is(err, fault.NotFound) {
			t.Errorf("a deleted domain is back: %v", err)
		}
		if strings.Contains(w.types(), "verification_failed") {
			t.Error(w.types())
		}
	})
}

func TestDomain_asks_for_absolute_names_and_takes_no_more_records_than_it_looks_at(t *testing.T) {
	crowd := slices.Repeat([]string{"noise"}, 100)
	towns(t, func(w *town) {
		i := 0
		for name, c := range map[string]struct {
			texts  func(domain, token, right string) map[string][]string
			proves bool
		}{
			"another's token": {func(domain, _, right string) map[string][]string {
				return map[string][]string{domain: {right[:len(right)-25] + strings.Repeat("a", 25)}}
			}, false},
			"part of the record": {func(domain, token, right string) map[string][]string {
				return map[string][]string{domain: {"x" + right, right + "x", token, ""}}
			}, false},
			"at another name": {func(domain, _, right string) map[string][]string {
				return map[string][]string{"www." + domain: {right}, "com.": {right}, strings.TrimSuffix(domain, "."): {right}}
			}, false},
			"beyond the limit": {func(domain, _, right string) map[string][]string {
				return map[string][]string{domain: append(slices.Clone(crowd), right)}
			}, false},
			"the last within the limit": {func(domain, _, right string) map[string][]string {
				return map[string][]string{domain: append(slices.Clone(crowd[1:]), right)}
			}, true},
			"at the other name": {func(domain, token, _ string) map[string][]string {
				return map[string][]string{"_rollcall-domain-verification." + domain: {token}}
			}, true},
			"in quotes and blanks": {func(domain, _, right string) map[string][]string {
				return map[string][]string{domain: {` "` + right + `" `}}
			}, true},
		} {
			i++
			d := w.domain(fmt.Sprintf("d%d.example.com", i))
			w.dns.texts, w.dns.asked = c.texts(d.Domain+".", d.VerificationToken, "rollcall-domain-verification="+d.VerificationToken), nil
			got, err := w.s.VerifyDomain(ctx, operator(), d.ID)
			if err != nil || (got.State == org.Verified) != c.proves || w.state(d) != got.State {
				t.Errorf("%s: %s %v", name, got.State, err)
			}
			for _, asked := range w.dns.asked {
				if !strings.HasSuffix(asked, d.Domain+".") {
					t.Errorf("%s: asked for %s", name, asked)
				}
			}
		}
	})
}

func TestRecords_have_names_that_DNS_can_hold(t *testing.T) {
	long := strings.Repeat(strings.Repeat("a", 50)+".", 4) + "example.com"
	for _, d := range []org.Domain{{Domain: "example.com", VerificationToken: "t"}, {Domain: long + ".example.example.com", VerificationToken: "t"}} {
		records := d.Records()
		if len(records) == 0 || records[0].Name != d.Domain || records[0].Value != "rollcall-domain-verification=t" {
			t.Errorf("%+v", records)
		}
		for _, r := range records {
			if len(r.Name) > 253 {
				t.Errorf("%s is longer than a name may be", r.Name)
			}
		}
	}
}

// slow never answers before it has to.
type slow struct{ asked atomic.Int64 }

func (s *slow) LookupTXT(ctx context.Context, _ string) ([]string, error) {
	s.asked.Add(1)
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestLook_ends_though_the_DNS_does_not_answer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, began := &slow{}, time.Now()
		if got := org.Look(ctx, s, org.Domain{Domain: "example.com", VerificationToken: "t"}); got != org.Unanswered {
			t.Errorf("no answer is %v", got)
		}
		if took := time.Since(began); took > 10*time.Second || s.asked.Load() != 2 {
			t.Errorf("it took %s and %d questions", took, s.asked.Load())
		}
	})
}

func FuzzParseDomain(f *testing.F) {
	for _, seed := range []string{"example.com", " Example.COM. ", "münchen.de", "xn--mnchen-3ya.de", "a..b", "-a.com", "1.2.3.4", "a.b\x00", strings.Repeat("a.", 200) + "com"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := org.ParseDomain(text, "domain")
		if err != nil {
			if !fault.Is(err, fault.Unprocessable) {
				t.Errorf("%q: %v", text, err)
			}
			return
		}
		again, err := org.ParseDomain(d, "domain")
		if err != nil || again != d || len(d) > 253 || d != strings.ToLower(d) || strings.ContainsAny(d, " /:@_*\x00\n") || !strings.Contains(d, ".") {
			t.Errorf("%q became %q, then %q %v", text, d, again, err)
		}
	})
}

func TestRepeat_works_at_its_pace_tells_failures_and_stops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		running, stop := context.WithCancel(ctx)
		var did, told int
		done := make(chan struct{})
		go func() {
			defer close(done)
			org.Repeat(running, 10*time.Second, func() error {
				if did++; did == 2 {
					return errors.New("once")
				}
				return nil
			}, func(error) { told++ })
		}()
		time.Sleep(35 * time.Second)
		stop()
		<-done
		if did != 3 || told != 1 {
			t.Errorf("did %d, told %d", did, told)
		}
	})
}
