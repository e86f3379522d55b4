package scimapi

import (
	"context"
	"net/http"
	"time"

	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/scim"
)

// leaverPatience is how long stopping a leaver's sign-in may go on when the client has already left.
const leaverPatience = 10 * time.Second

// stopLeaver stops the sign-in of the person a refused request wanted to deactivate. The answer stays the refusal.
func (c *call) stopLeaver() {
	if !c.refusedForGood() || !c.asksToLeave() {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.ctx), leaverPatience)
	defer cancel()
	id, err := c.leaver(ctx)
	if err != nil || id == "" {
		c.leaverFailed(err)
		return
	}
	done, err := c.server.dir.SuspendUser(ctx, c.access, id, c.record(func(directory.Outcome) {}))
	if !done {
		c.effect.outcome = directory.Outcome{}
		c.leaverFailed(err)
		return
	}
	c.recorded = true
	c.server.log.WarnContext(ctx, "a refused request asked to deactivate a person: the sign-in was stopped", "request_id", c.requestID,
		"directory", c.access.Directory.ID, "user", id, "status", c.answer.status)
}

// leaverFailed: that there is nobody of that id is no failure.
func (c *call) leaverFailed(err error) {
	if err == nil || fault.Is(err, fault.NotFound) {
		return
	}
	c.server.log.ErrorContext(c.ctx, "a refused request asked to deactivate a person, and the sign-in could not be stopped",
		"request_id", c.requestID, "directory", c.access.Directory.ID, "error", err)
}

// refusedForGood: the same request will be refused again, so the provider gives up or an administrator has to act. What passes
// by itself is not among it.
func (c *call) refusedForGood() bool {
	switch c.effect.refusal.Kind {
	case fault.Invalid, fault.Conflict, fault.Precondition, fault.Unprocessable, fault.Forbidden, fault.Unsupported:
		return true
	case fault.Unauthorized, fault.NotFound, fault.NotAllowed, fault.TooLarge, fault.Limited, fault.Internal, fault.Unavailable:
	}
	return false
}

// asksToLeave: the request says that the person is to be out. A DELETE says so too while it is refused whatever it names.
func (c *call) asksToLeave() bool {
	if c.method == http.MethodDelete {
		return c.access.Off && c.target.row != nil && c.target.row.pattern == "/Users/{id}"
	}
	return c.writesUser() && scim.AsksDeactivation(c.bodyText())
}

// stopBulkLeavers looks for leavers in a bulk request that is refused whole. Each that asks for one is refused by itself, with an
// exchange of its own; what cannot be read names nobody.
func (c *call) stopBulkLeavers() {
	if c.target.row == nil || c.target.row.pattern != "/Bulk" || c.method != http.MethodPost {
		return
	}
	o, err := c.object()
	if err != nil {
		return
	}
	request, err := scim.ParseBulkRequest(o)
	if err != nil || request.Within(c.server.o.MaxBulkOps) != nil {
		return
	}
	for _, op := range request.Operations {
		if op.Refused != nil {
			continue
		}
		if sub := c.operation(op); sub.asksToLeave() {
			sub.refuse(errFeatureOff())
			sub.settle()
		}
	}
}

func (c *call) writesUser() bool {
	if c.target.row == nil {
		return false
	}
	switch c.target.row.pattern {
	case "/Users":
		return c.method == http.MethodPost
	case "/Users/{id}":
		return c.method == http.MethodPut || c.method == http.MethodPatch
	}
	return false
}

// leaver is the id of the person the request is about; "" if it names nobody who exists.
func (c *call) leaver(ctx context.Context) (string, error) {
	if c.target.id != "" {
		return c.target.id, nil
	}
	name := c.userNameSent()
	if name == "" {
		return "", nil
	}
	page, err := c.server.dir.ListUsers(ctx, c.access, directory.Query{
		Eq: &directory.Equal{Attribute: "userName", Value: name}, StartIndex: 1, Count: 1, NoTotal: true,
	})
	if err != nil || len(page.Users) == 0 {
		return "", err
	}
	return string(page.Users[0].ID), nil
}

// userNameSent is "" where the body cannot be read or names nobody.
func (c *call) userNameSent() string {
	o, err := c.object()
	if err != nil {
		return ""
	}
	name, _ := o.GetFold("userName")
	if name.Kind() != scim.String {
		return ""
	}
	return name.Text()
}
