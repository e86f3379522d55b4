package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/rollcallhq/rollcall/internal/idp"
	"github.com/rollcallhq/rollcall/internal/simulate"
)

const (
	scimURLVariable   = "ROLLCALL_SCIM_URL"
	scimTokenVariable = "ROLLCALL_SCIM_TOKEN"
)

type simulateCommand struct {
	Provider string `arg:"" help:"The provider: okta, entra, onelogin, jumpcloud, pingone, pingfederate, authentik or oracle."`
	Act      string `arg:"" optional:"" help:"What happens there. A part of the story: connect, hire, change, groups, leave, return or all, which is the default. With --user what happens to one person: hire, change, suspend, leave, return or delete. With --group what happens to a group: groups, join, quit, rename or unlink. Or import, or cycle."`

	URL       string   `name:"url" placeholder:"URL" help:"The SCIM base address, of any server. ($ROLLCALL_SCIM_URL)"`
	Token     string   `placeholder:"TOKEN" help:"The bearer token. The variable keeps it out of the list of processes. ($ROLLCALL_SCIM_TOKEN)"`
	TokenFile string   `type:"path" placeholder:"FILE" help:"File with the token."`
	Scenario  string   `placeholder:"ACT" help:"The same as the act after the provider, for those who like flags."`
	Option    []string `placeholder:"NAME" help:"A setting of the provider that changes what it sends; \"list\" shows them. May be given several times."`

	People int    `default:"3" placeholder:"N" help:"How many people the story has. 3 unless told."`
	Domain string `default:"acme.example" placeholder:"DOMAIN" help:"Domain of their addresses. acme.example unless told."`
	Seed   uint64 `default:"1" placeholder:"N" help:"People, ids and passwords are the same for the same seed. 1 unless told."`

	User  []string          `placeholder:"EMAIL" help:"User name of somebody; several for groups."`
	Set   map[string]string `placeholder:"NAME=VALUE" help:"Attribute of the person who is hired or changed: firstName, lastName, email, title, department, employeeNumber, phone, city, manager, role. Empty takes it away."`
	Group string            `placeholder:"NAME" help:"Name of a group."`
	To    string            `placeholder:"NAME" help:"New name of the group that is renamed."`

	KeepState string        `type:"path" placeholder:"FILE" help:"File that keeps the ids the server gave, between runs."`
	Every     time.Duration `placeholder:"DURATION" help:"Repeat a cycle in this rhythm until stopped; Entra's is 40m."`
	Verbose   bool          `short:"v" help:"Show bodies."`
}

// Run plays the provider.
func (c *simulateCommand) Run(ctx context.Context, w world) error {
	provider, err := providerNamed(c.Provider)
	if err != nil {
		return err
	}
	if slices.Contains(c.Option, "list") {
		return c.listOptions(w, provider)
	}
	client, err := c.client(w, provider)
	if err != nil {
		return err
	}
	err = c.perform(ctx, w, client)
	if interrupted(ctx, err) {
		err = nil
	}
	err = errors.Join(err, c.save(client.State()))
	return c.sum(w, client, err)
}

// providerNamed finds a provider by its name in the catalogue, or a beginning that only one has.
func providerNamed(name string) (idp.Provider, error) {
	catalog, err := idp.Load()
	if err != nil {
		return idp.Provider{}, err
	}
	if p, ok := catalog.Provider(idp.Slug(name)); ok {
		return p, nil
	}
	var found []idp.Provider
	var known []string
	for _, p := range catalog.Providers() {
		if strings.HasPrefix(string(p.Slug), name) && name != "" {
			found = append(found, p)
		}
		if p.Dialect != nil {
			known = append(known, string(p.Slug))
		}
	}
	if len(found) == 1 {
		return found[0], nil
	}
	return idp.Provider{}, usageError(fmt.Sprintf("there is no provider %q; there are %s", name, strings.Join(known, ", ")))
}

func (c *simulateCommand) listOptions(w world, p idp.Provider) error {
	if p.Dialect == nil || len(p.Dialect.Options) == 0 {
		w.done(false, "%s has no options.", p.Name)
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(p.Dialect.Options)) {
		if _, err := fmt.Fprintf(w.stdout, "%-18s %s\n", name, p.Dialect.Options[name].Help); err != nil {
			return err
		}
	}
	return nil
}

func (c *simulateCommand) client(w world, p idp.Provider) (*simulate.SCIMClient, error) {
	token, err := c.token(w)
	if err != nil {
		return nil, err
	}
	at := c.URL
	if at == "" {
		at = w.lookup(scimURLVariable)
	}
	if at == "" {
		return nil, usageError("which server? Give --url, or put its SCIM base address into " + scimURLVariable)
	}
	state, err := c.load()
	if err != nil {
		return nil, err
	}
	client, err := simulate.NewSCIMClient(p, simulate.Target{BaseURL: at, Token: token}, simulate.SCIMOptions{
		Options: c.Option, Seed: c.Seed, State: state,
		Watch: func(x simulate.Exchange) { c.show(w, p, x) },
		Note:  func(text string) { fmt.Fprintf(w.stdout, "  %s: %s\n", p.Name, printable(text)) },
	})
	if err != nil {
		return nil, usageError(err.Error())
	}
	return client, nil
}

func (c *simulateCommand) token(w world) (string, error) {
	if c.TokenFile != "" {
		text, err := readFile(c.TokenFile)
		return strings.TrimSpace(string(text)), err
	}
	token := c.Token
	if token == "" {
		token = strings.TrimSpace(w.lookup(scimTokenVariable))
	}
	if token == "" {
		return "", usageError("no token: put it into " + scimTokenVariable + ", or give --token-file or --token; \"rollcall token create\" makes one")
	}
	return token, nil
}

func (c *simulateCommand) load() (state simulate.State, err error) {
	if c.KeepState == "" {
		return state, nil
	}
	text, err := os.ReadFile(c.KeepState)
	if errors.Is(err, fs.ErrNotExist) {
		return state, nil
	}
	if err != nil {
		return state, usageError(err.Error())
	}
	if err := json.Unmarshal(text, &state); err != nil {
		return state, usageError(fmt.Sprintf("%s holds no state of a simulation: %v", c.KeepState, err))
	}
	return state, nil
}

// save writes the state beside its file first, so that a crash leaves the old one.
func (c *simulateCommand) save(state simulate.State) error {
	if c.KeepState == "" {
		return nil
	}
	text, err := json.MarshalIndent(state, "", "  ")
	if err != nil {
		return fmt.Errorf("write the state: %w", err)
	}
	file, err := os.CreateTemp(filepath.Dir(c.KeepState), ".rollcall-simulate-*") // 0600
	if err != nil {
		return fmt.Errorf("keep the state: %w", err)
	}
	_, err = file.Write(append(text, '\n'))
	if err = errors.Join(err, file.Close()); err == nil {
		err = os.Rename(file.Name(), c.KeepState)
	}
	if err != nil {
		return fmt.Errorf("keep the state: %w", errors.Join(err, os.Remove(file.Name())))
	}
	return nil
}

func (c *simulateCommand) show(w world, p idp.Provider, x simulate.Exchange) {
	status := fmt.Sprint(x.Status)
	if x.Status == 0 {
		status = "---"
	}
	verdict := p.Name + ": "
	if x.Failed {
		verdict = p.Name + " would show: "
	}
	fmt.Fprintf(w.stdout, "  %-6s %s  %s  %.1f ms  %s%s\n", x.Method, x.Target, status, milliseconds(x.Took), verdict, printable(x.Says))
	if !c.Verbose {
		return
	}
	for _, part := range []struct{ sign, text string }{{">", x.Body}, {"<", x.Answer}} {
		if part.text != "" {
			fmt.Fprintf(w.stdout, "    %s %s\n", part.sign, printable(strings.TrimSpace(part.text)))
		}
	}
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// sum ends the run: how many requests there were, and how to exit.
func (c *simulateCommand) sum(w world, client *simulate.SCIMClient, err error) error {
	all := client.Exchanges()
	failed, slowest := 0, time.Duration(0)
	for _, x := range all {
		if x.Failed {
			failed++
		}
		slowest = max(slowest, x.Took)
	}
	state, active := client.State(), 0
	for _, k := range state.People {
		if k.Active {
			active++
		}
	}
	if len(all) > 0 {
		fmt.Fprintf(w.stdout, "\nRequests: %d, failed: %d, slowest: %.1f ms. People known: %d, active: %d. Groups: %d.\n",
			len(all), failed, milliseconds(slowest), len(state.People), active, len(state.Groups))
	}
	if errors.Is(err, simulate.ErrNotSpoken) {
		return usageError(err.Error())
	}
	return err
}

func (c *simulateCommand) perform(ctx context.Context, w world, client *simulate.SCIMClient) error {
	act := c.Act
	switch {
	case act != "" && c.Scenario != "" && act != c.Scenario:
		return usageError(fmt.Sprintf("%q or --scenario %q? Give one", c.Act, c.Scenario))
	case act == "":
		act = c.Scenario
	}
	if act == "" {
		act = string(simulate.PlotAll)
	}
	switch {
	case act == string(idp.MoveImport):
		return client.Import(ctx)
	case act == "cycle":
		return c.cycle(ctx, w, client)
	case c.Group != "":
		return c.onGroup(ctx, client, act)
	case len(c.User) > 0:
		return c.onPeople(ctx, client, act)
	case !slices.Contains(simulate.Plots(), simulate.Plot(act)):
		return usageError(fmt.Sprintf("there is no act %q without --user or --group; there are %q, import and cycle", act, simulate.Plots()))
	}
	cast, err := simulate.Cast(c.Domain, c.People, c.Seed)
	if err != nil {
		return usageError(err.Error())
	}
	return client.Play(ctx, simulate.Plot(act), cast, func(plot simulate.Plot) { fmt.Fprintln(w.stdout, plot) })
}

func (c *simulateCommand) cycle(ctx context.Context, w world, client *simulate.SCIMClient) error {
	for {
		if err := client.Cycle(ctx); err != nil || c.Every <= 0 {
			if c.Every <= 0 || ctx.Err() != nil {
				return err
			}
			fmt.Fprintln(w.stderr, printable(err.Error())) // the next cycle tries again
		}
		if err := c.save(client.State()); err != nil {
			return err
		}
		select {
		case <-time.After(c.Every):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (c *simulateCommand) onPeople(ctx context.Context, client *simulate.SCIMClient, act string) error {
	for _, name := range c.User {
		if err := c.onPerson(ctx, client, act, name); err != nil {
			return err
		}
	}
	return nil
}

func (c *simulateCommand) onPerson(ctx context.Context, client *simulate.SCIMClient, act, name string) error {
	if manager := c.Set["manager"]; manager != "" { // a reference to somebody whom the server has
		if _, err := client.Find(ctx, manager); err != nil {
			return err
		}
	}
	switch act {
	case "hire":
		person, err := c.dressed(newPerson(name))
		if err != nil {
			return err
		}
		return client.Hire(ctx, person)
	case "change":
		person, err := client.Find(ctx, name)
		if err != nil {
			return err
		}
		if person, err = c.dressed(person); err != nil {
			return err
		}
		return client.Change(ctx, person)
	case "suspend":
		return client.Suspend(ctx, name)
	case "leave":
		return client.Leave(ctx, name)
	case "return":
		return client.Return(ctx, name)
	case "delete":
		return client.Delete(ctx, name)
	}
	return usageError(fmt.Sprintf("%q is nothing that happens to a person; hire, change, suspend, leave, return and delete are", act))
}

// newPerson has a name made of the address.
func newPerson(email string) simulate.Person {
	p := simulate.Person{Email: email}
	local, _, _ := strings.Cut(email, "@")
	first, last, _ := strings.Cut(local, ".")
	p.FirstName, p.LastName = capital(first), capital(last)
	return p
}

func capital(s string) string {
	first, size := utf8.DecodeRuneInString(s)
	if size == 0 {
		return ""
	}
	return string(unicode.ToUpper(first)) + s[size:]
}

func (c *simulateCommand) dressed(p simulate.Person) (simulate.Person, error) {
	for _, name := range slices.Sorted(maps.Keys(c.Set)) {
		if err := p.Set(name, c.Set[name]); err != nil {
			return p, usageError(err.Error())
		}
	}
	return p, nil
}

func (c *simulateCommand) onGroup(ctx context.Context, client *simulate.SCIMClient, act string) error {
	switch act {
	case "groups":
		return client.PushGroup(ctx, c.Group, c.User...)
	case "join":
		return client.Join(ctx, c.Group, c.User...)
	case "quit":
		return client.Quit(ctx, c.Group, c.User...)
	case "rename":
		if c.To == "" {
			return usageError("what is the group's new name? Give --to")
		}
		return client.Rename(ctx, c.Group, c.To)
	case "unlink":
		return client.Unlink(ctx, c.Group)
	}
	return usageError(fmt.Sprintf("%q is nothing that happens to a group; groups, join, quit, rename and unlink are", act))
}

// later tells whether a failure may pass by itself.
func later(err error) bool {
	var failure *simulate.Failure
	return errors.As(err, &failure) && (failure.Status == 0 || failure.Status == http.StatusTooManyRequests || failure.Status >= http.StatusInternalServerError)
}
