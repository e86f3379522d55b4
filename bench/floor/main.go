// Command floor is the denominator of Rollcall's benchmark: a bare net/http
// handler that decodes the SCIM body, makes one durable commit of the document
// and answers it as JSON. It checks no token, knows no schema and no filter
// grammar, and keeps no event and no audit row; it answers exactly the requests
// the benchmark sends, and only those.
//
// It must stay as fast as these few steps allow, or every ratio quoted against
// it would flatter Rollcall. It listens on the loopback only, since it lets
// everybody in.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "floor:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	kind := flag.String("store", "sqlite", "sqlite or postgres")
	place := flag.String("db", "floor.db", "SQLite file, or PostgreSQL URL")
	listen := flag.String("listen", "127.0.0.1:9100", "loopback address to listen on")
	delay := flag.Duration("commit-delay", 0, "SQLite only: sleep this long in every commit, as a slower disk would")
	flag.Parse()

	if err := loopbackOnly(*listen); err != nil {
		return err
	}
	s, err := open(ctx, *kind, *place, *delay)
	if err != nil {
		return err
	}
	srv := &http.Server{Addr: *listen, Handler: routes(s), ReadHeaderTimeout: 10 * time.Second}
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		<-ctx.Done()
		patience, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = srv.Shutdown(patience) // what is still open after that may be cut: the load has ended
	}()
	if err := srv.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return errors.Join(err, s.close())
	}
	<-drained // requests in flight still use the store
	return s.close()
}

func loopbackOnly(addr string) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("-listen %q: %w", addr, err)
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return fmt.Errorf("-listen %q: only a loopback address such as 127.0.0.1 is allowed, the floor checks no token", addr)
	}
	return nil
}

func open(ctx context.Context, kind, place string, delay time.Duration) (store, error) {
	switch kind {
	case "sqlite":
		return openSQLite(ctx, place, delay)
	case "postgres":
		if delay != 0 {
			return nil, errors.New("-commit-delay works with -store sqlite only")
		}
		return openPostgres(ctx, place)
	}
	return nil, fmt.Errorf("-store %q: want sqlite or postgres", kind)
}
