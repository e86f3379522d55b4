package db

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// Sealer keeps secrets unreadable in the database and its backups: AES-256-GCM with a random nonce. Each sealed text is bound to
// its place, so that a row's secret cannot be moved to another row.
type Sealer struct{ keys []cipher.AEAD }

// sealedForm begins every sealed text; a later form would begin otherwise.
const sealedForm = "s1."

// ErrSealed says that none of the sealing keys opens a text: it was sealed with another key, belongs elsewhere, or was changed.
var ErrSealed = errors.New("db: no sealing key opens this; give the key it was sealed with, the former one beside the new while rotating")

// NewSealer takes sealing keys of at least 16 bytes, the first of which seals.
func NewSealer(keys ...[]byte) (*Sealer, error) {
	if len(keys) == 0 {
		return nil, errors.New("db: a sealer needs a key")
	}
	s := &Sealer{}
	for _, key := range keys {
		derived, err := hkdf.Key(sha256.New, key, nil, "rollcall sealed columns", 32)
		if err != nil {
			return nil, fmt.Errorf("db: sealing key: %w", err)
		}
		block, err := aes.NewCipher(derived)
		if err != nil {
			return nil, fmt.Errorf("db: sealing key: %w", err)
		}
		aead, err := cipher.NewGCMWithRandomNonce(block)
		if err != nil {
			return nil, fmt.Errorf("db: sealing key: %w", err)
		}
		s.keys = append(s.keys, aead)
	}
	return s, nil
}

// Seal makes the text to store. place names table, column and row, like "webhook_endpoints.secret/we_01…".
func (s *Sealer) Seal(place string, secret []byte) string {
	return sealedForm + base64.RawStdEncoding.EncodeToString(s.keys[0].Seal(nil, nil, secret, []byte(place))) //nolint:gosec // NewGCMWithRandomNonce makes the nonce itself and takes none
}

// Open gives the secret back, or [ErrSealed].
func (s *Sealer) Open(place, sealed string) ([]byte, error) {
	text, ok := strings.CutPrefix(sealed, sealedForm)
	raw, err := base64.RawStdEncoding.DecodeString(text)
	if !ok || err != nil {
		return nil, ErrSealed
	}
	for _, key := range s.keys {
		if secret, err := key.Open(nil, nil, raw, []byte(place)); err == nil {
			return secret, nil
		}
	}
	return nil, ErrSealed
}
