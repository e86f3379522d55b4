// Package pglocal cannot run a server on Windows: set ROLLCALL_TEST_POSTGRES.
package pglocal

import (
	"context"
	"errors"
	"os"
)

// ErrNotInstalled says what to do instead.
var ErrNotInstalled = errors.New("on Windows set ROLLCALL_TEST_POSTGRES to the URL of a PostgreSQL server where databases may be created, or test SQLite alone with ROLLCALL_TEST_ENGINES=sqlite")

// StartForProcess always fails.
func StartForProcess(context.Context, Disk) (string, *os.File, error) {
	return "", nil, ErrNotInstalled
}

// Start always fails.
func Start(context.Context, Disk) (string, string, error) { return "", "", ErrNotInstalled }

// Stop always fails.
func Stop(context.Context, string) error { return ErrNotInstalled }
