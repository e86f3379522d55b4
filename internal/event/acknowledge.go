package event

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/token"
)

// Acknowledgement is the app's word that it has done what an event asks of it. The first one counts.
type Acknowledgement struct {
	EventID        string
	OrganizationID string
	Actor          Actor
	At             time.Time
}

// AcknowledgeEvent keeps the word of the app about an event and gives the one that counts: it may be repeated. An event that is not in the log is
// NotFound.
func (l *Log) AcknowledgeEvent(ctx context.Context, actor Actor, eventID string, at time.Time) (Acknowledgement, error) {
	missing := fault.New(fault.NotFound, "entity_not_found", "Event not found: '%.80s'.", eventID)
	if !token.Is(eventID, "event") {
		return Acknowledgement{}, missing
	}
	found, err := l.Named(ctx, []string{eventID})
	if err != nil {
		return Acknowledgement{}, err
	}
	e, there := found[eventID]
	if !there {
		return Acknowledgement{}, missing
	}
	var w db.Write
	w.Exec(insertAcknowledgement, eventID, e.OrganizationID, actor.ID, string(actor.Source), at.UnixMicro())
	if err := l.db.Write(ctx, &w); err != nil {
		return Acknowledgement{}, fmt.Errorf("acknowledge event %s: %w", eventID, err)
	}
	l.Nudge()
	said, err := l.Acknowledged(ctx, l.db, []string{eventID})
	if err == nil && len(said) == 0 {
		err = fmt.Errorf("the acknowledgement of event %s is not there after it was written", eventID)
	}
	if err != nil {
		return Acknowledgement{}, err
	}
	return said[0], nil
}

// Acknowledged reads what was said about these events, at most some hundreds; the earliest comes first.
func (l *Log) Acknowledged(ctx context.Context, r db.Reader, eventIDs []string) ([]Acknowledgement, error) {
	if len(eventIDs) == 0 {
		return nil, nil
	}
	marks, args := make([]string, len(eventIDs)), make([]any, len(eventIDs))
	for i, id := range eventIDs {
		marks[i], args[i] = fmt.Sprintf("$%d", i+1), id
	}
	rows, err := r.Query(ctx, fmt.Sprintf(selectAcknowledged, strings.Join(marks, ",")), args...)
	if err != nil {
		return nil, fmt.Errorf("read acknowledgements: %w", err)
	}
	defer rows.Close()
	var out []Acknowledgement
	for rows.Next() {
		var a Acknowledgement
		var at int64
		if err := rows.Scan(&a.EventID, &a.OrganizationID, &a.Actor.ID, (*string)(&a.Actor.Source), &at); err != nil {
			return nil, fmt.Errorf("read acknowledgements: %w", err)
		}
		a.At = time.UnixMicro(at).UTC()
		out = append(out, a)
	}
	return out, rows.Err()
}

// AboutThen reads an organization's events of these types that were made about a moment, whatever their position: what one transaction
// appended. around is how far the clocks of its services may lie apart.
func (l *Log) AboutThen(ctx context.Context, organizationID string, at time.Time, around time.Duration, types ...Type) ([]Event, error) {
	args := []any{token.Before("event", at.Add(-around)), token.Before("event", at.Add(around)), organizationID}
	marks := make([]string, len(types))
	for i, t := range types {
		args = append(args, string(t))
		marks[i] = fmt.Sprintf("$%d", len(args))
	}
	found, err := l.all(ctx, l.db, fmt.Sprintf(selectAboutThen, strings.Join(marks, ",")), args)
	if err != nil {
		return nil, fmt.Errorf("read the events of a moment: %w", err)
	}
	return found, nil
}

// Reached says whether a reader whose cursor this is has come to an event. A cursor or event that is no longer in the log has been reached.
func (l *Log) Reached(ctx context.Context, cursor, eventID string) (bool, error) {
	if cursor == "" {
		return false, nil
	}
	if err := l.Position(ctx); err != nil {
		return false, err
	}
	reader, err := l.cursor(ctx, l.db, cursor)
	if err != nil {
		return true, ignoreGone(err)
	}
	e, err := l.cursor(ctx, l.db, eventID)
	if err != nil {
		return true, ignoreGone(err)
	}
	return !reader.before(e), nil
}

func ignoreGone(err error) error {
	if _, refused := fault.As(err); refused {
		return nil
	}
	return err
}
