package scimapi

import (
	"net/http"
	"strings"

	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/scim"
)

// capabilities is what the ServiceProviderConfig announces; everything in it is true of this edge.
func (s *server) capabilities(strict bool) scim.Capabilities {
	return scim.Capabilities{
		DocumentationURI: s.o.DocumentationURI,
		BulkOperations:   s.o.MaxBulkOps,
		BulkPayload:      int(s.o.MaxBody),
		FilterResults:    s.o.MaxPageSize,
		Sort:             true,
		ETag:             true,
		Cursors:          true,
		DefaultPageSize:  s.o.PageSize,
		MaxPageSize:      s.o.MaxPageSize,
		CursorTimeout:    s.o.CursorLife,
		Strict:           strict,
		AuthenticationSchemes: []scim.AuthenticationScheme{{
			Type: scim.SchemeBearerToken, Name: "Bearer token", Primary: true,
			Description: "The token of a directory, sent as: Authorization: Bearer <token>",
			SpecURI:     "https://www.rfc-editor.org/info/rfc6750",
		}},
	}
}

func (s *server) config(base string, strict bool) answer {
	location := base + "/ServiceProviderConfig"
	return answer{
		status: http.StatusOK, location: location,
		body: scim.ServiceProviderConfig(s.capabilities(strict), location).AppendJSON(nil),
	}
}

func getConfig(c *call) error {
	if err := c.discovers("The capabilities of the server were read."); err != nil {
		return err
	}
	c.answer = c.server.config(c.base, c.access.Directory.Strict)
	return nil
}

// isPublic: the ServiceProviderConfig can be read without credentials (RFC 7643 section 5), below an address. Credentials that
// are sent are checked, as somebody is trying them out.
func (s *server) isPublic(r *http.Request, v visit) bool {
	return v.target.class() == classConfig && v.target.refused == nil && v.target.address != "" &&
		(r.Method == http.MethodGet || r.Method == http.MethodHead) && len(r.Header["Authorization"]) == 0
}

// publicConfig answers an address that is nobody's as one that is somebody's: who tries out labels learns nothing of customers.
func (s *server) publicConfig(w http.ResponseWriter, r *http.Request, v visit) {
	d, known := s.dir.KnownAddress(r.Context(), v.target.address)
	a := s.config(s.base(r, v.target, ""), d.Strict)
	a.write(w, r.Header)
	if !known {
		return
	}
	x := v.exchange(s, d, a)
	x.Effect = effect{action: "discovery", summary: "The capabilities of the server were read, without a token."}.appendJSON(nil)
	x.Refused = true // anybody can cause it, so it is kept in limited number
	s.dir.Note(x)
}

// discovers holds what all discovery endpoints share: they cannot be filtered, lest a client believe it had seen all
// (RFC 7644 section 4).
func (c *call) discovers(summary string) error {
	q, err := c.searchRequest()
	if err == nil && q.Filter != "" {
		return fault.New(fault.Forbidden, "", "%s cannot be filtered. Leave filter out.", c.target.row.pattern)
	}
	c.did("discovery", summary)
	return nil
}

func listResourceTypes(c *call) error {
	if err := c.discovers("The resource types were read."); err != nil {
		return err
	}
	types := c.access.Model.ResourceTypes()
	c.listed(len(types), func(i int) *scim.Object { return types[i].Describe(c.base) })
	return nil
}

func (c *call) listed(n int, describe func(i int) *scim.Object) {
	body := scim.AppendList(nil, scim.Page{TotalResults: n, StartIndex: 1}, n, func(dst []byte, i int) []byte {
		return describe(i).AppendJSON(dst)
	})
	c.answer = answer{status: http.StatusOK, body: body, list: true}
}

func getResourceType(c *call) error {
	if err := c.discovers("One resource type was read."); err != nil {
		return err
	}
	for _, typ := range c.access.Model.ResourceTypes() {
		if strings.EqualFold(typ.ID, c.target.id) {
			c.answer = answer{
				status: http.StatusOK, body: typ.Describe(c.base).AppendJSON(nil), list: true,
				location: c.base + "/ResourceTypes/" + typ.ID,
			}
			return nil
		}
	}
	return fault.New(fault.NotFound, "", "There is no resource type %q. There are User and Group.", shorten(c.target.id))
}

func listSchemas(c *call) error {
	if err := c.discovers("The schemas were read."); err != nil {
		return err
	}
	schemas := c.access.Model.Schemas()
	c.listed(len(schemas), func(i int) *scim.Object { return schemas[i].Describe(c.base) })
	return nil
}

func getSchema(c *call) error {
	if err := c.discovers("One schema was read."); err != nil {
		return err
	}
	for _, s := range c.access.Model.Schemas() {
		if strings.EqualFold(s.ID, c.target.id) {
			c.answer = answer{
				status: http.StatusOK, body: s.Describe(c.base).AppendJSON(nil), list: true,
				location: c.base + "/Schemas/" + s.ID,
			}
			return nil
		}
	}
	return fault.New(fault.NotFound, "", "There is no schema %q. /Schemas lists all there are.", shorten(c.target.id))
}

// noMe: a directory's token stands for the directory, so there is no person it could be (RFC 7644 section 3.11).
func noMe(*call) error {
	return fault.New(fault.Unsupported, "", "/Me is not offered: the token belongs to a directory and not to a person. Use /Users.")
}
