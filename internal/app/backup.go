package app

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/rollcallhq/rollcall/internal/db"
	"github.com/rollcallhq/rollcall/internal/db/migrations"
	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/event"
	"github.com/rollcallhq/rollcall/internal/issuer"
	"github.com/rollcallhq/rollcall/internal/webhook"
)

// Progress is told now and then how many rows are done.
type Progress func(rows int64)

// BackupSummary tells what is in a backup.
type BackupSummary = db.BackupSummary

// Backup writes everything in the database as of one moment to w. A server may be running on it.
func Backup(ctx context.Context, c Config, version string, log *slog.Logger, w io.Writer, tell Progress) (s BackupSummary, err error) {
	keys, err := presentKeys(c)
	if err != nil {
		return s, err
	}
	store, err := openForBackup(ctx, c, log)
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	o := backupOptions(store, tell)
	o.Program = version
	if len(keys) > 0 {
		o.Key = keys[:1].names()[0]
	}
	if s, err = store.Backup(ctx, w, o); err != nil {
		return s, fmt.Errorf("back up %s: %w", c.DescribeDatabase(), err)
	}
	return s, nil
}

// Restored is what Restore did. KeyProblem is what the operator has to know about the sealing key, empty when it is the right one
// or when nothing can be told.
type Restored struct {
	BackupSummary
	KeyProblem string
}

// Restore fills the database that the configuration names, which must be empty, from a backup.
func Restore(ctx context.Context, c Config, log *slog.Logger, r io.Reader, tell Progress) (done Restored, err error) {
	keys, err := presentKeys(c)
	if err != nil {
		return done, err
	}
	store, err := OpenDatabase(ctx, c, log)
	if err != nil {
		return done, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	if done.BackupSummary, err = store.Restore(ctx, r, backupOptions(store, tell)); err != nil {
		return done, fmt.Errorf("restore into %s: %w", c.DescribeDatabase(), err)
	}
	done.KeyProblem = c.keyProblem(keys, done.Key)
	return done, nil
}

// VerifyBackup reads a backup to its end and checks everything that can be checked without a database.
func VerifyBackup(ctx context.Context, r io.Reader, tell Progress) (BackupSummary, error) {
	return db.VerifyBackup(ctx, r, db.BackupOptions{Progress: tell})
}

func backupOptions(store *db.DB, tell Progress) db.BackupOptions {
	now := time.Now()
	return db.BackupOptions{
		Now: now, Migrations: migrations.Files, Progress: tell,
		Packings: []db.Packing{event.Packing(store), directory.Packing(now), webhook.Packing(), issuer.Packing()},
	}
}

// openForBackup makes nothing: a backup of a mistyped folder must not succeed by making an empty database there.
func openForBackup(ctx context.Context, c Config, log *slog.Logger) (*db.DB, error) {
	opts := db.Options{URL: c.DatabaseURL, Logger: log, ReadOnly: true, Readers: 1, MaxConns: 2}
	if c.DatabaseURL == "" {
		opts.Path = filepath.Join(c.DataDir, databaseFile)
		if _, err := os.Stat(opts.Path); err != nil {
			return nil, fmt.Errorf("there is no database to back up at %s (%w): name its folder with --data-dir, or PostgreSQL with --database-url", opts.Path, reason(err))
		}
	}
	store, err := db.Open(ctx, opts)
	if err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	return store, nil
}

// presentKeys are the sealing keys there are; none is made.
func presentKeys(c Config) (SealingKeys, error) {
	if c.SecretKey != nil || len(c.SecretKeyFiles) > 0 || c.DatabaseURL != "" {
		return sealingKeys(c)
	}
	key, err := readKeyFile(filepath.Join(c.DataDir, keyFileName), openToOthers)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("sealing key: %w", err)
	}
	return SealingKeys{key}, nil
}

// names tell sealing keys apart without telling anything about them.
func (k SealingKeys) names() []string {
	out := make([]string, len(k))
	for i := range k {
		name, err := k[i:].derive("name of this key")
		if err == nil { // only a wrong length could fail
			out[i] = hex.EncodeToString(name[:8])
		}
	}
	return out
}

func (c Config) keyProblem(keys SealingKeys, wanted string) string {
	where := filepath.Join(c.DataDir, keyFileName)
	switch {
	case wanted == "" || slices.Contains(keys.names(), wanted):
		return ""
	case len(keys) == 0:
		return "There is no sealing key yet. Put the one of the old installation at " + where +
			", or name its file with --secret-key-file, before the first start: else a new key is made, and what the old one sealed (secrets of webhook endpoints) cannot be opened."
	default:
		return "The sealing key here is not the one that sealed what is in the backup: secrets of webhook endpoints cannot be opened with it. Give the old key before the start, the new one first and the old one second to rotate."
	}
}

// KeyPlace says where the sealing key is kept, for people who have to keep it too.
func (c Config) KeyPlace() string {
	switch {
	case len(c.SecretKeyFiles) > 0:
		return c.SecretKeyFiles[0]
	case c.SecretKey != nil:
		return "ROLLCALL_SECRET_KEY"
	default:
		return filepath.Join(c.DataDir, keyFileName)
	}
}
