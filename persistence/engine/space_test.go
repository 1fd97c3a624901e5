package engine

import (
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// roomyFS is a disk of which a test says how much is free.
type roomyFS struct {
	vfs.FS
	total, free uint64
}

// GetDiskUsage implements vfs.FS.
func (f *roomyFS) GetDiskUsage(string) (vfs.DiskUsage, error) {
	return vfs.DiskUsage{TotalBytes: f.total, AvailBytes: f.free}, nil
}

// TestFullDiskIsSeenBeforeItsEnd: with less than the reserve the disk counts as full, and it takes
// an eighth more until it does not.
func TestFullDiskIsSeenBeforeItsEnd(t *testing.T) {
	const gib = 1 << 30
	for name, c := range map[string]struct {
		total    uint64
		reserve  int64
		full, ok uint64
	}{
		"a twentieth of a small disk": {10 * gib, 0, gib/2 - 1, gib/2 + gib/16},
		"1 GiB of a large one":        {1000 * gib, 0, gib - 1, gib + gib/8},
		"as configured":               {1000 * gib, 8000, 7999, 9000},
	} {
		t.Run(name, func(t *testing.T) {
			disk := &roomyFS{FS: vfs.NewMem(), total: c.total, free: c.total}
			e, err := Open(Options{Dir: "store", FS: disk, Reserve: c.reserve, Fatal: func(err error) { t.Error(err) }})
			if err != nil {
				t.Fatal(err)
			}
			defer e.Close()
			for _, step := range []struct {
				free uint64
				want bool
			}{{c.total, false}, {c.full + 1, false}, {c.full, true}, {c.full + 1, true}, {c.ok - 1, true},
				{c.ok, false},
				{c.full + 1, false}} {
				disk.free = step.free
				e.space.look()
				if e.Full() != step.want {
					t.Errorf("%d bytes are free: full %v", step.free, e.Full())
				}
			}
		})
	}
}

// TestUsedBytesCountTheLog: what was just written, and lies in the log alone, is counted.
func TestUsedBytesCountTheLog(t *testing.T) {
	e, err := Open(Options{Dir: "store", FS: vfs.NewMem(), Fatal: func(err error) { t.Error(err) }})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	before := e.used()
	err = e.SyncedWrites(func(b *pebble.Batch) error { return b.Set([]byte("key"), make([]byte, 100_000), nil) })
	if err != nil {
		t.Fatal(err)
	}
	if grown := e.used() - before; grown < 100_000 {
		t.Errorf("%d bytes more are in use, at least 100,000 were written", grown)
	}
}
