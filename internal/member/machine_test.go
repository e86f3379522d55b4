package member_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/rollcallhq/rollcall/internal/member"
)

// line is one of the table in docs/reference/membership.md, with the least that makes it apply.
type line struct {
	when  string
	least member.Claims
	want  member.Verdict
}

func said(says member.Says, how member.Provisioning) []member.Claim {
	return []member.Claim{{DirectoryID: "directory_1", Says: says, Provisioning: how}}
}

// held is what a directory says of somebody, and what its brake makes of that.
func held(says member.Says, as member.Held) []member.Claim {
	return []member.Claim{{DirectoryID: "directory_held", Says: says, Provisioning: member.Invite, Held: as}}
}

func lines() []line {
	return []line{
		{"removed by hand, and no directory that is there wants the person in", member.Claims{RemovedByHand: true}, member.Verdict{State: member.Removed, Why: member.WhyRemoved}},
		{"directories have spoken, none says active, and the brake of one holds what it says", member.Claims{Directories: held(member.SaysInactive, member.HeldWaiting)}, member.Verdict{State: member.Inactive, Why: member.WhyHeldByBrake}},
		{"directories have spoken, none says active, one says inactive", member.Claims{Directories: said(member.SaysInactive, "")}, member.Verdict{State: member.Inactive, Why: member.WhyDirectoryInactive}},
		{"directories have spoken, and all have deleted the person", member.Claims{Directories: said(member.SaysRemoved, "")}, member.Verdict{State: member.Removed, Why: member.WhyDirectoryRemoved}},
		{"the organization that the account belongs to has deprovisioned it, and no own directory says active", member.Claims{Deprovisioned: true}, member.Verdict{State: member.Inactive, Why: member.WhyAccountDeprovisioned}},
		{"blocked by hand", member.Claims{Blocked: true}, member.Verdict{State: member.Inactive, Why: member.WhyDeactivated}},
		{"came in, and a directory says active", member.Claims{JoinedBy: member.ViaAPI, Directories: said(member.SaysActive, member.ExistingOnly)}, member.Verdict{State: member.Active, Why: member.WhyDirectory}},
		{"came in, and the brake of a directory keeps the person in, its hold undone", member.Claims{JoinedBy: member.ViaAPI, Directories: held(member.SaysInactive, member.HeldKept)}, member.Verdict{State: member.Active, Why: member.WhyHeldByBrake}},
		{"came in, and was let in again by hand", member.Claims{JoinedBy: member.ViaSignIn, Reactivated: true}, member.Verdict{State: member.Active, Why: member.WhyReactivated}},
		{"came in by signing in", member.Claims{JoinedBy: member.ViaSignIn}, member.Verdict{State: member.Active, Why: member.WhySignIn}},
		{"came in by an invitation", member.Claims{JoinedBy: member.ViaInvitation}, member.Verdict{State: member.Active, Why: member.WhyInvitation}},
		{"came in by the API or the dashboard", member.Claims{JoinedBy: member.ViaAPI}, member.Verdict{State: member.Active, Why: member.WhyAPI}},
		{"a directory says active and provisions directly", member.Claims{Directories: said(member.SaysActive, member.Direct)}, member.Verdict{State: member.Active, Why: member.WhyDirectory}},
		{"a directory says active and invites", member.Claims{Directories: said(member.SaysActive, member.Invite)}, member.Verdict{State: member.Pending, Why: member.WhyInvitedByDirectory}},
		{"the brake of a directory keeps in whom it had invited, its hold undone", member.Claims{Directories: held(member.SaysRemoved, member.HeldKept)}, member.Verdict{State: member.Pending, Why: member.WhyHeldByBrake}},
		{"invited by hand", member.Claims{Invited: true}, member.Verdict{State: member.Pending, Why: member.WhyInvited}},
		{"an invitation by hand has expired", member.Claims{Expired: true}, member.Verdict{State: member.Removed, Why: member.WhyInvitationExpired}},
	}
}

// with is both at once; b adds to what a has.
func with(a, b member.Claims) member.Claims {
	a.Deprovisioned, a.Blocked, a.Reactivated = a.Deprovisioned || b.Deprovisioned, a.Blocked || b.Blocked, a.Reactivated || b.Reactivated
	a.RemovedByHand, a.Invited, a.Expired = a.RemovedByHand || b.RemovedByHand, a.Invited || b.Invited, a.Expired || b.Expired
	a.Directories = append(a.Directories[:len(a.Directories):len(a.Directories)], b.Directories...)
	if a.JoinedBy == "" {
		a.JoinedBy = b.JoinedBy
	}
	return a
}

// in says that a directory wants the person in, or that its brake keeps them.
func in(c member.Claims) (active, kept bool) {
	for _, d := range c.Directories {
		active, kept = active || d.Says == member.SaysActive, kept || d.Held == member.HeldKept
	}
	return active, kept
}

// TestFirst_line_that_applies_decides puts every two lines together.
func TestFirst_line_that_applies_decides(t *testing.T) {
	all := lines()
	for i, first := range all {
		if got := member.Decide(first.least); got != first.want {
			t.Errorf("line %d: %+v, want %+v", i+1, got, first.want)
		}
		for j, later := range all[i+1:] {
			want := first.want
			active, kept := in(later.least)
			switch firstActive, _ := in(first.least); { // what the first five lines say is that no directory wants the person in
			case i == 0 && active, 0 < i && i < 5 && (active || kept):
				want = later.want
			case first.want.State == member.Active && active:
				want.Why = member.WhyDirectory
			case first.want.State == member.Active && kept && !firstActive:
				want.Why = member.WhyHeldByBrake
			}
			if first.least.JoinedBy != "" && later.least.Reactivated && first.want.Why != member.WhyDirectory && first.want.Why != member.WhyHeldByBrake {
				want.Why = member.WhyReactivated
			}
			if got := member.Decide(with(first.least, later.least)); got != want {
				t.Errorf("lines %d and %d: %+v, want %+v", i+1, i+2+j, got, want)
			}
		}
	}
	if got := member.Decide(member.Claims{}); got.State != member.Removed {
		t.Errorf("nothing makes %+v", got)
	}
}

func TestLast_word_of_a_directory_that_is_gone_stands_and_bars_nobody(t *testing.T) {
	for says, want := range map[member.Says]member.State{member.SaysActive: member.Active, member.SaysInactive: member.Inactive, member.SaysRemoved: member.Removed} {
		living := member.Claims{JoinedBy: member.ViaSignIn, Directories: said(says, member.Invite)}
		frozen := living
		frozen.Directories = said(says, member.Invite)
		frozen.Directories[0].Frozen = true
		if a, b := member.Decide(living), member.Decide(frozen); a != b || b.State != want {
			t.Errorf("%s: %+v, and %+v once frozen", says, a, b)
		}
		if frozen.Barred() || living.Barred() != (says != member.SaysActive) {
			t.Errorf("%s: barred %t, and %t once frozen", says, living.Barred(), frozen.Barred())
		}
	}
	removed := member.Claims{RemovedByHand: true, Directories: []member.Claim{{Says: member.SaysActive, Frozen: true}}}
	if got := member.Decide(removed); got.State != member.Removed {
		t.Errorf("a directory that is gone wants in whom a hand removed: %+v", got)
	}
}

func TestApp_is_told_of_somebody_whom_a_brake_holds_what_was_before(t *testing.T) {
	for _, c := range []struct {
		claims member.Claims
		told   member.Verdict
	}{
		{member.Claims{JoinedBy: member.ViaSignIn}, member.Verdict{State: member.Active, Why: member.WhyDirectory}},
		{member.Claims{}, member.Verdict{State: member.Pending, Why: member.WhyInvitedByDirectory}},
		{member.Claims{JoinedBy: member.ViaSignIn, Blocked: true}, member.Verdict{State: member.Inactive, Why: member.WhyDeactivated}},
	} {
		for _, says := range []member.Says{member.SaysInactive, member.SaysRemoved} {
			c.claims.Directories = held(says, member.HeldWaiting)
			if got := member.Decide(c.claims); got.State != member.Inactive || got.Why != member.WhyHeldByBrake {
				t.Errorf("%+v is %+v", c.claims, got)
			}
			if got := member.Told(c.claims); got != c.told {
				t.Errorf("the app was told %+v, want %+v", got, c.told)
			}
			if !c.claims.Barred() || !c.claims.Out() {
				t.Errorf("who is held may be let in by hand: %+v", c.claims)
			}
			kept := c.claims
			kept.Directories = held(says, member.HeldKept)
			if kept.Barred() || kept.Wanted() {
				t.Errorf("who is kept is barred, or wanted by the directory: %+v", kept)
			}
		}
	}
}

func TestAnother_directory_that_wants_somebody_in_is_stronger_than_a_brake(t *testing.T) {
	both := append(held(member.SaysInactive, member.HeldWaiting), said(member.SaysActive, member.Invite)...)
	if got := member.Decide(member.Claims{JoinedBy: member.ViaSignIn, Directories: both}); got != (member.Verdict{State: member.Active, Why: member.WhyDirectory}) {
		t.Errorf("%+v", got)
	}
	both[1].Says = member.SaysRemoved
	if got := member.Decide(member.Claims{JoinedBy: member.ViaSignIn, Directories: both}); got.Why != member.WhyHeldByBrake {
		t.Errorf("one of two who want the person out is held: %+v", got)
	}
}

func TestOne_directory_that_wants_somebody_in_is_enough(t *testing.T) {
	both := append(said(member.SaysInactive, member.Invite), member.Claim{DirectoryID: "directory_2", Says: member.SaysActive, Provisioning: member.Invite})
	if got := member.Decide(member.Claims{JoinedBy: member.ViaSignIn, Directories: both}); got.State != member.Active {
		t.Errorf("%+v", got)
	}
	if got := member.Decide(member.Claims{Deprovisioned: true, JoinedBy: member.ViaSignIn, Directories: both}); got.State != member.Active {
		t.Errorf("another organization bars whom the own directory wants: %+v", got)
	}
}

func TestReference_page_has_the_table_and_a_sentence_for_every_why(t *testing.T) {
	page, err := os.ReadFile("../../docs/reference/membership.md")
	if err != nil {
		t.Fatal(err)
	}
	var table strings.Builder
	table.WriteString("| # | When | State | `why` |\n| --- | --- | --- | --- |\n")
	for i, l := range lines() {
		fmt.Fprintf(&table, "| %d | %s | %s | `%s` |\n", i+1, l.when, l.want.State, l.want.Why)
	}
	if !strings.Contains(string(page), table.String()+"\n") {
		t.Errorf("the page does not have this table:\n%s", &table)
	}
	for _, why := range member.Whys() {
		if !strings.Contains(string(page), fmt.Sprintf("\n| `%s` | ", why)) {
			t.Errorf("no sentence for %s", why)
		}
	}
	for _, source := range member.RoleSources() {
		if !strings.Contains(string(page), fmt.Sprintf("\n| `%s` | ", source)) {
			t.Errorf("no sentence for the role's source %s", source)
		}
	}
}
