package webhook

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/rollcallhq/rollcall/internal/token"
)

// secretPrefix begins every secret, as Standard Webhooks wants it; what follows is base64 of the key.
const secretPrefix = "whsec_"

// newSecret makes one of 256 random bits.
func newSecret() token.Secret {
	var key [32]byte
	rand.Read(key[:])
	return token.Secret(secretPrefix + base64.StdEncoding.EncodeToString(key[:]))
}

// workosSignature is the header WorkOS-Signature: the HMAC-SHA256 of milliseconds, a dot and the body, by the secret as it is
// written, in hexadecimal. Its readers take exactly one v1.
func workosSignature(secret token.Secret, at time.Time, body []byte) string {
	t := strconv.FormatInt(at.UnixMilli(), 10)
	return "t=" + t + ", v1=" + hex.EncodeToString(mac([]byte(secret.Reveal()), t+".", body))
}

// standardSignature is the header webhook-signature (Standard Webhooks): the HMAC-SHA256 of event id, seconds and body, by the key
// that the secret holds, in base64; one for each secret that is valid.
func standardSignature(secrets []token.Secret, id string, at time.Time, body []byte) (string, error) {
	head := id + "." + strconv.FormatInt(at.Unix(), 10) + "."
	signatures := make([]string, len(secrets))
	for i, secret := range secrets {
		key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret.Reveal(), secretPrefix))
		if err != nil {
			return "", fmt.Errorf("a stored secret is not base64: %w", err)
		}
		signatures[i] = "v1," + base64.StdEncoding.EncodeToString(mac(key, head, body))
	}
	return strings.Join(signatures, " "), nil
}

func mac(key []byte, head string, body []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(head))
	h.Write(body)
	return h.Sum(nil)
}
