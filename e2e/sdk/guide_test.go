package sdk_test

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

var fenced = regexp.MustCompile("(?s)\n( *)```sh\n(.*?)\n *```\n")

// lines gives the commands of a guide's block that holds all of the words. What the guide leaves open is filled in, by pairs of old
// and new.
func lines(t *testing.T, guide, words string, fill ...string) string {
	t.Helper()
	text, err := os.ReadFile(root + "/docs/guide/" + guide)
	must(t, err)
	for _, block := range fenced.FindAllStringSubmatch(string(text), -1) {
		if strings.Contains(block[2], words) {
			return strings.NewReplacer(fill...).Replace(strings.ReplaceAll("\n"+block[2], "\n"+block[1], "\n"))
		}
	}
	t.Fatalf("%s has no block of commands with %q", guide, words)
	return ""
}

// pasted runs commands as somebody does who copies them into a shell, and gives what they print.
func pasted(t *testing.T, env []string, commands string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "sh", "-euc", commands)
	cmd.Env = append(os.Environ(), env...)
	var complaints strings.Builder
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v from:\n%s\n%s%s", err, commands, out, &complaints)
	}
	return string(out)
}

// member is the first text member of that name in an answer.
func member(t *testing.T, answer, name string) string {
	t.Helper()
	found := regexp.MustCompile(`"` + name + `": ?"([^"]+)"`).FindStringSubmatch(answer)
	if found == nil {
		t.Fatalf("no %s in %s", name, answer)
	}
	return found[1]
}
