//go:build unix

package node

import "syscall"

// maxFiles is how many files the process may have open. Go has raised the soft limit to the hard
// one when the process began (os, rlimit.go).
func maxFiles() uint64 {
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) != nil {
		return unknownFiles
	}
	return uint64(limit.Cur)
}
