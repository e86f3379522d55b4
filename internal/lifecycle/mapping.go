package lifecycle

import (
	"context"
	"fmt"

	"github.com/rollcallhq/rollcall/internal/access"
	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/event"
)

// Reapplier has everybody of a directory looked at again: directory.Service.
type Reapplier interface {
	// ReapplyTx joins the transaction of the change; Await comes after its commit.
	ReapplyTx(ctx context.Context, tx db.Tx, actor event.Actor, organizationID string, id directory.ID, left directory.LeftOut) error
	Await(ctx context.Context) error
}

// Mappings are saved with what follows from them: the people of the source are looked at again.
type Mappings struct {
	db      *db.DB
	access  *access.Service
	reapply Reapplier
}

// NewMappings makes the verbs.
func NewMappings(d *db.DB, a *access.Service, reapply Reapplier) *Mappings {
	return &Mappings{db: d, access: a, reapply: reapply}
}

// Set saves the mapping of a directory or a connection. Of a directory everybody is looked at again in the background; through a connection
// people get what the mapping gives at their next sign-in. What changes nothing is silent.
func (m *Mappings) Set(ctx context.Context, actor event.Actor, n access.NewMapping) (saved access.Mapping, err error) {
	var again bool
	err = m.db.Tx(ctx, func(tx db.Tx) error {
		var was access.Mapping
		saved, was, err = m.access.SetMappingTx(ctx, tx, actor, n)
		again = err == nil && saved.Version != was.Version && n.OfDirectory()
		if !again {
			return err
		}
		return m.reapply.ReapplyTx(ctx, tx, actor, n.OrganizationID, directory.ID(n.SourceID), directory.LeftOutBy(was, saved))
	})
	if err != nil {
		return access.Mapping{}, fmt.Errorf("set the mapping of %s: %w", n.SourceID, err)
	}
	if again {
		err = m.reapply.Await(ctx)
	}
	return saved, err
}
