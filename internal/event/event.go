package event

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/rollcallhq/rollcall/internal/token"
)

// Actor is who acted.
type Actor struct {
	ID     string  `json:"id"`
	Source Source  `json:"source"`
	Name   *string `json:"name"`
}

// Context is what caused an event.
type Context struct {
	Actor      Actor  `json:"actor"`
	ExchangeID string `json:"exchange_id,omitempty"` // the recorded request
	Derived    bool   `json:"derived,omitzero"`      // concluded by Rollcall, not said by the provider
	Reason     string `json:"reason,omitempty"`      // why, where the type of the event does not say it: of session.revoked

	Changes jsontext.Value `json:"changes,omitzero"` // what Diff says, where the event does not tell what was before
}

// JSON encodes the context once, for all events of a request, as JSON.stringify would: nothing that need not be is escaped.
func (c Context) JSON() []byte {
	out, err := jsonv2.Marshal(c, jsontext.AllowInvalidUTF8(true))
	if err != nil { // strings and a bool
		panic(err)
	}
	return out
}

// Entry is an event to append. Either Data is the payload, or Shared and Each pack several: the payload of the i-th is
// Shared followed by Each[i]. With a Form the payload is made of the two by that form's function when the event is read: what is
// stored is the snapshot, and a request that concerns hundreds of people need not write it out for each.
type Entry struct {
	OrganizationID string
	Type           Type
	Context        []byte // Context.JSON
	Data           []byte // a JSON object
	Shared         []byte
	Each           [][]byte
	Form           string // "" or the name of a form: lower-case letters
}

// Form makes the payload of a packed event. It must give the same for ever: events do not change,
// except that people are taken out of them (Forgetter).
type Form func(shared, each []byte) ([]byte, error)

// MaxPacked is how many events one row holds at most; Append splits longer ones.
const MaxPacked = 10_000

// Event is one event as readers see it.
type Event struct {
	ID             string
	OrganizationID string
	Type           Type
	CreatedAt      time.Time
	Context        json.RawMessage
	Data           json.RawMessage
}

// newline parts the pieces of a packed row: compact JSON never holds one.
var newline = []byte{'\n'}

// row is a row of the log: one event, or n that are packed.
type row struct {
	pos            int64
	id             string
	organizationID string
	kind           string
	n              int64
	createdAt      int64
	context, data  []byte
}

// events unpacks the row.
func (l *Log) events(r row) ([]Event, error) {
	base := Event{
		ID: r.id, OrganizationID: r.organizationID, Type: Type(r.kind), CreatedAt: time.UnixMicro(r.createdAt).UTC(),
		Context: r.context, Data: r.data,
	}
	named := len(r.data) > 0 && 'a' <= r.data[0] && r.data[0] <= 'z' // JSON objects begin with a brace
	if r.n == 1 && !named {
		return []Event{base}, nil
	}
	join := Form(func(shared, each []byte) ([]byte, error) { return slices.Concat(shared, each), nil })
	rest := r.data
	if named {
		name, tail, _ := bytes.Cut(rest, newline)
		var known bool
		if join, known = l.forms[string(name)]; !known {
			return nil, fmt.Errorf("event row %s is of the form %q, which is not known", r.id, name)
		}
		rest = tail
	}
	shared, rest, _ := bytes.Cut(rest, newline)
	parts := bytes.Split(rest, newline)
	if int64(len(parts)) != r.n {
		return nil, fmt.Errorf("event row %s holds %d events, not the %d it says", r.id, len(parts), r.n)
	}
	out := make([]Event, len(parts))
	for i, each := range parts {
		data, err := join(shared, each)
		if err != nil {
			return nil, fmt.Errorf("event row %s, number %d: %w", r.id, i, err)
		}
		out[i] = base
		out[i].ID, out[i].Data = token.At(r.id, i), data
	}
	return out, nil
}
