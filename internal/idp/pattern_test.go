package idp

import (
	"strings"
	"testing"
)

func TestPatterns_match_what_they_say(t *testing.T) {
	cases := []struct {
		name, pattern, value string
		want                 string // part of the problem; empty: it matches
	}{
		{"an object with more members", `{"a": 1}`, `{"a": 1, "b": 2}`, ""},
		{"a member that is missing", `{"a": 1}`, `{"b": 2}`, "/a: want 1, got nothing"},
		{"a member that differs", `{"a": {"b": true}}`, `{"a": {"b": false}}`, "/a/b: want true, got false"},
		{"no object", `{"a": 1}`, `[1]`, "want an object"},
		{"null is not absent", `{"a": null}`, `{}`, "/a: want null, got nothing"},
		{"null", `{"a": null}`, `{"a": null}`, ""},
		{"numbers by value", `{"a": 1.0}`, `{"a": 1}`, ""},
		{"a number is not a string", `{"a": 3}`, `{"a": "3"}`, "/a: want the number 3"},
		{"a string is not a number", `{"a": "3"}`, `{"a": 3}`, "/a: want the string"},
		{"an array in order", `[1, 2]`, `[1, 2]`, ""},
		{"an array in another order", `[1, 2]`, `[2, 1]`, "/0: want the number 1"},
		{"an array with more", `[1]`, `[1, 2]`, "want 1 elements, got 2"},
		{"an empty array", `[]`, `[]`, ""},
		{"an empty array is not absent", `{"a": []}`, `{}`, "/a: want []"},
		{"any order", `["«any order»", 1, 2]`, `[2, 1]`, ""},
		{"any order with more", `["«any order»", 1, 2]`, `[2, 1, 3]`, "want 2 elements, got 3"},
		{"any order needs an element for each", `["«any order»", 1, 1]`, `[1, 2]`, "no element of its own for 1"},
		{"among others", `["…", 2]`, `[1, 2, 3]`, ""},
		{"among others, not there", `["…", 4]`, `[1, 2, 3]`, "no element of its own for 4"},
		{"among others, no array", `["…", 4]`, `{}`, "want an array"},
		{"anything", `{"a": "*"}`, `{"a": {"b": []}}`, ""},
		{"anything, null too", `{"a": "*"}`, `{"a": null}`, ""},
		{"anything is not absent", `{"a": "*"}`, `{}`, "/a: want"},
		{"absent", `{"a": "«absent»"}`, `{"b": 1}`, ""},
		{"absent but there", `{"a": "«absent»"}`, `{"a": null}`, "/a: want absent, got null"},
		{"none: absent", `{"a": "«none»"}`, `{}`, ""},
		{"none: null", `{"a": "«none»"}`, `{"a": null}`, ""},
		{"none: empty", `{"a": "«none»"}`, `{"a": []}`, ""},
		{"none: not an empty string", `{"a": "«none»"}`, `{"a": ""}`, "want absent, null or []"},
		{"none: not an object", `{"a": "«none»"}`, `{"a": {}}`, "want absent, null or []"},
		{"a run of anything", `"«any»/Users/1"`, `"http://x/Users/1"`, ""},
		{"a run of anything, wrong end", `"«any»/Users/1"`, `"http://x/Users/12"`, "want"},
		{"signs of regular expressions are plain", `"a.c(+"`, `"abc(+"`, "want"},
		{"the same name twice", `{"a": "{{x}}", "b": "{{x}}"}`, `{"a": "1", "b": "1"}`, ""},
		{"the same name, two values", `{"a": "{{x}}", "b": "{{x}}"}`, `{"a": "1", "b": "2"}`, "/b: want \"1\", got \"2\""},
		{"a name is never empty", `"{{x}}"`, `""`, "want"},
		{"a name is a string", `"{{x}}"`, `7`, "want the string"},
		{"a known name", `"{{known}}"`, `"k1"`, ""},
		{"a known name, another value", `"Users/{{known}}"`, `"Users/k2"`, `want "Users/k1"`},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			pattern, err := ParsePattern(tc.pattern)
			if err != nil {
				t.Fatal(err)
			}
			value, err := decodeJSON([]byte(tc.value))
			if err != nil {
				t.Fatal(err)
			}
			problems := strings.Join(pattern.Match(value, Names{"known": "k1"}), "; ")
			if (tc.want == "") != (problems == "") || !strings.Contains(problems, tc.want) {
				t.Errorf("got %q, want %q", problems, tc.want)
			}
		})
	}
}

func TestNames_are_remembered_only_when_all_matches(t *testing.T) {
	pattern, err := ParsePattern(`{"a": "{{x}}", "b": 1}`)
	if err != nil {
		t.Fatal(err)
	}
	names := Names{}
	for _, tc := range []struct{ value, want string }{{`{"a": "1", "b": 2}`, ""}, {`{"a": "1", "b": 1}`, "1"}} {
		value, err := decodeJSON([]byte(tc.value))
		if err != nil {
			t.Fatal(err)
		}
		pattern.Match(value, names)
		if names["x"] != tc.want {
			t.Errorf("after %s: x = %q, want %q", tc.value, names["x"], tc.want)
		}
	}
}

func TestAll_differences_are_told_at_once(t *testing.T) {
	pattern, err := ParsePattern(`{"a": 1, "b": {"c": "x"}, "d": "«absent»"}`)
	if err != nil {
		t.Fatal(err)
	}
	value, err := decodeJSON([]byte(`{"a": 2, "b": {"c": "y"}, "d": 0}`))
	if err != nil {
		t.Fatal(err)
	}
	if problems := pattern.Match(value, nil); len(problems) != 3 {
		t.Errorf("got %q, want three problems", problems)
	}
}
