package e2e_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
)

// The events of one person's life, in the order in which a writer causes them.
const (
	born    = "dsync.user.created"
	joined  = "dsync.group.user_added"
	changed = "dsync.user.updated"
	left    = "dsync.group.user_removed"
	gone    = "dsync.user.deleted"
)

// person is what one writer knows about one person from the answers it got.
type person struct {
	name   string
	id     string   // empty until known
	acked  []string // events whose cause was acknowledged
	unsure []string // events of a request that was never answered: all of them happened, or none
}

// allowed: either the unanswered request happened, with its event, or it did not.
func (x *person) allowed(told []string) bool {
	if slices.Equal(told, x.acked) {
		return true
	}
	return slices.Equal(told, slices.Concat(x.acked, x.unsure))
}

// book is what the writers of one directory were told. All work on one group.
type book struct {
	tenant
	tag   string
	group string

	mu     sync.Mutex
	people []*person
	steps  int // acknowledged
}

func newBook(t *testing.T, p *process, tag string) *book {
	t.Helper()
	b := &book{tenant: newTenant(t, p, tag), tag: tag}
	b.group = text(b.scim(p).must(t, 201, "POST", "/Groups", groupBody("Everybody")), "id")
	return b
}

// admit opens a page for the next person. Names repeat in every directory, so that one who lands in the wrong place meets a namesake.
func (b *book) admit() *person {
	b.mu.Lock()
	defer b.mu.Unlock()
	x := &person{name: fmt.Sprintf("person-%05d", len(b.people))}
	b.people = append(b.people, x)
	return x
}

func (b *book) acknowledged() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.steps
}

// request is one step of a writer and the events it causes, in one transaction.
type request struct {
	method, path, body string
	status             int
	events             []string
}

// step does one thing and writes down what it was told. An error is a broken connection; ok is false after a refusal too.
func (b *book) step(ctx context.Context, t *testing.T, c *client, x *person, r request) (ok bool, err error) {
	x.unsure = r.events
	a, err := c.do(ctx, r.method, r.path, r.body)
	if err != nil {
		return false, err
	}
	if a.status != r.status {
		t.Errorf("%s %s %s: %d, want %d: %s", b.tag, r.method, r.path, a.status, r.status, a.raw)
		return false, nil
	}
	if r.status == http.StatusCreated {
		x.id = idOf(t, a)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	x.acked, x.unsure = append(x.acked, r.events...), nil
	b.steps++
	return true, nil
}

// life of one person: everybody arrives and joins; some leave the group again, some are deactivated, some are deleted.
func (b *book) life(ctx context.Context, t *testing.T, c *client, number int) (bool, error) {
	x := b.admit()
	ok, err := b.step(ctx, t, c, x, request{"POST", "/Users", userBody(x.name, b.tag), http.StatusCreated, []string{born}})
	for _, r := range b.fate(x.id, number) {
		if ok {
			ok, err = b.step(ctx, t, c, x, r)
		}
	}
	return ok, err
}

// fate: who is deactivated while in the group leaves it in the app's eyes, in the same transaction, and stays in it in the
// identity provider's.
func (b *book) fate(id string, number int) []request {
	group, user := "/Groups/"+b.group+"?attributes=id", "/Users/"+id
	all := []request{{"PATCH", group, addMember(id), http.StatusOK, []string{joined}}}
	off := []string{changed, left}
	if number%2 == 0 {
		all = append(all, request{"PATCH", group, removeMember(id), http.StatusOK, []string{left}})
		off = []string{changed}
	}
	if number%3 == 0 {
		all = append(all, request{"PATCH", user, deactivate(), http.StatusOK, off})
	}
	if number%4 == 0 {
		all = append(all, request{"DELETE", user, "", http.StatusNoContent, []string{gone}})
	}
	return all
}

// audit compares what the server has and tells with what was acknowledged.
func (b *book) audit(t *testing.T, p *process, log []happening) {
	t.Helper()
	told := b.told(t, log)
	idp := b.scim(p)
	there := map[string]object{}
	for _, u := range people(t, idp) {
		there[text(u, "id")] = u
		if text(u, "displayName") != b.tag {
			t.Errorf("%s: %s is of another directory: %v", b.tag, text(u, "userName"), u)
		}
	}
	in := members(t, idp, b.group)
	for _, x := range b.people {
		b.person(t, x, told[x.id], there[x.id], in[x.id])
		delete(there, x.id)
		delete(in, x.id)
		x.acked, x.unsure = told[x.id], nil // from here on it is certain
	}
	for _, u := range there {
		t.Errorf("%s: nobody sent %v", b.tag, u)
	}
	for id := range in {
		t.Errorf("%s: nobody added the member %s", b.tag, id)
	}
}

// told gives the events of each person by id, and fills in the ids of those whose creation was never answered.
func (b *book) told(t *testing.T, log []happening) map[string][]string {
	t.Helper()
	byName := map[string]*person{}
	for _, x := range b.people {
		byName[x.name] = x
	}
	told := map[string][]string{}
	for _, e := range log {
		if e.Data.DirectoryID != b.directory {
			continue
		}
		switch e.Event {
		case born:
			x := byName[e.Data.IDPID]
			if x == nil || x.id != "" && x.id != e.Data.ID {
				t.Errorf("%s: an event tells of somebody nobody sent: %+v", b.tag, e)
				continue
			}
			x.id = e.Data.ID
			told[x.id] = append(told[x.id], born)
		case changed, gone:
			told[e.Data.ID] = append(told[e.Data.ID], e.Event)
		case joined, left:
			if e.Data.Group.ID != b.group {
				t.Errorf("%s: an event of another group: %+v", b.tag, e)
			}
			told[e.Data.User.ID] = append(told[e.Data.User.ID], e.Event)
		}
	}
	return told
}

func (b *book) person(t *testing.T, x *person, told []string, is object, memberships int) {
	t.Helper()
	if !x.allowed(told) {
		t.Errorf("%s: the events of %s are %v; acknowledged %v, unanswered %v", b.tag, x.name, told, x.acked, x.unsure)
	}
	happened := func(event string) bool { return slices.Contains(told, event) }
	if wanted := happened(born) && !happened(gone); wanted != (is != nil) {
		t.Errorf("%s: %s is there: %t; the events are %v", b.tag, x.name, is != nil, told)
		return
	}
	if is == nil {
		return
	}
	if active, _ := is["active"].(bool); active == happened(changed) || text(is, "userName") != x.name {
		t.Errorf("%s: %s is %v after %v", b.tag, x.name, is, told)
	}
	removed := happened(left) && (!happened(changed) || slices.Index(told, left) < slices.Index(told, changed))
	wanted := 0
	if happened(joined) && !removed {
		wanted = 1
	}
	if memberships != wanted {
		t.Errorf("%s: %s is %d times in the group, want %d after %v", b.tag, x.name, memberships, wanted, told)
	}
}
