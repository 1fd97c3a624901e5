//go:build linux

package system_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// A disk is a small file system for the data of one node. It lies in memory, which has no reserve
// for root and needs no loop device, and tells a full disk by the same error as any other.
type disk struct{ path string }

// newDisk mounts a disk of so many bytes where a node that does not run yet stores its data.
func newDisk(t *testing.T, m *member, size int) *disk {
	t.Helper()
	d := &disk{path: m.dataDir()}
	if err := syscall.Mount("tmpfs", d.path, "tmpfs", syscall.MS_NOSUID|syscall.MS_NODEV,
		fmt.Sprintf("size=%d,mode=700", size)); err != nil {
		t.Fatalf("mount a disk: %v", err)
	}
	t.Cleanup(func() {
		m.kill()
		if err := syscall.Unmount(d.path, syscall.MNT_DETACH); err != nil {
			t.Errorf("unmount the disk: %v", err)
		}
	})
	return d
}

func (d *disk) ballast() string { return filepath.Join(d.path, "ballast") }

// fill writes until nothing more fits.
func (d *disk) fill(t *testing.T) {
	t.Helper()
	file, err := os.OpenFile(d.ballast(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for block := make([]byte, 64<<10); len(block) > 0; {
		_, err := file.Write(block)
		switch {
		case errors.Is(err, syscall.ENOSPC):
			block = block[:len(block)/2] // the last bytes, too
		case err != nil:
			t.Fatalf("fill the disk: %v", err)
		}
	}
}

// used returns how many bytes lie on the disk.
func (d *disk) used(t *testing.T) int64 {
	t.Helper()
	var stat syscall.Statfs_t
	if err := syscall.Statfs(d.path, &stat); err != nil {
		t.Fatal(err)
	}
	return int64(stat.Blocks-stat.Bfree) * stat.Bsize
}

// free makes room again; it does nothing where the disk was not filled.
func (d *disk) free(t *testing.T) {
	t.Helper()
	if err := os.Remove(d.ballast()); err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
}
