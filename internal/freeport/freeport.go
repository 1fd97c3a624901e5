// Package freeport finds addresses for the servers of tests.
package freeport

import (
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
	"testing"
)

// The ports lie below those that the kernel gives to outgoing connections (32768 on Linux): a port
// that was free a moment ago, or that a server has just left to start again, is never in use by
// a connection of another process.
const firstPort, lastPort = 10000, 19999

var given sync.Map

// Address returns an address of the loopback interface on which no server listens. None is given
// twice by one process.
func Address(t testing.TB) string {
	t.Helper()
	for range 1000 {
		port := firstPort + rand.IntN(lastPort-firstPort+1)
		if _, before := given.LoadOrStore(port, true); before {
			continue
		}
		address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
		if listener, err := net.Listen("tcp", address); err == nil {
			_ = listener.Close()
			return address
		}
	}
	t.Fatal("freeport: no port is free")
	return ""
}
