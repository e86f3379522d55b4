package scim

// Reader prepares reading what a path names in many resources of this type. It gives the values that are there, of several elements
// each its own, and of an element that is an object without a sub-attribute in the path its `value`; none if the path names nothing the
// resource has. As in filters, an attribute of an extension is found without its URN too, and names nobody declares are looked for as
// they are. The function is safe for concurrent use.
func (r *ResourceType) Reader(p Path) func(doc *Object) []Value {
	sel := r.selector(p, false)
	return func(doc *Object) (out []Value) {
		sel.each(ObjectOf(doc), func(v Value) bool {
			if !v.IsUnassigned() {
				out = append(out, v)
			}
			return true
		})
		return out
	}
}
