package db

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"maps"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// backupReader reads a backup line by line. What it gives is to be believed only when nextTable has returned nil and no error: the
// checksum is at the end.
type backupReader struct {
	lines   *bufio.Reader
	sum     hash.Hash
	number  int64  // of the line
	line    []byte // read ahead; nil when it was used
	long    []byte // room for a line longer than the buffer
	columns []tableColumn
	table   string
	values  []any
	tokens  *jsontext.Decoder
	summary BackupSummary
}

func openBackup(r io.Reader) (*backupReader, error) {
	gz, err := gzip.NewReader(r)
	if err != nil {
		return nil, &DamagedBackupError{Line: 1, Reason: "this is no backup of Rollcall, or its beginning is missing (" + err.Error() + ")"}
	}
	b := &backupReader{lines: bufio.NewReaderSize(gz, 64<<10), sum: sha256.New(), tokens: jsontext.NewDecoder(bytes.NewReader(nil))}
	b.summary.Tables = map[string]int64{}
	if err := b.peek(); err != nil {
		return nil, err
	}
	h := &b.summary.BackupHeader
	if err := json.Unmarshal(b.line, h); err != nil || h.Format != backupFormat {
		return nil, b.damaged("this is no backup of Rollcall: its first line does not say so")
	}
	if h.Version != backupVersion {
		return nil, fmt.Errorf("db: the backup has format %d, this program reads format %d: use the release that made it (%s)", h.Version, backupVersion, h.Program)
	}
	b.use()
	return b, nil
}

func (b *backupReader) damaged(format string, args ...any) error {
	return &DamagedBackupError{Line: b.number, Reason: fmt.Sprintf(format, args...)}
}

// peek has the next line in b.line, without its end.
func (b *backupReader) peek() error {
	if b.line != nil {
		return nil
	}
	b.number++
	part, err := b.lines.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		b.long = append(b.long[:0], part...)
		for errors.Is(err, bufio.ErrBufferFull) {
			if len(b.long) > longestLine {
				return b.damaged("the line is longer than %d bytes", longestLine)
			}
			part, err = b.lines.ReadSlice('\n')
			b.long = append(b.long, part...)
		}
		part = b.long
	}
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return b.damaged("it ends before its end: the file is cut off")
	case errors.Is(err, gzip.ErrChecksum), errors.Is(err, gzip.ErrHeader):
		return b.damaged("its bytes were altered (%v)", err)
	case err != nil:
		return b.unreadable(err)
	}
	b.line = part
	return nil
}

// unreadable tells bytes that make no sense from a file that cannot be read.
func (b *backupReader) unreadable(err error) error {
	if corrupt := flate.CorruptInputError(0); errors.As(err, &corrupt) {
		return b.damaged("%v", err)
	}
	return fmt.Errorf("db: read the backup at line %d: %w", b.number, err)
}

// use takes the line into the checksum.
func (b *backupReader) use() {
	b.sum.Write(b.line)
	b.line = nil
}

// nextTable goes to the next table and is nil after the last, when everything has been checked.
func (b *backupReader) nextTable() (*backupTable, error) {
	if err := b.peek(); err != nil {
		return nil, err
	}
	var is struct {
		backupTable
		End *backupEnd `json:"end"`
	}
	if isRow(b.line) || json.Unmarshal(b.line, &is) != nil || is.End == nil && (is.Table == "" || len(is.Columns) == 0) {
		return nil, b.damaged("a table or the end of the backup is expected here")
	}
	if is.End != nil {
		return nil, b.finish(is.End)
	}
	if _, again := b.summary.Tables[is.Table]; again {
		return nil, b.damaged("the table %.60q comes twice", is.Table)
	}
	b.summary.Tables[is.Table] = 0
	b.table, b.columns, b.values = is.Table, is.Columns, make([]any, len(is.Columns))
	b.use()
	return &is.backupTable, nil
}

func (b *backupReader) finish(end *backupEnd) error {
	b.summary.SHA256 = hex.EncodeToString(b.sum.Sum(nil))
	switch {
	case end.SHA256 != b.summary.SHA256:
		return b.damaged("the checksum of its contents is %s and not %.64s: it was altered", b.summary.SHA256, end.SHA256)
	case !maps.Equal(end.Rows, b.summary.Tables):
		return b.damaged("it holds %v rows and announces %v", b.summary.Tables, end.Rows)
	}
	// To the end of the stream, where gzip has its own checksum.
	b.number++
	if n, err := io.Copy(io.Discard, io.LimitReader(b.lines, 1)); err != nil || n > 0 {
		return b.damaged("something follows its end, or the end itself is cut off (%v)", err)
	}
	return nil
}

// nextRow gives the next row of the table, nil after the last. The slice is used again for the next one.
func (b *backupReader) nextRow() ([]any, error) {
	if err := b.peek(); err != nil {
		return nil, err
	}
	if !isRow(b.line) {
		return nil, nil
	}
	if err := b.parse(); err != nil {
		return nil, b.damaged("a row of %.60s cannot be read: %v", b.table, err)
	}
	b.use()
	b.summary.Tables[b.table]++
	b.summary.Rows++
	return b.values, nil
}

func (b *backupReader) parse() error {
	b.tokens.Reset(bytes.NewReader(b.line))
	if _, err := b.tokens.ReadToken(); err != nil { // [
		return err
	}
	for i := range b.values {
		t, err := b.tokens.ReadToken()
		if err != nil {
			return err
		}
		if b.values[i], err = valueOf(t, b.columns[i].Type); err != nil {
			return fmt.Errorf("column %.60s: %w", b.columns[i].Name, err)
		}
	}
	if t, err := b.tokens.ReadToken(); err != nil || t.Kind() != ']' {
		return fmt.Errorf("it has not %d columns", len(b.values))
	}
	if _, err := b.tokens.ReadToken(); !errors.Is(err, io.EOF) {
		return errors.New("something follows it on its line")
	}
	return nil
}

func valueOf(t jsontext.Token, want columnType) (any, error) {
	switch kind := t.Kind(); {
	case kind == 'n':
		return nil, nil
	case kind == '"' && want == typeText:
		s := t.String()
		return s, checkText(s)
	case kind == '0' && want == typeInteger:
		return strconv.ParseInt(t.String(), 10, 64)
	case (kind == 't' || kind == 'f') && want == typeBoolean:
		return t.Bool(), nil
	default:
		return nil, fmt.Errorf("%s where %.20s belongs", kind, want)
	}
}
