package directory

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/member"
	"github.com/rollcallhq/rollcall/internal/scim"
)

// heldRow is a person as consumers know them while a brake holds or keeps them. User is active, as of before.
type heldRow struct {
	Hold         HoldID
	Organization string
	Directory    ID
	State        HeldState
	Says         member.Says
	Cause        []byte
	Groups       string // ids joined by commas; of somebody whom the directory has removed
	User         User
	Since        time.Time

	userNameKey string
	externalID  *string
	kept        bool // the hold was undone
}

func (r *heldRow) scan(rows db.Row, more ...any) error {
	var created, updated, since int64
	var settled *int64
	var document *string
	u := &r.User
	err := rows.Scan(append([]any{
		(*string)(&r.Hold), (*string)(&u.ID), &r.Organization, (*string)(&r.Directory), (*string)(&r.State), (*string)(&r.Says), &r.Cause, &r.userNameKey,
		&r.externalID, &u.IdPID, &u.Version, &r.Groups, &document, &created, &updated, &since, &settled,
	}, more...)...)
	if err != nil {
		return fmt.Errorf("read who is held: %w", err)
	}
	if document != nil {
		u.Document = []byte(*document)
	}
	u.DirectoryID, u.Active, u.CreatedAt, u.UpdatedAt, r.Since = r.Directory, true, db.Time(created), db.Time(updated), db.Time(since)
	u.Held = member.HeldWaiting
	if r.State == HeldKept {
		u.Held = member.HeldKept
	}
	return nil
}

func heldIn(ctx context.Context, r db.Reader, text string, args ...any) (out []heldRow, err error) {
	rows, err := r.Query(ctx, text, args...)
	if err != nil {
		return nil, fmt.Errorf("read who is held: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var h heldRow
		if err := h.scan(rows); err != nil {
			return nil, err
		}
		out = append(out, h)
	}
	return out, rows.Err()
}

func (r heldRow) end() member.HoldEnd {
	return member.HoldEnd{OrganizationID: r.Organization, DirectoryID: string(r.Directory), DirectoryUserID: string(r.User.ID), Kept: r.kept}
}

// person is the person as consumers know them.
func (r heldRow) person(s *Service) (person, error) {
	p, err := s.person(r.User)
	if err != nil {
		return p, fmt.Errorf("document of %s as consumers know it: %w", r.User.ID, err)
	}
	p.Held = ""
	return p, nil
}

// known gives a person as consumers know them: as they are, unless the brake holds or keeps them. It is guarded by the person's version, which
// whatever changes that moves.
func (s *Service) known(ctx context.Context, p person) (person, error) {
	if p.Held == "" {
		return p, nil
	}
	rows, err := heldIn(ctx, s.db, selectHeld+" AND p.directory_user_id = $2", string(p.DirectoryID), string(p.ID))
	if err != nil {
		return p, err
	}
	if len(rows) == 0 { // settled since the person was read
		return p, &db.GuardError{}
	}
	out, err := rows[0].person(s)
	out.direct, out.Groups, out.Version = p.direct, p.Groups, p.Version
	return out, err
}

// overlay shows people as consumers know them.
func overlay(ctx context.Context, r db.Reader, d ID, users []User) error {
	var ids []string
	for _, u := range users {
		if u.Held != "" {
			ids = append(ids, string(u.ID))
		}
	}
	for part := range slices.Chunk(ids, chunk) {
		args := padded(part)
		rows, err := heldIn(ctx, r, selectHeld+" AND p.directory_user_id IN ("+list(2, len(args))+")", append([]any{string(d)}, args...)...)
		if err != nil {
			return err
		}
		for i := range users {
			at := slices.IndexFunc(rows, func(h heldRow) bool { return h.User.ID == users[i].ID })
			if users[i].Held != "" && at >= 0 {
				users[i].Document, users[i].Active, users[i].Suspended, users[i].Hidden = rows[at].User.Document, true, false, false
			}
		}
	}
	return nil
}

// gonePeople are those whom a directory has removed and consumers still know, in the order of ids.
func gonePeople(ctx context.Context, r db.Reader, d Directory) ([]heldRow, error) {
	if !d.Holding {
		return nil, nil
	}
	return heldIn(ctx, r, selectHeld+" AND p.says = 'removed' ORDER BY p.directory_user_id", string(d.ID))
}

func (r heldRow) in(g GroupID) bool { return slices.Contains(strings.Split(r.Groups, ","), string(g)) }

// shown is the person as lists of the API have them.
func (r heldRow) shown() User {
	u := r.User
	u.direct = r.Groups
	return u
}

// matches tells whether a query of the API means the person.
func (r heldRow) matches(q APIQuery) (bool, error) {
	id := string(r.User.ID)
	switch {
	case len(q.States) > 0 && !slices.Contains(q.States, PersonActive): // as which consumers go on knowing them
		return false, nil
	case q.Group != "" && !r.in(q.Group), q.IdPID != "" && q.IdPID != r.User.IdPID, q.After != "" && (id > q.After) != q.Ascending || id == q.After,
		q.Before != "" && (id < q.Before) != q.Ascending || id == q.Before:
		return false, nil
	case q.Email == "":
		return true, nil
	}
	doc, err := scim.ReadObject(r.User.Document, scim.DefaultLimits)
	if err != nil {
		return false, fmt.Errorf("document of %s as consumers know it: %w", id, err)
	}
	key := scim.FoldKey(q.Email)
	return r.userNameKey == key || slices.Contains(emailKeys(doc, r.userNameKey), key), nil
}

// withGone adds to a page whom consumers still know, before it is cut.
func (s *Service) withGone(ctx context.Context, d Directory, q APIQuery, p db.Page, page []User) ([]User, error) {
	gone, err := gonePeople(ctx, s.db, d)
	if err != nil || len(gone) == 0 {
		return page, err
	}
	for _, g := range gone {
		meant, err := g.matches(q)
		if err != nil {
			return nil, err
		}
		if meant {
			page = append(page, g.shown())
		}
	}
	slices.SortFunc(page, func(a, b User) int { return strings.Compare(string(a.ID), string(b.ID)) })
	if up := q.Ascending != (q.Before != "" && q.After == ""); !up { // in the order in which the page was read
		slices.Reverse(page)
	}
	return page[:min(len(page), p.Limit+1)], nil
}

// goneUser finds somebody whom their directory has removed and consumers still know.
func (s *Service) goneUser(ctx context.Context, id UserID) (heldRow, error) {
	rows, err := heldIn(ctx, s.db, selectAnyGone, string(id))
	if err == nil && len(rows) == 0 {
		err = db.ErrNoRows
	}
	if err != nil {
		return heldRow{}, err
	}
	return rows[0], nil
}

// goneAs finds the removed person whom consumers still know and whom a new document is about: by external id, else by user name.
func (s *Service) goneAs(ctx context.Context, d Directory, n draft) (*heldRow, error) {
	if !d.Holding {
		return nil, nil //nolint:nilnil // nobody
	}
	for _, by := range []struct{ text, key string }{
		{" AND p.external_id = $2 AND $3 <> ''", n.externalID},
		{" AND p.user_name_key = $2 AND (p.external_id IS NULL OR $3 = '')", n.userNameKey}, // a name is given to others
	} {
		found, err := heldIn(ctx, s.db, selectHeld+" AND p.says = 'removed'"+by.text+" ORDER BY p.held_at DESC LIMIT 1", string(d.ID), by.key, n.externalID)
		if err != nil {
			return nil, err
		}
		if len(found) > 0 {
			return &found[0], nil
		}
	}
	return nil, nil //nolint:nilnil // nobody
}

// saysGone is what the brake makes of the directory's word about somebody whom it has removed.
func (s *Service) saysGone(ctx context.Context, d Directory, id UserID) (member.Held, error) {
	if !d.Holding {
		return "", nil
	}
	h, err := s.goneUser(ctx, id)
	if errors.Is(err, db.ErrNoRows) {
		return "", nil
	}
	return h.User.Held, err
}

// CauseOfHold is what shut somebody out whom a brake held last; not ok if none ever did.
func (s *Service) CauseOfHold(ctx context.Context, organizationID string, id UserID) (cause event.Context, ok bool, err error) {
	var text []byte
	err = s.db.QueryRow(ctx, selectCauseOfHold, organizationID, string(id)).Scan(&text)
	if errors.Is(err, db.ErrNoRows) {
		return cause, false, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &cause)
	}
	if err != nil {
		return cause, false, fmt.Errorf("cause of the hold of directory user %s: %w", id, err)
	}
	return cause, true, nil
}

// HeldThen is what has become of somebody whom a brake held about a moment, and when; "" if none did. around is how far the clocks of who wrote it
// may lie apart.
func (s *Service) HeldThen(ctx context.Context, organizationID string, id UserID, at time.Time, around time.Duration) (is HeldState, settled time.Time, err error) {
	var ended *int64
	err = s.db.QueryRow(ctx, selectHeldThen, organizationID, string(id), at.Add(-around).UnixMicro(), at.Add(around).UnixMicro()).Scan((*string)(&is), &ended)
	if errors.Is(err, db.ErrNoRows) {
		return "", time.Time{}, nil
	}
	if err != nil {
		return "", time.Time{}, fmt.Errorf("look what has become of the hold of directory user %s: %w", id, err)
	}
	return is, db.TimeOrZero(ended), nil
}
