package org

import (
	"context"
	"fmt"

	"github.com/rollcallhq/rollcall/internal/db"
)

// presentPage is how many organizations are read at once.
const presentPage = 200

// Present shows fn every organization that r sees, in the order of their ids and a page in memory at a time. Deleted ones are left
// out.
func Present(ctx context.Context, r db.Reader, fn func(Organization) error) error {
	for after := ""; ; {
		page, err := readOrganizations(ctx, r, selectPresent, after, presentPage)
		if err != nil {
			return err
		}
		for _, o := range page {
			if err := fn(o); err != nil {
				return err
			}
			after = string(o.ID)
		}
		if len(page) < presentPage {
			return nil
		}
	}
}

// PresentOne finds one organization that r sees; a deleted one is NotFound.
func PresentOne(ctx context.Context, r db.Reader, id ID) (Organization, error) {
	found, err := readOrganizations(ctx, r, selectPresentOne, string(id))
	if err != nil {
		return Organization{}, err
	}
	if len(found) == 0 {
		return Organization{}, NotFound(string(id))
	}
	return found[0], nil
}

func readOrganizations(ctx context.Context, r db.Reader, text string, args ...any) ([]Organization, error) {
	rows, err := r.Query(ctx, text, args...)
	if err != nil {
		return nil, fmt.Errorf("read organizations: %w", err)
	}
	defer rows.Close()
	var out []Organization
	for rows.Next() {
		o, err := scan(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, o)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read organizations: %w", err)
	}
	rows.Close() // a snapshot has one connection
	return out, withDomainsOf(ctx, r, out)
}
