package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

//go:generate go test -count=1 -run ^TestReference_of_the_command_line_is_fresh$ . -update

const referencePage = "../../docs/reference/cli.md"

var update = flag.Bool("update", false, "write the golden files anew")

func TestReference_of_the_command_line_is_fresh(t *testing.T) {
	parser, err := newParser(world{stdout: io.Discard, stderr: io.Discard}, func(int) {})
	if err != nil {
		t.Fatal(err)
	}
	want := referenceOf(parser.Model)
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
		t.Errorf("%s is out of date; run: go generate ./cmd/rollcall", referencePage)
	}
}

const referenceHead = `# Command line

Written from the commands in ` + "`cmd/rollcall`" + ` by ` + "`go generate ./cmd/rollcall`" + `; change it there.

Commands that ask a server have three flags more: ` + "`--url`" + ` (` + "`ROLLCALL_URL`" + `, by default ` + "`http://127.0.0.1:8080`" + `), ` + "`--api-key`" + `
(` + "`ROLLCALL_API_KEY`" + `, the management key) and ` + "`--json`" + `. Without it they print tables for people; with it the API's JSON as the server wrote
it, **one object a line, also for lists**. Notes and complaints go to stderr. What cannot be undone, or takes access away, is asked for at a terminal, unless ` + "`--yes`" + `. ` + "`show`" + ` is another word for ` + "`get`" + `.

| Exit code | Meaning |
| --- | --- |
| 0 | done |
| 1 | refused, or it did not work |
| 2 | the command line or a setting is wrong |
| 3 | the server cannot be reached, is busy or broken: trying again later may help |

The flags of ` + "`serve`, `migrate` and `config check`" + ` are the [settings](settings.md).

`

// everywhere are the flags that the head explains.
var everywhere = []string{"help", "url", "api-key", "json", "yes"}

func referenceOf(model *kong.Application) string {
	var b strings.Builder
	b.WriteString(referenceHead)
	for _, noun := range model.Children {
		if noun.Hidden {
			continue
		}
		fmt.Fprintf(&b, "## %s\n\n%s\n\n", noun.Name, noun.Help)
		if len(noun.Children) == 0 {
			writeCommand(&b, noun)
			continue
		}
		for _, verb := range noun.Children {
			fmt.Fprintf(&b, "### %s %s\n\n%s\n\n", noun.Name, verb.Name, verb.Help)
			writeCommand(&b, verb)
		}
	}
	return strings.TrimRight(b.String(), "\n") + "\n"
}

func writeCommand(b *strings.Builder, node *kong.Node) {
	fmt.Fprintf(b, "```\nrollcall %s\n```\n\n", usage(node))
	var rows []string
	for _, a := range node.Positional {
		rows = append(rows, fmt.Sprintf("| `%s` | %s |\n", strings.Trim(a.Summary(), "[]"), cell(a.Help)))
	}
	if node.Name != "serve" && node.Name != "migrate" && node.Name != "check" {
		for _, f := range node.Flags {
			if !f.Hidden && (!slices.Contains(everywhere, f.Name) || f.Name == "url" && !asks(node)) {
				rows = append(rows, fmt.Sprintf("| `%s` | %s |\n", f.String(), cell(f.Help)))
			}
		}
	}
	if len(rows) > 0 {
		fmt.Fprintf(b, "| | |\n| --- | --- |\n%s\n", strings.Join(rows, ""))
	}
}

// asks tells whether a command asks a Rollcall server by its API, as the head explains.
func asks(node *kong.Node) bool {
	return slices.ContainsFunc(node.Flags, func(f *kong.Flag) bool { return f.Name == "api-key" })
}

func usage(node *kong.Node) string {
	words := []string{node.Name}
	for p := node.Parent; p != nil && p.Type == kong.CommandNode; p = p.Parent {
		words = append([]string{p.Name}, words...)
	}
	for _, a := range node.Positional {
		words = append(words, a.Summary())
	}
	return strings.Join(words, " ")
}

func cell(s string) string { return strings.ReplaceAll(s, "|", "\\|") }
