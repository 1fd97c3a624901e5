package trust

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// TestNodesOfOneUserShareAKey: also those that start at the same time.
func TestNodesOfOneUserShareAKey(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "new")
	var keys [8][]byte
	var starting sync.WaitGroup
	for i := range keys {
		starting.Go(func() {
			secrets, err := Loopback(folder)
			if err != nil {
				t.Error(err)
				return
			}
			keys[i] = secrets.GossipKeys()[0]
		})
	}
	starting.Wait()
	for _, key := range keys {
		if !bytes.Equal(key, keys[0]) {
			t.Fatal("two nodes have two keys")
		}
	}
	other, err := Loopback(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, strange := range [][]byte{other.GossipKeys()[0], Public().GossipKeys()[0]} {
		if bytes.Equal(keys[0], strange) {
			t.Error("two users have one key")
		}
	}
	left, _ := os.ReadDir(filepath.Join(folder, "wactor"))
	if len(left) != 1 {
		t.Errorf("files are left: %v", left)
	}
}

// TestAKeyThatOthersMayReadIsNone: the error says what to do.
func TestAKeyThatOthersMayReadIsNone(t *testing.T) {
	folder := t.TempDir()
	if _, err := Loopback(folder); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(folder, "wactor", "loopback.key")
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Loopback(folder); err == nil || !strings.Contains(err.Error(), "other users may read") {
		t.Errorf("error %v", err)
	}
	if err := os.WriteFile(path, []byte("short"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Loopback(folder); err == nil {
		t.Error("a key of five characters was taken")
	}
}

// TestAFolderThatCantBeMade has no key.
func TestAFolderThatCantBeMade(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Loopback(file); err == nil {
		t.Error("there is no error")
	}
}
