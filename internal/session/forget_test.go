package session

import (
	"context"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/db/dbtest"
	"github.com/rollcallhq/rollcall/internal/db/migrations"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/token"
)

func TestForgotten_is_who_was_deleted_and_nobody_else(t *testing.T) {
	dbtest.Each(t, migrations.Files, func(t *testing.T, open func() *db.DB) {
		d, ctx := open(), context.Background()
		ids := token.NewSource(time.Now)
		sealer, err := db.NewSealer([]byte("0123456789abcdef0123456789abcdef"))
		if err != nil {
			t.Fatal(err)
		}
		s := NewService(Options{DB: d, Events: event.NewLog(d, ids), IDs: ids, Sealer: sealer, Now: time.Now})
		var w db.Write
		for _, who := range [][2]string{{"org_1", "user_1"}, {"org_1", "user_2"}, {"org_2", "user_1"}} {
			s.StartInto(&w, New{Cookie: token.HashOf(token.NewSecret("rs")), OrganizationID: who[0], UserID: who[1], Method: SSO, IP: "203.0.113.9", UserAgent: "x"})
		}
		for _, user := range []string{"user_1", "user_2"} {
			if _, _, _, err := s.MagicInto(ctx, d, &w, NewMagic{Email: user + "@acme.test", EmailKey: user + "@acme.test", UserID: user, Browser: "b"}); err != nil {
				t.Fatal(err)
			}
		}
		if err := d.Write(ctx, &w); err != nil {
			t.Fatal(err)
		}
		if err := s.forget(ctx, event.Forgotten{OrganizationID: "org_1", Subject: "user_1"}); err != nil {
			t.Fatal(err)
		}
		for text, want := range map[string]int{
			`SELECT COUNT(*) FROM sessions WHERE organization_id = 'org_1' AND user_id = 'user_1' AND ip IS NULL AND user_agent IS NULL`: 1,
			`SELECT COUNT(*) FROM sessions WHERE ip IS NOT NULL AND user_agent IS NOT NULL`:                                              2,
			`SELECT COUNT(*) FROM magic_auths`:                          1,
			`SELECT COUNT(*) FROM magic_auths WHERE user_id = 'user_2'`: 1,
		} {
			var got int
			if err := d.QueryRow(ctx, text).Scan(&got); err != nil || got != want {
				t.Errorf("%s: %d, want %d: %v", text, got, want, err)
			}
		}
	})
}
