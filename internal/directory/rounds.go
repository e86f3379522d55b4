package directory

import (
	"slices"
	"time"
)

// Rounds is the rhythm of a provider that sends in rounds, as its requests show it.
type Rounds struct {
	Seen int           // rounds among the requests that were looked at
	Last time.Time     // when the last one began
	End  time.Time     // the newest request of all
	Gap  time.Duration // from the beginning of one to that of the next
	// Measured: Gap was seen, between three rounds or more. Else it is what the provider says of itself.
	Measured bool
}

const (
	// roundPause is what parts two rounds: within one, requests follow each other.
	roundPause = 10 * time.Minute
	// roundsMeasured is from how many on their distance says more than what the provider says of itself.
	roundsMeasured = 3
)

// RoundsOf reads the rhythm from the times of requests, the newest first. usual is what the provider says of itself. A person who is sent on
// demand makes a round that is none, so the middle of all distances counts, and only one that lies within half and double the usual.
func RoundsOf(at []time.Time, usual time.Duration) Rounds {
	out := Rounds{Gap: usual}
	var begins []time.Time
	for i := range at {
		if i+1 == len(at) || at[i].Sub(at[i+1]) >= roundPause {
			begins = append(begins, at[i])
		}
	}
	if out.Seen = len(begins); out.Seen == 0 {
		return out
	}
	out.Last, out.End = begins[0], at[0]
	if out.Seen < roundsMeasured {
		return out
	}
	gaps := make([]time.Duration, len(begins)-1)
	for i := range gaps {
		gaps[i] = begins[i].Sub(begins[i+1])
	}
	slices.Sort(gaps)
	if middle := gaps[len(gaps)/2]; middle >= usual/2 && middle <= 2*usual {
		out.Gap, out.Measured = middle, true
	}
	return out
}

// Next is when the next round is expected: at the rhythm that was seen, else as long after the last request as the provider says that it
// waits. Zero where nothing has come.
func (r Rounds) Next() time.Time {
	switch {
	case r.Seen == 0:
		return time.Time{}
	case r.Measured:
		return r.Last.Add(r.Gap)
	}
	return r.End.Add(r.Gap)
}
