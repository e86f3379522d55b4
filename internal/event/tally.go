package event

import (
	"context"
	"fmt"
	"time"

	"github.com/rollcallhq/rollcall/internal/token"
)

// Tally counts the rows of the log between neighbouring edges, at most most for each, and how many of those tell what directories have changed. A
// request that concerns hundreds of people may be one row.
func (l *Log) Tally(ctx context.Context, edges []time.Time, most int) (all, syncs []int, err error) {
	all, syncs, err = l.db.Tally2(ctx, tallyEvents, token.Edges("event", edges), most)
	if err != nil {
		return nil, nil, fmt.Errorf("count events: %w", err)
	}
	return all, syncs, nil
}
