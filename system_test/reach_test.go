//go:build linux

package system_test

import (
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// onThread calls a function on a thread that is in a namespace. A socket stays in the namespace in
// which it was made. The thread ends with the goroutine, since it is not unlocked.
func onThread[T any](t *testing.T, namespace string, do func() (T, error)) T {
	t.Helper()
	type outcome struct {
		value T
		err   error
	}
	done := make(chan outcome, 1)
	go func() {
		runtime.LockOSThread()
		var out outcome
		if out.err = enter(namespace); out.err == nil {
			out.value, out.err = do()
		}
		done <- out
	}()
	out := <-done
	if out.err != nil {
		t.Fatalf("in %s: %v", namespace, out.err)
	}
	return out.value
}

// setns is the system call's number, which package syscall lacks for some machines.
var setns = map[string]uintptr{"amd64": 308, "arm64": 268}[runtime.GOARCH]

func enter(namespace string) error {
	file, err := os.Open("/run/netns/" + namespace)
	if err != nil {
		return err
	}
	defer file.Close()
	if _, _, errno := syscall.RawSyscall(setns, file.Fd(), syscall.CLONE_NEWNET, 0); errno != 0 {
		return fmt.Errorf("setns: %w", errno)
	}
	return nil
}

// echo answers on a port of a node what it is sent, by TCP and UDP, until the test ends.
func echo(t *testing.T, node, address string) {
	t.Helper()
	listener := onThread(t, node, func() (net.Listener, error) { return net.Listen("tcp4", address) })
	packets := onThread(t, node, func() (net.PacketConn, error) { return net.ListenPacket("udp4", address) })
	t.Cleanup(func() { listener.Close(); packets.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = io.CopyN(conn, conn, 1)
			conn.Close()
		}
	}()
	go func() {
		for buffer := make([]byte, 1); ; {
			if _, from, err := packets.ReadFrom(buffer); err == nil {
				_, _ = packets.WriteTo(buffer, from)
			} else {
				return
			}
		}
	}()
}

// reaches reports whether a byte from a node to an address comes back.
func reaches(t *testing.T, node, protocol, address string) bool {
	t.Helper()
	return onThread(t, node, func() (bool, error) {
		const patience = 150 * time.Millisecond // a thousand times what it takes
		conn, err := net.DialTimeout(protocol, address, patience)
		if err != nil {
			return false, nil
		}
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(patience))
		if _, err := conn.Write([]byte{1}); err != nil {
			return false, nil
		}
		_, err = conn.Read(make([]byte, 1))
		return err == nil, nil
	})
}

// reached reports whether a packet that a node sends by UDP arrives at another one.
func reached(t *testing.T, from, to, address string) bool {
	t.Helper()
	packets := onThread(t, to, func() (net.PacketConn, error) { return net.ListenPacket("udp4", address+":0") })
	defer packets.Close()
	conn := onThread(t, from, func() (net.Conn, error) { return net.Dial("udp4", packets.LocalAddr().String()) })
	defer conn.Close()
	if _, err := conn.Write([]byte{1}); err != nil {
		t.Fatal(err)
	}
	_ = packets.SetDeadline(time.Now().Add(150 * time.Millisecond))
	_, _, err := packets.ReadFrom(make([]byte, 1))
	return err == nil
}

// TestCuts proves that each cut cuts what it says and nothing else, and that healing undoes it,
// also twice.
func TestCuts(t *testing.T) {
	if setns == 0 {
		t.Skipf("setns is not known on %s", runtime.GOARCH)
	}
	network := newNetwork(t)
	names := []string{"node-1", "node-2", "node-3"}
	for i, name := range names {
		address := network.attach(t, name, i+1)
		echo(t, name, fmt.Sprintf("%s:%d", address, gossipPort))
		echo(t, name, fmt.Sprintf("%s:%d", address, rpcPort))
	}
	whole := map[string]bool{"gossip tcp": true, "gossip udp": true, "rpc tcp": true, "1 to 2": true, "2 to 1": true,
		"1 to 3": true, "3 to 2": true}
	look := func() map[string]bool {
		return map[string]bool{
			"gossip tcp": reaches(t, "node-1", "tcp4", "10.77.0.2:7946"), "gossip udp": reaches(t, "node-1", "udp4",
				"10.77.0.2:7946"),
			"rpc tcp": reaches(t, "node-1", "tcp4", "10.77.0.2:7947"),
			"1 to 2":  reached(t, "node-1", "node-2", "10.77.0.2"),
			"2 to 1":  reached(t, "node-2", "node-1", "10.77.0.1"),
			"1 to 3":  reached(t, "node-1", "node-3", "10.77.0.3"),
			"3 to 2":  reached(t, "node-3", "node-2", "10.77.0.2"),
		}
	}
	for _, fault := range []struct {
		name string
		cuts []cut
		lost []string
	}{
		{"none", nil, nil},
		{"one way", oneWay("node-1", "node-2"), []string{"gossip tcp", "gossip udp", "rpc tcp", "1 to 2"}},
		{"the other way", oneWay("node-2", "node-1"), []string{"gossip tcp", "gossip udp", "rpc tcp", "2 to 1"}},
		{"bridge", between("node-1", "node-2"), []string{"gossip tcp", "gossip udp", "rpc tcp", "1 to 2", "2 to 1"}},
		{"around", around("node-1", names), []string{"gossip tcp", "gossip udp", "rpc tcp", "1 to 2", "2 to 1",
			"1 to 3"}},
		{"gossip", only(gossipPort, between("node-1", "node-2")), []string{"gossip tcp", "gossip udp"}},
		{"rpc", only(rpcPort, around("node-2", names)), []string{"rpc tcp"}},
	} {
		t.Run(fault.name, func(t *testing.T) {
			network.cut(t, fault.cuts)
			want := map[string]bool{}
			for path := range whole {
				want[path] = true
			}
			for _, path := range fault.lost {
				want[path] = false
			}
			if diff := cmp.Diff(want, look()); diff != "" {
				t.Errorf("reached (-want +got):\n%s", diff)
			}
			network.heal(t)
			network.heal(t)
			if diff := cmp.Diff(whole, look()); diff != "" {
				t.Errorf("reached after healing (-want +got):\n%s", diff)
			}
		})
	}
}
