package app

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/db/dbtest"
	"github.com/rollcallhq/rollcall/internal/db/migrations"
)

// tablesOf asks the engine itself, in other words than the backup does.
func tablesOf(t *testing.T, d *db.DB) (names []string) {
	t.Helper()
	sql := `SELECT m.name FROM pragma_table_list m WHERE m.type = 'table' AND m.schema = 'main' AND substr(m.name, 1, 7) <> 'sqlite_'`
	if d.Engine() == db.PostgreSQL {
		sql = `SELECT tablename::text FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`
	}
	rows, err := d.Query(t.Context(), sql)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	if err := rows.Err(); err != nil || len(names) < 15 {
		t.Fatalf("%v: %v", names, err)
	}
	return names
}

func TestBackup_has_every_table_of_the_schema_but_those_that_are_left_for_a_reason(t *testing.T) {
	dbtest.Each(t, migrations.Files, func(t *testing.T, open func() *db.DB) {
		d := open()
		o := backupOptions(d, nil)
		s, err := d.Backup(t.Context(), io.Discard, o)
		if err != nil {
			t.Fatal(err)
		}
		left := map[string]string{"goose_db_version": "says how the schema came to be; a restore makes its own"}
		for _, p := range o.Packings {
			for table, reason := range p.Leave {
				left[table] = reason
			}
		}
		for _, table := range tablesOf(t, d) {
			_, carried := s.Tables[table]
			if carried == (left[table] != "") {
				t.Errorf("%s is in the backup: %t; reason to leave it: %q", table, carried, left[table])
			}
		}
	})
}

func TestMigrated_database_counts_as_empty(t *testing.T) {
	var tables [][]string
	dbtest.Each(t, migrations.Files, func(t *testing.T, open func() *db.DB) {
		var raw bytes.Buffer
		source := open()
		s, err := source.Backup(t.Context(), &raw, backupOptions(source, nil))
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for name := range s.Tables {
			names = append(names, name)
		}
		slices.Sort(names)
		tables = append(tables, names)
		target := dbtest.Open(t, source.Engine(), migrations.Files)
		if _, err := target.Restore(t.Context(), &raw, backupOptions(target, nil)); err != nil {
			t.Error(err)
		}
	})
	for _, names := range tables {
		if !slices.Equal(names, tables[0]) {
			t.Errorf("the engines carry different tables: %v and %v", names, tables[0])
		}
	}
}

func TestRestore_ends_what_processes_remember_of_tokens(t *testing.T) {
	dbtest.Each(t, migrations.Files, func(t *testing.T, open func() *db.DB) {
		source := open()
		for _, before := range []string{"41", "99999999999999999"} {
			var w db.Write
			w.Exec(`UPDATE installation SET value = $1 WHERE name = 'door_epoch'`, before)
			if err := source.Write(t.Context(), &w); err != nil {
				t.Fatal(err)
			}
			var raw bytes.Buffer
			if _, err := source.Backup(t.Context(), &raw, backupOptions(source, nil)); err != nil {
				t.Fatal(err)
			}
			target := dbtest.Open(t, source.Engine(), migrations.Files)
			begun := time.Now().UnixMicro()
			if _, err := target.Restore(t.Context(), &raw, backupOptions(target, nil)); err != nil {
				t.Fatal(err)
			}
			var epoch int64
			if err := target.QueryRow(t.Context(), `SELECT CAST(value AS BIGINT) FROM installation WHERE name = 'door_epoch'`).Scan(&epoch); err != nil {
				t.Fatal(err)
			}
			if before == "41" && epoch < begun || before != "41" && epoch != 100000000000000000 {
				t.Errorf("the epoch was %s and is %d", before, epoch)
			}
		}
	})
}

func migrated(t *testing.T) Config {
	t.Helper()
	c := testConfig(t)
	if _, err := Migrate(t.Context(), c, (&diary{}).logger()); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestBackup_tells_a_sealing_key_from_another_and_never_holds_it(t *testing.T) {
	log := (&diary{}).logger()
	c := migrated(t)
	if _, err := sealingKeys(c); err != nil {
		t.Fatal(err)
	}
	key := filepath.Join(c.DataDir, keyFileName)
	text, err := os.ReadFile(key)
	if err != nil {
		t.Fatal(err)
	}
	var raw bytes.Buffer
	s, err := Backup(t.Context(), c, "1", log, &raw, nil)
	if err != nil || len(s.Key) != 16 {
		t.Fatalf("%+v %v", s, err)
	}
	gz, err := gzip.NewReader(bytes.NewReader(raw.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(gz)
	if err != nil || bytes.Contains(plain, bytes.TrimSpace(text)) {
		t.Errorf("the key is in the backup: %v", err)
	}
	restored := func(prepare func(Config) Config) string {
		to := testConfig(t)
		if err := os.MkdirAll(to.DataDir, 0o700); err != nil {
			t.Fatal(err)
		}
		done, err := Restore(t.Context(), prepare(to), log, bytes.NewReader(raw.Bytes()), nil)
		if err != nil {
			t.Fatal(err)
		}
		return done.KeyProblem
	}
	other := make([]byte, keyBytes)
	for name, c := range map[string]struct {
		prepare func(Config) Config
		want    string
	}{
		"none": {func(to Config) Config { return to }, "no sealing key yet"},
		"same": {func(to Config) Config {
			must(t, os.WriteFile(filepath.Join(to.DataDir, keyFileName), text, 0o600))
			return to
		}, ""},
		"other": {func(to Config) Config { to.SecretKey = other; return to }, "is not the one"},
		"older": {func(to Config) Config {
			second := filepath.Join(to.DataDir, "new.key")
			must(t, writeKeyFile(second, other))
			to.SecretKeyFiles = []string{second, key}
			return to
		}, ""},
	} {
		if got := restored(c.prepare); c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestBackup_makes_no_database_and_no_key_where_there_is_none(t *testing.T) {
	c := testConfig(t)
	if _, err := Backup(t.Context(), c, "1", (&diary{}).logger(), io.Discard, nil); err == nil || !strings.Contains(err.Error(), "there is no database to back up") {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(c.DataDir); err == nil {
		t.Error("the folder is made")
	}
	c = migrated(t)
	if _, err := Backup(t.Context(), c, "1", (&diary{}).logger(), io.Discard, nil); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(c.DataDir, keyFileName)); err == nil {
		t.Error("a key is made")
	}
}

func TestRestore_of_a_running_servers_file_is_refused(t *testing.T) {
	c := migrated(t)
	var raw bytes.Buffer
	if _, err := Backup(t.Context(), c, "1", (&diary{}).logger(), &raw, nil); err != nil {
		t.Fatal(err)
	}
	a := build(t, c)
	defer func() { must(t, a.Close()) }()
	if _, err := Backup(context.Background(), c, "1", (&diary{}).logger(), io.Discard, nil); err != nil {
		t.Errorf("a backup beside the server: %v", err)
	}
	if _, err := Restore(t.Context(), c, (&diary{}).logger(), &raw, nil); err == nil || !strings.Contains(err.Error(), "in use by") {
		t.Errorf("got %v", err)
	}
}
