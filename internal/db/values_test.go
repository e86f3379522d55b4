package db_test

import (
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
)

func TestEmpty_values_are_stored_as_NULL_and_others_come_back_as_they_were(t *testing.T) {
	at := time.Date(2026, 5, 4, 3, 2, 1, 987_654_000, time.FixedZone("", 3600))
	n, ok := db.MicrosOrNull(at).(int64)
	if got := db.TimeOrZero(&n); !ok || !got.Equal(at) || got.Location() != time.UTC || !db.Time(n).Equal(at) {
		t.Errorf("%s became %s", at, got)
	}
	if !db.TimeOrZero(nil).IsZero() || db.MicrosOrNull(time.Time{}) != nil || db.TextOrNull("") != nil || db.TextOrNull("a") != "a" {
		t.Error("what is empty is not NULL, or the reverse")
	}
}
