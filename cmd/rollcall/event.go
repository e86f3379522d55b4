package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/rollcallhq/rollcall/client"
)

type eventCommands struct {
	List        eventList        `cmd:"" help:"List the log, newest first."`
	Tail        eventTail        `cmd:"" help:"Show the last events, and with -f those to come."`
	Snapshot    eventSnapshot    `cmd:"" help:"Write the present state as JSON lines: a cursor, a record for each thing, an end."`
	Acknowledge eventAcknowledge `cmd:"" help:"Say that the app has dealt with an event; receipts of offboardings hold it."`
	Mirror      eventMirror      `cmd:"" help:"Keep organizations, directories, users, groups and memberships as tables of your own PostgreSQL."`
}

func eventColumns() []column[client.Event] {
	type e = client.Event
	return []column[e]{
		col("AT", func(x e) string { return when(x.CreatedAt) }),
		col("EVENT", func(x e) string { return x.Type }),
		col("WHAT", subject),
		col("ID", func(x e) string { return x.ID }),
	}
}

// subject is what an event is about, in a few words, whatever its type.
func subject(e client.Event) string {
	var data struct {
		thing

		User  thing `json:"user"`
		Group thing `json:"group"`
	}
	if json.Unmarshal(e.Data, &data) != nil {
		return ""
	}
	if data.User.ID != "" && data.Group.ID != "" {
		return data.User.String() + " in " + data.Group.String()
	}
	return data.String()
}

type thing struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Email  string `json:"email"`
	Domain string `json:"domain"`
	State  string `json:"state"`
}

// String takes the most telling of what is there.
func (t thing) String() string {
	for _, text := range []string{t.Email, t.Domain, t.Name} {
		if text != "" {
			if t.State != "" && t.State != "active" {
				text += " (" + t.State + ")"
			}
			return text
		}
	}
	return t.ID
}

// ofLog is what narrows the log.
type ofLog struct {
	Type         []string `placeholder:"TYPE" help:"Only these types, like dsync.user.created."`
	Organization string   `placeholder:"ID" help:"Only those of one organization."`
}

type eventList struct {
	remote
	few
	ofLog

	Since past `placeholder:"TIME" help:"From this time on: a time, a day, or how long ago, like 2h."`
	Until past `placeholder:"TIME" help:"Up to this time."`
}

// Run lists.
func (c *eventList) Run(ctx context.Context, w world) error {
	return c.call(w, func(api *client.Client) error {
		found := api.Events(ctx, client.EventQuery{
			Types: c.Type, OrganizationID: c.Organization, From: c.Since.Time, Until: c.Until.Time, Newest: true, PageSize: pageFor(c.Limit).PageSize,
		})
		return list(w, c.JSON, c.Limit, found, eventColumns())
	})
}

type eventTail struct {
	remote
	ofLog

	Follow bool          `short:"f" help:"Go on with what comes, also after the server was away."`
	From   string        `placeholder:"PLACE" help:"beginning, now, or the id of the event after which to begin. Without it, --last."`
	Last   int           `short:"n" default:"10" placeholder:"N" help:"How many of the last events come first; 10 unless told."`
	Every  time.Duration `default:"1s" placeholder:"TIME" help:"How often to look at the end of the log."`
}

// Run prints what is there, oldest first, then follows.
func (c *eventTail) Run(ctx context.Context, w world) error {
	if c.Last < 0 || c.Last > 100 {
		return usageError("--last is a number from 0 to 100; --from beginning shows everything")
	}
	return c.call(w, func(api *client.Client) error {
		after, err := c.begin(ctx, w, api)
		if err == nil && c.Follow {
			err = c.follow(ctx, w, api, after)
		}
		if c.Follow && interrupted(ctx, err) {
			return nil
		}
		return err
	})
}

// begin prints what there already is and gives the place after it.
func (c *eventTail) begin(ctx context.Context, w world, api *client.Client) (string, error) {
	q := client.EventQuery{Types: c.Type, OrganizationID: c.Organization}
	switch c.From {
	case client.Now:
		return api.LastEvent(ctx, q)
	case client.Beginning:
	case "":
		return c.last(ctx, w, api, q)
	default:
		q.After = c.From
	}
	if c.Follow { // Tail reads it from there
		return q.After, nil
	}
	for e, err := range api.Events(ctx, q) {
		if err == nil {
			err = c.print(w, e)
		}
		if err != nil {
			return "", err
		}
	}
	return "", nil
}

func (c *eventTail) last(ctx context.Context, w world, api *client.Client, q client.EventQuery) (string, error) {
	q.Newest, q.PageSize = true, max(c.Last, 1)
	found, err := client.Collect(api.Events(ctx, q), q.PageSize)
	if err != nil || len(found) == 0 {
		return "", err
	}
	slices.Reverse(found)
	for _, e := range found[len(found)-min(c.Last, len(found)):] {
		if err := c.print(w, e); err != nil {
			return "", err
		}
	}
	return found[len(found)-1].ID, nil
}

func (c *eventTail) follow(ctx context.Context, w world, api *client.Client, after string) error {
	events := api.Tail(ctx, after, client.TailOptions{
		Types: c.Type, OrganizationID: c.Organization, Poll: c.Every, OnRetry: w.patient,
	})
	for e, err := range events {
		if err == nil {
			err = c.print(w, e)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// patient tells a person why nothing comes.
func (w world) patient(err error, wait time.Duration) {
	w.note("rollcall: %s; trying again in %s", printable(err.Error()), wait.Round(time.Second/10))
}

// print writes a line at once: a tail is watched. Columns stand still as far as that can be without knowing what will come.
func (c *eventTail) print(w world, e client.Event) error {
	if c.JSON {
		return printJSON(w.stdout, e)
	}
	_, err := fmt.Fprintf(w.stdout, "%s  %-28s  %-40s  %s\n", when(e.CreatedAt), printable(e.Type), orDash(subject(e)), e.ID)
	return err
}

type eventSnapshot struct {
	remote

	Organization string `placeholder:"ID" help:"Only one organization."`
	Directory    string `placeholder:"ID" help:"Only one directory."`
}

// Run writes the stream's own lines. An incomplete one has no last line, and the command fails.
func (c *eventSnapshot) Run(ctx context.Context, w world) error {
	return c.call(w, func(api *client.Client) error {
		cursor, records, err := api.Snapshot(ctx, client.SnapshotQuery{OrganizationID: c.Organization, DirectoryID: c.Directory})
		if err != nil {
			return err
		}
		place := "null"
		if cursor != "" {
			place = fmt.Sprintf("%q", cursor)
		}
		if _, err := fmt.Fprintf(w.stdout, "{\"object\":\"snapshot\",\"cursor\":%s}\n", place); err != nil {
			return err
		}
		n := 0
		for e, err := range records {
			if err == nil {
				err = printJSON(w.stdout, e)
			}
			if err != nil {
				return err
			}
			n++
		}
		_, err = fmt.Fprintf(w.stdout, "{\"object\":\"snapshot_end\",\"cursor\":%s,\"records\":%d}\n", place, n)
		return err
	})
}

type eventAcknowledge struct {
	remote

	ID string `arg:"" help:"Id of the event."`
}

// Run says so. It may be said again; the first time counts.
func (c *eventAcknowledge) Run(ctx context.Context, w world) error {
	type a = client.Acknowledgement
	return answered(c.remote, w, []column[a]{
		col("EVENT", func(x a) string { return x.EventID }),
		col("ACKNOWLEDGED", func(x a) string { return when(x.At) }),
		col("BY", func(x a) string { return x.By.ID }),
	}, func(api *client.Client) (a, error) { return api.AcknowledgeEvent(ctx, c.ID) })
}
