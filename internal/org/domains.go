package org

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/token"
)

// DomainNotFound is the refusal for a domain that is not there.
func DomainNotFound(id string) error {
	return fault.New(fault.NotFound, "entity_not_found", "Organization domain not found: '%.80s'.", id)
}

// errElsewhere names no other organization: who asks may not know of it.
func errElsewhere(domain string) *fault.Error {
	return fault.New(fault.Conflict, "domain_already_verified",
		"%s is verified for another organization. A domain belongs to one: delete it there before it is verified here.", domain).On("domain_data")
}

func (s *Service) buildDomain(id ID, n NewDomain, at time.Time) Domain {
	d := Domain{
		ID: s.ids.NewID("org_domain"), OrganizationID: id, Domain: n.Domain, State: n.State, Strategy: DNS,
		VerificationToken: token.NewKey(25), CreatedAt: at, UpdatedAt: at,
	}
	if n.State == Verified {
		d.verify(Manual)
	} else {
		d.await(at)
	}
	return d
}

// The transitions of a domain.

func (d *Domain) await(now time.Time) {
	d.State, d.Strategy, d.pendingSince, d.checkAt = Pending, DNS, now, now.Add(firstDelay)
}

func (d *Domain) verify(by Strategy) {
	d.State, d.Strategy, d.pendingSince, d.checkAt = Verified, by, time.Time{}, time.Time{}
}

func (d *Domain) fail() { d.State, d.pendingSince, d.checkAt = Failed, time.Time{}, time.Time{} }

func (s *Service) insertDomain(ctx context.Context, tx db.Tx, d Domain) error {
	_, err := tx.Exec(ctx, insertDomain, d.ID, string(d.OrganizationID), d.Domain, string(d.State), string(d.Strategy), d.VerificationToken,
		d.CreatedAt.UnixMicro(), d.UpdatedAt.UnixMicro(), db.MicrosOrNull(d.pendingSince), db.MicrosOrNull(d.checkAt))
	return ownedElsewhere(err, d)
}

// storeDomain writes what may change of a domain.
func (s *Service) storeDomain(ctx context.Context, tx db.Tx, d Domain) error {
	_, err := tx.Exec(ctx, updateDomain, string(d.OrganizationID), d.ID, string(d.State), string(d.Strategy), d.UpdatedAt.UnixMicro(),
		db.MicrosOrNull(d.pendingSince), db.MicrosOrNull(d.checkAt))
	return ownedElsewhere(err, d)
}

func ownedElsewhere(err error, d Domain) error {
	if unique := (*db.UniqueError)(nil); errors.As(err, &unique) && unique.Constraint == "organization_domains_verified" {
		return errElsewhere(d.Domain).Because(err)
	}
	return err
}

func scanDomain(row db.Row) (d Domain, err error) {
	var created, updated int64
	var since, check *int64
	err = row.Scan(&d.ID, (*string)(&d.OrganizationID), &d.Domain, (*string)(&d.State), (*string)(&d.Strategy), &d.VerificationToken,
		&created, &updated, &since, &check)
	d.CreatedAt, d.UpdatedAt = db.Time(created), db.Time(updated)
	d.pendingSince, d.checkAt = db.TimeOrZero(since), db.TimeOrZero(check)
	return d, err
}

func (s *Service) domain(ctx context.Context, r db.Reader, id, suffix string) (Domain, error) {
	d, err := scanDomain(r.QueryRow(ctx, selectDomain+suffix, id))
	if errors.Is(err, db.ErrNoRows) {
		return Domain{}, DomainNotFound(id)
	}
	if err != nil {
		return Domain{}, fmt.Errorf("read organization domain %s: %w", id, err)
	}
	return d, nil
}

func domainEntry(kind event.Type, d Domain, cause []byte) event.Entry {
	e := event.Entry{OrganizationID: string(d.OrganizationID), Type: kind, Context: cause, Data: d.Payload()}
	if kind == event.OrganizationDomainVerificationFailed {
		e.Data = d.failurePayload()
	}
	return e
}

// CreateDomain adds a domain to an organization: pending, and looked for in the DNS from now on. One that the organization has
// already, or that is verified for another, is a Conflict "domain_already_exists".
func (s *Service) CreateDomain(ctx context.Context, actor event.Actor, id ID, name string) (Domain, error) {
	name, err := parseDomain(name, "domain")
	if err != nil {
		return Domain{}, err
	}
	at := s.time()
	d := s.buildDomain(id, NewDomain{Domain: name, State: Pending}, at)
	err = s.db.Tx(ctx, func(tx db.Tx) error {
		o, err := s.organizationTx(ctx, tx, id)
		if err != nil {
			return err
		}
		if len(o.Domains) >= maxDomains {
			return fault.New(fault.Unprocessable, "too_many", "The organization has %d domains already.", maxDomains).On("domain")
		}
		var elsewhere bool
		if err := tx.QueryRow(ctx, verifiedElsewhere, name, string(id)).Scan(&elsewhere); err != nil {
			return err
		}
		if elsewhere {
			refusal := errElsewhere(name).On("domain")
			refusal.Code = "domain_already_exists"
			return refusal
		}
		if err := s.insertDomain(ctx, tx, d); err != nil {
			return err
		}
		return s.events.AppendTx(ctx, tx, at, domainEntry(event.OrganizationDomainCreated, d, event.Context{Actor: actor}.JSON()))
	})
	if unique := (*db.UniqueError)(nil); errors.As(err, &unique) && unique.Table == "organization_domains" {
		return Domain{}, fault.New(fault.Conflict, "domain_already_exists", "The organization has the domain %s already.", name).On("domain").Because(err)
	}
	if err != nil {
		return Domain{}, fmt.Errorf("create a domain of organization %s: %w", id, err)
	}
	return d, nil
}

// GetDomain finds one domain.
func (s *Service) GetDomain(ctx context.Context, id string) (Domain, error) {
	return s.domain(ctx, s.db, id, "")
}

// DeleteDomain takes a domain from its organization.
func (s *Service) DeleteDomain(ctx context.Context, actor event.Actor, id string) error {
	at := s.time()
	err := s.db.Tx(ctx, func(tx db.Tx) error {
		d, err := s.domain(ctx, tx, id, s.db.ForUpdate())
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, deleteDomain, string(d.OrganizationID), d.ID); err != nil {
			return err
		}
		return s.events.AppendTx(ctx, tx, at, domainEntry(event.OrganizationDomainDeleted, d, event.Context{Actor: actor}.JSON()))
	})
	if err != nil {
		return fmt.Errorf("delete organization domain %s: %w", id, err)
	}
	return nil
}

func errVerified() error {
	return fault.New(fault.Invalid, "domain_already_verified", "The domain is verified already.").On("id")
}

// VouchForDomain verifies a domain on the operator's word.
func (s *Service) VouchForDomain(ctx context.Context, actor event.Actor, id string) (Domain, error) {
	return s.changeDomain(ctx, actor, id, func(d *Domain, now time.Time) (event.Type, error) {
		if d.State == Verified {
			return "", errVerified()
		}
		d.verify(Manual)
		return event.OrganizationDomainVerified, nil
	})
}

// VerifyDomain looks for the proof of a domain in the DNS now. Without it the domain is pending, also if it had failed, and its
// time of waiting begins anew.
func (s *Service) VerifyDomain(ctx context.Context, actor event.Actor, id string) (Domain, error) {
	d, err := s.GetDomain(ctx, id)
	if err != nil {
		return Domain{}, err
	}
	if d.State == Verified {
		return Domain{}, errVerified()
	}
	found := look(ctx, s.dns, d)
	return s.changeDomain(ctx, actor, id, func(d *Domain, now time.Time) (event.Type, error) {
		before := d.State
		switch {
		case before == Verified: // in the meantime
			return "", nil
		case found == proven:
			d.verify(DNS)
			return event.OrganizationDomainVerified, nil
		}
		d.await(now)
		if before == Pending {
			return "", nil
		}
		return event.OrganizationDomainUpdated, nil
	})
}

// changeDomain changes a domain in one transaction and appends the event that change names. It names none where nothing has changed
// of what others see.
func (s *Service) changeDomain(ctx context.Context, actor event.Actor, id string, change func(*Domain, time.Time) (event.Type, error)) (Domain, error) {
	var d Domain
	at := s.time()
	err := s.db.Tx(ctx, func(tx db.Tx) error {
		before, err := s.domain(ctx, tx, id, s.db.ForUpdate())
		if err != nil {
			return err
		}
		d = before
		kind, err := change(&d, at)
		if err != nil || d == before {
			return err
		}
		if kind != "" {
			d.UpdatedAt = at
		}
		if err := s.storeDomain(ctx, tx, d); err != nil || kind == "" {
			return err
		}
		if err := s.events.AppendTx(ctx, tx, at, domainEntry(kind, d, event.Context{Actor: actor}.JSON())); err != nil {
			return err
		}
		return s.grantTx(ctx, tx, at, actor, d)
	})
	if err != nil {
		return Domain{}, fmt.Errorf("change organization domain %s: %w", id, err)
	}
	return d, nil
}
