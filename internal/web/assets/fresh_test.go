package assets

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	classes  = regexp.MustCompile(`class(?:="([^"]*)"|=\{([^}]*)\}|": "([^"]*)")`)
	literals = regexp.MustCompile(`"([^"]*)"`)
)

// The stylesheet holds what templates used when it was built. Somebody who has no Node sees here that it has to be built anew.
func TestStylesheet_has_every_class_that_templates_use(t *testing.T) {
	css, err := dist.ReadFile("dist/app.css")
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]string{}
	for _, room := range []string{"..", "../../dashboard", "../../portal"} {
		err := filepath.WalkDir(room, func(path string, d fs.DirEntry, err error) error {
			switch {
			case err != nil && path == room:
				return nil
			case err != nil:
				return err
			case d.IsDir() && d.Name() == "node_modules":
				return fs.SkipDir
			case !strings.HasSuffix(path, ".templ"):
				return nil
			}
			text, err := os.ReadFile(path)
			for _, class := range classesOf(string(text)) {
				used[class] = path
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(used) < 100 {
		t.Fatalf("found only %d classes; the rule would hold for nothing", len(used))
	}
	escape := strings.NewReplacer(":", `\:`, "/", `\/`, ".", `\.`, "[", `\[`, "]", `\]`, "%", `\%`)
	for class, path := range used {
		if !regexp.MustCompile(`\.` + regexp.QuoteMeta(escape.Replace(class)) + `(?:[^\w-]|$)`).Match(css) {
			t.Errorf("%s uses the class %q, which the stylesheet does not have; run internal/web/assets/build.sh", path, class)
		}
	}
}

func classesOf(templ string) []string {
	var out []string
	for _, m := range classes.FindAllStringSubmatch(templ, -1) {
		out = append(out, strings.Fields(m[1]+" "+m[3])...)
		for _, l := range literals.FindAllStringSubmatch(m[2], -1) {
			out = append(out, strings.Fields(l[1])...)
		}
	}
	return out
}
