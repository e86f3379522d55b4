package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"syscall"

	"github.com/rollcallhq/rollcall/client"
)

const (
	defaultURL  = "http://127.0.0.1:8080"
	urlVariable = "ROLLCALL_URL"
	keyVariable = "ROLLCALL_API_KEY"
)

// remote is what every command has that asks a server.
type remote struct {
	URL    string `name:"url" placeholder:"URL" help:"The server. Default: http://127.0.0.1:8080. ($ROLLCALL_URL)"`
	APIKey string `name:"api-key" placeholder:"KEY" help:"The management key. The variable keeps it out of the list of processes. ($ROLLCALL_API_KEY)"`
	JSON   bool   `name:"json" help:"Print the API's JSON, one object a line, also for lists."`
}

// usageError is a command line that cannot work whatever the server says.
type usageError string

func (e usageError) Error() string { return string(e) }

// lookup reads a variable of the world, not of the process.
func (w world) lookup(name string) string {
	for i := len(w.environ) - 1; i >= 0; i-- { // the last one counts
		if value, ok := strings.CutPrefix(w.environ[i], name+"="); ok {
			return value
		}
	}
	return ""
}

// client makes the client; a flag counts more than its variable.
func (r remote) client(w world) (*client.Client, error) {
	url, key := r.URL, r.APIKey
	if url == "" {
		url = w.lookup(urlVariable)
	}
	if url == "" {
		url = defaultURL
	}
	if key == "" {
		key = w.lookup(keyVariable)
	}
	if key == "" {
		return nil, usageError("no management key: put it into " + keyVariable + " or give --api-key; the server's first start prints it")
	}
	c, err := client.New(url, strings.TrimSpace(key), client.WithUserAgent("rollcall/"+version))
	if err != nil {
		return nil, usageError(err.Error())
	}
	return c, nil
}

// call runs an action with a client. Commands stay short by it.
func (r remote) call(w world, act func(*client.Client) error) error {
	c, err := r.client(w)
	if err != nil {
		return err
	}
	return act(c)
}

// answered shows the one thing that a call gives.
func answered[T object](r remote, w world, columns []column[T], act func(*client.Client) (T, error)) error {
	return r.call(w, func(api *client.Client) error {
		found, err := act(api)
		if err != nil {
			return err
		}
		return one(w, r.JSON, found, columns)
	})
}

// takeAway runs a call that takes something away: after the question was answered, and it is told when it is done.
func (r remote) takeAway(w world, sure certain, question, told string, act func(*client.Client) error) error {
	return r.call(w, func(api *client.Client) error {
		if err := sure.ask(w, "%s", question); err != nil {
			return err
		}
		if err := act(api); err != nil {
			return err
		}
		w.done(r.JSON, "%s", told)
		return nil
	})
}

const olderServer = "The server does not know this command; it may be older than this program."

// hinted is an error that knows itself what a person can do about it.
type hinted struct {
	error

	hint string
}

// Unwrap gives the error.
func (h hinted) Unwrap() error { return h.error }

// advice adds to an error from the server what a person can do about it.
func advice(err error) string {
	var refusal *client.Error
	var unreachable *client.UnreachableError
	var own hinted
	switch {
	case errors.As(err, &own):
		return own.hint
	case errors.As(err, &unreachable) && errors.Is(err, syscall.ECONNREFUSED):
		return "Is the server running? \"rollcall serve\" starts it; --url or " + urlVariable + " names another address."
	case errors.As(err, &unreachable):
		return "Check the address: --url or " + urlVariable + "."
	case !errors.As(err, &refusal):
		return ""
	}
	switch refusal.Status {
	case http.StatusUnauthorized:
		return "The key comes from --api-key or " + keyVariable + ": it has to be the management key of this server, which its first start printed."
	case http.StatusMethodNotAllowed:
		return olderServer
	case http.StatusNotFound:
		if refusal.Code == "not_found" { // the address, not the thing
			return olderServer
		}
		return "\"list\" in the place of the verb shows what there is."
	case http.StatusTooManyRequests:
		if refusal.Code == "too_many_mails" {
			return "" // it says itself what is too much
		}
		return "The server limits how fast one key may ask; try again later."
	case http.StatusConflict, http.StatusBadRequest, http.StatusUnprocessableEntity, http.StatusForbidden:
		return ""
	}
	if refusal.Status >= http.StatusInternalServerError && refusal.RequestID != "" {
		return "The server's log tells more: look for " + refusal.RequestID + "."
	}
	return ""
}

// complainAbout reports an error of a command that asked a server, and says how to exit.
func (w world) complainAbout(err error) int {
	var wrong usageError
	if errors.As(err, &wrong) {
		fmt.Fprintln(w.stderr, "rollcall:", wrong)
		return exitUsage
	}
	fmt.Fprintln(w.stderr, "rollcall:", printable(err.Error()))
	if hint := advice(err); hint != "" {
		fmt.Fprintln(w.stderr, "  "+hint)
	}
	var unreachable *client.UnreachableError
	status := client.Status(err)
	if errors.As(err, &unreachable) || later(err) || status == http.StatusTooManyRequests || status >= http.StatusInternalServerError {
		return exitLater
	}
	return exitFailed
}

// certain is part of the commands that cannot be undone.
type certain struct {
	Yes bool `short:"y" help:"Do not ask."`
}

// asks tells whether a person will be asked, for whom then is looked up what is at stake.
func (c certain) asks(w world) bool { return !c.Yes && w.stdin != nil && w.interactive }

// ask makes a person at a terminal confirm; a script has said what it wants.
func (c certain) ask(w world, format string, args ...any) error {
	if !c.asks(w) {
		return nil
	}
	fmt.Fprintf(w.stderr, format+" Type yes: ", args...)
	line, err := bufio.NewReader(w.stdin).ReadString('\n')
	if strings.TrimSpace(line) == "yes" {
		return nil
	}
	if err != nil {
		fmt.Fprintln(w.stderr)
	}
	return errors.New("nothing was done")
}

// interrupted says whether an error is only that the person wanted to stop.
func interrupted(ctx context.Context, err error) bool {
	return ctx.Err() != nil && errors.Is(err, context.Canceled)
}

// readFile reads a file named on the command line.
func readFile(name string) ([]byte, error) {
	if name == "" {
		return nil, nil
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, usageError(err.Error())
	}
	return text, nil
}

// oneOf refuses a flag that has none of its values; "" is that it was left out.
func oneOf(flag, value string, values ...string) error {
	if value == "" || slices.Contains(values, value) {
		return nil
	}
	return usageError(fmt.Sprintf("%s is one of %s, not %q", flag, strings.Join(values, ", "), value))
}
