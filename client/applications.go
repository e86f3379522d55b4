package client

import (
	"context"
	"iter"
	"time"
)

// Application is an OpenID client: an app that people sign in to.
type Application struct {
	Raw

	ID                     string           `json:"id"`
	ClientID               string           `json:"client_id"`
	Name                   string           `json:"name"`
	Description            string           `json:"description"`
	OrganizationID         string           `json:"organization_id"` // whose it is, if it is not the operator's own
	FirstParty             bool             `json:"is_first_party"`
	Public                 bool             `json:"is_public"`  // has no secret
	Default                bool             `json:"is_default"` // there from the first start
	UsesPKCE               bool             `json:"uses_pkce"`
	Scopes                 []string         `json:"scopes"`
	RedirectURIs           []ApplicationURI `json:"redirect_uris"`
	PostLogoutRedirectURIs []string         `json:"post_logout_redirect_uris"`
	LogoutURI              string           `json:"backchannel_logout_uri"`
	InitiateLoginURI       string           `json:"initiate_login_uri"`
	SigningAlgorithm       string           `json:"signing_alg"` // RS256 or ES256
	CreatedAt              time.Time        `json:"created_at"`
	UpdatedAt              time.Time        `json:"updated_at"`
}

// ApplicationURI is where codes go. The default one stands for the application where none is named.
type ApplicationURI struct {
	URI     string `json:"uri"`
	Default bool   `json:"default,omitempty"`
}

// NewApplication is an application to be made: the operator's own, or that of the organization that is named.
type NewApplication struct {
	Name                   string
	Description            string
	OrganizationID         string
	Public                 bool
	UsesPKCE               bool
	Scopes                 []string         // none: all
	RedirectURIs           []ApplicationURI // where none is the default it is the first
	PostLogoutRedirectURIs []string
	LogoutURI              string
	InitiateLoginURI       string
	SigningAlgorithm       string // "": RS256
}

// ApplicationChange says what is to be changed; nil is left as it is, and an empty description or address is taken away.
type ApplicationChange struct {
	Name                   *string
	Description            *string
	UsesPKCE               *bool
	Scopes                 *[]string
	RedirectURIs           *[]ApplicationURI // the whole list anew
	PostLogoutRedirectURIs *[]string         // likewise
	LogoutURI              *string
	InitiateLoginURI       *string
	SigningAlgorithm       *string
}

// Applications lists them; of one organization where that is named.
func (c *Client) Applications(ctx context.Context, organizationID string, l Listing) iter.Seq2[Application, error] {
	query := l.query()
	set(query, "organization_id", organizationID)
	return list[Application](ctx, c, query, "connect", "applications")
}

// Application gives one.
func (c *Client) Application(ctx context.Context, id string) (Application, error) {
	return fetch[Application](ctx, c, get(nil, "connect", "applications", id))
}

// CreateApplication makes one. It has no secret yet.
func (c *Client) CreateApplication(ctx context.Context, n NewApplication) (Application, error) {
	body := map[string]any{"name": n.Name, "application_type": "oauth", "is_first_party": n.OrganizationID == ""}
	for name, text := range map[string]string{
		"description": n.Description, "organization_id": n.OrganizationID, "backchannel_logout_uri": n.LogoutURI,
		"initiate_login_uri": n.InitiateLoginURI, "signing_alg": n.SigningAlgorithm,
	} {
		if text != "" {
			body[name] = text
		}
	}
	for name, flag := range map[string]bool{"is_public": n.Public, "uses_pkce": n.UsesPKCE} {
		if flag {
			body[name] = true
		}
	}
	if len(n.Scopes) > 0 {
		body["scopes"] = n.Scopes
	}
	if len(n.RedirectURIs) > 0 {
		body["redirect_uris"] = n.RedirectURIs
	}
	if len(n.PostLogoutRedirectURIs) > 0 {
		body["post_logout_redirect_uris"] = n.PostLogoutRedirectURIs
	}
	return fetch[Application](ctx, c, post(body, "connect", "applications"))
}

// UpdateApplication changes one.
func (c *Client) UpdateApplication(ctx context.Context, id string, change ApplicationChange) (Application, error) {
	body := map[string]any{}
	change1(body, "name", change.Name)
	orNull(body, "description", change.Description)
	change1(body, "uses_pkce", change.UsesPKCE)
	change1(body, "scopes", change.Scopes)
	change1(body, "redirect_uris", change.RedirectURIs)
	change1(body, "post_logout_redirect_uris", change.PostLogoutRedirectURIs)
	orNull(body, "backchannel_logout_uri", change.LogoutURI)
	orNull(body, "initiate_login_uri", change.InitiateLoginURI)
	change1(body, "signing_alg", change.SigningAlgorithm)
	return fetch[Application](ctx, c, put(body, "connect", "applications", id))
}

// DeleteApplication removes one with its secrets and with every code and token it had.
func (c *Client) DeleteApplication(ctx context.Context, id string) error {
	return c.send(ctx, remove("connect", "applications", id))
}

// ApplicationSecret is what an application proves itself with. Value is only in the answer that makes it.
type ApplicationSecret struct {
	Raw

	ID         string    `json:"id"`
	Hint       string    `json:"secret_hint"` // its last characters
	LastUsedAt time.Time `json:"last_used_at"`
	CreatedAt  time.Time `json:"created_at"`
	UpdatedAt  time.Time `json:"updated_at"`
	Value      string    `json:"secret"`
}

// ApplicationSecrets gives those of an application, the newest first.
func (c *Client) ApplicationSecrets(ctx context.Context, applicationID string) ([]ApplicationSecret, error) {
	return array[ApplicationSecret](ctx, c, get(nil, "connect", "applications", applicationID, "client_secrets"))
}

// CreateApplicationSecret makes one; up to five live at once, so that they can be exchanged without a gap.
func (c *Client) CreateApplicationSecret(ctx context.Context, applicationID string) (ApplicationSecret, error) {
	return fetch[ApplicationSecret](ctx, c, post(nil, "connect", "applications", applicationID, "client_secrets"))
}

// DeleteApplicationSecret ends one at once.
func (c *Client) DeleteApplicationSecret(ctx context.Context, id string) error {
	return c.send(ctx, remove("connect", "client_secrets", id))
}

// LogoutDelivery is the telling of one application that one session has ended.
type LogoutDelivery struct {
	Raw

	ID             string    `json:"id"`
	ApplicationID  string    `json:"application_id"`
	SessionID      string    `json:"session_id"`
	UserID         string    `json:"user_id"`
	OrganizationID string    `json:"organization_id"`
	EventID        string    `json:"event_id"` // the session.revoked that it tells of
	State          string    `json:"state"`    // pending, delivered or failed
	AttemptCount   int       `json:"attempt_count"`
	NextAttemptAt  time.Time `json:"next_attempt_at"`
	Status         int       `json:"status"` // of the last answer; 0 where there was none
	Reason         string    `json:"reason"` // why the last try failed
	SessionEndedAt time.Time `json:"session_ended_at"`
	FinishedAt     time.Time `json:"finished_at"`
	Seconds        *float64  `json:"seconds"` // from the end of the session to the acknowledgement
	CreatedAt      time.Time `json:"created_at"`
}

// LogoutDeliveries lists what an application was told of ended sessions.
func (c *Client) LogoutDeliveries(ctx context.Context, applicationID string, l Listing) iter.Seq2[LogoutDelivery, error] {
	return list[LogoutDelivery](ctx, c, l.query(), "connect", "applications", applicationID, "logout_deliveries")
}

// RedirectURI is one of the default application.
type RedirectURI struct {
	Raw

	ID        string    `json:"id"`
	URI       string    `json:"uri"`
	Default   bool      `json:"default"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

// ApplicationGap says for how long, at worst, an application lets somebody go on whose access has ended.
type ApplicationGap struct {
	Raw

	ApplicationID     string `json:"application_id"`
	BackChannelLogout struct {
		Configured bool  `json:"configured"` // the application has an address for it
		Measured   int   `json:"measured"`   // of the last 1000 that were delivered
		P50        int64 `json:"p50_ms"`     // from the end of the session to the application's answer; 0: none was measured
		P95        int64 `json:"p95_ms"`
		Max        int64 `json:"max_ms"`
		Failed     int   `json:"failed"` // of the last 1000, given up
		Pending    int   `json:"pending"`
	} `json:"back_channel_logout"`
	Introspection struct {
		InUse  bool      `json:"in_use"`  // within a day
		LastAt time.Time `json:"last_at"` // to the minute
	} `json:"introspection"`
	AccessTokenSeconds int64  `json:"access_token_seconds"` // how long a token counts for an application that asks nobody
	WorstGap           int64  `json:"worst_gap_ms"`
	WorstGapBy         string `json:"worst_gap_by"` // access_token or back_channel_logout
}

// ApplicationGap gives that of an application.
func (c *Client) ApplicationGap(ctx context.Context, applicationID string) (ApplicationGap, error) {
	return fetch[ApplicationGap](ctx, c, get(nil, "connect", "applications", applicationID, "gap"))
}

// LogoutTicket lets one browser end what a profile is signed in to.
type LogoutTicket struct {
	Raw

	URL   string `json:"logout_url"`
	Token string `json:"logout_token"`
}

// AuthorizeLogout makes the address that ends the sessions of a profile: send the person's browser there. It is good once, for ten minutes.
func (c *Client) AuthorizeLogout(ctx context.Context, profileID string) (LogoutTicket, error) {
	return fetch[LogoutTicket](ctx, c, post(map[string]string{"profile_id": profileID}, "sso", "logout", "authorize"))
}

// RedirectURIs lists those of the default application.
func (c *Client) RedirectURIs(ctx context.Context, l Listing) iter.Seq2[RedirectURI, error] {
	return list[RedirectURI](ctx, c, l.query(), "user_management", "redirect_uris")
}

// AddRedirectURI registers one for the default application. The first is its default.
func (c *Client) AddRedirectURI(ctx context.Context, uri string) (RedirectURI, error) {
	return fetch[RedirectURI](ctx, c, post(map[string]string{"uri": uri}, "user_management", "redirect_uris"))
}

// DeleteRedirectURI takes one away.
func (c *Client) DeleteRedirectURI(ctx context.Context, id string) error {
	return c.send(ctx, remove("user_management", "redirect_uris", id))
}

// SigningKey is a key that tokens are signed with; never the key itself.
type SigningKey struct {
	Raw

	KID        string    `json:"kid"`
	Algorithm  string    `json:"signing_alg"`
	State      string    `json:"state"` // waiting, signing, shown or retired
	SignsFrom  time.Time `json:"signs_from"`
	SignsUntil time.Time `json:"signs_until"`
	ShownUntil time.Time `json:"shown_until"` // in the key set
	CreatedAt  time.Time `json:"created_at"`
}

// SigningKeys lists them.
func (c *Client) SigningKeys(ctx context.Context) iter.Seq2[SigningKey, error] {
	return list[SigningKey](ctx, c, Listing{}.query(), "signing_keys")
}

// KeyRotation says which keys are to be followed by new ones. It happens by itself every 90 days.
type KeyRotation struct {
	Algorithm string `json:"signing_alg,omitempty"` // RS256 or ES256; "": both
	// Compromised is for keys that somebody else may have: they are forgotten, nothing that they signed counts any more, and apps refuse
	// new tokens until they have fetched the key set again.
	Compromised bool `json:"compromised"`
}

// RotateSigningKeys makes the next keys, which appear in the key set now and sign in a day, and gives all.
func (c *Client) RotateSigningKeys(ctx context.Context, r KeyRotation) ([]SigningKey, error) {
	p, err := fetch[page](ctx, c, post(r, "signing_keys", "rotate"))
	if err != nil {
		return nil, err
	}
	out := make([]SigningKey, len(p.Data))
	for i, text := range p.Data {
		if out[i], err = decode[SigningKey](text); err != nil {
			return nil, err
		}
	}
	return out, nil
}
