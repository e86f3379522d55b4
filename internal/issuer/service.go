package issuer

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/outbound"
	"github.com/rollcallhq/rollcall/internal/session"
	"github.com/rollcallhq/rollcall/internal/token"
)

// Options are what the service is built from.
type Options struct {
	DB       *db.DB
	Events   *event.Log
	IDs      *token.Source
	Sealer   *db.Sealer
	Sessions *session.Service
	Policy   outbound.Policy
	// Issuer is the public address without a slash at its end, from the configuration: what tokens say and clients compare.
	Issuer string
	// ClientID gives the client id of the installation, which the default application has.
	ClientID func(context.Context) (string, error)
	// ManagementKeys are secrets of the default application on the compatible routes too.
	ManagementKeys []token.Hash
	UserAgent      string
	Now            func() time.Time // time.Now
	Logger         *slog.Logger     // slog.Default
}

// Service holds the verbs of the OpenID provider; Run keeps keys in order and tells applications of ended sessions.
type Service struct {
	o        Options
	db       *db.DB
	ids      *token.Source
	sessions *session.Service
	log      *slog.Logger
	client   *http.Client
	people   People
	profiles Profiles
	accounts Accounts

	keys   atomic.Pointer[keyset]
	teller teller
	asked  sync.Map // application id → when it last asked about a token, as noted
}

// NewService makes the service. People and Profiles have to be set before it is asked for anything about them.
func NewService(o Options) *Service {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	o.Issuer = strings.TrimRight(o.Issuer, "/")
	s := &Service{o: o, db: o.DB, ids: o.IDs, sessions: o.Sessions, log: o.Logger, client: o.Policy.Client()}
	s.teller.init()
	return s
}

// SetPeople is called while the services are built.
func (s *Service) SetPeople(p People) { s.people = p }

// SetProfiles is called while the services are built.
func (s *Service) SetProfiles(p Profiles) { s.profiles = p }

// Issuer is the issuer identifier.
func (s *Service) Issuer() string { return s.o.Issuer }

// time is now, at the precision that is stored.
func (s *Service) time() time.Time { return s.o.Now().UTC().Truncate(time.Microsecond) }

// encode writes what is of our own making as JSON.
func encode(v any) []byte {
	out, err := json.Marshal(v, json.Deterministic(true))
	if err != nil { // plain structs of strings
		panic(err)
	}
	return out
}

// lost says that a write has to be computed again: something changed between reading and writing.
func lost(err error) bool {
	var guard *db.GuardError
	var unique *db.UniqueError
	return errors.As(err, &guard) || errors.As(err, &unique)
}

func orEmpty(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
