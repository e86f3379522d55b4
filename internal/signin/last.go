package signin

import (
	"encoding/base64"

	"github.com/go-json-experiment/json"

	"github.com/rollcallhq/rollcall/internal/lifecycle"
	"github.com/rollcallhq/rollcall/internal/web"
)

// readLast reads what a browser remembers; whatever is not of our making is nothing.
func readLast(cookie string) (last lifecycle.Last) {
	const longest = 600
	text, err := base64.RawURLEncoding.DecodeString(cookie)
	if err != nil || len(text) > longest || json.Unmarshal(text, &last) != nil || !web.IsText(last.Email) || !web.IsText(last.OrganizationID) {
		return lifecycle.Last{}
	}
	return last
}

func writeLast(last lifecycle.Last) string {
	text, err := json.Marshal(last)
	if err != nil { // invalid UTF-8 in an address: then nothing is remembered
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(text)
}
