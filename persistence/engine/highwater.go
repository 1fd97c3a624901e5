package engine

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// Pebble takes a write-ahead log that ends early, or whose end can't be read, for one that was torn
// by a crash, and opens without a word. Where that end had been synced, acknowledged commits are
// gone. So the engine keeps a record beside the store, the high water: how long each file was that
// is only ever appended to (the logs and the manifest) when it was last synced, and the checksum of
// that much. An Open compares.
//
// The record is written after each sync, without a sync of its own: the kernel has it, so it
// survives every death of the process, and a power cut can only leave an older one. It never says
// more than the disk holds, since it is written behind the sync, and synced itself before a file
// that it names is removed.

// highWaterFile is the name of the record in the directory of the files.
const highWaterFile = "high-water"

// ErrLoss: the disk holds less than was synced to it, or something else.
var ErrLoss = errors.New("persistence: the disk does not hold what was written and synced")

// Loss is a file that does not hold what was synced.
type Loss struct {
	File string
	// Synced is how many bytes were synced, Found how many are there; as many or more where they
	// differ from what was written. -1: there is no such file.
	Synced, Found int64
}

// String says what is wrong with the file.
func (l Loss) String() string {
	switch {
	case l.Found < 0:
		return fmt.Sprintf("%s is gone, %d bytes of it were synced", l.File, l.Synced)
	case l.Found < l.Synced:
		return fmt.Sprintf("%s has %d bytes, %d were synced", l.File, l.Found, l.Synced)
	}
	return fmt.Sprintf("the first %d bytes of %s are not those that were synced", l.Synced, l.File)
}

// slotBytes is the size of one of the two copies of the record, which are written in turn: a power
// cut may tear one. slotApart is the distance between them.
const slotBytes, slotApart = 2048, 4096

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// mark is how much of a file was synced, and its checksum.
type mark struct {
	size int64
	sum  uint32
}

// highWater is the record. Pebble's goroutines write to it through the files that they sync.
type highWater struct {
	fs  vfs.FS
	dir string

	mu    sync.Mutex
	file  vfs.File
	turn  uint64 // the number of the newest copy
	marks map[string]mark
	page  []byte // for encoding; kept for its memory
}

// appended reports whether files of this name are only ever appended to.
func appended(name string) bool {
	return strings.HasSuffix(name, ".log") || strings.HasPrefix(name, "MANIFEST-")
}

// openHighWater reads the record of a directory, where there is one.
func openHighWater(fs vfs.FS, dir string) (*highWater, error) {
	h := &highWater{fs: fs, dir: dir, marks: map[string]mark{}}
	file, err := fs.OpenReadWrite(fs.PathJoin(dir, highWaterFile), vfs.WriteCategoryUnspecified)
	if err != nil {
		return nil, fmt.Errorf("persistence: opening the high-water record failed: %w", err)
	}
	h.file = file
	for slot := range int64(2) {
		page := make([]byte, slotBytes)
		if n, err := file.ReadAt(page, slot*slotApart); err != nil && !errors.Is(err, io.EOF) {
			return nil, errors.Join(fmt.Errorf("persistence: reading the high-water record failed: %w", err),
				file.Close())
		} else if turn, marks, ok := decodeMarks(page[:n]); ok && turn > h.turn {
			h.turn, h.marks = turn, marks
		}
	}
	return h, nil
}

// encodeMarks is the stored form: lines of text, the last of which is the checksum of those before.
func encodeMarks(page []byte, turn uint64, marks map[string]mark) []byte {
	page = append(page, "wactor high water 1\nturn "...)
	page = append(strconv.AppendUint(page, turn, 10), '\n')
	for name, m := range marks {
		page = append(append(page, name...), ' ')
		page = append(strconv.AppendInt(page, m.size, 10), ' ')
		page = append(strconv.AppendUint(page, uint64(m.sum), 16), '\n')
	}
	sum := crc32.Checksum(page, castagnoli)
	page = append(page, "sum "...)
	return append(strconv.AppendUint(page, uint64(sum), 16), '\n')
}

func decodeMarks(page []byte) (turn uint64, marks map[string]mark, ok bool) {
	at := bytes.LastIndex(page, []byte("\nsum "))
	if at < 0 {
		return 0, nil, false
	}
	text, end := string(page[:at+1]), string(bytes.TrimRight(page[at+1:], "\x00"))
	if end != fmt.Sprintf("sum %x\n", crc32.Checksum(page[:at+1], castagnoli)) {
		return 0, nil, false
	}
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if len(lines) < 2 || lines[0] != "wactor high water 1" {
		return 0, nil, false
	}
	if _, err := fmt.Sscanf(lines[1], "turn %d", &turn); err != nil {
		return 0, nil, false
	}
	marks = map[string]mark{}
	for _, line := range lines[2:] {
		var name string
		var m mark
		if _, err := fmt.Sscanf(line, "%s %d %x", &name, &m.size, &m.sum); err != nil {
			return 0, nil, false
		}
		marks[name] = m
	}
	return turn, marks, true
}

// verify compares the files with the record, and returns those that lack something, by name.
func (h *highWater) verify() ([]Loss, error) {
	var lost []Loss
	for name, m := range h.marks {
		found, sum, err := h.sum(name, m.size)
		if err != nil {
			return nil, fmt.Errorf("persistence: comparing %s with the high-water record failed: %w", name, err)
		}
		if found < m.size || sum != m.sum {
			lost = append(lost, Loss{File: name, Synced: m.size, Found: found})
		}
	}
	slices.SortFunc(lost, func(a, b Loss) int { return strings.Compare(a.File, b.File) })
	return lost, nil
}

// sum is the checksum of the first bytes of a file, and how many of them are there.
func (h *highWater) sum(name string, size int64) (found int64, sum uint32, err error) {
	file, err := h.fs.Open(h.fs.PathJoin(h.dir, name), vfs.SequentialReadsOption)
	if err != nil {
		if exists(h.fs, h.fs.PathJoin(h.dir, name)) {
			return 0, 0, err
		}
		return -1, 0, nil
	}
	defer file.Close()
	buffer := make([]byte, 256<<10)
	for found < size {
		n, err := file.Read(buffer[:min(int64(len(buffer)), size-found)])
		sum, found = crc32.Update(sum, castagnoli, buffer[:n]), found+int64(n)
		if errors.Is(err, io.EOF) || n == 0 {
			break
		}
		if err != nil {
			return found, sum, err
		}
	}
	return found, sum, nil
}

func exists(fs vfs.FS, path string) bool {
	_, err := fs.Stat(path)
	return err == nil
}

// firstManifest is what a new store writes first: before the marker that names it, and long before
// the first commit in a log. A store that is opened again has another one.
const firstManifest = "MANIFEST-000001"

// used reports whether something was committed to the store. A power cut while it is made may leave
// its first manifest alone.
func (h *highWater) used() bool {
	for name := range h.marks {
		if name != firstManifest {
			return true
		}
	}
	return false
}

// synced notes that a file is on the disk up to a mark. Where that fails an older record is left,
// which promises less.
func (h *highWater) synced(name string, m mark) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.file == nil || h.marks[name] == m {
		return
	}
	h.marks[name] = m
	_ = h.write()
}

// forget takes a file out of the record for good, before it is removed or becomes another one.
func (h *highWater) forget(names ...string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	known := false
	for _, name := range names {
		if _, ok := h.marks[name]; ok {
			known = true
			delete(h.marks, name)
		}
	}
	if !known || h.file == nil {
		return nil
	}
	// Both copies: where the newest is torn, an older one must not name the file.
	return errors.Join(h.write(), h.write(), h.file.SyncData())
}

// write writes the older of the two copies.
func (h *highWater) write() error {
	h.turn++
	h.page = encodeMarks(h.page[:0], h.turn, h.marks)
	if len(h.page) > slotBytes {
		return fmt.Errorf("persistence: the high-water record names %d files", len(h.marks))
	}
	h.page = append(h.page, make([]byte, slotBytes-len(h.page))...)
	_, err := h.file.WriteAt(h.page, int64(h.turn%2)*slotApart)
	return err
}

func (h *highWater) close() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.file == nil {
		return nil
	}
	file := h.file
	h.file = nil
	return file.Close()
}

// watched is a file that is only appended to.
type watched struct {
	vfs.File
	name  string
	water *highWater
	// named puts the file's name on the disk, which its first sync needs not do: a power cut could
	// keep the record of a file and lose the file. Nil where that is done; Pebble does it for logs.
	named func() error

	mu      sync.Mutex
	written mark
	// allocated is the end of the room that was taken on the disk, and wanted the end of what
	// Pebble asks for. Only the goroutine that writes uses them.
	allocated, wanted int64
}

// roomBytes is how much room a file takes at a time: little beside a log of a memtable's size, for
// which Pebble would take all at once, and much beside one write.
const roomBytes = 8 << 20

// Preallocate implements vfs.File. The room is taken as the file grows: a node that is hardly used
// would hold 72 MB for each of its logs.
func (w *watched) Preallocate(offset, length int64) error {
	w.allocated, w.wanted = max(w.allocated, offset), max(w.wanted, offset+length)
	return w.takeRoom(offset)
}

// takeRoom takes room up to an offset and some more, where Pebble has asked for it.
func (w *watched) takeRoom(upTo int64) error {
	if w.allocated >= w.wanted || upTo < w.allocated {
		return nil
	}
	length := min(upTo-w.allocated+roomBytes, w.wanted-w.allocated)
	offset := w.allocated
	w.allocated += length
	return w.File.Preallocate(offset, length)
}

// Write implements vfs.File. Writes of a file come one after the other. The checksum is made before
// the write: a race build's file system of memory overwrites the bytes that it was given.
func (w *watched) Write(p []byte) (int, error) {
	w.mu.Lock()
	before, end := w.written.sum, w.written.size+int64(len(p))
	w.mu.Unlock()
	_ = w.takeRoom(end) // without it the write finds room by itself, or fails
	sum := crc32.Update(before, castagnoli, p)
	n, err := w.File.Write(p)
	if n < len(p) {
		sum = crc32.Update(before, castagnoli, p[:n])
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.written.size += int64(n)
	w.written.sum = sum
	return n, err
}

// Sync implements vfs.File.
func (w *watched) Sync() error { return w.sync(w.File.Sync) }

// SyncData implements vfs.File.
func (w *watched) SyncData() error { return w.sync(w.File.SyncData) }

func (w *watched) sync(sync func() error) error {
	w.mu.Lock()
	before := w.written // what is written meanwhile may or may not be synced
	w.mu.Unlock()
	if err := sync(); err != nil {
		return err
	}
	if w.named != nil {
		if err := w.named(); err != nil {
			return err
		}
		w.named = nil
	}
	w.water.synced(w.name, before)
	return nil
}
