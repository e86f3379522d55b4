package mirror

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/rollcallhq/rollcall/client"
)

// apply puts what an event means for the tables into a batch. Types that mean nothing here are passed over.
func (t tables) apply(b *pgx.Batch, e client.Event) error {
	switch e.Type {
	case "organization.created", "organization.updated":
		return t.organization(b, e)
	case "organization.deleted":
		return t.drop(b, e, dropOrganization)
	case "dsync.activated":
		return t.directory(b, e)
	case "dsync.deleted":
		return t.drop(b, e, dropDirectory)
	case "dsync.user.created", "dsync.user.updated":
		return t.user(b, e)
	case "dsync.user.deleted":
		return t.drop(b, e, dropUser)
	case "dsync.group.created", "dsync.group.updated":
		return t.group(b, e)
	case "dsync.group.deleted":
		return t.drop(b, e, dropGroup)
	case "dsync.group.user_added":
		return t.member(b, e, true)
	case "dsync.group.user_removed":
		return t.member(b, e, false)
	}
	return nil
}

// types are those that apply understands.
var types = []string{
	"organization.created", "organization.updated", "organization.deleted", "dsync.activated", "dsync.deleted",
	"dsync.user.created", "dsync.user.updated", "dsync.user.deleted", "dsync.group.created", "dsync.group.updated", "dsync.group.deleted",
	"dsync.group.user_added", "dsync.group.user_removed",
}

func (t tables) drop(b *pgx.Batch, e client.Event, statements []string) error {
	gone, err := client.As[struct {
		ID string `json:"id"`
	}](e)
	if err != nil {
		return err
	}
	if gone.ID == "" {
		return fmt.Errorf("%s %s says nothing about what is deleted", e.Type, e.ID)
	}
	for _, s := range statements {
		b.Queue(t.in(s), gone.ID)
	}
	return nil
}

func (t tables) organization(b *pgx.Batch, e client.Event) error {
	o, err := client.As[client.Organization](e)
	if err != nil {
		return err
	}
	metadata, err := json.Marshal(o.Metadata)
	if err != nil {
		return err
	}
	stored, err := storable(metadata)
	b.Queue(t.in(putOrganization), o.ID, text(o.Name), optional(o.ExternalID), stored, o.CreatedAt, o.UpdatedAt)
	return err
}

func (t tables) directory(b *pgx.Batch, e client.Event) error {
	d, err := client.As[client.Directory](e)
	b.Queue(t.in(putDirectory), d.ID, d.OrganizationID, text(d.Name), d.Type, d.CreatedAt, d.UpdatedAt)
	return err
}

func (t tables) user(b *pgx.Batch, e client.Event) error {
	u, err := client.As[client.DirectoryUser](e)
	if err != nil {
		return err
	}
	custom, err := storable(u.CustomAttributes)
	if err != nil {
		return err
	}
	raw, err := storable(u.RawAttributes)
	b.Queue(t.in(putUser), u.ID, u.DirectoryID, u.OrganizationID, text(u.IdPID), u.State, optional(u.Email), optional(u.FirstName),
		optional(u.LastName), optional(u.Name), optional(u.Username), optional(u.JobTitle), custom, raw, u.CreatedAt, u.UpdatedAt)
	return err
}

func (t tables) group(b *pgx.Batch, e client.Event) error {
	g, err := client.As[client.DirectoryGroup](e)
	if err != nil {
		return err
	}
	raw, err := storable(g.RawAttributes)
	b.Queue(t.in(putGroup), g.ID, g.DirectoryID, g.OrganizationID, text(g.IdPID), text(g.Name), raw, g.CreatedAt, g.UpdatedAt)
	return err
}

func (t tables) member(b *pgx.Batch, e client.Event, in bool) error {
	m, err := client.As[client.DirectoryMembership](e)
	switch {
	case err != nil:
		return err
	case in:
		b.Queue(t.in(putMembership), m.Group.ID, m.User.ID, m.DirectoryID, m.Group.OrganizationID)
	default:
		b.Queue(t.in(dropMembership), m.Group.ID, m.User.ID)
	}
	return nil
}

// optional makes null of what is not set.
func optional(s string) *string {
	if s == "" {
		return nil
	}
	s = text(s)
	return &s
}

// text leaves out the one character that PostgreSQL cannot store.
func text(s string) string { return strings.ReplaceAll(s, "\x00", "") }

// storable makes of what an identity provider wrote something that jsonb takes: it refuses U+0000, halves of characters, and
// numbers of more than some hundred thousand digits. One such value must not stop the mirror, so it is replaced.
func storable(raw json.RawMessage) (string, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return "{}", nil
	}
	d := json.NewDecoder(strings.NewReader(string(raw)))
	d.UseNumber()
	var value any
	if err := d.Decode(&value); err != nil {
		return "", fmt.Errorf("attributes that cannot be read: %w", err)
	}
	out, err := json.Marshal(tame(value))
	return string(out), err
}

func tame(value any) any {
	switch v := value.(type) {
	case string:
		return text(v)
	case json.Number:
		if f, err := strconv.ParseFloat(v.String(), 64); err != nil || math.Abs(f) > 1e300 || len(v) > 1000 || f == 0 && strings.ContainsAny(v.String(), "eE") {
			return v.String()
		}
	case []any:
		for i := range v {
			v[i] = tame(v[i])
		}
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, one := range v {
			out[text(k)] = tame(one)
		}
		return out
	}
	return value
}
