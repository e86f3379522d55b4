package client

import (
	"context"
	"encoding/json"
	"iter"
	"time"
)

// User is a person of a directory. Groups are only in what Users and User give, not in events.
type User struct {
	Raw

	ID               string          `json:"id"`
	DirectoryID      string          `json:"directory_id"`
	OrganizationID   string          `json:"organization_id"`
	IdPID            string          `json:"idp_id"`
	Email            string          `json:"email"`
	FirstName        string          `json:"first_name"`
	LastName         string          `json:"last_name"`
	Name             string          `json:"name"`
	JobTitle         string          `json:"job_title"`
	Username         string          `json:"username"`
	State            string          `json:"state"`          // active, suspended or inactive
	RawAttributes    json.RawMessage `json:"raw_attributes"` // what the identity provider wrote
	CustomAttributes json.RawMessage `json:"custom_attributes"`
	Groups           []Group         `json:"groups"`
	CreatedAt        time.Time       `json:"created_at"`
	UpdatedAt        time.Time       `json:"updated_at"`
}

// Group is a group of a directory.
type Group struct {
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

// Membership is the data of dsync.group.user_added and dsync.group.user_removed.
type Membership struct {
	DirectoryID string `json:"directory_id"`
	User        User   `json:"user"`
	Group       Group  `json:"group"`
}

// UserQuery names a directory or a group, whose people are listed.
type UserQuery struct {
	Listing

	DirectoryID string
	GroupID     string
	Email       string
	IdPID       string
}

// GroupQuery names a directory or a person, whose groups are listed.
type GroupQuery struct {
	Listing

	DirectoryID string
	UserID      string
}

// Users lists the people of a directory or a group.
func (c *Client) Users(ctx context.Context, q UserQuery) iter.Seq2[User, error] {
	query := q.query()
	set(query, "directory", q.DirectoryID)
	set(query, "group", q.GroupID)
	set(query, "email", q.Email)
	set(query, "idp_id", q.IdPID)
	return list[User](ctx, c, query, "directory_users")
}

// User gives one person.
func (c *Client) User(ctx context.Context, id string) (User, error) {
	return fetch[User](ctx, c, get(nil, "directory_users", id))
}

// EraseUser removes a person from the directory at once and has their personal data erased.
func (c *Client) EraseUser(ctx context.Context, id string) error {
	return c.send(ctx, remove("directory_users", id))
}

// Groups lists the groups of a directory or a person.
func (c *Client) Groups(ctx context.Context, q GroupQuery) iter.Seq2[Group, error] {
	query := q.query()
	set(query, "directory", q.DirectoryID)
	set(query, "user", q.UserID)
	return list[Group](ctx, c, query, "directory_groups")
}

// Group gives one group.
func (c *Client) Group(ctx context.Context, id string) (Group, error) {
	return fetch[Group](ctx, c, get(nil, "directory_groups", id))
}
