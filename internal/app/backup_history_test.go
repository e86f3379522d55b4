package app

import (
	"bytes"
	"testing"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/db/dbtest"
	"github.com/rollcallhq/rollcall/internal/db/migrations"
)

// The history of members is written by triggers, which fire while members are put back: what is restored must be what was, and no more.
func TestRestore_adds_nothing_to_the_history_of_members(t *testing.T) {
	dbtest.Each(t, migrations.Files, func(t *testing.T, open func() *db.DB) {
		source := open()
		var w db.Write
		w.Exec(`INSERT INTO organizations (id, name, metadata, created_at, updated_at) VALUES ('org_1', 'Acme', '{}', 1, 1)`)
		w.Exec(`INSERT INTO users (id, email, email_key, email_verified, version, created_at, updated_at) VALUES ('user_1', 'a@b.test', 'a@b.test', TRUE, 1, 1, 1)`)
		w.Exec(`INSERT INTO organization_memberships (id, organization_id, user_id, state, is_primary, role, why, version, created_at, updated_at)
			VALUES ('om_1', 'org_1', 'user_1', 'active', TRUE, 'member', 'sign_in', 1, 1, 1)`)
		w.Exec(`UPDATE organization_memberships SET state = 'inactive', version = 2, updated_at = 2`)
		w.Exec(`UPDATE organization_memberships SET version = 3, updated_at = 3`) // no change that anybody's access depends on
		w.Exec(`UPDATE organization_memberships SET state = 'active', version = 4, updated_at = 4`)
		w.Exec(`UPDATE organization_memberships SET version = 5, updated_at = 5`)
		must(t, source.Write(t.Context(), &w))
		for _, engine := range []db.Engine{db.SQLite, db.PostgreSQL} {
			var raw bytes.Buffer
			_, err := source.Backup(t.Context(), &raw, backupOptions(source, nil))
			must(t, err)
			target := dbtest.Open(t, engine, migrations.Files)
			_, err = target.Restore(t.Context(), &raw, backupOptions(target, nil))
			must(t, err)
			for text, want := range map[string]int64{
				`SELECT COUNT(*) FROM membership_history`:                                       3,
				`SELECT COUNT(*) FROM offboardings_due`:                                         1,
				`SELECT COUNT(*) FROM membership_history WHERE version <> since OR version = 3`: 0,
			} {
				for _, d := range []*db.DB{source, target} {
					var got int64
					must(t, d.QueryRow(t.Context(), text).Scan(&got))
					if got != want {
						t.Errorf("%s: %s is %d, not %d", d.Engine(), text, got, want)
					}
				}
			}
		}
	})
}
