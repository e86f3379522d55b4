package db

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"path"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/pressly/goose/v3"
)

// A backup is a gzip stream of lines of JSON, the same from either engine:
//
//	{"format":"rollcall backup","version":1,"schema":2,…}                      once
//	{"table":"organizations","columns":[{"name":"id","type":"text"},…]}        for each table
//	["org_01…","Acme",null,1763730000000000]                                   its rows
//	{"end":{"rows":{"organizations":1,…},"sha256":"…"}}                        once, over every byte before it
//
// Tables come after those they refer to, so that rows can be put back in order.
const (
	backupFormat  = "rollcall backup"
	backupVersion = 1
	// longestLine bounds a line in bytes, and so what reading a damaged file can cost.
	longestLine = 256 << 20
	// backupCompression: higher levels take a core for a few percent less.
	backupCompression = 3
	progressEvery     = 4096 // rows
)

// BackupHeader says what a backup is of.
type BackupHeader struct {
	Format  string    `json:"format"`
	Version int       `json:"version"` // of the format
	Schema  int64     `json:"schema"`  // newest migration of the database
	Engine  Engine    `json:"engine"`
	Program string    `json:"program"` // version of the program that made it
	At      time.Time `json:"at"`
	// Key tells whether a sealing key is the one that sealed what is in the backup; it is no help in finding that key.
	Key string `json:"sealing_key,omitempty"`
}

// BackupSummary is a header and what followed it.
type BackupSummary struct {
	BackupHeader
	Tables map[string]int64 // rows by table
	Rows   int64
	SHA256 string // of the uncompressed lines before the last
}

type backupTable struct {
	Table   string        `json:"table"`
	Columns []tableColumn `json:"columns"`
}

type backupEnd struct {
	Rows   map[string]int64 `json:"rows"`
	SHA256 string           `json:"sha256"`
}

// Packing is what a noun says about its tables in a backup. A table nobody speaks of is carried as it is.
type Packing struct {
	// Leave names tables that are not carried, and why.
	Leave map[string]string
	// From gives a table's rows where they are not simply the table's: what follows SELECT and its columns.
	From map[string]string
	// Seeded is the condition for rows that migrations put there: an empty database has them, and a backup's rows take their place.
	Seeded map[string]string
	// Hold runs just before the snapshot is read. Its reader's first query is what fixes the moment.
	Hold func(ctx context.Context, r Reader) error
	// Finish runs in the restoring transaction after the last row.
	Finish func(ctx context.Context, tx Tx) error
}

type packings []Packing

func (all packings) leave(table string) bool {
	for _, p := range all {
		if _, ok := p.Leave[table]; ok {
			return true
		}
	}
	return false
}

func (all packings) from(table string) string {
	for _, p := range all {
		if from, ok := p.From[table]; ok {
			return from
		}
	}
	return "FROM " + quoteName(table)
}

func (all packings) seeded(table string) (condition string, ok bool) {
	for _, p := range all {
		if condition, ok = p.Seeded[table]; ok {
			return condition, true
		}
	}
	return "", false
}

func (all packings) hold(ctx context.Context, r Reader) error {
	for _, p := range all {
		if p.Hold != nil {
			if err := p.Hold(ctx, r); err != nil {
				return err
			}
		}
	}
	return nil
}

func (all packings) finish(ctx context.Context, tx Tx) error {
	for _, p := range all {
		if p.Finish != nil {
			if err := p.Finish(ctx, tx); err != nil {
				return err
			}
		}
	}
	return nil
}

// BackupOptions are what Backup, Restore and VerifyBackup need; each uses some.
type BackupOptions struct {
	Program    string // version of this program
	Key        string // of the present sealing key; see BackupHeader
	Now        time.Time
	Migrations fs.FS
	Packings   []Packing
	// Progress is told the rows done so far, now and then; nil for nobody.
	Progress func(rows int64)
}

func (o BackupOptions) tell(rows int64) {
	if o.Progress != nil && rows%progressEvery == 0 {
		o.Progress(rows)
	}
}

// Backup writes everything as of one moment to w. Others go on reading and writing meanwhile. On SQLite the write-ahead log grows
// until it is done.
func (d *DB) Backup(ctx context.Context, w io.Writer, o BackupOptions) (s BackupSummary, err error) {
	known, err := newestKnown(o.Migrations)
	if err != nil {
		return s, err
	}
	all := packings(o.Packings)
	err = d.Snapshot(ctx, func(r Reader) error {
		if err := all.hold(ctx, r); err != nil {
			return err
		}
		schema, err := schemaVersion(ctx, d.kind, r)
		switch {
		case err != nil:
			return err
		case schema == 0:
			return errors.New("db: the database is new: there is nothing to back up")
		case schema > known:
			return &NewerSchemaError{Found: schema, Known: known}
		}
		tables, err := catalogue(ctx, d.kind, r, all.leave)
		if err != nil {
			return err
		}
		b, err := newBackupWriter(w, BackupHeader{
			Format: backupFormat, Version: backupVersion, Schema: schema, Engine: d.kind, Program: o.Program, At: o.Now.UTC(), Key: o.Key,
		})
		if err != nil {
			return err
		}
		for _, t := range tables {
			if err := b.table(ctx, r, t, all.from(t.name), o); err != nil {
				return fmt.Errorf("db: back up %s: %w", t.name, err)
			}
		}
		s, err = b.end()
		return err
	})
	return s, err
}

// newestKnown is the number of the newest migration.
func newestKnown(migrations fs.FS) (newest int64, err error) {
	names, err := fs.Glob(migrations, "*.sql")
	if err != nil {
		return 0, err
	}
	for _, name := range names {
		n, err := goose.NumericComponent(path.Base(name))
		if err != nil {
			return 0, fmt.Errorf("db: migration %s: %w", name, err)
		}
		newest = max(newest, n)
	}
	return newest, nil
}

type backupWriter struct {
	gz      *gzip.Writer
	sum     hash.Hash
	line    []byte
	summary BackupSummary
}

func newBackupWriter(w io.Writer, h BackupHeader) (*backupWriter, error) {
	gz, err := gzip.NewWriterLevel(w, backupCompression)
	if err != nil {
		return nil, err
	}
	b := &backupWriter{gz: gz, sum: sha256.New(), summary: BackupSummary{BackupHeader: h, Tables: map[string]int64{}}}
	return b, b.structure(h)
}

func (b *backupWriter) structure(v any) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return b.write(append(raw, '\n'))
}

func (b *backupWriter) write(line []byte) error {
	if len(line) > longestLine {
		return fmt.Errorf("a row of %d bytes is longer than a backup can hold (%d)", len(line), longestLine)
	}
	b.sum.Write(line) // never fails
	_, err := b.gz.Write(line)
	return err
}

func (b *backupWriter) table(ctx context.Context, r Reader, t tableInfo, from string, o BackupOptions) error {
	if err := b.structure(backupTable{Table: t.name, Columns: t.columns}); err != nil {
		return err
	}
	b.summary.Tables[t.name] = 0
	rows, err := r.Query(ctx, "SELECT "+t.columnList()+" "+from)
	if err != nil {
		return err
	}
	defer rows.Close()
	values, into := make([]any, len(t.columns)), make([]any, len(t.columns))
	for i := range values {
		into[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		if err := b.row(t.columns, values); err != nil {
			return err
		}
		b.summary.Tables[t.name]++
		b.summary.Rows++
		o.tell(b.summary.Rows)
	}
	return rows.Err()
}

func (b *backupWriter) row(columns []tableColumn, values []any) error {
	line := append(b.line[:0], '[')
	for i, v := range values {
		if i > 0 {
			line = append(line, ',')
		}
		var err error
		if line, err = appendValue(line, columns[i].Type, v); err != nil {
			return fmt.Errorf("column %s: %w", columns[i].Name, err)
		}
	}
	b.line = append(line, ']', '\n')
	return b.write(b.line)
}

// appendValue refuses what does not fit the column: SQLite would keep it, and PostgreSQL could not take it back.
func appendValue(line []byte, is columnType, v any) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return append(line, "null"...), nil
	case string:
		if is == typeText {
			return jsontext.AppendQuote(line, v)
		}
	case int64:
		if is == typeInteger {
			return strconv.AppendInt(line, v, 10), nil
		}
	case bool:
		if is == typeBoolean {
			return strconv.AppendBool(line, v), nil
		}
	}
	return nil, fmt.Errorf("holds a %T where %s belongs", v, is)
}

// end writes the last line. The stream is complete only when this has returned nil.
func (b *backupWriter) end() (BackupSummary, error) {
	b.summary.SHA256 = hex.EncodeToString(b.sum.Sum(nil))
	err := b.structure(struct {
		End backupEnd `json:"end"`
	}{backupEnd{Rows: b.summary.Tables, SHA256: b.summary.SHA256}})
	return b.summary, errors.Join(err, b.gz.Close())
}

// VerifyBackup reads a whole backup and tells what is in it, or a *[DamagedBackupError].
func VerifyBackup(ctx context.Context, r io.Reader, o BackupOptions) (BackupSummary, error) {
	b, err := openBackup(r)
	if err != nil {
		return BackupSummary{}, err
	}
	for {
		t, err := b.nextTable()
		if err != nil || t == nil {
			return b.summary, err
		}
		for {
			row, err := b.nextRow()
			if err != nil {
				return b.summary, err
			}
			if row == nil {
				break
			}
			o.tell(b.summary.Rows)
		}
		if err := ctx.Err(); err != nil {
			return b.summary, err
		}
	}
}

// DamagedBackupError says that a file is no backup, or not a whole or unchanged one.
type DamagedBackupError struct {
	Line   int64 // counted from 1
	Reason string
}

func (e *DamagedBackupError) Error() string {
	return fmt.Sprintf("db: the backup is damaged at line %d: %s", e.Line, e.Reason)
}

// isRow tells a row from a line of structure.
func isRow(line []byte) bool { return bytes.HasPrefix(line, []byte{'['}) }
