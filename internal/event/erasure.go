package event

import (
	"context"
	"fmt"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
)

const insertErasure = `INSERT INTO erasures (id, organization_id, subject, requested_at) VALUES ($1, $2, $3, $4)`

// ForgetTx asks, within a transaction, that what the log and what hangs on it hold about a person be erased. subject is the person's
// id, "" the whole organization.
func (l *Log) ForgetTx(ctx context.Context, tx db.Tx, organizationID, subject string, at time.Time) error {
	_, err := tx.Exec(ctx, insertErasure, l.ids.NewID("erasure"), organizationID, subject, at.UnixMicro())
	if err != nil {
		return fmt.Errorf("ask for the erasure of %s: %w", subject, err)
	}
	return nil
}
