//go:build !unix

package http1

import "net"

// CanPeek says that a connection can be asked whether the other side has closed it, without
// waiting.
const CanPeek = false

func peeker(net.Conn) func() bool { return func() bool { return false } }
