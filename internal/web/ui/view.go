package ui

import (
	"cmp"
	"context"
	"strings"
	"time"

	"github.com/rollcallhq/rollcall/internal/web/assets"
	"github.com/rollcallhq/rollcall/internal/web/words"
)

// Theme is the look that a browser has chosen.
type Theme string

// The closed list of Theme. ThemeSystem follows the device.
const (
	ThemeSystem Theme = ""
	ThemeLight  Theme = "light"
	ThemeDark   Theme = "dark"
)

// Brand is the operator's: shown instead of ours.
type Brand struct {
	Name string // of the product, like "Acme"; "": Rollcall
	Logo string // address of the picture; "": the mark of Rollcall, or the first letters of Name
}

// View is what components know of the page that they stand on.
type View struct {
	Words  *words.Words
	Assets *assets.Set
	Brand  Brand
	Theme  Theme
	Now    time.Time
	Host   string // the public host, "" if unknown
}

type viewKey struct{}

// With puts the view into ctx. A page is rendered with such a context only: web.Site.Write does it.
func With(ctx context.Context, v *View) context.Context { return context.WithValue(ctx, viewKey{}, v) }

// Of gives the view of the page; nil outside of one.
func Of(ctx context.Context) *View {
	v, _ := ctx.Value(viewKey{}).(*View)
	return v
}

// T is a sentence in the language of the page.
func T(ctx context.Context, key string, pairs ...any) string { return Of(ctx).Words.T(key, pairs...) }

// N is the form of a sentence that goes with n.
func N(ctx context.Context, key string, n int, pairs ...any) string {
	return Of(ctx).Words.N(key, n, pairs...)
}

func brandName(ctx context.Context) string { return cmp.Or(Of(ctx).Brand.Name, "Rollcall") }

func asset(ctx context.Context, name string) string { return Of(ctx).Assets.URL(name) }

// ids joins the ids that are there.
func ids(all ...string) string { return strings.Join(strings.Fields(strings.Join(all, " ")), " ") }

// Link is text that leads somewhere.
type Link struct{ Label, Href string }

// Tone is what a mark or a colour says. The closed list is below.
type Tone string

// The closed list of Tone.
const (
	Neutral Tone = "neutral"
	Info    Tone = "info"
	Good    Tone = "good"
	Warn    Tone = "warn"
	Bad     Tone = "bad"
)

func (t Tone) icon() Icon {
	switch t {
	case Good:
		return IconCheckCircle
	case Warn:
		return IconWarning
	case Bad:
		return IconWrong
	case Info, Neutral:
	}
	return IconInfo
}
