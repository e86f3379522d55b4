package directory

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"
	"sync"

	"github.com/rollcallhq/rollcall/internal/db"
)

// Kinds that are counted.
const (
	kindUser  = "user"
	kindGroup = "group"
)

// blockSize is about how many resources one block of the tally counts.
const blockSize = 1024

// tally remembers folded blocks by their version. A version's blocks never change, so knowing the version makes them true.
type tally struct {
	mu    sync.Mutex
	known map[tallyKey]blocks
}

type tallyKey struct {
	directory ID
	kind      string
}

// blocks count the resources of a list in its order: block i holds n[i] with ids from first[i] on.
type blocks struct {
	version int64
	first   []string
	n       []int64
}

// rank is a list's count and order at one moment: the folded blocks and what is not folded yet.
type rank struct {
	blocks
	total int64
}

// total is the exact number of resources of a kind.
func (s *Service) total(ctx context.Context, d ID, kind string) (int64, error) {
	r, err := s.rank(ctx, d, kind)
	return r.total, err
}

func (s *Service) rank(ctx context.Context, d ID, kind string) (rank, error) {
	key := tallyKey{d, kind}
	version, pending, err := s.readTally(ctx, s.db, key)
	if err != nil {
		return rank{}, err
	}
	if folded, ok := s.tally.at(key, version); ok {
		return folded.with(pending), nil
	}
	var r rank
	err = s.db.Snapshot(ctx, func(at db.Reader) (err error) {
		r, err = s.rankOf(ctx, at, key)
		return err
	})
	return r, err
}

// rankOf is the rank as r sees it, which must be of one moment.
func (s *Service) rankOf(ctx context.Context, r db.Reader, key tallyKey) (rank, error) {
	version, pending, err := s.readTally(ctx, r, key)
	if err != nil {
		return rank{}, err
	}
	folded, ok := s.tally.at(key, version)
	if !ok {
		if folded, err = readBlocks(ctx, r, key, version); err != nil {
			return rank{}, fmt.Errorf("read the tally: %w", err)
		}
		s.tally.keep(key, folded)
	}
	return folded.with(pending), nil
}

// at gives the blocks of a version, if they are remembered.
func (t *tally) at(key tallyKey, version int64) (blocks, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	b, ok := t.known[key]
	return b, ok && b.version == version
}

func (t *tally) keep(key tallyKey, b blocks) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.known == nil || len(t.known) > 10_000 {
		t.known = map[tallyKey]blocks{}
	}
	t.known[key] = b
}

type difference struct {
	id    string
	delta int64
}

// readTally gives the version of the folded blocks and the differences since.
func (s *Service) readTally(ctx context.Context, r db.Reader, key tallyKey) (version int64, pending []difference, err error) {
	rows, err := r.Query(ctx, selectTally, string(key.directory), key.kind)
	if err != nil {
		return 0, nil, fmt.Errorf("read the tally: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var d difference
		if err := rows.Scan(&d.id, &d.delta); err != nil {
			return 0, nil, fmt.Errorf("read the tally: %w", err)
		}
		if d.id == "" {
			version = d.delta
		} else {
			pending = append(pending, d)
		}
	}
	return version, pending, rows.Err()
}

func readBlocks(ctx context.Context, r db.Reader, key tallyKey, version int64) (blocks, error) {
	b := blocks{version: version}
	rows, err := r.Query(ctx, selectBlocks, string(key.directory), key.kind)
	if err != nil {
		return b, err
	}
	defer rows.Close()
	for rows.Next() {
		var first string
		var n int64
		if err := rows.Scan(&first, &n); err != nil {
			return b, err
		}
		b.first, b.n = append(b.first, first), append(b.n, n)
	}
	return b, rows.Err()
}

// with adds differences that are not folded yet.
func (b blocks) with(pending []difference) rank {
	r := rank{blocks: b}
	if len(pending) > 0 {
		r.n = slices.Clone(b.n)
		if len(r.n) == 0 {
			r.first, r.n = []string{""}, []int64{0}
		}
		for _, p := range pending {
			at := sort.Search(len(r.first), func(i int) bool { return r.first[i] > p.id })
			r.n[max(0, at-1)] += p.delta
		}
	}
	for _, n := range r.n {
		r.total += n
	}
	return r
}

// find gives where the list's i-th resource (from 0) is: skip rows from the id first on; ok is false past the end.
func (r rank) find(i int64) (first string, skip int64, ok bool) {
	for at, n := range r.n {
		if i < n {
			if at == 0 {
				return "", i, true // the first block also holds ids made out of order before it
			}
			return r.first[at], i, true
		}
		i -= n
	}
	return "", 0, false
}

// foldTally moves differences into blocks. Replicas do not wait for each other: one folds, the others come back later.
func (s *Service) foldTally(ctx context.Context) error {
	for {
		var n int
		err := s.db.Tx(ctx, func(tx db.Tx) (err error) {
			n, err = s.foldSome(ctx, tx)
			return err
		})
		if err != nil || n < 10_000 {
			return err
		}
	}
}

func (s *Service) foldSome(ctx context.Context, tx db.Tx) (int, error) {
	var locked string
	err := tx.QueryRow(ctx, lockTally+s.db.SkipLocked()).Scan(&locked)
	if errors.Is(err, db.ErrNoRows) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	pending, n, err := takeTally(ctx, tx)
	if err != nil {
		return 0, err
	}
	for key, differences := range pending {
		if err := fold(ctx, tx, key, differences); err != nil {
			return 0, fmt.Errorf("fold the tally of %s: %w", key.directory, err)
		}
	}
	return n, nil
}

func takeTally(ctx context.Context, tx db.Tx) (map[tallyKey][]difference, int, error) {
	rows, err := tx.Query(ctx, takePending)
	if err != nil {
		return nil, 0, err
	}
	defer rows.Close()
	pending, n := map[tallyKey][]difference{}, 0
	for ; rows.Next(); n++ {
		var key tallyKey
		var d difference
		if err := rows.Scan((*string)(&key.directory), &key.kind, &d.id, &d.delta); err != nil {
			return nil, 0, err
		}
		pending[key] = append(pending[key], d)
	}
	return pending, n, rows.Err()
}

// folding is the block being changed.
type folding struct {
	first string
	n     int64
	last  bool // no block comes after it
	found bool
}

func fold(ctx context.Context, tx db.Tx, key tallyKey, differences []difference) error {
	slices.SortFunc(differences, func(a, b difference) int { return strings.Compare(a.id, b.id) })
	var block folding
	var past string // the next block's first id, if any
	for _, d := range differences {
		if !block.found || (!block.last && d.id >= past) {
			if err := block.save(ctx, tx, key); err != nil {
				return err
			}
			var err error
			if block, past, err = loadBlock(ctx, tx, key, d.id); err != nil {
				return err
			}
		}
		if block.last && d.delta > 0 && block.n >= blockSize && d.id > block.first {
			if err := block.save(ctx, tx, key); err != nil {
				return err
			}
			block = folding{first: d.id, last: true, found: true}
		}
		block.n += d.delta
	}
	if err := block.save(ctx, tx, key); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, upsertTally, string(key.directory), key.kind)
	return err
}

func (b folding) save(ctx context.Context, tx db.Tx, key tallyKey) error {
	if !b.found {
		return nil
	}
	_, err := tx.Exec(ctx, upsertBlock, string(key.directory), key.kind, b.first, b.n)
	return err
}

// loadBlock finds the block that an id belongs to, or begins the first one.
func loadBlock(ctx context.Context, tx db.Tx, key tallyKey, id string) (folding, string, error) {
	b := folding{found: true}
	d := string(key.directory)
	err := tx.QueryRow(ctx, selectBlockOf, d, key.kind, id).Scan(&b.first, &b.n)
	if err != nil && !errors.Is(err, db.ErrNoRows) {
		return b, "", err
	}
	var past string
	err = tx.QueryRow(ctx, selectBlockPast, d, key.kind, b.first).Scan(&past)
	b.last = errors.Is(err, db.ErrNoRows)
	if b.last {
		err = nil
	}
	return b, past, err
}
