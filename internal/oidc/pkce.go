package oidc

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"strings"
)

// Challenge is the S256 challenge of a verifier (RFC 7636, section 4.2).
func Challenge(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// CheckVerifier compares a code verifier with the challenge that the code was asked for with, in constant time. A verifier for a code
// without challenge is refused too: it shows that somebody took the challenge out of the request (RFC 9700, section 4.8.2).
func CheckVerifier(challenge, verifier string) error {
	switch {
	case challenge == "" && verifier == "":
		return nil
	case challenge == "":
		return Refuse(InvalidGrant, "code_verifier came for a code that was asked for without code_challenge.").On("code_verifier")
	case verifier == "":
		return Refuse(InvalidGrant, "code_verifier is missing.").On("code_verifier")
	case !isVerifier(verifier):
		return Refuse(InvalidGrant, "code_verifier has 43 to 128 characters of A-Z a-z 0-9 - . _ ~.").On("code_verifier")
	case subtle.ConstantTimeCompare([]byte(Challenge(verifier)), []byte(challenge)) != 1:
		return Refuse(InvalidGrant, "code_verifier does not fit the code_challenge.").On("code_verifier")
	}
	return nil
}

// isVerifier follows RFC 7636, section 4.1.
func isVerifier(s string) bool {
	return len(s) >= 43 && len(s) <= 128 && !strings.ContainsFunc(s, func(r rune) bool {
		return !(r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || strings.ContainsRune("-._~", r))
	})
}
