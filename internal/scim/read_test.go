package scim

import (
	"bytes"
	"strings"
	"testing"

	"github.com/rollcallhq/rollcall/internal/fault"
)

func objectFrom(t testing.TB, json string) *Object {
	t.Helper()
	o, err := ReadObject([]byte(json), DefaultLimits)
	if err != nil {
		t.Fatalf("read %s: %v", json, err)
	}
	return o
}

func wantRefusal(t testing.TB, err error, code string, mentions ...string) {
	t.Helper()
	f, ok := fault.As(err)
	if !ok {
		t.Fatalf("got error %v, want a refusal with %s", err, code)
	}
	if f.Kind != fault.Invalid || f.Code != code {
		t.Errorf("got %s/%s (%s), want %s/%s", f.Kind, f.Code, f.Message, fault.Invalid, code)
	}
	for _, m := range mentions {
		if !strings.Contains(f.Message, m) {
			t.Errorf("the message %q does not mention %q", f.Message, m)
		}
	}
}

//scim:60
func TestReading_refuses_what_two_readers_could_understand_differently(t *testing.T) {
	for name, c := range map[string]struct{ body, code, mentions string }{
		"the same name twice":                 {`{"a":1,"a":2}`, CodeInvalidSyntax, `"a" occurs twice`},
		"names equal but for letter case":     {`{"userName":"a","USERNAME":"b"}`, CodeInvalidSyntax, `"USERNAME" occurs twice`},
		"names equal but for case, escaped":   {`{"active":true,"\u0041ctive":false}`, CodeInvalidSyntax, `"Active"`},
		"names equal but for case, not ASCII": {`{"ärger":1,"ÄRGER":2}`, CodeInvalidSyntax, "occurs twice"},
		"names equal after full folding":      {`{"straße":1,"STRASSE":2}`, CodeInvalidSyntax, "occurs twice"},
		"twice within an inner object":        {`{"name":{"givenName":"a","givenname":"b"}}`, CodeInvalidSyntax, "givenname"},
		"twice among many":                    {`{"a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1,"h":1,"i":1,"j":1,"k":1,"l":1,"m":1,"A":1}`, CodeInvalidSyntax, `"A" occurs twice`},
		"invalid UTF-8":                       {"{\"a\":\"\xff\"}", CodeInvalidSyntax, "UTF-8"},
		"half a surrogate pair":               {`{"a":"\ud800"}`, CodeInvalidSyntax, "not valid JSON"},
		"something after the object":          {`{"a":1} {"b":2}`, CodeInvalidSyntax, "after the JSON object"},
		"an array":                            {`[{"a":1}]`, CodeInvalidSyntax, "one JSON object, got an array"},
		"a string":                            {`"a"`, CodeInvalidSyntax, "got a string"},
		"nothing":                             {``, CodeInvalidSyntax, "empty"},
		"half an object":                      {`{"a":`, CodeInvalidSyntax, ""},
		"a trailing comma":                    {`{"a":1,}`, CodeInvalidSyntax, "not valid JSON"},
		"U+0000 in a value":                   {`{"name":{"givenName":"a\u0000b"}}`, CodeInvalidValue, `"givenName"`},
		"U+0000 in an element":                {`{"roles":["a\u0000b"]}`, CodeInvalidValue, `"roles"`},
		"U+0000 in a name":                    {`{"a\u0000b":1}`, CodeInvalidValue, "name"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ReadObject([]byte(c.body), DefaultLimits)
			wantRefusal(t, err, c.code, c.mentions)
		})
	}
}

func TestReading_keeps_order_values_and_number_literals(t *testing.T) {
	for _, body := range []string{
		`{}`,
		`{"b":1,"a":[],"c":{"x":null,"y":[1.50,-0,1e3,"z",true,false,{}]}}`,
		`{"text":"a\"b\\c\nü \u2028"}`,
		`{"big":123456789012345678901234567890}`,
	} {
		o := objectFrom(t, body)
		again := objectFrom(t, string(o.AppendJSON(nil)))
		if !o.Equal(again) {
			t.Errorf("%s read, written and read again is %s", body, again.AppendJSON(nil))
		}
	}
	got := string(objectFrom(t, " {\"b\" : 1.50 , \"a\":[ null ,\"\\u00e9\"]}\n").AppendJSON(nil))
	if want := `{"b":1.50,"a":[null,"é"]}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestReading_skips_a_byte_order_mark(t *testing.T) {
	o := objectFrom(t, "\xef\xbb\xbf{\"a\":\"b\"}")
	if o.Text("a") != "b" {
		t.Errorf("got %s", o.AppendJSON(nil))
	}
}

func TestReading_stops_at_its_limits(t *testing.T) {
	lim := Limits{Depth: 3, Members: 5, StringLen: 4}
	for name, c := range map[string]struct{ body, code, mentions string }{
		"too deep":              {`{"a":[{"b":[1]}]}`, CodeInvalidSyntax, "deeper than 3"},
		"too many elements":     {`{"a":[1,2,3,4,5]}`, CodeInvalidSyntax, "more than 5"},
		"too many names":        {`{"a":1,"b":1,"c":1,"d":1,"e":1,"f":1}`, CodeInvalidSyntax, "more than 5"},
		"a long string":         {`{"a":"12345"}`, CodeInvalidValue, `"a" is longer than 4`},
		"a long escaped string": {`{"a":"\n\n\n\n\n"}`, CodeInvalidValue, "longer than 4"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ReadObject([]byte(c.body), lim)
			wantRefusal(t, err, c.code, c.mentions)
		})
	}
	if _, err := ReadObject([]byte(`{"a":[{"b":"1234"}]}`), lim); err != nil {
		t.Errorf("what is within the limits is refused: %v", err)
	}
	_, err := ReadObject([]byte(strings.Repeat(`{"a":`, 100_000)), DefaultLimits)
	wantRefusal(t, err, CodeInvalidSyntax, "deeper")
}

func TestReading_after_a_refusal_starts_clean(t *testing.T) {
	for range 50 {
		if _, err := ReadObject([]byte(`{"a":{"b":[1,2,{"c":1,"d":`), DefaultLimits); err == nil {
			t.Fatal("half an object was taken")
		}
		if got := string(objectFrom(t, `{"x":[1],"y":{"z":2}}`).AppendJSON(nil)); got != `{"x":[1],"y":{"z":2}}` {
			t.Fatalf("got %s", got)
		}
	}
}

func TestA_member_set_later_leaves_neighbouring_objects_alone(t *testing.T) {
	o := objectFrom(t, `{"a":{"x":1},"b":{"y":2}}`)
	a, _ := o.Get("a")
	a.Object().Set("new", BoolOf(true))
	o.Set("c", BoolOf(true))
	if got := string(o.AppendJSON(nil)); got != `{"a":{"x":1,"new":true},"b":{"y":2},"c":true}` {
		t.Errorf("got %s", got)
	}
}

func TestReading_does_not_change_or_keep_the_body(t *testing.T) {
	body := []byte(`{"a":"bcd"}`)
	before := bytes.Clone(body)
	o, err := ReadObject(body, DefaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(body, before) {
		t.Errorf("the body became %s", body)
	}
	clear(body)
	if o.Text("a") != "bcd" {
		t.Errorf("the object changed with the body: %q", o.Text("a"))
	}
}

func FuzzReadObject(f *testing.F) {
	for _, seed := range []string{
		oktaUser, `{}`, `{"a":[1,[2,{"b":null}]],"B":"\ud83d\ude00"}`, `{"a":1,"A":2}`, "\xef\xbb\xbf{}", `{"a":"\u0000"}`, `[`, `{"active":"False"}`,
		`{"Operations":[{"op":"Replace","path":"active","value":"False"}]}`, `{"emails":["a",{"value":"A","primary":"True"},{"primary":true}]}`,
		`{"userName":"u","` + UserURN + `":{"x":1},"X":2,"urn:scim:schemas:core:1.0:title":"t","members":["a"],"displayName":"d"}`,
	} {
		f.Add([]byte(seed))
	}
	model := Standard()
	f.Fuzz(func(t *testing.T, data []byte) {
		AsksDeactivation(data)
		o, err := ReadObject(data, DefaultLimits)
		if err != nil {
			if _, ok := fault.As(err); !ok {
				t.Fatalf("not a refusal: %v", err)
			}
			return
		}
		again, err := ReadObject(o.AppendJSON(nil), DefaultLimits)
		if err != nil || !again.Equal(o) {
			t.Fatalf("written and read again: %v, %s", err, o.AppendJSON(nil))
		}
		fuzzPrepare(t, model.User, o)
		fuzzPrepare(t, model.Group, o)
	})
}

// fuzzPrepare wants a prepared document to be readable, to stay as it is when prepared again, and the input untouched.
func fuzzPrepare(t *testing.T, r *ResourceType, o *Object) {
	before := o.Clone()
	for _, m := range []Mode{{}, {Strict: true}} {
		doc, err := r.Prepare(o, m)
		if !o.Equal(before) {
			t.Fatalf("Prepare changed its input to %s", o.AppendJSON(nil))
		}
		if err != nil {
			if _, ok := fault.As(err); !ok {
				t.Fatalf("not a refusal: %v", err)
			}
			continue
		}
		read, err := ReadObject(doc.AppendJSON(nil), DefaultLimits)
		if err != nil {
			t.Fatalf("the prepared document cannot be read: %v: %s", err, doc.AppendJSON(nil))
		}
		again, err := r.Prepare(read, Mode{})
		if err != nil || !again.Equal(doc) {
			t.Fatalf("prepared again: %v\n%s\n%s", err, doc.AppendJSON(nil), again.AppendJSON(nil))
		}
	}
}
