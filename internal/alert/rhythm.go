package alert

import (
	"context"
	"fmt"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/fault"
)

// What is silence. The longest pause of the last two to four weeks is what is usual: some providers come in every round, others only when
// something has changed, and then not at weekends.
const (
	roundsMissed = 6 // of the catalogue's, at least
	pausesMissed = 2 // of the longest pause that was seen
	watchedFor   = 7 * 24 * time.Hour
	newcomers    = 3 * 24 * time.Hour // how long one that was not watched for so long may be silent: over a weekend
	rhythmWindow = 14 * 24 * time.Hour
	oneRound     = 10 * time.Minute // requests that follow each other faster are of the same round
)

// rhythm is how long a provider that sends in rounds is silent between them.
type rhythm struct {
	watched, contact, window time.Time
	longest, before          time.Duration // the longest pause of this window, and of the one before
}

// limit is the silence from which on something is wrong.
func (r rhythm) limit(now time.Time, round time.Duration) time.Duration {
	out := max(roundsMissed*round, pausesMissed*max(r.longest, r.before))
	if now.Sub(r.watched) < watchedFor {
		out = max(out, newcomers)
	}
	return out
}

func (s *Service) rhythms(ctx context.Context) (map[directory.ID]rhythm, error) {
	rows, err := s.db.Query(ctx, selectRhythms)
	if err != nil {
		return nil, fmt.Errorf("read the rhythms of directories: %w", err)
	}
	defer rows.Close()
	out := map[directory.ID]rhythm{}
	for rows.Next() {
		var id string
		var watched, contact, window, longest, before int64
		if err := rows.Scan(&id, &watched, &contact, &window, &longest, &before); err != nil {
			return nil, fmt.Errorf("read the rhythms of directories: %w", err)
		}
		out[directory.ID(id)] = rhythm{
			db.Time(watched), db.Time(contact), db.Time(window), time.Duration(longest) * time.Microsecond, time.Duration(before) * time.Microsecond,
		}
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read the rhythms of directories: %w", err)
	}
	return out, nil
}

// beat learns from a new round. A pause that was alerted of is not usual, and nothing is learned from it.
func (s *Service) beat(ctx context.Context, now time.Time, one directory.Pulse, r rhythm, alerted bool) (rhythm, error) {
	var w db.Write
	pause := one.Contact.Sub(r.contact)
	switch {
	case r.watched.IsZero():
		r = rhythm{watched: now, contact: one.Contact, window: now}
		w.Exec(insertRhythm, string(one.Directory), one.OrganizationID, now.UnixMicro(), one.Contact.UnixMicro())
	case pause < oneRound:
		return r, nil
	default:
		was := r.contact
		if now.Sub(r.window) >= rhythmWindow {
			r.window, r.before, r.longest = now, r.longest, 0
		}
		if !alerted {
			r.longest = max(r.longest, pause)
		}
		r.contact = one.Contact
		w.Exec(updateRhythm, one.OrganizationID, string(one.Directory), was.UnixMicro(), r.contact.UnixMicro(), r.window.UnixMicro(), r.longest.Microseconds(), r.before.Microseconds())
	}
	if err := s.db.Write(ctx, &w); err != nil {
		return r, fmt.Errorf("note the rhythm of directory %s: %w", one.Directory, err)
	}
	return r, nil
}

// forgetStrayRhythms forgets those of directories that are gone, or have another provider.
func (s *Service) forgetStrayRhythms(ctx context.Context, all map[directory.ID]rhythm, there []sign) error {
	for _, one := range there {
		delete(all, directory.ID(one.subject))
	}
	var w db.Write
	for id := range all {
		w.Exec(deleteRhythm, string(id))
	}
	if w.Len() == 0 {
		return nil
	}
	if err := s.db.Write(ctx, &w); err != nil {
		return fmt.Errorf("forget rhythms of directories: %w", err)
	}
	return nil
}

func absent(err error) bool {
	f, ok := fault.As(err)
	return ok && f.Kind == fault.NotFound
}
