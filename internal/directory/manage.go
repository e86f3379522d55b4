package directory

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/token"
)

// New is what a directory is made of. Empty settings get their defaults.
type New struct {
	OrganizationID string
	Name           string
	Type           Type
	Provider       string
	Label          string
	InactiveUsers  InactiveUsers
	Provisioning   Provisioning
	Strict         bool
	Extensions     []byte
	Silent         bool // it collects, and members learn nothing of it until GoLive
	WithoutToken   bool // its first token is made later, where somebody is there to take it
}

const (
	maxName   = 255
	liveLimit = 2 // tokens of a directory that are live at once: the old and the new one while rotating
)

var labelForm = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// providerForm is that of folders in the catalogue of identity providers; which ones there are is for the edge to know.
var providerForm = regexp.MustCompile(`^[a-z0-9-]{1,64}$`)

// reserved are the names of endpoints, which an address can never be.
var reserved = []string{"users", "groups", "me", "bulk", "schemas", "resourcetypes", "serviceproviderconfig"}

// versionForm is how versions of the protocol look in addresses.
var versionForm = regexp.MustCompile(`^v[0-9.]{1,4}$`)

func (n *New) check() error {
	wrong := func(field, code, format string, args ...any) error {
		return fault.New(fault.Unprocessable, code, format, args...).On(field)
	}
	n.Name = strings.TrimSpace(n.Name)
	switch {
	case n.OrganizationID == "":
		return wrong("organization_id", "required", "The directory needs the organization_id it belongs to.")
	case n.Name == "":
		return wrong("name", "required", "The directory needs a name.")
	case utf8.RuneCountInString(n.Name) > maxName || strings.ContainsRune(n.Name, 0):
		return wrong("name", "invalid", "The name has at most %d characters, none of them U+0000.", maxName)
	case !slices.Contains(Types(), n.Type):
		return wrong("type", "invalid_type", "The type %.60q cannot be created. Use one of: %s.", n.Type, joinTypes())
	case n.Provider != "" && !providerForm.MatchString(n.Provider):
		return wrong("provider", "invalid_provider", "A provider is named by 1 to 64 lower-case letters, digits and hyphens; %.60q is not such a name.", n.Provider)
	case n.Label != "" && (!labelForm.MatchString(n.Label) || slices.Contains(reserved, n.Label) || versionForm.MatchString(n.Label)):
		return wrong("label", "invalid_label",
			"A label has 1 to 63 lower-case letters, digits and hyphens, and is neither an endpoint's name nor a version such as v2.")
	case n.InactiveUsers != "" && n.InactiveUsers != Kept && n.InactiveUsers != Removed:
		return wrong("inactive_users", "invalid", "inactive_users is kept or removed.")
	case n.Provisioning != "" && n.Provisioning.check() != nil:
		return n.Provisioning.check()
	}
	_, _, err := parseExtensions(n.Extensions)
	return err
}

func (p Provisioning) check() error {
	if slices.Contains([]Provisioning{Invite, Direct, ExistingOnly}, p) {
		return nil
	}
	return fault.New(fault.Unprocessable, "invalid", "provisioning is invite, direct or existing_only.").On("provisioning")
}

func joinTypes() string {
	names := make([]string, len(Types()))
	for i, t := range Types() {
		names[i] = string(t)
	}
	return strings.Join(names, ", ")
}

// Create makes a directory with its first bearer token, which is in the answer and nowhere else, or without one where that was asked for.
func (s *Service) Create(ctx context.Context, actor event.Actor, n New) (Directory, token.Secret, error) {
	if err := n.check(); err != nil {
		return Directory{}, "", err
	}
	d, secret := s.build(n), token.NewSecret("scim")
	if n.WithoutToken {
		secret = ""
	}
	err := s.db.Tx(ctx, func(tx db.Tx) error {
		if err := s.insert(ctx, tx, d); err != nil {
			return err
		}
		if err := s.auditTx(ctx, tx, actor, nil, d); err != nil || n.WithoutToken {
			return err
		}
		_, err := s.addToken(ctx, tx, actor, d, secret)
		return err
	})
	if err != nil {
		return Directory{}, "", fmt.Errorf("create directory: %w", labelTaken(err, n.Label))
	}
	return d, secret, nil
}

// labelTaken tells that an error means that the label is another directory's.
func labelTaken(err error, label string) error {
	if unique := (*db.UniqueError)(nil); errors.As(err, &unique) && slices.Contains(unique.Columns, "label") {
		return fault.New(fault.Conflict, "label_taken", "The label %q belongs to another directory.", label).On("label")
	}
	return err
}

// filled gives empty settings their defaults.
func (n New) filled() New {
	if n.InactiveUsers == "" {
		n.InactiveUsers = Kept
	}
	if n.Provisioning == "" {
		n.Provisioning = Invite
	}
	if len(n.Extensions) == 0 {
		n.Extensions = []byte("{}")
	}
	return n
}

func (s *Service) build(n New) Directory {
	now := s.time()
	n = n.filled()
	d := Directory{
		ID: ID(s.ids.NewID("directory")), OrganizationID: n.OrganizationID, AddressKey: token.NewKey(20), Label: n.Label,
		Name: n.Name, Type: n.Type, Provider: n.Provider, State: Unlinked, InactiveUsers: n.InactiveUsers, Provisioning: n.Provisioning,
		Strict: n.Strict, Extensions: n.Extensions, LiveAt: now, Brake: DefaultBrake(), CreatedAt: now, UpdatedAt: now,
	}
	if n.Silent {
		d.LiveAt = time.Time{}
	}
	return d
}

func (s *Service) insert(ctx context.Context, tx db.Tx, d Directory) error {
	features, err := org.FeaturesIn(ctx, tx, org.ID(d.OrganizationID), s.db.ForShare())
	if err != nil {
		return err
	}
	if !features.On(org.DirectorySync) {
		return fault.New(fault.Forbidden, "feature_disabled",
			"The feature %s is switched off for organization %s. Switch it on before making a directory.", org.DirectorySync, d.OrganizationID)
	}
	_, err = tx.Exec(ctx, insertDirectory, string(d.ID), d.OrganizationID, d.AddressKey, db.TextOrNull(d.Label), d.Name, string(d.Type), d.Provider,
		string(d.State), string(d.InactiveUsers), string(d.Provisioning), d.Strict, d.Extensions, db.MicrosOrNull(d.LiveAt),
		d.CreatedAt.UnixMicro(), d.UpdatedAt.UnixMicro())
	return err
}

// NotFound is the refusal for a directory that is not there.
func NotFound(id string) error {
	return fault.New(fault.NotFound, "entity_not_found", "Directory not found: '%.80s'.", id)
}

// Get finds one directory.
func (s *Service) Get(ctx context.Context, id ID) (Directory, error) {
	found, err := s.queryDirectories(ctx, selectDirectory+" AND id = $1", string(id))
	if err != nil {
		return Directory{}, err
	}
	if len(found) == 0 {
		return Directory{}, NotFound(string(id))
	}
	return found[0], nil
}

// ListQuery selects a page of directories. Before and After are ids.
type ListQuery struct {
	OrganizationID string
	Search         string // part of the name, in any case
	Before, After  string
	Limit          int
	Ascending      bool
}

// List gives a page and whether more follow in the direction read.
func (s *Service) List(ctx context.Context, q ListQuery) ([]Directory, bool, error) {
	p := db.Page{Before: q.Before, After: q.After, Limit: q.Limit, Ascending: q.Ascending}
	if q.OrganizationID != "" {
		p.Where("organization_id = " + p.Arg(q.OrganizationID))
	}
	if q.Search != "" {
		p.Contains("name", q.Search)
	}
	text, args := p.Statement(selectDirectory, "id")
	found, err := s.queryDirectories(ctx, text, args...)
	if err != nil {
		return nil, false, err
	}
	found, more := db.Cut(p, found)
	return found, more, nil
}

func (s *Service) queryDirectories(ctx context.Context, text string, args ...any) ([]Directory, error) {
	return directoriesIn(ctx, s.db, text, args...)
}

func directoriesIn(ctx context.Context, r db.Reader, text string, args ...any) ([]Directory, error) {
	rows, err := r.Query(ctx, text, args...)
	if err != nil {
		return nil, fmt.Errorf("read directories: %w", err)
	}
	defer rows.Close()
	var out []Directory
	for rows.Next() {
		var d Directory
		var label, switching *string
		var live, paused *int64
		var created, updated int64
		if err := rows.Scan((*string)(&d.ID), &d.OrganizationID, &d.AddressKey, &label, &d.Name, (*string)(&d.Type), &d.Provider,
			(*string)(&d.State), (*string)(&d.InactiveUsers), (*string)(&d.Provisioning), &d.Strict, &d.Extensions, &live, &paused, &created, &updated,
			&d.Brake.Enabled, &d.Brake.Share, &d.Brake.People, &d.Brake.Window, &d.Brake.Hold, &d.Holding, &switching); err != nil {
			return nil, fmt.Errorf("read directories: %w", err)
		}
		if label != nil {
			d.Label = *label
		}
		d.Paused = paused != nil
		if switching != nil {
			d.Switching = Switching(*switching)
		}
		d.LiveAt, d.CreatedAt, d.UpdatedAt = db.TimeOrZero(live), db.Time(created), db.Time(updated)
		out = append(out, d)
	}
	return out, rows.Err()
}

// Counts are exact at the moment of asking.
func (s *Service) Counts(ctx context.Context, id ID) (Counts, error) {
	counts, err := s.CountsOf(ctx, id)
	return counts[id], err
}

// CountsOf counts several directories, a page of them, in two queries of one moment.
func (s *Service) CountsOf(ctx context.Context, ids ...ID) (map[ID]Counts, error) {
	out := make(map[ID]Counts, len(ids))
	for part := range slices.Chunk(ids, chunk) {
		values := make([]string, len(part))
		for i, id := range part {
			values[i], out[id] = string(id), Counts{}
		}
		args := padded(values)
		err := s.db.Snapshot(ctx, func(r db.Reader) error {
			for _, text := range []string{countKinds, countInactive} {
				if err := addCounts(ctx, r, out, fmt.Sprintf(text, list(1, len(args))), args); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("count the users and groups of directories: %w", err)
		}
	}
	return out, nil
}

// addCounts adds one query's rows. People are counted as active until the inactive among them are taken off.
func addCounts(ctx context.Context, r db.Reader, out map[ID]Counts, text string, args []any) error {
	rows, err := r.Query(ctx, text, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var id ID
		var kind string
		var n int64
		if err := rows.Scan((*string)(&id), &kind, &n); err != nil {
			return err
		}
		c := out[id]
		switch kind {
		case kindUser:
			c.Active += n
		case kindGroup:
			c.Groups += n
		default:
			c.Active, c.Inactive = c.Active-n, n
		}
		out[id] = c
	}
	return rows.Err()
}

// notInTx says why a directory could not be deleted: it is gone, or belongs to a switch.
func (s *Service) notInTx(ctx context.Context, tx db.Tx, id ID) error {
	found, err := directoriesIn(ctx, tx, selectDirectory+" AND id = $1", string(id))
	switch {
	case err != nil:
		return err
	case len(found) == 0:
		return NotFound(string(id))
	}
	return errSwitching("deleted")
}

// Delete removes a directory: its tokens die with it, its people and groups are kept only so that their old ids still lead to
// the living records of the organization. Consumers get dsync.deleted and nothing else. Members stay as they are, and are no longer
// managed by it. One that belongs to a switch of the identity provider is Conflict "identity_provider_switching".
func (s *Service) Delete(ctx context.Context, actor event.Actor, id ID) error {
	d, err := s.Get(ctx, id)
	if err != nil {
		return err
	}
	at := s.time()
	err = s.db.Tx(ctx, func(tx db.Tx) error {
		n, err := tx.Exec(ctx, deleteDirectory, string(id), at.UnixMicro())
		if err != nil {
			return err
		}
		if n == 0 {
			return s.notInTx(ctx, tx, id)
		}
		if _, err := tx.Exec(ctx, revokeTokens, string(id), at.UnixMicro()); err != nil {
			return err
		}
		if err := s.door.moved(ctx, tx); err != nil {
			return err
		}
		if err := s.releaseTx(ctx, tx, event.Context{Actor: actor}, d); err != nil {
			return err
		}
		d.UpdatedAt = at
		return s.events.AppendTx(ctx, tx, at, event.Entry{
			OrganizationID: d.OrganizationID, Type: event.DirectoryDeleted, Context: event.Context{Actor: actor}.JSON(), Data: d.eventPayload(false),
		})
	})
	if err != nil {
		return fmt.Errorf("delete directory %s: %w", id, err)
	}
	return s.Deleted(ctx)
}

// Deleted is called once directories are deleted: when it returns, no process lets their tokens in, and those whom their brakes held are seen to, as
// far as a request's time allows.
func (s *Service) Deleted(ctx context.Context) error {
	if err := s.awaitDoors(ctx); err != nil {
		return err
	}
	s.hurryHolds(ctx)
	return nil
}

// DeleteOrganizationTx removes the directories of an organization that goes too: nobody is left who could learn what their brakes hold. The caller
// holds the organization, so that none is made meanwhile, and calls Await after the commit.
func (s *Service) DeleteOrganizationTx(ctx context.Context, tx db.Tx, actor event.Actor, organizationID string, at time.Time) error {
	if err := s.DeleteAllTx(ctx, tx, actor, organizationID, at); err != nil {
		return err
	}
	for _, text := range []string{deleteHeldOf, deleteHoldsOf} {
		if _, err := tx.Exec(ctx, text, organizationID); err != nil {
			return err
		}
	}
	return nil
}

// DeleteAllTx removes all directories of an organization that stays, as Delete does one; what their brakes hold follows. What becomes of members
// is for the caller to say, who holds the organization, so that none is made meanwhile, and calls Deleted after the commit.
func (s *Service) DeleteAllTx(ctx context.Context, tx db.Tx, actor event.Actor, organizationID string, at time.Time) error {
	found, err := directoriesIn(ctx, tx, selectDirectory+" AND organization_id = $1 ORDER BY id"+s.db.ForUpdate(), organizationID)
	if err != nil || len(found) == 0 {
		return err
	}
	for _, text := range []string{deleteDirectoriesOf, revokeTokensOf} {
		if _, err := tx.Exec(ctx, text, organizationID, at.UnixMicro()); err != nil {
			return err
		}
	}
	for _, d := range found {
		if _, err := tx.Exec(ctx, deleteDueOf, string(d.ID)); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, deleteDepartures, string(d.ID)); err != nil {
			return err
		}
	}
	if err := s.door.moved(ctx, tx); err != nil {
		return err
	}
	cause := event.Context{Actor: actor}.JSON()
	entries := make([]event.Entry, len(found))
	for i, d := range found {
		d.UpdatedAt = at
		entries[i] = event.Entry{OrganizationID: organizationID, Type: event.DirectoryDeleted, Context: cause, Data: d.eventPayload(false)}
	}
	return s.events.AppendTx(ctx, tx, at, entries...)
}

// releaseTx lets go of the people of a directory that is removed.
func (s *Service) releaseTx(ctx context.Context, tx db.Tx, cause event.Context, d Directory) error {
	for _, text := range []string{deleteDueOf, deleteDepartures} {
		if _, err := tx.Exec(ctx, text, string(d.ID)); err != nil {
			return err
		}
	}
	if !s.keeps() {
		return nil
	}
	if err := s.members.FreezeTx(ctx, tx, d.OrganizationID, string(d.ID), cause); err != nil {
		return err
	}
	return s.teams.UnfollowTx(ctx, tx, d.OrganizationID, string(d.ID))
}

// CreateToken makes a further bearer token. Two may live at once; a third is a Conflict.
func (s *Service) CreateToken(ctx context.Context, actor event.Actor, id ID) (Token, token.Secret, error) {
	d, err := s.Get(ctx, id)
	if err != nil {
		return Token{}, "", err
	}
	secret := token.NewSecret("scim")
	var made Token
	err = s.db.Tx(ctx, func(tx db.Tx) error {
		var locked string
		err := tx.QueryRow(ctx, lockDirectory+s.db.ForUpdate(), string(id)).Scan(&locked)
		if errors.Is(err, db.ErrNoRows) { // deleted since it was read
			return NotFound(string(id))
		}
		if err != nil {
			return err
		}
		var live int64
		if err := tx.QueryRow(ctx, countTokens, string(id)).Scan(&live); err != nil {
			return err
		}
		if live >= liveLimit {
			return fault.New(fault.Conflict, "token_limit", "The directory has %d live tokens already. Revoke one first.", liveLimit)
		}
		made, err = s.addToken(ctx, tx, actor, d, secret)
		return err
	})
	if err != nil {
		return Token{}, "", fmt.Errorf("create a token of directory %s: %w", id, err)
	}
	return made, secret, nil
}

func (s *Service) addToken(ctx context.Context, tx db.Tx, actor event.Actor, d Directory, secret token.Secret) (Token, error) {
	t := Token{ID: TokenID(s.ids.NewID("directory_token")), DirectoryID: d.ID, Suffix: secret.Suffix(), CreatedAt: s.time()}
	_, err := tx.Exec(ctx, insertToken, string(t.ID), string(d.ID), string(token.HashOf(secret)), t.Suffix, t.CreatedAt.UnixMicro())
	if err != nil {
		return t, err
	}
	if err := s.door.moved(ctx, tx); err != nil {
		return t, err
	}
	return t, s.events.AppendTx(ctx, tx, t.CreatedAt, event.Entry{
		OrganizationID: d.OrganizationID, Type: event.DirectoryTokenCreated, Context: event.Context{Actor: actor}.JSON(),
		Data: t.payload(d.OrganizationID),
	})
}

// Tokens lists a directory's tokens, the oldest first, revoked ones too.
func (s *Service) Tokens(ctx context.Context, id ID) ([]Token, error) {
	rows, err := s.db.Query(ctx, selectTokens, string(id))
	if err != nil {
		return nil, fmt.Errorf("read tokens: %w", err)
	}
	defer rows.Close()
	var out []Token
	for rows.Next() {
		t := Token{DirectoryID: id}
		var created int64
		var used, revoked *int64
		if err := rows.Scan((*string)(&t.ID), &t.Suffix, &created, &used, &revoked); err != nil {
			return nil, fmt.Errorf("read tokens: %w", err)
		}
		t.CreatedAt, t.LastUsedAt, t.RevokedAt = db.Time(created), db.TimeOrZero(used), db.TimeOrZero(revoked)
		out = append(out, t)
	}
	return out, rows.Err()
}

// RevokeToken ends a token at once: when it returns, no process accepts it any more. A token that is not there, or revoked already, is NotFound.
func (s *Service) RevokeToken(ctx context.Context, actor event.Actor, id ID, tokenID TokenID) error {
	d, err := s.Get(ctx, id)
	if err != nil {
		return err
	}
	tokens, err := s.Tokens(ctx, id)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(tokens, func(t Token) bool { return t.ID == tokenID && t.RevokedAt.IsZero() })
	gone := fault.New(fault.NotFound, "entity_not_found", "Token not found: '%.80s'.", tokenID)
	if i < 0 {
		return gone
	}
	at := s.time()
	err = s.db.Tx(ctx, func(tx db.Tx) error {
		n, err := tx.Exec(ctx, revokeToken, string(id), string(tokenID), at.UnixMicro())
		if err != nil {
			return err
		}
		if n == 0 {
			return gone
		}
		if err := s.door.moved(ctx, tx); err != nil {
			return err
		}
		return s.events.AppendTx(ctx, tx, at, event.Entry{
			OrganizationID: d.OrganizationID, Type: event.DirectoryTokenRevoked, Context: event.Context{Actor: actor}.JSON(),
			Data: tokens[i].payload(d.OrganizationID),
		})
	})
	if err != nil {
		return fmt.Errorf("revoke token %s: %w", tokenID, err)
	}
	return s.awaitDoors(ctx)
}
