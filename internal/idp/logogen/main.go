// Command logogen draws the logo of every provider of the catalogue: a rounded
// tile with one or two letters of its name. The tiles are Rollcall's own; the
// trademarks of the providers are not drawn.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"log"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"unicode"
)

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: logogen CATALOG")
	}
	if err := drawAll(os.Args[1]); err != nil {
		log.Fatal(err)
	}
}

// drawAll writes logo.svg into every folder of the catalogue.
func drawAll(catalog string) error {
	declared, err := filepath.Glob(filepath.Join(catalog, "*", "idp.json"))
	if err != nil {
		return fmt.Errorf("list %s: %w", catalog, err)
	}
	for _, name := range declared {
		svg, err := drawFor(name)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(filepath.Dir(name), "logo.svg"), []byte(svg), 0o644); err != nil { //nolint:gosec // a file of the source tree, for everybody to read
			return err
		}
	}
	return nil
}

// drawFor is the logo of the provider that this idp.json declares.
func drawFor(name string) (string, error) {
	text, err := os.ReadFile(name) //nolint:gosec // a folder of the source tree that its developer names
	if err != nil {
		return "", err
	}
	var provider struct {
		Name    string `json:"name"`
		Letters string `json:"letters"`
	}
	if err := json.Unmarshal(text, &provider); err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	letters := provider.Letters
	if letters == "" {
		letters = initials(provider.Name)
	}
	if letters == "" {
		return "", errors.New(name + ": no letter in the name")
	}
	return draw(letters, colour(filepath.Base(filepath.Dir(name)))), nil
}

// parts are words and the humps of words such as OneLogin or Auth0.
var parts = regexp.MustCompile(`\p{Lu}?\p{Ll}+|\p{Lu}+|\d+`)

// initials are those of the first two parts of a name, or the first two letters of the only one.
func initials(name string) string {
	found := parts.FindAllString(name, -1)
	switch len(found) {
	case 0:
		return ""
	case 1:
		runes := []rune(found[0])
		return string(unicode.ToUpper(runes[0])) + string(runes[1:min(2, len(runes))])
	default:
		return strings.ToUpper(string([]rune(found[0])[0])) + strings.ToUpper(string([]rune(found[1])[0]))
	}
}

// palette has fourteen colours of one lightness. White letters on them, and so
// the tiles on a white page, have a contrast of 5:1; the tiles on a dark page
// (#101418) one of 3.5:1. The letters never stand on the page itself.
func palette() []string {
	return []string{
		"#c73c32", "#b64e1a", "#976308", "#747106", "#4e7923", "#1f7e3f", "#0e7c6d",
		"#117798", "#2a6dc5", "#5f62ca", "#8853c6", "#ac41ac", "#c73270", "#5e6f87",
	}
}

// colour depends on the slug alone, so that a new provider changes nobody else's.
func colour(slug string) string {
	hash := fnv.New32a()
	fmt.Fprint(hash, slug)
	colours := palette()
	return colours[hash.Sum32()%uint32(len(colours))]
}

func draw(letters, colour string) string {
	return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64" aria-hidden="true">
  <rect width="64" height="64" rx="14" fill="` + colour + `"/>
  <text x="32" y="33" fill="#ffffff" font-family="system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif" font-size="28" font-weight="600" text-anchor="middle" dominant-baseline="central">` + letters + `</text>
</svg>
`
}
