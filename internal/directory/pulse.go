package directory

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/token"
)

// Pulse is how the provider of a linked directory gets on with it. Of those that were retired by a switch there is none: theirs may fall silent.
type Pulse struct {
	Directory      ID
	OrganizationID string
	Name           string
	Provider       string    // folder of the catalogue of identity providers
	Contact        time.Time // of the last request that came with a good token or key; zero where nothing is kept of it
	TurnedAway     time.Time // of the last request that did not, to the millisecond; zero: none is kept
	Failed         time.Time // of the last request with a good one that was refused, to the millisecond; zero: none is kept
}

// Pulses gives a page of them in the order of the directories' ids, after one ("" from the first on). It looks into indexes only, a few times
// for each directory.
func (s *Service) Pulses(ctx context.Context, after ID, limit int) ([]Pulse, error) {
	rows, err := s.db.Query(ctx, selectPulses, string(after), limit)
	if err != nil {
		return nil, fmt.Errorf("feel the pulse of directories: %w", err)
	}
	defer rows.Close()
	var out []Pulse
	for rows.Next() {
		var p Pulse
		var contact, used *int64
		var away, failed *string
		if err := rows.Scan((*string)(&p.Directory), &p.OrganizationID, &p.Name, &p.Provider, &contact, &used, &away, &failed); err != nil {
			return nil, fmt.Errorf("feel the pulse of directories: %w", err)
		}
		p.Contact, p.TurnedAway, p.Failed = db.TimeOrZero(contact), madeAt(away), madeAt(failed)
		if at := db.TimeOrZero(used); at.After(p.Contact) {
			p.Contact = at
		}
		out = append(out, p)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("feel the pulse of directories: %w", err)
	}
	return out, nil
}

// madeAt is when an id was made.
func madeAt(id *string) time.Time {
	if id == nil {
		return time.Time{}
	}
	_, u, ok := token.Parse(*id)
	if !ok {
		return time.Time{}
	}
	return u.Timestamp().UTC()
}

// TurnedAway are requests with a wrong token from who seems to be the provider.
type TurnedAway struct {
	Count       int // at most what is kept
	First, Last time.Time
}

// knownAgents is how many requests with a good token are asked for the programs that send them.
const knownAgents = 100

// WrongTokens gives the requests since a moment that were refused for their token and came from a program that had a good one before, by its
// user agent. Anybody may call themselves so: it says what is likely, and no more.
func (s *Service) WrongTokens(ctx context.Context, id ID, since time.Time) (out TurnedAway, err error) {
	known, err := s.agents(ctx, id)
	if err != nil || len(known) == 0 {
		return out, err
	}
	rows, err := s.db.Query(ctx, selectTurnedAway, string(id), token.Before(exchangePrefix, since), http.StatusUnauthorized)
	if err != nil {
		return out, fmt.Errorf("read refused requests: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var micros int64
		var agent string
		if err := rows.Scan(&micros, &agent); err != nil {
			return out, fmt.Errorf("read refused requests: %w", err)
		}
		at := db.Time(micros)
		if !slices.Contains(known, program(agent)) || !at.After(since) {
			continue
		}
		if out.Count == 0 {
			out.First = at
		}
		out.Count, out.Last = out.Count+1, at
	}
	if err := rows.Err(); err != nil {
		return out, fmt.Errorf("read refused requests: %w", err)
	}
	return out, nil
}

func (s *Service) agents(ctx context.Context, id ID) (out []string, err error) {
	rows, err := s.db.Query(ctx, selectAgents, string(id), knownAgents)
	if err != nil {
		return nil, fmt.Errorf("read user agents: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var agent string
		if err := rows.Scan(&agent); err != nil {
			return nil, fmt.Errorf("read user agents: %w", err)
		}
		out = append(out, program(agent))
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read user agents: %w", err)
	}
	return out, nil
}

// program is a user agent without its version: what stands before the first digit.
func program(agent string) string {
	if i := strings.IndexAny(agent, "0123456789"); i >= 0 {
		agent = agent[:i]
	}
	return strings.TrimRight(agent, " /v(")
}

// Refusal is what a provider has sent again and again, and was refused each time.
type Refusal struct {
	Method, Path string // without the query
	Status       int
	Count        int // at most what was looked at
	First, Last  time.Time
	Exchange     ExchangeID // the last

	same string
}

// What is looked at of a directory.
const (
	failedLooked = 200
	doneLooked   = 2000 // after each refusal
	mostRefusals = 10   // of different sorts
)

// RefusedAgain gives what was refused at least times times since a moment and was not accepted after, the most frequent first. A refused read
// is none: providers ask for what may not be there. Requests that create are the same if they name the same person or group.
func (s *Service) RefusedAgain(ctx context.Context, id ID, since time.Time, times int) ([]Refusal, error) {
	rows, err := s.db.Query(ctx, selectFailed, string(id), token.Before(exchangePrefix, since), failedLooked)
	if err != nil {
		return nil, fmt.Errorf("read refused requests: %w", err)
	}
	found := map[string]*Refusal{}
	if err := eachRequest(rows, func(r request) {
		if r.Status == http.StatusNotFound && r.Method == http.MethodDelete || strings.HasSuffix(r.Path, "/.search") {
			return // what is gone is gone; and what is sent to search is a read
		}
		key := fmt.Sprintf("%d %s", r.Status, r.same)
		if have := found[key]; have != nil {
			have.Count, have.First = have.Count+1, r.At
			return
		}
		found[key] = &Refusal{Method: r.Method, Path: r.Path, Status: r.Status, Count: 1, First: r.At, Last: r.At, Exchange: r.ID, same: r.same}
	}); err != nil {
		return nil, err
	}
	var out []Refusal
	for _, r := range found {
		if r.Count >= times {
			out = append(out, *r)
		}
	}
	slices.SortFunc(out, func(a, b Refusal) int {
		if a.Count != b.Count {
			return b.Count - a.Count
		}
		return strings.Compare(string(b.Exchange), string(a.Exchange))
	})
	return s.unmended(ctx, id, out[:min(len(out), mostRefusals)])
}

// unmended leaves out what was accepted after it was refused for the last time, among the requests that followed.
func (s *Service) unmended(ctx context.Context, id ID, all []Refusal) (out []Refusal, err error) {
	for _, one := range all {
		rows, err := s.db.Query(ctx, selectDone, string(id), string(one.Exchange), doneLooked, one.Method)
		if err != nil {
			return nil, fmt.Errorf("read accepted requests: %w", err)
		}
		accepted := false
		if err := eachRequest(rows, func(r request) { accepted = accepted || r.same == one.same }); err != nil {
			return nil, err
		}
		if !accepted {
			out = append(out, one)
		}
	}
	return out, nil
}

// request is what tells whether two requests are about the same.
type request struct {
	ID     ExchangeID
	At     time.Time
	Method string
	Path   string
	Status int
	same   string
}

func eachRequest(rows db.Rows, do func(request)) error {
	defer rows.Close()
	for rows.Next() {
		var r request
		var at int64
		var begins *string
		if err := rows.Scan((*string)(&r.ID), &at, &r.Method, &r.Path, &r.Status, &begins); err != nil {
			return fmt.Errorf("read requests: %w", err)
		}
		r.At = db.Time(at)
		r.Path, _, _ = strings.Cut(r.Path, "?")
		r.same = r.Method + " " + r.Path
		if begins != nil && r.Method == http.MethodPost {
			r.same += " " + nameIn(*begins)
		}
		do(r)
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read requests: %w", err)
	}
	return nil
}

// nameIn is the name in the beginning of a body that creates somebody or a group; it need not be whole, or JSON at all.
func nameIn(begins string) string {
	name := regexp.MustCompile(`(?i)"(?:userName|displayName)"\s*:\s*("(?:[^"\\]|\\.)*")`)
	found := name.FindStringSubmatch(begins)
	if found == nil {
		return ""
	}
	return found[1]
}
