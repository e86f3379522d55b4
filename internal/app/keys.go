package app

import (
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

// SealingKeys open what is sealed in the database. The first one seals.
type SealingKeys [][]byte

// derive makes a key for one purpose from the first sealing key (HKDF, RFC 5869). Processes that share the sealing key agree
// on it; exchanging that key ends what was signed with the derived one.
func (k SealingKeys) derive(purpose string) ([]byte, error) {
	return hkdf.Key(sha256.New, k[0], nil, "rollcall "+purpose, keyBytes)
}

// keyFileName is the sealing key that SQLite's data folder gets. A backup of the database does not contain it.
const keyFileName = "secret.key"

// sealingKeys finds the keys the configuration names; only with SQLite may one be made.
func sealingKeys(c Config) (SealingKeys, error) {
	if c.SecretKey != nil {
		return SealingKeys{c.SecretKey}, nil
	}
	if len(c.SecretKeyFiles) > 0 {
		var keys SealingKeys
		for _, path := range c.SecretKeyFiles {
			key, err := readKeyFile(path, writableByOthers)
			if err != nil {
				return nil, fmt.Errorf("sealing key: %w", err)
			}
			keys = append(keys, key)
		}
		return keys, nil
	}
	if c.DatabaseURL != "" {
		return nil, errors.New("PostgreSQL needs a sealing key: give --secret-key-file or ROLLCALL_SECRET_KEY")
	}
	key, err := ownKey(filepath.Join(c.DataDir, keyFileName))
	return SealingKeys{key}, err
}

func ownKey(path string) ([]byte, error) {
	key, err := readKeyFile(path, openToOthers)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	key = make([]byte, keyBytes)
	rand.Read(key)
	return key, writeKeyFile(path, key)
}

// writeKeyFile is whole or not there: a half-written key would lock its owner out for ever. Of two processes that start at
// once the second fails rather than using another key.
func writeKeyFile(path string, key []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), ".secret-*") // made with mode 0600
	if err != nil {
		return fmt.Errorf("sealing key: %w", err)
	}
	defer os.Remove(tmp.Name()) //nolint:errcheck // a left-over name is harmless, and gone already when all went well
	_, err = tmp.WriteString(base64.StdEncoding.EncodeToString(key) + "\n")
	err = errors.Join(err, tmp.Sync(), tmp.Close())
	if err == nil {
		err = os.Link(tmp.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("sealing key: %w", err)
	}
	return nil
}

// What others may not do with a key file. Our own is private. One that the operator names may be readable, because container
// platforms mount secrets that way; nobody else may exchange it.
const (
	openToOthers     fs.FileMode = 0o077
	writableByOthers fs.FileMode = 0o022
)

func readKeyFile(path string, forbidden fs.FileMode) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, unreadable(path, err)
	}
	// Windows has no such bits; access lists are the operator's there.
	if mode := info.Mode().Perm(); mode&forbidden != 0 && runtime.GOOS != "windows" {
		return nil, fmt.Errorf("%s is open to others (mode %04o); run: chmod 600 %s", path, mode, path)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, unreadable(path, err)
	}
	key, err := parseKey(string(raw))
	if err != nil {
		return nil, fmt.Errorf("%s %w", path, err)
	}
	return key, nil
}

func unreadable(path string, err error) error {
	return fmt.Errorf("%s cannot be read: %w", path, reason(err))
}
