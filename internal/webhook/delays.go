package webhook

import (
	"math/rand/v2"
	"time"
)

// delays are the waits after the first, second, … failed attempt: about three days in all, and thirteen attempts.
func delays() []time.Duration {
	return []time.Duration{
		5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour,
		4 * time.Hour, 8 * time.Hour, 12 * time.Hour, 20 * time.Hour, 24 * time.Hour,
	}
}

// jitter spreads a wait by up to a tenth either way, so that what failed together does not come back together. random is
// from 0 to 1.
func jitter(d time.Duration, random float64) time.Duration {
	return d + time.Duration((random*2-1)*float64(d)/10)
}

// delayAfter gives the wait after so many failed attempts; ok is false when there are no more.
func delayAfter(failed int) (d time.Duration, ok bool) {
	table := delays()
	if failed > len(table) {
		return 0, false
	}
	return jitter(table[failed-1], rand.Float64()), true
}

// An endpoint whose attempts all fail is taken for dead: then one attempt at a time asks whether it lives, at growing intervals,
// whatever waits for it.
const (
	deadAfter      = 5 // failures in a row
	firstPause     = time.Second
	longestPause   = time.Minute
	disabledAfter  = 5 * 24 * time.Hour
	attemptTimeout = 15 * time.Second
)

// pauseAfter is how long a dead endpoint is left alone after so many failures in a row.
func pauseAfter(failures int) time.Duration {
	d := firstPause << min(failures-deadAfter, 10)
	return jitter(min(d, longestPause), rand.Float64())
}
