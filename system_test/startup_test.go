//go:build linux

package system_test

import "testing"

// TestStart starts one node, and all that a test can do with its process.
func TestStart(t *testing.T) {
	c := startCluster(t, 1)
	m := c.members[0]
	m.kill()
	if m.running() || m.ready(t.Context()) {
		t.Error("a killed node goes on")
	}
	c.start(t)
	m.pause(t)
	if m.ready(t.Context()) {
		t.Error("a node that stands still answers")
	}
	m.resume(t)
	m.awaitReady(t)
	t.Logf("stopped after %v", m.stop(t))
	if len(m.tail(1)) == 0 {
		t.Error("nothing was logged")
	}
}
