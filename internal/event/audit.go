package event

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/rollcallhq/rollcall/internal/db"
)

// AuditPrefix begins the ids of changes that have no event.
const AuditPrefix = "audit"

// Action names a change as event types do: the noun, a full stop, what became of it.
type Action string

// Change is a change that the log has no event for: of settings, secrets, applications. It is written in the transaction of the
// change, so that neither exists without the other. What has an event needs none: the audit reads that too, and Context.Changes
// says there what was before.
type Change struct {
	OrganizationID string // "" for what is the installation's
	Action         Action
	Target         string // id of what was changed
	Cause          Context
	Before, After  Settings // nil: it was not there, it is not there any more
}

// Settings are what a noun has to tell of itself in the audit, by the names that the API has for them. Values are what JSON can hold; a secret
// is a Hidden.
type Settings map[string]any

// Hidden is a value that may be compared and never be shown: that it was changed is all that the audit says.
type Hidden string

// MarshalJSON hides the value.
func (Hidden) MarshalJSON() ([]byte, error) { return []byte(`"(hidden)"`), nil }

// String hides the value in texts, which logs are.
func (Hidden) String() string { return "(hidden)" }

// GoString hides the value in texts.
func (Hidden) GoString() string { return "(hidden)" }

// maxShown bounds a value of the audit, in bytes of JSON; of a longer one only its length is told.
const maxShown = 4 << 10

// Diff says what changed: {"name":{"before":"Acme","after":"Acme Ltd"}}. What stayed is left out, and so is before where there
// was nothing. It is {} if nothing changed.
func Diff(before, after Settings) jsontext.Value {
	type pair struct {
		Before jsontext.Value `json:"before,omitzero"`
		After  jsontext.Value `json:"after,omitzero"`
	}
	changed := map[string]pair{}
	for name, now := range after {
		was, there := before[name]
		if there && same(was, now) {
			continue
		}
		p := pair{After: shown(now)}
		if there {
			p.Before = shown(was)
		}
		changed[name] = p
	}
	for name, was := range before {
		if _, there := after[name]; !there {
			changed[name] = pair{Before: shown(was)}
		}
	}
	return encoded(changed)
}

// same compares what would be stored, secrets by what they are.
func same(a, b any) bool {
	x, hidden := a.(Hidden)
	y, too := b.(Hidden)
	if hidden || too {
		return hidden && too && x == y
	}
	return bytes.Equal(encoded(a), encoded(b))
}

func shown(v any) jsontext.Value {
	text := encoded(v)
	if len(text) > maxShown {
		return encoded(fmt.Sprintf("(%d bytes)", len(text)))
	}
	return text
}

func encoded(v any) jsontext.Value {
	out, err := jsonv2.Marshal(v, jsonv2.Deterministic(true), jsontext.AllowInvalidUTF8(true))
	if err != nil { // settings are strings, numbers, and lists and maps of them
		panic(err)
	}
	return out
}

// AuditInto adds changes to a write. One between equal settings is none.
func (l *Log) AuditInto(w *db.Write, at time.Time, changes ...Change) {
	_ = l.audit(at, changes, func(sql string, args []any) error {
		w.Exec(sql, args...)
		return nil
	})
}

// AuditTx adds changes to a transaction. One between equal settings is none.
func (l *Log) AuditTx(ctx context.Context, tx db.Tx, at time.Time, changes ...Change) error {
	return l.audit(at, changes, func(sql string, args []any) error {
		if _, err := tx.Exec(ctx, sql, args...); err != nil {
			return fmt.Errorf("write the audit: %w", err)
		}
		return nil
	})
}

func (l *Log) audit(at time.Time, changes []Change, exec func(string, []any) error) error {
	for _, c := range changes {
		diff := Diff(c.Before, c.After)
		if c.Before != nil && c.After != nil && string(diff) == "{}" {
			continue
		}
		c.Cause.Changes = nil // stands beside
		if err := exec(insertAudit, []any{
			l.ids.NewID(AuditPrefix), c.OrganizationID, string(c.Action), c.Target, c.Cause.Actor.ID, c.Cause.JSON(), []byte(diff), at.UnixMicro(),
		}); err != nil {
			return err
		}
		if l.watched[c.Action] {
			if err := exec(insertNotice, l.noticed(at, c.OrganizationID, c.Action, c.Target, c.Cause.JSON(), diff)); err != nil {
				return err
			}
		}
	}
	return nil
}

// actorKey is the place of an actor in a context.
type actorKey struct{}

// As remembers who asks. It is for the verbs of nouns that are the installation's own, which only the operator has.
func As(ctx context.Context, a Actor) context.Context { return context.WithValue(ctx, actorKey{}, a) }

// Asking is who asks; Rollcall itself where nobody is remembered.
func Asking(ctx context.Context) Actor {
	if a, ok := ctx.Value(actorKey{}).(Actor); ok {
		return a
	}
	name := "Rollcall"
	return Actor{ID: "rollcall", Source: System, Name: &name}
}

// AuditEntry is one change with its one cause: an event that tells of a change, or a Change.
type AuditEntry struct {
	ID             string // of the event or of the entry
	OrganizationID string
	Action         Action
	Target         string // "" where the event tells of nothing that has an id
	At             time.Time
	Context        Context
	Changes        jsontext.Value // nil: not told
	ordinal        string         // by which entries of both kinds are put in order
}

// AuditTypes are the events that tell of a change. That somebody came in, or tried to, is none.
func AuditTypes() []Type {
	return slices.DeleteFunc(slices.Concat(Types(), OwnTypes()), func(t Type) bool {
		return t == SessionCreated || t == MagicAuthCreated || strings.HasPrefix(string(t), "authentication.")
	})
}
