//go:build unix

package http1

import (
	"errors"
	"net"
	"syscall"
)

// CanPeek says that a connection can be asked whether the other side has closed it, without
// waiting.
const CanPeek = true

// peeker returns a function that reports that nothing came in on an idle connection: neither
// its end, nor an unrequested answer, nor (with TLS) a record that only an end explains.
func peeker(conn net.Conn) func() bool {
	inner, ok := conn.(syscall.Conn)
	if !ok {
		return func() bool { return false }
	}
	raw, err := inner.SyscallConn()
	if err != nil {
		return func() bool { return false }
	}
	var one [1]byte
	var silent bool
	look := func(fd uintptr) bool {
		_, _, err := syscall.Recvfrom(int(fd), one[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		silent = errors.Is(err, syscall.EAGAIN)
		return true
	}
	return func() bool { return raw.Read(look) == nil && silent }
}
