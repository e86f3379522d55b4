package member

import (
	"context"
	"fmt"
	"time"

	"github.com/rollcallhq/rollcall/internal/access"
	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
)

// Who waits for a licence is in the rows of members and claims, so nothing is lost by a restart, and no change that frees a seat has to think
// of them: whoever makes room, be it an end, a hand or more seats, they are found by what is there.
const seatsAtOnce = 100 // given of one licence type before others have their turn

// Directories look at somebody of theirs again: directory.Service.
type Directories interface {
	// DueInto adds to a write that one person is looked at again, within a second or so. Who is due already stays so.
	DueInto(w *db.Write, organizationID, directoryID, directoryUserID string)
}

// SetDirectories is called while the services are built.
func (s *Service) SetDirectories(d Directories) { s.directories = d }

// waitFor notes that no seat is left, since when it first was so.
func (p *place) waitFor(licence string, now time.Time) {
	p.m.WantedLicence, p.m.wantedSince = licence, now
	if was := p.before(); was.WantedLicence == licence && !was.wantedSince.IsZero() {
		p.m.wantedSince = was.wantedSince
	}
}

// beginsToWait tells whether the member waits for a seat that they did not wait for before: one who was out, and remembered the licence, waited for
// nothing.
func (p *place) beginsToWait() bool {
	was := p.before()
	return !p.m.wantedSince.IsZero() && (was.wantedSince.IsZero() || was.WantedLicence != p.m.WantedLicence)
}

// keepOut notes for which licence somebody is kept out, since when it first was so.
func (c *claim) keepOut(nobody Outcome, licence string, now time.Time) {
	switch {
	case nobody != OutcomeRefused:
		c.waitsFor, c.waitsSince = "", time.Time{}
	case c.waitsFor != licence:
		c.waitsFor, c.waitsSince = licence, now
	}
}

// awaited is a licence type for which somebody waits.
type awaited struct {
	organizationID, id, slug string
	seats                    *int64
	over                     access.OverLimit
	used                     int64
}

// free is how many may be let in now, at most seatsAtOnce.
func (a awaited) free() int64 {
	if a.seats == nil {
		return seatsAtOnce
	}
	return min(max(0, *a.seats-a.used), seatsAtOnce)
}

// waiting is who waits: a member, or a person of a directory that is kept out.
type waiting struct{ who, directory string }

// GiveSeats gives free seats to those who wait for one, who has waited longest first. Who cannot be given one holds up nobody; the last such
// failure is returned.
func (s *Service) GiveSeats(ctx context.Context) error {
	all, err := s.awaited(ctx)
	if err != nil {
		return err
	}
	var failed error
	for _, one := range all {
		people, err := s.waitingFor(ctx, one)
		if err != nil {
			return err
		}
		for _, p := range people {
			if err := s.giveSeat(ctx, one, p); err != nil {
				failed = fmt.Errorf("give a seat of %s to %s: %w", one.id, p.who, err)
			}
		}
	}
	return failed
}

func (s *Service) awaited(ctx context.Context) (out []awaited, err error) {
	rows, err := s.db.Query(ctx, selectAwaited)
	if err != nil {
		return nil, fmt.Errorf("look who waits for licences: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var a awaited
		if err := rows.Scan(&a.organizationID, &a.id, &a.slug, &a.seats, (*string)(&a.over), &a.used); err != nil {
			return nil, fmt.Errorf("look who waits for licences: %w", err)
		}
		out = append(out, a)
	}
	return out, rows.Err()
}

// Awaited is a licence type whose seats are all taken, while people wait for one: in without it, or out, as its limit says.
type Awaited struct {
	OrganizationID, LicenceTypeID, Slug, Name string

	Seats     int64
	OverLimit access.OverLimit
	People    int
	Since     time.Time // the first of them
}

// Awaited lists them, of all organizations.
func (s *Service) Awaited(ctx context.Context) (out []Awaited, err error) {
	rows, err := s.db.Query(ctx, selectFull)
	if err != nil {
		return nil, fmt.Errorf("look which licences are full: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var a Awaited
		var since int64
		if err := rows.Scan(&a.OrganizationID, &a.LicenceTypeID, &a.Slug, &a.Name, &a.Seats, (*string)(&a.OverLimit), &a.People, &since); err != nil {
			return nil, fmt.Errorf("look which licences are full: %w", err)
		}
		a.Since = db.Time(since)
		out = append(out, a)
	}
	return out, rows.Err()
}

// waitingFor are those for whom there is room. Whom the licence type does not keep out any more come in without a seat, too.
func (s *Service) waitingFor(ctx context.Context, a awaited) (out []waiting, err error) {
	text, n := selectWaiting, a.free()
	if n == 0 && a.over == access.Admit {
		text, n = selectKeptOut, seatsAtOnce
	}
	if n == 0 {
		return nil, nil
	}
	rows, err := s.db.Query(ctx, text, a.organizationID, a.slug, n)
	if err != nil {
		return nil, fmt.Errorf("look who waits for %s: %w", a.id, err)
	}
	defer rows.Close()
	for rows.Next() {
		var p waiting
		var since int64
		if err := rows.Scan(&since, &p.who, &p.directory); err != nil {
			return nil, fmt.Errorf("look who waits for %s: %w", a.id, err)
		}
		out = append(out, p)
	}
	return out, rows.Err()
}

func (s *Service) giveSeat(ctx context.Context, a awaited, p waiting) error {
	if p.directory != "" {
		var w db.Write
		s.dueInto(&w, &claim{organizationID: a.organizationID, directoryID: p.directory, directoryUserID: p.who})
		return s.db.Write(ctx, &w)
	}
	cause := event.Context{Actor: event.Actor{ID: a.id, Source: event.System}}
	return s.guarded(ctx, a.organizationID, func(w *db.Write) error {
		found, err := s.account(ctx, s.db, UserID(p.who))
		if err != nil {
			return ignoreMissing(err)
		}
		_, err = s.accountInto(ctx, s.db, w, found, cause)
		return err
	})
}
