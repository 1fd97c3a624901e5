//go:build !unix

package graph

import "net"

const canPeek = false

func peeker(net.Conn) func() bool { return func() bool { return false } }
