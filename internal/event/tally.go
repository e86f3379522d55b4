package event

import (
	"context"
	"fmt"
	"time"

	"github.com/rollcallhq/rollcall/internal/token"
)

// Tally counts the rows of the log between neighbouring edges, at most most for each. A request that concerns hundreds of people may be one row.
func (l *Log) Tally(ctx context.Context, edges []time.Time, most int) ([]int, error) {
	counts, err := l.db.Tally(ctx, tallyEvents, token.Edges("event", edges), most)
	if err != nil {
		return nil, fmt.Errorf("count events: %w", err)
	}
	return counts, nil
}

// TallySyncs is Tally of what directories have changed, among the first rows of each part.
func (l *Log) TallySyncs(ctx context.Context, edges []time.Time, most int) ([]int, error) {
	counts, err := l.db.Tally(ctx, tallySyncs, token.Edges("event", edges), most)
	if err != nil {
		return nil, fmt.Errorf("count events of directories: %w", err)
	}
	return counts, nil
}
