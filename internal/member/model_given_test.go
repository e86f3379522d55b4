package member_test

import (
	"fmt"
	"slices"

	"github.com/rollcallhq/rollcall/internal/access"
	"github.com/rollcallhq/rollcall/internal/member"
)

// gifts are what somebody has been given in one organization, and by whom. role, source, licence and from are what the member has now.
type gifts struct {
	role     string
	source   member.RoleSource
	hands    given         // by hand or an invitation
	asserted access.Mapped // by the connection, at the last sign-in
	licence  string        // that they hold, or would if they were in
	from     string        // whose word it is: directory, connection, given; "" for none
	spare    string        // the given licence
	holds    string        // now
	places   []string      // teams, now
	left     bool          // a directory was removed, and all is as it was
	vague    bool          // shut out after that, before it was seen which licence they are to come back to: the directory's, or the given one
}

type given struct {
	role string
	by   member.RoleSource
	in   *asked // the invitation that carried it
}

func (m *model) slug(of ...string) string { return of[m.rng.IntN(len(of))] }

// mapping is what a mapping makes of somebody: each kind by itself, driven or not.
func (m *model) mapping(l *life) (out access.Mapped) {
	if out.DrivesRoles = m.rng.IntN(3) > 0; out.DrivesRoles {
		out.Roles = [][]string{nil, {"viewer"}, {"chief", "viewer"}}[m.rng.IntN(3)]
	}
	if out.DrivesLicences = m.rng.IntN(3) > 0; out.DrivesLicences {
		out.Licence = m.slug("", "one", "free")
	}
	if out.DrivesTeams = len(l.teams) > 0 && m.rng.IntN(3) > 0; out.DrivesTeams {
		out.Teams = [][]string{nil, l.teams[:1], l.teams}[m.rng.IntN(3)]
	}
	return out
}

// speak are the living directories that want the person in, the oldest first.
func (l *life) speak() (out []*word) {
	for _, d := range l.directories {
		if w := l.words[d]; w != nil && w.heard && w.says == member.SaysActive {
			out = append(out, w)
		}
	}
	return out
}

func (l *life) mapsRole() bool {
	return slices.ContainsFunc(l.speak(), func(w *word) bool { return len(w.maps.Roles) > 0 })
}

func (l *life) mapsLicence() bool {
	return slices.ContainsFunc(l.speak(), func(w *word) bool { return w.maps.Licence != "" })
}

// stays tells whether mappings take and give nothing: no living directory wants the person in, and they are shut out, or a living brake keeps them as they are.
func (m *model) stays(l *life) bool {
	state := l.state(m.home)
	kept := l.each(func(w *word) bool { return w.held == member.HeldKept && !w.frozen })
	return len(l.speak()) == 0 && (kept || state != member.Active && state != member.Pending)
}

// mapped tells whether a mapping gave the role.
func (g gifts) mapped() bool {
	return g.source == member.RoleByDirectory || g.source == member.RoleByConnection
}

// resolveRole says which role the member has to have: see "Role, teams, licence" in docs/reference/membership.md.
func (m *model) resolveRole(l *life) (string, member.RoleSource) {
	drives := false
	for _, w := range l.speak() {
		if len(w.maps.Roles) > 0 {
			return w.maps.Roles[0], member.RoleByDirectory
		}
		drives = drives || w.maps.DrivesRoles
	}
	stays := m.stays(l)
	if stays && l.mapped() { // to come back to
		return l.role, l.source
	}
	if !stays && !drives && len(l.asserted.Roles) > 0 {
		return l.asserted.Roles[0], member.RoleByConnection
	}
	if l.source == member.RoleByDirectory && len(l.speak()) == 0 { // it was the last to say so before it was removed
		return l.role, l.source
	}
	if l.hands.role == "" {
		return member.RoleMember, member.RoleByDefault
	}
	return l.hands.role, l.hands.by
}

// resolveLicence says the same of the licence, and whose word it is.
func (m *model) resolveLicence(l *life) (licence, from string) {
	drives := false
	for _, w := range l.speak() {
		if w.maps.Licence != "" {
			return w.maps.Licence, "directory"
		}
		drives = drives || w.maps.DrivesLicences
	}
	stays := m.stays(l)
	if stays && l.from != "" && l.spare == "" {
		return l.licence, l.from
	}
	if !stays && !drives && l.asserted.Licence != "" {
		return l.asserted.Licence, "connection"
	}
	if l.spare != "" {
		return l.spare, "given"
	}
	if l.from == "directory" && !drives && (stays || !l.asserted.DrivesLicences) { // what is there stays where nobody speaks of it any more
		return l.licence, l.from
	}
	return "", ""
}

// given compares what the member has with what follows from all that was given.
func (m *model) given(l *life, is member.Seen) {
	m.t.Helper()
	if !l.member {
		return
	}
	m.team(l, is)
	m.tried["role by "+string(is.RoleSource())]++
	role, source := m.resolveRole(l)
	licence, from := m.resolveLicence(l)
	v := l.verdict(m.home)
	holds, former := "", ""
	switch {
	case l.line(m.home) == 1 && l.toldIn(m.home): // the brake keeps what they have
		role, source, licence, from, holds = l.role, l.source, l.licence, l.from, l.holds
		former = l.holds
	case v.State == member.Active || v.State == member.Pending:
		holds, former = licence, l.licence
	}
	if source == member.RoleByInvitation && is.RoleSource() == member.RoleByHand && l.hands.in != l.invitation { // whose word it was is not kept
		source = member.RoleByHand
	}
	// Since a directory was removed nobody may have looked anew: what was stands until a directory says something new, or a hand does something.
	if stood := l.left && is.Role == l.role && is.RoleSource() == l.source; !stood && (is.Role != role || is.RoleSource() != source) {
		m.fail("%s has the role %s by %s, want %s by %s; before that %+v, and %s", l.id, is.Role, is.RoleSource(), role, source, l.gifts, l.said())
	}
	if stood := l.left && (is.Licence == former || is.Licence == l.holds) || l.vague && is.Licence == ""; !stood && is.Licence != holds {
		m.fail("%s holds the licence %q, want %q; before that %+v, and %s", l.id, is.Licence, holds, l.gifts, l.said())
	}
	if l.left && is.Licence == l.holds && is.Licence != holds && is.Licence != former { // held all the while, by a word that is gone: it is the member's own now
		licence, from = is.Licence, "directory"
	}
	in := v.State == member.Active || v.State == member.Pending
	if l.vague = !in && (l.vague || l.left && l.spare != ""); is.Licence == "" && holds != "" {
		licence, from = "", ""
	}
	l.left = l.left && is.Role == l.role && is.RoleSource() == l.source && is.Licence == former
	if l.role, l.source, l.holds = is.Role, is.RoleSource(), is.Licence; !l.left {
		l.licence, l.from = licence, from
	}
	if !in && len(l.speak()) > 0 && l.line(m.home) != 1 { // a directory says what they come back to
		l.licence, l.from = "", ""
	}
}

// said shows what directories say.
func (l *life) said() (out string) {
	for d, w := range l.words {
		out += fmt.Sprintf("%s %+v ", d, *w)
	}
	return out
}

// team compares the teams: those that living directories map, and of who is out, or of whom no directory speaks, those that they were in.
func (m *model) team(l *life, is member.Seen) {
	m.t.Helper()
	drives, all := false, []string{}
	for _, w := range l.speak() {
		drives, all = drives || w.maps.DrivesTeams, append(all, w.maps.Teams...)
	}
	slices.Sort(all)
	all = slices.Compact(all)
	switch {
	case l.line(m.home) == 1 && l.toldIn(m.home), m.stays(l), l.left && slices.Equal(is.Teams, l.places), len(l.speak()) == 0:
		all = l.places
	case !drives: // those of a mapping that has ended are a hand's to take
		all = is.Teams
	}
	if !slices.Equal(is.Teams, all) {
		m.fail("%s is in the teams %v, want %v; before that %v, and %s", l.id, is.Teams, all, l.places, l.said())
	}
	l.places = is.Teams
}

// toldIn tells whether the app knows as in whom the brake holds.
func (l *life) toldIn(home *life) bool {
	told := l.copied()
	for _, w := range told.words {
		if w.held == member.HeldWaiting {
			w.says, w.held = member.SaysActive, ""
		}
	}
	state := told.state(home)
	return state == member.Active || state == member.Pending
}

// forget takes what hands and invitations gave. Whose word a licence is that a directory gives as well is not kept.
func (l *life) forget() {
	if l.spare != "" && l.spare == l.licence {
		l.from = "given"
	}
	l.hands, l.spare = given{}, ""
	if !l.mapped() {
		l.role, l.source = member.RoleMember, member.RoleByDefault
	}
	if l.from == "given" {
		l.licence, l.from = "", ""
	}
}

// handsRole is what a hand says; a connection's mapping says something else at the next sign-in at the earliest.
func (l *life) handsRole(slug string) {
	if slug == l.role && l.source != member.RoleByConnection { // nothing new
		return
	}
	if slug == "" {
		slug = member.RoleMember
	}
	l.hands = given{role: slug, by: member.RoleByHand}
	l.role, l.source = slug, member.RoleByHand
	l.asserted.DrivesRoles, l.asserted.Roles = false, nil
}

// asserts is what the connection's mapping says at a sign-in. What it said before and does not say any more goes, a directory's licence of the same name
// too: whose word a licence was is not kept.
func (l *life) asserts(now access.Mapped) {
	if was := l.asserted; was.DrivesLicences && !now.DrivesLicences && was.Licence == l.licence {
		l.licence, l.from = "", ""
	}
	l.asserted = now
}

// ends takes the licence that a directory gave which drives none any more.
func (l *life) ends(was, is access.Mapped) {
	if was.DrivesLicences && !is.DrivesLicences && was.Licence == l.licence {
		l.licence, l.from = "", ""
	}
}

func (l *life) handsLicence(slug string) {
	l.spare, l.licence, l.from = slug, slug, "given"
	if slug == "" {
		l.from = ""
	}
	l.asserted.DrivesLicences, l.asserted.Licence = false, ""
}

// carries is what an invitation says.
func (l *life) carries(n member.NewInvitation) {
	l.hands, l.spare = given{}, n.Licence
	if n.Role != "" {
		l.hands = given{role: n.Role, by: member.RoleByInvitation, in: l.invitation}
		l.role, l.source = n.Role, member.RoleByInvitation
	}
	if l.from == "given" {
		l.licence, l.from = "", ""
	}
}

// give has a hand give a role or a licence, or take it.
func (m *model) give(l *life) (string, error) {
	state := l.state(m.home)
	there := state != "" && state != member.Removed
	if m.rng.IntN(2) == 0 {
		slug := m.slug("", "editor", "chief")
		same := l.source != member.RoleByConnection && (slug == l.role)
		err := m.real.Give(m.now, l.id, member.MembershipChanges{Role: &slug})
		m.want("give a role", err, there && (same || !l.mapsRole()))
		if err == nil && !same {
			l.handsRole(slug)
		}
		return "give role", err
	}
	if l.waits() {
		return "nothing", nil
	}
	slug := m.slug("", "free", "one")
	err := m.real.Give(m.now, l.id, member.MembershipChanges{Licence: &slug})
	had := l.holds
	if had == "" {
		had, _ = m.resolveLicence(l)
	}
	same := slug == had
	m.want("give a licence", err, there && (same || !l.mapsLicence()))
	if err == nil && !same {
		l.handsLicence(slug)
	}
	return "give licence", err
}
