package api

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/lifecycle"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/scim"
	"github.com/rollcallhq/rollcall/internal/web"
)

const (
	ndjson = "application/x-ndjson"
	// snapshotStall is how long a client may take none of a snapshot: it keeps a database connection.
	snapshotStall = 30 * time.Second
)

// readSnapshot streams the present state, a JSON object a line: {"object":"snapshot","cursor"}, events without an id, and
// {"object":"snapshot_end","cursor","records"}. Whoever goes on with the events after the cursor misses nothing and gets nothing
// twice. Without its last line a snapshot is not whole.
func readSnapshot(c *call) (answer, error) {
	var which lifecycle.Selection
	var err error
	if which.OrganizationID, err = c.filterID("organization_id", orgPrefix); err != nil {
		return answer{}, err
	}
	id, err := c.filterID("directory", directoryPrefix)
	if err != nil {
		return answer{}, err
	}
	which.DirectoryID = directory.ID(id)
	if c.r.Method == http.MethodHead {
		return ok(streamed(func(w http.ResponseWriter) error {
			w.Header().Set("Content-Type", ndjson)
			return nil
		})), nil
	}
	return ok(streamed(func(w http.ResponseWriter) error { return c.snapshot(w, which) })), nil
}

func (c *call) snapshot(w http.ResponseWriter, which lifecycle.Selection) error {
	to := &snapshotLines{Stream: web.NewStream(w, ndjson, snapshotStall)}
	// A request's deadline is for answers that fit into it; the stream and the service have their own.
	err := c.o.Snapshots.Take(context.WithoutCancel(c.ctx()), which, to)
	if err == nil {
		err = to.end()
	}
	if err == nil || !to.Began() {
		return err
	}
	c.o.Logger.WarnContext(c.ctx(), "a snapshot broke off", "request_id", web.From(c.ctx()).ID, "records", to.records, "error", err)
	panic(http.ErrAbortHandler) // a broken connection tells the client what a missing last line tells it too
}

// snapshotLines writes what a snapshot holds.
type snapshotLines struct {
	*web.Stream
	cursor  *string
	records int64
	line    []byte
}

func (s *snapshotLines) Begin(cursor string) error {
	s.cursor = optional(cursor)
	if err := s.object(struct {
		Object string  `json:"object"`
		Cursor *string `json:"cursor"`
	}{"snapshot", s.cursor}); err != nil {
		return err
	}
	return s.Flush()
}

func (s *snapshotLines) Record(kind event.Type, at time.Time, data []byte) error {
	s.records++
	s.line = append(s.line[:0], `{"object":"event","event":`...)
	s.line = scim.AppendString(s.line, string(kind))
	s.line = append(append(s.line, `,"data":`...), data...)
	s.line = append(append(s.line, `,"created_at":"`...), org.Time(at)...)
	s.line = append(s.line, "\"}\n"...)
	return s.write(s.line)
}

func (s *snapshotLines) end() error {
	if err := s.object(struct {
		Object  string  `json:"object"`
		Cursor  *string `json:"cursor"`
		Records int64   `json:"records"`
	}{"snapshot_end", s.cursor, s.records}); err != nil {
		return err
	}
	return s.Flush()
}

func (s *snapshotLines) object(v any) error {
	text, err := encode(v)
	if err != nil {
		return err
	}
	return s.write(append(text, '\n'))
}

func (s *snapshotLines) write(line []byte) error {
	if _, err := s.Write(line); err != nil {
		return fmt.Errorf("the client did not take record %d: %w", s.records, err)
	}
	return nil
}
