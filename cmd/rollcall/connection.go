package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/rollcallhq/rollcall/client"
)

type connectionCommands struct {
	List            connectionList       `cmd:"" help:"List connections."`
	Get             connectionGet        `cmd:"" aliases:"show" help:"Show one, with what the identity provider needs."`
	Create          connectionCreate     `cmd:"" help:"Make one; what the identity provider needs is shown."`
	Update          connectionUpdate     `cmd:"" help:"Change one."`
	Test            connectionTest       `cmd:"" help:"Print an address for a test sign-in, which makes no account and no session; with --wait also what came of it."`
	Activate        connectionActivate   `cmd:"" help:"Switch one on again."`
	Deactivate      connectionDeactivate `cmd:"" help:"Switch one off: nobody signs in through it until it is switched on again."`
	Delete          connectionDelete     `cmd:"" help:"Delete one; the sessions that came through it end at once."`
	RefreshMetadata connectionRefresh    `cmd:"" help:"Read the provider's metadata or discovery document now, and not only once a day."`
	ApproveMetadata connectionApprove    `cmd:"" help:"Take over metadata that waits because it changes who is trusted."`
}

func connectionColumns() []column[client.Connection] {
	type c = client.Connection
	return []column[c]{
		col("ID", func(x c) string { return x.ID }),
		col("NAME", func(x c) string { return x.Name }),
		wide("ORGANIZATION", func(x c) string { return x.OrganizationID }),
		col("TYPE", func(x c) string { return x.Type }),
		wide("PROVIDER", func(x c) string { return x.Provider }),
		col("STATE", func(x c) string { return x.State }),
		col("LACKS", func(x c) string { return strings.Join(x.Lacks, ", ") }),
		col("LAST SIGN-IN", func(x c) string { return ago(x.LastSuccessAt) }),

		wide("ACS URL", func(x c) string { return x.ACSURL }),
		wide("ENTITY ID", func(x c) string { return x.SPEntityID }),
		wide("METADATA", func(x c) string { return x.SPMetadataURL }),
		wide("SINGLE LOGOUT URL", func(x c) string { return x.SPLogoutURL }),
		wide("REDIRECT URI", func(x c) string { return x.RedirectURI }),
		wide("LOGOUT URI", func(x c) string { return x.LogoutURI }),
		wide("LOGIN URL", func(x c) string { return x.LoginURL }),
		wide("FURTHER ACS PATHS", func(x c) string { return strings.Join(x.ACSPaths, ", ") }),

		wide("IDP METADATA", func(x c) string { return beside(x.MetadataURL, "read", ago(x.MetadataReadAt)) }),
		wide("IDP ENTITY ID", func(x c) string { return x.IDPEntityID }),
		wide("IDP SSO URL", func(x c) string { return beside(x.SSOURL, "by", x.SSOBinding) }),
		wide("IDP SLO URL", func(x c) string { return beside(x.SLOURL, "by", x.SLOBinding) }),
		wide("IDP CERTIFICATES", func(x c) string { return certificatesOf(x.Certificates) }),
		wide("ISSUER", func(x c) string { return x.Issuer }),
		wide("CLIENT ID", func(x c) string { return x.ClientID }),
		wide("CLIENT SECRET", func(x c) string {
			if x.Protocol != "oidc" {
				return ""
			}
			return map[bool]string{true: "set", false: "not set"}[x.HasClientSecret]
		}),
		wide("CLIENT SECRET ENDS", func(x c) string { return when(x.SecretExpiresAt) }),
		wide("OPTIONS", chosenOptions),
		wide("ATTRIBUTES", func(x c) string { return attributesOf(x.AttributeMap) }),
		col("CREATED", func(x c) string { return ago(x.CreatedAt) }),
	}
}

// beside adds to a text what belongs to it.
func beside(text, word, more string) string {
	if text == "" || more == "" {
		return text
	}
	return fmt.Sprintf("%s (%s %s)", text, word, more)
}

func certificatesOf(certificates []client.ConnectionCertificate) string {
	out := make([]string, len(certificates))
	for i, one := range certificates {
		out[i] = fmt.Sprintf("%.8s… until %s", one.Fingerprint, one.NotAfter.UTC().Format(time.DateOnly))
	}
	return strings.Join(out, ", ")
}

// usualOptions are what holds where nothing was chosen and the zero value does not.
func usualOptions() map[string]any {
	return map[string]any{"clock_skew": 120.0, "unsolicited": "restart"}
}

// chosenOptions are those that are not as usual, whatever options the server has.
func chosenOptions(x client.Connection) string {
	var shown struct {
		Options map[string]any `json:"options"`
	}
	if json.Unmarshal(x.JSON(), &shown) != nil {
		return ""
	}
	var out []string
	for _, name := range slices.Sorted(maps.Keys(shown.Options)) {
		switch value := shown.Options[name].(type) {
		case nil:
		case []any:
			if len(value) > 0 {
				out = append(out, name+"="+compact(value))
			}
		default:
			if usual, known := usualOptions()[name]; value != false && value != "" && (!known || value != usual) {
				out = append(out, fmt.Sprintf("%s=%v", name, value))
			}
		}
	}
	return strings.Join(out, ", ")
}

func compact(v any) string {
	text, err := json.Marshal(v)
	if err != nil { // it was read from JSON
		return fmt.Sprint(v)
	}
	return string(text)
}

func attributesOf(m map[string][]string) string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(m)) {
		out = append(out, name+"="+strings.Join(m[name], ","))
	}
	return strings.Join(out, ", ")
}

// showConnection prints one and tells people what needs somebody.
func showConnection(w world, asJSON bool, x client.Connection) error {
	if err := one(w, asJSON, x, connectionColumns()); err != nil {
		return err
	}
	for _, text := range x.Warnings {
		w.done(asJSON, "Warning: %s", printable(text))
	}
	if x.PendingMetadata != nil {
		w.done(asJSON, "Look at what waits and take it over: rollcall connection approve-metadata %s", printable(x.ID))
	}
	return nil
}

// handOver says what is to be done next with a connection that was made or completed.
func handOver(w world, asJSON bool, x client.Connection) {
	switch {
	case x.State == "inactive" || x.PendingMetadata != nil: // something else is to be done first
	case len(x.Lacks) == 0 && x.FirstSuccessAt.IsZero():
		w.done(asJSON, "Try it: rollcall connection test %s --wait", printable(x.ID))
	case len(x.Lacks) == 0:
	case x.Protocol == "oidc":
		w.done(asJSON, "Enter the redirect URI at the identity provider. Then: rollcall connection update %s --issuer URL --client-id ID --client-secret FILE", printable(x.ID))
	default:
		w.done(asJSON, "Enter ACS URL and entity id at the identity provider, or give it the metadata. Then: rollcall connection update %s --metadata-url URL", printable(x.ID))
	}
}

type connectionList struct {
	remote
	some

	Organization string `placeholder:"ID" help:"Those of one organization."`
	Type         string `placeholder:"TYPE" help:"Those of one type, like OktaSAML."`
	Domain       string `placeholder:"DOMAIN" help:"Those of organizations with this domain."`
	Search       string `placeholder:"TEXT" help:"Those with this in their name."`
}

// Run lists.
func (c *connectionList) Run(ctx context.Context, w world) error {
	return c.call(w, func(api *client.Client) error {
		found := api.Connections(ctx, client.ConnectionQuery{OrganizationID: c.Organization, Type: c.Type, Domain: c.Domain, Search: c.Search})
		return list(w, c.JSON, c.Limit, found, connectionColumns())
	})
}

type connectionGet struct {
	remote

	ID string `arg:"" help:"Its id."`
}

// Run shows one.
func (c *connectionGet) Run(ctx context.Context, w world) error {
	return c.call(w, func(api *client.Client) error {
		found, err := api.Connection(ctx, c.ID)
		if err != nil {
			return err
		}
		return showConnection(w, c.JSON, found)
	})
}

// connectionSettings are part of create and update.
type connectionSettings struct {
	MetadataURL  *string           `placeholder:"URL" help:"SAML: where the provider's metadata is. It is read at once and then daily."`
	Metadata     string            `placeholder:"FILE" help:"SAML: the provider's metadata as a file; - reads it from the input."`
	IdPEntityID  *string           `name:"idp-entity-id" placeholder:"ID" help:"SAML: the provider's entity id. With metadata of several providers it chooses one."`
	SSOURL       *string           `name:"sso-url" placeholder:"URL" help:"SAML: where people are sent to sign in."`
	SSOBinding   *string           `name:"sso-binding" placeholder:"HOW" help:"SAML: redirect (the default) or post."`
	SLOURL       *string           `name:"slo-url" placeholder:"URL" help:"SAML: where logouts are sent."`
	SLOBinding   *string           `name:"slo-binding" placeholder:"HOW" help:"SAML: redirect (the default) or post."`
	Certificate  []string          `placeholder:"FILE" help:"SAML: a certificate that the provider signs with, PEM or base64. They take the place of those given by hand before."`
	Issuer       *string           `placeholder:"URL" help:"OpenID Connect: the provider's issuer. Its discovery document is read at once."`
	ClientID     *string           `placeholder:"ID" help:"OpenID Connect: the client id that the provider gave."`
	ClientSecret string            `placeholder:"FILE" help:"OpenID Connect: a file with the client secret that the provider gave; - reads it from the input."`
	SecretEnds   *moment           `name:"client-secret-expires-at" placeholder:"TIME" help:"OpenID Connect: when the client secret ends: a time, a day, or a duration like 180d. IT contacts and the operator are told before."`
	Option       map[string]string `mapsep:"none" placeholder:"NAME=VALUE" help:"An option, like sign_requests=true or clock_skew=60; the API reference lists them. A value of null is the default again."`
	SPEntityID   *string           `name:"sp-entity-id" placeholder:"ID" help:"SAML: another entity id for Rollcall than the one made of its address, like that of a former vendor."`
	ACSPath      []string          `name:"acs-path" placeholder:"PATH" help:"SAML: a further path at which responses are taken, like that of a former vendor. All of them anew."`
}

func (s connectionSettings) read(w world) (client.ConnectionSettings, error) {
	out := client.ConnectionSettings{
		MetadataURL: s.MetadataURL, IDPEntityID: s.IdPEntityID, SSOURL: s.SSOURL, SSOBinding: s.SSOBinding, SLOURL: s.SLOURL, SLOBinding: s.SLOBinding,
		Issuer: s.Issuer, ClientID: s.ClientID, SPEntityID: s.SPEntityID, Options: optionValues(s.Option),
	}
	if fromInput := slices.DeleteFunc(append([]string{s.Metadata, s.ClientSecret}, s.Certificate...), func(name string) bool { return name != "-" }); len(fromInput) > 1 {
		return out, usageError("only one file can be read from the input")
	}
	if s.SecretEnds != nil {
		out.ClientSecretExpiresAt = &s.SecretEnds.Time
	}
	if s.Metadata != "" {
		text, err := w.input(s.Metadata)
		if err != nil {
			return out, err
		}
		out.MetadataXML = &text
	}
	if s.ClientSecret != "" {
		text, err := w.input(s.ClientSecret)
		if err != nil {
			return out, err
		}
		out.ClientSecret = new(strings.TrimSpace(text))
	}
	var certificates []string
	for _, name := range s.Certificate {
		text, err := w.input(name)
		if err != nil {
			return out, err
		}
		certificates = append(certificates, text)
	}
	if len(certificates) > 0 {
		out.Certificates = &certificates
	}
	if len(s.ACSPath) > 0 {
		out.ACSPaths = &s.ACSPath
	}
	return out, nil
}

// optionValues takes what is JSON for that, and the rest for text.
func optionValues(given map[string]string) map[string]any {
	if len(given) == 0 {
		return nil
	}
	out := map[string]any{}
	for name, text := range given {
		var value any
		if json.Unmarshal([]byte(text), &value) != nil {
			value = text
		}
		out[name] = value
	}
	return out
}

// mostInput is more than any file of theirs that the server takes.
const mostInput = 8 << 20

// input reads a file named on the command line, or stdin where that is "-".
func (w world) input(name string) (string, error) {
	if name != "-" {
		text, err := readFile(name)
		return string(text), err
	}
	if w.stdin == nil {
		return "", usageError("there is no input to read")
	}
	text, err := io.ReadAll(io.LimitReader(w.stdin, mostInput))
	if err != nil {
		return "", fmt.Errorf("read the input: %w", err)
	}
	return string(text), nil
}

type connectionCreate struct {
	remote

	Organization string            `required:"" placeholder:"ID" help:"Id of the organization."`
	Name         string            `required:"" placeholder:"NAME" help:"Its name, for people."`
	Type         string            `placeholder:"TYPE" help:"What it leads to, like OktaSAML, EntraIdOIDC or GenericSAML."`
	Provider     string            `placeholder:"NAME" help:"Instead: the identity provider's entry in the catalogue, like okta."`
	Protocol     string            `placeholder:"NAME" help:"saml or oidc, for a provider that speaks both."`
	Attribute    map[string]string `mapsep:"none" placeholder:"NAME=THEIRS" help:"The provider's attribute for something, like department=dept; several are parted by commas. Usual names are known without."`

	connectionSettings
}

// Run makes one.
func (c *connectionCreate) Run(ctx context.Context, w world) error {
	settings, err := c.read(w)
	if err != nil {
		return err
	}
	if len(c.Attribute) > 0 {
		settings.AttributeMap = new(mapped(nil, c.Attribute))
	}
	return c.call(w, func(api *client.Client) error {
		made, err := api.CreateConnection(ctx, client.NewConnection{
			OrganizationID: c.Organization, Name: c.Name, Type: c.Type, Provider: c.Provider, Protocol: c.Protocol, ConnectionSettings: settings,
		})
		if err != nil {
			return err
		}
		if err := showConnection(w, c.JSON, made); err != nil {
			return err
		}
		handOver(w, c.JSON, made)
		return nil
	})
}

// mapped adds to a map of attributes; an empty value removes a name.
func mapped(before map[string][]string, given map[string]string) map[string][]string {
	after := map[string][]string{}
	maps.Copy(after, before)
	for name, theirs := range given {
		if theirs == "" {
			delete(after, name)
			continue
		}
		after[name] = strings.Split(theirs, ",")
	}
	return after
}

type connectionUpdate struct {
	remote

	ID        string            `arg:"" help:"Its id."`
	Name      *string           `placeholder:"NAME" help:"Its new name."`
	Attribute map[string]string `mapsep:"none" placeholder:"NAME=THEIRS" help:"The provider's attribute for something, like department=dept; several are parted by commas, and none removes it."`

	connectionSettings
}

// Run changes one.
func (c *connectionUpdate) Run(ctx context.Context, w world) error {
	settings, err := c.read(w)
	if err != nil {
		return err
	}
	return c.call(w, func(api *client.Client) error {
		if len(c.Attribute) > 0 { // the API takes the map as a whole
			found, err := api.Connection(ctx, c.ID)
			if err != nil {
				return err
			}
			settings.AttributeMap = new(mapped(found.AttributeMap, c.Attribute))
		}
		changed, err := api.UpdateConnection(ctx, c.ID, client.ConnectionChange{Name: c.Name, ConnectionSettings: settings})
		if err != nil {
			return err
		}
		if err := showConnection(w, c.JSON, changed); err != nil {
			return err
		}
		handOver(w, c.JSON, changed)
		return nil
	})
}

type connectionActivate struct {
	remote

	ID string `arg:"" help:"Its id."`
}

// Run switches one on.
func (c *connectionActivate) Run(ctx context.Context, w world) error {
	return c.switched(ctx, w, c.ID, "active")
}

type connectionDeactivate struct {
	remote

	ID string `arg:"" help:"Its id."`
}

// Run switches one off.
func (c *connectionDeactivate) Run(ctx context.Context, w world) error {
	return c.switched(ctx, w, c.ID, "inactive")
}

func (r remote) switched(ctx context.Context, w world, id, state string) error {
	return r.call(w, func(api *client.Client) error {
		changed, err := api.UpdateConnection(ctx, id, client.ConnectionChange{State: &state})
		if err != nil {
			return err
		}
		return showConnection(w, r.JSON, changed)
	})
}

type connectionDelete struct {
	remote
	certain

	ID string `arg:"" help:"Its id."`
}

// Run deletes one, after the name of what goes was shown.
func (c *connectionDelete) Run(ctx context.Context, w world) error {
	return c.call(w, func(api *client.Client) error {
		found, err := api.Connection(ctx, c.ID)
		if err != nil {
			return err
		}
		if err := c.ask(w, "Delete the connection %q? Sessions that came through it end at once.", found.Name); err != nil {
			return err
		}
		if err := api.DeleteConnection(ctx, c.ID); err != nil {
			return err
		}
		w.done(c.JSON, "%s is deleted.", c.ID)
		return nil
	})
}

type connectionRefresh struct {
	remote

	ID string `arg:"" help:"Its id."`
}

// Run has the provider's documents read.
func (c *connectionRefresh) Run(ctx context.Context, w world) error {
	return c.call(w, func(api *client.Client) error {
		changed, err := api.RefreshMetadata(ctx, c.ID)
		if err != nil {
			return err
		}
		return showConnection(w, c.JSON, changed)
	})
}

type connectionApprove struct {
	remote
	certain

	ID string `arg:"" help:"Its id."`
}

// Run takes over what waits, after it was shown.
func (c *connectionApprove) Run(ctx context.Context, w world) error {
	return c.call(w, func(api *client.Client) error {
		found, err := api.Connection(ctx, c.ID)
		if err != nil {
			return err
		}
		if p := found.PendingMetadata; p != nil && !c.JSON {
			w.note("The metadata was read %s and waits because of %s:\n  entity id     %s\n  sign-in URL   %s\n  certificates  %s", when(p.ReadAt),
				strings.Join(p.Reasons, ", "), wasAndIs(found.IDPEntityID, p.IDPEntityID), wasAndIs(found.SSOURL, p.SSOURL), orDash(strings.Join(p.Certificates, ", ")))
		}
		if err := c.ask(w, "Take it over for %q? Whoever has these certificates decides who signs in.", found.Name); err != nil {
			return err
		}
		changed, err := api.ApproveMetadata(ctx, c.ID)
		if err != nil {
			return err
		}
		if err := showConnection(w, c.JSON, changed); err != nil {
			return err
		}
		handOver(w, c.JSON, changed)
		return nil
	})
}

// wasAndIs shows what changes.
func wasAndIs(was, is string) string {
	if was == is || was == "" {
		return orDash(is)
	}
	return orDash(is) + " (until now " + orDash(was) + ")"
}

type connectionTest struct {
	remote

	ID      string        `arg:"" help:"Its id."`
	Wait    bool          `help:"Wait until the test was made in a browser, and print what came of it. Fails where a check did."`
	Timeout time.Duration `default:"15m" placeholder:"TIME" help:"How long to wait; 15m unless told."`
}

// Run prints the address and, where that is asked for, what came of it.
func (c *connectionTest) Run(ctx context.Context, w world) error {
	if c.Timeout <= 0 {
		return usageError("--timeout is a time like 15m")
	}
	return c.call(w, func(api *client.Client) error {
		last, err := newestAttempt(ctx, api, c.ID)
		if err != nil {
			return err
		}
		made, err := api.CreateTestSignIn(ctx, c.ID)
		if err != nil {
			return err
		}
		if err := one(w, c.JSON, made, []column[client.TestSignIn]{col("OPEN", func(x client.TestSignIn) string { return x.URL })}); err != nil {
			return err
		}
		if !c.Wait {
			w.done(c.JSON, "Open it in a browser, or hand it to who manages the identity provider. It serves for a day.\nWhat came of it: rollcall sign-in list %s", c.ID)
			return nil
		}
		w.done(c.JSON, "Open it in a browser. Waiting…")
		tested, err := awaitTest(ctx, api, c.ID, last, c.Timeout)
		if err != nil {
			return err
		}
		if err := showAttempt(w, c.JSON, tested); err != nil {
			return err
		}
		if !tested.Passed() {
			return errors.New("the test sign-in did not pass")
		}
		return nil
	})
}

// newestAttempt is the id of a connection's newest attempt, "" if there is none.
func newestAttempt(ctx context.Context, api *client.Client, connectionID string) (string, error) {
	for attempt, err := range api.SignInAttempts(ctx, connectionID, client.Listing{PageSize: 1}) {
		return attempt.ID, err
	}
	return "", nil
}

// betweenLooks is how long a person may wait for a result that is there.
const betweenLooks = time.Second

// awaitTest gives the first test after an attempt that has come to an end.
func awaitTest(ctx context.Context, api *client.Client, connectionID, after string, patience time.Duration) (client.SignInAttempt, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("nobody finished the test within %s", patience))
	defer cancel()
	for {
		open := false // those after it are looked at again
		for attempt, err := range api.SignInAttempts(ctx, connectionID, client.Listing{Ascending: true, After: after}) {
			if err != nil {
				return attempt, waited(ctx, err)
			}
			test := attempt.Kind == "test"
			if test && attempt.Finished() {
				return attempt, nil
			}
			if open = open || test; !open {
				after = attempt.ID
			}
		}
		select {
		case <-ctx.Done():
			return client.SignInAttempt{}, waited(ctx, ctx.Err())
		case <-time.After(betweenLooks):
		}
	}
}

// waited says that the time was up, where that is why something failed.
func waited(ctx context.Context, err error) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return context.Cause(ctx)
	}
	return err
}
