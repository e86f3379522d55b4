package directory

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
)

// Packing is what a backup does with the tables of this room. now is a restore's time: no process that is running goes on answering
// from what it remembers of the time before.
func Packing(now time.Time) db.Packing {
	return db.Packing{
		Leave:  map[string]string{"door_leases": "belongs to processes that are running"},
		Seeded: map[string]string{"installation": seededRows},
		Finish: func(ctx context.Context, tx db.Tx) error {
			n, err := tx.Exec(ctx, restoreEpoch, now.UnixMicro())
			if err == nil && n != 1 {
				err = errors.New("the backup has no door epoch")
			}
			if err != nil {
				return fmt.Errorf("end what doors remember: %w", err)
			}
			return nil
		},
	}
}
