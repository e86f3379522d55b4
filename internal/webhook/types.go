package webhook

import (
	"fmt"
	"time"

	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/token"
)

// EndpointID begins with "we_".
type EndpointID string

// DeliveryID begins with "whd_".
type DeliveryID string

// Prefixes of ids.
const (
	EndpointPrefix = "we"
	DeliveryPrefix = "whd"
	attemptPrefix  = "wha"
)

// Status says whether an endpoint gets events.
type Status string

// The closed list of Status.
const (
	Enabled  Status = "enabled"
	Disabled Status = "disabled"
)

// Why an endpoint was disabled.
const (
	ByOperator = "operator" // by hand
	ByFailing  = "failing"  // nothing succeeded for days
	ByGone     = "gone"     // it answered 410
)

// Endpoint is an address of the app that gets events.
type Endpoint struct {
	ID             EndpointID
	URL            string
	Status         Status
	Types          []event.Type
	Secret         token.Secret
	OldSecret      token.Secret // signs too until OldUntil; "" if there is none
	OldUntil       time.Time
	FailingSince   time.Time // first failure since the last success; zero if the last attempt succeeded
	DisabledAt     time.Time
	DisabledReason string
	CreatedAt      time.Time
	UpdatedAt      time.Time
}

// State says where a delivery stands.
type State string

// The closed list of State.
const (
	Pending   State = "pending"
	Delivered State = "delivered"
	Failed    State = "failed"
	Cancelled State = "cancelled"
)

// States lists them.
func States() []State { return []State{Pending, Delivered, Failed, Cancelled} }

// Why a delivery is failed or cancelled.
const (
	attemptsUsedUp   = "attempts_used_up"
	endpointDisabled = "endpoint_disabled"
	endpointDeleted  = "endpoint_deleted"
	endpointGone     = "endpoint_gone"
	eventGone        = "event_gone" // erased, or older than the log's retention
)

// Delivery is one event for one endpoint.
type Delivery struct {
	ID             DeliveryID
	EndpointID     EndpointID
	OrganizationID string
	EventID        string
	Type           event.Type
	Replay         bool
	State          State
	Reason         string
	Attempts       int
	NextAt         time.Time // of the next attempt; zero when there will be none
	CreatedAt      time.Time
	FinishedAt     time.Time

	seq    int64
	entity string
}

// Attempt is one request.
type Attempt struct {
	ID     string
	At     time.Time
	Took   time.Duration
	Status int    // 0 when there was no answer
	Error  string // "" when there was one
	Answer string // the beginning of its body
}

// Limits of endpoints.
const (
	MaxEndpoints = 500
	maxTypes     = 500
)

func notFound(id EndpointID) error {
	return fault.New(fault.NotFound, "entity_not_found", "Webhook endpoint not found: '%.80s'.", id)
}

func deliveryNotFound(id DeliveryID) error {
	return fault.New(fault.NotFound, "entity_not_found", "Webhook delivery not found: '%.80s'.", id)
}

// place binds a sealed secret to its row.
func place(id EndpointID) string { return "webhook_endpoints.secret/" + string(id) }

func invalidParameter(field, detail, format string, args ...any) error {
	f := fault.New(fault.Unprocessable, "invalid_request_parameters", format, args...).On(field)
	f.Detail = detail
	return f
}

func invalidURL(reason string, cause error) error {
	return fault.New(fault.Unprocessable, "invalid_url", "%s", reason).On("endpoint_url").Because(cause)
}

func duplicate(url string) error {
	return fault.New(fault.Conflict, "duplicate_endpoint", "There is an endpoint with the address %.200s already. Change that one, or give another address.", url).On("endpoint_url")
}

func unknownType(t event.Type) error {
	return invalidParameter("events", "unknown_event_type", "There is no event type %s. Types are written like dsync.user.created.", fmt.Sprintf("%.60q", string(t)))
}
