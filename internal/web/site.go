package web

import (
	"bytes"
	"cmp"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/a-h/templ"

	"github.com/rollcallhq/rollcall/internal/web/assets"
	"github.com/rollcallhq/rollcall/internal/web/ui"
	"github.com/rollcallhq/rollcall/internal/web/words"
)

// Brand is the operator's look. The zero value is Rollcall's own.
type Brand struct {
	Name   string
	Logo   *assets.File   // nil: none
	Colour *assets.Colour // nil: assets.DefaultColour
}

// Site is what all pages share: their files, languages and the operator's brand. Safe for use by many goroutines.
type Site struct {
	assets *assets.Set
	words  *words.Catalogue
	brand  ui.Brand
	now    func() time.Time
}

// NewSite reads the files and languages that are part of the program. It fails where they, or the logo, are of a type that is not served.
func NewSite(b Brand, now func() time.Time) (*Site, error) {
	colour, err := assets.ParseColour(assets.DefaultColour)
	if err != nil {
		return nil, err
	}
	if b.Colour != nil {
		colour = *b.Colour
	}
	files := []assets.File{{Name: assets.Brand, Body: assets.Stylesheet(colour)}}
	if b.Logo != nil {
		files = append(files, *b.Logo)
	}
	s := &Site{brand: ui.Brand{Name: b.Name}, now: now}
	if s.assets, err = assets.New(files...); err != nil {
		return nil, err
	}
	if b.Logo != nil {
		s.brand.Logo = s.assets.URL(b.Logo.Name)
	}
	s.words, err = words.Load()
	return s, err
}

// Assets serves what pages fetch, below assets.Prefix.
func (s *Site) Assets() http.Handler { return s.assets }

// Words is the language of the browser.
func (s *Site) Words(r *http.Request) *words.Words {
	return s.words.Choose(r.Header.Get("Accept-Language"))
}

// Answer is a page to write.
type Answer struct {
	Status int // 0: 200
	Body   templ.Component
	Script bool // the page may run scripts, ours alone, and call back to where it came from
	// Isolated cuts the page off from the window that opened it. Pages of a sign-in are not: an app may show them in a window of its own,
	// and waits for it.
	Isolated bool
	Forms    []string // where forms may lead beside ourselves, as sources of a Content-Security-Policy
}

// Write draws a page and sends it with its policy. Nothing is written when it cannot be drawn.
func (s *Site) Write(w http.ResponseWriter, r *http.Request, a Answer) error {
	var out bytes.Buffer
	if err := a.Body.Render(ui.With(r.Context(), s.view(r)), &out); err != nil {
		return fmt.Errorf("draw a page: %w", err)
	}
	a.secure(w.Header())
	WriteBody(w, cmp.Or(a.Status, http.StatusOK), "text/html; charset=utf-8", out.Bytes())
	return nil
}

func (s *Site) view(r *http.Request) *ui.View {
	return &ui.View{Words: s.Words(r), Assets: s.assets, Brand: s.brand, Theme: themeOf(r), Now: s.now(), Host: hostOf(From(r.Context()).Base)}
}

// themeCookie holds what the button of app.js has chosen: the only cookie that a script sets, and the only one that it could read.
const themeCookie = "rollcall-theme"

func themeOf(r *http.Request) ui.Theme {
	c, err := r.Cookie(themeCookie)
	if err != nil {
		return ui.ThemeSystem
	}
	switch t := ui.Theme(c.Value); t {
	case ui.ThemeLight, ui.ThemeDark:
		return t
	case ui.ThemeSystem:
	}
	return ui.ThemeSystem
}

// secure sets what the browser holds the page to (CSP level 3, Fetch, HTML section 7.1). Nothing inline: no style, no script, no handler.
func (a Answer) secure(h http.Header) {
	script, connect := "'none'", "'none'"
	if a.Script {
		script, connect = "'self'", "'self'"
	}
	h.Set("Content-Security-Policy", "default-src 'none'; script-src "+script+"; style-src 'self'; img-src 'self' data:; connect-src "+connect+
		"; form-action "+strings.Join(append([]string{"'self'"}, a.Forms...), " ")+"; frame-ancestors 'none'; base-uri 'none'")
	// With no-referrer a browser says that a form comes from "null" (Fetch standard, section 3.2), which is all that it says of it without
	// TLS: our own forms would look like anybody's. No other origin is told anything by this one either.
	h.Set("Referrer-Policy", "same-origin")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Vary", "Accept-Language, Cookie")
	if a.Isolated {
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
	}
}
