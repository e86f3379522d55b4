package web

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"

	"github.com/rollcallhq/rollcall/internal/token"
)

// FormToken is what the forms of one session carry, in hexadecimal: made of the session's cookie, which no other site and no script can read,
// it says nothing about that cookie. purpose keeps the tokens of different cookies apart.
func FormToken(cookie token.Secret, purpose string) string {
	mac := hmac.New(sha256.New, []byte(cookie.Reveal()))
	mac.Write([]byte(purpose))
	return hex.EncodeToString(mac.Sum(nil))
}
