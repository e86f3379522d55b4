package directory

import (
	"context"
	"fmt"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
)

// Emit takes one thing that is there, in the payload of the event that would have told of it. It must not keep data. at is since when it
// is there, as far as that is known.
type Emit func(kind event.Type, at time.Time, data []byte) error

// presentPage is how many people or groups are read at once: their documents are what a snapshot holds in memory.
const presentPage = 500

// PresentDirectories are an organization's directories that r sees, without removed ones.
func (s *Service) PresentDirectories(ctx context.Context, r db.Reader, organizationID string) ([]Directory, error) {
	return directoriesIn(ctx, r, presentDirectories, organizationID)
}

// PresentDirectory finds one directory that r sees; a removed one is NotFound.
func (s *Service) PresentDirectory(ctx context.Context, r db.Reader, id ID) (Directory, error) {
	found, err := directoriesIn(ctx, r, selectDirectory+" AND id = $1", string(id))
	if err != nil {
		return Directory{}, err
	}
	if len(found) == 0 {
		return Directory{}, NotFound(string(id))
	}
	return found[0], nil
}

// Present emits what consumers know of a directory, as r sees it: that it is active, its people, its groups and who is in them.
// Nobody has been told of a directory that never had a request, nor of inactive people where the directory removes them.
func (s *Service) Present(ctx context.Context, r db.Reader, d Directory, emit Emit) error {
	if d.State != Linked {
		return nil
	}
	if err := emit(event.DirectoryActivated, d.CreatedAt, d.eventPayload(true)); err != nil {
		return err
	}
	if err := s.presentUsers(ctx, r, d, emit); err != nil {
		return err
	}
	gone, err := gonePeople(ctx, r, d)
	if err != nil {
		return err
	}
	if err := presentGone(d, gone, emit); err != nil {
		return err
	}
	if err := presentGroupsOf(ctx, r, d, func(g Group) error {
		return emit(event.DirectoryGroupCreated, g.CreatedAt, GroupPayload(d, g))
	}); err != nil {
		return err
	}
	return presentGroupsOf(ctx, r, d, func(g Group) error {
		if err := s.presentMembers(ctx, r, d, g, emit); err != nil {
			return err
		}
		return presentGoneOf(d, g, gone, emit)
	})
}

// presentGone emits those whom the directory has removed and consumers still know.
func presentGone(d Directory, gone []heldRow, emit Emit) error {
	for _, h := range gone {
		data, err := UserPayload(d, h.shown())
		if err != nil {
			return fmt.Errorf("document of %s as consumers know it: %w", h.User.ID, err)
		}
		if err := emit(event.DirectoryUserCreated, h.User.CreatedAt, data); err != nil {
			return err
		}
	}
	return nil
}

func presentGoneOf(d Directory, g Group, gone []heldRow, emit Emit) error {
	for _, h := range gone {
		if !h.in(g.ID) {
			continue
		}
		line, at, err := presentMember(nil, d, h.User, g, wrapped(`,"group":`, g.payload(d)))
		if err != nil {
			return err
		}
		if err := emit(event.DirectoryGroupUserAdded, at, line); err != nil {
			return err
		}
	}
	return nil
}

// presentMember makes the payload of one member in a buffer, and since when they can have been one.
func presentMember(line []byte, d Directory, u User, g Group, tail []byte) ([]byte, time.Time, error) {
	user, err := UserPayload(d, u)
	if err != nil {
		return line, time.Time{}, fmt.Errorf("stored document of user %s: %w", u.ID, err)
	}
	at := u.CreatedAt
	if g.CreatedAt.After(at) {
		at = g.CreatedAt
	}
	return append(append(append(append(line[:0], opening(d)...), `,"user":`...), user...), tail...), at, nil
}

func (s *Service) presentUsers(ctx context.Context, r db.Reader, d Directory, emit Emit) error {
	return pages(func(after string) ([]User, error) {
		found, err := s.usersIn(ctx, r, presentUsers, string(d.ID), after, presentPage)
		if err != nil {
			return nil, err
		}
		return found, overlay(ctx, r, d.ID, found)
	}, func(u User) (string, error) {
		if u.Hidden { // what consumers were told, which the setting is ahead of for a moment after it changed
			return string(u.ID), nil
		}
		data, err := UserPayload(d, u)
		if err != nil {
			return "", fmt.Errorf("stored document of user %s: %w", u.ID, err)
		}
		return string(u.ID), emit(event.DirectoryUserCreated, u.CreatedAt, data)
	})
}

func presentGroupsOf(ctx context.Context, r db.Reader, d Directory, fn func(Group) error) error {
	return pages(func(after string) ([]Group, error) {
		return groupsIn(ctx, r, presentGroups, string(d.ID), after, presentPage)
	}, func(g Group) (string, error) { return string(g.ID), fn(g) })
}

// presentMembers emits the active people of a group: those that API and events show in it.
func (s *Service) presentMembers(ctx context.Context, r db.Reader, d Directory, g Group, emit Emit) error {
	tail := wrapped(`,"group":`, g.payload(d))
	var line []byte
	return pages(func(after string) ([]User, error) {
		found, err := s.usersIn(ctx, r, presentMembers, string(d.ID), string(g.ID), after, presentPage)
		if err != nil {
			return nil, err
		}
		return found, overlay(ctx, r, d.ID, found)
	}, func(u User) (_ string, err error) {
		var at time.Time
		if line, at, err = presentMember(line, d, u, g, tail); err != nil {
			return "", err
		}
		return string(u.ID), emit(event.DirectoryGroupUserAdded, at, line)
	})
}

// pages walks a list by pages of presentPage; each gives the id after which to go on.
func pages[T any](read func(after string) ([]T, error), each func(T) (string, error)) error {
	for after := ""; ; {
		page, err := read(after)
		if err != nil {
			return err
		}
		for _, item := range page {
			if after, err = each(item); err != nil {
				return err
			}
		}
		if len(page) < presentPage {
			return nil
		}
	}
}
