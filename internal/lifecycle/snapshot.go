package lifecycle

import (
	"context"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/member"
	"github.com/rollcallhq/rollcall/internal/org"
)

// Snapshots tells consumers what is there, in the words of the events that would have told them.
type Snapshots struct {
	events      *event.Log
	directories *directory.Service
	slots       chan struct{}
	patience    time.Duration
}

const (
	// snapshotsAtOnce bounds how many are under way in one process: each keeps a database connection for as long as it takes, and on
	// PostgreSQL keeps the vacuum from what has changed since.
	snapshotsAtOnce = 2
	// snapshotPatience is how long one may take as a whole, however slowly it is read.
	snapshotPatience = 15 * time.Minute
)

// NewSnapshots makes the service.
func NewSnapshots(events *event.Log, directories *directory.Service) *Snapshots {
	return &Snapshots{events: events, directories: directories, slots: make(chan struct{}, snapshotsAtOnce), patience: snapshotPatience}
}

// Selection narrows a snapshot to an organization or a directory; both may be given, and then have to go together. With a directory the organization
// itself is left out.
type Selection struct {
	OrganizationID string
	DirectoryID    directory.ID
}

// Sink takes a snapshot: Begin once, before anything, with the cursor ("" while the log is empty), and then a Record for each thing that is
// there: accounts; then organizations, each with its domains, directories and members; a directory with its people, then its groups, then
// who is in them. Of one organization only, each account comes before its membership. An error of the sink ends the snapshot and is given back. data must not be kept.
type Sink interface {
	Begin(cursor string) error
	Record(kind event.Type, at time.Time, data []byte) error
}

// Take writes a snapshot: the state as of one moment, in which every event up to the cursor is contained and none after it. Deleted
// organizations and directories are not in it. What is not there is NotFound, too many at once are Unavailable; either is said
// before Begin.
func (s *Snapshots) Take(ctx context.Context, which Selection, to Sink) error {
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	default:
		busy := fault.New(fault.Unavailable, "snapshot_busy", "%d snapshots are being read already. Try again when one of them has ended.", cap(s.slots))
		busy.RetryAfter = 10 * time.Second
		return busy
	}
	ctx, cancel := context.WithTimeout(ctx, s.patience)
	defer cancel()
	return s.events.Snapshot(ctx, func(r db.Reader, cursor string) error {
		t := taking{s, ctx, r, to, which.OrganizationID != ""}
		switch {
		case which.DirectoryID != "":
			return t.directory(which, cursor)
		case which.OrganizationID != "":
			o, err := org.PresentOne(ctx, r, org.ID(which.OrganizationID))
			if err != nil {
				return err
			}
			if err := to.Begin(cursor); err != nil {
				return err
			}
			return t.organization(o)
		}
		if err := to.Begin(cursor); err != nil {
			return err
		}
		if err := member.Present(ctx, r, to.Record); err != nil {
			return err
		}
		return org.Present(ctx, r, t.organization)
	})
}

// taking is one snapshot under way.
type taking struct {
	*Snapshots
	ctx context.Context
	r   db.Reader
	to  Sink

	narrowed bool // accounts are told beside the memberships, and not before everything
}

func (t taking) directory(which Selection, cursor string) error {
	d, err := t.directories.PresentDirectory(t.ctx, t.r, which.DirectoryID)
	if err != nil {
		return err
	}
	if which.OrganizationID != "" && which.OrganizationID != d.OrganizationID {
		return directory.NotFound(string(which.DirectoryID))
	}
	if _, err := org.PresentOne(t.ctx, t.r, org.ID(d.OrganizationID)); err != nil {
		return err
	}
	if err := t.to.Begin(cursor); err != nil {
		return err
	}
	return t.directories.Present(t.ctx, t.r, d, t.to.Record)
}

func (t taking) organization(o org.Organization) error {
	if err := t.to.Record(event.OrganizationCreated, o.CreatedAt, o.Payload()); err != nil {
		return err
	}
	for _, d := range o.Domains {
		if err := t.to.Record(event.OrganizationDomainCreated, d.CreatedAt, d.Payload()); err != nil {
			return err
		}
	}
	directories, err := t.directories.PresentDirectories(t.ctx, t.r, string(o.ID))
	if err != nil {
		return err
	}
	for _, d := range directories {
		if err := t.directories.Present(t.ctx, t.r, d, t.to.Record); err != nil {
			return err
		}
	}
	return member.PresentMembers(t.ctx, t.r, string(o.ID), t.narrowed, t.to.Record)
}
