//go:build !linux

package e2e_test

import "syscall"

func noOrphan() *syscall.SysProcAttr { return nil }
