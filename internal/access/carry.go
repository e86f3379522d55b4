package access

import (
	"context"
	"fmt"
	"slices"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
)

// Carriage is a switch from one source of an organization to another, and which group of the old one is which of the new.
type Carriage struct {
	OrganizationID string
	From, To       string            // directories or connections
	Groups         map[string]Group  // by the old id; of a connection none
	Names          map[string]string // by the old name, for conditions that name no id
}

// CarriedMapping says what became of a mapping in CarryTx.
type CarriedMapping string

// The closed list.
const (
	MappingNone    CarriedMapping = "none"    // the old source has none
	MappingCarried CarriedMapping = "carried" // the new one has it now
	MappingKept    CarriedMapping = "kept"    // the new one has its own already, which stays
)

// CarryTx gives the new source the mapping of the old one, with its own groups in the place of those that they are matched to, and has the teams
// that followed a group follow its counterpart. A new source that has a mapping already keeps it. Mapping and teams of the old source stay as they
// are where nothing is matched; so do conditions on such groups, which nobody is in any more.
func (s *Service) CarryTx(ctx context.Context, tx db.Tx, actor event.Actor, c Carriage) (CarriedMapping, error) {
	for old, group := range c.Groups {
		if _, err := tx.Exec(ctx, refollow, c.OrganizationID, c.From, old, c.To, group.ID, s.time().UnixMicro()); err != nil {
			return "", fmt.Errorf("have teams follow the groups of %s: %w", c.To, err)
		}
	}
	from, err := MappingIn(ctx, tx, c.OrganizationID, c.From)
	if err != nil || from.Version == 0 {
		return MappingNone, err
	}
	to, err := MappingIn(ctx, tx, c.OrganizationID, c.To)
	if err != nil || to.Version > 0 {
		return MappingKept, err
	}
	_, _, err = s.SetMappingTx(ctx, tx, actor, NewMapping{
		OrganizationID: c.OrganizationID, SourceID: c.To, DrivesRoles: from.DrivesRoles, DrivesTeams: from.DrivesTeams,
		DrivesLicences: from.DrivesLicences, TeamsFollow: from.TeamsFollow, Rules: c.rules(from.Rules),
	})
	return MappingCarried, err
}

// rules are those of the old source about the groups of the new.
func (c Carriage) rules(old []Rule) []Rule {
	out := make([]Rule, len(old))
	for i, r := range old {
		r.When = slices.Clone(r.When)
		for n, condition := range r.When {
			if condition.Group != nil {
				r.When[n].Group = c.group(*condition.Group)
			}
		}
		out[i] = r
	}
	return out
}

func (c Carriage) group(old Group) *Group {
	if next, ok := c.Groups[old.ID]; ok && old.ID != "" {
		return &next
	}
	if name, ok := c.Names[old.Name]; ok && old.ID == "" {
		return &Group{Name: name}
	}
	return &old
}

// ReturnTx undoes CarryTx, after members were returned: teams follow the groups of the old source again. Those that follow others of the new one
// are changed by hand from then on: who came by it alone stays in them, and whom the old one has again gets what that gives. A mapping that was
// carried is taken away.
func (s *Service) ReturnTx(ctx context.Context, tx db.Tx, c Carriage, was CarriedMapping) error {
	for old, group := range c.Groups {
		if _, err := tx.Exec(ctx, refollow, c.OrganizationID, c.To, group.ID, c.From, old, s.time().UnixMicro()); err != nil {
			return fmt.Errorf("have teams follow the groups of %s: %w", c.From, err)
		}
	}
	if err := s.partTx(ctx, tx, c.OrganizationID, c.To, keepOfOthers, c.From); err != nil {
		return err
	}
	if was != MappingCarried {
		return nil
	}
	return s.DeleteMappingTx(ctx, tx, c.OrganizationID, c.To)
}

// LetTeamsGoTx leaves the teams that follow groups of a directory as they are, and the places that its rules gave; from then on they are changed by
// hand. The mapping stays.
func (s *Service) LetTeamsGoTx(ctx context.Context, tx db.Tx, organizationID, directoryID string) error {
	return s.partTx(ctx, tx, organizationID, directoryID, keepTeamMembers)
}

// partTx parts teams and places from a directory. keep frees the people of the teams that followed its groups.
func (s *Service) partTx(ctx context.Context, tx db.Tx, organizationID, directoryID, keep string, more ...any) error {
	for _, do := range []struct {
		text string
		more []any
	}{
		{keepPlaces, nil}, // of other teams than those that are let go
		{keep, more},
		{unfollow, []any{s.time().UnixMicro()}},
	} {
		if _, err := tx.Exec(ctx, do.text, append([]any{organizationID, directoryID}, do.more...)...); err != nil {
			return fmt.Errorf("part the teams from directory %s: %w", directoryID, err)
		}
	}
	return nil
}

// CountsOn says whether the mapping gives something by a group, or a team follows it.
func (m Mapping) CountsOn(g Group, follows map[string]TeamID) bool {
	if _, followed := follows[g.ID]; followed {
		return true
	}
	return slices.ContainsFunc(m.active(), func(r Rule) bool {
		return slices.ContainsFunc(r.When, func(c Condition) bool {
			return c.Group != nil && (c.Group.ID == g.ID || c.Group.ID == "" && c.Group.Name == g.Name)
		})
	})
}

// FollowedIn are the teams that follow groups of a directory, by the group's id.
func FollowedIn(ctx context.Context, r db.Reader, organizationID, directoryID string) (map[string]TeamID, error) {
	return followed(ctx, r, organizationID, directoryID)
}
