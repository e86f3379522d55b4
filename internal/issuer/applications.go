package issuer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/oidc"
	"github.com/rollcallhq/rollcall/internal/outbound"
	"github.com/rollcallhq/rollcall/internal/token"
)

// Limits of applications; the contract names none.
const (
	maxApplications = 1000
	maxSecrets      = 5
	maxURIs         = 100 // of a kind, of an application
	maxName         = 255 // characters
	maxDescription  = 1000
	maxScopes       = 20
)

// Kinds of redirect URIs.
const (
	signIn  = "sign_in"
	signOut = "sign_out"
)

// The scopes there are.
const (
	scopeOpenID  = "openid"
	scopeOffline = "offline_access"
)

// AllScopes are the scopes an application may be registered for.
func AllScopes() []string {
	return []string{scopeOpenID, "profile", "email", "groups", "roles", scopeOffline}
}

// ApplicationNotFound is the refusal for an application that is not there.
func ApplicationNotFound(id string) error {
	return fault.New(fault.NotFound, "entity_not_found", "Connect application not found: '%.80s'.", id)
}

func wrong(field, code, format string, args ...any) *fault.Error {
	return fault.New(fault.Unprocessable, code, format, args...).On(field)
}

// Create makes an application. It has no secret yet. Refusals are Unprocessable, and NotFound for an organization that is not there.
func (s *Service) Create(ctx context.Context, n New) (Application, error) {
	now := s.time()
	a := Application{
		ID: s.ids.NewID(ApplicationPrefix), ClientID: s.ids.NewID(ClientPrefix), Name: strings.TrimSpace(n.Name), Description: n.Description,
		OrganizationID: n.OrganizationID, FirstParty: n.FirstParty, Public: n.Public, UsesPKCE: n.UsesPKCE || n.Public, Scopes: n.Scopes,
		Algorithm: n.Algorithm, LogoutURI: n.LogoutURI, InitiateURI: n.InitiateURI, CreatedAt: now, UpdatedAt: now,
	}
	if len(a.Scopes) == 0 {
		a.Scopes = AllScopes()
	}
	if a.Algorithm == "" {
		a.Algorithm = oidc.RS256
	}
	a.SignIn, a.SignOut = s.buildURIs(n.SignIn, now), s.buildURIs(plainURIs(n.SignOut), now)
	if err := s.check(ctx, &a); err != nil {
		return Application{}, err
	}
	err := s.db.Tx(ctx, func(tx db.Tx) error {
		if err := s.insertTx(ctx, tx, a); err != nil {
			return err
		}
		return s.auditTx(ctx, tx, "connect_application.created", a.OrganizationID, a.ID, nil, a.settings())
	})
	if err != nil {
		return Application{}, fmt.Errorf("create application: %w", err)
	}
	return a, nil
}

func plainURIs(uris []string) []NewURI {
	out := make([]NewURI, len(uris))
	for i, uri := range uris {
		out[i].URI = uri
	}
	return out
}

// buildURIs makes rows of addresses; those of a kind have one default, the first unless another is named.
func (s *Service) buildURIs(uris []NewURI, now time.Time) []RedirectURI {
	out := make([]RedirectURI, len(uris))
	chosen := max(0, slices.IndexFunc(uris, func(u NewURI) bool { return u.Default }))
	for i, u := range uris {
		out[i] = RedirectURI{ID: s.ids.NewID(RedirectPrefix), URI: u.URI, Default: i == chosen, CreatedAt: now, UpdatedAt: now}
	}
	return out
}

// check refuses an application that could not work or would be dangerous.
func (s *Service) check(ctx context.Context, a *Application) error {
	switch {
	case a.Name == "":
		return wrong("name", "required", "The application needs a name.")
	case utf8.RuneCountInString(a.Name) > maxName || strings.ContainsRune(a.Name, 0):
		return wrong("name", "too_long", "The name has at most %d characters, none of them U+0000.", maxName)
	case utf8.RuneCountInString(a.Description) > maxDescription || strings.ContainsRune(a.Description, 0):
		return wrong("description", "too_long", "The description has at most %d characters, none of them U+0000.", maxDescription)
	case a.FirstParty && a.OrganizationID != "":
		return wrong("organization_id", "invalid_organization", "A first-party application is for all organizations: leave organization_id out, or set is_first_party to false.")
	case !a.FirstParty && a.OrganizationID == "":
		return wrong("organization_id", "required", "An application that is not the operator's own belongs to an organization: name it in organization_id.")
	}
	if err := checkAlgorithm(a.Algorithm); err != nil {
		return err
	}
	if err := checkScopes(a.Scopes); err != nil {
		return err
	}
	native := a.Public || a.UsesPKCE
	for _, kind := range []struct {
		field string
		uris  []RedirectURI
	}{{"redirect_uris", a.SignIn}, {"post_logout_redirect_uris", a.SignOut}} {
		if err := checkURIs(kind.field, kind.uris, native); err != nil {
			return err
		}
	}
	if a.InitiateURI != "" {
		if err := checkURI("initiate_login_uri", a.InitiateURI, false); err != nil {
			return err
		}
	}
	return s.checkTarget(ctx, a.LogoutURI)
}

func checkScopes(scopes []string) error {
	if len(scopes) > maxScopes {
		return wrong("scopes", "too_many", "An application has at most %d scopes.", maxScopes)
	}
	for _, name := range scopes {
		if !slices.Contains(AllScopes(), name) {
			return wrong("scopes", "invalid_scope", "There is no scope %.60q. There are %s.", name, strings.Join(AllScopes(), ", "))
		}
	}
	return nil
}

func checkURIs(field string, uris []RedirectURI, native bool) error {
	if len(uris) > maxURIs {
		return wrong(field, "too_many", "An application has at most %d addresses of a kind; these are %d.", maxURIs, len(uris))
	}
	seen := map[string]bool{}
	for _, u := range uris {
		if err := checkURI(field, u.URI, native); err != nil {
			return err
		}
		if seen[u.URI] {
			return wrong(field, "duplicate_redirect_uri", "%s names %.200q twice.", field, u.URI)
		}
		seen[u.URI] = true
	}
	return nil
}

// checkTarget refuses a back-channel address that could never be called, so that whoever names it learns it at once.
func (s *Service) checkTarget(ctx context.Context, uri string) error {
	if uri == "" {
		return nil
	}
	var refused *outbound.RefusedError
	if _, err := s.o.Policy.Check(ctx, uri); errors.As(err, &refused) {
		return wrong("backchannel_logout_uri", "invalid_url", "%s", refused.Reason).Because(refused.Unwrap())
	} else if err != nil {
		return fmt.Errorf("check the back-channel address of an application: %w", err)
	}
	return nil
}

func (s *Service) insertTx(ctx context.Context, tx db.Tx, a Application) error {
	if a.OrganizationID != "" {
		var there bool
		if err := tx.QueryRow(ctx, organizationExists, a.OrganizationID).Scan(&there); err != nil {
			return err
		}
		if !there {
			return fault.New(fault.NotFound, "entity_not_found", "Organization not found: '%.80s'.", a.OrganizationID)
		}
	}
	var have int64
	if err := tx.QueryRow(ctx, countApplications).Scan(&have); err != nil {
		return err
	}
	if have >= maxApplications {
		return wrong("name", "too_many", "There are %d applications already. Delete those that are not used any more.", have)
	}
	if _, err := tx.Exec(ctx, insertApplication, a.ID, a.ClientID, a.Name, db.TextOrNull(a.Description), db.TextOrNull(a.OrganizationID), a.Default,
		a.FirstParty, a.Public, a.UsesPKCE, encode(a.Scopes), string(a.Algorithm), db.TextOrNull(a.LogoutURI), db.TextOrNull(a.InitiateURI),
		a.CreatedAt.UnixMicro(), a.UpdatedAt.UnixMicro()); err != nil {
		return err
	}
	return insertURIsTx(ctx, tx, a)
}

func insertURIsTx(ctx context.Context, tx db.Tx, a Application) error {
	for _, kind := range []struct {
		name string
		uris []RedirectURI
	}{{signIn, a.SignIn}, {signOut, a.SignOut}} {
		for _, u := range kind.uris {
			if _, err := tx.Exec(ctx, insertURI, u.ID, a.ID, kind.name, u.URI, u.Default, u.CreatedAt.UnixMicro()); err != nil {
				return err
			}
		}
	}
	return nil
}

// DefaultName is what the default application is called until somebody names it.
const DefaultName = "Default application"

// Default gives the default application, and makes it when there is none yet: at the first start.
func (s *Service) Default(ctx context.Context) (Application, error) {
	found, err := s.applications(ctx, s.db, selectApplication+" AND is_default")
	if err != nil || len(found) > 0 {
		return first(found), err
	}
	clientID, err := s.o.ClientID(ctx)
	if err != nil {
		return Application{}, err
	}
	now := s.time()
	a := Application{
		ID: s.ids.NewID(ApplicationPrefix), ClientID: clientID, Name: DefaultName, Default: true, FirstParty: true, Scopes: AllScopes(),
		Algorithm: oidc.RS256, CreatedAt: now, UpdatedAt: now,
	}
	err = s.db.Tx(ctx, func(tx db.Tx) error { return s.insertTx(ctx, tx, a) })
	var taken *db.UniqueError
	if errors.As(err, &taken) { // of replicas that start together one is first
		found, err = s.applications(ctx, s.db, selectApplication+" AND is_default")
		return first(found), err
	}
	if err != nil {
		return Application{}, fmt.Errorf("make the default application: %w", err)
	}
	return a, nil
}

func first(found []Application) Application {
	if len(found) == 0 {
		return Application{}
	}
	return found[0]
}

// Get finds an application.
func (s *Service) Get(ctx context.Context, id string) (Application, error) {
	return s.get(ctx, s.db, id, "")
}

func (s *Service) get(ctx context.Context, r db.Reader, id, suffix string) (Application, error) {
	found, err := s.applications(ctx, r, selectApplication+" AND id = $1"+suffix, id)
	if err == nil && len(found) == 0 {
		err = ApplicationNotFound(id)
	}
	return first(found), err
}

// GetByClientID finds an application by the id that its requests carry.
func (s *Service) GetByClientID(ctx context.Context, clientID string) (Application, error) {
	found, ok, err := s.byClientID(ctx, clientID)
	if err == nil && !ok {
		err = ApplicationNotFound(clientID)
	}
	return found, err
}

func (s *Service) byClientID(ctx context.Context, clientID string) (Application, bool, error) {
	found, err := s.applications(ctx, s.db, selectApplication+" AND client_id = $1", clientID)
	return first(found), len(found) > 0, err
}

// List gives a page of applications and whether more follow in the direction read. organizationID "" lists those of all.
func (s *Service) List(ctx context.Context, q Page, organizationID string) ([]Application, bool, error) {
	p := db.Page{Before: q.Before, After: q.After, Limit: q.Limit, Ascending: q.Ascending}
	if organizationID != "" {
		p.Where("organization_id = " + p.Arg(organizationID))
	}
	text, args := p.Statement(selectApplication, "id")
	found, err := s.applications(ctx, s.db, text, args...)
	if err != nil {
		return nil, false, err
	}
	found, more := db.Cut(p, found)
	return found, more, nil
}

// applications reads applications with their addresses.
func (s *Service) applications(ctx context.Context, r db.Reader, text string, args ...any) ([]Application, error) {
	rows, err := r.Query(ctx, text, args...)
	if err != nil {
		return nil, fmt.Errorf("read applications: %w", err)
	}
	defer rows.Close()
	var out []Application
	for rows.Next() {
		var a Application
		if err := a.scan(rows); err != nil {
			return nil, fmt.Errorf("read applications: %w", err)
		}
		out = append(out, a)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read applications: %w", err)
	}
	rows.Close() // a transaction has one connection
	return out, withURIs(ctx, r, out)
}

// scan reads applicationColumns, and more if there is more.
func (a *Application) scan(row db.Row, more ...any) error {
	var description, organization, logout, initiate *string
	var scopes []byte
	var created, updated int64
	dest := []any{
		&a.ID, &a.ClientID, &a.Name, &description, &organization, &a.Default, &a.FirstParty, &a.Public, &a.UsesPKCE, &scopes,
		(*string)(&a.Algorithm), &logout, &initiate, &created, &updated,
	}
	if err := row.Scan(append(dest, more...)...); err != nil {
		return err
	}
	a.Description, a.OrganizationID, a.LogoutURI, a.InitiateURI = orEmpty(description), orEmpty(organization), orEmpty(logout), orEmpty(initiate)
	a.CreatedAt, a.UpdatedAt = db.Time(created), db.Time(updated)
	if err := json.Unmarshal(scopes, &a.Scopes); err != nil {
		return fmt.Errorf("scopes of application %s: %w", a.ID, err)
	}
	return nil
}

func withURIs(ctx context.Context, r db.Reader, applications []Application) error {
	if len(applications) == 0 {
		return nil
	}
	at, marks, args := map[string]int{}, make([]string, len(applications)), make([]any, len(applications))
	for i, a := range applications {
		at[a.ID], marks[i], args[i] = i, fmt.Sprintf("$%d", i+1), a.ID
	}
	rows, err := r.Query(ctx, fmt.Sprintf(selectURIs, strings.Join(marks, ",")), args...)
	if err != nil {
		return fmt.Errorf("read redirect URIs: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		id, kind, u, err := scanURI(rows)
		if err != nil {
			return err
		}
		a := &applications[at[id]]
		if kind == signOut {
			a.SignOut = append(a.SignOut, u)
		} else {
			a.SignIn = append(a.SignIn, u)
		}
	}
	return rows.Err()
}

func scanURI(row db.Row) (application, kind string, u RedirectURI, err error) {
	var created, updated int64
	if err := row.Scan(&application, &kind, &u.ID, &u.URI, &u.Default, &created, &updated); err != nil {
		return "", "", u, fmt.Errorf("read redirect URIs: %w", err)
	}
	u.CreatedAt, u.UpdatedAt = db.Time(created), db.Time(updated)
	return application, kind, u, nil
}

// Update changes an application. An address that stays keeps its id.
func (s *Service) Update(ctx context.Context, id string, c Change) (Application, error) {
	var after Application
	before, err := s.Get(ctx, id) // for the checks that may take a while; the transaction looks again
	if err != nil {
		return Application{}, err
	}
	after = s.changed(before, c)
	if err := s.check(ctx, &after); err != nil {
		return Application{}, err
	}
	err = s.db.Tx(ctx, func(tx db.Tx) error {
		present, err := s.get(ctx, tx, id, s.db.ForUpdate())
		if err != nil {
			return err
		}
		after = s.changed(present, c)
		if _, err := tx.Exec(ctx, updateApplication, id, after.Name, db.TextOrNull(after.Description), encode(after.Scopes), string(after.Algorithm),
			db.TextOrNull(after.LogoutURI), db.TextOrNull(after.InitiateURI), after.UsesPKCE, after.UpdatedAt.UnixMicro()); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, deleteURIs, id); err != nil {
			return err
		}
		if err := s.auditTx(ctx, tx, "connect_application.updated", after.OrganizationID, id, present.settings(), after.settings()); err != nil {
			return err
		}
		return insertURIsTx(ctx, tx, after)
	})
	if err != nil {
		return Application{}, fmt.Errorf("update application %s: %w", id, err)
	}
	return after, nil
}

func (s *Service) changed(a Application, c Change) Application {
	now := s.time()
	a.UpdatedAt = now
	for _, text := range []struct {
		to   *string
		from *string
	}{{&a.Name, c.Name}, {&a.Description, c.Description}, {&a.LogoutURI, c.LogoutURI}, {&a.InitiateURI, c.InitiateURI}} {
		if text.from != nil {
			*text.to = *text.from
		}
	}
	a.Name = strings.TrimSpace(a.Name)
	if c.Scopes != nil {
		a.Scopes = *c.Scopes
		if len(a.Scopes) == 0 {
			a.Scopes = AllScopes()
		}
	}
	if c.Algorithm != nil {
		a.Algorithm = *c.Algorithm
	}
	if c.UsesPKCE != nil {
		a.UsesPKCE = *c.UsesPKCE || a.Public
	}
	if c.SignIn != nil {
		a.SignIn = keepIDs(a.SignIn, s.buildURIs(*c.SignIn, now))
	}
	if c.SignOut != nil {
		a.SignOut = keepIDs(a.SignOut, s.buildURIs(plainURIs(*c.SignOut), now))
	}
	return a
}

func keepIDs(before, after []RedirectURI) []RedirectURI {
	for i := range after {
		at := slices.IndexFunc(before, func(u RedirectURI) bool { return u.URI == after[i].URI })
		if at >= 0 {
			after[i].ID, after[i].CreatedAt = before[at].ID, before[at].CreatedAt
		}
	}
	return after
}

// Delete takes an application away, with its secrets and with all codes and tokens it has. The default application stays.
func (s *Service) Delete(ctx context.Context, id string) error {
	err := s.db.Tx(ctx, func(tx db.Tx) error {
		a, err := s.get(ctx, tx, id, s.db.ForUpdate())
		if err != nil {
			return err
		}
		if a.Default {
			return fault.New(fault.Conflict, "default_application", "The default application cannot be deleted: its client_id is the installation's.")
		}
		if _, err := tx.Exec(ctx, deleteApplication, id, s.time().UnixMicro()); err != nil {
			return err
		}
		if err := s.auditTx(ctx, tx, "connect_application.deleted", a.OrganizationID, id, a.settings(), nil); err != nil {
			return err
		}
		for _, text := range []string{deleteSecrets, deleteURIs} {
			if _, err := tx.Exec(ctx, text, id); err != nil {
				return err
			}
		}
		return s.sessions.EndApplicationTx(ctx, tx, id)
	})
	if err != nil {
		return fmt.Errorf("delete application %s: %w", id, err)
	}
	return nil
}

// SecretNotFound is the refusal for a client secret that is not there.
func SecretNotFound(id string) error {
	return fault.New(fault.NotFound, "entity_not_found", "Client secret not found: '%.80s'.", id)
}

// CreateSecret makes a client secret; its value is in the answer and nowhere else. Several live at once, so that they can be rotated.
func (s *Service) CreateSecret(ctx context.Context, applicationID string) (Secret, token.Secret, error) {
	now, value := s.time(), token.NewSecret("cs")
	made := Secret{ID: s.ids.NewID(SecretPrefix), ApplicationID: applicationID, Hint: value.Suffix(), CreatedAt: now, UpdatedAt: now}
	err := s.db.Tx(ctx, func(tx db.Tx) error {
		a, err := s.get(ctx, tx, applicationID, s.db.ForUpdate())
		if err != nil {
			return err
		}
		if a.Public {
			return wrong("id", "public_application", "A public application has no secrets: it proves itself by PKCE.")
		}
		var have int64
		if err := tx.QueryRow(ctx, countSecrets, applicationID).Scan(&have); err != nil {
			return err
		}
		if have >= maxSecrets {
			return wrong("id", "too_many", "The application has %d secrets already, which is the most it can have. Delete one first.", have)
		}
		if err := s.auditTx(ctx, tx, "client_secret.created", a.OrganizationID, made.ID, nil, secretSettings(applicationID, made.Hint)); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, insertSecret, made.ID, applicationID, string(token.HashOf(value)), made.Hint, now.UnixMicro())
		return err
	})
	if err != nil {
		return Secret{}, "", fmt.Errorf("create a secret of application %s: %w", applicationID, err)
	}
	return made, value, nil
}

// Secrets lists the secrets of an application, newest first.
func (s *Service) Secrets(ctx context.Context, applicationID string) ([]Secret, error) {
	if _, err := s.Get(ctx, applicationID); err != nil {
		return nil, err
	}
	rows, err := s.db.Query(ctx, listSecrets, applicationID)
	if err != nil {
		return nil, fmt.Errorf("read client secrets: %w", err)
	}
	defer rows.Close()
	out := []Secret{}
	for rows.Next() {
		var found Secret
		var created, updated int64
		var used *int64
		if err := rows.Scan(&found.ID, &found.ApplicationID, &found.Hint, &created, &updated, &used); err != nil {
			return nil, fmt.Errorf("read client secrets: %w", err)
		}
		found.CreatedAt, found.UpdatedAt, found.LastUsedAt = db.Time(created), db.Time(updated), db.TimeOrZero(used)
		out = append(out, found)
	}
	return out, rows.Err()
}

// DeleteSecret ends a secret at once: no process remembers any.
func (s *Service) DeleteSecret(ctx context.Context, id string) error {
	return s.db.Tx(ctx, func(tx db.Tx) error {
		if err := s.auditSecretTx(ctx, tx, id); err != nil {
			return err
		}
		n, err := tx.Exec(ctx, deleteSecret, id)
		if err != nil {
			return fmt.Errorf("delete client secret %s: %w", id, err)
		}
		if n == 0 {
			return SecretNotFound(id)
		}
		return nil
	})
}

// RedirectURINotFound is the refusal for a redirect URI that is not there.
func RedirectURINotFound(id string) error {
	return fault.New(fault.NotFound, "entity_not_found", "Redirect URI not found: '%.80s'.", id)
}

// AddRedirectURI registers an address of the default application. The first one is its default.
func (s *Service) AddRedirectURI(ctx context.Context, uri string) (RedirectURI, error) {
	if err := checkURI("uri", uri, false); err != nil {
		return RedirectURI{}, err
	}
	a, err := s.Default(ctx)
	if err != nil {
		return RedirectURI{}, err
	}
	now := s.time()
	made := RedirectURI{ID: s.ids.NewID(RedirectPrefix), URI: uri, CreatedAt: now, UpdatedAt: now}
	err = s.db.Tx(ctx, func(tx db.Tx) error {
		present, err := s.get(ctx, tx, a.ID, s.db.ForUpdate())
		if err != nil {
			return err
		}
		switch {
		case len(present.SignIn) >= maxURIs:
			return wrong("uri", "too_many", "There are %d redirect URIs already. Delete those that are not used any more.", len(present.SignIn))
		case slices.ContainsFunc(present.SignIn, func(u RedirectURI) bool { return u.URI == uri }):
			return wrong("uri", "duplicate_redirect_uri", "Redirect URI '%.200s' already exists.", uri)
		}
		made.Default = len(present.SignIn) == 0
		if err := s.auditTx(ctx, tx, "redirect_uri.created", present.OrganizationID, made.ID, nil, event.Settings{"application_id": a.ID, "uri": uri}); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, insertURI, made.ID, a.ID, signIn, uri, made.Default, now.UnixMicro())
		return err
	})
	if err != nil {
		return RedirectURI{}, fmt.Errorf("add a redirect URI: %w", err)
	}
	return made, nil
}

// RedirectURIs gives a page of the default application's addresses and whether more follow in the direction read.
func (s *Service) RedirectURIs(ctx context.Context, q Page) ([]RedirectURI, bool, error) {
	a, err := s.Default(ctx)
	if err != nil {
		return nil, false, err
	}
	p := db.Page{Before: q.Before, After: q.After, Limit: q.Limit, Ascending: q.Ascending}
	text := listURIs
	p.Arg(a.ID) // $1
	p.Arg(signIn)
	text, args := p.Statement(text, "id")
	rows, err := s.db.Query(ctx, text, args...)
	if err != nil {
		return nil, false, fmt.Errorf("read redirect URIs: %w", err)
	}
	defer rows.Close()
	var out []RedirectURI
	for rows.Next() {
		_, _, u, err := scanURI(rows)
		if err != nil {
			return nil, false, err
		}
		out = append(out, u)
	}
	if err := rows.Err(); err != nil {
		return nil, false, fmt.Errorf("read redirect URIs: %w", err)
	}
	page, more := db.Cut(p, out)
	return page, more, nil
}

// DeleteRedirectURI takes an address of the default application away. The default one stays as long as there are others.
func (s *Service) DeleteRedirectURI(ctx context.Context, id string) error {
	a, err := s.Default(ctx)
	if err != nil {
		return err
	}
	return s.db.Tx(ctx, func(tx db.Tx) error {
		present, err := s.get(ctx, tx, a.ID, s.db.ForUpdate())
		if err != nil {
			return err
		}
		at := slices.IndexFunc(present.SignIn, func(u RedirectURI) bool { return u.ID == id })
		switch {
		case at < 0:
			return RedirectURINotFound(id)
		case present.SignIn[at].Default && len(present.SignIn) > 1:
			return fault.New(fault.Conflict, "default_redirect_uri", "Cannot delete the default redirect URI.")
		}
		gone := event.Settings{"application_id": a.ID, "uri": present.SignIn[at].URI}
		if err := s.auditTx(ctx, tx, "redirect_uri.deleted", present.OrganizationID, id, gone, nil); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, deleteURI, a.ID, signIn, id); err != nil {
			return fmt.Errorf("delete redirect URI %s: %w", id, err)
		}
		return nil
	})
}
