package assets

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Colour is one of sRGB, each part from 0 to 1.
type Colour struct{ R, G, B float64 }

// DefaultColour is the one of an installation that names none.
const DefaultColour = "#1d4ed8"

// The grounds that the operator's colour stands on, as app.css has them.
const (
	lightGround = "#f6f7f9"
	darkGround  = "#161b24"
	darkInk     = "#10151f"
	lightInk    = "#ffffff"
)

// WCAG 2.2: success criteria 1.4.3 (text) and 1.4.11 (what one has to see to use something).
const (
	readable = 4.5
	visible  = 3
)

// ParseColour reads "#rrggbb" or "#rgb".
func ParseColour(text string) (Colour, error) {
	hex := strings.TrimPrefix(text, "#")
	if len(hex) == 3 {
		hex = string([]byte{hex[0], hex[0], hex[1], hex[1], hex[2], hex[2]})
	}
	n, err := strconv.ParseUint(hex, 16, 32)
	if err != nil || len(hex) != 6 || text == hex {
		return Colour{}, fmt.Errorf("%q is no colour like #1d4ed8", text)
	}
	return Colour{float64(n>>16) / 255, float64(n>>8&255) / 255, float64(n&255) / 255}, nil
}

// String writes it as "#rrggbb".
func (c Colour) String() string {
	part := func(v float64) int { return int(math.Round(max(0, min(1, v)) * 255)) }
	return fmt.Sprintf("#%02x%02x%02x", part(c.R), part(c.G), part(c.B))
}

// luminance is the relative one of WCAG 2.2.
func (c Colour) luminance() float64 {
	linear := func(v float64) float64 {
		if v <= 0.04045 {
			return v / 12.92
		}
		return math.Pow((v+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(c.R) + 0.7152*linear(c.G) + 0.0722*linear(c.B)
}

// Contrast is the ratio of WCAG 2.2 between two colours, 1 to 21.
func Contrast(a, b Colour) float64 {
	x, y := a.luminance(), b.luminance()
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

func (c Colour) toward(other Colour, part float64) Colour {
	mix := func(a, b float64) float64 { return a + (b-a)*part }
	return Colour{mix(c.R, other.R), mix(c.G, other.G), mix(c.B, other.B)}
}

// until moves c toward another colour until it stands out enough from the ground.
func (c Colour) until(ground, toward Colour, least float64) Colour {
	for part := 0.0; part <= 1; part += 0.02 {
		// What is written is rounded, so that is what has to be enough.
		if got := c.toward(toward, part); Contrast(mustColour(got.String()), ground) >= least {
			return got
		}
	}
	return toward
}

func mustColour(text string) Colour {
	c, err := ParseColour(text)
	if err != nil {
		return Colour{}
	}
	return c
}

// ink is what can be read on c: white where that suffices, else dark. On a few colours between only black can.
func (c Colour) ink() Colour {
	for _, ink := range []Colour{mustColour(lightInk), mustColour(darkInk)} {
		if Contrast(ink, c) >= readable {
			return ink
		}
	}
	return Colour{}
}

// Stylesheet is Brand for one colour: what is filled with it, what is written on that, and what is written in it, on light and on dark
// ground. Text can be read on it whatever the colour is.
func Stylesheet(c Colour) []byte {
	light, dark := palette(c, mustColour(lightGround), mustColour("#000000")), palette(c, mustColour(darkGround), mustColour("#ffffff"))
	return fmt.Appendf(nil, ":root{%s}\n@media (prefers-color-scheme:dark){:root:not(.light){%s}}\n:root.dark{%s}\n", light, dark, dark)
}

func palette(c, ground, away Colour) string {
	fill := c
	if away.R == 1 { // on dark ground a dark colour would be a hole
		fill = c.until(ground, away, visible)
	}
	ink := fill.ink()
	hover := fill.toward(mustColour("#000000"), 0.12)
	if ink != mustColour(lightInk) { // away from the ink, so that it can be read as well
		hover = fill.toward(mustColour("#ffffff"), 0.18)
	}
	return fmt.Sprintf("--brand:%s;--brand-hover:%s;--brand-ink:%s;--brand-text:%s;--brand-edge:%s",
		fill, hover, ink, c.until(ground, away, readable+0.6), c.until(ground, away, visible))
}
