package main

import "fmt"

// limit is what a row has to reach. Zero limits only inform.
type limit struct {
	Least  float64 `json:"least"`
	Aim    float64 `json:"aim"`
	Unit   string  `json:"unit"`
	Higher bool    `json:"higher_is_better,omitempty"`
}

func (l limit) met(now, bound float64) bool {
	if l.Higher {
		return now >= bound
	}
	return now <= bound
}

func (l limit) verdict(now float64) string {
	switch {
	case l.Least == 0 && l.Aim == 0 && l.Unit != unitFaults:
		return "-"
	case l.met(now, l.Aim):
		return "aim"
	case l.met(now, l.Least):
		return "ok"
	}
	return "SHORT"
}

func (l limit) show(x float64) string {
	switch l.Unit {
	case unitFaults:
		return fmt.Sprintf("%.0f", x)
	case unitMillis, unitMiB, unitMB, unitKB:
		return fmt.Sprintf("%.3g %s", x, l.Unit)
	case unitRecords:
		return thousands(int(x)) + "/s"
	case unitFloor:
		return fmt.Sprintf("%.2fx floor", x)
	}
	return fmt.Sprintf("%.2fx", x)
}

const (
	unitFloor  = "x floor" // the floor's requests/s divided by ours
	unitTimes  = "x"
	unitMillis = "ms"
	unitMiB    = "MiB"
	unitMB     = "MB"
	unitKB     = "KB"
	unitFaults = "faults"

	unitRecords = "records/s"
)

// row is one line of what Rollcall promises about its speed.
type row struct {
	name  string
	title string
	limit limit
}

var table = []row{
	{"create", "create", limit{Least: 2, Aim: 1.3, Unit: unitFloor}},
	{"lookup", "lookup by userName", limit{Least: 2, Aim: 1.3, Unit: unitFloor}},
	{"get", "get by id", limit{Least: 2, Aim: 1.3, Unit: unitFloor}},
	{"patch", "PATCH active", limit{Least: 2, Aim: 1.3, Unit: unitFloor}},
	{"put", "PUT profile", limit{Least: 2, Aim: 1.3, Unit: unitFloor}},
	{"list", "deep list page of 100, exact total", limit{Least: 1.5, Aim: 1.2, Unit: unitFloor}},
	{"growth", "growth beyond the floor's", limit{Least: 3, Aim: 1.5, Unit: unitTimes}},
	{"member", "one member in a large group against an empty one", limit{Least: 1.5, Aim: 1.1, Unit: unitTimes}},
	{"members500", "PATCH with 500 members", limit{Least: 6, Aim: 3, Unit: unitFloor}},
	{"grouphead", "group without members, large against empty", limit{Least: 1.5, Aim: 1.1, Unit: unitTimes}},
	{"commit", "create at 32 connections over 1, 2 ms per commit", limit{Least: 6, Aim: 12, Unit: unitTimes, Higher: true}},
	{"noop", "identical PUT against a changed one", limit{Least: 1.3, Aim: 2, Unit: unitTimes, Higher: true}},
	{"entra", "p99 in Entra's order, open loop", limit{Least: 200, Aim: 25, Unit: unitMillis}},
	{"memory", "resident memory", limit{Least: 128, Aim: 64, Unit: unitMiB}},
	{"start", "start to first answer", limit{Least: 500, Aim: 100, Unit: unitMillis}},
	{"size", "size of the one file", limit{Least: 60, Aim: 30, Unit: unitMB}},
	{"events", "page of 100 events by cursor", limit{Least: 2, Aim: 1.3, Unit: unitFloor}},
	{"snapshot", "snapshot of the present state", limit{Least: 20_000, Aim: 50_000, Unit: unitRecords, Higher: true}},
	{"snapmem", "memory grown while a snapshot streams", limit{Least: 32, Aim: 8, Unit: unitMiB}},
	{"hook", "event to webhook received, median", limit{Least: 20, Aim: 10, Unit: unitMillis}},
	{"hooktwo", "event to webhook received, two replicas, median", limit{Least: 100, Aim: 20, Unit: unitMillis}},
	{"hookload", "event to webhook received under load, p99", limit{Least: 200, Aim: 50, Unit: unitMillis}},
	{"hookfan", "another organization's webhook beside a fan-out, p99", limit{Least: 200, Aim: 50, Unit: unitMillis}},
	{"hookdead", "webhook beside an endpoint that never answers, p99", limit{Least: 200, Aim: 50, Unit: unitMillis}},
	{"signins", "resident memory", limit{Least: 128, Aim: 64, Unit: unitMiB}},
	{"logout", "deactivation to back-channel logout received, median", limit{Least: 100, Aim: 20, Unit: unitMillis}},
	{"reapply", "a mapping applied anew against the load", limit{Least: 0.5, Aim: 1, Unit: unitTimes, Higher: true}},
	{"reapplyp99", "p99 of SCIM while a mapping is applied anew against before", limit{Least: 2, Aim: 1.3, Unit: unitTimes}},
	{"pages", "slowest page on the server, median", limit{Least: 50, Aim: 20, Unit: unitMillis}},
	{"pageload", "heaviest page with all that it loads", limit{Least: 150, Aim: 100, Unit: unitKB}},
	{"stream", "request of a provider to the open page of exchanges, longest", limit{Least: 1000, Aim: 700, Unit: unitMillis}},
	{"kill", "two directories, 32 writers on one group, kill -9: misplaced or lost", limit{Unit: unitFaults}},
}

// memoryAtMillion is the limit of the memory row above 100,000 users.
var memoryAtMillion = limit{Least: 256, Aim: 96, Unit: unitMiB}

func rowNames() []string {
	names := make([]string, len(table))
	for i, r := range table {
		names[i] = r.name
	}
	return names
}

func rowOf(name string) row {
	for _, r := range table {
		if r.name == name {
			return r
		}
	}
	panic("no row is called " + name)
}

// cell is one measured line. A figure that was not or could not be measured is 0.
type cell struct {
	Engine   engine  `json:"engine"`
	Row      string  `json:"row"`
	Measured string  `json:"measured"`
	Limit    limit   `json:"limit"`
	Now      float64 `json:"now"`
	FloorRPS float64 `json:"floor_rps,omitempty"`
	OursRPS  float64 `json:"ours_rps,omitempty"`
	FloorCPU float64 `json:"floor_cpu_us,omitempty"`
	OursCPU  float64 `json:"ours_cpu_us,omitempty"`
	CPURatio float64 `json:"cpu_ratio,omitempty"`
	Spread   float64 `json:"floor_spread,omitempty"`
	Rounds   int     `json:"rounds,omitempty"`
	Repeats  int     `json:"repeats,omitempty"`
	Note     string  `json:"note,omitempty"`
	Failure  string  `json:"failure,omitempty"`
	Verdict  string  `json:"verdict"`
}

const noisy = 0.30 // a floor that spreads more says little

func (c cell) judged() cell {
	switch {
	case c.Failure != "":
		c.Verdict = "FAIL"
	default:
		c.Verdict = c.Limit.verdict(c.Now)
		if c.Spread > noisy {
			c.Verdict += ", noisy"
		}
	}
	return c
}

func (r row) cell(e engine, suffix string) cell {
	return cell{Engine: e, Row: r.name, Measured: r.title + suffix, Limit: r.limit}
}

func (r row) failed(e engine, suffix string, err error) cell {
	c := r.cell(e, suffix)
	c.Failure = err.Error()
	return c
}
