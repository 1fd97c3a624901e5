package graph

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// wire posts to one address by HTTP/1.1 over kept connections: the caller of post writes the
// request and reads the answer itself. net/http's transport has two more goroutines for each
// connection and hands every request and answer to them and back, which cost a third of all that a
// reply costs. What was asked of it (see NewTransport) holds here too: no redirect is followed,
// nothing is ever sent twice, and a connection that the provider has closed is not written to, as
// far as this side can know.
type wire struct {
	head    atomic.Pointer[[]byte] // the request up to the value of Content-Length
	line    string                 // of head: what stands before the token
	address string
	secure  *tls.Config   // nil for http
	timeout time.Duration // of one request
	slots   chan struct{} // one for each request under way
	maxIdle int

	mu     sync.Mutex
	idle   []*connection // the last used at the end
	sweep  *time.Timer   // rings while there are idle ones
	closed bool
}

// connection is used by one request at a time.
type connection struct {
	net.Conn
	in   *bufio.Reader
	left int64 // how much of the answer may still come
	out  []byte
	used time.Time
	peek func() bool // reports that there is nothing to read, and no end
}

// newWire returns nil where net/http has to do the work: behind a proxy, or where this system can't
// be asked whether a connection was closed.
func newWire(to *url.URL, c Config) *wire {
	proxy, err := http.ProxyFromEnvironment(&http.Request{URL: to})
	if !canPeek || err != nil || proxy != nil || !isASCII(to.Host) {
		return nil
	}
	w := &wire{address: to.Host, timeout: c.Timeout, slots: make(chan struct{}, c.MaxConns), maxIdle: c.MaxIdleConns}
	port := "80"
	if to.Scheme == "https" {
		port, w.secure = "443", &tls.Config{
			ServerName: to.Hostname(), NextProtos: []string{"http/1.1"}, MinVersion: tls.VersionTLS12,
			ClientSessionCache: tls.NewLRUClientSessionCache(64),
		}
	}
	if to.Port() == "" {
		w.address = net.JoinHostPort(to.Hostname(), port)
	}
	path := to.RequestURI()
	if !strings.HasPrefix(path, "/") { // JoinPath adds none where the base has no path
		path = "/" + path
	}
	w.line = "POST " + path + " HTTP/1.1\r\nHost: " + to.Host + "\r\nUser-Agent: " + c.UserAgent
	w.setToken(c.AccessToken)
	return w
}

// setToken makes the requests that begin from now on show a token.
func (w *wire) setToken(token string) {
	head := []byte(w.line + "\r\nAuthorization: Bearer " + token +
		"\r\nContent-Type: application/json\r\nContent-Length: ")
	w.head.Store(&head)
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// post makes one request. The error is always a *brokenError.
func (w *wire) post(ctx context.Context, body []byte) (answer, error) {
	deadline := time.Now().Add(w.timeout)
	if end, ok := ctx.Deadline(); ok && end.Before(deadline) {
		deadline = end
	}
	if err := w.enter(ctx, deadline); err != nil {
		return answer{}, &brokenError{reason: cause(err)}
	}
	defer func() { <-w.slots }()
	c, err := w.take(ctx, deadline)
	if err != nil {
		return answer{}, &brokenError{reason: cause(err)}
	}
	interrupt := context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Unix(1, 0)) })
	a, keep, err := c.exchange(*w.head.Load(), body)
	if !interrupt() { // it runs, or did: the deadline may still be about to move
		keep = false
		if err != nil && ctx.Err() != nil {
			err = ctx.Err()
		}
	}
	w.put(c, keep)
	if err != nil {
		return answer{}, &brokenError{connected: true, reason: cause(err)}
	}
	return a, nil
}

// enter waits until a request may be under way.
func (w *wire) enter(ctx context.Context, deadline time.Time) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case w.slots <- struct{}{}:
		return nil
	default:
	}
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	select {
	case w.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// take returns a connection whose deadline is set: the one that was used last, if it still stands,
// or a new one.
func (w *wire) take(ctx context.Context, deadline time.Time) (*connection, error) {
	for c := w.lastIdle(); c != nil; c = w.lastIdle() {
		if c.SetDeadline(deadline) == nil && c.peek() {
			return c, nil
		}
		_ = c.Close()
	}
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	c, err := w.dial(ctx)
	if err != nil {
		return nil, err
	}
	if err := c.SetDeadline(deadline); err != nil {
		_ = c.Close()
		return nil, err
	}
	return c, nil
}

// lastIdle takes the idle connection that was used last; nil where there is none.
func (w *wire) lastIdle() *connection {
	w.mu.Lock()
	defer w.mu.Unlock()
	last := len(w.idle) - 1
	if last < 0 {
		return nil
	}
	c := w.idle[last]
	w.idle[last] = nil
	w.idle = w.idle[:last]
	return c
}

func (w *wire) dial(ctx context.Context) (*connection, error) {
	ctx, cancel := context.WithTimeout(ctx, dialWithin)
	defer cancel()
	conn, err := (&net.Dialer{KeepAlive: keepAlive}).DialContext(ctx, "tcp", w.address)
	if err != nil {
		return nil, err
	}
	c := &connection{Conn: conn, peek: peeker(conn)}
	if w.secure != nil {
		secure := tls.Client(conn, w.secure)
		if err := secure.HandshakeContext(ctx); err != nil {
			_ = conn.Close()
			return nil, err
		}
		c.Conn = secure
	}
	c.in = bufio.NewReaderSize(limited{c}, 4<<10)
	return c, nil
}

// put takes a connection back.
func (w *wire) put(c *connection, keep bool) {
	if keep {
		c.used = time.Now()
		w.mu.Lock()
		defer w.mu.Unlock()
		if !w.closed && len(w.idle) < w.maxIdle {
			w.idle = append(w.idle, c)
			if w.sweep == nil {
				w.sweep = time.AfterFunc(idleFor, w.expire)
			}
			return
		}
	}
	_ = c.Close()
}

// expire closes connections that were not used for a while: the provider will soon.
func (w *wire) expire() {
	w.mu.Lock()
	defer w.mu.Unlock()
	now, old := time.Now(), 0
	for old < len(w.idle) && now.Sub(w.idle[old].used) >= idleFor {
		_ = w.idle[old].Close()
		old++
	}
	w.idle = append(w.idle[:0:0], w.idle[old:]...)
	w.sweep = nil
	if len(w.idle) > 0 {
		w.sweep = time.AfterFunc(max(idleFor-now.Sub(w.idle[0].used), time.Second), w.expire)
	}
}

// close closes the idle connections; those in use are closed when they come back.
func (w *wire) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	if w.sweep != nil {
		w.sweep.Stop()
	}
	for _, c := range w.idle {
		_ = c.Close()
	}
	w.idle = nil
}

// maxHeader bounds the headers of an answer, in bytes.
const maxHeader = 64 << 10

// limited reads what an answer may have.
type limited struct{ *connection }

func (l limited) Read(p []byte) (int, error) {
	if l.left <= 0 {
		return 0, io.ErrUnexpectedEOF
	}
	n, err := l.connection.Conn.Read(p[:min(int64(len(p)), l.left)])
	l.left -= int64(n)
	return n, err
}

// exchange writes a request and reads its answer. keep says that the connection may be used again.
func (c *connection) exchange(head, body []byte) (a answer, keep bool, err error) {
	c.left = maxHeader + maxAnswer
	c.out = append(strconv.AppendInt(append(c.out[:0], head...), int64(len(body)), 10), "\r\n\r\n"...)
	c.out = append(c.out, body...)
	if _, err := c.Write(c.out); err != nil {
		return a, false, err
	}
	return c.read()
}
