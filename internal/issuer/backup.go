package issuer

import "github.com/rollcallhq/rollcall/internal/db"

// Packing is what a backup does with the tables of this room: logouts that were to be told are told by whoever restores.
func Packing() db.Packing {
	return db.Packing{Seeded: map[string]string{"logout_cursor": "name = 'log'"}}
}
