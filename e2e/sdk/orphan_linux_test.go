package sdk_test

import "syscall"

// noOrphan: a server ends with the test program, also when that is killed.
func noOrphan() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
