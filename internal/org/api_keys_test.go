package org_test

import (
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/token"
)

func TestAPI_key_is_found_while_it_lives_and_its_use_is_noted(t *testing.T) {
	each(t, func(h *house) {
		o := h.must(org.New{Name: "Acme"})
		secret, now := token.NewSecret("sk"), time.Now()
		err := h.db.Tx(ctx, func(tx db.Tx) error {
			_, err := tx.Exec(ctx, `INSERT INTO api_keys (id, organization_id, name, hash, hint, permissions, created_at, updated_at, expires_at)
				VALUES ('api_key_1', $1, 'k', $2, 'x', '["scim"]', 1, 1, $3)`, string(o.ID), string(token.HashOf(secret)), now.Add(time.Hour).UnixMicro())
			return err
		})
		if err != nil {
			h.Fatal(err)
		}
		at := func(when time.Time) (org.APIKey, bool) {
			h.Helper()
			k, ok, err := org.NewService(h.db, h.events, token.NewSource(time.Now), func() time.Time { return when }).AuthenticateAPIKey(ctx, secret)
			if err != nil {
				h.Fatal(err)
			}
			return k, ok
		}
		used := func() (when int64) {
			h.Helper()
			if err := h.db.QueryRow(ctx, "SELECT last_used_at FROM api_keys").Scan(&when); err != nil {
				h.Fatal(err)
			}
			return when
		}
		k, ok := at(now)
		if !ok || k.ID != "api_key_1" || k.OrganizationID != string(o.ID) || !k.May("scim") || k.May("users") || k.May("") {
			h.Errorf("%+v %v", k, ok)
		}
		for _, one := range []struct{ when, want time.Time }{{now.Add(time.Second), now}, {now.Add(2 * time.Minute), now.Add(2 * time.Minute)}, {now, now.Add(2 * time.Minute)}} {
			if _, ok := at(one.when); !ok || used() != one.want.UnixMicro() {
				h.Errorf("used at %d, want %d", used(), one.want.UnixMicro())
			}
		}
		if _, ok := at(now.Add(time.Hour)); ok {
			h.Error("an expired key is accepted")
		}
		if _, ok, err := h.s.AuthenticateAPIKey(ctx, "sk_nobody"); ok || err != nil {
			h.Errorf("a wrong key: %v %v", ok, err)
		}
	})
}
