package main

import (
	"strings"
	"testing"
)

// world is a ledger and a read-back that agree.
func world() ([]*entry, readBack) {
	ledger := []*entry{
		{name: "ann", idpID: "e1", id: "1", active: true, member: true},
		{name: "bob", idpID: "e2", id: "2", active: false},
		{name: "cy", idpID: "e3", active: true, doubt: doubtCreate},
	}
	got := readBack{
		people:  []listedPerson{{"1", "ann", true}, {"2", "bob", false}},
		members: []string{"1"},
		events:  []event{created("1", "e1"), created("2", "e2")},
	}
	return ledger, got
}

func created(id, idpID string) event {
	e := event{ID: "event_" + id}
	e.Data.ID, e.Data.IDPID = id, idpID
	return e
}

func TestAudit_finds_nothing_where_all_is_well(t *testing.T) {
	ledger, got := world()
	if f := audit(ledger, got); len(f.all()) != 0 {
		t.Errorf("found %q", f.all())
	}
	got.events = nil
	if f := audit(ledger, got); len(f.all()) != 0 {
		t.Errorf("without events found %q", f.all())
	}
}

func TestAudit_names_what_was_lost_misplaced_or_doubled(t *testing.T) {
	for name, tc := range map[string]struct {
		spoil func([]*entry, *readBack)
		want  string
	}{
		"person gone":                         {func(_ []*entry, g *readBack) { g.people = g.people[1:] }, "ann was created and is gone"},
		"person twice":                        {func(_ []*entry, g *readBack) { g.people = append(g.people, g.people[0]) }, "ann is there more than once"},
		"another id":                          {func(_ []*entry, g *readBack) { g.people[1].ID = "9" }, "bob has id 9"},
		"stranger":                            {func(_ []*entry, g *readBack) { g.people = append(g.people, listedPerson{"5", "eve", true}) }, "nobody asked this directory for eve"},
		"patch gone":                          {func(_ []*entry, g *readBack) { g.people[1].Active = true }, "bob is active=true"},
		"member gone":                         {func(_ []*entry, g *readBack) { g.members = nil }, "ann was added to the group and is not in it"},
		"member came back":                    {func(_ []*entry, g *readBack) { g.members = append(g.members, "2") }, "bob was removed from the group and is in it"},
		"member twice":                        {func(_ []*entry, g *readBack) { g.members = append(g.members, "1") }, "member more than once: 1"},
		"strange member":                      {func(_ []*entry, g *readBack) { g.members = append(g.members, "77") }, "member nobody added: 77"},
		"no event":                            {func(_ []*entry, g *readBack) { g.events = g.events[1:] }, "no event tells that ann"},
		"no event at all":                     {func(_ []*entry, g *readBack) { g.events = []event{} }, "no event tells that bob"},
		"event twice":                         {func(_ []*entry, g *readBack) { g.events = append(g.events, g.events[0]) }, "2 events tell that ann"},
		"strange event":                       {func(_ []*entry, g *readBack) { g.events = append(g.events, created("8", "e8")) }, "somebody unknown: event_8"},
		"event of a person who never arrived": {func(_ []*entry, g *readBack) { g.events = append(g.events, created("3", "e3")) }, "1 events tell that cy was created, want 0"},
	} {
		t.Run(name, func(t *testing.T) {
			ledger, got := world()
			tc.spoil(ledger, &got)
			found := strings.Join(audit(ledger, got).all(), "\n")
			if !strings.Contains(found, tc.want) {
				t.Errorf("found %q, want it to say %q", found, tc.want)
			}
		})
	}
}

func TestAudit_lets_what_was_in_doubt_be_either_way_and_settles_it(t *testing.T) {
	ledger, got := world()
	got.people = append(got.people, listedPerson{"3", "cy", true})
	got.events = append(got.events, created("3", "e3"))
	ledger[0].doubt, ledger[1].doubt = doubtLeave, doubtDeactivate
	got.members, got.people[1].Active = nil, true
	if f := audit(ledger, got); len(f.all()) != 0 {
		t.Fatalf("found %q", f.all())
	}
	if ledger[2].id != "3" || ledger[0].member || !ledger[1].active {
		t.Errorf("the ledger was not settled: %+v %+v %+v", ledger[0], ledger[1], ledger[2])
	}
	if f := audit(ledger, got); len(f.all()) != 0 {
		t.Errorf("after settling found %q", f.all())
	}
	got.people = got.people[:2]
	if f := audit(ledger, got); len(f.lost) == 0 {
		t.Error("a person seen before was lost and nobody noticed")
	}
}
