package webhook

import "github.com/rollcallhq/rollcall/internal/db"

// Packing is what a backup does with the tables of this room: what was to be delivered is delivered by whoever restores.
func Packing() db.Packing {
	return db.Packing{
		Leave:  map[string]string{"webhook_processes": "belongs to processes that are running"},
		Seeded: map[string]string{"webhook_cursor": "name = 'log'"},
	}
}
