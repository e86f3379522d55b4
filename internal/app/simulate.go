package app

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/idp"
	"github.com/rollcallhq/rollcall/internal/oidc"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/simulate"
	"github.com/rollcallhq/rollcall/internal/sso"
	"github.com/rollcallhq/rollcall/internal/web"
)

// simulatePath is where the test identity providers are mounted.
const simulatePath = "/simulate/"

// DemoDomain is the domain of the people whom the test identity providers know.
const DemoDomain = "acme.example"

// simulatedSecret is the client secret of every connection at the test OpenID provider: it keeps nothing that is worth one.
const simulatedSecret = "simulated"

// simulatedTimeout bounds how long a test provider waits for our own back channel.
const simulatedTimeout = 10 * time.Second

// catalogue is that of the identity providers which may be connected. The test provider is among them only where it is served: a connection
// to it lets anybody in.
func catalogue(c Config) (*idp.Catalog, error) {
	if c.Simulate {
		return idp.LoadForDemo()
	}
	return idp.Load()
}

// testProvider is its folder's name.
const testProvider = "rollcall-test"

// peopleOf are whom the test providers know in an organization: people of its first verified domain, so that the domain counts.
func (a *App) peopleOf(ctx context.Context, organizationID string) []simulate.Person {
	o, err := a.organizations.Get(ctx, org.ID(organizationID))
	if err != nil { // it has just been deleted
		return simulate.People(DemoDomain)
	}
	for _, d := range o.Domains {
		if d.State == org.Verified {
			return simulate.People(d.Domain)
		}
	}
	return simulate.People(DemoDomain)
}

// sender makes the page that sends people to directories of this installation, and to nothing else.
func (a *App) sender(catalog *idp.Catalog) (*simulate.Sender, error) {
	p, _ := catalog.Provider(testProvider)
	return simulate.NewSender(simulate.SenderOptions{
		Base: a.URL() + simulatePath + "scim", Provider: p, Now: time.Now,
		People: func(ctx context.Context, address string) ([]simulate.Person, bool) {
			label, ok := strings.CutPrefix(strings.TrimSuffix(address, "/"), a.URL()+"/scim/v2/")
			d, known := a.directories.KnownAddress(ctx, label)
			if !ok || !known {
				return nil, false
			}
			people := a.peopleOf(ctx, d.OrganizationID)
			return people[:len(people)-1], true // the guest is of another company
		},
	})
}

// testKey is one of the two keys of the test providers. Connections keep the certificate of the SAML provider, and ask for the keys of the OpenID
// provider now and then only: so they stay the same from start to start.
func (a *App) testKey(ctx context.Context, sealer *db.Sealer, protocol sso.Protocol) (oidc.SigningKey, error) {
	place := "installation.test_provider_key/" + string(protocol)
	sealed, err := a.organizations.TestProviderKey(ctx, string(protocol), func() (string, error) {
		key, err := oidc.NewSigningKey(oidc.RS256, time.Now())
		if err != nil {
			return "", err
		}
		text, err := key.Marshal()
		return sealer.Seal(place, text), err
	})
	if err != nil {
		return oidc.SigningKey{}, err
	}
	text, err := sealer.Open(place, sealed)
	if err != nil {
		return oidc.SigningKey{}, fmt.Errorf("open the key of the test identity provider: %w", err)
	}
	return oidc.UnmarshalSigningKey(text)
}

// simulate mounts test identity providers, for connections of this installation alone.
func (a *App) simulate(ctx context.Context, s *signIn, sealer *db.Sealer, catalog *idp.Catalog) error {
	people := simulate.People(DemoDomain)
	keys := map[sso.Protocol]oidc.SigningKey{}
	for _, protocol := range []sso.Protocol{sso.SAML, sso.OIDC} {
		key, err := a.testKey(ctx, sealer, protocol)
		if err != nil {
			return err
		}
		keys[protocol] = key
	}
	bySAML, err := simulate.NewSAML(simulate.SAMLOptions{
		Base: a.URL() + simulatePath + "saml", People: people, Now: time.Now, Key: keys[sso.SAML],
		ServiceProvider: func(ctx context.Context, entityID string) (simulate.SAMLServiceProvider, bool) {
			key, ok := strings.CutPrefix(entityID, a.URL()+"/saml/")
			c, err := s.connections.ByKey(ctx, key)
			if !ok || err != nil {
				return simulate.SAMLServiceProvider{}, false
			}
			at := c.Addresses(a.URL())
			return simulate.SAMLServiceProvider{Name: c.Name, ACS: []string{at.ACS}, SLO: at.SLO, Certificates: ownCertificates(c), People: a.peopleOf(ctx, c.OrganizationID)}, true
		},
	})
	if err != nil {
		return err
	}
	byOIDC, err := simulate.NewOIDC(simulate.OIDCOptions{
		Base: a.URL() + simulatePath + "oidc", People: people, Now: time.Now, Key: keys[sso.OIDC], HTTP: &http.Client{Timeout: simulatedTimeout},
		// A connection's key is its client id there, so that nothing has to be registered.
		Client: func(ctx context.Context, clientID string) (simulate.OIDCClient, bool) {
			c, err := s.connections.ByKey(ctx, clientID)
			if err != nil || c.Protocol != sso.OIDC {
				return simulate.OIDCClient{}, false
			}
			at := c.Addresses(a.URL())
			return simulate.OIDCClient{
				Name: c.Name, Secret: simulatedSecret, RedirectURIs: []string{at.RedirectURI}, InitiateLoginURI: at.Login,
				BackChannelLogout: at.BackchannelLogout, AfterLogoutAddress: []string{at.SignedOut}, People: a.peopleOf(ctx, c.OrganizationID),
			}, true
		},
	})
	if err != nil {
		return err
	}
	bySCIM, err := a.sender(catalog)
	if err != nil {
		return err
	}
	s.testIDP = bySAML
	s.simulated = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		web.From(r.Context()).Route = "simulate"
		switch at := strings.TrimPrefix(r.URL.Path, simulatePath); {
		case strings.HasPrefix(at, "oidc"):
			byOIDC.ServeHTTP(w, r)
		case strings.HasPrefix(at, "scim"):
			bySCIM.ServeHTTP(w, r)
		default:
			bySAML.ServeHTTP(w, r)
		}
	})
	return nil
}

// ownCertificates is what verifies the logout requests of a connection.
func ownCertificates(c sso.Connection) []*x509.Certificate {
	block, _ := pem.Decode([]byte(c.SPCertificate))
	if block == nil {
		return nil
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil { // of our own making
		return nil
	}
	return []*x509.Certificate{cert}
}
