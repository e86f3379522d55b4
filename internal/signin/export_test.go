package signin

// Forms are the addresses of the forms of our own pages.
func Forms() (out []string) {
	for _, r := range table() {
		for _, e := range r.methods {
			if e.kind == form {
				out = append(out, r.pattern)
			}
		}
	}
	return out
}

// Addresses are all that a browser may be led to by a link.
func Addresses() (out []string) {
	for _, r := range table() {
		for method, e := range r.methods {
			if method == "GET" && (e.kind == page || e.kind == open) {
				out = append(out, r.pattern)
			}
		}
	}
	return out
}
