package app

import (
	"context"
	"fmt"
	"time"

	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/itadmin"
	"github.com/rollcallhq/rollcall/internal/org"
	"github.com/rollcallhq/rollcall/internal/token"
)

// Demo is what a newcomer needs to see a person arrive.
type Demo struct {
	Organization org.ID
	Directory    directory.ID
	SCIMBase     string
	Token        token.Secret
}

// The demo's names. The label makes its SCIM address readable; by it and by the external id the next start finds what this
// one made.
const (
	demoName       = "Demo organization"
	demoExternalID = "rollcall-demo"
	demoLabel      = "demo"
)

// Demo sees to it that there is an organization with a directory to play with, and makes a new bearer token for it: an old
// one cannot be shown again, so those of earlier starts are ended.
func (a *App) Demo(ctx context.Context) (Demo, error) {
	actor := event.Actor{ID: "demo", Source: event.System}
	d, found := a.directories.KnownAddress(ctx, demoLabel)
	if !found {
		return a.newDemo(ctx, actor)
	}
	if err := a.endDemoTokens(ctx, actor, d.ID); err != nil {
		return Demo{}, fmt.Errorf("demo: %w", err)
	}
	_, secret, err := a.directories.CreateToken(ctx, actor, d.ID)
	if err != nil {
		return Demo{}, fmt.Errorf("demo: %w", err)
	}
	return a.demo(d, secret), nil
}

// The demo's second organization has nothing but a domain: its provider is connected through the portal.
const (
	portalDemoName       = "Birchwood"
	portalDemoExternalID = "rollcall-demo-portal"
	portalDemoDomain     = "birchwood.example"
	portalDemoLife       = 24 * time.Hour
)

// PortalLink makes the address at which an IT admin connects an identity provider to an organization that has none. It opens once.
func (a *App) PortalLink(ctx context.Context) (token.Secret, error) {
	actor := event.Actor{ID: "demo", Source: event.System}
	id, err := a.demoOrganization(ctx, actor, org.New{
		Name: portalDemoName, ExternalID: portalDemoExternalID, Domains: []org.NewDomain{{Domain: portalDemoDomain, State: org.Verified}},
	})
	if err != nil {
		return "", fmt.Errorf("demo: organization for the portal: %w", err)
	}
	_, address, err := a.admins.MakeLink(ctx, actor, itadmin.NewLink{OrganizationID: id, Life: portalDemoLife})
	return address, err
}

func (a *App) demo(d directory.Directory, secret token.Secret) Demo {
	return Demo{Organization: org.ID(d.OrganizationID), Directory: d.ID, SCIMBase: a.URL() + "/scim/v2/" + demoLabel, Token: secret}
}

func (a *App) newDemo(ctx context.Context, actor event.Actor) (Demo, error) {
	id, err := a.demoOrganization(ctx, actor, org.New{Name: demoName, ExternalID: demoExternalID})
	if err != nil {
		return Demo{}, fmt.Errorf("demo: %w", err)
	}
	d, secret, err := a.directories.Create(ctx, actor, directory.New{
		OrganizationID: string(id), Name: "Demo directory", Type: directory.GenericSCIM, Label: demoLabel,
	})
	if err != nil {
		return Demo{}, fmt.Errorf("demo: %w", err)
	}
	return a.demo(d, secret), nil
}

// demoOrganization finds by its external id what an earlier start made, else makes it.
func (a *App) demoOrganization(ctx context.Context, actor event.Actor, n org.New) (org.ID, error) {
	const plenty = 100
	found, _, err := a.organizations.List(ctx, org.ListQuery{Search: n.Name, Limit: plenty})
	if err != nil {
		return "", err
	}
	for _, o := range found {
		if o.ExternalID == n.ExternalID {
			return o.ID, nil
		}
	}
	o, err := a.organizations.Create(ctx, actor, n)
	return o.ID, err
}

func (a *App) endDemoTokens(ctx context.Context, actor event.Actor, id directory.ID) error {
	tokens, err := a.directories.Tokens(ctx, id)
	if err != nil {
		return err
	}
	for _, t := range tokens {
		if t.RevokedAt != (time.Time{}) {
			continue
		}
		if err := a.directories.RevokeToken(ctx, actor, id, t.ID); err != nil {
			return err
		}
	}
	return nil
}
