package mirror

import (
	"errors"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
)

func TestConnection_is_lost_by_what_the_database_says_and_not_by_what_it_leaves_out(t *testing.T) {
	for code, want := range map[string]bool{"57P01": true, "53300": true, "08006": true, "40001": true, "42P01": false, "5": false, "": false} {
		if got := lost(atDatabase(&pgconn.PgError{Code: code})); got != want {
			t.Errorf("%q: %t", code, got)
		}
	}
	if !lost(atDatabase(errors.New("broken pipe"))) || lost(errors.New("the server's refusal")) {
		t.Error("a broken connection is not told from a refusal")
	}
}
