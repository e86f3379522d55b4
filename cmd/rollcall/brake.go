package main

import (
	"context"
	"strconv"

	"github.com/rollcallhq/rollcall/client"
)

func brakeColumns() []column[client.Brake] {
	type b = client.Brake
	return []column[b]{
		col("DIRECTORY", func(x b) string { return x.DirectoryID }),
		col("ON", func(x b) string { return yesNo(x.Enabled) }),
		col("MORE THAN", func(x b) string { return strconv.Itoa(x.SharePercent) + " %" }),
		col("PEOPLE", func(x b) string { return strconv.Itoa(x.People) }),
		col("WINDOW", func(x b) string { return strconv.Itoa(x.WindowMinutes) + "m" }),
		col("HOLD", func(x b) string { return strconv.Itoa(x.HoldMinutes) + "m" }),
	}
}

func holdColumns() []column[client.Hold] {
	type h = client.Hold
	return []column[h]{
		col("ID", func(x h) string { return x.ID }),
		col("STATE", func(x h) string { return x.State }),
		col("PEOPLE", func(x h) string { return strconv.Itoa(x.Count) }),
		col("ENGAGED", func(x h) string { return ago(x.EngagedAt) }),
		col("UNTIL", func(x h) string { return when(x.Until) }),
		wide("LEFT", func(x h) string { return strconv.Itoa(x.Departed) + " of " + strconv.Itoa(x.Active) }),
		wide("REASON", func(x h) string { return x.Reason }),
		wide("ENDED", func(x h) string { return when(x.EndedAt) }),
		wide("ENDED BY", func(x h) string { return x.EndedBy }),
	}
}

type directoryBrake struct {
	remote

	ID     string `arg:"" help:"Id of the directory."`
	On     bool   `xor:"switch" help:"Switch it on."`
	Off    bool   `xor:"switch" help:"Switch it off; what it holds is released."`
	Share  *int   `placeholder:"PERCENT" help:"A burst is more than this share of the active people: 1 to 99."`
	People *int   `placeholder:"NUMBER" help:"And at least so many of them: 2 to 100000."`
	Window *int   `placeholder:"MINUTES" help:"Within so many minutes: 1 to 1440."`
	Hold   *int   `placeholder:"MINUTES" help:"What is held follows by itself after so many minutes: 1 to 60."`
}

// Run changes what is named, and shows what is set.
func (c *directoryBrake) Run(ctx context.Context, w world) error {
	for _, number := range []*int{c.Share, c.People, c.Window, c.Hold} {
		if number != nil && *number < 1 {
			return usageError("a share, a number of people or of minutes is 1 at least")
		}
	}
	return c.call(w, func(api *client.Client) error {
		b, err := api.Brake(ctx, c.ID)
		if err != nil {
			return err
		}
		if c.change(&b) {
			if b, err = api.SetBrake(ctx, c.ID, b); err != nil {
				return err
			}
		}
		return one(w, c.JSON, b, brakeColumns())
	})
}

// change tells whether anything was named.
func (c *directoryBrake) change(b *client.Brake) (named bool) {
	if c.On || c.Off {
		b.Enabled, named = c.On, true
	}
	for _, f := range []struct{ to, wanted *int }{{&b.SharePercent, c.Share}, {&b.People, c.People}, {&b.WindowMinutes, c.Window}, {&b.HoldMinutes, c.Hold}} {
		if f.wanted != nil {
			*f.to, named = *f.wanted, true
		}
	}
	return named
}

type directoryHolds struct {
	remote
	some

	ID string `arg:"" help:"Id of the directory."`
}

// Run lists.
func (c *directoryHolds) Run(ctx context.Context, w world) error {
	return c.call(w, func(api *client.Client) error {
		return list(w, c.JSON, c.Limit, api.Holds(ctx, c.ID, client.Listing{}), holdColumns())
	})
}

type directoryRelease struct {
	remote

	ID   string `arg:"" help:"Id of the directory."`
	Hold string `arg:"" help:"Id of the hold."`
}

// Run releases one.
func (c *directoryRelease) Run(ctx context.Context, w world) error {
	return c.call(w, func(api *client.Client) error {
		ended, err := api.ReleaseHold(ctx, c.ID, c.Hold)
		if err != nil {
			return err
		}
		return one(w, c.JSON, ended, holdColumns())
	})
}

type directoryUndo struct {
	remote

	ID   string `arg:"" help:"Id of the directory."`
	Hold string `arg:"" help:"Id of the hold."`
}

// Run undoes one.
func (c *directoryUndo) Run(ctx context.Context, w world) error {
	return c.call(w, func(api *client.Client) error {
		ended, err := api.UndoHold(ctx, c.ID, c.Hold)
		if err != nil {
			return err
		}
		return one(w, c.JSON, ended, holdColumns())
	})
}
