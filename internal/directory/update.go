package directory

import (
	"bytes"
	"context"
	"fmt"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
)

// Changes are what Update makes different; nil leaves a setting as it is.
type Changes struct {
	Name          *string
	Label         *string // "" removes it
	Provider      *string // "" removes it
	InactiveUsers *InactiveUsers
	Provisioning  *Provisioning
	Strict        *bool
	Extensions    []byte // "{}" removes them
}

// apply gives the directory after the changes, checked as a new one is.
func (c Changes) apply(d Directory) (Directory, error) {
	n := New{
		OrganizationID: d.OrganizationID, Name: pick(c.Name, d.Name), Type: d.Type, Provider: pick(c.Provider, d.Provider), Label: pick(c.Label, d.Label),
		InactiveUsers: pick(c.InactiveUsers, d.InactiveUsers), Provisioning: pick(c.Provisioning, d.Provisioning), Strict: pick(c.Strict, d.Strict),
		Extensions: d.Extensions,
	}
	if len(c.Extensions) > 0 {
		n.Extensions = c.Extensions
	}
	if err := n.check(); err != nil {
		return d, err
	}
	n = n.filled() // "" asks for the default, as it does of a new directory
	d.Name, d.Provider, d.Label, d.InactiveUsers, d.Provisioning, d.Strict, d.Extensions = n.Name, n.Provider, n.Label, n.InactiveUsers,
		n.Provisioning, n.Strict, n.Extensions
	return d, nil
}

func pick[T any](wanted *T, present T) T {
	if wanted != nil {
		return *wanted
	}
	return present
}

// same compares what Update can change.
func (d Directory) same(o Directory) bool {
	return d.Name == o.Name && d.Label == o.Label && d.Provider == o.Provider && d.InactiveUsers == o.InactiveUsers &&
		d.Provisioning == o.Provisioning && d.Strict == o.Strict && bytes.Equal(d.Extensions, o.Extensions)
}

// Update changes the settings of a directory; when it returns, every process acts on them, and a former label opens nothing any
// more. A taken label is a Conflict "label_taken". The contract has no event for it, so who did it is only in the log.
//
// When inactive_users changes, consumers are told of each inactive person, in the background: see align. When provisioning changes
// everybody is looked at again, see Progress.
func (s *Service) Update(ctx context.Context, actor event.Actor, id ID, c Changes) (Directory, error) {
	var d Directory
	var changed bool
	err := s.db.Tx(ctx, func(tx db.Tx) error {
		found, err := directoriesIn(ctx, tx, selectDirectory+" AND id = $1"+s.db.ForUpdate(), string(id))
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return NotFound(string(id))
		}
		if d, err = c.apply(found[0]); err != nil {
			return err
		}
		if changed = !d.same(found[0]); !changed {
			return nil
		}
		d.UpdatedAt = s.time()
		if err := s.writeSettings(ctx, tx, found[0], d); err != nil || found[0].Provisioning == d.Provisioning {
			return err
		}
		return s.reapplyTx(ctx, tx, event.Context{Actor: actor}, d)
	})
	if err != nil {
		return Directory{}, fmt.Errorf("update directory %s: %w", id, labelTaken(err, d.Label))
	}
	if !changed {
		return d, nil
	}
	s.log.InfoContext(ctx, "the settings of a directory were changed", "directory", id, "actor", actor.ID, "source", actor.Source)
	return d, s.awaitDoors(ctx)
}

func (s *Service) writeSettings(ctx context.Context, tx db.Tx, was, d Directory) error {
	_, err := tx.Exec(ctx, updateDirectory, string(d.ID), d.Name, db.TextOrNull(d.Label), d.Provider, string(d.InactiveUsers), string(d.Provisioning),
		d.Strict, d.Extensions, d.UpdatedAt.UnixMicro())
	if err != nil {
		return err
	}
	if was.InactiveUsers != d.InactiveUsers {
		if _, err := tx.Exec(ctx, alignDirectory, string(d.ID), d.UpdatedAt.Add(alignPatience).UnixMicro()); err != nil {
			return err
		}
	}
	return s.door.moved(ctx, tx)
}
