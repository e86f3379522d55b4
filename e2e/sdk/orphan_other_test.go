//go:build !linux

package sdk_test

import "syscall"

func noOrphan() *syscall.SysProcAttr { return nil }
