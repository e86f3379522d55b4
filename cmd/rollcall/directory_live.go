package main

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/rollcallhq/rollcall/client"
)

type directoryPreview struct {
	remote
	some

	ID           string `arg:"" help:"Its id."`
	Provisioning string `placeholder:"MODE" help:"As if it were invite, direct or existing_only. Without it, as it is."`
}

// Run lists what would become of everybody, and says how many of each.
func (c *directoryPreview) Run(ctx context.Context, w world) error {
	return c.call(w, func(api *client.Client) error {
		tally := outcomes{}
		found := tally.counting(api.PreviewProvisioning(ctx, c.ID, c.Provisioning, client.Listing{}))
		if err := list(w, c.JSON, c.Limit, found, foreseenColumns()); err != nil {
			return err
		}
		if len(tally) > 0 && c.Limit == 0 {
			w.done(c.JSON, "%s.", tally)
		}
		return nil
	})
}

func foreseenColumns() []column[client.Foreseen] {
	type f = client.Foreseen
	return []column[f]{
		col("PERSON", func(x f) string { return x.DirectoryUserID }),
		col("EMAIL", func(x f) string { return x.Email }),
		col("NAME", func(x f) string { return x.Name }),
		col("DIRECTORY SAYS", func(x f) string { return x.Says }),
		col("WOULD BE", func(x f) string { return outcomeWord(x.Outcome) }),
	}
}

// outcomeWord says what an outcome means where its name alone does not.
func outcomeWord(outcome string) string {
	switch outcome {
	case "stored":
		return "stored (no member)"
	case "no_email":
		return "stored (no usable address)"
	case "not_existing":
		return "stored (no account to link)"
	case "refused":
		return "refused (no licence left)"
	}
	return outcome
}

// outcomes counts them.
type outcomes map[string]int

func (o outcomes) counting(items iter.Seq2[client.Foreseen, error]) iter.Seq2[client.Foreseen, error] {
	return only(items, func(f client.Foreseen) bool {
		o[outcomeWord(f.Outcome)]++
		return true
	})
}

// String has the most frequent first.
func (o outcomes) String() string {
	var parts []string
	total := 0
	for word, n := range o {
		parts = append(parts, word)
		total += n
	}
	slices.SortFunc(parts, func(a, b string) int {
		if o[a] != o[b] {
			return o[b] - o[a]
		}
		return strings.Compare(a, b)
	})
	for i, word := range parts {
		parts[i] = fmt.Sprintf("%d %s", o[word], word)
	}
	return fmt.Sprintf("Of %s: %s", count(total, "person", "people"), strings.Join(parts, ", "))
}

type directoryGoLive struct {
	remote
	certain

	ID   string `arg:"" help:"Its id."`
	Wait bool   `help:"Wait until everybody was looked at."`
}

// Run lets members follow the directory, after it was shown what becomes of whom.
func (c *directoryGoLive) Run(ctx context.Context, w world) error {
	return c.call(w, func(api *client.Client) error {
		if err := c.confirm(ctx, w, api); err != nil {
			return err
		}
		live, err := api.GoLive(ctx, c.ID)
		if err != nil {
			return err
		}
		if err := one(w, c.JSON, live, directoryColumns()); err != nil {
			return err
		}
		return followProgress(ctx, w, c.remote, api, c.ID, c.Wait)
	})
}

func (c *directoryGoLive) confirm(ctx context.Context, w world, api *client.Client) error {
	if !c.asks(w) {
		return nil
	}
	found, err := api.Directory(ctx, c.ID)
	if err != nil || found.Live {
		return err // asking again is harmless
	}
	tally := outcomes{}
	for _, err := range tally.counting(api.PreviewProvisioning(ctx, c.ID, "", client.Listing{})) {
		if err != nil {
			return err
		}
	}
	return c.ask(w, "%s. Invitations are mailed. Let members follow the directory %q from now on?", tally, found.Name)
}

type directoryProgress struct {
	remote

	ID   string `arg:"" help:"Its id."`
	Wait bool   `help:"Wait until everybody was looked at."`
}

// Run tells how far members are.
func (c *directoryProgress) Run(ctx context.Context, w world) error {
	return c.call(w, func(api *client.Client) error {
		if c.Wait {
			return followProgress(ctx, w, c.remote, api, c.ID, true)
		}
		found, err := api.Provisioning(ctx, c.ID)
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(w.stdout, found)
		}
		_, err = fmt.Fprintln(w.stdout, progressOf(found))
		return err
	})
}
