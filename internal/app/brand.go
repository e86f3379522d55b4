package app

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/rollcallhq/rollcall/internal/web"
	"github.com/rollcallhq/rollcall/internal/web/assets"
)

const (
	longestBrandName = 60        // characters: it stands in the corner of a page of 360 pixels
	largestLogo      = 512 << 10 // bytes: every person who signs in fetches it
)

// brand reads the operator's look: what is wrong with the picture is found now, and not by the people who sign in.
func (l *loader) brand(name, logo, colour Text) web.Brand {
	b := web.Brand{Name: strings.TrimSpace(l.text(name))}
	if utf8.RuneCountInString(b.Name) > longestBrandName {
		l.fault(name, "is longer than %d characters", longestBrandName)
	}
	if text := l.text(colour); text != "" {
		c, err := assets.ParseColour(text)
		if err != nil {
			l.fault(colour, "is no colour; write it like #1d4ed8")
		}
		b.Colour = &c
	}
	b.Logo = l.logo(logo)
	return b
}

func (l *loader) logo(t Text) *assets.File {
	path := l.text(t)
	if path == "" {
		return nil
	}
	ext := strings.ToLower(filepath.Ext(path))
	if ext == ".jpeg" {
		ext = ".jpg"
	}
	if !slices.Contains([]string{".svg", ".png", ".webp", ".jpg"}, ext) {
		l.fault(t, "names no picture of a kind that browsers are given; use SVG, PNG, WebP or JPEG")
		return nil
	}
	body, err := os.ReadFile(path)
	switch {
	case err != nil:
		l.fault(t, "names a file that cannot be read: %v", reason(err))
		return nil
	case len(body) == 0 || len(body) > largestLogo:
		l.fault(t, "names a file of %d bytes; a logo has 1 to %d", len(body), largestLogo)
		return nil
	}
	return &assets.File{Name: "logo" + ext, Body: body}
}
