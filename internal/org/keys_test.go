package org_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/token"
)

// doors count what they are told.
type doors struct {
	moved, awaited int
	failure        error
}

func (d *doors) Moved(context.Context, db.Tx) error { d.moved++; return d.failure }
func (d *doors) Await(context.Context) error        { d.awaited++; return nil }

func (w *town) key(n org.NewAPIKey) (org.APIKey, token.Secret) {
	w.Helper()
	if n.Name == "" {
		n.Name = "Key"
	}
	k, secret, err := w.s.CreateAPIKey(ctx, operator(), w.must(org.New{Name: "Acme"}).ID, n)
	if err != nil {
		w.Fatal(err)
	}
	return k, secret
}

func (w *town) opens(secret token.Secret) bool {
	w.Helper()
	_, good, err := w.s.AuthenticateAPIKey(ctx, secret)
	if err != nil {
		w.Fatal(err)
	}
	return good
}

func TestAPIKey_is_found_by_its_value_with_what_it_may(t *testing.T) {
	towns(t, func(w *town) {
		made, secret := w.key(org.NewAPIKey{Permissions: []string{org.PermissionSCIM, "posts:read", "scim"}})
		found, good, err := w.s.AuthenticateAPIKey(ctx, secret)
		if err != nil || !good || found.ID != made.ID || found.OrganizationID != made.OrganizationID {
			t.Fatalf("%+v %v %v", found, good, err)
		}
		if !found.May("scim") || !found.May("posts:read") || found.May("posts") || found.May("") || len(found.Permissions) != 2 {
			t.Errorf("it may %v", found.Permissions)
		}
		for _, wrong := range []token.Secret{"", "sk_", token.NewSecret("sk"), token.NewSecret("scim"), secret + "x", token.Secret(token.HashOf(secret)), token.Secret(made.ID)} {
			if w.opens(wrong) {
				t.Errorf("%q is taken for a key", wrong.Reveal())
			}
		}
	})
}

func TestAPIKey_is_stored_as_a_hash_only(t *testing.T) {
	towns(t, func(w *town) {
		_, secret := w.key(org.NewAPIKey{})
		var found bool
		like := "%" + secret.Reveal()[10:40] + "%"
		if err := w.db.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM api_keys WHERE hash LIKE $1 OR hint LIKE $1 OR name LIKE $1)
			OR EXISTS (SELECT 1 FROM events WHERE data LIKE $1 OR context LIKE $1)`, like).Scan(&found); err != nil || found {
			t.Errorf("the value is in the database: %v", err)
		}
		var hash string
		if err := w.db.QueryRow(ctx, `SELECT hash FROM api_keys`).Scan(&hash); err != nil || !token.Hash(hash).Matches(secret) {
			t.Errorf("%s is not its hash: %v", hash, err)
		}
	})
}

func TestAPIKey_ends_at_once_and_at_the_doors(t *testing.T) {
	towns(t, func(w *town) {
		d := &doors{}
		w.s.SetDoors(d)
		deleted, one := w.key(org.NewAPIKey{})
		expired, two := w.key(org.NewAPIKey{})
		if d.moved != 0 {
			t.Error("a new key is no reason to look again")
		}
		if err := w.s.DeleteAPIKey(ctx, operator(), deleted.ID); err != nil || w.opens(one) || d.moved != 1 || d.awaited != 1 {
			t.Errorf("deleted: %v %+v", err, d)
		}
		if _, err := w.s.ExpireAPIKey(ctx, operator(), expired.ID, org.Expiry{}); err != nil || w.opens(two) || d.moved != 2 || d.awaited != 2 {
			t.Errorf("expired: %v %+v", err, d)
		}
		if got := w.types(); !strings.HasSuffix(got, "api_key.revoked api_key.updated") {
			t.Error(got)
		}
	})
}

func TestAPIKey_stays_when_the_doors_cannot_be_told(t *testing.T) {
	towns(t, func(w *town) {
		k, secret := w.key(org.NewAPIKey{})
		broken := errors.New("no door")
		w.s.SetDoors(&doors{failure: broken})
		before := w.types()
		if err := w.s.DeleteAPIKey(ctx, operator(), k.ID); !errors.Is(err, broken) {
			t.Errorf("delete: %v", err)
		}
		if _, err := w.s.ExpireAPIKey(ctx, operator(), k.ID, org.Expiry{}); !errors.Is(err, broken) {
			t.Errorf("expire: %v", err)
		}
		if _, err := w.s.SetFeatures(ctx, operator(), org.ID(k.OrganizationID), map[org.Feature]bool{org.SSO: false}); !errors.Is(err, broken) {
			t.Errorf("features: %v", err)
		}
		if err := w.db.Tx(ctx, func(tx db.Tx) error { return w.s.DeleteTx(ctx, tx, operator(), org.ID(k.OrganizationID), w.now) }); !errors.Is(err, broken) {
			t.Errorf("delete the organization: %v", err)
		}
		if !w.opens(secret) || w.types() != before {
			t.Errorf("something changed: %s", w.types())
		}
	})
}

func TestAPIKey_whose_end_was_set_is_over_when_it_comes(t *testing.T) {
	towns(t, func(w *town) {
		end := w.now.Add(time.Hour)
		k, secret := w.key(org.NewAPIKey{ExpiresAt: end})
		for at, good := range map[time.Time]bool{end.Add(-time.Microsecond): true, end: false, end.Add(time.Hour): false} {
			w.now = at
			if w.opens(secret) != good || k.Expired(at) == good {
				t.Errorf("at %s it is not %v", at, good)
			}
		}
	})
}

func TestAPIKey_use_is_written_once_a_minute_at_most_and_by_nobody_who_waits(t *testing.T) {
	towns(t, func(w *town) {
		_, secret := w.key(org.NewAPIKey{})
		used := func() (at int64) {
			t.Helper()
			var stored *int64
			if err := w.db.QueryRow(ctx, `SELECT last_used_at FROM api_keys`).Scan(&stored); err != nil {
				t.Fatal(err)
			}
			if stored != nil {
				at = *stored
			}
			return at
		}
		flush := func(s *org.Service) {
			t.Helper()
			if err := s.FlushUses(ctx); err != nil {
				t.Fatal(err)
			}
		}
		first := w.now
		w.opens(secret)
		if used() != 0 {
			t.Error("looking a key up writes")
		}
		flush(w.s)
		if used() != first.UnixMicro() {
			t.Errorf("used at %d", used())
		}
		writes := w.db.Stats().Writes
		for range 5 {
			w.now = w.now.Add(10 * time.Second)
			w.opens(secret)
			flush(w.s)
		}
		if w.db.Stats().Writes != writes {
			t.Error("it was written more than once a minute")
		}
		other := w.service() // another process has not seen the key, and does not write either
		if _, good, err := other.AuthenticateAPIKey(ctx, secret); err != nil || !good {
			t.Error(err)
		}
		if flush(other); used() != first.UnixMicro() {
			t.Error("another process wrote within the minute")
		}
		w.now = first.Add(time.Minute)
		w.opens(secret)
		if flush(w.s); used() != w.now.UnixMicro() {
			t.Error("a later use is not known")
		}
	})
}

func TestAPIKey_uses_that_could_not_be_written_are_written_later(t *testing.T) {
	towns(t, func(w *town) {
		k, secret := w.key(org.NewAPIKey{})
		w.opens(secret)
		ended, cancel := context.WithCancel(ctx)
		cancel()
		if err := w.s.FlushUses(ended); err == nil {
			t.Error("a flush that was given up says nothing")
		}
		if err := w.s.FlushUses(ctx); err != nil {
			t.Fatal(err)
		}
		found, _, err := w.s.APIKeys(ctx, org.APIKeyQuery{OrganizationID: org.ID(k.OrganizationID), Limit: 1})
		if err != nil || !found[0].LastUsedAt.Equal(w.now) {
			t.Errorf("%+v %v", found, err)
		}
	})
}

func TestRun_writes_what_is_still_noted_when_it_is_stopped(t *testing.T) {
	towns(t, func(w *town) {
		k, secret := w.key(org.NewAPIKey{})
		w.opens(secret)
		running, stop := context.WithCancel(ctx)
		var working sync.WaitGroup
		working.Go(func() { w.s.Run(running, func(work string, err error) { t.Errorf("%s: %v", work, err) }) })
		stop()
		working.Wait()
		found, _, err := w.s.APIKeys(ctx, org.APIKeyQuery{OrganizationID: org.ID(k.OrganizationID), Limit: 1})
		if err != nil || found[0].LastUsedAt.IsZero() {
			t.Errorf("%+v %v", found, err)
		}
	})
}

func TestAPIKeys_of_an_organization_are_limited(t *testing.T) {
	towns(t, func(w *town) {
		k, _ := w.key(org.NewAPIKey{})
		var write db.Write
		for i := 1; i < org.MaxKeys; i++ {
			write.Exec(`INSERT INTO api_keys (id, organization_id, name, hash, hint, permissions, created_at, updated_at) VALUES ($1, $2, 'n', $1, 'h', '[]', 1, 1)`,
				fmt.Sprintf("api_key_%d", i), k.OrganizationID)
		}
		if err := w.db.Write(ctx, &write); err != nil {
			t.Fatal(err)
		}
		_, _, err := w.s.CreateAPIKey(ctx, operator(), org.ID(k.OrganizationID), org.NewAPIKey{Name: "one more"})
		w.refused(err, fault.Unprocessable, "too_many")
	})
}

func TestFeatures_reach_the_doors(t *testing.T) {
	towns(t, func(w *town) {
		o, d := w.must(org.New{Name: "Acme"}), &doors{}
		w.s.SetDoors(d)
		f, err := w.s.SetFeatures(ctx, operator(), o.ID, map[org.Feature]bool{org.DirectorySync: false})
		if err != nil || f.On(org.DirectorySync) || !f.On(org.SSO) || d.moved != 1 || d.awaited != 1 {
			t.Errorf("%+v %v %+v", f, err, d)
		}
		if f, err = w.s.Features(ctx, o.ID); err != nil || f.On(org.DirectorySync) || !f.On(org.SSO) {
			t.Errorf("read %+v %v", f, err)
		}
		if _, err := w.s.SetFeatures(ctx, operator(), o.ID, map[org.Feature]bool{org.DirectorySync: false}); err != nil || d.moved != 1 {
			t.Errorf("what changes nothing moved the doors: %v", err)
		}
		if got := w.types(); got != "organization.created organization.updated" {
			t.Error(got)
		}
		if !(org.Features{}).On(org.SSO) {
			t.Error("features that nobody switched are off")
		}
		_, err = w.s.SetFeatures(ctx, operator(), o.ID, map[org.Feature]bool{org.SSO: false, "teleport": true})
		w.refused(err, fault.Unprocessable, "unknown_feature")
		if f, err = w.s.Features(ctx, o.ID); err != nil || !f.On(org.SSO) {
			t.Error("a refused change was made in part")
		}
		_, err = w.s.SetFeatures(ctx, operator(), "org_01ARZ3NDEKTSV4RRFFQ69G5FAV", map[org.Feature]bool{org.SSO: false})
		w.refused(err, fault.NotFound, "entity_not_found")
	})
}

func TestUpdate_keeps_every_change_of_writers_at_once(t *testing.T) {
	towns(t, func(w *town) {
		o := w.must(org.New{Name: "Acme"})
		var writing sync.WaitGroup
		for i := range 12 {
			writing.Go(func() {
				value := "v"
				if _, err := w.s.Update(ctx, operator(), o.ID, org.Changes{Metadata: map[string]*string{fmt.Sprint("k", i): &value}}); err != nil {
					t.Error(err)
				}
			})
		}
		writing.Wait()
		found, err := w.s.Get(ctx, o.ID)
		if err != nil || len(found.Metadata) != 12 {
			t.Errorf("%v %v", found.Metadata, err)
		}
		if n := strings.Count(w.types(), "organization.updated"); n != 12 {
			t.Errorf("%d events", n)
		}
	})
}

func TestUpdate_names_the_domain_that_belongs_to_another(t *testing.T) {
	towns(t, func(w *town) {
		other := w.must(org.New{Name: "Secret customer", Domains: []org.NewDomain{{Domain: "taken.example", State: org.Verified}}})
		o := w.must(org.New{Name: "Acme"})
		wanted := []org.NewDomain{{Domain: "free.example", State: org.Verified}, {Domain: "taken.example", State: org.Verified}}
		_, err := w.s.Update(ctx, operator(), o.ID, org.Changes{Domains: &wanted})
		w.refused(err, fault.Conflict, "domain_already_verified")
		f, _ := fault.As(err)
		if f == nil || !strings.Contains(f.Message, "taken.example") || strings.Contains(f.Message, string(other.ID)) || strings.Contains(f.Message, other.Name) {
			t.Errorf("%v", err)
		}
		if found, err := w.s.Get(ctx, o.ID); err != nil || len(found.Domains) != 0 {
			t.Errorf("%+v %v", found, err)
		}
	})
}

func TestDeleteTx_leaves_a_bare_row_and_asks_for_erasure(t *testing.T) {
	towns(t, func(w *town) {
		o := w.must(org.New{Name: "Acme", ExternalID: "a", Metadata: map[string]string{"owner": "ann@example.com"}})
		remove := func() error {
			return w.db.Tx(ctx, func(tx db.Tx) error { return w.s.DeleteTx(ctx, tx, operator(), o.ID, w.now) })
		}
		if err := remove(); err != nil {
			t.Fatal(err)
		}
		w.refused(remove(), fault.NotFound, "entity_not_found")
		var name, metadata, subject string
		var external *string
		var deleted, requested int64
		if err := w.db.QueryRow(ctx, `SELECT name, metadata, external_id, deleted_at FROM organizations WHERE id = $1`, string(o.ID)).
			Scan(&name, &metadata, &external, &deleted); err != nil || name+metadata != "{}" || external != nil || deleted != w.now.UnixMicro() {
			t.Errorf("%q %q %v %d %v", name, metadata, external, deleted, err)
		}
		if err := w.db.QueryRow(ctx, `SELECT subject, requested_at FROM erasures WHERE organization_id = $1`, string(o.ID)).
			Scan(&subject, &requested); err != nil || subject != "" || requested != w.now.UnixMicro() {
			t.Errorf("%q %d %v", subject, requested, err)
		}
		events, err := w.events.List(ctx, event.Query{Limit: 10})
		if err != nil || len(events) != 2 || !strings.Contains(string(events[1].Data), `"name":"Acme"`) {
			t.Errorf("%v %v", w.types(), err)
		}
	})
}

func TestUses_may_be_noted_while_they_are_written(t *testing.T) {
	each(t, func(h *house) {
		var working sync.WaitGroup
		for range 4 {
			working.Go(func() {
				for i := range 50 {
					h.s.NoteUse(org.APIKey{ID: fmt.Sprint(i), OrganizationID: "org"})
				}
			})
			working.Go(func() {
				for range 50 {
					if err := h.s.FlushUses(ctx); err != nil {
						t.Error(err)
					}
				}
			})
		}
		working.Wait()
	})
}
