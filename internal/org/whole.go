package org

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json"

	"github.com/rollcallhq/rollcall/internal/db"
)

// Whole is an organization with what it has switched.
type Whole struct {
	Organization

	Features Features
}

// Whole is Get and Features in one. A deleted organization is NotFound.
func (s *Service) Whole(ctx context.Context, id ID) (w Whole, err error) {
	if err = s.db.Ask(ctx, AskWhole("$1", []any{string(id)}, &w)); err == nil && w.ID == "" {
		err = NotFound(string(id))
	}
	return w, err
}

// AskWhole is the question behind Whole, to be asked with others. The id is an expression of SQL, "$1" or a SELECT that finds one id, with
// its arguments. Where there is no such organization, or a deleted one, into has no ID afterwards.
func AskWhole(id string, args []any, into *Whole) db.Question {
	return db.Question{SQL: fmt.Sprintf(selectWhole, id), Args: args, Read: func(rows db.Rows) error {
		*into = Whole{}
		for rows.Next() {
			if err := into.read(rows); err != nil {
				return fmt.Errorf("read organization: %w", err)
			}
		}
		return rows.Err()
	}}
}

// read takes a row, of which each brings the same organization and another domain.
func (w *Whole) read(rows db.Rows) error {
	var row wholeRow
	err := row.scan(rows)
	if err == nil && w.ID == "" {
		err = row.organization(w)
	}
	if err == nil && row.id != nil {
		w.Domains = append(w.Domains, row.domain(w.ID))
	}
	return err
}

// wholeRow is a row of selectWhole; what is of a domain is NULL where there is none.
type wholeRow struct {
	o                   Organization
	external            *string
	metadata, features  []byte
	oCreated, oUpdated  int64
	id, name            *string
	state, strategy     *string
	token               *string
	dCreated, dUpdated  *int64
	pendingSince, check *int64
}

func (r *wholeRow) scan(row db.Row) error {
	return row.Scan((*string)(&r.o.ID), &r.o.Name, &r.external, &r.metadata, &r.oCreated, &r.oUpdated, &r.features,
		&r.id, &r.name, &r.state, &r.strategy, &r.token, &r.dCreated, &r.dUpdated, &r.pendingSince, &r.check)
}

func (r *wholeRow) organization(w *Whole) error {
	w.Organization = r.o
	if r.external != nil {
		w.ExternalID = *r.external
	}
	w.CreatedAt, w.UpdatedAt = db.Time(r.oCreated), db.Time(r.oUpdated)
	return errors.Join(json.Unmarshal(r.metadata, &w.Metadata), json.Unmarshal(r.features, &w.Features.switched))
}

func (r *wholeRow) domain(of ID) Domain {
	return Domain{
		ID: *r.id, OrganizationID: of, Domain: *r.name, State: DomainState(*r.state), Strategy: Strategy(*r.strategy), VerificationToken: *r.token,
		CreatedAt: db.TimeOrZero(r.dCreated), UpdatedAt: db.TimeOrZero(r.dUpdated), pendingSince: db.TimeOrZero(r.pendingSince), checkAt: db.TimeOrZero(r.check),
	}
}
