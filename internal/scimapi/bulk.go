package scimapi

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/rollcallhq/rollcall/internal/fault"
	"github.com/rollcallhq/rollcall/internal/scim"
)

// runBulk is RFC 7644 section 3.7. Each operation is a call of its own, with its own transaction and exchange.
func runBulk(c *call) error {
	o, err := c.object()
	if err != nil {
		return err
	}
	request, err := scim.ParseBulkRequest(o)
	if err != nil {
		return err
	}
	if err := request.Within(c.server.o.MaxBulkOps); err != nil {
		return err
	}
	b := newBulk(c, request)
	b.run()
	c.answer = b.answer()
	c.did("bulk", fmt.Sprintf("%d of %d operations were done, %d refused; each has an exchange of its own.",
		b.done(), len(request.Operations), b.failures))
	return nil
}

// bulk is a bulk request under way. Operations run in the order sent, except that one which another refers to runs before it.
type bulk struct {
	call     *call
	request  scim.BulkRequest
	creators map[string]int    // bulkId -> the POST that has it
	ids      map[string]string // bulkId -> the id that came of it
	results  []*result         // nil: not executed
	started  []bool
	partial  []int // created without a reference of a circle, which is still to be added
	failures int
}

// result is one operation's part of the answer.
type result struct {
	op       *scim.BulkOperation
	status   int
	location string
	version  string
	response []byte // of failures
}

func (r *result) failed() bool { return r.status >= http.StatusBadRequest }

func newBulk(c *call, request scim.BulkRequest) *bulk {
	n := len(request.Operations)
	b := &bulk{
		call: c, request: request, creators: map[string]int{}, ids: map[string]string{},
		results: make([]*result, n), started: make([]bool, n),
	}
	for i := range request.Operations {
		op := &request.Operations[i]
		switch {
		case op.BulkID == "" || op.Refused != nil:
		case op.Method == http.MethodPost:
			b.creators[op.BulkID] = i
		default:
			if _, id := op.Target(); !strings.HasPrefix(id, "bulkId:") {
				b.ids[op.BulkID] = id
			}
		}
	}
	return b
}

func (b *bulk) run() {
	for i := range b.request.Operations {
		b.execute(i)
		b.closeCircles()
	}
}

// stopped: failOnErrors errors have happened, so the rest is left out.
func (b *bulk) stopped() bool {
	return b.request.FailOnErrors > 0 && b.failures >= b.request.FailOnErrors
}

// execute runs what the operation refers to, and then the operation.
func (b *bulk) execute(i int) {
	if b.started[i] || b.stopped() {
		return
	}
	b.started[i] = true
	op := &b.request.Operations[i]
	if op.Refused != nil {
		b.fail(i, op.Refused)
		return
	}
	circular, err := b.prepare(op)
	if b.stopped() {
		return
	}
	if err != nil {
		b.fail(i, err)
		return
	}
	resolved := op.Resolve(b.known)
	if circular {
		resolved.Data = withoutReferences(resolved.Data)
		b.partial = append(b.partial, i)
	}
	b.perform(i, resolved)
}

func (b *bulk) known(bulkID string) (string, bool) {
	id, ok := b.ids[bulkID]
	return id, ok
}

// prepare executes the operations that op refers to. circular: one of them is waiting for op itself.
func (b *bulk) prepare(op *scim.BulkOperation) (circular bool, err error) {
	for _, ref := range op.References() {
		if _, ok := b.ids[ref]; ok {
			continue
		}
		creator, ok := b.creators[ref]
		if !ok {
			return false, fault.New(fault.Invalid, scim.CodeInvalidValue,
				"Operations[%d] refers to bulkId %q, which no POST of this request has.", op.Index, shorten(ref)).On("bulkId")
		}
		b.execute(creator)
		switch r := b.results[creator]; {
		case r == nil:
			circular = true
		case r.failed():
			return false, fault.New(fault.Conflict, "",
				"Operations[%d] refers to bulkId %q, whose operation failed; mend that one and send both again.", op.Index, shorten(ref))
		}
	}
	return circular, nil
}

// perform runs one operation whose references are resolved.
func (b *bulk) perform(i int, op scim.BulkOperation) {
	c := b.call.operation(op)
	c.serveOperation()
	r := &result{op: &b.request.Operations[i], status: c.answer.status, version: c.answer.etag, location: c.answer.location}
	b.results[i] = r
	if r.failed() {
		b.failures++
		r.response = c.answer.body
		r.version = ""
	}
	if r.location == "" && op.Method != http.MethodPost {
		r.location = b.call.base + c.target.path
	}
	if op.Method == http.MethodPost && op.BulkID != "" && !r.failed() {
		b.ids[op.BulkID] = r.location[strings.LastIndexByte(r.location, '/')+1:]
	}
}

// closeCircles adds the references that were left out of resources created in a circle, now that everything in it has an id. A
// resource for which that fails is taken away again, so that its operation did all or nothing.
func (b *bulk) closeCircles() {
	partial := b.partial
	b.partial = nil
	for _, i := range partial {
		r, op := b.results[i], &b.request.Operations[i]
		if r == nil || r.failed() {
			continue
		}
		full := op.Resolve(b.known)
		endpoint, _ := op.Target()
		full.Method, full.Version = http.MethodPut, ""
		full.Path = endpoint + "/" + b.ids[op.BulkID]
		if missing := full.References(); len(missing) > 0 {
			b.takeBack(i, full.Path, fault.New(fault.Conflict, "",
				"Operations[%d] is in a circle of references with bulkId %q, whose operation failed.", i, shorten(missing[0])))
			continue
		}
		c := b.call.operation(full)
		c.serveOperation()
		if c.answer.status >= http.StatusBadRequest {
			b.takeBack(i, full.Path, fault.New(fault.Conflict, "",
				"Operations[%d] is in a circle of references that could not be closed: %s", i, c.effect.refusal.Message))
			continue
		}
		r.version = c.answer.etag
	}
}

func (b *bulk) takeBack(i int, path string, because *fault.Error) {
	op := scim.BulkOperation{Index: i, Method: http.MethodDelete, Path: path}
	b.call.operation(op).serveOperation()
	delete(b.ids, b.request.Operations[i].BulkID)
	b.fail(i, because)
}

// fail answers an operation that could not be begun. It has an exchange like any other.
func (b *bulk) fail(i int, err error) {
	op := b.request.Operations[i]
	c := b.call.operation(op)
	c.refuse(err)
	c.settle()
	b.failures++
	r := &result{op: &b.request.Operations[i], status: c.answer.status, response: c.answer.body}
	if op.Method != http.MethodPost && op.Path != "" {
		r.location = b.call.base + c.target.path
	}
	b.results[i] = r
}

// operation is the call of one operation: whoever came through the door with the request came through with it.
func (c *call) operation(op scim.BulkOperation) *call {
	sub := &call{visit: c.visit, ctx: c.ctx, server: c.server, access: c.access, header: http.Header{}, data: op.Data}
	sub.at, sub.method, sub.query = c.server.o.Now(), op.Method, ""
	if op.Version != "" {
		sub.header.Set("If-Match", op.Version)
	}
	endpoint, id := op.Target()
	segments := slices.DeleteFunc([]string{strings.TrimPrefix(endpoint, "/"), id}, func(s string) bool { return s == "" })
	sub.target = target{address: c.target.address, path: "/" + strings.Join(segments, "/")}
	if row, id := c.server.router.match(segments); row != nil && row.inBulk() {
		sub.target.row, sub.target.id = row, id
	}
	return sub
}

// inBulk: operations are on resources, not on the messages of the protocol.
func (r *row) inBulk() bool {
	return slices.Contains([]string{"/Users", "/Users/{id}", "/Groups", "/Groups/{id}"}, r.pattern)
}

// serveOperation is serve without the limit, which counts requests.
func (c *call) serveOperation() {
	if err := c.handle(); err != nil {
		c.refuse(err)
	}
	c.settle()
}

// withoutReferences leaves out what still refers to a bulkId: elements of lists whole, attributes alone.
func withoutReferences(o *scim.Object) *scim.Object {
	v, _ := stripped(scim.ObjectOf(o))
	if v.Kind() != scim.Complex {
		return scim.NewObject()
	}
	return v.Object()
}

// stripped reports ok false for what is to be left out. An object whose `value` goes says nothing without it.
func stripped(v scim.Value) (_ scim.Value, ok bool) {
	switch v.Kind() {
	case scim.String:
		return v, !strings.HasPrefix(v.Text()[strings.LastIndexByte(v.Text(), '/')+1:], "bulkId:")
	case scim.Array:
		list := make([]scim.Value, 0, len(v.List()))
		for _, e := range v.List() {
			if e, ok := stripped(e); ok {
				list = append(list, e)
			}
		}
		return scim.ListOf(list...), true
	case scim.Complex:
		members := make([]scim.Member, 0, v.Object().Len())
		for _, m := range v.Object().Members() {
			value, ok := stripped(m.Value)
			if !ok && strings.EqualFold(m.Name, "value") {
				return v, false
			}
			if ok {
				members = append(members, scim.Member{Name: m.Name, Value: value})
			}
		}
		return scim.ObjectOf(scim.NewObject(members...)), true
	default:
		return v, true
	}
}

func (b *bulk) done() int {
	n := 0
	for _, r := range b.results {
		if r != nil && !r.failed() {
			n++
		}
	}
	return n
}

// answer is the BulkResponse (RFC 7644 section 3.7.3), in the order of the request.
func (b *bulk) answer() answer {
	dst := append(make([]byte, 0, 128+256*len(b.results)), `{"schemas":["`+scim.BulkResponseURN+`"],"Operations":[`...)
	first := true
	for _, r := range b.results {
		if r == nil {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = r.appendJSON(dst)
	}
	return answer{status: http.StatusOK, body: append(dst, `]}`...)}
}

func (r *result) appendJSON(dst []byte) []byte {
	dst = append(dst, `{"method":`...)
	dst = scim.AppendString(dst, r.op.Method)
	dst = appendText(dst, "bulkId", r.op.BulkID)
	dst = appendText(dst, "location", r.location)
	dst = appendText(dst, "version", r.version)
	dst = appendText(dst, "status", strconv.Itoa(r.status))
	if r.response != nil {
		dst = append(append(dst, `,"response":`...), r.response...)
	}
	return append(dst, '}')
}
