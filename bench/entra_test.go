package main

import (
	"slices"
	"testing"
	"time"
)

func TestEntra_plan_keeps_the_order_and_whole_people(t *testing.T) {
	p := entraPlan{tenants: 100, rate: 25, length: 10 * time.Second}
	if got := p.perTenant(); got != 248 {
		t.Errorf("requests of a tenant = %d, want 248, the multiple of 4 below 250", got)
	}
	var order []kind
	for n := range 8 {
		order = append(order, p.kindOf(n))
	}
	want := []kind{entraLookup, entraCreate, entraPatch, entraJoin, entraLookup, entraCreate, entraPatch, entraJoin}
	if !slices.Equal(order, want) {
		t.Errorf("order %v, want %v", order, want)
	}
}

func TestEntra_plan_is_even_for_a_tenant_and_over_all(t *testing.T) {
	p := entraPlan{tenants: 100, rate: 25, length: 2 * time.Second}
	if got := p.due(3, 11) - p.due(3, 10); got != 40*time.Millisecond {
		t.Errorf("a tenant sends every %s, want 40ms", got)
	}
	var all []time.Duration
	for tenant := range p.tenants {
		for n := range p.perTenant() {
			all = append(all, p.due(tenant, n))
		}
	}
	slices.Sort(all)
	for i := 1; i < len(all); i++ {
		if gap := all[i] - all[i-1]; gap != 400*time.Microsecond {
			t.Fatalf("requests %d and %d are %s apart, want 400µs", i-1, i, gap)
		}
	}
	if all[0] != 0 || all[len(all)-1] >= p.length {
		t.Errorf("from %s to %s, want within %s", all[0], all[len(all)-1], p.length)
	}
}

func TestEntra_latency_of_a_late_request_counts_from_when_it_was_due(t *testing.T) {
	o := outcome{}
	o.gather([]*worker{
		{latencies: map[kind][]float64{entraLookup: {0.2, 0.001}}},
		{latencies: map[kind][]float64{entraJoin: {0.003}}, errors: 2, firstErr: errNoPerson},
	})
	if o.answered != 3 || o.errors != 2 {
		t.Errorf("answered %d, errors %d; want 3 and 2", o.answered, o.errors)
	}
	if got := o.all(); !slices.Equal(got, []float64{0.001, 0.003, 0.2}) {
		t.Errorf("latencies %v", got)
	}
	if o.failure() == nil {
		t.Error("errors must fail the outcome")
	}
	c := entraCell(sqlite, entraPlan{tenants: 1, rate: 1}, []outcome{{latencies: map[kind][]float64{0: {1}}, answered: 1}}, []outcome{o})
	if c.Failure == "" || c.Now != 200 {
		t.Errorf("cell says %v ms and failure %q; want 200 ms and a failure", c.Now, c.Failure)
	}
}
