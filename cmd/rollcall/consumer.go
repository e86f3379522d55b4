package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/rollcallhq/rollcall/client"
)

type consumerCommands struct {
	List        consumerList        `cmd:"" help:"List the readers of the log whose place the server keeps."`
	Get         consumerGet         `cmd:"" aliases:"show" help:"Show one, and how far behind it is."`
	Create      consumerCreate      `cmd:"" help:"Make one."`
	Acknowledge consumerAcknowledge `cmd:"" help:"Say that everything up to an event is dealt with."`
	Delete      consumerDelete      `cmd:"" help:"Forget one and its place."`
}

func consumerColumns() []column[client.Consumer] {
	type k = client.Consumer
	return []column[k]{
		col("NAME", func(x k) string { return x.Name }),
		col("ORGANIZATION", func(x k) string { return orWord(x.OrganizationID, "all") }),
		col("EVENTS", func(x k) string { return orWord(firstFew(x.Types), "all") }),
		col("BEHIND", func(x k) string { return strconv.FormatInt(x.Lag, 10) }),
		wide("GAP", func(x k) string {
			if x.Gap {
				return "events were deleted before they were acknowledged; take a snapshot"
			}
			return ""
		}),
		col("ACKNOWLEDGED", func(x k) string { return ago(x.AcknowledgedAt) }),
		wide("CURSOR", func(x k) string { return x.Cursor }),
		wide("CREATED", func(x k) string { return when(x.CreatedAt) }),
	}
}

// firstFew keeps a table narrow; --json has all.
func firstFew(names []string) string {
	const enough = 3
	if len(names) <= enough {
		return strings.Join(names, ", ")
	}
	return strings.Join(names[:enough], ", ") + fmt.Sprintf(" and %d more", len(names)-enough)
}

func orWord(s, word string) string {
	if s == "" {
		return word
	}
	return s
}

type consumerList struct {
	remote
	some
}

// Run lists.
func (c *consumerList) Run(ctx context.Context, w world) error {
	return c.call(w, func(api *client.Client) error {
		return list(w, c.JSON, c.Limit, api.Consumers(ctx), consumerColumns())
	})
}

type consumerGet struct {
	remote

	Name string `arg:"" help:"Its name."`
}

// Run shows one.
func (c *consumerGet) Run(ctx context.Context, w world) error {
	return c.call(w, func(api *client.Client) error {
		found, err := api.Consumer(ctx, c.Name)
		if err != nil {
			return err
		}
		return one(w, c.JSON, found, consumerColumns())
	})
}

type consumerCreate struct {
	remote
	ofLog

	Name  string `arg:"" help:"Its name."`
	Start string `default:"beginning" placeholder:"PLACE" help:"beginning (the default), now, or the id of an event."`
}

// Run makes one.
func (c *consumerCreate) Run(ctx context.Context, w world) error {
	return c.call(w, func(api *client.Client) error {
		made, err := api.CreateConsumer(ctx, client.NewConsumer{Name: c.Name, Types: c.Type, OrganizationID: c.Organization, Start: c.Start})
		if err != nil {
			return err
		}
		return one(w, c.JSON, made, consumerColumns())
	})
}

type consumerAcknowledge struct {
	remote

	Name  string `arg:"" help:"Its name."`
	Event string `arg:"" help:"Id of the last event dealt with."`
}

// Run acknowledges.
func (c *consumerAcknowledge) Run(ctx context.Context, w world) error {
	return c.call(w, func(api *client.Client) error {
		changed, err := api.Acknowledge(ctx, c.Name, c.Event)
		if err != nil {
			return err
		}
		return one(w, c.JSON, changed, consumerColumns())
	})
}

type consumerDelete struct {
	remote
	certain

	Name string `arg:"" help:"Its name."`
}

// Run forgets one.
func (c *consumerDelete) Run(ctx context.Context, w world) error {
	return c.call(w, func(api *client.Client) error {
		if err := c.ask(w, "Forget the consumer %q and how far it has come?", c.Name); err != nil {
			return err
		}
		if err := api.DeleteConsumer(ctx, c.Name); err != nil {
			return err
		}
		w.done(c.JSON, "%s is forgotten.", c.Name)
		return nil
	})
}
