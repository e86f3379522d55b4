package org

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
)

// Changes are what an update changes of an organization; what is nil stays.
type Changes struct {
	Name       *string
	ExternalID *string            // "" takes it away
	Metadata   map[string]*string // merged: a key with nil goes, keys that are not named stay
	Domains    *[]NewDomain       // what the organization has afterwards
}

func (c *Changes) check() error {
	if c.Name != nil {
		name := strings.TrimSpace(*c.Name)
		c.Name = &name
		if err := checkName(name); err != nil {
			return err
		}
	}
	if c.ExternalID != nil {
		if err := checkExternalID(*c.ExternalID); err != nil {
			return err
		}
	}
	if c.Domains != nil {
		return checkDomains(*c.Domains)
	}
	return nil
}

// merged is the metadata afterwards.
func (c Changes) merged(metadata map[string]string) map[string]string {
	out := maps.Clone(metadata)
	if out == nil {
		out = map[string]string{}
	}
	for k, v := range c.Metadata {
		if v == nil {
			delete(out, k)
		} else {
			out[k] = *v
		}
	}
	return out
}

// Update changes an organization. A taken external id is Invalid "external_id_already_used", a domain that is vouched for here and
// verified elsewhere a Conflict. What changes nothing is silent.
//
// Domains are matched by name. One that is there already keeps its id and what is proven of it: pending takes no proof back; verified
// vouches for one that is not proven.
func (s *Service) Update(ctx context.Context, actor event.Actor, id ID, c Changes) (Organization, error) {
	if err := c.check(); err != nil {
		return Organization{}, err
	}
	var o Organization
	at := s.time()
	cause := event.Context{Actor: actor}.JSON()
	err := s.db.Tx(ctx, func(tx db.Tx) error {
		before, err := s.organizationTx(ctx, tx, id)
		if err != nil {
			return err
		}
		o = before
		if c.Name != nil {
			o.Name = *c.Name
		}
		if c.ExternalID != nil {
			o.ExternalID = *c.ExternalID
		}
		if o.Metadata = c.merged(before.Metadata); !maps.Equal(o.Metadata, before.Metadata) {
			if err := checkMetadata(o.Metadata); err != nil {
				return err
			}
		}
		entries, err := s.replaceDomains(ctx, tx, &o, c.Domains, at, cause)
		if err != nil {
			return err
		}
		if len(entries) == 0 && o.Name == before.Name && o.ExternalID == before.ExternalID && maps.Equal(o.Metadata, before.Metadata) {
			return nil
		}
		o.UpdatedAt = at
		if _, err := tx.Exec(ctx, updateOrganization, string(id), o.Name, db.TextOrNull(o.ExternalID), encode(o.Metadata), at.UnixMicro()); err != nil {
			return err
		}
		updated := event.Entry{OrganizationID: string(id), Type: event.OrganizationUpdated, Context: cause, Data: o.Payload()}
		return s.events.AppendTx(ctx, tx, at, slices.Insert(entries, 0, updated)...)
	})
	if err != nil {
		return Organization{}, fmt.Errorf("update organization %s: %w", id, taken(err, o.ExternalID))
	}
	return o, nil
}

// organizationTx reads an organization and holds it for a change, as LockTx.
func (s *Service) organizationTx(ctx context.Context, tx db.Tx, id ID) (Organization, error) {
	if err := s.LockTx(ctx, tx, id); err != nil {
		return Organization{}, err
	}
	found, err := readOrganizations(ctx, tx, selectOrganization+" AND id = $1", string(id))
	if err != nil {
		return Organization{}, err
	}
	if len(found) == 0 {
		return Organization{}, errors.New("an organization is gone while it is locked")
	}
	return found[0], nil
}

// replaceDomains makes the organization's domains those that are wanted and gives the events that say so.
func (s *Service) replaceDomains(ctx context.Context, tx db.Tx, o *Organization, wanted *[]NewDomain, at time.Time, cause []byte) ([]event.Entry, error) {
	if wanted == nil {
		return nil, nil
	}
	have := map[string]Domain{}
	for _, d := range o.Domains {
		have[d.Domain] = d
	}
	o.Domains = nil
	var entries []event.Entry
	for _, n := range *wanted {
		d, kind, err := s.wantDomain(ctx, tx, o.ID, have, n, at)
		if err != nil {
			return nil, err
		}
		delete(have, n.Domain)
		o.Domains = append(o.Domains, d)
		if kind != "" {
			entries = append(entries, domainEntry(kind, d, cause))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(have)) {
		if _, err := tx.Exec(ctx, deleteDomain, string(o.ID), have[name].ID); err != nil {
			return nil, err
		}
		entries = append(entries, domainEntry(event.OrganizationDomainDeleted, have[name], cause))
	}
	slices.SortFunc(o.Domains, func(a, b Domain) int { return strings.Compare(a.ID, b.ID) })
	return entries, nil
}

// wantDomain sees to it that the organization has a domain and names the event, "" if it has it so already.
func (s *Service) wantDomain(ctx context.Context, tx db.Tx, id ID, have map[string]Domain, n NewDomain, at time.Time) (Domain, event.Type, error) {
	d, there := have[n.Domain]
	switch {
	case !there:
		d = s.buildDomain(id, n, at)
		return d, event.OrganizationDomainCreated, s.insertDomain(ctx, tx, d)
	case n.State == Verified && d.State != Verified:
		d.verify(Manual)
		d.UpdatedAt = at
		return d, event.OrganizationDomainVerified, s.storeDomain(ctx, tx, d)
	default:
		return d, "", nil
	}
}

// DeleteTx deletes an organization with its domains and API keys, and asks for what is stored of its people to be erased. Its external
// id is free again. The rest of what it has is for the caller to delete in the same transaction, before: the events then end with the
// organization's. The caller awaits the Doors after the commit.
func (s *Service) DeleteTx(ctx context.Context, tx db.Tx, actor event.Actor, id ID, at time.Time) error {
	o, err := s.organizationTx(ctx, tx, id)
	if err != nil {
		return err
	}
	keys, err := queryKeys(ctx, tx, selectKeys+" WHERE organization_id = $1 ORDER BY id", string(id))
	if err != nil {
		return err
	}
	for _, text := range []string{deleteDomains, deleteKeys, deletePolicy, deleteExempt} {
		if _, err := tx.Exec(ctx, text, string(id)); err != nil {
			return err
		}
	}
	if _, err := tx.Exec(ctx, deleteOrganization, string(id), at.UnixMicro()); err != nil {
		return err
	}
	if err := s.events.ForgetTx(ctx, tx, string(id), "", at); err != nil {
		return err
	}
	if err := s.doors.Moved(ctx, tx); err != nil {
		return err
	}
	cause := event.Context{Actor: actor}.JSON()
	var entries []event.Entry
	for _, d := range o.Domains {
		entries = append(entries, domainEntry(event.OrganizationDomainDeleted, d, cause))
	}
	for _, k := range keys {
		entries = append(entries, event.Entry{OrganizationID: string(id), Type: event.APIKeyRevoked, Context: cause, Data: k.Payload()})
	}
	o.UpdatedAt = at
	entries = append(entries, event.Entry{OrganizationID: string(id), Type: event.OrganizationDeleted, Context: cause, Data: o.Payload()})
	return s.events.AppendTx(ctx, tx, at, entries...)
}
