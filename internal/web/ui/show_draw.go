package ui

import (
	"cmp"
	"maps"
	"slices"
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

// lines are the lines of the text in pieces, coloured where it is JSON.
func (c CodeProps) lines() [][]piece {
	if c.JSON {
		return colour(c.Text)
	}
	return plain(c.Text)
}
