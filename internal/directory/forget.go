package directory

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/scim"
	"github.com/rollcallhq/rollcall/internal/token"
)

// forgetter is this noun's part of an erasure.
func (s *Service) forgetter() event.Forgetter {
	return event.Forgetter{
		Nullable: map[string][]string{"directory_user": {"email", "first_name", "last_name", "name", "job_title", "username"}},
		Forms:    map[string]event.FormEraser{memberFormName: forgetMember},
		Rows:     s.forgetRows,
	}
}

// forgetMember takes a person, or everything of an organization, out of a stored membership event.
func forgetMember(shared, each []byte, e event.Eraser) (lessShared, lessEach []byte, err error) {
	if e.All() {
		var of memberOf
		if err := json.Unmarshal(shared, &of); err != nil {
			return nil, nil, fmt.Errorf("stored group of a membership event: %w", err)
		}
		group, err := e.Value([]byte(of.Group))
		if err != nil {
			return nil, nil, fmt.Errorf("stored group of a membership event: %w", err)
		}
		p := newPayload(512)
		p.string("directory_id", string(of.DirectoryID))
		p.string("organization_id", of.OrganizationID)
		p.raw("group", group)
		shared = p.json()
	}
	var was snapshot
	if err := json.Unmarshal(each, &was); err != nil {
		return nil, nil, fmt.Errorf("stored person of a membership event: %w", err)
	}
	if !e.Gone(string(was.ID)) {
		return shared, each, nil
	}
	return shared, memberSnapshot(User{
		ID: was.ID, IdPID: string(was.ID), Active: was.Active, Suspended: was.Suspended,
		CreatedAt: db.Time(was.CreatedAt), UpdatedAt: db.Time(was.UpdatedAt), Document: []byte("{}"),
	}), nil
}

// forgetRows takes a person out of the exchanges of all directories of the organization, removed ones too, and forgets what they
// were known by. Of an organization it forgets all exchanges, and the people and groups of its removed directories.
func (s *Service) forgetRows(ctx context.Context, who event.Forgotten) error {
	m := mentioned{id: who.Subject}
	for _, t := range who.Traces {
		m.know(t)
	}
	if who.Subject != "" {
		external, nameKey, err := s.formerOf(ctx, who)
		if err != nil {
			return err
		}
		m.know(external)
		m.know(nameKey)
	}
	directories, err := s.directoriesOfOrganization(ctx, who.OrganizationID)
	if err != nil {
		return err
	}
	for _, d := range directories {
		if err := s.forgetExchanges(ctx, d.id, m); err != nil {
			return err
		}
		if err := s.forgetPeople(ctx, d, who, m); err != nil {
			return err
		}
	}
	return s.forgetOldIDs(ctx, who)
}

// owned is a directory of an organization.
type owned struct {
	id      ID
	removed bool
}

func (s *Service) directoriesOfOrganization(ctx context.Context, organizationID string) ([]owned, error) {
	rows, err := s.db.Query(ctx, directoriesOfOrganization, organizationID)
	if err != nil {
		return nil, fmt.Errorf("read directories: %w", err)
	}
	defer rows.Close()
	var out []owned
	for rows.Next() {
		var d owned
		if err := rows.Scan((*string)(&d.id), &d.removed); err != nil {
			return nil, fmt.Errorf("read directories: %w", err)
		}
		out = append(out, d)
	}
	return out, rows.Err()
}

// formerOf gives what the old id of a deleted person is remembered with.
func (s *Service) formerOf(ctx context.Context, who event.Forgotten) (external, nameKey string, err error) {
	var ext *string
	err = s.db.QueryRow(ctx, selectOldID, who.OrganizationID, who.Subject, string(MemberUser)).Scan(&ext, &nameKey)
	if err != nil && !errors.Is(err, db.ErrNoRows) {
		return "", "", fmt.Errorf("look up an old id: %w", err)
	}
	if ext != nil {
		external = *ext
	}
	return external, nameKey, nil
}

func (s *Service) forgetOldIDs(ctx context.Context, who event.Forgotten) error {
	if who.Subject != "" {
		return s.execute(ctx, deleteOldID, who.OrganizationID, who.Subject)
	}
	for {
		n, err := s.executed(ctx, deleteSomeOldIDs, who.OrganizationID)
		if err != nil || n == 0 {
			return err
		}
	}
}

func (s *Service) execute(ctx context.Context, text string, args ...any) error {
	_, err := s.executed(ctx, text, args...)
	return err
}

func (s *Service) executed(ctx context.Context, text string, args ...any) (n int64, err error) {
	err = s.db.Tx(ctx, func(tx db.Tx) error {
		n, err = tx.Exec(ctx, text, args...)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("forget: %w", err)
	}
	return n, nil
}

// forgetPeople removes what removed directories keep for old ids: one person, or all.
func (s *Service) forgetPeople(ctx context.Context, d owned, who event.Forgotten, m mentioned) error {
	if who.Subject != "" {
		if !token.Is(who.Subject, "directory_user") { // an account: whom the directory knows is the directory's
			return nil
		}
		for _, name := range m.names {
			if err := s.execute(ctx, deleteParkedValue, string(d.id), scim.UserNameKey(name)); err != nil {
				return err
			}
		}
		if !d.removed {
			return nil
		}
		return s.forgetUsers(ctx, d.id, []string{who.Subject})
	}
	if !d.removed {
		return nil
	}
	if err := s.forgetAll(ctx, d.id, selectLeftUsers, s.forgetUsers); err != nil {
		return err
	}
	if err := s.forgetAll(ctx, d.id, selectLeftGroups, s.forgetGroups); err != nil {
		return err
	}
	for _, text := range []string{deleteLeftParked, deleteLeftPending, deleteLeftBlocks, deleteLeftTallies} {
		if err := s.execute(ctx, text, string(d.id)); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) forgetAll(ctx context.Context, d ID, text string, forget func(context.Context, ID, []string) error) error {
	for {
		ids, err := s.idsOf(ctx, text, string(d))
		if err != nil || len(ids) == 0 {
			return err
		}
		if err := forget(ctx, d, ids); err != nil {
			return err
		}
	}
}

func (s *Service) idsOf(ctx context.Context, text string, args ...any) ([]string, error) {
	rows, err := s.db.Query(ctx, text, args...)
	if err != nil {
		return nil, fmt.Errorf("read ids: %w", err)
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, fmt.Errorf("read ids: %w", err)
		}
		out = append(out, id)
	}
	return out, rows.Err()
}

func (s *Service) forgetUsers(ctx context.Context, d ID, ids []string) error {
	return s.forgetEach(ctx, d, ids, deleteEmails, deleteMembership, deleteLeftUser)
}

func (s *Service) forgetGroups(ctx context.Context, d ID, ids []string) error {
	return s.forgetEach(ctx, d, ids, deleteMembers, deleteParkedOf, deleteMembership, deleteLeftGroup)
}

func (s *Service) forgetEach(ctx context.Context, d ID, ids []string, texts ...string) error {
	var w db.Write
	for _, text := range texts {
		for _, id := range ids {
			w.Exec(text, string(d), id)
		}
	}
	if err := s.db.Write(ctx, &w); err != nil {
		return fmt.Errorf("forget: %w", err)
	}
	return nil
}

// texts are the parts of an exchange that may speak of somebody.
type texts struct {
	id, path, effect string
	body, answer     *string
}

// forgetExchanges walks through a directory's exchanges and takes out of those that speak of the person everything but what was
// asked for, by when, and what came of it.
func (s *Service) forgetExchanges(ctx context.Context, d ID, m mentioned) error {
	for after := ""; ; {
		page, err := s.exchangeTexts(ctx, d, after)
		if err != nil || len(page) == 0 {
			return err
		}
		var w db.Write
		for _, x := range page {
			after = x.id
			if !m.in(x) {
				continue
			}
			path, effect := m.lessPath(x.path), m.lessEffect(x.effect)
			if path == x.path && effect == x.effect && x.body == nil && x.answer == nil {
				continue
			}
			w.Exec(rewriteExchange, string(d), x.id, path, effect, len(path)+len(effect))
		}
		if err := s.db.Write(ctx, &w); err != nil {
			return fmt.Errorf("forget in exchanges: %w", err)
		}
	}
}

func (s *Service) exchangeTexts(ctx context.Context, d ID, after string) ([]texts, error) {
	rows, err := s.db.Query(ctx, selectExchangeTexts, string(d), after)
	if err != nil {
		return nil, fmt.Errorf("read exchanges: %w", err)
	}
	defer rows.Close()
	var out []texts
	for rows.Next() {
		var x texts
		if err := rows.Scan(&x.id, &x.path, &x.effect, &x.body, &x.answer); err != nil {
			return nil, fmt.Errorf("read exchanges: %w", err)
		}
		out = append(out, x)
	}
	return out, rows.Err()
}

// mentioned recognises a person in recorded text; without an id everybody is meant.
type mentioned struct {
	id     string
	names  []string // all that are known
	traces []string // in lower case, those that are looked for in text
}

// shortest is how long a name has to be to be looked for: shorter ones would be found in what is about others.
const shortest = 4

// know adds a name or address to look for. Numbers need more digits than names letters.
func (m *mentioned) know(trace string) {
	if trace != "" {
		m.names = append(m.names, trace)
	}
	trace = strings.ToLower(trace)
	short := utf8.RuneCountInString(trace) < shortest || strings.Trim(trace, "0123456789") == "" && len(trace) < 2*shortest
	if trace == "" || trace == m.id || short || slices.Contains(m.traces, trace) {
		return
	}
	m.traces = append(m.traces, trace)
}

func (m mentioned) in(x texts) bool {
	if m.id == "" {
		return true
	}
	path := x.path
	if decoded, err := url.QueryUnescape(path); err == nil {
		path = decoded
	}
	return m.inText(path) || m.inText(x.effect) || x.body != nil && m.inText(*x.body) || x.answer != nil && m.inText(*x.answer)
}

func (m mentioned) inText(text string) bool {
	if strings.Contains(text, m.id) {
		return true
	}
	return m.named(text)
}

// named looks for the names and addresses.
func (m mentioned) named(text string) bool {
	if len(m.traces) == 0 {
		return false
	}
	text = strings.ToLower(text)
	return slices.ContainsFunc(m.traces, func(t string) bool { return containsWord(text, t) })
}

// containsWord looks for a word that is not part of a longer one.
func containsWord(text, word string) bool {
	for from := 0; ; {
		at := strings.Index(text[from:], word)
		if at < 0 {
			return false
		}
		at += from
		before, _ := utf8.DecodeLastRuneInString(text[:at])
		after, _ := utf8.DecodeRuneInString(text[at+len(word):])
		if !wordRune(before) && !wordRune(after) {
			return true
		}
		from = at + 1
	}
}

func wordRune(r rune) bool {
	return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_' || r == '-')
}

// lessPath leaves the query out, and a segment that names the person.
func (m mentioned) lessPath(path string) string {
	path, _, _ = strings.Cut(path, "?")
	segments := strings.Split(path, "/")
	for i, s := range segments {
		decoded, err := url.PathUnescape(s)
		if err != nil {
			decoded = s
		}
		if m.id == "" && i > 1 && !strings.HasPrefix(s, "directory_") || m.named(decoded) {
			segments[i] = erased
		}
	}
	return strings.Join(segments, "/")
}

// erased stands where something was that had to be there.
const erased = "erased"

// effectMembers stay of an effect: what happened to which ids.
var effectMembers = []string{
	"change", "action", "resource", "id", "healed_id", "events", "members_added", "members_removed", "members_parked", "members_cleared",
}

// lessEffect keeps what was done, and of a refusal its kind.
func (m mentioned) lessEffect(effect string) string {
	doc, err := scim.ReadObject([]byte(effect), scim.DefaultLimits)
	if err != nil {
		return "{}"
	}
	p := newPayload(len(effect))
	p.string("summary", "")
	for _, member := range doc.Members() {
		if slices.Contains(effectMembers, member.Name) && !m.named(string(member.Value.AppendJSON(nil))) {
			p.raw(member.Name, member.Value.AppendJSON(nil))
		}
	}
	refusal, found := doc.Get("refusal")
	if found {
		less := newPayload(96)
		for _, name := range []string{"status", "code", "fix_by"} {
			if v, has := refusal.Object().Get(name); has {
				less.raw(name, v.AppendJSON(nil))
			}
		}
		p.raw("refusal", less.json())
	}
	return string(p.json())
}
