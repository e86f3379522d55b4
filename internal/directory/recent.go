package directory

import (
	"context"
	"sync"
)

// Providers come back to the person they have just read or written: Okta reads before it writes, Entra searches first, and
// most changes come in runs. recent remembers those people as they were, so that a change need not read them again.
//
// What is remembered is a guess, never an answer: another request or process may have changed the person since. It is used only
// to compute a change, and the write is guarded by the remembered version and by the person still being in no group. When a
// guard is lost, or the guess leads to anything but a write (nothing to change, a refusal), the person is read and all is
// computed again. Only people in no group are remembered, because a group's name and nesting can change without their version.
type recent struct {
	mu         sync.Mutex
	young, old map[UserID]User
	bytes      int // of the documents in young
}

// recentBytes bounds the documents of one generation, recentLargest one document. Two generations are kept: about 1,500 people, for
// the collector lets the process grow by several times of what lives.
const (
	recentBytes   = 1 << 20
	recentLargest = 16 << 10
)

func (r *recent) keep(u User) {
	if u.direct != "" || len(u.Groups) > 0 || len(u.Document) > recentLargest {
		r.forget(u.ID)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if was, ok := r.young[u.ID]; ok {
		if was.Version >= u.Version { // known, or a read that a write has overtaken
			return
		}
		r.bytes -= len(was.Document)
	}
	if r.bytes += len(u.Document); r.young == nil || r.bytes > recentBytes {
		r.old, r.young, r.bytes = r.young, map[UserID]User{}, len(u.Document)
	}
	u.Document = append(make([]byte, 0, len(u.Document)), u.Document...) // a fresh one has room to grow
	r.young[u.ID] = u
}

func (r *recent) forget(id UserID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if was, ok := r.young[id]; ok {
		r.bytes -= len(was.Document)
		delete(r.young, id)
	}
	delete(r.old, id)
}

func (r *recent) get(d ID, id string) (User, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	u, ok := r.young[UserID(id)]
	if !ok {
		u, ok = r.old[UserID(id)]
	}
	return u, ok && u.DirectoryID == d
}

// updateRecent tries the change on the person as remembered. done is false when the person has to be read.
func (s *Service) updateRecent(ctx context.Context, a *Access, id string, c Condition, change edit, rec Record) (u User, done bool, err error) {
	u, ok := s.recent.get(a.Directory.ID, id)
	if !ok || c.check(u.Version) != nil {
		return u, false, nil //nolint:nilerr // a condition is judged by the person as they are now
	}
	before, err := s.person(u)
	if err != nil {
		return u, false, nil //nolint:nilerr // whatever is wrong with it is said by the one who reads it
	}
	doc, err := change(before.doc)
	if err != nil {
		return u, false, nil //nolint:nilerr // the refusal must be about the person as they are now
	}
	next := s.next(before, doc, c)
	if next.same(before) && !rules(before, c) || next.checkKeys() != nil {
		return u, false, nil //nolint:nilerr // so is whatever leads to no write
	}
	if err := s.writeUser(ctx, a, before, next, writing{rec: rec, as: Updated, remembered: true}); err != nil {
		s.recent.forget(u.ID)
		return u, !lost(err), userConflict(err, doc)
	}
	return next.User, true, nil
}
