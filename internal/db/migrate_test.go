package db_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/db/dbtest"
)

func TestMigrations_say_what_differs_with_tokens_and_blocks(t *testing.T) {
	migrations := dbtest.Migrations(`
CREATE TABLE a (id {{serial_pk}}, x TEXT);
CREATE TABLE b (id {{rowid_pk}}, x TEXT);
CREATE TABLE c (k TEXT NOT NULL PRIMARY KEY, x TEXT) {{clustered}};
-- +only sqlite
INSERT INTO c (k, x) VALUES ('engine', 'sqlite');
-- +end
  -- +only postgres
INSERT INTO c (k, x) VALUES ('engine', 'postgres');
  -- +end
`, "ALTER TABLE c ADD COLUMN y BIGINT;")
	dbtest.Each(t, migrations, func(t *testing.T, open func() *db.DB) {
		h := harness{t, open()}
		var engine string
		h.must(h.QueryRow(t.Context(), "SELECT x FROM c WHERE k = $1", "engine").Scan(&engine))
		if engine != string(h.Engine()) {
			t.Errorf("block for %q on %q", engine, h.Engine())
		}
		var id int64
		h.must(h.Tx(t.Context(), func(tx db.Tx) error {
			return tx.QueryRow(t.Context(), "INSERT INTO a (x) VALUES ('x') RETURNING id").Scan(&id)
		}))
		if id != 1 {
			t.Errorf("first id %d", id)
		}
		h.exec("INSERT INTO b (id, x) VALUES ($1, 'x')", int64(1)<<40)
		h.exec("UPDATE c SET y = 1")
		if v, err := h.SchemaVersion(t.Context()); err != nil || v != 2 {
			t.Errorf("version %d, %v", v, err)
		}
	})
}

func TestMigrate_goes_on_where_it_was(t *testing.T) {
	dbtest.Each(t, nil, func(t *testing.T, open func() *db.DB) {
		h := harness{t, open()}
		if v, err := h.SchemaVersion(t.Context()); err != nil || v != 0 {
			t.Errorf("new database at version %d, %v", v, err)
		}
		first, second := "CREATE TABLE a (id TEXT);", "ALTER TABLE a ADD COLUMN b TEXT;"
		h.must(h.Migrate(t.Context(), dbtest.Migrations(first)))
		h.exec("INSERT INTO a (id) VALUES ('x')")
		h.must(h.Migrate(t.Context(), dbtest.Migrations(first, second)))
		h.must(h.Migrate(t.Context(), dbtest.Migrations(first, second)))
		h.exec("INSERT INTO a (id, b) VALUES ('y', 'b')")
		if n := h.count("SELECT count(*) FROM a"); n != 2 {
			t.Errorf("%d rows", n)
		}
		var newer *db.NewerSchemaError
		err := h.Migrate(t.Context(), dbtest.Migrations(first))
		if !errors.As(err, &newer) || newer.Found != 2 || newer.Known != 1 {
			t.Errorf("older program: %v", err)
		}
	})
}

func TestFailed_migration_leaves_the_version_before(t *testing.T) {
	dbtest.Each(t, nil, func(t *testing.T, open func() *db.DB) {
		h := harness{t, open()}
		err := h.Migrate(t.Context(), dbtest.Migrations("CREATE TABLE a (id TEXT);", "CREATE TABLE b (id TEXT); CREATE TABLE a (id TEXT);"))
		if err == nil {
			t.Fatal("no error")
		}
		if v, err := h.SchemaVersion(t.Context()); err != nil || v != 1 {
			t.Errorf("version %d, %v", v, err)
		}
		h.must(h.Migrate(t.Context(), dbtest.Migrations("CREATE TABLE a (id TEXT);", "CREATE TABLE b (id TEXT);")))
	})
}

func TestConcurrent_starts_migrate_once(t *testing.T) {
	options := dbtest.Options(t, db.PostgreSQL, nil)
	migrations := dbtest.Migrations("CREATE TABLE a (id TEXT);", "INSERT INTO a (id) VALUES ('once');")
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			d, err := db.Open(t.Context(), options)
			if err != nil {
				t.Error(err)
				return
			}
			defer d.Close()
			if err := d.Migrate(t.Context(), migrations); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	d, err := db.Open(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if n := (harness{t, d}).count("SELECT count(*) FROM a"); n != 1 {
		t.Errorf("%d rows", n)
	}
}

func TestMalformed_migrations_are_named(t *testing.T) {
	cases := map[string]string{
		"CREATE TABLE a (id {{nonsense}});":             "unknown token {{nonsense}}",
		"-- +only sqlite\nSELECT 1;":                    "has no -- +end",
		"-- +only oracle\nSELECT 1;\n-- +end":           "wants sqlite or postgres",
		"SELECT 1;\n-- +end":                            "line 3: -- +end without",
		"-- +only sqlite\n-- +only postgres\n-- +end\n": "inside",
	}
	for text, want := range cases {
		d := dbtest.Open(t, db.SQLite, nil)
		err := d.Migrate(t.Context(), dbtest.Migrations(text))
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "00001_test.sql") {
			t.Errorf("%q: %v", text, err)
		}
	}
	d := dbtest.Open(t, db.SQLite, nil)
	if err := d.Migrate(t.Context(), fstest.MapFS{}); err == nil {
		t.Error("no migrations, no error")
	}
}
