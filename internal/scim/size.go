package scim

// What one value may hold. Names and elements are compared with each other, so a resource with tens of thousands of them would keep
// a processor busy for minutes. Members of a group are no part of its document and have no such limit.
const (
	mostNames    = 2000
	mostElements = 5000
)

// checkSize refuses a value that holds too much at any level; where is its place in the request.
func checkSize(v Value, where string) error {
	switch v.kind {
	case Array:
		if len(v.list) > mostElements {
			return invalidValue("%s holds %d elements; at most %d are possible", shorten(where), len(v.list), mostElements).On(shorten(where))
		}
		for _, e := range v.list {
			if err := checkSize(e, where); err != nil {
				return err
			}
		}
	case Complex:
		if v.obj.Len() > mostNames {
			return invalidValue("%s holds %d names; at most %d are possible", shorten(where), v.obj.Len(), mostNames).On(shorten(where))
		}
		for _, member := range v.obj.Members() {
			if err := checkSize(member.Value, member.Name); err != nil {
				return err
			}
		}
	default:
	}
	return nil
}

// checkSize is for the body of a POST or PUT.
func (r *ResourceType) checkSize(in *Object) error {
	if in.Len() > mostNames {
		return invalidValue("the %s holds %d names; at most %d are possible", r.Name, in.Len(), mostNames)
	}
	for _, member := range in.Members() {
		a := r.Core.Attribute(member.Name)
		if a != nil && (a.Name == membersName || a.Mutability == ReadOnly) {
			continue
		}
		if err := checkSize(member.Value, member.Name); err != nil {
			return err
		}
	}
	return nil
}
