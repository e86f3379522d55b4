package lifecycle

import (
	"encoding/base64"
)

// addressable writes any text so that it can stand in a path.
func addressable(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

func fromAddress(path string) (string, bool) {
	text, err := base64.RawURLEncoding.Strict().DecodeString(path)
	return string(text), err == nil
}
