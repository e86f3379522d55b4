package org

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
)

// SSOPolicy says who of an organization has to come in through its identity provider.
type SSOPolicy string

// The policies, from the strictest. Nothing is required of anybody before somebody has come in through the provider, or tested it.
const (
	RequiredForAll     SSOPolicy = "required_for_all"
	RequiredForPrimary SSOPolicy = "required_for_primary_members"
	Optional           SSOPolicy = "optional"
)

// AllSSOPolicies lists them.
func AllSSOPolicies() []SSOPolicy { return []SSOPolicy{RequiredForAll, RequiredForPrimary, Optional} }

// Binds says whether somebody who is a primary member, or a guest, has to use the provider.
func (p SSOPolicy) Binds(primary bool) bool {
	return p == RequiredForAll || p == RequiredForPrimary && primary
}

// strictness counts whom a policy binds.
func (p SSOPolicy) strictness() int {
	switch p {
	case RequiredForAll:
		return 2
	case RequiredForPrimary:
		return 1
	case Optional:
	}
	return 0
}

// Stricter says whether a policy binds people whom another leaves free.
func (p SSOPolicy) Stricter(than SSOPolicy) bool { return p.strictness() > than.strictness() }

// JIT says who becomes a member just by signing in through the provider.
type JIT string

// The settings. None: directory where the organization has one that is live and linked, else verified_domain.
const (
	JITDefault        JIT = ""
	JITDirectory      JIT = "directory"
	JITVerifiedDomain JIT = "verified_domain"
	JITOff            JIT = "off"
)

// AllJIT lists what can be set.
func AllJIT() []JIT { return []JIT{JITDirectory, JITVerifiedDomain, JITOff} }

// Bounds of what can be set.
const (
	MinSession       = 5 * time.Minute // of idle and absolute life
	MaxSession       = 365 * 24 * time.Hour
	MaxOptionalUntil = 365 * 24 * time.Hour // from now
)

// Policy is who may come in to an organization, and how. The zero Version is an organization that has set nothing.
type Policy struct {
	OrganizationID ID
	SSO            SSOPolicy
	// SSOOptionalUntil, if set, is until when SSO is optional whatever SSO says. From then on SSO holds; where that is optional itself,
	// the default does.
	SSOOptionalUntil time.Time
	JIT              JIT
	Idle, Life       time.Duration // of sessions, whole seconds; 0: the installation's
	Version          int64
	UpdatedAt        time.Time // zero: never set
}

// DefaultPolicy is that of an organization which has set nothing.
func DefaultPolicy(id ID) Policy { return Policy{OrganizationID: id, SSO: RequiredForAll} }

// At is what holds at a moment.
func (p Policy) At(now time.Time) SSOPolicy {
	switch {
	case p.SSOOptionalUntil.IsZero():
		return p.SSO
	case now.Before(p.SSOOptionalUntil):
		return Optional
	}
	return p.Later()
}

// Later is what holds in the end.
func (p Policy) Later() SSOPolicy {
	if p.SSO == Optional && !p.SSOOptionalUntil.IsZero() {
		return RequiredForAll
	}
	return p.SSO
}

// PolicyChange is what an update changes; what is nil stays. A new SSO without an OptionalUntil takes the date away.
type PolicyChange struct {
	SSO           *SSOPolicy
	OptionalUntil *time.Time // zero takes it away
	JIT           *JIT
	Idle, Life    *time.Duration // 0: the installation's again
}

// With is the policy with a change, or a refusal of what cannot be set.
func (p Policy) With(c PolicyChange, now time.Time) (Policy, error) {
	if c.SSO != nil {
		p.SSO, p.SSOOptionalUntil = *c.SSO, time.Time{}
	}
	if c.OptionalUntil != nil {
		p.SSOOptionalUntil = c.OptionalUntil.UTC().Truncate(time.Microsecond)
		if c.OptionalUntil.IsZero() {
			p.SSOOptionalUntil = time.Time{}
		}
	}
	if c.JIT != nil {
		p.JIT = *c.JIT
	}
	if c.Idle != nil {
		p.Idle = *c.Idle
	}
	if c.Life != nil {
		p.Life = *c.Life
	}
	return p, p.check(c, now)
}

func (p Policy) check(c PolicyChange, now time.Time) error {
	if p.SSO != RequiredForAll && p.SSO != RequiredForPrimary && p.SSO != Optional {
		return fault.New(fault.Unprocessable, "invalid_sso", "There is no policy %.60q. sso is required_for_all, required_for_primary_members or optional.", string(p.SSO)).On("sso")
	}
	if p.JIT != JITDefault && p.JIT != JITDirectory && p.JIT != JITVerifiedDomain && p.JIT != JITOff {
		return fault.New(fault.Unprocessable, "invalid_jit", "%.60q is no way to create people just in time. jit is directory, verified_domain, off, or null for the default.", string(p.JIT)).On("jit")
	}
	if until := p.SSOOptionalUntil; c.OptionalUntil != nil && !until.IsZero() && (!until.After(now) || until.After(now.Add(MaxOptionalUntil))) {
		return fault.New(fault.Unprocessable, "invalid_optional_until", "optional_until is a time within the next %d days, and %s is not.",
			int(MaxOptionalUntil.Hours()/24), Time(until)).On("optional_until")
	}
	return p.checkLives()
}

func (p Policy) checkLives() error {
	for _, one := range []struct {
		name string
		is   time.Duration
	}{{"session_idle_seconds", p.Idle}, {"session_life_seconds", p.Life}} {
		if one.is != 0 && (one.is < MinSession || one.is > MaxSession) {
			return fault.New(fault.Unprocessable, "invalid_session_life", "%s is a number from %d to %d, or null for the installation's.",
				one.name, int(MinSession.Seconds()), int(MaxSession.Seconds())).On(one.name)
		}
	}
	if p.Idle != 0 && p.Life != 0 && p.Idle > p.Life {
		return fault.New(fault.Unprocessable, "invalid_session_life", "A session cannot lie unused for longer than it lives: make session_idle_seconds %d at most.",
			int(p.Life.Seconds())).On("session_idle_seconds")
	}
	return nil
}

// same says whether two policies set the same.
func (p Policy) same(other Policy) bool {
	p.Version, p.UpdatedAt, p.SSOOptionalUntil = other.Version, other.UpdatedAt, p.SSOOptionalUntil.UTC()
	other.SSOOptionalUntil = other.SSOOptionalUntil.UTC()
	return p == other
}

// PolicyIn is the policy of an organization that r sees, whether the organization is there or not.
func PolicyIn(ctx context.Context, r db.Reader, id ID) (Policy, error) {
	return policyIn(ctx, r, id, "")
}

func policyIn(ctx context.Context, r db.Reader, id ID, lock string) (Policy, error) {
	p, err := scanPolicy(id, r.QueryRow(ctx, selectPolicy+lock, string(id)))
	if errors.Is(err, db.ErrNoRows) {
		return DefaultPolicy(id), nil
	}
	return p, err
}

// AskPolicy is the question behind PolicyIn, to be asked with others.
func AskPolicy(id ID, into *Policy) db.Question {
	return db.Question{SQL: selectPolicy, Args: []any{string(id)}, Read: func(rows db.Rows) (err error) {
		*into = DefaultPolicy(id)
		for rows.Next() {
			if *into, err = scanPolicy(id, rows); err != nil {
				return err
			}
		}
		return rows.Err()
	}}
}

func scanPolicy(id ID, row db.Row) (Policy, error) {
	p := Policy{OrganizationID: id}
	var until, idle, life *int64
	var jit *string
	var updated int64
	if err := row.Scan((*string)(&p.SSO), &until, &jit, &idle, &life, &p.Version, &updated); err != nil {
		return Policy{}, fmt.Errorf("read the policy of organization %s: %w", id, err)
	}
	p.SSOOptionalUntil, p.UpdatedAt, p.Idle, p.Life = db.TimeOrZero(until), db.Time(updated), seconds(idle), seconds(life)
	if jit != nil {
		p.JIT = JIT(*jit)
	}
	return p, nil
}

func seconds(n *int64) time.Duration {
	if n == nil {
		return 0
	}
	return time.Duration(*n) * time.Second
}

func secondsOrNull(d time.Duration) any {
	if d == 0 {
		return nil
	}
	return int64(d / time.Second)
}

// Policy is that of an organization; one that is not there is NotFound.
func (s *Service) Policy(ctx context.Context, id ID) (Policy, error) {
	if _, err := s.Features(ctx, id); err != nil {
		return Policy{}, err
	}
	return PolicyIn(ctx, s.db, id)
}

// PolicyMovedError says that a policy is not any more what a change was computed from: it is computed again.
type PolicyMovedError struct{ OrganizationID ID }

func (e *PolicyMovedError) Error() string {
	return fmt.Sprintf("the policy of organization %s was changed meanwhile", e.OrganizationID)
}

// SetPolicyTx makes a policy what was computed from the one with the same version, and appends organization_policy.updated. It holds the
// organization, as those do who let somebody in without the provider (FreeInto). What changes nothing is silent.
func (s *Service) SetPolicyTx(ctx context.Context, tx db.Tx, actor event.Actor, p Policy) (Policy, error) {
	if err := s.LockTx(ctx, tx, p.OrganizationID); err != nil {
		return Policy{}, err
	}
	before, err := policyIn(ctx, tx, p.OrganizationID, "")
	if err != nil {
		return Policy{}, err
	}
	if before.Version != p.Version {
		return Policy{}, &PolicyMovedError{p.OrganizationID}
	}
	if p.same(before) {
		return before, nil
	}
	p.Version, p.UpdatedAt = before.Version+1, s.time()
	_, err = tx.Exec(ctx, upsertPolicy, string(p.OrganizationID), string(p.SSO), db.MicrosOrNull(p.SSOOptionalUntil), db.TextOrNull(string(p.JIT)),
		secondsOrNull(p.Idle), secondsOrNull(p.Life), p.Version, p.UpdatedAt.UnixMicro())
	if err != nil {
		return Policy{}, fmt.Errorf("store the policy of organization %s: %w", p.OrganizationID, err)
	}
	return p, s.events.AppendTx(ctx, tx, p.UpdatedAt, event.Entry{
		OrganizationID: string(p.OrganizationID), Type: event.OrganizationPolicyUpdated, Context: event.Context{Actor: actor}.JSON(), Data: p.Payload(),
	})
}

// FreeInto makes a write hold only while a living organization has the very policy that somebody is let in by, and holds changes of it
// back until then: who lets somebody in without the provider begins with it.
func (s *Service) FreeInto(w *db.Write, p Policy) {
	s.LivesInto(w, p.OrganizationID)
	w.GuardSelect(guardPolicy, string(p.OrganizationID), p.Version)
}

// PolicyPayload is a policy as API and events show it.
type PolicyPayload struct {
	Object         string    `json:"object"`
	OrganizationID ID        `json:"organization_id"`
	SSO            SSOPolicy `json:"sso"`
	OptionalUntil  *string   `json:"optional_until"`
	JIT            *JIT      `json:"jit"`
	Idle           *int64    `json:"session_idle_seconds"`
	Life           *int64    `json:"session_life_seconds"`
	UpdatedAt      *string   `json:"updated_at"`
}

// Shown is the policy as API and events show it.
func (p Policy) Shown() PolicyPayload {
	out := PolicyPayload{Object: "organization_policy", OrganizationID: p.OrganizationID, SSO: p.SSO, OptionalUntil: timeOrNull(p.SSOOptionalUntil), UpdatedAt: timeOrNull(p.UpdatedAt)}
	if p.JIT != JITDefault {
		out.JIT = &p.JIT
	}
	if p.Idle != 0 {
		n := int64(p.Idle / time.Second)
		out.Idle = &n
	}
	if p.Life != 0 {
		n := int64(p.Life / time.Second)
		out.Life = &n
	}
	return out
}

// Payload is the policy as events show it.
func (p Policy) Payload() []byte { return encode(p.Shown()) }

func timeOrNull(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	text := Time(t)
	return &text
}
