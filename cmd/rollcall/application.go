package main

import (
	"context"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"time"

	"github.com/rollcallhq/rollcall/client"
)

type applicationCommands struct {
	List             applicationList   `cmd:"" help:"List applications."`
	Get              applicationGet    `cmd:"" aliases:"show" help:"Show one."`
	Create           applicationCreate `cmd:"" help:"Make one; its client id is shown."`
	Update           applicationUpdate `cmd:"" help:"Change one."`
	Delete           applicationDelete `cmd:"" help:"Delete one with its secrets and with every code and token it had."`
	LogoutDeliveries applicationLogout `cmd:"" help:"List what one was told of ended sessions and how it went, newest first."`
	Gap              applicationGap    `cmd:"" help:"Show for how long, at worst, it lets somebody go on whose access has ended."`
}

func applicationColumns() []column[client.Application] {
	type a = client.Application
	return []column[a]{
		col("ID", func(x a) string { return x.ID }),
		col("NAME", func(x a) string { return x.Name }),
		wide("DESCRIPTION", func(x a) string { return x.Description }),
		col("CLIENT ID", func(x a) string { return x.ClientID }),
		col("KIND", kindOf),
		wide("ORGANIZATION", func(x a) string { return x.OrganizationID }),
		col("REDIRECT URIS", func(x a) string {
			var out []string
			for _, u := range x.RedirectURIs {
				if u.Default && len(x.RedirectURIs) > 1 {
					u.URI += " (default)"
				}
				out = append(out, u.URI)
			}
			return strings.Join(out, ", ")
		}),
		wide("AFTER LOGOUT", func(x a) string { return strings.Join(x.PostLogoutRedirectURIs, ", ") }),
		wide("BACK-CHANNEL LOGOUT", func(x a) string { return x.LogoutURI }),
		wide("INITIATE LOGIN", func(x a) string { return x.InitiateLoginURI }),
		wide("SCOPES", func(x a) string { return strings.Join(x.Scopes, " ") }),
		wide("PKCE", func(x a) string {
			if x.UsesPKCE || x.Public {
				return "needed everywhere"
			}
			return "needed, except on the WorkOS routes"
		}),
		wide("SIGNING", func(x a) string { return x.SigningAlgorithm }),
		col("CREATED", func(x a) string { return ago(x.CreatedAt) }),
	}
}

// kindOf is what an application is, in a word or two.
func kindOf(x client.Application) string {
	kind := "own"
	switch {
	case x.Default:
		kind = "default"
	case !x.FirstParty:
		kind = "organization's"
	}
	if x.Public {
		kind += ", public"
	}
	return kind
}

type applicationList struct {
	remote
	some

	Organization string `placeholder:"ID" help:"Those of one organization."`
}

// Run lists.
func (c *applicationList) Run(ctx context.Context, w world) error {
	return c.call(w, func(api *client.Client) error {
		return list(w, c.JSON, c.Limit, api.Applications(ctx, c.Organization, client.Listing{}), applicationColumns())
	})
}

type applicationGet struct {
	remote

	ID string `arg:"" help:"Its id."`
}

// Run shows one.
func (c *applicationGet) Run(ctx context.Context, w world) error {
	return c.call(w, func(api *client.Client) error {
		found, err := api.Application(ctx, c.ID)
		if err != nil {
			return err
		}
		return one(w, c.JSON, found, applicationColumns())
	})
}

type applicationCreate struct {
	remote

	Name           string   `arg:"" help:"Its name, for people."`
	Description    string   `placeholder:"TEXT" help:"What it is for."`
	RedirectURI    []string `placeholder:"URI" help:"Where people come back to after the sign-in, to the character. The first is the default."`
	PostLogoutURI  []string `placeholder:"URI" help:"Where people may go after a logout."`
	LogoutURI      string   `placeholder:"URL" help:"Where it is told of ended sessions (back-channel logout)."`
	InitiateURI    string   `name:"initiate-login-uri" placeholder:"URL" help:"Where it begins a sign-in that the identity provider began."`
	Scope          []string `placeholder:"SCOPE" help:"What it may ask for: openid, profile, email, groups, roles, offline_access. All unless told."`
	SigningAlg     string   `placeholder:"ALG" help:"RS256 (the default) or ES256: how its ID tokens are signed."`
	PKCE           bool     `name:"pkce" help:"Need PKCE on the WorkOS routes too."`
	Public         bool     `help:"It has no secret: an app on a device or in a browser."`
	OrganizationID string   `name:"organization" placeholder:"ID" help:"Whose it is, if it is not your own."`
}

// Run makes one.
func (c *applicationCreate) Run(ctx context.Context, w world) error {
	return c.call(w, func(api *client.Client) error {
		made, err := api.CreateApplication(ctx, client.NewApplication{
			Name: c.Name, Description: c.Description, OrganizationID: c.OrganizationID, Public: c.Public, UsesPKCE: c.PKCE, Scopes: c.Scope,
			RedirectURIs: uris(c.RedirectURI), PostLogoutRedirectURIs: c.PostLogoutURI, LogoutURI: c.LogoutURI, InitiateLoginURI: c.InitiateURI,
			SigningAlgorithm: c.SigningAlg,
		})
		if err != nil {
			return err
		}
		if err := one(w, c.JSON, made, applicationColumns()); err != nil {
			return err
		}
		if !made.Public {
			w.done(c.JSON, "It needs a secret: rollcall client-secret create %s", printable(made.ID))
		}
		return nil
	})
}

func uris(given []string) []client.ApplicationURI {
	out := make([]client.ApplicationURI, len(given))
	for i, uri := range given {
		out[i] = client.ApplicationURI{URI: uri, Default: i == 0}
	}
	return out
}

type applicationUpdate struct {
	remote

	ID            string   `arg:"" help:"Its id."`
	Name          *string  `placeholder:"NAME" help:"Its new name."`
	Description   *string  `placeholder:"TEXT" help:"What it is for; empty removes it."`
	RedirectURI   []string `placeholder:"URI" help:"Where people come back to after the sign-in: all of them anew, the first is the default."`
	PostLogoutURI []string `placeholder:"URI" help:"Where people may go after a logout: all of them anew."`
	LogoutURI     *string  `placeholder:"URL" help:"Where it is told of ended sessions (back-channel logout); empty removes it."`
	InitiateURI   *string  `name:"initiate-login-uri" placeholder:"URL" help:"Where it begins a sign-in that the identity provider began; empty removes it."`
	Scope         []string `placeholder:"SCOPE" help:"What it may ask for: all of them anew."`
	SigningAlg    *string  `placeholder:"ALG" help:"RS256 or ES256."`
	PKCE          *bool    `name:"pkce" negatable:"" help:"Need PKCE on the WorkOS routes too."`
}

// Run changes one.
func (c *applicationUpdate) Run(ctx context.Context, w world) error {
	change := client.ApplicationChange{
		Name: c.Name, Description: c.Description, UsesPKCE: c.PKCE, LogoutURI: c.LogoutURI, InitiateLoginURI: c.InitiateURI, SigningAlgorithm: c.SigningAlg,
	}
	if len(c.RedirectURI) > 0 {
		change.RedirectURIs = new(uris(c.RedirectURI))
	}
	if len(c.PostLogoutURI) > 0 {
		change.PostLogoutRedirectURIs = &c.PostLogoutURI
	}
	if len(c.Scope) > 0 {
		change.Scopes = &c.Scope
	}
	return c.call(w, func(api *client.Client) error {
		changed, err := api.UpdateApplication(ctx, c.ID, change)
		if err != nil {
			return err
		}
		return one(w, c.JSON, changed, applicationColumns())
	})
}

type applicationDelete struct {
	remote
	certain

	ID string `arg:"" help:"Its id."`
}

// Run deletes one, after the name of what goes was shown.
func (c *applicationDelete) Run(ctx context.Context, w world) error {
	return c.call(w, func(api *client.Client) error {
		found, err := api.Application(ctx, c.ID)
		if err != nil {
			return err
		}
		if err := c.ask(w, "Delete the application %q? Nobody can sign in to it any more.", found.Name); err != nil {
			return err
		}
		if err := api.DeleteApplication(ctx, c.ID); err != nil {
			return err
		}
		w.done(c.JSON, "%s is deleted.", c.ID)
		return nil
	})
}

func logoutColumns() []column[client.LogoutDelivery] {
	type d = client.LogoutDelivery
	return []column[d]{
		col("ID", func(x d) string { return x.ID }),
		col("SESSION", func(x d) string { return x.SessionID }),
		col("USER", func(x d) string { return x.UserID }),
		col("STATE", func(x d) string { return x.State }),
		col("ATTEMPTS", func(x d) string { return strconv.Itoa(x.AttemptCount) }),
		col("REASON", func(x d) string { return x.Reason }),
		col("ENDED", func(x d) string { return when(x.SessionEndedAt) }),
		col("TOLD AFTER", func(x d) string {
			if x.Seconds == nil {
				return ""
			}
			return fmt.Sprintf("%.1fs", *x.Seconds)
		}),
	}
}

type applicationLogout struct {
	remote
	few

	ID string `arg:"" help:"Its id."`
}

// Run lists.
func (c *applicationLogout) Run(ctx context.Context, w world) error {
	return c.call(w, func(api *client.Client) error {
		return list(w, c.JSON, c.Limit, api.LogoutDeliveries(ctx, c.ID, pageFor(c.Limit)), logoutColumns())
	})
}

type clientSecretCommands struct {
	List   clientSecretList   `cmd:"" help:"List an application's secrets with their last use."`
	Create clientSecretCreate `cmd:"" help:"Make one; it is shown once. Up to five live at once."`
	Delete clientSecretDelete `cmd:"" help:"End one at once."`
}

func clientSecretColumns() []column[client.ApplicationSecret] {
	type s = client.ApplicationSecret
	return []column[s]{
		col("ID", func(x s) string { return x.ID }),
		col("ENDS IN", func(x s) string { return x.Hint }),
		col("CREATED", func(x s) string { return ago(x.CreatedAt) }),
		col("LAST USED", func(x s) string { return ago(x.LastUsedAt) }),
		wide("SECRET", func(x s) string { return x.Value }),
	}
}

// all makes a list of what came at once.
func all[T any](items []T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, item := range items {
			if !yield(item, nil) {
				return
			}
		}
	}
}

type clientSecretList struct {
	remote
	some

	Application string `arg:"" help:"Id of the application."`
}

// Run lists.
func (c *clientSecretList) Run(ctx context.Context, w world) error {
	return c.call(w, func(api *client.Client) error {
		found, err := api.ApplicationSecrets(ctx, c.Application)
		if err != nil {
			return err
		}
		return list(w, c.JSON, c.Limit, all(found), clientSecretColumns())
	})
}

type clientSecretCreate struct {
	remote

	Application string `arg:"" help:"Id of the application."`
}

// Run makes one.
func (c *clientSecretCreate) Run(ctx context.Context, w world) error {
	return c.call(w, func(api *client.Client) error {
		made, err := api.CreateApplicationSecret(ctx, c.Application)
		if err != nil {
			return err
		}
		if err := one(w, c.JSON, made, clientSecretColumns()); err != nil {
			return err
		}
		w.done(c.JSON, "The secret is shown only this once; keep it.")
		return nil
	})
}

type clientSecretDelete struct {
	remote
	certain

	ID string `arg:"" help:"Its id."`
}

// Run ends one.
func (c *clientSecretDelete) Run(ctx context.Context, w world) error {
	return c.call(w, func(api *client.Client) error {
		if err := c.ask(w, "Delete the client secret %s? An app that still uses it is refused at once.", c.ID); err != nil {
			return err
		}
		if err := api.DeleteApplicationSecret(ctx, c.ID); err != nil {
			return err
		}
		w.done(c.JSON, "%s is deleted.", c.ID)
		return nil
	})
}

type redirectURICommands struct {
	List   redirectURIList   `cmd:"" help:"List them."`
	Add    redirectURIAdd    `cmd:"" help:"Register one."`
	Delete redirectURIDelete `cmd:"" help:"Take one away."`
}

func redirectURIColumns() []column[client.RedirectURI] {
	type u = client.RedirectURI
	return []column[u]{
		col("ID", func(x u) string { return x.ID }),
		col("URI", func(x u) string { return x.URI }),
		col("DEFAULT", func(x u) string { return yesNo(x.Default) }),
		col("CREATED", func(x u) string { return ago(x.CreatedAt) }),
	}
}

type redirectURIList struct {
	remote
	some
}

// Run lists.
func (c *redirectURIList) Run(ctx context.Context, w world) error {
	return c.call(w, func(api *client.Client) error {
		return list(w, c.JSON, c.Limit, api.RedirectURIs(ctx, client.Listing{}), redirectURIColumns())
	})
}

type redirectURIAdd struct {
	remote

	URI string `arg:"" help:"Where people come back to after the sign-in, to the character."`
}

// Run registers one.
func (c *redirectURIAdd) Run(ctx context.Context, w world) error {
	return c.call(w, func(api *client.Client) error {
		made, err := api.AddRedirectURI(ctx, c.URI)
		if err != nil {
			return err
		}
		return one(w, c.JSON, made, redirectURIColumns())
	})
}

type redirectURIDelete struct {
	remote
	certain

	ID string `arg:"" help:"Its id."`
}

// Run takes one away.
func (c *redirectURIDelete) Run(ctx context.Context, w world) error {
	return c.call(w, func(api *client.Client) error {
		if err := c.ask(w, "Delete the redirect URI %s? Sign-ins that name it are refused at once.", c.ID); err != nil {
			return err
		}
		if err := api.DeleteRedirectURI(ctx, c.ID); err != nil {
			return err
		}
		w.done(c.JSON, "%s is deleted.", c.ID)
		return nil
	})
}

type signingKeyCommands struct {
	List   signingKeyList   `cmd:"" help:"List the keys that sign tokens. Private keys are never shown."`
	Rotate signingKeyRotate `cmd:"" help:"Make the next keys. It happens by itself every 90 days."`
}

func signingKeyColumns() []column[client.SigningKey] {
	type k = client.SigningKey
	return []column[k]{
		col("KID", func(x k) string { return x.KID }),
		col("ALG", func(x k) string { return x.Algorithm }),
		col("STATE", func(x k) string { return x.State }),
		col("SIGNS FROM", func(x k) string { return when(x.SignsFrom) }),
		col("SIGNS UNTIL", func(x k) string { return when(x.SignsUntil) }),
		col("IN THE KEY SET UNTIL", func(x k) string { return when(x.ShownUntil) }),
	}
}

type signingKeyList struct {
	remote
	some
}

// Run lists.
func (c *signingKeyList) Run(ctx context.Context, w world) error {
	return c.call(w, func(api *client.Client) error {
		return list(w, c.JSON, c.Limit, api.SigningKeys(ctx), signingKeyColumns())
	})
}

type signingKeyRotate struct {
	remote
	certain

	Alg         string `placeholder:"ALG" help:"RS256 or ES256; both unless told."`
	Compromised bool   `help:"Somebody else may have the keys: forget them at once. Nothing that they signed counts any more, and apps refuse sign-ins until they have fetched the key set again."`
}

// Run makes the next keys and shows all.
func (c *signingKeyRotate) Run(ctx context.Context, w world) error {
	return c.call(w, func(api *client.Client) error {
		if c.Compromised {
			if err := c.ask(w, "Forget the signing keys at once? Apps refuse sign-ins until they have fetched the key set again."); err != nil {
				return err
			}
		}
		found, err := api.RotateSigningKeys(ctx, client.KeyRotation{Algorithm: c.Alg, Compromised: c.Compromised})
		if err != nil {
			return err
		}
		if err := list(w, c.JSON, 0, all(found), signingKeyColumns()); err != nil {
			return err
		}
		if c.Compromised {
			w.done(c.JSON, "The new keys sign now; other processes of the installation follow within 30 seconds.")
			return nil
		}
		w.done(c.JSON, "Keys that are waiting are in the key set and sign from their time on; no app has to do anything.")
		return nil
	})
}

type applicationGap struct {
	remote

	ID string `arg:"" help:"Its id."`
}

// Run shows it.
func (c *applicationGap) Run(ctx context.Context, w world) error {
	type g = client.ApplicationGap
	ms := func(n int64) string { return (time.Duration(n) * time.Millisecond).String() }
	measured := func(cell func(g) int64) func(g) string {
		return func(x g) string {
			if x.BackChannelLogout.Measured == 0 {
				return ""
			}
			return ms(cell(x))
		}
	}
	return answered(c.remote, w, []column[g]{
		col("WORST GAP", func(x g) string { return ms(x.WorstGap) }),
		col("BECAUSE OF", func(x g) string {
			if x.WorstGapBy == "access_token" {
				return "the life of an access token"
			}
			return "back-channel logouts, which all arrived sooner"
		}),
		col("LOGOUTS", func(x g) string {
			if !x.BackChannelLogout.Configured {
				return "no address for them (--logout-uri)"
			}
			l := x.BackChannelLogout
			return fmt.Sprintf("%d delivered, %d failed, %d pending", l.Measured, l.Failed, l.Pending)
		}),
		col("HALF WITHIN", measured(func(x g) int64 { return x.BackChannelLogout.P50 })),
		col("19 OF 20 WITHIN", measured(func(x g) int64 { return x.BackChannelLogout.P95 })),
		col("SLOWEST", measured(func(x g) int64 { return x.BackChannelLogout.Max })),
		col("INTROSPECTS", func(x g) string { return yesNo(x.Introspection.InUse) }),
		col("LAST INTROSPECTED", func(x g) string { return when(x.Introspection.LastAt) }),
	}, func(api *client.Client) (g, error) { return api.ApplicationGap(ctx, c.ID) })
}
