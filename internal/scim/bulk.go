package scim

import (
	"slices"
	"strings"

	"github.com/rollcallhq/rollcall/internal/fault"
)

// BulkRequest is a body for /Bulk (RFC 7644 section 3.7).
type BulkRequest struct {
	FailOnErrors int // how many errors end the processing; 0: no number does
	Operations   []BulkOperation
}

// BulkOperation is one request within a bulk request.
type BulkOperation struct {
	Index   int    // from 0, in the order sent
	Method  string // POST, PUT, PATCH or DELETE
	BulkID  string
	Path    string // as sent
	Version string // acts as If-Match; "" for none
	Data    *Object

	// Refused says why this operation cannot be done, while the others can: each answers for itself.
	Refused error
}

const bulkPrefix = "bulkId:"

// ParseBulkRequest reads a bulk request, names in any letter case. A mistake within one operation is that operation's
// Refused; the error is about the request as a whole.
func ParseBulkRequest(o *Object) (BulkRequest, error) {
	var r BulkRequest
	if v, ok := o.GetFold("failOnErrors"); ok {
		n, err := countIn("failOnErrors", v, 0)
		if err != nil && v.kind != Null {
			return r, err
		}
		if n != nil {
			r.FailOnErrors = *n
		}
	}
	v, _ := o.GetFold("Operations")
	if v.kind != Array {
		return r, invalidSyntax("Operations must be an array of bulk operations, got %s", v.kind).On("Operations")
	}
	seen := make(map[string]int, len(v.list))
	r.Operations = make([]BulkOperation, 0, len(v.list))
	for i, e := range v.list {
		op := parseBulkOperation(e, i)
		if first, twice := seen[op.BulkID]; twice && op.BulkID != "" && op.Refused == nil {
			op.Refused = invalidValue("Operations[%d].bulkId is that of operation %d too; give each its own", i, first).On("bulkId")
		} else {
			seen[op.BulkID] = i
		}
		r.Operations = append(r.Operations, op)
	}
	return r, nil
}

func parseBulkOperation(v Value, i int) BulkOperation {
	op := BulkOperation{Index: i}
	if v.kind != Complex {
		op.Refused = invalidSyntax("Operations[%d] must be an object with method and path, got %s", i, shown(v))
		return op
	}
	op.Method = strings.ToUpper(strings.TrimSpace(textFold(v.obj, "method")))
	op.BulkID = textFold(v.obj, "bulkId")
	op.Path = strings.TrimSpace(textFold(v.obj, "path"))
	op.Version = textFold(v.obj, "version")
	data, _ := v.obj.GetFold("data")
	op.Data = data.obj
	if err := op.check(data); err != nil {
		op.Refused = err
	}
	return op
}

func (op *BulkOperation) check(data Value) *fault.Error {
	i := op.Index
	if !slices.Contains([]string{"POST", "PUT", "PATCH", "DELETE"}, op.Method) {
		return invalidSyntax("Operations[%d].method must be POST, PUT, PATCH or DELETE, got %s", i, quoted(op.Method)).On("method")
	}
	endpoint, id := op.Target()
	if endpoint == "" {
		return invalidSyntax("Operations[%d].path must be an endpoint as /Users, followed by an id unless the method is POST, got %s", i, quoted(op.Path)).On("path")
	}
	if op.Method == "POST" && op.BulkID == "" {
		return invalidSyntax("Operations[%d].bulkId is required with POST", i).On("bulkId")
	}
	if op.Method == "POST" && id != "" {
		return invalidSyntax("Operations[%d].path must name an endpoint without an id with POST, got %s", i, quoted(op.Path)).On("path")
	}
	if op.Method != "POST" && id == "" {
		return invalidSyntax("Operations[%d].path must name a resource, as /Users/its-id, got %s", i, quoted(op.Path)).On("path")
	}
	if op.Method != "DELETE" && data.kind != Complex {
		return invalidSyntax("Operations[%d].data must be an object with %s, got %s", i, op.Method, shown(data)).On("data")
	}
	return nil
}

// Target splits the path: the endpoint with its leading slash, and the id or "". Both are empty if it is neither.
func (op *BulkOperation) Target() (endpoint, id string) {
	endpoint, id, _ = strings.Cut(strings.Trim(op.Path, "/"), "/")
	if endpoint == "" || strings.ContainsAny(id, "/?#") {
		return "", ""
	}
	return "/" + endpoint, id
}

// Within refuses a request of more operations than the limit, naming it (RFC 7644 section 3.7.4).
func (r BulkRequest) Within(maxOperations int) error {
	if n := len(r.Operations); n > maxOperations {
		return fault.New(fault.TooLarge, "", "the request has %d operations and at most %d are taken (maxOperations); split it", n, maxOperations).On("Operations")
	}
	return nil
}

// References gives the bulkIds that the operation's path and data refer to, each once.
func (op *BulkOperation) References() []string {
	var ids []string
	seen := make(map[string]bool)
	op.Resolve(func(bulkID string) (string, bool) {
		if !seen[bulkID] {
			seen[bulkID] = true
			ids = append(ids, bulkID)
		}
		return "", false
	})
	return ids
}

// Resolve gives the operation with every reference bulkId:x that lookup knows replaced by the id: in the path, in values
// that are or end in a reference, and in the value filters of PATCH paths. The operation itself stays as it was.
func (op *BulkOperation) Resolve(lookup func(bulkID string) (id string, ok bool)) BulkOperation {
	resolved := *op
	resolved.Path = resolveReference(op.Path, lookup)
	if op.Data != nil {
		resolved.Data = resolveAll(ObjectOf(op.Data), "", lookup).obj
	}
	return resolved
}

type lookupFunc = func(bulkID string) (string, bool)

func resolveAll(v Value, name string, lookup lookupFunc) Value {
	switch v.kind {
	case String:
		if strings.EqualFold(name, "path") {
			return StringOf(resolveQuoted(v.s, lookup))
		}
		return StringOf(resolveReference(v.s, lookup))
	case Array:
		list := make([]Value, 0, len(v.list))
		for _, e := range v.list {
			list = append(list, resolveAll(e, name, lookup))
		}
		return ListOf(list...)
	case Complex:
		members := make([]Member, 0, v.obj.Len())
		for _, member := range v.obj.members {
			members = append(members, Member{member.Name, resolveAll(member.Value, member.Name, lookup)})
		}
		return ObjectOf(NewObject(members...))
	default:
		return v
	}
}

// resolveReference replaces a reference that is the whole text, or what follows its last slash, as in "/Users/bulkId:x".
func resolveReference(s string, lookup lookupFunc) string {
	start := strings.LastIndexByte(s, '/') + 1
	bulkID, ok := strings.CutPrefix(s[start:], bulkPrefix)
	if !ok || bulkID == "" {
		return s
	}
	if id, known := lookup(bulkID); known {
		return s[:start] + id
	}
	return s
}

// resolveQuoted replaces the references in a PATCH path, where they are quoted literals of a value filter.
func resolveQuoted(s string, lookup lookupFunc) string {
	const opening = `"` + bulkPrefix
	var out strings.Builder
	for {
		i := strings.Index(s, opening)
		if i < 0 {
			break
		}
		bulkID, _, closed := strings.Cut(s[i+len(opening):], `"`)
		if !closed {
			break
		}
		end := i + len(opening) + len(bulkID)
		if id, known := lookup(bulkID); known {
			out.WriteString(s[:i+1] + id)
		} else {
			out.WriteString(s[:end])
		}
		s = s[end:]
	}
	return out.String() + s
}
