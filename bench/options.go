package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
)

// options of a run. Sizes are people in a directory or members in a group.
type options struct {
	engines     []engine
	rows        []string
	rounds      int
	repeats     int
	length      time.Duration // of one measured step
	warm        time.Duration // before it
	base        int
	sizes       []int
	groupSize   int
	tenants     int
	tenantRate  int
	entraLength time.Duration
	kills       int
	events      int // in the log when a page is read
	snapshot    int // people in a snapshot
	hooks       int // webhooks waited for one at a time
	hookRate    int // events a second
	hookLength  time.Duration
	logouts     int   // people deactivated one at a time
	signIns     []int // how many have signed in when memory is looked at
	killAfter   time.Duration

	postgresURL    string
	jsonFile       string
	rollcall       string // a binary to measure instead of building one
	rollcallFlags  string
	directoryExtra string
	standIn        bool
}

const groupSpare = 2000 // people outside the large group, to be added to it

func parseOptions(args []string, messages io.Writer) (options, error) {
	var o options
	fs := flag.NewFlagSet("bench", flag.ContinueOnError)
	fs.SetOutput(messages)
	engines := fs.String("engine", "sqlite,postgres", "engines to measure")
	rows := fs.String("rows", "", "rows to measure, all when empty: "+strings.Join(rowNames(), ","))
	full := fs.Bool("full", false, "grow to 1,000,000 users and 100,000 sign-ins as well")
	quick := fs.Bool("quick", false, "small sizes and short steps: shows that everything works, its figures mean little")
	sizes := fs.String("sizes", "", "users in the growth, memory and start rows, ascending (default 1000,100000)")
	fs.IntVar(&o.groupSize, "group", 0, "members of the large group (default 100000)")
	fs.IntVar(&o.events, "events", 0, "events in the log for the events row (default 1000000)")
	fs.IntVar(&o.rounds, "rounds", 3, "rounds, 3 or more unless -quick")
	fs.IntVar(&o.repeats, "repeats", 2, "how often a cell is measured again when the floor spreads more than 30 %")
	fs.DurationVar(&o.length, "length", 0, "length of one measured step (default 1.5s)")
	fs.StringVar(&o.postgresURL, "postgres-url", "", "administrative URL of a PostgreSQL server on the loopback; a private one is started when empty")
	fs.StringVar(&o.jsonFile, "json", "", "also write the results to this file")
	fs.StringVar(&o.rollcall, "rollcall", "", "measure this binary instead of building ./cmd/rollcall")
	fs.StringVar(&o.rollcallFlags, "rollcall-flags", "", "more flags for rollcall serve, separated by blanks")
	fs.StringVar(&o.directoryExtra, "directory", "{}", "JSON members added to the body of POST /directories")
	fs.BoolVar(&o.standIn, "stand-in", false, "measure the floor in Rollcall's place: shows the noise of this machine")
	if err := fs.Parse(args); err != nil {
		return o, err
	}
	if fs.NArg() > 0 {
		return o, fmt.Errorf("unexpected argument %q", fs.Arg(0))
	}
	o.scale(*quick, *full)
	return o, errors.Join(o.takeEngines(*engines), o.takeRows(*rows), o.takeSizes(*sizes), o.check(*quick))
}

// scale sets what -quick and -full decide and no flag has set.
func (o *options) scale(quick, full bool) {
	length, group, events := 1500*time.Millisecond, 100_000, 1_000_000
	o.snapshot, o.hooks, o.hookRate, o.hookLength = 100_000, 100, 500, 20*time.Second
	o.warm, o.base, o.sizes = 400*time.Millisecond, 1000, []int{1000, 100_000}
	o.tenants, o.tenantRate, o.entraLength = 100, 25, 15*time.Second
	o.kills, o.killAfter = 3, 2*time.Second
	o.signIns, o.logouts = []int{1000, 10_000, 20_000}, 200
	if full {
		o.sizes, o.signIns = append(o.sizes, 1_000_000), []int{1000, 10_000, 100_000}
	}
	if quick {
		length, group, events = 300*time.Millisecond, 2000, 100_000
		o.snapshot, o.hooks, o.hookLength = 10_000, 20, 3*time.Second
		o.warm, o.base, o.sizes = 100*time.Millisecond, 400, []int{400, 3000}
		o.signIns, o.logouts = []int{100, 500}, 100
		o.tenants, o.entraLength, o.kills, o.killAfter = 20, 2*time.Second, 1, 700*time.Millisecond
	}
	if o.length == 0 {
		o.length = length
	}
	if o.events == 0 {
		o.events = events
	}
	if o.groupSize == 0 {
		o.groupSize = group
	}
}

func (o *options) takeEngines(list string) error {
	for name := range strings.SplitSeq(list, ",") {
		switch e := engine(strings.TrimSpace(name)); e {
		case sqlite, postgresSQL:
			o.engines = append(o.engines, e)
		default:
			return fmt.Errorf("-engine %q: want sqlite, postgres or both", name)
		}
	}
	return nil
}

func (o *options) takeRows(list string) error {
	if list == "" {
		o.rows = rowNames()
		return nil
	}
	for name := range strings.SplitSeq(list, ",") {
		name = strings.TrimSpace(name)
		if !slices.Contains(rowNames(), name) {
			return fmt.Errorf("-rows %q: want some of %s", name, strings.Join(rowNames(), ","))
		}
		o.rows = append(o.rows, name)
	}
	return nil
}

func (o *options) takeSizes(list string) error {
	if list == "" {
		return nil
	}
	o.sizes = nil
	for text := range strings.SplitSeq(list, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(text))
		if err != nil || n < 2*pageSize || n > 5_000_000 {
			return fmt.Errorf("-sizes %q: want numbers from %d to 5000000", text, 2*pageSize)
		}
		o.sizes = append(o.sizes, n)
	}
	slices.Sort(o.sizes)
	return nil
}

func (o *options) check(quick bool) error {
	switch {
	case o.rounds < 3 && !quick || o.rounds < 1 || o.rounds > 100:
		return fmt.Errorf("-rounds %d: want 3 to 100", o.rounds)
	case o.repeats < 0 || o.repeats > 10:
		return fmt.Errorf("-repeats %d: want 0 to 10", o.repeats)
	case o.length < 50*time.Millisecond || o.length > time.Minute:
		return fmt.Errorf("-length %s: want 50ms to 1m", o.length)
	case o.groupSize < 1000 || o.groupSize > 1_000_000:
		return fmt.Errorf("-group %d: want 1000 to 1000000", o.groupSize)
	}
	return nil
}

func (o *options) wants(rows ...string) bool {
	return slices.ContainsFunc(rows, func(r string) bool { return slices.Contains(o.rows, r) })
}
