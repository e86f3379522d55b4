package idempotency

import (
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/rollcallhq/rollcall/internal/fault"
)

const (
	// Lifetime is how long an answer is kept.
	Lifetime = 24 * time.Hour

	// Patience is how long a claim without an answer counts as a request under way. It is longer than any request may take, with
	// room for the clocks of replicas.
	Patience = 2 * time.Minute

	// MaxKey is the longest key, in bytes.
	MaxKey = 255

	// MaxAnswer is the largest body that is kept, in bytes.
	MaxAnswer = 1 << 20

	retryAfter = time.Second
)

// Key is what a client sent as Idempotency-Key, in the form of one.
type Key string

// ParseKey takes 1 to MaxKey printable ASCII characters. The refusal does not repeat them.
func ParseKey(text string) (Key, error) {
	if text == "" || len(text) > MaxKey {
		return "", errKey("has to have 1 to 255 characters; a UUID is a good one")
	}
	for i := range len(text) {
		if text[i] < ' ' || text[i] > '~' {
			return "", errKey("may hold printable ASCII characters only; a UUID is a good one")
		}
	}
	return Key(text), nil
}

func errKey(why string) error {
	return fault.New(fault.Invalid, "invalid_idempotency_key", "The header Idempotency-Key %s.", why).On("Idempotency-Key")
}

// Request is what a client asks for. Path holds the query, if there is one.
type Request struct {
	Caller string // whose key it is: an id, never the secret
	Route  string // method and pattern
	Path   string
	Key    Key
	Body   []byte
}

// keyHash names the row. Lengths part what is hashed, so that no two requests can be written alike.
func (r Request) keyHash() string { return digest(r.Route, string(r.Key)) }

// asked is the hash of what was asked. The key salts it: short bodies could be guessed otherwise.
func (r Request) asked() string { return digest(string(r.Key), r.Path, string(r.Body)) }

func digest(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		one := sha256.Sum256([]byte(p))
		h.Write(one[:])
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Answer is what a client was told. A nil Body is none at all.
type Answer struct {
	Status      int
	ContentType string
	Body        []byte
}

// sealedAnswer is what the column holds, sealed. The status is in it too, so that only what we wrote is ever replayed.
type sealedAnswer struct {
	Status      int    `json:"status"`
	ContentType string `json:"type,omitempty"`
	Body        []byte `json:"body"`
}

func (a Answer) encoded() []byte {
	text, err := json.Marshal(sealedAnswer(a), jsontext.AllowInvalidUTF8(true))
	if err != nil { // a number, a text and bytes
		panic(err)
	}
	return text
}

func errReused() error {
	return fault.New(fault.Unprocessable, "idempotency_key_reused",
		"This Idempotency-Key was used for another request to this route. Send the very same request again, or a new key.").On("Idempotency-Key")
}

func errUnderWay() error {
	f := fault.New(fault.Conflict, "idempotency_in_progress",
		"The first request with this Idempotency-Key is under way. Send it again after the time in Retry-After to get its answer.")
	f.RetryAfter = retryAfter
	return f
}

func errUnknown() error {
	return fault.New(fault.Conflict, "idempotency_unknown",
		"The first request with this Idempotency-Key was cut off, and it is not known whether it took effect; it is not carried out twice. "+
			"Look whether what you asked for is there, and if it is not, send the request with a new key.")
}

func errNotKept(status int64) error {
	return fault.New(fault.Conflict, "idempotency_answer_not_kept",
		"The first request with this Idempotency-Key was carried out and answered %d, but its answer was too large to keep. Read what it made instead.", status)
}
