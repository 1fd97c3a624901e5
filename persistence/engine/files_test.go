package engine

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/cockroachdb/pebble/v2"
)

// TestDataBelongsToItsOwnerAlone: a new directory and one that was left open are 0700, and each
// file 0600.
func TestDataBelongsToItsOwnerAlone(t *testing.T) {
	for name, existing := range map[string]bool{"new": false, "that existed": true} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "data")
			write := func() {
				e, err := Open(Options{Dir: dir, CacheBytes: 1 << 20, Fatal: func(err error) { t.Error(err) }})
				if err != nil {
					t.Fatal(err)
				}
				if err := e.SyncedWrites(func(b *pebble.Batch) error {
					return b.Set([]byte("key"), nil,
						nil)
				}); err != nil {
					t.Fatal(err)
				}
				if err := e.Flush(); err != nil {
					t.Fatal(err)
				}
				if err := e.Close(); err != nil {
					t.Fatal(err)
				}
			}
			if existing {
				write()
				for _, path := range everything(t, dir) {
					if err := os.Chmod(path, 0o755); err != nil {
						t.Fatal(err)
					}
				}
			}
			write()
			for _, path := range everything(t, dir) {
				info, err := os.Stat(path)
				if err != nil {
					t.Fatal(err)
				}
				if open := info.Mode().Perm() & 0o077; open != 0 {
					t.Errorf("%s is %v", filepath.Base(path), info.Mode())
				}
			}
		})
	}
}

func everything(t *testing.T, dir string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	return append(paths, dir)
}

// TestVanishedFilesNeedNoPermission: Pebble removes old files while the directory is made private.
func TestVanishedFilesNeedNoPermission(t *testing.T) {
	if err := restrict(filepath.Join(t.TempDir(), "MANIFEST-000001"), filePerm); err != nil {
		t.Error(err)
	}
}
