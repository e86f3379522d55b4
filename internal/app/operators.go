package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/rollcallhq/rollcall/internal/dashboard"
	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/operator"
	"github.com/rollcallhq/rollcall/internal/token"
)

// Errand is what the command line, on the machine of the server, wants about operators. It holds no secret.
type Errand struct {
	Verb  ErrandVerb `json:"verb"`
	Email string     `json:"email,omitempty"`
	Name  string     `json:"name,omitempty"`
	Role  string     `json:"role,omitempty"`
	Hash  token.Hash `json:"hash,omitempty"` // of the link to make
}

// ErrandVerb is one of the errands there are.
type ErrandVerb string

// The closed list of errands.
const (
	LinkErrand   ErrandVerb = "link"
	ListErrand   ErrandVerb = "list"
	RemoveErrand ErrandVerb = "remove"
)

// ErrandAnswer is what became of an errand.
type ErrandAnswer struct {
	Refusal   string              `json:"refusal,omitempty"` // why it was not done; "" if it was
	Asked     operator.Asked      `json:"asked"`             // of a link
	Operators []operator.Operator `json:"operators,omitempty"`
	Base      string              `json:"base"` // where the dashboard is
}

// Link is the whole address of a link with this secret.
func (a ErrandAnswer) Link(secret token.Secret) string { return dashboard.LinkAddress(a.Base, secret) }

// perform does an errand. What the person asked for wrongly is in the answer; err is what went wrong with us.
func perform(ctx context.Context, operators *operator.Service, e Errand, base string) (answer ErrandAnswer, err error) {
	name := "rollcall operator"
	ctx = event.As(ctx, event.Actor{ID: "command_line", Source: event.System, Name: &name})
	answer.Base = base
	switch e.Verb {
	case LinkErrand:
		answer.Asked, err = operators.LinkFor(ctx, operator.New{Email: e.Email, Name: e.Name, Role: operator.Role(e.Role)}, e.Hash, operator.CommandLinkLife)
	case ListErrand:
		answer.Operators, err = operators.List(ctx)
	case RemoveErrand:
		err = removeByEmail(ctx, operators, e.Email)
	default:
		err = fault.New(fault.Invalid, "unknown_errand", "This server does not know the errand %q; is it of another release than the command?", string(e.Verb))
	}
	if f, ok := fault.As(err); ok && f.Kind != fault.Internal {
		answer.Refusal, err = f.Message, nil
	}
	return answer, err
}

func removeByEmail(ctx context.Context, operators *operator.Service, email string) error {
	o, there, err := operators.ByEmail(ctx, email)
	if err != nil {
		return err
	}
	if !there {
		return fault.New(fault.NotFound, "entity_not_found", "%.80s is no operator; \"rollcall operator list\" shows who is.", email)
	}
	return operators.Remove(ctx, o.ID)
}

// operatorsSchema is the migration that made their tables.
const operatorsSchema = 11

// RunErrand does an errand in the database that the configuration names. An SQLite database that a server is running on belongs to that server: it is
// asked, by a file in the data folder.
func RunErrand(ctx context.Context, c Config, log *slog.Logger, e Errand) (answer ErrandAnswer, err error) {
	if c.DatabaseURL == "" {
		path := filepath.Join(c.DataDir, databaseFile)
		if _, err := os.Stat(path); err != nil {
			return answer, fmt.Errorf("there is no database at %s (%w): name its folder with --data-dir, or PostgreSQL with --database-url; the first start of \"rollcall serve\" makes it", path, reason(err))
		}
	}
	store, err := OpenDatabase(ctx, c, log)
	var busy *db.InUseError
	if errors.As(err, &busy) {
		return askServer(ctx, c.DataDir, e)
	}
	if err != nil {
		return answer, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	version, err := store.SchemaVersion(ctx)
	if err != nil {
		return answer, err
	}
	if version < operatorsSchema {
		return answer, fmt.Errorf("the database has schema version %d, which knows no operators: start the server of this release, or run \"rollcall migrate\", first", version)
	}
	ids := token.NewSource(time.Now)
	operators := operator.NewService(operator.Options{DB: store, Events: event.NewLog(store, ids), IDs: ids, Now: time.Now, Logger: log})
	return perform(ctx, operators, e, c.base(c.Listen, c.TLSCert != ""))
}

// FirstLink makes the address by which the first operator comes in, for a start to show; "" where there is one already.
func (a *App) FirstLink(ctx context.Context) (string, error) {
	secret, made, err := a.operators.First(ctx)
	if err != nil || !made {
		return "", err
	}
	return dashboard.LinkAddress(a.base(), secret), nil
}

// Dashboard is where the operator's pages are.
func (a *App) Dashboard() string { return a.base() + dashboard.Prefix }

func (a *App) base() string { return a.config.base(a.Addr(), a.cert != nil) }

// base is where a browser finds what listens at an address: by the public URL, else by a name where there is one, for browsers make no passkeys at
// addresses of numbers.
func (c Config) base(listen string, tls bool) string {
	if base := c.publicBase(); base != "" {
		return base
	}
	scheme := "http"
	if tls {
		scheme = "https"
	}
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return scheme + "://" + listen
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && (ip.IsUnspecified() || ip.IsLoopback() && !tls) {
		host = "localhost"
	}
	return scheme + "://" + net.JoinHostPort(host, port)
}

// publicBase is scheme and host of the public URL; "" without one.
func (c Config) publicBase() string {
	if c.PublicURL == nil {
		return ""
	}
	return strings.TrimSuffix(c.PublicURL.String(), "/")
}

// Errands to a running server are files in its data folder. Who may write there may as well replace the database.
const (
	errandPrefix   = "operator-errand-"
	answerPrefix   = "operator-answer-"
	errandPoll     = 300 * time.Millisecond
	errandPatience = 15 * time.Second
	maxErrand      = 64 << 10
)

// askServer leaves an errand and waits for the answer.
func askServer(ctx context.Context, folder string, e Errand) (answer ErrandAnswer, err error) {
	id := token.NewKey(24)
	question, reply := filepath.Join(folder, errandPrefix+id), filepath.Join(folder, answerPrefix+id)
	text, err := json.Marshal(e)
	if err != nil {
		return answer, err
	}
	// Whoever may look into the folder may read it: the server may run as another user than the command, and nothing in it is secret.
	if err := writeWhole(question, text, 0o644); err != nil {
		return answer, fmt.Errorf("ask the server that runs on %s: %w; run this as the user of the server", folder, reason(err))
	}
	ctx, cancel := context.WithTimeout(ctx, errandPatience)
	defer cancel()
	tick := time.NewTicker(errandPoll / 3)
	defer tick.Stop()
	for {
		text, err := os.ReadFile(reply)
		switch {
		case err == nil:
			return answer, errors.Join(json.Unmarshal(text, &answer), os.Remove(reply))
		case !errors.Is(err, fs.ErrNotExist):
			return answer, fmt.Errorf("read the answer of the server: %w", err)
		}
		select {
		case <-ctx.Done():
			return answer, errors.Join(fmt.Errorf("the server that runs on %s did not answer within %s", folder, errandPatience), removeIfThere(question))
		case <-tick.C:
		}
	}
}

// writeWhole makes a file appear complete.
func writeWhole(path string, text []byte, mode fs.FileMode) error {
	part := filepath.Join(filepath.Dir(path), "."+filepath.Base(path))
	if err := os.WriteFile(part, text, mode); err != nil {
		return err
	}
	if err := os.Rename(part, path); err != nil {
		return errors.Join(err, os.Remove(part))
	}
	return nil
}

func removeIfThere(path string) error {
	if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// runErrands does what is left in the data folder of an SQLite database, until ctx ends.
func (a *App) runErrands(ctx context.Context) {
	tick := time.NewTicker(errandPoll)
	defer tick.Stop()
	for {
		if err := a.errands(ctx); err != nil && ctx.Err() == nil {
			a.log.ErrorContext(ctx, "an errand of the command line failed", "cause", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (a *App) errands(ctx context.Context) error {
	found, err := filepath.Glob(filepath.Join(a.config.DataDir, "operator-*-*"))
	if err != nil {
		return err
	}
	var failed error
	for _, path := range found {
		failed = errors.Join(failed, a.errand(ctx, path))
	}
	return failed
}

// errand does one. What nobody waits for any more is thrown away.
func (a *App) errand(ctx context.Context, path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	id, isErrand := strings.CutPrefix(filepath.Base(path), errandPrefix)
	switch {
	case !info.Mode().IsRegular():
		return nil
	case time.Since(info.ModTime()) > errandPatience:
		return removeIfThere(path)
	case !isErrand:
		return nil
	}
	text, err := readAtMost(path, maxErrand)
	if err != nil {
		return err
	}
	if err := removeIfThere(path); err != nil { // before it is done: it is done once
		return err
	}
	var e Errand
	answer := ErrandAnswer{Refusal: "The errand could not be read; is the server of another release than the command?"}
	if json.Unmarshal(text, &e) == nil {
		if answer, err = perform(ctx, a.operators, e, a.base()); err != nil {
			answer.Refusal = "It failed; the log of the server says why."
		}
	}
	reply, failed := json.Marshal(answer)
	if failed != nil {
		return errors.Join(err, failed)
	}
	return errors.Join(err, writeWhole(filepath.Join(a.config.DataDir, answerPrefix+id), reply, 0o600))
}

func readAtMost(path string, most int64) (text []byte, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return io.ReadAll(io.LimitReader(f, most))
}
