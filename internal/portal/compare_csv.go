package portal

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/lifecycle"
)

// Limits of a list that is compared.
const (
	maxList      = 8 << 20 // bytes
	maxListRows  = 100_000
	longestField = 1000 // bytes, of a name or an address
)

// columns of a list, as its header names them. The first of a kind that fits is taken.
type columns struct{ email, userName, active int }

// Headers that providers write, folded: letters and digits alone.
func emailHeaders() []string {
	return []string{"email", "emailaddress", "primaryemail", "mail", "workemail", "emailaddressrequired", "useremail"}
}

func userNameHeaders() []string {
	return []string{"username", "userprincipalname", "upn", "login", "userlogin", "loginname", "userid"}
}

func activeHeaders() []string {
	return []string{"active", "isactive", "enabled", "accountenabled", "status", "userstatus", "statusreadonly", "state", "userstate"}
}

// readList reads people from CSV. Whatever is wrong is said with the number of its line.
func readList(text []byte) ([]lifecycle.Listed, error) {
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	if err := readable(text); err != nil {
		return nil, err
	}
	r := csv.NewReader(bytes.NewReader(text))
	r.Comma, r.ReuseRecord, r.FieldsPerRecord = separator(text), true, 0
	header, err := r.Read()
	if err != nil {
		return nil, errCSV(err, 0)
	}
	at, err := columnsOf(header)
	if err != nil {
		return nil, err
	}
	var out []lifecycle.Listed
	seen := map[string]int{}
	for {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, errCSV(err, len(header))
		}
		line, _ := r.FieldPos(0)
		one, err := at.person(record, line)
		if err != nil {
			return nil, err
		}
		if before, twice := seen[strings.ToLower(one.Name())]; twice {
			return nil, wrongLine(line, "%s stands there a second time, after line %d. Each person is listed once.", one.Name(), before)
		}
		seen[strings.ToLower(one.Name())] = line
		if out = append(out, one); len(out) > maxListRows {
			return nil, wrongLine(line, "The list has more than %d people. Compare it in parts.", maxListRows)
		}
	}
	if len(out) == 0 {
		return nil, wrongLine(1, "The list has a line of headings and nobody below it.")
	}
	return out, nil
}

// wrongLine is a refusal that names the line.
func wrongLine(line int, format string, args ...any) error {
	return fault.New(fault.Unprocessable, "invalid_csv", "Line %d: %s", line, fmt.Sprintf(format, args...)).On("list")
}

func readable(text []byte) error {
	switch {
	case len(bytes.TrimSpace(text)) == 0:
		return fault.New(fault.Unprocessable, "invalid_csv", "The file is empty. Choose the list that your identity provider has exported.").On("list")
	case bytes.HasPrefix(text, []byte("PK\x03\x04")):
		return fault.New(fault.Unprocessable, "invalid_csv", "This is a workbook. Save it as CSV (UTF-8) and choose that file.").On("list")
	case utf8.Valid(text) && bytes.IndexByte(text, 0) < 0:
		return nil
	}
	line := 1
	for part := range bytes.Lines(text) {
		if !utf8.Valid(part) || bytes.IndexByte(part, 0) >= 0 {
			break
		}
		line++
	}
	return wrongLine(line, "There are characters in it that are no UTF-8. Export the list as CSV (UTF-8).")
}

// separator is what the first line is parted by: programs of some countries write semicolons.
func separator(text []byte) rune {
	first, _, _ := bytes.Cut(text, []byte("\n"))
	best := ','
	for _, c := range []rune{';', '\t'} {
		if bytes.Count(first, []byte(string(c))) > bytes.Count(first, []byte(string(best))) {
			best = c
		}
	}
	return best
}

func errCSV(err error, fields int) error {
	var wrong *csv.ParseError
	if !errors.As(err, &wrong) {
		return fmt.Errorf("read a list: %w", err)
	}
	switch {
	case errors.Is(wrong.Err, csv.ErrFieldCount):
		return wrongLine(wrong.Line, "It has another number of columns than the first line, which has %d.", fields)
	case errors.Is(wrong.Err, csv.ErrQuote):
		return wrongLine(wrong.StartLine, "A quotation mark is opened in it and not closed, or something follows one that is closed.")
	case errors.Is(wrong.Err, csv.ErrBareQuote):
		return wrongLine(wrong.Line, "A quotation mark stands within a value that does not begin with one. Write it twice, and the value in quotation marks.")
	}
	return wrongLine(wrong.Line, "It cannot be read as CSV.")
}

func columnsOf(header []string) (columns, error) {
	find := func(names []string) int {
		for _, n := range names {
			if at := slices.IndexFunc(header, func(h string) bool { return foldedHeader(h) == n }); at >= 0 {
				return at
			}
		}
		return -1
	}
	c := columns{find(emailHeaders()), find(userNameHeaders()), find(activeHeaders())}
	if c.email < 0 && c.userName < 0 {
		return c, wrongLine(1, "There is no column named email or userName, so nobody can be told apart. The first line has to name the columns.")
	}
	return c, nil
}

// foldedHeader keeps letters and digits: "E-Mail Address" and "emailAddress" are one.
func foldedHeader(text string) string {
	return strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' {
			return c
		}
		return -1
	}, strings.ToLower(text))
}

func (c columns) person(record []string, line int) (lifecycle.Listed, error) {
	at := func(i int) string {
		if i < 0 {
			return ""
		}
		return strings.TrimSpace(record[i])
	}
	one := lifecycle.Listed{Line: line, Email: at(c.email), UserName: at(c.userName), In: activeOf(at(c.active))}
	switch {
	case one.Name() == "":
		return one, wrongLine(line, "It has neither an email address nor a user name.")
	case len(one.Email) > longestField || len(one.UserName) > longestField:
		return one, wrongLine(line, "The email address or the user name is longer than %d bytes.", longestField)
	}
	return one, nil
}

// activeOf reads what providers write into a column about the state; nil: it says nothing that we know.
func activeOf(text string) *bool {
	yes, no := true, false
	switch foldedHeader(text) {
	case "true", "yes", "y", "1", "active", "enabled", "activated", "passwordexpired", "passwordreset", "recovery", "lockedout": // still assigned
		return &yes
	case "false", "no", "n", "0", "inactive", "disabled", "deactivated", "deprovisioned", "deleted", "terminated":
		return &no
	}
	return nil
}
