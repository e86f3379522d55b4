package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func newFloor(t *testing.T, delay time.Duration) (*httptest.Server, store) {
	t.Helper()
	s, err := open(t.Context(), "sqlite", filepath.Join(t.TempDir(), "floor.db"), delay)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(routes(s))
	t.Cleanup(func() {
		srv.Close()
		if err := s.close(); err != nil {
			t.Error(err)
		}
	})
	return srv, s
}

func ask(t *testing.T, want int, method, url, body string) map[string]any {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != want {
		t.Fatalf("%s %s: %d %s (%v), want %d", method, url, resp.StatusCode, raw, err, want)
	}
	var v map[string]any
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &v); err != nil {
			t.Fatalf("%s %s: %v in %s", method, url, err, raw)
		}
	}
	return v
}

func TestFloor_keeps_what_it_was_given(t *testing.T) {
	srv, _ := newFloor(t, 0)
	users := srv.URL + "/Users"
	id, _ := ask(t, 201, "POST", users, `{"userName":"ann","active":true}`)["id"].(string)
	if got := ask(t, 200, "GET", users+"/"+id, ""); got["userName"] != "ann" {
		t.Errorf("get: %v", got)
	}
	if got := ask(t, 200, "GET", users+`?filter=userName%20eq%20%22ann%22`, ""); got["totalResults"] != 1.0 {
		t.Errorf("lookup: %v", got)
	}
	if got := ask(t, 200, "GET", users+`?filter=userName%20eq%20%22bob%22`, ""); got["totalResults"] != 0.0 {
		t.Errorf("lookup of nobody: %v", got)
	}
	ask(t, 200, "PATCH", users+"/"+id, `{"Operations":[{"op":"replace","value":{"active":false}}]}`)
	ask(t, 200, "PATCH", users+"/"+id, `{"Operations":[{"op":"replace","value":{"title":"x"}}]}`)
	if got := ask(t, 200, "GET", users+"/"+id, ""); got["active"] != false || got["title"] != "x" {
		t.Errorf("after two PATCHes: %v", got)
	}
	ask(t, 200, "PUT", users+"/"+id, `{"userName":"ann","active":true}`)
	if got := ask(t, 200, "GET", users+"/"+id, ""); got["active"] != true || got["title"] != nil {
		t.Errorf("after PUT: %v", got)
	}
	ask(t, 404, "GET", users+"/nobody", "")
	ask(t, 404, "PATCH", users+"/nobody", `{"Operations":[{"op":"replace","value":{"active":false}}]}`)
	ask(t, 400, "POST", users, `{`)
}

func TestFloor_pages_with_the_exact_total(t *testing.T) {
	srv, _ := newFloor(t, 0)
	for n := range 25 {
		ask(t, 201, "POST", srv.URL+"/Users", fmt.Sprintf(`{"userName":"u%02d"}`, n))
	}
	got := ask(t, 200, "GET", srv.URL+"/Users?startIndex=21&count=10", "")
	items, _ := got["Resources"].([]any)
	if got["totalResults"] != 25.0 || len(items) != 5 || items[0].(map[string]any)["userName"] != "u20" {
		t.Errorf("page: %v", got)
	}
}

func TestFloor_keeps_members_apart_from_their_group(t *testing.T) {
	srv, _ := newFloor(t, 0)
	groups := srv.URL + "/Groups"
	id, _ := ask(t, 201, "POST", groups, `{"displayName":"g","members":[{"value":"a"}]}`)["id"].(string)
	ask(t, 204, "PATCH", groups+"/"+id, `{"Operations":[{"op":"add","path":"members","value":[{"value":"b"},{"value":"c"}]}]}`)
	ask(t, 204, "PATCH", groups+"/"+id, `{"Operations":[{"op":"remove","path":"members[value eq \"a\"]"}]}`)
	members, _ := ask(t, 200, "GET", groups+"/"+id, "")["members"].([]any)
	if fmt.Sprint(members) != "[map[value:b] map[value:c]]" {
		t.Errorf("members %v", members)
	}
	if got := ask(t, 200, "GET", groups+"/"+id+"?excludedAttributes=members", ""); got["members"] != nil || got["displayName"] != "g" {
		t.Errorf("without members: %v", got)
	}
}

func TestWaiting_writes_share_a_commit_and_a_failed_one_harms_nobody(t *testing.T) {
	const delay = 20 * time.Millisecond
	_, s := newFloor(t, delay)
	if err := s.createUser(t.Context(), "taken", "taken", []byte(`{}`)); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	var wg sync.WaitGroup
	errs := make([]error, 60)
	for n := range errs {
		wg.Go(func() {
			name := fmt.Sprintf("u%d", n)
			if n%10 == 0 {
				name = "taken"
			}
			errs[n] = s.createUser(t.Context(), fmt.Sprintf("id%d", n), name, []byte(`{}`))
		})
	}
	wg.Wait()
	if took := time.Since(begun); took > 30*delay {
		t.Errorf("60 writes took %s, so they did not share commits of %s", took, delay)
	}
	for n, err := range errs {
		if failed := err != nil; failed != (n%10 == 0) {
			t.Errorf("write %d: %v", n, err)
		}
	}
	_, total, err := s.page(t.Context(), 1, 100)
	if err != nil || total != 55 {
		t.Errorf("total %d, %v; want 55", total, err)
	}
}

func TestConcurrent_patches_of_one_person_are_all_kept(t *testing.T) {
	_, s := newFloor(t, 0)
	if err := s.createUser(t.Context(), "id", "ann", []byte(`{"active":true}`)); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		if _, err := s.setActive(t.Context(), "id", false); err != nil {
			t.Error(err)
		}
	})
	wg.Go(func() {
		if _, err := s.setTitle(t.Context(), "id", "x"); err != nil {
			t.Error(err)
		}
	})
	wg.Wait()
	doc, err := s.user(t.Context(), "id")
	if err != nil || string(doc) != `{"active":false,"title":"x"}` {
		t.Errorf("document %s, %v", doc, err)
	}
}

func TestFloor_counts_again_after_a_restart(t *testing.T) {
	file := filepath.Join(t.TempDir(), "floor.db")
	for want := range 3 {
		s, err := open(t.Context(), "sqlite", file, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, total, err := s.page(t.Context(), 1, 1); err != nil || total != want {
			t.Errorf("total %d, %v; want %d", total, err, want)
		}
		name := fmt.Sprint(want)
		if err := s.createUser(t.Context(), name, name, []byte(`{}`)); err != nil {
			t.Error(err)
		}
		if err := s.close(); err != nil {
			t.Error(err)
		}
	}
}

func TestFloor_listens_on_the_loopback_only(t *testing.T) {
	for addr, ok := range map[string]bool{"127.0.0.1:1": true, "[::1]:1": true, "0.0.0.0:1": false, ":1": false, "192.0.2.1:1": false, "nonsense": false} {
		if err := loopbackOnly(addr); (err == nil) != ok {
			t.Errorf("%s: %v", addr, err)
		}
	}
}
