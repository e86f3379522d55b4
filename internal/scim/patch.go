package scim

import (
	"strconv"
	"strings"

	"github.com/rollcallhq/rollcall/internal/fault"
)

// Op is what one PATCH operation does.
type Op string

// The closed list of operations (RFC 7644 section 3.5.2).
const (
	PatchAdd     Op = "add"
	PatchRemove  Op = "remove"
	PatchReplace Op = "replace"
)

var patchOps = [...]Op{PatchAdd, PatchRemove, PatchReplace}

// Operation is one step of a PATCH.
type Operation struct {
	Op       Op
	Path     *Path // nil: Value is an object of attributes
	Value    Value
	HasValue bool // also true for an explicit null
	Index    int  // position in the request, from 0, for messages

	// implied: the path was the name of a member of a pathless value. Clients send back whole resources that way, so what
	// they may not write is passed over instead of refused.
	implied bool
}

// Patch is a parsed PatchOp message; its operations are applied in order, all or none.
type Patch struct{ Operations []Operation }

// ParsePatch reads a PatchOp message (RFC 7644 section 3.5.2). Member names and operations are read in any letter case,
// and `schemas` may be missing. Strict mode wants a path in each operation, each attribute in one operation only, no
// brackets, and names as the RFC spells them. Refusals: 400 invalidSyntax, invalidPath, invalidFilter, noTarget, invalidValue.
func ParsePatch(o *Object, lim FilterLimits, m Mode) (Patch, error) {
	if err := checkPatchSchemas(o, m); err != nil {
		return Patch{}, err
	}
	list, err := operationsOf(o, m)
	if err != nil {
		return Patch{}, err
	}
	p := Patch{Operations: make([]Operation, 0, len(list))}
	for i, v := range list {
		op, err := parseOperation(v, i, lim, m)
		if err != nil {
			return Patch{}, err
		}
		p.Operations = append(p.Operations, op)
	}
	if m.Strict {
		return p, checkOncePerAttribute(p)
	}
	return p, nil
}

func checkPatchSchemas(o *Object, m Mode) error {
	v, found := o.GetFold("schemas")
	if !found || isNothing(v) {
		if m.Strict {
			return invalidSyntax("schemas is missing; send [%q]", PatchURN).On("schemas")
		}
		return nil
	}
	list := v.List()
	if v.Kind() == String {
		list = []Value{v}
	}
	for _, e := range list {
		if strings.EqualFold(e.Text(), PatchURN) {
			return nil
		}
	}
	return invalidSyntax("schemas does not name a PATCH message; send [%q]", PatchURN).On("schemas")
}

func operationsOf(o *Object, m Mode) ([]Value, error) {
	v, found := o.GetFold("Operations")
	if v.Kind() == Complex && !m.Strict {
		return []Value{v}, nil
	}
	if !found || v.Kind() != Array || len(v.List()) == 0 {
		got := "nothing"
		if found {
			got = shown(v)
		}
		return nil, invalidSyntax("Operations must be a list of at least one operation, got %s", got).On("Operations").Compared("a list of operations", got)
	}
	return v.List(), nil
}

func parseOperation(v Value, i int, lim FilterLimits, m Mode) (Operation, error) {
	where := "Operations[" + strconv.Itoa(i) + "]"
	if v.Kind() != Complex {
		return Operation{}, invalidSyntax("%s must be an object with op, path and value, got %s", where, shown(v)).On(where)
	}
	op := Operation{Index: i}
	var err error
	if op.Op, err = parseOp(v.Object(), where, m); err != nil {
		return Operation{}, err
	}
	if op.Path, err = parseOperationPath(v.Object(), where, lim, m); err != nil {
		return Operation{}, err
	}
	op.Value, op.HasValue = member(v.Object(), "value", m)
	if list := op.Value.List(); op.Path == nil && len(list) == 1 && !m.Strict {
		op.Value = list[0]
	}
	return op, op.checkShape(where, m)
}

// member reads a member of the message itself, in any letter case unless the mode is strict.
func member(o *Object, name string, m Mode) (Value, bool) {
	if m.Strict {
		return o.Get(name)
	}
	return o.GetFold(name)
}

func parseOp(o *Object, where string, m Mode) (Op, error) {
	v, _ := member(o, "op", m)
	for _, op := range patchOps {
		if v.Text() == string(op) || (!m.Strict && v.Kind() == String && strings.EqualFold(v.Text(), string(op))) {
			return op, nil
		}
	}
	return "", invalidSyntax("%s.op must be add, remove or replace, got %s", where, shown(v)).On(where + ".op")
}

func parseOperationPath(o *Object, where string, lim FilterLimits, m Mode) (*Path, error) {
	v, _ := member(o, "path", m)
	if v.Kind() == Null || (!m.Strict && isEmptyText(v)) {
		return nil, nil
	}
	if v.Kind() != String {
		return nil, invalidPath("%s.path must be a string, got %s", where, shown(v)).On(where + ".path")
	}
	path, err := ParsePath(v.Text(), lim)
	if err != nil {
		return nil, prefixed(err, where+".path")
	}
	if path.Filter != nil && m.Strict {
		return nil, invalidPath("%s.path chooses elements by brackets, which the interoperability profile of this directory does not allow; send the whole attribute", where).On(where + ".path")
	}
	return &path, nil
}

func invalidPath(format string, args ...any) *fault.Error {
	return fault.New(fault.Invalid, CodeInvalidPath, format, args...)
}

func noTarget(format string, args ...any) *fault.Error {
	return fault.New(fault.Invalid, CodeNoTarget, format, args...)
}

func mutability(format string, args ...any) *fault.Error {
	return fault.New(fault.Invalid, CodeMutability, format, args...)
}

// prefixed says in which operation a refusal arose.
func prefixed(err error, where string) error {
	f, ok := fault.As(err)
	if !ok {
		return err
	}
	told := *f
	told.Message = where + ": " + f.Message
	return &told
}

func (op Operation) checkShape(where string, m Mode) error {
	switch {
	case op.Path == nil && op.Op == PatchRemove:
		return noTarget("%s removes, but has no path that says what", where).On(where + ".path")
	case op.Path == nil && m.Strict:
		return invalidPath("%s has no path, which the interoperability profile of this directory requires", where).On(where + ".path")
	case op.Op != PatchRemove && !op.HasValue:
		return invalidValue("%s has no value; to clear an attribute, send op remove", where).On(where + ".value")
	case op.Path == nil && op.Value.Kind() != Complex:
		return invalidValue("%s has no path, so its value must be an object of attributes, got %s", where, shown(op.Value)).On(where + ".value")
	}
	return nil
}

func checkOncePerAttribute(p Patch) error {
	seen := make(map[string]int, len(p.Operations))
	for _, op := range p.Operations {
		key := FoldKey(op.Path.String())
		if first, twice := seen[key]; twice {
			return invalidSyntax("Operations[%d] and Operations[%d] both change %s; this directory's interoperability profile allows one operation per attribute",
				first, op.Index, quoted(op.Path.String()))
		}
		seen[key] = op.Index
	}
	return nil
}

// flatten turns an operation without path, or on a whole extension, into one operation per attribute it names: plain,
// dotted (`name.givenName`) and URN-qualified names all occur (Entra, Okta). Others come back as they are.
func (r *ResourceType) flatten(op Operation) ([]Operation, error) {
	if op.Path == nil {
		return r.flattenValue(op, nil, 0)
	}
	at := r.resolve(*op.Path)
	if !at.whole || op.Op == PatchRemove || op.Value.Kind() != Complex {
		return []Operation{op}, nil
	}
	return r.flattenValue(op, &at, 0)
}

// flattenValue recurses at most once: into the containers of a pathless value.
func (r *ResourceType) flattenValue(op Operation, in *place, depth int) ([]Operation, error) {
	var flat []Operation
	for _, member := range op.Value.Object().Members() {
		inner := op
		inner.Value, inner.implied = member.Value, true
		path, err := r.memberPath(member, in)
		if err != nil {
			return nil, prefixed(err, op.where())
		}
		inner.Path = &path
		at := r.resolve(path)
		if !at.whole || member.Value.Kind() != Complex {
			flat = append(flat, inner)
			continue
		}
		if depth > 0 || in != nil {
			return nil, prefixed(invalidSyntax("%s stands inside another schema's container; put it beside it", quoted(member.Name)), op.where())
		}
		more, err := r.flattenValue(inner, &at, depth+1)
		if err != nil {
			return nil, err
		}
		flat = append(flat, more...)
	}
	return flat, nil
}

// memberPath reads the name of a member of a pathless value as a path. A name that cannot be one is an attribute no schema
// has, kept as it is like in POST and PUT.
func (r *ResourceType) memberPath(member Member, in *place) (Path, error) {
	path, err := ParsePath(member.Name, DefaultFilterLimits)
	if err != nil && strings.ContainsAny(member.Name, ":[") {
		return Path{}, err
	}
	if err != nil {
		path = Path{Attr: member.Name}
	}
	if in != nil && path.URN == "" {
		path.URN = in.container
		if in.container == "" {
			path.URN = r.Core.ID
		}
		return path, nil
	}
	if path.URN != "" && member.Value.Kind() == Complex && !r.resolve(path).known {
		return Path{URN: member.Name}, nil
	}
	return path, nil
}

// where names the operation in a message.
func (op Operation) where() string {
	s := "Operations[" + strconv.Itoa(op.Index) + "] (" + string(op.Op)
	if op.Path != nil {
		s += " " + shorten(op.Path.String())
	}
	return s + ")"
}
