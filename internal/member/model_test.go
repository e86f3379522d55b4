package member_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/access"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/member"
)

// subject is something that members are made of: the machine alone, or the verbs on a database.
type subject interface {
	Apply(now time.Time, d member.DirectoryPerson) error
	Freeze(now time.Time, organizationID, directoryID string)
	EndHold(now time.Time, h member.HoldEnd) error
	SignIn(now time.Time, a member.Arrival) error
	Invite(now time.Time, n member.NewInvitation) error
	Accept(now time.Time, organizationID string) error
	Revoke(now time.Time, organizationID string) error
	Lapse(now time.Time) error
	Create(now time.Time, n member.NewMembership) error
	Deactivate(now time.Time, organizationID string) error
	Reactivate(now time.Time, organizationID string) error
	Remove(now time.Time, organizationID string) error
	Give(now time.Time, organizationID string, c member.MembershipChanges) error
	Look(organizationID string) member.Seen
}

// word is what a directory said last of the one person there is.
type word struct {
	says   member.Says
	by     member.Provisioning
	held   member.Held
	frozen bool
	heard  bool // there was a membership that it was about
	maps   access.Mapped
}

// asked is an invitation.
type asked struct {
	directorys bool // it does not lapse
	ends       time.Time
	role       string
	closed     bool // accepted, taken back, or put aside
	expired    bool
}

// life is what the model knows of one organization: facts, and no states.
type life struct {
	id                       string
	teams                    []string // there to be mapped; none: they are not looked at
	directories              []string // living ones
	words                    map[string]*word
	member                   bool // there is a membership, in whatever state
	blocked, lifted, removed bool // lifted: by hand, the last block
	joined                   member.JoinedVia
	invitation               *asked // that the membership waits for, or was joined by
	directory                int    // how many there have been
	provisioning             member.Provisioning
	gifts
}

func (l *life) each(which func(*word) bool) bool {
	for _, w := range l.words {
		if w.heard && which(w) {
			return true
		}
	}
	return false
}

func (w *word) in() bool     { return w.says == member.SaysActive || w.held == member.HeldKept }
func (l *life) in() bool     { return l.each((*word).in) }
func (l *life) spoken() bool { return l.each(func(*word) bool { return true }) }
func (l *life) out() bool    { return l.spoken() && !l.in() }
func (l *life) waits() bool {
	return l.out() && l.each(func(w *word) bool { return w.held == member.HeldWaiting })
}

// leaves says that directories want the person out, and nothing holds that.
func (l *life) leaves() bool { return l.out() && !l.waits() }

func (l *life) wanted() bool {
	return l.each(func(w *word) bool { return !w.frozen && w.says == member.SaysActive })
}
func (l *life) barred() bool { return l.out() && l.each(func(w *word) bool { return !w.frozen }) }

// unheard are the words that are about whoever becomes a member by any way: those of somebody who is nobody here yet.
func (l *life) unheard() (out []*word) {
	for _, w := range l.words {
		if !w.heard && w.says != member.SaysRemoved {
			out = append(out, w)
		}
	}
	return out
}

// copied is the same life, for what would become of it.
func (l *life) copied() *life {
	all := *l
	all.words = map[string]*word{}
	for d, w := range l.words {
		as := *w
		all.words[d] = &as
	}
	return &all
}

// barredAnyway tells whether somebody is barred once those words are heard too, or when the last words of directories that are gone are not heard any
// more, as whoever is invited comes in anew.
func (l *life) barredAnyway() bool {
	all := l.copied()
	for _, w := range all.unheard() {
		w.heard = true
	}
	if all.barred() {
		return true
	}
	for _, w := range all.words {
		w.heard = w.heard && !w.frozen
	}
	return all.barred()
}

// hear has the membership be whom they are about. What those who want the person in map comes with their next word.
func (l *life) hear() {
	if words := l.unheard(); len(words) > 0 {
		l.forgetFrozen()
		for _, w := range words {
			w.heard = true
			if w.says == member.SaysActive {
				l.ends(w.maps, access.Mapped{})
				w.maps = access.Mapped{}
			}
		}
	}
}

func (l *life) forgetFrozen() {
	for d, w := range l.words {
		if w.frozen {
			delete(l.words, d)
		}
	}
}

func (l *life) says(what member.Says) bool {
	return l.each(func(w *word) bool { return w.says == what })
}

func (l *life) kept() bool { return l.each(func(w *word) bool { return w.held == member.HeldKept }) }

func (l *life) provides(how member.Provisioning) bool {
	return l.each(func(w *word) bool { return w.says == member.SaysActive && w.by == how })
}

// open tells whether the invitation can still be used, but for its time.
func (l *life) open() bool { return l.invitation != nil && !l.invitation.closed }

// overdue tells whether it cannot be used any more, though nobody has put it aside yet.
func (l *life) overdue(now time.Time) bool {
	return l.open() && !l.invitation.directorys && !now.Before(l.invitation.ends)
}

// applies tells of the lines of the table in docs/reference/membership.md, in its order, which of them apply to the facts. home is the organization
// where the account is at home.
func (l *life) applies(home *life) [17]bool {
	elsewhere := home != nil && home != l && home.member && home.leaves()
	came, expired := l.joined != "", l.invitation != nil && l.invitation.expired
	return [...]bool{
		l.removed && !l.wanted(),
		l.waits(),
		l.out() && l.says(member.SaysInactive),
		l.out() && !l.says(member.SaysInactive),
		elsewhere && !l.in(),
		l.blocked,
		came && l.says(member.SaysActive),
		came && l.kept(),
		came && l.lifted,
		l.joined == member.ViaSignIn,
		l.joined == member.ViaInvitation,
		l.joined == member.ViaAPI,
		l.provides(member.Direct),
		l.provides(member.Invite),
		l.each(func(w *word) bool { return w.held == member.HeldKept && w.by != member.ExistingOnly }),
		l.invitation != nil && (!expired || l.in()),
		expired,
	}
}

var table = lines() // which has the words of the reference

// verdict is what has to be seen, and why.
func (l *life) verdict(home *life) member.Verdict {
	if !l.member {
		return member.Verdict{}
	}
	if i := l.line(home); i < len(table) {
		return table[i].want
	}
	return member.Verdict{State: member.Removed, Why: member.WhyRemoved} // nothing speaks for the person
}

// line is the first that applies.
func (l *life) line(home *life) int {
	for i, applies := range l.applies(home) {
		if applies {
			return i
		}
	}
	return len(table)
}

func (l *life) state(home *life) member.State { return l.verdict(home).State }

// model is one person in two organizations.
type model struct {
	t      *testing.T
	real   subject
	rng    *rand.Rand
	now    time.Time
	lives  [2]*life
	home   *life
	trace  []did
	known  bool // there is an account
	proven bool // and its address is
	tried  map[string]int
}

func newModel(t *testing.T, rng *rand.Rand, real subject, organizations [2]string, known bool) *model {
	m := &model{t: t, real: real, rng: rng, now: noon, known: known, proven: known, tried: map[string]int{}}
	for i, id := range organizations {
		m.lives[i] = &life{id: id, words: map[string]*word{}, gifts: gifts{role: member.RoleMember, source: member.RoleByDefault}}
		m.lives[i].provisioning = m.anyProvisioning()
	}
	return m
}

func (m *model) anyProvisioning() member.Provisioning {
	return []member.Provisioning{member.Invite, member.Direct, member.ExistingOnly}[m.rng.IntN(3)]
}

// elsewhere tells whether the account is taken away by another organization.
func (m *model) elsewhere(l *life) bool {
	return m.home != nil && m.home != l && m.home.member && m.home.leaves()
}

// standing is what the directories that are there say at a sign-in.
func (m *model) standing(l *life) (s member.Standing) {
	s.Says = member.NoDirectory
	for _, d := range l.directories {
		w := l.words[d]
		switch {
		case w != nil && w.says == member.SaysInactive && w.held == member.HeldKept:
			s.Says, s.DirectoryID, s.DirectoryUserID, s.JoinedBy, s.Key = member.SaysActive, d, "person_of_"+d, member.JoinedByExternalID, "idp-"+l.id
		case w == nil || w.says == member.SaysRemoved:
			if s.Says == member.NoDirectory {
				s.Says = member.SaysUnknown
			}
		case w.says == member.SaysActive && s.Says != member.SaysActive, w.says == member.SaysInactive && s.Says != member.SaysActive:
			s.Says, s.DirectoryID, s.DirectoryUserID, s.JoinedBy, s.Key = w.says, d, "person_of_"+d, member.JoinedByExternalID, "idp-"+l.id
		}
	}
	return s
}

func (m *model) fail(format string, args ...any) {
	m.t.Helper()
	m.t.Fatalf("%s\nafter %d steps, the last of them\n%v", fmt.Sprintf(format, args...), m.tried["step"], m.trace[max(0, len(m.trace)-30):])
}

// did is something that was done, and what became of it.
type did struct {
	what string
	is   member.Seen
}

func (d did) String() string {
	return fmt.Sprintf("%s (now %s: %s; %s by %s, licence %q or %q)\n", d.what, d.is.State, d.is.Why, d.is.Role, d.is.RoleSource(), d.is.Licence, d.is.WantedLicence)
}

// step does something at random and compares.
func (m *model) step() {
	m.t.Helper()
	m.tried["step"]++
	l := m.lives[m.rng.IntN(2)]
	m.now = m.now.Add(time.Duration(1+m.rng.IntN(1000)) * time.Second)
	var before [2]member.State
	var barred [2]bool
	for i, one := range m.lives {
		before[i], barred[i] = one.state(m.home), one.barred()
	}
	present := m.standing(l).Says == member.SaysActive // though members have not taken it over yet
	name, err := m.act(l)
	done := map[bool]string{true: "done", false: "refused"}[err == nil]
	m.trace = append(m.trace, did{l.id + ": " + name + " " + done, m.real.Look(l.id)})
	m.tried[name+" "+done]++
	for i, one := range m.lives {
		is, want := m.real.Look(one.id), one.verdict(m.home)
		if want.State == member.Removed && before[i] != "" && before[i] != member.Removed && (one.removed || want.Why == member.WhyInvitationExpired) {
			one.forget()
		}
		state := is.State
		if got := (member.Verdict{State: state, Why: is.Why}); got != want {
			m.fail("%s is %+v, want %+v", one.id, got, want)
		}
		if one.member {
			m.tried[fmt.Sprintf("line %d", one.line(m.home)+1)]++
		}
		if primary := one.member && m.home == one; is.Primary != primary {
			m.fail("%s: primary %t, want %t", one.id, is.Primary, primary)
		}
		m.given(one, is)
		if barred[i] && state == member.Active && !(one == l && (name == "says active" || name == "undo" || name == "sign-in" && present)) {
			m.fail("%s let in whom a directory had shut out", name)
		}
		if one.barred() && state == member.Active {
			m.fail("active, and shut out by a directory")
		}
		if name == "directory deleted" && state != before[i] {
			m.fail("deleting a directory made %q of %q", state, before[i])
		}
		if out := m.home != nil && m.home.member && m.home.leaves(); is.Deprovisioned != out {
			m.fail("deprovisioned %t, want %t", is.Deprovisioned, out)
		}
	}
}

// act does one thing to both.
func (m *model) act(l *life) (name string, err error) {
	switch m.rng.IntN(26) {
	case 0, 1, 2:
		return m.says(l, member.SaysActive)
	case 3, 4:
		return m.says(l, member.SaysInactive)
	case 5:
		return m.says(l, member.SaysRemoved)
	case 6:
		return m.freeze(l)
	case 7, 8, 9:
		return m.signIn(l)
	case 10:
		err = m.real.Deactivate(m.now, l.id)
		state := l.state(m.home)
		m.want("deactivate", err, state == member.Active || state == member.Inactive || state == member.Pending && l.wanted())
		if err == nil && !l.blocked {
			l.blocked, l.lifted = true, false
		}
		return "deactivate", err
	case 11, 12:
		err = m.real.Reactivate(m.now, l.id)
		state := l.state(m.home)
		m.want("reactivate", err, state == member.Active || state == member.Inactive && !l.barred() && (!m.elsewhere(l) || l.in()))
		if err == nil && state != member.Active {
			if m.readmit(l); l.state(m.home) == member.Active { // who is pending again is asked in with the directory's next word
				m.invitations(l)
			}
		}
		return "reactivate", err
	case 13:
		return m.create(l)
	case 14:
		return m.remove(l)
	case 15, 16:
		return m.hold(l)
	case 17, 18:
		return m.endHold(l, m.rng.IntN(2) == 0)
	case 19, 20:
		return m.invite(l)
	case 21:
		return m.accept(l)
	case 22:
		return m.revoke(l)
	case 23:
		return m.lapse()
	}
	return m.give(l)
}

// hold has the brake hold what a directory says of somebody whom it wanted in until now.
func (m *model) hold(l *life) (string, error) {
	for _, d := range l.directories {
		w := l.words[d]
		if w == nil || !w.heard || !w.in() {
			continue
		}
		says := []member.Says{member.SaysInactive, member.SaysRemoved}[m.rng.IntN(2)]
		p := m.person(l, d, says)
		p.Held = member.HeldWaiting
		err := m.real.Apply(m.now, p)
		m.want("hold", err, true)
		if w.says != says {
			l.forgetFrozen()
		}
		l.words[d] = &word{says: says, by: l.provisioning, heard: true, held: member.HeldWaiting, maps: p.Mapped}
		m.invitations(l)
		return "hold", err
	}
	return "nothing", nil
}

// endHold releases or undoes it, of directories that are gone too.
func (m *model) endHold(l *life, kept bool) (string, error) {
	for _, d := range slices.Sorted(maps.Keys(l.words)) {
		w := l.words[d]
		if w.held != member.HeldWaiting {
			continue
		}
		err := m.real.EndHold(m.now, member.HoldEnd{OrganizationID: l.id, DirectoryID: d, DirectoryUserID: "person_of_" + d, Kept: kept})
		m.want("end of a hold", err, true)
		if w.held = ""; kept {
			w.held = member.HeldKept
		}
		m.invitations(l)
		if kept {
			return "undo", err
		}
		return "release", err
	}
	return "nothing", nil
}

func (m *model) want(what string, err error, may bool) {
	m.t.Helper()
	if (err == nil) != may {
		m.fail("%s: %v, want it done: %t", what, err, may)
	}
}

func (m *model) readmit(l *life) {
	if l.out() {
		l.forgetFrozen()
	}
	l.blocked, l.lifted, l.removed = false, true, false
}

// person is what a directory says, with what its mapping makes of it.
func (m *model) person(l *life, directory string, says member.Says) member.DirectoryPerson {
	return member.DirectoryPerson{
		OrganizationID: l.id, DirectoryID: directory, DirectoryName: "HR", DirectoryUserID: "person_of_" + directory, Says: says, Provisioning: l.provisioning,
		Email: "ada@acme.example", EmailVerified: true, Mapped: m.mapping(l),
	}
}

func (m *model) says(l *life, says member.Says) (string, error) {
	name := "says " + string(says)
	if len(l.directories) == 0 || len(l.directories) < 2 && m.rng.IntN(10) == 0 {
		l.directory++
		l.directories = append(l.directories, fmt.Sprintf("directory_%d_%s", l.directory, l.id))
		if m.rng.IntN(2) == 0 { // another directory, another setting
			l.provisioning = m.anyProvisioning()
		}
	}
	d := l.directories[m.rng.IntN(len(l.directories))]
	p := m.person(l, d, says)
	err := m.real.Apply(m.now, p)
	m.want(name, err, true)
	was := l.words[d]
	w := &word{says: says, by: l.provisioning, heard: true, maps: p.Mapped}
	if was != nil && says == member.SaysActive {
		l.ends(was.maps, w.maps)
	}
	l.words[d] = w
	switch {
	case l.member:
		if was == nil || !was.heard || was.says != says {
			l.forgetFrozen()
			l.words[d] = w
		}
	case says != member.SaysActive, !m.known && l.provisioning == member.ExistingOnly:
		w.heard = false
		return name, err
	default:
		l.member = true
		if m.proven || m.known && l.provisioning == member.ExistingOnly {
			l.joined = member.ViaDirectory
		}
		m.known = true
	}
	if says == member.SaysActive {
		l.removed = false
		m.comeHome(l)
		m.proven = true
		if l.joined == "" && l.state(m.home) == member.Active {
			l.joined = member.ViaDirectory
		}
	}
	m.invitations(l)
	return name, err
}

// invitations: who is shut out before they came in loses the invitation; whom a directory invites has one, which does not lapse; and it is used by
// who comes in, however they do.
func (m *model) invitations(l *life) {
	v := l.verdict(m.home)
	if v.State == member.Active && l.joined == "" { // a directory lets them in directly
		l.joined = member.ViaDirectory
	}
	switch {
	case v.State == member.Removed && l.joined == "" && v.Why != member.WhyInvitationExpired:
		l.invitation = nil
	case v.Why == member.WhyInvitedByDirectory && !l.open():
		l.invitation = &asked{directorys: true}
	case v.Why == member.WhyInvitedByDirectory && l.overdue(m.now):
		l.invitation = &asked{directorys: true}
	case v.Why == member.WhyInvitedByDirectory:
		l.invitation.directorys = true
	case v.State == member.Active && l.open():
		l.invitation.closed = true
	}
}

func (m *model) comeHome(l *life) {
	if m.home == nil {
		m.home = l
	}
}

func (m *model) freeze(l *life) (string, error) {
	if len(l.directories) == 0 {
		return "directory deleted", nil
	}
	i := m.rng.IntN(len(l.directories))
	d := l.directories[i]
	l.directories = slices.Delete(l.directories, i, i+1)
	m.real.Freeze(m.now, l.id, d)
	if w := l.words[d]; w != nil && w.heard {
		w.frozen, l.left = true, true
	} else {
		delete(l.words, d)
	}
	return "directory deleted", nil
}

func (m *model) signIn(l *life) (string, error) {
	a := arrival(l.id, "idp-"+l.id, "ada@acme.example")
	a.Standing, a.Mapped = m.standing(l), m.mapping(l)
	a.Mapped.DrivesTeams, a.Mapped.Teams = false, nil
	before := l.state(m.home)
	if err := m.real.SignIn(m.now, a); err != nil {
		if _, refused := fault.As(err); !refused {
			m.fail("sign-in: %v", err)
		}
		if before == member.Active && a.Standing.Says == member.NoDirectory {
			m.fail("an active member was refused: %v", err)
		}
		return "sign-in", err
	}
	if a.Standing.Says == member.SaysInactive {
		m.fail("let in whom the directory wants out")
	}
	if a.Standing.Says == member.SaysActive && before != member.Active && !l.words[a.Standing.DirectoryID].heard {
		if l.member || m.elsewhere(l) { // the word is heard with the sign-in
			l.forgetFrozen()
			l.words[a.Standing.DirectoryID] = &word{says: member.SaysActive, by: member.ExistingOnly, heard: true}
		}
	}
	switch {
	case l.joined != "": // the first way stays
	case before == member.Pending && l.invitation != nil:
		l.joined = member.ViaInvitation
	case a.Standing.Says == member.SaysActive:
		l.joined = member.ViaDirectory
	default:
		l.joined = member.ViaSignIn
	}
	if before != member.Active {
		l.hear()
	}
	l.member, l.removed, m.known, m.proven = true, false, true, true
	m.comeHome(l)
	l.asserts(a.Mapped)
	if state := l.state(m.home); state != member.Active {
		m.fail("signed in, and is %q", state)
	}
	m.invitations(l)
	return "sign-in", nil
}

func (m *model) create(l *life) (string, error) {
	state := l.state(m.home)
	n := member.NewMembership{OrganizationID: l.id}
	if m.rng.IntN(4) == 0 {
		n.Role = m.slug("chief", "editor")
	}
	mapped := l.mapsRole()
	err := m.real.Create(m.now, n)
	after := l.copied()
	after.hear()
	may := m.known && state != member.Active && state != member.Pending && !l.barred() && !after.barred() && (!m.elsewhere(l) || l.in())
	if may && n.Role != "" && l.member && mapped && n.Role != l.role {
		m.want("create with a role that a directory maps", err, false)
		return "create", err
	}
	m.want("create", err, may)
	if err == nil {
		if l.member {
			m.readmit(l)
		}
		l.hear()
		l.member, l.removed = true, false
		if l.joined == "" {
			l.joined = member.ViaAPI
		}
		if n.Role != "" {
			l.handsRole(n.Role)
		}
		m.invitations(l)
	}
	return "create", err
}

func (m *model) remove(l *life) (string, error) {
	err := m.real.Remove(m.now, l.id)
	state := l.state(m.home)
	m.want("remove", err, state != "" && state != member.Removed && !l.wanted())
	if err == nil {
		l.removed, l.invitation = true, nil
	}
	return "remove", err
}

func (m *model) invite(l *life) (string, error) {
	n := member.NewInvitation{OrganizationID: l.id, Email: "ada@acme.example", ExpiresInDays: int64(m.rng.IntN(9)), Role: m.slug("", "", "scout"), Licence: m.slug("", "free")}
	state := l.state(m.home)
	err := m.real.Invite(m.now, n)
	m.want("invite", err, (!l.open() || l.overdue(m.now)) && !l.barredAnyway() && state != member.Active && (!l.blocked || state == member.Removed))
	if err != nil {
		return "invite", err
	}
	if l.forgetFrozen(); l.member && l.joined == "" { // what another invitation carried by which they never came in
		l.forget()
	}
	l.member, l.removed, l.joined, m.known = true, false, "", true
	if l.invitation = (&asked{ends: m.now.Add(member.InvitationLife), role: n.Role}); n.ExpiresInDays > 0 {
		l.invitation.ends = m.now.Add(time.Duration(n.ExpiresInDays) * 24 * time.Hour)
	}
	l.blocked, l.lifted = false, false
	l.carries(n)
	return "invite", err
}

func (m *model) accept(l *life) (string, error) {
	if !l.open() {
		return "nothing", nil
	}
	after := l.copied()
	after.hear()
	after.removed, after.joined = false, member.ViaInvitation
	may := !l.overdue(m.now) && !m.elsewhere(l) && after.state(m.home) == member.Active
	err := m.real.Accept(m.now, l.id)
	m.want("accept", err, may)
	if err == nil {
		l.hear()
		l.joined = member.ViaInvitation
		m.invitations(l)
	}
	return "accept", err
}

// revoke takes an invitation back, and the membership with it that nobody has come in by.
func (m *model) revoke(l *life) (string, error) {
	if !l.open() {
		return "nothing", nil
	}
	err := m.real.Revoke(m.now, l.id)
	m.want("revoke", err, !l.wanted())
	if err == nil {
		l.invitation, l.removed = nil, true
	}
	return "revoke", err
}

// lapse has days pass, and what has expired be put aside.
func (m *model) lapse() (string, error) {
	m.now = m.now.Add(time.Duration(m.rng.IntN(6*24)) * time.Hour)
	if m.rng.IntN(3) == 0 {
		return "time passes", nil // and nobody has looked yet
	}
	err := m.real.Lapse(m.now)
	m.want("lapse", err, true)
	name := "time passes"
	for _, l := range m.lives {
		if l.overdue(m.now) {
			l.invitation.closed, l.invitation.expired, name = true, true, "lapse"
		}
	}
	return name, err
}

// TestModel_of_the_machine_holds_over_random_lives walks the pure machine through what can happen to one person in two organizations.
func TestModel_of_the_machine_holds_over_random_lives(t *testing.T) {
	const lives, steps = 4000, 60
	tried := map[string]int{}
	for seed := range uint64(lives) {
		rng := rand.New(rand.NewPCG(seed, 7))
		known, email := seed%2 == 0, ""
		if known {
			email = "ada@acme.example"
		}
		m := newModel(t, rng, member.NewPure(noon, email), [2]string{"org_one", "org_two"}, known)
		m.tried = tried
		for range steps {
			m.step()
		}
	}
	t.Logf("%d steps: %v", lives*steps, tried)
	want := []string{"hold done", "release done", "undo done", "accept done", "revoke done", "lapse done", "sign-in done", "sign-in refused", "deactivate done", "deactivate refused", "directory deleted done"}
	for _, verb := range []string{"create", "reactivate", "remove", "invite", "give role", "give licence"} {
		want = append(want, verb+" done", verb+" refused")
	}
	for _, says := range []member.Says{member.SaysActive, member.SaysInactive, member.SaysRemoved} {
		want = append(want, fmt.Sprintf("says %s done", says))
	}
	for i := range table {
		if i == 12 { // it is hardly ever seen: whoever is in by it has come in by it at that moment
			continue
		}
		want = append(want, fmt.Sprintf("line %d", i+1))
	}
	for _, source := range member.RoleSources() {
		if source != member.RoleByBeingLast { // none of the roles is an administrator's
			want = append(want, "role by "+string(source))
		}
	}
	for _, done := range want {
		if tried[done] < 100 {
			t.Errorf("%s happened only %d times", done, tried[done])
		}
	}
}
