package words

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
)

func loaded(t *testing.T) *Catalogue {
	t.Helper()
	c, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// rooms are where pages are drawn, from this folder.
var rooms = []string{"..", "../../signin", "../../dashboard", "../../portal"}

// sources parses what rooms are made of, without tests and without the gallery.
func sources(t *testing.T) []*ast.File {
	t.Helper()
	var out []*ast.File
	for _, room := range rooms {
		err := filepath.WalkDir(room, func(path string, d fs.DirEntry, err error) error {
			switch {
			case err != nil && path == room: // a room that is not there yet
				return nil
			case err != nil:
				return err
			case d.IsDir() && (d.Name() == "node_modules" || d.Name() == "gallery" || d.Name() == "words"):
				return fs.SkipDir
			case !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
				return nil
			}
			f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
			out = append(out, f)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(out) < 20 {
		t.Fatalf("found only %d files; the rules would hold for nothing", len(out))
	}
	return out
}

// areas are the first parts of the keys.
func areas(w *Words) []string {
	out := []string{"dashboard", "portal"}
	for key := range w.sentences {
		area, _, _ := strings.Cut(key, ".")
		out = append(out, area)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func text(e ast.Expr) (string, bool) {
	lit, ok := e.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return "", false
	}
	s, err := strconv.Unquote(lit.Value)
	return s, err == nil
}

// mentioned are the keys, and the beginnings of keys that end in "." or "_", that stand in the code.
func mentioned(t *testing.T, w *Words) []string {
	t.Helper()
	key := regexp.MustCompile(`^(` + strings.Join(areas(w), "|") + `)\.[a-z0-9_.]*$`)
	var out []string
	for _, f := range sources(t) {
		ast.Inspect(f, func(n ast.Node) bool {
			if e, ok := n.(ast.Expr); ok {
				if s, ok := text(e); ok && key.MatchString(s) && !strings.HasSuffix(s, ".go") && !strings.HasSuffix(s, ".templ") {
					out = append(out, s)
				}
			}
			return true
		})
	}
	return out
}

func plurals(w *Words, key string) []string {
	var out []string
	for _, form := range []string{"zero", "one", "two", "few", "many", "other"} {
		if _, ok := w.sentences[key+"."+form]; ok {
			out = append(out, key+"."+form)
		}
	}
	return out
}

func TestEvery_sentence_that_pages_ask_for_is_there_and_none_is_there_for_nothing(t *testing.T) {
	w := loaded(t).Source()
	asked := map[string]bool{}
	for _, key := range mentioned(t, w) {
		found := slices.Clone(plurals(w, key))
		if _, ok := w.sentences[key]; ok {
			found = append(found, key)
		}
		if strings.HasSuffix(key, ".") || strings.HasSuffix(key, "_") {
			for k := range w.sentences {
				if strings.HasPrefix(k, key) {
					found = append(found, k)
				}
			}
		}
		if len(found) == 0 {
			t.Errorf("a page asks for %q, which en.json does not have", key)
		}
		for _, k := range found {
			asked[k] = true
		}
	}
	for key := range w.sentences {
		if !asked[key] {
			t.Errorf("no page asks for %q", key)
		}
	}
}

func TestEvery_value_of_a_sentence_is_given(t *testing.T) {
	w, calls := loaded(t).Source(), 0
	for _, f := range sources(t) {
		ast.Inspect(f, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || !slices.Contains([]string{"T", "N", "Sentence"}, called(call)) {
				return true
			}
			key, given, ok := values(call)
			if !ok {
				return true
			}
			calls++
			for _, form := range append(plurals(w, key), key) {
				if sentence, there := w.sentences[form]; there {
					for _, p := range split(sentence) {
						if p.Name != "" && !slices.Contains(given, p.Name) {
							t.Errorf("%q has {%s}, and is asked for with %v", form, p.Name, given)
						}
					}
				}
			}
			return true
		})
	}
	if calls < 50 {
		t.Errorf("looked at only %d calls", calls)
	}
}

func called(call *ast.CallExpr) string {
	switch f := call.Fun.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		return f.Sel.Name
	}
	return ""
}

// values gives the key that a call asks for and the names of the values that it gives.
func values(call *ast.CallExpr) (key string, given []string, ok bool) {
	for i, arg := range call.Args {
		if key, ok = text(arg); !ok {
			continue
		}
		if called(call) == "N" {
			given = append(given, "n")
		}
		for _, rest := range call.Args[i+1:] {
			if name, is := text(rest); is {
				given = append(given, name)
			}
			if lit, is := rest.(*ast.CompositeLit); is {
				for _, e := range lit.Elts {
					if name, is := text(e.(*ast.KeyValueExpr).Key); is {
						given = append(given, name)
					}
				}
			}
		}
		return key, given, true
	}
	return "", nil, false
}

func TestOther_languages_have_no_sentence_and_no_value_of_their_own(t *testing.T) {
	c := loaded(t)
	for _, w := range c.languages[1:] {
		for key, sentence := range w.sentences {
			base, ok := c.Source().sentences[key]
			if !ok && strings.Contains(key[strings.Index(key, ".")+1:], ".") { // a form that English has not
				base, ok = c.Source().sentences[key[:strings.LastIndex(key, ".")]+".other"]
			}
			if !ok {
				t.Errorf("%s: %q is no key of English", w.Lang(), key)
			}
			for _, p := range split(sentence) {
				if p.Name != "" && !strings.Contains(base, "{"+p.Name+"}") {
					t.Errorf("%s: %q has {%s}, which English gives no value for", w.Lang(), key, p.Name)
				}
			}
		}
	}
}

func world(t *testing.T) *Catalogue {
	t.Helper()
	c, err := load(fstest.MapFS{
		"en.json": {Data: []byte(`{"a":{"hello":"Hello {name}, {n} new","only":"English","count.one":"{n} person","count.other":"{n} people"}}`)},
		"pl.json": {Data: []byte(`{"a":{"hello":"{n} dla {name}","count.one":"{n} osoba","count.few":"{n} osoby","count.many":"{n} osób"}}`)},
		"he.json": {Data: []byte(`{"a":{"hello":"שלום {name}"}}`)},
		"de.json": {Data: []byte(`{}`)},
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestLanguage_is_the_one_that_the_browser_likes_best_among_those_there_are(t *testing.T) {
	for header, want := range map[string]string{
		"": "en", "pl": "pl", "pl-PL,pl;q=0.9,en;q=0.1": "pl", "fr-FR, pl;q=0.5": "pl", "en-GB": "en", "fr": "en", "iw": "he", "pl;q=0.2, de;q=0.8": "de",
		"%%%": "en", strings.Repeat("pl,", 400): "en",
	} {
		if got := world(t).Choose(header).Lang(); got != want {
			t.Errorf("%.40q: %s, want %s", header, got, want)
		}
	}
	if got := world(t).Choose("he").Dir(); got != "rtl" {
		t.Errorf("Hebrew is written %s", got)
	}
	if got := world(t).Choose("en").Dir(); got != "ltr" {
		t.Errorf("English is written %s", got)
	}
}

func TestSentence_takes_its_values_and_falls_back_to_English(t *testing.T) {
	c := world(t)
	en, pl, de := c.Source(), c.Choose("pl"), c.Choose("de")
	for _, one := range []struct{ got, want string }{
		{en.T("a.hello", "name", "{n}<b>", "n", 12345), "Hello {n}<b>, 12,345 new"},
		{pl.T("a.hello", "name", "Ada", "n", 3), "3 dla Ada"},
		{de.T("a.hello", "name", "Ada", "n", 3), "Hello Ada, 3 new"},
		{pl.T("a.only"), "English"},
		{en.T("a.hello", "name", "Ada"), "Hello Ada, {n} new"},
		{en.T("a.none"), "a.none"},
		{en.N("a.count", 1), "1 person"},
		{en.N("a.count", 0), "0 people"},
		{pl.N("a.count", 1), "1 osoba"},
		{pl.N("a.count", 3), "3 osoby"},
		{pl.N("a.count", 5), "5 osób"},
		{pl.N("a.count", 1_000_005), "1\u00a0000\u00a0005 osób"},
		{de.N("a.count", 2), "2 people"},
		{en.N("a.none", 2), "a.none"},
	} {
		if one.got != one.want {
			t.Errorf("%q, want %q", one.got, one.want)
		}
	}
	if pl.Has("a.none") || !pl.Has("a.only") {
		t.Error("Has does not say what T finds")
	}
	if got := en.Parts("a.hello"); !slices.Equal(got, []Part{{Text: "Hello "}, {Name: "name"}, {Text: ", "}, {Name: "n"}, {Text: " new"}}) {
		t.Errorf("parts are %+v", got)
	}
}

func TestLanguage_file_that_is_wrong_is_refused(t *testing.T) {
	for name, files := range map[string]fstest.MapFS{
		"no English":        {"de.json": {Data: []byte(`{}`)}},
		"no language":       {"en.json": {Data: []byte(`{}`)}, "notalanguage!.json": {Data: []byte(`{}`)}},
		"no JSON":           {"en.json": {Data: []byte(`{"a":`)}},
		"a key that is two": {"en.json": {Data: []byte(`{"a":{"b":"1","b":"2"}}`)}},
	} {
		if _, err := load(files); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
