package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/rollcallhq/rollcall/internal/app"
)

type configCommands struct {
	Check configCheckCommand `cmd:"" help:"Report everything that is wrong with the configuration, and show what holds and where it comes from."`
}

type configCheckCommand struct {
	app.Settings `embed:""`
}

// Run prints the settings, secrets masked, also when some are wrong: seeing where a value came from is half the cure.
func (c *configCheckCommand) Run(w world) error {
	_, err := app.Load(&c.Settings, w.environ)
	if perr := printSettings(w.stdout, c.Settings.Effective()); perr != nil {
		return perr
	}
	for _, stray := range app.Strays(w.environ) {
		fmt.Fprintln(w.stderr, "note:", stray)
	}
	if err == nil {
		fmt.Fprintln(w.stderr, "The configuration is good.")
	}
	return err
}

func printSettings(w io.Writer, settings []app.Effective) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "SETTING\tVALUE\tFROM")
	for _, s := range settings {
		value := s.Value
		if value == "" {
			value = "-"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\n", s.Name, value, s.Origin)
	}
	return table.Flush()
}
