package access

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
)

// NewTeam is what a team is made of.
type NewTeam struct{ OrganizationID, Name, Description string }

// TeamChanges are what a team is changed to; nil leaves a field as it is.
type TeamChanges struct{ Name, Description *string }

// TeamNotFound is the refusal for a team that is not there, or another organization's.
func TeamNotFound(id string) error {
	return fault.New(fault.NotFound, "entity_not_found", "Group not found: '%.80s'.", id)
}

func placeNotFound(membershipID string) error {
	return fault.New(fault.NotFound, "entity_not_found", "Organization membership not found: '%.80s'.", membershipID)
}

// Teams gives a page of an organization's teams and whether more follow in the direction read.
func (s *Service) Teams(ctx context.Context, organizationID string, q Page) ([]Team, bool, error) {
	p := q.of()
	p.Arg(organizationID) // $1 of the statement
	text, args := p.Statement(selectTeams, "id")
	found, err := readTeams(ctx, s.db, text, args...)
	if err != nil {
		return nil, false, err
	}
	found, more := db.Cut(p, found)
	return found, more, nil
}

// Team finds one.
func (s *Service) Team(ctx context.Context, organizationID string, id TeamID) (Team, error) {
	return team(ctx, s.db, selectTeam, organizationID, id)
}

func team(ctx context.Context, r db.Reader, text, organizationID string, id TeamID) (Team, error) {
	found, err := readTeams(ctx, r, text, organizationID, string(id))
	if err != nil {
		return Team{}, err
	}
	if len(found) == 0 {
		return Team{}, TeamNotFound(string(id))
	}
	return found[0], nil
}

// MemberTeam is a team with who put the member into it.
type MemberTeam struct {
	Team  Team
	PutBy PutBy
}

// TeamsOfMember lists the teams that a membership of an organization is in, by name.
func (s *Service) TeamsOfMember(ctx context.Context, organizationID, membershipID string) ([]MemberTeam, error) {
	places, err := PlacesIn(ctx, s.db, organizationID, membershipID)
	if err != nil {
		return nil, err
	}
	teams, err := readTeams(ctx, s.db, selectTeamsWith, organizationID, membershipID)
	if err != nil {
		return nil, err
	}
	var out []MemberTeam
	for _, t := range teams {
		if i := slices.IndexFunc(places, func(p Place) bool { return p.Team == t.ID }); i >= 0 {
			out = append(out, MemberTeam{t, places[i].PutBy})
		}
	}
	return out, nil
}

// CreateTeam makes a team that nobody is in.
func (s *Service) CreateTeam(ctx context.Context, actor event.Actor, n NewTeam) (Team, error) {
	n.Name = strings.TrimSpace(n.Name)
	if err := errors.Join(checkTitle(n.Name, maxTeamName), checkDescription(n.Description)); err != nil {
		return Team{}, err
	}
	at := s.time()
	t := Team{ID: TeamID(s.ids.NewID(teamPrefix)), OrganizationID: n.OrganizationID, Name: n.Name, Description: n.Description, CreatedAt: at, UpdatedAt: at}
	err := s.db.Tx(ctx, func(tx db.Tx) error {
		if err := s.living(ctx, tx, n.OrganizationID); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, insertTeam, insertTeamArgs(t)...); err != nil {
			return err
		}
		return s.events.AppendTx(ctx, tx, at, teamEntry(event.GroupCreated, t, event.Context{Actor: actor}.JSON()))
	})
	if err != nil {
		return Team{}, fmt.Errorf("create team: %w", err)
	}
	return t, nil
}

// UpdateTeam changes a team. The name of one that follows a directory group is the directory's: a Conflict "directory_managed".
func (s *Service) UpdateTeam(ctx context.Context, actor event.Actor, organizationID string, id TeamID, c TeamChanges) (out Team, err error) {
	if err := c.check(); err != nil {
		return Team{}, err
	}
	err = s.db.Tx(ctx, func(tx db.Tx) error {
		if out, err = team(ctx, tx, selectTeam+s.db.ForUpdate(), organizationID, id); err != nil {
			return err
		}
		before := out
		if c.Name != nil {
			out.Name = *c.Name
		}
		if c.Description != nil {
			out.Description = *c.Description
		}
		if out == before {
			return nil
		}
		if out.Follows() && out.Name != before.Name {
			return s.errManaged(ctx, tx, out, "name")
		}
		out.UpdatedAt = s.time()
		if _, err := tx.Exec(ctx, updateTeam, updateTeamArgs(out)...); err != nil {
			return err
		}
		return s.events.AppendTx(ctx, tx, out.UpdatedAt, teamEntry(event.GroupUpdated, out, event.Context{Actor: actor}.JSON()))
	})
	if err != nil {
		return Team{}, fmt.Errorf("change team %s: %w", id, err)
	}
	return out, nil
}

func (c *TeamChanges) check() error {
	var err error
	if c.Name != nil {
		name := strings.TrimSpace(*c.Name)
		c.Name, err = &name, checkTitle(name, maxTeamName)
	}
	if c.Description != nil {
		err = errors.Join(err, checkDescription(*c.Description))
	}
	return err
}

// errManaged names the directory whose word counts.
func (s *Service) errManaged(ctx context.Context, r db.Reader, t Team, what string) error {
	var name string
	if err := r.QueryRow(ctx, selectDirectoryName, t.OrganizationID, t.DirectoryID).Scan(&name); err != nil && !errors.Is(err, db.ErrNoRows) {
		return err
	}
	return fault.New(fault.Conflict, "directory_managed", "The team %q follows a group of the directory %q, which gives its %s. Change the group there.", t.Name, name, what)
}

// DeleteTeam deletes a team; its people stay members. One that follows a directory group is a Conflict "directory_managed".
func (s *Service) DeleteTeam(ctx context.Context, actor event.Actor, organizationID string, id TeamID) error {
	err := s.db.Tx(ctx, func(tx db.Tx) error {
		t, err := team(ctx, tx, selectTeam+s.db.ForUpdate(), organizationID, id)
		if err != nil {
			return err
		}
		if t.Follows() {
			return s.errManaged(ctx, tx, t, "being there")
		}
		named, err := mappingNaming(ctx, tx, organizationID, SetTeam, string(id))
		if err != nil {
			return err
		}
		if named != "" {
			return fault.New(fault.Conflict, "team_has_mappings", "The mapping of %s puts people into the team %q. Change that mapping first.", named, t.Name)
		}
		if _, err := tx.Exec(ctx, deleteTeam, organizationID, string(id)); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, clearTeam, organizationID, string(id)); err != nil {
			return err
		}
		return s.events.AppendTx(ctx, tx, s.time(), teamEntry(event.GroupDeleted, t, event.Context{Actor: actor}.JSON()))
	})
	if err != nil {
		return fmt.Errorf("delete team %s: %w", id, err)
	}
	return nil
}

// AddToTeam puts a member into a team by hand. Who is in it already stays as they are, silently. A pending member is put in too.
func (s *Service) AddToTeam(ctx context.Context, actor event.Actor, organizationID string, id TeamID, membershipID string) (out Team, err error) {
	err = s.db.Tx(ctx, func(tx db.Tx) error {
		if out, err = s.handledTx(ctx, tx, organizationID, id); err != nil {
			return err
		}
		var found string
		err := tx.QueryRow(ctx, lockMembership+s.db.ForShare(), organizationID, membershipID).Scan(&found)
		if errors.Is(err, db.ErrNoRows) {
			return placeNotFound(membershipID)
		}
		if err != nil {
			return err
		}
		at := s.time()
		n, err := tx.Exec(ctx, insertTeamMember, organizationID, string(id), membershipID, string(ByHand), at.UnixMicro())
		if err != nil || n == 0 {
			return err
		}
		return s.events.AppendTx(ctx, tx, at, memberEntry(event.GroupMemberAdded, organizationID, id, membershipID, event.Context{Actor: actor}.JSON()))
	})
	if err != nil {
		return Team{}, fmt.Errorf("add to team %s: %w", id, err)
	}
	return out, nil
}

// handledTx holds a team whose people are changed by hand.
func (s *Service) handledTx(ctx context.Context, tx db.Tx, organizationID string, id TeamID) (Team, error) {
	return s.handled(ctx, tx, selectTeam+s.db.ForShare(), organizationID, id)
}

func (s *Service) handled(ctx context.Context, r db.Reader, text, organizationID string, id TeamID) (Team, error) {
	t, err := team(ctx, r, text, organizationID, id)
	if err == nil && t.Follows() {
		err = s.errManaged(ctx, r, t, "people")
	}
	return t, err
}

// Handled refuses a team whose people no hand changes, as AddToTeam does.
func (s *Service) Handled(ctx context.Context, organizationID string, id TeamID) error {
	_, err := s.handled(ctx, s.db, selectTeam, organizationID, id)
	return err
}

// RemoveFromTeam takes a member out of a team. Whom a mapping put in it puts in again, so that is a Conflict "directory_managed", which names its
// source. Where that is gone, or gives the place no more, a hand may take it.
func (s *Service) RemoveFromTeam(ctx context.Context, actor event.Actor, organizationID string, id TeamID, membershipID string) error {
	err := s.db.Tx(ctx, func(tx db.Tx) error {
		t, err := s.handledTx(ctx, tx, organizationID, id)
		if err != nil {
			return err
		}
		var by PutBy
		err = tx.QueryRow(ctx, selectPlace, organizationID, string(id), membershipID).Scan((*string)(&by))
		switch {
		case errors.Is(err, db.ErrNoRows):
			return placeNotFound(membershipID)
		case err != nil:
			return err
		case by == ByMapping || by == ByConnection:
			err = placedByMapping(ctx, tx, t, membershipID)
		}
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, deleteTeamMember, organizationID, string(id), membershipID); err != nil {
			return err
		}
		return s.events.AppendTx(ctx, tx, s.time(), memberEntry(event.GroupMemberRemoved, organizationID, id, membershipID, event.Context{Actor: actor}.JSON()))
	})
	if err != nil {
		return fmt.Errorf("remove from team %s: %w", id, err)
	}
	return nil
}

// placedByMapping refuses what a source that is there puts a member into.
func placedByMapping(ctx context.Context, r db.Reader, t Team, membershipID string) error {
	var kind, id, name string
	err := r.QueryRow(ctx, selectPlacedBy, t.OrganizationID, membershipID, `%"`+string(t.ID)+`"%`).Scan(&kind, &id, &name)
	if errors.Is(err, db.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look who puts %s into team %s: %w", membershipID, t.ID, err)
	}
	return fault.New(fault.Conflict, "directory_managed",
		"The %s %.100q (%s) puts this member into the team %q by its mapping. Change the mapping, or the person in the identity provider.", kind, name, id, t.Name)
}
