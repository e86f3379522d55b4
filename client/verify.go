package client

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// ErrWebhook is what every failure of VerifyWebhook is, by errors.Is. Answer it with a 400 and do nothing else.
var ErrWebhook = errors.New("the webhook cannot be trusted")

// DefaultTolerance is how far a webhook's time may be from ours.
const DefaultTolerance = 5 * time.Minute

// VerifyWebhook checks that a payload comes from who knows one of the secrets, unchanged, and was signed within tolerance (0:
// DefaultTolerance) of now (zero: the present). Two signatures are understood: Standard Webhooks, and WorkOS-Signature; where
// both are there the first counts. payload is the body as it came, before any JSON was read. While secrets are exchanged, give
// both. A repetition within the tolerance passes: keep the ids of events that were dealt with.
func VerifyWebhook(payload []byte, header http.Header, secrets []string, tolerance time.Duration, now time.Time) (Event, error) {
	if tolerance <= 0 {
		tolerance = DefaultTolerance
	}
	if now.IsZero() {
		now = time.Now()
	}
	s, err := readSignature(payload, header)
	if err != nil {
		return Event{}, err
	}
	if !s.matchesAny(secrets) {
		return Event{}, distrust("no secret fits the signature")
	}
	if age := now.Sub(s.at); age > tolerance || age < -tolerance {
		return Event{}, distrust("it was signed at %s, too far from now", s.at.UTC().Format(time.RFC3339))
	}
	e, err := decode[Event](payload)
	if err != nil {
		return Event{}, distrust("the body is not JSON")
	}
	if s.id != "" && s.id != e.ID {
		return Event{}, distrust("the id of the header is not that of the event")
	}
	return e, nil
}

func distrust(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrWebhook}, args...)...)
}

// signature is what a header claims.
type signature struct {
	id     string    // of the message, where the scheme signs it
	at     time.Time // when it was signed
	signed []byte    // what was signed
	sums   [][]byte
	key    func(secret string) ([]byte, bool)
}

func readSignature(payload []byte, header http.Header) (signature, error) {
	if header.Get("Webhook-Signature") != "" {
		return standardSignature(payload, header)
	}
	if text := header.Get("WorkOS-Signature"); text != "" {
		return workosSignature(payload, text)
	}
	return signature{}, distrust("it has no signature")
}

// standardSignature: "v1,<base64>" separated by blanks over "id.seconds.body", the key in base64 after whsec_
// (standardwebhooks.com, specification 1.0).
func standardSignature(payload []byte, header http.Header) (signature, error) {
	id, seconds := header.Get("Webhook-Id"), header.Get("Webhook-Timestamp")
	n, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil || id == "" {
		return signature{}, distrust("its headers are incomplete")
	}
	s := signature{id: id, at: time.Unix(n, 0), signed: sign(id+"."+seconds+".", payload), key: func(secret string) ([]byte, bool) {
		key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
		return key, err == nil && len(key) > 0
	}}
	for part := range strings.FieldsSeq(header.Get("Webhook-Signature")) {
		version, text, _ := strings.Cut(part, ",")
		if sum, err := base64.StdEncoding.DecodeString(text); version == "v1" && err == nil {
			s.sums = append(s.sums, sum)
		}
	}
	return s, nil
}

// workosSignature: "t=<milliseconds>, v1=<hex>" over "t.body", the key being the secret as it is written.
func workosSignature(payload []byte, text string) (signature, error) {
	s := signature{key: func(secret string) ([]byte, bool) { return []byte(secret), secret != "" }}
	var millis string
	for part := range strings.SplitSeq(text, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch name {
		case "t":
			millis = value
		case "v1":
			if sum, err := hex.DecodeString(value); err == nil {
				s.sums = append(s.sums, sum)
			}
		}
	}
	n, err := strconv.ParseInt(millis, 10, 64)
	if err != nil {
		return s, distrust("its signature has no time")
	}
	s.at, s.signed = time.UnixMilli(n), sign(millis+".", payload)
	return s, nil
}

func sign(head string, payload []byte) []byte { return append([]byte(head), payload...) }

// matchesAny compares with every secret, also after one has matched, in constant time.
func (s signature) matchesAny(secrets []string) bool {
	found := false
	for _, secret := range secrets {
		key, ok := s.key(secret)
		if !ok {
			continue
		}
		mac := hmac.New(sha256.New, key)
		mac.Write(s.signed)
		want := mac.Sum(nil)
		for _, sum := range s.sums {
			if hmac.Equal(sum, want) {
				found = true
			}
		}
	}
	return found
}
