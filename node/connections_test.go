package node

import (
	"io"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"time"
)

// TestIdleConnectionsMakeRoom: however many connections are opened and left alone, the listener
// keeps no more than its bound, and a request on a new one is answered.
func TestIdleConnectionsMakeRoom(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := newServer(listener, 10, slog.New(slog.DiscardHandler))
	s.serve(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") }),
		make(chan error, 1))
	defer s.close(t.Context())
	var idle []net.Conn
	for range 50 {
		conn, err := net.Dial("tcp", s.addr())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		idle = append(idle, conn)
	}
	response, err := http.Get("http://" + s.addr())
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	closed := 0
	for _, conn := range idle[:40] {
		_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
		if _, err := conn.Read(make([]byte, 1)); err == io.EOF {
			closed++
		}
	}
	if closed != 40 {
		t.Errorf("%d of the 40 oldest connections were closed", closed)
	}
	s.connections.mu.Lock()
	defer s.connections.mu.Unlock()
	if open := len(s.connections.open); open > 10 {
		t.Errorf("%d connections are open", open)
	}
}
