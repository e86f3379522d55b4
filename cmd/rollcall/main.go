// Command rollcall is a SCIM 2.0 directory-sync server with a WorkOS-compatible API.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/rollcallhq/rollcall/internal/app"
)

// Exit codes: what a script or a service manager can act on.
const (
	exitOK     = 0
	exitFailed = 1 // it was tried and did not work
	exitUsage  = 2 // the command line or the configuration is wrong; trying again will not help
)

type commands struct {
	Serve   serveCommand   `cmd:"" help:"Run the server."`
	Migrate migrateCommand `cmd:"" help:"Bring the database's schema up to date and exit. serve does so by itself."`
	Backup  backupCommand  `cmd:"" help:"Back up the database to a file while the server runs. The file restores into either engine."`
	Restore restoreCommand `cmd:"" help:"Fill a new, empty database from a backup."`
	Config  configCommands `cmd:"" help:"Look at the configuration."`
	Version versionCommand `cmd:"" help:"Print the version."`
}

// world is what a command sees of its surroundings; tests give their own.
type world struct {
	environ []string
	stdout  io.Writer // what was asked for
	stderr  io.Writer // everything else: greetings, the log, complaints
	hangup  <-chan os.Signal
	stdin   io.Reader
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// After the first signal the second one kills at once.
	context.AfterFunc(ctx, stop)
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	code := run(ctx, world{environ: os.Environ(), stdout: os.Stdout, stderr: os.Stderr, hangup: hangup, stdin: os.Stdin}, os.Args[1:])
	stop()
	os.Exit(code)
}

// run runs one command and gives the exit code; the command stops when ctx ends.
func run(ctx context.Context, w world, args []string) int {
	exited := -1
	parser, err := kong.New(&commands{},
		kong.Name("rollcall"),
		kong.Description("Directory sync for your app: a SCIM 2.0 server with a WorkOS-compatible API. Not affiliated with WorkOS.\n\n"+
			"Every setting may be a flag, a variable or a line of the file named by --config; \"rollcall serve --help\" lists them."),
		kong.Writers(w.stdout, w.stderr),
		kong.Exit(func(code int) { exited = code }),
		kong.ValueFormatter(app.HelpText),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 110}),
	)
	if err != nil {
		fmt.Fprintln(w.stderr, "rollcall:", err)
		return exitFailed
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	command, err := parser.Parse(args)
	if exited >= 0 {
		return exited
	}
	if err != nil {
		fmt.Fprintf(w.stderr, "rollcall: %v\n\n\"rollcall --help\" shows what there is.\n", err)
		return exitUsage
	}
	command.BindTo(ctx, (*context.Context)(nil))
	return w.conclude(command.Run(w))
}

// conclude reports a command's error and says how to exit.
func (w world) conclude(err error) int {
	var faults app.Faults
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &faults):
		w.complain(faults)
		return exitUsage
	default:
		fmt.Fprintln(w.stderr, "rollcall:", err)
		return exitFailed
	}
}

func (w world) complain(faults app.Faults) {
	noun := "settings are"
	if len(faults) == 1 {
		noun = "setting is"
	}
	fmt.Fprintf(w.stderr, "rollcall: %d %s wrong:\n", len(faults), noun)
	for _, f := range faults {
		fmt.Fprintf(w.stderr, "  %s\n", f)
	}
}
