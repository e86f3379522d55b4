package main

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/rollcallhq/rollcall/client"
)

type webhookCommands struct {
	List         webhookList         `cmd:"" help:"List the addresses that events are sent to."`
	Get          webhookGet          `cmd:"" aliases:"show" help:"Show one."`
	Create       webhookCreate       `cmd:"" help:"Make one; its secret is shown."`
	Update       webhookUpdate       `cmd:"" help:"Change one, or switch it on or off."`
	Delete       webhookDelete       `cmd:"" help:"End one."`
	RotateSecret webhookRotateSecret `cmd:"" help:"Make a new secret; the old one signs too for a while."`
	Deliveries   webhookDeliveries   `cmd:"" help:"List what was sent to one and how it went, newest first."`
	Replay       webhookReplay       `cmd:"" help:"Send events once more: named ones, those of a time, or all that failed."`
}

func webhookColumns() []column[client.WebhookEndpoint] {
	type e = client.WebhookEndpoint
	return []column[e]{
		col("ID", func(x e) string { return x.ID }),
		col("URL", func(x e) string { return x.URL }),
		col("STATUS", func(x e) string { return x.Status }),
		col("EVENTS", func(x e) string { return firstFew(x.Types) }),
		wide("SECRET", func(x e) string { return x.Secret }),
		wide("FAILING SINCE", func(x e) string { return when(x.FailingSince) }),
		wide("DISABLED", func(x e) string { return when(x.DisabledAt) }),
		wide("BECAUSE", func(x e) string { return x.DisabledReason }),
		wide("OLD SECRET UNTIL", func(x e) string { return when(x.OldSecretUntil) }),
		col("CREATED", func(x e) string { return ago(x.CreatedAt) }),
	}
}

type webhookList struct {
	remote
	some
}

// Run lists.
func (c *webhookList) Run(ctx context.Context, w world) error {
	return c.call(w, func(api *client.Client) error {
		return list(w, c.JSON, c.Limit, api.WebhookEndpoints(ctx, client.Listing{}), webhookColumns())
	})
}

type webhookGet struct {
	remote

	ID string `arg:"" help:"Its id."`
}

// Run shows one.
func (c *webhookGet) Run(ctx context.Context, w world) error {
	return c.call(w, func(api *client.Client) error {
		found, err := api.WebhookEndpoint(ctx, c.ID)
		if err != nil {
			return err
		}
		return one(w, c.JSON, found, webhookColumns())
	})
}

type webhookCreate struct {
	remote

	URL    string   `arg:"" help:"Where to send them."`
	Events []string `required:"" placeholder:"TYPE" help:"Types to send, like dsync.user.created,dsync.user.updated."`
}

// Run makes one.
func (c *webhookCreate) Run(ctx context.Context, w world) error {
	return c.call(w, func(api *client.Client) error {
		made, err := api.CreateWebhookEndpoint(ctx, client.NewWebhookEndpoint{URL: c.URL, Types: c.Events})
		if err != nil {
			return err
		}
		if err := one(w, c.JSON, made, webhookColumns()); err != nil {
			return err
		}
		w.done(c.JSON, "The receiver checks signatures with the secret.")
		return nil
	})
}

type webhookUpdate struct {
	remote

	ID      string   `arg:"" help:"Its id."`
	To      *string  `name:"to" placeholder:"URL" help:"The new address."`
	Events  []string `placeholder:"TYPE" help:"The types to send from now on."`
	Enable  bool     `xor:"status" help:"Switch on."`
	Disable bool     `xor:"status" help:"Switch off."`
}

// Run changes one.
func (c *webhookUpdate) Run(ctx context.Context, w world) error {
	change := client.WebhookEndpointChange{URL: c.To}
	enabled, disabled := "enabled", "disabled"
	if c.Enable {
		change.Status = &enabled
	}
	if c.Disable {
		change.Status = &disabled
	}
	if len(c.Events) > 0 {
		change.Types = &c.Events
	}
	return c.call(w, func(api *client.Client) error {
		changed, err := api.UpdateWebhookEndpoint(ctx, c.ID, change)
		if err != nil {
			return err
		}
		return one(w, c.JSON, changed, webhookColumns())
	})
}

type webhookDelete struct {
	remote
	certain

	ID string `arg:"" help:"Its id."`
}

// Run ends one.
func (c *webhookDelete) Run(ctx context.Context, w world) error {
	return c.call(w, func(api *client.Client) error {
		if err := c.ask(w, "Delete the webhook endpoint %s?", c.ID); err != nil {
			return err
		}
		if err := api.DeleteWebhookEndpoint(ctx, c.ID); err != nil {
			return err
		}
		w.done(c.JSON, "%s is deleted.", c.ID)
		return nil
	})
}

type webhookRotateSecret struct {
	remote

	ID      string        `arg:"" help:"Its id."`
	KeepOld time.Duration `default:"24h" placeholder:"TIME" help:"How long the old secret signs too; 24h unless told."`
}

// Run makes a new secret.
func (c *webhookRotateSecret) Run(ctx context.Context, w world) error {
	return c.call(w, func(api *client.Client) error {
		changed, err := api.RotateWebhookSecret(ctx, c.ID, c.KeepOld)
		if err != nil {
			return err
		}
		if err := one(w, c.JSON, changed, webhookColumns()); err != nil {
			return err
		}
		w.done(c.JSON, "For %s the old secret signs too: give the receiver both.", c.KeepOld)
		return nil
	})
}

func deliveryColumns() []column[client.Delivery] {
	type d = client.Delivery
	return []column[d]{
		col("ID", func(x d) string { return x.ID }),
		col("EVENT", func(x d) string { return x.Type }),
		col("EVENT ID", func(x d) string { return x.EventID }),
		col("STATE", func(x d) string { return x.State }),
		col("ATTEMPTS", func(x d) string { return strconv.Itoa(x.AttemptCount) }),
		col("REASON", func(x d) string { return x.Reason }),
		col("CREATED", func(x d) string { return when(x.CreatedAt) }),
		col("FINISHED", func(x d) string { return when(x.FinishedAt) }),
	}
}

type webhookDeliveries struct {
	remote
	few

	ID    string `arg:"" help:"Id of the endpoint."`
	State string `placeholder:"STATE" help:"pending, delivered, failed or cancelled."`
	Event string `placeholder:"TYPE" help:"Those of one type."`
}

// Run lists.
func (c *webhookDeliveries) Run(ctx context.Context, w world) error {
	return c.call(w, func(api *client.Client) error {
		found := api.Deliveries(ctx, c.ID, client.DeliveryQuery{Listing: pageFor(c.Limit), State: c.State, Type: c.Event})
		return list(w, c.JSON, c.Limit, found, deliveryColumns())
	})
}

type webhookReplay struct {
	remote

	ID       string   `arg:"" help:"Id of the endpoint, or of one delivery."`
	EventIDs []string `name:"event" placeholder:"ID" help:"These events."`
	Since    past     `placeholder:"TIME" help:"Those from this time on: a time, a day, or how long ago, like 2h."`
	Until    past     `placeholder:"TIME" help:"Those up to this time."`
	Failed   bool     `help:"Those that failed."`
}

// Run sends once more.
func (c *webhookReplay) Run(ctx context.Context, w world) error {
	chosen := len(c.EventIDs) > 0 || !c.Since.IsZero() || !c.Until.IsZero() || c.Failed
	delivery := strings.HasPrefix(c.ID, "whd_")
	if chosen == delivery {
		return usageError("which events? Give --event, --since and --until, or --failed with an endpoint; or the id of one delivery alone")
	}
	return c.call(w, func(api *client.Client) error {
		if delivery {
			made, err := api.ReplayDelivery(ctx, c.ID)
			if err != nil {
				return err
			}
			return one(w, c.JSON, made, deliveryColumns())
		}
		n, err := api.ReplayEvents(ctx, c.ID, client.Replay{EventIDs: c.EventIDs, From: c.Since.Time, Until: c.Until.Time, Failed: c.Failed})
		if err != nil {
			return err
		}
		return one(w, c.JSON, n, []column[client.Replayed]{col("REPLAYED", func(r client.Replayed) string { return strconv.Itoa(r.Events) })})
	})
}
