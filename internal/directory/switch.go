package directory

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/member"
)

// Switching says what a directory is in a switch of its organization's identity provider. While it is in one it is neither deleted, nor does
// it go live by itself.
type Switching string

// The closed list. "" is in none.
const (
	Coming  Switching = "coming"  // it collects, until the cut-over
	Ruling  Switching = "ruling"  // it is obeyed
	Retired Switching = "retired" // after the cut-over: what its provider says is stored, and changes no member
)

func errSwitching(what string) error {
	return fault.New(fault.Conflict, "identity_provider_switching",
		"The directory belongs to an identity provider switch and cannot be %s. Cut over, cancel or revert the switch, or wait until it is finished.", what)
}

// Pair are the directories that go and come in a switch.
type Pair struct{ From, To ID }

// HoldTx takes both into a switch. Both have to be the organization's, the first live, the second not, and neither in another switch. The
// caller holds the organization.
func (s *Service) HoldTx(ctx context.Context, tx db.Tx, organizationID string, p Pair) error {
	from, to, err := s.sidesTx(ctx, tx, organizationID, p)
	if err != nil {
		return err
	}
	refuse := func(field, code, sentence string) error {
		return fault.New(fault.Conflict, code, "%s", sentence).On(field)
	}
	switch {
	case p.From == p.To:
		return fault.New(fault.Unprocessable, "same_directory", "from and to name the same directory. Make one for the new identity provider first.").On("to.directory_id")
	case from.Switching != "" || to.Switching != "":
		return errSwitching("taken into another one")
	case from.LiveAt.IsZero():
		return refuse("from.directory_id", "directory_not_live", "The old directory is not live: members do not follow it, so there is nothing to switch from.")
	case !to.LiveAt.IsZero():
		return refuse("to.directory_id", "directory_live",
			"The new directory is live already: members follow it. Make one that collects first (live: false); it goes live with the cut-over.")
	}
	return s.markTx(ctx, tx, organizationID, map[ID]Switching{p.From: Ruling, p.To: Coming})
}

func (s *Service) sidesTx(ctx context.Context, tx db.Tx, organizationID string, p Pair) (from, to Directory, err error) {
	for _, one := range []struct {
		field string
		id    ID
		into  *Directory
	}{{"from.directory_id", p.From, &from}, {"to.directory_id", p.To, &to}} {
		found, err := directoriesIn(ctx, tx, selectSide+s.db.ForUpdate(), organizationID, string(one.id))
		switch {
		case err != nil:
			return from, to, err
		case len(found) == 0:
			return from, to, fault.New(fault.Unprocessable, "unknown_directory", "The organization has no directory '%.80s'.", one.id).On(one.field)
		}
		*one.into = found[0]
	}
	return from, to, nil
}

func (s *Service) markTx(ctx context.Context, tx db.Tx, organizationID string, as map[ID]Switching) error {
	for id, switching := range as {
		if _, err := tx.Exec(ctx, holdSide, organizationID, string(id), db.TextOrNull(string(switching))); err != nil {
			return fmt.Errorf("mark directory %s in its switch: %w", id, err)
		}
	}
	return nil
}

// LetGoTx takes both out of their switch, as they are.
func (s *Service) LetGoTx(ctx context.Context, tx db.Tx, organizationID string, p Pair) error {
	return s.markTx(ctx, tx, organizationID, map[ID]Switching{p.From: "", p.To: ""})
}

// CutOverTx has the new one go live and the old one collect. What members have taken over of the old one is the caller's. After the commit the
// caller calls Await.
func (s *Service) CutOverTx(ctx context.Context, tx db.Tx, actor event.Actor, organizationID string, p Pair) error {
	return s.replaceTx(ctx, tx, actor, organizationID, p, Retired, Ruling)
}

// RevertTx has the old one rule again, and the new one collect; neither is in a switch any more. After the commit the caller calls Await.
func (s *Service) RevertTx(ctx context.Context, tx db.Tx, actor event.Actor, organizationID string, p Pair) error {
	return s.replaceTx(ctx, tx, actor, organizationID, Pair{From: p.To, To: p.From}, "", "")
}

// replaceTx silences one and lets the other live. Everybody of the other is looked at. It comes before what is done to members, as in the writes of
// requests and workers.
func (s *Service) replaceTx(ctx context.Context, tx db.Tx, actor event.Actor, organizationID string, p Pair, out, in Switching) error {
	was, next, err := s.sidesTx(ctx, tx, organizationID, p)
	if err != nil {
		return err
	}
	at := s.time()
	for _, do := range []struct {
		text string
		args []any
	}{
		{silenceSide, []any{organizationID, string(p.From), db.TextOrNull(string(out)), at.UnixMicro()}},
		{deleteDueOf, []any{string(p.From)}},
		{enliveSide, []any{organizationID, string(p.To), db.TextOrNull(string(in)), at.UnixMicro()}},
	} {
		if _, err := tx.Exec(ctx, do.text, do.args...); err != nil {
			return fmt.Errorf("let directory %s live in the place of %s: %w", p.To, p.From, err)
		}
	}
	silent, live := was, next
	silent.LiveAt, silent.UpdatedAt, live.LiveAt, live.UpdatedAt = time.Time{}, at, at, at
	if err := s.auditTx(ctx, tx, actor, &was, silent); err != nil {
		return err
	}
	if err := s.auditTx(ctx, tx, actor, &next, live); err != nil {
		return err
	}
	return s.ReapplyTx(ctx, tx, actor, organizationID, p.To, Anybody)
}

// GoneTx has those looked at whom members know by a directory and it has no more: they left while it was not heard.
func (s *Service) GoneTx(ctx context.Context, tx db.Tx, actor event.Actor, organizationID string, id ID) error {
	cause := event.Context{Actor: actor}.JSON()
	if _, err := tx.Exec(ctx, insertDueGone, organizationID, string(id), s.time().UnixMicro(), cause); err != nil {
		return fmt.Errorf("look for those who left directory %s unheard: %w", id, err)
	}
	tx.OnCommit(s.provision.nudge)
	return nil
}

// LookTx has one person looked at again.
func (s *Service) LookTx(ctx context.Context, tx db.Tx, actor event.Actor, organizationID string, id ID, user UserID) error {
	cause := event.Context{Actor: actor}.JSON()
	if _, err := tx.Exec(ctx, insertDue, string(id), string(user), organizationID, s.time().UnixMicro(), cause); err != nil {
		return fmt.Errorf("have directory user %s looked at again: %w", user, err)
	}
	tx.OnCommit(s.provision.nudge)
	return nil
}

// Known is a person or group of a directory, and what it may be found by in another.
type Known struct {
	ID         string
	ExternalID string
	Name       string   // user name or display name, folded
	Shown      string   // display name of a group, as it was sent
	Emails     []string // folded; of people
	In         bool     // of people: the directory says that they are in
}

// RosterIn is everybody of a directory and all its groups, each by their ids.
func RosterIn(ctx context.Context, r db.Reader, id ID) (people, groups []Known, err error) {
	at := map[string]int{}
	err = eachRow(ctx, r, rosterUsers, id, func(row db.Row) error {
		var k Known
		var external *string
		var suspended bool
		if err := row.Scan(&k.ID, &external, &k.Name, &k.In, &suspended); err != nil {
			return err
		}
		k.ExternalID, k.In = textOf(external), k.In && !suspended
		at[k.ID] = len(people)
		people = append(people, k)
		return nil
	})
	if err == nil {
		err = eachRow(ctx, r, rosterEmails, id, func(row db.Row) error {
			var user, key string
			if err := row.Scan(&user, &key); err != nil {
				return err
			}
			if i, ok := at[user]; ok {
				people[i].Emails = append(people[i].Emails, key)
			}
			return nil
		})
	}
	if err == nil {
		err = eachRow(ctx, r, rosterGroups, id, func(row db.Row) error {
			var k Known
			var external *string
			if err := row.Scan(&k.ID, &external, &k.Name, &k.Shown); err != nil {
				return err
			}
			k.ExternalID = textOf(external)
			groups = append(groups, k)
			return nil
		})
	}
	if err != nil {
		return nil, nil, fmt.Errorf("read who and what directory %s has: %w", id, err)
	}
	return people, groups, nil
}

// HasUserIn tells whether somebody is in a directory.
func HasUserIn(ctx context.Context, r db.Reader, id ID, user UserID) (bool, error) {
	return hasIn(ctx, r, hasUser, id, string(user))
}

// HasGroupIn tells whether a group is in a directory.
func HasGroupIn(ctx context.Context, r db.Reader, id ID, group GroupID) (bool, error) {
	return hasIn(ctx, r, hasGroup, id, string(group))
}

func hasIn(ctx context.Context, r db.Reader, text string, id ID, one string) (there bool, err error) {
	if err := r.QueryRow(ctx, text, string(id), one).Scan(&there); err != nil {
		return false, fmt.Errorf("look for %.80q in directory %s: %w", one, id, err)
	}
	return there, nil
}

func eachRow(ctx context.Context, r db.Reader, text string, id ID, fn func(db.Row) error) error {
	rows, err := r.Query(ctx, text, string(id))
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := fn(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

func textOf(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// Shown is a person or group of a directory as lists show them.
type Shown struct {
	Name       string
	Email      string // of people
	UserName   string // of people
	ExternalID string
	In         bool // of people
}

// ShowPeople reads some people of a directory. Who is not there any more is left out.
func (s *Service) ShowPeople(ctx context.Context, id ID, ids []string) (map[string]Shown, error) {
	out := make(map[string]Shown, len(ids))
	for part := range slices.Chunk(ids, chunk) {
		args := padded(part)
		users, err := s.queryUsers(ctx, selectUsers+" AND u.id IN ("+list(2, len(args))+")", append([]any{string(id)}, args...)...)
		if err != nil {
			return nil, err
		}
		for _, u := range users {
			p, err := s.person(u)
			if err != nil {
				return nil, fmt.Errorf("stored document of user %s: %w", u.ID, err)
			}
			out[string(u.ID)] = p.shown()
		}
	}
	return out, nil
}

func (u person) shown() Shown {
	return Shown{
		Name: u.displayName(), Email: Email(u.doc), UserName: u.doc.Text("userName"), ExternalID: u.doc.Text("externalId"), In: says(u.User) == member.SaysActive,
	}
}
