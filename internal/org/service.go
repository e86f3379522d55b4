package org

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/token"
)

// Service holds the verbs on organizations.
type Service struct {
	db     *db.DB
	events *event.Log
	ids    *token.Source
	now    func() time.Time
	doors  Doors
	uses   uses
	dns    Resolver
}

// Doors are those who remember whom they let in. Moved is called inside a transaction that takes access away or gives it back,
// Await after its commit: it returns when no process lets in from memory any more what was shut out.
type Doors interface {
	Moved(ctx context.Context, tx db.Tx) error
	Await(ctx context.Context) error
}

// noDoors is for a service alone.
type noDoors struct{}

func (noDoors) Moved(context.Context, db.Tx) error { return nil }
func (noDoors) Await(context.Context) error        { return nil }

// SetDoors is called while the services are built, before anything changes.
func (s *Service) SetDoors(d Doors) { s.doors = d }

// NewService makes the service.
func NewService(d *db.DB, events *event.Log, ids *token.Source, now func() time.Time) *Service {
	s := &Service{
		db: d, events: events, ids: ids, now: now, doors: noDoors{}, dns: net.DefaultResolver,
		uses: uses{last: map[string]time.Time{}, pending: map[string]APIKey{}},
	}
	events.Forgets(event.Forgetter{Rows: s.forget})
	return s
}

// Create makes an organization with its domains. A taken external id is Invalid "external_id_already_used", a domain that is
// verified for another organization is a Conflict.
func (s *Service) Create(ctx context.Context, actor event.Actor, n New) (Organization, error) {
	if err := n.check(); err != nil {
		return Organization{}, err
	}
	o := s.build(n)
	cause := event.Context{Actor: actor}.JSON()
	err := s.db.Tx(ctx, func(tx db.Tx) error { return s.insert(ctx, tx, o, cause) })
	if err != nil {
		return Organization{}, fmt.Errorf("create organization: %w", taken(err, n.ExternalID))
	}
	return o, nil
}

// taken makes a refusal of the one name of an organization that only one may have.
func taken(err error, externalID string) error {
	if unique := (*db.UniqueError)(nil); !errors.As(err, &unique) || unique.Table != "organizations" {
		return err
	}
	return fault.New(fault.Invalid, "external_id_already_used", "Another organization has the external id %q already.", externalID).On("external_id")
}

func (s *Service) build(n New) Organization {
	now := s.time()
	o := Organization{
		ID: ID(s.ids.NewID("org")), Name: n.Name, ExternalID: n.ExternalID, Metadata: n.Metadata, CreatedAt: now, UpdatedAt: now,
	}
	for _, d := range n.Domains {
		o.Domains = append(o.Domains, s.buildDomain(o.ID, d, now))
	}
	return o
}

func (s *Service) insert(ctx context.Context, tx db.Tx, o Organization, cause []byte) error {
	metadata := encode(o.Metadata)
	if o.Metadata == nil {
		metadata = []byte("{}")
	}
	at := o.CreatedAt.UnixMicro()
	if _, err := tx.Exec(ctx, insertOrganization, string(o.ID), o.Name, db.TextOrNull(o.ExternalID), metadata, at, at); err != nil {
		return err
	}
	entries := []event.Entry{{OrganizationID: string(o.ID), Type: event.OrganizationCreated, Context: cause, Data: o.Payload()}}
	for _, d := range o.Domains {
		if err := s.insertDomain(ctx, tx, d); err != nil {
			return err
		}
		entries = append(entries, event.Entry{
			OrganizationID: string(o.ID), Type: event.OrganizationDomainCreated, Context: cause, Data: d.Payload(),
		})
	}
	return s.events.AppendTx(ctx, tx, o.CreatedAt, entries...)
}

// Get finds one organization.
func (s *Service) Get(ctx context.Context, id ID) (Organization, error) {
	return s.GetIn(ctx, s.db, id)
}

// GetIn is Get as a reader sees it: a transaction for one.
func (*Service) GetIn(ctx context.Context, r db.Reader, id ID) (Organization, error) {
	found, err := readOrganizations(ctx, r, selectOrganization+" AND id = $1", string(id))
	if err != nil {
		return Organization{}, err
	}
	if len(found) == 0 {
		return Organization{}, NotFound(string(id))
	}
	return found[0], nil
}

// GetByExternalID finds the organization that the app knows by this id of its own.
func (s *Service) GetByExternalID(ctx context.Context, externalID string) (Organization, error) {
	found, err := readOrganizations(ctx, s.db, selectOrganization+" AND external_id = $1", externalID)
	if err != nil {
		return Organization{}, err
	}
	if len(found) == 0 {
		return Organization{}, NotFound(externalID)
	}
	return found[0], nil
}

// time is now, at the precision that is stored.
func (s *Service) time() time.Time { return s.now().UTC().Truncate(time.Microsecond) }

// LockTx holds a living organization until the transaction ends: nothing is made for one that is deleted at the same time.
func (s *Service) LockTx(ctx context.Context, tx db.Tx, id ID) error {
	var found string
	err := tx.QueryRow(ctx, lockOrganization+s.db.ForUpdate(), string(id)).Scan(&found)
	if errors.Is(err, db.ErrNoRows) {
		return NotFound(string(id))
	}
	return err
}

// LivesInto guards a write by a living organization, as LockTx does a transaction.
func (s *Service) LivesInto(w *db.Write, id ID) {
	w.GuardSelect(lockOrganization+s.db.ForShare(), string(id))
}

// NotFound is the refusal for an organization that is not there.
func NotFound(id string) error {
	return fault.New(fault.NotFound, "entity_not_found", "Organization not found: '%.80s'.", id)
}

// ListQuery selects a page of organizations. Limit is the page size; Before and After are ids.
type ListQuery struct {
	Domains       []string
	Search        string // part of the name, in any case
	Before, After string
	Limit         int
	Ascending     bool
}

// List gives a page and whether more follow in the direction read.
func (s *Service) List(ctx context.Context, q ListQuery) ([]Organization, bool, error) {
	p := db.Page{Before: q.Before, After: q.After, Limit: q.Limit, Ascending: q.Ascending}
	if len(q.Domains) > 0 {
		marks := make([]string, len(q.Domains))
		for i, d := range q.Domains {
			marks[i] = p.Arg(strings.ToLower(d))
		}
		p.Where("id IN (SELECT organization_id FROM organization_domains WHERE domain IN (" + strings.Join(marks, ",") + "))")
	}
	if q.Search != "" {
		p.Contains("name", q.Search)
	}
	text, args := p.Statement(selectOrganization, "id")
	found, err := readOrganizations(ctx, s.db, text, args...)
	if err != nil {
		return nil, false, err
	}
	found, more := db.Cut(p, found)
	return found, more, nil
}

func scan(rows db.Rows) (Organization, error) {
	var o Organization
	var external *string
	var metadata []byte
	var created, updated int64
	if err := rows.Scan((*string)(&o.ID), &o.Name, &external, &metadata, &created, &updated); err != nil {
		return o, fmt.Errorf("read organizations: %w", err)
	}
	if external != nil {
		o.ExternalID = *external
	}
	o.CreatedAt, o.UpdatedAt = db.Time(created), db.Time(updated)
	if err := json.Unmarshal(metadata, &o.Metadata); err != nil {
		return o, fmt.Errorf("metadata of organization %s: %w", o.ID, err)
	}
	return o, nil
}

// withDomainsOf fills in the domains that r sees.
func withDomainsOf(ctx context.Context, r db.Reader, organizations []Organization) error {
	if len(organizations) == 0 {
		return nil
	}
	at := map[ID]int{}
	marks, args := make([]string, len(organizations)), make([]any, len(organizations))
	for i, o := range organizations {
		at[o.ID], marks[i], args[i] = i, fmt.Sprintf("$%d", i+1), string(o.ID)
	}
	rows, err := r.Query(ctx, fmt.Sprintf(selectDomains, strings.Join(marks, ",")), args...)
	if err != nil {
		return fmt.Errorf("read organization domains: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		d, err := scanDomain(rows)
		if err != nil {
			return fmt.Errorf("read organization domains: %w", err)
		}
		o := &organizations[at[d.OrganizationID]]
		o.Domains = append(o.Domains, d)
	}
	return rows.Err()
}

// ManagementKey makes sure that a management key exists when none is configured: on the very first start it makes one, stores
// its hash and gives the clear text to be shown once; later the secret is "" and only the hash is known.
func (s *Service) ManagementKey(ctx context.Context) (token.Hash, token.Secret, error) {
	const name = "management_key_hash"
	var hash string
	err := s.db.QueryRow(ctx, selectInstallation, name).Scan(&hash)
	if err == nil {
		return token.Hash(hash), "", nil
	}
	if !errors.Is(err, db.ErrNoRows) {
		return "", "", fmt.Errorf("read the management key's hash: %w", err)
	}
	secret := token.NewSecret("sk")
	var made int64
	err = s.db.Tx(ctx, func(tx db.Tx) (err error) {
		made, err = tx.Exec(ctx, insertInstallation, name, string(token.HashOf(secret)))
		return err
	})
	if err != nil {
		return "", "", fmt.Errorf("store the management key's hash: %w", err)
	}
	if made == 0 { // another replica was first, and it has shown the key
		return s.ManagementKey(ctx)
	}
	return token.HashOf(secret), secret, nil
}

// encode writes the JSON that JSON.stringify would: consumers check signatures over it. Text that is no UTF-8 is mended.
func encode(v any) []byte {
	out, err := json.Marshal(v, json.Deterministic(true), jsontext.AllowInvalidUTF8(true))
	if err != nil { // plain structs of strings
		panic(err)
	}
	return out
}
