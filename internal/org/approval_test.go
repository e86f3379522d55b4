package org_test

import (
	"slices"
	"testing"

	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/org"
)

func (h *house) approvals() (out []event.Action) {
	h.Helper()
	rows, err := h.db.Query(ctx, `SELECT action, target FROM audit_entries WHERE action LIKE 'organization_domain.approval%' ORDER BY id`)
	h.ok(err)
	defer rows.Close()
	for rows.Next() {
		var action event.Action
		var target string
		h.ok(rows.Scan((*string)(&action), &target))
		out = append(out, action)
	}
	h.ok(rows.Err())
	return out
}

func TestApproval_is_asked_once_refused_and_asked_anew_and_over_when_the_operator_vouches(t *testing.T) {
	each(t, func(h *house) {
		acme, other := h.must(org.New{Name: "Acme"}), h.must(org.New{Name: "Other"})
		d, err := h.s.CreateDomain(ctx, operating(), acme.ID, "acme.example")
		h.ok(err)
		asker := event.Actor{ID: "contact_1", Source: event.AdminPortal, Name: new("ada@acme.example")}
		_, err = h.s.AskApproval(ctx, asker, other.ID, d.ID)
		h.refused(err, fault.NotFound, "entity_not_found")
		_, err = h.s.RefuseApproval(ctx, operating(), d.ID)
		h.refused(err, fault.Conflict, "not_asked")
		a, err := h.s.AskApproval(ctx, asker, acme.ID, d.ID)
		h.ok(err)
		again, err := h.s.AskApproval(ctx, event.Actor{ID: "contact_2", Source: event.AdminPortal}, acme.ID, d.ID)
		h.ok(err)
		if !a.Open() || a.AskedBy != "ada@acme.example" || again != a {
			h.Errorf("%+v, then %+v", a, again)
		}
		waiting, err := h.s.AwaitingApproval(ctx, 10)
		h.ok(err)
		if len(waiting) != 1 || waiting[0].Domain != "acme.example" || waiting[0].Organization != "Acme" || waiting[0].OrganizationID != acme.ID || !waiting[0].At.Equal(a.AskedAt) {
			h.Errorf("%+v", waiting)
		}
		if found, err := h.s.Approvals(ctx, other.ID); err != nil || len(found) != 0 {
			h.Errorf("another organization's: %+v %v", found, err)
		}
		refused, err := h.s.RefuseApproval(ctx, operating(), d.ID)
		h.ok(err)
		found, err := h.s.Approvals(ctx, acme.ID)
		h.ok(err)
		if waiting, _ := h.s.AwaitingApproval(ctx, 10); refused.Open() || found[d.ID] != refused || len(waiting) != 0 {
			h.Errorf("%+v, %+v, %+v", refused, found, waiting)
		}
		if a, err = h.s.AskApproval(ctx, event.Actor{ID: "contact_2", Source: event.AdminPortal}, acme.ID, d.ID); err != nil || !a.Open() || a.AskedBy != "contact_2" {
			h.Errorf("%+v %v", a, err)
		}
		_, err = h.s.VouchForDomain(ctx, operating(), d.ID)
		h.ok(err)
		if waiting, _ := h.s.AwaitingApproval(ctx, 10); len(waiting) != 0 {
			h.Errorf("it is decided: %+v", waiting)
		}
		_, err = h.s.AskApproval(ctx, asker, acme.ID, d.ID)
		h.refused(err, fault.Invalid, "domain_already_verified")
		_, err = h.s.RefuseApproval(ctx, operating(), d.ID)
		h.refused(err, fault.Conflict, "not_asked")
		h.wantApprovals(org.ApprovalAsked, org.ApprovalRefused, org.ApprovalAsked, org.ApprovalGranted)
	})
}

func TestApproval_that_nobody_asked_for_or_that_was_refused_is_not_granted_with_the_word_of_the_operator(t *testing.T) {
	each(t, func(h *house) {
		acme := h.must(org.New{Name: "Acme"})
		unasked, err := h.s.CreateDomain(ctx, operating(), acme.ID, "acme.example")
		h.ok(err)
		refused, err := h.s.CreateDomain(ctx, operating(), acme.ID, "acme.test")
		h.ok(err)
		_, err = h.s.AskApproval(ctx, operating(), acme.ID, refused.ID)
		h.ok(err)
		_, err = h.s.RefuseApproval(ctx, operating(), refused.ID)
		h.ok(err)
		for _, d := range []org.Domain{unasked, refused} {
			_, err := h.s.VouchForDomain(ctx, operating(), d.ID)
			h.ok(err)
		}
		h.wantApprovals(org.ApprovalAsked, org.ApprovalRefused)
	})
}

func TestApproval_is_not_granted_by_the_DNS(t *testing.T) {
	towns(t, func(w *town) {
		d := w.domain("acme.example")
		_, err := w.s.AskApproval(ctx, operating(), d.OrganizationID, d.ID)
		w.ok(err)
		record := d.Records()[0]
		w.dns.texts[record.Name+"."] = []string{record.Value}
		_, err = w.s.VerifyDomain(ctx, operating(), d.ID)
		w.ok(err)
		if got := w.state(d); got != org.Verified {
			t.Fatalf("it is %s", got)
		}
		w.wantApprovals(org.ApprovalAsked)
	})
}

func (h *house) wantApprovals(want ...event.Action) {
	h.Helper()
	if got := h.approvals(); !slices.Equal(got, want) {
		h.Errorf("the audit has %v, want %v", got, want)
	}
}

func operating() event.Actor { return event.Actor{ID: "operator_1", Source: event.Dashboard} }

func (h *house) ok(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}
