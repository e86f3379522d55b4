package main

import (
	"context"
	"errors"
)

// store keeps documents as bytes. Every write is durable when it returns.
// Nothing is ever deleted except memberships, so a person's row number is their
// place in the list and one counter is the exact total.
type store interface {
	createUser(ctx context.Context, id, userName string, doc []byte) error
	userByName(ctx context.Context, userName string) ([]byte, error) // errAbsent
	user(ctx context.Context, id string) ([]byte, error)             // errAbsent
	replaceUser(ctx context.Context, id string, doc []byte) error    // errAbsent
	setActive(ctx context.Context, id string, active bool) ([]byte, error)
	setTitle(ctx context.Context, id, title string) ([]byte, error)
	page(ctx context.Context, start, count int) (docs [][]byte, total int, err error)

	createGroup(ctx context.Context, id, name string, members []string) error
	group(ctx context.Context, id string, withMembers bool) (name string, members []string, err error)
	addMembers(ctx context.Context, group string, members []string) error
	removeMember(ctx context.Context, group, member string) error

	addEvents(ctx context.Context, events []event) error
	eventsAfter(ctx context.Context, id string, count int) ([]event, error) // "" is the beginning

	close() error
}

// event is an entry of the log as Rollcall wrote it.
type event struct {
	id  string
	doc []byte
}

var errAbsent = errors.New("no such resource")
