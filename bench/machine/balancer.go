package machine

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Balancer spreads connections over servers, in turn, and passes over those that take none. It looks into nothing: Linux moves the
// bytes between the sockets, so that it costs little, and every system the same.
type Balancer struct {
	listener net.Listener
	servers  []string
	next     atomic.Uint64
	work     sync.WaitGroup

	mu     sync.Mutex
	open   map[net.Conn]struct{}
	closed bool
}

// Balance listens at an address, for servers at others.
func Balance(address string, servers []string) (*Balancer, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	b := &Balancer{listener: listener, servers: servers, open: map[net.Conn]struct{}{}}
	b.work.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			b.work.Go(func() { b.serve(client) })
		}
	})
	return b, nil
}

// serve copies both ways until one side ends, and then ends both.
func (b *Balancer) serve(client net.Conn) {
	if !b.keep(client) {
		return
	}
	defer b.drop(client)
	server := b.dial()
	if server == nil || !b.keep(server) {
		return
	}
	defer b.drop(server)
	both := make(chan struct{}, 2)
	forward := func(to, from net.Conn) {
		_, _ = io.Copy(to, from)
		both <- struct{}{}
	}
	b.work.Go(func() { forward(server, client) })
	b.work.Go(func() { forward(client, server) })
	<-both
}

// dial connects to the next server that takes it; nil where none does.
func (b *Balancer) dial() net.Conn {
	for range b.servers {
		server := b.servers[b.next.Add(1)%uint64(len(b.servers))]
		if conn, err := net.DialTimeout("tcp", server, time.Second); err == nil {
			return conn
		}
	}
	return nil
}

func (b *Balancer) keep(conn net.Conn) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		_ = conn.Close()
		return false
	}
	b.open[conn] = struct{}{}
	return true
}

func (b *Balancer) drop(conn net.Conn) {
	b.mu.Lock()
	defer b.mu.Unlock()
	_ = conn.Close()
	delete(b.open, conn)
}

// Close ends all connections.
func (b *Balancer) Close() {
	_ = b.listener.Close()
	b.mu.Lock()
	b.closed = true
	for conn := range b.open {
		_ = conn.Close()
	}
	b.mu.Unlock()
	b.work.Wait()
}
