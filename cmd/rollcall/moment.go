package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// moment is a time on the command line; a duration counts from now on.
type moment struct{ time.Time }

// past is a time on the command line; a duration counts back from now.
type past struct{ time.Time }

// UnmarshalText reads it.
func (m *moment) UnmarshalText(text []byte) (err error) {
	m.Time, err = readMoment(string(text), false)
	return err
}

// UnmarshalText reads it.
func (p *past) UnmarshalText(text []byte) (err error) {
	p.Time, err = readMoment(string(text), true)
	return err
}

// readMoment takes a time, a day (which begins at midnight UTC), or a duration, from now on or back.
func readMoment(s string, back bool) (time.Time, error) {
	for _, layout := range []string{time.RFC3339Nano, time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, nil
		}
	}
	d, err := time.ParseDuration(s)
	if days, isDays := strings.CutSuffix(s, "d"); err != nil && isDays {
		var n int
		n, err = strconv.Atoi(days)
		d = time.Duration(n) * 24 * time.Hour
	}
	if err != nil || d < 0 {
		return time.Time{}, fmt.Errorf("%q is no time; write 2026-01-15T12:00:00Z, 2026-01-15, or a duration like 90m or 30d", s)
	}
	if back {
		d = -d
	}
	return time.Now().Add(d), nil
}
