package main

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
)

func TestUser_body_is_like_Okta_s_and_about_1200_bytes(t *testing.T) {
	for _, seq := range []int{1, 7, 123456, 9999999} {
		body := appendUser(nil, "main", "", seq, 0)
		if len(body) < 1100 || len(body) > 1400 {
			t.Errorf("person %d: %d bytes, want about 1,200", seq, len(body))
		}
		var v map[string]any
		if err := json.Unmarshal(body, &v); err != nil {
			t.Fatalf("person %d: %v in %s", seq, err, body)
		}
		if v["userName"] != userName("main", seq) || v["externalId"] != externalID("main", seq) || v["active"] != true {
			t.Errorf("person %d is %v", seq, v)
		}
		if _, sent := v["id"]; sent {
			t.Error("a POST must not carry an id")
		}
	}
}

func TestUser_body_changes_with_its_revision_only(t *testing.T) {
	one, again, two := appendUser(nil, "m", "x", 5, 1), appendUser(nil, "m", "x", 5, 1), appendUser(nil, "m", "x", 5, 2)
	if string(one) != string(again) {
		t.Error("the same revision gave two bodies")
	}
	if string(one) == string(two) {
		t.Error("two revisions gave the same body")
	}
}

func TestPatches_are_JSON_that_says_what_it_should(t *testing.T) {
	for want, body := range map[string][]byte{
		`replace  {"active":false}`:                 appendSetActive(nil, false),
		`replace  {"title":"Moved 7"}`:              appendSetTitle(nil, "Moved 7"),
		`add members [{"value":"a"}]`:               appendAddMembers(nil, "a"),
		`add members [{"value":"a"},{"value":"b"}]`: appendAddMembers(nil, "a", "b"),
		`remove members[value eq "a"] `:             appendRemoveMember(nil, "a"),
	} {
		var v struct {
			Schemas    []string
			Operations []struct {
				Op, Path string
				Value    json.RawMessage
			}
		}
		if err := json.Unmarshal(body, &v); err != nil {
			t.Fatalf("%s: %v", body, err)
		}
		op := v.Operations[0]
		if got := fmt.Sprintf("%s %s %s", op.Op, op.Path, op.Value); got != want || v.Schemas[0] != patchSchema {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestLookup_path_decodes_to_the_filter(t *testing.T) {
	u, err := url.Parse(lookupPath("a+b@c.example"))
	if err != nil {
		t.Fatal(err)
	}
	if got := u.Query().Get("filter"); got != `userName eq "a+b@c.example"` {
		t.Errorf("filter = %q", got)
	}
}

func TestId_is_found_however_the_document_is_written(t *testing.T) {
	for doc, want := range map[string]string{
		`{"externalId":"e","id":"42"}`:                      "42",
		`{ "externalId": "e", "id": "42" }`:                 "42",
		`{"manager":{"id":"7"},"x":[{"id":"8"}],"id":"42"}`: "42",
	} {
		if got, err := idOf([]byte(doc)); err != nil || got != want {
			t.Errorf("%s: id %q, %v", doc, got, err)
		}
	}
	for _, doc := range []string{`{}`, `{"id":""}`, `<html>`} {
		if got, err := idOf([]byte(doc)); err == nil {
			t.Errorf("%s: found the id %q", doc, got)
		}
	}
}

func TestPage_must_have_the_exact_total_and_number_of_people(t *testing.T) {
	page := func(total, items int) []byte {
		return fmt.Appendf(nil, `{"totalResults":%d,"Resources":[%s]}`, total, strings.TrimSuffix(strings.Repeat(`{"userName":"u"},`, items), ","))
	}
	if err := checkPage(page(1000, 3), 1000, 3); err != nil {
		t.Error(err)
	}
	spaced := []byte(`{ "totalResults": 2, "Resources": [ {"userName": "a"}, {"userName": "b"} ] }`)
	if err := checkPage(spaced, 2, 2); err != nil {
		t.Errorf("blanks are not an error: %v", err)
	}
	for name, body := range map[string][]byte{
		"longer total": page(10000, 3), "shorter total": page(100, 3), "fewer people": page(1000, 2), "not JSON": []byte("oops"),
	} {
		if checkPage(body, 1000, 3) == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}

func TestChanged_accepts_204_and_the_right_resource_only(t *testing.T) {
	if err := changed("patch", 204, nil, "id1"); err != nil {
		t.Error(err)
	}
	if err := changed("patch", 200, []byte(`{"id":"id1"}`), "id1"); err != nil {
		t.Error(err)
	}
	for name, err := range map[string]error{
		"another person": changed("patch", 200, []byte(`{"id":"id2"}`), "id1"),
		"a refusal":      changed("patch", 409, []byte(`id1`), "id1"),
	} {
		if err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}
