package api

import (
	"github.com/go-json-experiment/json/jsontext"

	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/member"
)

func goLive(c *call) (answer, error) {
	d, err := c.directory()
	if err != nil {
		return answer{}, err
	}
	if d, err = c.o.Directories.GoLive(c.ctx(), c.actor, d.ID); err != nil {
		return answer{}, err
	}
	shown, err := c.counted(d)
	return ok(shown), err
}

func getProvisioning(c *call) (answer, error) {
	d, err := c.directory()
	if err != nil {
		return answer{}, err
	}
	p, err := c.o.Directories.Progress(c.ctx(), d.ID)
	if err != nil {
		return answer{}, err
	}
	shown, err := encode(struct {
		Object      string                  `json:"object"`
		DirectoryID directory.ID            `json:"directory_id"`
		State       directory.ProgressState `json:"state"`
		Done        int64                   `json:"done"`
		Total       int64                   `json:"total"`
	}{"directory_provisioning", d.ID, p.State, p.Done, p.Total})
	return ok(shown), err
}

// previewProvisioning lists by ids of directory users.
func previewProvisioning(c *call) (answer, error) {
	d, err := c.directory()
	if err != nil {
		return answer{}, err
	}
	p, err := c.paging(userPrefix, true)
	if err != nil {
		return answer{}, err
	}
	found, more, err := c.o.Directories.Preview(c.ctx(), directory.PreviewQuery{
		Directory: d.ID, Provisioning: directory.Provisioning(c.query.Get("provisioning")),
		Before: p.before, After: p.after, Limit: p.limit, Ascending: p.ascending,
	})
	if err != nil {
		return answer{}, err
	}
	page, err := listOf(p, found, more, func(f directory.Foreseen) string { return string(f.User) }, showForeseen)
	return ok(page), err
}

func showForeseen(f directory.Foreseen) (jsontext.Value, error) {
	return encode(struct {
		Object  string           `json:"object"`
		UserID  directory.UserID `json:"directory_user_id"`
		Email   *string          `json:"email"`
		Name    *string          `json:"name"`
		Says    member.Says      `json:"says"`
		Outcome member.Outcome   `json:"outcome"`
	}{"provisioning_preview", f.User, optional(f.Email), optional(f.Name), f.Says, f.Outcome})
}
