package app

import (
	"context"
	"encoding/pem"
	"fmt"
	"slices"

	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/issuer"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/sso"
	"github.com/rollcallhq/rollcall/internal/token"
)

// DemoSignIn is what an example app is told, so that people can sign in to it.
type DemoSignIn struct {
	Connection   sso.ID
	ClientID     string
	ClientSecret token.Secret
}

const demoConnection = "Test identity provider"

// DemoSignIn sees to it that the demo organization has a verified domain and a connection to the test identity provider, and that the
// default application is the app at this address. The provider's key is another at each start, and so is the client secret.
func (a *App) DemoSignIn(ctx context.Context, d Demo, appURL string) (DemoSignIn, error) {
	actor := event.Actor{ID: "demo", Source: event.System}
	if err := a.demoDomain(ctx, actor, d.Organization); err != nil {
		return DemoSignIn{}, fmt.Errorf("demo: domain: %w", err)
	}
	c, err := a.demoConnection(ctx, actor, d.Organization)
	if err != nil {
		return DemoSignIn{}, fmt.Errorf("demo: connection: %w", err)
	}
	secret, clientID, err := a.demoApplication(ctx, appURL)
	if err != nil {
		return DemoSignIn{}, fmt.Errorf("demo: application: %w", err)
	}
	return DemoSignIn{Connection: c, ClientID: clientID, ClientSecret: secret}, nil
}

func (a *App) demoDomain(ctx context.Context, actor event.Actor, id org.ID) error {
	o, err := a.organizations.Get(ctx, id)
	if err != nil {
		return err
	}
	for _, d := range o.Domains {
		if d.Domain == DemoDomain && d.State == org.Verified {
			return nil
		}
	}
	domains := []org.NewDomain{{Domain: DemoDomain, State: org.Verified}}
	for _, d := range o.Domains {
		if d.Domain != DemoDomain {
			domains = append(domains, org.NewDomain{Domain: d.Domain, State: org.Pending})
		}
	}
	_, err = a.organizations.Update(ctx, actor, id, org.Changes{Domains: &domains})
	return err
}

func (a *App) demoConnection(ctx context.Context, actor event.Actor, id org.ID) (sso.ID, error) {
	entityID, at, name, out := a.signIn.testIDP.EntityID(), a.URL()+simulatePath+"saml/sso", demoConnection, a.URL()+simulatePath+"saml/slo"
	certificate := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.signIn.testIDP.Certificate().Raw}))
	settings := sso.Change{Name: &name, IDPEntityID: &entityID, SSOURL: &at, SLOURL: &out, Certificates: &[]string{certificate}}
	found, _, err := a.signIn.connections.List(ctx, sso.ListQuery{OrganizationID: string(id), Limit: 100})
	if err != nil {
		return "", err
	}
	if i := slices.IndexFunc(found, func(c sso.Connection) bool { return c.Name == demoConnection && c.Protocol == sso.SAML }); i >= 0 {
		c, err := a.signIn.connections.Update(ctx, actor, found[i].ID, settings)
		return c.ID, err
	}
	c, err := a.signIn.connections.Create(ctx, actor, sso.New{OrganizationID: string(id), Type: "GenericSAML", Settings: settings})
	return c.ID, err
}

func (a *App) demoApplication(ctx context.Context, appURL string) (token.Secret, string, error) {
	app, err := a.signIn.issuer.Default(ctx)
	if err != nil {
		return "", "", err
	}
	name, logout, login := "Northwind (example app)", appURL+"/backchannel-logout", appURL+"/login"
	app, err = a.signIn.issuer.Update(ctx, app.ID, issuer.Change{
		Name: &name, SignIn: &[]issuer.NewURI{{URI: appURL + "/callback", Default: true}}, SignOut: &[]string{appURL + "/"}, LogoutURI: &logout, InitiateURI: &login,
	})
	if err != nil {
		return "", "", err
	}
	old, err := a.signIn.issuer.Secrets(ctx, app.ID)
	if err != nil {
		return "", "", err
	}
	for _, s := range old {
		if err := a.signIn.issuer.DeleteSecret(ctx, s.ID); err != nil {
			return "", "", err
		}
	}
	_, secret, err := a.signIn.issuer.CreateSecret(ctx, app.ID)
	return secret, app.ClientID, err
}
