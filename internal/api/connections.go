package api

import (
	"net/http"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/sso"
)

// ownConnection are the members that our connections have beside the contract's. Those of the protocol that it is not are null.
type ownConnection struct {
	Protocol     sso.Protocol     `json:"protocol"`
	Provider     *string          `json:"provider"`
	Options      sso.Options      `json:"options"`
	AttributeMap sso.AttributeMap `json:"attribute_map"`
	Lacks        []string         `json:"lacks"`
	Warnings     []string         `json:"warnings"`

	ACSURL         *string             `json:"acs_url"`
	ACSPaths       []string            `json:"acs_paths"`
	SPEntityID     *string             `json:"sp_entity_id"`
	SPMetadataURL  *string             `json:"sp_metadata_url"`
	SPSLOURL       *string             `json:"sp_slo_url"`
	SPCertificate  *string             `json:"sp_certificate"`
	RedirectURI    *string             `json:"redirect_uri"`
	LogoutURI      *string             `json:"backchannel_logout_uri"`
	SignedOutURI   *string             `json:"post_logout_redirect_uri"`
	LoginURL       *string             `json:"login_url"`
	IDPEntityID    *string             `json:"idp_entity_id"`
	SSOURL         *string             `json:"sso_url"`
	SSOBinding     *string             `json:"sso_binding"`
	SLOURL         *string             `json:"slo_url"`
	SLOBinding     *string             `json:"slo_binding"`
	SLOResponseURL *string             `json:"slo_response_url"`
	Certificates   []shownCertificate  `json:"certificates"`
	MetadataURL    *string             `json:"metadata_url"`
	MetadataAt     *string             `json:"metadata_read_at"`
	MetadataError  *string             `json:"metadata_error"`
	Pending        *shownPendingChange `json:"pending_metadata"`
	Issuer         *string             `json:"issuer"`
	ClientID       *string             `json:"client_id"`
	HasSecret      bool                `json:"client_secret_set"`
	SecretEnds     *string             `json:"client_secret_expires_at"`
	FirstSuccess   *string             `json:"first_success_at"`
	LastSuccess    *string             `json:"last_success_at"`
}

type shownCertificate struct {
	Object       string     `json:"object"`
	Fingerprint  string     `json:"fingerprint"`
	Subject      string     `json:"subject"`
	NotBefore    string     `json:"not_before"`
	NotAfter     string     `json:"not_after"`
	Source       sso.Source `json:"source"`
	PEM          string     `json:"pem"`
	CreatedAt    string     `json:"created_at"`
	LastUsedAt   *string    `json:"last_used_at"`
	MissingSince *string    `json:"missing_since"`
}

type shownPendingChange struct {
	Reasons      []string `json:"reasons"`
	At           string   `json:"read_at"`
	IDPEntityID  string   `json:"idp_entity_id"`
	SSOURL       string   `json:"sso_url"`
	Certificates []string `json:"certificates"`
}

// timeOrNull is null for the zero time.
func timeOrNull(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	return optional(org.Time(t))
}

// listOrEmpty is [] and never null.
func listOrEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

func showCertificate(one sso.Certificate) shownCertificate {
	return shownCertificate{
		Object: "connection_certificate", Fingerprint: one.Fingerprint, Subject: one.Subject, NotBefore: org.Time(one.NotBefore), NotAfter: org.Time(one.NotAfter),
		Source: one.Source, PEM: one.PEM, CreatedAt: org.Time(one.CreatedAt), LastUsedAt: timeOrNull(one.LastUsedAt), MissingSince: timeOrNull(one.MissingSince),
	}
}

// showConnection shows a connection with the addresses that its provider stores. No secret is among its members.
func (c *call) showConnection(one sso.Connection) (jsontext.Value, error) {
	o, err := c.o.Organizations.Get(c.ctx(), org.ID(one.OrganizationID))
	if err != nil {
		return nil, err
	}
	return c.showConnectionOf(o, one)
}

func (c *call) showConnectionOf(o org.Organization, one sso.Connection) (jsontext.Value, error) {
	at := one.Addresses(c.base(one.OrganizationID))
	own := ownConnection{
		Protocol: one.Protocol, Provider: optional(one.Provider), Options: one.ShownOptions(), AttributeMap: one.AttributeMap, Lacks: listOrEmpty(one.Lacks()),
		Warnings: listOrEmpty(one.Warnings(c.o.Now())), ACSURL: optional(at.ACS), ACSPaths: listOrEmpty(one.Paths), SPEntityID: optional(at.EntityID),
		SPMetadataURL: optional(at.Metadata), SPSLOURL: optional(at.SLO), SPCertificate: optional(one.SPCertificate), RedirectURI: optional(at.RedirectURI),
		LogoutURI: optional(at.BackchannelLogout), LoginURL: optional(at.Login), IDPEntityID: optional(one.IDPEntityID), SSOURL: optional(one.SSOURL),
		SSOBinding: optional(string(one.SSOBinding)), SLOURL: optional(one.SLOURL), SLOBinding: optional(string(one.SLOBinding)),
		SLOResponseURL: optional(one.SLOResponseURL), SignedOutURI: optional(at.SignedOut),
		Certificates: []shownCertificate{}, MetadataURL: optional(one.MetadataURL), MetadataAt: timeOrNull(one.MetadataAt), MetadataError: optional(one.MetadataError),
		Issuer: optional(one.Issuer), ClientID: optional(one.ClientID), HasSecret: one.HasSecret, SecretEnds: timeOrNull(one.ClientSecretExpiresAt), FirstSuccess: timeOrNull(one.FirstSuccessAt),
		LastSuccess: timeOrNull(one.LastSuccessAt),
	}
	for _, cert := range one.Certificates {
		own.Certificates = append(own.Certificates, showCertificate(cert))
	}
	if p := one.Pending; p != nil {
		own.Pending = &shownPendingChange{p.Reasons, org.Time(p.At), p.IDPEntityID, p.SSOURL, listOrEmpty(p.Certificates)}
	}
	return extended(one.Payload(o), own)
}

// listConnections: domain means an organization's, as in the contract.
func listConnections(c *call) (answer, error) {
	p, err := c.paging(sso.ConnectionPrefix, false)
	if err != nil {
		return answer{}, err
	}
	q := sso.ListQuery{Before: p.before, After: p.after, Limit: p.limit, Ascending: p.ascending, Domain: c.query.Get("domain")}
	if q.Search, err = c.search(); err != nil {
		return answer{}, err
	}
	if q.OrganizationID, err = c.filterID("organization_id", orgPrefix); err != nil {
		return answer{}, err
	}
	q.Type = sso.Type(c.query.Get("connection_type"))
	found, more, err := c.o.Connections.List(c.ctx(), q)
	if err != nil {
		return answer{}, err
	}
	owners := map[string]org.Organization{}
	page, err := listOf(p, found, more, func(one sso.Connection) string { return string(one.ID) }, func(one sso.Connection) (jsontext.Value, error) {
		o, known := owners[one.OrganizationID]
		if !known {
			var err error
			if o, err = c.o.Organizations.Get(c.ctx(), org.ID(one.OrganizationID)); err != nil {
				return nil, err
			}
			owners[one.OrganizationID] = o
		}
		return c.showConnectionOf(o, one)
	})
	return ok(page), err
}

// connection finds the one of the address.
func (c *call) connection() (sso.Connection, error) {
	id := c.path["id"]
	if !isID(id, sso.ConnectionPrefix) {
		return sso.Connection{}, sso.NotFound(id)
	}
	return c.o.Connections.Get(c.ctx(), sso.ID(id))
}

func (c *call) connectionAnswer(status int, one sso.Connection, err error) (answer, error) {
	if err != nil {
		return answer{}, err
	}
	shown, err := c.showConnection(one)
	return answer{status, shown}, err
}

func getConnection(c *call) (answer, error) {
	one, err := c.connection()
	return c.connectionAnswer(http.StatusOK, one, err)
}

func deleteConnection(c *call) (answer, error) {
	one, err := c.connection()
	if err != nil {
		return answer{}, err
	}
	if err := c.o.Connections.Delete(c.ctx(), c.actor, one.ID); err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusNoContent}, nil
}

// connectionSettings: null takes away what may be missing; for the rest it is the same as leaving out.
type connectionSettings struct {
	Name           *string        `json:"name"`
	State          *sso.State     `json:"state"`
	Options        jsontext.Value `json:"options"`
	AttributeMap   jsontext.Value `json:"attribute_map"`
	ACSPaths       *[]string      `json:"acs_paths"`
	SPEntityID     jsontext.Value `json:"sp_entity_id"`
	MetadataURL    jsontext.Value `json:"metadata_url"`
	MetadataXML    *string        `json:"metadata_xml"`
	IDPEntityID    jsontext.Value `json:"idp_entity_id"`
	SSOURL         jsontext.Value `json:"sso_url"`
	SSOBinding     *sso.Binding   `json:"sso_binding"`
	SLOURL         jsontext.Value `json:"slo_url"`
	SLOBinding     *sso.Binding   `json:"slo_binding"`
	SLOResponseURL jsontext.Value `json:"slo_response_url"`
	Certificates   *[]string      `json:"certificates"`
	Issuer         jsontext.Value `json:"issuer"`
	ClientID       jsontext.Value `json:"client_id"`
	ClientSecret   jsontext.Value `json:"client_secret"`
	SecretEnds     jsontext.Value `json:"client_secret_expires_at"`
}

func (n connectionSettings) change() (sso.Change, error) {
	out := sso.Change{
		Name: n.Name, State: n.State, Paths: n.ACSPaths, MetadataXML: n.MetadataXML, SSOBinding: n.SSOBinding, SLOBinding: n.SLOBinding, Certificates: n.Certificates,
	}
	for _, one := range []struct {
		name string
		from jsontext.Value
		to   **string
	}{
		{"sp_entity_id", n.SPEntityID, &out.SPEntityID},
		{"metadata_url", n.MetadataURL, &out.MetadataURL},
		{"idp_entity_id", n.IDPEntityID, &out.IDPEntityID},
		{"sso_url", n.SSOURL, &out.SSOURL},
		{"slo_url", n.SLOURL, &out.SLOURL},
		{"slo_response_url", n.SLOResponseURL, &out.SLOResponseURL},
		{"issuer", n.Issuer, &out.Issuer},
		{"client_id", n.ClientID, &out.ClientID},
		{"client_secret", n.ClientSecret, &out.ClientSecret},
	} {
		var err error
		if *one.to, err = textOrNull(one.name, one.from); err != nil {
			return out, err
		}
	}
	ends, err := textOrNull("client_secret_expires_at", n.SecretEnds)
	if err != nil {
		return out, err
	}
	if ends != nil {
		at, err := readMoment("client_secret_expires_at", *ends)
		if err != nil {
			return out, err
		}
		out.ClientSecretExpiresAt = &at
	}
	switch n.Options.Kind() {
	case 0, 'n':
	case '{':
		out.Options = n.Options
	default:
		return out, errField("options", "invalid_type", "options has to be an object.")
	}
	switch n.AttributeMap.Kind() {
	case 0:
	case 'n':
		out.AttributeMap = &sso.AttributeMap{}
	default:
		out.AttributeMap = &sso.AttributeMap{}
		if err := json.Unmarshal(n.AttributeMap, out.AttributeMap); err != nil {
			return out, errField("attribute_map", "invalid_type", "attribute_map has to be an object of lists of names.")
		}
	}
	return out, nil
}

type newConnection struct {
	OrganizationID string       `json:"organization_id"`
	Type           sso.Type     `json:"connection_type"`
	Provider       string       `json:"provider"`
	Protocol       sso.Protocol `json:"protocol"`
	connectionSettings
}

func createConnection(c *call) (answer, error) {
	var wanted newConnection
	if err := c.body(&wanted); err != nil {
		return answer{}, err
	}
	change, err := wanted.change()
	if err != nil {
		return answer{}, err
	}
	change.State = nil
	made, err := c.o.Connections.Create(c.ctx(), c.actor, sso.New{
		OrganizationID: wanted.OrganizationID, Type: wanted.Type, Provider: wanted.Provider, Protocol: wanted.Protocol, Settings: change,
	})
	return c.connectionAnswer(http.StatusCreated, made, err)
}

func updateConnection(c *call) (answer, error) {
	one, err := c.connection()
	if err != nil {
		return answer{}, err
	}
	var wanted connectionSettings
	if err := c.body(&wanted); err != nil {
		return answer{}, err
	}
	change, err := wanted.change()
	if err != nil {
		return answer{}, err
	}
	one, err = c.o.Connections.Update(c.ctx(), c.actor, one.ID, change)
	return c.connectionAnswer(http.StatusOK, one, err)
}

func listCertificates(c *call) (answer, error) {
	one, err := c.connection()
	if err != nil {
		return answer{}, err
	}
	page, err := listOf(paging{}, one.Certificates, false, func(sso.Certificate) string { return "" }, func(cert sso.Certificate) (jsontext.Value, error) {
		return encode(showCertificate(cert))
	})
	page.Metadata = ends{}
	return ok(page), err
}

func addCertificate(c *call) (answer, error) {
	one, err := c.connection()
	if err != nil {
		return answer{}, err
	}
	var wanted struct {
		Certificate string `json:"certificate"`
	}
	if err := c.body(&wanted); err != nil {
		return answer{}, err
	}
	one, err = c.o.Connections.AddCertificate(c.ctx(), c.actor, one.ID, wanted.Certificate)
	return c.connectionAnswer(http.StatusCreated, one, err)
}

func deleteCertificate(c *call) (answer, error) {
	one, err := c.connection()
	if err != nil {
		return answer{}, err
	}
	if _, err := c.o.Connections.DeleteCertificate(c.ctx(), c.actor, one.ID, c.path["fingerprint"]); err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusNoContent}, nil
}

func refreshMetadata(c *call) (answer, error) {
	one, err := c.connection()
	if err != nil {
		return answer{}, err
	}
	one, err = c.o.Connections.RefreshMetadata(c.ctx(), c.actor, one.ID)
	return c.connectionAnswer(http.StatusOK, one, err)
}

func approveMetadata(c *call) (answer, error) {
	one, err := c.connection()
	if err != nil {
		return answer{}, err
	}
	one, err = c.o.Connections.ApproveMetadata(c.ctx(), c.actor, one.ID)
	return c.connectionAnswer(http.StatusOK, one, err)
}

// createTestSignIn gives the address at which a browser makes a test sign-in.
func createTestSignIn(c *call) (answer, error) {
	one, err := c.connection()
	if err != nil {
		return answer{}, err
	}
	if c.o.NewTest == nil {
		return answer{}, fault.New(fault.Unsupported, "not_offered", "Test sign-ins are not offered here.")
	}
	url, err := c.o.NewTest(c.ctx(), one.ID)
	if err != nil {
		return answer{}, err
	}
	return answer{http.StatusCreated, struct {
		Object       string `json:"object"`
		ConnectionID sso.ID `json:"connection_id"`
		URL          string `json:"url"`
	}{"test_sign_in", one.ID, url}}, nil
}

type shownSignIn struct {
	Object         string        `json:"object"`
	ID             sso.AttemptID `json:"id"`
	OrganizationID string        `json:"organization_id"`
	ConnectionID   sso.ID        `json:"connection_id"`
	Kind           sso.Kind      `json:"kind"`
	State          string        `json:"state"`
	Error          *sso.Refused  `json:"error"`
	Checks         []sso.Check   `json:"checks"`
	ProfileID      *string       `json:"profile_id"`
	UserID         *string       `json:"user_id"`
	SessionID      *string       `json:"session_id"`
	IDPID          *string       `json:"idp_id"`
	Email          *string       `json:"email"`
	IP             *string       `json:"ip_address"`
	UserAgent      *string       `json:"user_agent"`
	CreatedAt      string        `json:"created_at"`
	FinishedAt     *string       `json:"finished_at"`
	ExpiresAt      string        `json:"expires_at"`
}

func showSignIn(a sso.Attempt) (jsontext.Value, error) {
	return encode(shownSignIn{
		Object: "sign_in_attempt", ID: a.ID, OrganizationID: a.OrganizationID, ConnectionID: a.ConnectionID, Kind: a.Kind, State: string(a.State), Error: a.Refused,
		Checks: listOrEmpty(a.Checks), ProfileID: optional(string(a.ProfileID)), UserID: optional(a.UserID), SessionID: optional(a.SessionID),
		IDPID: optional(a.IDPID), Email: optional(a.Email), IP: optional(a.IP), UserAgent: optional(a.UserAgent), CreatedAt: org.Time(a.CreatedAt),
		FinishedAt: timeOrNull(a.FinishedAt), ExpiresAt: org.Time(a.ExpiresAt),
	})
}

// attemptsShown is the page of attempts where no limit is asked for.
const attemptsShown = 50

func listSignIns(c *call) (answer, error) {
	one, err := c.connection()
	if err != nil {
		return answer{}, err
	}
	p, err := c.paging(sso.AttemptPrefix, false)
	if err != nil {
		return answer{}, err
	}
	if c.query.Get("limit") == "" {
		p.limit = attemptsShown
	}
	q := sso.AttemptQuery{ConnectionID: one.ID, Before: p.before, After: p.after, Limit: p.limit, Ascending: p.ascending}
	found, more, err := c.o.Connections.Attempts(c.ctx(), q)
	if err != nil {
		return answer{}, err
	}
	page, err := listOf(p, found, more, func(a sso.Attempt) string { return string(a.ID) }, showSignIn)
	return ok(page), err
}

func getSignIn(c *call) (answer, error) {
	id := c.path["id"]
	if !isID(id, sso.AttemptPrefix) {
		return answer{}, sso.AttemptNotFound(id)
	}
	a, err := c.o.Connections.Attempt(c.ctx(), sso.AttemptID(id))
	if err != nil {
		return answer{}, err
	}
	shown, err := showSignIn(a)
	return ok(shown), err
}
