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
	attentionMost = 50 // alerts
	talliedHours  = 24
	tallyMost     = 10_000 // of an hour: what is more is drawn as this, so that the page costs the same on a busy day
	tallyKept     = time.Minute
)

// showHome shows what needs attention, and how much goes on.
func showHome(c *call) error {
	concerns, err := c.concerns()
	if err != nil {
		return err
	}
	counted, err := c.s.tallies.get(c.ctx(), c.s)
	if err != nil {
		return err
	}
	page := homeView{Name: c.operator.Called(), Concerns: concerns, Charts: counted.charts(c)}
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
	out := make([]concern, len(found))
	for i, a := range found {
		out[i] = concern{Tone: ui.Warn, Kind: string(a.Kind), What: a.Name, Organization: names[a.Of()], Href: Prefix + a.Place(), Since: a.Since}
		if a.Stage > alert.Wrong {
			out[i].Kind += "_" + strconv.Itoa(a.Stage)
		}
		if a.Bad() {
			out[i].Tone = ui.Bad
		}
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
	if t == ui.Bad {
		return 1
	}
	return 0
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

// tally is how much went on in each of the last hours.
type tally struct {
	at                           time.Time
	hours                        []time.Time // where each begins
	events, sessions, deliveries []int
}

// tallies keeps the last tally for a minute: many look at the home page, and the hours that are over do not change.
type tallies struct {
	mu   sync.Mutex
	last tally
}

func (t *tallies) get(ctx context.Context, s *Server) (tally, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := s.o.Now()
	if age := now.Sub(t.last.at); !t.last.at.IsZero() && age >= 0 && age < tallyKept {
		return t.last, nil
	}
	made, err := s.count(ctx, now)
	if err != nil {
		return tally{}, fmt.Errorf("count what went on: %w", err)
	}
	t.last = made
	return made, nil
}

func (s *Server) count(ctx context.Context, now time.Time) (t tally, err error) {
	first := now.UTC().Truncate(time.Hour).Add(-(talliedHours - 1) * time.Hour)
	edges := make([]time.Time, talliedHours+1)
	for i := range edges {
		edges[i] = first.Add(time.Duration(i) * time.Hour)
	}
	t = tally{at: now, hours: edges[:talliedHours]}
	if t.events, err = s.o.Events.Tally(ctx, edges, tallyMost); err != nil {
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
	}{{"sign_ins", t.sessions}, {"events", t.events}, {"deliveries", t.deliveries}} {
		chart := ui.ChartProps{
			ID: "chart-" + one.name, Kind: ui.Bars, Over: c.words().T("dashboard.chart_hour"), Series: []ui.Series{{Name: c.words().T("dashboard.chart_" + one.name)}},
		}
		sum := 0
		for i, n := range one.counts {
			sum += n
			chart.Labels = append(chart.Labels, t.hours[i].Format("15:04"))
			chart.Series[0].Values = append(chart.Series[0].Values, float64(n))
		}
		chart.Title = c.words().N("dashboard.chart_sum_"+one.name, sum)
		chart.Text = chart.Title
		if sum > 0 {
			out = append(out, chart)
		}
	}
	return out
}
