// Package migrations holds the schema: one numbered file per step, written once for both engines (see db.Migrate for the
// few tokens that differ). Files are only ever added, and each leaves the previous release working.
package migrations

import "embed"

// Files are the migrations, oldest first by name.
//
//go:embed *.sql
var Files embed.FS
