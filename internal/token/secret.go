package token

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"hash/crc32"
	"math/big"
	"strings"
)

// Secret is a bearer token or key in clear. It is shown once, never stored and never logged: printing it gives dots.
type Secret string

// String hides the secret from logs and error texts; Reveal is the only way to the text.
func (Secret) String() string { return "•••" }

// GoString hides it from %#v too.
func (Secret) GoString() string { return "•••" }

// Reveal gives the clear text, for the one answer that shows it.
func (s Secret) Reveal() string { return string(s) }

// Suffix is the last four characters: enough for a person to tell two tokens apart.
func (s Secret) Suffix() string { return string(s[max(0, len(s)-4):]) }

// Hash is the SHA-256 of a secret in hexadecimal: all that is stored of it. No slow hash is needed, because a secret
// holds 256 random bits and cannot be guessed.
type Hash string

// HashOf hashes a secret, made here or sent by a caller.
func HashOf(s Secret) Hash {
	sum := sha256.Sum256([]byte(s))
	return Hash(hex.EncodeToString(sum[:]))
}

// Matches compares in constant time.
func (h Hash) Matches(s Secret) bool {
	return subtle.ConstantTimeCompare([]byte(h), []byte(HashOf(s))) == 1
}

const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// NewSecret makes a secret: prefix, "_", 32 random bytes in base 62 and a checksum of six characters, by which secret
// scanners recognise a leaked one.
func NewSecret(prefix string) Secret {
	var raw [32]byte
	rand.Read(raw[:])
	body := prefix + "_" + base62(raw[:], 43)
	sum := crc32.ChecksumIEEE([]byte(body))
	return Secret(body + base62([]byte{byte(sum >> 24), byte(sum >> 16), byte(sum >> 8), byte(sum)}, 6))
}

// WellFormed checks prefix and checksum, so that a mistyped secret can be told from a revoked one.
func WellFormed(s Secret, prefix string) bool {
	body, found := strings.CutPrefix(string(s), prefix+"_")
	if !found || len(body) != 49 {
		return false
	}
	sum := crc32.ChecksumIEEE([]byte(s[:len(s)-6]))
	return base62([]byte{byte(sum >> 24), byte(sum >> 16), byte(sum >> 8), byte(sum)}, 6) == string(s[len(s)-6:])
}

// NewKey makes n random lower-case letters and digits, for addresses that an identity provider stores: Okta refuses
// underscores in them, and some providers fold their case.
func NewKey(n int) string {
	const letters = "abcdefghijklmnopqrstuvwxyz0123456789"
	raw := make([]byte, 0, n)
	for buf := [1]byte{}; len(raw) < n; {
		rand.Read(buf[:])
		if int(buf[0]) < 256/len(letters)*len(letters) { // no bias towards the first letters
			raw = append(raw, letters[int(buf[0])%len(letters)])
		}
	}
	return string(raw)
}

func base62(raw []byte, width int) string {
	n, radix, digit := new(big.Int).SetBytes(raw), big.NewInt(int64(len(alphabet))), new(big.Int)
	out := make([]byte, width)
	for i := width - 1; i >= 0; i-- {
		n.DivMod(n, radix, digit)
		out[i] = alphabet[digit.Int64()]
	}
	return string(out)
}
