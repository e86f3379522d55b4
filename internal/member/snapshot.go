package member

import (
	"context"
	"fmt"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
)

// presentPage is how many accounts or members are read at once.
const presentPage = 200

// Record takes one thing of a snapshot.
type Record func(kind event.Type, at time.Time, data []byte) error

// Present records every account that r sees, in the order of their ids and a page in memory at a time.
func Present(ctx context.Context, r db.Reader, record Record) error {
	for after := ""; ; {
		page, err := presentUsers(ctx, r, after)
		if err != nil {
			return err
		}
		for _, u := range page {
			if err := record(event.UserCreated, u.CreatedAt, u.Payload()); err != nil {
				return err
			}
			after = string(u.ID)
		}
		if len(page) < presentPage {
			return nil
		}
	}
}

func presentUsers(ctx context.Context, r db.Reader, after string) (page []User, err error) {
	rows, err := r.Query(ctx, selectPresentUsers, after, presentPage)
	if err != nil {
		return nil, fmt.Errorf("read users: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var u User
		var row userRow
		if err := rows.Scan(row.into(&u)...); err != nil {
			return nil, fmt.Errorf("read users: %w", err)
		}
		if err := row.finish(&u); err != nil {
			return nil, err
		}
		page = append(page, u)
	}
	return page, rows.Err()
}

// PresentMembers records every member of an organization that r sees, without removed ones, as Present does; with the accounts, each
// before its membership, if they are wanted.
func PresentMembers(ctx context.Context, r db.Reader, organizationID string, accounts bool, record Record) error {
	for after := ""; ; {
		page, err := members(ctx, r, selectPresentMembers, organizationID, after, presentPage)
		if err != nil {
			return err
		}
		for _, m := range page {
			if accounts {
				if err := record(event.UserCreated, m.User.CreatedAt, m.User.Payload()); err != nil {
					return err
				}
			}
			if err := record(event.OrganizationMembershipCreated, m.Membership.CreatedAt, m.Membership.Payload()); err != nil {
				return err
			}
			after = string(m.Membership.ID)
		}
		if len(page) < presentPage {
			return nil
		}
	}
}
