package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rollcallhq/rollcall/client"
)

type mappingCommands struct {
	Get     mappingGet     `cmd:"" aliases:"show" help:"Show what a directory or a connection gives its people."`
	Set     mappingSet     `cmd:"" help:"Replace it by a file, after telling who gains and loses. The people are looked at again."`
	Preview mappingPreview `cmd:"" help:"List who of a directory would gain and lose what by a file. Nothing is saved."`
}

func mappingColumns() []column[client.Mapping] {
	type m = client.Mapping
	return []column[m]{
		col("OF", func(x m) string { return x.SourceID }),
		col("VERSION", func(x m) string { return strconv.FormatInt(x.Version, 10) }),
		col("DRIVES ROLES", func(x m) string { return yesNo(x.DrivesRoles) }),
		col("DRIVES TEAMS", func(x m) string { return yesNo(x.DrivesTeams) }),
		col("DRIVES LICENCES", func(x m) string { return yesNo(x.DrivesLicences) }),
		col("TEAMS FOLLOW GROUPS", func(x m) string { return yesNo(x.TeamsFollowGroups) }),
		col("UPDATED", func(x m) string { return when(x.UpdatedAt) }),
	}
}

// ofConnection tells what an id names.
func ofConnection(source string) bool { return strings.HasPrefix(source, "conn_") }

type mappingGet struct {
	remote

	Source string `arg:"" help:"Id of the directory or the connection."`
}

// Run shows it, one rule a line below.
func (c *mappingGet) Run(ctx context.Context, w world) error {
	return c.call(w, func(api *client.Client) error {
		get := api.DirectoryMapping
		if ofConnection(c.Source) {
			get = api.ConnectionMapping
		}
		found, err := get(ctx, c.Source)
		if err != nil {
			return err
		}
		return showMapping(w, c.JSON, found)
	})
}

// showMapping counts the rules as refusals do.
func showMapping(w world, asJSON bool, m client.Mapping) error {
	if err := one(w, asJSON, m, mappingColumns()); err != nil || asJSON {
		return err
	}
	var rules []json.RawMessage
	if err := json.Unmarshal(m.Rules, &rules); err != nil {
		return fmt.Errorf("the rules cannot be read: %w", err)
	}
	for i, rule := range rules {
		if _, err := fmt.Fprintf(w.stdout, "RULE %d  %s\n", i+1, printable(string(rule))); err != nil {
			return err
		}
	}
	return nil
}

// mapping reads a mapping as "mapping get --json" writes one. The version of another source's mapping says nothing.
func (w world) mapping(name, source string) (client.MappingChange, error) {
	var m struct {
		client.MappingChange

		Object         string `json:"object"`
		OrganizationID string `json:"organization_id"`
		SourceID       string `json:"source_id"`
		CreatedAt      string `json:"created_at"`
		UpdatedAt      string `json:"updated_at"`
	}
	text, err := w.input(name)
	if err != nil {
		return m.MappingChange, err
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields() // a switch that is misspelt would be off
	if err := d.Decode(&m); err != nil {
		return m.MappingChange, usageError(fmt.Sprintf("%s is no mapping: %v; write it like \"rollcall mapping get --json\" does", name, err))
	}
	if d.More() {
		return m.MappingChange, usageError(name + " holds more than one mapping")
	}
	if m.SourceID != "" && m.SourceID != source {
		m.Version = nil
	}
	return m.MappingChange, nil
}

type mappingSet struct {
	remote
	certain

	Source string `arg:"" help:"Id of the directory or the connection."`
	File   string `arg:"" help:"JSON file, or - for the input: {\"drives_roles\":true,\"rules\":[…]}. What is left out is off. Its version, if it has one, must be the present one."`
	Wait   bool   `help:"Wait until everybody was looked at."`
}

// Run saves it, after it was shown how many people it changes.
func (c *mappingSet) Run(ctx context.Context, w world) error {
	m, err := w.mapping(c.File, c.Source)
	if err != nil {
		return err
	}
	return c.call(w, func(api *client.Client) error {
		if err := c.confirm(ctx, w, api, m); err != nil {
			return err
		}
		set := api.SetDirectoryMapping
		if ofConnection(c.Source) {
			set = api.SetConnectionMapping
		}
		saved, err := set(ctx, c.Source, m)
		if err != nil {
			return err
		}
		if err := showMapping(w, c.JSON, saved); err != nil {
			return err
		}
		if ofConnection(c.Source) {
			w.done(c.JSON, "People get what it gives at their next sign-in.")
			return nil
		}
		return followProgress(ctx, w, c.remote, api, c.Source, c.Wait)
	})
}

// confirm tells a person how many gain and lose by it.
func (c *mappingSet) confirm(ctx context.Context, w world, api *client.Client, m client.MappingChange) error {
	if !c.asks(w) {
		return c.ask(w, "Save the mapping of %s?", c.Source)
	}
	changed, losing := 0, 0
	for d, err := range previewed(ctx, api, c.Source, m) {
		if err != nil {
			return err
		}
		changed++
		if loses(d) {
			losing++
		}
	}
	if changed == 0 {
		return c.ask(w, "Nothing changes for anybody now. Save the mapping of %s?", c.Source)
	}
	return c.ask(w, "This changes %s, of whom %d lose a role, a licence or a team (\"rollcall mapping preview\" names them). Save it?",
		count(changed, "person", "people"), losing)
}

func loses(d client.MappingDifference) bool {
	return len(d.TeamsLost) > 0 || d.Role != nil && d.Role.Before != "" || d.Licence != nil && d.Licence.Before != ""
}

type mappingPreview struct {
	remote
	some

	Source string `arg:"" help:"Id of the directory, or of the connection: then of those who have signed in through it."`
	File   string `arg:"" help:"JSON file, or - for the input, as for \"mapping set\"."`
}

// Run lists those for whom anything changes.
func (c *mappingPreview) Run(ctx context.Context, w world) error {
	m, err := w.mapping(c.File, c.Source)
	if err != nil {
		return err
	}
	return c.call(w, func(api *client.Client) error {
		return list(w, c.JSON, c.Limit, previewed(ctx, api, c.Source, m), differenceColumns())
	})
}

func previewed(ctx context.Context, api *client.Client, source string, m client.MappingChange) iter.Seq2[client.MappingDifference, error] {
	if ofConnection(source) {
		return api.PreviewConnectionMapping(ctx, source, m)
	}
	return api.PreviewMapping(ctx, source, m)
}

func differenceColumns() []column[client.MappingDifference] {
	type d = client.MappingDifference
	return []column[d]{
		col("PERSON", func(x d) string { return cmp.Or(x.DirectoryUserID, x.ProfileID) }),
		col("EMAIL", func(x d) string { return x.Email }),
		col("ROLE", func(x d) string { return turned(x.Role) }),
		col("LICENCE", func(x d) string { return turned(x.Licence) }),
		col("TEAMS", func(x d) string {
			return strings.Join(append(teamNames("+", x.TeamsGained), teamNames("-", x.TeamsLost)...), ", ")
		}),
		col("ATTRIBUTES", func(x d) string {
			var out []string
			for _, name := range slices.Sorted(maps.Keys(x.Attributes)) {
				out = append(out, fmt.Sprintf("%s: %s → %s", name, orNone(string(x.Attributes[name].Before)), orNone(string(x.Attributes[name].After))))
			}
			return strings.Join(out, ", ")
		}),
		col("BECAUSE", because),
	}
}

// because names the reasons of what differs; the others are of what stays.
func because(x client.MappingDifference) string {
	var of []string
	if x.Role != nil {
		of = append(of, "role:"+x.Role.After)
	}
	if x.Licence != nil {
		of = append(of, "licence:"+x.Licence.After)
	}
	for _, t := range x.TeamsGained {
		of = append(of, "team:"+t.ID)
	}
	for _, name := range slices.Sorted(maps.Keys(x.Attributes)) {
		of = append(of, "attribute:"+name, strings.Replace(name, "profile.", "profile:", 1))
	}
	var out []string
	for _, name := range of {
		if why := x.Why[name]; why != "" && !slices.Contains(out, why) {
			out = append(out, why)
		}
	}
	return strings.Join(out, "; ")
}

func turned(c *client.Change) string {
	if c == nil {
		return ""
	}
	return orNone(c.Before) + " → " + orNone(c.After)
}

func orNone(text string) string {
	if text == "" || text == "null" {
		return "none"
	}
	return text
}

func teamNames(sign string, teams []client.MappedTeam) []string {
	var out []string
	for _, t := range teams {
		out = append(out, sign+t.Name)
	}
	return out
}

// progressEvery is how often a person who waits is told.
const progressEvery = time.Second

// followProgress tells how far members are with what a directory says, and with wait until they are.
func followProgress(ctx context.Context, w world, r remote, api *client.Client, directoryID string, wait bool) error {
	told := ""
	for {
		p, err := api.Provisioning(ctx, directoryID)
		if err != nil {
			return err
		}
		if now := progressOf(p); now != told {
			told = now
			w.done(r.JSON, "%s", now)
		}
		if !wait || p.State == "up_to_date" {
			return nil
		}
		select {
		case <-ctx.Done():
			return hinted{errors.New("nobody waits any more, and it goes on"), "\"rollcall directory progress\" says how far it is."}
		case <-time.After(progressEvery):
		}
	}
}

func progressOf(p client.Provisioning) string {
	if p.State == "up_to_date" {
		return "Members are as the directory says."
	}
	return fmt.Sprintf("Members follow the directory: %d of %s done.", p.Done, count(p.Total, "person", "people"))
}
