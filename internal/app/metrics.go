package app

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/web"
)

// metrics are this App's own: no global registry, so that two of them in one process do not mix.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
}

func newMetrics(version string, store *db.DB) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "rollcall_http_requests_total", Help: "Requests answered, by route class, method and status.",
		}, []string{"route", "method", "status"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "rollcall_http_request_seconds", Help: "Seconds from a request's first byte to the end of its answer.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10},
		}, []string{"route"}),
	}
	m.registry.MustRegister(
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		m.requests, m.seconds, buildInfo(version, store.Engine()), &storeCollector{store: store},
	)
	return m
}

func buildInfo(version string, engine db.Engine) prometheus.Collector {
	info := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "rollcall_info", Help: "Always 1; the labels say which version runs on which engine.",
		ConstLabels: prometheus.Labels{"version": version, "engine": string(engine)},
	})
	info.Set(1)
	return info
}

// count is a counter that somebody else keeps.
func (m *metrics) count(name, help string, value func() int64) {
	m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help}, func() float64 { return float64(value()) }))
}

// age is a stretch of time that somebody else measures.
func (m *metrics) age(name, help string, value func() time.Duration) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 { return value().Seconds() }))
}

// spans is a histogram of what may last from parts of a second to a day.
func (m *metrics) spans(name, help string) func(seconds float64) {
	h := prometheus.NewHistogram(prometheus.HistogramOpts{Name: name, Help: help, Buckets: []float64{.05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200, 86400}})
	m.registry.MustRegister(h)
	return h.Observe
}

func (m *metrics) observe(o web.Outcome) {
	m.requests.WithLabelValues(o.Route, o.Method, strconv.Itoa(o.Status)).Inc()
	m.seconds.WithLabelValues(o.Route).Observe(o.Took.Seconds())
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// storeCollector reads the database's counters once for each scrape, so that they belong together.
type storeCollector struct{ store *db.DB }

type storeMetric struct {
	name, help string
	kind       prometheus.ValueType
	value      func(db.Stats) int64
}

func storeMetrics() []storeMetric {
	return []storeMetric{
		{"rollcall_db_writes_total", "Writes and transactions that were committed.", prometheus.CounterValue, func(s db.Stats) int64 { return s.Writes }},
		{"rollcall_db_writes_failed_total", "Writes and transactions that were undone.", prometheus.CounterValue, func(s db.Stats) int64 { return s.Failed }},
		{"rollcall_db_guards_lost_total", "Writes undone because something they had read was changed meanwhile.", prometheus.CounterValue, func(s db.Stats) int64 { return s.GuardsLost }},
		{"rollcall_db_commits_total", "Commits; fewer than writes where they share one.", prometheus.CounterValue, func(s db.Stats) int64 { return s.Commits }},
		{"rollcall_db_largest_group", "Most writes that shared one commit (SQLite).", prometheus.GaugeValue, func(s db.Stats) int64 { return s.LargestGroup }},
		{"rollcall_db_regrouped_total", "Groups of writes undone and applied one by one.", prometheus.CounterValue, func(s db.Stats) int64 { return s.Regrouped }},
		{"rollcall_db_retries_total", "Transactions repeated after a serialization failure or deadlock (PostgreSQL).", prometheus.CounterValue, func(s db.Stats) int64 { return s.Retries }},
		{"rollcall_db_unknown_total", "Commits of which nobody can tell whether they happened (PostgreSQL).", prometheus.CounterValue, func(s db.Stats) int64 { return s.Unknown }},
		{"rollcall_db_checkpoints_total", "Checkpoints asked for beside the engine's own (SQLite).", prometheus.CounterValue, func(s db.Stats) int64 { return s.Checkpoints }},
		{"rollcall_db_wal_bytes", "Size of the write-ahead log when last looked at (SQLite).", prometheus.GaugeValue, func(s db.Stats) int64 { return s.WALBytes }},
		{"rollcall_db_queued", "Writes waiting now.", prometheus.GaugeValue, func(s db.Stats) int64 { return s.Queued }},
	}
}

func (c *storeCollector) Describe(out chan<- *prometheus.Desc) {
	for _, m := range storeMetrics() {
		out <- m.desc()
	}
}

func (c *storeCollector) Collect(out chan<- prometheus.Metric) {
	stats := c.store.Stats()
	for _, m := range storeMetrics() {
		out <- prometheus.MustNewConstMetric(m.desc(), m.kind, float64(m.value(stats)))
	}
}

func (m storeMetric) desc() *prometheus.Desc { return prometheus.NewDesc(m.name, m.help, nil, nil) }
