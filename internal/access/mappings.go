package access

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
)

// NewMapping is what a mapping is set to, as a whole.
type NewMapping struct {
	OrganizationID string
	SourceID       string
	DrivesRoles    bool
	DrivesTeams    bool
	DrivesLicences bool
	TeamsFollow    bool
	Rules          []Rule
	Version        *int64 // the one that is replaced, 0 where none was saved; nil: whichever it is
}

// OfDirectory says that the source is a directory, not a connection.
func (n NewMapping) OfDirectory() bool { return ofDirectory(n.SourceID) }

// Mapping is the mapping of a source of an organization.
func (s *Service) Mapping(ctx context.Context, organizationID, sourceID string) (m Mapping, err error) {
	err = s.db.Snapshot(ctx, func(r db.Reader) error {
		m, err = MappingIn(ctx, r, organizationID, sourceID)
		return err
	})
	return m, err
}

// SetMappingTx saves a mapping, and gives that of before too: where the version has moved, the people of the source have to be looked at again. A rule
// that gives what the organization does not have is Unprocessable "invalid_rule"; another version than the one named is Precondition "version_conflict".
func (s *Service) SetMappingTx(ctx context.Context, tx db.Tx, actor event.Actor, n NewMapping) (m, before Mapping, err error) {
	if err := s.living(ctx, tx, n.OrganizationID); err != nil {
		return Mapping{}, Mapping{}, err
	}
	if err := n.Check(ctx, tx, s.db.ForShare()); err != nil {
		return Mapping{}, Mapping{}, err
	}
	before, err = MappingIn(ctx, tx, n.OrganizationID, n.SourceID) // the organization's row is held: nobody else saves one
	if err != nil {
		return Mapping{}, Mapping{}, err
	}
	if n.Version != nil && *n.Version != before.Version {
		return Mapping{}, Mapping{}, fault.New(fault.Precondition, "version_conflict",
			"The mapping was changed meanwhile. Read it again, and repeat the change on version %d.", before.Version).
			Compared(fmt.Sprint(before.Version), fmt.Sprint(*n.Version))
	}
	at := s.time()
	m = n.mapping(before, at)
	if before.Version > 0 && m.same(before) {
		return before, before, nil
	}
	if err := saveTx(ctx, tx, m, before.Version); err != nil {
		return Mapping{}, Mapping{}, fmt.Errorf("save the mapping of %s: %w", n.SourceID, err)
	}
	if m.DrivesTeams && m.TeamsFollow {
		if m.Followed, err = followed(ctx, tx, m.OrganizationID, m.SourceID); err != nil {
			return Mapping{}, Mapping{}, err
		}
	}
	return m, before, s.events.AppendTx(ctx, tx, at, event.Entry{
		OrganizationID: m.OrganizationID, Type: event.MappingUpdated, Data: m.Payload(),
		Context: event.Context{Actor: actor, Changes: event.Diff(before.settings(), m.settings())}.JSON(),
	})
}

// mapping is what it becomes, the version after that of before.
func (n NewMapping) mapping(before Mapping, at time.Time) Mapping {
	m := Mapping{
		OrganizationID: n.OrganizationID, SourceID: n.SourceID, DrivesRoles: n.DrivesRoles, DrivesTeams: n.DrivesTeams,
		DrivesLicences: n.DrivesLicences, TeamsFollow: n.TeamsFollow, Rules: n.Rules, Version: before.Version + 1,
		CreatedAt: before.CreatedAt, UpdatedAt: at,
	}
	if before.Version == 0 {
		m.CreatedAt = at
	}
	return m
}

// Proposed is the mapping as it would be, for what nobody has saved.
func (n NewMapping) Proposed(before Mapping) Mapping {
	m := n.mapping(before, before.UpdatedAt)
	m.Followed = before.Followed
	return m
}

func (m Mapping) same(o Mapping) bool {
	return m.DrivesRoles == o.DrivesRoles && m.DrivesTeams == o.DrivesTeams && m.DrivesLicences == o.DrivesLicences && m.TeamsFollow == o.TeamsFollow &&
		string(RulesJSON(m.Rules)) == string(RulesJSON(o.Rules))
}

// settings are what the audit tells of it. Where none was ever saved they are those that every source begins with.
func (m Mapping) settings() event.Settings {
	return event.Settings{
		"drives_roles": m.DrivesRoles, "drives_teams": m.DrivesTeams, "drives_licences": m.DrivesLicences, "teams_follow_groups": m.TeamsFollow,
		"rules": jsontext.Value(RulesJSON(m.Rules)),
	}
}

func saveTx(ctx context.Context, tx db.Tx, m Mapping, version int64) error {
	rules := RulesJSON(m.Rules)
	if version == 0 {
		_, err := tx.Exec(ctx, insertMapping, m.OrganizationID, m.SourceID, m.DrivesRoles, m.DrivesTeams, m.DrivesLicences, m.TeamsFollow, rules, m.Version,
			m.CreatedAt.UnixMicro(), m.UpdatedAt.UnixMicro())
		return err
	}
	_, err := tx.Exec(ctx, updateMapping, m.OrganizationID, m.SourceID, version, m.DrivesRoles, m.DrivesTeams, m.DrivesLicences, m.TeamsFollow, rules,
		m.UpdatedAt.UnixMicro())
	return err
}

// Check asks whether the organization has what the rules give, and the source what they ask for. lock is "" or what db.ForShare gives, which
// keeps roles, teams and licence types from being deleted until the transaction ends.
func (n NewMapping) Check(ctx context.Context, r db.Reader, lock string) error {
	if n.TeamsFollow && !ofDirectory(n.SourceID) {
		return fault.New(fault.Unprocessable, "invalid_mapping", "Teams can follow the groups of a directory, not those of a connection.").On("teams_follow_groups")
	}
	h, err := has(ctx, r, n.OrganizationID, lock)
	if err != nil {
		return err
	}
	for i, rule := range n.Rules {
		w, err := h.lacks(ctx, r, n, rule, lock)
		if err != nil {
			return err
		}
		if w != nil {
			return w.at(i)
		}
	}
	return nil
}

// holdings are what an organization has to give.
type holdings struct{ roles, licences []string }

func has(ctx context.Context, r db.Reader, organizationID, lock string) (h holdings, err error) {
	roles, err := readRoles(ctx, r, selectRoles+lock, organizationID)
	if err != nil {
		return h, err
	}
	licences, err := readLicences(ctx, r, selectLicences+lock, organizationID)
	if err != nil {
		return h, err
	}
	h.roles = append(h.roles, RoleMember)
	for _, r := range roles {
		h.roles = append(h.roles, r.Slug)
	}
	for _, l := range licences {
		h.licences = append(h.licences, l.Slug)
	}
	return h, nil
}

// lacks says which field of a rule names what is not there. What is read of people cannot be known; what is written down is.
func (h holdings) lacks(ctx context.Context, r db.Reader, n NewMapping, rule Rule, lock string) (*wrong, error) {
	for i, c := range rule.When {
		if c.Group != nil && c.Group.ID != "" && !ofDirectory(n.SourceID) {
			return wrongf(whenField(rule, i)+".group_id", "a connection knows groups by their names only; use group."), nil
		}
	}
	if rule.To == "" {
		return nil, nil //nolint:nilnil // nothing is lacking and nothing failed
	}
	switch rule.Set {
	case SetRole:
		if !slices.Contains(h.roles, rule.To) {
			return wrongf("to", "the organization has no role %.60q.", rule.To), nil
		}
	case SetLicence:
		if !slices.Contains(h.licences, rule.To) {
			return wrongf("to", "the organization has no licence type %.60q.", rule.To), nil
		}
	case SetTeam:
		return lacksTeam(ctx, r, n.OrganizationID, rule.To, lock)
	case SetAttribute, SetProfile:
	}
	return nil, nil //nolint:nilnil // as above
}

func whenField(r Rule, i int) string {
	if len(r.When) > 1 {
		return fmt.Sprintf("when.%d", i)
	}
	return "when"
}

func lacksTeam(ctx context.Context, r db.Reader, organizationID, id, lock string) (*wrong, error) {
	found, err := readTeams(ctx, r, selectTeam+lock, organizationID, id)
	switch {
	case err != nil:
		return nil, err
	case len(found) == 0:
		return wrongf("to", "the organization has no team %.60q.", id), nil
	case found[0].Follows():
		return wrongf("to", "the team %.60q follows a directory group, which alone says who is in it.", found[0].Name), nil
	}
	return nil, nil //nolint:nilnil // nothing is lacking and nothing failed
}

// Payload is the mapping as API and events show it.
func (m Mapping) Payload() []byte {
	var made, changed *string
	if m.Version > 0 {
		a, b := shownTime(m.CreatedAt), shownTime(m.UpdatedAt)
		made, changed = &a, &b
	}
	return encode(struct {
		Object         string         `json:"object"`
		OrganizationID string         `json:"organization_id"`
		SourceID       string         `json:"source_id"`
		Version        int64          `json:"version"`
		DrivesRoles    bool           `json:"drives_roles"`
		DrivesTeams    bool           `json:"drives_teams"`
		DrivesLicences bool           `json:"drives_licences"`
		TeamsFollow    bool           `json:"teams_follow_groups"`
		Rules          jsontext.Value `json:"rules"`
		CreatedAt      *string        `json:"created_at"`
		UpdatedAt      *string        `json:"updated_at"`
	}{
		"mapping", m.OrganizationID, m.SourceID, m.Version, m.DrivesRoles, m.DrivesTeams, m.DrivesLicences, m.TeamsFollow, RulesJSON(m.Rules), made, changed,
	})
}
