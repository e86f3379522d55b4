package signin_test

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/member"
	"github.com/rollcallhq/rollcall/internal/org"
)

// invited are the addresses that an invitation was mailed to.
func (w *world) invited() (to []string) {
	w.t.Helper()
	for _, l := range w.letters() {
		if strings.Contains(l.Text, member.InvitationPath) {
			to = append(to, l.To)
		}
	}
	return to
}

// place is somebody's place as "state why", "" for none.
func (w *world) place(email string) string {
	w.t.Helper()
	m := w.member(email)
	if m == nil {
		return ""
	}
	kind := "guest"
	if m.Membership.Primary {
		kind = "primary"
	}
	return fmt.Sprintf("%s %s %s", kind, m.Membership.State, m.Membership.Why)
}

func (w *world) wantPlace(email, want string) {
	w.t.Helper()
	if got := w.place(email); got != want {
		w.t.Errorf("%s is %q, want %q", email, got, want)
	}
}

// gone is a DELETE of a person.
func (f feed) gone(id directory.UserID) {
	f.w.t.Helper()
	f.w.ok(f.dirs.DeleteUser(ctx, f.door, string(id), directory.Condition{}, nil))
}

func TestProvisioning_makes_of_people_what_the_directory_is_set_to(t *testing.T) {
	for mode, want := range map[directory.Provisioning]struct {
		inside, outside string // a verified domain
		known           string // who has an account with a verified address inside it
		mails           int
	}{
		directory.Invite:       {"primary pending invited_by_directory", "guest pending invited_by_directory", "primary active directory", 2},
		directory.Direct:       {"primary active directory", "guest pending invited_by_directory", "primary active directory", 1},
		directory.ExistingOnly: {"", "", "primary active directory", 0},
	} {
		t.Run(string(mode), func(t *testing.T) {
			each(t, func(t *testing.T, w *world) {
				w.provisioned()
				_, err := w.members.CreateUser(ctx, operator(), member.NewUser{Email: "known@acme.example", EmailVerified: true})
				w.ok(err)
				f := w.feed(directory.New{Provisioning: mode})
				for _, name := range []string{"inside@acme.example", "outside@elsewhere.example", "known@acme.example"} {
					f.hire(`{"userName":"` + name + `","active":true}`)
				}
				f.hire(`{"userName":"out@acme.example","active":false}`)
				f.hire(`{"userName":"no-address","active":true}`)
				foreseen, _, err := w.dirs.Preview(ctx, directory.PreviewQuery{Directory: f.door.Directory.ID, Limit: 10, Ascending: true})
				w.ok(err)
				w.provision()
				w.wantPlace("inside@acme.example", want.inside)
				w.wantPlace("outside@elsewhere.example", want.outside)
				w.wantPlace("known@acme.example", want.known)
				w.wantPlace("out@acme.example", "")
				if got := w.invited(); len(got) != want.mails {
					t.Errorf("%d invitations were mailed: %v", len(got), got)
				}
				if f := foreseen[3]; f.Outcome != member.OutcomeStored || foreseen[4].Outcome != member.OutcomeNoEmail || foreseen[2].Outcome != member.OutcomeLinked {
					t.Errorf("foreseen %+v", foreseen)
				}
				for i, email := range []string{"inside@acme.example", "outside@elsewhere.example"} {
					outcome := map[bool]member.Outcome{true: member.OutcomeInvited, false: member.OutcomeActivated}[strings.Contains(w.place(email), "pending")]
					if w.place(email) == "" {
						outcome = member.OutcomeNotExisting
					}
					if foreseen[i].Outcome != outcome {
						t.Errorf("%s was foreseen to be %s and is %q", email, foreseen[i].Outcome, w.place(email))
					}
				}
			})
		})
	}
}

func TestPreview_changes_nothing(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.provisioned()
		f := w.feed(directory.New{Silent: true})
		f.hire(`{"userName":"alice@acme.example","active":true}`)
		w.provision()
		before := len(w.types())
		for _, mode := range []directory.Provisioning{"", directory.Direct} {
			_, _, err := w.dirs.Preview(ctx, directory.PreviewQuery{Directory: f.door.Directory.ID, Provisioning: mode, Limit: 10})
			w.ok(err)
		}
		if len(w.types()) != before || w.count("users") != 0 || w.count("invitations") != 0 || w.count("mails") != 0 || w.count("membership_claims") != 0 {
			t.Error("a preview wrote something")
		}
	})
}

func TestPerson_of_two_directories_is_in_while_any_says_so(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.provisioned()
		a, b := w.feed(directory.New{Provisioning: directory.Direct}), w.feed(directory.New{Provisioning: directory.Direct})
		ada, bob := a.hire(`{"userName":"alice@acme.example","active":true}`), b.hire(`{"userName":"alice@acme.example","active":true}`)
		w.provision()
		w.wantPlace("alice@acme.example", "primary active directory")
		a.active(ada.ID, false)
		w.wantPlace("alice@acme.example", "primary active directory")
		w.provision()
		w.wantPlace("alice@acme.example", "primary active directory")
		b.gone(bob.ID)
		w.wantPlace("alice@acme.example", "primary inactive directory_inactive")
		w.provision()
		w.wantPlace("alice@acme.example", "primary inactive directory_inactive")
		a.active(ada.ID, true)
		w.provision()
		w.wantPlace("alice@acme.example", "primary active directory")
	})
}

func TestPerson_of_a_deleted_directory_stays_as_they_were_and_can_be_reinstated(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.provisioned()
		f := w.feed(directory.New{Provisioning: directory.Direct})
		f.hire(`{"userName":"in@acme.example","active":true}`)
		out := f.hire(`{"userName":"out@acme.example","active":true}`)
		w.provision()
		f.active(out.ID, false)
		id := w.member("out@acme.example").Membership.ID
		if _, err := w.members.Reactivate(ctx, operator(), id); err == nil {
			t.Error("a hand let in whom the directory wants out")
		}
		w.ok(w.dirs.Delete(ctx, operator(), f.door.Directory.ID))
		w.provision()
		w.wantPlace("in@acme.example", "primary active directory")
		if got := w.place("out@acme.example"); !strings.Contains(got, "inactive") {
			t.Errorf("out@acme.example is %q", got)
		}
		_, err := w.members.Reactivate(ctx, operator(), id)
		w.ok(err)
		if got := w.place("out@acme.example"); !strings.Contains(got, " active ") {
			t.Errorf("reinstated, and %q", got)
		}
	})
}

func TestDeletion_removes_the_member_and_a_later_create_brings_the_same_one_back(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.provisioned()
		f := w.feed(directory.New{Provisioning: directory.Direct})
		u := f.hire(`{"userName":"alice@acme.example","active":true}`)
		w.provision()
		was := w.member("alice@acme.example").Membership.ID
		f.gone(u.ID)
		w.wantPlace("alice@acme.example", "primary removed directory_removed")
		f.hire(`{"userName":"alice@acme.example","active":true}`)
		w.provision()
		w.wantPlace("alice@acme.example", "primary active directory")
		if is := w.member("alice@acme.example").Membership.ID; is != was {
			t.Errorf("the member is %s, was %s", is, was)
		}
		if got := w.invited(); len(got) != 0 {
			t.Errorf("invited %v", got)
		}
	})
}

func TestSuspension_by_a_refused_request_ends_the_sessions_with_it(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.provisioned()
		f := w.feed(directory.New{})
		alice := f.hire(`{"userName":"alice@acme.example","active":true}`)
		w.provision()
		tokens := w.browser().tokens()
		done, err := w.dirs.SuspendUser(ctx, f.door, string(alice.ID), nil)
		w.ok(err)
		if !done || w.refreshes(tokens) || anew(w) {
			t.Error("who was suspended is still in")
		}
		if got := w.revoked(); len(got) == 0 {
			t.Error("nobody is told that the session is over")
		}
		f.active(alice.ID, true)
		w.provision()
		if !anew(w) {
			t.Error("who is wanted again does not come in")
		}
	})
}

func TestInvited_person_comes_in_by_the_connection_without_the_link(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.provisioned()
		f := w.feed(directory.New{})
		f.hire(`{"userName":"alice@acme.example","active":true}`)
		w.provision()
		w.wantPlace("alice@acme.example", "primary pending invited_by_directory")
		if !anew(w) {
			t.Fatal("did not come in")
		}
		if got := w.place("alice@acme.example"); !strings.HasPrefix(got, "primary active ") {
			t.Errorf("is %q", got)
		}
	})
}

func TestEvents_of_members_name_the_request_that_they_come_from(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.provisioned()
		_, secret, err := w.dirs.Create(ctx, operator(), directory.New{OrganizationID: string(w.org.ID), Name: "Directory", Type: directory.GenericSCIM})
		w.ok(err)
		w.hire(secret, `{"userName":"alice@acme.example","active":true}`)
		w.provision()
		found, err := w.events.List(ctx, event.Query{Types: []event.Type{event.OrganizationMembershipCreated, event.UserCreated}, Limit: 10})
		w.ok(err)
		if len(found) != 2 {
			t.Fatalf("%d events", len(found))
		}
		for _, e := range found {
			if !strings.Contains(string(e.Context), `"exchange_id":"exchange_`) {
				t.Errorf("%s comes from %s", e.Type, e.Context)
			}
		}
	})
}

// Members may be about to take a person over when the directory wants them out again.
func TestDeactivation_while_the_person_is_being_taken_over_wins(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.provisioned()
		f := w.feed(directory.New{Provisioning: directory.Direct})
		const people = 24
		var hiring, working sync.WaitGroup
		var hired atomic.Bool
		working.Go(func() {
			for !hired.Load() {
				if err := w.dirs.Provision(ctx); err != nil {
					t.Error(err)
				}
			}
		})
		for i := range people {
			hiring.Go(func() {
				u := f.hire(fmt.Sprintf(`{"userName":"person-%d@acme.example","active":true}`, i))
				for range i % 3 {
					f.active(u.ID, false)
					f.active(u.ID, true)
				}
				f.active(u.ID, false)
				if got := w.place(fmt.Sprintf("person-%d@acme.example", i)); strings.Contains(got, " active ") {
					t.Errorf("person %d is %q when the request is answered", i, got)
				}
			})
		}
		hiring.Wait()
		hired.Store(true)
		working.Wait()
		w.provision()
		for i := range people {
			if got := w.place(fmt.Sprintf("person-%d@acme.example", i)); strings.Contains(got, " active ") || strings.Contains(got, " pending ") {
				t.Errorf("person %d is %q", i, got)
			}
		}
		if w.count("directory_people_due") != 0 || w.dirs.NotApplied() != 0 {
			t.Errorf("%d people are due, %d were put off", w.count("directory_people_due"), w.dirs.NotApplied())
		}
	})
}

// A mailed code is all that a guest has where no provider is asked: it may not depend on an organization that has nothing to say of them there.
func TestMailed_code_is_for_whom_any_organization_has_as_a_member(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.provisioned()
		w.optional()
		acme := w.feed(directory.New{Provisioning: directory.Direct})
		bob := acme.hire(`{"userName":"bob@acme.example","active":true}`)
		w.provision()
		home := w.member("bob@acme.example")
		other, err := w.orgs.Create(ctx, operator(), org.New{Name: "Globex"})
		w.ok(err)
		_, err = w.members.CreateMembership(ctx, operator(), member.NewMembership{OrganizationID: string(other.ID), UserID: home.User.ID})
		w.ok(err)
		comesIn := func(when string, want bool) {
			t.Helper()
			before := len(w.letters())
			b := w.browser()
			page := b.get(w.authorization("organization", string(other.ID), "scope", offline)).want(t, http.StatusOK)
			sent := b.post("/sign-in", url.Values{"continue": {page.hidden(t, "continue")}, "email": {"bob@acme.example"}, "way": {"code"}}).want(t, http.StatusOK)
			all := w.letters()
			if (len(all) > before) != want {
				t.Fatalf("%s: %d letters, want one: %t", when, len(all)-before, want)
			}
			if !want {
				return
			}
			code := regexp.MustCompile(`\b\d{6}\b`).FindString(all[before].Text)
			_, tokens := w.redeem(w.code(b.post("/sign-in/code", url.Values{"magic": {sent.hidden(t, "magic")}, "code": {code}}).location(t)))
			if w.claims(tokens)["org_id"] != string(other.ID) {
				t.Errorf("%s: %v", when, tokens)
			}
		}
		comesIn("a member of both", true)

		_, err = w.members.Deactivate(ctx, operator(), home.Membership.ID)
		w.ok(err)
		comesIn("blocked by hand at home", true)
		_, err = w.members.Reactivate(ctx, operator(), home.Membership.ID)
		w.ok(err)

		acme.active(bob.ID, false)
		w.wantPlace("bob@acme.example", "primary inactive directory_inactive")
		comesIn("deprovisioned at home", false)

		_, secret, err := w.dirs.Create(ctx, operator(), directory.New{OrganizationID: string(other.ID), Name: "Own", Type: directory.GenericSCIM})
		w.ok(err)
		w.enter(w.dirs, secret).hire(`{"userName":"bob@acme.example","active":true}`)
		w.provision()
		comesIn("wanted by an own directory", true)
	})
}
