package directory

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/scim"
)

func errNoGroup(id string) error {
	return fault.New(fault.NotFound, "", "Group %.80q not found in this directory.", id)
}

func errGroupNameTaken(name string) error {
	return fault.New(fault.Conflict, "uniqueness",
		"Another group of this directory is called %.120q (letter case does not matter). Two groups may share a name only if both carry different externalIds.", name).On("displayName")
}

// groupDraft is a group about to be written.
type groupDraft struct {
	Group
	doc        *scim.Object
	nameKey    string
	externalID string
}

func draftGroup(g Group, doc *scim.Object) groupDraft {
	g.Document = doc.AppendJSON(make([]byte, 0, 256))
	g.Name = doc.Text("displayName")
	return groupDraft{Group: g, doc: doc, nameKey: scim.FoldKey(g.Name), externalID: doc.Text("externalId")}
}

// CreateGroup stores a new group with its members. Values that name nobody yet are parked.
func (s *Service) CreateGroup(ctx context.Context, a *Access, doc *scim.Object, members []scim.MemberRef, rec Record) (Group, error) {
	for attempt := range attempts {
		g, err := s.insertGroup(ctx, a, doc, members, rec, attempt > 0)
		if err == nil {
			return g, nil
		}
		if err := s.groupConflict(ctx, a, g, doc, err); !lost(err) {
			return Group{}, err
		}
		a = a.relinked()
		if err := again(ctx, attempt); err != nil {
			return Group{}, err
		}
	}
	return Group{}, errBusy()
}

// groupConflict finds out whether a lost guard or a unique violation means that the name is taken; a lost guard that does not
// is given back.
func (s *Service) groupConflict(ctx context.Context, a *Access, g Group, doc *scim.Object, err error) error {
	name := doc.Text("displayName")
	var unique *db.UniqueError
	if errors.As(err, &unique) && slices.Contains(unique.Columns, "display_name_key") {
		return errGroupNameTaken(name)
	}
	if !lost(err) {
		return fmt.Errorf("write group: %w", err)
	}
	var free int
	d := draftGroup(g, doc)
	freeErr := s.db.QueryRow(ctx, nameFree, string(a.Directory.ID), d.nameKey, string(g.ID), d.externalID).Scan(&free)
	if errors.Is(freeErr, db.ErrNoRows) {
		return errGroupNameTaken(name)
	}
	if freeErr != nil {
		return fmt.Errorf("look for a group of the same name: %w", freeErr)
	}
	return err
}

func (s *Service) insertGroup(ctx context.Context, a *Access, doc *scim.Object, members []scim.MemberRef, rec Record, careful bool) (Group, error) {
	at := s.time()
	n := draftGroup(Group{ID: GroupID(s.ids.NewID("directory_group")), DirectoryID: a.Directory.ID, Version: 1, CreatedAt: at, UpdatedAt: at}, doc)
	n.IdPID = n.externalID
	if n.IdPID == "" {
		n.IdPID = string(n.ID)
	}
	if err := n.checkKeys(); err != nil {
		return n.Group, err
	}
	var joining []scim.MemberChange // none, as when most groups are made: then there is nothing to look up
	if len(members) > 0 {
		joining = []scim.MemberChange{{Kind: scim.MembersAdd, Members: members}}
	}
	delta, err := s.membership(ctx, a, n.ID, joining, careful)
	if err != nil {
		return n.Group, err
	}
	b := s.begin(a, at, rec)
	id := string(a.Directory.ID)
	b.w.GuardSelect(nameFree, id, n.nameKey, string(n.ID), n.externalID)
	b.w.Exec(insertGroup, id, string(n.ID), n.nameKey, n.externalID, db.TextOrNull(n.externalID), n.IdPID, n.Name, at.UnixMicro(), n.Document)
	b.w.Exec(insertPending, id, kindGroup, string(n.ID), 1)
	b.event(event.DirectoryGroupCreated, GroupPayload(a.Directory, n.Group))
	b.follow(n.Group, false)
	s.writeMembers(b, n.Group, delta)
	return n.Group, b.commit(ctx, delta.outcome(Outcome{Change: Created, Group: &n.Group}))
}

// GetGroup finds one group; a stale id leads to the living record. Members are loaded only where asked for.
func (s *Service) GetGroup(ctx context.Context, a *Access, id string, members bool) (Group, error) {
	g, err := s.group(ctx, a, id)
	if err != nil || !members {
		return g, err
	}
	g.Members, err = s.membersOf(ctx, a.Directory.ID, g.ID)
	return g, err
}

func (s *Service) findGroup(ctx context.Context, a *Access, condition, value string) (Group, error) {
	return s.oneGroup(ctx, selectGroups+" AND "+condition, string(a.Directory.ID), value)
}

func (s *Service) oneGroup(ctx context.Context, text string, args ...any) (Group, error) {
	g, err := scanGroup(s.db.QueryRow(ctx, text, args...))
	if err != nil && !errors.Is(err, db.ErrNoRows) {
		err = fmt.Errorf("read group: %w", err)
	}
	return g, err
}

func scanGroup(row db.Row) (Group, error) {
	var g Group
	var created, updated int64
	err := row.Scan((*string)(&g.ID), (*string)(&g.DirectoryID), &g.IdPID, &g.Name, &g.Version, &created, &updated, &g.Document)
	g.CreatedAt, g.UpdatedAt = db.Time(created), db.Time(updated)
	return g, err
}

func (s *Service) queryGroups(ctx context.Context, text string, args ...any) ([]Group, error) {
	return groupsIn(ctx, s.db, text, args...)
}

func groupsIn(ctx context.Context, r db.Reader, text string, args ...any) ([]Group, error) {
	rows, err := r.Query(ctx, text, args...)
	if err != nil {
		return nil, fmt.Errorf("read groups: %w", err)
	}
	defer rows.Close()
	var out []Group
	for rows.Next() {
		g, err := scanGroup(rows)
		if err != nil {
			return nil, fmt.Errorf("read groups: %w", err)
		}
		out = append(out, g)
	}
	return out, rows.Err()
}

// group finds by id, healing old ones unless the directory is strict.
func (s *Service) group(ctx context.Context, a *Access, id string) (Group, error) {
	g, err := s.findGroup(ctx, a, "g.id = $2", id)
	if !errors.Is(err, db.ErrNoRows) {
		return g, err
	}
	if a.Mode.Strict || !strings.HasPrefix(id, "directory_group_") {
		return Group{}, errNoGroup(id)
	}
	external, nameKey, err := s.former(ctx, a, id, MemberGroup)
	if err != nil {
		return Group{}, orNotFound(err, errNoGroup(id))
	}
	if external != "" {
		g, err := s.findGroup(ctx, a, "g.external_id = $2", external)
		if err == nil || !errors.Is(err, db.ErrNoRows) {
			return g, err
		}
	}
	g, err = s.findGroup(ctx, a, "g.display_name_key = $2", nameKey)
	return g, orNotFound(err, errNoGroup(id))
}

// UpdateGroup changes a group: change gets the present document (without members) and gives the next one and what becomes of the
// members, in order. Only the members named are read and written, however large the group is.
func (s *Service) UpdateGroup(ctx context.Context, a *Access, id string, c Condition, change func(*scim.Object) (*scim.Object, []scim.MemberChange, error), rec Record) (Group, Change, error) {
	lock := s.groups.of(id)
	lock.Lock()
	defer lock.Unlock()
	g, err := s.group(ctx, a, id)
	if err != nil {
		return Group{}, "", err
	}
	if string(g.ID) != id {
		rec = healedRecord(rec, id)
	}
	for attempt := range attempts {
		next, did, err := s.changeGroup(ctx, a, g, c, change, rec, attempt > 0)
		if err == nil {
			return next, did, nil
		}
		if !lost(err) {
			return Group{}, "", err
		}
		a = a.relinked()
		if err := again(ctx, attempt); err != nil {
			return Group{}, "", err
		}
		if g, err = s.findGroup(ctx, a, "g.id = $2", string(g.ID)); err != nil {
			return Group{}, "", orNotFound(err, errNoGroup(id))
		}
	}
	return Group{}, "", errBusy()
}

func (s *Service) changeGroup(ctx context.Context, a *Access, g Group, c Condition, change func(*scim.Object) (*scim.Object, []scim.MemberChange, error), rec Record, careful bool) (Group, Change, error) {
	if err := c.check(g.Version); err != nil {
		return Group{}, "", err
	}
	doc, err := scim.ReadObject(g.Document, scim.DefaultLimits)
	if err != nil {
		return Group{}, "", fmt.Errorf("stored document of group %s: %w", g.ID, err)
	}
	nextDoc, changes, err := change(doc)
	if err != nil {
		return Group{}, "", err
	}
	delta, err := s.membership(ctx, a, g.ID, changes, careful)
	if err != nil {
		return Group{}, "", err
	}
	if delta.empty() && nextDoc.Equal(doc) {
		return g, Unchanged, s.NoteAccepted(ctx, a)
	}
	old := draftGroup(g, doc)
	g.Version++
	g.UpdatedAt = s.time()
	next := draftGroup(g, nextDoc)
	if err := next.checkKeys(); err != nil {
		return Group{}, "", err
	}
	if err := s.writeGroup(ctx, a, old, next, delta, rec); err != nil {
		return Group{}, "", s.groupConflict(ctx, a, next.Group, nextDoc, err)
	}
	return next.Group, Updated, nil
}

func (s *Service) writeGroup(ctx context.Context, a *Access, old, next groupDraft, delta membership, rec Record) error {
	b := s.begin(a, next.UpdatedAt, rec)
	id, gid, at := string(a.Directory.ID), string(next.ID), next.UpdatedAt.UnixMicro()
	if next.doc.Equal(old.doc) {
		b.w.Guard(touchGroup, id, gid, old.Version, at)
	} else {
		b.w.Guard(updateGroup, id, gid, old.Version, next.nameKey, next.externalID, db.TextOrNull(next.externalID), next.Name, at, next.Document)
		if next.nameKey != old.nameKey || next.externalID != old.externalID {
			b.w.GuardSelect(nameFree, id, next.nameKey, gid, next.externalID)
		}
		after := next.payload(a.Directory)
		after.raw("previous_attributes", previousGroup(old, next))
		b.event(event.DirectoryGroupUpdated, after.json())
		if next.Name != old.Name {
			b.renamed(next.ID)
			b.follow(next.Group, false)
		}
	}
	s.writeMembers(b, next.Group, delta)
	return b.commit(ctx, delta.outcome(Outcome{Change: Updated, Group: &next.Group}))
}

// DeleteGroup removes a group; its memberships go with it, without events of their own. An old id is NotFound.
func (s *Service) DeleteGroup(ctx context.Context, a *Access, id string, c Condition, rec Record) error {
	lock := s.groups.of(id)
	lock.Lock()
	defer lock.Unlock()
	for attempt := range attempts {
		g, err := s.findGroup(ctx, a, "g.id = $2", id)
		if err != nil {
			return orNotFound(err, errNoGroup(id))
		}
		if err := c.check(g.Version); err != nil {
			return err
		}
		if err := s.removeGroup(ctx, a, g, rec); !lost(err) {
			return err
		}
		a = a.relinked()
		if err := again(ctx, attempt); err != nil {
			return err
		}
	}
	return errBusy()
}

func (s *Service) removeGroup(ctx context.Context, a *Access, g Group, rec Record) error {
	doc, err := scim.ReadObject(g.Document, scim.DefaultLimits)
	if err != nil {
		return fmt.Errorf("stored document of group %s: %w", g.ID, err)
	}
	old := draftGroup(g, doc)
	b := s.begin(a, s.time(), rec)
	id, gid, at := string(a.Directory.ID), string(g.ID), b.at.UnixMicro()
	b.w.Guard(deleteGroup, id, gid, g.Version)
	b.renamed(g.ID)
	b.w.Exec(deleteMembers, id, gid)
	b.w.Exec(deleteParkedOf, id, gid)
	b.w.Exec(touchGroupOf, id, gid, at) // groups that this one was nested in
	b.w.Exec(deleteMembership, id, gid)
	b.w.Exec(insertOldID, a.Directory.OrganizationID, gid, db.TextOrNull(old.externalID), old.nameKey, string(MemberGroup), at)
	b.w.Exec(insertPending, id, kindGroup, gid, -1)
	b.event(event.DirectoryGroupDeleted, GroupPayload(a.Directory, g))
	b.follow(g, true)
	return b.commit(ctx, Outcome{Change: Deleted, Group: &g})
}
