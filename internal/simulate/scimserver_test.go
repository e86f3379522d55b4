package simulate_test

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/scim"
)

// scimServer is a small server that reads what it is sent by the real grammar and keeps it in memory.
type scimServer struct {
	mu      sync.Mutex
	made    int
	kinds   map[string]*scim.ResourceType
	records map[string][]*scim.Object // by endpoint, in order of creation
	// before may answer in the server's place; it says whether it did.
	before func(w http.ResponseWriter, r *http.Request) bool
}

const scimToken = "secret of the test"

func newSCIMServer(t *testing.T) (*scimServer, string) {
	t.Helper()
	model := scim.Standard()
	s := &scimServer{kinds: map[string]*scim.ResourceType{"Users": model.User, "Groups": model.Group}, records: map[string][]*scim.Object{}}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return s, server.URL + "/scim/v2/acme"
}

func (s *scimServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w.Header().Set("Content-Type", "application/scim+json")
	if s.before != nil && s.before(w, r) {
		return
	}
	status, body, err := s.answer(r)
	if err != nil {
		problem := refusal{http.StatusBadRequest, "", err.Error()}
		if f, ok := fault.As(err); ok {
			problem.code = f.Code
		}
		errors.As(err, &problem)
		status, body = problem.status, scim.AppendError(nil, problem.status, problem.code, problem.text)
	}
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

type refusal struct {
	status     int
	code, text string
}

func (r refusal) Error() string { return r.text }

func (s *scimServer) answer(r *http.Request) (int, []byte, error) {
	if token := r.Header.Get("Authorization"); token != "Bearer "+scimToken && token != scimToken {
		return 0, nil, refusal{http.StatusUnauthorized, "", "the token is not valid"}
	}
	parts := strings.Split(strings.TrimPrefix(r.URL.Path, "/scim/v2/acme/"), "/")
	kind := s.kinds[parts[0]]
	if parts[0] == "ServiceProviderConfig" {
		return http.StatusOK, []byte(`{"patch":{"supported":true},"filter":{"supported":true,"maxResults":2}}`), nil
	}
	if kind == nil || len(parts) > 2 {
		return 0, nil, refusal{http.StatusNotFound, "", "there is nothing at " + r.URL.Path}
	}
	if len(parts) == 1 {
		if r.Method == http.MethodPost {
			return s.create(kind, parts[0], r)
		}
		return s.list(kind, parts[0], r)
	}
	i := slices.IndexFunc(s.records[parts[0]], func(o *scim.Object) bool { return o.Text("id") == parts[1] })
	if i < 0 {
		return 0, nil, refusal{http.StatusNotFound, "", "nobody has the id " + parts[1]}
	}
	return s.one(kind, parts[0], i, r)
}

func (s *scimServer) create(kind *scim.ResourceType, endpoint string, r *http.Request) (int, []byte, error) {
	doc, err := prepared(kind, r)
	if err != nil {
		return 0, nil, err
	}
	name := nameOf(doc)
	for _, o := range s.records[endpoint] {
		if strings.EqualFold(nameOf(o), name) {
			return 0, nil, refusal{http.StatusConflict, "uniqueness", fmt.Sprintf("%q is taken", name)}
		}
	}
	s.made++
	if kind.ID == "User" {
		keep(doc, "active", scim.BoolOf(true))
	}
	doc.Set("id", scim.StringOf("id-"+strconv.Itoa(s.made)))
	s.records[endpoint] = append(s.records[endpoint], doc)
	return http.StatusCreated, doc.AppendJSON(nil), nil
}

// keep sets what a document leaves out.
func keep(doc *scim.Object, name string, value scim.Value) {
	if _, ok := doc.Get(name); !ok {
		doc.Set(name, value)
	}
}

func nameOf(o *scim.Object) string { return cmp.Or(o.Text("userName"), o.Text("displayName")) }

func prepared(kind *scim.ResourceType, r *http.Request) (*scim.Object, error) {
	in, err := read(r)
	if err != nil {
		return nil, err
	}
	doc, err := kind.Prepare(in, scim.Mode{})
	if err != nil {
		return nil, err
	}
	doc = doc.Clone()
	if members, ok := in.GetFold("members"); ok && kind.ID == "Group" {
		doc.Set("members", members)
	}
	return doc, nil
}

func read(r *http.Request) (*scim.Object, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	return scim.ReadObject(body, scim.DefaultLimits)
}

func (s *scimServer) list(kind *scim.ResourceType, endpoint string, r *http.Request) (int, []byte, error) {
	found := s.records[endpoint]
	if text := r.URL.Query().Get("filter"); text != "" {
		filter, err := scim.ParseFilter(text, scim.DefaultFilterLimits)
		if err != nil {
			return 0, nil, err
		}
		found = slices.DeleteFunc(slices.Clone(found), func(o *scim.Object) bool { return !kind.Match(filter, o) })
	}
	total := len(found)
	if start, err := strconv.Atoi(r.URL.Query().Get("startIndex")); err == nil {
		found = found[min(start-1, total):]
	}
	if count, err := strconv.Atoi(r.URL.Query().Get("count")); err == nil {
		found = found[:min(count, len(found))]
	}
	values := []scim.Value{}
	for _, o := range found {
		values = append(values, scim.ObjectOf(o))
	}
	list := scim.NewObject()
	list.Set("totalResults", scim.NumberOf(strconv.Itoa(total)))
	list.Set("Resources", scim.ListOf(values...))
	return http.StatusOK, list.AppendJSON(nil), nil
}

func (s *scimServer) one(kind *scim.ResourceType, endpoint string, i int, r *http.Request) (int, []byte, error) {
	before := s.records[endpoint][i]
	doc := before
	var err error
	switch r.Method {
	case http.MethodDelete:
		s.records[endpoint] = slices.Delete(s.records[endpoint], i, i+1)
		return http.StatusNoContent, nil, nil
	case http.MethodPut:
		doc, err = prepared(kind, r)
	case http.MethodPatch:
		doc, err = patched(kind, before, r)
	}
	if err != nil {
		return 0, nil, err
	}
	doc = doc.Clone()
	doc.Set("id", scim.StringOf(before.Text("id")))
	if was, ok := before.Get("active"); ok {
		keep(doc, "active", was)
	}
	s.records[endpoint][i] = doc
	if r.Method == http.MethodPatch && kind.ID == "Group" {
		return http.StatusNoContent, nil, nil
	}
	return http.StatusOK, doc.AppendJSON(nil), nil
}

// patched applies a PATCH; members of a group are what the grammar takes apart.
func patched(kind *scim.ResourceType, doc *scim.Object, r *http.Request) (*scim.Object, error) {
	in, err := read(r)
	if err != nil {
		return nil, err
	}
	patch, err := scim.ParsePatch(in, scim.DefaultFilterLimits, scim.Mode{})
	if err != nil {
		return nil, err
	}
	if kind.ID != "Group" {
		return kind.Apply(doc, patch, scim.Mode{})
	}
	rest, changes, err := kind.SplitMembers(patch, scim.Mode{})
	if err != nil {
		return nil, err
	}
	if doc, err = kind.Apply(doc, rest, scim.Mode{}); err != nil {
		return nil, err
	}
	doc = doc.Clone()
	members := membersOf(doc)
	for _, c := range changes {
		members = change(members, c)
	}
	var values []scim.Value
	for _, id := range members {
		o := scim.NewObject()
		o.Set("value", scim.StringOf(id))
		values = append(values, scim.ObjectOf(o))
	}
	doc.Set("members", scim.ListOf(values...))
	return doc, nil
}

func membersOf(group *scim.Object) []string {
	var ids []string
	list, _ := group.Get("members")
	for _, m := range list.List() {
		ids = append(ids, m.Object().Text("value"))
	}
	return ids
}

func change(members []string, c scim.MemberChange) []string {
	named := func(id string) bool {
		return slices.ContainsFunc(c.Members, func(m scim.MemberRef) bool { return m.Value == id })
	}
	switch c.Kind {
	case scim.MembersRemove:
		return slices.DeleteFunc(members, named)
	case scim.MembersRemoveWhere:
		where := scim.Standard().Group.MemberMatcher(c.Where)
		return slices.DeleteFunc(members, func(id string) bool { return where(scim.MemberRef{Value: id}) })
	case scim.MembersRemoveAll:
		return nil
	case scim.MembersReplace:
		members = nil
	}
	for _, m := range c.Members {
		if !slices.Contains(members, m.Value) {
			members = append(members, m.Value)
		}
	}
	return members
}

// find gives the record of a name, or nil.
func (s *scimServer) find(endpoint, name string) *scim.Object {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, o := range s.records[endpoint] {
		if strings.EqualFold(nameOf(o), name) {
			return o
		}
	}
	return nil
}

func (s *scimServer) active(t *testing.T, name string) bool {
	t.Helper()
	o := s.find("Users", name)
	if o == nil {
		t.Fatalf("the server has nobody called %s", name)
	}
	return scim.ActiveOf(o)
}

// members are the user names of a group's members, sorted.
func (s *scimServer) members(t *testing.T, group string) []string {
	t.Helper()
	o := s.find("Groups", group)
	if o == nil {
		t.Fatalf("the server has no group %s", group)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var names []string
	for _, id := range membersOf(o) {
		for _, u := range s.records["Users"] {
			if u.Text("id") == id {
				names = append(names, u.Text("userName"))
			}
		}
	}
	slices.Sort(names)
	return names
}
