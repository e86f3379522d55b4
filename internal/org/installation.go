package org

import (
	"context"
	"errors"
	"fmt"

	"github.com/rollcallhq/rollcall/internal/db"
)

// ClientID gives the client id of this installation ("client_01…"), made when it is first asked for and the same ever after. It is
// public: SDKs want one beside the management key.
func (s *Service) ClientID(ctx context.Context) (string, error) {
	return s.kept(ctx, "client_id", func() (string, error) { return s.ids.NewID("client"), nil })
}

// TestProviderKey gives the key of this installation's test identity provider for a protocol, made when it is first asked for and the same ever after,
// so that what was set up with it goes on after a restart. What is made has to be sealed: it is stored as it is.
func (s *Service) TestProviderKey(ctx context.Context, protocol string, made func() (string, error)) (string, error) {
	return s.kept(ctx, "test_provider_key/"+protocol, made)
}

// kept gives what the installation keeps under a name, and makes it where there is nothing yet.
func (s *Service) kept(ctx context.Context, name string, made func() (string, error)) (string, error) {
	for {
		var value string
		err := s.db.QueryRow(ctx, selectInstallation, name).Scan(&value)
		if err == nil {
			return value, nil
		}
		if !errors.Is(err, db.ErrNoRows) {
			return "", fmt.Errorf("read the installation's %s: %w", name, err)
		}
		if value, err = made(); err != nil {
			return "", err
		}
		// Of replicas that start together one is first; the others read what it has stored.
		err = s.db.Tx(ctx, func(tx db.Tx) error {
			_, err := tx.Exec(ctx, insertInstallation, name, value)
			return err
		})
		if err != nil {
			return "", fmt.Errorf("store the installation's %s: %w", name, err)
		}
	}
}
