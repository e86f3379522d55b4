// Package words holds every sentence that people read on pages, by language. A language is one file, like en.json: areas, and in them
// keys and sentences. Another language is another file with the same keys; what it lacks is shown in English.
//
// In a sentence {name} stands for a value that the page puts in. A key that ends in .one, .other and the like (the plural categories of
// CLDR) is one form of a sentence that counts; N chooses among them.
package words

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

//go:embed *.json
var files embed.FS

// source is the language that everything is written in first.
const source = "en"

// Catalogue is all languages there are. Safe for use by many goroutines.
type Catalogue struct {
	languages []*Words // the source first
	matcher   language.Matcher
}

// Words are the sentences of one language.
type Words struct {
	tag       language.Tag
	sentences map[string]string
	fallback  *Words // nil for the source
	numbers   *message.Printer
}

// Load reads the languages that are part of the program.
func Load() (*Catalogue, error) { return load(files) }

func load(from fs.FS) (*Catalogue, error) {
	names, err := fs.Glob(from, "*.json")
	if err != nil {
		return nil, err
	}
	c, tags := &Catalogue{}, []language.Tag{}
	at := slices.Index(names, source+".json")
	if at < 0 {
		return nil, fmt.Errorf("the words of pages lack %s.json", source)
	}
	names[0], names[at] = names[at], names[0]
	for _, name := range names {
		w, err := read(from, name)
		if err != nil {
			return nil, fmt.Errorf("read the words in %s: %w", name, err)
		}
		if len(c.languages) > 0 {
			w.fallback = c.languages[0]
		}
		c.languages, tags = append(c.languages, w), append(tags, w.tag)
	}
	c.matcher = language.NewMatcher(tags)
	return c, nil
}

func read(from fs.FS, name string) (*Words, error) {
	tag, err := language.Parse(strings.TrimSuffix(path.Base(name), ".json"))
	if err != nil {
		return nil, err
	}
	text, err := fs.ReadFile(from, name)
	if err != nil {
		return nil, err
	}
	areas := map[string]map[string]string{}
	if err := json.Unmarshal(text, &areas); err != nil {
		return nil, err
	}
	w := &Words{tag: tag, sentences: map[string]string{}, numbers: message.NewPrinter(tag)}
	for area, keys := range areas {
		for key, sentence := range keys {
			w.sentences[area+"."+key] = sentence
		}
	}
	return w, nil
}

// Source is the language that has every sentence.
func (c *Catalogue) Source() *Words { return c.languages[0] }

// Choose gives the language that suits an Accept-Language header best (RFC 9110 section 12.5.4); the source when none does or the header
// cannot be read.
func (c *Catalogue) Choose(accept string) *Words {
	const longest = 500 // of what a browser sends; the parser's work grows with it
	if accept == "" || len(accept) > longest {
		return c.Source()
	}
	wanted, _, err := language.ParseAcceptLanguage(accept)
	if err != nil {
		return c.Source()
	}
	_, at, _ := c.matcher.Match(wanted...)
	return c.languages[at]
}

// Lang is what the page's lang attribute says, like "en".
func (w *Words) Lang() string { return w.tag.String() }

// Dir is the direction in which the language is written, "ltr" or "rtl".
func (w *Words) Dir() string {
	script, _ := w.tag.Script()
	if slices.Contains([]string{"Arab", "Hebr", "Syrc", "Thaa", "Nkoo", "Adlm"}, script.String()) {
		return "rtl"
	}
	return "ltr"
}

// Has tells whether there is such a sentence: for keys that are put together from what a program below says.
func (w *Words) Has(key string) bool {
	_, ok := w.find(key)
	return ok
}

func (w *Words) find(key string) (string, bool) {
	text, ok := w.sentences[key]
	if !ok && w.fallback != nil {
		return w.fallback.find(key)
	}
	return text, ok
}

// T gives a sentence. pairs are names and values that go into it: T("sign_in.title", "app", "Acme"). A key that is not there is a mistake of ours,
// which a test of this package finds; a page then shows the key.
func (w *Words) T(key string, pairs ...any) string {
	text, ok := w.find(key)
	if !ok {
		return key
	}
	if len(pairs) == 0 {
		return text
	}
	var out strings.Builder
	for _, part := range split(text) {
		if part.Name == "" {
			out.WriteString(part.Text)
			continue
		}
		out.WriteString(w.value(part.Name, pairs))
	}
	return out.String()
}

func (w *Words) value(name string, pairs []any) string {
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i] == name {
			if n, ok := pairs[i+1].(int); ok {
				return w.Number(n)
			}
			return fmt.Sprint(pairs[i+1])
		}
	}
	return "{" + name + "}"
}

// N gives the form of a sentence that goes with n, which stands in it as {n}: N("people.count", 3) finds people.count.other in English.
func (w *Words) N(key string, n int, pairs ...any) string {
	pairs = append([]any{"n", n}, pairs...)
	for at := w; at != nil; at = at.fallback {
		form := key + "." + category(at.tag, n)
		if _, ok := at.sentences[form]; !ok {
			form = key + ".other"
		}
		if _, ok := at.sentences[form]; ok {
			return at.T(form, pairs...)
		}
	}
	return key
}

func category(tag language.Tag, n int) string {
	switch plural.Cardinal.MatchPlural(tag, max(n, -n), 0, 0, 0, 0) {
	case plural.Zero:
		return "zero"
	case plural.One:
		return "one"
	case plural.Two:
		return "two"
	case plural.Few:
		return "few"
	case plural.Many:
		return "many"
	}
	return "other"
}

// Number writes n as the language groups digits: 1,234 in English.
func (w *Words) Number(n int) string { return w.numbers.Sprintf("%d", n) }

// Part is a piece of a sentence: text as it is, or the name of a value.
type Part struct{ Text, Name string }

// Parts gives the pieces of a sentence whose values are more than text: an address in bold, a link.
func (w *Words) Parts(key string) []Part {
	text, ok := w.find(key)
	if !ok {
		return []Part{{Text: key}}
	}
	return split(text)
}

func split(text string) []Part {
	var out []Part
	for text != "" {
		open := strings.IndexByte(text, '{')
		shut := strings.IndexByte(text, '}')
		if open < 0 || shut < open {
			return append(out, Part{Text: text})
		}
		if open > 0 {
			out = append(out, Part{Text: text[:open]})
		}
		out = append(out, Part{Name: text[open+1 : shut]})
		text = text[shut+1:]
	}
	return out
}
