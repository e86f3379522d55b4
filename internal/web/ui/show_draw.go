package ui

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/a-h/templ"
)

func toneOr(t Tone) Tone                { return cmp.Or(t, Neutral) }
func (b BadgeProps) tone() Tone         { return toneOr(b.Tone) }
func (a AlertProps) tone() Tone         { return cmp.Or(a.Tone, Info) }
func orElse(a, b string) string         { return cmp.Or(a, b) }
func (e EventProps) icon() Icon         { return cmp.Or(e.Icon, toneOr(e.Tone).icon()) }
func (c ConfirmProps) variant() Variant { return cmp.Or(c.Variant, Danger) }

func (a AvatarProps) size() string {
	if a.Large {
		return "lg"
	}
	return "default"
}

// role: what went wrong is said at once, anything else when the reader has finished its sentence.
func (a AlertProps) role() string {
	if a.Tone == Bad || a.Tone == Warn {
		return "alert"
	}
	return "status"
}

func (c CodeProps) marked() []int { return slices.Sorted(maps.Keys(c.Marks)) }

// text draws the lines without a blank between its pieces: what is copied is what was there.
func (c CodeProps) text() templ.Component {
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		var out strings.Builder
		fmt.Fprintf(&out, `<code id="%s">`, templ.EscapeString(c.ID))
		lines := c.lines()
		for i, line := range lines {
			out.WriteString(`<span class="line"`)
			if m, ok := c.Marks[i+1]; ok {
				fmt.Fprintf(&out, ` data-tone="%s"`, templ.EscapeString(string(toneOr(m.Tone))))
			}
			out.WriteByte('>')
			for _, p := range line {
				p.draw(&out)
			}
			if i < len(lines)-1 {
				out.WriteByte('\n')
			}
			out.WriteString("</span>")
		}
		out.WriteString("</code>")
		_, err := io.WriteString(w, out.String())
		return err
	})
}

func (p piece) draw(out *strings.Builder) {
	if p.class == "" {
		out.WriteString(templ.EscapeString(p.text))
		return
	}
	fmt.Fprintf(out, `<span class="%s">%s</span>`, p.class, templ.EscapeString(p.text))
}

// lines are the lines of the text in pieces, coloured where it is JSON.
func (c CodeProps) lines() [][]piece {
	if c.JSON {
		return colour(c.Text)
	}
	return plain(c.Text)
}
