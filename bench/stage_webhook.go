package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"
)

const (
	userCreated  = "dsync.user.created"
	groupCreated = "dsync.group.created"

	fanOut       = 50
	hookConns    = 16
	hookPatience = 30 * time.Second // after the last event
	besideRate   = 20               // events a second where many deliveries are made of each
)

// hooks measures from before the request that causes an event is sent to the arrival of its webhook at a receiver in this program.
// Each row has a server of its own.
func (l *lab) hooks(ctx context.Context, eng engine) {
	for _, it := range []struct {
		row     string
		measure func(context.Context, *hookLab) ([]float64, error)
		at      float64
		suffix  string
	}{
		{"hook", oneByOne, 0.5, ""},
		{"hooktwo", throughTwo, 0.5, ""},
		{"hookload", underLoad, 0.99, fmt.Sprintf(", %d events/s", l.opt.hookRate)},
		{"hookfan", besideFanOut, 0.99, fmt.Sprintf(" to %d endpoints", fanOut)},
		{"hookdead", besideDead, 0.99, ""},
	} {
		if !l.opt.wants(it.row) || l.opt.standIn || ctx.Err() != nil || it.row == "hooktwo" && eng == sqlite {
			continue
		}
		took, note, err := l.hook(ctx, eng, it.measure)
		if err != nil {
			l.record(ctx, rowOf(it.row).failed(eng, it.suffix, err))
			continue
		}
		c := rowOf(it.row).cell(eng, it.suffix)
		c.Now = 1000 * percentile(took, it.at)
		c.Note = fmt.Sprintf("%d deliveries: p50 %.1f, p99 %.1f, longest %.1f ms%s",
			len(took), 1000*percentile(took, 0.5), 1000*percentile(took, 0.99), 1000*percentile(took, 1), note)
		l.record(ctx, c)
	}
}

// hookLab is a server whose webhooks come here.
type hookLab struct {
	l    *lab
	s    *side
	in   *receiver
	note string

	writes []float64 // seconds that the measured requests took themselves
}

func (l *lab) hook(ctx context.Context, eng engine, measure func(context.Context, *hookLab) ([]float64, error)) (took []float64, note string, err error) {
	in, err := newReceiver()
	if err != nil {
		return nil, "", err
	}
	defer func() { err = errors.Join(err, in.close()) }()
	s, err := l.newSide(ctx, false, eng, extras{flags: []string{"--allow-target", "127.0.0.0/8"}})
	if err != nil {
		return nil, "", err
	}
	if err := s.start(ctx, &l.procs); err != nil {
		return nil, "", err
	}
	defer func() { err = errors.Join(err, s.proc.stop()) }()
	h := &hookLab{l: l, s: s, in: in}
	took, err = measure(ctx, h)
	slices.Sort(took)
	slices.Sort(h.writes)
	h.note += fmt.Sprintf("; the requests themselves p50 %.1f, p99 %.1f ms", 1000*percentile(h.writes, 0.5), 1000*percentile(h.writes, 0.99))
	return took, h.note, err
}

// receiver answers 200 at once and notes when each event came first; paths below /dead are never answered.
type receiver struct {
	addr string
	srv  *http.Server
	quit chan struct{}

	mu   sync.Mutex
	came map[arrival]time.Time
	bad  error
}

// arrival is one event at one endpoint. who is what the generator knows the thing by: externalId of a person, name of a group.
type arrival struct{ path, kind, who string }

func newReceiver() (*receiver, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r := &receiver{addr: listener.Addr().String(), quit: make(chan struct{}), came: map[arrival]time.Time{}}
	mux := http.NewServeMux()
	mux.HandleFunc("/dead/", func(_ http.ResponseWriter, q *http.Request) {
		select {
		case <-q.Context().Done():
		case <-r.quit:
		}
	})
	mux.HandleFunc("/", r.take)
	r.srv = &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = r.srv.Serve(listener) }() // it ends with close
	return r, nil
}

func (r *receiver) close() error {
	close(r.quit)
	return r.srv.Close()
}

func (r *receiver) take(w http.ResponseWriter, q *http.Request) {
	now := time.Now()
	var e struct {
		Event string `json:"event"`
		Data  struct {
			Name  string `json:"name"`
			IDPID string `json:"idp_id"`
		} `json:"data"`
	}
	raw, err := io.ReadAll(io.LimitReader(q.Body, 1<<20))
	if err == nil {
		err = json.Unmarshal(raw, &e)
	}
	a := arrival{path: q.URL.Path, kind: e.Event, who: e.Data.IDPID}
	if e.Event == groupCreated {
		a.who = e.Data.Name
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil || q.Method != http.MethodPost || q.Header.Get("WorkOS-Signature") == "" {
		r.bad = fmt.Errorf("a webhook that is none: %s %s signed %q: %.200s (%w)", q.Method, q.URL.Path, q.Header.Get("WorkOS-Signature"), raw, err)
	}
	if _, again := r.came[a]; !again {
		r.came[a] = now
	}
	w.WriteHeader(http.StatusOK)
}

// at gives when it came.
func (r *receiver) at(a arrival) (time.Time, bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	t, ok := r.came[a]
	return t, ok, r.bad
}

// await gives the seconds that each took, by when it was sent.
func (r *receiver) await(ctx context.Context, sent map[arrival]writing) ([]float64, error) {
	took := make([]float64, 0, len(sent))
	deadline := time.Now().Add(hookPatience)
	for a, did := range sent {
		for {
			came, ok, err := r.at(a)
			if err != nil {
				return nil, err
			}
			if ok {
				took = append(took, came.Sub(did.begun).Seconds())
				break
			}
			if time.Now().After(deadline) || ctx.Err() != nil {
				return nil, fmt.Errorf("%d of %d webhooks came, %v never did: %w", len(took), len(sent), a, ctx.Err())
			}
			time.Sleep(time.Millisecond)
		}
	}
	return took, nil
}

// endpoint subscribes a path of the receiver.
func (h *hookLab) endpoint(ctx context.Context, path string, kinds ...string) error {
	var made struct {
		ID string `json:"id"`
	}
	body := map[string]any{"endpoint_url": "http://" + h.in.addr + path, "events": kinds}
	err := h.s.api(ctx, http.MethodPost, "/webhook_endpoints", body, &made)
	if err == nil && made.ID == "" {
		err = errors.New("POST /webhook_endpoints answered without an id")
	}
	return err
}

// writing is how long a request that causes an event was under way.
type writing struct{ begun, answered time.Time }

// stream causes events at a rate, open loop, and says what was sent when.
type stream struct {
	d    *directory
	path string // where they should arrive
	kind string
	rate int
	n    int
}

func (st stream) run(ctx context.Context) (map[arrival]writing, error) {
	var mu sync.Mutex
	sent := make(map[arrival]writing, st.n)
	var broken error
	begun := time.Now()
	var crowd sync.WaitGroup
	for w := range min(hookConns, st.n) {
		crowd.Go(func() {
			c := st.d.dial()
			defer c.close()
			for i := w; i < st.n && ctx.Err() == nil; i += hookConns {
				time.Sleep(time.Until(begun.Add(time.Duration(i) * time.Second / time.Duration(st.rate))))
				did := writing{begun: time.Now()}
				who, err := st.cause(c)
				did.answered = time.Now()
				mu.Lock()
				if err != nil {
					broken = err
				} else {
					sent[arrival{st.path, st.kind, who}] = did
				}
				mu.Unlock()
				if err != nil {
					return
				}
			}
		})
	}
	crowd.Wait()
	return sent, errors.Join(broken, ctx.Err())
}

func (st stream) cause(c *conn) (who string, err error) {
	seq := st.d.nextSeq()
	if st.kind == groupCreated {
		who = fmt.Sprintf("Group %d of %s", seq, st.d.tag)
		_, err = st.d.newGroup(c, who)
		return who, err
	}
	_, _, err = st.d.create(c, nil, seq)
	return externalID(st.d.tag, seq), err
}

// measure runs a stream and waits for its webhooks.
func (h *hookLab) measure(ctx context.Context, st stream) ([]float64, error) {
	sent, err := st.run(ctx)
	if err != nil {
		return nil, err
	}
	for _, did := range sent {
		h.writes = append(h.writes, did.answered.Sub(did.begun).Seconds())
	}
	return h.in.await(ctx, sent)
}

// warm has one webhook delivered, so that connections stand.
func (h *hookLab) warm(ctx context.Context, st stream) error {
	st.rate, st.n = 20, 5
	_, err := h.measure(ctx, st)
	h.writes = nil
	return err
}

func oneByOne(ctx context.Context, h *hookLab) ([]float64, error) {
	d, err := h.s.newDirectory(ctx, h.l, "one")
	if err != nil {
		return nil, err
	}
	return h.each(ctx, d)
}

// each causes one event after the other, through the servers in turn.
func (h *hookLab) each(ctx context.Context, through ...*directory) ([]float64, error) {
	if err := h.endpoint(ctx, "/good", userCreated); err != nil {
		return nil, err
	}
	for _, d := range through {
		if err := h.warm(ctx, stream{d: d, path: "/good", kind: userCreated}); err != nil {
			return nil, err
		}
	}
	var all []float64
	for i := range h.l.opt.hooks {
		took, err := h.measure(ctx, stream{d: through[i%len(through)], path: "/good", kind: userCreated, rate: 1, n: 1})
		if err != nil {
			return nil, err
		}
		all = append(all, took...)
		time.Sleep(30 * time.Millisecond)
	}
	return all, nil
}

func throughTwo(ctx context.Context, h *hookLab) (took []float64, err error) {
	second := *h.s
	second.addr, second.proc = "", nil
	if err := second.start(ctx, &h.l.procs); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, second.proc.stop()) }()
	here, err := h.s.newDirectory(ctx, h.l, "here")
	if err != nil {
		return nil, err
	}
	there, err := second.newDirectory(ctx, h.l, "there")
	if err != nil {
		return nil, err
	}
	return h.each(ctx, here, there)
}

func underLoad(ctx context.Context, h *hookLab) ([]float64, error) {
	d, err := h.s.newDirectory(ctx, h.l, "load")
	if err != nil {
		return nil, err
	}
	if err := h.endpoint(ctx, "/good", userCreated); err != nil {
		return nil, err
	}
	st := stream{d: d, path: "/good", kind: userCreated, rate: h.l.opt.hookRate}
	st.n = int(h.l.opt.hookLength.Seconds()) * st.rate
	if err := h.warm(ctx, st); err != nil {
		return nil, err
	}
	return h.measure(ctx, st)
}

// besideFanOut measures an organization with one endpoint of its own kind of event while each event of another goes to many.
func besideFanOut(ctx context.Context, h *hookLab) ([]float64, error) {
	if err := h.endpoint(ctx, "/good", groupCreated); err != nil {
		return nil, err
	}
	for i := range fanOut {
		if err := h.endpoint(ctx, fmt.Sprintf("/fan/%d", i), userCreated); err != nil {
			return nil, err
		}
	}
	return h.beside(ctx, func(other *directory, n int) stream {
		return stream{d: other, path: fmt.Sprintf("/fan/%d", fanOut-1), kind: userCreated, rate: besideRate, n: n}
	})
}

// besideDead measures an endpoint while another that gets as many events accepts connections and never answers.
func besideDead(ctx context.Context, h *hookLab) ([]float64, error) {
	if err := h.endpoint(ctx, "/good", groupCreated, userCreated); err != nil {
		return nil, err
	}
	if err := h.endpoint(ctx, "/dead/end", groupCreated, userCreated); err != nil {
		return nil, err
	}
	return h.beside(ctx, func(other *directory, n int) stream {
		return stream{d: other, path: "/good", kind: userCreated, rate: besideRate, n: n}
	})
}

// beside measures a quiet organization's deliveries alone, for the note, and then beside the other's stream.
func (h *hookLab) beside(ctx context.Context, noise func(other *directory, n int) stream) ([]float64, error) {
	quiet, err := h.s.newDirectory(ctx, h.l, "quiet")
	if err != nil {
		return nil, err
	}
	other, err := h.s.newDirectory(ctx, h.l, "noisy")
	if err != nil {
		return nil, err
	}
	n := int(h.l.opt.hookLength.Seconds()) * besideRate
	st := stream{d: quiet, path: "/good", kind: groupCreated, rate: besideRate, n: n}
	if err := h.warm(ctx, st); err != nil {
		return nil, err
	}
	alone, err := h.measure(ctx, st)
	if err != nil {
		return nil, err
	}
	var disturbed error
	var others sync.WaitGroup
	others.Go(func() {
		sent, err := noise(other, n).run(ctx)
		if err == nil {
			_, err = h.in.await(ctx, sent)
		}
		disturbed = err
	})
	took, err := h.measure(ctx, st)
	others.Wait()
	slices.Sort(alone)
	h.note = fmt.Sprintf("; before the other began p50 %.1f, p99 %.1f ms", 1000*percentile(alone, 0.5), 1000*percentile(alone, 0.99))
	return took, errors.Join(err, disturbed)
}
