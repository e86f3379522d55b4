// Command receiver-go is a small app that knows its people from Rollcall: by webhook, or as a consumer of the log, or both.
//
//	ROLLCALL_URL=http://127.0.0.1:8080 ROLLCALL_API_KEY=sk_… go run ./examples/receiver-go     # consumes the log
//	WEBHOOK_SECRETS=whsec_… LISTEN=127.0.0.1:9000 go run ./examples/receiver-go                # POST /webhooks
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"sync"
	"time"

	"github.com/rollcallhq/rollcall/client"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Getenv, os.Stdout); err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "receiver:", err)
		os.Exit(1)
	}
}

// run is the program, with its surroundings given.
func run(ctx context.Context, env func(string) string, out io.Writer) error {
	app := &people{out: out, in: map[string]string{}, last: map[string]string{}}
	if secrets := strings.Fields(strings.ReplaceAll(env("WEBHOOK_SECRETS"), ",", " ")); len(secrets) > 0 {
		return app.serve(ctx, env("LISTEN"), secrets)
	}
	c, err := client.New(env("ROLLCALL_URL"), env("ROLLCALL_API_KEY"), client.WithUserAgent("receiver-go"))
	if err != nil {
		return err
	}
	return c.Consume(ctx, "receiver-go", client.ConsumeOptions{}, app.take)
}

// people is who may use the app. A real one keeps them in its database, and the newest event of each beside them in the same
// transaction.
type people struct {
	out  io.Writer
	mu   sync.Mutex
	in   map[string]string // addresses by id
	last map[string]string // by the same ids the newest event applied; what is not newer has come twice or late
}

// take does what an event asks for. An error makes it come again.
func (p *people) take(_ context.Context, e client.Event) error {
	switch e.Type {
	case "dsync.user.created", "dsync.user.updated", "dsync.user.deleted":
	default:
		return nil
	}
	u, err := client.As[client.DirectoryUser](e)
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if e.ID <= p.last[u.ID] { // ids of events sort by time
		return nil
	}
	p.last[u.ID] = e.ID
	// In the mode inactive_users=kept people who left stay, with a state that is not active. Who returns may come as updated or,
	// in the mode removed, as created with the id they had.
	p.set(u.ID, u.Email, e.Type != "dsync.user.deleted" && u.State == "active")
	return nil
}

func (p *people) set(id, email string, in bool) {
	_, was := p.in[id]
	switch {
	case in:
		p.in[id] = email
	default:
		delete(p.in, id)
	}
	if in != was {
		fmt.Fprintf(p.out, "%s may use the app: %t\n", email, in)
	}
}

const maxWebhook = 4 << 20

// webhook answers 2xx only for what was dealt with: everything else is sent again.
func (p *people) webhook(secrets []string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		payload, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxWebhook))
		if err != nil {
			http.Error(w, "too large, or broken off", http.StatusRequestEntityTooLarge)
			return
		}
		e, err := client.VerifyWebhook(payload, r.Header, secrets, client.DefaultTolerance, time.Now())
		if err != nil {
			http.Error(w, "not trusted", http.StatusBadRequest)
			return
		}
		if err := p.take(r.Context(), e); err != nil {
			http.Error(w, "not now", http.StatusInternalServerError)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}
}

func (p *people) serve(ctx context.Context, listen string, secrets []string) error {
	if listen == "" {
		listen = "127.0.0.1:9000"
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", listen)
	if err != nil {
		return err
	}
	fmt.Fprintf(p.out, "listening on http://%s/webhooks\n", l.Addr())
	mux := http.NewServeMux()
	mux.Handle("POST /webhooks", p.webhook(secrets))
	s := &http.Server{Handler: mux, ReadTimeout: 10 * time.Second}
	go func() {
		<-ctx.Done()
		_ = s.Close() // Serve says so
	}()
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return ctx.Err()
}
