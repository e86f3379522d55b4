package api

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/web"
)

// body reads the request's JSON object into v. No body at all is an empty object, for clients announce JSON and send none; unknown
// members are ignored, for newer clients send more than we know; null is the same as leaving out.
func (c *call) body(v any) error {
	text, err := web.ReadBody(c.r, c.o.MaxBody)
	if err != nil {
		return err
	}
	if len(bytes.TrimSpace(text)) == 0 {
		return nil
	}
	if err := checkJSON(text); err != nil {
		return err
	}
	if err := json.Unmarshal(text, v); err != nil {
		return wrongType(err)
	}
	return nil
}

// checkJSON refuses what is no JSON object, has a name twice, or holds text that cannot be stored.
func checkJSON(text []byte) error {
	d := jsontext.NewDecoder(bytes.NewReader(text))
	if kind := d.PeekKind(); kind != '{' && kind != 0 {
		return errJSON("The body has to be a JSON object like {\"name\":\"…\"}.", "")
	}
	for {
		t, err := d.ReadToken()
		if errors.Is(err, io.EOF) && d.StackDepth() == 0 && d.InputOffset() > 0 {
			return nil
		}
		if err != nil {
			return notJSON(err)
		}
		if t.Kind() == '"' && strings.ContainsRune(t.String(), 0) {
			field := fieldOf(d.StackPointer())
			return errField(field, "invalid_character", "%s holds the character U+0000, which cannot be stored. Leave it out.", field)
		}
	}
}

// notJSON says where the fault lies and quotes nothing: what is there may be a secret.
func notJSON(err error) error {
	var wrong *jsontext.SyntacticError
	switch {
	case !errors.As(err, &wrong):
		return fault.New(fault.Invalid, "invalid_json", "The body is not valid JSON.").Because(err)
	case errors.Is(err, jsontext.ErrDuplicateName):
		field := fieldOf(wrong.JSONPointer)
		return errJSON("The body has the member "+field+" twice.", field)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return errJSON("The body is JSON that ends too early.", "")
	}
	f := fault.New(fault.Invalid, "invalid_json", "The body is not valid JSON: look at byte %d.", wrong.ByteOffset+1)
	return f.On(fieldOf(wrong.JSONPointer))
}

func errJSON(message, field string) error {
	return fault.New(fault.Invalid, "invalid_json", "%s", message).On(field)
}

func wrongType(err error) error {
	var wrong *json.SemanticError
	if !errors.As(err, &wrong) {
		return notJSON(err)
	}
	field := fieldOf(wrong.JSONPointer)
	return errField(field, "invalid_type", "%s has to be %s.", field, described(wrong.GoType))
}

func described(t reflect.Type) string {
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t == nil {
		return "of another type"
	}
	switch t.Kind() {
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice:
		return "an array"
	case reflect.Struct, reflect.Map:
		return "an object"
	default:
		return "of another type"
	}
}

// fieldOf writes a place in the body as people do: domain_data.0.domain.
func fieldOf(p jsontext.Pointer) string {
	const longest = 80
	name := []rune(strings.ReplaceAll(strings.TrimPrefix(string(p), "/"), "/", "."))
	return string(name[:min(len(name), longest)])
}

// textOrNull reads a member that null empties: nil if it was left out.
func textOrNull(field string, v jsontext.Value) (*string, error) {
	var text string
	switch v.Kind() {
	case 0: // left out
		return nil, nil //nolint:nilnil // nothing was said and nothing is wrong
	case 'n':
		return &text, nil
	case '"':
		if err := json.Unmarshal(v, &text); err != nil {
			return nil, fmt.Errorf("%s of a body that was read as JSON: %w", field, err)
		}
		return &text, nil
	default:
		return nil, errField(field, "invalid_type", "%s has to be a string or null.", field)
	}
}
