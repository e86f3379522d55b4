package assets

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var declared = regexp.MustCompile(`--([a-z-]+):\s*(#[0-9a-f]{6}|#[0-9a-f]{3})\b`)

// colours reads custom properties that are colours.
func colours(css string) map[string]Colour {
	out := map[string]Colour{}
	for _, m := range declared.FindAllStringSubmatch(css, -1) {
		if _, there := out[m[1]]; !there {
			out[m[1]] = mustColour(m[2])
		}
	}
	return out
}

func TestText_can_be_read_whatever_the_colour_of_the_brand_is(t *testing.T) {
	grounds := map[string][]string{"light": {lightGround, "#ffffff"}, "dark": {darkGround, "#0e1218"}}
	steps := []float64{0, 0.2, 0.4, 0.6, 0.8, 1}
	for _, r := range steps {
		for _, g := range steps {
			for _, b := range steps {
				c := Colour{r, g, b}
				light, dark, _ := strings.Cut(string(Stylesheet(c)), "@media")
				for name, css := range map[string]string{"light": light, "dark": dark} {
					p := colours(css)
					for _, on := range []string{"brand", "brand-hover"} {
						if got := Contrast(p["brand-ink"], p[on]); got < readable {
							t.Errorf("%s, %s: text on %s has a contrast of %.2f", c, name, on, got)
						}
					}
					for _, ground := range grounds[name] {
						if got := Contrast(p["brand-text"], mustColour(ground)); got < readable {
							t.Errorf("%s, %s: text in it on %s has a contrast of %.2f", c, name, ground, got)
						}
						if got := Contrast(p["brand-edge"], mustColour(ground)); got < visible {
							t.Errorf("%s, %s: an edge in it on %s has a contrast of %.2f", c, name, ground, got)
						}
					}
				}
			}
		}
	}
}

func TestBrand_keeps_its_colour_where_it_can(t *testing.T) {
	p := colours(string(Stylesheet(mustColour("#0b7a4b"))))
	if p["brand"].String() != "#0b7a4b" || p["brand-ink"].String() != "#ffffff" {
		t.Errorf("a green that carries white text became %s with %s", p["brand"], p["brand-ink"])
	}
	p = colours(string(Stylesheet(mustColour("#ffcc00"))))
	if p["brand"].String() != "#ffcc00" || p["brand-ink"].String() != darkInk {
		t.Errorf("a yellow became %s with %s, want dark text on it", p["brand"], p["brand-ink"])
	}
}

func TestColour_is_read_as_people_write_it(t *testing.T) {
	for text, want := range map[string]string{"#1d4ed8": "#1d4ed8", "#ABC": "#aabbcc", "#FFCC00": "#ffcc00"} {
		if c, err := ParseColour(text); err != nil || c.String() != want {
			t.Errorf("%s: %s, %v", text, c, err)
		}
	}
	for _, text := range []string{"", "#", "1d4ed8", "#12", "#1234", "#1d4ed8aa", "red", "#gggggg", "#+12345", "#;}body{"} {
		if c, err := ParseColour(text); err == nil {
			t.Errorf("%q is read as %s", text, c)
		}
	}
}

// The pairs that components draw upon each other.
func TestColours_of_the_design_can_be_read_in_light_and_in_dark(t *testing.T) {
	css, err := os.ReadFile("src/tokens.css")
	if err != nil {
		t.Fatal(err)
	}
	light, rest, found := strings.Cut(string(css), "@variant dark {")
	if !found {
		t.Fatal("tokens.css has no dark colours")
	}
	texts := map[string][]string{
		"foreground": {"background", "card", "muted", "popover", "code", "secondary"}, "muted-foreground": {"background", "card", "muted", "popover", "code"},
		"good": {"good-ground", "card"}, "warn": {"warn-ground", "card"}, "bad": {"bad-ground", "card"}, "info": {"info-ground", "card"}, "neutral": {"neutral-ground", "card"},
		"code-key": {"code", "info-ground", "bad-ground"}, "code-string": {"code"}, "code-word": {"code"},
	}
	for name, part := range map[string]string{"light": light, "dark": rest} {
		p := colours(part)
		for _, ink := range slices.Sorted(maps.Keys(texts)) {
			for _, ground := range texts[ink] {
				if got := Contrast(p[ink], p[ground]); got < readable {
					t.Errorf("%s: %s on %s has a contrast of %.2f", name, ink, ground, got)
				}
			}
		}
		for _, ground := range []string{"card", "background"} {
			if got := Contrast(p["input"], p[ground]); got < visible {
				t.Errorf("%s: the edge of a field on %s has a contrast of %.2f", name, ground, got)
			}
		}
	}
	if mustColour(lightGround) != colours(light)["background"] || mustColour(darkGround) != colours(rest)["card"] {
		t.Error("the grounds that the brand is made for are not those of tokens.css")
	}
}
