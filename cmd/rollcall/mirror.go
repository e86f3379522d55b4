package main

import (
	"context"

	"github.com/rollcallhq/rollcall/client"
	"github.com/rollcallhq/rollcall/internal/mirror"
)

type eventMirror struct {
	remote

	To           string `placeholder:"URL" help:"Your app's database: postgres://user:password@host/database. ($ROLLCALL_MIRROR_TO)"`
	Schema       string `default:"rollcall" placeholder:"NAME" help:"Schema that holds the tables; made if it is missing. rollcall unless told."`
	Consumer     string `default:"mirror" placeholder:"NAME" help:"Name under which the server shows how far the mirror has come. mirror unless told."`
	Organization string `placeholder:"ID" help:"Only one organization."`
	Once         bool   `help:"Stop when caught up."`
}

const mirrorVariable = "ROLLCALL_MIRROR_TO"

// Run mirrors until it is stopped.
func (c *eventMirror) Run(ctx context.Context, w world) error {
	return c.call(w, func(api *client.Client) error {
		to := c.To
		if to == "" {
			to = w.lookup(mirrorVariable)
		}
		if to == "" {
			return usageError("where to? Give --to, or put the address of your app's database into " + mirrorVariable)
		}
		err := mirror.Run(ctx, api, mirror.Options{
			To: to, Schema: c.Schema, Consumer: c.Consumer, OrganizationID: c.Organization, Once: c.Once,
			OnRetry: w.patient, Note: func(text string) { w.done(c.JSON, "%s", text) },
		})
		if interrupted(ctx, err) {
			return nil
		}
		return err
	})
}
