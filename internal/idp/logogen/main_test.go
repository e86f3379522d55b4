package main

import (
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
)

func TestLogos_are_as_drawn_and_differ(t *testing.T) {
	declared, err := filepath.Glob("../catalog/*/idp.json")
	if err != nil || len(declared) == 0 {
		t.Fatal(declared, err)
	}
	letters := regexp.MustCompile(`>([^<]+)</text>`)
	owner := make(map[string]string)
	for _, name := range declared {
		want, err := drawFor(name)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(filepath.Dir(name), "logo.svg")
		if got, err := os.ReadFile(path); err != nil || string(got) != want {
			t.Errorf("%s is missing or not as drawn (%v); run: go generate ./internal/idp", path, err)
		}
		shown := letters.FindStringSubmatch(want)[1]
		if other := owner[shown]; other != "" {
			t.Errorf("%s and %s both show %q; give one of them letters in its idp.json", other, path, shown)
		}
		owner[shown] = path
	}
}

func TestLetters_come_from_the_name(t *testing.T) {
	for name, want := range map[string]string{
		"Okta": "Ok", "OneLogin": "OL", "Auth0": "A0", "authentik": "Au", "Google Workspace": "GW", "miniOrange": "MO", "IBM Verify": "IV", "X": "X", "…": "", "Éa Öb": "ÉÖ",
	} {
		if got := initials(name); got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
}

// WCAG 2.2, 1.4.3: 4.5:1 for text; 1.4.11: 3:1 for what is no text.
func TestColours_are_legible_on_light_and_dark_pages(t *testing.T) {
	for _, colour := range palette() {
		if got := contrast(t, colour, "#ffffff"); got < 4.5 {
			t.Errorf("white letters on %s: contrast %.2f, want 4.5", colour, got)
		}
		if got := contrast(t, colour, "#101418"); got < 3 {
			t.Errorf("a tile of %s on a dark page: contrast %.2f, want 3", colour, got)
		}
	}
}

func contrast(t *testing.T, a, b string) float64 {
	t.Helper()
	x, y := luminance(t, a), luminance(t, b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

func luminance(t *testing.T, colour string) float64 {
	t.Helper()
	var sum float64
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		value, err := strconv.ParseUint(colour[1+2*i:3+2*i], 16, 8)
		if err != nil {
			t.Fatal(err)
		}
		part := float64(value) / 255
		if part <= 0.04045 {
			sum += weight * part / 12.92
		} else {
			sum += weight * math.Pow((part+0.055)/1.055, 2.4)
		}
	}
	return sum
}
