package scim

import (
	"strings"
	"unicode/utf8"
)

// CompareOp is a comparison operator of RFC 7644 table 3.
type CompareOp string

// The closed list of comparison operators. `pr` is not one of them: it is the node Present.
const (
	OpEq CompareOp = "eq"
	OpNe CompareOp = "ne"
	OpCo CompareOp = "co"
	OpSw CompareOp = "sw"
	OpEw CompareOp = "ew"
	OpGt CompareOp = "gt"
	OpGe CompareOp = "ge"
	OpLt CompareOp = "lt"
	OpLe CompareOp = "le"
)

var compareOps = [...]CompareOp{OpEq, OpNe, OpCo, OpSw, OpEw, OpGt, OpGe, OpLt, OpLe}

func compareOpOf(word string) (CompareOp, bool) {
	for _, op := range compareOps {
		if strings.EqualFold(word, string(op)) {
			return op, true
		}
	}
	return "", false
}

// ordering reports the operators that ask which of two values comes first.
func (op CompareOp) ordering() bool {
	return op == OpGt || op == OpGe || op == OpLt || op == OpLe
}

// Filter is a parsed filter (RFC 7644 section 3.4.2.2). Its String is a filter that parses to the same tree.
type Filter interface {
	isFilter()
	String() string
}

// And holds when both sides do.
type And struct{ Left, Right Filter }

// Or holds when either side does.
type Or struct{ Left, Right Filter }

// Not holds when Of does not.
type Not struct{ Of Filter }

// Compare holds when any value at Path compares with Value as Op says. Path may carry a value filter, as in
// `emails[type eq "work"].value eq "a@example.com"`, which Microsoft Entra sends.
type Compare struct {
	Path  Path
	Op    CompareOp
	Value Value // String, Number, Bool or Null
}

// Present holds when there is a value at Path (`pr`).
type Present struct{ Path Path }

// ValuePath holds when one element of Path satisfies Path.Filter: `emails[type eq "work" and primary eq true]`.
type ValuePath struct{ Path Path }

func (And) isFilter()       {}
func (Or) isFilter()        {}
func (Not) isFilter()       {}
func (Compare) isFilter()   {}
func (Present) isFilter()   {}
func (ValuePath) isFilter() {}

// `and` binds tighter than `or` and both group to the left, so only these operands need their parentheses kept.
func (f And) String() string {
	return operand(f.Left, isOr(f.Left)) + " and " + operand(f.Right, isOr(f.Right) || isAnd(f.Right))
}

func (f Or) String() string {
	return operand(f.Left, false) + " or " + operand(f.Right, isOr(f.Right))
}

func (f Not) String() string       { return "not (" + f.Of.String() + ")" }
func (f Present) String() string   { return f.Path.String() + " pr" }
func (f ValuePath) String() string { return f.Path.String() }

func (f Compare) String() string {
	return f.Path.String() + " " + string(f.Op) + " " + string(f.Value.AppendJSON(nil))
}

func isAnd(f Filter) bool { _, ok := f.(And); return ok }
func isOr(f Filter) bool  { _, ok := f.(Or); return ok }

func operand(f Filter, grouped bool) string {
	if grouped {
		return "(" + f.String() + ")"
	}
	return f.String()
}

// FilterLimits bounds what a stranger's filter or path may cost. A zero field means its default.
type FilterLimits struct {
	Length int // bytes of text
	Depth  int // nested parentheses and brackets
	Nodes  int // comparisons and logical operators together
}

// DefaultFilterLimits are far above anything an identity provider sends.
var DefaultFilterLimits = FilterLimits{Length: 8192, Depth: 32, Nodes: 256}

func (l FilterLimits) filled() FilterLimits {
	if l.Length <= 0 {
		l.Length = DefaultFilterLimits.Length
	}
	if l.Depth <= 0 {
		l.Depth = DefaultFilterLimits.Depth
	}
	if l.Nodes <= 0 {
		l.Nodes = DefaultFilterLimits.Nodes
	}
	return l
}

// SimpleEq recognises exactly `attribute eq "literal"` without escapes: the look-up that every identity provider sends
// before each create. ok false says nothing about the filter; parse it with ParseFilter then.
func SimpleEq(s string) (attr, value string, ok bool) {
	end := strings.IndexByte(s, ' ')
	if end <= 0 {
		return "", "", false
	}
	attr, rest := s[:end], strings.TrimLeft(s[end:], " ")
	if len(rest) < 4 || !strings.EqualFold(rest[:2], "eq") {
		return "", "", false
	}
	rest = strings.TrimLeft(rest[2:], " ")
	if len(rest) < 2 || rest[0] != '"' || rest[len(rest)-1] != '"' {
		return "", "", false
	}
	value = rest[1 : len(rest)-1]
	if !isDottedName(attr) || !isPlainLiteral(value) {
		return "", "", false
	}
	return attr, value, true
}

func isDottedName(s string) bool {
	head, sub, dotted := strings.Cut(s, ".")
	return isAttributeName(head) && (!dotted || isAttributeName(sub))
}

// isPlainLiteral: no quote, escape or control character, so the text is its own value.
func isPlainLiteral(s string) bool {
	ascii := true
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c < 0x20 || c == '"' || c == '\\' {
			return false
		}
		ascii = ascii && c < utf8.RuneSelf
	}
	return ascii || utf8.ValidString(s)
}
