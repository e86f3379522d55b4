// Command pgserver starts and stops a private PostgreSQL server that several test
// programs share:
//
//	eval "$(go run ./internal/db/dbtest/pgserver start)"   # sets ROLLCALL_TEST_POSTGRES and ROLLCALL_TEST_PGDIR
//	go test ./...
//	go run ./internal/db/dbtest/pgserver stop "$ROLLCALL_TEST_PGDIR"
//
// "start quick" starts one that does not wait for the disk: quicker for tests, worthless for measuring.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/rollcallhq/rollcall/internal/db/dbtest/pglocal"
)

func main() {
	if err := command(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "pgserver:", err)
		os.Exit(1)
	}
}

func command(ctx context.Context, args []string) error {
	switch {
	case len(args) == 1 && args[0] == "start", len(args) == 2 && args[0] == "start" && args[1] == "quick":
		disk := pglocal.Earnest
		if len(args) == 2 {
			disk = pglocal.Quick
		}
		url, dir, err := pglocal.Start(ctx, disk)
		if err != nil {
			return err
		}
		fmt.Printf("export ROLLCALL_TEST_POSTGRES='%s' ROLLCALL_TEST_PGDIR='%s'\n", url, dir)
		return nil
	case len(args) == 2 && args[0] == "stop":
		return pglocal.Stop(ctx, args[1])
	}
	return errors.New("usage: pgserver start [quick] | pgserver stop <folder>")
}
