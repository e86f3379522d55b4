package client

import (
	"context"
	"encoding/json"
	"iter"
	"time"
)

// DirectoryUser is a person of a directory. Groups are only in what DirectoryUsers and DirectoryUser give, not in events.
type DirectoryUser struct {
	Raw

	ID               string           `json:"id"`
	DirectoryID      string           `json:"directory_id"`
	OrganizationID   string           `json:"organization_id"`
	IdPID            string           `json:"idp_id"`
	Email            string           `json:"email"`
	FirstName        string           `json:"first_name"`
	LastName         string           `json:"last_name"`
	Name             string           `json:"name"`
	JobTitle         string           `json:"job_title"`
	Username         string           `json:"username"`
	State            string           `json:"state"`          // active, suspended or inactive
	RawAttributes    json.RawMessage  `json:"raw_attributes"` // what the identity provider wrote
	CustomAttributes json.RawMessage  `json:"custom_attributes"`
	Groups           []DirectoryGroup `json:"groups"`
	CreatedAt        time.Time        `json:"created_at"`
	UpdatedAt        time.Time        `json:"updated_at"`
}

// DirectoryGroup is a group of a directory.
type DirectoryGroup struct {
	Raw

	ID             string          `json:"id"`
	DirectoryID    string          `json:"directory_id"`
	OrganizationID string          `json:"organization_id"`
	IdPID          string          `json:"idp_id"`
	Name           string          `json:"name"`
	RawAttributes  json.RawMessage `json:"raw_attributes"`
	CreatedAt      time.Time       `json:"created_at"`
	UpdatedAt      time.Time       `json:"updated_at"`
}

// DirectoryMembership is the data of dsync.group.user_added and dsync.group.user_removed.
type DirectoryMembership struct {
	DirectoryID string         `json:"directory_id"`
	User        DirectoryUser  `json:"user"`
	Group       DirectoryGroup `json:"group"`
}

// DirectoryUserQuery names a directory or a group, whose people are listed.
type DirectoryUserQuery struct {
	Listing

	DirectoryID string
	GroupID     string
	Email       string
	IdPID       string
	States      []string // active, inactive, suspended; none: all
}

// DirectoryGroupQuery names a directory or a person, whose groups are listed.
type DirectoryGroupQuery struct {
	Listing

	DirectoryID string
	UserID      string
}

// DirectoryUsers lists the people of a directory or a group.
func (c *Client) DirectoryUsers(ctx context.Context, q DirectoryUserQuery) iter.Seq2[DirectoryUser, error] {
	query := q.query()
	set(query, "directory", q.DirectoryID)
	set(query, "group", q.GroupID)
	set(query, "email", q.Email)
	set(query, "idp_id", q.IdPID)
	set(query, "state", q.States...)
	return list[DirectoryUser](ctx, c, query, "directory_users")
}

// DirectoryUser gives one person.
func (c *Client) DirectoryUser(ctx context.Context, id string) (DirectoryUser, error) {
	return fetch[DirectoryUser](ctx, c, get(nil, "directory_users", id))
}

// EraseDirectoryUser removes a person from the directory at once and has their personal data erased.
func (c *Client) EraseDirectoryUser(ctx context.Context, id string) error {
	return c.send(ctx, remove("directory_users", id))
}

// DirectoryGroups lists the groups of a directory or a person.
func (c *Client) DirectoryGroups(ctx context.Context, q DirectoryGroupQuery) iter.Seq2[DirectoryGroup, error] {
	query := q.query()
	set(query, "directory", q.DirectoryID)
	set(query, "user", q.UserID)
	return list[DirectoryGroup](ctx, c, query, "directory_groups")
}

// DirectoryGroup gives one group.
func (c *Client) DirectoryGroup(ctx context.Context, id string) (DirectoryGroup, error) {
	return fetch[DirectoryGroup](ctx, c, get(nil, "directory_groups", id))
}
