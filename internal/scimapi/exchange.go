package scimapi

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/rollcallhq/rollcall/internal/directory"
)

// What is kept of one request at most, in bytes.
const (
	keptBody  = 64 << 10
	keptList  = 4 << 10 // of a list that was read: the beginning tells enough, and imports read everything
	keptPath  = 4 << 10
	keptAgent = 512
)

// exchange is what is recorded of a visit, without what only a call knows.
func (v *visit) exchange(s *server, d directory.Directory, a answer) *directory.Exchange {
	return &directory.Exchange{
		OrganizationID: d.OrganizationID, DirectoryID: d.ID, At: v.at, Method: shorten(text(v.method)), Path: v.recordedPath(),
		Status: a.status, Took: s.o.Now().Sub(v.at), RequestID: v.requestID, UserAgent: cutText(v.agent, keptAgent),
		Answer: keptAnswer(a.body, a.keep()),
	}
}

// keep is how much of the answer is recorded.
func (a answer) keep() int {
	if a.list {
		return keptList
	}
	return keptBody
}

// exchange is what is recorded of the call as it stands.
func (c *call) exchange() *directory.Exchange {
	x := c.visit.exchange(c.server, c.access.Directory, c.answer)
	x.TokenID = c.access.TokenID
	x.Body = kept(c.bodyText(), keptBody)
	c.effect.unheeded = c.access.Directory.Switching == directory.Retired
	x.Effect = c.unechoed(x, c.effect).appendJSON(make([]byte, 0, 256))
	// A client over its limit comes a thousand times a second, and one whose feature is off says the same for months; as those
	// without a token, they are kept in limited number.
	x.Refused = c.effect.repeatsItself()
	return x
}

// record makes the exchange inside the transaction of a verb; show sets the answer for its outcome.
func (c *call) record(show func(directory.Outcome)) directory.Record {
	return func(o directory.Outcome) *directory.Exchange {
		c.effect.outcome = o
		show(o)
		return c.exchange()
	}
}

// mustShow is for answers made inside a transaction from a document that was written by this process a moment ago.
func (c *call) mustShow(err error) {
	if err != nil {
		c.logAfterWrite("answer", err)
	}
}

// logAfterWrite: the write stands, its answer is poorer than it should be.
func (c *call) logAfterWrite(what string, err error) {
	c.server.log.ErrorContext(c.ctx, "the answer to a write is incomplete", "missing", what, "request_id", c.requestID,
		"directory", c.access.Directory.ID, "error", err)
}

// bodyText is the body as it is recorded: that of a bulk operation is its data.
func (c *call) bodyText() []byte {
	if c.data != nil {
		return c.data.AppendJSON(nil)
	}
	return c.body
}

// kept is a body as it may be stored: passwords gone, valid UTF-8 without U+0000, and no longer than limit, with a mark where
// it was cut.
func kept(body []byte, limit int) []byte {
	if len(body) == 0 {
		return nil
	}
	body = redacted(body)
	if len(body) <= limit {
		return storable(body)
	}
	return cutBody(body, limit)
}

// keptAnswer does not look at more of a long answer than is kept: we write names before values.
func keptAnswer(body []byte, limit int) []byte {
	if len(body) <= limit || mentionsPassword(body[:limit]) {
		return kept(body, limit)
	}
	return cutBody(body, limit)
}

// cutBody copies, so that the rest can be freed.
func cutBody(body []byte, limit int) []byte {
	const mark = "…(cut)"
	limit -= len(mark)
	return []byte(cutText(string(body[:min(len(body), limit+1)]), limit) + mark)
}

// storable: PostgreSQL's text can hold neither broken UTF-8 nor U+0000.
func storable(b []byte) []byte {
	if utf8.Valid(b) && bytes.IndexByte(b, 0) < 0 {
		return b
	}
	return []byte(text(string(b)))
}

func text(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

// cutText shortens to at most limit bytes, never within a character.
func cutText(s string, limit int) string {
	if len(s) > limit {
		for limit > 0 && !utf8.RuneStart(s[limit]) {
			limit--
		}
		s = s[:limit]
	}
	return text(s)
}

// recordedPath is the path below the base address with the query: known parameters as sent, of others the names only, because
// people do put tokens there.
func (v *visit) recordedPath() string {
	if v.query == "" {
		return cutText(v.target.path, keptPath)
	}
	var b strings.Builder
	b.WriteString(v.target.path)
	separator := byte('?')
	for part := range strings.SplitSeq(v.query, "&") {
		if part == "" {
			continue
		}
		b.WriteByte(separator)
		separator = '&'
		b.WriteString(recordedParameter(part))
	}
	return cutText(b.String(), keptPath)
}

func recordedParameter(part string) string {
	name, value, hasValue := strings.Cut(part, "=")
	_, known := parameterNamed(strings.Trim(unescape(name), "? "))
	if !hasValue || known && !mentionsPassword([]byte(unescape(value))) {
		return part
	}
	return name + "=" + hidden
}
