package scimapi

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"time"

	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/scim"
)

// cursors makes and checks the cursors of RFC 9865: an expiry and a place in the list, signed together with everything that the
// place depends on, in base64url. Who holds one learns nothing but an id that was on the page, and can use it only for
// the list it is of.
type cursors struct {
	secret []byte
	life   time.Duration
	now    func() time.Time
}

// listing is what a cursor is bound to: whose list, of what, and in which order.
type listing struct {
	directory string
	endpoint  string
	filter    string
	sortBy    string
	sortOrder string
}

// place is where a page starts: after an id, or after a number of matches where the order is not that of ids.
type place struct {
	after  string
	offset int
}

const (
	cursorVersion = 1
	signatureSize = 16 // bytes of the HMAC that are kept: 128 bits cannot be guessed
	longestCursor = 512
)

func (c cursors) encode(l listing, p place) string {
	raw := make([]byte, 0, 80)
	raw = append(raw, cursorVersion)
	raw = binary.AppendVarint(raw, c.now().Add(c.life).Unix())
	raw = binary.AppendUvarint(raw, uint64(max(0, p.offset)))
	raw = append(raw, p.after...)
	return base64.RawURLEncoding.EncodeToString(append(raw, c.sign(l, raw)...))
}

// decode gives the place. A cursor that was tampered with, is of another directory or list or was never ours is refused in
// the same words (RFC 9865 section 5.2).
func (c cursors) decode(l listing, text string) (place, error) {
	if len(text) > longestCursor {
		return place{}, invalidCursor()
	}
	signed, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(signed) <= signatureSize {
		return place{}, invalidCursor()
	}
	raw, signature := signed[:len(signed)-signatureSize], signed[len(signed)-signatureSize:]
	if !hmac.Equal(signature, c.sign(l, raw)) || raw[0] != cursorVersion {
		return place{}, invalidCursor()
	}
	expiry, n := binary.Varint(raw[1:])
	if n <= 0 {
		return place{}, invalidCursor()
	}
	offset, m := binary.Uvarint(raw[1+n:])
	if m <= 0 {
		return place{}, invalidCursor()
	}
	if c.now().Unix() > expiry {
		return place{}, fault.New(fault.Invalid, scim.CodeExpiredCursor, "The cursor has expired; they are good for %s. Start again with an empty cursor.", c.life)
	}
	return place{after: string(raw[1+n+m:]), offset: int(offset)}, nil
}

func invalidCursor() error {
	return fault.New(fault.Invalid, scim.CodeInvalidCursor,
		"The cursor is not one of this list. Send nextCursor as it was answered, with the same filter and order, or start again with an empty cursor.").On("cursor")
}

// sign separates the fields by their lengths, so that none can pass for a part of another.
func (c cursors) sign(l listing, raw []byte) []byte {
	mac := hmac.New(sha256.New, c.secret)
	buf := []byte("scim cursor")
	for _, field := range []string{l.directory, l.endpoint, l.filter, l.sortBy, l.sortOrder} {
		buf = binary.AppendUvarint(buf, uint64(len(field)))
		buf = append(buf, field...)
	}
	mac.Write(buf)
	mac.Write(raw)
	return mac.Sum(nil)[:signatureSize]
}
