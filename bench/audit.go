package main

import "fmt"

// doubt is a request whose answer never came: the server may or may not have
// done it, and either is right.
type doubt string

const (
	certain         doubt = ""
	doubtCreate     doubt = "create"
	doubtJoin       doubt = "join"
	doubtLeave      doubt = "leave"
	doubtDeactivate doubt = "deactivate"
)

// entry is what one writer knows about one person from the answers it got.
type entry struct {
	name   string
	idpID  string // externalId
	id     string // empty until a create was acknowledged
	active bool
	member bool
	doubt  doubt
}

// readBack is what the server says about one directory after its restart.
type readBack struct {
	people  []listedPerson
	members []string
	events  []event // every dsync.user.created; nil when the server has none
}

// findings are sentences about what is not as it was acknowledged.
type findings struct {
	lost, misplaced, doubled []string
}

func (f *findings) add(other findings) {
	f.lost = append(f.lost, other.lost...)
	f.misplaced = append(f.misplaced, other.misplaced...)
	f.doubled = append(f.doubled, other.doubled...)
}

func (f findings) all() []string {
	return append(append(append([]string{}, f.lost...), f.misplaced...), f.doubled...)
}

// audit compares what was acknowledged with what is there. It settles every
// doubt in the ledger by what it finds, so that the load can go on.
func audit(ledger []*entry, got readBack) findings {
	var f findings
	byName := map[string][]listedPerson{}
	for _, p := range got.people {
		byName[p.UserName] = append(byName[p.UserName], p)
	}
	known := map[string]*entry{}
	for _, e := range ledger {
		f.person(e, byName[e.name])
		delete(byName, e.name)
		if e.id != "" {
			known[e.id] = e
		}
	}
	for name := range byName {
		f.misplaced = append(f.misplaced, "nobody asked this directory for "+name)
	}
	f.membership(ledger, known, got.members)
	if got.events != nil {
		f.created(ledger, got.events)
	}
	for _, e := range ledger {
		e.doubt = certain
	}
	return f
}

func (f *findings) person(e *entry, found []listedPerson) {
	switch {
	case len(found) > 1:
		f.doubled = append(f.doubled, e.name+" is there more than once")
		return
	case len(found) == 0:
		if e.id != "" {
			f.lost = append(f.lost, e.name+" was created and is gone")
		}
		return
	case e.id == "": // a create in doubt that was done after all
		e.id = found[0].ID
	case e.id != found[0].ID:
		f.misplaced = append(f.misplaced, fmt.Sprintf("%s has id %s, was created as %s", e.name, found[0].ID, e.id))
	}
	if found[0].Active != e.active && e.doubt != doubtDeactivate {
		f.lost = append(f.lost, fmt.Sprintf("%s is active=%t, was set to %t", e.name, found[0].Active, e.active))
	}
	e.active = found[0].Active
}

func (f *findings) membership(ledger []*entry, known map[string]*entry, members []string) {
	in := map[string]int{}
	for _, id := range members {
		in[id]++
		if known[id] == nil {
			f.misplaced = append(f.misplaced, "the group has a member nobody added: "+id)
		}
		if in[id] == 2 {
			f.doubled = append(f.doubled, "the group has a member more than once: "+id)
		}
	}
	for _, e := range ledger {
		is := e.id != "" && in[e.id] > 0
		switch {
		case is == e.member || e.doubt == doubtJoin || e.doubt == doubtLeave:
		case e.member:
			f.lost = append(f.lost, e.name+" was added to the group and is not in it")
		default:
			f.lost = append(f.lost, e.name+" was removed from the group and is in it")
		}
		e.member = is
	}
}

// created wants exactly one event for everybody who is there.
func (f *findings) created(ledger []*entry, events []event) {
	byID, byIDP := map[string]*entry{}, map[string]*entry{}
	for _, e := range ledger {
		byIDP[e.idpID] = e
		if e.id != "" {
			byID[e.id] = e
		}
	}
	count := map[*entry]int{}
	for _, ev := range events {
		e := byID[ev.Data.ID]
		if e == nil {
			e = byIDP[ev.Data.IDPID]
		}
		if e == nil {
			f.misplaced = append(f.misplaced, "an event tells of somebody unknown: "+ev.ID)
			continue
		}
		count[e]++
	}
	for _, e := range ledger {
		want := 0
		if e.id != "" {
			want = 1
		}
		switch {
		case count[e] < want:
			f.lost = append(f.lost, "no event tells that "+e.name+" was created")
		case count[e] > want:
			f.doubled = append(f.doubled, fmt.Sprintf("%d events tell that %s was created, want %d", count[e], e.name, want))
		}
	}
}
