package org_test

import (
	"reflect"
	"testing"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/org"
)

func TestWhole_is_the_organization_with_its_domains_and_what_it_has_switched(t *testing.T) {
	towns(t, func(w *town) {
		plain := w.must(org.New{Name: "Plain"})
		rich := w.must(org.New{
			Name: "Rich", ExternalID: "ext", Metadata: map[string]string{"plan": "gold"},
			Domains: []org.NewDomain{{Domain: "rich.example", State: org.Verified}, {Domain: "also.example", State: org.Pending}},
		})
		if _, err := w.s.SetFeatures(ctx, operator(), rich.ID, map[org.Feature]bool{org.SSO: false}); err != nil {
			t.Fatal(err)
		}
		for _, id := range []org.ID{plain.ID, rich.ID} {
			one, err := w.s.Get(ctx, id)
			features, errFeatures := w.s.Features(ctx, id)
			whole, errWhole := w.s.Whole(ctx, id)
			if err != nil || errFeatures != nil || errWhole != nil {
				t.Fatal(err, errFeatures, errWhole)
			}
			if !reflect.DeepEqual(whole.Organization, one) || !reflect.DeepEqual(whole.Features.All(), features.All()) {
				t.Errorf("got %+v, want %+v with %v", whole, one, features.All())
			}
		}
		var found org.Whole
		if err := w.db.Ask(ctx, org.AskWhole("SELECT organization_id FROM organization_domains WHERE domain = $1", []any{"also.example"}, &found)); err != nil || found.ID != rich.ID || len(found.Domains) != 2 || found.Features.On(org.SSO) {
			t.Errorf("by a domain: %+v, %v", found, err)
		}
		if err := w.db.Tx(ctx, func(tx db.Tx) error { return w.s.DeleteTx(ctx, tx, operator(), rich.ID, w.now) }); err != nil {
			t.Fatal(err)
		}
		for _, gone := range []org.ID{rich.ID, "org_unknown"} {
			if _, err := w.s.Whole(ctx, gone); !fault.Is(err, fault.NotFound) {
				t.Errorf("%s: %v", gone, err)
			}
			if err := w.db.Ask(ctx, org.AskWhole("$1", []any{string(gone)}, &found)); err != nil || found.ID != "" {
				t.Errorf("%s: %+v, %v", gone, found, err)
			}
		}
	})
}
