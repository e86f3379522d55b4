package client

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/url"
	"time"
)

// SnapshotQuery narrows a snapshot; empty is everything.
type SnapshotQuery struct {
	OrganizationID string
	DirectoryID    string
}

// Snapshot reads the present state: one record, shaped like an event without an id, for everything there is. Whoever applies them
// all and then the events after the cursor ("" is the beginning) has missed nothing and got nothing twice. The records can be
// walked once and have to be walked or ended, for the connection stays open until then; a stream that ends too early is an
// error at its end, so nothing should be kept before the end is reached.
func (c *Client) Snapshot(ctx context.Context, q SnapshotQuery) (cursor string, records iter.Seq2[Event, error], err error) {
	query := url.Values{}
	set(query, "organization_id", q.OrganizationID)
	set(query, "directory", q.DirectoryID)
	p, err := c.prepare(get(query, "events", "snapshot"))
	if err != nil {
		return "", nil, err
	}
	p.header.Set("Accept", "application/x-ndjson")
	for attempt := 0; ; attempt++ {
		s, err := c.openSnapshot(ctx, p)
		if err == nil {
			return s.cursor, s.records, nil
		}
		wait, again := c.again(ctx, err, attempt)
		if !again {
			return "", nil, err
		}
		if sleep(ctx, wait) != nil {
			return "", nil, errors.Join(ctx.Err(), err)
		}
	}
}

type snapshot struct {
	lines  *lines
	cursor string
}

// snapshotLine is any line of the stream.
type snapshotLine struct {
	Object  string  `json:"object"`
	Cursor  *string `json:"cursor"`
	Records int64   `json:"records"`
}

func (l snapshotLine) cursor() string {
	if l.Cursor == nil {
		return ""
	}
	return *l.Cursor
}

func (c *Client) openSnapshot(ctx context.Context, p prepared) (*snapshot, error) {
	l, err := c.openLines(ctx, p)
	if err != nil {
		return nil, err
	}
	text, err := l.next()
	if err != nil {
		l.close()
		return nil, err
	}
	head, err := decode[snapshotLine](text)
	if err == nil && head.Object != "snapshot" {
		err = fmt.Errorf("the server's answer is no snapshot: it begins with %q", clean(head.Object))
	}
	if err != nil {
		l.close()
		return nil, err
	}
	return &snapshot{lines: l, cursor: head.cursor()}, nil
}

// records walks the lines between the first and the last, and insists on the last.
func (s *snapshot) records(yield func(Event, error) bool) {
	defer s.lines.close()
	for n := int64(0); ; n++ {
		text, err := s.lines.next()
		if err != nil {
			yield(Event{}, fmt.Errorf("the snapshot broke off after %d records: %w", n, err))
			return
		}
		if end, ok := endOf(text); ok {
			if end.Records != n || end.cursor() != s.cursor {
				yield(Event{}, fmt.Errorf("the snapshot is incomplete: %d records came of %d", n, end.Records))
			}
			return
		}
		e, err := decode[Event](text)
		if !yield(e, err) || err != nil {
			return
		}
	}
}

func endOf(text []byte) (snapshotLine, bool) {
	var end snapshotLine
	err := json.Unmarshal(text, &end)
	return end, err == nil && end.Object == "snapshot_end"
}

// lines reads a stream line by line. A silence longer than the client's timeout ends it.
type lines struct {
	c      *Client
	body   io.ReadCloser
	reader *bufio.Reader
	silent *time.Timer
	ctx    context.Context
	cancel context.CancelCauseFunc
}

func (c *Client) openLines(ctx context.Context, p prepared) (*lines, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	l := &lines{c: c, ctx: ctx, cancel: cancel}
	l.silent = time.AfterFunc(c.timeout, func() { cancel(fmt.Errorf("nothing came for %s", c.timeout)) })
	res, err := c.open(ctx, p) //nolint:bodyclose // lines.close closes it
	if err != nil {
		l.silent.Stop()
		err = explain(ctx, err)
		cancel(nil)
		return nil, err
	}
	l.body, l.reader = res.Body, bufio.NewReaderSize(res.Body, 64<<10)
	return l, nil
}

// next gives a whole line; it is valid for ever. An end of the stream is an error: streams have a last line.
func (l *lines) next() ([]byte, error) {
	var line []byte
	for {
		l.silent.Reset(l.c.timeout)
		part, err := l.reader.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case err == nil && len(line) == 1: // a blank line keeps a slow stream alive
			line = line[:0]
		case err == nil:
			l.silent.Stop() // the time that the caller takes is not the server's
			return line[:len(line)-1], nil
		case int64(len(line)) > l.c.maxAnswer:
			return nil, fmt.Errorf("a line is longer than %d bytes", l.c.maxAnswer)
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF):
			return nil, l.c.unreachable(io.ErrUnexpectedEOF)
		default:
			return nil, explain(l.ctx, l.c.unreachable(err))
		}
	}
}

func (l *lines) close() {
	l.silent.Stop()
	l.cancel(nil)
	_ = l.body.Close() // it was only read from
}
