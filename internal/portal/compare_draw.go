package portal

import (
	"context"

	"github.com/a-h/templ"

	"github.com/rollcallhq/rollcall/internal/lifecycle"
	"github.com/rollcallhq/rollcall/internal/web/ui"
)

func comparedStats(ctx context.Context, r lifecycle.Comparison) []ui.StatProps {
	number := ui.Of(ctx).Words.Number
	with := "portal.compare_members"
	if r.Directories > 0 {
		with = "portal.compare_directory"
	}
	return []ui.StatProps{
		{Label: ui.T(ctx, "portal.compare_listed"), Value: number(r.Listed)},
		{Label: ui.T(ctx, with), Value: number(r.Here)},
		{Label: ui.T(ctx, "portal.compare_same"), Value: number(r.Same)},
	}
}

// rest says how many of a kind are not shown.
func rest(ctx context.Context, all, shown int) ui.Pager {
	if all == shown {
		return ui.Pager{}
	}
	return ui.Pager{Summary: ui.N(ctx, "portal.compare_more", all-shown)}
}

func onlyHereTable(ctx context.Context, r lifecycle.Comparison) ui.TableProps {
	t := ui.TableProps{
		ID: "only-here", Caption: ui.N(ctx, "portal.compare_only_here", r.NOnlyHere), Titled: true, Columns: []ui.Column{{Label: ui.T(ctx, "portal.person")}},
		Pager: rest(ctx, r.NOnlyHere, len(r.OnlyHere)),
	}
	for _, p := range r.OnlyHere {
		t.Rows = append(t.Rows, ui.Row{Cells: []templ.Component{ui.Person(p.Name, p.Email, "")}})
	}
	return t
}

func onlyListedTable(ctx context.Context, r lifecycle.Comparison) ui.TableProps {
	t := ui.TableProps{
		ID: "only-listed", Caption: ui.N(ctx, "portal.compare_only_listed", r.NOnlyListed), Titled: true,
		Columns: []ui.Column{{Label: ui.T(ctx, "portal.person")}, {Label: ui.T(ctx, "portal.compare_line"), Number: true}},
		Pager:   rest(ctx, r.NOnlyListed, len(r.OnlyListed)),
	}
	for _, l := range r.OnlyListed {
		t.Rows = append(t.Rows, ui.Row{Cells: []templ.Component{ui.Text(l.Name()), ui.Text(ui.Of(ctx).Words.Number(l.Line))}})
	}
	return t
}

func differentTable(ctx context.Context, r lifecycle.Comparison) ui.TableProps {
	t := ui.TableProps{
		ID: "different", Caption: ui.N(ctx, "portal.compare_different", r.NDifferent), Titled: true, Columns: []ui.Column{
			{Label: ui.T(ctx, "portal.person")},
			{Label: ui.T(ctx, "portal.compare_there")},
			{Label: ui.T(ctx, "portal.compare_here")},
			{Label: ui.T(ctx, "portal.compare_line"), Number: true},
		},
		Pager: rest(ctx, r.NDifferent, len(r.Different)),
	}
	for _, d := range r.Different {
		t.Rows = append(t.Rows, ui.Row{Cells: []templ.Component{
			ui.Text(d.Name()), activeBadge(ctx, !d.Here), activeBadge(ctx, d.Here), ui.Text(ui.Of(ctx).Words.Number(d.Line)),
		}})
	}
	return t
}

func activeBadge(ctx context.Context, in bool) templ.Component {
	if in {
		return ui.Badge(ui.BadgeProps{Label: ui.T(ctx, "portal.compare_active"), Tone: ui.Good})
	}
	return ui.Badge(ui.BadgeProps{Label: ui.T(ctx, "portal.compare_inactive"), Tone: ui.Warn})
}
