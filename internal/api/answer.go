package api

import (
	"fmt"
	"net/http"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/rollcallhq/rollcall/internal/web"
)

// answer is what a handler says. A nil body is none at all.
type answer struct {
	status int
	body   any
}

// streamed is a body that writes itself. It may fail only as long as it has written nothing.
type streamed func(w http.ResponseWriter) error

// written is a body that is JSON already.
type written []byte

func ok(body any) answer { return answer{http.StatusOK, body} }

func (a answer) write(w http.ResponseWriter) error {
	if stream, is := a.body.(streamed); is {
		return stream(w)
	}
	if a.body == nil {
		w.WriteHeader(a.status)
		return nil
	}
	text, err := encode(a.body)
	if err != nil {
		return err
	}
	web.WriteBody(w, a.status, "application/json", text)
	return nil
}

// encode takes what is stored as it is: a request line or user agent once recorded may be no UTF-8, and that must not
// make a whole list unreadable. HTML characters stay what they are.
func encode(v any) ([]byte, error) {
	if text, is := v.(written); is {
		return text, nil
	}
	text, err := json.Marshal(v, jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true))
	if err != nil {
		return nil, fmt.Errorf("encode an answer: %w", err)
	}
	return text, nil
}

// extended adds the members of more, a struct, to a JSON object that has some.
func extended(object []byte, more any) (jsontext.Value, error) {
	extra, err := encode(more)
	if err != nil {
		return nil, err
	}
	return slices.Concat(object[:len(object)-1], []byte{','}, extra[1:]), nil
}

// optional makes the contract's null of what is not set.
func optional[T ~string](s T) *T {
	if s == "" {
		return nil
	}
	return &s
}
