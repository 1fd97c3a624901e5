package main

import (
	"log/slog"
	"net"
	"path/filepath"
	"testing"
	"time"
)

// TestSystemdIsNotified: the two states arrive at the socket that systemd names.
func TestSystemdIsNotified(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notify")
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	t.Setenv("NOTIFY_SOCKET", path)
	notifyReady(slog.New(slog.DiscardHandler))
	notifyStopping(slog.New(slog.DiscardHandler))
	for _, want := range []string{"READY=1", "STOPPING=1"} {
		_ = socket.SetReadDeadline(time.Now().Add(10 * time.Second))
		buffer := make([]byte, 100)
		n, err := socket.Read(buffer)
		if err != nil || string(buffer[:n]) != want {
			t.Errorf("received %q (%v), want %s", buffer[:n], err, want)
		}
	}
}
