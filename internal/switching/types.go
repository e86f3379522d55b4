package switching

import (
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/rollcallhq/rollcall/internal/org"
)

// ID is the id of a switch.
type ID string

// Prefix begins the ids of switches.
const Prefix = "identity_provider_switch"

// RevertibleFor is how long after the cut-over a switch can be reverted.
const RevertibleFor = 14 * 24 * time.Hour

// State of a switch, see the package comment.
type State string

// The closed list.
const (
	Preparing State = "preparing"
	CutOver   State = "cut_over"
	Reverted  State = "reverted"
	Cancelled State = "cancelled"
	Finished  State = "finished"
)

// Pair is what goes and what comes of a kind. Both are empty where a switch has no such part.
type Pair struct{ From, To string }

// There tells whether the switch has the part.
func (p Pair) There() bool { return p.From != "" }

// Carried says what became of a mapping, or of the setting of a brake.
type Carried string

// The closed list.
const (
	NoMapping      Carried = "none"    // the old side has none
	MappingCarried Carried = "carried" // the new side has got it, with its own groups
	MappingKept    Carried = "kept"    // the new side had one of its own already, which stays
)

// Before is what a revert puts back, and takes away again.
type Before struct {
	ConnectionState   string  `json:"connection_state,omitzero"`   // of the old connection
	ConnectionDefault bool    `json:"connection_default,omitzero"` // it was the organization's default
	DirectoryMapping  Carried `json:"directory_mapping,omitzero"`
	ConnectionMapping Carried `json:"connection_mapping,omitzero"`
	Brake             Carried `json:"brake,omitzero"` // of the directory
}

// Counts are of one kind: people or groups.
type Counts struct {
	Matched   int `json:"matched"`
	Unmatched int `json:"unmatched"`
	Ambiguous int `json:"ambiguous"`
	OnlyNew   int `json:"only_new"`
}

// Without is how many of the old side have no counterpart that is certain.
func (c Counts) Without() int { return c.Unmatched + c.Ambiguous }

// Tally is all that is counted of a switch.
type Tally struct {
	People Counts `json:"people"`
	Groups Counts `json:"groups"`
	// Leaving are people who are in, and whose counterpart the new directory says is not: they lose access with the cut-over.
	Leaving int `json:"leaving"`
	// GroupsLost are groups without a counterpart that a mapping or a team counts on: what they give is lost with the cut-over.
	GroupsLost int `json:"groups_lost"`
}

// Switch is one change of an organization's identity provider.
type Switch struct {
	ID              ID
	OrganizationID  org.ID
	State           State
	Connection      Pair
	Directory       Pair
	Before          Before
	Counts          Tally // as it was cut over; while it is prepared, as the caller has counted
	CreatedAt       time.Time
	UpdatedAt       time.Time
	CutOverAt       time.Time // zero: never
	RevertibleUntil time.Time // zero: it was never cut over
	EndedAt         time.Time // zero: it has not

	version int64
}

// Version grows with each change of the switch, and with each word of a hand.
func (s Switch) Version() int64 { return s.version }

// Payload is a switch as API and events show it.
func (s Switch) Payload() []byte {
	out, err := json.Marshal(s.Shown(), json.Deterministic(true), jsontext.AllowInvalidUTF8(true))
	if err != nil { // strings and numbers
		panic(err)
	}
	return out
}

// Shown is a switch as API and events show it.
func (s Switch) Shown() Shown {
	return Shown{
		Object: "identity_provider_switch", ID: s.ID, OrganizationID: s.OrganizationID, State: s.State,
		From: Side{optional(s.Connection.From), optional(s.Directory.From)}, To: Side{optional(s.Connection.To), optional(s.Directory.To)},
		DirectoryMapping: optional(string(s.Before.DirectoryMapping)), ConnectionMapping: optional(string(s.Before.ConnectionMapping)),
		Brake: optional(string(s.Before.Brake)), Tally: s.Counts,
		CreatedAt: org.Time(s.CreatedAt), UpdatedAt: org.Time(s.UpdatedAt), CutOverAt: moment(s.CutOverAt), RevertibleUntil: moment(s.RevertibleUntil),
		EndedAt: moment(s.EndedAt),
	}
}

// Shown is the form of Payload.
type Shown struct {
	Object            string  `json:"object"`
	ID                ID      `json:"id"`
	OrganizationID    org.ID  `json:"organization_id"`
	State             State   `json:"state"`
	From              Side    `json:"from"`
	To                Side    `json:"to"`
	DirectoryMapping  *string `json:"directory_mapping"`
	ConnectionMapping *string `json:"connection_mapping"`
	Brake             *string `json:"brake"`
	Tally
	CutOverAt       *string `json:"cut_over_at"`
	RevertibleUntil *string `json:"revertible_until"`
	EndedAt         *string `json:"ended_at"`
	CreatedAt       string  `json:"created_at"`
	UpdatedAt       string  `json:"updated_at"`
}

// Side is one side of a switch.
type Side struct {
	ConnectionID *string `json:"connection_id"`
	DirectoryID  *string `json:"directory_id"`
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func moment(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	return optional(org.Time(t))
}
