package health

import (
	"context"
	"strings"

	"github.com/a-h/templ"

	"github.com/rollcallhq/rollcall/internal/idp"
	"github.com/rollcallhq/rollcall/internal/lifecycle"
	"github.com/rollcallhq/rollcall/internal/web/ui"
)

// Props are a directory's health, and what it is drawn with.
type Props struct {
	Health   lifecycle.SyncHealth
	Provider idp.Provider
	// Group gives the address of a group's page; nil: there are none.
	Group func(id string) string
}

// groupNamed draws the name of a group, with a link to its page where there is one.
func (p Props) groupNamed(id, name string) templ.Component {
	if p.Group == nil {
		return ui.Text(name)
	}
	return ui.Anchor(ui.Link{Label: name, Href: p.Group(id)})
}

// mostShared is the group that most leavers are left in: the one that the fix is told of by name.
func (p Props) mostShared() string { return p.Health.LeftBehind[0].Name }

func (p Props) contact(ctx context.Context) []ui.Pair {
	h, w := p.Health, ui.Of(ctx).Words
	pairs := []ui.Pair{{Key: w.T("health.last_contact"), Value: ui.Time(ui.TimeProps{At: h.LastContact})}}
	if h.Looked > 0 {
		pairs = append(pairs, ui.Pair{Key: w.T("health.refused"), Text: w.N("health.refused_of", h.Looked, "refused", h.Refused)})
	}
	if p.Provider.RoundMinutes == 0 || h.Rounds.Seen == 0 {
		return pairs
	}
	key := "health.rhythm_told"
	if h.Rounds.Measured {
		key = "health.rhythm_seen"
	}
	pairs = append(pairs, ui.Pair{Key: w.T("health.rhythm"), Text: w.T(key, "provider", p.Provider.Name, "minutes", w.Number(int(h.Rounds.Gap.Minutes())))})
	next, now := h.Rounds.Next(), ui.Of(ctx).Now
	if next.After(now) {
		return append(pairs, ui.Pair{Key: w.T("health.next_round"), Text: w.T("health.next_round_at", "at", next.UTC().Format("15:04"))})
	}
	return append(pairs, ui.Pair{Key: w.T("health.next_round"), Text: w.T("health.next_round_over", "at", next.UTC().Format("2 Jan, 15:04"))})
}

func (p Props) notArrived(ctx context.Context) ui.TableProps {
	t := ui.TableProps{
		ID: "not-arrived", Caption: ui.T(ctx, "health.not_arrived"), Columns: []ui.Column{{Label: ui.T(ctx, "health.person")}, {Label: ui.T(ctx, "health.signed_in")}},
	}
	for _, n := range p.Health.NotArrived {
		t.Rows = append(t.Rows, ui.Row{Cells: []templ.Component{ui.Text(n.Name()), ui.Time(ui.TimeProps{At: n.At})}})
	}
	if p.Health.MoreNotArrived {
		t.Pager.Summary = ui.T(ctx, "health.not_arrived_more")
	}
	return t
}

func (p Props) leftBehind(ctx context.Context) ui.TableProps {
	t := ui.TableProps{ID: "left-behind", Caption: ui.T(ctx, "health.left_behind"), Columns: []ui.Column{
		{Label: ui.T(ctx, "health.group")}, {Label: ui.T(ctx, "health.leavers"), Number: true}, {Label: ui.T(ctx, "health.removal")}, {Label: ui.T(ctx, "health.last_left"), Minor: true},
	}}
	for _, g := range p.Health.LeftBehind {
		t.Rows = append(t.Rows, ui.Row{Cells: []templ.Component{
			p.groupNamed(string(g.Group), g.Name), ui.Text(ui.Of(ctx).Words.Number(g.People)), ui.Badge(ui.BadgeProps{Label: ui.T(ctx, "health.derived"), Tone: ui.Info}),
			ui.Time(ui.TimeProps{At: g.Last}),
		}})
	}
	return t
}

func (p Props) stale(ctx context.Context) ui.TableProps {
	t := ui.TableProps{
		ID: "stale", Caption: ui.T(ctx, "health.stale"), Columns: []ui.Column{{Label: ui.T(ctx, "health.group")}, {Label: ui.T(ctx, "health.last_written")}},
	}
	for _, g := range p.Health.Stale {
		t.Rows = append(t.Rows, ui.Row{Cells: []templ.Component{p.groupNamed(string(g.Group), g.Name), ui.Time(ui.TimeProps{At: g.Since})}})
	}
	return t
}

func (p Props) attributes(ctx context.Context) ui.TableProps {
	t := ui.TableProps{ID: "attributes", Caption: ui.T(ctx, "health.attributes"), Columns: []ui.Column{
		{Label: ui.T(ctx, "health.attribute")}, {Label: ui.T(ctx, "health.can")}, {Label: ui.T(ctx, "health.source"), Minor: true}, {Label: ui.T(ctx, "health.arrives")},
	}}
	for _, a := range p.Health.Attributes {
		t.Rows = append(t.Rows, ui.Row{Cells: []templ.Component{
			ui.Text(ui.T(ctx, "health.attribute_"+string(a.Attribute))), ui.Badge(able(ctx, a.Can)), ui.Mono(a.Source), ui.Text(p.arrives(ctx, a)),
		}})
	}
	return t
}

// able is whether a provider can send something.
func able(ctx context.Context, can idp.Ability) ui.BadgeProps {
	b := ui.BadgeProps{Label: ui.T(ctx, "health.can_"+string(can))}
	switch can {
	case idp.AbilityYes:
		b.Tone = ui.Good
	case idp.AbilityNo:
		b.Tone = ui.Warn
	case idp.AbilityUnknown:
		b.Tone = ui.Neutral
	}
	return b
}

// arrives says how many of the newest people have a value. Groups are no attribute of people: they come by themselves.
func (p Props) arrives(ctx context.Context, a lifecycle.ArrivingAttribute) string {
	switch {
	case a.Attribute == idp.AttributeGroups || p.Health.People == 0:
		return strings.TrimSpace(ui.T(ctx, "health.arrives_none"))
	case a.Has == 0:
		return ui.T(ctx, "health.arrives_not")
	}
	return ui.N(ctx, "health.arrives_of", p.Health.People, "has", a.Has)
}
