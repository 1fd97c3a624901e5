package simulate

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wactor/wactor/provider/cloudapi"
)

// connections post to the servers of a bot by HTTP/1.1 over kept connections, one request at a time
// on each. net/http's client was refused: its two goroutines a connection and its header maps cost
// more than all the rest of a load generator.
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
	head    []byte // the request up to the value of the signature
	address string
	secure  *tls.Config // nil for http
}

type connection struct {
	net.Conn
	server *server
	in     *bufio.Reader
	out    []byte
	used   time.Time
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

var errClosed = errors.New("simulate: the run is over")

func newConnections(to []*url.URL) *connections {
	c := &connections{slots: make(chan struct{}, maxConnections), all: map[*connection]struct{}{}}
	for _, one := range to {
		c.servers = append(c.servers, newServer(one))
	}
	return c
}

func newServer(to *url.URL) *server {
	s := &server{address: to.Host}
	port := "80"
	if to.Scheme == "https" {
		port, s.secure = "443", &tls.Config{ServerName: to.Hostname(), NextProtos: []string{"http/1.1"},
			MinVersion: tls.VersionTLS12}
	}
	if to.Port() == "" {
		s.address = net.JoinHostPort(to.Hostname(), port)
	}
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
	status, keep, err := one.exchange(body, signature)
	c.put(one, keep)
	return status, err
}

func (c *connections) take(ctx context.Context) (*connection, error) {
	if one := c.lastIdle(); one != nil {
		return one, nil
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
	if time.Since(one.used) < keepIdle {
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
		if one, err = c.servers[int(c.next.Add(1))%len(c.servers)].dial(ctx); err == nil {
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

func (s *server) dial(ctx context.Context) (*connection, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	var conn net.Conn
	var err error
	if s.secure != nil {
		conn, err = (&tls.Dialer{Config: s.secure}).DialContext(ctx, "tcp", s.address)
	} else {
		conn, err = (&net.Dialer{}).DialContext(ctx, "tcp", s.address)
	}
	if err != nil {
		return nil, err
	}
	return &connection{Conn: conn, server: s, in: bufio.NewReaderSize(conn, 2048)}, nil
}

// put takes a connection back. Where it is broken the server may have died, and the idle ones with
// it.
func (c *connections) put(one *connection, whole bool) {
	one.used = time.Now()
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

// exchange writes a request and reads its answer. keep says that the connection may be used again.
func (c *connection) exchange(body []byte, signature string) (status int, keep bool, err error) {
	if err := c.SetDeadline(time.Now().Add(answerWithin)); err != nil {
		return 0, false, err
	}
	c.out = append(append(c.out[:0], c.server.head...), signature...)
	c.out = append(c.out, "\r\nContent-Length: "...)
	c.out = append(strconv.AppendInt(c.out, int64(len(body)), 10), "\r\n\r\n"...)
	c.out = append(c.out, body...)
	if _, err := c.Write(c.out); err != nil {
		return 0, false, err
	}
	for {
		response, err := http.ReadResponse(c.in, nil)
		if err != nil {
			return 0, false, err
		}
		_, err = io.Copy(io.Discard, response.Body)
		_ = response.Body.Close()
		if err != nil {
			return 0, false, err
		}
		if response.StatusCode >= 200 { // and not "100 Continue" or such
			return response.StatusCode, !response.Close, nil
		}
	}
}
