package event

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/rollcallhq/rollcall/internal/db"
)

// kept says whether the audit still tells of an event that the retention has deleted: what was done to what, and by whom, without its payload.
// What directories say of people all day, and the ends of sessions, go with their events.
func (t Type) kept() bool {
	return t != SessionRevoked && !strings.HasPrefix(string(t), "dsync.user.") && !strings.HasPrefix(string(t), "dsync.group.")
}

// keepAudited makes audit entries of the events that are about to be deleted. Their ids are those of the events, so that they stay in their place.
func (l *Log) keepAudited(ctx context.Context, tx db.Tx, cutoff int64) error {
	types := slices.DeleteFunc(AuditTypes(), func(t Type) bool { return !t.kept() })
	marks, args := make([]string, len(types)), []any{cutoff}
	for i, t := range types {
		args = append(args, string(t))
		marks[i] = fmt.Sprintf("$%d", len(args))
	}
	going, err := l.all(ctx, tx, fmt.Sprintf(selectKept, strings.Join(marks, ",")), args)
	if err != nil {
		return fmt.Errorf("read events that expire: %w", err)
	}
	for _, e := range going {
		a, err := e.audited()
		if err != nil {
			return err
		}
		changes := []byte(a.Changes)
		if changes == nil {
			changes = []byte("{}")
		}
		if _, err := tx.Exec(ctx, keepAudit, AuditPrefix+"_"+a.ordinal, a.OrganizationID, string(a.Action), a.Target, a.Context.Actor.ID, a.Context.JSON(),
			changes, a.At.UnixMicro()); err != nil {
			return fmt.Errorf("keep event %s in the audit: %w", e.ID, err)
		}
	}
	_, err = tx.Exec(ctx, expireAcknowledged, cutoff)
	return err
}
