package idp

import (
	"strings"
	"testing"
	"testing/fstest"
)

const minimalMoves = `"moves": {
	"connect": [{"send": "GET /Users"}], "find": [{"send": "GET /Users", "takes": "users"}], "hire": [{"do": "find"}],
	"change": [{"send": "PUT /Users/{{user.id}}"}], "leave": [{"says": {"done": "nothing is sent"}}], "return": [{"do": "find"}]`

// minimalDialect is a dialect that is complete, with something more in it and in its moves.
func minimalDialect(more, moves string) string {
	return `{"blank": "+", "external_id": "", "timeout_seconds": 1, "retry": {"tries": 1}, "attributes": [],
		"says": {"fail": "f", "broken": "b", "unreachable": "u"}, ` + more + minimalMoves + moves + `}}`
}

func TestDialects_of_the_providers_that_are_played_are_known(t *testing.T) {
	c := loadCatalog(t)
	for _, slug := range []Slug{"authentik", "entra-id", "jumpcloud", "okta", "onelogin", "oracle-oci-iam", "pingfederate", "pingone"} {
		if p, _ := c.Provider(slug); p.Dialect == nil {
			t.Errorf("%s has no dialect", slug)
		}
	}
	if p, _ := c.Provider("google-workspace"); p.Dialect != nil {
		t.Error("a provider without SCIM has a dialect")
	}
}

func TestDialect_that_cannot_be_played_is_refused_by_what_is_wrong_with_it(t *testing.T) {
	if _, err := parseDialect([]byte(minimalDialect("", ""))); err != nil {
		t.Fatalf("the dialect that the cases begin with: %v", err)
	}
	for _, tc := range []struct{ name, text, want string }{
		{"an unknown member", minimalDialect(`"colour": "red", `, ""), `unknown field "colour"`},
		{"something behind it", minimalDialect("", "") + "{}", "something follows"},
		{"a blank", strings.Replace(minimalDialect("", ""), `"+"`, `" "`, 1), `blank " "`},
		{"no time", strings.Replace(minimalDialect("", ""), `"timeout_seconds": 1`, `"timeout_seconds": 0`, 1), "timeout_seconds"},
		{"no try", strings.Replace(minimalDialect("", ""), `"tries": 1`, `"tries": 0`, 1), "retry.tries"},
		{"no words", strings.Replace(minimalDialect("", ""), `"broken": "b", `, "", 1), `says has no "broken"`},
		{"no way out", strings.Replace(minimalDialect("", ""), `"leave": [{"says": {"done": "nothing is sent"}}], `, "", 1), `moves has no "leave"`},
		{"an unknown move", minimalDialect("", `, "dance": [{"send": "GET /Users"}]`), `moves has "dance"`},
		{"a step that does nothing", minimalDialect("", `, "join": [{"when": ["user.id"]}]`), "moves.join, step 1: it neither sends"},
		{"a step that does what there is not", minimalDialect("", `, "join": [{"do": "quit"}]`), `do "quit"`},
		{"a method", minimalDialect("", `, "join": [{"send": "BREW /Users"}]`), `send "BREW /Users"`},
		{"a target", minimalDialect("", `, "join": [{"send": "GET Users"}]`), `send "GET Users"`},
		{"a kind of answer", minimalDialect("", `, "join": [{"send": "GET /Users", "takes": "tea"}]`), `takes "tea"`},
		{"a repetition without an end", minimalDialect("", `, "join": [{"send": "GET /Users", "until": "user.id"}]`), "until and most"},
		{"a repetition without words", minimalDialect("", `, "join": [{"send": "GET /Users", "until": "user.id", "most": 2}]`), `"never"`},
		{"an auth", minimalDialect(`"auth": "none", `, ""), `auth "none"`},
		{"an option without help", minimalDialect(`"options": {"x": {}}, `, ""), "options.x has no help"},
		{"an option's move", minimalDialect(`"options": {"x": {"help": "h", "moves": {"dance": []}}}, `, ""), `options.x: moves has "dance"`},
		{"an option's auth", minimalDialect(`"options": {"x": {"help": "h", "auth": "none"}}, `, ""), `options.x: auth "none"`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if _, err := parseDialect([]byte(tc.text)); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
		})
	}
}

func TestDialect_needs_a_provider_that_speaks_SCIM(t *testing.T) {
	_, err := load(fstest.MapFS{
		"acme/idp.json":      {Data: []byte(`{"name": "Acme", "protocols": ["saml"], "without_scim": "It sends none.", "connection_types": {"saml": "OktaSAML"}, "claims": {"saml": {"id": ["id"]}}}`)},
		"acme/simulate.json": {Data: []byte(minimalDialect("", ""))},
	}, false)
	if err == nil || !strings.Contains(err.Error(), "simulate.json without scim") {
		t.Errorf("got %v", err)
	}
	_, err = load(fstest.MapFS{
		"acme/idp.json":      {Data: []byte(`{"name": "Acme", "protocols": ["scim"], "send_again": "Again.", "directory_types": ["generic scim v2.0"]}`)},
		"acme/simulate.json": {Data: []byte(`{`)},
	}, false)
	if err == nil || !strings.Contains(err.Error(), "acme/simulate.json: not a dialect's JSON") {
		t.Errorf("got %v", err)
	}
}

func TestOptions_lie_over_a_dialect_and_leave_it_as_it_is(t *testing.T) {
	d, err := parseDialect([]byte(minimalDialect(`"ops": {"add": "Add"}, "options": {
		"a": {"help": "h", "auth": "raw", "external_id": "x", "ops": {"add": "add"}, "parts": {"p": 1}, "moves": {"leave": [{"send": "DELETE /Users/{{user.id}}"}]}},
		"b": {"help": "h", "ops": {"remove": "del"}, "attributes": [{"from": "title", "path": "title"}]}}, `, "")))
	if err != nil {
		t.Fatal(err)
	}
	both, err := d.With("a", "b")
	if err != nil {
		t.Fatal(err)
	}
	if both.Auth != AuthRaw || both.ExternalID != "x" || both.Ops["add"] != "add" || both.Ops["remove"] != "del" || both.Parts["p"] == nil ||
		both.Moves[MoveLeave][0].Send == "" || len(both.Moves[MoveHire]) != 1 || len(both.Attributes) != 1 {
		t.Errorf("got %+v", both)
	}
	again, err := both.With("b")
	if err != nil || len(again.Attributes) != 1 {
		t.Errorf("an attribute is mapped %d times: %v", len(again.Attributes), err)
	}
	if d.Auth != "" || d.Ops["add"] != "Add" || d.Moves[MoveLeave][0].Send != "" || len(d.Attributes) != 0 {
		t.Errorf("the dialect has changed: %+v", d)
	}
	if _, err := d.With("c"); err == nil || !strings.Contains(err.Error(), `["a" "b"]`) {
		t.Errorf("got %v", err)
	}
}
