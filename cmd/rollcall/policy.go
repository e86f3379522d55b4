package main

import (
	"context"
	"strings"
	"time"

	"github.com/rollcallhq/rollcall/client"
)

type policyCommands struct {
	Get                    policyGet            `cmd:"" aliases:"show" help:"Show who may come in to an organization, and how."`
	Set                    policySet            `cmd:"" help:"Change it."`
	LeftOut                policyLeftOut        `cmd:"" help:"List who might not get in if single sign-on was required, or without the identity provider."`
	EndSessions            policyEndSessions    `cmd:"" help:"End all sessions of an organization, or of one member, at once."`
	DeleteIdentityProvider policyDeleteProvider `cmd:"" help:"Take an organization's connections and directories away; its people stay."`
}

func policyColumns() []column[client.Policy] {
	type p = client.Policy
	return []column[p]{
		col("ORGANIZATION", func(x p) string { return x.OrganizationID }),
		col("SSO", func(x p) string { return x.SSO }),
		col("OPTIONAL UNTIL", func(x p) string { return when(x.OptionalUntil) }),
		col("NOW", func(x p) string { return x.SSOState }),
		col("JIT", func(x p) string { return x.JITInForce }),
		col("IDLE", func(x p) string { return life(x.SessionIdleSeconds) }),
		col("LIFE", func(x p) string { return life(x.SessionLifeSeconds) }),
		wide("UPDATED", func(x p) string { return when(x.UpdatedAt) }),
	}
}

// life is how long a session lives; what is not set is the installation's.
func life(seconds int) string {
	if seconds == 0 {
		return ""
	}
	return (time.Duration(seconds) * time.Second).String()
}

type policyGet struct {
	remote

	ID string `arg:"" help:"Id of the organization."`
}

// Run shows it.
func (c *policyGet) Run(ctx context.Context, w world) error {
	return c.call(w, func(api *client.Client) error {
		found, err := api.Policy(ctx, c.ID)
		if err != nil {
			return err
		}
		return one(w, c.JSON, found, policyColumns())
	})
}

type policySet struct {
	remote

	ID            string         `arg:"" help:"Id of the organization."`
	SSO           *string        `name:"sso" placeholder:"POLICY" help:"required_for_all, required_for_primary_members or optional."`
	OptionalUntil *moment        `placeholder:"TIME" help:"Single sign-on is optional until then: a time, a day, or a duration like 14d."`
	Jit           *string        `placeholder:"WHO" help:"Who is created just in time: directory, verified_domain, off; empty for the default."`
	Idle          *time.Duration `placeholder:"DURATION" help:"A session ends unused after it; 0 for the installation's."`
	Life          *time.Duration `placeholder:"DURATION" help:"A session ends after it in any case; 0 for the installation's."`
	Confirm       *int           `placeholder:"NUMBER" help:"How many people would be left without a way in, as the refusal says."`
}

// Run changes what is named.
func (c *policySet) Run(ctx context.Context, w world) error {
	change := client.PolicyChange{SSO: c.SSO, JIT: c.Jit, SessionIdleSeconds: seconds(c.Idle), SessionLifeSeconds: seconds(c.Life), Confirm: c.Confirm}
	if c.OptionalUntil != nil {
		change.OptionalUntil = &c.OptionalUntil.Time
	}
	return c.call(w, func(api *client.Client) error {
		changed, err := api.SetPolicy(ctx, c.ID, change)
		if err != nil {
			return err
		}
		return one(w, c.JSON, changed, policyColumns())
	})
}

func seconds(d *time.Duration) *int {
	if d == nil {
		return nil
	}
	n := int(d.Seconds())
	return &n
}

type policyLeftOut struct {
	remote
	some

	ID         string `arg:"" help:"Id of the organization."`
	SSO        string `name:"sso" placeholder:"POLICY" help:"As this policy would have it: required_for_all, required_for_primary_members."`
	Connection string `placeholder:"ID" help:"Through this connection. Without it: any that lets people in."`
	Without    string `placeholder:"WHAT" help:"identity_provider: who could not come in if that was deleted, pending people too. Goes with neither of the others."`
}

// Run lists.
func (c *policyLeftOut) Run(ctx context.Context, w world) error {
	type l = client.LeftOutMember
	return c.call(w, func(api *client.Client) error {
		found := api.LeftOut(ctx, c.ID, client.LeftOutQuery{SSO: c.SSO, ConnectionID: c.Connection, Without: c.Without})
		return list(w, c.JSON, c.Limit, found, []column[l]{
			col("MEMBERSHIP", func(x l) string { return x.MembershipID }),
			wide("USER", func(x l) string { return x.UserID }),
			col("EMAIL", func(x l) string { return x.Email }),
			col("NAME", func(x l) string { return x.Name }),
			col("WHY", func(x l) string { return strings.Join(x.Reasons, ", ") }),
		})
	})
}

type policyEndSessions struct {
	remote
	certain

	ID   string `arg:"" help:"Id of the organization."`
	User string `placeholder:"ID" help:"Only those of this member."`
}

// Run ends them, after it was asked.
func (c *policyEndSessions) Run(ctx context.Context, w world) error {
	return c.call(w, func(api *client.Client) error {
		whose := "everybody"
		if c.User != "" {
			whose = c.User
		}
		if err := c.ask(w, "Sign %s out of %s at once?", whose, c.ID); err != nil {
			return err
		}
		n, err := api.EndSessions(ctx, c.ID, c.User)
		if err != nil {
			return err
		}
		w.done(c.JSON, "%d sessions are ended.", n)
		return nil
	})
}

type policyDeleteProvider struct {
	remote
	certain

	ID      string `arg:"" help:"Id of the organization."`
	Confirm *int   `placeholder:"NUMBER" help:"How many people would be left without a way in, as the refusal says."`
}

// Run deletes it, after it was asked.
func (c *policyDeleteProvider) Run(ctx context.Context, w world) error {
	return c.call(w, func(api *client.Client) error {
		found, err := api.Organization(ctx, c.ID)
		if err != nil {
			return err
		}
		if err := c.ask(w, "Delete the connections and directories of %q?", found.Name); err != nil {
			return err
		}
		if err := api.DeleteIdentityProvider(ctx, c.ID, c.Confirm); err != nil {
			return err
		}
		w.done(c.JSON, "The identity provider of %s is deleted. Its people are still there.", c.ID)
		return nil
	})
}

type breakGlassCommands struct {
	List   breakGlassList   `cmd:"" help:"List those of an organization."`
	Add    breakGlassAdd    `cmd:"" help:"Name one, with reason and end."`
	Revoke breakGlassRevoke `cmd:"" help:"Bind one by the policy again, at once."`
}

func breakGlassColumns() []column[client.BreakGlassUser] {
	type b = client.BreakGlassUser
	return []column[b]{
		col("USER", func(x b) string { return x.UserID }),
		col("REASON", func(x b) string { return x.Reason }),
		col("UNTIL", func(x b) string { return when(x.ExpiresAt) }),
		col("NAMED BY", func(x b) string { return x.NamedBy }),
		wide("SINCE", func(x b) string { return when(x.CreatedAt) }),
	}
}

type breakGlassList struct {
	remote
	some

	ID string `arg:"" help:"Id of the organization."`
}

// Run lists.
func (c *breakGlassList) Run(ctx context.Context, w world) error {
	return c.call(w, func(api *client.Client) error {
		return list(w, c.JSON, c.Limit, api.BreakGlassUsers(ctx, c.ID), breakGlassColumns())
	})
}

type breakGlassAdd struct {
	remote

	ID     string `arg:"" help:"Id of the organization."`
	User   string `arg:"" help:"Id of the member's account: user_…."`
	Reason string `required:"" placeholder:"TEXT" help:"Why they may come in without the identity provider."`
	Until  moment `required:"" placeholder:"TIME" help:"A time, a day, or a duration like 7d; 30 days at most."`
}

// Run names one.
func (c *breakGlassAdd) Run(ctx context.Context, w world) error {
	return c.call(w, func(api *client.Client) error {
		made, err := api.NameBreakGlassUser(ctx, c.ID, c.User, c.Reason, c.Until.Time)
		if err != nil {
			return err
		}
		return one(w, c.JSON, made, breakGlassColumns())
	})
}

type breakGlassRevoke struct {
	remote

	ID   string `arg:"" help:"Id of the organization."`
	User string `arg:"" help:"Id of the member's account."`
}

// Run revokes one. Naming them again undoes it, so nobody is asked.
func (c *breakGlassRevoke) Run(ctx context.Context, w world) error {
	return c.call(w, func(api *client.Client) error {
		if err := api.RevokeBreakGlassUser(ctx, c.ID, c.User); err != nil {
			return err
		}
		w.done(c.JSON, "%s is bound by the policy again.", c.User)
		return nil
	})
}
