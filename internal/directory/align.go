package directory

import (
	"context"
	"fmt"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
)

// When inactive_users of a directory changes, what consumers know of its inactive people is wrong. Each row says what they were
// told (hidden); align finds the rows that say otherwise than the setting wants and appends, in the transaction that sets them
// right, dsync.user.deleted (kept → removed) or dsync.user.created with state inactive (removed → kept), marked derived.
//
// It goes in small transactions, in order of ids, and survives a restart: what is left to do is in the rows, and the directory
// stays marked (align_until) until nothing is left. A SCIM request that was let in before the change may still write by the old
// setting; what it tells and what it stores agree, so it is found here too, for the mark stays longer than a request lives.

const (
	alignPoll     = time.Second
	alignPatience = 2 * time.Minute // longer than any request that is under way
	alignBatch    = 200             // people of one transaction
)

// align works off the directories that are marked.
func (s *Service) align(ctx context.Context) error {
	marked, err := s.aligning(ctx)
	if err != nil {
		return err
	}
	for id, until := range marked {
		over := s.time().UnixMicro() >= until // asked before looking, so that nobody comes in between
		for n := alignBatch; n >= alignBatch; {
			if n, err = s.alignSome(ctx, id); err != nil {
				return fmt.Errorf("tell consumers of the inactive people of directory %s: %w", id, err)
			}
		}
		if !over {
			continue
		}
		var w db.Write
		w.Exec(alignedDirectory, string(id), until)
		if err := s.db.Write(ctx, &w); err != nil {
			return fmt.Errorf("directory %s stays marked: %w", id, err)
		}
	}
	return nil
}

func (s *Service) aligning(ctx context.Context) (map[ID]int64, error) {
	rows, err := s.db.Query(ctx, selectAligning)
	if err != nil {
		return nil, fmt.Errorf("look for directories whose inactive people changed: %w", err)
	}
	defer rows.Close()
	out := map[ID]int64{}
	for rows.Next() {
		var id string
		var until int64
		if err := rows.Scan(&id, &until); err != nil {
			return nil, fmt.Errorf("look for directories whose inactive people changed: %w", err)
		}
		out[ID(id)] = until
	}
	return out, rows.Err()
}

// alignSome does one transaction and gives the number of people in it.
func (s *Service) alignSome(ctx context.Context, id ID) (n int, err error) {
	err = s.db.Tx(ctx, func(tx db.Tx) error {
		n = 0
		found, err := directoriesIn(ctx, tx, selectDirectory+" AND id = $1"+s.db.ForShare(), string(id))
		if err != nil || len(found) == 0 {
			return err
		}
		d := found[0]
		hide := d.InactiveUsers == Removed
		people, err := s.usersIn(ctx, tx, selectUnaligned+s.db.ForUpdate(), string(id), hide, alignBatch)
		if err != nil || len(people) == 0 {
			return err
		}
		n = len(people)
		return s.alignPeople(ctx, tx, d, people, hide)
	})
	return n, err
}

func (s *Service) alignPeople(ctx context.Context, tx db.Tx, d Directory, people []User, hide bool) error {
	kind := event.DirectoryUserCreated
	if hide {
		kind = event.DirectoryUserDeleted
	}
	cause := systemContext(d, "", true)
	ids := make([]string, len(people))
	entries := make([]event.Entry, len(people))
	for i, u := range people {
		data, err := UserPayload(d, u)
		if err != nil {
			return fmt.Errorf("stored document of user %s: %w", u.ID, err)
		}
		ids[i], entries[i] = string(u.ID), event.Entry{OrganizationID: d.OrganizationID, Type: kind, Context: cause, Data: data}
	}
	args := padded(ids)
	if _, err := tx.Exec(ctx, fmt.Sprintf(alignUsers, list(3, len(args))), append([]any{string(d.ID), hide}, args...)...); err != nil {
		return err
	}
	return s.events.AppendTx(ctx, tx, s.time(), entries...)
}
