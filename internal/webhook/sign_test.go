package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"github.com/rollcallhq/rollcall/internal/token"
)

func hexMAC(key []byte, text string) string {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return hex.EncodeToString(h.Sum(nil))
}

func base64MAC(key []byte, text string) string {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

// The example that the Standard Webhooks libraries test themselves with.
func TestStandard_signature_is_that_of_the_published_example(t *testing.T) {
	got, err := standardSignature([]token.Secret{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}, "msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`))
	if want := "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="; got != want || err != nil {
		t.Errorf("got %s %v, want %s", got, err, want)
	}
}

func TestWorkOS_signature_is_over_milliseconds_and_body_by_the_written_secret(t *testing.T) {
	at := time.UnixMilli(1700000000123)
	got := workosSignature("whsec_abc", at, []byte(`{"a":1}`))
	// Computed with: printf '1700000000123.{"a":1}' | openssl dgst -sha256 -hmac whsec_abc
	if want := "t=1700000000123, v1=75c42704e18a5b637ea9791ebee51011ba21ae5cda1df0ec94373fe075c5870d"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestSecrets_are_new_each_time_and_hold_256_bits(t *testing.T) {
	a, b := newSecret(), newSecret()
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(a.Reveal(), "whsec_"))
	if a == b || err != nil || len(key) != 32 {
		t.Errorf("%s %s: %d bytes, %v", a.Reveal(), b.Reveal(), len(key), err)
	}
}
