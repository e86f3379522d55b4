package member_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/member"
)

// somebody is a directory person of a number.
func somebody(organizationID string, n int) member.DirectoryPerson {
	d := person(organizationID)
	d.Provisioning, d.DirectoryUserID, d.Email = member.Direct, fmt.Sprintf("directory_user_%d", n), fmt.Sprintf("person%d@acme.example", n)
	return d
}

// together applies people by one write.
func (h *house) together(people ...member.DirectoryPerson) ([]member.Outcome, error) {
	h.t.Helper()
	known, err := h.members.ReadAhead(h.t.Context(), h.db, people)
	h.must(err)
	var w db.Write
	out := make([]member.Outcome, len(people))
	for i, d := range people {
		out[i], err = h.members.ApplyInto(h.t.Context(), h.db, &w, d, &known[i], directorys(d.DirectoryID))
		h.must(err)
	}
	return out, h.db.Write(h.t.Context(), &w)
}

// Newcomers, members who change, who leave and who stay as they are, applied together, become what each becomes alone.
func TestPeople_who_are_read_ahead_become_what_each_becomes_alone(t *testing.T) {
	onEachInviting(t, func(h *house) {
		var was [2][]string
		for i := range was {
			acme := h.organization(fmt.Sprint("Acme ", i))
			var before, after []member.DirectoryPerson
			for n := range 6 {
				d := somebody(acme, n)
				email := d.Email
				d.Email = fmt.Sprint(i, email)
				if n > 0 {
					before = append(before, d)
				}
				switch n {
				case 1:
					d.FirstName = "Grace"
				case 2:
					d.Says = member.SaysInactive
				case 3:
					d.Says = member.SaysRemoved
				case 4:
					d.Email = fmt.Sprint(i, "new", email)
				}
				after = append(after, d)
			}
			for _, d := range before {
				_, err := h.apply(d)
				h.must(err)
			}
			outcomes := make([]member.Outcome, len(after))
			var err error
			if i == 0 {
				outcomes, err = h.together(after...)
				h.must(err)
			} else {
				for n, d := range after {
					outcomes[n], err = h.apply(d)
					h.must(err)
				}
			}
			was[i] = append(was[i], fmt.Sprint(outcomes))
			was[i] = append(was[i], h.rows(`SELECT substr(u.email, 2) || ' ' || u.first_name || ' ' || m.state || ' ' || m.why || ' ' || m.version || ' ' || c.says || ' ' || c.outcome FROM membership_claims c
				JOIN organization_memberships m ON m.organization_id = c.organization_id AND m.id = c.membership_id JOIN users u ON u.id = m.user_id
				WHERE c.organization_id = $1 ORDER BY c.directory_user_id`, acme))
		}
		for n := range was[0] {
			if was[0][n] != was[1][n] {
				t.Errorf("together\n%s\nalone\n%s", was[0][n], was[1][n])
			}
		}
	})
}

// What has changed since people were read undoes the write that applies them.
func TestPeople_who_are_read_ahead_are_not_applied_over_what_came_between(t *testing.T) {
	onEachInviting(t, func(h *house) {
		acme := h.organization("Acme")
		one, two := somebody(acme, 1), somebody(acme, 2)
		for _, d := range []member.DirectoryPerson{one, two} {
			h.applied(d, member.OutcomeActivated)
		}
		one.FirstName, two.FirstName = "Grace", "Grace"
		for name, between := range map[string]func(){
			"the account": func() { h.moved(`UPDATE users SET version = version + 1 WHERE email = $1`, one.Email) },
			"the membership": func() {
				h.moved(`UPDATE organization_memberships SET version = version + 1 WHERE user_id = (SELECT id FROM users WHERE email = $1)`, two.Email)
			},
			"the claim": func() {
				h.moved(`UPDATE membership_claims SET version = version + 1 WHERE directory_user_id = $1`, two.DirectoryUserID)
			},
		} {
			people := []member.DirectoryPerson{one, two}
			known, err := h.members.ReadAhead(t.Context(), h.db, people)
			h.must(err)
			between()
			var w db.Write
			for i, d := range people {
				_, err := h.members.ApplyInto(t.Context(), h.db, &w, d, &known[i], directorys(d.DirectoryID))
				h.must(err)
			}
			var lost *db.GuardError
			if err := h.db.Write(t.Context(), &w); !errors.As(err, &lost) {
				t.Errorf("%s: %v; want a lost guard", name, err)
			}
		}
		if out, err := h.together(one, two); err != nil || out[0] != member.OutcomeUpdated || out[1] != member.OutcomeUpdated {
			t.Errorf("%v, %v", out, err)
		}
	})
}

// Two people of a directory who are one account cannot be written together: each is decided on by itself then.
func TestTwo_directory_people_of_one_account_are_read_apart(t *testing.T) {
	onEachInviting(t, func(h *house) {
		acme := h.organization("Acme")
		one, two := somebody(acme, 1), somebody(acme, 2)
		two.Email = one.Email
		for _, d := range []member.DirectoryPerson{one, two} {
			_, err := h.apply(d)
			h.must(err)
		}
		one.FirstName, two.FirstName = "Grace", "Grace"
		if _, err := h.together(one, two); !repeated(err) {
			t.Errorf("%v; want a lost guard, for each was decided without the other", err)
		}
		for _, d := range []member.DirectoryPerson{one, two} {
			_, err := h.apply(d)
			h.must(err)
		}
	})
}

// Two directories of an organization tell of one account. What each says is decided on by what was read, so one write must not hold both.
func TestPeople_of_two_directories_who_are_one_account_are_not_written_together(t *testing.T) {
	onEachInviting(t, func(h *house) {
		acme := h.organization("Acme")
		var of [2][]member.DirectoryPerson
		for i := range of {
			for n := range 2 {
				d := somebody(acme, n)
				d.DirectoryID = fmt.Sprint("directory_", i+1)
				d.DirectoryUserID += fmt.Sprint("_", i+1)
				_, err := h.apply(d)
				h.must(err)
				of[i] = append(of[i], d)
			}
		}
		of[0][0].Mapped.Attributes = map[string]any{"department": "Sales"}
		of[1][0].Says = member.SaysInactive
		var w db.Write
		for _, people := range of {
			known, err := h.members.ReadAhead(t.Context(), h.db, people)
			h.must(err)
			_, err = h.members.ApplyInto(t.Context(), h.db, &w, people[0], &known[0], directorys(people[0].DirectoryID))
			h.must(err)
		}
		if err := h.db.Write(t.Context(), &w); !errors.Is(err, db.ErrTwice) {
			t.Errorf("%v; want db.ErrTwice", err)
		}
	})
}

func TestPeople_of_several_directories_are_not_read_together(t *testing.T) {
	onEachInviting(t, func(h *house) {
		acme := h.organization("Acme")
		one, two := somebody(acme, 1), somebody(acme, 2)
		two.DirectoryID = "directory_2"
		if _, err := h.members.ReadAhead(t.Context(), h.db, []member.DirectoryPerson{one, two}); err == nil {
			t.Error("read, though the second is of another directory")
		}
		two = somebody(h.organization("Other"), 2)
		if _, err := h.members.ReadAhead(t.Context(), h.db, []member.DirectoryPerson{one, two}); err == nil {
			t.Error("read, though the second is of another organization")
		}
		if none, err := h.members.ReadAhead(t.Context(), h.db, nil); err != nil || len(none) != 0 {
			t.Errorf("%v, %v", none, err)
		}
	})
}

func (h *house) moved(text string, args ...any) {
	h.t.Helper()
	var w db.Write
	w.Guard(text, args...)
	h.must(h.db.Write(h.t.Context(), &w))
}
