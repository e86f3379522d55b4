package ui

import (
	"context"
	"slices"

	"github.com/rollcallhq/rollcall/internal/web/assets"
)

// homeOf is where the brand leads: the first place of the menu.
func homeOf(s ShellProps) string {
	for _, g := range s.Nav {
		for _, n := range g.Items {
			return n.Href
		}
	}
	return "/"
}

// here is the number of the present step, from 1.
func here(steps []Step) int {
	at := slices.IndexFunc(steps, func(s Step) bool { return s.State == StepCurrent || s.State == StepWrong })
	if at < 0 {
		return len(steps)
	}
	return at + 1
}

// icon is the picture of the window.
func icon(ctx context.Context) string {
	if logo := Of(ctx).Brand.Logo; logo != "" {
		return logo
	}
	return asset(ctx, assets.Icon)
}
