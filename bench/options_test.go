package main

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"testing"
)

func TestOptions_default_to_every_row_on_both_engines(t *testing.T) {
	o, err := parseOptions(nil, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if len(o.rows) != len(table) || !slices.Equal(o.engines, []engine{sqlite, postgresSQL}) || o.rounds != 3 || !slices.Equal(o.sizes, []int{1000, 100_000}) {
		t.Errorf("got %+v", o)
	}
	if o, err = parseOptions([]string{"-full"}, io.Discard); err != nil || o.sizes[len(o.sizes)-1] != 1_000_000 {
		t.Errorf("-full: sizes %v, %v", o.sizes, err)
	}
}

func TestOptions_refuse_what_they_cannot_do_and_name_it(t *testing.T) {
	for arg, want := range map[string]string{
		"-rows=speed": "speed", "-engine=oracle": "oracle", "-rounds=2": "3 to 100", "-sizes=10": "10", "-length=1ns": "50ms", "-group=5": "1000", "more": "more",
	} {
		if _, err := parseOptions([]string{arg}, io.Discard); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want an error that names %q", arg, err, want)
		}
	}
}

func TestHalts_go_up_and_leave_people_outside_the_large_group(t *testing.T) {
	o, err := parseOptions([]string{"-full"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	var sizes []int
	for _, h := range halts(&o, sqlite) {
		sizes = append(sizes, h.size)
		if h.groups && h.size != o.groupSize+groupSpare {
			t.Errorf("groups are measured at %d people", h.size)
		}
	}
	if !slices.Equal(sizes, []int{1000, 100_000, 102_000, 1_000_000}) {
		t.Errorf("halts at %v", sizes)
	}
	for _, h := range halts(&o, postgresSQL) {
		if h.memory {
			t.Error("memory is a row of SQLite")
		}
	}
}

func TestTable_holds_a_failed_cell_without_a_figure(t *testing.T) {
	var out bytes.Buffer
	err := writeTable(&out, []cell{
		{Engine: sqlite, Measured: "create", Limit: limit{Least: 2, Aim: 1.3, Unit: unitFloor}, Now: 1.5, FloorRPS: 9000.4, OursRPS: 6000, CPURatio: 1.2, Spread: 0.1, Verdict: "ok"},
		rowOf("get").failed(sqlite, "", io.ErrUnexpectedEOF).judged(),
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"| sqlite | create | 2.00x floor | 1.30x floor | **1.50x floor** | 9000 | 6000 | 1.20 | 10 % | ok |",
		"| **-** |", "| FAIL |", "FAILED: unexpected EOF",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the table lacks %q:\n%s", want, out.String())
		}
	}
}

func TestThousands_are_set_apart(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 100_000: "100,000", 1_000_000: "1,000,000", 1_002_003: "1,002,003"} {
		if got := thousands(n); got != want {
			t.Errorf("%d = %q, want %q", n, got, want)
		}
	}
}
