package main

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// answered checks the status and that the answer speaks of whom it should.
func answered(what string, want, status int, body []byte, mustHold ...string) error {
	if status != want {
		return fmt.Errorf("%s: status %d, want %d: %.300s", what, status, want, body)
	}
	for _, text := range mustHold {
		if !bytes.Contains(body, []byte(text)) {
			return fmt.Errorf("%s: the answer does not hold %q: %.300s", what, text, body)
		}
	}
	return nil
}

// changed accepts what RFC 7644 §3.5 allows for a PUT or PATCH: the resource,
// or for a PATCH 204 without a body.
func changed(what string, status int, body []byte, mustHold ...string) error {
	if status == 204 && len(body) == 0 {
		return nil
	}
	return answered(what, 200, status, body, mustHold...)
}

func (d *directory) creates(int, int) task {
	var body []byte
	return func(c *conn) (kind, error) {
		p := person{seq: d.nextSeq(), active: true}
		var err error
		p.id, body, err = d.create(c, body[:0], p.seq)
		if err == nil {
			d.add(p)
		}
		return 0, err
	}
}

// create posts one person and returns the id given to them.
func (d *directory) create(c *conn, buf []byte, seq int) (id string, body []byte, err error) {
	body = appendUser(buf, d.tag, "", seq, 0)
	status, doc, err := c.do("POST", d.base+"/Users", body)
	if err != nil {
		return "", body, err
	}
	if err := answered("create", 201, status, doc, userName(d.tag, seq)); err != nil {
		return "", body, err
	}
	id, err = idOf(doc)
	return id, body, err
}

func (d *directory) lookups(int, int) task {
	rnd := dice()
	return func(c *conn) (kind, error) {
		p := &d.people[rnd.IntN(len(d.people))]
		name := userName(d.tag, p.seq)
		status, body, err := c.do("GET", d.base+lookupPath(name), nil)
		if err != nil {
			return 0, err
		}
		return 0, answered("lookup", 200, status, body, name, p.id)
	}
}

func (d *directory) gets(int, int) task {
	rnd := dice()
	return func(c *conn) (kind, error) {
		p := &d.people[rnd.IntN(len(d.people))]
		status, body, err := c.do("GET", d.base+"/Users/"+p.id, nil)
		if err != nil {
			return 0, err
		}
		return 0, answered("get", 200, status, body, userName(d.tag, p.seq), p.id)
	}
}

// own picks people of whom no other worker knows, so that their state here and
// in the server agree.
func (d *directory) own(worker, workers int) func() *person {
	rnd := dice()
	mine := (len(d.people) - worker + workers - 1) / workers
	return func() *person { return &d.people[worker+workers*rnd.IntN(mine)] }
}

func (d *directory) patches(worker, workers int) task {
	pick := d.own(worker, workers)
	var body []byte
	return func(c *conn) (kind, error) {
		p := pick()
		body = appendSetActive(body[:0], !p.active)
		status, doc, err := c.do("PATCH", d.base+"/Users/"+p.id, body)
		if err != nil {
			return 0, err
		}
		if err := changed("patch", status, doc, p.id, fmt.Sprintf(`"active":%t`, !p.active)); err != nil {
			return 0, fixSpacing(err, doc, func(v listedPerson) bool { return v.ID == p.id && v.Active == !p.active })
		}
		p.active = !p.active
		return 0, nil
	}
}

// fixSpacing forgives an answer that says the right thing in JSON with blanks
// in it, as PostgreSQL writes.
func fixSpacing(err error, doc []byte, right func(listedPerson) bool) error {
	var v listedPerson
	if json.Unmarshal(doc, &v) == nil && right(v) {
		return nil
	}
	return err
}

// puts replaces the profile by one that differs in its title each time. A store
// may skip a commit when nothing changes; this one may never be skipped.
func (d *directory) puts(worker, workers int) task {
	pick := d.own(worker, workers)
	var body []byte
	return func(c *conn) (kind, error) {
		p := pick()
		var err error
		body, err = d.put(c, body[:0], p, p.rev+1)
		return 0, err
	}
}

func (d *directory) put(c *conn, buf []byte, p *person, rev int) (body []byte, err error) {
	body = appendUser(buf, d.tag, p.id, p.seq, rev)
	status, doc, err := c.do("PUT", d.base+"/Users/"+p.id, body)
	if err != nil {
		return body, err
	}
	if err := answered("put", 200, status, doc, p.id, userName(d.tag, p.seq), fmt.Sprintf("level %d\"", rev)); err != nil {
		return body, err
	}
	p.rev, p.active = rev, true
	return body, nil
}

// samePuts repeats what a few people already have. The first PUT to each of
// them is a change and not measured.
func (d *directory) samePuts(worker, workers int) task {
	const each = 20
	seen := map[*person]bool{}
	n := 0
	var body []byte
	return func(c *conn) (kind, error) {
		p := &d.people[(worker+workers*(n%each))%len(d.people)]
		n++
		rev, k := p.rev, kind(0)
		if !seen[p] {
			seen[p] = true
			rev, k = p.rev+1, unmeasured
		}
		var err error
		body, err = d.put(c, body[:0], p, rev)
		return k, err
	}
}

const pageSize = 100

// pages asks for full pages near the end of the list, where a full import
// spends its time when paging is done by counting rows off.
func (d *directory) pages(int, int) task {
	rnd := dice()
	total := len(d.people)
	return func(c *conn) (kind, error) {
		start := max(1, total-2*pageSize+1+rnd.IntN(pageSize+1))
		status, body, err := c.do("GET", d.base+pagePath(start, pageSize), nil)
		if err != nil {
			return 0, err
		}
		if status != 200 {
			return 0, answered("list", 200, status, body)
		}
		return 0, checkPage(body, total, min(pageSize, total-start+1))
	}
}
