package org

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
)

// Approval is that the operator was asked to vouch for a domain instead of the DNS (VouchForDomain), and what came of it.
type Approval struct {
	AskedAt   time.Time
	AskedBy   string    // name of who asked, else their id
	RefusedAt time.Time // zero: not refused
}

// Open says that the operator has yet to decide.
func (a Approval) Open() bool { return !a.AskedAt.IsZero() && a.RefusedAt.IsZero() }

// Actions of the audit.
const (
	ApprovalAsked   event.Action = "organization_domain.approval_asked"
	ApprovalRefused event.Action = "organization_domain.approval_refused"
	ApprovalGranted event.Action = "organization_domain.approval_granted"
)

// AskApproval asks the operator to vouch for a domain of an organization. Asked again while it is open it changes nothing; after a refusal it
// is asked anew. A domain that is verified is Invalid "domain_already_verified", another organization's NotFound.
func (s *Service) AskApproval(ctx context.Context, actor event.Actor, id ID, domainID string) (a Approval, err error) {
	return s.changeApproval(ctx, actor, domainID, ApprovalAsked, func(d Domain, was Approval, at time.Time) (Approval, error) {
		switch {
		case d.OrganizationID != id:
			return was, DomainNotFound(domainID)
		case d.State == Verified:
			return was, errVerified()
		case was.Open():
			return was, nil
		}
		name := ""
		if actor.Name != nil {
			name = *actor.Name
		}
		return Approval{AskedAt: at, AskedBy: cmp.Or(name, actor.ID)}, nil
	})
}

// RefuseApproval says that the operator does not vouch for a domain. Without an open question it is a Conflict "not_asked".
func (s *Service) RefuseApproval(ctx context.Context, actor event.Actor, domainID string) (a Approval, err error) {
	return s.changeApproval(ctx, actor, domainID, ApprovalRefused, func(d Domain, was Approval, at time.Time) (Approval, error) {
		if !was.Open() || d.State == Verified {
			return was, fault.New(fault.Conflict, "not_asked", "Nobody is waiting for an answer about %s.", d.Domain)
		}
		was.RefusedAt = at
		return was, nil
	})
}

func (s *Service) changeApproval(
	ctx context.Context, actor event.Actor, domainID string, as event.Action, change func(Domain, Approval, time.Time) (Approval, error),
) (a Approval, err error) {
	at := s.time()
	err = s.db.Tx(ctx, func(tx db.Tx) error {
		d, err := s.domain(ctx, tx, domainID, s.db.ForUpdate())
		if err != nil {
			return err
		}
		was, err := approvalIn(ctx, tx, d)
		if err != nil {
			return err
		}
		if a, err = change(d, was, at); err != nil || a == was {
			return err
		}
		if _, err := tx.Exec(ctx, storeApproval, string(d.OrganizationID), d.ID, a.AskedAt.UnixMicro(), a.AskedBy, db.MicrosOrNull(a.RefusedAt)); err != nil {
			return err
		}
		return s.events.AuditTx(ctx, tx, at, approvalChange(actor, d, as, was.state(), a.state()))
	})
	if err != nil {
		return Approval{}, fmt.Errorf("approval of organization domain %s: %w", domainID, err)
	}
	return a, nil
}

func approvalIn(ctx context.Context, tx db.Tx, d Domain) (Approval, error) {
	_, a, err := scanApproval(tx.QueryRow(ctx, selectApproval, string(d.OrganizationID), d.ID))
	return a, err
}

// approvalChange is what the audit shows. The name of the domain stands beside it as if it were new: who is mailed about the change has to read it.
func approvalChange(actor event.Actor, d Domain, as event.Action, before, after string) event.Change {
	return event.Change{
		OrganizationID: string(d.OrganizationID), Action: as, Target: d.ID, Cause: event.Context{Actor: actor}, Before: event.Settings{"approval": before}, After: event.Settings{"name": d.Domain, "approval": after},
	}
}

// grantTx notes that the operator has vouched for a domain whose approval was asked for, so that who asked is told. For one that nobody asked
// for, or that the DNS has proven, it notes nothing.
func (s *Service) grantTx(ctx context.Context, tx db.Tx, at time.Time, actor event.Actor, d Domain) error {
	if d.State != Verified || d.Strategy != Manual {
		return nil
	}
	a, err := approvalIn(ctx, tx, d)
	if err != nil || !a.Open() {
		return err
	}
	return s.events.AuditTx(ctx, tx, at, approvalChange(actor, d, ApprovalGranted, a.state(), "granted"))
}

func (a Approval) state() string {
	switch {
	case a.Open():
		return "asked"
	case !a.RefusedAt.IsZero():
		return "refused"
	}
	return "none"
}

func scanApproval(row db.Row) (domain string, a Approval, err error) {
	var asked, refused *int64
	var by *string
	err = row.Scan(&domain, &asked, &by, &refused)
	if a.AskedAt, a.RefusedAt = db.TimeOrZero(asked), db.TimeOrZero(refused); by != nil {
		a.AskedBy = *by
	}
	return domain, a, err
}

// Approvals are those that were asked for an organization's domains, by the ids of these.
func (s *Service) Approvals(ctx context.Context, id ID) (map[string]Approval, error) {
	rows, err := s.db.Query(ctx, selectApprovals, string(id))
	if err != nil {
		return nil, fmt.Errorf("read approvals of organization %s: %w", id, err)
	}
	defer rows.Close()
	out := map[string]Approval{}
	for rows.Next() {
		domain, a, err := scanApproval(rows)
		if err != nil {
			return nil, fmt.Errorf("read approvals of organization %s: %w", id, err)
		}
		out[domain] = a
	}
	return out, rows.Err()
}

// Awaited is a domain that waits for the operator's word.
type Awaited struct {
	OrganizationID   ID
	Organization     string // its name
	DomainID, Domain string
	At               time.Time
}

// AwaitingApproval are domains of all organizations that wait for the operator, who asked first first, at most limit.
func (s *Service) AwaitingApproval(ctx context.Context, limit int) (out []Awaited, err error) {
	rows, err := s.db.Query(ctx, selectAwaiting, limit)
	if err != nil {
		return nil, fmt.Errorf("read domains that wait for approval: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var a Awaited
		var at int64
		if err := rows.Scan((*string)(&a.OrganizationID), &a.Organization, &a.DomainID, &a.Domain, &at); err != nil {
			return nil, fmt.Errorf("read domains that wait for approval: %w", err)
		}
		a.At = db.Time(at)
		out = append(out, a)
	}
	return out, rows.Err()
}
