package scim

import "strings"

// Path names an attribute, one of its sub-attributes, or chosen elements of it (RFC 7644 section 3.5.2, figure 1):
// `userName`, `name.givenName`, `emails[type eq "work"].value`, each also behind a schema URN and a colon.
//
// A path that is only a URN has an empty Attr and names the container of that extension. Which part of
// `urn:…:2.0:User` is the URN and which the attribute cannot be known without the schemas, so ParsePath splits at the
// last colon and the resource type decides (resolve).
type Path struct {
	URN    string
	Attr   string
	Sub    string
	Filter Filter // nil without brackets
}

// ParsePath reads a PATCH path. Refusals: 400 invalidPath, for the filter in brackets 400 invalidFilter.
func ParsePath(s string, lim FilterLimits) (Path, error) {
	p := filterParser{text: s, lim: lim.filled(), code: CodeInvalidPath}
	if err := p.checkText("path"); err != nil {
		return Path{}, err
	}
	p.skipBlanks()
	path, err := p.path()
	if err != nil {
		return Path{}, err
	}
	p.skipBlanks()
	if p.pos < len(p.text) {
		return Path{}, p.refuse("the path should end at character %d, but %q follows", p.column(), shorten(p.text[p.pos:]))
	}
	return path, nil
}

// String gives a path that parses to the same Path.
func (p Path) String() string {
	if p.Attr == "" {
		return p.URN
	}
	var b strings.Builder
	if p.URN != "" {
		b.WriteString(p.URN)
		b.WriteByte(':')
	}
	b.WriteString(p.Attr)
	if p.Filter != nil {
		b.WriteByte('[')
		b.WriteString(p.Filter.String())
		b.WriteByte(']')
	}
	if p.Sub != "" {
		b.WriteByte('.')
		b.WriteString(p.Sub)
	}
	return b.String()
}

// splitName splits a dotted, perhaps URN-qualified name. `…:User.manager.value` has one part more than an attribute and
// its sub-attribute can have: the dot after the URN stands for the colon (Entra writes it so).
func splitName(s string) (Path, bool) {
	colon := strings.LastIndexByte(s, ':')
	if colon < 0 {
		head, sub, dotted := strings.Cut(s, ".")
		return Path{Attr: head, Sub: sub}, isAttributeName(head) && (!dotted || isAttributeName(sub))
	}
	if urn := s[:colon]; looksLikeURN(urn) {
		if p, ok := splitQualified(urn, strings.Split(s[colon+1:], ".")); ok {
			return p, true
		}
	}
	return Path{URN: s}, looksLikeURN(s) && s[len(s)-1] != ':'
}

func splitQualified(urn string, parts []string) (Path, bool) {
	for _, part := range parts {
		if !isAttributeName(part) {
			return Path{}, false
		}
	}
	switch len(parts) {
	case 1:
		return Path{URN: urn, Attr: parts[0]}, true
	case 2:
		return Path{URN: urn, Attr: parts[0], Sub: parts[1]}, true
	case 3:
		return Path{URN: urn + ":" + parts[0], Attr: parts[1], Sub: parts[2]}, true
	}
	return Path{}, false
}

// withDotAsColon reads `urn:…:User.emails` as `urn:…:User:emails`.
func (p Path) withDotAsColon() Path {
	return Path{URN: p.URN + ":" + p.Attr, Attr: p.Sub, Filter: p.Filter}
}

func looksLikeURN(s string) bool {
	for _, scheme := range [...]string{"urn:", "http://", "https://"} {
		if len(s) > len(scheme) && strings.EqualFold(s[:len(scheme)], scheme) {
			return true
		}
	}
	return false
}

// isAttributeName is RFC 7643 section 2.1: a letter, then letters, digits, `-` and `_`; `$` for `$ref`.
func isAttributeName(s string) bool {
	if s == "" || !(isLetter(s[0]) || s[0] == '$') {
		return false
	}
	for i := 1; i < len(s); i++ {
		if c := s[i]; !isLetter(c) && !isDigit(c) && c != '-' && c != '_' && c != '$' {
			return false
		}
	}
	return true
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }
func isDigit(c byte) bool  { return '0' <= c && c <= '9' }

// isNameByte also takes what may stand in a URN or URL that qualifies a name.
func isNameByte(c byte) bool {
	return isLetter(c) || isDigit(c) || strings.IndexByte("-_$:./%#~@", c) >= 0
}

// place is what a Path means to a resource type.
type place struct {
	container string     // URN of the extension container; "" in the core
	known     bool       // false: no schema has this URN
	whole     bool       // the path is only a URN
	name      string     // the attribute's spelling in documents; as written if unknown
	attr      *Attribute // nil if unknown
	subName   string     // "" without sub-attribute
	sub       *Attribute // nil if unknown
}

// unknown reports a name or URN that no schema declares.
func (p place) unknown() bool {
	return !p.known || (!p.whole && p.attr == nil) || (p.subName != "" && p.sub == nil)
}

// resolve finds what a path names, by any letter case and any known alias of a URN.
func (r *ResourceType) resolve(p Path) place {
	if p.URN == "" {
		return locate("", r.Core, p)
	}
	s := r.Schema(p.URN)
	if s != nil && (p.Attr == "" || s.Attribute(p.Attr) != nil) {
		return locate(r.containerOf(s), s, p)
	}
	if s == nil && p.Attr == "" {
		// A last segment that is no attribute's name is one all the same behind a known URN, as in Prepare.
		if of, attr := r.splitQualified(p.URN); of != nil {
			return locate(r.containerOf(of), of, Path{Attr: attr})
		}
	}
	if p.Attr != "" {
		// The last segment may belong to the URN: `urn:…:2.0:User`, or with Entra's dot `urn:…:2.0:User.manager`.
		shifted := p.withDotAsColon()
		if longer := r.Schema(shifted.URN); longer != nil && p.Filter == nil {
			return locate(r.containerOf(longer), longer, shifted)
		}
		if s == nil && p.Filter == nil && endsInVersion(p.URN) {
			return locate(shifted.URN, nil, shifted)
		}
	}
	if s != nil {
		return locate(r.containerOf(s), s, p)
	}
	return locate(p.URN, nil, p)
}

// containerOf is the member of a document that holds the schema's attributes: none for the core schema.
func (r *ResourceType) containerOf(s *Schema) string {
	if s == r.Core {
		return ""
	}
	return s.ID
}

func locate(container string, s *Schema, p Path) place {
	at := place{container: container, known: s != nil, whole: p.Attr == "", name: p.Attr, subName: p.Sub}
	if s == nil || at.whole {
		return at
	}
	if at.attr = s.Attribute(p.Attr); at.attr == nil {
		return at
	}
	at.name = at.attr.Name
	if at.subName == "" {
		return at
	}
	// An element of a multi-valued attribute without sub-attributes is itself its `value`.
	if at.attr.Type != TypeComplex && at.attr.Multi && strings.EqualFold(at.subName, "value") {
		at.subName = ""
		return at
	}
	if at.sub = at.attr.SubAttribute(at.subName); at.sub != nil {
		at.subName = at.sub.Name
	}
	return at
}

// endsInVersion recognises `…:2.0`, behind which a schema URN still has the name of its resource.
func endsInVersion(urn string) bool {
	last := urn[strings.LastIndexByte(urn, ':')+1:]
	digits := strings.Count(last, ".") // dots count too: only digits and dots may be there
	for i := 0; i < len(last); i++ {
		if isDigit(last[i]) {
			digits++
		}
	}
	return last != "" && digits == len(last) && isDigit(last[0])
}
