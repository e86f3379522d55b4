package event

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"time"

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
	Derived    bool   `json:"derived,omitempty"`     // concluded by Rollcall, not said by the provider
}

// JSON encodes the context once, for all events of a request.
func (c Context) JSON() []byte {
	out, err := json.Marshal(c)
	if err != nil { // strings and a bool
		panic(err)
	}
	return out
}

// Entry is an event to append. Either Data is the payload, or Shared and Each pack several: the payload of the i-th is
// Shared with Each[i] put in at its end, so Shared is an object without its closing brace and Each[i] the rest of it.
type Entry struct {
	OrganizationID string
	Type           Type
	Context        []byte // Context.JSON
	Data           []byte // a JSON object
	Shared         []byte // packed: the object's common beginning, without "}"
	Each           [][]byte
}

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
func (r row) events() ([]Event, error) {
	base := Event{
		OrganizationID: r.organizationID, Type: Type(r.kind), CreatedAt: time.UnixMicro(r.createdAt).UTC(),
		Context: r.context,
	}
	if r.n == 1 {
		base.ID, base.Data = r.id, r.data
		return []Event{base}, nil
	}
	shared, rest, _ := bytes.Cut(r.data, newline)
	parts := bytes.Split(rest, newline)
	if int64(len(parts)) != r.n {
		return nil, fmt.Errorf("event row %s holds %d events, not the %d it says", r.id, len(parts), r.n)
	}
	out := make([]Event, len(parts))
	for i, each := range parts {
		out[i] = base
		out[i].ID, out[i].Data = token.At(r.id, i), slices.Concat(shared, each)
	}
	return out, nil
}
