package db_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/db/dbtest"
)

// childVariable makes the test binary play the program that is killed.
const childVariable = "ROLLCALL_DB_TEST_CHILD"

func TestMain(m *testing.M) {
	if path := os.Getenv(childVariable); path != "" {
		fmt.Println("ended:", writeForEver(path))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// writeForEver prints the number of each write once it was acknowledged.
func writeForEver(path string) error {
	ctx := context.Background()
	d, err := db.Open(ctx, db.Options{Path: path})
	if err != nil {
		return err
	}
	var output sync.Mutex
	failed := make(chan error)
	for worker := range 8 {
		go func() {
			for i := 0; ; i++ {
				line := fmt.Sprintf("%d-%d", worker, i)
				var w db.Write
				w.Exec("INSERT INTO journal (line) VALUES ($1)", line)
				w.Exec("INSERT INTO journal (line) VALUES ($1)", line)
				if err := d.Write(ctx, &w); err != nil {
					failed <- err
					return
				}
				output.Lock()
				fmt.Println(line)
				output.Unlock()
			}
		}()
	}
	return <-failed
}

func child(t *testing.T, path string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), childVariable+"="+path)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, bufio.NewScanner(out)
}

func TestAcknowledged_writes_survive_a_killed_process(t *testing.T) {
	t.Parallel()
	options := dbtest.Options(t, db.SQLite, dbtest.Migrations(schema))
	cmd, lines := child(t, options.Path)
	acknowledged := map[string]bool{}
	for len(acknowledged) < 500 && lines.Scan() {
		acknowledged[lines.Text()] = true
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	for lines.Scan() {
		if strings.Contains(lines.Text(), "-") {
			acknowledged[lines.Text()] = true
		}
	}
	if err := cmd.Wait(); err == nil {
		t.Fatal("the child was not killed")
	}
	d, err := db.Open(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	rows, err := d.Query(t.Context(), "SELECT line, count(*) FROM journal GROUP BY line")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var line string
		var n int
		if err := rows.Scan(&line, &n); err != nil {
			t.Fatal(err)
		}
		if n != 2 {
			t.Errorf("%s: %d of 2 statements kept", line, n)
		}
		delete(acknowledged, line)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	if len(acknowledged) != 0 {
		t.Errorf("%d acknowledged writes lost: %v", len(acknowledged), acknowledged)
	}
}

func TestSecond_process_is_refused_and_told_who_has_the_file(t *testing.T) {
	t.Parallel()
	options := dbtest.Options(t, db.SQLite, dbtest.Migrations(schema))
	cmd, lines := child(t, options.Path)
	if !lines.Scan() {
		t.Fatal("the child writes nothing")
	}
	_, err := db.Open(t.Context(), options)
	var used *db.InUseError
	if !errors.As(err, &used) || used.PID != fmt.Sprint(cmd.Process.Pid) || used.Path != options.Path {
		t.Errorf("got %v", err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	d, err := db.Open(t.Context(), options)
	if err != nil {
		t.Fatalf("after the holder's death: %v", err)
	}
	if _, err := db.Open(t.Context(), options); !errors.As(err, &used) {
		t.Errorf("second opening in one process: %v", err)
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
}

func TestOpen_wants_exactly_one_place(t *testing.T) {
	for _, o := range []db.Options{{}, {Path: "x", URL: "y"}} {
		if _, err := db.Open(t.Context(), o); err == nil {
			t.Errorf("%+v opened", o)
		}
	}
	missing := filepath.Join(t.TempDir(), "missing", "rollcall.db")
	if _, err := db.Open(t.Context(), db.Options{Path: missing}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing folder: %v", err)
	}
	if _, err := db.Open(t.Context(), db.Options{URL: "postgres://127.0.0.1:1/none"}); err == nil {
		t.Error("opened a server that is not there")
	}
}

func TestPath_may_hold_any_character(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a b?c#d%41é&_pragma=x")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "my?.db")
	d, err := db.Open(t.Context(), db.Options{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := d.Migrate(t.Context(), dbtest.Migrations(schema)); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Size() == 0 {
		t.Errorf("the file is elsewhere: %v", err)
	}
}
