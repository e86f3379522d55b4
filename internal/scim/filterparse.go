package scim

import (
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/rollcallhq/rollcall/internal/fault"
)

// ParseFilter reads a filter that was already URL-decoded. All of RFC 7644 section 3.4.2.2 is understood; beyond it
// single-quoted and unquoted literals, a missing blank before a literal and after `not`, because identity providers and
// examples in their documentation send them. Refusal: 400 invalidFilter naming the character.
func ParseFilter(s string, lim FilterLimits) (Filter, error) {
	p := filterParser{text: s, lim: lim.filled(), code: CodeInvalidFilter}
	if err := p.checkText("filter"); err != nil {
		return nil, err
	}
	f, err := p.or()
	if err != nil {
		return nil, err
	}
	if p.pos < len(p.text) {
		return nil, p.refuse("expected `and`, `or` or the end at character %d of the filter, got %q; a literal with blanks has to stand in double quotes",
			p.column(), shorten(p.text[p.pos:]))
	}
	return f, nil
}

// filterParser is a recursive-descent parser. It recurses only where depth is counted, so a stranger cannot exhaust the
// stack.
type filterParser struct {
	text     string
	pos      int
	lim      FilterLimits
	code     string // scimType of what is being read now
	depth    int
	nodes    int
	brackets bool
}

func (p *filterParser) refuse(format string, args ...any) error {
	return fault.New(fault.Invalid, p.code, format, args...)
}

func (p *filterParser) checkText(what string) error {
	switch {
	case len(p.text) > p.lim.Length:
		return p.refuse("the %s is %d bytes long; %d are allowed", what, len(p.text), p.lim.Length)
	case strings.TrimSpace(p.text) == "":
		return p.refuse("the %s is empty", what)
	case !utf8.ValidString(p.text):
		return p.refuse("the %s is not valid UTF-8", what)
	case strings.IndexByte(p.text, 0) >= 0:
		return p.refuse("the %s contains the character U+0000, which no value can hold", what)
	}
	return nil
}

func (p *filterParser) column() int { return utf8.RuneCountInString(p.text[:p.pos]) + 1 }

func (p *filterParser) peek() byte {
	if p.pos < len(p.text) {
		return p.text[p.pos]
	}
	return 0
}

func (p *filterParser) skipBlanks() {
	for p.pos < len(p.text) && isSpace(p.text[p.pos]) {
		p.pos++
	}
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// word gives the run of letters at the position without moving.
func (p *filterParser) word() string {
	end := p.pos
	for end < len(p.text) && isLetter(p.text[end]) {
		end++
	}
	return p.text[p.pos:end]
}

// takeKeyword moves over a logical operator, which ends at a blank or a parenthesis.
func (p *filterParser) takeKeyword(keyword string) bool {
	w := p.word()
	if !strings.EqualFold(w, keyword) {
		return false
	}
	if after := p.pos + len(w); after < len(p.text) && !isSpace(p.text[after]) && p.text[after] != '(' {
		return false
	}
	p.pos += len(w)
	return true
}

func (p *filterParser) enter() error {
	if p.depth++; p.depth > p.lim.Depth {
		return p.refuse("parentheses and brackets are nested deeper than %d at character %d", p.lim.Depth, p.column())
	}
	return nil
}

func (p *filterParser) count() error {
	if p.nodes++; p.nodes > p.lim.Nodes {
		return p.refuse("the filter has more than %d comparisons and operators; split it into several requests", p.lim.Nodes)
	}
	return nil
}

func (p *filterParser) or() (Filter, error) {
	left, err := p.and()
	for err == nil && p.takeKeyword("or") {
		if err = p.count(); err != nil {
			break
		}
		var right Filter
		if right, err = p.and(); err == nil {
			left = Or{left, right}
		}
	}
	return left, err
}

func (p *filterParser) and() (Filter, error) {
	left, err := p.factor()
	for err == nil && p.takeKeyword("and") {
		if err = p.count(); err != nil {
			break
		}
		var right Filter
		if right, err = p.factor(); err == nil {
			left = And{left, right}
		}
	}
	return left, err
}

// factor reads one operand and the blanks behind it.
func (p *filterParser) factor() (Filter, error) {
	p.skipBlanks()
	f, err := p.operand()
	p.skipBlanks()
	return f, err
}

func (p *filterParser) operand() (Filter, error) {
	if p.peek() == '(' {
		return p.group()
	}
	negated, err := p.takeNot()
	if err != nil {
		return nil, err
	}
	if !negated {
		return p.expression()
	}
	if err := p.count(); err != nil {
		return nil, err
	}
	of, err := p.group()
	return Not{of}, err
}

// takeNot moves to the parenthesis behind `not`. Without one, `not` can only be an attribute's name.
func (p *filterParser) takeNot() (bool, error) {
	start := p.pos
	if !p.takeKeyword("not") {
		return false, nil
	}
	p.skipBlanks()
	if p.peek() == '(' {
		return true, nil
	}
	if _, isOp := compareOpOf(p.word()); !isOp && !strings.EqualFold(p.word(), "pr") {
		return false, p.refuse("`not` at character %d needs parentheses: not (…)", start+1)
	}
	p.pos = start
	return false, nil
}

func (p *filterParser) group() (Filter, error) {
	opened := p.column()
	if err := p.enter(); err != nil {
		return nil, err
	}
	p.pos++
	f, err := p.or()
	if err != nil {
		return nil, err
	}
	if p.peek() != ')' {
		return nil, p.refuse("the parenthesis opened at character %d is not closed; got %q at character %d",
			opened, shorten(p.text[p.pos:]), p.column())
	}
	p.pos++
	p.depth--
	return f, nil
}

func (p *filterParser) expression() (Filter, error) {
	if err := p.count(); err != nil {
		return nil, err
	}
	path, err := p.path()
	if err != nil {
		return nil, err
	}
	p.skipBlanks()
	if path.Filter != nil && path.Sub == "" && !p.atOperator() {
		return ValuePath{path}, nil
	}
	return p.comparison(path)
}

func (p *filterParser) atOperator() bool {
	w := p.word()
	_, isOp := compareOpOf(w)
	return isOp || strings.EqualFold(w, "pr")
}

func (p *filterParser) comparison(path Path) (Filter, error) {
	w := p.word()
	if strings.EqualFold(w, "pr") {
		p.pos += len(w)
		return Present{path}, nil
	}
	op, known := compareOpOf(w)
	if !known {
		got := w
		if got == "" {
			got = p.text[p.pos:]
		}
		return nil, p.refuse("expected one of eq, ne, co, sw, ew, gt, ge, lt, le, pr at character %d of the filter, after %s, got %q",
			p.column(), shorten(path.String()), shorten(got))
	}
	p.pos += len(w)
	p.skipBlanks()
	value, err := p.literal(op)
	if err != nil {
		return nil, err
	}
	return Compare{path, op, value}, nil
}

// path reads an attribute path or value path.
func (p *filterParser) path() (Path, error) {
	start, column := p.pos, p.column()
	for p.pos < len(p.text) && isNameByte(p.text[p.pos]) {
		p.pos++
	}
	name := p.text[start:p.pos]
	path, ok := splitName(name)
	if !ok {
		if name == "" {
			name = p.text[start:]
		}
		return Path{}, p.refuse("expected an attribute name at character %d, got %q; write it like userName, name.givenName or emails[type eq \"work\"].value",
			column, shorten(name))
	}
	if !p.atBracket() {
		return path, nil
	}
	return p.valuePath(path)
}

// atBracket moves to an opening bracket; a blank in front of it is forgiven.
func (p *filterParser) atBracket() bool {
	rest := strings.TrimLeft(p.text[p.pos:], " ")
	if rest == "" || rest[0] != '[' {
		return false
	}
	p.pos = len(p.text) - len(rest)
	return true
}

func (p *filterParser) valuePath(path Path) (Path, error) {
	if path.Sub != "" && path.URN != "" {
		path = path.withDotAsColon()
	}
	if path.Attr == "" || path.Sub != "" {
		return Path{}, p.refuse("brackets at character %d may only follow an attribute, not %q", p.column(), shorten(path.String()))
	}
	var err error
	if path.Filter, err = p.bracketed(); err != nil {
		return Path{}, err
	}
	if p.peek() != '.' {
		return path, nil
	}
	p.pos++
	start := p.pos
	for p.pos < len(p.text) && isNameByte(p.text[p.pos]) {
		p.pos++
	}
	path.Sub = p.text[start:p.pos]
	if !isAttributeName(path.Sub) {
		p.pos = start
		return Path{}, p.refuse("expected a sub-attribute's name at character %d, got %q", p.column(), shorten(p.text[start:]))
	}
	return path, nil
}

// bracketed reads `[filter]`. Brackets do not nest (RFC 7644 figure 1), and what is wrong inside is always invalidFilter.
func (p *filterParser) bracketed() (Filter, error) {
	outer := p.code
	p.code = CodeInvalidFilter
	if p.brackets {
		return nil, p.refuse("brackets inside brackets at character %d: a value filter cannot hold another one", p.column())
	}
	if err := p.enter(); err != nil {
		return nil, err
	}
	opened := p.column()
	p.brackets = true
	p.pos++
	f, err := p.or()
	if err != nil {
		return nil, err
	}
	if p.peek() != ']' {
		return nil, p.refuse("the bracket opened at character %d is not closed; got %q at character %d",
			opened, shorten(p.text[p.pos:]), p.column())
	}
	p.pos++
	p.depth--
	p.brackets = false
	p.code = outer
	return f, nil
}

func (p *filterParser) literal(op CompareOp) (Value, error) {
	switch p.peek() {
	case '"':
		return p.quoted()
	case '\'':
		return p.singleQuoted()
	}
	start := p.pos
	for p.pos < len(p.text) && !isSpace(p.text[p.pos]) && strings.IndexByte(`()[]"'`, p.text[p.pos]) < 0 {
		p.pos++
	}
	w := p.text[start:p.pos]
	switch lower := strings.ToLower(w); {
	case lower == "" || lower == "and" || lower == "or":
		p.pos = start
		return Value{}, p.refuse("expected a literal after %s at character %d of the filter: \"text\", a number, true, false or null", op, p.column())
	case lower == "true" || lower == "false":
		return BoolOf(lower == "true"), nil
	case lower == "null":
		return Value{}, nil
	case isNumber(w):
		return NumberOf(w), nil
	default:
		return StringOf(w), nil
	}
}

// quoted reads a JSON string (RFC 7644 section 3.4.2.2 takes its literals from RFC 8259).
func (p *filterParser) quoted() (Value, error) {
	start, end, escaped := p.pos, p.pos+1, false
	for end < len(p.text) && p.text[end] != '"' {
		if p.text[end] == '\\' {
			escaped = true
			end++
		}
		end++
	}
	if end >= len(p.text) {
		return Value{}, p.refuse("the string opened at character %d of the filter has no closing quote", p.column())
	}
	p.pos = end + 1
	if !escaped {
		return StringOf(p.text[start+1 : end]), nil
	}
	text, err := jsontext.AppendUnquote(nil, p.text[start:end+1])
	if err != nil || strings.IndexByte(string(text), 0) >= 0 {
		p.pos = start
		return Value{}, p.refuse("the string at character %d of the filter is no JSON string: check its \\ escapes", p.column())
	}
	return StringOf(string(text)), nil
}

// singleQuoted is no SCIM but sent: the quote itself is written \' or ”.
func (p *filterParser) singleQuoted() (Value, error) {
	start := p.pos
	var b strings.Builder
	for i := start + 1; i < len(p.text); i++ {
		c := p.text[i]
		next := byte(0)
		if i+1 < len(p.text) {
			next = p.text[i+1]
		}
		switch {
		case c == '\'' && next != '\'':
			p.pos = i + 1
			return StringOf(b.String()), nil
		case c == '\'', c == '\\' && (next == '\'' || next == '\\'):
			b.WriteByte(next)
			i++
		default:
			b.WriteByte(c)
		}
	}
	return Value{}, p.refuse("the string opened at character %d of the filter has no closing quote", p.column())
}
