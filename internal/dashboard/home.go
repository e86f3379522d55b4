package dashboard

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/rollcallhq/rollcall/internal/web/ui"
	"github.com/rollcallhq/rollcall/internal/webhook"
)

// What the home page looks at.
const (
	attentionMost  = 10                  // of each kind
	refusedSince   = 24 * time.Hour      // requests of identity providers
	endingWithin   = 30 * 24 * time.Hour // certificates
	talliedHours   = 24
	tallyMost      = 10_000 // of an hour: what is more is drawn as this, so that the page costs the same on a busy day
	tallyKept      = time.Minute
	endpointsShown = 100
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
func (c *call) concerns() (out []concern, err error) {
	now := c.s.o.Now()
	for _, look := range []func(*call, time.Time) ([]concern, error){heldDirectories, failingWebhooks, endingCertificates, refusingDirectories} {
		found, err := look(c, now)
		if err != nil {
			return nil, err
		}
		out = append(out, found...)
	}
	return out, nil
}

// concern is something to look at.
type concern struct {
	Tone  ui.Tone
	Kind  string // part of the keys "dashboard.concern_…" and "dashboard.mend_…"
	What  string
	Href  string
	Since time.Time
}

func failingWebhooks(c *call, _ time.Time) (out []concern, err error) {
	all, _, err := c.s.o.Webhooks.List(c.ctx(), webhook.Page{Limit: endpointsShown})
	if err != nil {
		return nil, err
	}
	for _, e := range all {
		one := concern{What: e.URL, Href: Prefix + "webhooks/" + string(e.ID)}
		switch {
		case len(out) == attentionMost:
			return out, nil
		case !e.FailingSince.IsZero() && e.Status == webhook.Disabled:
			one.Tone, one.Kind, one.Since = ui.Bad, "webhook_disabled", e.DisabledAt
		case !e.FailingSince.IsZero():
			one.Tone, one.Kind, one.Since = ui.Warn, "webhook_failing", e.FailingSince
		default:
			continue
		}
		out = append(out, one)
	}
	return out, nil
}

func endingCertificates(c *call, now time.Time) (out []concern, err error) {
	ending, err := c.s.o.Connections.Ending(c.ctx(), now.Add(endingWithin), attentionMost)
	if err != nil {
		return nil, err
	}
	for _, e := range ending {
		one := concern{Tone: ui.Warn, Kind: "certificate_ending", What: e.Connection.Name, Href: Prefix + "connections/" + string(e.Connection.ID), Since: e.At}
		if !e.At.After(now) {
			one.Tone, one.Kind = ui.Bad, "certificate_ended"
		}
		out = append(out, one)
	}
	return out, nil
}

func refusingDirectories(c *call, now time.Time) (out []concern, err error) {
	found, err := c.s.o.Directories.Refusing(c.ctx(), now.Add(-refusedSince), attentionMost)
	if err != nil {
		return nil, err
	}
	for _, d := range found {
		out = append(out, concern{Tone: ui.Warn, Kind: "directory_refusing", What: d.Name, Href: Prefix + "directories/" + string(d.ID) + "/exchanges"})
	}
	return out, nil
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
