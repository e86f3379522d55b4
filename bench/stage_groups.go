package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"time"
)

const bulk = 500 // members in one PATCH

// groups needs a directory with groupSpare more people than the large group.
func (l *lab) groups(ctx context.Context, p *pair) error {
	var sets []groupSet
	for _, x := range []contestant{{s: p.floor, d: p.floorDir}, {s: p.ours, d: p.oursDir}} {
		set, err := makeGroups(ctx, x.d, l.opt.groupSize, l.opt.wants("member", "grouphead"))
		if err != nil {
			return fmt.Errorf("%s: %w", x.s.name, err)
		}
		sets = append(sets, set)
	}
	if l.opt.wants("member") {
		l.record(ctx, l.bySize(ctx, p, sets, "member", [2]string{"add", "remove"}, groupSet.toggles))
	}
	if l.opt.wants("grouphead") {
		l.record(ctx, l.bySize(ctx, p, sets, "grouphead", [2]string{"get"}, groupSet.heads))
	}
	if l.opt.wants("members500") {
		st := step{conns: 1, length: l.opt.length, most: 100}
		speed := func(o outcome) float64 { return o.serialPerSecond(0) }
		l.record(ctx, l.compareBy(ctx, p, rowOf("members500"), "", st, func(d *directory) func(int, int) task { return d.bulkAdds }, speed))
	}
	return ctx.Err()
}

// groupSet is an empty group and a large one of the same directory.
type groupSet struct {
	d            *directory
	empty, large string
	spare        []person // in neither
}

func makeGroups(ctx context.Context, d *directory, size int, filled bool) (groupSet, error) {
	g := groupSet{d: d, spare: d.people[size:]}
	c := d.dial()
	defer c.close()
	var err error
	if g.empty, err = d.newGroup(c, "Empty "+d.tag); err != nil {
		return g, err
	}
	if g.large, err = d.newGroup(c, "Large "+d.tag); err != nil || !filled {
		return g, err
	}
	deadline := time.Now().Add(fillLimit)
	for from := 0; from < size; from += bulk {
		if ctx.Err() != nil {
			return g, ctx.Err()
		}
		if time.Now().After(deadline) {
			return g, fmt.Errorf("the large group has %d of %d members after %s", from, size, fillLimit)
		}
		if err := d.addMembers(c, g.large, d.people[from:min(from+bulk, size)]...); err != nil {
			return g, err
		}
	}
	return g, nil
}

func (d *directory) newGroup(c *conn, name string) (id string, err error) {
	status, doc, err := c.do("POST", d.base+"/Groups", groupBody(name))
	if err != nil {
		return "", err
	}
	if err := answered("create group", 201, status, doc, name); err != nil {
		return "", err
	}
	return idOf(doc)
}

func (d *directory) addMembers(c *conn, group string, people ...person) error {
	ids := make([]string, len(people))
	for i, p := range people {
		ids[i] = p.id
	}
	return d.patchGroup(c, "add members", group, appendAddMembers(nil, ids...))
}

func (d *directory) patchGroup(c *conn, what, group string, body []byte) error {
	status, doc, err := c.do("PATCH", d.base+"/Groups/"+group, body)
	if err != nil {
		return err
	}
	return changed(what, status, doc, group)
}

// toggles adds a person to a group and removes them again: kinds 0 and 1.
func (g groupSet) toggles(group string) func(int, int) task {
	return func(int, int) task {
		rnd := dice()
		var in *person
		var body []byte
		return func(c *conn) (kind, error) {
			if in == nil {
				p := &g.spare[rnd.IntN(len(g.spare))]
				body = appendAddMembers(body[:0], p.id)
				if err := g.d.patchGroup(c, "add a member", group, body); err != nil {
					return 0, err
				}
				in = p
				return 0, nil
			}
			body = appendRemoveMember(body[:0], in.id)
			in = nil
			return 1, g.d.patchGroup(c, "remove a member", group, body)
		}
	}
}

func (g groupSet) heads(group string) func(int, int) task {
	return func(int, int) task {
		return func(c *conn) (kind, error) {
			status, doc, err := c.do("GET", g.d.base+"/Groups/"+group+"?excludedAttributes=members", nil)
			if err != nil {
				return 0, err
			}
			if bytes.Contains(doc, []byte(`"members"`)) {
				return 0, fmt.Errorf("group without members: the answer has members: %.300s", doc)
			}
			return 0, answered("group without members", 200, status, doc, group)
		}
	}
}

// bySize compares the large group with the empty one on the same server, in the
// same round: ours against ours. The floor's own quotient is in the note. The
// worse kind of request counts.
func (l *lab) bySize(ctx context.Context, p *pair, sets []groupSet, name string, kinds [2]string, makeTask func(groupSet, string) func(int, int) task) cell {
	r := rowOf(name)
	st := step{conns: 1, length: l.opt.length}
	var cs []contestant
	for i, s := range []*side{p.floor, p.ours} {
		for _, group := range []string{sets[i].empty, sets[i].large} {
			x := contestant{s: s, d: sets[i].d, st: st}
			x.st.makeTask = makeTask(sets[i], group)
			cs = append(cs, x)
		}
	}
	suffix := fmt.Sprintf(", %s members", thousands(l.opt.groupSize))
	got, err := l.compete(ctx, cs, quotient{figure: p50, over: 3, under: 2, floor: 0})
	if err != nil {
		return r.failed(p.engine, suffix, err)
	}
	c := r.cell(p.engine, suffix)
	for k, word := range kinds {
		if word == "" {
			continue
		}
		mid := func(o outcome) float64 { return percentile(o.latencies[kind(k)], 0.5) }
		floor := median(ratios(each(got.by[1], mid), each(got.by[0], mid)))
		ours := median(ratios(each(got.by[3], mid), each(got.by[2], mid)))
		c.Now = max(c.Now, ours)
		c.Note += fmt.Sprintf("%s %.2fx (%.2f ms), floor %.2fx (%.2f ms); ", word,
			ours, 1000*median(each(got.by[3], mid)), floor, 1000*median(each(got.by[1], mid)))
	}
	c.Note = c.Note[:len(c.Note)-2]
	c.FloorRPS, c.OursRPS = median(each(got.by[1], throughput)), median(each(got.by[3], throughput))
	c.addCPU(got.by[1], got.by[3])
	c.Spread, c.Repeats, c.Rounds = got.spread, got.repeats, l.opt.rounds
	return c
}

// bulkAdds puts 500 people into a new group each time; making the group is not
// measured. The first group of a worker is read back: all 500 must be there.
func (d *directory) bulkAdds(worker, _ int) task {
	rnd := dice()
	group, n := "", 0
	return func(c *conn) (kind, error) {
		if group == "" {
			var err error
			n++
			group, err = d.newGroup(c, fmt.Sprintf("Bulk %s %d %d", d.tag, worker, time.Now().UnixNano()))
			return unmeasured, err
		}
		from := rnd.IntN(len(d.people) - bulk + 1)
		full := group
		group = ""
		if err := d.addMembers(c, full, d.people[from:from+bulk]...); err != nil || n > 1 {
			return 0, err
		}
		return unmeasured, d.countMembers(c, full, bulk)
	}
}

func (d *directory) countMembers(c *conn, group string, want int) error {
	members, err := d.members(c, group)
	if err == nil && len(members) != want {
		err = fmt.Errorf("group has %d members, want %d", len(members), want)
	}
	return err
}

func (d *directory) members(c *conn, group string) ([]string, error) {
	status, doc, err := c.do("GET", d.base+"/Groups/"+group, nil)
	if err != nil {
		return nil, err
	}
	if err := answered("get group", 200, status, doc, group); err != nil {
		return nil, err
	}
	var v struct {
		Members []struct {
			Value string `json:"value"`
		} `json:"members"`
	}
	if err := json.Unmarshal(doc, &v); err != nil {
		return nil, fmt.Errorf("group is not JSON: %w", err)
	}
	ids := make([]string, len(v.Members))
	for i, m := range v.Members {
		ids[i] = m.Value
	}
	return ids, nil
}
