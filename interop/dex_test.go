//go:build interop

package interop_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"
)

// Dex has no version that the go command understands; this is v2.45.1.
const (
	dexVersion = "v0.0.0-20260303133905-11d2eeb52b42"
	dexAPI     = "v2.4.0"
)

func TestDex_signs_people_in(t *testing.T) {
	client := standInClient()
	provider := startDex(t, client)
	provider.provesItself(t, client)
	provider.understands(t, client)
}

// startDex builds Dex from the Go proxy, which takes two minutes once, and runs it with a password of its own.
func startDex(t *testing.T, client oidcApp) oidcProvider {
	t.Helper()
	dir := once(t, "dex-"+dexVersion, buildDex)
	base := "http://" + freeAddress(t)
	hash, err := bcrypt.GenerateFromPassword([]byte("lin-secret"), 10) // the least that it takes
	must(t, err)
	settings, err := json.Marshal(map[string]any{ // YAML too
		"issuer": base + "/dex", "storage": map[string]any{"type": "memory"}, "web": map[string]any{"http": parsed(t, base).Host},
		"frontend":         map[string]any{"dir": filepath.Join(dir, "web")},
		"oauth2":           map[string]any{"skipApprovalScreen": true},
		"enablePasswordDB": true,
		"staticPasswords": []any{map[string]any{
			"email": "lin@acme.example", "hash": string(hash), "username": "Lin", "userID": "9f8c5c7e",
		}},
		"staticClients": []any{map[string]any{"id": client.ID, "secret": client.Secret, "name": "App", "redirectURIs": []string{client.RedirectURI}}},
	})
	must(t, err)
	config := filepath.Join(t.TempDir(), "dex.yaml")
	write(t, config, string(settings))
	cmd := exec.CommandContext(t.Context(), filepath.Join(dir, "dex"), "serve", config)
	serve(t, cmd, base+"/dex/.well-known/openid-configuration", 30*time.Second)
	return oidcProvider{
		Name: "dex", Version: "2.45.1", Issuer: base + "/dex", Silent: true, Scopes: []string{"profile", "email"},
		SignIn: map[string]string{"login": "lin@acme.example", "password": "lin-secret"},
		Who:    map[string]string{"email": "lin@acme.example", "name": "Lin"},
	}
}

func buildDex(ctx context.Context, dir string) error {
	module := fmt.Sprintf("module interop/dex\n\ngo 1.26\n\nrequire github.com/dexidp/dex %s\n\nrequire github.com/dexidp/dex/api/v2 %s\n", dexVersion, dexAPI)
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte(module), 0o644); err != nil {
		return err
	}
	main := "package main\n\nimport _ \"github.com/dexidp/dex/server\"\n\nfunc main() {}\n"
	if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte(main), 0o644); err != nil {
		return err
	}
	if _, err := output(ctx, dir, "go", "list", "-mod=mod", "-deps", "github.com/dexidp/dex/cmd/dex"); err != nil { // fetches all
		return err
	}
	if _, err := output(ctx, dir, "go", "build", "-mod=mod", "-o", "dex", "github.com/dexidp/dex/cmd/dex"); err != nil {
		return broken{err}
	}
	source, err := output(ctx, dir, "go", "list", "-mod=mod", "-m", "-f", "{{.Dir}}", "github.com/dexidp/dex")
	if err != nil {
		return err
	}
	return os.CopyFS(filepath.Join(dir, "web"), os.DirFS(filepath.Join(strings.TrimSpace(source), "web")))
}
