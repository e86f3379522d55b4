package db_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/db/dbtest"
)

// Named so that the order of names is not the order of references.
const (
	carried = `
CREATE TABLE z_parents (id {{text}} NOT NULL PRIMARY KEY, name {{text}}, big BIGINT, alive BOOLEAN NOT NULL);
CREATE TABLE children (seq {{serial_pk}}, parent {{text}} NOT NULL REFERENCES z_parents (id), data {{text}} NOT NULL);
CREATE TABLE a_toys (child BIGINT NOT NULL REFERENCES children (seq), kind {{text}} NOT NULL, PRIMARY KEY (child, kind)) {{clustered}};
CREATE TABLE settings (name {{text}} NOT NULL PRIMARY KEY, value {{text}} NOT NULL);
INSERT INTO settings (name, value) VALUES ('counter', '1');
CREATE TABLE scratch (x {{text}});
CREATE VIEW grown AS SELECT id FROM z_parents WHERE alive;
`
	carriedLater = "ALTER TABLE z_parents ADD COLUMN title {{text}} NOT NULL DEFAULT 'none'; CREATE TABLE later (x {{text}});"
)

func carriedOptions(texts ...string) db.BackupOptions {
	if texts == nil {
		texts = []string{carried}
	}
	return db.BackupOptions{
		Program: "1.2.3", Key: "k", Now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Migrations: dbtest.Migrations(texts...),
		Packings: []db.Packing{{
			Leave:  map[string]string{"scratch": "belongs to a running process"},
			Seeded: map[string]string{"settings": "name = 'counter'"},
		}},
	}
}

// nasty is text that has meaning to JSON, SQL or COPY.
var nasty = []string{"", "plain", "tab\tnew\nline\r\\N \\. \\", `"quoted" 'n' {"a":[1]}`, "ünï 🧑‍🚀 \u2028", "\u0001\u001f", strings.Repeat("long ", 40_000)}

func fillCarried(h harness) {
	h.exec("INSERT INTO z_parents (id, name, big, alive) VALUES ('p', NULL, $1, TRUE), ('q', 'Q', $2, FALSE), ('r', '', NULL, TRUE)", int64(-1)<<63, int64(1)<<62+1)
	for _, text := range nasty {
		h.exec("INSERT INTO children (parent, data) VALUES ('p', $1)", text)
	}
	h.exec("INSERT INTO a_toys (child, kind) VALUES (1, 'ball'), (2, 'ball')")
	h.exec("UPDATE settings SET value = '7'")
	h.exec("INSERT INTO scratch (x) VALUES ('of a process')")
}

// contents is every row of the carried tables as text.
func contents(h harness) (out []string) {
	for _, sql := range []string{
		"SELECT id, name, big, alive FROM z_parents ORDER BY id", "SELECT seq, parent, data, NULL FROM children ORDER BY seq",
		"SELECT child, kind, NULL, NULL FROM a_toys ORDER BY child", "SELECT name, value, NULL, NULL FROM settings ORDER BY name",
	} {
		rows, err := h.Query(h.Context(), sql)
		h.must(err)
		for rows.Next() {
			var a, b, c, d any
			h.must(rows.Scan(&a, &b, &c, &d))
			out = append(out, fmt.Sprintf("%v|%v|%v|%v", a, b, c, d))
		}
		rows.Close()
		h.must(rows.Err())
	}
	return out
}

func backedUp(t *testing.T, d *db.DB, o db.BackupOptions) []byte {
	t.Helper()
	var out bytes.Buffer
	if _, err := d.Backup(t.Context(), &out, o); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func lines(t *testing.T, raw []byte) []string {
	t.Helper()
	gz, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(gz)
	if err != nil {
		t.Fatal(err)
	}
	return slices.Collect(strings.Lines(string(text)))
}

func packed(all ...string) []byte {
	var out bytes.Buffer
	gz, _ := gzip.NewWriterLevel(&out, gzip.HuffmanOnly) // the level is right
	_, _ = io.WriteString(gz, strings.Join(all, ""))     // to memory
	_ = gz.Close()
	return out.Bytes()
}

func TestBackup_restores_into_either_engine(t *testing.T) {
	o := carriedOptions()
	for _, from := range dbtest.Engines(t) {
		source := harness{t, dbtest.Open(t, from, o.Migrations)}
		fillCarried(source)
		raw := backedUp(t, source.DB, o)
		for _, to := range dbtest.Engines(t) {
			t.Run(fmt.Sprintf("%s to %s", from, to), func(t *testing.T) {
				target := harness{t, dbtest.Open(t, to, nil)}
				s, err := target.Restore(t.Context(), bytes.NewReader(raw), o)
				target.must(err)
				if s.Engine != from || s.Schema != 1 || s.Program != "1.2.3" || s.Key != "k" || !s.At.Equal(o.Now) || s.Rows != int64(3+len(nasty)+2+1) || s.Tables["a_toys"] != 2 {
					t.Errorf("summary %+v", s)
				}
				if want, got := contents(source), contents(target); !slices.Equal(want, got) {
					t.Errorf("%.2000q is not %.2000q", got, want)
				}
				if n := target.count("SELECT count(*) FROM scratch"); n != 0 {
					t.Error("a table that is left out is carried")
				}
				// The counter goes on behind the last row.
				target.exec("INSERT INTO children (parent, data) VALUES ('q', 'new')")
				if n := target.count("SELECT max(seq) FROM children"); n != len(nasty)+1 {
					t.Errorf("the next number is %d", n)
				}
				again := backedUp(t, target.DB, o)
				if v, err := db.VerifyBackup(t.Context(), bytes.NewReader(again), o); err != nil || v.Rows != s.Rows+1 {
					t.Errorf("backed up again: %+v %v", v, err)
				}
			})
		}
	}
}

func TestBackup_puts_tables_behind_those_they_refer_to(t *testing.T) {
	dbtest.Each(t, carriedOptions().Migrations, func(t *testing.T, open func() *db.DB) {
		var order []string
		for _, line := range lines(t, backedUp(t, open(), carriedOptions())) {
			if rest, ok := strings.CutPrefix(line, `{"table":"`); ok {
				order = append(order, rest[:strings.IndexByte(rest, '"')])
			}
		}
		if want := []string{"settings", "z_parents", "children", "a_toys"}; !slices.Equal(order, want) {
			t.Errorf("order %v, want %v", order, want)
		}
	})
}

func TestBackup_refuses_what_could_not_be_put_back(t *testing.T) {
	cases := map[string]struct {
		sql, want string
		only      db.Engine
	}{
		"circle": {
			"CREATE TABLE a (id {{text}} PRIMARY KEY); CREATE TABLE b (id {{text}} PRIMARY KEY, a {{text}} REFERENCES a (id)); ALTER TABLE a ADD COLUMN b {{text}} REFERENCES b (id);",
			"circle", "",
		},
		"type":  {"CREATE TABLE a (x REAL);", `column x of a: the type "real" cannot be carried`, ""},
		"value": {"CREATE TABLE a (x BIGINT); INSERT INTO a (x) VALUES ('word');", "back up a: column x: holds a string where integer belongs", db.SQLite},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			for _, engine := range dbtest.Engines(t) {
				if c.only != "" && c.only != engine {
					continue
				}
				o := db.BackupOptions{Migrations: dbtest.Migrations(c.sql)}
				_, err := dbtest.Open(t, engine, o.Migrations).Backup(t.Context(), io.Discard, o)
				if err == nil || !strings.Contains(strings.ToLower(err.Error()), c.want) {
					t.Errorf("%s: %v", engine, err)
				}
			}
		})
	}
}

func TestBackup_refuses_a_new_database_and_one_of_a_newer_release(t *testing.T) {
	dbtest.Each(t, nil, func(t *testing.T, open func() *db.DB) {
		d := open()
		if _, err := d.Backup(t.Context(), io.Discard, carriedOptions()); err == nil || !strings.Contains(err.Error(), "nothing to back up") {
			t.Errorf("a new database: %v", err)
		}
		if err := d.Migrate(t.Context(), dbtest.Migrations(carried, carriedLater)); err != nil {
			t.Fatal(err)
		}
		var newer *db.NewerSchemaError
		if _, err := d.Backup(t.Context(), io.Discard, carriedOptions()); !errors.As(err, &newer) {
			t.Errorf("a newer schema: %v", err)
		}
	})
}

func TestBackup_is_of_one_moment(t *testing.T) {
	o := carriedOptions()
	dbtest.Each(t, o.Migrations, func(t *testing.T, open func() *db.DB) {
		h := harness{t, open()}
		fillCarried(h)
		want := contents(h)
		// The first byte leaves when the snapshot is taken and nearly nothing is read.
		raw := &interrupted{then: func() {
			h.exec("INSERT INTO z_parents (id, alive) VALUES ('late', TRUE)")
			h.exec("DELETE FROM a_toys")
			h.exec("UPDATE settings SET value = 'late'")
		}}
		_, err := h.Backup(t.Context(), raw, o)
		h.must(err)
		target := harness{t, dbtest.Open(t, h.Engine(), nil)}
		_, err = target.Restore(t.Context(), &raw.buf, o)
		h.must(err)
		if got := contents(target); !slices.Equal(got, want) {
			t.Errorf("%.500q is not %.500q", got, want)
		}
	})
}

type interrupted struct {
	buf  bytes.Buffer
	then func()
}

func (i *interrupted) Write(p []byte) (int, error) {
	if i.then != nil {
		then := i.then
		i.then = nil
		then()
	}
	return i.buf.Write(p)
}

func TestBackup_passes_on_that_its_place_is_full(t *testing.T) {
	o := carriedOptions()
	dbtest.Each(t, o.Migrations, func(t *testing.T, open func() *db.DB) {
		h := harness{t, open()}
		fillCarried(h)
		full := errors.New("no space left")
		if _, err := h.Backup(t.Context(), writerFunc(func([]byte) (int, error) { return 0, full }), o); !errors.Is(err, full) {
			t.Errorf("got %v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := h.Backup(ctx, io.Discard, o); !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled: %v", err)
		}
		backedUp(t, h.DB, o) // the connection is well
	})
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// damages are what may have happened to a backup, each with what the refusal says.
func damages(t *testing.T, raw []byte) map[string]struct {
	raw  []byte
	want string
} {
	all := lines(t, raw)
	last := len(all) - 1
	change := func(i int, old, now string) []byte {
		changed := slices.Clone(all)
		changed[i] = strings.Replace(changed[i], old, now, 1)
		if changed[i] == all[i] {
			t.Fatalf("line %d has no %q: %.100q", i, old, all[i])
		}
		return packed(changed...)
	}
	row := slices.IndexFunc(all, func(line string) bool { return strings.HasPrefix(line, `["p"`) })
	flipped := slices.Clone(raw)
	flipped[len(flipped)/2] ^= 0x10
	return map[string]struct {
		raw  []byte
		want string
	}{
		"nothing":        {nil, "no backup of Rollcall"},
		"another file":   {[]byte("PK\x03\x04 something"), "no backup of Rollcall"},
		"another gzip":   {packed("hello\n"), "no backup of Rollcall"},
		"cut in bytes":   {raw[:len(raw)-5], "damaged"},
		"cut in half":    {raw[:len(raw)/2], "cut off"},
		"cut in lines":   {packed(all[:last]...), "cut off"},
		"a flipped bit":  {flipped, "damaged"},
		"a changed row":  {change(row, `["p"`, `["x"`), "checksum"},
		"a missing row":  {packed(slices.Delete(slices.Clone(all), row, row+1)...), "checksum"},
		"a missing cell": {change(row, `["p",`, `[`), "cannot be read"},
		"a longer row":   {change(row, `["p",`, `["p","p",`), "cannot be read"},
		"another type":   {change(row, `["p",`, `[1,`), "column id: number where text belongs"},
		"a NUL":          {change(row, `["p",`, `["p\u0000",`), "NUL"},
		"a broken row":   {change(row, `["p",`, `["p" `), "cannot be read"},
		"two rows":       {change(row, "]\n", "][]\n"), "follows"},
		"no table":       {change(1, `"table"`, `"tables"`), "expected here"},
		"table twice":    {packed(append(slices.Clone(all[:last]), all[1:]...)...), "comes twice"},
		"other counts":   {change(last, `"a_toys":2`, `"a_toys":3`), "announces"},
		"more behind":    {packed(append(slices.Clone(all), all[1])...), "follows its end"},
		"a second one":   {slices.Concat(raw, raw), "follows its end"},
	}
}

func TestDamaged_backup_is_refused_and_leaves_the_database_empty(t *testing.T) {
	o := carriedOptions()
	for _, engine := range dbtest.Engines(t) {
		source := harness{t, dbtest.Open(t, engine, o.Migrations)}
		fillCarried(source)
		target := harness{t, dbtest.Open(t, engine, nil)}
		raw := backedUp(t, source.DB, o)
		for name, c := range damages(t, raw) {
			t.Run(string(engine)+" "+name, func(t *testing.T) {
				var damaged *db.DamagedBackupError
				if _, err := db.VerifyBackup(t.Context(), bytes.NewReader(c.raw), o); !errors.As(err, &damaged) || !strings.Contains(err.Error(), c.want) {
					t.Errorf("verify: %v; want %q", err, c.want)
				}
				if _, err := target.Restore(t.Context(), bytes.NewReader(c.raw), o); !errors.As(err, &damaged) {
					t.Errorf("restore: %v", err)
				}
				if v, err := target.SchemaVersion(t.Context()); err == nil && v > 0 {
					for _, table := range []string{"z_parents", "children", "a_toys"} {
						if n := target.count("SELECT count(*) FROM " + table); n != 0 {
							t.Errorf("%d rows of %s are there", n, table)
						}
					}
				}
			})
		}
		_, err := target.Restore(t.Context(), bytes.NewReader(raw), o)
		target.must(err) // none of it stands in the way of the right one
		if !slices.Equal(contents(source), contents(target)) {
			t.Error("restored after refusals, it is another")
		}
	}
}

// withSum adds the last line that belongs to these.
func withSum(all []string) []string {
	rows, table := map[string]int64{}, ""
	for _, line := range all {
		var is struct {
			Table string `json:"table"`
		}
		if strings.HasPrefix(line, "[") {
			rows[table]++
		} else if json.Unmarshal([]byte(line), &is) == nil && is.Table != "" {
			table = is.Table
			rows[table] += 0
		}
	}
	sum := sha256.Sum256([]byte(strings.Join(all, "")))
	end, err := json.Marshal(map[string]any{"end": map[string]any{"rows": rows, "sha256": hex.EncodeToString(sum[:])}})
	if err != nil {
		panic(err)
	}
	return append(slices.Clone(all), string(end)+"\n")
}

// resummed is a backup whose checksum is right although its lines were changed.
func resummed(t *testing.T, d *db.DB, o db.BackupOptions, change func(all []string) []string) []byte {
	t.Helper()
	all := lines(t, backedUp(t, d, o))
	return packed(withSum(change(all[:len(all)-1]))...)
}

func TestBackup_of_other_tables_is_refused_whatever_its_checksum(t *testing.T) {
	o := carriedOptions()
	dbtest.Each(t, o.Migrations, func(t *testing.T, open func() *db.DB) {
		h := harness{t, open()}
		replace := func(old, now string) func([]string) []string {
			return func(all []string) []string {
				return slices.Collect(strings.Lines(strings.Replace(strings.Join(all, ""), old, now, 1)))
			}
		}
		for _, c := range []struct {
			change func([]string) []string
			want   string
		}{
			{replace(`"table":"children"`, `"table":"sqlite_master"`), "no table"},
			{replace(`"table":"children"`, `"table":"children\" (x) VALUES (1); --"`), "no table"},
			{replace(`"name":"parent"`, `"name":"parent\""`), "no table"},
			{replace(`"name":"parent"`, `"name":"seq"`), "no table"},
			{replace(`"table":"children"`, `"table":"scratch"`), "no table"},
			{replace(`{"table":"children"`, `{"table":"goose_db_version"`), "no table"},
			{func(all []string) []string { return all[:len(all)-1] }, "is missing"},
		} {
			raw := resummed(t, h.DB, o, c.change)
			target := dbtest.Open(t, h.Engine(), o.Migrations)
			if _, err := target.Restore(t.Context(), bytes.NewReader(raw), o); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v; want %q", err, c.want)
			}
		}
	})
}

func TestRestore_refuses_a_database_that_is_in_use(t *testing.T) {
	o := carriedOptions()
	dbtest.Each(t, o.Migrations, func(t *testing.T, open func() *db.DB) {
		h := harness{t, open()}
		raw := backedUp(t, h.DB, o)
		for _, sql := range []string{
			"INSERT INTO z_parents (id, alive) VALUES ('mine', TRUE)", "INSERT INTO settings (name, value) VALUES ('mine', '1')",
		} {
			target := harness{t, dbtest.Open(t, h.Engine(), o.Migrations)}
			target.exec(sql)
			before := contents(target)
			var used *db.NotEmptyError
			if _, err := target.Restore(t.Context(), bytes.NewReader(raw), o); !errors.As(err, &used) || !strings.Contains(err.Error(), "empty database") {
				t.Errorf("%s: %v", sql, err)
			}
			if !slices.Equal(before, contents(target)) {
				t.Error("it is changed")
			}
		}
		// What was never in use may have been migrated, and hold what a process left behind.
		target := harness{t, dbtest.Open(t, h.Engine(), o.Migrations)}
		target.exec("INSERT INTO scratch (x) VALUES ('x')")
		_, err := target.Restore(t.Context(), bytes.NewReader(raw), o)
		target.must(err)
	})
}

func TestOlder_backup_is_loaded_with_its_schema_and_migrated(t *testing.T) {
	old, now := carriedOptions(), carriedOptions(carried, carriedLater)
	for _, from := range dbtest.Engines(t) {
		source := harness{t, dbtest.Open(t, from, old.Migrations)}
		fillCarried(source)
		raw := backedUp(t, source.DB, old)
		for _, to := range dbtest.Engines(t) {
			target := harness{t, dbtest.Open(t, to, nil)}
			_, err := target.Restore(t.Context(), bytes.NewReader(raw), now)
			target.must(err)
			if v, err := target.SchemaVersion(t.Context()); err != nil || v != 2 {
				t.Errorf("version %d, %v", v, err)
			}
			if n := target.count("SELECT count(*) FROM z_parents WHERE title = 'none'"); n != 3 || !slices.Equal(contents(source), contents(target)) {
				t.Errorf("%d rows were migrated", n)
			}
			// One that is ahead already, and empty, is refused with the way out.
			ahead := harness{t, dbtest.Open(t, to, now.Migrations)}
			if _, err := ahead.Restore(t.Context(), bytes.NewReader(raw), now); err == nil || !strings.Contains(err.Error(), "never started") {
				t.Errorf("into a newer schema: %v", err)
			}
			// And a database in use is not so much as migrated.
			used := harness{t, dbtest.Open(t, to, old.Migrations)}
			fillCarried(used)
			newer := backedUp(t, target.DB, now)
			if _, err := used.Restore(t.Context(), bytes.NewReader(newer), now); err == nil {
				t.Error("restored over data")
			}
			if v, _ := used.SchemaVersion(t.Context()); v != 1 {
				t.Errorf("a refused restore migrated to %d", v)
			}
		}
	}
}

func TestNewer_backup_is_refused_before_anything_is_touched(t *testing.T) {
	now := carriedOptions(carried, carriedLater)
	dbtest.Each(t, now.Migrations, func(t *testing.T, open func() *db.DB) {
		raw := backedUp(t, open(), now)
		target := dbtest.Open(t, db.SQLite, nil)
		if _, err := target.Restore(t.Context(), bytes.NewReader(raw), carriedOptions()); err == nil || !strings.Contains(err.Error(), "schema version 2, this program knows up to 1") {
			t.Errorf("got %v", err)
		}
		if v, err := target.SchemaVersion(t.Context()); err != nil || v != 0 {
			t.Errorf("version %d, %v", v, err)
		}
	})
	format := packed(`{"format":"rollcall backup","version":9,"program":"9.0"}` + "\n")
	if _, err := db.VerifyBackup(t.Context(), bytes.NewReader(format), now); err == nil || !strings.Contains(err.Error(), "format 9") || !strings.Contains(err.Error(), "9.0") {
		t.Errorf("a later format: %v", err)
	}
}

func TestRestore_keeps_writers_and_other_restores_out(t *testing.T) {
	o := carriedOptions()
	if !slices.Contains(dbtest.Engines(t), db.PostgreSQL) {
		t.Skip("several processes need PostgreSQL, which is left out")
	}
	source := harness{t, dbtest.Open(t, db.PostgreSQL, o.Migrations)}
	fillCarried(source)
	raw := backedUp(t, source.DB, o)
	options := dbtest.Options(t, db.PostgreSQL, o.Migrations)
	target, err := db.Open(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	defer target.Close()
	written := make(chan error, 2)
	second := o
	second.Packings = slices.Clone(o.Packings)
	o.Packings[0].Finish = func(ctx context.Context, _ db.Tx) error {
		go func() {
			_, err := target.Restore(ctx, bytes.NewReader(raw), second)
			written <- err
		}()
		go func() {
			var w db.Write
			w.Exec("INSERT INTO z_parents (id, alive) VALUES ('p', TRUE)")
			written <- target.Write(ctx, &w)
		}()
		select {
		case err := <-written:
			return fmt.Errorf("somebody came in between: %w", err)
		case <-time.After(300 * time.Millisecond):
			return nil
		}
	}
	if _, err := target.Restore(t.Context(), bytes.NewReader(raw), o); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := <-written; err == nil {
			t.Error("a second one wrote the same rows")
		}
	}
	if !slices.Equal(contents(source), contents(harness{t, target})) {
		t.Error("what is restored is another")
	}
}

func TestRestore_keeps_migrations_out(t *testing.T) {
	if !slices.Contains(dbtest.Engines(t), db.PostgreSQL) {
		t.Skip("several processes need PostgreSQL, which is left out")
	}
	o := carriedOptions()
	raw := backedUp(t, dbtest.Open(t, db.PostgreSQL, o.Migrations), o)
	target := dbtest.Open(t, db.PostgreSQL, o.Migrations)
	done, stop := make(chan error, 1), errors.New("seen enough")
	o.Packings[0].Finish = func(ctx context.Context, _ db.Tx) error {
		// It touches no table that the restore has locked.
		go func() {
			done <- target.Migrate(context.WithoutCancel(ctx), dbtest.Migrations(carried, "CREATE TABLE later (x {{text}});"))
		}()
		select {
		case err := <-done:
			t.Errorf("a migration ran beside the restore: %v", err)
			done <- nil
		case <-time.After(400 * time.Millisecond):
		}
		return stop
	}
	if _, err := target.Restore(t.Context(), bytes.NewReader(raw), o); !errors.Is(err, stop) {
		t.Error(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestGuest_reads_beside_the_owner_and_changes_nothing(t *testing.T) {
	o := carriedOptions()
	options := dbtest.Options(t, db.SQLite, o.Migrations)
	owner, err := db.Open(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	defer owner.Close()
	options.ReadOnly, options.Readers = true, 1
	guest, err := db.Open(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	fillCarried(harness{t, owner})
	if !slices.Equal(contents(harness{t, guest}), contents(harness{t, owner})) {
		t.Error("the guest sees something else")
	}
	var w db.Write
	w.Exec("DELETE FROM settings")
	for what, err := range map[string]error{
		"Write": guest.Write(t.Context(), &w), "Tx": guest.Tx(t.Context(), func(db.Tx) error { return nil }),
		"Migrate": guest.Migrate(t.Context(), o.Migrations), "Restore": restoreNothing(t, guest, backedUp(t, guest, o), o),
	} {
		if err == nil {
			t.Errorf("%s of a guest succeeds", what)
		}
	}
	if _, err := guest.Query(t.Context(), "DELETE FROM settings RETURNING name"); err == nil {
		t.Error("a guest's query deletes")
	}
	if err := guest.Ping(t.Context()); err != nil {
		t.Error(err)
	}
	if err := guest.Close(); err != nil {
		t.Error(err)
	}
	harness{t, owner}.exec("INSERT INTO scratch (x) VALUES ('still mine')")
	options.Path += ".missing"
	if _, err := db.Open(t.Context(), options); err == nil {
		t.Error("a guest makes a file")
	}
}

func restoreNothing(t *testing.T, d *db.DB, raw []byte, o db.BackupOptions) error {
	_, err := d.Restore(t.Context(), bytes.NewReader(raw), o)
	return err
}

func FuzzBackup(f *testing.F) {
	head := `{"format":"rollcall backup","version":1,"schema":1,"engine":"sqlite","program":"1","at":"2026-01-02T03:04:05Z"}` + "\n"
	table := `{"table":"a","columns":[{"name":"x","type":"text"},{"name":"y","type":"integer"},{"name":"z","type":"boolean"}]}` + "\n"
	f.Add(head)
	f.Add(head + table + `["a",1,true]` + "\n" + `[null,null,null]` + "\n")
	f.Add(head + table + `[1e3,1.5,"\ud800"]` + "\n")
	f.Add(head + `{"end":{"rows":{},"sha256":""}}` + "\n")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := db.VerifyBackup(t.Context(), bytes.NewReader(packed(text)), db.BackupOptions{})
		if err == nil && (s.SHA256 == "" || s.Version != 1) {
			t.Errorf("%q passes as %+v", text, s)
		}
		// With a right checksum only the lines themselves can be at fault, and then the backup must hold what it says.
		s, err = db.VerifyBackup(t.Context(), bytes.NewReader(packed(withSum(slices.Collect(strings.Lines(text)))...)), db.BackupOptions{})
		if err == nil && s.Rows != int64(strings.Count(text, "\n[")) {
			t.Errorf("%q has %d rows", text, s.Rows)
		}
	})
}
