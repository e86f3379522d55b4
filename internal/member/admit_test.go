package member_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/member"
)

const (
	here, elsewhere = "org_here", "org_elsewhere"
	conn            = "conn_1"
	idpID           = "idp-1"
	address         = "ada@acme.example"
	thisPerson      = "directory_user_this"
	otherPerson     = "directory_user_other"
	formerPerson    = "directory_user_former"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// world is one combination of everything that a decision depends on.
type world struct {
	says               member.Says
	by                 member.JoinedBy
	vouched            bool // the key of the directory is the idp id
	verified, trust    bool
	jit                member.JIT
	identity           bool           // the idp id is known, as the account's
	former             bool           // the account has another idp id at the connection
	directory, email   string         // whom those facts name: "", "same" as the account, "other"
	home               string         // of the account
	proven, hasAddress bool           // its own address
	membership         member.State   // "" for none
	shutOutByDirectory bool           // an inactive one
	joined             string         // the directory person of the membership
	account, somebody  *member.Person // made by facts
	arrival            member.Arrival
	succeeds           string
}

func (w *world) facts() member.Facts {
	u := member.User{ID: "user_1", Email: "ada@other.example", EmailVerified: w.proven, HomeOrganizationID: w.home, FirstName: "Old", Version: 3}
	if w.hasAddress {
		u.Email = "Ada@ACME.example"
	}
	p := &member.Person{User: u}
	if w.membership != "" {
		m := &member.Membership{
			ID: "om_1", OrganizationID: here, UserID: u.ID, State: w.membership, Why: member.WhyDeactivated, DirectoryUserID: w.joined, Primary: w.home == here,
			Role: "member", Version: 7,
		}
		if w.membership != member.Pending {
			m.JoinedBy, m.JoinedAt = member.ViaSignIn, noon
		}
		switch {
		case w.shutOutByDirectory:
			m.Why, p.Claims = member.WhyDirectoryInactive, []member.Claim{{DirectoryID: "directory_1", Says: member.SaysInactive}}
		case w.membership == member.Inactive:
			m.BlockedAt = noon
		case w.membership == member.Removed:
			m.RemovedAt = noon
		}
		p.Membership = m
	}
	if w.identity {
		p.Identities = append(p.Identities, member.Identity{ConnectionID: conn, IDPID: idpID, OrganizationID: here, UserID: u.ID})
	}
	if w.former {
		p.Identities = append(p.Identities, member.Identity{ConnectionID: conn, IDPID: "former", OrganizationID: here, UserID: u.ID})
	}
	w.account, w.somebody = p, &member.Person{User: member.User{ID: "user_2", Email: address, EmailVerified: true, Version: 1}}
	w.somebody.Membership = &member.Membership{
		ID: "om_2", OrganizationID: here, UserID: "user_2", State: member.Active, DirectoryUserID: thisPerson, Role: "member", Version: 1,
	}
	pick := func(which string) *member.Person {
		return map[string]*member.Person{"same": p, "other": w.somebody}[which]
	}
	f := member.Facts{ByDirectory: pick(w.directory), ByEmail: pick(w.email)}
	if w.identity {
		f.ByIdentity = p
	}
	w.arrival = member.Arrival{
		OrganizationID: here, ConnectionID: conn, IDPID: idpID, Email: address, FirstName: "New", EmailVerified: w.verified, Trust: w.trust, JIT: w.jit,
		Standing: member.Standing{Says: w.says, Succeeds: w.succeeds},
	}
	if w.says == member.SaysActive || w.says == member.SaysInactive {
		w.arrival.Standing.DirectoryUserID, w.arrival.Standing.JoinedBy, w.arrival.Standing.Key = thisPerson, w.by, "something else"
		if w.vouched {
			w.arrival.Standing.Key = idpID
		}
	}
	return f
}

// possible leaves out what the database can never say.
func (w world) possible() bool {
	active := w.says == member.SaysActive
	joinedThis := w.joined == thisPerson && w.membership != ""
	switch {
	case !active && (w.by != member.JoinedByExternalID || w.vouched || w.directory != ""): // nobody is found, so by nothing
		return false
	case w.directory == "same" != (active && joinedThis): // the person found and the membership agree
		return false
	case w.directory == "other" && joinedThis:
		return false
	case w.email == "same" != w.hasAddress:
		return false
	case w.membership == "" && (w.joined != "" || w.shutOutByDirectory), w.membership != member.Inactive && w.shutOutByDirectory:
		return false
	case !w.identity && w.directory != "same" && w.email != "same" && (w.membership != "" || w.home != "" || w.former || w.proven || w.hasAddress || w.joined != ""):
		return false // the account is not found, so it does not matter
	}
	return true
}

// rules are the table of product decisions: the first that applies decides. "" admits.
func (w world) refusal() string {
	account := w.found()
	m, joined, former := w.membership, w.joined, w.former
	if account == "other" {
		m, joined, former = member.Active, thisPerson, false
	}
	vouched := w.vouched && (w.by == member.JoinedByExternalID || w.by == member.JoinedByUserName)
	inDirectory := w.says == member.SaysActive
	frozen := joined == "" || joined == w.succeeds || w.says == member.NoDirectory // nobody can say whether it is the same person
	taken := w.directory != "same" || w.identity                                   // else the account was found by the join itself
	switch {
	case w.says == member.SaysInactive:
		return member.CodeDeprovisioned
	case !w.verified && !w.trust:
		return member.CodeEmailDomain
	case w.identity && w.directory == "other":
		return member.CodeIdentityConflict
	case !w.identity && w.directory != "" && w.by == member.JoinedByEmail && !w.verified:
		return member.CodeEmailDomain
	case !w.identity && w.directory == "same" && former && !vouched:
		return member.CodeIdentityConflict
	case !w.identity && w.directory == "" && w.email != "" && !w.verified:
		return member.CodeEmailDomain
	case !w.identity && w.directory == "" && w.email != "" && former:
		return member.CodeIdentityConflict
	case account != "" && taken && account == "same" && !frozen && w.says == member.SaysUnknown:
		return member.CodeDeprovisioned
	case account == "other" && w.directory == "" && w.says == member.SaysUnknown && !frozen:
		return member.CodeDeprovisioned
	case account == "same" && taken && !frozen && joined != thisPerson && !(w.by == member.JoinedByExternalID && vouched):
		return member.CodeIdentityConflict
	case m == member.Inactive && w.shutOutByDirectory && !inDirectory: // else the directory's present word lets them in
		return member.CodeDeprovisioned
	case m == member.Inactive && !w.shutOutByDirectory:
		return member.CodeMembershipInactive
	case m != "" && m != member.Removed:
		return ""
	case w.jit == member.JITDirectory && !inDirectory:
		return member.CodeNotInDirectory
	case w.jit != member.JITDirectory && w.jit != member.JITVerifiedDomain:
		return member.CodeNotAMember
	}
	return ""
}

// found is whose account it would be: "same", "other", or "" for a new one.
func (w world) found() string {
	switch {
	case w.identity:
		return "same"
	case w.directory != "":
		return w.directory
	}
	return w.email
}

// TestEvery_combination_is_decided_as_the_rules_say compares Admit with the rules over everything it depends on.
func TestEvery_combination_is_decided_as_the_rules_say(t *testing.T) {
	worlds, admitted, failures := 0, 0, 0
	each(func(w world) {
		if !w.possible() || failures > 20 {
			return
		}
		worlds++
		f := w.facts()
		ad, err := member.Admit(f, w.arrival, noon)
		got := ""
		if refused, ok := fault.As(err); ok {
			got = refused.Code
			if refused.Kind != fault.Forbidden || refused.Message == "" || refused.Wanted == "" || refused.Got == "" {
				t.Errorf("refusal %#v", refused)
			}
		} else if err != nil {
			got = err.Error()
		}
		if want := w.refusal(); got != want {
			failures++
			t.Errorf("%s: %q, want %q (%v)", w, got, want, err)
			return
		}
		if err == nil {
			admitted++
			if wrong := w.check(f, ad); len(wrong) > 0 {
				failures++
				t.Errorf("%s: %s\n%+v", w, strings.Join(wrong, "; "), ad)
			}
		}
	})
	t.Logf("%d combinations, %d admitted", worlds, admitted)
	if worlds < 50_000 || admitted < 5000 {
		t.Errorf("only %d combinations, %d admitted", worlds, admitted)
	}
}

func each(try func(world)) {
	bools := []bool{false, true}
	var w world
	for _, w.says = range []member.Says{member.NoDirectory, member.SaysUnknown, member.SaysActive, member.SaysInactive} {
		for _, w.by = range []member.JoinedBy{member.JoinedByExternalID, member.JoinedByUserName, member.JoinedByEmail, member.JoinedByMembership} {
			for _, w.vouched = range bools {
				for _, w.verified = range bools {
					for _, w.trust = range bools {
						for _, w.jit = range []member.JIT{member.JITDirectory, member.JITVerifiedDomain, member.JITOff, ""} {
							eachAccount(w, try)
						}
					}
				}
			}
		}
	}
}

func eachAccount(w world, try func(world)) {
	bools := []bool{false, true}
	for _, w.identity = range bools {
		for _, w.former = range bools {
			for _, w.directory = range []string{"", "same", "other"} {
				for _, w.email = range []string{"", "same", "other"} {
					for _, w.home = range []string{"", here, elsewhere} {
						for _, w.proven = range bools {
							w.hasAddress = w.email == "same"
							eachMembership(w, try)
						}
					}
				}
			}
		}
	}
}

func eachMembership(w world, try func(world)) {
	for _, w.membership = range []member.State{"", member.Pending, member.Active, member.Inactive, member.Removed} {
		for _, w.shutOutByDirectory = range []bool{false, true} {
			for _, w.joined = range []string{"", thisPerson, otherPerson, formerPerson} {
				w.succeeds = ""
				if w.joined == formerPerson {
					w.succeeds = formerPerson
				}
				try(w)
			}
		}
	}
}

// check says what is wrong with an admission.
func (w world) check(f member.Facts, ad member.Admission) (wrong []string) {
	fail := func(ok bool, format string, args ...any) {
		if !ok {
			wrong = append(wrong, fmt.Sprintf(format, args...))
		}
	}
	before := map[string]*member.Person{"same": w.account, "other": w.somebody}[w.found()]
	fail(ad.Created() == (before == nil), "created %t", ad.Created())
	fail(ad.Why != "", "no why")
	m, u, i := ad.Membership, ad.User, ad.Identity
	fail(m.State == member.Active && m.OrganizationID == here && m.UserID == u.ID && m.Role == "member", "membership")
	fail(m.Primary == (u.HomeOrganizationID == here), "primary and home differ")
	fail(i.ConnectionID == conn && i.IDPID == idpID && i.OrganizationID == here && i.UserID == u.ID && i.LastUsedAt.Equal(noon), "identity")
	fail(u.LastSignInAt.Equal(noon), "last sign-in")
	if w.says == member.SaysActive {
		fail(m.DirectoryUserID == thisPerson, "not joined")
	}
	if before == nil {
		fail(u.Email == address && u.EmailVerified == w.verified && u.FirstName == "New" && i.LinkedBy == member.LinkedByCreation, "new account")
		fail((u.HomeOrganizationID == here) == w.verified, "home of a new account")
		fail(ad.Joined(), "not joined the organization")
		return wrong
	}
	fail(u.ID == before.User.ID, "another account")
	owns := w.verified && before == w.account && w.hasAddress || w.verified && before == w.somebody
	home := before.User.HomeOrganizationID
	if home == "" && owns {
		home = here
	}
	fail(u.HomeOrganizationID == home, "home %q", u.HomeOrganizationID)
	fail(u.EmailVerified || !owns && !before.User.EmailVerified, "not verified")
	wrong = append(wrong, w.checkEmail(f, before.User, u)...)
	named := home == here || home == "" && !u.EmailVerified
	fail((u.FirstName == "New") == named, "named %q at home in %q", u.FirstName, home)
	if w.says != member.SaysActive && before.Membership != nil {
		fail(m.DirectoryUserID == before.Membership.DirectoryUserID, "lost the directory person")
	}
	if before.Membership != nil {
		fail(m.ID == before.Membership.ID, "another membership")
		fail(ad.Joined() == (before.Membership.State == member.Removed), "joined")
		fail(before.Membership.State == member.Active || m.Why != before.Membership.Why, "why stayed")
		fail(m.Version == before.Membership.Version || m.Version == before.Membership.Version+1 && m.UpdatedAt.Equal(noon), "version")
	}
	changed := u.Email != before.User.Email || u.FirstName != before.User.FirstName || u.EmailVerified != before.User.EmailVerified || u.HomeOrganizationID != before.User.HomeOrganizationID
	fail(changed == (u.Version == before.User.Version+1) && (changed || u.Version == before.User.Version), "version of the user")
	linked := map[bool]member.LinkedBy{true: member.LinkedByDirectory, false: member.LinkedByEmail}[w.directory != ""]
	fail(w.identity || i.LinkedBy == linked, "linked by %s", i.LinkedBy)
	return wrong
}

// checkEmail: only at home, into a verified domain, to an address that nobody has.
func (w world) checkEmail(f member.Facts, before, u member.User) (wrong []string) {
	follows := before.HomeOrganizationID == here && w.verified && f.ByEmail == nil
	if follows != (u.Email == address) && before.Email != address {
		wrong = append(wrong, fmt.Sprintf("email %q", u.Email))
	}
	return wrong
}

func (w world) String() string {
	return fmt.Sprintf("says %s by %s vouched %t, verified %t trust %t jit %q, identity %t former %t directory %q email %q, home %q proven %t, membership %q (directory %t) joined %q",
		w.says, w.by, w.vouched, w.verified, w.trust, w.jit, w.identity, w.former, w.directory, w.email, w.home, w.proven, w.membership, w.shutOutByDirectory, w.joined)
}
