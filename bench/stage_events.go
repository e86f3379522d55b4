package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// feedRows share one pair, whose log grows from the snapshot's people to all events.
var feedRows = []string{"snapshot", "snapmem", "events"}

func (l *lab) feed(ctx context.Context, p *pair) error {
	if l.opt.wants("snapshot", "snapmem") && !p.ours.floor {
		l.say("%s: filling to %d people for a snapshot", p.engine, l.opt.snapshot)
		if err := p.ours.fill(ctx, p.oursDir, l.opt.snapshot); err != nil {
			return err
		}
		l.snapshots(ctx, p)
	}
	if !l.opt.wants("events") {
		return nil
	}
	l.say("%s: filling the logs to %d events", p.engine, l.opt.events)
	pages, err := l.copyLog(ctx, p)
	if err != nil {
		return err
	}
	read := step{conns: 8, length: l.opt.length, makeTask: func(int, int) task { return readPages(pages) }}
	l.record(ctx, l.versus(ctx, p.engine, rowOf("events"), " of "+thousands(pageSize*len(pages)), []contestant{
		{s: p.floor, d: p.floor.asReader(), st: read}, {s: p.ours, d: p.ours.asReader(), st: read},
	}, throughput))
	return nil
}

// asReader is where an application reads events.
func (s *side) asReader() *directory { return &directory{addr: s.addr, token: s.apiKey} }

// logPage is a full page: the cursor that leads to it and the last event on it.
type logPage struct{ after, last string }

func (p logPage) path() string {
	path := fmt.Sprintf("/events?limit=%d", pageSize)
	if p.after != "" {
		path += "&after=" + p.after
	}
	return path
}

// copyLog fills our log and gives the floor the same events, byte by byte.
func (l *lab) copyLog(ctx context.Context, p *pair) ([]logPage, error) {
	if p.ours.floor { // a stand-in has no log of its own making
		return l.inventLog(p)
	}
	if err := p.ours.fill(ctx, p.oursDir, l.opt.events); err != nil {
		return nil, err
	}
	from, to := p.ours.asReader().dial(), p.floor.asReader().dial()
	defer from.close()
	defer to.close()
	var pages []logPage
	for next := (logPage{}); ctx.Err() == nil; next = (logPage{after: next.last}) {
		status, body, err := from.do(http.MethodGet, next.path(), nil)
		if err == nil {
			err = answered("events", http.StatusOK, status, body)
		}
		if err != nil {
			return nil, err
		}
		var page struct {
			Data []json.RawMessage `json:"data"`
		}
		if err := json.Unmarshal(body, &page); err != nil {
			return nil, err
		}
		if len(page.Data) < pageSize { // the last page has no cursor to compare
			return pages, enough(pages)
		}
		var last event
		if err := json.Unmarshal(page.Data[pageSize-1], &last); err != nil {
			return nil, err
		}
		next.last = last.ID
		if err := post(to, page.Data); err != nil {
			return nil, err
		}
		pages = append(pages, next)
	}
	return nil, ctx.Err()
}

func enough(pages []logPage) error {
	if len(pages) < 2 {
		return errors.New("the log has hardly any events")
	}
	return nil
}

func post(c *conn, events []json.RawMessage) error {
	body, err := json.Marshal(events)
	if err != nil {
		return err
	}
	status, answer, err := c.do(http.MethodPost, "/events", body)
	if err != nil {
		return err
	}
	return answered("events", http.StatusNoContent, status, answer)
}

func (l *lab) inventLog(p *pair) ([]logPage, error) {
	one, two := p.floor.asReader().dial(), p.ours.asReader().dial()
	defer one.close()
	defer two.close()
	var pages []logPage
	last := ""
	for n := 0; n+pageSize <= l.opt.events; n += pageSize {
		page := logPage{after: last}
		events := make([]json.RawMessage, pageSize)
		for i := range events {
			last = fmt.Sprintf("event_%026d", n+i)
			events[i] = fmt.Appendf(nil, `{"object":"event","id":%q,"event":"dsync.user.created","data":%s}`, last, appendUser(nil, "log", "", n+i, 0))
		}
		page.last = last
		if err := errors.Join(post(one, events), post(two, events)); err != nil {
			return nil, err
		}
		pages = append(pages, page)
	}
	return pages[:len(pages)-1], enough(pages)
}

// readPages follows cursors from everywhere in the log. A page is right when it is full and leads on from where it has to.
func readPages(pages []logPage) task {
	rnd := dice()
	return func(c *conn) (kind, error) {
		page := pages[rnd.IntN(len(pages))]
		status, body, err := c.do(http.MethodGet, page.path(), nil)
		if err != nil {
			return 0, err
		}
		if n := bytes.Count(body, []byte(`"object":"event"`)); status == http.StatusOK && n != pageSize {
			return 0, fmt.Errorf("a page holds %d events, want %d", n, pageSize)
		}
		return 0, answered("events", http.StatusOK, status, body, `"after":"`+page.last+`"`)
	}
}

// snapshots reads everything as a new consumer would and watches the server's memory meanwhile.
func (l *lab) snapshots(ctx context.Context, p *pair) {
	speed, memory := rowOf("snapshot"), rowOf("snapmem")
	suffix := " of " + thousands(l.opt.snapshot) + " people"
	var rates, grown []float64
	for range l.opt.rounds {
		rate, mib, err := l.snapshot(ctx, p.ours)
		if err != nil {
			l.record(ctx, speed.failed(p.engine, suffix, err))
			l.record(ctx, memory.failed(p.engine, suffix, err))
			return
		}
		rates, grown = append(rates, rate), append(grown, mib)
	}
	c := speed.cell(p.engine, suffix)
	c.Now, c.Rounds = median(rates), l.opt.rounds
	l.record(ctx, c)
	c = memory.cell(p.engine, suffix)
	c.Now, c.Rounds = median(grown), l.opt.rounds
	l.record(ctx, c)
}

const snapshotPatience = 5 * time.Minute

// snapshot gives records a second and by how many MiB the resident set grew at most.
func (l *lab) snapshot(ctx context.Context, s *side) (rate, grown float64, err error) {
	ctx, cancel := context.WithTimeout(ctx, snapshotPatience)
	defer cancel()
	before, _, err := residentMiB(s.proc.pid())
	if err != nil {
		return 0, 0, err
	}
	most, done := watchMemory(s.proc.pid())
	begun := time.Now()
	records, err := s.readSnapshot(ctx)
	took := time.Since(begun)
	close(done)
	if err == nil && records < l.opt.snapshot {
		err = fmt.Errorf("the snapshot has %d records of %d people", records, l.opt.snapshot)
	}
	return float64(records) / took.Seconds(), max(0, <-most-before), err
}

func watchMemory(pid int) (most chan float64, done chan struct{}) {
	most, done = make(chan float64, 1), make(chan struct{})
	go func() {
		highest := 0.0
		for tick := time.NewTicker(50 * time.Millisecond); ; {
			if now, _, err := residentMiB(pid); err == nil {
				highest = max(highest, now)
			}
			select {
			case <-tick.C:
			case <-done:
				tick.Stop()
				most <- highest
				return
			}
		}
	}()
	return most, done
}

// readSnapshot counts the records and compares them with what the last line says.
func (s *side) readSnapshot(ctx context.Context) (records int, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.addr+"/events/snapshot", nil)
	if err != nil {
		return 0, err
	}
	req.Header.Set("Authorization", "Bearer "+s.apiKey)
	resp, err := (&http.Client{}).Do(req) // ctx bounds it
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, resp.Body.Close()) }()
	if resp.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("GET /events/snapshot: %s", resp.Status)
	}
	lines := bufio.NewReaderSize(resp.Body, 1<<20)
	event, end := []byte(`{"object":"event"`), []byte(`{"object":"snapshot_end"`)
	for {
		line, err := lines.ReadSlice('\n')
		switch {
		case bytes.HasPrefix(line, event):
			records++
		case bytes.HasPrefix(line, end):
			var last struct {
				Records int `json:"records"`
			}
			if err := json.Unmarshal(line, &last); err != nil || last.Records != records {
				return records, fmt.Errorf("%d records came; the end says %.200s (%w)", records, line, err)
			}
			return records, nil
		}
		if err != nil {
			return records, fmt.Errorf("the snapshot breaks off after %d records: %w", records, err)
		}
	}
}
