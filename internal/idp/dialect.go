package idp

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
)

// Dialect is how a provider's SCIM client talks: what it sends for each [Move] and what it makes of the answers, as data. It is read from
// simulate.json in the provider's folder and played by internal/simulate, which explains the templates.
type Dialect struct {
	// Headers go with every request; a Content-Type only with those that have a body.
	Headers map[string]string `json:"headers,omitempty"`
	// Auth is how the token is sent; empty means bearer.
	Auth Auth `json:"auth,omitempty"`
	// Blank is how a blank in a query is written: "%20" or "+".
	Blank string `json:"blank"`
	// Ends says that addresses end in "&" after a query and in "?" without one.
	Ends bool `json:"ends,omitempty"`
	// BaseWithout are characters that the provider refuses in a base address.
	BaseWithout string `json:"base_without,omitempty"`
	// ExternalID is the template of the id that the provider has for a person, and GroupExternalID that for a group; empty sends none.
	ExternalID      string `json:"external_id"`
	GroupExternalID string `json:"group_external_id,omitempty"`

	TimeoutSeconds int   `json:"timeout_seconds"`
	Retry          Retry `json:"retry"`
	// CycleMinutes is the rhythm of a provider that works in cycles; 0 for one that acts at once.
	CycleMinutes int `json:"cycle_minutes,omitempty"`
	// Escrow says that what failed is tried again in the next cycle.
	Escrow bool `json:"escrow,omitempty"`

	// Ops spells the PATCH operations add, replace and remove.
	Ops map[string]string `json:"ops,omitempty"`
	// Attributes are compared with what the server has; the differences are what a change sends.
	Attributes []AttributeMap `json:"attributes"`
	// Parts are templates that bodies take in by name.
	Parts map[string]any `json:"parts,omitempty"`
	Moves map[Move]Steps `json:"moves"`
	// Says are sentences for answers about which a step says nothing: "fail", "fail 401", "broken" and "unreachable", and before those the same with
	// the move's name: "hire fail", "hire fail 409".
	Says map[string]string `json:"says"`
	// Options change the dialect as the provider's settings do, by name.
	Options map[string]DialectOption `json:"options,omitempty"`
}

// Move is something that happens at the provider and that its client tells the server.
type Move string

// The closed list of moves.
const (
	MoveConnect    Move = "connect"
	MoveFind       Move = "find" // look a person up
	MoveHire       Move = "hire"
	MoveChange     Move = "change"
	MoveSuspend    Move = "suspend"
	MoveLeave      Move = "leave"
	MoveReturn     Move = "return"
	MoveDelete     Move = "delete"
	MoveFindGroup  Move = "find_group"
	MovePush       Move = "push" // a group with its members
	MoveJoin       Move = "join"
	MoveQuit       Move = "quit"
	MoveRename     Move = "rename"
	MoveUnlink     Move = "unlink" // a group is deleted
	MoveImport     Move = "import" // everybody is read
	MoveCheckGroup Move = "check_group"
)

// Moves lists all of them.
func Moves() []Move {
	return []Move{
		MoveConnect, MoveFind, MoveHire, MoveChange, MoveSuspend, MoveLeave, MoveReturn, MoveDelete,
		MoveFindGroup, MovePush, MoveJoin, MoveQuit, MoveRename, MoveUnlink, MoveImport, MoveCheckGroup,
	}
}

// needed are the moves without which a dialect cannot be played.
func needed() []Move {
	return []Move{MoveConnect, MoveFind, MoveHire, MoveChange, MoveLeave, MoveReturn}
}

// Retry says when a request is sent again. Waits double from FirstSeconds; a Retry-After counts more, up to MostSeconds.
type Retry struct {
	Statuses     []int `json:"statuses,omitempty"`
	Tries        int   `json:"tries"` // in all
	FirstSeconds int   `json:"first_seconds,omitempty"`
	MostSeconds  int   `json:"most_seconds,omitempty"`
}

// AttributeMap is one line of the provider's attribute mapping.
type AttributeMap struct {
	From string `json:"from"` // name of the person's attribute
	Path string `json:"path"` // where the server's document has it
	// Patch is the path in a PATCH, where it is another.
	Patch string `json:"patch,omitempty"`
	// Text makes the wanted text of the attribute, Value what a PATCH carries; both are templates and may be left out.
	Text  string `json:"text,omitempty"`
	Value any    `json:"value,omitempty"`
	// ClearedBy is how a value is taken away: "" by remove, "empty" by replacing it with an empty string.
	ClearedBy string `json:"cleared_by,omitempty"`
}

// Steps are played in order.
type Steps []DialectStep

// DialectStep is a request with what the provider makes of the answer, or a remark, or another move.
type DialectStep struct {
	// Send is method and target below the base address, a template. Empty: nothing is sent.
	Send string `json:"send,omitempty"`
	// Do plays another move in its place.
	Do Move `json:"do,omitempty"`
	// When lists names that must have a value, or with "!" must have none; all of them.
	When []string `json:"when,omitempty"`
	// Until repeats the step until the name has a value, at most Most times; a name that has one sends nothing.
	Until string `json:"until,omitempty"`
	Most  int    `json:"most,omitempty"`
	// Pages repeats the step for every page of a list.
	Pages bool       `json:"pages,omitempty"`
	Body  any        `json:"body,omitempty"`
	Want  []int      `json:"want,omitempty"` // statuses that are no failure; left out: 200 to 299
	Takes AnswerKind `json:"takes,omitempty"`
	// Says what the provider makes of the answer: "done", "found", "none", "404" for that status, "never" where Until stayed out, "fail", "fail 409".
	// Of a step that sends nothing, "done" is the remark.
	Says map[string]string `json:"says,omitempty"`
}

// AnswerKind is what a step wants in the answer.
type AnswerKind string

// The closed list of kinds of answers.
const (
	TakesNothing AnswerKind = ""
	TakesList    AnswerKind = "list"   // any list
	TakesNobody  AnswerKind = "nobody" // an empty list
	TakesUsers   AnswerKind = "users"  // a list of which the first is the person
	TakesGroups  AnswerKind = "groups"
	TakesNamed   AnswerKind = "groups by name" // a list of all groups, of which one may have the group's name
	TakesAmong   AnswerKind = "users by name"  // a list of all people, of whom one may have the person's name; pages end when they are found
	TakesUser    AnswerKind = "user"
	TakesGroup   AnswerKind = "group"
	TakesMade    AnswerKind = "made user"  // a person, and the id is needed
	TakesFormed  AnswerKind = "made group" // a group, and the id is needed
)

func answerKinds() []AnswerKind {
	return []AnswerKind{TakesNothing, TakesList, TakesNobody, TakesUsers, TakesGroups, TakesNamed, TakesAmong, TakesUser, TakesGroup, TakesMade, TakesFormed}
}

// DialectOption is a setting of the provider that changes what it sends. What it leaves out stays.
type DialectOption struct {
	Help       string            `json:"help"`
	Query      string            `json:"query,omitempty"` // in every address; a base address that has it switches the option on
	Auth       Auth              `json:"auth,omitempty"`
	ExternalID string            `json:"external_id,omitempty"`
	Ops        map[string]string `json:"ops,omitempty"`
	Attributes []AttributeMap    `json:"attributes,omitempty"` // in the place of those with the same From
	Parts      map[string]any    `json:"parts,omitempty"`
	Moves      map[Move]Steps    `json:"moves,omitempty"`
}

func loadDialect(files fs.FS, slug Slug) (*Dialect, error) {
	name := path.Join(string(slug), "simulate.json")
	text, err := fs.ReadFile(files, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil //nolint:nilnil // most providers have none, and that is no error
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	d, err := parseDialect(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return d, nil
}

func parseDialect(text []byte) (*Dialect, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	decoder.UseNumber()
	var d Dialect
	if err := decoder.Decode(&d); err != nil {
		return nil, fmt.Errorf("not a dialect's JSON: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the JSON object")
	}
	return &d, d.check()
}

// With gives the dialect with options switched on, in the order given. The error names the options that there are.
func (d *Dialect) With(options ...string) (*Dialect, error) {
	out := *d
	for _, name := range options {
		o, ok := d.Options[name]
		if !ok {
			return nil, fmt.Errorf("there is no option %q; there are %q", name, slices.Sorted(maps.Keys(d.Options)))
		}
		out = out.with(o)
	}
	return &out, nil
}

func (d Dialect) with(o DialectOption) Dialect {
	if o.Auth != "" {
		d.Auth = o.Auth
	}
	if o.ExternalID != "" {
		d.ExternalID = o.ExternalID
	}
	d.Ops, d.Parts, d.Moves = laid(d.Ops, o.Ops), laid(d.Parts, o.Parts), laid(d.Moves, o.Moves)
	d.Attributes = slices.Clone(d.Attributes)
	for _, a := range o.Attributes {
		if i := slices.IndexFunc(d.Attributes, func(b AttributeMap) bool { return b.From == a.From }); i >= 0 {
			d.Attributes[i] = a
		} else {
			d.Attributes = append(d.Attributes, a)
		}
	}
	return d
}

// laid lays one map over another without changing either.
func laid[K comparable, V any](under, over map[K]V) map[K]V {
	out := maps.Clone(under)
	if out == nil {
		out = map[K]V{}
	}
	maps.Copy(out, over)
	return out
}

// check says the first thing that is wrong with a dialect and each of its options.
func (d *Dialect) check() error {
	if d.Blank != "%20" && d.Blank != "+" {
		return fmt.Errorf(`blank %q: want "%%20" or "+"`, d.Blank)
	}
	if d.TimeoutSeconds < 1 || d.Retry.Tries < 1 {
		return errors.New("timeout_seconds and retry.tries must be at least 1")
	}
	for _, key := range []string{"fail", "broken", "unreachable"} {
		if d.Says[key] == "" {
			return fmt.Errorf("says has no %q", key)
		}
	}
	for _, move := range needed() {
		if len(d.Moves[move]) == 0 {
			return fmt.Errorf("moves has no %q", move)
		}
	}
	if err := d.checkMoves(d.Moves); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(d.Options)) {
		o := d.Options[name]
		if o.Help == "" {
			return fmt.Errorf("options.%s has no help", name)
		}
		if err := d.checkMoves(o.Moves); err != nil {
			return fmt.Errorf("options.%s: %w", name, err)
		}
		if err := checkAuth(o.Auth); err != nil {
			return fmt.Errorf("options.%s: %w", name, err)
		}
	}
	return checkAuth(d.Auth)
}

func checkAuth(a Auth) error {
	if a != "" && a != AuthBearer && a != AuthRaw {
		return fmt.Errorf("auth %q: want %q or %q", a, AuthBearer, AuthRaw)
	}
	return nil
}

func (d *Dialect) checkMoves(moves map[Move]Steps) error {
	for _, move := range slices.Sorted(maps.Keys(moves)) {
		if !slices.Contains(Moves(), move) {
			return fmt.Errorf("moves has %q: want one of %q", move, Moves())
		}
		for i, step := range moves[move] {
			if err := d.checkStep(step); err != nil {
				return fmt.Errorf("moves.%s, step %d: %w", move, i+1, err)
			}
		}
	}
	return nil
}

func (d *Dialect) checkStep(s DialectStep) error {
	method, target, _ := strings.Cut(s.Send, " ")
	switch {
	case s.Do != "" && (s.Send != "" || len(d.Moves[s.Do]) == 0):
		return fmt.Errorf("do %q: want a move that there is, and nothing to send", s.Do)
	case s.Do == "" && s.Send == "" && s.Says["done"] == "":
		return errors.New("it neither sends, says nor does anything")
	case s.Send != "" && (!slices.Contains([]string{"GET", "POST", "PUT", "PATCH", "DELETE"}, method) || !strings.HasPrefix(target, "/")):
		return fmt.Errorf("send %q: want a method and a target that begins with a slash", s.Send)
	case !slices.Contains(answerKinds(), s.Takes):
		return fmt.Errorf("takes %q: want one of %q", s.Takes, answerKinds())
	case (s.Until == "") != (s.Most == 0):
		return errors.New("until and most belong together")
	case s.Until != "" && s.Says["never"] == "":
		return errors.New(`until without a "never" in says`)
	}
	return nil
}
