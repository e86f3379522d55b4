package org_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/db/dbtest"
	"github.com/rollcallhq/rollcall/internal/db/migrations"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/token"
)

var ctx = context.Background()

type house struct {
	*testing.T
	db     *db.DB
	events *event.Log
	s      *org.Service
}

func each(t *testing.T, story func(*house)) {
	t.Helper()
	dbtest.Each(t, migrations.Files, func(t *testing.T, open func() *db.DB) {
		h := &house{T: t, db: open()}
		ids := token.NewSource(time.Now)
		h.events = event.NewLog(h.db, ids)
		h.s = org.NewService(h.db, h.events, ids, time.Now)
		story(h)
	})
}

func (h *house) create(n org.New) (org.Organization, error) {
	return h.s.Create(ctx, event.Actor{ID: "key", Source: event.API}, n)
}

func (h *house) must(n org.New) org.Organization {
	h.Helper()
	o, err := h.create(n)
	if err != nil {
		h.Fatal(err)
	}
	return o
}

func (h *house) types() string {
	h.Helper()
	events, err := h.events.List(ctx, event.Query{Limit: 100})
	if err != nil {
		h.Fatal(err)
	}
	var out []string
	for _, e := range events {
		out = append(out, string(e.Type))
	}
	return strings.Join(out, " ")
}

func (h *house) refused(err error, kind fault.Kind, code string) {
	h.Helper()
	f, ok := fault.As(err)
	if !ok || f.Kind != kind || f.Code != code {
		h.Errorf("got %v, want a fault %s %s", err, kind, code)
	}
}

func TestCreate_keeps_what_was_given_and_appends_its_events(t *testing.T) {
	each(t, func(h *house) {
		made := h.must(org.New{
			Name: " Acme ", ExternalID: "cust_1", Metadata: map[string]string{"tier": "gold"},
			Domains: []org.NewDomain{{Domain: "Acme.example.", State: org.Verified}, {Domain: "acme.test", State: org.Pending}},
		})
		found, err := h.s.Get(ctx, made.ID)
		if err != nil {
			h.Fatal(err)
		}
		if found.Name != "Acme" || found.ExternalID != "cust_1" || found.Metadata["tier"] != "gold" || len(found.Domains) != 2 ||
			found.Domains[0].Domain != "acme.example" || found.Domains[0].Strategy != org.Manual || found.Domains[1].Strategy != org.DNS {
			h.Errorf("%+v", found)
		}
		if got := h.types(); got != "organization.created organization_domain.created organization_domain.created" {
			h.Error(got)
		}
		byExternal, err := h.s.GetByExternalID(ctx, "cust_1")
		if err != nil || byExternal.ID != made.ID {
			h.Errorf("%v %v", byExternal.ID, err)
		}
	})
}

func TestCreate_refuses_what_is_wrong_and_keeps_nothing(t *testing.T) {
	each(t, func(h *house) {
		h.must(org.New{Name: "First", ExternalID: "taken", Domains: []org.NewDomain{{Domain: "first.example", State: org.Verified}}})
		before := h.types()
		for name, c := range map[string]struct {
			n    org.New
			kind fault.Kind
			code string
		}{
			"no name":               {org.New{Name: "  "}, fault.Unprocessable, "required"},
			"a long name":           {org.New{Name: strings.Repeat("x", 256)}, fault.Unprocessable, "too_long"},
			"external id taken":     {org.New{Name: "A", ExternalID: "taken"}, fault.Invalid, "external_id_already_used"},
			"external id not ASCII": {org.New{Name: "A", ExternalID: "ü"}, fault.Unprocessable, "invalid"},
			"domain of another":     {org.New{Name: "A", Domains: []org.NewDomain{{Domain: "FIRST.example", State: org.Verified}}}, fault.Conflict, "domain_already_verified"},
			"no domain":             {org.New{Name: "A", Domains: []org.NewDomain{{Domain: "not a domain", State: org.Pending}}}, fault.Unprocessable, "invalid_domain"},
			"a domain twice":        {org.New{Name: "A", Domains: []org.NewDomain{{Domain: "a.example", State: org.Pending}, {Domain: "A.example", State: org.Pending}}}, fault.Unprocessable, "duplicate_domain"},
			"metadata too long":     {org.New{Name: "A", Metadata: map[string]string{"k": strings.Repeat("v", 601)}}, fault.Invalid, "invalid_metadata"},
			"metadata with U+0000":  {org.New{Name: "A", Metadata: map[string]string{"k": "\x00"}}, fault.Invalid, "invalid_metadata"},
		} {
			_, err := h.create(c.n)
			f, ok := fault.As(err)
			if !ok || f.Kind != c.kind || f.Code != c.code {
				h.Errorf("%s: got %v, want a fault %s %s", name, err, c.kind, c.code)
			}
		}
		if got := h.types(); got != before {
			h.Errorf("refusals left events: %s", got)
		}
		h.must(org.New{Name: "pending domains are nobody's yet", Domains: []org.NewDomain{{Domain: "first.example", State: org.Pending}}})
		_, err := h.s.Get(ctx, "org_01JD0000000000000000000000")
		h.refused(err, fault.NotFound, "entity_not_found")
	})
}

func TestList_pages_both_ways_and_searches(t *testing.T) {
	each(t, func(h *house) {
		var made []org.Organization
		for _, name := range []string{"Ant", "Bee_1", "Cat", "Dog%", "Emu"} {
			made = append(made, h.must(org.New{Name: name, Domains: []org.NewDomain{{Domain: strings.ToLower(name[:3]) + ".example", State: org.Pending}}}))
		}
		list := func(q org.ListQuery) (names string, more bool) {
			if q.Limit == 0 {
				q.Limit = 10
			}
			found, more, err := h.s.List(ctx, q)
			if err != nil {
				h.Fatal(err)
			}
			for _, o := range found {
				names += o.Name[:1]
			}
			return names, more
		}
		for name, c := range map[string]struct {
			q    org.ListQuery
			want string
			more bool
		}{
			"newest first":        {org.ListQuery{}, "EDCBA", false},
			"a page":              {org.ListQuery{Limit: 2}, "ED", true},
			"after":               {org.ListQuery{Limit: 2, After: string(made[3].ID)}, "CB", true},
			"before":              {org.ListQuery{Limit: 2, Before: string(made[0].ID)}, "CB", true},
			"ascending":           {org.ListQuery{Ascending: true, Limit: 3}, "ABC", true},
			"ascending, before":   {org.ListQuery{Ascending: true, Limit: 2, Before: string(made[2].ID)}, "AB", false},
			"part of the name":    {org.ListQuery{Search: "E"}, "EB", false},
			"a literal percent":   {org.ListQuery{Search: "%"}, "D", false},
			"a literal underline": {org.ListQuery{Search: "_"}, "B", false},
			"domains":             {org.ListQuery{Domains: []string{"CAT.example", "emu.example"}}, "EC", false},
		} {
			if got, more := list(c.q); got != c.want || more != c.more {
				h.Errorf("%s: %s %v, want %s %v", name, got, more, c.want, c.more)
			}
		}
	})
}

func TestManagement_key_is_made_once_even_by_replicas_that_start_together(t *testing.T) {
	each(t, func(h *house) {
		var mu sync.Mutex
		var shown []token.Secret
		hashes := map[token.Hash]bool{}
		var starting sync.WaitGroup
		for range 5 {
			starting.Go(func() {
				hash, secret, err := h.s.ManagementKey(ctx)
				if err != nil {
					h.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				hashes[hash] = true
				if secret != "" {
					shown = append(shown, secret)
				}
			})
		}
		starting.Wait()
		if len(shown) != 1 || len(hashes) != 1 {
			h.Fatalf("%d keys shown, %d hashes", len(shown), len(hashes))
		}
		hash, again, err := h.s.ManagementKey(ctx)
		if err != nil || again != "" || !hash.Matches(shown[0]) {
			h.Errorf("a later start: %v %v", again, err)
		}
	})
}

func TestClient_id_is_made_once_even_by_replicas_that_start_together(t *testing.T) {
	each(t, func(h *house) {
		var mu sync.Mutex
		seen := map[string]bool{}
		var starting sync.WaitGroup
		for range 5 {
			starting.Go(func() {
				id, err := h.s.ClientID(ctx)
				if err != nil {
					h.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				seen[id] = true
			})
		}
		starting.Wait()
		id, err := h.s.ClientID(ctx)
		if prefix, _, ok := token.Parse(id); err != nil || !ok || prefix != "client" {
			h.Errorf("%q is no client id: %v", id, err)
		}
		if len(seen) != 1 || !seen[id] {
			h.Errorf("the ids are %v, later %s", seen, id)
		}
	})
}
