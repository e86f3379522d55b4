package main

import (
	"context"
	"fmt"
	"iter"
	"text/tabwriter"
	"time"

	"github.com/rollcallhq/rollcall/client"
)

type signInCommands struct {
	List signInList `cmd:"" help:"List the sign-ins through a connection, newest first: who, how it ended, and who can mend it."`
	Get  signInGet  `cmd:"" aliases:"show" help:"Show one with everything that was looked at. Its id is on the page that a refused person sees."`
}

func attemptColumns() []column[client.SignInAttempt] {
	type a = client.SignInAttempt
	refusal := func(cell func(client.SignInError) string) func(a) string {
		return func(x a) string {
			if x.Error == nil {
				return ""
			}
			return cell(*x.Error)
		}
	}
	return []column[a]{
		col("ID", func(x a) string { return x.ID }),
		wide("CONNECTION", func(x a) string { return x.ConnectionID }),
		wide("ORGANIZATION", func(x a) string { return x.OrganizationID }),
		col("AT", func(x a) string { return when(x.CreatedAt) }),
		col("KIND", func(x a) string { return x.Kind }),
		col("STATE", func(x a) string { return x.State }),
		col("EMAIL", func(x a) string { return x.Email }),
		col("ERROR", refusal(func(e client.SignInError) string { return e.Code })),
		col("MENDED BY", refusal(func(e client.SignInError) string { return e.Fixer })),
		wide("BECAUSE", refusal(func(e client.SignInError) string { return e.Message })),
		wide("WANTED", refusal(func(e client.SignInError) string { return e.Wanted })),
		wide("GOT", refusal(func(e client.SignInError) string { return e.Got })),
		wide("TO DO", refusal(func(e client.SignInError) string { return e.Advice })),
		wide("IDP ID", func(x a) string { return x.IdPID }),
		wide("PROFILE", func(x a) string { return x.ProfileID }),
		wide("USER", func(x a) string { return x.UserID }),
		wide("SESSION", func(x a) string { return x.SessionID }),
		wide("FROM", func(x a) string { return x.IP }),
		wide("BROWSER", func(x a) string { return x.UserAgent }),
		wide("TOOK", func(x a) string {
			if x.FinishedAt.IsZero() {
				return ""
			}
			return x.FinishedAt.Sub(x.CreatedAt).Round(100 * time.Millisecond).String()
		}),
	}
}

// showAttempt prints one and, for people, its checks below.
func showAttempt(w world, asJSON bool, a client.SignInAttempt) error {
	if err := one(w, asJSON, a, attemptColumns()); err != nil || asJSON || len(a.Checks) == 0 {
		return err
	}
	table := tabwriter.NewWriter(w.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprint(table, "\n\tCHECK\tGOT\tWANTED\n")
	for _, check := range a.Checks {
		mark := "✗"
		if check.Passed {
			mark = "✓"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", mark, orDash(check.Name), orDash(check.Got), orDash(check.Wanted))
	}
	return table.Flush()
}

type signInList struct {
	remote
	few

	Connection string `arg:"" help:"Id of the connection."`
	Failed     bool   `help:"Those that were refused."`
}

// Run lists.
func (c *signInList) Run(ctx context.Context, w world) error {
	page := pageFor(c.Limit)
	if c.Failed {
		page = client.Listing{}
	}
	return c.call(w, func(api *client.Client) error {
		found := api.SignInAttempts(ctx, c.Connection, page)
		if c.Failed {
			found = those(found, func(a client.SignInAttempt) bool { return a.Error != nil })
		}
		return list(w, c.JSON, c.Limit, found, attemptColumns())
	})
}

// those are the items of a list that are wanted. An error ends it as it does the list.
func those[T any](items iter.Seq2[T, error], wanted func(T) bool) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for item, err := range items {
			if (err != nil || wanted(item)) && !yield(item, err) {
				return
			}
		}
	}
}

type signInGet struct {
	remote

	ID string `arg:"" help:"Its id."`
}

// Run shows one.
func (c *signInGet) Run(ctx context.Context, w world) error {
	return c.call(w, func(api *client.Client) error {
		found, err := api.SignInAttempt(ctx, c.ID)
		if err != nil {
			return err
		}
		return showAttempt(w, c.JSON, found)
	})
}

type certificateCommands struct {
	List   certificateList   `cmd:"" help:"List those of a connection."`
	Add    certificateAdd    `cmd:"" help:"Add one; several count at once, so that the provider can change to the next at any moment."`
	Delete certificateDelete `cmd:"" help:"Take one away: nothing that it signed is accepted any more."`
}

func certificateColumns() []column[client.ConnectionCertificate] {
	type c = client.ConnectionCertificate
	return []column[c]{
		col("FINGERPRINT", func(x c) string { return x.Fingerprint }),
		col("SUBJECT", func(x c) string { return x.Subject }),
		col("SOURCE", func(x c) string { return x.Source }),
		col("UNTIL", func(x c) string {
			if x.NotAfter.Before(time.Now()) {
				return when(x.NotAfter) + " (over)"
			}
			return when(x.NotAfter)
		}),
		col("LAST USED", func(x c) string { return ago(x.LastUsedAt) }),
		col("NOT IN METADATA SINCE", func(x c) string { return when(x.MissingSince) }),
	}
}

type certificateList struct {
	remote
	some

	Connection string `arg:"" help:"Id of the connection."`
}

// Run lists.
func (c *certificateList) Run(ctx context.Context, w world) error {
	return c.call(w, func(api *client.Client) error {
		return list(w, c.JSON, c.Limit, api.ConnectionCertificates(ctx, c.Connection), certificateColumns())
	})
}

type certificateAdd struct {
	remote

	Connection string `arg:"" help:"Id of the connection."`
	File       string `arg:"" help:"The certificate, PEM or base64; - reads it from the input."`
}

// Run adds one.
func (c *certificateAdd) Run(ctx context.Context, w world) error {
	text, err := w.input(c.File)
	if err != nil {
		return err
	}
	return c.call(w, func(api *client.Client) error {
		changed, err := api.AddCertificate(ctx, c.Connection, text)
		if err != nil {
			return err
		}
		return showConnection(w, c.JSON, changed)
	})
}

type certificateDelete struct {
	remote
	certain

	Connection  string `arg:"" help:"Id of the connection."`
	Fingerprint string `arg:"" help:"Its fingerprint."`
}

// Run takes one away.
func (c *certificateDelete) Run(ctx context.Context, w world) error {
	return c.call(w, func(api *client.Client) error {
		if err := c.ask(w, "Delete the certificate %s? If the provider still signs with it, nobody can sign in.", c.Fingerprint); err != nil {
			return err
		}
		if err := api.DeleteCertificate(ctx, c.Connection, c.Fingerprint); err != nil {
			return err
		}
		w.done(c.JSON, "%s is deleted.", c.Fingerprint)
		return nil
	})
}
