package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestBackup_that_is_stopped_leaves_no_file_and_no_part_of_one(t *testing.T) {
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	if code, _, complaints := command(t, nil, "migrate", "--data-dir", data); code != 0 {
		t.Fatal(complaints)
	}
	to := filepath.Join(dir, "backups")
	if err := os.Mkdir(to, 0o700); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, complaints spoken
	code := run(ctx, world{stdout: &out, stderr: &complaints}, []string{"backup", filepath.Join(to, "x"), "--data-dir", data})
	if code != exitFailed || !strings.Contains(complaints.String(), "context canceled") {
		t.Errorf("%d %s", code, complaints.String())
	}
	left, err := os.ReadDir(to)
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

func TestBackup_goes_through_pipes_and_says_everything_else_beside_them(t *testing.T) {
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	if code, _, complaints := command(t, nil, "migrate", "--data-dir", data); code != 0 {
		t.Fatal(complaints)
	}
	var raw bytes.Buffer
	var said spoken
	if code := run(t.Context(), world{stdout: &raw, stderr: &said}, []string{"backup", "-", "--data-dir", data}); code != 0 {
		t.Fatal(said.String())
	}
	if !bytes.HasPrefix(raw.Bytes(), []byte{0x1f, 0x8b}) || !strings.Contains(said.String(), "Not in it: the sealing key") {
		t.Errorf("%.20q %s", raw.Bytes(), said.String())
	}
	var out, complaints spoken
	code := run(t.Context(), world{stdout: &out, stderr: &complaints, stdin: bytes.NewReader(raw.Bytes())}, []string{"backup", "--verify", "-"})
	if code != 0 || !strings.Contains(out.String(), "- is whole") {
		t.Errorf("%d %s%s", code, out.String(), complaints.String())
	}
	code = run(t.Context(), world{stdout: &out, stderr: &complaints, stdin: &raw}, []string{"restore", "-", "--data-dir", filepath.Join(dir, "other")})
	if code != 0 {
		t.Errorf("%d %s", code, complaints.String())
	}
}
