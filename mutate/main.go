// Mutate takes the guards of a package away, one at a time, and runs its tests: a guard whose absence no test notices guards nothing, or is
// guarded by nothing. The sources stay as they are: the go command gets the changed files as an overlay, one build for all guards, each with a
// switch.
//
//	go run ./mutate -packages ./internal/saml
//
// A guard is an if whose body only returns an error (or false, where that is what a function says), or a case that only returns one; of a || b
// each part is one. Taken away, the condition never holds; a case of a switch over a value returns no error instead. In sql.go each condition of a
// WHERE is one, and elsewhere each statement that a write depends on (Guard, GuardSelect). What hands on an error of the database, a reader or a
// constructor is none: see handed.go.
//
// A survivor fails the run unless the list of those allowed names it with a reason. An entry that no guard answers to, or whose guard is
// killed, fails it too, so that the list stays true.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

type options struct {
	packages []string
	only     []string
	run      string
	skip     string
	allowed  string
	also     map[string][]string // packages whose tests are asked too
	timeout  time.Duration
	parallel int
	list     bool
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	o, err := parse(os.Args[1:])
	if err == nil {
		err = mutate(ctx, o, os.Stdout)
	}
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "mutate:", err)
		os.Exit(1)
	}
}

func parse(args []string) (options, error) {
	var o options
	f := flag.NewFlagSet("mutate", flag.ContinueOnError)
	packages := f.String("packages", "./internal/saml,./internal/saml/second,./internal/oidc,./internal/session", "folders of the packages, with commas between")
	only := f.String("only", "", "only guards whose line in the listing (path:line function: condition) holds one of these, with commas between")
	f.StringVar(&o.run, "run", "", "only tests that match, as with go test")
	f.StringVar(&o.skip, "skip", "", "no tests that match, as with go test")
	also := f.String("also", "", "package=package,…;… : whose tests are asked too, beside the package's own")
	f.StringVar(&o.allowed, "allowed", "mutate/allowed.txt", "the list of survivors that are known, each with its reason")
	f.DurationVar(&o.timeout, "timeout", time.Minute, "for the tests of one mutant; beyond it counts as killed")
	f.IntVar(&o.parallel, "parallel", 2, "mutants at a time")
	f.BoolVar(&o.list, "list", false, "list the guards and run nothing")
	err := f.Parse(args)
	if err != nil {
		return o, err
	}
	o.packages = strings.Split(*packages, ",")
	if *only != "" {
		o.only = strings.Split(*only, ",")
	}
	if o.also, err = parseAlso(*also); err != nil {
		return o, err
	}
	if o.parallel < 1 {
		return o, fmt.Errorf("-parallel is %d; at least one mutant has to run", o.parallel)
	}
	return o, nil
}

func parseAlso(text string) (map[string][]string, error) {
	also := map[string][]string{}
	for one := range strings.SplitSeq(text, ";") {
		if one == "" {
			continue
		}
		whose, others, is := strings.Cut(one, "=")
		if !is {
			return nil, fmt.Errorf("-also: %q is not package=package,…", one)
		}
		also[filepath.Clean(whose)] = strings.Split(others, ",")
	}
	return also, nil
}

func mutate(ctx context.Context, o options, out io.Writer) error {
	known, err := readAllowed(o.allowed)
	if err != nil {
		return err
	}
	module, err := readModule()
	if err != nil {
		return err
	}
	var guards []*guard
	for _, folder := range o.packages {
		found, err := guardsIn(folder, module)
		if err != nil {
			return err
		}
		guards = append(guards, found...)
	}
	if o.only != nil {
		guards = keep(guards, func(g *guard) bool {
			return slices.ContainsFunc(o.only, func(part string) bool { return strings.Contains(g.String(), part) })
		})
	}
	if o.list {
		for _, g := range guards {
			fmt.Fprintln(out, g)
		}
		return nil
	}
	results, err := runAll(ctx, o, guards, out)
	if err != nil {
		return err
	}
	return report(out, results, known.of(o.packages), o.only == nil && o.run == "" && o.skip == "")
}

func keep(guards []*guard, want func(*guard) bool) []*guard {
	var kept []*guard
	for _, g := range guards {
		if want(g) {
			kept = append(kept, g)
		}
	}
	return kept
}

// report sums up and says what is wrong. The list is held to the whole only after a whole run.
func report(out io.Writer, results []result, known allowList, whole bool) error {
	count := map[verdict]int{}
	var wrong []string
	for _, r := range results {
		count[r.verdict]++
		reason, allowed := known[r.guard.key()]
		switch {
		case r.verdict == survived && !allowed:
			wrong = append(wrong, fmt.Sprintf("%s: %s", r.verdict, r.guard))
		case r.verdict == survived:
			fmt.Fprintf(out, "allowed to survive: %s (%s)\n", r.guard, reason)
		case allowed:
			wrong = append(wrong, fmt.Sprintf("%s, so it needs no entry: %s", r.verdict, r.guard))
		}
		delete(known, r.guard.key())
	}
	if whole {
		for key := range known {
			wrong = append(wrong, "no guard answers to the entry "+strings.ReplaceAll(key, "\t", " | "))
		}
	}
	fmt.Fprintf(out, "%d guards: %d killed, %d survived; %d more hand on an error that no test makes\n", len(results)-count[unseen], count[killed], count[survived], count[unseen])
	if len(wrong) > 0 {
		return fmt.Errorf("\n  %s", strings.Join(wrong, "\n  "))
	}
	return nil
}
