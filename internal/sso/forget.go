package sso

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
)

const (
	forgetBatch = 500
	minTrace    = 8 // bytes: shorter ones are in everything
)

// forget takes people out of this noun's tables: one, or everybody of a deleted organization.
func (s *Service) forget(ctx context.Context, who event.Forgotten) error {
	var w db.Write
	if who.Subject == "" {
		w.Exec(deleteProfilesOf, who.OrganizationID)
		w.Exec(deleteAttemptsOf, who.OrganizationID)
		return s.c.DB.Write(ctx, &w)
	}
	w.Exec(deleteProfilesFor, who.OrganizationID, who.Subject)
	for _, t := range who.Traces {
		w.Exec(deleteProfilesKnown, who.OrganizationID, t, strings.ToLower(t))
	}
	if err := s.c.DB.Write(ctx, &w); err != nil {
		return fmt.Errorf("forget profiles: %w", err)
	}
	return s.forgetAttempts(ctx, who)
}

// forgetAttempts goes through all attempts of the organization: an index of people would cost every sign-in what an erasure gains.
func (s *Service) forgetAttempts(ctx context.Context, who event.Forgotten) error {
	connections, err := s.texts(ctx, everyOf, who.OrganizationID) // deleted ones too
	if err != nil {
		return err
	}
	for _, connection := range connections {
		for after := ""; ; {
			last, err := s.forgetPart(ctx, who, connection, after)
			if err != nil {
				return fmt.Errorf("forget sign-in attempts of %s: %w", connection, err)
			}
			if last == "" {
				break
			}
			after = last
		}
	}
	return nil
}

func (s *Service) texts(ctx context.Context, text string, args ...any) (out []string, err error) {
	rows, err := s.c.DB.Query(ctx, text, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var one string
		if err := rows.Scan(&one); err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	return out, rows.Err()
}

// kept is what of an attempt may be about a person.
type kept struct {
	id                            AttemptID
	user, idpID, email, hint, raw string
	refused                       string
}

// forgetPart looks at a number of attempts and gives the last one's id, "" at the end.
func (s *Service) forgetPart(ctx context.Context, who event.Forgotten, connection, after string) (last string, err error) {
	found, err := s.attemptsAfter(ctx, who.OrganizationID, connection, after)
	if err != nil || len(found) == 0 {
		return "", err
	}
	var w db.Write
	for _, a := range found {
		if !s.about(a, who) {
			continue
		}
		left, err := a.left()
		if err != nil {
			return "", err
		}
		w.Exec(forgetAttempt, who.OrganizationID, connection, string(a.id), left)
	}
	return string(found[len(found)-1].id), s.c.DB.Write(ctx, &w)
}

func (s *Service) attemptsAfter(ctx context.Context, organizationID, connection, after string) ([]kept, error) {
	rows, err := s.c.DB.Query(ctx, attemptsOf, organizationID, connection, after, int64(forgetBatch))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []kept
	for rows.Next() {
		var a kept
		n := nullable{texts: make([]*string, 0, 6)}
		if err := rows.Scan((*string)(&a.id), n.text(&a.user), n.text(&a.idpID), n.text(&a.email), n.text(&a.hint), n.text(&a.raw), n.text(&a.refused)); err != nil {
			return nil, err
		}
		n.fill()
		out = append(out, a)
	}
	return out, rows.Err()
}

// about says whether an attempt is a person's: by their account, and where it came to none by what they were known as. What a provider
// sent is looked at too, as long as it is kept; one that is encrypted tells nothing and is gone after a week.
func (s *Service) about(a kept, who event.Forgotten) bool {
	if a.user != "" {
		return a.user == who.Subject
	}
	for _, t := range who.Traces {
		if slices.ContainsFunc([]string{a.idpID, a.email, a.hint}, func(is string) bool { return strings.EqualFold(is, t) }) {
			return true
		}
	}
	if a.raw == "" {
		return false
	}
	clear, err := s.c.Sealer.Open(rawPlace(a.id), a.raw)
	if err != nil { // sealed by a key that is gone: nobody reads it
		return false
	}
	clear = bytes.ToLower(clear)
	return slices.ContainsFunc(who.Traces, func(t string) bool { return len(t) >= minTrace && bytes.Contains(clear, bytes.ToLower([]byte(t))) })
}

// left is what is left of a refusal: its code and who had to mend it. What was wanted and got may name the person.
func (a kept) left() (any, error) {
	if a.refused == "" {
		return nil, nil //nolint:nilnil // NULL stays NULL
	}
	var r Refused
	if err := json.Unmarshal([]byte(a.refused), &r); err != nil {
		return nil, fmt.Errorf("refusal of attempt %s: %w", a.id, err)
	}
	e := Explain(r.Code)
	return encode(Refused{Code: r.Code, Message: e.Meaning, Fixer: e.Fixer, Advice: e.Advice}), nil
}
