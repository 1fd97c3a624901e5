package engine

import (
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// roomy is a file that remembers for what room was taken.
type roomy struct {
	vfs.File
	end   int64
	times int
	t     *testing.T
}

func (r *roomy) Preallocate(offset, length int64) error {
	if offset != r.end {
		r.t.Errorf("room is taken from %d, the last one ended at %d", offset, r.end)
	}
	r.end, r.times = offset+length, r.times+1
	return nil
}

func (r *roomy) Write(p []byte) (int, error) { return len(p), nil }

// TestALogTakesRoomAsItGrows: not a whole memtable's at once, never less than is written, and no
// more than was asked for.
func TestALogTakesRoomAsItGrows(t *testing.T) {
	room := &roomy{t: t}
	file := &watched{File: room, name: "000001.log"}
	const asked = 20<<20 + 5
	if err := file.Preallocate(0, asked); err != nil {
		t.Fatal(err)
	}
	if room.end != roomBytes {
		t.Errorf("an empty log takes %d bytes", room.end)
	}
	written := int64(0)
	for _, size := range []int{1, 100, roomBytes, 3, roomBytes - 200, 4 << 20} {
		if _, err := file.Write(make([]byte, size)); err != nil {
			t.Fatal(err)
		}
		if written += int64(size); room.end < min(written, asked) || room.end > asked || room.end > written+roomBytes {
			t.Errorf("with %d bytes written it has room for %d", written, room.end)
		}
	}
	if room.times > 4 {
		t.Errorf("room was taken %d times", room.times)
	}
	if err := file.Preallocate(asked, asked); err != nil { // the next block of Pebble
		t.Fatal(err)
	}
	if _, err := file.Write(make([]byte, 5<<20)); err != nil || room.end < written+5<<20 {
		t.Errorf("room for %d bytes, %v", room.end, err)
	}
}
