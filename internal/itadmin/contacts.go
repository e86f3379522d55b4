package itadmin

import (
	"context"
	"errors"
	"fmt"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/org"
)

// ContactNotFound is the refusal for a contact that is not there, or another organization's.
func ContactNotFound(id string) error {
	return fault.New(fault.NotFound, "entity_not_found", "Contact not found: '%.80s'.", id)
}

// AddContact adds an IT contact. One with this address already is a Conflict "contact_exists".
func (s *Service) AddContact(ctx context.Context, actor event.Actor, id org.ID, n NewContact) (Contact, error) {
	if err := n.check(); err != nil {
		return Contact{}, err
	}
	var made Contact
	err := s.db.Tx(ctx, func(tx db.Tx) error {
		if err := s.o.Organizations.LockTx(ctx, tx, id); err != nil {
			return err
		}
		var is bool
		var err error
		if made, is, err = s.addTx(ctx, tx, actor, id, n); err != nil {
			return err
		}
		if !is {
			return fault.New(fault.Conflict, "contact_exists", "%s is an IT contact of the organization already.", made.Email).On("email")
		}
		return nil
	})
	if err != nil {
		return Contact{}, fmt.Errorf("add a contact of organization %s: %w", id, err)
	}
	s.nudge()
	return made, nil
}

// addTx adds a contact where there is none with this address; else it gives that one. The caller holds the organization.
func (s *Service) addTx(ctx context.Context, tx db.Tx, actor event.Actor, id org.ID, n NewContact) (_ Contact, added bool, err error) {
	key := keyOf(n.Email)
	found, err := contacts(ctx, tx, selectContacts+" AND organization_id = $1 AND email_key = $2", string(id), key)
	if err != nil || len(found) > 0 {
		if err == nil {
			return found[0], false, nil
		}
		return Contact{}, false, err
	}
	var have int64
	if err := tx.QueryRow(ctx, countContacts, string(id)).Scan(&have); err != nil {
		return Contact{}, false, err
	}
	if have >= MaxContacts {
		return Contact{}, false, fault.New(fault.Unprocessable, "too_many", "The organization has %d IT contacts already. Remove those that are not needed any more.", MaxContacts).On("email")
	}
	at := s.time()
	c := Contact{ID: s.o.IDs.NewID(ContactPrefix), OrganizationID: id, Email: n.Email, Name: n.Name, CreatedAt: at}
	if _, err := tx.Exec(ctx, insertContact, c.ID, string(id), c.Email, key, db.TextOrNull(c.Name), at.UnixMicro()); err != nil {
		return Contact{}, false, err
	}
	return c, true, s.o.Events.AuditTx(ctx, tx, at, event.Change{
		OrganizationID: string(id), Action: ContactCreated, Target: c.ID, Cause: event.Context{Actor: actor}, After: c.settings(),
	})
}

// Actions of the audit.
const (
	ContactCreated event.Action = "contact.created"
	ContactDeleted event.Action = "contact.deleted"
	LinkCreated    event.Action = "portal_link.created"
	SessionCreated event.Action = "portal_session.created"
	SessionEnded   event.Action = "portal_session.ended"
)

// RemoveContact removes a contact; their links and sessions are over when it returns.
func (s *Service) RemoveContact(ctx context.Context, actor event.Actor, id org.ID, contactID string) error {
	err := s.db.Tx(ctx, func(tx db.Tx) error {
		if err := s.o.Organizations.LockTx(ctx, tx, id); err != nil {
			return err
		}
		c, err := contactIn(ctx, tx, id, contactID)
		if err != nil {
			return err
		}
		at := s.time()
		for _, text := range []string{deleteContactSessions, deleteContactLinks, deleteContact} {
			if _, err := tx.Exec(ctx, text, string(id), contactID); err != nil {
				return err
			}
		}
		return s.o.Events.AuditTx(ctx, tx, at, event.Change{
			OrganizationID: string(id), Action: ContactDeleted, Target: contactID, Cause: event.Context{Actor: actor}, Before: c.settings(),
		})
	})
	if err != nil {
		return fmt.Errorf("remove contact %s of organization %s: %w", contactID, id, err)
	}
	s.nudge()
	return nil
}

// ContactQuery selects a page of an organization's contacts. Before and After are ids.
type ContactQuery struct {
	OrganizationID org.ID
	Before, After  string
	Limit          int
	Ascending      bool
}

// Contacts gives a page of contacts and whether more follow in the direction read. An organization that is not there is NotFound.
func (s *Service) Contacts(ctx context.Context, q ContactQuery) ([]Contact, bool, error) {
	if _, err := s.o.Organizations.Get(ctx, q.OrganizationID); err != nil {
		return nil, false, err
	}
	p := db.Page{Before: q.Before, After: q.After, Limit: q.Limit, Ascending: q.Ascending}
	p.Where("organization_id = " + p.Arg(string(q.OrganizationID)))
	text, args := p.Statement(selectContacts, "id")
	found, err := contacts(ctx, s.db, text, args...)
	if err != nil {
		return nil, false, err
	}
	found, more := db.Cut(p, found)
	return found, more, nil
}

// AllTx gives all contacts of an organization, MaxContacts at most, the oldest first; none of one that is not there.
func (s *Service) AllTx(ctx context.Context, tx db.Tx, id org.ID) ([]Contact, error) {
	return contacts(ctx, tx, selectContacts+ofOrganization, string(id))
}

// Contact finds one contact of an organization.
func (s *Service) Contact(ctx context.Context, id org.ID, contactID string) (Contact, error) {
	return contactIn(ctx, s.db, id, contactID)
}

func contactIn(ctx context.Context, r db.Reader, id org.ID, contactID string) (Contact, error) {
	found, err := contacts(ctx, r, selectContacts+" AND organization_id = $1 AND id = $2", string(id), contactID)
	if err != nil {
		return Contact{}, err
	}
	if len(found) == 0 {
		return Contact{}, ContactNotFound(contactID)
	}
	return found[0], nil
}

func contacts(ctx context.Context, r db.Reader, text string, args ...any) ([]Contact, error) {
	rows, err := r.Query(ctx, text, args...)
	if err != nil {
		return nil, fmt.Errorf("read contacts: %w", err)
	}
	defer rows.Close()
	var out []Contact
	for rows.Next() {
		var c Contact
		var name *string
		var created int64
		if err := rows.Scan(&c.ID, (*string)(&c.OrganizationID), &c.Email, &name, &created); err != nil {
			return nil, fmt.Errorf("read contacts: %w", err)
		}
		c.Name, c.CreatedAt = orEmpty(name), db.Time(created)
		out = append(out, c)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read contacts: %w", err)
	}
	return out, nil
}

func orEmpty(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// absent tells that a row is not there.
func absent(err error) bool { return errors.Is(err, db.ErrNoRows) }
