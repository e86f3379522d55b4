package directory

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/rollcallhq/rollcall/internal/access"
	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/member"
	"github.com/rollcallhq/rollcall/internal/scim"
)

// What a directory says of its people reaches members in two ways. What shuts somebody out is part of the SCIM write itself: when the
// request is answered they are out. Everything else follows at once, but after the commit: the write leaves a row that says that the
// person is due, and Provision looks at the person as they are by then. So nothing depends on the order of requests, and nothing is lost
// when a process dies.

// Members take over what directories say of people: member.Service.
type Members interface {
	// ApplyInto adds to the write what follows from what the directory says now. The write is guarded.
	ApplyInto(ctx context.Context, r db.Reader, w *db.Write, p member.DirectoryPerson, known *member.Foreknown, cause event.Context) (member.Outcome, error)
	// ReadAhead reads what ApplyInto rests on for several people of a directory.
	ReadAhead(ctx context.Context, r db.Reader, people []member.DirectoryPerson) ([]member.Foreknown, error)
	// RestrictInto adds to the write that the person is out: says is inactive or removed. What it rests on may have been asked just before.
	RestrictInto(ctx context.Context, r db.Reader, w *db.Write, p member.DirectoryPerson, known *member.Foreknown, cause event.Context) error
	AskLeaver(organizationID, directoryID, directoryUserID string, into *member.Foreknown) []db.Question
	// FreezeTx leaves the people of a directory that is removed as they are, and lifts what it barred.
	FreezeTx(ctx context.Context, tx db.Tx, organizationID, directoryID string, cause event.Context) error
	// EndHoldInto adds to the write what follows when the brake holds somebody no more. The write is guarded.
	EndHoldInto(ctx context.Context, r db.Reader, w *db.Write, h member.HoldEnd, cause event.Context) error
	// Nudge has what a write brought about go out at once: events, invitations. It comes after the commit.
	Nudge()
}

// Teams follow directory groups: access.Service.
type Teams interface {
	// FollowInto adds to the write that the team which follows a group is made, renamed or deleted. The write is guarded.
	FollowInto(ctx context.Context, r db.Reader, w *db.Write, f access.Followed, cause event.Context) error
	// UnfollowTx leaves the teams of a directory that is removed as they are.
	UnfollowTx(ctx context.Context, tx db.Tx, organizationID, directoryID string) error
}

// SetMembers is called while the services are built. Without it the app keeps the accounts, and directories are all there is.
func (s *Service) SetMembers(m Members, t Teams) { s.members, s.teams = m, t }

// keeps tells whether accounts are kept here.
func (s *Service) keeps() bool { return s.members != nil }

// mapped is what the organization made of the directory's people when the door was opened, and how its paths are looked up.
type mapped struct {
	access.Mapping

	model *scim.Model
	paths sync.Map // path → func(*scim.Object) []scim.Value
}

// mappingOf reads how an organization maps a directory's people; nil where nobody is taken over.
func (s *Service) mappingOf(ctx context.Context, r db.Reader, d Directory, model *scim.Model) (*mapped, error) {
	if !s.keeps() {
		return nil, nil //nolint:nilnil // none is an answer
	}
	m, err := access.MappingIn(ctx, r, d.OrganizationID, string(d.ID))
	if err != nil {
		return nil, fmt.Errorf("mapping of directory %s: %w", d.ID, err)
	}
	return &mapped{Mapping: m, model: model}, nil
}

// currentMapping is that of a directory as it is now.
func (s *Service) currentMapping(ctx context.Context, d Directory) (*mapped, error) {
	model, err := modelOf(d)
	if err != nil {
		return nil, err
	}
	return s.mappingOf(ctx, s.db, d, model)
}

// follows tells whether each group is a team.
func (m *mapped) follows() bool { return m.DrivesTeams && m.TeamsFollow }

// source is a person as mappings see them.
func (m *mapped) source(doc *scim.Object, groups []access.Group) access.Source {
	return access.Source{Groups: groups, Value: func(path string) (any, bool) {
		values := m.finder(path)(doc)
		switch len(values) {
		case 0:
			return nil, false
		case 1:
			return plain(values[0]), true
		}
		return plain(scim.ListOf(values...)), true
	}}
}

// finder looks a path up once for all people. A path that cannot be read names nothing: who saves a mapping is told.
func (m *mapped) finder(path string) func(*scim.Object) []scim.Value {
	if f, ok := m.paths.Load(path); ok {
		return f.(func(*scim.Object) []scim.Value)
	}
	f := func(*scim.Object) []scim.Value { return nil }
	if p, err := scim.ParsePath(path, scim.FilterLimits{}); err == nil {
		f = m.model.User.Reader(p)
	}
	m.paths.Store(path, f)
	return f
}

// plain is a value as encoding/json would give it.
func plain(v scim.Value) any {
	switch v.Kind() {
	case scim.String:
		return v.Text()
	case scim.Number:
		n, err := strconv.ParseFloat(v.Text(), 64)
		if err != nil { // too large for any number of ours
			return v.Text()
		}
		return n
	case scim.Bool:
		return v.Bool()
	case scim.Array:
		out := make([]any, 0, len(v.List()))
		for _, e := range v.List() {
			out = append(out, plain(e))
		}
		return out
	case scim.Complex:
		out := make(map[string]any, v.Object().Len())
		for _, m := range v.Object().Members() {
			out[m.Name] = plain(m.Value)
		}
		return out
	}
	return nil
}

// says is what the directory says of a person who is in it.
func says(u User) member.Says {
	if u.Active && !u.Suspended {
		return member.SaysActive
	}
	return member.SaysInactive
}

// named is the least that members are told: whom the directory speaks of, and what it says.
func named(d Directory, id UserID, says member.Says) member.DirectoryPerson {
	return member.DirectoryPerson{
		OrganizationID: d.OrganizationID, DirectoryID: string(d.ID), DirectoryName: d.Name, DirectoryUserID: string(id), Says: says,
		Provisioning: member.Provisioning(d.Provisioning),
	}
}

// told is what the directory tells members of a person. Whether the address is in a verified domain is for the caller to find out.
func (m *mapped) told(d Directory, p person, groups []access.Group, roles []access.Role) member.DirectoryPerson {
	out, f := named(d, p.ID, says(p.User)), profileOf(p)
	out.Held = p.Held
	out.Email, out.FirstName, out.LastName, out.PictureURL, out.Locale = f.email, f.first, f.last, f.picture, f.locale
	out.Mapped = m.Map(m.source(p.doc, groups), roles)
	return out
}

// profile is what an account takes over of a person without any mapping.
type profile struct{ email, first, last, picture, locale string }

func profileOf(p person) profile {
	return profile{Email(p.doc), p.nameOf("givenName"), p.nameOf("familyName"), picture(p.doc), p.doc.Text("locale")}
}

// picture chooses the primary photo, else the first that is of type photo, else the first.
func picture(doc *scim.Object) string {
	photos, _ := doc.Get("photos")
	var chosen string
	for _, p := range photos.List() {
		value := p.Object().Text("value")
		if value == "" {
			continue
		}
		if primary, _ := p.Object().Get("primary"); primary.Bool() {
			return value
		}
		if chosen == "" || strings.EqualFold(p.Object().Text("type"), "photo") {
			chosen = value
		}
	}
	return chosen
}

// concerns tells whether members take over anything of what a write changes of a person. Their groups are not changed by it.
func (a *Access) concerns(before, next person) bool {
	return says(before.User) != says(next.User) || profileOf(before) != profileOf(next) ||
		a.mapping.Moved(a.mapping.source(before.doc, nil), a.mapping.source(next.doc, nil))
}

// leaver is a person whom a write shuts out.
type leaver struct {
	user  User // as they are after the write, or were last
	says  member.Says
	email string            // as members are told of it; "" where nobody has looked yet
	known *member.Foreknown // what members know of them; nil where nobody has looked yet
}

// changed leaves for members what a write changes of a person: whom it shuts out is out with the write, the rest makes them due.
func (b *batch) changed(before, next person) {
	if !b.s.keeps() || !b.a.concerns(before, next) {
		return
	}
	if says(before.User) == member.SaysActive && says(next.User) != member.SaysActive {
		b.out = append(b.out, leaver{user: next.User, says: member.SaysInactive, email: Email(next.doc)})
	}
	b.due(next.ID)
}

// left says that a person is in the directory no more. All of that is in the write: nothing is left to be done after it.
func (b *batch) left(u User) {
	if b.s.keeps() {
		b.out = append(b.out, leaver{user: u, says: member.SaysRemoved})
		b.w.Exec(deleteDue, string(b.a.Directory.ID), string(u.ID))
	}
}

// due makes people due.
func (b *batch) due(ids ...UserID) {
	if b.s.keeps() {
		b.dues = append(b.dues, ids...)
	}
}

// regrouped makes the people of a group due, if groups decide about anything. ids are those whom the request names.
func (b *batch) regrouped(ids []string) {
	if !b.s.keeps() || !b.a.mapping.ByGroups() {
		return
	}
	for _, id := range ids {
		b.dues = append(b.dues, UserID(id))
	}
}

// renamed makes everybody in a group due, as they are in it before the write: its name may decide about something.
func (b *batch) renamed(g GroupID) {
	if b.s.keeps() && b.a.mapping.ByGroups() {
		b.w.Exec(insertDueOfGroup, string(b.a.Directory.ID), string(g), b.a.Directory.OrganizationID, b.at.UnixMicro(), b.context)
		b.nudges = true
	}
}

// follow has the team that follows a group changed with it, if teams do follow. A directory that only collects has none.
func (b *batch) follow(g Group, gone bool) {
	if b.s.keeps() && b.a.mapping.follows() && b.a.Directory.Live() {
		b.followed = append(b.followed, followedBy(b.a.Directory, g, gone))
	}
}

func followedBy(d Directory, g Group, gone bool) access.Followed {
	return access.Followed{OrganizationID: d.OrganizationID, DirectoryID: string(d.ID), Group: access.Group{ID: string(g.ID), Name: g.Name}, Gone: gone}
}

// feed adds to the write what members have to learn, after the events of the request, which it follows from. Who works off the due takes
// their rows before those of members too, so that the two cannot wait for each other.
func (b *batch) feed(ctx context.Context) error {
	if err := b.heeded(ctx); err != nil {
		return err
	}
	b.dueInto()
	for _, f := range b.followed {
		if err := b.s.teams.FollowInto(ctx, b.s.db, &b.w, f, b.cause); err != nil {
			return fmt.Errorf("the team that follows group %s: %w", f.Group.ID, err)
		}
	}
	for _, l := range b.out {
		if err := b.shutOut(ctx, l); err != nil {
			return fmt.Errorf("shut out directory user %s: %w", l.user.ID, err)
		}
	}
	for _, h := range b.ends {
		if !b.s.keeps() {
			break
		}
		if err := b.s.members.EndHoldInto(ctx, b.s.db, &b.w, h, b.cause); err != nil {
			return fmt.Errorf("end the hold of directory user %s: %w", h.DirectoryUserID, err)
		}
	}
	return nil
}

// heeded leaves out what only a directory that is live may do: it does not shut anybody out while it collects, nor once another has taken its
// place. Whether it is live is asked here, and not of the opened door, which may have been let in before that changed; the write holds only while
// it stays so. Those who would be out are due instead: if the directory goes live meanwhile they are looked at then. What is to be told of the
// first of them, and what is known of them, is asked with it.
func (b *batch) heeded(ctx context.Context) error {
	if len(b.out) == 0 && len(b.followed) == 0 {
		return nil
	}
	d := b.a.Directory
	var live bool
	questions := []db.Question{{SQL: isLive, Args: []any{d.OrganizationID, string(d.ID)}, Read: func(rows db.Rows) error {
		live = rows.Next()
		return rows.Err()
	}}}
	b.teller = b.s.teller(d.OrganizationID)
	if len(b.out) > 0 {
		first := &b.out[0]
		first.known = &member.Foreknown{}
		questions = append(questions, b.teller.verifying(first.email)...)
		questions = append(questions, b.s.members.AskLeaver(d.OrganizationID, string(d.ID), string(first.user.ID), first.known)...)
	}
	err := b.s.db.Ask(ctx, questions...)
	switch {
	case err != nil:
		return fmt.Errorf("look whether directory %s is live: %w", d.ID, err)
	case !live:
		for _, l := range b.out {
			b.dues = append(b.dues, l.user.ID)
		}
		b.out, b.followed = nil, nil
		return nil
	}
	b.w.GuardSelect(isLive+b.s.db.ForShare(), d.OrganizationID, string(d.ID))
	return nil
}

// shutOut tells members all that the directory says of the person, so that nothing but their being in changes: who returns finds the rest.
func (b *batch) shutOut(ctx context.Context, l leaver) error {
	told, err := b.teller.people(ctx, b.a.Directory, b.a.mapping, []User{l.user})
	if err != nil {
		return err
	}
	p := told[l.user.ID]
	p.Says = l.says
	return b.s.members.RestrictInto(ctx, b.s.db, &b.w, p, l.known, b.cause)
}

func (b *batch) dueInto() {
	if len(b.dues) == 0 {
		return
	}
	b.nudges = true
	d, org, at := string(b.a.Directory.ID), b.a.Directory.OrganizationID, b.at.UnixMicro()
	if len(b.dues) == 1 { // also of somebody who is there no more
		b.w.Exec(insertDue, d, string(b.dues[0]), org, at, b.context)
		return
	}
	for part := range slices.Chunk(b.dues, chunk) {
		ids := make([]string, len(part))
		for i, id := range part {
			ids[i] = string(id)
		}
		args := padded(ids)
		b.w.Exec(fmt.Sprintf(insertDueOf, list(5, len(args))), append([]any{d, org, at, b.context}, args...)...)
	}
}
