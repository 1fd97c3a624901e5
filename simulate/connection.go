package simulate

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wactor/wactor/internal/http1"
	"github.com/wactor/wactor/provider/cloudapi"
)

// connections post to the servers of a bot over kept connections, one request at a time on each.
// Net/http's client was refused: its two goroutines a connection and its header maps cost more than
// all the rest of a load generator.
type connections struct {
	servers []*server
	next    atomic.Uint32 // of the servers
	slots   chan struct{}

	mu     sync.Mutex
	all    map[*connection]struct{}
	idle   []*connection // the last used at the end
	closed bool
}

type server struct {
	*http1.Server
	head []byte // the request up to the value of the signature
}

type connection struct {
	*http1.Conn
	server *server
}

const (
	// maxConnections bounds the webhooks under way.
	maxConnections = 1024
	// answerWithin bounds one request.
	answerWithin = 30 * time.Second
	// keepIdle is how long an idle connection is used again. Servers close theirs sooner or later
	// (Node.js after 5 s), and what is posted at that moment fails.
	keepIdle = 2 * time.Second
)

// contentLength ends the head of a request behind the signature.
var contentLength = []byte("\r\nContent-Length: ")

var errClosed = errors.New("simulate: the run is over")

func newConnections(to []*url.URL) *connections {
	c := &connections{slots: make(chan struct{}, maxConnections), all: map[*connection]struct{}{}}
	for _, one := range to {
		c.servers = append(c.servers, newServer(one))
	}
	return c
}

func newServer(to *url.URL) *server {
	s := &server{Server: http1.NewServer(to)}
	s.head = fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: facebookexternalua\r\nAccept: "+
		"*/*\r\nContent-Type: application/json\r\n", to.RequestURI(), to.Host)
	if password, ok := to.User.Password(); ok {
		s.head = fmt.Appendf(s.head, "Authorization: Basic %s\r\n",
			base64.StdEncoding.EncodeToString([]byte(to.User.Username()+":"+password)))
	}
	s.head = append(s.head, cloudapi.SignatureHeader+": "...)
	return s
}

// post sends one webhook and returns the status of its answer. Without an answer there is an error;
// the server may have taken it all the same.
func (c *connections) post(ctx context.Context, body []byte, signature string) (status int, err error) {
	select {
	case c.slots <- struct{}{}:
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	defer func() { <-c.slots }()
	one, err := c.take(ctx)
	if err != nil {
		return 0, err
	}
	if err := one.SetDeadline(time.Now().Add(answerWithin)); err != nil {
		c.put(one, false)
		return 0, err
	}
	answer, keep, err := one.Exchange(body, one.server.head, []byte(signature), contentLength)
	c.put(one, keep)
	return answer.Status, err
}

func (c *connections) take(ctx context.Context) (*connection, error) {
	for one := c.lastIdle(); one != nil; one = c.lastIdle() {
		// A bot that does not read the body of a request may take it for the next one, and answer
		// that as well: what comes unasked says nothing of the next webhook.
		if !http1.CanPeek || one.Quiet() {
			return one, nil
		}
		c.drop(one)
	}
	return c.dial(ctx)
}

// lastIdle takes the idle connection that was used last, if it is not too old; nil where there is
// none.
func (c *connections) lastIdle() *connection {
	c.mu.Lock()
	defer c.mu.Unlock()
	last := len(c.idle) - 1
	if last < 0 {
		return nil
	}
	one := c.idle[last]
	if time.Since(one.Used) < keepIdle {
		c.idle = c.idle[:last]
		return one
	}
	c.forget(func(*connection) bool { return true }) // those before it are older still
	return nil
}

// forget closes idle connections; with c.mu held.
func (c *connections) forget(which func(*connection) bool) {
	c.idle = slices.DeleteFunc(c.idle, func(one *connection) bool {
		if !which(one) {
			return false
		}
		_ = one.Close()
		delete(c.all, one)
		return true
	})
}

// dial connects to the next server that takes a connection.
func (c *connections) dial(ctx context.Context) (one *connection, err error) {
	for range c.servers {
		if one, err = c.servers[int(c.next.Add(1))%len(c.servers)].connect(ctx); err == nil {
			break
		}
	}
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		_ = one.Close()
		return nil, errClosed
	}
	c.all[one] = struct{}{}
	return one, nil
}

func (s *server) connect(ctx context.Context) (*connection, error) {
	conn, err := s.Dial(ctx)
	if err != nil {
		return nil, err
	}
	return &connection{conn, s}, nil
}

// put takes a connection back. Where it is broken the server may have died, and the idle ones with
// it.
func (c *connections) put(one *connection, whole bool) {
	one.Used = time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	if whole && !c.closed {
		c.idle = append(c.idle, one)
		return
	}
	_ = one.Close()
	delete(c.all, one)
	c.forget(func(other *connection) bool { return other.server == one.server })
}

// drop closes a connection that is not used again.
func (c *connections) drop(one *connection) {
	c.mu.Lock()
	defer c.mu.Unlock()
	_ = one.Close()
	delete(c.all, one)
}

// close ends all connections, also those in use: their requests fail at once.
func (c *connections) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed, c.idle = true, nil
	for one := range c.all {
		_ = one.Close()
	}
	clear(c.all)
}
