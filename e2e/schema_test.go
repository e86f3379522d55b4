package e2e_test

import (
	"database/sql"
	"regexp"
	"strings"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite"

	"github.com/rollcallhq/rollcall/internal/db"
)

// change does behind Rollcall's back what another release would do.
func (h *home) change(t *testing.T, statement string) {
	t.Helper()
	driver, source := "sqlite", h.databaseFile()
	if h.engine == db.PostgreSQL {
		driver, source = "pgx", h.databaseURL
	}
	conn, err := sql.Open(driver, source)
	must(t, err)
	defer func() { must(t, conn.Close()) }()
	_, err = conn.ExecContext(t.Context(), statement)
	must(t, err)
}

func TestSchema_of_a_newer_release_is_refused_and_left_alone(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine db.Engine) {
		h := newHome(t, engine)
		code, out, complaints := h.finish(t, "migrate")
		if code != 0 || !regexp.MustCompile(`has schema version \d+\n$`).MatchString(out) {
			t.Fatalf("migrate: %d %s%s", code, out, complaints)
		}
		if strings.Contains(out, "password") {
			t.Errorf("migrate shows a password: %s", out)
		}
		h.change(t, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (900000, TRUE)")
		for _, args := range [][]string{{"serve", "--listen", "127.0.0.1:0"}, {"migrate"}} {
			code, _, complaints := h.finish(t, args...)
			if code != 1 || !strings.Contains(complaints, "the database schema is at version 900000") || !strings.Contains(complaints, "start the newer release") {
				t.Errorf("%v: %d %s", args, code, complaints)
			}
		}
		h.change(t, "DELETE FROM goose_db_version WHERE version_id = 900000")
		h.start(t).stop(t)
	})
}

func TestManagement_key_is_made_once_for_one_database(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine db.Engine) {
		h := newHome(t, engine)
		h.env = h.env[1:] // without the key
		p := h.start(t)
		key := p.says(t, p.log, regexp.MustCompile(`API key +(sk_\w+)\n`))
		newClient(p.url, key).must(t, 200, "GET", "/events", "")
		p.stop(t)
		if strings.Count(p.log.String(), key) != 1 {
			t.Errorf("the key is printed more than once:\n%s", p.log)
		}
		p = h.start(t)
		newClient(p.url, key).must(t, 200, "GET", "/events", "")
		p.stop(t)
		if strings.Contains(p.log.String(), "API key") {
			t.Errorf("the second start prints a key:\n%s", p.log)
		}
	})
}
