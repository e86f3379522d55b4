package scimapi

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/scim"
)

func listUsers(c *call) error        { return c.fromQuery((*call).answerUsers) }
func listGroups(c *call) error       { return c.fromQuery((*call).answerGroups) }
func listEverything(c *call) error   { return c.fromQuery((*call).answerEverything) }
func searchUsers(c *call) error      { return c.fromBody((*call).answerUsers) }
func searchGroups(c *call) error     { return c.fromBody((*call).answerGroups) }
func searchEverything(c *call) error { return c.fromBody((*call).answerEverything) }

func (c *call) fromQuery(list func(*call, scim.SearchRequest) error) error {
	q, err := c.searchRequest()
	if err != nil {
		return err
	}
	c.effect.action = "list"
	return list(c, q)
}

func (c *call) fromBody(list func(*call, scim.SearchRequest) error) error {
	o, err := c.object()
	if err != nil {
		return err
	}
	q, err := scim.ParseSearchRequest(o)
	if err != nil {
		return err
	}
	c.effect.action = "search"
	return list(c, q)
}

// search is a SearchRequest understood for one resource type.
type search struct {
	view    view
	request scim.SearchRequest
	filter  scim.Filter
	eq      *directory.Equal
	sort    *scim.Sort
	start   int // 1-based
	count   int
	cursors bool
	place   place
	listing listing
}

// searchFor understands a request for one type; endpoint is what its cursors are for.
func (c *call) searchFor(typ *scim.ResourceType, q scim.SearchRequest, m scim.Mode, endpoint string) (search, error) {
	v, err := c.viewOf(typ, q)
	if err != nil {
		return search{}, err
	}
	s := search{view: v, request: q, start: 1, count: c.server.o.PageSize}
	if q.StartIndex != nil {
		s.start = *q.StartIndex
	}
	if q.Count != nil {
		s.count = min(*q.Count, c.server.o.MaxPageSize)
	}
	if err := s.parse(typ, m); err != nil {
		return search{}, err
	}
	err = s.takeCursor(c, endpoint)
	return s, err
}

func (s *search) parse(typ *scim.ResourceType, m scim.Mode) error {
	if s.request.Filter != "" {
		if err := s.parseFilter(typ, m); err != nil {
			return err
		}
	}
	if s.request.SortBy == "" && s.request.SortOrder == "" {
		return nil
	}
	order, err := typ.ParseSort(s.request.SortBy, s.request.SortOrder)
	if err != nil {
		return err
	}
	if order.Asked() {
		s.sort = &order
	}
	return nil
}

// parseFilter keeps the look-up that precedes nearly every write away from the parser.
func (s *search) parseFilter(typ *scim.ResourceType, m scim.Mode) (err error) {
	if attribute, value, ok := scim.SimpleEq(s.request.Filter); ok && indexed(typ, attribute) && len(s.request.Filter) <= scim.DefaultFilterLimits.Length {
		s.eq = &directory.Equal{Attribute: attribute, Value: value}
		return nil
	}
	if s.filter, err = scim.ParseFilter(s.request.Filter, scim.DefaultFilterLimits); err != nil {
		return err
	}
	return typ.CheckFilter(s.filter, m)
}

// indexed are the attributes that a directory finds without reading documents. They are known to every filter check.
func indexed(typ *scim.ResourceType, attribute string) bool {
	if strings.EqualFold(attribute, "id") || strings.EqualFold(attribute, "externalId") {
		return true
	}
	if typ.ID == "User" {
		return strings.EqualFold(attribute, "userName")
	}
	return strings.EqualFold(attribute, "displayName")
}

func (s *search) takeCursor(c *call, endpoint string) (err error) {
	if s.request.Cursor == nil {
		return nil
	}
	s.cursors, s.start = true, 1
	s.listing = listing{
		directory: string(c.access.Directory.ID), endpoint: endpoint,
		filter: s.request.Filter, sortBy: s.request.SortBy, sortOrder: s.request.SortOrder,
	}
	if *s.request.Cursor != "" {
		s.place, err = c.server.cursors.decode(s.listing, *s.request.Cursor)
	}
	return err
}

// keyset: the list is in the order of ids, so a page can start after one.
func (s *search) keyset() bool { return s.filter == nil && s.eq == nil && s.sort == nil }

// mentions tells whether the filter or the order may look at an attribute that has to be loaded for it.
func (s *search) mentions(attribute string) bool {
	if s.filter == nil && s.sort == nil {
		return false
	}
	return strings.Contains(strings.ToLower(s.request.Filter+" "+s.request.SortBy), attribute)
}

func (s *search) query() directory.Query {
	q := directory.Query{
		Filter: s.filter, Eq: s.eq, Sort: s.sort, StartIndex: s.start, Count: s.count, After: s.place.after, Offset: s.place.offset,
		// Counting all matches again for each page would search all documents again.
		NoTotal:      s.place != place{} && s.filter != nil,
		Groups:       s.view.projection.Wants("groups") || s.mentions("groups"),
		Members:      !s.view.noMembers || s.mentions("members"),
		CompleteUser: s.view.userObject, CompleteGroup: s.view.groupObject,
	}
	return q
}

// page is what the answer says of itself.
func (s *search) page(c *call, total int64, n int, more bool, last string) scim.Page {
	p := scim.Page{TotalResults: int(total)}
	if !s.cursors {
		p.StartIndex = s.start
		return p
	}
	if s.query().NoTotal {
		p.TotalResults = -1
	}
	if !more || n == 0 {
		return p
	}
	next := place{offset: s.place.offset + n}
	if s.keyset() {
		next = place{after: last}
	}
	p.NextCursor = c.server.cursors.encode(s.listing, next)
	return p
}

func (c *call) answerUsers(q scim.SearchRequest) error {
	s, err := c.searchFor(c.access.Model.User, q, c.access.Mode, "/Users")
	if err != nil {
		return err
	}
	found, err := c.server.dir.ListUsers(c.ctx, c.access, s.query())
	if err != nil {
		return err
	}
	if again, ok := c.decodedOnce(s); ok && found.Total == 0 && !s.query().NoTotal {
		if found, err = c.server.dir.ListUsers(c.ctx, c.access, again.query()); err != nil {
			return err
		}
	}
	n := len(found.Users)
	last := ""
	if n > 0 {
		last = string(found.Users[n-1].ID)
	}
	return c.showList(s.page(c, found.Total, n, found.More, last), n, func(dst []byte, i int) ([]byte, error) {
		return s.view.user(dst, &found.Users[i])
	})
}

func (c *call) answerGroups(q scim.SearchRequest) error {
	s, err := c.searchFor(c.access.Model.Group, q, c.access.Mode, "/Groups")
	if err != nil {
		return err
	}
	found, err := c.server.dir.ListGroups(c.ctx, c.access, s.query())
	if err != nil {
		return err
	}
	if again, ok := c.decodedOnce(s); ok && found.Total == 0 && !s.query().NoTotal {
		if found, err = c.server.dir.ListGroups(c.ctx, c.access, again.query()); err != nil {
			return err
		}
	}
	n := len(found.Groups)
	last := ""
	if n > 0 {
		last = string(found.Groups[n-1].ID)
	}
	return c.showList(s.page(c, found.Total, n, found.More, last), n, func(dst []byte, i int) ([]byte, error) {
		return s.view.group(dst, &found.Groups[i])
	})
}

// showList makes a ListResponse the call's answer.
func (c *call) showList(p scim.Page, n int, resource func(dst []byte, i int) ([]byte, error)) error {
	const perResource = 1536
	var failed error
	body := scim.AppendList(make([]byte, 0, 256+perResource*n), p, n, func(dst []byte, i int) []byte {
		dst, err := resource(dst, i)
		if err != nil {
			failed = err
		}
		return dst
	})
	if failed != nil {
		return failed
	}
	c.answer = answer{status: http.StatusOK, body: body, list: true}
	c.effect.summary = listSummary(p, n)
	return nil
}

func listSummary(p scim.Page, n int) string {
	switch {
	case p.TotalResults < 0:
		return strconv.Itoa(n) + " were answered."
	case p.TotalResults == 0:
		return "Nothing was found."
	case p.TotalResults == n:
		return "Found " + strconv.Itoa(n) + "."
	}
	return "Found " + strconv.Itoa(p.TotalResults) + ", of which " + strconv.Itoa(n) + " were answered."
}
