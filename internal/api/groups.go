package api

import (
	"github.com/go-json-experiment/json/jsontext"

	"github.com/rollcallhq/rollcall/internal/directory"
)

// listGroups gives the groups of a directory, or of a user: those the person is effectively in.
func listGroups(c *call) (answer, error) {
	p, q, err := c.memberQuery(groupPrefix)
	if err != nil {
		return answer{}, err
	}
	q.User = directory.UserID(c.query.Get("user"))
	if q.User != "" && !isID(string(q.User), userPrefix) {
		return answer{}, errMissing(userNoun, string(q.User))
	}
	found, d, more, err := c.o.Directories.APIGroups(c.ctx(), q)
	if err != nil {
		return answer{}, err
	}
	page, err := listOf(p, found, more, func(g directory.Group) string { return string(g.ID) },
		func(g directory.Group) (jsontext.Value, error) { return directory.GroupPayload(d, g), nil })
	return ok(page), err
}

func getGroup(c *call) (answer, error) {
	id := c.path["id"]
	if !isID(id, groupPrefix) {
		return answer{}, errMissing(groupNoun, id)
	}
	found, d, err := c.o.Directories.APIGroup(c.ctx(), directory.GroupID(id))
	if err != nil {
		return answer{}, err
	}
	return ok(jsontext.Value(directory.GroupPayload(d, found))), nil
}
