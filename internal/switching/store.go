package switching

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/org"
)

// NotFound is the refusal for a switch that is not there.
func NotFound(id ID) error {
	return fault.New(fault.NotFound, "entity_not_found", "Identity provider switch not found: '%.80s'.", id)
}

// In finds a switch of an organization. lock is "" or what db.ForUpdate gives.
func In(ctx context.Context, r db.Reader, organizationID org.ID, id ID, lock string) (Switch, error) {
	found, err := read(ctx, r, selectOne+lock, string(organizationID), string(id))
	if err != nil {
		return Switch{}, err
	}
	if len(found) == 0 {
		return Switch{}, NotFound(id)
	}
	return found[0], nil
}

// OpenIn finds the switch of an organization that is preparing or cut over; ok is false where there is none.
func OpenIn(ctx context.Context, r db.Reader, organizationID org.ID) (s Switch, ok bool, err error) {
	found, err := read(ctx, r, selectOpen, string(organizationID))
	if err != nil || len(found) == 0 {
		return Switch{}, false, err
	}
	return found[0], true, nil
}

// ListQuery selects a page of an organization's switches. Before and After are ids.
type ListQuery struct {
	OrganizationID org.ID
	Before, After  string
	Limit          int
	Ascending      bool
}

// List gives a page and whether more follow in the direction read.
func List(ctx context.Context, r db.Reader, q ListQuery) ([]Switch, bool, error) {
	p := db.Page{Before: q.Before, After: q.After, Limit: q.Limit, Ascending: q.Ascending}
	p.Arg(string(q.OrganizationID))
	text, args := p.Statement(selectSwitch, "id")
	found, err := read(ctx, r, text, args...)
	if err != nil {
		return nil, false, err
	}
	found, more := db.Cut(p, found)
	return found, more, nil
}

// DueIn are switches that can be reverted no more at a moment, and are not finished yet.
func DueIn(ctx context.Context, r db.Reader, now time.Time, most int) ([]Switch, error) {
	return read(ctx, r, selectDue, now.UnixMicro(), int64(most))
}

func read(ctx context.Context, r db.Reader, text string, args ...any) ([]Switch, error) {
	rows, err := r.Query(ctx, text, args...)
	if err != nil {
		return nil, fmt.Errorf("read switches: %w", err)
	}
	defer rows.Close()
	var out []Switch
	for rows.Next() {
		s, err := scan(rows)
		if err != nil {
			return nil, fmt.Errorf("read switches: %w", err)
		}
		out = append(out, s)
	}
	return out, rows.Err()
}

func scan(row db.Row) (s Switch, err error) {
	var parts [4]*string
	var before, counts []byte
	var created, updated int64
	var cutOver, until, ended *int64
	err = row.Scan((*string)(&s.ID), (*string)(&s.OrganizationID), (*string)(&s.State), &parts[0], &parts[1], &parts[2], &parts[3], &before, &counts,
		&s.version, &created, &updated, &cutOver, &until, &ended)
	if err != nil {
		return s, err
	}
	s.Connection, s.Directory = Pair{text(parts[0]), text(parts[1])}, Pair{text(parts[2]), text(parts[3])}
	s.CreatedAt, s.UpdatedAt = db.Time(created), db.Time(updated)
	s.CutOverAt, s.RevertibleUntil, s.EndedAt = db.TimeOrZero(cutOver), db.TimeOrZero(until), db.TimeOrZero(ended)
	return s, errors.Join(json.Unmarshal(before, &s.Before), json.Unmarshal(counts, &s.Counts))
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// errOpen is the refusal of a second switch.
func errOpen() error {
	return fault.New(fault.Conflict, "switch_open",
		"The organization has an identity provider switch that is preparing or can still be reverted. Cancel or revert it first, or wait until it is finished.")
}

// InsertTx stores a new switch, which is preparing. The caller holds the organization. A second one that is open is Conflict "switch_open".
func InsertTx(ctx context.Context, tx db.Tx, s Switch) (Switch, error) {
	_, open, err := OpenIn(ctx, tx, s.OrganizationID)
	if err != nil {
		return s, err
	}
	if open {
		return s, errOpen()
	}
	s.State, s.version = Preparing, 1
	_, err = tx.Exec(ctx, insertSwitch, string(s.ID), string(s.OrganizationID), db.TextOrNull(s.Connection.From), db.TextOrNull(s.Connection.To),
		db.TextOrNull(s.Directory.From), db.TextOrNull(s.Directory.To), s.CreatedAt.UnixMicro())
	if err != nil {
		return s, fmt.Errorf("store switch %s: %w", s.ID, err)
	}
	return s, nil
}

// MoveTx stores what a switch has become. before is as it was read in the same transaction under a lock.
func MoveTx(ctx context.Context, tx db.Tx, before, after Switch) (Switch, error) {
	n, err := tx.Exec(ctx, updateSwitch, string(before.OrganizationID), string(before.ID), string(before.State), before.version, string(after.State),
		encode(after.Before), encode(after.Counts), after.UpdatedAt.UnixMicro(), db.MicrosOrNull(after.CutOverAt), db.MicrosOrNull(after.RevertibleUntil),
		db.MicrosOrNull(after.EndedAt))
	if err != nil {
		return after, fmt.Errorf("store switch %s: %w", before.ID, err)
	}
	if n == 0 {
		return after, fmt.Errorf("store switch %s: it was changed by somebody who did not hold it", before.ID)
	}
	after.version = before.version + 1
	return after, nil
}

// DeleteOrganizationTx forgets the switches of an organization that is being deleted and held.
func DeleteOrganizationTx(ctx context.Context, tx db.Tx, organizationID org.ID) error {
	for _, text := range []string{deleteMatchesOf, deleteSwitches} {
		if _, err := tx.Exec(ctx, text, string(organizationID)); err != nil {
			return fmt.Errorf("forget the switches of organization %s: %w", organizationID, err)
		}
	}
	return nil
}

// MatchesIn are the rows of a switch of one kind, in the order of the old ids. Of Old they hold the id and the membership.
func MatchesIn(ctx context.Context, r db.Reader, s Switch, kind Kind) ([]Counterpart, error) {
	return matches(ctx, r, s, selectMatches+orderMatches, string(s.OrganizationID), string(s.ID), string(kind))
}

// MatchIn is the row of somebody, or of a group, of the old side; ok is false where there is none.
func MatchIn(ctx context.Context, r db.Reader, s Switch, kind Kind, old string) (c Counterpart, ok bool, err error) {
	return match(ctx, r, s, kind, selectMatchOfOld, old)
}

// OfNewIn is the row that names one of the new side as the counterpart; ok is false where none does.
func OfNewIn(ctx context.Context, r db.Reader, s Switch, kind Kind, next string) (c Counterpart, ok bool, err error) {
	return match(ctx, r, s, kind, selectMatchOfNew, next)
}

func match(ctx context.Context, r db.Reader, s Switch, kind Kind, text, id string) (c Counterpart, ok bool, err error) {
	found, err := matches(ctx, r, s, text, string(s.OrganizationID), string(s.ID), string(kind), id)
	if err != nil || len(found) == 0 {
		return Counterpart{}, false, err
	}
	return found[0], true, nil
}

func matches(ctx context.Context, r db.Reader, s Switch, query string, args ...any) ([]Counterpart, error) {
	rows, err := r.Query(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("read the matches of switch %s: %w", s.ID, err)
	}
	defer rows.Close()
	var out []Counterpart
	for rows.Next() {
		var c Counterpart
		var next, by, membership *string
		if err := rows.Scan(&c.Old.ID, &next, (*string)(&c.Match), &by, &membership); err != nil {
			return nil, fmt.Errorf("read the matches of switch %s: %w", s.ID, err)
		}
		c.New, c.By, c.Old.Membership = text(next), Found(text(by)), text(membership)
		out = append(out, c)
	}
	return out, rows.Err()
}

// ByHandIn is what hands have said while a switch is prepared: old id to new, "" for nobody.
func ByHandIn(ctx context.Context, r db.Reader, s Switch, kind Kind) (map[string]string, error) {
	found, err := MatchesIn(ctx, r, s, kind)
	if err != nil {
		return nil, err
	}
	out := make(map[string]string, len(found))
	for _, c := range found {
		out[c.Old.ID] = c.New
	}
	return out, nil
}

// SetTx stores one row, and moves the version on, by which all processes see that a hand has spoken. The caller holds the switch.
func SetTx(ctx context.Context, tx db.Tx, s Switch, kind Kind, c Counterpart) error {
	if _, err := tx.Exec(ctx, upsertMatch, c.args(s, kind)...); err != nil {
		return fmt.Errorf("store a match of switch %s: %w", s.ID, err)
	}
	if _, err := tx.Exec(ctx, moveVersion, string(s.OrganizationID), string(s.ID)); err != nil {
		return fmt.Errorf("store a match of switch %s: %w", s.ID, err)
	}
	return nil
}

func (c Counterpart) args(s Switch, kind Kind) []any {
	return []any{
		string(s.OrganizationID), string(s.ID), string(kind), c.Old.ID, db.TextOrNull(c.New), string(c.Match), db.TextOrNull(string(c.By)),
		db.TextOrNull(c.Old.Membership),
	}
}

// rowsAtOnce bounds the arguments of one statement.
const rowsAtOnce = 500

// CarryTx stores all that is carried over, in the place of what hands have said.
func CarryTx(ctx context.Context, tx db.Tx, s Switch, people, groups []Counterpart) error {
	if _, err := tx.Exec(ctx, deleteMatches, string(s.OrganizationID), string(s.ID)); err != nil {
		return fmt.Errorf("store the matches of switch %s: %w", s.ID, err)
	}
	for kind, all := range map[Kind][]Counterpart{People: people, Groups: groups} {
		for part := range slices.Chunk(all, rowsAtOnce) {
			var args []any
			marks := make([]string, len(part))
			for i, c := range part {
				marks[i] = placeholders(len(args))
				args = append(args, c.args(s, kind)...)
			}
			if _, err := tx.Exec(ctx, fmt.Sprintf(insertMatches, strings.Join(marks, ", ")), args...); err != nil {
				return fmt.Errorf("store the matches of switch %s: %w", s.ID, err)
			}
		}
	}
	return nil
}

// columnsOfMatch is how many matchColumns are.
const columnsOfMatch = 8

func placeholders(after int) string {
	marks := make([]string, columnsOfMatch)
	for i := range marks {
		marks[i] = fmt.Sprintf("$%d", after+i+1)
	}
	return "(" + strings.Join(marks, ", ") + ")"
}

func encode(v any) []byte {
	out, err := json.Marshal(v, json.Deterministic(true), jsontext.AllowInvalidUTF8(true))
	if err != nil { // strings and numbers
		panic(err)
	}
	return out
}
