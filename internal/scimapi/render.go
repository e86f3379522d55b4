package scimapi

import (
	"time"

	"github.com/rollcallhq/rollcall/internal/directory"
	"github.com/rollcallhq/rollcall/internal/scim"
)

// view is how resources of one type are shown in one answer.
type view struct {
	base       string
	typ        *scim.ResourceType
	projection scim.Projection
	// whole: the stored document is shown as it is, so its bytes are put into the answer without being read.
	whole bool
	// noMembers: a group's members are not shown, and whole may hold all the same.
	noMembers bool
}

func (c *call) viewOf(typ *scim.ResourceType, q scim.SearchRequest) (view, error) {
	p, err := scim.ParseProjection(q.Attributes, q.ExcludedAttributes)
	if err != nil {
		return view{}, err
	}
	noMembers := !p.Wants("members")
	// Entra leaves the members out whenever it reads groups; nothing else of the document is touched then.
	onlyMembersOut := noMembers && len(q.Attributes) == 0 && len(q.ExcludedAttributes) == 1
	return view{
		base: c.base, typ: typ, projection: p, noMembers: noMembers,
		whole: (p.IsAll() || onlyMembersOut) && !hides(typ),
	}, nil
}

// withoutMembers is the view for a group whose members are not loaded.
func (v view) withoutMembers() view {
	v.noMembers = true
	return v
}

// queryView is the view that the address asks for. asked: it names attributes, so an answer with a body is wanted.
func (c *call) queryView(typ *scim.ResourceType) (v view, asked bool, err error) {
	q, err := c.searchRequest()
	if err != nil {
		return view{}, false, err
	}
	v, err = c.viewOf(typ, q)
	return v, len(q.Attributes)+len(q.ExcludedAttributes) > 0, err
}

// hides tells whether documents of the type may hold what the default answer leaves out (RFC 7643 section 7, returned).
func hides(typ *scim.ResourceType) bool {
	for _, e := range typ.Extensions {
		if anyHidden(e.Schema.Attributes) {
			return true
		}
	}
	return anyHidden(typ.Core.Attributes)
}

func anyHidden(attributes []*scim.Attribute) bool {
	for _, a := range attributes {
		// What the core hides is never stored: it is writeOnly.
		if a.Returned == scim.ReturnedRequest || a.Returned == scim.ReturnedNever && a.Mutability != scim.WriteOnly || anyHidden(a.Sub) {
			return true
		}
	}
	return false
}

// written is the view for the answer of a write: what is only returned on request comes back if the client set it in that write
// (RFC 7643 section 7).
func (v view) written(doc *scim.Object) (view, error) {
	if v.whole || !hides(v.typ) {
		return v, nil
	}
	var names []string
	for _, m := range doc.Members() {
		names = append(names, m.Name)
		for _, inner := range m.Value.Object().Members() {
			if v.typ.Schema(m.Name) != nil {
				names = append(names, m.Name+":"+inner.Name)
			}
		}
	}
	var err error
	v.projection, err = v.projection.Also(names...)
	return v, err
}

// user appends a user as this view shows it.
func (v view) user(dst []byte, u *directory.User) ([]byte, error) {
	if v.whole {
		return v.wholeUser(dst, u), nil
	}
	o, err := v.userObject(u)
	if err != nil {
		return dst, err
	}
	return v.typ.Project(o, v.projection).AppendJSON(dst), nil
}

func (v view) wholeUser(dst []byte, u *directory.User) []byte {
	dst = v.opened(dst, string(u.ID), u.Document)
	dst = v.appendGroups(dst, u.Groups)
	return v.appendMeta(dst, "User", "/Users/", string(u.ID), u.CreatedAt, u.UpdatedAt, u.Version)
}

// opened appends the beginning of a resource up to the end of its document.
func (v view) opened(dst []byte, id string, document []byte) []byte {
	dst = append(dst, `{"id":`...)
	dst = scim.AppendString(dst, id)
	if len(document) > len(`{}`) {
		dst = append(dst, ',')
		dst = append(dst, document[1:len(document)-1]...)
	}
	return dst
}

func (v view) appendGroups(dst []byte, groups []directory.GroupRef) []byte {
	if len(groups) == 0 {
		return dst
	}
	dst = append(dst, `,"groups":[`...)
	for i, g := range groups {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, `{"value":`...)
		dst = scim.AppendString(dst, string(g.ID))
		dst = append(dst, `,"$ref":`...)
		dst = scim.AppendString(dst, v.base+"/Groups/"+string(g.ID))
		dst = append(dst, `,"display":`...)
		dst = scim.AppendString(dst, g.Name)
		dst = append(dst, `,"type":`...)
		dst = scim.AppendString(dst, groupRefType(g))
		dst = append(dst, '}')
	}
	return append(dst, ']')
}

// groupRefType is RFC 7643 section 4.1.2.
func groupRefType(g directory.GroupRef) string {
	if g.Direct {
		return "direct"
	}
	return "indirect"
}

func (v view) appendMeta(dst []byte, resourceType, path, id string, created, updated time.Time, version int64) []byte {
	dst = append(dst, `,"meta":{"resourceType":"`...)
	dst = append(dst, resourceType...)
	dst = append(dst, `","created":"`...)
	dst = created.UTC().AppendFormat(dst, time.RFC3339Nano)
	dst = append(dst, `","lastModified":"`...)
	dst = updated.UTC().AppendFormat(dst, time.RFC3339Nano)
	dst = append(dst, `","location":`...)
	dst = scim.AppendString(dst, v.base+path+id)
	dst = append(dst, `,"version":`...)
	dst = scim.AppendString(dst, etagOf(version))
	return append(dst, '}', '}')
}

// userObject is the complete resource, for projection, filters and sorting.
func (v view) userObject(u *directory.User) (*scim.Object, error) {
	doc, err := scim.ReadObject(u.Document, scim.DefaultLimits)
	if err != nil {
		return nil, err
	}
	refs := make([]scim.Value, 0, len(u.Groups))
	for _, g := range u.Groups {
		refs = append(refs, scim.ObjectOf(scim.NewObject(
			scim.Member{Name: "value", Value: scim.StringOf(string(g.ID))},
			scim.Member{Name: "$ref", Value: scim.StringOf(v.base + "/Groups/" + string(g.ID))},
			scim.Member{Name: "display", Value: scim.StringOf(g.Name)},
			scim.Member{Name: "type", Value: scim.StringOf(groupRefType(g))},
		)))
	}
	meta := scim.MetaOf("User", u.CreatedAt, u.UpdatedAt, v.base+"/Users/"+string(u.ID), etagOf(u.Version))
	return complete(string(u.ID), doc, "groups", refs, meta), nil
}

func complete(id string, doc *scim.Object, listName string, list []scim.Value, meta scim.Value) *scim.Object {
	members := make([]scim.Member, 0, doc.Len()+3)
	members = append(members, scim.Member{Name: "id", Value: scim.StringOf(id)})
	members = append(members, doc.Members()...)
	if len(list) > 0 {
		members = append(members, scim.Member{Name: listName, Value: scim.ListOf(list...)})
	}
	return scim.NewObject(append(members, scim.Member{Name: "meta", Value: meta})...)
}

// group appends a group as this view shows it.
func (v view) group(dst []byte, g *directory.Group) ([]byte, error) {
	if v.whole {
		return v.wholeGroup(dst, g), nil
	}
	o, err := v.groupObject(g)
	if err != nil {
		return dst, err
	}
	return v.typ.Project(o, v.projection).AppendJSON(dst), nil
}

func (v view) wholeGroup(dst []byte, g *directory.Group) []byte {
	dst = v.opened(dst, string(g.ID), g.Document)
	if !v.noMembers {
		dst = v.appendMembers(dst, g.Members)
	}
	return v.appendMeta(dst, "Group", "/Groups/", string(g.ID), g.CreatedAt, g.UpdatedAt, g.Version)
}

// appendMembers shows an empty list too: some clients read an absent one as a fault.
func (v view) appendMembers(dst []byte, members []directory.Member) []byte {
	dst = append(dst, `,"members":[`...)
	for i := range members {
		m := &members[i]
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, `{"value":`...)
		dst = scim.AppendString(dst, m.Value)
		if ref, name := v.memberRef(m); ref != "" {
			dst = append(dst, `,"$ref":`...)
			dst = scim.AppendString(dst, ref)
			dst = append(dst, `,"type":"`...)
			dst = append(dst, name...)
			dst = append(dst, '"')
		}
		if m.Display != "" {
			dst = append(dst, `,"display":`...)
			dst = scim.AppendString(dst, m.Display)
		}
		dst = append(dst, '}')
	}
	return append(dst, ']')
}

// memberRef gives $ref and type; a parked value names nobody yet and has neither.
func (v view) memberRef(m *directory.Member) (ref, name string) {
	switch m.Kind {
	case directory.MemberUser:
		return v.base + "/Users/" + m.Value, "User"
	case directory.MemberGroup:
		return v.base + "/Groups/" + m.Value, "Group"
	case directory.MemberParked:
	}
	return "", ""
}

// groupObject is the complete resource, for projection, filters and sorting.
func (v view) groupObject(g *directory.Group) (*scim.Object, error) {
	doc, err := scim.ReadObject(g.Document, scim.DefaultLimits)
	if err != nil {
		return nil, err
	}
	members := make([]scim.Value, 0, len(g.Members))
	for i := range g.Members {
		members = append(members, v.memberObject(&g.Members[i]))
	}
	meta := scim.MetaOf("Group", g.CreatedAt, g.UpdatedAt, v.base+"/Groups/"+string(g.ID), etagOf(g.Version))
	return complete(string(g.ID), doc, "members", members, meta), nil
}

func (v view) memberObject(m *directory.Member) scim.Value {
	o := scim.NewObject(scim.Member{Name: "value", Value: scim.StringOf(m.Value)})
	if ref, name := v.memberRef(m); ref != "" {
		o.Set("$ref", scim.StringOf(ref))
		o.Set("type", scim.StringOf(name))
	}
	if m.Display != "" {
		o.Set("display", scim.StringOf(m.Display))
	}
	return scim.ObjectOf(o)
}
