package main

import (
	"context"
	"strconv"

	"github.com/rollcallhq/rollcall/client"
)

type switchCommands struct {
	List       switchList       `cmd:"" help:"List an organization's switches."`
	Create     switchCreate     `cmd:"" help:"Begin one: the new connection can be tested, the new directory collects, nobody notices."`
	Get        switchGet        `cmd:"" help:"Show one, with how many are matched."`
	People     switchPeople     `cmd:"" help:"List who is who."`
	Groups     switchGroups     `cmd:"" help:"List which group is which."`
	MatchUser  switchMatchUser  `cmd:"" help:"Say by hand who somebody is in the new directory."`
	MatchGroup switchMatchGroup `cmd:"" help:"Say by hand which group a group is in the new directory."`
	CutOver    switchCutOver    `cmd:"" help:"Let the new identity provider rule in the place of the old one."`
	Revert     switchRevert     `cmd:"" help:"Let the old one rule again, within 14 days."`
	Cancel     switchCancel     `cmd:"" help:"Give one up before its cut-over."`
}

func switchColumns() []column[client.Switch] {
	type s = client.Switch
	return []column[s]{
		col("ID", func(x s) string { return x.ID }),
		col("STATE", func(x s) string { return x.State }),
		col("MATCHED", func(x s) string { return strconv.Itoa(x.People.Matched) }),
		col("UNMATCHED", func(x s) string { return strconv.Itoa(x.People.Unmatched) }),
		col("AMBIGUOUS", func(x s) string { return strconv.Itoa(x.People.Ambiguous) }),
		col("ONLY NEW", func(x s) string { return strconv.Itoa(x.People.OnlyNew) }),
		col("LEAVING", func(x s) string { return strconv.Itoa(x.Leaving) }),
		col("GROUPS LOST", func(x s) string { return strconv.Itoa(x.GroupsLost) }),
		col("REVERTIBLE UNTIL", func(x s) string { return when(x.RevertibleUntil) }),
		wide("FROM", func(x s) string { return side(x.From) }),
		wide("TO", func(x s) string { return side(x.To) }),
		wide("CREATED", func(x s) string { return when(x.CreatedAt) }),
	}
}

func side(s client.SwitchSide) string {
	if s.ConnectionID == "" || s.DirectoryID == "" {
		return s.ConnectionID + s.DirectoryID
	}
	return s.ConnectionID + ", " + s.DirectoryID
}

func matchColumns() []column[client.SwitchMatch] {
	type m = client.SwitchMatch
	entry := func(e *client.SwitchEntry, of func(client.SwitchEntry) string) string {
		if e == nil {
			return ""
		}
		return of(*e)
	}
	id := func(e client.SwitchEntry) string { return e.ID }
	called := func(e client.SwitchEntry) string {
		if e.UserName != "" {
			return e.UserName
		}
		if e.Email != "" {
			return e.Email
		}
		return e.Name
	}
	return []column[m]{
		col("MATCH", func(x m) string { return x.Match }),
		col("OLD", func(x m) string { return entry(x.Old, called) }),
		col("NEW", func(x m) string { return entry(x.New, called) }),
		col("FOUND BY", func(x m) string { return x.FoundBy }),
		col("OLD ID", func(x m) string { return entry(x.Old, id) }),
		wide("NEW ID", func(x m) string { return entry(x.New, id) }),
		wide("MEMBERSHIP", func(x m) string { return x.MembershipID }),
	}
}

type switchList struct {
	remote
	some

	Organization string `arg:"" help:"Id of the organization."`
}

// Run lists.
func (c *switchList) Run(ctx context.Context, w world) error {
	return c.call(w, func(api *client.Client) error {
		return list(w, c.JSON, c.Limit, api.Switches(ctx, c.Organization, client.Listing{}), switchColumns())
	})
}

type switchCreate struct {
	remote

	Organization   string `arg:"" help:"Id of the organization."`
	FromConnection string `placeholder:"ID" help:"The connection that goes."`
	ToConnection   string `placeholder:"ID" help:"The connection that comes."`
	FromDirectory  string `placeholder:"ID" help:"The directory that goes."`
	ToDirectory    string `placeholder:"ID" help:"The directory that comes; it collects."`
}

// Run begins one.
func (c *switchCreate) Run(ctx context.Context, w world) error {
	return c.call(w, func(api *client.Client) error {
		made, err := api.CreateSwitch(ctx, c.Organization, client.SwitchSide{ConnectionID: c.FromConnection, DirectoryID: c.FromDirectory},
			client.SwitchSide{ConnectionID: c.ToConnection, DirectoryID: c.ToDirectory})
		if err != nil {
			return err
		}
		return one(w, c.JSON, made, switchColumns())
	})
}

type switchNamed struct {
	Organization string `arg:"" help:"Id of the organization."`
	ID           string `arg:"" help:"Id of the switch."`
}

type switchGet struct {
	remote
	switchNamed
}

// Run shows it.
func (c *switchGet) Run(ctx context.Context, w world) error {
	return c.call(w, func(api *client.Client) error {
		found, err := api.Switch(ctx, c.Organization, c.ID)
		if err != nil {
			return err
		}
		return one(w, c.JSON, found, switchColumns())
	})
}

type switchMatching struct {
	Match string `placeholder:"WHICH" help:"Only those: matched, unmatched, ambiguous, only_new."`
}

type switchPeople struct {
	remote
	some
	switchNamed
	switchMatching
}

// Run lists.
func (c *switchPeople) Run(ctx context.Context, w world) error {
	return c.call(w, func(api *client.Client) error {
		found := api.SwitchPeople(ctx, c.Organization, c.ID, client.SwitchMatchQuery{Match: c.Match})
		return list(w, c.JSON, c.Limit, found, matchColumns())
	})
}

type switchGroups struct {
	remote
	some
	switchNamed
	switchMatching
}

// Run lists.
func (c *switchGroups) Run(ctx context.Context, w world) error {
	return c.call(w, func(api *client.Client) error {
		found := api.SwitchGroups(ctx, c.Organization, c.ID, client.SwitchMatchQuery{Match: c.Match})
		return list(w, c.JSON, c.Limit, found, matchColumns())
	})
}

type switchCounterpart struct {
	Old string `arg:"" help:"Id on the old side."`
	New string `arg:"" optional:"" help:"Id in the new directory. Without it: nobody."`
}

type switchMatchUser struct {
	remote
	switchNamed
	switchCounterpart
}

// Run says who it is.
func (c *switchMatchUser) Run(ctx context.Context, w world) error {
	return c.call(w, func(api *client.Client) error {
		set, err := api.SetSwitchPerson(ctx, c.Organization, c.ID, c.Old, c.New)
		if err != nil {
			return err
		}
		return one(w, c.JSON, set, matchColumns())
	})
}

type switchMatchGroup struct {
	remote
	switchNamed
	switchCounterpart
}

// Run says which it is.
func (c *switchMatchGroup) Run(ctx context.Context, w world) error {
	return c.call(w, func(api *client.Client) error {
		set, err := api.SetSwitchGroup(ctx, c.Organization, c.ID, c.Old, c.New)
		if err != nil {
			return err
		}
		return one(w, c.JSON, set, matchColumns())
	})
}

type switchCutOver struct {
	remote
	certain
	switchNamed

	ExpectedUnmatched  *int `placeholder:"NUMBER" help:"How many people are unmatched or ambiguous."`
	ExpectedGroupsLost *int `placeholder:"NUMBER" help:"How many groups without a counterpart give something."`
	ExpectedLeaving    *int `placeholder:"NUMBER" help:"How many people who are in will be out."`
}

// Run cuts over, after it was asked.
func (c *switchCutOver) Run(ctx context.Context, w world) error {
	return c.call(w, func(api *client.Client) error {
		if err := c.ask(w, "Cut %s over to its new identity provider?", c.Organization); err != nil {
			return err
		}
		expected := client.CutOver{Unmatched: c.ExpectedUnmatched, GroupsLost: c.ExpectedGroupsLost, Leaving: c.ExpectedLeaving}
		done, err := api.CutOverSwitch(ctx, c.Organization, c.ID, expected)
		if err != nil {
			return err
		}
		return one(w, c.JSON, done, switchColumns())
	})
}

type switchRevert struct {
	remote
	certain
	switchNamed
}

// Run reverts, after it was asked.
func (c *switchRevert) Run(ctx context.Context, w world) error {
	return c.call(w, func(api *client.Client) error {
		if err := c.ask(w, "Let the former identity provider of %s rule again?", c.Organization); err != nil {
			return err
		}
		done, err := api.RevertSwitch(ctx, c.Organization, c.ID)
		if err != nil {
			return err
		}
		return one(w, c.JSON, done, switchColumns())
	})
}

type switchCancel struct {
	remote
	switchNamed
}

// Run cancels. Another can be begun at once, so nobody is asked.
func (c *switchCancel) Run(ctx context.Context, w world) error {
	return c.call(w, func(api *client.Client) error {
		done, err := api.CancelSwitch(ctx, c.Organization, c.ID)
		if err != nil {
			return err
		}
		return one(w, c.JSON, done, switchColumns())
	})
}
