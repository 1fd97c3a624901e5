package node

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// TestAClusterOnLoopbackKeepsItsKey: one without a secret of its own, for all nodes of the user.
func TestAClusterOnLoopbackKeepsItsKey(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("where a user's configuration is on", runtime.GOOS, "the test can't say")
	}
	folder := t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", folder)
	w := newWorld(t)
	w.stop(w.start(w.counter("cluster: { gossip: 127.0.0.1:0, rpc: 127.0.0.1:0 }")))
	info, err := os.Stat(filepath.Join(folder, "wactor", "loopback.key"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key: %v, %v", info, err)
	}
}
