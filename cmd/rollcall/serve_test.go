package main

import (
	"runtime/debug"
	"testing"

	"github.com/rollcallhq/rollcall/internal/db/dbtest"
)

// Benchmarks would tell of another program than the server if it collected its memory otherwise.
func TestBenchmarks_collect_memory_as_the_server_does(t *testing.T) {
	was := debug.SetGCPercent(100)
	t.Cleanup(func() { debug.SetGCPercent(was) })
	trade(nil)
	if set := debug.SetGCPercent(was); set != dbtest.CollectAt {
		t.Errorf("the server sets %d, benchmarks %d", set, dbtest.CollectAt)
	}
	debug.SetGCPercent(50)
	trade([]string{"GOGC=50"})
	if set := debug.SetGCPercent(was); set != 50 {
		t.Errorf("what the person set became %d", set)
	}
}
