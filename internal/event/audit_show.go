package event

import (
	"strconv"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// AuditColumns are the names of what Cells gives.
func AuditColumns() []string {
	return []string{"created_at", "id", "organization_id", "action", "target", "actor_id", "actor_source", "actor_name", "exchange_id", "derived", "reason", "changes"}
}

// Cells is the entry as a line of a table.
func (e AuditEntry) Cells() []string {
	name := ""
	if e.Context.Actor.Name != nil {
		name = *e.Context.Actor.Name
	}
	return []string{
		Shown(e.At), e.ID, e.OrganizationID, string(e.Action), e.Target, e.Context.Actor.ID, string(e.Context.Actor.Source), name, e.Context.ExchangeID,
		strconv.FormatBool(e.Context.Derived), e.Context.Reason, string(e.Changes),
	}
}

// AuditCause is the one cause of a change: a recorded request of an identity provider, or who acted where.
type AuditCause struct {
	Type string `json:"type"`
	ID   string `json:"id"`
}

// Cause is why there was the change.
func (e AuditEntry) Cause() AuditCause {
	if e.Context.ExchangeID != "" {
		return AuditCause{"exchange", e.Context.ExchangeID}
	}
	return AuditCause{string(e.Context.Actor.Source), e.Context.Actor.ID}
}

// JSON is the entry as every reader sees it.
func (e AuditEntry) JSON() jsontext.Value {
	changes := e.Changes
	if len(changes) == 0 {
		changes = jsontext.Value("null")
	}
	out, err := jsonv2.Marshal(struct {
		Object         string         `json:"object"`
		ID             string         `json:"id"`
		OrganizationID *string        `json:"organization_id"`
		Action         Action         `json:"action"`
		Target         *string        `json:"target"`
		Actor          Actor          `json:"actor"`
		Cause          AuditCause     `json:"cause"`
		Derived        bool           `json:"derived"`
		Reason         *string        `json:"reason"`
		Changes        jsontext.Value `json:"changes"`
		CreatedAt      string         `json:"created_at"`
	}{
		"audit_entry", e.ID, textOrNull(e.OrganizationID), e.Action, textOrNull(e.Target), e.Context.Actor, e.Cause(), e.Context.Derived,
		textOrNull(e.Context.Reason), changes, Shown(e.At),
	}, jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true))
	if err != nil { // texts, and changes that were encoded when they were written
		panic(err)
	}
	return out
}

func textOrNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
