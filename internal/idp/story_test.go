package idp

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

const sampleStory = `# Assign, then leave
# free text that belongs to the title
= type okta scim v2.0
= strict
= covers B1 T4 62
= auth raw
= header User-Agent: Okta SCIM Client 1.0.0

# a remark that no request follows

# Nobody
# yet
> GET /Users?filter=userName+eq+%22ada%22&
> X-Trace: one
< 200
< Content-Type: application/scim+json«any»
< {"totalResults": 0,
<  "Resources": []}

> POST /Users
>
> not: json
< 201|200
< Location: «any»/Users/{{ada}}
! any order
! dsync.user.created {"id": "{{ada}}",
!   "state": "active"}
! dsync.group.user_added derived {"user": {"id": "{{ada}}"}}
! dsync.group.user_added derived?

> DELETE /Users/{{ada}}
< 204
! none
`

func TestA_story_is_read_with_all_its_parts(t *testing.T) {
	story, err := ParseStory("sample.traffic", []byte(sampleStory))
	if err != nil {
		t.Fatal(err)
	}
	if story.Title != "Assign, then leave" || story.Type != TypeOkta || !story.Strict || story.Auth != AuthRaw {
		t.Errorf("settings: %+v", story)
	}
	if !slices.Equal(story.Covers, []string{"B1", "T4", "62"}) || !slices.Equal(story.Headers, []Header{{"User-Agent", "Okta SCIM Client 1.0.0"}}) {
		t.Errorf("covers %v, headers %v", story.Covers, story.Headers)
	}
	if len(story.Steps) != 3 {
		t.Fatalf("got %d steps, want 3", len(story.Steps))
	}
	look, create, remove := story.Steps[0], story.Steps[1], story.Steps[2]
	if look.Name != "Nobody yet" || look.Line != 13 || look.Target != "/Users?filter=userName+eq+%22ada%22&" || look.HasBody {
		t.Errorf("first step: %+v", look)
	}
	if !slices.Equal(look.Headers, []Header{{"X-Trace", "one"}}) || len(look.AnswerHeaders) != 1 || look.Answer == nil || len(look.Events) != 0 {
		t.Errorf("first step: %+v", look)
	}
	if create.Name != "POST /Users" || create.Body != "not: json" || !slices.Equal(create.Statuses, []int{201, 200}) || !create.AnyOrder {
		t.Errorf("second step: %+v", create)
	}
	if len(create.Events) != 3 || create.Events[0].Derived != DerivedNo || create.Events[1].Derived != DerivedYes || create.Events[2].Derived != DerivedEither {
		t.Errorf("second step's events: %+v", create.Events)
	}
	if create.Events[0].Data == nil || create.Events[2].Data != nil || create.Events[1].Type != "dsync.group.user_added" {
		t.Errorf("second step's events: %+v", create.Events)
	}
	if remove.Method != "DELETE" || len(remove.Events) != 0 || remove.Answer != nil {
		t.Errorf("third step: %+v", remove)
	}
}

func TestFaulty_stories_are_refused_with_file_line_and_reason(t *testing.T) {
	const head = "# T\n= type okta scim v2.0\n\n"
	cases := []struct {
		name, text string
		line       int
		want       string
	}{
		{"empty", "", 1, "no title"},
		{"no type", "# T\n\n> GET /Users\n< 200\n", 1, "no directory type"},
		{"no step", "# T\n= type okta scim v2.0\n", 1, "no step"},
		{"an unknown sign", "# T\nhello\n", 2, "want a line that begins"},
		{"an indented line", "# T\n  > GET /Users\n", 2, "want a line that begins"},
		{"an unknown setting", "# T\n= colour red\n", 2, `unknown setting "colour"`},
		{"an unknown type", "# T\n= type ldap\n", 2, `unknown directory type "ldap"`},
		{"an unknown mark", "# T\n= covers B14\n", 2, "covers \"B14\""},
		{"a mark with a leading zero", "# T\n= covers 062\n", 2, "covers \"062\""},
		{"a mark twice", "# T\n= covers T1 T1\n", 2, "twice"},
		{"strict with a value", "# T\n= strict yes\n", 2, "no value"},
		{"an unknown auth", "# T\n= auth basic\n", 2, `unknown auth "basic"`},
		{"a header without a colon", "# T\n= header Accept json\n", 2, "want Name: value"},
		{"a setting after a step", head + "> GET /Users\n< 200\n\n= strict\n", 7, "after the first step"},
		{"an unknown method", head + "> FETCH /Users\n< 200\n", 4, `unknown method "FETCH"`},
		{"a target that is no path", head + "> GET Users\n< 200\n", 4, "target"},
		{"a blank in the target", head + "> GET /Users?filter=a eq 1\n< 200\n", 4, "target"},
		{"no answer", head + "> GET /Users\n", 4, "no wanted answer"},
		{"an answer without a request", head + "< 200\n", 4, "without a request"},
		{"a bad status", head + "> GET /Users\n< OK\n", 5, "status \"OK\""},
		{"a status out of range", head + "> GET /Users\n< 200|999\n", 5, "status \"999\""},
		{"an answer that is no JSON", head + "> GET /Users\n< 200\n< {\"a\":}\n", 6, "not JSON"},
		{"two answers", head + "> GET /Users\n< 200\n< {} {}\n", 6, "something follows"},
		{"a misspelled mark", head + "> GET /Users\n< 200\n< {\"a\": \"«absnt»\"}\n", 6, "«absnt»"},
		{"absent inside an array", head + "> GET /Users\n< 200\n< [\"«absent»\"]\n", 6, "cannot be an element"},
		{"an event before the answer", head + "> GET /Users\n! none\n< 200\n", 5, "before its answer"},
		{"an answer after the events", head + "> GET /Users\n< 200\n! none\n< {}\n", 7, "after the events"},
		{"a request after the answer", head + "> GET /Users\n< 200\n> GET /Users\n", 6, "blank line"},
		{"a remark inside a step", head + "> GET /Users\n# what\n< 200\n", 5, "remark inside"},
		{"an event that is none of ours", head + "> GET /Users\n< 200\n! user.created\n", 6, `event "user.created"`},
		{"event data that is no JSON", head + "> GET /Users\n< 200\n! dsync.user.created {\n", 6, "data of dsync.user.created"},
		{"a write without a word on events", head + "> PUT /Users/1\n< 200\n", 4, "! none"},
		{"a name before it is known", head + "> GET /Users/{{ada}}\n< 200\n", 4, "{{ada}}"},
		{"a name known only to the same step", head + "> GET /Users/{{ada}}\n< 200\n< {\"id\": \"{{ada}}\"}\n", 4, "{{ada}}"},
		{"a name in a header of the story", "# T\n= type okta scim v2.0\n= header X: {{ada}}\n\n> GET /Users\n< 200\n", 1, "{{ada}}"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			_, err := ParseStory("s.traffic", []byte(tc.text))
			var fault *ParseError
			if !errors.As(err, &fault) {
				t.Fatalf("got %v, want a *ParseError", err)
			}
			if fault.File != "s.traffic" || fault.Line != tc.line || !strings.Contains(fault.Problem, tc.want) {
				t.Errorf("got %v, want line %d and %q", fault, tc.line, tc.want)
			}
		})
	}
}

func TestSearch_by_post_reads_so_it_needs_no_word_on_events(t *testing.T) {
	text := "# T\n= type okta scim v2.0\n\n> POST /Users/.search?x=1\n> {}\n< 200\n"
	if _, err := ParseStory("s", []byte(text)); err != nil {
		t.Error(err)
	}
}

func TestLine_ends_of_another_system_make_no_difference(t *testing.T) {
	unix, err := ParseStory("s", []byte(sampleStory))
	if err != nil {
		t.Fatal(err)
	}
	dos, err := ParseStory("s", []byte(strings.ReplaceAll(sampleStory, "\n", "\r\n")))
	if err != nil {
		t.Fatal(err)
	}
	if len(dos.Steps) != len(unix.Steps) || dos.Steps[1].Body != unix.Steps[1].Body || dos.Title != unix.Title {
		t.Error("the two readings differ")
	}
}

func FuzzParseStory(f *testing.F) {
	f.Add([]byte(sampleStory))
	f.Add([]byte("# T\n= type okta scim v2.0\n\n> GET /\n< 200\n< [\"…\", \"{{a}}\"]\n"))
	f.Add([]byte(">\n<\n!\n=\n#"))
	f.Fuzz(func(t *testing.T, text []byte) {
		story, err := ParseStory("fuzz", text)
		if err != nil {
			var fault *ParseError
			if !errors.As(err, &fault) || fault.Line < 1 {
				t.Fatalf("an error without a line: %v", err)
			}
			return
		}
		if story.Title == "" || story.Type == "" || len(story.Steps) == 0 {
			t.Fatalf("accepted a story without title, type or steps: %+v", story)
		}
		for _, step := range story.Steps {
			if len(step.Statuses) == 0 || step.Name == "" || step.Target == "" {
				t.Fatalf("accepted an unfinished step: %+v", step)
			}
		}
	})
}
