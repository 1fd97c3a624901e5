package replication

import (
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// TestConsentSurvivesAPowerCut: what was said to a founder is on the disk by then.
func TestConsentSurvivesAPowerCut(t *testing.T) {
	fs := vfs.NewCrashableMem()
	r := open(t, setup{FS: fs, Dir: "store", Options: Options{Joining: true}})
	if r.Consented() != 0 {
		t.Errorf("a new store consents to %d", r.Consented())
	}
	for _, founder := range []uint64{5, 3} {
		if err := r.Consent(founder); err != nil {
			t.Fatal(err)
		}
		if again := open(t, setup{FS: fs.CrashClone(vfs.CrashCloneCfg{}), Dir: "store",
			Options: Options{Joining: true}}); again.Consented() != founder {
			t.Errorf("after a power cut it consents to %d, not to %d", again.Consented(), founder)
		}
	}
}

// TestSettledSurvivesAPowerCut: a node that starts without the others serves what it leads.
func TestSettledSurvivesAPowerCut(t *testing.T) {
	fs := vfs.NewCrashableMem()
	r := open(t, setup{FS: fs, Dir: "store"})
	if r.Settled() {
		t.Error("a new store was in a cluster that had been formed")
	}
	if err := r.Settle(); err != nil {
		t.Fatal(err)
	}
	if !open(t, setup{FS: fs.CrashClone(vfs.CrashCloneCfg{}), Dir: "store"}).Settled() {
		t.Error("forgotten")
	}
}
