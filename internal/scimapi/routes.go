package scimapi

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/scim"
)

// handler serves one method of one resource. It sets the call's answer, or returns why there is none.
type handler func(*call) error

// row is one line of the URL table: the path below the base address, and what each method does there.
type row struct {
	pattern string // {id} stands for one segment
	class   string // for metrics and logs
	methods map[string]handler
}

// table is every address there is, below /scim/v2 (where the token decides which directory is meant) and below
// /scim/v2/{address}. HEAD is answered as GET, OPTIONS everywhere.
func table() []row {
	return []row{
		{"/", "scim_root", map[string]handler{http.MethodGet: listEverything}},
		{"/.search", "scim_root_search", map[string]handler{http.MethodPost: searchEverything}},
		{"/Users", "scim_users", map[string]handler{http.MethodGet: listUsers, http.MethodPost: createUser}},
		{"/Users/.search", "scim_users_search", map[string]handler{http.MethodPost: searchUsers}},
		{"/Users/{id}", "scim_user", map[string]handler{
			http.MethodGet: getUser, http.MethodPut: replaceUser, http.MethodPatch: patchUser, http.MethodDelete: deleteUser,
		}},
		{"/Groups", "scim_groups", map[string]handler{http.MethodGet: listGroups, http.MethodPost: createGroup}},
		{"/Groups/.search", "scim_groups_search", map[string]handler{http.MethodPost: searchGroups}},
		{"/Groups/{id}", "scim_group", map[string]handler{
			http.MethodGet: getGroup, http.MethodPut: replaceGroup, http.MethodPatch: patchGroup, http.MethodDelete: deleteGroup,
		}},
		{"/Bulk", "scim_bulk", map[string]handler{http.MethodPost: runBulk}},
		{"/Me", "scim_me", map[string]handler{
			http.MethodGet: noMe, http.MethodPost: noMe, http.MethodPut: noMe, http.MethodPatch: noMe, http.MethodDelete: noMe,
		}},
		{"/ServiceProviderConfig", classConfig, map[string]handler{http.MethodGet: getConfig}},
		{"/ResourceTypes", "scim_resource_types", map[string]handler{http.MethodGet: listResourceTypes}},
		{"/ResourceTypes/{id}", "scim_resource_type", map[string]handler{http.MethodGet: getResourceType}},
		{"/Schemas", "scim_schemas", map[string]handler{http.MethodGet: listSchemas}},
		{"/Schemas/{id}", "scim_schema", map[string]handler{http.MethodGet: getSchema}},
	}
}

const classConfig = "scim_config"

// endpoints are the first segments of the table. An address can be none of them, in any letter case.
var endpoints = [...]string{"Users", "Groups", "Bulk", "Me", "ServiceProviderConfig", "ResourceTypes", "Schemas", ".search"}

// endpointNamed gives the endpoint's own spelling: addresses are typed by people.
func endpointNamed(segment string) (string, bool) {
	for _, name := range endpoints {
		if strings.EqualFold(name, segment) {
			return name, true
		}
	}
	return "", false
}

// router finds rows by the shape of a path.
type router struct{ rows map[string]*row }

func newRouter() router {
	rows := table()
	r := router{rows: make(map[string]*row, len(rows))}
	for i := range rows {
		r.rows[rows[i].pattern] = &rows[i]
	}
	return r
}

// target is what an address means.
type target struct {
	address string // key or label of a directory; "" where the token decides
	row     *row   // nil: there is nothing
	id      string // what {id} stands for
	path    string // below the base address, as it was sent
	refused *fault.Error
}

// find reads the path of a request. Empty segments count for nothing, so trailing and doubled slashes do no harm; /v2 may be
// missing, or stand behind the address, as people assemble base addresses in many ways.
func (r router) find(u *url.URL) target {
	segments := segmentsOf(u)
	if len(segments) > 0 { // the mount point
		segments = segments[1:]
	}
	t := target{}
	segments = t.takeVersion(segments)
	if address, ok := addressIn(segments); ok {
		t.address = address
		segments = t.takeVersion(segments[1:])
	}
	t.path = "/" + strings.Join(segments, "/")
	t.row, t.id = r.match(segments)
	return t
}

func segmentsOf(u *url.URL) []string {
	raw := u.RawPath
	if raw == "" {
		return slices.DeleteFunc(strings.Split(u.Path, "/"), func(s string) bool { return s == "" })
	}
	var segments []string
	for s := range strings.SplitSeq(raw, "/") {
		if s == "" {
			continue
		}
		if plain, err := url.PathUnescape(s); err == nil {
			s = plain
		}
		segments = append(segments, s)
	}
	return segments
}

// takeVersion takes a version segment off. Another version than 2 is a refusal of its own (RFC 7644 section 3.13).
func (t *target) takeVersion(segments []string) []string {
	if len(segments) == 0 || !isVersion(segments[0]) {
		return segments
	}
	if v := segments[0]; !strings.EqualFold(v, "v2") {
		t.refused = fault.New(fault.Invalid, scim.CodeInvalidVers, "There is no version %s of this interface. Use an address with /v2.", v).
			Compared("v2", v)
	}
	return segments[1:]
}

// isVersion: "v" and a short number, also with a dot.
func isVersion(segment string) bool {
	if len(segment) < 2 || len(segment) > 5 || segment[0]|0x20 != 'v' {
		return false
	}
	return strings.Trim(segment[1:], "0123456789.") == "" && segment[1] != '.'
}

// addressIn tells an address from an endpoint. Addresses are lower-case; one in another letter case is taken for one only
// if an endpoint follows, or a misspelt endpoint would be answered as a wrong address.
func addressIn(segments []string) (string, bool) {
	if len(segments) == 0 {
		return "", false
	}
	if _, ok := endpointNamed(segments[0]); ok {
		return "", false
	}
	lower := strings.ToLower(segments[0])
	if lower == segments[0] {
		return lower, true
	}
	if len(segments) < 2 {
		return "", false
	}
	_, follows := endpointNamed(segments[1])
	return lower, follows || isVersion(segments[1])
}

// match finds the row of the segments below the base address.
func (r router) match(segments []string) (*row, string) {
	if len(segments) == 0 {
		return r.rows["/"], ""
	}
	name, known := endpointNamed(segments[0])
	switch {
	case !known || len(segments) > 2:
		return nil, ""
	case len(segments) == 1:
		return r.rows["/"+name], ""
	}
	if second, ok := endpointNamed(segments[1]); ok && second == ".search" {
		return r.rows["/"+name+"/.search"], ""
	}
	return r.rows["/"+name+"/{id}"], segments[1]
}

// class is the closed set of names for the metrics.
func (t target) class() string {
	if t.row == nil {
		return "scim_unknown"
	}
	return t.row.class
}

// handler finds who serves the method, or refuses: 404 for an address that is none, 405 for a method that is not there.
func (t target) handler(method string) (handler, error) {
	if t.refused != nil {
		return nil, t.refused
	}
	if t.row == nil {
		return nil, fault.New(fault.NotFound, "", "There is no endpoint %s. The endpoints are %s.", shorten(t.path), strings.Join(listed(), ", "))
	}
	if method == http.MethodHead {
		method = http.MethodGet
	}
	if method == http.MethodOptions {
		return tellMethods, nil
	}
	if h, ok := t.row.methods[method]; ok {
		return h, nil
	}
	return nil, fault.New(fault.NotAllowed, "", "%s is not possible at %s. Possible are %s.", shorten(method), t.row.pattern, t.allow())
}

func listed() []string {
	names := make([]string, 0, len(endpoints))
	for _, name := range endpoints {
		names = append(names, "/"+name)
	}
	return names
}

// allow is the Allow header (RFC 9110 section 10.2.1).
func (t target) allow() string {
	if t.row == nil {
		return http.MethodOptions
	}
	methods := []string{http.MethodOptions}
	for m := range t.row.methods {
		methods = append(methods, m)
		if m == http.MethodGet {
			methods = append(methods, http.MethodHead)
		}
	}
	slices.Sort(methods)
	return strings.Join(methods, ", ")
}

func tellMethods(c *call) error {
	c.answer = answer{status: http.StatusNoContent, allow: c.target.allow()}
	c.did("options", "Asked which methods there are.")
	return nil
}
