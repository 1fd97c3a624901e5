package graph

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wactor/wactor/internal/http1"
)

// wire posts to one address over kept connections, in place of net/http's transport, which costs a
// third of all that a reply costs. What was asked of that (see NewTransport) holds here too: no
// redirect is followed, nothing is ever sent twice, and a connection that the provider has closed
// is not written to, as far as this side can know.
type wire struct {
	head    atomic.Pointer[[]byte] // the request up to the value of Content-Length
	line    string                 // of head: what stands before the token
	server  *http1.Server
	timeout time.Duration // of one request
	slots   chan struct{} // one for each request under way
	maxIdle int

	mu     sync.Mutex
	idle   []*http1.Conn // the last used at the end
	sweep  *time.Timer   // rings while there are idle ones
	closed bool
}

// newWire returns nil where net/http has to do the work: behind a proxy, or where this system can't
// be asked whether a connection was closed.
func newWire(to *url.URL, c Config) *wire {
	proxy, err := http.ProxyFromEnvironment(&http.Request{URL: to})
	if !http1.CanPeek || err != nil || proxy != nil || !isASCII(to.Host) {
		return nil
	}
	w := &wire{server: http1.NewServer(to), timeout: c.Timeout,
		slots: make(chan struct{}, c.MaxConns), maxIdle: c.MaxIdleConns}
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
	a, keep, err := c.Exchange(body, *w.head.Load())
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
	return answer{status: a.Status, body: a.Body, retryAfter: retryAfter(a.Header)}, nil
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
func (w *wire) take(ctx context.Context, deadline time.Time) (*http1.Conn, error) {
	for c := w.lastIdle(); c != nil; c = w.lastIdle() {
		if c.SetDeadline(deadline) == nil && c.Quiet() {
			return c, nil
		}
		_ = c.Close()
	}
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	c, err := w.server.Dial(ctx)
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
func (w *wire) lastIdle() *http1.Conn {
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

// put takes a connection back.
func (w *wire) put(c *http1.Conn, keep bool) {
	if keep {
		c.Used = time.Now()
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
	for old < len(w.idle) && now.Sub(w.idle[old].Used) >= idleFor {
		_ = w.idle[old].Close()
		old++
	}
	w.idle = append(w.idle[:0:0], w.idle[old:]...)
	w.sweep = nil
	if len(w.idle) > 0 {
		w.sweep = time.AfterFunc(max(idleFor-now.Sub(w.idle[0].Used), time.Second), w.expire)
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
