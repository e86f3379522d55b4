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
	const name = "client_id"
	for {
		var id string
		err := s.db.QueryRow(ctx, selectInstallation, name).Scan(&id)
		if err == nil {
			return id, nil
		}
		if !errors.Is(err, db.ErrNoRows) {
			return "", fmt.Errorf("read the client id: %w", err)
		}
		// Of replicas that start together one is first; the others read what it has stored.
		err = s.db.Tx(ctx, func(tx db.Tx) error {
			_, err := tx.Exec(ctx, insertInstallation, name, s.ids.NewID("client"))
			return err
		})
		if err != nil {
			return "", fmt.Errorf("store the client id: %w", err)
		}
	}
}
