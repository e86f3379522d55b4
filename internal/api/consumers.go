package api

import (
	"net/http"
	"slices"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/org"
)

// shownConsumer is a route of our own, in the style of the others. lag is how many events wait, gap that some were deleted unread.
type shownConsumer struct {
	Object         string       `json:"object"`
	Name           string       `json:"name"`
	Events         []event.Type `json:"events"`
	OrganizationID *string      `json:"organization_id"`
	Cursor         *string      `json:"cursor"`
	Lag            int64        `json:"lag"`
	Gap            bool         `json:"gap"`
	CreatedAt      string       `json:"created_at"`
	UpdatedAt      string       `json:"updated_at"`
	AcknowledgedAt *string      `json:"acknowledged_at"`
}

func showConsumer(c event.Consumer) (jsontext.Value, error) {
	shown := shownConsumer{
		Object: "event_consumer", Name: c.Name, Events: append([]event.Type{}, c.Types...), OrganizationID: optional(c.OrganizationID),
		Cursor: optional(c.Cursor), Lag: c.Lag, Gap: c.Gap, CreatedAt: org.Time(c.CreatedAt), UpdatedAt: org.Time(c.UpdatedAt),
	}
	if !c.AcknowledgedAt.IsZero() {
		shown.AcknowledgedAt = optional(org.Time(c.AcknowledgedAt))
	}
	return encode(shown)
}

// listConsumers gives all of them: there are few.
func listConsumers(c *call) (answer, error) {
	found, err := c.o.Events.Consumers(c.ctx())
	if err != nil {
		return answer{}, err
	}
	page, err := listOf(paging{ascending: true}, found, false, func(c event.Consumer) string { return c.Name }, showConsumer)
	page.Metadata.Before, page.Metadata.After = nil, nil
	return ok(page), err
}

type newConsumer struct {
	Name           string   `json:"name"`
	Events         []string `json:"events"`
	OrganizationID string   `json:"organization_id"`
	Start          string   `json:"start"`
}

func createConsumer(c *call) (answer, error) {
	var wanted newConsumer
	if err := c.body(&wanted); err != nil {
		return answer{}, err
	}
	n := event.NewConsumer{Name: wanted.Name, OrganizationID: wanted.OrganizationID, Start: wanted.Start}
	if len(wanted.Events) > maxValues {
		return answer{}, errField("events", "too_many", "events takes at most %d types.", maxValues)
	}
	for _, name := range wanted.Events {
		if !isEventType(name) {
			return answer{}, errField("events", "invalid_event", "There is no event type %.60q. Types are written like dsync.user.created.", name)
		}
		if t := event.Type(name); !slices.Contains(n.Types, t) {
			n.Types = append(n.Types, t)
		}
	}
	if n.OrganizationID != "" {
		if !isID(n.OrganizationID, orgPrefix) {
			return answer{}, errField("organization_id", "invalid_id", "%.60q is not an id that begins with %s_.", n.OrganizationID, orgPrefix)
		}
		if _, err := c.o.Organizations.Get(c.ctx(), org.ID(n.OrganizationID)); err != nil {
			return answer{}, err
		}
	}
	made, err := c.o.Events.CreateConsumer(c.ctx(), n, time.Now())
	return c.consumer(http.StatusCreated, made, err)
}

func (c *call) consumer(status int, found event.Consumer, err error) (answer, error) {
	if err != nil {
		return answer{}, err
	}
	shown, err := showConsumer(found)
	return answer{status, shown}, err
}

func getConsumer(c *call) (answer, error) {
	found, err := c.o.Events.Consumer(c.ctx(), c.path["name"])
	return c.consumer(http.StatusOK, found, err)
}

func deleteConsumer(c *call) (answer, error) {
	return answer{status: http.StatusNoContent}, c.o.Events.DeleteConsumer(c.ctx(), c.path["name"])
}

// listConsumerEvents gives the same events until they are acknowledged. after is the last of them where more wait.
func listConsumerEvents(c *call) (answer, error) {
	limit, err := c.limit()
	if err != nil {
		return answer{}, err
	}
	found, err := c.o.Events.ConsumerEvents(c.ctx(), c.path["name"], limit+1)
	if err != nil {
		return answer{}, err
	}
	return ok(showEvents(paging{limit: limit, ascending: true}, found)), nil
}

func acknowledge(c *call) (answer, error) {
	var wanted struct {
		EventID string `json:"event_id"`
	}
	if err := c.body(&wanted); err != nil {
		return answer{}, err
	}
	if wanted.EventID == "" {
		return answer{}, errField("event_id", "required", "event_id names the last event that was dealt with.")
	}
	found, err := c.o.Events.Acknowledge(c.ctx(), c.path["name"], wanted.EventID, time.Now())
	return c.consumer(http.StatusOK, found, err)
}
