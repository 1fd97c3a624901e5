package engine

import (
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// TestARecordedManifestHasItsName: a power cut must not keep the record of a synced manifest and
// lose the manifest, whose name the first sync of a file need not put on the disk.
func TestARecordedManifestHasItsName(t *testing.T) {
	fs := vfs.NewCrashableMem()
	if err := fs.MkdirAll("store", dirPerm); err != nil {
		t.Fatal(err)
	}
	if err := syncDir(fs, "/"); err != nil {
		t.Fatal(err)
	}
	water, err := openHighWater(fs, "store")
	if err != nil {
		t.Fatal(err)
	}
	file, err := files{FS: fs, water: water}.Create("store/MANIFEST-000001", vfs.WriteCategoryUnspecified)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.Write([]byte("what is synced")); err != nil {
		t.Fatal(err)
	}
	if err := file.Sync(); err != nil {
		t.Fatal(err)
	}
	if _, known := water.marks["MANIFEST-000001"]; !known {
		t.Fatal("the manifest is not in the record")
	}
	if left := fs.CrashClone(vfs.CrashCloneCfg{}); !exists(left, "store/MANIFEST-000001") {
		t.Error("the cut lost the manifest")
	}
}
