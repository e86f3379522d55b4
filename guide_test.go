package rollcall_test

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The guides show examples as they are in examples/, where the tests of e2e/sdk run them: a remark with the path stands above the
// block. With -update the blocks are written anew, and receivers that are missing are added.

//go:generate go test -count=1 -run ^TestGuide_shows_the_examples_as_they_are$ . -update

const webhookGuide = "docs/guide/webhooks.md"

var included = regexp.MustCompile("(?s)<!-- (examples/\\S+) -->\n```\\w*\n(.*?)```\n")

// languages are what the examples are written in, by the ends of their names.
func languages() map[string]struct{ name, fence string } {
	return map[string]struct{ name, fence string }{".go": {"Go", "go"}, ".mjs": {"Node", "js"}, ".py": {"Python", "python"}, ".sh": {"curl", "sh"}}
}

func TestGuide_shows_the_examples_as_they_are(t *testing.T) {
	guides, err := filepath.Glob("docs/guide/*.md")
	if err != nil || len(guides) < 2 {
		t.Fatalf("%d guides: %v", len(guides), err)
	}
	for _, guide := range guides {
		before := read(t, guide)
		after := include(t, before)
		if filepath.ToSlash(guide) == webhookGuide {
			after += missingReceivers(t, after)
		}
		if *update && after != before {
			if err := os.WriteFile(guide, []byte(after), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if read(t, guide) != after {
			t.Errorf("%s does not show the examples as they are; run: go generate .", guide)
		}
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// include puts the files into the blocks that name them.
func include(t *testing.T, text string) string {
	t.Helper()
	return included.ReplaceAllStringFunc(text, func(block string) string { return shown(t, included.FindStringSubmatch(block)[1]) })
}

func shown(t *testing.T, file string) string {
	t.Helper()
	language, known := languages()[path.Ext(file)]
	if !known {
		t.Fatalf("%s is in a language that the guides do not know", file)
	}
	return "<!-- " + file + " -->\n```" + language.fence + "\n" + strings.TrimRight(read(t, file), "\n") + "\n```\n"
}

// missingReceivers gives the sections of receivers that the guide does not show yet.
func missingReceivers(t *testing.T, text string) string {
	t.Helper()
	folders, err := filepath.Glob("examples/receiver-*")
	if err != nil || len(folders) < 2 {
		t.Fatalf("%d receivers: %v", len(folders), err)
	}
	var out strings.Builder
	for _, folder := range folders {
		found := slices.Concat(glob(t, folder, "main.go"), glob(t, folder, "receiver.*"))
		if len(found) != 1 {
			t.Fatalf("%s holds %q, want one main.go or receiver.*", folder, found)
		}
		if file := filepath.ToSlash(found[0]); !strings.Contains(text, "<!-- "+file+" -->") {
			out.WriteString("\n### " + languages()[path.Ext(file)].name + "\n\n" + shown(t, file))
		}
	}
	return out.String()
}

func glob(t *testing.T, folder, pattern string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(folder, pattern))
	if err != nil {
		t.Fatal(err)
	}
	return found
}
