package db

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"
)

// fileLock keeps other processes off an SQLite file. SQLite could share it, but
// group commit and the positions given to events rely on being the only writer.
// The lock file stays behind: removing it would let two processes each hold "it".
type fileLock struct{ file *os.File }

var errLocked = errors.New("locked by another process")

// A lock that was given up a moment ago may live on in a child that was forked just then and has not started its program yet.
const (
	lockTries = 20
	lockPause = 10 * time.Millisecond
)

func patiently(f *os.File) error {
	err := flock(f)
	for try := 1; try < lockTries && errors.Is(err, errLocked); try++ {
		time.Sleep(lockPause)
		err = flock(f)
	}
	return err
}

func lockFile(path string) (*fileLock, error) {
	f, err := os.OpenFile(path+".lock", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("db: lock file: %w", err)
	}
	if err := patiently(f); err != nil {
		pid, _ := io.ReadAll(io.LimitReader(f, 20)) // only decorates the error
		f.Close()
		if errors.Is(err, errLocked) {
			return nil, &InUseError{Path: path, PID: strings.TrimSpace(string(pid))}
		}
		return nil, fmt.Errorf("db: lock %s.lock: %w", path, err)
	}
	if err := notePID(f); err != nil {
		f.Close()
		return nil, fmt.Errorf("db: lock file: %w", err)
	}
	return &fileLock{f}, nil
}

func notePID(f *os.File) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err := f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return err
}

// release of no lock is fine: a guest has none.
func (l *fileLock) release() error {
	if l == nil {
		return nil
	}
	return l.file.Close()
}
