package sso

import (
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/oidc"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/saml"
	"github.com/rollcallhq/rollcall/internal/session"
	"github.com/rollcallhq/rollcall/internal/token"
)

// New is what a connection is made of: a type, or a provider of the catalogue with a protocol where it speaks both.
type New struct {
	OrganizationID string
	Type           Type
	Provider       string
	Protocol       Protocol
	Settings       Change
}

// Change is what Update changes; nil leaves as it is, an empty text takes away.
type Change struct {
	Name         *string
	State        *State // Active or Inactive
	Options      []byte // a JSON object with those options that change
	AttributeMap *AttributeMap
	Paths        *[]string

	SPEntityID     *string
	MetadataURL    *string
	MetadataXML    *string
	IDPEntityID    *string // chooses of several providers too where metadata is given
	SSOURL         *string
	SSOBinding     *Binding
	SLOURL         *string
	SLOBinding     *Binding
	SLOResponseURL *string
	Certificates   *[]string // those given by hand, all of them

	Issuer       *string
	ClientID     *string
	ClientSecret *string
	// ClientSecretExpiresAt is when the provider takes the secret no more; the zero time: nobody knows. A new secret given without it has none.
	ClientSecretExpiresAt *time.Time
}

// asked is what was read from the provider for a change, before the transaction.
type asked struct {
	metadata  *reading
	secure    bool
	issuer    string
	discovery string
	keys      string
}

// Create makes a connection. It is a draft until it has what its protocol needs.
func (s *Service) Create(ctx context.Context, actor event.Actor, n New) (Connection, error) {
	if n.OrganizationID == "" {
		return Connection{}, invalid("organization_id", "required", "The connection needs the organization_id it belongs to.")
	}
	t, slug, protocol, err := kindOf(s.c.Catalog, n)
	if err != nil {
		return Connection{}, err
	}
	if n.Settings.Name == nil {
		n.Settings.Name = new(string)
	}
	now := s.moment()
	c := Connection{
		ID: ID(s.c.IDs.NewID(ConnectionPrefix)), OrganizationID: n.OrganizationID, Key: token.NewKey(24), Protocol: protocol, Type: t, Provider: string(slug),
		State: Draft, CreatedAt: now, UpdatedAt: now, version: 1,
	}
	o, err := s.c.Organizations.Get(ctx, org.ID(n.OrganizationID))
	if err != nil {
		return Connection{}, err
	}
	got, err := s.ask(ctx, c, n.Settings)
	if err != nil {
		return Connection{}, err
	}
	if err := s.change(&c, n.Settings, got, now); err != nil {
		return Connection{}, err
	}
	if err := s.equip(&c, now); err != nil {
		return Connection{}, err
	}
	err = s.c.DB.Tx(ctx, func(tx db.Tx) error {
		features, err := org.FeaturesIn(ctx, tx, org.ID(n.OrganizationID), s.c.DB.ForShare())
		if err != nil {
			return err
		}
		if !features.On(org.SSO) {
			return fault.New(fault.Forbidden, string(FeatureDisabled), "The feature %s is switched off for organization %s. Switch it on before making a connection.", org.SSO, n.OrganizationID)
		}
		if err := s.insertTx(ctx, tx, c); err != nil {
			return err
		}
		if err := s.auditTx(ctx, tx, actor, nil, c); err != nil {
			return err
		}
		return s.tellTx(ctx, tx, o, Connection{State: Draft}, c, event.Context{Actor: actor}.JSON())
	})
	return c, describe("create", c.ID, err)
}

// equip gives a new connection its own key pair: it signs requests and opens encrypted assertions.
func (s *Service) equip(c *Connection, now time.Time) error {
	key, cert, err := saml.NewKeyPair("rollcall "+c.Key, now)
	if err != nil {
		return fmt.Errorf("make the key of connection %s: %w", c.ID, err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return fmt.Errorf("make the key of connection %s: %w", c.ID, err)
	}
	c.spKey = s.c.Sealer.Seal(keyPlace(c.ID), der)
	c.SPCertificate = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw}))
	return nil
}

// keyPair opens the connection's own key.
func (s *Service) keyPair(c Connection) (*rsa.PrivateKey, *x509.Certificate, error) {
	der, err := s.c.Sealer.Open(keyPlace(c.ID), c.spKey)
	if err != nil {
		return nil, nil, fmt.Errorf("key of connection %s: %w", c.ID, err)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, nil, fmt.Errorf("key of connection %s: %w", c.ID, err)
	}
	key, is := parsed.(*rsa.PrivateKey)
	block, _ := pem.Decode([]byte(c.SPCertificate))
	if !is || block == nil {
		return nil, nil, fmt.Errorf("key of connection %s: not an RSA key with a certificate", c.ID)
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, nil, fmt.Errorf("certificate of connection %s: %w", c.ID, err)
	}
	return key, cert, nil
}

// Update changes a connection.
func (s *Service) Update(ctx context.Context, actor event.Actor, id ID, ch Change) (Connection, error) {
	c, err := s.Get(ctx, id)
	if err != nil {
		return Connection{}, err
	}
	got, err := s.ask(ctx, c, ch)
	if err != nil {
		return Connection{}, err
	}
	return s.rewrite(ctx, actor, c, func(after *Connection, now time.Time) error { return s.change(after, ch, got, now) })
}

// rewrite changes a connection in a transaction and tells of it.
func (s *Service) rewrite(ctx context.Context, actor event.Actor, c Connection, change func(*Connection, time.Time) error) (Connection, error) {
	o, err := s.c.Organizations.Get(ctx, org.ID(c.OrganizationID))
	if err != nil {
		return Connection{}, err
	}
	var after Connection
	err = s.c.DB.Tx(ctx, func(tx db.Tx) error {
		before, err := s.lockedTx(ctx, tx, c.ID)
		if err != nil {
			return err
		}
		after = before
		after.UpdatedAt = s.moment()
		if err := change(&after, after.UpdatedAt); err != nil {
			return err
		}
		if after.Options.Default && !before.Options.Default {
			if err := s.takeDefaultTx(ctx, tx, actor, after); err != nil {
				return err
			}
		}
		if err := s.updateTx(ctx, tx, after); err != nil {
			return err
		}
		if err := s.auditTx(ctx, tx, actor, &before, after); err != nil {
			return err
		}
		cause := event.Context{Actor: actor}
		if before.open() && !after.open() {
			if err := s.endTx(ctx, tx, after, cause); err != nil {
				return err
			}
		}
		return s.tellTx(ctx, tx, o, before, after, cause.JSON())
	})
	return after, describe("update", c.ID, err)
}

// lockedTx reads a connection for a change.
func (s *Service) lockedTx(ctx context.Context, tx db.Tx, id ID) (Connection, error) {
	return s.one(ctx, tx, string(id), " AND id = $1"+s.c.DB.ForUpdate(), string(id))
}

// takeDefaultTx makes sure that a connection is the only default of its organization.
func (s *Service) takeDefaultTx(ctx context.Context, tx db.Tx, actor event.Actor, c Connection) error {
	all, err := connections(ctx, tx, lockConnections+s.c.DB.ForUpdate(), c.OrganizationID)
	if err != nil {
		return err
	}
	for _, other := range all {
		if other.ID == c.ID || !other.Options.Default {
			continue
		}
		was := other
		other.Options.Default = false
		if err := s.updateTx(ctx, tx, other); err != nil {
			return err
		}
		if err := s.auditTx(ctx, tx, actor, &was, other); err != nil {
			return err
		}
	}
	return nil
}

// tellTx appends what a change means to others.
func (s *Service) tellTx(ctx context.Context, tx db.Tx, o org.Organization, before, after Connection, cause []byte) error {
	var entries []event.Entry
	tell := func(t event.Type, data []byte) {
		entries = append(entries, event.Entry{OrganizationID: after.OrganizationID, Type: t, Context: cause, Data: data})
	}
	switch {
	case after.State == Active && before.State != Active:
		tell(event.ConnectionActivated, after.eventPayload(o))
	case after.State == Inactive && before.State != Inactive, before.State == Active && after.State == Draft:
		tell(event.ConnectionDeactivated, after.eventPayload(o))
	}
	was, _ := before.last()
	if is, ok := after.last(); ok && was.announced >= 0 && was.Fingerprint != "" && is.NotAfter.After(was.NotAfter) {
		tell(event.ConnectionCertificateRenewed, renewedPayload(after, is, after.UpdatedAt))
	}
	if len(entries) == 0 {
		return nil
	}
	return s.c.Events.AppendTx(ctx, tx, after.UpdatedAt, entries...)
}

// ask reads what a change names an address of.
func (s *Service) ask(ctx context.Context, c Connection, ch Change) (asked, error) {
	var got asked
	entityID := ""
	if ch.IDPEntityID != nil {
		entityID = *ch.IDPEntityID
	}
	switch {
	case ch.MetadataURL != nil && *ch.MetadataURL != "" && ch.MetadataXML != nil && *ch.MetadataXML != "":
		return got, invalid("metadata_xml", "ambiguous", "Give metadata_url or metadata_xml, not both.")
	case c.Protocol == SAML && ch.MetadataURL != nil && *ch.MetadataURL != "":
		doc, err := s.fetch(ctx, *ch.MetadataURL, "application/samlmetadata+xml, application/xml;q=0.9, */*;q=0.1", "", maxMetadata)
		if err != nil {
			return got, onField("metadata_url", err)
		}
		r, err := readMetadata(doc.body, entityID, s.moment())
		if err != nil {
			return got, onField("metadata_url", err)
		}
		r.etag = doc.etag
		got.metadata, got.secure = &r, secure(*ch.MetadataURL)
	case c.Protocol == SAML && ch.MetadataXML != nil && *ch.MetadataXML != "":
		if len(*ch.MetadataXML) > maxMetadata {
			return got, invalid("metadata_xml", "too_long", "metadata_xml has at most %d bytes.", maxMetadata)
		}
		r, err := readMetadata([]byte(*ch.MetadataXML), entityID, s.moment())
		if err != nil {
			return got, onField("metadata_xml", err)
		}
		got.metadata, got.secure = &r, true // a person gave it
	case c.Protocol == OIDC && ch.Issuer != nil && *ch.Issuer != "":
		return s.discover(ctx, *ch.Issuer)
	}
	return got, nil
}

// discover reads what an OpenID provider says about itself.
func (s *Service) discover(ctx context.Context, typed string) (asked, error) {
	plain := strings.HasPrefix(strings.TrimSpace(typed), "http://") // who may be called so is for the policy to say
	issuer, err := oidc.ParseIssuer(typed, plain)
	if err != nil {
		return asked{}, onField("issuer", err)
	}
	doc, err := s.fetch(ctx, oidc.DiscoveryURL(issuer), "application/json", "", maxDiscovery)
	if err != nil {
		return asked{}, onField("issuer", err)
	}
	d, err := oidc.ParseDiscovery(doc.body, issuer, plain)
	if err != nil {
		return asked{}, onField("issuer", err)
	}
	keys, err := s.fetchKeys(ctx, d)
	if err != nil {
		return asked{}, onField("issuer", err)
	}
	return asked{issuer: issuer, discovery: string(doc.body), keys: keys}, nil
}

func (s *Service) fetchKeys(ctx context.Context, d oidc.Discovery) (string, error) {
	doc, err := s.fetch(ctx, d.JWKSURI, "application/jwk-set+json, application/json", "", maxKeys)
	if err != nil {
		return "", err
	}
	if _, err := oidc.ParseKeySet(doc.body); err != nil {
		return "", err
	}
	return string(doc.body), nil
}

// onField makes a refusal of a request's field out of one of a provider's answer.
func onField(field string, err error) error {
	f, ok := fault.As(err)
	if !ok {
		return err
	}
	code := f.Code
	if f.Code == "invalid_metadata" || f.Kind == fault.Unprocessable {
		code = "invalid_metadata"
	}
	return invalid(field, code, "%s", f.Message).Compared(f.Wanted, f.Got).Because(err)
}

// change computes what a connection becomes. It is pure but for the check of addresses without TLS.
func (s *Service) change(c *Connection, ch Change, got asked, now time.Time) error {
	if ch.Name != nil {
		c.Name = strings.TrimSpace(*ch.Name)
	}
	if err := checkConnectionName(c.Name); err != nil {
		return err
	}
	var err error
	if c.Options, err = c.Options.merged(ch.Options); err != nil {
		return err
	}
	if err := c.Options.check(now); err != nil {
		return err
	}
	if ch.AttributeMap != nil {
		c.AttributeMap = *ch.AttributeMap
	}
	if c.AttributeMap == nil {
		c.AttributeMap = AttributeMap{}
	}
	if err := c.AttributeMap.check(); err != nil {
		return err
	}
	if err := c.onlyOf(ch); err != nil {
		return err
	}
	if c.Protocol == SAML {
		err = s.changeSAML(c, ch, got, now)
	} else {
		err = s.changeOIDC(c, ch, got, now)
	}
	if err != nil {
		return err
	}
	if ch.State != nil && (c.Switching == Coming || c.Switching == Retired) {
		return errSwitching("switched on or off by hand")
	}
	return c.settle(ch.State)
}

// onlyOf refuses members of the other protocol: who gives them means something else than they get.
func (c Connection) onlyOf(ch Change) error {
	ofSAML := map[string]bool{
		"sp_entity_id": ch.SPEntityID != nil, "metadata_url": ch.MetadataURL != nil, "metadata_xml": ch.MetadataXML != nil,
		"idp_entity_id": ch.IDPEntityID != nil, "sso_url": ch.SSOURL != nil, "sso_binding": ch.SSOBinding != nil, "slo_url": ch.SLOURL != nil,
		"slo_binding": ch.SLOBinding != nil, "slo_response_url": ch.SLOResponseURL != nil, "certificates": ch.Certificates != nil, "acs_paths": ch.Paths != nil,
	}
	ofOIDC := map[string]bool{"issuer": ch.Issuer != nil, "client_id": ch.ClientID != nil, "client_secret": ch.ClientSecret != nil, "client_secret_expires_at": ch.ClientSecretExpiresAt != nil}
	wrong := ofOIDC
	if c.Protocol == OIDC {
		wrong = ofSAML
	}
	var names []string
	for name, given := range wrong {
		if given {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	slices.Sort(names)
	return invalid(names[0], "wrong_protocol", "%s does not belong to a connection by %s.", names[0], c.Protocol)
}

func (s *Service) changeSAML(c *Connection, ch Change, got asked, now time.Time) error {
	if ch.SPEntityID != nil {
		if *ch.SPEntityID != "" && notURI(*ch.SPEntityID) {
			return invalid("sp_entity_id", "invalid", "sp_entity_id has at most %d bytes and no spaces.", maxURI)
		}
		c.SPEntityID = *ch.SPEntityID
	}
	if ch.Paths != nil {
		if err := checkPaths(*ch.Paths); err != nil {
			return err
		}
		c.Paths = *ch.Paths
	}
	if ch.Certificates != nil { // before the metadata, which is held where it says something new
		if err := c.withManual(*ch.Certificates, now); err != nil {
			return err
		}
	}
	if ch.MetadataURL != nil {
		c.MetadataURL, c.metadataETag, c.MetadataError, c.metadataDue = *ch.MetadataURL, "", "", time.Time{}
		if c.MetadataURL != "" {
			c.MetadataAt, c.metadataDue = now, now.Add(refreshEvery)
		}
	}
	if got.metadata != nil {
		if ch.MetadataXML != nil {
			c.MetadataURL, c.metadataDue = "", time.Time{}
		}
		c.apply(*got.metadata, got.secure, true, now)
	}
	return s.changeFields(c, ch, got)
}

// changeFields takes what was given one by one; beside metadata the entity id has chosen from it and is no field.
func (s *Service) changeFields(c *Connection, ch Change, got asked) error {
	if err := s.changeSLOAnswer(c, ch); err != nil {
		return err
	}
	if ch.IDPEntityID != nil && got.metadata == nil {
		if *ch.IDPEntityID != "" && notURI(*ch.IDPEntityID) {
			return invalid("idp_entity_id", "invalid", "idp_entity_id has at most %d bytes and no spaces.", maxURI)
		}
		c.IDPEntityID = *ch.IDPEntityID
	}
	for _, one := range []struct {
		name    string
		url     *string
		binding *Binding
		to      *string
		by      *Binding
	}{{"sso", ch.SSOURL, ch.SSOBinding, &c.SSOURL, &c.SSOBinding}, {"slo", ch.SLOURL, ch.SLOBinding, &c.SLOURL, &c.SLOBinding}} {
		if one.url != nil {
			if *one.url != "" {
				if err := s.checkBrowserURL(one.name+"_url", *one.url, s.named); err != nil {
					return err
				}
			}
			*one.to = *one.url
		}
		if one.binding != nil {
			if *one.binding != Redirect && *one.binding != Post {
				return invalid(one.name+"_binding", "invalid", "%s_binding is redirect or post.", one.name)
			}
			*one.by = *one.binding
		}
		if *one.by == "" && *one.to != "" {
			*one.by = Redirect
		}
	}
	return nil
}

// changeSLOAnswer: an address for answers belongs to the address for requests that it was given with.
func (s *Service) changeSLOAnswer(c *Connection, ch Change) error {
	if ch.SLOURL != nil && *ch.SLOURL != c.SLOURL {
		c.SLOResponseURL = ""
	}
	if ch.SLOResponseURL == nil {
		return nil
	}
	if *ch.SLOResponseURL != "" {
		if err := s.checkBrowserURL("slo_response_url", *ch.SLOResponseURL, s.named); err != nil {
			return err
		}
	}
	c.SLOResponseURL = *ch.SLOResponseURL
	return nil
}

// named asks the policy about an address without TLS.
func (s *Service) named(address string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_, err := s.c.Policy.Check(ctx, address)
	return err
}

func (s *Service) changeOIDC(c *Connection, ch Change, got asked, now time.Time) error {
	if ch.Issuer != nil {
		c.Issuer, c.discovery, c.jwks, c.MetadataError = got.issuer, got.discovery, got.keys, ""
		c.MetadataAt, c.jwksAt, c.metadataDue = time.Time{}, time.Time{}, time.Time{}
		if got.issuer != "" {
			c.MetadataAt, c.jwksAt, c.metadataDue = now, now, now.Add(refreshEvery)
		}
	}
	if ch.ClientID != nil {
		if *ch.ClientID != "" && notURI(*ch.ClientID) {
			return invalid("client_id", "invalid", "client_id has at most %d bytes and no spaces.", maxURI)
		}
		c.ClientID = *ch.ClientID
	}
	if ch.ClientSecret != nil {
		if len(*ch.ClientSecret) > maxURI || strings.ContainsRune(*ch.ClientSecret, 0) {
			return invalid("client_secret", "invalid", "client_secret has at most %d bytes.", maxURI)
		}
		c.clientSecret, c.HasSecret, c.ClientSecretExpiresAt = "", *ch.ClientSecret != "", time.Time{}
		if c.HasSecret {
			c.clientSecret = s.c.Sealer.Seal(secretPlace(c.ID), []byte(*ch.ClientSecret))
		}
	}
	return c.secretEnds(ch.ClientSecretExpiresAt)
}

// Years that a client secret may end in: what is outside was mistyped, or told in seconds where milliseconds were meant.
const firstYear, lastYear = 2000, 2999

func (c *Connection) secretEnds(at *time.Time) error {
	switch {
	case at == nil:
		return nil
	case at.IsZero():
		c.ClientSecretExpiresAt = time.Time{}
		return nil
	case !c.HasSecret:
		return invalid("client_secret_expires_at", "invalid", "There is no client_secret that could end.")
	case at.UTC().Year() < firstYear || at.UTC().Year() > lastYear:
		return invalid("client_secret_expires_at", "invalid", "client_secret_expires_at is a time between the years %d and %d.", firstYear, lastYear)
	}
	c.ClientSecretExpiresAt = at.UTC().Truncate(time.Microsecond)
	return nil
}

// Lacks names what a connection needs and does not have.
func (c Connection) Lacks() (names []string) {
	need := func(name string, there bool) {
		if !there {
			names = append(names, name)
		}
	}
	if c.Protocol == OIDC {
		need("issuer", c.discovery != "")
		need("client_id", c.ClientID != "")
		need("client_secret", c.HasSecret || c.Options.AuthMethod == PrivateKeyJWT)
		return names
	}
	need("idp_entity_id", c.IDPEntityID != "")
	need("sso_url", c.SSOURL != "")
	need("certificates", len(c.Certificates) > 0)
	return names
}

// settle finds the state that a changed connection is in.
func (c *Connection) settle(wanted *State) error {
	lacks := c.Lacks()
	ready := Draft
	switch {
	case len(lacks) == 0 && !c.FirstSuccessAt.IsZero():
		ready = Active
	case len(lacks) == 0:
		ready = Validating
	}
	switch {
	case wanted == nil && c.State == Inactive:
	case wanted == nil:
		c.State = ready
	case *wanted == Inactive:
		c.State = Inactive
	case *wanted != Active:
		return invalid("state", "invalid_state", "state can be set to active or inactive; draft and validating come by themselves.")
	case len(lacks) > 0:
		return invalid("state", "connection_incomplete", "The connection cannot be active yet: it lacks %s.", strings.Join(lacks, ", "))
	default:
		c.State = ready
	}
	return nil
}

// AddCertificate adds a signing certificate by hand.
func (s *Service) AddCertificate(ctx context.Context, actor event.Actor, id ID, text string) (Connection, error) {
	c, err := s.samlConnection(ctx, id)
	if err != nil {
		return Connection{}, err
	}
	parsed, err := parseCertificate(text)
	if err != nil {
		return Connection{}, err
	}
	return s.rewrite(ctx, actor, c, func(after *Connection, now time.Time) error {
		if len(after.Certificates) >= maxCertificates {
			return invalid("certificate", "too_many", "A connection has at most %d certificates. Delete one first.", maxCertificates)
		}
		after.Certificates = slices.Clone(after.Certificates)
		after.add(certificateOf(parsed, ByHand, now))
		return after.settle(nil)
	})
}

// DeleteCertificate takes a signing certificate away. One that the metadata names comes back with the next reading.
func (s *Service) DeleteCertificate(ctx context.Context, actor event.Actor, id ID, fingerprint string) (Connection, error) {
	c, err := s.samlConnection(ctx, id)
	if err != nil {
		return Connection{}, err
	}
	return s.rewrite(ctx, actor, c, func(after *Connection, _ time.Time) error {
		left := slices.DeleteFunc(slices.Clone(after.Certificates), func(one Certificate) bool { return one.Fingerprint == fingerprint })
		if len(left) == len(after.Certificates) {
			return fault.New(fault.NotFound, "entity_not_found", "Certificate not found: '%.80s'.", fingerprint)
		}
		after.Certificates = left
		return after.settle(nil)
	})
}

func (s *Service) samlConnection(ctx context.Context, id ID) (Connection, error) {
	c, err := s.Get(ctx, id)
	if err == nil && c.Protocol != SAML {
		err = fault.New(fault.Conflict, "wrong_protocol", "Connection %s is one by OpenID Connect and has no certificates and no metadata.", id)
	}
	return c, err
}

// Delete removes a connection and ends the sessions that came through it, with all their codes and tokens. What its provider said of
// people goes with it: their profiles, and who of the accounts they are. Accounts and memberships stay; the next connection of the
// organization links them anew, by the directory or by a verified address.
func (s *Service) Delete(ctx context.Context, actor event.Actor, id ID) error {
	c, err := s.Get(ctx, id)
	if err != nil {
		return err
	}
	at := s.moment()
	err = s.c.DB.Tx(ctx, func(tx db.Tx) error {
		locked, err := s.lockedTx(ctx, tx, id)
		if err != nil {
			return err
		}
		if locked.Switching != "" {
			return errSwitching("deleted")
		}
		return s.deleteTx(ctx, tx, actor, locked, at)
	})
	return describe("delete", c.ID, err)
}

func (s *Service) deleteTx(ctx context.Context, tx db.Tx, actor event.Actor, c Connection, at time.Time) error {
	if _, err := tx.Exec(ctx, deleteConnection, c.OrganizationID, string(c.ID), at.UnixMicro()); err != nil {
		return err
	}
	for _, text := range []string{deleteCertificates, deletePaths, deleteProfilesAt} {
		if _, err := tx.Exec(ctx, text, c.OrganizationID, string(c.ID)); err != nil {
			return err
		}
	}
	if err := s.c.Members.DeleteConnectionTx(ctx, tx, c.OrganizationID, string(c.ID)); err != nil {
		return err
	}
	cause := event.Context{Actor: actor}
	if err := s.endTx(ctx, tx, c, cause); err != nil {
		return err
	}
	c.UpdatedAt = at
	return s.c.Events.AppendTx(ctx, tx, at, event.Entry{
		OrganizationID: c.OrganizationID, Type: event.ConnectionDeleted, Context: cause.JSON(), Data: c.deletedPayload(),
	})
}

// endTx ends what people are signed in to through a connection that lets nobody in any more. The caller holds the connection, as those who
// finish a sign-in do.
func (s *Service) endTx(ctx context.Context, tx db.Tx, c Connection, cause event.Context) error {
	which := session.Selection{OrganizationID: c.OrganizationID, ConnectionID: string(c.ID)}
	_, err := s.c.Sessions.EndTx(ctx, tx, which, session.Ending{Reason: session.ConnectionEnded, Context: cause})
	return err
}

// DeleteOrganizationTx removes the connections of an organization as Delete does one. The caller holds the organization, so that none is
// made meanwhile.
func (s *Service) DeleteOrganizationTx(ctx context.Context, tx db.Tx, actor event.Actor, organizationID string, at time.Time) error {
	found, err := connections(ctx, tx, lockConnections+s.c.DB.ForUpdate(), organizationID)
	if err != nil {
		return err
	}
	for _, c := range found {
		if err := s.deleteTx(ctx, tx, actor, c, at); err != nil {
			return err
		}
	}
	return nil
}

// ApproveMetadata takes over what waits for approval.
func (s *Service) ApproveMetadata(ctx context.Context, actor event.Actor, id ID) (Connection, error) {
	c, err := s.samlConnection(ctx, id)
	if err != nil {
		return Connection{}, err
	}
	return s.rewrite(ctx, actor, c, func(after *Connection, now time.Time) error {
		if after.Pending == nil {
			return errNothingPending(id)
		}
		r, err := readMetadata([]byte(after.Pending.Document), after.Pending.IDPEntityID, now)
		if err != nil {
			return err
		}
		if len(r.certificates) == 0 {
			return fault.New(fault.Conflict, noCertificateLeft, "The metadata names no certificate that could be used. Nobody could sign in by it; give a certificate by hand or correct the metadata.")
		}
		after.take(r, now)
		return after.settle(nil)
	})
}
