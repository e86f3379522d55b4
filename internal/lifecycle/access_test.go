package lifecycle_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/lifecycle"
	"github.com/rollcallhq/rollcall/internal/member"
	"github.com/rollcallhq/rollcall/internal/org"
)

func (o *office) audits() *lifecycle.Audits { return lifecycle.NewAudits(o.db, o.orgs, o.now) }

// access reads all pages: who had access, by the ids of their accounts.
func (o *office) access(id org.ID, at time.Time) string {
	o.Helper()
	var out []string
	q := lifecycle.AccessQuery{OrganizationID: string(id), At: at, Limit: 2}
	for {
		found, more, err := o.audits().AccessAt(ctx, q)
		o.must(err)
		for _, a := range found {
			out = append(out, a.UserID)
		}
		if !more {
			slices.Sort(out)
			return strings.Join(out, " ")
		}
		q.After = found[len(found)-1].MembershipID
	}
}

// A random history of members is asked about at each of its moments, and answers the same after events expired and people were deleted.
func TestAccess_at_a_time_is_what_it_was_whatever_happened_since(t *testing.T) {
	eachOffice(t, func(o *office) {
		acme, other := o.organization(o.T, "Acme"), o.organization(o.T, "Other")
		random := rand.New(rand.NewPCG(5, 7))
		in := map[member.UserID]member.MembershipID{}
		var all []member.Membership
		type moment struct {
			at   time.Time
			want string
		}
		var history []moment
		for i := range 60 {
			o.later(time.Minute)
			switch n := random.IntN(5); {
			case len(all) < 3 || n == 0:
				m := o.join(acme, fmt.Sprintf("p%d@example.com", i), 0)
				all, in[m.UserID] = append(all, m), m.ID
				o.join(other, fmt.Sprintf("p%d@example.com", i), 0)
			default:
				m := all[random.IntN(len(all))]
				var err error
				switch n {
				case 1, 2:
					_, err = o.people.Deactivate(ctx, operator(), m.ID)
					delete(in, m.UserID)
				case 3:
					if _, err = o.people.Reactivate(ctx, operator(), m.ID); err == nil {
						in[m.UserID] = m.ID
					}
				case 4:
					err = o.people.Remove(ctx, operator(), m.ID)
					delete(in, m.UserID)
				}
				if err != nil && !fault.Is(err, fault.NotFound) {
					o.Fatal(err)
				}
			}
			o.later(time.Second)
			var ids []string
			for id := range in {
				ids = append(ids, string(id))
			}
			slices.Sort(ids)
			history = append(history, moment{o.now(), strings.Join(ids, " ")})
		}
		check := func(when string) {
			o.Helper()
			for i, m := range history {
				if got := o.access(acme, m.at); got != m.want {
					o.Fatalf("%s, moment %d: got %s, want %s", when, i, got, m.want)
				}
			}
		}
		check("at once")
		if got := o.access(acme, history[0].at.Add(-24*time.Hour)); got != "" {
			o.Errorf("before anybody came: %s", got)
		}
		o.later(time.Minute)
		for _, m := range all {
			o.must(o.people.DeleteUser(ctx, operator(), m.UserID))
		}
		o.must(o.events.Expire(ctx, time.Nanosecond, o.now().Add(time.Hour)))
		check("after everybody was deleted and events expired")
		if got := o.access(acme, time.Time{}); got != "" {
			o.Errorf("deleted people have access: %s", got)
		}
	})
}

func TestAccess_shows_role_home_and_names_of_those_who_are_still_there(t *testing.T) {
	eachOffice(t, func(o *office) {
		acme := o.organization(o.T, "Acme")
		m := o.join(acme, "ada@example.com", 0)
		found, more, err := o.audits().AccessAt(ctx, lifecycle.AccessQuery{OrganizationID: string(acme), Limit: 10})
		o.must(err)
		if len(found) != 1 || more || found[0].MembershipID != string(m.ID) || found[0].Email != "ada@example.com" || found[0].Role != m.Role || found[0].Primary != m.Primary ||
			!found[0].Since.Equal(m.UpdatedAt) {
			o.Errorf("%+v, member %+v", found, m)
		}
	})
}

func TestAccess_is_refused_for_the_future_and_of_nobody(t *testing.T) {
	eachOffice(t, func(o *office) {
		acme := o.organization(o.T, "Acme")
		_, _, err := o.audits().AccessAt(ctx, lifecycle.AccessQuery{OrganizationID: string(acme), At: o.now().Add(time.Hour), Limit: 1})
		if !fault.Is(err, fault.Unprocessable) {
			o.Errorf("the future: %v", err)
		}
		_, _, err = o.audits().AccessAt(ctx, lifecycle.AccessQuery{OrganizationID: "org_01JDXA5Q0G8YQZP0R3M4T7W9KE", Limit: 1})
		if !fault.Is(err, fault.NotFound) {
			o.Errorf("an organization that is not there: %v", err)
		}
	})
}

// What undoes a change undoes its history: both are of one transaction.
func TestHistory_of_members_is_of_the_same_transaction(t *testing.T) {
	eachOffice(t, func(o *office) {
		acme := o.organization(o.T, "Acme")
		m := o.join(acme, "ada@example.com", 0)
		undone := errors.New("undone")
		err := o.db.Tx(ctx, func(tx db.Tx) error {
			if _, err := tx.Exec(ctx, `UPDATE organization_memberships SET state = 'inactive', version = version + 1, updated_at = $2 WHERE id = $1`,
				string(m.ID), o.now().UnixMicro()); err != nil {
				return err
			}
			return undone
		})
		if !errors.Is(err, undone) {
			o.Fatal(err)
		}
		if got := o.access(acme, time.Time{}); got != string(m.UserID) {
			o.Errorf("got %q", got)
		}
		if n, err := o.off.Begin(ctx); n != 0 || err != nil {
			o.Errorf("an offboarding of a change that was undone: %d %v", n, err)
		}
	})
}
