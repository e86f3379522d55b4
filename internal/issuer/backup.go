package issuer

import "github.com/rollcallhq/rollcall/internal/db"

// Packing is what a backup does with the tables of this room: whoever restores tells applications what they were not told yet.
func Packing() db.Packing {
	return db.Packing{Seeded: map[string]string{"logout_cursor": "name = 'log'"}}
}
