package main

import (
	"math"
	"testing"
)

func TestMedian_is_the_middle_and_leaves_its_input_alone(t *testing.T) {
	xs := []float64{9, 1, 5}
	if got := median(xs); got != 5 {
		t.Errorf("median of three = %v, want 5", got)
	}
	if xs[0] != 9 {
		t.Error("median sorted its caller's values")
	}
	if got := median([]float64{4, 1, 3, 2}); got != 2.5 {
		t.Errorf("median of four = %v, want 2.5", got)
	}
	if !math.IsNaN(median(nil)) {
		t.Error("median of nothing must not be a number")
	}
}

func TestPercentile_is_the_nearest_rank(t *testing.T) {
	var xs []float64
	for i := range 100 {
		xs = append(xs, float64(i+1))
	}
	for p, want := range map[float64]float64{0: 1, 0.5: 50, 0.99: 99, 1: 100} {
		if got := percentile(xs, p); got != want {
			t.Errorf("percentile %v = %v, want %v", p, got, want)
		}
	}
	if got := percentile([]float64{7}, 0.99); got != 7 {
		t.Errorf("percentile of one value = %v, want 7", got)
	}
	if !math.IsNaN(percentile(nil, 0.5)) {
		t.Error("percentile of nothing must not be a number")
	}
}

func TestRatios_pair_the_values_of_one_round(t *testing.T) {
	got := ratios([]float64{10, 30, 5}, []float64{5, 10, 0})
	if got[0] != 2 || got[1] != 3 || !math.IsNaN(got[2]) {
		t.Errorf("ratios = %v, want [2 3 NaN]", got)
	}
	if rest := known(got); len(rest) != 2 {
		t.Errorf("known = %v, want two values", rest)
	}
}

func TestSpread_is_the_range_over_the_median(t *testing.T) {
	if got := spread([]float64{90, 100, 120}); math.Abs(got-0.3) > 1e-12 {
		t.Errorf("spread = %v, want 0.3", got)
	}
}

func TestVerdict_knows_which_direction_is_better(t *testing.T) {
	lower := limit{Least: 2, Aim: 1.3, Unit: unitFloor}
	higher := limit{Least: 6, Aim: 12, Unit: unitTimes, Higher: true}
	faults := limit{Unit: unitFaults}
	for _, tc := range []struct {
		l    limit
		now  float64
		want string
	}{
		{lower, 1.3, "aim"},
		{lower, 1.31, "ok"},
		{lower, 2.01, "SHORT"},
		{higher, 12, "aim"},
		{higher, 7, "ok"},
		{higher, 5.9, "SHORT"},
		{faults, 0, "aim"},
		{faults, 1, "SHORT"},
		{limit{}, 3, "-"},
	} {
		if got := tc.l.verdict(tc.now); got != tc.want {
			t.Errorf("%+v at %v: %q, want %q", tc.l, tc.now, got, tc.want)
		}
	}
}

func TestVerdict_of_a_failed_cell_is_failure_whatever_its_figure(t *testing.T) {
	c := cell{Limit: limit{Least: 2, Aim: 1.3, Unit: unitFloor}, Now: 1, Failure: "wrong answer"}
	if got := c.judged().Verdict; got != "FAIL" {
		t.Errorf("verdict = %q, want FAIL", got)
	}
	c = cell{Limit: limit{Least: 2, Aim: 1.3, Unit: unitFloor}, Now: 1, Spread: 0.31}
	if got := c.judged().Verdict; got != "aim, noisy" {
		t.Errorf("verdict = %q, want it marked as noisy", got)
	}
}

func TestGrowth_is_what_the_floor_did_not_grow(t *testing.T) {
	at := func(floor, ours float64) contest {
		one := func(ms float64) []outcome {
			return []outcome{{latencies: map[kind][]float64{0: {ms / 1000}}, answered: 1, elapsed: 1}}
		}
		return contest{by: [][]outcome{one(floor), one(ours)}}
	}
	c := growthCell(sqlite, "", at(1, 2), at(2, 6), 1)
	if math.Abs(c.Now-1.5) > 1e-9 {
		t.Errorf("floor 1 to 2 ms, ours 2 to 6 ms: growth %v, want 1.5", c.Now)
	}
	if c := growthCell(sqlite, "", contest{}, at(1, 1), 1); c.Failure == "" {
		t.Error("growth without a smallest size must fail")
	}
}
