// Package token makes what must be unique or secret: ids that sort by time, bearer tokens and their hashes.
//
// An id is a prefix that names the noun and a ULID (https://github.com/ulid/spec): "org_01JD…". Ids of one process only ever grow, so
// rows of one noun are appended at the end of their index instead of all over it.
package token

import (
	"crypto/rand"
	"encoding/binary"
	"strings"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"
)

// Source makes ids. The zero value is not usable; there is one per process, and it may be shared.
type Source struct {
	now  func() time.Time
	mu   sync.Mutex
	last ulid.ULID
}

// NewSource makes a source of ids that reads the time from now.
func NewSource(now func() time.Time) *Source { return &Source{now: now} }

// step leaves room between two ids, so that the ids of one packed row (Range) lie between them.
const step = 1 << 16

// NewID makes an id: prefix, "_" and 26 characters.
func (s *Source) NewID(prefix string) string { return prefix + "_" + s.next().String() }

// Range makes the first of n consecutive ids; At gives the others. n is at most 65,536.
func (s *Source) Range(prefix string) string { return s.NewID(prefix) }

func (s *Source) next() ulid.ULID {
	s.mu.Lock()
	defer s.mu.Unlock()
	var id ulid.ULID
	if ms := ulid.Timestamp(s.now()); ms > s.last.Time() {
		rand.Read(id[6:])
		id[6] &= 0x7f         // room to count up within the millisecond without overflowing
		id[14], id[15] = 0, 0 // the low 16 bits number the ids of a range
		_ = id.SetTime(ms)    // fails only after the year 10889
	} else {
		id = add(s.last, step)
	}
	s.last = id
	return id
}

// At gives the i-th id of the range that starts at first.
func At(first string, i int) string {
	if i == 0 {
		return first
	}
	prefix, u, ok := Parse(first)
	if !ok {
		return first
	}
	return prefix + "_" + add(u, uint64(i)).String()
}

// Offset tells how many ids after first id lies; ok is false if it lies before it or further than any range reaches.
func Offset(first, id string) (int, bool) {
	_, a, ok := Parse(first)
	_, b, ok2 := Parse(id)
	if !ok || !ok2 || [14]byte(a[:14]) != [14]byte(b[:14]) {
		return 0, false
	}
	from, to := binary.BigEndian.Uint16(a[14:]), binary.BigEndian.Uint16(b[14:])
	return int(to) - int(from), to >= from
}

// Before gives the smallest id that could have been made at t.
func Before(prefix string, t time.Time) string {
	var id ulid.ULID
	_ = id.SetTime(ulid.Timestamp(t))
	return prefix + "_" + id.String()
}

// Parse splits an id into prefix and ULID; ok is false for anything that is not one.
func Parse(id string) (prefix string, u ulid.ULID, ok bool) {
	cut := strings.LastIndexByte(id, '_')
	if cut <= 0 {
		return "", u, false
	}
	u, err := ulid.ParseStrict(id[cut+1:])
	return id[:cut], u, err == nil
}

// Is reports whether id has this prefix and the form of an id.
func Is(id, prefix string) bool {
	p, _, ok := Parse(id)
	return ok && p == prefix
}

func add(u ulid.ULID, n uint64) ulid.ULID {
	low := binary.BigEndian.Uint64(u[8:])
	if low+n < low {
		binary.BigEndian.PutUint16(u[6:], binary.BigEndian.Uint16(u[6:])+1)
	}
	binary.BigEndian.PutUint64(u[8:], low+n)
	return u
}

// Edges are the smallest ids that could have been made at each of these moments.
func Edges(prefix string, at []time.Time) []string {
	out := make([]string, len(at))
	for i, t := range at {
		out[i] = Before(prefix, t)
	}
	return out
}
