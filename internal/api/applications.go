package api

import (
	"net/http"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/issuer"
	"github.com/rollcallhq/rollcall/internal/oidc"
)

type shownURI struct {
	URI     string `json:"uri"`
	Default bool   `json:"default"`
}

// shownApplication has the contract's members first; those from Public on are ours.
type shownApplication struct {
	Object                 string         `json:"object"`
	ID                     string         `json:"id"`
	ClientID               string         `json:"client_id"`
	Name                   string         `json:"name"`
	Description            *string        `json:"description"`
	Type                   string         `json:"application_type"`
	Scopes                 []string       `json:"scopes"`
	RedirectURIs           []shownURI     `json:"redirect_uris"`
	UsesPKCE               bool           `json:"uses_pkce"`
	FirstParty             bool           `json:"is_first_party"`
	DynamicallyRegistered  *bool          `json:"was_dynamically_registered,omitempty"`
	OrganizationID         string         `json:"organization_id,omitempty"`
	Public                 bool           `json:"is_public"`
	Default                bool           `json:"is_default"`
	Algorithm              oidc.Algorithm `json:"signing_alg"`
	CORSOrigins            []string       `json:"cors_origins"` // the SDK for Python insists on it; any origin may ask for tokens here
	PostLogoutRedirectURIs []string       `json:"post_logout_redirect_uris"`
	BackChannelLogoutURI   *string        `json:"backchannel_logout_uri"`
	InitiateLoginURI       *string        `json:"initiate_login_uri"`
	CreatedAt              string         `json:"created_at"`
	UpdatedAt              string         `json:"updated_at"`
}

func showApplication(a issuer.Application) (jsontext.Value, error) {
	shown := shownApplication{
		Object: "connect_application", ID: a.ID, ClientID: a.ClientID, Name: a.Name, Description: optional(a.Description), Type: "oauth", Scopes: a.Scopes,
		RedirectURIs: []shownURI{}, UsesPKCE: a.UsesPKCE, FirstParty: a.FirstParty, OrganizationID: a.OrganizationID, Public: a.Public, Default: a.Default,
		Algorithm: a.Algorithm, CORSOrigins: []string{}, PostLogoutRedirectURIs: []string{}, BackChannelLogoutURI: optional(a.LogoutURI), InitiateLoginURI: optional(a.InitiateURI),
		CreatedAt: event.Shown(a.CreatedAt), UpdatedAt: event.Shown(a.UpdatedAt),
	}
	if !a.FirstParty { // the contract has it then only
		shown.DynamicallyRegistered = new(bool)
	}
	for _, u := range a.SignIn {
		shown.RedirectURIs = append(shown.RedirectURIs, shownURI{u.URI, u.Default})
	}
	for _, u := range a.SignOut {
		shown.PostLogoutRedirectURIs = append(shown.PostLogoutRedirectURIs, u.URI)
	}
	return encode(shown)
}

func (p paging) issuerPage() issuer.Page {
	return issuer.Page{Before: p.before, After: p.after, Limit: p.limit, Ascending: p.ascending}
}

func listApplications(c *call) (answer, error) {
	p, err := c.paging(issuer.ApplicationPrefix, false)
	if err != nil {
		return answer{}, err
	}
	organization, err := c.filterID("organization_id", orgPrefix)
	if err != nil {
		return answer{}, err
	}
	registered, err := c.values("registration_types")
	if err != nil {
		return answer{}, err
	}
	for _, kind := range registered {
		if kind != "dynamic" && kind != "authenticated" {
			return answer{}, errField("registration_types", "invalid_registration_type", "registration_types are dynamic and authenticated, not %.40q.", kind)
		}
	}
	var found []issuer.Application
	more := false
	if len(registered) == 0 || slices.Contains(registered, "authenticated") { // no application registers itself here
		if found, more, err = c.o.Issuer.List(c.ctx(), p.issuerPage(), organization); err != nil {
			return answer{}, err
		}
	}
	page, err := listOf(p, found, more, func(a issuer.Application) string { return a.ID }, showApplication)
	return ok(page), err
}

type wantedURI struct {
	URI     string `json:"uri"`
	Default *bool  `json:"default"`
}

// wantedApplication takes null for what is not given, or not to change; a null description is none.
type wantedApplication struct {
	Name                   *string         `json:"name"`
	Type                   *string         `json:"application_type"`
	Description            jsontext.Value  `json:"description"`
	Scopes                 []string        `json:"scopes"`
	RedirectURIs           []wantedURI     `json:"redirect_uris"`
	UsesPKCE               *bool           `json:"uses_pkce"`
	FirstParty             *bool           `json:"is_first_party"`
	OrganizationID         *string         `json:"organization_id"`
	Public                 *bool           `json:"is_public"`
	Algorithm              *oidc.Algorithm `json:"signing_alg"`
	PostLogoutRedirectURIs []string        `json:"post_logout_redirect_uris"`
	BackChannelLogoutURI   jsontext.Value  `json:"backchannel_logout_uri"`
	InitiateLoginURI       jsontext.Value  `json:"initiate_login_uri"`
}

func newURIs(wanted []wantedURI) []issuer.NewURI {
	out := make([]issuer.NewURI, len(wanted))
	for i, u := range wanted {
		out[i] = issuer.NewURI{URI: u.URI, Default: valueOf(u.Default)}
	}
	return out
}

// valueOf is what a pointer points at, or nothing.
func valueOf[T any](v *T) (out T) {
	if v != nil {
		out = *v
	}
	return out
}

// nullable reads the members where null takes away what there is.
func (a wantedApplication) nullable() (description, logout, initiate *string, err error) {
	if description, err = textOrNull("description", a.Description); err != nil {
		return nil, nil, nil, err
	}
	if logout, err = textOrNull("backchannel_logout_uri", a.BackChannelLogoutURI); err != nil {
		return nil, nil, nil, err
	}
	initiate, err = textOrNull("initiate_login_uri", a.InitiateLoginURI)
	return description, logout, initiate, err
}

func createApplication(c *call) (answer, error) {
	var wanted wantedApplication
	if err := c.body(&wanted); err != nil {
		return answer{}, err
	}
	switch kind := valueOf(wanted.Type); {
	case kind == "m2m":
		return answer{}, errField("application_type", "unsupported_application_type", "Applications for machines (m2m) are not offered. Programs of an organization use its API keys: POST /organizations/{id}/api_keys.")
	case kind != "oauth":
		return answer{}, errField("application_type", "invalid_application_type", "application_type is oauth, not %.40q.", kind)
	case wanted.FirstParty == nil:
		return answer{}, errField("is_first_party", "required", "Say with is_first_party whether the application is your own (true) or one organization's (false).")
	}
	description, logout, initiate, err := wanted.nullable()
	if err != nil {
		return answer{}, err
	}
	if id := valueOf(wanted.OrganizationID); id != "" && !isID(id, orgPrefix) {
		return answer{}, errMissing("Organization", id)
	}
	made, err := c.o.Issuer.Create(c.ctx(), issuer.New{
		Name: valueOf(wanted.Name), Description: valueOf(description), OrganizationID: valueOf(wanted.OrganizationID), FirstParty: *wanted.FirstParty,
		Public: valueOf(wanted.Public), UsesPKCE: valueOf(wanted.UsesPKCE), Scopes: wanted.Scopes, SignIn: newURIs(wanted.RedirectURIs),
		SignOut: wanted.PostLogoutRedirectURIs, Algorithm: valueOf(wanted.Algorithm), LogoutURI: valueOf(logout), InitiateURI: valueOf(initiate),
	})
	if err != nil {
		return answer{}, err
	}
	shown, err := showApplication(made)
	return answer{http.StatusCreated, shown}, err
}

// applicationID reads the id of the address: that of the noun, or the client id, which is what a developer has at hand.
func (c *call) applicationID() (string, error) {
	id := c.path["id"]
	if !isID(id, issuer.ApplicationPrefix) {
		return "", issuer.ApplicationNotFound(id)
	}
	return id, nil
}

func getApplication(c *call) (answer, error) {
	id, err := c.applicationID()
	if err != nil {
		return answer{}, err
	}
	found, err := c.o.Issuer.Get(c.ctx(), id)
	if err != nil {
		return answer{}, err
	}
	shown, err := showApplication(found)
	return ok(shown), err
}

func updateApplication(c *call) (answer, error) {
	id, err := c.applicationID()
	if err != nil {
		return answer{}, err
	}
	var wanted wantedApplication
	if err := c.body(&wanted); err != nil {
		return answer{}, err
	}
	if wanted.Public != nil || wanted.FirstParty != nil || wanted.OrganizationID != nil {
		found, err := c.o.Issuer.Get(c.ctx(), id)
		if err != nil {
			return answer{}, err
		}
		if err := wanted.keeps(found); err != nil {
			return answer{}, err
		}
	}
	description, logout, initiate, err := wanted.nullable()
	if err != nil {
		return answer{}, err
	}
	change := issuer.Change{Name: wanted.Name, Description: description, Algorithm: wanted.Algorithm, LogoutURI: logout, InitiateURI: initiate, UsesPKCE: wanted.UsesPKCE}
	if wanted.Scopes != nil {
		change.Scopes = &wanted.Scopes
	}
	if wanted.RedirectURIs != nil {
		uris := newURIs(wanted.RedirectURIs)
		change.SignIn = &uris
	}
	if wanted.PostLogoutRedirectURIs != nil {
		change.SignOut = &wanted.PostLogoutRedirectURIs
	}
	after, err := c.o.Issuer.Update(c.ctx(), id, change)
	if err != nil {
		return answer{}, err
	}
	shown, err := showApplication(after)
	return ok(shown), err
}

// keeps refuses to change what an application is; the same again is no change.
func (a wantedApplication) keeps(found issuer.Application) error {
	switch {
	case a.Public != nil && *a.Public != found.Public:
		return errField("is_public", "immutable", "is_public cannot be changed. Make another application.")
	case a.FirstParty != nil && *a.FirstParty != found.FirstParty:
		return errField("is_first_party", "immutable", "is_first_party cannot be changed. Make another application.")
	case a.OrganizationID != nil && *a.OrganizationID != found.OrganizationID:
		return errField("organization_id", "immutable", "organization_id cannot be changed. Make another application.")
	}
	return nil
}

func deleteApplication(c *call) (answer, error) {
	id, err := c.applicationID()
	if err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusNoContent}, c.o.Issuer.Delete(c.ctx(), id)
}

type shownSecret struct {
	Object     string  `json:"object"`
	ID         string  `json:"id"`
	Hint       string  `json:"secret_hint"`
	LastUsedAt *string `json:"last_used_at"`
	CreatedAt  string  `json:"created_at"`
	UpdatedAt  string  `json:"updated_at"`
	Secret     string  `json:"secret,omitempty"` // in the answer to its making alone
}

func showSecret(s issuer.Secret) shownSecret {
	return shownSecret{
		Object: "connect_application_secret", ID: s.ID, Hint: s.Hint, LastUsedAt: optionalTime(s.LastUsedAt), CreatedAt: event.Shown(s.CreatedAt), UpdatedAt: event.Shown(s.UpdatedAt),
	}
}

// listSecrets answers a bare array (contract).
func listSecrets(c *call) (answer, error) {
	id, err := c.applicationID()
	if err != nil {
		return answer{}, err
	}
	found, err := c.o.Issuer.Secrets(c.ctx(), id)
	if err != nil {
		return answer{}, err
	}
	out := make([]shownSecret, len(found))
	for i, s := range found {
		out[i] = showSecret(s)
	}
	return ok(out), nil
}

func createSecret(c *call) (answer, error) {
	id, err := c.applicationID()
	if err != nil {
		return answer{}, err
	}
	var nothing struct{}
	if err := c.body(&nothing); err != nil {
		return answer{}, err
	}
	made, value, err := c.o.Issuer.CreateSecret(c.ctx(), id)
	if err != nil {
		return answer{}, err
	}
	shown := showSecret(made)
	shown.Secret = value.Reveal()
	return answer{http.StatusCreated, shown}, nil
}

func deleteSecret(c *call) (answer, error) {
	id := c.path["id"]
	if !isID(id, issuer.SecretPrefix) {
		return answer{}, issuer.SecretNotFound(id)
	}
	return answer{status: http.StatusNoContent}, c.o.Issuer.DeleteSecret(c.ctx(), id)
}

type shownLogout struct {
	Object         string               `json:"object"`
	ID             string               `json:"id"`
	ApplicationID  string               `json:"application_id"`
	SessionID      string               `json:"session_id"`
	UserID         string               `json:"user_id"`
	OrganizationID *string              `json:"organization_id"`
	EventID        string               `json:"event_id"`
	State          issuer.DeliveryState `json:"state"`
	Attempts       int                  `json:"attempt_count"`
	NextAt         *string              `json:"next_attempt_at"`
	Status         *int                 `json:"status"`
	Reason         *string              `json:"reason"`
	EndedAt        string               `json:"session_ended_at"`
	FinishedAt     *string              `json:"finished_at"`
	Seconds        *float64             `json:"seconds"`
	CreatedAt      string               `json:"created_at"`
}

func showLogoutDelivery(d issuer.Delivery) (jsontext.Value, error) {
	shown := shownLogout{
		Object: "logout_delivery", ID: d.ID, ApplicationID: d.ApplicationID, SessionID: d.SessionID, UserID: d.UserID, OrganizationID: optional(d.OrganizationID),
		EventID: d.EventID, State: d.State, Attempts: d.Attempts, NextAt: optionalTime(d.NextAt), Reason: optional(d.LastError), EndedAt: event.Shown(d.EndedAt),
		FinishedAt: optionalTime(d.FinishedAt), CreatedAt: event.Shown(d.CreatedAt),
	}
	if d.LastStatus != 0 {
		shown.Status = &d.LastStatus
	}
	if seconds, acknowledged := d.Seconds(); acknowledged {
		shown.Seconds = &seconds
	}
	return encode(shown)
}

func listLogoutDeliveries(c *call) (answer, error) {
	id, err := c.applicationID()
	if err != nil {
		return answer{}, err
	}
	p, err := c.paging(issuer.DeliveryPrefix, false)
	if err != nil {
		return answer{}, err
	}
	found, more, err := c.o.Issuer.Deliveries(c.ctx(), id, p.issuerPage())
	if err != nil {
		return answer{}, err
	}
	page, err := listOf(p, found, more, func(d issuer.Delivery) string { return d.ID }, showLogoutDelivery)
	return ok(page), err
}

func showRedirectURI(u issuer.RedirectURI) (jsontext.Value, error) {
	return encode(struct {
		Object    string `json:"object"`
		ID        string `json:"id"`
		URI       string `json:"uri"`
		Default   bool   `json:"default"`
		CreatedAt string `json:"created_at"`
		UpdatedAt string `json:"updated_at"`
	}{"redirect_uri", u.ID, u.URI, u.Default, event.Shown(u.CreatedAt), event.Shown(u.UpdatedAt)})
}

func listRedirectURIs(c *call) (answer, error) {
	p, err := c.paging(issuer.RedirectPrefix, false)
	if err != nil {
		return answer{}, err
	}
	found, more, err := c.o.Issuer.RedirectURIs(c.ctx(), p.issuerPage())
	if err != nil {
		return answer{}, err
	}
	page, err := listOf(p, found, more, func(u issuer.RedirectURI) string { return u.ID }, showRedirectURI)
	return ok(page), err
}

func createRedirectURI(c *call) (answer, error) {
	var wanted struct {
		URI string `json:"uri"`
	}
	if err := c.body(&wanted); err != nil {
		return answer{}, err
	}
	made, err := c.o.Issuer.AddRedirectURI(c.ctx(), wanted.URI)
	if err != nil {
		return answer{}, err
	}
	shown, err := showRedirectURI(made)
	return answer{http.StatusCreated, shown}, err
}

func deleteRedirectURI(c *call) (answer, error) {
	id := c.path["id"]
	if !isID(id, issuer.RedirectPrefix) {
		return answer{}, issuer.RedirectURINotFound(id)
	}
	return answer{status: http.StatusNoContent}, c.o.Issuer.DeleteRedirectURI(c.ctx(), id)
}

func authorizeLogout(c *call) (answer, error) {
	var wanted struct {
		ProfileID string `json:"profile_id"`
	}
	if err := c.body(&wanted); err != nil {
		return answer{}, err
	}
	if wanted.ProfileID == "" {
		return answer{}, errField("profile_id", "required", "Name the profile to sign out as profile_id.")
	}
	ticket, err := c.o.Issuer.AuthorizeLogout(c.ctx(), wanted.ProfileID)
	return ok(ticket), err
}
