package api

import (
	"net/http"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/rollcallhq/rollcall/internal/directory"
)

const (
	userPrefix  = "directory_user"
	userNoun    = "Directory user"
	groupPrefix = "directory_group"
	groupNoun   = "Directory group"
)

// memberQuery reads what the lists of users and groups have in common: a page, of one directory.
func (c *call) memberQuery(prefix string) (paging, directory.APIQuery, error) {
	p, err := c.paging(prefix, false)
	if err != nil {
		return p, directory.APIQuery{}, err
	}
	id := c.query.Get("directory")
	if id != "" && !isID(id, directoryPrefix) {
		return p, directory.APIQuery{}, directory.NotFound(id)
	}
	return p, directory.APIQuery{Directory: directory.ID(id), Before: p.before, After: p.after, Limit: p.limit, Ascending: p.ascending}, nil
}

var personStates = []directory.PersonState{directory.PersonActive, directory.PersonInactive, directory.PersonSuspended}

// listUsers gives the people of a directory, or of a group: those effectively in it.
func listUsers(c *call) (answer, error) {
	p, q, err := c.memberQuery(userPrefix)
	if err != nil {
		return answer{}, err
	}
	q.IdPID, q.Email, q.Group = c.query.Get("idp_id"), c.query.Get("email"), directory.GroupID(c.query.Get("group"))
	if q.Group != "" && !isID(string(q.Group), groupPrefix) {
		return answer{}, errMissing(groupNoun, string(q.Group))
	}
	if q.States, err = among(c, "state", "invalid_state", personStates); err != nil {
		return answer{}, err
	}
	found, d, more, err := c.o.Directories.APIUsers(c.ctx(), q)
	if err != nil {
		return answer{}, err
	}
	show, err := c.userShower(d, found)
	if err != nil {
		return answer{}, err
	}
	page, err := listOf(p, found, more, func(u directory.User) string { return string(u.ID) }, show)
	return ok(page), err
}

func getUser(c *call) (answer, error) {
	id := c.path["id"]
	if !isID(id, userPrefix) {
		return answer{}, errMissing(userNoun, id)
	}
	found, d, err := c.o.Directories.APIUser(c.ctx(), directory.UserID(id))
	if err != nil {
		return answer{}, err
	}
	show, err := c.userShower(d, []directory.User{found})
	if err != nil {
		return answer{}, err
	}
	shown, err := show(found)
	return ok(shown), err
}

// eraseUser takes a person out of their directory for good; what the log holds of them goes within a day.
func eraseUser(c *call) (answer, error) {
	id := c.path["id"]
	if !isID(id, userPrefix) {
		return answer{}, errMissing(userNoun, id)
	}
	if err := c.o.Directories.Erase(c.ctx(), c.actor, directory.UserID(id)); err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusAccepted}, nil
}

// userShower reads the groups of all users at once. A group that went away in between is in nobody's list.
func (c *call) userShower(d directory.Directory, users []directory.User) (func(directory.User) (jsontext.Value, error), error) {
	groups, err := c.o.Directories.GroupsByID(c.ctx(), d.ID, groupsOf(users))
	if err != nil {
		return nil, err
	}
	return func(u directory.User) (jsontext.Value, error) {
		payload, err := directory.UserPayload(d, u)
		if err != nil {
			return nil, err
		}
		in := struct {
			Groups []jsontext.Value `json:"groups"`
			Held   bool             `json:"held,omitzero"`
		}{Held: u.Held != ""}
		for _, ref := range u.Groups {
			if g, there := groups[ref.ID]; there {
				in.Groups = append(in.Groups, directory.GroupPayload(d, g))
			}
		}
		return extended(payload, in)
	}, nil
}

func groupsOf(users []directory.User) []directory.GroupID {
	seen := map[directory.GroupID]bool{}
	var ids []directory.GroupID
	for _, u := range users {
		for _, ref := range u.Groups {
			if !seen[ref.ID] {
				seen[ref.ID] = true
				ids = append(ids, ref.ID)
			}
		}
	}
	return ids
}
