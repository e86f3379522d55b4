package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/rollcallhq/rollcall/client"
)

// exportable is part of the commands whose whole list the server writes.
type exportable struct {
	Format string `placeholder:"FORMAT" help:"Write all of it: csv, or jsonl (JSON lines). Without it, a table."`
}

// check refuses what is no format, and what says two things at once.
func (e exportable) check(asJSON bool) error {
	if e.Format != "" && asJSON {
		return usageError("--json and --format exclude each other; --format jsonl writes the same objects, all of them")
	}
	return oneOf("--format", e.Format, string(client.CSV), string(client.JSONLines))
}

type auditCommand struct {
	remote
	few
	exportable

	Organization string   `placeholder:"ID" help:"Changes of one organization."`
	Action       []string `placeholder:"ACTION" help:"Only these, like directory.updated."`
	Actor        string   `placeholder:"ID" help:"What this actor did: management_key, directory_…, user_…."`
	Target       string   `placeholder:"ID" help:"Changes of what has this id; a role is named by its slug."`
	Since        past     `placeholder:"TIME" help:"From this time on: a time, a day, or how long ago, like 30d."`
	Until        past     `placeholder:"TIME" help:"Up to this time."`
	OldestFirst  bool     `help:"Oldest first. It leaves out the last minute."`
}

// Run lists, or writes all.
func (c *auditCommand) Run(ctx context.Context, w world) error {
	if err := c.check(c.JSON); err != nil {
		return err
	}
	q := client.AuditQuery{
		OrganizationID: c.Organization, Actor: c.Actor, Actions: c.Action, Target: c.Target, From: c.Since.Time, Until: c.Until.Time, Ascending: c.OldestFirst,
		PageSize: pageFor(c.Limit).PageSize,
	}
	return c.call(w, func(api *client.Client) error {
		if c.Format != "" {
			return api.ExportAudit(ctx, q, client.Format(c.Format), w.stdout)
		}
		return list(w, c.JSON, c.Limit, api.Audit(ctx, q), auditColumns())
	})
}

func auditColumns() []column[client.AuditEntry] {
	type a = client.AuditEntry
	return []column[a]{
		col("AT", func(x a) string { return when(x.CreatedAt) }),
		col("ACTION", func(x a) string { return x.Action }),
		col("TARGET", func(x a) string { return x.Target }),
		col("BY", actorOf),
		col("CAUSE", func(x a) string {
			if x.Cause.Type == "exchange" {
				return x.Cause.ID
			}
			return x.Cause.Type
		}),
		col("CHANGES", changesOf),
	}
}

func actorOf(x client.AuditEntry) string {
	by := x.Actor.ID
	if x.Actor.Name != "" {
		by = x.Actor.Name
	}
	if x.Derived {
		by += " (derived)"
	}
	return by
}

// changesOf tells what was and is, or why, in a line.
func changesOf(x client.AuditEntry) string {
	var changes map[string]client.Changed
	if json.Unmarshal(x.Changes, &changes) != nil || len(changes) == 0 {
		return x.Reason
	}
	var out []string
	for _, name := range slices.Sorted(maps.Keys(changes)) {
		out = append(out, fmt.Sprintf("%s: %s → %s", name, orNone(string(changes[name].Before)), orNone(string(changes[name].After))))
	}
	return strings.Join(out, ", ")
}

type accessCommand struct {
	remote
	some
	exportable

	Organization string `arg:"" help:"Id of the organization."`
	At           past   `placeholder:"TIME" help:"At this time: a time, a day, or how long ago, like 90d. Without it, now."`
}

// Run lists who has access, or had it, or writes all.
func (c *accessCommand) Run(ctx context.Context, w world) error {
	if err := c.check(c.JSON); err != nil {
		return err
	}
	type a = client.Access
	return c.call(w, func(api *client.Client) error {
		if c.Format != "" {
			return api.ExportAccess(ctx, c.Organization, c.At.Time, client.Format(c.Format), w.stdout)
		}
		return list(w, c.JSON, c.Limit, api.AccessAt(ctx, c.Organization, c.At.Time, client.Listing{}), []column[a]{
			col("MEMBERSHIP", func(x a) string { return x.MembershipID }),
			col("USER", func(x a) string { return x.UserID }),
			col("EMAIL", func(x a) string { return x.Email }),
			col("NAME", func(x a) string { return strings.TrimSpace(x.FirstName + " " + x.LastName) }),
			col("ROLE", func(x a) string { return x.Role }),
			col("KIND", func(x a) string { return memberKind(client.OrganizationMembership{Primary: x.Primary}) }),
			col("SINCE", func(x a) string { return when(x.Since) }),
		})
	})
}

type offboardingCommands struct {
	List    offboardingList    `cmd:"" help:"List memberships that ended, the latest first, with the time it took."`
	Get     offboardingGet     `cmd:"" aliases:"show" help:"Show one with every step."`
	Receipt offboardingReceipt `cmd:"" help:"Write the signed receipt of one: a JWS in compact form."`
	Export  offboardingExport  `cmd:"" help:"Write all receipts of an organization, and the keys that they are checked with, into a folder."`
}

func offboardingColumns() []column[client.Offboarding] {
	type o = client.Offboarding
	return []column[o]{
		col("ID", func(x o) string { return x.ID }),
		wide("ORGANIZATION", func(x o) string { return x.OrganizationID }),
		wide("MEMBERSHIP", func(x o) string { return x.MembershipID }),
		col("USER", func(x o) string { return x.UserID }),
		col("STATUS", func(x o) string { return x.Status }),
		col("WHY", func(x o) string { return x.Why }),
		wide("BY", func(x o) string { return x.Cause.ActorID }),
		wide("EXCHANGE", func(x o) string { return x.Cause.ExchangeID }),
		wide("REQUESTED", func(x o) string { return when(x.RequestedAt) }),
		col("ENDED", func(x o) string { return when(x.EndedAt) }),
		col("SESSIONS", func(x o) string { return fmt.Sprint(x.Sessions.Ended) }),
		col("TOOK", func(x o) string { return (time.Duration(x.Span) * time.Millisecond).String() }),
		col("COMPLETE", func(x o) string {
			if !x.Complete && x.FrozenAt.IsZero() {
				return "not yet"
			}
			return yesNo(x.Complete)
		}),
		wide("MISSING", func(x o) string { return missingSteps(x.Missing) }),
		wide("FINAL SINCE", func(x o) string { return when(x.FrozenAt) }),
	}
}

func missingSteps(steps []client.MissingStep) string {
	var out []string
	for _, s := range steps {
		out = append(out, strings.TrimSpace(s.Step+" "+s.ID)+": "+s.Why)
	}
	return strings.Join(out, "; ")
}

type offboardingList struct {
	remote
	few

	Organization string `arg:"" help:"Id of the organization."`
}

// Run lists.
func (c *offboardingList) Run(ctx context.Context, w world) error {
	return c.call(w, func(api *client.Client) error {
		return list(w, c.JSON, c.Limit, api.Offboardings(ctx, c.Organization, pageFor(c.Limit)), offboardingColumns())
	})
}

type offboardingGet struct {
	remote

	ID string `arg:"" help:"Its id."`
}

// Run shows one, and for people its steps below in the order in which they came.
func (c *offboardingGet) Run(ctx context.Context, w world) error {
	return c.call(w, func(api *client.Client) error {
		found, err := api.Offboarding(ctx, c.ID)
		if err != nil {
			return err
		}
		if err := one(w, c.JSON, found, offboardingColumns()); err != nil || c.JSON {
			return err
		}
		for _, s := range stepsOf(found) {
			if _, err := fmt.Fprintf(w.stdout, "%10s  %s\n", s.after(found), printable(s.what)); err != nil {
				return err
			}
		}
		return nil
	})
}

// step is something that was seen.
type step struct {
	at   time.Time
	what string
}

// after is how long after the beginning it was.
func (s step) after(o client.Offboarding) string {
	begin := o.RequestedAt
	if begin.IsZero() {
		begin = o.EndedAt
	}
	return "+" + s.at.Sub(begin).Round(100*time.Microsecond).String()
}

func stepsOf(o client.Offboarding) []step {
	steps := []step{{o.RequestedAt, "the identity provider's request"}, {o.EndedAt, "access ended"}, {o.CommittedBy, "seen to be committed"}}
	if o.Sessions.Ended > 0 {
		steps = append(steps, step{o.Sessions.At, count(o.Sessions.Ended, "session", "sessions") + " ended with it"})
	}
	for _, d := range o.Webhooks {
		steps = append(steps, step{d.DeliveredAt, "webhook " + d.EventID + " to " + d.EndpointID})
	}
	for _, d := range o.Logouts {
		steps = append(steps, step{d.DeliveredAt, "logout of " + d.SessionID + " at " + d.ApplicationID})
	}
	if a := o.Acknowledgement; a != nil {
		steps = append(steps, step{a.At, "the app acknowledged " + a.EventID})
	}
	steps = slices.DeleteFunc(steps, func(s step) bool { return s.at.IsZero() })
	slices.SortStableFunc(steps, func(a, b step) int { return a.at.Compare(b.at) })
	return steps
}

type offboardingReceipt struct {
	remote

	ID string `arg:"" help:"Id of the offboarding."`
}

// Run writes it, and says to people what it lacks.
func (c *offboardingReceipt) Run(ctx context.Context, w world) error {
	return c.call(w, func(api *client.Client) error {
		found, err := api.OffboardingReceipt(ctx, c.ID)
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(w.stdout, found)
		}
		if _, err := fmt.Fprintln(w.stdout, found.JWS); err != nil {
			return err
		}
		switch {
		case found.Complete:
		case found.FrozenAt.IsZero():
			w.note("It may still say more, until nothing is missing or a day is over. Missing: %s.", printable(missingSteps(found.Missing)))
		default:
			w.note("It is final. Missing: %s.", printable(missingSteps(found.Missing)))
		}
		return nil
	})
}

type offboardingExport struct {
	remote

	Organization string `arg:"" help:"Id of the organization."`
	Folder       string `arg:"" type:"path" help:"Where to: a new folder, or one with an earlier export, which is brought up to date."`
}

// Run writes a file for each receipt, named by the id of the offboarding, and the key set.
func (c *offboardingExport) Run(ctx context.Context, w world) error {
	return c.call(w, func(api *client.Client) error {
		keys, err := api.KeySet(ctx)
		if err != nil {
			return err
		}
		if err := os.MkdirAll(c.Folder, 0o750); err != nil {
			return usageError(err.Error())
		}
		n, open := 0, 0
		for o, err := range api.Offboardings(ctx, c.Organization, client.Listing{}) {
			if err != nil {
				return err
			}
			receipt, err := api.OffboardingReceipt(ctx, o.ID)
			if err != nil {
				return err
			}
			if err := c.write(o.ID+".jws", []byte(receipt.JWS+"\n")); err != nil {
				return err
			}
			if n++; receipt.FrozenAt.IsZero() && !receipt.Complete {
				open++
			}
		}
		if err := c.write("keys.json", append(keys, '\n')); err != nil {
			return err
		}
		w.done(c.JSON, "%s and keys.json are in %s.", count(n, "receipt", "receipts"), c.Folder)
		if open > 0 {
			w.done(c.JSON, "Not final yet: %d. Export again after a day.", open)
		}
		return nil
	})
}

// write puts a whole file in its place, or leaves what is there.
func (c *offboardingExport) write(name string, text []byte) error {
	if name != filepath.Base(name) || !filepath.IsLocal(name) {
		return fmt.Errorf("the server's id %q cannot be the name of a file", name)
	}
	target := filepath.Join(c.Folder, name)
	if err := os.WriteFile(target+".part", text, 0o600); err != nil {
		return err
	}
	return os.Rename(target+".part", target)
}
