package issuer

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/oidc"
	"github.com/rollcallhq/rollcall/internal/session"
	"github.com/rollcallhq/rollcall/internal/token"
)

// profile finds the profile of a grant. One of another organization is as good as none.
func (s *Service) profile(ctx context.Context, organizationID, id string) (Profile, error) {
	if id == "" {
		return Profile{}, invalidGrant()
	}
	found, err := s.profiles.Profile(ctx, id)
	if fault.Is(err, fault.NotFound) || err == nil && found.OrganizationID != organizationID {
		return Profile{}, invalidGrant()
	}
	if err != nil {
		return Profile{}, fmt.Errorf("read profile %s: %w", id, err)
	}
	return found, nil
}

// ProfileOf gives the profile of an access token of /sso/token, as JSON. Any other token is an *oidc.ErrorResponse with invalid_token.
func (s *Service) ProfileOf(ctx context.Context, bearer token.Secret) ([]byte, error) {
	t, ok, err := s.sessions.AccessToken(ctx, bearer)
	if err != nil {
		return nil, err
	}
	if !ok || t.Style != oidc.StyleSSO {
		return nil, invalidToken()
	}
	if err := s.stillIn(ctx, grantOfToken(t)); err != nil {
		return nil, err
	}
	found, err := s.profile(ctx, t.OrganizationID, t.ProfileID)
	if err != nil {
		return nil, err
	}
	return found.JSON, nil
}

// logoutLife is how long the address of a logout serves.
const logoutLife = 10 * time.Minute

const (
	logoutPlace  = "sso_logout"
	ticketRandom = 26 // characters: two tickets of a moment are two
)

type ssoLogout struct {
	ProfileID      string    `json:"profile_id"`
	OrganizationID string    `json:"organization_id"`
	At             time.Time `json:"at"`
	Once           string    `json:"once"`
}

// LogoutTicket lets a browser end what a profile is signed in to.
type LogoutTicket struct {
	URL   string `json:"logout_url"`
	Token string `json:"logout_token"`
}

// AuthorizeLogout makes the address that ends the sessions of a profile, good once, for ten minutes. A profile that is not there is NotFound.
func (s *Service) AuthorizeLogout(ctx context.Context, profileID string) (LogoutTicket, error) {
	found, err := s.profiles.Profile(ctx, profileID)
	if err != nil {
		return LogoutTicket{}, err
	}
	sealed := s.seal(logoutPlace, encode(ssoLogout{ProfileID: found.ID, OrganizationID: found.OrganizationID, At: s.time(), Once: token.NewKey(ticketRandom)}))
	return LogoutTicket{URL: s.o.Issuer + "/sso/logout?" + url.Values{"token": {sealed}}.Encode(), Token: sealed}, nil
}

// LogoutOf is whose sessions a ticket ends.
type LogoutOf struct {
	ProfileID, OrganizationID string

	once  token.Hash
	until time.Time
}

// OpenLogout reads a ticket. What is none, or one of more than ten minutes ago, is NotFound.
func (s *Service) OpenLogout(ticket string) (LogoutOf, error) {
	gone := ticketGone()
	clear, err := s.open(logoutPlace, ticket)
	if err != nil {
		return LogoutOf{}, gone
	}
	var l ssoLogout
	if err := json.Unmarshal(clear, &l); err != nil {
		return LogoutOf{}, gone
	}
	if age := s.time().Sub(l.At); age < -time.Minute || age > logoutLife || l.OrganizationID == "" || l.ProfileID == "" {
		return LogoutOf{}, gone
	}
	return LogoutOf{
		ProfileID: l.ProfileID, OrganizationID: l.OrganizationID,
		once: token.HashOf(token.Secret(clear)), until: l.At.Add(logoutLife + time.Minute), // of what is in it: the same may be written in two ways
	}, nil
}

func ticketGone() *fault.Error {
	return fault.New(fault.NotFound, "entity_not_found", "This address serves no more. Ask the application to sign you out again.")
}

// Logout ends the sessions and grants of the profile that a ticket names, and says how many sessions ended. A ticket serves once: an address
// stays in the history of a browser.
func (s *Service) Logout(ctx context.Context, ticket string) (int, error) {
	l, err := s.OpenLogout(ticket)
	if err != nil {
		return 0, err
	}
	var w db.Write
	w.Exec(insertTicket, string(l.once), l.until.UnixMicro())
	err = s.o.DB.Write(ctx, &w)
	if used := (*db.UniqueError)(nil); errors.As(err, &used) {
		return 0, ticketGone()
	}
	if err != nil {
		return 0, fmt.Errorf("use a logout ticket: %w", err)
	}
	return s.sessions.End(ctx, session.Selection{OrganizationID: l.OrganizationID, ProfileID: l.ProfileID}, session.Ending{
		Reason: session.SignedOut, Context: event.Context{Actor: event.Actor{ID: l.ProfileID, Source: event.System}},
	})
}
