package cluster

import (
	"context"
	"fmt"
	"log"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/hashicorp/memberlist"
)

// bindAttempts is how often a free port is looked for: the kernel's choice for TCP may be taken for
// UDP.
const bindAttempts = 10

// gossipTransport is the library's own, with connections that end when the membership is closed.
// The library's waits for hosts that do not answer, and would keep a node from stopping.
type gossipTransport struct {
	*memberlist.NetTransport
	ctx  context.Context
	stop context.CancelFunc

	mu    sync.Mutex
	conns map[*gossipConn]struct{}
}

func newGossipTransport(bind netip.AddrPort, logger *log.Logger) (*gossipTransport, error) {
	var inner *memberlist.NetTransport
	var err error
	for range bindAttempts {
		inner, err = memberlist.NewNetTransport(&memberlist.NetTransportConfig{
			BindAddrs: []string{bind.Addr().String()}, BindPort: int(bind.Port()), Logger: logger,
		})
		if err == nil || bind.Port() != 0 {
			break
		}
	}
	if err != nil {
		return nil, fmt.Errorf("cluster: listen for gossip at %v: %w", bind, err)
	}
	t := &gossipTransport{NetTransport: inner, conns: map[*gossipConn]struct{}{}}
	t.ctx, t.stop = context.WithCancel(context.Background())
	return t, nil
}

// DialTimeout connects to a node.
func (t *gossipTransport) DialTimeout(address string, timeout time.Duration) (net.Conn, error) {
	dialer := net.Dialer{Timeout: timeout}
	raw, err := dialer.DialContext(t.ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	conn := &gossipConn{Conn: raw, transport: t}
	t.mu.Lock()
	t.conns[conn] = struct{}{}
	t.mu.Unlock()
	if t.ctx.Err() != nil { // Shutdown may have missed it
		conn.Close()
		return nil, t.ctx.Err()
	}
	return conn, nil
}

// DialAddressTimeout connects to a node.
func (t *gossipTransport) DialAddressTimeout(address memberlist.Address, timeout time.Duration) (net.Conn, error) {
	return t.DialTimeout(address.Addr, timeout)
}

// Shutdown closes the listeners and the connections that were made here.
func (t *gossipTransport) Shutdown() error {
	t.interrupt()
	return t.NetTransport.Shutdown()
}

// interrupt ends what waits for others. No connection is made afterwards.
func (t *gossipTransport) interrupt() {
	t.stop()
	t.mu.Lock()
	defer t.mu.Unlock()
	for conn := range t.conns {
		conn.Conn.Close()
	}
}

// gossipConn is a connection that its transport knows until it is closed.
type gossipConn struct {
	net.Conn
	transport *gossipTransport
}

// Close closes the connection.
func (c *gossipConn) Close() error {
	c.transport.mu.Lock()
	delete(c.transport.conns, c)
	c.transport.mu.Unlock()
	return c.Conn.Close()
}
