package db

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

func TestSQLite_text_gets_its_own_placeholders(t *testing.T) {
	cases := map[string]string{
		"SELECT $1, $2":                        "SELECT ?, ?",
		"SELECT $2, $1":                        "SELECT ?2, ?1",
		"SELECT $1, $1":                        "SELECT ?1, ?1",
		"SELECT '$1', \"$2\", $1; ":            "SELECT '$1', \"$2\", ?",
		"SELECT 'it''s $1', $1 -- $2\n, $2":    "SELECT 'it''s $1', ? -- $2\n, ?",
		"SELECT /* $1 ' */ $1":                 "SELECT /* $1 ' */ ?",
		"SELECT $10, $1, '":                    "SELECT ?10, ?1, '",
		"SELECT a$b, $":                        "SELECT a$b, $",
		"SELECT 1 -- no end":                   "SELECT 1 -- no end",
		"SELECT $99999999999999999999 /* open": "SELECT $99999999999999999999 /* open",
	}
	for text, want := range cases {
		if got := sqliteText(text); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}

func TestOnly_plain_inserts_are_sent_as_arrays(t *testing.T) {
	plainOnes := []string{
		"INSERT INTO t (a, b) VALUES ($1, $2)",
		"insert into T(a)\nvalues\n( lower($1) || ')' );",
		"INSERT INTO t (a, b) VALUES ($1, 'select') ON CONFLICT DO NOTHING",
		"INSERT INTO t (a, b) VALUES ($1, $2) ON CONFLICT (a) DO NOTHING",
	}
	others := []string{
		"UPDATE t SET a = $1", "INSERT INTO t VALUES ($1)", "INSERT INTO t (a) SELECT $1",
		"INSERT INTO t (a) VALUES ($1), ($2)", "INSERT INTO t (a) VALUES ($1) RETURNING a",
		"INSERT INTO t (a) VALUES ((SELECT max(a) FROM t))", "INSERT INTO t (a) VALUES (DEFAULT)",
		"INSERT INTO t (a) VALUES ($1) ON CONFLICT (a) DO UPDATE SET a = 1",
		"INSERT INTO t (a) VALUES ($1", "WITH x AS (SELECT 1) INSERT INTO t (a) VALUES ($1)",
	}
	for _, sql := range plainOnes {
		if _, ok := parsePlainInsert(sql); !ok && !strings.Contains(sql, "'select'") {
			t.Errorf("%s: not taken", sql)
		}
	}
	for _, sql := range others {
		if _, ok := parsePlainInsert(sql); ok {
			t.Errorf("%s: taken", sql)
		}
	}
	p, _ := parsePlainInsert("INSERT INTO t (a, b, c) VALUES ($2, '$1' || $1, $2) ON CONFLICT DO NOTHING")
	want := "INSERT INTO t (a, b, c) SELECT u.c2, '$1' || u.c1, u.c2 FROM unnest($1::text[], $2::bigint[]) AS u(c1, c2) ON CONFLICT DO NOTHING"
	if got := p.overArrays([]uint32{25, 20}); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestKey_columns_are_read_out_of_the_servers_detail(t *testing.T) {
	cases := map[string][]string{
		"Key (a, b)=(1, 2) already exists.":                  {"a", "b"},
		`Key (a, lower(b), "order")=(1, x, 3) exists.`:       {"a", "order"},
		"Schlüssel »(a)=(x)=(y)« existiert bereits.":         {"a"},
		"Key (COALESCE(a, 'x)=('::text), b)=(1, 2) is there": nil,
		"": nil,
	}
	for detail, want := range cases {
		if got := keyColumns(detail); want != nil && strings.Join(got, ",") != strings.Join(want, ",") {
			t.Errorf("%s: got %q", detail, got)
		}
	}
}

func TestPrepared_statements_are_bounded_and_may_be_used_twice_at_once(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	conn, err := dialSQLite(sqliteDSN(path, false), newKeyNames())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.close()
	outer, err := conn.query(context.Background(), "SELECT 1 UNION SELECT 2", nil)
	if err != nil {
		t.Fatal(err)
	}
	for outer.Next() {
		var n, m int
		if err := outer.Scan(&n); err != nil {
			t.Fatal(err)
		}
		inner, err := conn.query(context.Background(), "SELECT 1 UNION SELECT 2", nil)
		if err != nil {
			t.Fatal(err)
		}
		for inner.Next() {
			m++
		}
		if m != 2 || inner.Err() != nil {
			t.Errorf("inner query: %d rows, %v", m, inner.Err())
		}
		for i := range 2 * preparedLimit {
			if _, err := conn.exec(fmt.Sprintf("SELECT %d", i), nil); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := outer.Err(); err != nil {
		t.Error(err)
	}
	if len(conn.stmts) > preparedLimit {
		t.Errorf("%d prepared statements", len(conn.stmts))
	}
}

func FuzzSQLiteText(f *testing.F) {
	f.Add("SELECT $1, '$2' -- $3")
	f.Fuzz(func(t *testing.T, sql string) {
		var b strings.Builder
		for _, p := range pieces(sql) {
			b.WriteString(p.text)
		}
		if b.String() != sql {
			t.Errorf("the pieces of %q make %q", sql, b.String())
		}
		sqliteText(sql)
		parsePlainInsert(sql)
	})
}

func TestEach_goes_to_the_server_as_one_statement_where_the_text_allows_it(t *testing.T) {
	e := &pgEngine{texts: newGuardTexts()}
	for text, together := range map[string]bool{
		"UPDATE org SET version = version + 1 WHERE id = $1 AND version = $2":                                      true,
		"SELECT id FROM org WHERE id = $1 AND version = $2 FOR SHARE":                                              true,
		"SELECT 1 FROM org WHERE id = $1 AND version = $2":                                                         true,
		"UPDATE org SET name = 'WHERE' WHERE id = $1 AND version = $2":                                             false,
		"UPDATE org SET seen = o.seen FROM org o WHERE o.id = $1 AND org.version = $2":                             false,
		"UPDATE org SET seen = (SELECT 1) WHERE id = $1 AND version = $2":                                          false,
		"UPDATE org SET seen = 1 WHERE id = $1 AND version = $2 -- WHERE":                                          false,
		"DELETE FROM org WHERE id = $1 AND version = $2":                                                           true,
		"DELETE FROM org USING person WHERE org.id = $1 AND version = $2":                                          false,
		"INSERT INTO org (id, version) VALUES ($1, $2)":                                                            false,
		"INSERT INTO org (id, version) SELECT $1, $2 WHERE $1 <> $2":                                               false,
		"SELECT o.id FROM org o JOIN person ON org_id = o.id WHERE o.id = $1 AND version = $2":                     false,
		"SELECT 1 FROM org WHERE id = $1 AND version = $2 AND NOT EXISTS (SELECT 1 FROM person WHERE org_id = $1)": false,
	} {
		var w Write
		for _, id := range []string{"a", "b"} {
			if strings.HasPrefix(text, "SELECT") {
				w.EachSelect(text, id, 1)
			} else {
				w.Each(text, id, 1)
			}
		}
		calls := e.calls(&w)
		if got := len(calls) == 1 && len(calls[0].rows) == 2; got != together {
			t.Errorf("%s: together %v", text, got)
		}
		for _, c := range calls {
			if !c.guard || c.statement != 0 {
				t.Errorf("%s: %+v", text, c)
			}
		}
	}
}
