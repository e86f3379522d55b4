package api

import (
	"context"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/member"
	"github.com/rollcallhq/rollcall/internal/org"
)

const holdPrefix = "directory_hold"

// brakeSettings are the brake as a whole: in a request, what is left out gets the default.
type brakeSettings struct {
	Enabled bool  `json:"enabled"`
	Share   int64 `json:"share_percent"`
	People  int64 `json:"people"`
	Window  int64 `json:"window_minutes"`
	Hold    int64 `json:"hold_minutes"`
}

func showBrake(d directory.Directory) answer {
	b := d.Brake
	return ok(struct {
		Object      string       `json:"object"`
		DirectoryID directory.ID `json:"directory_id"`
		brakeSettings
		UpdatedAt string `json:"updated_at"`
	}{"directory_brake", d.ID, brakeSettings{b.Enabled, b.Share, b.People, b.Window, b.Hold}, org.Time(d.UpdatedAt)})
}

func getBrake(c *call) (answer, error) {
	d, err := c.directory()
	if err != nil {
		return answer{}, err
	}
	return showBrake(d), nil
}

func setBrake(c *call) (answer, error) {
	d, err := c.directory()
	if err != nil {
		return answer{}, err
	}
	least := directory.DefaultBrake()
	wanted := brakeSettings{least.Enabled, least.Share, least.People, least.Window, least.Hold}
	if err := c.body(&wanted); err != nil {
		return answer{}, err
	}
	d, err = c.o.Directories.SetBrake(c.ctx(), c.actor, d.ID, directory.Brake{
		Enabled: wanted.Enabled, Share: wanted.Share, People: wanted.People, Window: wanted.Window, Hold: wanted.Hold,
	})
	if err != nil {
		return answer{}, err
	}
	return showBrake(d), nil
}

func listHolds(c *call) (answer, error) {
	d, err := c.directory()
	if err != nil {
		return answer{}, err
	}
	p, err := c.paging(holdPrefix, false)
	if err != nil {
		return answer{}, err
	}
	found, more, err := c.o.Directories.Holds(c.ctx(), directory.HoldQuery{
		Directory: d.ID, Before: p.before, After: p.after, Limit: p.limit, Ascending: p.ascending,
	})
	if err != nil {
		return answer{}, err
	}
	show, err := c.holdShower(d.ID, found)
	if err != nil {
		return answer{}, err
	}
	page, err := listOf(p, found, more, func(h directory.Hold) string { return string(h.ID) }, show)
	return ok(page), err
}

// heldPerson is somebody whom a hold holds.
type heldPerson struct {
	UserID directory.UserID    `json:"directory_user_id"`
	State  directory.HeldState `json:"state"`
	Says   member.Says         `json:"says"`
	HeldAt string              `json:"held_at"`
}

// holdShower reads the people of all holds at once.
func (c *call) holdShower(d directory.ID, holds []directory.Hold) (func(directory.Hold) (jsontext.Value, error), error) {
	ids := make([]directory.HoldID, len(holds))
	for i, h := range holds {
		ids[i] = h.ID
	}
	people, err := c.o.Directories.HeldBy(c.ctx(), d, ids...)
	if err != nil {
		return nil, err
	}
	return func(h directory.Hold) (jsontext.Value, error) {
		shown := struct {
			People  []heldPerson `json:"people"`
			EndedBy *string      `json:"ended_by"`
		}{[]heldPerson{}, optional(h.EndedBy)}
		for _, p := range people[h.ID] {
			shown.People = append(shown.People, heldPerson{p.User, p.State, p.Says, org.Time(p.Since)})
		}
		return extended(h.Payload(), shown)
	}, nil
}

func releaseHold(c *call) (answer, error) { return c.endHold(c.o.Directories.Release) }

func undoHold(c *call) (answer, error) { return c.endHold(c.o.Directories.Undo) }

// endHold ends the hold of the address by one of the two ways there are.
func (c *call) endHold(end func(context.Context, event.Actor, directory.ID, directory.HoldID) (directory.Hold, error)) (answer, error) {
	d, err := c.directory()
	if err != nil {
		return answer{}, err
	}
	id := c.path["hold_id"]
	if !isID(id, holdPrefix) {
		return answer{}, directory.NoHold(id)
	}
	h, err := end(c.ctx(), c.actor, d.ID, directory.HoldID(id))
	if err != nil {
		return answer{}, err
	}
	show, err := c.holdShower(d.ID, []directory.Hold{h})
	if err != nil {
		return answer{}, err
	}
	shown, err := show(h)
	return ok(shown), err
}
