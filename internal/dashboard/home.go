package dashboard

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/rollcallhq/rollcall/internal/alert"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/web/ui"
)

// What the home page looks at.
const (
	attentionMost = 50 // alerts, and wishes of customers
	talliedHours  = 24
	tallyMost     = 10_000 // of an hour: what is more is drawn as this, so that the page costs the same on a busy day
	tallyKept     = time.Minute
	talliedDays   = 30
)

// showHome shows what needs attention, and how much goes on.
func showHome(c *call) error {
	list, err := attentionTable(c)
	if err != nil {
		return err
	}
	attention := ui.TableProps{Caption: c.words().T("dashboard.attention")}
	if _, err := list.fill(c, &attention); err != nil {
		return err
	}
	query, err := c.query()
	if err != nil {
		return err
	}
	over := overDay
	if query.Get("over") == string(overMonth) {
		over = overMonth
	}
	counted, err := c.s.tallies.get(c.ctx(), c.s, over)
	if err != nil {
		return err
	}
	page := homeView{Name: c.operator.Called(), Attention: attention, OfAttention: []action{list.exportSmall(c)}, Charts: counted.charts(c), Over: over.tabs(c)}
	return c.show(frame{Title: c.words().T("dashboard.home_title")}, page.view())
}

// concerns are what somebody should look at, the worst first.
func (c *call) concerns() ([]concern, error) {
	found, err := c.s.o.Alerts.Open(c.ctx(), attentionMost)
	if err != nil {
		return nil, err
	}
	names, err := c.organizationNames(found)
	if err != nil {
		return nil, err
	}
	out := make([]concern, 0, len(found))
	for _, a := range found {
		one := concern{Tone: ui.Warn, Kind: string(a.Kind), What: a.Name, Organization: names[a.Of()], Href: Prefix + a.Place(), Since: a.Since}
		if a.Stage > alert.Wrong {
			one.Kind += "_" + strconv.Itoa(a.Stage)
		}
		if a.Bad() {
			one.Tone = ui.Bad
		}
		out = append(out, one)
	}
	for _, look := range []func(*call) ([]concern, error){heldDirectories, askedDomains} {
		more, err := look(c)
		if err != nil {
			return nil, err
		}
		out = append(out, more...)
	}
	slices.SortStableFunc(out, func(a, b concern) int { return worth(b.Tone) - worth(a.Tone) })
	return out, nil
}

// organizationNames are those of whom alerts are of. One that was deleted just now has none.
func (c *call) organizationNames(all []alert.Alert) (map[org.ID]string, error) {
	out := map[org.ID]string{}
	for _, a := range all {
		if _, known := out[a.Of()]; known || a.Of() == "" {
			continue
		}
		o, err := c.s.o.Organizations.Get(c.ctx(), a.Of())
		if f, ok := fault.As(err); ok && f.Kind == fault.NotFound {
			continue
		}
		if err != nil {
			return nil, err
		}
		out[a.Of()] = o.Name
	}
	return out, nil
}

func worth(t ui.Tone) int {
	switch t {
	case ui.Bad:
		return 2 //nolint:mnd // an order
	case ui.Warn:
		return 1
	default:
		return 0
	}
}

// concern is something to look at.
type concern struct {
	Tone         ui.Tone
	Kind         string // part of the keys "alerts.…" and "alerts.mend_…"
	What         string
	Organization string // "" for the installation's
	Href         string
	Since        time.Time
}

// span is how far back the charts go.
type span string

const (
	overDay   span = "day"   // by the hour
	overMonth span = "month" // by the day
)

// edges are where each of the parts begins, and the end of the last one.
func (s span) edges(now time.Time) []time.Time {
	first, part, parts := now.UTC().Truncate(time.Hour).Add(-(talliedHours-1)*time.Hour), time.Hour, talliedHours
	if s == overMonth {
		first, part, parts = now.UTC().Truncate(24*time.Hour).Add(-(talliedDays-1)*24*time.Hour), 24*time.Hour, talliedDays //nolint:mnd // hours of a day
	}
	out := make([]time.Time, parts+1)
	for i := range out {
		out[i] = first.Add(time.Duration(i) * part)
	}
	return out
}

// label is how a part is called below the chart.
func (s span) label(at time.Time) string {
	if s == overMonth {
		return at.Format("2 Jan")
	}
	return at.Format("15:04")
}

func (s span) tabs(c *call) (out []ui.Tab) {
	for _, one := range []span{overDay, overMonth} {
		out = append(out, ui.Tab{Label: c.words().T("dashboard.over_" + string(one)), Href: Prefix + "?over=" + string(one), Current: one == s})
	}
	return out
}

// tally is how much went on in each of the last hours or days.
type tally struct {
	at     time.Time
	over   span
	begins []time.Time // of each part

	syncs, events, sessions, deliveries []int
}

// tallies keeps the last tallies for a minute: many look at the home page, and what is over does not change.
type tallies struct {
	mu   sync.Mutex
	last map[span]tally
}

func (t *tallies) get(ctx context.Context, s *Server, over span) (tally, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now, last := s.o.Now(), t.last[over]
	if age := now.Sub(last.at); !last.at.IsZero() && age >= 0 && age < tallyKept {
		return last, nil
	}
	made, err := s.count(ctx, now, over)
	if err != nil {
		return tally{}, fmt.Errorf("count what went on: %w", err)
	}
	if t.last == nil {
		t.last = map[span]tally{}
	}
	t.last[over] = made
	return made, nil
}

func (s *Server) count(ctx context.Context, now time.Time, over span) (t tally, err error) {
	edges := over.edges(now)
	t = tally{at: now, over: over, begins: edges[:len(edges)-1]}
	if t.events, t.syncs, err = s.o.Events.Tally(ctx, edges, tallyMost); err != nil {
		return t, err
	}
	if s.o.Sessions != nil {
		if t.sessions, err = s.o.Sessions.Tally(ctx, edges, tallyMost); err != nil {
			return t, err
		}
	}
	t.deliveries, err = s.o.Webhooks.Tally(ctx, edges, tallyMost)
	return t, err
}

// charts are those that have something to show.
func (t tally) charts(c *call) (out []ui.ChartProps) {
	for _, one := range []struct {
		name   string
		counts []int
	}{{"syncs", t.syncs}, {"sign_ins", t.sessions}, {"events", t.events}, {"deliveries", t.deliveries}} {
		chart := ui.ChartProps{
			ID: "chart-" + one.name, Kind: ui.Bars, Over: c.words().T("dashboard.chart_" + string(t.over)), Series: []ui.Series{{Name: c.words().T("dashboard.chart_" + one.name)}},
		}
		sum := 0
		for i, n := range one.counts {
			sum += n
			chart.Labels = append(chart.Labels, t.over.label(t.begins[i]))
			chart.Series[0].Values = append(chart.Series[0].Values, float64(n))
		}
		chart.Title = c.words().N("dashboard.chart_"+string(t.over)+"_"+one.name, sum)
		chart.Text = chart.Title
		if sum > 0 {
			out = append(out, chart)
		}
	}
	return out
}
