package main

import (
	"fmt"
	"runtime"
)

// version is the release this source belongs to; the newest heading of CHANGELOG.md.
const version = "0.1.0-dev"

type versionCommand struct{}

// Run prints version, Go release and platform.
func (versionCommand) Run(w world) error {
	_, err := fmt.Fprintf(w.stdout, "rollcall %s %s %s/%s\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}
