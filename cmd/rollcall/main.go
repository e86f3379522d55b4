// Command rollcall is a server for enterprise sign-in and directory sync with a WorkOS-compatible API.
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
	exitLater  = 3 // the server cannot be reached or is busy; trying again later may help
)

type commands struct {
	Serve    serveCommand     `cmd:"" group:"run" help:"Run the server."`
	Migrate  migrateCommand   `cmd:"" group:"run" help:"Bring the database's schema up to date and exit. serve does so by itself."`
	Backup   backupCommand    `cmd:"" group:"run" help:"Back up the database to a file while the server runs. The file restores into either engine."`
	Restore  restoreCommand   `cmd:"" group:"run" help:"Fill a new, empty database from a backup."`
	Operator operatorCommands `cmd:"" group:"run" help:"Who may use the dashboard, on the machine of the server: link, list, remove."`
	Config   configCommands   `cmd:"" group:"run" help:"Look at the configuration: config check."`

	Organization   organizationCommands   `cmd:"" group:"ask" help:"Your customers: list, get, create, update, delete, features."`
	Domain         domainCommands         `cmd:"" group:"ask" help:"Their email domains: add, get, verify, delete."`
	Directory      directoryCommands      `cmd:"" group:"ask" help:"Where identity providers write: list, get, create, update, delete, preview, go-live, progress."`
	Token          tokenCommands          `cmd:"" group:"ask" help:"What opens a directory to its provider: list, create, revoke."`
	DirectoryUser  directoryUserCommands  `cmd:"" group:"ask" help:"People of directories: list, get, erase."`
	DirectoryGroup directoryGroupCommands `cmd:"" group:"ask" help:"Groups of directories: list, get."`
	Exchange       exchangeCommands       `cmd:"" group:"ask" help:"What providers asked and what it did: list."`
	User           userCommands           `cmd:"" group:"ask" help:"Accounts: list, get, create, update, delete, identities."`
	Member         memberCommands         `cmd:"" group:"ask" help:"Who is in an organization, and why: list, get, why, add, update, deactivate, reactivate, remove."`
	Invitation     invitationCommands     `cmd:"" group:"ask" help:"Who is asked in: list, get, send, accept, resend, revoke."`
	Session        sessionCommands        `cmd:"" group:"ask" help:"Where people are signed in: list, revoke."`
	Role           roleCommands           `cmd:"" group:"ask" help:"What members may do: list, get, create, update, delete, set-permissions, add-permission, remove-permission."`
	Permission     permissionCommands     `cmd:"" group:"ask" help:"What the app asks for: list, get, create, update, delete."`
	Team           teamCommands           `cmd:"" group:"ask" help:"Sets of members: list, get, create, update, delete, members, add, remove."`
	Licence        licenceCommands        `cmd:"" group:"ask" help:"What organizations have bought: list, get, create, update, delete, assign, release."`
	Mapping        mappingCommands        `cmd:"" group:"ask" help:"What directories and connections give their people: get, set, preview."`
	Connection     connectionCommands     `cmd:"" group:"ask" help:"How people sign in: list, get, create, update, test, activate, deactivate, delete, refresh-metadata, approve-metadata."`
	Certificate    certificateCommands    `cmd:"" group:"ask" help:"What their identity providers sign with: list, add, delete."`
	Policy         policyCommands         `cmd:"" group:"ask" help:"Who may come in to an organization, and how: get, set, left-out, end-sessions, delete-identity-provider."`
	Contact        contactCommands        `cmd:"" group:"ask" help:"Whom we write to about an identity provider, and links into its portal: list, add, remove, send-link, link."`
	BreakGlass     breakGlassCommands     `cmd:"" name:"break-glass" group:"ask" help:"Whom a policy does not bind for a while: list, add, revoke."`
	SignIn         signInCommands         `cmd:"" name:"sign-in" group:"ask" help:"Who signed in or was refused, and why: list, get."`
	Application    applicationCommands    `cmd:"" group:"ask" help:"Apps that people sign in to: list, get, create, update, delete, logout-deliveries, gap."`
	ClientSecret   clientSecretCommands   `cmd:"" group:"ask" help:"What apps prove themselves with: list, create, delete."`
	RedirectURI    redirectURICommands    `cmd:"" name:"redirect-uri" group:"ask" help:"Where the default application's sign-ins end: list, add, delete."`
	SigningKey     signingKeyCommands     `cmd:"" group:"ask" help:"What tokens are signed with: list, rotate."`
	Event          eventCommands          `cmd:"" group:"ask" help:"What happened: list, tail, snapshot, acknowledge, mirror."`
	Consumer       consumerCommands       `cmd:"" group:"ask" help:"Readers of the log: list, get, create, acknowledge, delete."`
	Audit          auditCommand           `cmd:"" group:"ask" help:"List every change with who or what caused it, or write all as CSV or JSON lines."`
	Access         accessCommand          `cmd:"" group:"ask" help:"List who has access to an organization, or had it at a time."`
	Offboarding    offboardingCommands    `cmd:"" group:"ask" help:"How access ended, and how long it took: list, get, receipt, export."`
	Webhook        webhookCommands        `cmd:"" group:"ask" help:"Where events are sent: list, get, create, update, delete, rotate-secret, deliveries, replay."`
	APIKey         apiKeyCommands         `cmd:"" name:"api-key" group:"ask" help:"Keys of organizations: list, create, expire, delete."`

	Simulate simulateCommand `cmd:"" group:"try" help:"Play an identity provider's SCIM client against any server."`

	Completion completionCommand `cmd:"" group:"self" help:"Print a script that completes commands in bash, zsh or fish."`
	Complete   completeCommand   `cmd:"" name:"__complete" hidden:"" passthrough:""`
	Version    versionCommand    `cmd:"" group:"self" help:"Print the version."`
}

// world is what a command sees of its surroundings; tests give their own.
type world struct {
	environ []string
	stdin   io.Reader
	stdout  io.Writer // what was asked for
	stderr  io.Writer // everything else: greetings, the log, complaints
	hangup  <-chan os.Signal

	interactive bool // a person sits at a terminal and can be asked
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// After the first signal the second one kills at once.
	context.AfterFunc(ctx, stop)
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	code := run(ctx, world{
		environ: os.Environ(), stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, hangup: hangup,
		interactive: terminal(os.Stdin) && terminal(os.Stderr),
	}, os.Args[1:])
	stop()
	os.Exit(code)
}

// run runs one command and gives the exit code; the command stops when ctx ends.
func run(ctx context.Context, w world, args []string) int {
	exited := -1
	parser, err := newParser(w, func(code int) { exited = code })
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
	command.Bind(parser)
	return w.conclude(command.Run(w))
}

func newParser(w world, exit func(int)) (*kong.Kong, error) {
	return kong.New(&commands{},
		kong.Name("rollcall"),
		kong.Description("Single sign-on and directory sync for your app: SAML, OpenID Connect and SCIM 2.0 with a WorkOS-compatible API. Not affiliated with WorkOS.\n\n"+
			"Every setting of the server may be a flag, a variable or a line of the file named by --config; \"rollcall serve --help\" lists them."),
		kong.Writers(w.stdout, w.stderr),
		kong.Exit(exit),
		kong.ValueFormatter(app.HelpText),
		kong.ExplicitGroups([]kong.Group{
			{Key: "run", Title: "The server:"},
			{Key: "ask", Title: "Asking a server (--url or ROLLCALL_URL, --api-key or ROLLCALL_API_KEY; --json for programs):"},
			{Key: "try", Title: "Trying a server (--url or ROLLCALL_SCIM_URL, --token-file or ROLLCALL_SCIM_TOKEN):"},
			{Key: "self", Title: "This program:"},
		}),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 110, NoExpandSubcommands: true}),
	)
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
		return w.complainAbout(err)
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
