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

func TestAStoreThatWasNeverFinishedIsMadeAnew(t *testing.T) {
	for want, names := range map[bool][]string{
		false: {"MANIFEST-000001"},
		true:  {"MANIFEST-000001", "000002.log"},
	} {
		h := &highWater{marks: map[string]mark{}}
		for _, name := range names {
			h.marks[name] = mark{size: 1}
		}
		if h.used() != want {
			t.Errorf("%v: used %v", names, !want)
		}
	}
	if again := (&highWater{marks: map[string]mark{"MANIFEST-000012": {}}}); !again.used() {
		t.Error("a store that was opened again may be made anew")
	}
}
