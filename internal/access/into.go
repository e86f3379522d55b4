package access

import (
	"context"
	"fmt"
	"slices"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
)

// What follows joins the guarded writes of other rooms. What was read is guarded: where it has moved meanwhile the write is lost, and the
// caller computes again.

// RoleInto guards a write by a role's being there when it is given to somebody: it cannot be deleted at the same time.
func (s *Service) RoleInto(w *db.Write, organizationID, slug string) {
	if slug != RoleMember { // nobody deletes it, and it may not have been made yet
		w.GuardSelect(lockRole+s.db.ForShare(), organizationID, slug)
	}
}

// SeatInto guards a write that gives somebody a licence: a seat is free. It has to stand before the statement that gives it. Where no seat
// is left the write is lost; UseIn tells that from other losses.
func (s *Service) SeatInto(w *db.Write, organizationID, slug string) {
	w.GuardSelect(lockLicence+s.db.ForUpdate(), organizationID, slug)
	w.GuardSelect(seatIsFree, organizationID, slug)
}

// TeamsOf says which teams somebody is to be in.
type TeamsOf struct {
	OrganizationID string
	MembershipID   string
	// Teams are all those that By puts them in. Unknown ones are left out.
	Teams []TeamID
	By    PutBy
	// Takes are those whose doing does not stay: where they have put somebody into a team that is not named, it is left again.
	Takes []PutBy
}

// TeamsInto puts a member into teams, and takes them out of others as t.Takes says. The caller's write has to be guarded by the
// membership.
func (s *Service) TeamsInto(ctx context.Context, r db.Reader, w *db.Write, t TeamsOf, cause event.Context) error {
	has, err := PlacesIn(ctx, r, t.OrganizationID, t.MembershipID)
	if err != nil {
		return err
	}
	at := s.time()
	var entries []event.Entry
	for _, id := range slices.Compact(slices.Sorted(slices.Values(t.Teams))) {
		if slices.ContainsFunc(has, func(p Place) bool { return p.Team == id }) {
			continue
		}
		found, err := readTeams(ctx, r, selectTeam, t.OrganizationID, string(id))
		if err != nil {
			return err
		}
		if len(found) == 0 {
			continue
		}
		w.GuardSelect(lockTeam+s.db.ForShare(), t.OrganizationID, string(id))
		w.Guard(insertTeamMember, t.OrganizationID, string(id), t.MembershipID, string(t.By), at.UnixMicro())
		entries = append(entries, memberEntry(event.GroupMemberAdded, t.OrganizationID, id, t.MembershipID, cause.JSON()))
	}
	for _, p := range has {
		if slices.Contains(t.Takes, p.PutBy) && !slices.Contains(t.Teams, p.Team) {
			w.Guard(deleteTeamMember, t.OrganizationID, string(p.Team), t.MembershipID)
			entries = append(entries, memberEntry(event.GroupMemberRemoved, t.OrganizationID, p.Team, t.MembershipID, cause.JSON()))
		}
	}
	if len(entries) > 0 {
		s.events.Append(w, at, entries...)
	}
	return nil
}

// LeaveInto takes somebody who is gone for good out of all teams of the organization. Nobody is told of each: that the membership is gone
// says it.
func (s *Service) LeaveInto(w *db.Write, organizationID, membershipID string) {
	w.Exec(clearMember, organizationID, membershipID)
}

// LeaveTx is LeaveInto in a transaction.
func (s *Service) LeaveTx(ctx context.Context, tx db.Tx, organizationID, membershipID string) error {
	if _, err := tx.Exec(ctx, clearMember, organizationID, membershipID); err != nil {
		return fmt.Errorf("take member %s out of teams: %w", membershipID, err)
	}
	return nil
}

// Followed is a directory group that a team follows.
type Followed struct {
	OrganizationID string
	DirectoryID    string
	Group          Group
	Gone           bool // the group was deleted
}

// FollowInto makes, renames or deletes the team that follows a directory group. Its people are put in by TeamsInto.
func (s *Service) FollowInto(ctx context.Context, r db.Reader, w *db.Write, f Followed, cause event.Context) error {
	found, err := readTeams(ctx, r, selectFollow, f.OrganizationID, f.DirectoryID, f.Group.ID)
	if err != nil {
		return err
	}
	at := s.time()
	name := teamName(f.Group.Name)
	switch {
	case len(found) == 0 && f.Gone, len(found) > 0 && !f.Gone && found[0].Name == name:
	case len(found) == 0:
		t := Team{
			ID: TeamID(s.ids.NewID(teamPrefix)), OrganizationID: f.OrganizationID, Name: name,
			DirectoryID: f.DirectoryID, DirectoryGroupID: f.Group.ID, CreatedAt: at, UpdatedAt: at,
		}
		w.Guard(insertTeam+" ON CONFLICT DO NOTHING", insertTeamArgs(t)...)
		s.events.Append(w, at, teamEntry(event.GroupCreated, t, cause.JSON()))
	case f.Gone:
		w.Guard(deleteTeam, f.OrganizationID, string(found[0].ID))
		w.Exec(clearTeam, f.OrganizationID, string(found[0].ID))
		s.events.Append(w, at, teamEntry(event.GroupDeleted, found[0], cause.JSON()))
	default:
		t := found[0]
		t.Name, t.UpdatedAt = name, at
		w.Guard(updateTeam, updateTeamArgs(t)...)
		s.events.Append(w, at, teamEntry(event.GroupUpdated, t, cause.JSON()))
	}
	return nil
}

// teamName is a group's name as far as a team takes it: the contract's length, and never nothing.
func teamName(name string) string {
	if name == "" {
		return "(unnamed)"
	}
	letters := []rune(name)
	return string(letters[:min(len(letters), maxTeamName)])
}

func insertTeamArgs(t Team) []any {
	return []any{
		string(t.ID), t.OrganizationID, t.Name, db.TextOrNull(t.Description), db.TextOrNull(t.DirectoryID), db.TextOrNull(t.DirectoryGroupID),
		t.CreatedAt.UnixMicro(), t.UpdatedAt.UnixMicro(),
	}
}

func updateTeamArgs(t Team) []any {
	return []any{
		t.OrganizationID, string(t.ID), t.Name, db.TextOrNull(t.Description), db.TextOrNull(t.DirectoryID), db.TextOrNull(t.DirectoryGroupID),
		t.UpdatedAt.UnixMicro(),
	}
}

func teamEntry(kind event.Type, t Team, cause []byte) event.Entry {
	return event.Entry{OrganizationID: t.OrganizationID, Type: kind, Context: cause, Data: t.Payload()}
}

func memberEntry(kind event.Type, organizationID string, team TeamID, membershipID string, cause []byte) event.Entry {
	return event.Entry{OrganizationID: organizationID, Type: kind, Context: cause, Data: teamMemberPayload(team, membershipID)}
}

// UnfollowTx is for a directory that is being deleted, after its members were frozen: its teams stay with their people, and so do the places that
// its rules gave; all of it is from then on changed by hand. Its mapping goes.
func (s *Service) UnfollowTx(ctx context.Context, tx db.Tx, organizationID, directoryID string) error {
	if err := s.partTx(ctx, tx, organizationID, directoryID, keepTeamMembers); err != nil {
		return err
	}
	return s.DeleteMappingTx(ctx, tx, organizationID, directoryID)
}

// DeleteMappingTx is for a source that is being deleted.
func (s *Service) DeleteMappingTx(ctx context.Context, tx db.Tx, organizationID, sourceID string) error {
	if _, err := tx.Exec(ctx, deleteMapping, organizationID, sourceID); err != nil {
		return fmt.Errorf("delete the mapping of %s: %w", sourceID, err)
	}
	return nil
}

// DeleteOrganizationTx deletes what an organization that is being deleted has of its own. No events are told, as none are of its members.
func (s *Service) DeleteOrganizationTx(ctx context.Context, tx db.Tx, organizationID string) error {
	for _, text := range []string{clearTeams, deleteTeams, deleteLicences, deleteMappings, deleteRoles} {
		if _, err := tx.Exec(ctx, text, organizationID); err != nil {
			return fmt.Errorf("delete roles, teams and licences of %s: %w", organizationID, err)
		}
	}
	return nil
}
