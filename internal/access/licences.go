package access

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
)

// maxSeats is more than there are people; ours.
const maxSeats = 10_000_000_000

// NewLicenceType is what a licence type is made of.
type NewLicenceType struct {
	OrganizationID string
	Slug           string
	Name           string
	Seats          *int64    // nil: as many as are wanted
	OverLimit      OverLimit // "" is Admit
}

// LicenceTypeChanges are what a licence type is changed to; nil leaves a field as it is.
type LicenceTypeChanges struct {
	Name      *string
	Seats     **int64 // to nil: as many as are wanted
	OverLimit *OverLimit
}

// LicenceNotFound is the refusal for a licence type that is not there.
func LicenceNotFound(slug string) error {
	return fault.New(fault.NotFound, "entity_not_found", "Licence type not found: '%.80s'.", slug)
}

// Licences lists the licence types of an organization with their use, the oldest first.
func (s *Service) Licences(ctx context.Context, organizationID string) (out []Use, err error) {
	err = s.db.Snapshot(ctx, func(r db.Reader) error {
		out, err = LicencesIn(ctx, r, organizationID)
		return err
	})
	return out, err
}

// Licence finds one by its slug, with its use.
func (s *Service) Licence(ctx context.Context, organizationID, slug string) (Use, error) {
	u, found, err := UseIn(ctx, s.db, organizationID, slug)
	if err == nil && !found {
		err = LicenceNotFound(slug)
	}
	return u, err
}

// CreateLicenceType makes one. A taken slug is a Conflict "licence_slug_conflict".
func (s *Service) CreateLicenceType(ctx context.Context, actor event.Actor, n NewLicenceType) (Use, error) {
	n.Name = strings.TrimSpace(n.Name)
	if n.OverLimit == "" {
		n.OverLimit = Admit
	}
	if err := errors.Join(checkSlug(n.Slug), checkTitle(n.Name, maxName), checkSeats(n.Seats), checkOverLimit(n.OverLimit)); err != nil {
		return Use{}, err
	}
	at := s.time()
	t := LicenceType{
		ID: LicenceTypeID(s.ids.NewID(licencePrefix)), OrganizationID: n.OrganizationID, Slug: n.Slug, Name: n.Name, Seats: n.Seats,
		OverLimit: n.OverLimit, CreatedAt: at, UpdatedAt: at,
	}
	err := s.db.Tx(ctx, func(tx db.Tx) error {
		if err := s.living(ctx, tx, n.OrganizationID); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, insertLicence, string(t.ID), t.OrganizationID, t.Slug, t.Name, t.Seats, string(t.OverLimit), at.UnixMicro(), at.UnixMicro()); err != nil {
			return err
		}
		return s.events.AppendTx(ctx, tx, at, licenceEntry(event.LicenceTypeCreated, t, actor))
	})
	if unique := (*db.UniqueError)(nil); errors.As(err, &unique) && unique.Table == "licence_types" {
		err = fault.New(fault.Conflict, "licence_slug_conflict", "The organization has a licence type with the slug %q already. Choose another slug.", n.Slug)
	}
	if err != nil {
		return Use{}, fmt.Errorf("create licence type: %w", err)
	}
	return Use{Type: t}, nil
}

func checkSeats(seats *int64) error {
	if seats != nil && (*seats < 0 || *seats > maxSeats) {
		return fault.New(fault.Unprocessable, "invalid_seats", "seats is a number from 0 to %d, or null for as many as are wanted.", maxSeats).On("seats")
	}
	return nil
}

func checkOverLimit(o OverLimit) error {
	if o != Admit && o != Refuse {
		return fault.New(fault.Unprocessable, "invalid_over_limit", "over_limit is admit (in, without licence) or refuse (not in), not %.40q.", string(o)).On("over_limit")
	}
	return nil
}

func licenceEntry(kind event.Type, t LicenceType, actor event.Actor) event.Entry {
	return event.Entry{OrganizationID: t.OrganizationID, Type: kind, Context: event.Context{Actor: actor}.JSON(), Data: t.Payload()}
}

// UpdateLicenceType changes one. Fewer seats than are used take none away: nobody gets one until enough are free.
func (s *Service) UpdateLicenceType(ctx context.Context, actor event.Actor, organizationID, slug string, c LicenceTypeChanges) (out Use, err error) {
	if err := c.check(); err != nil {
		return Use{}, err
	}
	err = s.db.Tx(ctx, func(tx db.Tx) error {
		if out, err = s.licenceTx(ctx, tx, organizationID, slug); err != nil {
			return err
		}
		before := out.Type
		c.apply(&out.Type)
		t := &out.Type
		if t.Name == before.Name && sameSeats(t.Seats, before.Seats) && t.OverLimit == before.OverLimit {
			return nil
		}
		t.UpdatedAt = s.time()
		if _, err := tx.Exec(ctx, updateLicence, organizationID, slug, t.Name, t.Seats, string(t.OverLimit), t.UpdatedAt.UnixMicro()); err != nil {
			return err
		}
		return s.events.AppendTx(ctx, tx, t.UpdatedAt, licenceEntry(event.LicenceTypeUpdated, *t, actor))
	})
	if err != nil {
		return Use{}, fmt.Errorf("change licence type %s: %w", slug, err)
	}
	return out, nil
}

func (c *LicenceTypeChanges) check() error {
	var err error
	if c.Name != nil {
		name := strings.TrimSpace(*c.Name)
		c.Name, err = &name, checkTitle(name, maxName)
	}
	if c.Seats != nil {
		err = errors.Join(err, checkSeats(*c.Seats))
	}
	if c.OverLimit != nil {
		err = errors.Join(err, checkOverLimit(*c.OverLimit))
	}
	return err
}

func (c LicenceTypeChanges) apply(t *LicenceType) {
	if c.Name != nil {
		t.Name = *c.Name
	}
	if c.Seats != nil {
		t.Seats = *c.Seats
	}
	if c.OverLimit != nil {
		t.OverLimit = *c.OverLimit
	}
}

func sameSeats(a, b *int64) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}

// licenceTx holds a licence type, then counts.
func (s *Service) licenceTx(ctx context.Context, tx db.Tx, organizationID, slug string) (Use, error) {
	if _, err := readLicences(ctx, tx, selectLicence+s.db.ForUpdate(), organizationID, slug); err != nil {
		return Use{}, err
	}
	u, found, err := UseIn(ctx, tx, organizationID, slug)
	if err == nil && !found {
		err = LicenceNotFound(slug)
	}
	return u, err
}

// DeleteLicenceType deletes one that nobody has and no mapping gives. A Conflict "licence_has_holders" or "licence_has_mappings" says what to
// change first.
func (s *Service) DeleteLicenceType(ctx context.Context, actor event.Actor, organizationID, slug string) error {
	err := s.db.Tx(ctx, func(tx db.Tx) error {
		u, err := s.licenceTx(ctx, tx, organizationID, slug)
		if err != nil {
			return err
		}
		if u.Used > 0 {
			return fault.New(fault.Conflict, "licence_has_holders", "Members who hold the licence %q: %d. Take it from them first.", slug, u.Used)
		}
		named, err := mappingNaming(ctx, tx, organizationID, SetLicence, slug)
		if err != nil {
			return err
		}
		if named != "" {
			return fault.New(fault.Conflict, "licence_has_mappings", "The mapping of %s gives the licence %q. Change that mapping first.", named, slug)
		}
		if _, err := tx.Exec(ctx, deleteLicence, organizationID, slug); err != nil {
			return err
		}
		return s.events.AppendTx(ctx, tx, s.time(), licenceEntry(event.LicenceTypeDeleted, u.Type, actor))
	})
	if err != nil {
		return fmt.Errorf("delete licence type %s: %w", slug, err)
	}
	return nil
}
