package scimapi

import (
	"net/http"

	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/scim"
)

func getGroup(c *call) error {
	v, _, err := c.queryView(c.access.Model.Group)
	if err != nil {
		return err
	}
	g, err := c.server.dir.GetGroup(c.ctx, c.access, c.target.id, v.projection.Wants("members"))
	if err != nil {
		return err
	}
	c.did("read", "One group was read.")
	c.healedTo(string(g.ID))
	if unmodified(c.header, g.Version) {
		c.answer = answer{status: http.StatusNotModified, etag: etagOf(g.Version)}
		return nil
	}
	return c.showGroup(http.StatusOK, v, &g)
}

// showGroup makes a group the call's answer.
func (c *call) showGroup(status int, v view, g *directory.Group) error {
	const perMember = 200
	body, err := v.group(make([]byte, 0, len(g.Document)+512+perMember*len(g.Members)), g)
	if err != nil {
		return err
	}
	c.answer = answer{status: status, body: body, etag: etagOf(g.Version), location: c.base + "/Groups/" + string(g.ID)}
	return nil
}

func createGroup(c *call) error {
	v, _, err := c.queryView(c.access.Model.Group)
	if err != nil {
		return err
	}
	doc, members, _, err := c.groupBody()
	if err != nil {
		return err
	}
	if v, err = v.written(doc); err != nil {
		return err
	}
	g, err := c.server.dir.CreateGroup(c.ctx, c.access, doc, members, c.recordGroup(http.StatusCreated, v))
	return c.wroteGroup(http.StatusCreated, v, g, directory.Created, err)
}

// groupBody is the body of a POST or PUT, its members apart.
func (c *call) groupBody() (doc *scim.Object, members []scim.MemberRef, present bool, err error) {
	in, err := c.object()
	if err != nil {
		return nil, nil, false, err
	}
	if doc, err = c.access.Model.Group.Prepare(in, c.access.Mode); err != nil {
		return nil, nil, false, err
	}
	members, present, err = scim.TakeMembers(doc)
	return doc, members, present, err
}

func replaceGroup(c *call) error {
	v, _, err := c.queryView(c.access.Model.Group)
	if err != nil {
		return err
	}
	doc, members, present, err := c.groupBody()
	if err != nil {
		return err
	}
	if v, err = v.written(doc); err != nil {
		return err
	}
	c.effect.membersLeftOut = !present
	replace := []scim.MemberChange{{Kind: scim.MembersReplace, Members: members}}
	change := func(current *scim.Object) (*scim.Object, []scim.MemberChange, error) {
		next := keeping(doc, current, "externalId")
		return next, replace, checkImmutable(c.access.Model.Group, current, next)
	}
	g, changed, err := c.server.dir.UpdateGroup(c.ctx, c.access, c.target.id, c.condition(), change, c.recordGroup(http.StatusOK, v))
	return c.wroteGroup(http.StatusOK, v, g, changed, err)
}

// patchGroup answers 204 unless attributes were asked for: a group may have 100,000 members, and Entra prefers it so.
func patchGroup(c *call) error {
	typ := c.access.Model.Group
	v, asked, err := c.queryView(typ)
	if err != nil {
		return err
	}
	patch, err := c.patch()
	if err != nil {
		return err
	}
	rest, members, err := typ.SplitMembers(patch, c.access.Mode)
	if err != nil {
		return err
	}
	status := http.StatusNoContent
	if asked {
		status = http.StatusOK
	}
	change := func(current *scim.Object) (*scim.Object, []scim.MemberChange, error) {
		next, err := typ.Apply(current, rest, c.access.Mode)
		return next, members, err
	}
	g, changed, err := c.server.dir.UpdateGroup(c.ctx, c.access, c.target.id, c.condition(), change, c.recordGroup(status, v))
	return c.wroteGroup(status, v, g, changed, err)
}

func deleteGroup(c *call) error {
	err := c.server.dir.DeleteGroup(c.ctx, c.access, c.target.id, c.condition(), c.record(func(directory.Outcome) {
		c.answer = answer{status: http.StatusNoContent}
	}))
	c.recorded = err == nil
	return err
}

// recordGroup makes the answer inside the transaction, where it is recorded: without members, which are in the body as they were
// sent and would double the size of the exchange.
func (c *call) recordGroup(status int, v view) directory.Record {
	return c.record(func(o directory.Outcome) {
		if status == http.StatusNoContent {
			c.noContent(o.Group)
			return
		}
		c.mustShow(c.showGroup(status, v.withoutMembers(), o.Group))
	})
}

func (c *call) noContent(g *directory.Group) {
	c.answer = answer{status: http.StatusNoContent, etag: etagOf(g.Version), location: c.base + "/Groups/" + string(g.ID)}
}

// wroteGroup ends a write. The members of the answer are read after it, if they are wanted.
func (c *call) wroteGroup(status int, v view, g directory.Group, change directory.Change, err error) error {
	if err != nil {
		return err
	}
	c.recorded = change != directory.Unchanged
	if !c.recorded {
		c.effect.outcome = directory.Outcome{Change: directory.Unchanged, Group: &g}
		c.healedTo(string(g.ID))
	}
	if status == http.StatusNoContent {
		c.noContent(&g)
		return nil
	}
	if v.noMembers {
		return c.showGroup(status, v, &g)
	}
	read, err := c.server.dir.GetGroup(c.ctx, c.access, string(g.ID), true)
	if err != nil {
		// The write is done, so a failure here must not turn it into a refusal.
		c.logAfterWrite("members", err)
		return c.showGroup(status, v.withoutMembers(), &g)
	}
	return c.showGroup(status, v, &read)
}
