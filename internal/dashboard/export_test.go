package dashboard

import "github.com/rollcallhq/rollcall/internal/operator"

// Line is a line of the table of addresses.
type Line struct {
	Pattern     string
	See, Change operator.Role
	Gets, Posts bool
}

// Table is the table of addresses of who is signed in.
func Table() (out []Line) {
	for _, r := range pages() {
		out = append(out, Line{r.pattern, r.see, r.change, r.get != nil, r.post != nil})
	}
	return out
}
