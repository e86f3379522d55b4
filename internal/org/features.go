package org

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
)

// Feature is something that the operator switches on or off for an organization.
type Feature string

// The features.
const (
	SSO           Feature = "sso"
	DirectorySync Feature = "directory_sync"
)

// AllFeatures lists the features there are.
func AllFeatures() []Feature { return []Feature{SSO, DirectorySync} }

// Features are what an organization has switched.
type Features struct {
	switched map[Feature]bool
}

// On says whether a feature is on. It is unless it was switched off.
func (f Features) On(feature Feature) bool {
	on, switched := f.switched[feature]
	return on || !switched
}

// All tells of every feature whether it is on.
func (f Features) All() map[Feature]bool {
	out := map[Feature]bool{}
	for _, feature := range AllFeatures() {
		out[feature] = f.On(feature)
	}
	return out
}

// Features are those of an organization.
func (s *Service) Features(ctx context.Context, id ID) (Features, error) {
	return FeaturesIn(ctx, s.db, id, "")
}

// FeaturesIn are those of an organization that r sees. lock is "" or what db.ForShare gives, which keeps them as they are until the
// transaction ends. A deleted organization is NotFound.
func FeaturesIn(ctx context.Context, r db.Reader, id ID, lock string) (f Features, err error) {
	var text []byte
	err = r.QueryRow(ctx, selectFeatures+lock, string(id)).Scan(&text)
	if errors.Is(err, db.ErrNoRows) {
		return f, NotFound(string(id))
	}
	if err == nil {
		err = json.Unmarshal(text, &f.switched)
	}
	if err != nil {
		return f, fmt.Errorf("read the features of organization %s: %w", id, err)
	}
	return f, nil
}

// SetFeatures switches features and leaves those alone that are not named. Off ends no more than the way in: nothing is deleted. When
// it returns, every process acts by it. What changes nothing is silent.
func (s *Service) SetFeatures(ctx context.Context, actor event.Actor, id ID, changes map[Feature]bool) (Features, error) {
	for _, feature := range slices.Sorted(maps.Keys(changes)) {
		if !slices.Contains(AllFeatures(), feature) {
			return Features{}, errFeature(feature)
		}
	}
	var f Features
	at := s.time()
	err := s.db.Tx(ctx, func(tx db.Tx) error {
		o, err := s.organizationTx(ctx, tx, id)
		if err != nil {
			return err
		}
		if f, err = FeaturesIn(ctx, tx, id, ""); err != nil {
			return err
		}
		before := f.All()
		f.switched = maps.Clone(f.switched)
		maps.Copy(f.switched, changes)
		if maps.Equal(before, f.All()) {
			return nil
		}
		if _, err := tx.Exec(ctx, updateFeatures, string(id), encode(f.switched), at.UnixMicro()); err != nil {
			return err
		}
		if err := s.doors.Moved(ctx, tx); err != nil {
			return err
		}
		o.UpdatedAt = at
		return s.events.AppendTx(ctx, tx, at, event.Entry{
			OrganizationID: string(id), Type: event.OrganizationUpdated, Data: o.Payload(),
			Context: event.Context{Actor: actor, Changes: event.Diff(event.Settings{"features": before}, event.Settings{"features": f.All()})}.JSON(),
		})
	})
	if err != nil {
		return Features{}, fmt.Errorf("set the features of organization %s: %w", id, err)
	}
	return f, s.doors.Await(ctx)
}

func errFeature(feature Feature) error {
	names := make([]string, len(AllFeatures()))
	for i, f := range AllFeatures() {
		names[i] = string(f)
	}
	return fault.New(fault.Unprocessable, "unknown_feature", "There is no feature %.60q. The features are %s.", string(feature), strings.Join(names, ", ")).
		On("features")
}
