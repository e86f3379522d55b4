package client

import (
	"context"
	"iter"
	"time"
)

// SwitchSide names the connection and the directory of one side of a switch; "" is none.
type SwitchSide struct {
	ConnectionID string `json:"connection_id,omitempty"`
	DirectoryID  string `json:"directory_id,omitempty"`
}

// SwitchCounts are of the people or the groups of a switch.
type SwitchCounts struct {
	Matched   int `json:"matched"`
	Unmatched int `json:"unmatched"`
	Ambiguous int `json:"ambiguous"`
	OnlyNew   int `json:"only_new"`
}

// Switch is the change of an organization's identity provider to another.
type Switch struct {
	Raw

	ID                string       `json:"id"`
	OrganizationID    string       `json:"organization_id"`
	State             string       `json:"state"` // preparing, cut_over, reverted, cancelled, finished
	From              SwitchSide   `json:"from"`
	To                SwitchSide   `json:"to"`
	DirectoryMapping  string       `json:"directory_mapping"` // none, carried, kept; "" before the cut-over
	ConnectionMapping string       `json:"connection_mapping"`
	Brake             string       `json:"brake"` // of the directory
	People            SwitchCounts `json:"people"`
	Groups            SwitchCounts `json:"groups"`
	Leaving           int          `json:"leaving"`     // who are in, and whose counterpart is not
	GroupsLost        int          `json:"groups_lost"` // that a mapping or a team counts on, and have no counterpart
	CutOverAt         time.Time    `json:"cut_over_at"`
	RevertibleUntil   time.Time    `json:"revertible_until"`
	EndedAt           time.Time    `json:"ended_at"`
	CreatedAt         time.Time    `json:"created_at"`
	UpdatedAt         time.Time    `json:"updated_at"`
}

// SwitchMatch is a person or group of a switch with its counterpart.
type SwitchMatch struct {
	Raw

	ID           string       `json:"id"`
	Match        string       `json:"match"`    // matched, unmatched, ambiguous, only_new
	FoundBy      string       `json:"found_by"` // hand, external_id, user_name, name, email, directory; "" where nothing was found
	MembershipID string       `json:"organization_membership_id"`
	Old          *SwitchEntry `json:"old"`
	New          *SwitchEntry `json:"new"`
	Candidates   []string     `json:"candidates"`
}

// SwitchEntry is a person or group of one side. Groups have an id and a name alone.
type SwitchEntry struct {
	ID         string `json:"id"`
	Name       string `json:"name"`
	Email      string `json:"email"`
	UserName   string `json:"user_name"`
	ExternalID string `json:"external_id"`
	Active     bool   `json:"active"`
}

// CutOver are the numbers that whoever cuts over has seen; nil is 0. Where one differs the refusal's Error.Confirm is the right one.
type CutOver struct {
	Unmatched  *int // people who are unmatched or ambiguous
	GroupsLost *int
	Leaving    *int
}

const switchesPath = "identity_provider_switches"

// Switches lists those of an organization.
func (c *Client) Switches(ctx context.Context, organizationID string, q Listing) iter.Seq2[Switch, error] {
	return list[Switch](ctx, c, q.query(), "organizations", organizationID, switchesPath)
}

// CreateSwitch begins one: nobody notices until it is cut over.
func (c *Client) CreateSwitch(ctx context.Context, organizationID string, from, to SwitchSide) (Switch, error) {
	body := map[string]SwitchSide{"from": from, "to": to}
	return fetch[Switch](ctx, c, post(body, "organizations", organizationID, switchesPath))
}

// Switch finds one.
func (c *Client) Switch(ctx context.Context, organizationID, id string) (Switch, error) {
	return fetch[Switch](ctx, c, get(nil, "organizations", organizationID, switchesPath, id))
}

// SwitchMatchQuery says which: matched, unmatched, ambiguous, only_new; "" all.
type SwitchMatchQuery struct {
	Listing

	Match string
}

// SwitchPeople lists who is who.
func (c *Client) SwitchPeople(ctx context.Context, organizationID, id string, q SwitchMatchQuery) iter.Seq2[SwitchMatch, error] {
	return c.switchMatches(ctx, q, "organizations", organizationID, switchesPath, id, "people")
}

// SwitchGroups lists which group is which.
func (c *Client) SwitchGroups(ctx context.Context, organizationID, id string, q SwitchMatchQuery) iter.Seq2[SwitchMatch, error] {
	return c.switchMatches(ctx, q, "organizations", organizationID, switchesPath, id, "groups")
}

func (c *Client) switchMatches(ctx context.Context, q SwitchMatchQuery, path ...string) iter.Seq2[SwitchMatch, error] {
	query := q.query()
	set(query, "match", q.Match)
	return list[SwitchMatch](ctx, c, query, path...)
}

// SetSwitchPerson says by hand who of the new directory somebody is; newID "" says nobody.
func (c *Client) SetSwitchPerson(ctx context.Context, organizationID, id, oldID, newID string) (SwitchMatch, error) {
	return fetch[SwitchMatch](ctx, c, put(counterpart(newID), "organizations", organizationID, switchesPath, id, "people", oldID))
}

// SetSwitchGroup says by hand which group of the new directory a group is; newID "" says none.
func (c *Client) SetSwitchGroup(ctx context.Context, organizationID, id, oldID, newID string) (SwitchMatch, error) {
	return fetch[SwitchMatch](ctx, c, put(counterpart(newID), "organizations", organizationID, switchesPath, id, "groups", oldID))
}

func counterpart(newID string) map[string]any {
	body := map[string]any{}
	orNull(body, "new_id", &newID)
	return body
}

// CutOverSwitch lets the new identity provider rule.
func (c *Client) CutOverSwitch(ctx context.Context, organizationID, id string, expected CutOver) (Switch, error) {
	body := map[string]any{}
	change1(body, "expected_unmatched", expected.Unmatched)
	change1(body, "expected_groups_lost", expected.GroupsLost)
	change1(body, "expected_leaving", expected.Leaving)
	return fetch[Switch](ctx, c, post(body, "organizations", organizationID, switchesPath, id, "cut_over"))
}

// RevertSwitch lets the old one rule again, within 14 days.
func (c *Client) RevertSwitch(ctx context.Context, organizationID, id string) (Switch, error) {
	return fetch[Switch](ctx, c, post(nil, "organizations", organizationID, switchesPath, id, "revert"))
}

// CancelSwitch gives one up before its cut-over.
func (c *Client) CancelSwitch(ctx context.Context, organizationID, id string) (Switch, error) {
	return fetch[Switch](ctx, c, post(nil, "organizations", organizationID, switchesPath, id, "cancel"))
}
