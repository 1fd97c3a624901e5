// Package http1 makes POSTs by HTTP/1.1 over kept connections, whose owner writes the request and
// reads the answer itself. Net/http's transport has two more goroutines for each connection and
// hands every request and answer to them and back; docs/dependencies.md has what that costs.
//
// A connection has one request at a time, nothing is sent twice, and no redirect is followed. Which
// connections are kept, and for how long, is for the user to decide.
package http1

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/url"
	"strconv"
	"time"
)

const (
	// DialWithin bounds the opening of a connection, its TLS handshake included.
	DialWithin = 5 * time.Second
	// KeepAlive is how often TCP asks whether the server is still there.
	KeepAlive = 15 * time.Second
	// MaxAnswer bounds what is read of an answer's body, in bytes.
	MaxAnswer = 1 << 20
	// maxHeader bounds its headers.
	maxHeader = 64 << 10
)

// Server is one address to which connections are made.
type Server struct {
	// Address is host:port.
	Address string
	// Secure is nil for plain HTTP.
	Secure *tls.Config
}

// NewServer returns the server of an http or https address.
func NewServer(to *url.URL) *Server {
	s, port := &Server{Address: to.Host}, "80"
	if to.Scheme == "https" {
		port, s.Secure = "443", &tls.Config{
			ServerName: to.Hostname(), NextProtos: []string{"http/1.1"}, MinVersion: tls.VersionTLS12,
			ClientSessionCache: tls.NewLRUClientSessionCache(64),
		}
	}
	if to.Port() == "" {
		s.Address = net.JoinHostPort(to.Hostname(), port)
	}
	return s
}

// Conn is a connection, for one request at a time. Its owner sets deadlines.
type Conn struct {
	net.Conn
	// Used is for its owner: when it came back from the last request.
	Used time.Time
	in   *bufio.Reader
	left int64 // how much of the answer may still come
	out  []byte
	peek func() bool
}

// Dial connects, within DialWithin.
func (s *Server) Dial(ctx context.Context) (*Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, DialWithin)
	defer cancel()
	conn, err := (&net.Dialer{KeepAlive: KeepAlive}).DialContext(ctx, "tcp", s.Address)
	if err != nil {
		return nil, err
	}
	c := &Conn{Conn: conn, peek: peeker(conn)}
	if s.Secure != nil {
		secure := tls.Client(conn, s.Secure)
		if err := secure.HandshakeContext(ctx); err != nil {
			_ = conn.Close()
			return nil, err
		}
		c.Conn = secure
	}
	c.in = bufio.NewReaderSize(limited{c}, 4<<10)
	return c, nil
}

// Quiet reports whether an idle connection still stands: nothing came in on it, neither its end nor
// an answer that was not asked for. Always false where CanPeek is.
func (c *Conn) Quiet() bool { return c.peek() }

// Exchange writes a request and reads its answer. Head is the request up to the value of
// Content-Length, in any number of pieces. keep says that the connection may be used again; an
// error that the server may have got the request.
func (c *Conn) Exchange(body []byte, head ...[]byte) (a Answer, keep bool, err error) {
	c.left = maxHeader + MaxAnswer
	c.out = c.out[:0]
	for _, piece := range head {
		c.out = append(c.out, piece...)
	}
	c.out = append(strconv.AppendInt(c.out, int64(len(body)), 10), "\r\n\r\n"...)
	c.out = append(c.out, body...)
	if _, err := c.Write(c.out); err != nil {
		return a, false, err
	}
	return c.read()
}

// limited reads what an answer may have.
type limited struct{ *Conn }

func (l limited) Read(p []byte) (int, error) {
	if l.left <= 0 {
		return 0, io.ErrUnexpectedEOF
	}
	n, err := l.Conn.Conn.Read(p[:min(int64(len(p)), l.left)])
	l.left -= int64(n)
	return n, err
}
