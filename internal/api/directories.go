package api

import (
	"bytes"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/token"
)

const directoryPrefix = "directory"

// ownSettings are the members that our directories have beside the contract's.
type ownSettings struct {
	Provider      *string                 `json:"provider"`
	Label         *string                 `json:"label"`
	InactiveUsers directory.InactiveUsers `json:"inactive_users"`
	Provisioning  directory.Provisioning  `json:"provisioning"`
	Live          bool                    `json:"live"`
	Strict        bool                    `json:"strict"`
	Extensions    jsontext.Value          `json:"extensions"`
	SCIMEndpoint  string                  `json:"scim_endpoint"`
	BearerToken   string                  `json:"bearer_token,omitempty"` // only in the answer that makes it
}

func (c *call) showDirectory(d directory.Directory, n directory.Counts, secret token.Secret) (jsontext.Value, error) {
	return extended(d.Payload(n), ownSettings{
		Provider: optional(d.Provider), Label: optional(d.Label), InactiveUsers: d.InactiveUsers, Provisioning: d.Provisioning,
		Live: d.Live(), Strict: d.Strict, Extensions: d.Extensions, SCIMEndpoint: c.endpoint(d), BearerToken: secret.Reveal(),
	})
}

// endpoint is the address that an identity provider stores. It never holds an id: Okta refuses underscores in it.
func (c *call) endpoint(d directory.Directory) string {
	return c.base(d.OrganizationID) + "/scim/v2/" + d.Address()
}

// base is what addresses begin with that identity providers of an organization store.
func (c *call) base(organizationID string) string {
	return strings.TrimSuffix(c.o.PublicURL(c.r, organizationID), "/")
}

func (c *call) counted(d directory.Directory) (jsontext.Value, error) {
	n, err := c.o.Directories.Counts(c.ctx(), d.ID)
	if err != nil {
		return nil, err
	}
	return c.showDirectory(d, n, "")
}

// listDirectories ignores the parameter domain, as the contract has given it up.
func listDirectories(c *call) (answer, error) {
	p, err := c.paging(directoryPrefix, false)
	if err != nil {
		return answer{}, err
	}
	q := directory.ListQuery{Before: p.before, After: p.after, Limit: p.limit, Ascending: p.ascending}
	if q.Search, err = c.search(); err != nil {
		return answer{}, err
	}
	if q.OrganizationID, err = c.filterID("organization_id", orgPrefix); err != nil {
		return answer{}, err
	}
	found, more, err := c.o.Directories.List(c.ctx(), q)
	if err != nil {
		return answer{}, err
	}
	ids := make([]directory.ID, len(found))
	for i, d := range found {
		ids[i] = d.ID
	}
	counts, err := c.o.Directories.CountsOf(c.ctx(), ids...)
	if err != nil {
		return answer{}, err
	}
	page, err := listOf(p, found, more, func(d directory.Directory) string { return string(d.ID) }, func(d directory.Directory) (jsontext.Value, error) {
		return c.showDirectory(d, counts[d.ID], "")
	})
	return ok(page), err
}

// directory finds the one of the address.
func (c *call) directory() (directory.Directory, error) {
	id := c.path["id"]
	if !isID(id, directoryPrefix) {
		return directory.Directory{}, directory.NotFound(id)
	}
	return c.o.Directories.Get(c.ctx(), directory.ID(id))
}

func getDirectory(c *call) (answer, error) {
	d, err := c.directory()
	if err != nil {
		return answer{}, err
	}
	shown, err := c.counted(d)
	return ok(shown), err
}

func deleteDirectory(c *call) (answer, error) {
	d, err := c.directory()
	if err != nil {
		return answer{}, err
	}
	if err := c.o.Directories.Delete(c.ctx(), c.actor, d.ID); err != nil {
		return answer{}, err
	}
	return answer{status: http.StatusAccepted}, nil
}

// directoryChanges: null removes what may be missing; for the rest it is the same as leaving out.
type directoryChanges struct {
	Name          *string                  `json:"name"`
	Label         jsontext.Value           `json:"label"`
	Provider      jsontext.Value           `json:"provider"`
	InactiveUsers *directory.InactiveUsers `json:"inactive_users"`
	Provisioning  *directory.Provisioning  `json:"provisioning"`
	Strict        *bool                    `json:"strict"`
	Extensions    jsontext.Value           `json:"extensions"`
}

func updateDirectory(c *call) (answer, error) {
	d, err := c.directory()
	if err != nil {
		return answer{}, err
	}
	var wanted directoryChanges
	if err := c.body(&wanted); err != nil {
		return answer{}, err
	}
	changes, err := c.changes(wanted)
	if err != nil {
		return answer{}, err
	}
	changed, err := c.o.Directories.Update(c.ctx(), c.actor, d.ID, changes)
	if err != nil {
		return answer{}, onExtensions(err)
	}
	shown, err := c.counted(changed)
	return ok(shown), err
}

func (c *call) changes(wanted directoryChanges) (directory.Changes, error) {
	out := directory.Changes{
		Name: wanted.Name, InactiveUsers: wanted.InactiveUsers, Provisioning: wanted.Provisioning, Strict: wanted.Strict,
	}
	var err error
	if out.Label, err = textOrNull("label", wanted.Label); err != nil {
		return out, err
	}
	if out.Provider, err = textOrNull("provider", wanted.Provider); err != nil {
		return out, err
	}
	if out.Provider != nil {
		if err := c.checkProvider(*out.Provider); err != nil {
			return out, err
		}
	}
	if wanted.Extensions.Kind() == 'n' {
		out.Extensions = []byte("{}")
		return out, nil
	}
	out.Extensions, err = readExtensions(wanted.Extensions)
	return out, err
}

type newDirectory struct {
	OrganizationID string                  `json:"organization_id"`
	Name           string                  `json:"name"`
	Type           directory.Type          `json:"type"`
	Provider       string                  `json:"provider"`
	Label          string                  `json:"label"`
	InactiveUsers  directory.InactiveUsers `json:"inactive_users"`
	Provisioning   directory.Provisioning  `json:"provisioning"`
	Live           *bool                   `json:"live"`
	Strict         bool                    `json:"strict"`
	Extensions     jsontext.Value          `json:"extensions"`
}

func createDirectory(c *call) (answer, error) {
	var wanted newDirectory
	if err := c.body(&wanted); err != nil {
		return answer{}, err
	}
	if err := c.checkProvider(wanted.Provider); err != nil {
		return answer{}, err
	}
	extensions, err := readExtensions(wanted.Extensions)
	if err != nil {
		return answer{}, err
	}
	made, secret, err := c.o.Directories.Create(c.ctx(), c.actor, directory.New{
		OrganizationID: wanted.OrganizationID, Name: wanted.Name, Type: wanted.Type, Provider: wanted.Provider, Label: wanted.Label,
		InactiveUsers: wanted.InactiveUsers, Provisioning: wanted.Provisioning, Strict: wanted.Strict, Extensions: extensions,
		Silent: wanted.Live != nil && !*wanted.Live,
	})
	if err != nil {
		return answer{}, onExtensions(err)
	}
	shown, err := c.showDirectory(made, directory.Counts{}, secret)
	return answer{http.StatusCreated, shown}, err
}

var providerForm = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)

func (c *call) checkProvider(slug string) error {
	if slug == "" || providerForm.MatchString(slug) && c.o.KnownProvider(slug) {
		return nil
	}
	return errField("provider", "invalid_provider", "There is no identity provider %.60q in the catalogue. Leave provider out if yours is not there.", slug)
}

// readExtensions takes null for nothing; what extensions may hold is for the noun to say.
func readExtensions(text jsontext.Value) ([]byte, error) {
	if len(text) == 0 || text.Kind() == 'n' {
		return nil, nil
	}
	text = bytes.Clone(text)
	if err := text.Compact(); err != nil {
		return nil, fmt.Errorf("extensions of a body that was read as JSON: %w", err)
	}
	return text, nil
}

// onExtensions: the grammar of schemas names no field of ours.
func onExtensions(err error) error {
	f, isFault := fault.As(err)
	if !isFault || f.Kind != fault.Invalid {
		return err
	}
	return fault.New(fault.Unprocessable, "invalid_extensions", "%s", f.Message).On("extensions").Because(err)
}
