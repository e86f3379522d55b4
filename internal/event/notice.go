package event

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/rollcallhq/rollcall/internal/db"
)

// Notice is a change that somebody outside is still to be told of, as by mail. It is written in the transaction of the change.
type Notice struct {
	ID             string // "notice_…"; later changes of a process have larger ones
	OrganizationID string
	Action         Action // of the audit: that of a Change, or the type of an event
	Target         string // id of what was changed
	Context        Context
	Details        jsontext.Value // what Diff says of a Change; the payload of an event
	At             time.Time
}

// Watch keeps a notice of each change of these actions, for whoever takes them by TakeNoticesTx. It is called while the services are
// built, before anything changes.
func (l *Log) Watch(actions ...Action) {
	for _, a := range actions {
		l.watched[a] = true
	}
}

// notice is that of an entry that is watched, nil of others. Packed ones never are: they are of people, who are many.
func (l *Log) notice(at time.Time, e Entry) []any {
	if !l.watched[Action(e.Type)] || len(e.Each) > 0 {
		return nil
	}
	return l.noticed(at, e.OrganizationID, Action(e.Type), Event{Data: e.Data}.about().target(), e.Context, e.Data)
}

func (l *Log) noticed(at time.Time, organizationID string, a Action, target string, cause, details []byte) []any {
	return []any{l.ids.NewID("notice"), organizationID, string(a), target, cause, details, at.UnixMicro()}
}

// TakeNoticesTx takes notices of changes that were made before a moment, at most limit, oldest first. They are gone when the transaction is
// committed, in which the caller puts down what becomes of them. What one process has taken no other gets.
func (l *Log) TakeNoticesTx(ctx context.Context, tx db.Tx, before time.Time, limit int) ([]Notice, error) {
	rows, err := tx.Query(ctx, fmt.Sprintf(takeNotices, l.db.SkipLocked()), before.UnixMicro(), int64(limit))
	if err != nil {
		return nil, fmt.Errorf("take notices of changes: %w", err)
	}
	defer rows.Close()
	var out []Notice
	for rows.Next() {
		var n Notice
		var cause, details []byte
		var at int64
		if err := rows.Scan(&n.ID, &n.OrganizationID, (*string)(&n.Action), &n.Target, &cause, &details, &at); err != nil {
			return nil, fmt.Errorf("take notices of changes: %w", err)
		}
		if err := jsonv2.Unmarshal(cause, &n.Context, jsontext.AllowInvalidUTF8(true)); err != nil {
			return nil, fmt.Errorf("context of notice %s: %w", n.ID, err)
		}
		n.Details, n.At = slices.Clone(details), time.UnixMicro(at).UTC()
		out = append(out, n)
	}
	slices.SortFunc(out, func(a, b Notice) int { return strings.Compare(a.ID, b.ID) })
	return out, rows.Err()
}

// ForgetNotices drops what nobody is to be told of any more: the changes of an organization that is erased.
func (l *Log) ForgetNotices(ctx context.Context, organizationID string) error {
	var w db.Write
	w.Exec(forgetNotices, organizationID)
	if err := l.db.Write(ctx, &w); err != nil {
		return fmt.Errorf("forget notices: %w", err)
	}
	return nil
}
