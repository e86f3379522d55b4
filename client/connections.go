package client

import (
	"context"
	"iter"
	"time"
)

// Connection is how the people of an organization sign in: SAML or OpenID Connect with one identity provider. What belongs to the other
// protocol is empty.
type Connection struct {
	Raw

	ID             string              `json:"id"`
	OrganizationID string              `json:"organization_id"`
	Name           string              `json:"name"`
	Type           string              `json:"connection_type"` // like OktaSAML
	Protocol       string              `json:"protocol"`        // saml or oidc
	Provider       string              `json:"provider"`        // the identity provider's entry in the catalogue
	State          string              `json:"state"`           // draft, validating, active or inactive
	Lacks          []string            `json:"lacks"`           // what is needed before anybody can sign in
	Warnings       []string            `json:"warnings"`        // sentences
	Options        ConnectionOptions   `json:"options"`
	AttributeMap   map[string][]string `json:"attribute_map"`
	Domains        []struct {
		ID     string `json:"id"`
		Domain string `json:"domain"`
	} `json:"domains"`

	// What the identity provider is given.

	ACSURL        string   `json:"acs_url"`
	ACSPaths      []string `json:"acs_paths"`
	SPEntityID    string   `json:"sp_entity_id"`
	SPMetadataURL string   `json:"sp_metadata_url"`
	SPLogoutURL   string   `json:"sp_slo_url"`
	SPCertificate string   `json:"sp_certificate"` // PEM
	RedirectURI   string   `json:"redirect_uri"`
	LogoutURI     string   `json:"backchannel_logout_uri"`
	SignedOutURI  string   `json:"post_logout_redirect_uri"`
	LoginURL      string   `json:"login_url"` // begins a sign-in to the default application

	// What it gives.

	IDPEntityID     string                  `json:"idp_entity_id"`
	SSOURL          string                  `json:"sso_url"`
	SSOBinding      string                  `json:"sso_binding"` // redirect or post
	SLOURL          string                  `json:"slo_url"`
	SLOBinding      string                  `json:"slo_binding"`
	SLOResponseURL  string                  `json:"slo_response_url"` // empty: SLOURL
	Certificates    []ConnectionCertificate `json:"certificates"`
	MetadataURL     string                  `json:"metadata_url"`
	MetadataReadAt  time.Time               `json:"metadata_read_at"`
	MetadataError   string                  `json:"metadata_error"`
	PendingMetadata *PendingMetadata        `json:"pending_metadata"`
	Issuer          string                  `json:"issuer"`
	ClientID        string                  `json:"client_id"`
	HasClientSecret bool                    `json:"client_secret_set"`
	SecretExpiresAt time.Time               `json:"client_secret_expires_at"` // as somebody has told; zero: nobody has

	FirstSuccessAt time.Time `json:"first_success_at"`
	LastSuccessAt  time.Time `json:"last_success_at"`
	CreatedAt      time.Time `json:"created_at"`
	UpdatedAt      time.Time `json:"updated_at"`
}

// ConnectionOptions are what can be chosen of a connection; the API reference describes each.
type ConnectionOptions struct {
	Default              bool      `json:"default"`
	ForceAuthn           bool      `json:"force_authn"`
	AllowOutsideDomains  bool      `json:"allow_outside_domains"`
	AllowUnverifiedEmail bool      `json:"allow_unverified_email"`
	ClockSkew            int       `json:"clock_skew"` // seconds
	SingleLogout         bool      `json:"single_logout"`
	SignRequests         bool      `json:"sign_requests"`
	NameIDFormat         string    `json:"nameid_format"`
	RequireEncrypted     bool      `json:"require_encrypted"`
	AllowCBC             bool      `json:"allow_cbc"`
	AllowSHA1Until       time.Time `json:"allow_sha1_until"`
	Contexts             []string  `json:"requested_authn_contexts"`
	Unsolicited          string    `json:"unsolicited"` // restart or refuse
	RestartUnknown       bool      `json:"restart_unknown_requests"`
	Scopes               []string  `json:"scopes"`
	AuthMethod           string    `json:"token_endpoint_auth_method"`
	Algorithms           []string  `json:"id_token_signing_algs"`
}

// ConnectionCertificate is one that the identity provider signs with.
type ConnectionCertificate struct {
	Raw

	Fingerprint  string    `json:"fingerprint"` // SHA-256, hexadecimal
	Subject      string    `json:"subject"`
	NotBefore    time.Time `json:"not_before"`
	NotAfter     time.Time `json:"not_after"`
	Source       string    `json:"source"` // metadata or manual
	PEM          string    `json:"pem"`
	CreatedAt    time.Time `json:"created_at"`
	LastUsedAt   time.Time `json:"last_used_at"`
	MissingSince time.Time `json:"missing_since"` // the metadata does not name it since
}

// PendingMetadata is what the identity provider's metadata says and somebody has to approve first.
type PendingMetadata struct {
	Reasons      []string  `json:"reasons"` // entity_id_changed, no_certificate_left, not_secure
	ReadAt       time.Time `json:"read_at"`
	IDPEntityID  string    `json:"idp_entity_id"`
	SSOURL       string    `json:"sso_url"`
	Certificates []string  `json:"certificates"` // fingerprints
}

// ConnectionQuery narrows the list of connections.
type ConnectionQuery struct {
	Listing

	OrganizationID string
	Type           string
	Domain         string // those of organizations that have it
	Search         string // part of a name
}

// ConnectionSettings are what an identity provider gives and what is chosen about it. Nil is left as it is, and "" takes away.
type ConnectionSettings struct {
	Options      map[string]any       // those that are named change, by their names in the API; nil is the default again
	AttributeMap *map[string][]string // as a whole
	ACSPaths     *[]string
	SPEntityID   *string

	MetadataURL    *string // read at once and then daily
	MetadataXML    *string
	IDPEntityID    *string // chooses where the metadata describes several providers
	SSOURL         *string
	SSOBinding     *string // redirect or post
	SLOURL         *string
	SLOBinding     *string
	SLOResponseURL *string
	Certificates   *[]string // PEM; all that were given by hand

	Issuer       *string // its discovery document is read at once
	ClientID     *string
	ClientSecret *string
	// ClientSecretExpiresAt is when the provider takes the secret no more; the zero time takes it away. A new secret given without it has none.
	ClientSecretExpiresAt *time.Time
}

func (s ConnectionSettings) body() map[string]any {
	body := map[string]any{}
	if s.Options != nil {
		body["options"] = s.Options
	}
	change1(body, "attribute_map", s.AttributeMap)
	change1(body, "acs_paths", s.ACSPaths)
	orNull(body, "sp_entity_id", s.SPEntityID)
	orNull(body, "metadata_url", s.MetadataURL)
	change1(body, "metadata_xml", s.MetadataXML)
	orNull(body, "idp_entity_id", s.IDPEntityID)
	orNull(body, "sso_url", s.SSOURL)
	change1(body, "sso_binding", s.SSOBinding)
	orNull(body, "slo_url", s.SLOURL)
	change1(body, "slo_binding", s.SLOBinding)
	orNull(body, "slo_response_url", s.SLOResponseURL)
	change1(body, "certificates", s.Certificates)
	orNull(body, "issuer", s.Issuer)
	orNull(body, "client_id", s.ClientID)
	orNull(body, "client_secret", s.ClientSecret)
	switch {
	case s.ClientSecretExpiresAt == nil:
	case s.ClientSecretExpiresAt.IsZero():
		body["client_secret_expires_at"] = nil
	default:
		body["client_secret_expires_at"] = s.ClientSecretExpiresAt.UTC().Format(time.RFC3339Nano)
	}
	return body
}

// NewConnection is a connection to be made: a type, or a provider of the catalogue. It is a draft until it has what its protocol needs.
type NewConnection struct {
	OrganizationID string
	Name           string
	Type           string // like OktaSAML
	Provider       string // like okta; alone, or beside a type that several providers share
	Protocol       string // saml or oidc, for a provider that speaks both

	ConnectionSettings
}

// ConnectionChange says what is to be changed; nil is left as it is.
type ConnectionChange struct {
	Name  *string
	State *string // active or inactive

	ConnectionSettings
}

// Connections lists connections.
func (c *Client) Connections(ctx context.Context, q ConnectionQuery) iter.Seq2[Connection, error] {
	query := q.query()
	set(query, "organization_id", q.OrganizationID)
	set(query, "connection_type", q.Type)
	set(query, "domain", q.Domain)
	set(query, "search", q.Search)
	return list[Connection](ctx, c, query, "connections")
}

// Connection gives one.
func (c *Client) Connection(ctx context.Context, id string) (Connection, error) {
	return fetch[Connection](ctx, c, get(nil, "connections", id))
}

// CreateConnection makes one; its ACSURL and SPEntityID, or RedirectURI, are what the identity provider is given.
func (c *Client) CreateConnection(ctx context.Context, n NewConnection) (Connection, error) {
	body := n.body()
	body["organization_id"], body["name"] = n.OrganizationID, n.Name
	for name, value := range map[string]string{"connection_type": n.Type, "provider": n.Provider, "protocol": n.Protocol} {
		if value != "" {
			body[name] = value
		}
	}
	return fetch[Connection](ctx, c, post(body, "connections"))
}

// UpdateConnection changes one.
func (c *Client) UpdateConnection(ctx context.Context, id string, change ConnectionChange) (Connection, error) {
	body := change.body()
	change1(body, "name", change.Name)
	change1(body, "state", change.State)
	return fetch[Connection](ctx, c, patch(body, "connections", id))
}

// DeleteConnection removes one. The sessions that came through it end at once.
func (c *Client) DeleteConnection(ctx context.Context, id string) error {
	return c.send(ctx, remove("connections", id))
}

// RefreshMetadata has the identity provider's documents read now.
func (c *Client) RefreshMetadata(ctx context.Context, id string) (Connection, error) {
	return fetch[Connection](ctx, c, post(nil, "connections", id, "refresh_metadata"))
}

// ApproveMetadata takes over the PendingMetadata.
func (c *Client) ApproveMetadata(ctx context.Context, id string) (Connection, error) {
	return fetch[Connection](ctx, c, post(nil, "connections", id, "approve_metadata"))
}

// ConnectionCertificates lists those of a connection.
func (c *Client) ConnectionCertificates(ctx context.Context, connectionID string) iter.Seq2[ConnectionCertificate, error] {
	return list[ConnectionCertificate](ctx, c, Listing{}.query(), "connections", connectionID, "certificates")
}

// AddCertificate adds one, as PEM or base64, that the identity provider signs with; several count at once.
func (c *Client) AddCertificate(ctx context.Context, connectionID, certificate string) (Connection, error) {
	return fetch[Connection](ctx, c, post(map[string]string{"certificate": certificate}, "connections", connectionID, "certificates"))
}

// DeleteCertificate takes one away: nothing that it signed is accepted any more.
func (c *Client) DeleteCertificate(ctx context.Context, connectionID, fingerprint string) error {
	return c.send(ctx, remove("connections", connectionID, "certificates", fingerprint))
}

// TestSignIn is the address at which a browser makes a test sign-in, for a day. It makes no account and no session, and ends as an attempt
// of the kind test.
type TestSignIn struct {
	Raw

	ConnectionID string `json:"connection_id"`
	URL          string `json:"url"`
}

// CreateTestSignIn gives such an address.
func (c *Client) CreateTestSignIn(ctx context.Context, connectionID string) (TestSignIn, error) {
	return fetch[TestSignIn](ctx, c, post(nil, "connections", connectionID, "test_sign_ins"))
}

// SignInAttempt is one way to the identity provider and back.
type SignInAttempt struct {
	Raw

	ID             string       `json:"id"`
	OrganizationID string       `json:"organization_id"`
	ConnectionID   string       `json:"connection_id"`
	Kind           string       `json:"kind"`  // sign_in, test or unsolicited
	State          string       `json:"state"` // at_provider, succeeded, failed or timed_out
	Error          *SignInError `json:"error"` // why it was refused
	Checks         []Check      `json:"checks"`
	ProfileID      string       `json:"profile_id"`
	UserID         string       `json:"user_id"`
	SessionID      string       `json:"session_id"`
	IdPID          string       `json:"idp_id"`
	Email          string       `json:"email"`
	IP             string       `json:"ip_address"`
	UserAgent      string       `json:"user_agent"`
	CreatedAt      time.Time    `json:"created_at"`
	FinishedAt     time.Time    `json:"finished_at"`
	ExpiresAt      time.Time    `json:"expires_at"`
}

// Finished says whether the attempt has come to an end, a good or a bad one.
func (a SignInAttempt) Finished() bool { return a.State != "at_provider" }

// Passed says whether the attempt succeeded and every check passed.
func (a SignInAttempt) Passed() bool {
	for _, check := range a.Checks {
		if !check.Passed {
			return false
		}
	}
	return a.State == "succeeded"
}

// SignInError is why a sign-in was refused, and who can mend it.
type SignInError struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Wanted  string `json:"wanted"`
	Got     string `json:"got"`
	Fixer   string `json:"fixer"` // it_admin, operator, member or rollcall
	Advice  string `json:"advice"`
}

// Check is one thing that was looked at.
type Check struct {
	Name   string `json:"name"`
	Passed bool   `json:"passed"`
	Wanted string `json:"wanted"`
	Got    string `json:"got"`
	Code   string `json:"code"` // of the refusal where it did not pass
}

// SignInAttempts lists those of a connection.
func (c *Client) SignInAttempts(ctx context.Context, connectionID string, l Listing) iter.Seq2[SignInAttempt, error] {
	return list[SignInAttempt](ctx, c, l.query(), "connections", connectionID, "sign_in_attempts")
}

// SignInAttempt gives one; its id is what the person sees on the page of a refusal.
func (c *Client) SignInAttempt(ctx context.Context, id string) (SignInAttempt, error) {
	return fetch[SignInAttempt](ctx, c, get(nil, "sign_in_attempts", id))
}
