package gossip

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/memberlist"

	"github.com/wactor/wactor/internal/ratelog"
)

const (
	// bindAttempts is how often a free port is looked for: the kernel's choice for TCP may be taken
	// for UDP.
	bindAttempts = 10
	// maxStreams bounds the streams of others at once, each of which may hold a frame in memory.
	maxStreams = 32
)

// transport is the library's own, with two differences. What comes in passes the guard first. And
// connections end when the membership is closed: the library's waits for hosts that do not answer,
// and would keep a node from stopping.
type transport struct {
	*memberlist.NetTransport
	guard      *guard
	complaints *ratelog.Logger
	rejected   atomic.Uint64

	packets chan *memberlist.Packet
	streams chan net.Conn
	open    atomic.Int32 // streams of others

	ctx  context.Context
	stop context.CancelFunc
	// closing ends the waiting for the library, closed the taking of what comes.
	closing, closed chan struct{}
	passing         sync.WaitGroup
	closeOnce       sync.Once

	mu    sync.Mutex
	conns map[*conn]struct{}
}

func newTransport(bind netip.AddrPort, guard *guard, complaints *ratelog.Logger,
	logger *log.Logger) (*transport, error) {
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
		return nil, fmt.Errorf("gossip: listen at %v: %w", bind, err)
	}
	t := &transport{
		NetTransport: inner, guard: guard, complaints: complaints, conns: map[*conn]struct{}{},
		packets: make(chan *memberlist.Packet), streams: make(chan net.Conn),
		closing: make(chan struct{}), closed: make(chan struct{}),
	}
	t.ctx, t.stop = context.WithCancel(context.Background())
	t.passing.Go(t.pass)
	return t, nil
}

// pass hands what comes to the library, as far as the guard lets it.
func (t *transport) pass() {
	for {
		select {
		case p := <-t.NetTransport.PacketCh():
			if err := t.guard.packet(p.Buf); err != nil && !errors.Is(err, errForeign) {
				t.reject(err)
				continue
			}
			select {
			case t.packets <- p:
			case <-t.closing:
			}
		case raw := <-t.NetTransport.StreamCh():
			if t.open.Load() >= maxStreams {
				raw.Close()
				continue
			}
			t.open.Add(1)
			select {
			case t.streams <- &conn{Conn: raw, transport: t, labelled: true}:
			case <-t.closing:
				raw.Close()
			}
		case <-t.closed:
			return
		}
	}
}

// reject counts and reports gossip under this cluster's key that no node sends.
func (t *transport) reject(err error) {
	t.rejected.Add(1)
	t.complaints.Warn("malformed", "rejected gossip that no node sends, under this cluster's key: who has the secret?",
		func() []any { return []any{"reason", err} })
}

// PacketCh yields packets that the guard has let through.
func (t *transport) PacketCh() <-chan *memberlist.Packet { return t.packets }

// StreamCh yields the streams of others.
func (t *transport) StreamCh() <-chan net.Conn { return t.streams }

// DialTimeout connects to a node.
func (t *transport) DialTimeout(address string, timeout time.Duration) (net.Conn, error) {
	dialer := net.Dialer{Timeout: timeout}
	raw, err := dialer.DialContext(t.ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	made := &conn{Conn: raw, transport: t, dialled: true}
	t.mu.Lock()
	t.conns[made] = struct{}{}
	t.mu.Unlock()
	if t.ctx.Err() != nil { // Shutdown may have missed it
		made.Close()
		return nil, t.ctx.Err()
	}
	return made, nil
}

// DialAddressTimeout connects to a node.
func (t *transport) DialAddressTimeout(address memberlist.Address, timeout time.Duration) (net.Conn, error) {
	return t.DialTimeout(address.Addr, timeout)
}

// Shutdown closes the listeners and the connections that were made here. The listeners end once
// what they have taken was passed on, so that is taken until they have ended.
func (t *transport) Shutdown() error {
	t.interrupt()
	var err error
	t.closeOnce.Do(func() {
		close(t.closing)
		err = t.NetTransport.Shutdown()
		close(t.closed)
		t.passing.Wait()
	})
	return err
}

// interrupt ends what waits for others. No connection is made afterwards.
func (t *transport) interrupt() {
	t.stop()
	t.mu.Lock()
	defer t.mu.Unlock()
	for c := range t.conns {
		c.Conn.Close()
	}
}

// conn is a stream. Before it yields the first byte it reads the frame of the other side, the only
// one that it sends, and has the guard check it.
type conn struct {
	net.Conn
	transport *transport
	// labelled: the frame begins with a label. dialled: this node has made the connection.
	labelled, dialled bool
	closeOnce         sync.Once

	frame io.Reader // once it was checked
}

// Read reads from the frame that was checked.
func (c *conn) Read(p []byte) (int, error) {
	if c.frame == nil {
		frame, err := c.receive()
		if err != nil {
			return 0, err
		}
		c.frame = frame
	}
	return c.frame.Read(p)
}

// receive reads the frame and checks it. What is not of this cluster is the library's to reject: it
// gets what was read, and the rest as it comes.
func (c *conn) receive() (io.Reader, error) {
	var frame bytes.Buffer
	foreign := func() io.Reader { return io.MultiReader(&frame, c.Conn) }
	take := func(n int64) bool {
		_, err := io.CopyN(&frame, c.Conn, n)
		return err == nil
	}
	g := c.transport.guard
	if c.labelled {
		header := append([]byte{typeLabel, byte(len(g.label))}, g.label...)
		if !take(int64(len(header))) || !bytes.Equal(frame.Bytes(), header) {
			return foreign(), nil
		}
	}
	begin := frame.Len()
	const headSize = 1 + 4 // type and length
	if !take(1) || frame.Bytes()[begin] != typeEncrypted || !take(headSize-1) {
		return foreign(), nil
	}
	length := binary.BigEndian.Uint32(frame.Bytes()[begin+1:])
	if length > maxFrame {
		return nil, c.reject(fmt.Errorf("%w: a stream of %d bytes", errMalformed, length))
	}
	if !take(int64(length)) {
		return foreign(), nil
	}
	whole := frame.Bytes()[begin:]
	if err := g.frame(whole[:headSize], whole[headSize:]); err != nil && !errors.Is(err, errForeign) {
		return nil, c.reject(err)
	}
	return &frame, nil
}

func (c *conn) reject(err error) error {
	c.transport.reject(err)
	return err
}

// Close closes the connection.
func (c *conn) Close() error {
	c.closeOnce.Do(func() {
		if !c.dialled {
			c.transport.open.Add(-1)
			return
		}
		c.transport.mu.Lock()
		delete(c.transport.conns, c)
		c.transport.mu.Unlock()
	})
	return c.Conn.Close()
}
