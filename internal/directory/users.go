package directory

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/member"
	"github.com/rollcallhq/rollcall/internal/scim"
)

// attempts bounds how often a verb computes again after losing a guard. Losing that often means that others make progress.
const attempts = 64

// again waits a little before computing anew, longer each time, so that competing processes part.
func again(ctx context.Context, attempt int) error {
	if attempt < 2 {
		return ctx.Err()
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(rand.N(time.Duration(min(attempt, 16)) * time.Millisecond)):
		return nil
	}
}

func errBusy() error {
	e := fault.New(fault.Unavailable, "busy", "Too many changes of the same resource at once. Nothing was changed; try again.")
	e.RetryAfter = time.Second
	return e
}

func errNoUser(id string) error {
	return fault.New(fault.NotFound, "", "User %.80q not found in this directory.", id)
}

func errUserNameTaken(name string) error {
	return fault.New(fault.Conflict, "uniqueness", "Another user of this directory has the userName %.120q (letter case does not matter).", name).On("userName")
}

// draft is a user about to be written.
type draft struct {
	person
	userNameKey string
	externalID  string
	emails      []string
}

func (s *Service) draft(u User, doc *scim.Object) draft {
	u.Document = doc.AppendJSON(make([]byte, 0, 1536))
	u.Active = scim.ActiveOf(doc)
	return draftOf(person{u, doc})
}

// draftOf is the draft that a stored person once was.
func draftOf(p person) draft {
	doc := p.doc
	d := draft{person: p, userNameKey: scim.UserNameKey(doc.Text("userName")), externalID: doc.Text("externalId")}
	d.emails = emailKeys(doc, d.userNameKey)
	return d
}

// arrival are the values that a waiting member value is compared with: user names in any case, external ids exactly.
func (d draft) arrival(directory ID) []any {
	external := d.externalID
	if external == "" {
		external = d.doc.Text("userName")
	}
	return []any{string(directory), d.userNameKey, scim.UserNameKey(external), external}
}

// CreateUser stores a new person. One who exists already and is inactive is restored under the same id (Restored, or Unchanged when
// nothing is different); one who is active is a Conflict "uniqueness".
func (s *Service) CreateUser(ctx context.Context, a *Access, doc *scim.Object, rec Record) (User, Change, error) {
	for attempt := range attempts {
		u, err := s.insertUser(ctx, a, doc, rec, attempt > 0)
		if err == nil {
			return u, Created, nil
		}
		var unique *db.UniqueError
		if errors.As(err, &unique) && slices.Contains(unique.Columns, "user_name_key") {
			return s.restoreUser(ctx, a, doc, rec)
		}
		if !lost(err) {
			return User{}, "", fmt.Errorf("create user: %w", err)
		}
		a = a.relinked()
		if err := again(ctx, attempt); err != nil {
			return User{}, "", err
		}
	}
	return User{}, "", errBusy()
}

// lost tells that a guard did not hold and the verb has to compute again. So has it where a key of another noun is taken: what members
// make of a person was made by somebody else meanwhile.
func lost(err error) bool {
	var guard *db.GuardError
	var unique *db.UniqueError
	if errors.As(err, &guard) || !errors.As(err, &unique) {
		return guard != nil
	}
	return unique.Table == "directory_group_members" || unique.Table != "directories" && !strings.HasPrefix(unique.Table, "directory_")
}

// relinked is the access with the directory known to be linked: the guard of linking is lost when another request did it.
func (a *Access) relinked() *Access {
	if a.Directory.State == Linked {
		return a
	}
	again := *a
	again.Directory.State = Linked
	return &again
}

func (s *Service) insertUser(ctx context.Context, a *Access, doc *scim.Object, rec Record, careful bool) (User, error) {
	at := s.time()
	n := s.draft(User{ID: UserID(s.ids.NewID("directory_user")), DirectoryID: a.Directory.ID, Version: 1, CreatedAt: at, UpdatedAt: at}, doc)
	n.IdPID = n.externalID
	if n.IdPID == "" {
		n.IdPID = string(n.ID)
	}
	if err := n.checkKeys(); err != nil {
		return User{}, err
	}
	b := s.begin(a, at, rec)
	id := string(a.Directory.ID)
	if careful {
		if err := s.resolveParked(ctx, b, &n); err != nil {
			return User{}, err
		}
	}
	waiting := n.arrival(a.Directory.ID)
	was, err := s.revives(ctx, b, &n)
	if err != nil {
		return User{}, err
	}
	n.Hidden = !visible(a.Directory, n.User)
	b.w.Guard(insertUser, id, string(n.ID), n.userNameKey, db.TextOrNull(n.externalID), n.IdPID, n.Active, at.UnixMicro(), n.Document, waiting[2], waiting[3], n.Hidden)
	for _, key := range n.emails {
		b.w.Exec(insertEmail, id, key, string(n.ID))
	}
	b.w.Exec(insertPending, id, kindUser, string(n.ID), 1)
	switch {
	case was != nil:
		if err := b.revived(ctx, was, n); err != nil {
			return User{}, err
		}
	case !n.Hidden:
		p := n.payload(a.Directory)
		b.first(event.DirectoryUserCreated, p.json())
	}
	b.due(n.ID)
	if err := b.commit(ctx, Outcome{Change: Created, User: &n.User}); err != nil {
		return User{}, err
	}
	s.recent.keep(n.User)
	return n.User, nil
}

// revives finds out whether a new person is one whom consumers still know, though the directory has removed them: the brake holds or keeps
// them. They come back under the id that is known. nil for somebody new.
func (s *Service) revives(ctx context.Context, b *batch, n *draft) (*heldRow, error) {
	was, err := s.goneAs(ctx, b.a.Directory, *n)
	if err != nil || was == nil {
		return nil, err
	}
	n.ID, n.IdPID, n.CreatedAt, n.Version = was.User.ID, was.User.IdPID, was.User.CreatedAt, was.User.Version+1
	before := person{was.User, n.doc}
	before.Active, before.Document = false, []byte("{}") // there is nothing of them in the directory
	if _, err := b.holdBack(ctx, before, &n.User); err != nil {
		return nil, err
	}
	if n.Held == member.HeldWaiting {
		b.w.Guard(reviveHeld, string(b.a.Directory.ID), string(n.ID))
	}
	return was, nil
}

// revived completes the row of somebody who is there again, and tells consumers the difference to what they know, if they are to learn it.
func (b *batch) revived(ctx context.Context, was *heldRow, n draft) error {
	d := b.a.Directory
	b.w.Exec(reviveUser, string(d.ID), string(n.ID), n.Version, heldOrNull(n.User))
	b.w.Exec(deleteOldID, d.OrganizationID, string(n.ID))
	known, err := was.person(b.s)
	if err != nil {
		return err
	}
	left, err := b.s.groupsAmong(ctx, d.ID, was.Groups)
	if err != nil {
		return err
	}
	b.joined(known, left, event.DirectoryGroupUserRemoved, true) // a removal ends that for good
	if err := b.tell(ctx, was.User, known, n); err != nil {
		return err
	}
	b.changed(known, n.person)
	return nil
}

// heldOrNull is the column held.
func heldOrNull(u User) any { return db.TextOrNull(string(u.Held)) }

// visible says whether consumers are to see the person: inactive people are gone for those who asked for that. What they were told
// last is User.Hidden, and may still be otherwise for a moment after the setting was changed.
func visible(d Directory, u User) bool { return u.Active || u.Held != "" || d.InactiveUsers == Kept }

// welcome resolves member values that waited for this person. Normally nobody waits, and a guard says so without reading; only
// when that guard was lost (careful) the waiting values are read and resolved in the same write.
func (s *Service) welcome(ctx context.Context, b *batch, n *draft, careful bool) error {
	if careful {
		if err := s.resolveParked(ctx, b, n); err != nil {
			return err
		}
	}
	b.w.GuardSelect(nobodyParked, n.arrival(b.a.Directory.ID)...)
	return nil
}

func (s *Service) resolveParked(ctx context.Context, b *batch, n *draft) error {
	id := string(b.a.Directory.ID)
	waiting, err := s.parkedValues(ctx, n.arrival(b.a.Directory.ID))
	if err != nil {
		return err
	}
	var groups []Group
	for _, p := range waiting {
		b.w.Guard(deleteParked, id, p.key, p.group, p.value)
		b.w.Exec(insertMember, id, p.group, string(n.ID), string(MemberUser), p.display)
		b.w.Exec(bumpGroup, id, p.group, b.at.UnixMicro())
		g, err := s.findGroup(ctx, b.a, "g.id = $2", p.group)
		if err != nil {
			return fmt.Errorf("group %s of a parked member: %w", p.group, err)
		}
		groups = append(groups, g)
		n.Groups = append(n.Groups, GroupRef{ID: g.ID, Name: g.Name, Direct: true})
	}
	if n.Active {
		b.joined(n.person, groups, event.DirectoryGroupUserAdded, false)
	}
	if len(groups) > 0 {
		b.regrouped([]string{string(n.ID)})
	}
	return nil
}

type parkedValue struct {
	key, group, value string
	display           *string
}

func (s *Service) parkedValues(ctx context.Context, arrival []any) ([]parkedValue, error) {
	rows, err := s.db.Query(ctx, selectParked, arrival...)
	if err != nil {
		return nil, fmt.Errorf("read parked members: %w", err)
	}
	defer rows.Close()
	var out []parkedValue
	for rows.Next() {
		var p parkedValue
		if err := rows.Scan(&p.key, &p.group, &p.value, &p.display); err != nil {
			return nil, fmt.Errorf("read parked members: %w", err)
		}
		out = append(out, p)
	}
	return out, rows.Err()
}

// restoreUser brings back the inactive person who has this user name, or says that the name is taken.
func (s *Service) restoreUser(ctx context.Context, a *Access, doc *scim.Object, rec Record) (User, Change, error) {
	name := doc.Text("userName")
	u, err := s.findUser(ctx, a, "u.user_name_key = $2", scim.UserNameKey(name))
	if errors.Is(err, db.ErrNoRows) {
		return User{}, "", errBusy() // it was deleted this very moment
	}
	if err != nil {
		return User{}, "", err
	}
	if u.Active {
		return User{}, "", errUserNameTaken(name)
	}
	return s.changeUser(ctx, a, u, Condition{MentionsActive: true}, func(current *scim.Object) (*scim.Object, error) {
		if scim.ActiveOf(current) {
			return nil, errUserNameTaken(name)
		}
		next := doc.Clone()
		if _, ok := next.Get("externalId"); !ok {
			if v, ok := current.Get("externalId"); ok {
				next.Set("externalId", v)
			}
		}
		return next, nil
	}, rec, Restored)
}

// GetUser finds one person; a stale id leads to the living record, whose ID then differs from id.
func (s *Service) GetUser(ctx context.Context, a *Access, id string, groups bool) (User, error) {
	text := selectUsers
	if groups {
		text = selectUsersG
	}
	u, err := s.readUser(ctx, a, text+" AND u.id = $2", id)
	if errors.Is(err, db.ErrNoRows) {
		return s.healedUser(ctx, a, id, groups)
	}
	if err == nil && groups {
		s.recent.keep(u)
	}
	return u, err
}

// readUser reads one person, with groups if the statement selects them.
func (s *Service) readUser(ctx context.Context, a *Access, text, arg string) (User, error) {
	u, ids, err := s.scanUser(s.db.QueryRow(ctx, text, string(a.Directory.ID), arg))
	if errors.Is(err, db.ErrNoRows) {
		return User{}, err
	}
	if err != nil {
		return User{}, fmt.Errorf("read user: %w", err)
	}
	if ids != "" {
		u.Groups, err = s.groupRefs(ctx, a.Directory.ID, strings.Split(ids, ","))
	}
	return u, err
}

func (s *Service) healedUser(ctx context.Context, a *Access, id string, groups bool) (User, error) {
	u, err := s.healUser(ctx, a, id)
	if err != nil || !groups {
		return u, err
	}
	return s.GetUser(ctx, a, string(u.ID), true)
}

// findUser reads one person with their groups: the answer of a write shows them.
func (s *Service) findUser(ctx context.Context, a *Access, condition, value string) (User, error) {
	return s.readUser(ctx, a, selectUsersG+" AND "+condition, value)
}

func (s *Service) scanUser(row db.Row) (User, string, error) {
	var u User
	var created, updated int64
	var groups, held *string
	err := row.Scan((*string)(&u.ID), (*string)(&u.DirectoryID), &u.IdPID, &u.Active, &u.Suspended, &u.Hidden, &held, &u.Version, &created, &updated, &u.Document, &groups)
	u.CreatedAt, u.UpdatedAt = db.Time(created), db.Time(updated)
	if held != nil {
		u.Held = member.Held(*held)
	}
	if groups != nil {
		u.direct = ordered(*groups)
	}
	return u, u.direct, err
}

// ordered sorts ids joined by commas, by bytes as the databases compare them: guards compare the text.
func ordered(ids string) string {
	if !strings.Contains(ids, ",") {
		return ids
	}
	each := strings.Split(ids, ",")
	slices.Sort(each)
	return strings.Join(each, ",")
}

// user finds by id, healing old ones unless the directory is strict.
func (s *Service) user(ctx context.Context, a *Access, id string) (User, error) {
	u, err := s.findUser(ctx, a, "u.id = $2", id)
	if errors.Is(err, db.ErrNoRows) {
		return s.healUser(ctx, a, id)
	}
	return u, err
}

// healUser leads an id that once was, in this directory or a removed one of the organization, to the living person with the same
// external id, else the same user name.
func (s *Service) healUser(ctx context.Context, a *Access, id string) (User, error) {
	if a.Mode.Strict || !strings.HasPrefix(id, "directory_user_") {
		return User{}, errNoUser(id)
	}
	external, nameKey, err := s.former(ctx, a, id, MemberUser)
	if err != nil {
		return User{}, orNotFound(err, errNoUser(id))
	}
	if external != "" {
		u, err := s.findUser(ctx, a, "u.external_id = $2", external)
		if err == nil || !errors.Is(err, db.ErrNoRows) {
			return u, err
		}
	}
	u, err := s.findUser(ctx, a, "u.user_name_key = $2", nameKey)
	return u, orNotFound(err, errNoUser(id))
}

// orNotFound makes "no rows" the refusal a caller understands.
func orNotFound(err, refusal error) error {
	if errors.Is(err, db.ErrNoRows) {
		return refusal
	}
	return err
}

// former gives the external id and name key that an old id of the organization had.
func (s *Service) former(ctx context.Context, a *Access, id string, kind MemberKind) (external, nameKey string, err error) {
	var ext *string
	org := a.Directory.OrganizationID
	err = s.db.QueryRow(ctx, selectOldID, org, id, string(kind)).Scan(&ext, &nameKey)
	if errors.Is(err, db.ErrNoRows) {
		text := selectFormerUser
		if kind == MemberGroup {
			text = selectFormerGroup
		}
		err = s.db.QueryRow(ctx, text, org, id).Scan(&ext, &nameKey)
	}
	if err != nil && !errors.Is(err, db.ErrNoRows) {
		err = fmt.Errorf("look up an old id: %w", err)
	}
	if ext != nil {
		external = *ext
	}
	return external, nameKey, err
}

// edit gives the next document of the present one, which it must leave as it is. It may be called again.
type edit = func(*scim.Object) (*scim.Object, error)

// UpdateUser changes a person: change gets the present document and gives the next, and may be called again. An equal document
// is Unchanged: nothing is written, no event, no new version.
func (s *Service) UpdateUser(ctx context.Context, a *Access, id string, c Condition, change edit, rec Record) (User, Change, error) {
	if u, done, err := s.updateRecent(ctx, a, id, c, change, rec); done {
		return u, Updated, err
	}
	u, err := s.user(ctx, a, id)
	if err != nil {
		return User{}, "", err
	}
	if string(u.ID) != id {
		rec = healedRecord(rec, id)
	}
	return s.changeUser(ctx, a, u, c, change, rec, Updated)
}

// healedRecord lets the exchange say that an old id was led to the living record.
func healedRecord(rec Record, id string) Record {
	if rec == nil {
		return nil
	}
	return func(o Outcome) *Exchange {
		o.HealedID = id
		return rec(o)
	}
}

func (s *Service) changeUser(ctx context.Context, a *Access, u User, c Condition, change edit, rec Record, as Change) (User, Change, error) {
	for attempt := range attempts {
		if err := c.check(u.Version); err != nil {
			return User{}, "", err
		}
		before, err := s.person(u)
		if err != nil {
			return User{}, "", fmt.Errorf("stored document of user %s: %w", u.ID, err)
		}
		doc, err := change(before.doc)
		if err != nil {
			return u, "", err
		}
		next := s.next(before, doc, c)
		if next.same(before) && !rules(before, c) {
			return u, Unchanged, s.NoteAccepted(ctx, a)
		}
		if err := next.checkKeys(); err != nil {
			return u, "", err
		}
		err = s.writeUser(ctx, a, before, next, writing{rec: rec, as: as, careful: attempt > 0})
		if err == nil {
			return next.User, as, nil
		}
		if !lost(err) {
			return User{}, "", userConflict(err, doc)
		}
		if err := again(ctx, attempt); err != nil {
			return User{}, "", err
		}
		a = a.relinked()
		if u, err = s.findUser(ctx, a, "u.id = $2", string(u.ID)); err != nil {
			return User{}, "", orNotFound(err, errNoUser(string(u.ID)))
		}
	}
	return User{}, "", errBusy()
}

// same tells that nothing would change.
func (d draft) same(before person) bool {
	return d.Suspended == before.Suspended && d.doc.Equal(before.doc)
}

// rules tells that a request which changes nothing says again that somebody is to be out whom the brake keeps in: that is a word to follow.
func rules(before person, c Condition) bool {
	return before.Held == member.HeldKept && c.MentionsActive
}

func userConflict(err error, doc *scim.Object) error {
	var unique *db.UniqueError
	if errors.As(err, &unique) && slices.Contains(unique.Columns, "user_name_key") {
		return errUserNameTaken(doc.Text("userName"))
	}
	return fmt.Errorf("update user: %w", err)
}

// check refuses versions other than the ones the client named.
func (c Condition) check(version int64) error {
	if !c.Given || c.Any || slices.Contains(c.Versions, version) {
		return nil
	}
	return fault.New(fault.Precondition, "", `The resource has changed: its version is W/"%d" now. Read it again and repeat the change.`, version)
}

// next is the person after the change. A suspension ends when the person becomes inactive, or when an accepted request says
// that they are active; other changes leave it, because they say nothing about whether the person may come in.
func (s *Service) next(before person, doc *scim.Object, c Condition) draft {
	u := before.User
	u.Version++
	u.UpdatedAt = s.time()
	n := s.draft(u, doc)
	n.Suspended = u.Suspended && n.Active && !c.MentionsActive
	return n
}

// writing is how a changed person is written.
type writing struct {
	rec        Record
	as         Change
	careful    bool // member values that wait for the person are resolved, see welcome
	remembered bool // the person was not read, see recent
}

func (s *Service) writeUser(ctx context.Context, a *Access, before person, next draft, how writing) error {
	old := draftOf(before)
	b := s.begin(a, next.UpdatedAt, how.rec)
	known, err := b.holdBack(ctx, before, &next.User)
	if err != nil {
		return err
	}
	next.Hidden = !visible(a.Directory, next.User)
	id, at := string(a.Directory.ID), next.UpdatedAt.UnixMicro()
	still := how.remembered || known.Active != next.Active // in the groups they were read with
	if old.userNameKey == next.userNameKey && old.externalID == next.externalID {
		text := updateUserDocument
		// Where events are derived from the groups, the question is a statement of its own, after the lock (docs/adr/0008).
		if still && old.direct == "" && old.Active == next.Active {
			text, still = updateUngrouped, false
		}
		b.w.Guard(text, id, string(next.ID), old.Version, next.Active, next.Suspended, at, next.Document, next.Hidden, heldOrNull(next.User))
	} else {
		b.w.Guard(updateUser, id, string(next.ID), old.Version, next.userNameKey, db.TextOrNull(next.externalID), next.Active, next.Suspended, at, next.Document, next.Hidden, heldOrNull(next.User))
		if err := s.welcome(ctx, b, &next, how.careful); err != nil {
			return err
		}
	}
	if still {
		b.unmoved(old.User)
	}
	if !slices.Equal(old.emails, next.emails) {
		b.w.Exec(deleteEmails, id, string(next.ID))
		for _, key := range next.emails {
			b.w.Exec(insertEmail, id, key, string(next.ID))
		}
	}
	if err := b.tell(ctx, before.User, known, next); err != nil {
		return err
	}
	b.changed(known, next.person)
	if before.Held != "" {
		b.due(next.ID)
	}
	if err := b.commit(ctx, Outcome{Change: how.as, User: &next.User}); err != nil {
		return err
	}
	s.recent.keep(next.User)
	return nil
}

// userEvents appends what consumers learn of the change, with the derived memberships when the person left or returned. What they know
// of the person is in the row that the write is guarded by, not in a setting that may have changed meanwhile.
func (s *Service) userEvents(ctx context.Context, b *batch, old, next draft) error {
	d := b.a.Directory
	was, is := !old.Hidden, !next.Hidden
	var groups []Group
	if old.Active != next.Active {
		var err error
		if groups, err = s.groupsOf(ctx, d.ID, old.User); err != nil {
			return err
		}
	}
	after := next.payload(d)
	switch {
	case was && is:
		after.raw("previous_attributes", previousUser(old.person, next.person, &after))
		b.event(event.DirectoryUserUpdated, after.json())
	case is:
		b.first(event.DirectoryUserCreated, after.json())
	}
	switch {
	case old.Active && !next.Active:
		b.joined(next.person, groups, event.DirectoryGroupUserRemoved, true)
	case !old.Active && next.Active:
		b.joined(next.person, groups, event.DirectoryGroupUserAdded, true)
	}
	if was && !is {
		b.event(event.DirectoryUserDeleted, after.json())
	}
	return nil
}

// tell adds what consumers learn of a change: nothing while the brake holds it, nor when what it held was taken back.
func (b *batch) tell(ctx context.Context, before User, known person, next draft) error {
	if old := draftOf(known); next.Held != member.HeldWaiting && (before.Held == "" || !old.tellsAs(next)) {
		return b.s.userEvents(ctx, b, old, next)
	}
	return nil
}

// tellsAs says that consumers would learn nothing: only that somebody is active was written out, or left out.
func (d draft) tellsAs(next draft) bool {
	changed := changedNames(d.doc, next.doc)
	return d.State() == next.State() && (len(changed) == 0 || len(changed) == 1 && changed[0] == "active")
}

// unmoved is the guard that the person is in the very groups they were read with.
func (b *batch) unmoved(u User) {
	if u.direct == "" { // the usual case has the cheaper question
		b.w.GuardSelect(userUngrouped, string(b.a.Directory.ID), string(u.ID))
		return
	}
	b.w.GuardSelect(userUnmoved, string(b.a.Directory.ID), string(u.ID), u.direct)
}

// groupsOf are the groups a person is directly in. The guard compares with what was read with the person (User.direct): if
// they have joined or left a group since, the write is computed again.
func (s *Service) groupsOf(ctx context.Context, d ID, u User) ([]Group, error) {
	if u.direct == "" {
		return nil, nil
	}
	groups, err := s.queryGroups(ctx, selectGroupsOfOne, string(d), string(u.ID))
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(groups))
	for i, g := range groups {
		ids[i] = string(g.ID)
	}
	// The guard compares with what was read with the person. Had they left a group since and rejoined it before the commit, it
	// would hold, and the events would speak of other groups than it does: compute again.
	if strings.Join(ids, ",") != u.direct {
		return nil, &db.GuardError{}
	}
	return groups, nil
}

// DeleteUser removes a person for good; the id is remembered so that a later record of the same person answers for it. An old
// id is NotFound here: nothing is ever deleted through one.
func (s *Service) DeleteUser(ctx context.Context, a *Access, id string, c Condition, rec Record) error {
	for attempt := range attempts {
		u, err := s.findUser(ctx, a, "u.id = $2", id)
		if err != nil {
			return orNotFound(err, errNoUser(id))
		}
		if err := c.check(u.Version); err != nil {
			return err
		}
		if err = s.removeUser(ctx, a, u, rec); err == nil || !lost(err) {
			return err
		}
		a = a.relinked()
		if err := again(ctx, attempt); err != nil {
			return err
		}
	}
	return errBusy()
}

func (s *Service) removeUser(ctx context.Context, a *Access, u User, rec Record) error {
	p, err := s.person(u)
	if err != nil {
		return fmt.Errorf("stored document of user %s: %w", u.ID, err)
	}
	old := draftOf(p)
	groups, err := s.groupsOf(ctx, a.Directory.ID, u)
	if err != nil {
		return err
	}
	b := s.begin(a, s.time(), rec)
	known, err := b.holdGone(ctx, p, &u)
	if err != nil {
		return err
	}
	id, uid, at := string(a.Directory.ID), string(u.ID), b.at.UnixMicro()
	b.w.Guard(deleteUser, id, uid, u.Version)
	b.unmoved(u)
	for _, st := range old.belongings(a.Directory, groups, b.at) {
		b.w.Exec(st.text, st.args...)
	}
	b.w.Exec(insertOldID, a.Directory.OrganizationID, uid, db.TextOrNull(old.externalID), old.userNameKey, string(MemberUser), at)
	if u.Held != member.HeldWaiting {
		b.gone(known, groups)
	}
	b.left(u)
	return b.commit(ctx, Outcome{Change: Deleted, User: &u})
}

// statement is one with its arguments.
type statement struct {
	text string
	args []any
}

// belongings are the statements that take away what hangs on a person who is deleted.
func (d draft) belongings(of Directory, groups []Group, at time.Time) []statement {
	id, uid := string(of.ID), string(d.ID)
	out := []statement{{deleteEmails, []any{id, uid}}, {insertPending, []any{id, kindUser, uid, -1}}}
	if len(groups) > 0 {
		out = append(out, statement{touchGroupOf, []any{id, uid, at.UnixMicro()}}, statement{deleteMembership, []any{id, uid}})
	}
	return out
}

// gone adds the events of a person who was deleted.
func (b *batch) gone(p person, groups []Group) {
	if p.Active {
		b.joined(p, groups, event.DirectoryGroupUserRemoved, true)
	}
	// Where consumers are to see everybody, every deletion is told, also of somebody they have not been told of yet: that is what the
	// guard on a whole organization watches (see mark).
	if !p.Hidden || b.a.Directory.InactiveUsers == Kept {
		last := p.payload(b.a.Directory)
		b.event(event.DirectoryUserDeleted, last.json())
	}
}

// SuspendUser bars the sign-in of a person whose deactivation was asked for in a request that had to be refused for something
// else: a refusal must not keep a leaver in. It reports whether it changed anything.
func (s *Service) SuspendUser(ctx context.Context, a *Access, id string, rec Record) (bool, error) {
	for attempt := range attempts {
		u, err := s.user(ctx, a, id)
		if err != nil || says(u) != member.SaysActive && u.Held != member.HeldKept {
			return false, err
		}
		before, err := s.person(u)
		if err != nil {
			return false, fmt.Errorf("stored document of user %s: %w", u.ID, err)
		}
		next := s.next(before, before.doc, Condition{})
		next.Suspended = next.Active
		err = s.writeUser(ctx, a, before, next, writing{rec: rec, as: Suspended})
		if err == nil || !lost(err) {
			return err == nil, err
		}
		a = a.relinked()
		if err := again(ctx, attempt); err != nil {
			return false, err
		}
	}
	return false, errBusy()
}
