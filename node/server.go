package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wactor/wactor/internal/pause"
)

// server is one listener and its HTTP server.
type server struct {
	listener net.Listener
	http     *http.Server
	done     sync.WaitGroup
	// used is when the last request came, in nanoseconds since 1970.
	used atomic.Int64
	// leaving: clients with open connections must ask anew where to go.
	leaving     atomic.Bool
	connections *connections
}

const (
	// quietFor is how long no request must have come until the load balancers count as gone, and
	// quietMost how long that is waited for: many check every ten seconds whether a node is ready.
	quietFor  = 300 * time.Millisecond
	quietMost = 12 * time.Second
)

// newServer makes a server with a bound on its connections.
func newServer(listener net.Listener, most int, logger *slog.Logger) *server {
	bound := newConnections(most, logger)
	return &server{listener: listener, connections: bound, http: &http.Server{
		ConnState:         bound.state,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second, // 3 MiB in it are 2.5 Mbit/s; who is slower only takes up memory
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
		// its lines hold addresses of strangers
		ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
	}}
}

// speakGRPC lets clients begin HTTP/2 without TLS, which gRPC needs.
func (s *server) speakGRPC() {
	s.http.Protocols = new(http.Protocols)
	s.http.Protocols.SetHTTP1(true)
	s.http.Protocols.SetUnencryptedHTTP2(true)
}

func (s *server) addr() string { return s.listener.Addr().String() }

func (s *server) serve(handler http.Handler, failed chan<- error) {
	s.http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.used.Store(time.Now().UnixNano())
		if s.leaving.Load() {
			w.Header().Set("Connection", "close")
		}
		handler.ServeHTTP(w, r)
	})
	s.done.Go(func() {
		serve := s.http.Serve
		if s.http.TLSConfig != nil {
			serve = func(l net.Listener) error { return s.http.ServeTLS(l, "", "") }
		}
		if err := serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
			failed <- fmt.Errorf("node: serve %s: %w", s.addr(), err)
		}
	})
}

// fallQuiet serves on until no request comes any more: a connection that is not yet accepted when
// the listener is closed is reset, and so is one that is kept alive and used at that moment. So an
// answer says that it was the connection's last; SetKeepAlivesEnabled would close it when the next
// request may be on its way.
func (s *server) fallQuiet(ctx context.Context) {
	s.leaving.Store(true)
	for began := time.Now(); time.Since(began) < quietMost; {
		wait := quietFor - time.Since(time.Unix(0, s.used.Load()))
		if wait <= 0 {
			return
		}
		if !pause.For(ctx, wait) {
			return
		}
	}
}

// close waits for requests under way until ctx ends, then cuts them off.
func (s *server) close(ctx context.Context) {
	if s.http.Shutdown(ctx) != nil {
		s.http.Close()
	}
	s.listener.Close() // where it was never served
	s.done.Wait()
}
