package app

import (
	"flag"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
)

//go:generate go test -count=1 -run ^TestReference_of_settings_is_fresh$ . -update

const referencePage = "../../docs/reference/settings.md"

var update = flag.Bool("update", false, "write the golden files anew")

func TestReference_of_settings_is_fresh(t *testing.T) {
	want := settingsPage()
	if *update {
		if err := os.WriteFile(referencePage, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(referencePage)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s is out of date; run: go generate ./internal/app", referencePage)
	}
}

func settingsPage() string {
	var b strings.Builder
	b.WriteString("# Settings\n\n" +
		"Written from `internal/app/config.go` by `go generate ./internal/app`; change it there.\n\n" +
		"A setting may be a flag of `rollcall serve`, an environment variable, or a line `name = value` of the file named by `--config`.\n" +
		"Flags win over variables, variables over the file. An empty variable counts as not set. `rollcall config check` shows what holds,\n" +
		"where it comes from, and everything that is wrong, at once.\n\n" +
		"| Flag, and name in the file | Variable | Default | Meaning |\n| --- | --- | --- | --- |\n")
	rows := (&Settings{}).rows()
	for i, row := range rows {
		if row.hidden {
			continue
		}
		help := strings.ReplaceAll(reflect.TypeFor[Settings]().Field(i).Tag.Get("help"), "|", "\\|")
		fmt.Fprintf(&b, "| %s | `%s` | %s | %s |\n", flagCell(row), row.variable(), code(row.preset), help)
	}
	b.WriteString("\nDurations: `90s`, `12h`, `30d`, or `0`. Sizes: bytes, or a number with `kB`, `MB`, `GB`, `KiB`, `MiB`, `GiB`. Lists: separated by commas,\n" +
		"or the setting given several times.\n\nThe file:\n\n```\n# comment\nlisten = 0.0.0.0:8080\npublic-url = https://sync.example.com\n" +
		"trusted-proxies = 10.0.0.0/8\n```\n")
	return b.String()
}

func flagCell(row setting) string {
	if row.env {
		return "only by variable"
	}
	return code("--" + row.name)
}

func code(s string) string {
	if s == "" {
		return ""
	}
	return "`" + s + "`"
}
