package graph

import (
	"bufio"
	"crypto/x509"
	"io"
	"net"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/wactor/wactor/internal/http1"
	"github.com/wactor/wactor/provider"
)

// TestOwnConnectionsAreKept sends one reply after the other over one connection.
func TestOwnConnectionsAreKept(t *testing.T) {
	server := newRawServer(t, func(s *rawServer, conn net.Conn) {
		for reader := bufio.NewReader(conn); s.take(reader); {
			_, _ = io.WriteString(conn, answerWith("200 OK", takenBody))
		}
	})
	s := newSender(t, server.address, nil)
	for range 5 {
		if got := s.Send(t.Context(), outgoing("hi")); got.Outcome != provider.Sent ||
			got.ProviderID != "wamid.sent" {
			t.Fatalf("%+v", got)
		}
	}
	if conns, requests := server.conns.Load(), server.requests.Load(); conns != 1 || requests != 5 {
		t.Errorf("%d requests over %d connections", requests, conns)
	}
}

// TestClosedConnectionIsNotUsed: what the provider closed while it was unused puts no reply in
// doubt.
func TestClosedConnectionIsNotUsed(t *testing.T) {
	var closed sync.WaitGroup
	closed.Add(1)
	server := newRawServer(t, func(s *rawServer, conn net.Conn) {
		if s.take(bufio.NewReader(conn)) {
			_, _ = io.WriteString(conn, answerWith("200 OK", takenBody))
		}
		if s.conns.Load() == 1 {
			_ = conn.Close()
			closed.Done()
		}
	})
	s := newSender(t, server.address, nil)
	for range 2 {
		if got := s.Send(t.Context(), outgoing("hi")); got.Outcome != provider.Sent {
			t.Fatalf("%+v", got)
		}
		closed.Wait()
	}
	if conns := server.conns.Load(); conns != 2 {
		t.Errorf("%d connections", conns)
	}
}

// TestUnaskedAnswer: what comes in before a request is not the answer to the next request.
func TestUnaskedAnswer(t *testing.T) {
	server := newRawServer(t, func(s *rawServer, conn net.Conn) {
		for reader := bufio.NewReader(conn); s.take(reader); {
			_, _ = io.WriteString(conn, answerWith("200 OK", takenBody)+answerWith("400 Bad Request", `{"error":{"code":131047}}`))
		}
	})
	s := newSender(t, server.address, nil)
	for range 3 {
		if got := s.Send(t.Context(), outgoing("hi")); got.Outcome != provider.Sent {
			t.Fatalf("%+v", got)
		}
	}
}

// TestHintsBeforeTheAnswer: an answer may be announced.
func TestHintsBeforeTheAnswer(t *testing.T) {
	server := newRawServer(t, func(s *rawServer, conn net.Conn) {
		s.take(bufio.NewReader(conn))
		_, _ = io.WriteString(conn, "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"+answerWith("200 OK", takenBody))
	})
	expect(t, sendTo(t, server.address, nil), provider.Sent, "")
}

// TestEndlessHeader: an answer without an end is given up.
func TestEndlessHeader(t *testing.T) {
	server := newRawServer(t, func(s *rawServer, conn net.Conn) {
		s.take(bufio.NewReader(conn))
		_, err := io.WriteString(conn, "HTTP/1.1 200 OK\r\n")
		for line := []byte("X-Filler: abcdefghijklmnopqrstuvwxyz\r\n"); err == nil; {
			_, err = conn.Write(line)
		}
	})
	expect(t, sendTo(t, server.address, nil), provider.Unknown, "unknown: no answer: connection broken")
}

func TestTLS(t *testing.T) {
	server := httptest.NewTLSServer(say(200, takenBody))
	defer server.Close()
	s := newSender(t, server.URL, nil)
	s.wire.server.Secure.RootCAs = x509.NewCertPool()
	s.wire.server.Secure.RootCAs.AddCert(server.Certificate())
	for range 3 {
		if got := s.Send(t.Context(), outgoing("hi")); got.Outcome != provider.Sent {
			t.Fatalf("%+v", got)
		}
	}
	if n := len(s.wire.idle); n != 1 {
		t.Errorf("%d idle connections", n)
	}
}

// TestIdleConnectionsExpire closes those that were not used for a while, and no others.
func TestIdleConnectionsExpire(t *testing.T) {
	w := &wire{maxIdle: 3}
	others := make([]net.Conn, 3)
	for i, age := range []time.Duration{2 * idleFor, idleFor, 0} {
		var own net.Conn
		own, others[i] = net.Pipe()
		w.put(&http1.Conn{Conn: own}, true)
		w.idle[i].Used = time.Now().Add(-age)
	}
	w.expire()
	if len(w.idle) != 1 || w.sweep == nil {
		t.Errorf("%d are left", len(w.idle))
	}
	for _, other := range others[:2] {
		if _, err := other.Read(make([]byte, 1)); err != io.EOF {
			t.Error(err)
		}
	}
	w.close()
	if _, err := others[2].Read(make([]byte, 1)); err != io.EOF {
		t.Error(err)
	}
	late, other := net.Pipe()
	w.put(&http1.Conn{Conn: late}, true) // comes back when all is closed
	if _, err := other.Read(make([]byte, 1)); err != io.EOF {
		t.Error(err)
	}
}

// TestWireOnlyWhereItCan leaves names that need more than ASCII to net/http.
func TestWireOnlyWhereItCan(t *testing.T) {
	for address, want := range map[string]string{
		"http://graph.example/v26.0/900/messages": "graph.example:80", "https://graph.example/x": "graph.example:443",
		"https://[::1]:8443/x": "[::1]:8443", "https://[::1]/x": "[::1]:443", "https://bücher.example/x": "",
	} {
		to, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if w := newWire(to, Config{}.withDefaults()); w != nil {
			got = w.server.Address
		}
		if got != want {
			t.Errorf("%s: %q", address, got)
		}
	}
}
