package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// moment is a time on the command line.
type moment struct{ time.Time }

// UnmarshalText takes a time, a day (which begins at midnight UTC), or a duration: from now on, or with a minus before now.
func (m *moment) UnmarshalText(text []byte) error {
	s := string(text)
	for _, layout := range []string{time.RFC3339Nano, time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			m.Time = t
			return nil
		}
	}
	d, err := time.ParseDuration(s)
	if days, isDays := strings.CutSuffix(s, "d"); err != nil && isDays {
		var n int
		n, err = strconv.Atoi(days)
		d = time.Duration(n) * 24 * time.Hour
	}
	if err != nil {
		return fmt.Errorf("%q is no time; write 2026-01-15T12:00:00Z, 2026-01-15, or a duration like 90m, 30d or -1h", s)
	}
	m.Time = time.Now().Add(d)
	return nil
}
