package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

type object = map[string]any

// client sends requests with one bearer secret below one address.
type client struct {
	base, secret string
	http         *http.Client
}

func newClient(base, secret string) *client {
	return &client{base: base, secret: secret, http: &http.Client{
		Timeout: patience, Transport: &http.Transport{MaxIdleConnsPerHost: 64},
	}}
}

// api is the client of the app's own developer.
func (p *process) api() *client { return newClient(p.url, managementKey) }

type answer struct {
	status int
	header http.Header
	raw    []byte
}

// do gives an error only when there was no whole answer.
func (c *client) do(ctx context.Context, method, path, body string) (answer, error) {
	r, err := http.NewRequestWithContext(ctx, method, c.base+path, strings.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	r.Header.Set("Authorization", "Bearer "+c.secret)
	if body != "" {
		r.Header.Set("Content-Type", "application/scim+json")
	}
	res, err := c.http.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	return answer{res.StatusCode, res.Header, raw}, err
}

// must wants a status and gives the answer's object, nil when there is none.
func (c *client) must(t *testing.T, status int, method, path, body string) object {
	t.Helper()
	a, err := c.do(t.Context(), method, path, body)
	must(t, err)
	if a.status != status {
		t.Fatalf("%s %s: %d, want %d: %s", method, path, a.status, status, a.raw)
	}
	if len(a.raw) == 0 {
		return nil
	}
	var o object
	if err := json.Unmarshal(a.raw, &o); err != nil {
		t.Fatalf("%s %s: %v in %s", method, path, err, a.raw)
	}
	return o
}

func text(o object, path ...string) string {
	for _, name := range path[:len(path)-1] {
		o, _ = o[name].(object)
	}
	s, _ := o[path[len(path)-1]].(string)
	return s
}

func list(o object, name string) []object {
	items, _ := o[name].([]any)
	out := make([]object, len(items))
	for i, item := range items {
		out[i], _ = item.(object)
	}
	return out
}

// tenant is an organization with one directory.
type tenant struct {
	organization, directory string
	path                    string // of its SCIM address: the port changes from start to start
	token                   string
}

func newTenant(t *testing.T, p *process, name string) tenant {
	t.Helper()
	api := p.api()
	o := api.must(t, 201, "POST", "/organizations", fmt.Sprintf(`{"name":%q}`, name))
	d := api.must(t, 201, "POST", "/directories",
		fmt.Sprintf(`{"organization_id":%q,"name":%q,"type":"generic scim v2.0"}`, text(o, "id"), name+" directory"))
	endpoint, err := url.Parse(text(d, "scim_endpoint"))
	must(t, err)
	if !strings.HasPrefix(endpoint.String(), p.url+"/scim/v2/") || text(d, "bearer_token") == "" {
		t.Fatalf("a new directory without address or token: %v", d)
	}
	return tenant{organization: text(o, "id"), directory: text(d, "id"), path: endpoint.Path, token: text(d, "bearer_token")}
}

// scim is the tenant's identity provider, talking to one of the servers.
func (x tenant) scim(p *process) *client { return newClient(p.url+x.path, x.token) }

func userBody(name, display string) string {
	return fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":%q,"externalId":%q,"displayName":%q,`+
		`"emails":[{"value":%q,"type":"work","primary":true}],"active":true}`, name, name, display, name+"@example.com")
}

func groupBody(name string) string {
	return fmt.Sprintf(`{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":%q}`, name)
}

func patchBody(operation string) string {
	return `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[` + operation + `]}`
}

func addMember(id string) string {
	return patchBody(fmt.Sprintf(`{"op":"add","path":"members","value":[{"value":%q}]}`, id))
}

func removeMember(id string) string {
	return patchBody(fmt.Sprintf(`{"op":"remove","path":"members[value eq \"%s\"]"}`, id))
}

func deactivate() string { return patchBody(`{"op":"replace","path":"active","value":false}`) }

// people reads all of a directory, page by page.
func people(t *testing.T, c *client) []object {
	t.Helper()
	const count = 500
	var all []object
	for {
		page := c.must(t, 200, "GET", fmt.Sprintf("/Users?startIndex=%d&count=%d", len(all)+1, count), "")
		found := list(page, "Resources")
		all = append(all, found...)
		total, _ := page["totalResults"].(float64)
		if len(all) >= int(total) {
			return all
		}
		if len(found) == 0 {
			t.Fatalf("the list ends at %d of %v people", len(all), total)
		}
	}
}

// members gives who is in a group, each as often as the group says it.
func members(t *testing.T, c *client, group string) map[string]int {
	t.Helper()
	in := map[string]int{}
	for _, m := range list(c.must(t, 200, "GET", "/Groups/"+group, ""), "members") {
		in[text(m, "value")]++
	}
	return in
}

// happening is one event as a reader sees it.
type happening struct {
	ID    string `json:"id"`
	Event string `json:"event"`
	Data  struct {
		ID          string `json:"id"`
		IDPID       string `json:"idp_id"`
		DirectoryID string `json:"directory_id"`
		User        struct {
			ID string `json:"id"`
		} `json:"user"`
		Group struct {
			ID string `json:"id"`
		} `json:"group"`
	} `json:"data"`
}

// follow reads events from a cursor to the present end of the log.
func (c *client) follow(ctx context.Context, after string) ([]happening, error) {
	var all []happening
	for {
		path := "/events?limit=100"
		if after != "" {
			path += "&after=" + after
		}
		a, err := c.do(ctx, "GET", path, "")
		if err != nil {
			return all, err
		}
		if a.status != http.StatusOK {
			return all, fmt.Errorf("GET %s: %d %s", path, a.status, a.raw)
		}
		var page struct {
			Data []happening `json:"data"`
		}
		if err := json.NewDecoder(bytes.NewReader(a.raw)).Decode(&page); err != nil {
			return all, err
		}
		if len(page.Data) == 0 {
			return all, nil
		}
		all = append(all, page.Data...)
		after = page.Data[len(page.Data)-1].ID
	}
}

// idOf is safe in any goroutine.
func idOf(t *testing.T, a answer) string {
	t.Helper()
	var o object
	if err := json.Unmarshal(a.raw, &o); err != nil || text(o, "id") == "" {
		t.Errorf("no id in %s", a.raw)
	}
	return text(o, "id")
}
