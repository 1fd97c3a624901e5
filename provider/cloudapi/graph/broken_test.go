package graph

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/wactor/wactor/provider"
)

// sendTo sends one reply over an own transport.
func sendTo(t *testing.T, address string, change func(*Config)) provider.Result {
	t.Helper()
	return newSender(t, address, change).Send(t.Context(), outgoing("hi"))
}

func expect(t *testing.T, got provider.Result, outcome provider.Outcome, reason string) {
	t.Helper()
	if got.Outcome != outcome || got.Reason != reason {
		t.Errorf("got %v %q, want %v %q", got.Outcome, got.Reason, outcome, reason)
	}
}

func TestNothingWasSent(t *testing.T) {
	t.Run("connection refused", func(t *testing.T) {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		address := "http://" + listener.Addr().String()
		listener.Close()
		expect(t, sendTo(t, address, nil), provider.RetryLater, "rejected: not sent: connection refused")
	})
	t.Run("no such host", func(t *testing.T) {
		transport := NewTransport(1, 1)
		transport.DialContext = func(context.Context, string, string) (net.Conn, error) {
			return nil, &net.OpError{Op: "dial", Err: &net.DNSError{Name: "graph.example", IsNotFound: true}}
		}
		expect(t, sendTo(t, "http://graph.example", func(c *Config) { c.Transport = transport }),
			provider.RetryLater, "rejected: not sent: host name not found")
	})
	t.Run("certificate not trusted", func(t *testing.T) {
		server := httptest.NewUnstartedServer(say(200, takenBody))
		server.Config.ErrorLog = nil
		server.StartTLS()
		defer server.Close()
		expect(t, sendTo(t, server.URL, nil), provider.RetryLater, "rejected: not sent: certificate not trusted")
	})
	t.Run("no TLS there", func(t *testing.T) {
		server := httptest.NewServer(say(200, takenBody))
		defer server.Close()
		expect(t, sendTo(t, "https"+server.URL[len("http"):], nil), provider.RetryLater,
			"rejected: not sent: TLS handshake failed")
	})
	t.Run("closed in the handshake", func(t *testing.T) {
		server := newRawServer(t, func(*rawServer, net.Conn) {})
		expect(t, sendTo(t, "https"+server.address[len("http"):], nil), provider.RetryLater,
			"rejected: not sent: connection broken")
	})
	t.Run("cancelled before", func(t *testing.T) {
		p := newGraphAPI(t, say(200, takenBody))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		expect(t, newSender(t, p.URL, nil).Send(ctx, outgoing("hi")), provider.RetryLater,
			"rejected: not sent: cancelled")
		if n := len(p.received()); n != 0 {
			t.Errorf("%d requests", n)
		}
	})
	t.Run("no free connection", func(t *testing.T) {
		release, arrived := make(chan struct{}), make(chan struct{})
		p := newGraphAPI(t, func(w http.ResponseWriter, r *http.Request) {
			close(arrived)
			<-release
			say(200, takenBody)(w, r)
		})
		s := newSender(t, p.URL, func(c *Config) { c.MaxConns = 1 })
		var first provider.Result
		var done sync.WaitGroup
		done.Go(func() { first = s.Send(t.Context(), outgoing("one")) })
		<-arrived
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
		defer cancel()
		expect(t, s.Send(ctx, outgoing("two")), provider.RetryLater, "rejected: not sent: timeout")
		close(release)
		done.Wait()
		expect(t, first, provider.Sent, "")
		if n := len(p.received()); n != 1 {
			t.Errorf("%d requests", n)
		}
	})
}

func TestFateUnknown(t *testing.T) {
	t.Run("closed before reading", func(t *testing.T) {
		server := newRawServer(t, func(*rawServer, net.Conn) {})
		expect(t, sendTo(t, server.address, nil), provider.Unknown, "unknown: no answer: connection broken")
		if n := server.conns.Load(); n != 1 {
			t.Errorf("%d connections", n)
		}
	})
	t.Run("closed after reading", func(t *testing.T) {
		server := newRawServer(t, func(s *rawServer, conn net.Conn) { s.take(bufio.NewReader(conn)) })
		expect(t, sendTo(t, server.address, nil), provider.Unknown, "unknown: no answer: connection broken")
		if n := server.requests.Load(); n != 1 {
			t.Errorf("%d requests", n)
		}
	})
	t.Run("garbage", func(t *testing.T) {
		server := newRawServer(t, func(s *rawServer, conn net.Conn) {
			s.take(bufio.NewReader(conn))
			_, _ = io.WriteString(conn, "what?\r\n\r\n")
		})
		expect(t, sendTo(t, server.address, nil), provider.Unknown, "unknown: no answer: connection broken")
	})
	t.Run("cut off in the header", func(t *testing.T) {
		server := newRawServer(t, func(s *rawServer, conn net.Conn) {
			s.take(bufio.NewReader(conn))
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Le")
		})
		expect(t, sendTo(t, server.address, nil), provider.Unknown, "unknown: no answer: connection broken")
	})
	t.Run("too slow", func(t *testing.T) {
		p := newGraphAPI(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
		expect(t, sendTo(t, p.URL, func(c *Config) { c.Timeout = 50 * time.Millisecond }), provider.Unknown,
			"unknown: no answer: timeout")
		if n := len(p.received()); n != 1 {
			t.Errorf("%d requests", n)
		}
	})
	t.Run("cancelled after it was sent", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		p := newGraphAPI(t, func(_ http.ResponseWriter, r *http.Request) {
			cancel()
			<-r.Context().Done()
		})
		expect(t, newSender(t, p.URL, nil).Send(ctx, outgoing("hi")), provider.Unknown,
			"unknown: no answer: cancelled")
	})
}

// TestNoSilentRepeat: on a kept connection, net/http repeats requests that it takes for idempotent.
// Ours is not, and is written once.
func TestNoSilentRepeat(t *testing.T) {
	server := newRawServer(t, func(s *rawServer, conn net.Conn) {
		reader := bufio.NewReader(conn)
		if !s.take(reader) {
			return
		}
		_, _ = io.WriteString(conn, answerWith("200 OK", takenBody))
		s.take(reader) // the second request on this connection is read, and never answered
	})
	s := newSender(t, server.address, nil)
	if got := s.Send(t.Context(), outgoing("one")); got.Outcome != provider.Sent {
		t.Fatalf("first: %+v", got)
	}
	expect(t, s.Send(t.Context(), outgoing("two")), provider.Unknown, "unknown: no answer: connection broken")
	if conns, requests := server.conns.Load(), server.requests.Load(); conns != 1 || requests != 2 {
		t.Errorf("%d requests over %d connections, want 2 over 1", requests, conns)
	}
}

func TestTakenThoughUnreadable(t *testing.T) {
	for name, answer := range map[string]string{
		"cut off":         "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"messages\":[{\"id\":\"wam",
		"bad chunks":      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
		"no body":         "HTTP/1.1 204 No Content\r\n\r\n",
		"body to the end": "HTTP/1.1 200 OK\r\n\r\n{}",
	} {
		t.Run(name, func(t *testing.T) {
			server := newRawServer(t, func(s *rawServer, conn net.Conn) {
				s.take(bufio.NewReader(conn))
				_, _ = io.WriteString(conn, answer)
			})
			expect(t, sendTo(t, server.address, nil), provider.Sent, "taken: answer names no message id")
		})
	}
	t.Run("slow body", func(t *testing.T) {
		p := newGraphAPI(t, func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(200)
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		})
		expect(t, sendTo(t, p.URL, func(c *Config) { c.Timeout = 100 * time.Millisecond }), provider.Sent,
			"taken: answer names no message id")
	})
}

func TestConnectionsAreKept(t *testing.T) {
	server := newRawServer(t, func(s *rawServer, conn net.Conn) {
		reader := bufio.NewReader(conn)
		for s.take(reader) {
			_, _ = io.WriteString(conn, answerWith("400 Bad Request", `{"error":{"code":131047}}`))
		}
	})
	shared := NewTransport(4, 4)
	defer shared.CloseIdleConnections()
	for _, number := range []string{"900", "901", "902"} {
		got := sendTo(t, server.address, func(c *Config) { c.Transport, c.PhoneNumberID = shared, number })
		if got.Code != 131047 {
			t.Fatalf("got %+v", got)
		}
	}
	if n := server.conns.Load(); n != 1 {
		t.Errorf("%d connections for three sends of three numbers, want 1", n)
	}
}

func BenchmarkSend(b *testing.B) {
	server := httptest.NewServer(say(200, takenBody))
	defer server.Close()
	s := New(Config{BaseURL: server.URL, PhoneNumberID: "900", AccessToken: "t"})
	defer s.Close()
	b.ReportAllocs()
	for b.Loop() {
		if got := s.Send(b.Context(), outgoing("hi")); got.Outcome != provider.Sent {
			b.Fatal(got)
		}
	}
}
