package directory_test

import (
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/directory"
)

func TestRounds_are_measured_from_three_on_and_believed_only_near_the_usual(t *testing.T) {
	noon := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	const usual = 40 * time.Minute
	at := func(minutes ...int) (out []time.Time) {
		for _, m := range minutes {
			out = append(out, noon.Add(time.Duration(-m)*time.Minute))
		}
		return out
	}
	for name, tc := range map[string]struct {
		at       []time.Time
		seen     int
		from     int // what the next one is counted from, in minutes before noon
		gap      time.Duration
		measured bool
	}{
		"nothing has come":              {nil, 0, 0, usual, false},
		"one round":                     {at(1, 2, 3), 1, 1, usual, false},
		"two rounds":                    {at(1, 2, 50), 2, 1, usual, false},
		"three rounds":                  {at(1, 2, 47, 48, 93), 3, 2, 46 * time.Minute, true},
		"one person on demand between":  {at(1, 20, 41, 81, 121), 5, 1, usual, true},
		"a provider that sends all day": {at(1, 13, 25, 37), 4, 1, usual, false},
		"a night between":               {at(1, 600, 1200), 3, 1, usual, false},
	} {
		got := directory.RoundsOf(tc.at, usual)
		if got.Seen != tc.seen || got.Gap != tc.gap || got.Measured != tc.measured {
			t.Errorf("%s: %+v", name, got)
		}
		if tc.seen > 0 && !got.Next().Equal(noon.Add(time.Duration(-tc.from)*time.Minute).Add(tc.gap)) || tc.seen == 0 && !got.Next().IsZero() {
			t.Errorf("%s: next %s", name, got.Next())
		}
	}
}
