package scimapi

import (
	"net/http"
	"slices"
	"strings"

	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/scim"
)

func getUser(c *call) error {
	v, _, err := c.queryView(c.access.Model.User)
	if err != nil {
		return err
	}
	u, err := c.server.dir.GetUser(c.ctx, c.access, c.target.id, v.projection.Wants("groups"))
	if err != nil {
		return err
	}
	c.did("read", "One person was read.")
	c.healedTo(string(u.ID))
	if unmodified(c.header, u.Version) {
		c.answer = answer{status: http.StatusNotModified, etag: etagOf(u.Version)}
		return nil
	}
	return c.showUser(http.StatusOK, v, &u)
}

// showUser makes a user the call's answer.
func (c *call) showUser(status int, v view, u *directory.User) error {
	body, err := v.user(make([]byte, 0, len(u.Document)+512), u)
	if err != nil {
		return err
	}
	c.answer = answer{status: status, body: body, etag: etagOf(u.Version), location: c.base + "/Users/" + string(u.ID)}
	return nil
}

// userBody is the body of a POST or PUT.
func (c *call) userBody() (*scim.Object, error) {
	in, err := c.object()
	if err != nil {
		return nil, err
	}
	return c.access.Model.User.Prepare(in, c.access.Mode)
}

// patch is the body of a PATCH.
func (c *call) patch() (scim.Patch, error) {
	in, err := c.object()
	if err != nil {
		return scim.Patch{}, err
	}
	return scim.ParsePatch(in, scim.DefaultFilterLimits, c.access.Mode)
}

func createUser(c *call) error {
	v, _, err := c.queryView(c.access.Model.User)
	if err != nil {
		return err
	}
	doc, err := c.userBody()
	if err != nil {
		return err
	}
	doc = withActive(doc)
	if v, err = v.written(doc); err != nil {
		return err
	}
	u, change, err := c.server.dir.CreateUser(c.ctx, c.access, doc, c.recordUser(http.StatusCreated, v))
	return c.wroteUser(http.StatusCreated, v, u, change, err)
}

func replaceUser(c *call) error {
	v, _, err := c.queryView(c.access.Model.User)
	if err != nil {
		return err
	}
	doc, err := c.userBody()
	if err != nil {
		return err
	}
	if v, err = v.written(doc); err != nil {
		return err
	}
	cond := c.condition()
	_, cond.MentionsActive = doc.Get("active")
	u, change, err := c.server.dir.UpdateUser(c.ctx, c.access, c.target.id, cond, func(current *scim.Object) (*scim.Object, error) {
		next := keeping(doc, current, "externalId", "active")
		return withActive(next), checkImmutable(c.access.Model.User, current, next)
	}, c.recordUser(http.StatusOK, v))
	return c.wroteUser(http.StatusOK, v, u, change, err)
}

func patchUser(c *call) error {
	v, _, err := c.queryView(c.access.Model.User)
	if err != nil {
		return err
	}
	patch, err := c.patch()
	if err != nil {
		return err
	}
	cond := c.condition()
	cond.MentionsActive = mentionsActive(patch)
	u, change, err := c.server.dir.UpdateUser(c.ctx, c.access, c.target.id, cond, func(current *scim.Object) (*scim.Object, error) {
		next, err := c.access.Model.User.Apply(current, patch, c.access.Mode)
		if err != nil {
			return nil, err
		}
		return withActive(next), nil
	}, c.recordUser(http.StatusOK, v))
	return c.wroteUser(http.StatusOK, v, u, change, err)
}

func deleteUser(c *call) error {
	err := c.server.dir.DeleteUser(c.ctx, c.access, c.target.id, c.condition(), c.record(func(directory.Outcome) {
		c.answer = answer{status: http.StatusNoContent}
	}))
	c.recorded = err == nil
	return err
}

// recordUser makes the answer inside the transaction, where it is recorded.
func (c *call) recordUser(status int, v view) directory.Record {
	return c.record(func(o directory.Outcome) { c.mustShow(c.showUser(status, v, o.User)) })
}

// wroteUser ends a write: what changed nothing has no answer and no exchange yet.
func (c *call) wroteUser(status int, v view, u directory.User, change directory.Change, err error) error {
	if err != nil {
		return err
	}
	if c.recorded = change != directory.Unchanged; c.recorded {
		return nil // the answer is that of the record
	}
	c.effect.outcome = directory.Outcome{Change: directory.Unchanged, User: &u}
	c.healedTo(string(u.ID))
	return c.showUser(status, v, &u)
}

// withActive spells the default of `active` out, so that what is stored, compared and returned is the same (RFC 7643 section 4.1.1
// leaves the meaning of its absence open).
func withActive(doc *scim.Object) *scim.Object {
	if _, ok := doc.Get("active"); ok {
		return doc
	}
	return with(doc, "active", scim.BoolOf(true))
}

func with(doc *scim.Object, name string, value scim.Value) *scim.Object {
	return scim.NewObject(append(slices.Clone(doc.Members()), scim.Member{Name: name, Value: value})...)
}

// keeping carries attributes over that a PUT left out: their absence says nothing about them, whatever RFC 7644 section 3.5.1
// allows, because clients that never send them would otherwise reactivate leavers or lose the person's identity.
func keeping(doc, current *scim.Object, names ...string) *scim.Object {
	for _, name := range names {
		if _, ok := doc.Get(name); ok {
			continue
		}
		if value, ok := current.Get(name); ok {
			doc = with(doc, name, value)
		}
	}
	return doc
}

// mentionsActive tells whether a patch says something about `active`, however it is written.
func mentionsActive(p scim.Patch) bool {
	return slices.ContainsFunc(p.Operations, func(op scim.Operation) bool {
		if op.Path != nil && namesActive(op.Path.Attr) {
			return true
		}
		return slices.ContainsFunc(op.Value.Object().Members(), func(m scim.Member) bool {
			_, inside := m.Value.Object().GetFold("active")
			return namesActive(m.Name) || inside && strings.EqualFold(m.Name, scim.UserURN)
		})
	})
}

func namesActive(name string) bool {
	return strings.EqualFold(name[strings.LastIndexAny(name, ":.")+1:], "active")
}
