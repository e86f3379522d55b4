// Command app-go is a small SaaS app whose customers sign in with their own identity providers, by way of Rollcall and plain OpenID Connect.
//
//	ISSUER=http://127.0.0.1:8080 CLIENT_ID=client_… CLIENT_SECRET=… LISTEN=127.0.0.1:9090 go run ./examples/app-go
//
// What it is registered with: redirect URI http://127.0.0.1:9090/callback, back-channel logout URI …/backchannel-logout, login initiation
// URI …/login, and sign-out redirect URI http://127.0.0.1:9090/.
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"time"

	"github.com/rollcallhq/rollcall/examples/app-go/saas"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "app:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", os.Getenv("LISTEN"))
	if err != nil {
		return err
	}
	url := "http://" + listener.Addr().String()
	app := saas.New(saas.Options{Issuer: os.Getenv("ISSUER"), ClientID: os.Getenv("CLIENT_ID"), ClientSecret: os.Getenv("CLIENT_SECRET"), URL: url})
	server := &http.Server{Handler: app, ReadHeaderTimeout: 10 * time.Second}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	fmt.Println("The app is at", url)
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
