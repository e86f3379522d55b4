package main

import (
	"context"
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/rollcallhq/rollcall/internal/app"
	"github.com/rollcallhq/rollcall/internal/operator"
	"github.com/rollcallhq/rollcall/internal/token"
)

type operatorCommands struct {
	Link   operatorLinkCommand   `cmd:"" help:"Print a link that signs an operator in to the dashboard: once, within 15 minutes."`
	List   operatorListCommand   `cmd:"" help:"List who may use the dashboard."`
	Remove operatorRemoveCommand `cmd:"" help:"Remove an operator, who is signed out at once."`
}

type operatorLinkCommand struct {
	app.Settings `embed:""`

	Email string `help:"Whom the link is for; somebody new becomes an operator. May be left out while there is one operator or none." placeholder:"ADDRESS"`
	Name  string `help:"Name of somebody new."`
	Role  string `help:"Role of somebody new: owner, admin or read_only. Without it admin; the first operator is the owner." placeholder:"ROLE" enum:",owner,admin,read_only" default:""`
}

// Run prints the link alone to standard output: it can be piped, and whom it is for stands beside.
func (c *operatorLinkCommand) Run(ctx context.Context, w world) error {
	secret := operator.NewSecret()
	answer, err := w.errand(ctx, &c.Settings, app.Errand{Verb: app.LinkErrand, Email: c.Email, Name: c.Name, Role: c.Role, Hash: token.HashOf(secret)})
	if err != nil {
		return err
	}
	who := "the first operator"
	if !answer.Asked.First {
		who = fmt.Sprintf("%s (%s)", answer.Asked.Operator.Email, answer.Asked.Operator.Role)
	}
	fmt.Fprintf(w.stderr, "Signs in %s, once, within %d minutes:\n", who, operator.CommandLinkLife/time.Minute)
	_, err = fmt.Fprintln(w.stdout, answer.Link(secret))
	return err
}

type operatorListCommand struct {
	app.Settings `embed:""`
}

// Run lists operators.
func (c *operatorListCommand) Run(ctx context.Context, w world) error {
	answer, err := w.errand(ctx, &c.Settings, app.Errand{Verb: app.ListErrand})
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(w.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "EMAIL\tNAME\tROLE\tPASSKEYS\tLAST SIGN-IN\tID")
	for _, o := range answer.Operators {
		last := "never"
		if !o.LastSignInAt.IsZero() {
			last = o.LastSignInAt.Format(time.RFC3339)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%d\t%s\t%s\n", o.Email, o.Name, o.Role, o.Passkeys, last, o.ID)
	}
	return table.Flush()
}

type operatorRemoveCommand struct {
	app.Settings `embed:""`

	Email string `arg:"" help:"Address of the operator."`
}

// Run removes an operator.
func (c *operatorRemoveCommand) Run(ctx context.Context, w world) error {
	if _, err := w.errand(ctx, &c.Settings, app.Errand{Verb: app.RemoveErrand, Email: c.Email}); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w.stderr, "%s is no operator any more.\n", c.Email)
	return err
}

// errand has something done about operators, by the server where one is running on the database.
func (w world) errand(ctx context.Context, s *app.Settings, e app.Errand) (app.ErrandAnswer, error) {
	cfg, err := app.Load(s, w.environ)
	if err != nil {
		return app.ErrandAnswer{}, err
	}
	answer, err := app.RunErrand(ctx, cfg, app.NewLogger(cfg, w.stderr), e)
	if err == nil && answer.Refusal != "" {
		err = errors.New(answer.Refusal)
	}
	return answer, err
}
