package sso

import (
	"context"
	"log/slog"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/idp"
	"github.com/rollcallhq/rollcall/internal/outbound"
	"github.com/rollcallhq/rollcall/internal/token"
)

// Config is what the service is built from.
type Config struct {
	DB      *db.DB
	Events  *event.Log
	IDs     *token.Source
	Sealer  *db.Sealer
	Policy  outbound.Policy
	Catalog *idp.Catalog
	Now     func() time.Time
	Logger  *slog.Logger
	// OneVerifier leaves out the second verifier of SAML signatures.
	OneVerifier bool
}

// Service holds the verbs; Run is the background work.
type Service struct {
	c Config
}

// NewService makes the service.
func NewService(c Config) *Service { return &Service{c: c} }

// Get finds one connection.
func (s *Service) Get(ctx context.Context, id ID) (Connection, error) { return Connection{}, nil }

// ByKey finds the connection of an address.
func (s *Service) ByKey(ctx context.Context, key string) (Connection, error) {
	return Connection{}, nil
}

// ByPath finds the connection that is served at a further path.
func (s *Service) ByPath(ctx context.Context, path string) (Connection, error) {
	return Connection{}, nil
}

// Choose finds the connection that is meant by an organization: the one that lets people in, or of several the default. Refusals:
// NotFound "connection_not_found", Conflict "ambiguous_connection_selector".
func (s *Service) Choose(ctx context.Context, organizationID string) (Connection, error) {
	return Connection{}, nil
}

// Profile finds one profile.
func (s *Service) Profile(ctx context.Context, id ProfileID) (Profile, error) { return Profile{}, nil }

// Payload is the profile as the contract shows it.
func (p Profile) Payload() []byte { return nil }

// SPMetadata is what a provider may read about us.
func (s *Service) SPMetadata(c Connection, base string) ([]byte, error) { return nil, nil }

// Run does the background work until ctx ends: metadata, certificates, attempts that came to nothing.
func (s *Service) Run(ctx context.Context) {}
