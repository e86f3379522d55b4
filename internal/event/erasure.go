package event

import (
	"context"
	"fmt"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
)

// ForgetTx asks for the erasure of a person, subject being the id of a directory user, or with subject "" of a whole organization:
// what the log, the exchanges and whatever else has registered still say of them is taken out in the background (Erase), within a
// day. It joins the transaction in which they are deleted, so that neither happens without the other. Asking again is harmless.
func (l *Log) ForgetTx(ctx context.Context, tx db.Tx, organizationID, subject string, at time.Time) error {
	_, err := tx.Exec(ctx, insertErasure, l.ids.NewID("erasure"), organizationID, subject, at.UnixMicro())
	if err != nil {
		return fmt.Errorf("ask for the erasure of %q in %s: %w", subject, organizationID, err)
	}
	return nil
}
