package store

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/wactor/wactor/persistence/engine"
	"github.com/wactor/wactor/persistence/replication"
)

var damages = flag.Int("damages", unlessRaced(50, 20), "damages of files that TestDamageIsNeverSilent tries")

// TestDamageIsNeverSilent: a process is killed, and one of the files that it leaves is damaged. The
// next start is refused, or everything that was acknowledged is there, or what can't be read is an
// error.
func TestDamageIsNeverSilent(t *testing.T) {
	var outcomes [3]int
	for seed := range uint64(*damages) {
		rng := rand.New(rand.NewPCG(seed, 9))
		disk, acknowledged := killed(t, rng)
		what := damage(t, rng, disk)
		options := smallTables(disk)
		options.Fatal = func(error) {}
		r, err := tryOpen(t, options)
		if err != nil {
			if !errors.Is(err, engine.ErrLoss) && !errors.Is(err, engine.ErrCorrupt) &&
				!errors.Is(err, replication.ErrMismatch) && !strings.Contains(err.Error(), "storage engine") {
				t.Errorf("seed %d, %s: the start is refused by %v", seed, what, err)
			}
			outcomes[0]++
			continue
		}
		outcomes[1]++
		unreadable := false
		for name, want := range acknowledged {
			revision, _, err := r.tryLoad(name)
			if err != nil {
				unreadable = true
				continue
			}
			if revision < want {
				t.Errorf("seed %d, %s: %s is at revision %d in silence, %d were acknowledged", seed, what, name,
					revision,
					want)
				break
			}
		}
		if unreadable {
			outcomes[2]++
		}
		_ = r.Close()
	}
	t.Logf("%d starts refused, %d taken, of which %d with what can't be read", outcomes[0], outcomes[1], outcomes[2])
	if *damages >= 50 && (outcomes[0] < *damages/10 || outcomes[1] < *damages/10) {
		t.Error("nearly all ended alike: this tests little")
	}
}

// smallTables makes a store write many files.
func smallTables(fs vfs.FS) setup {
	return setup{Dir: "store", FS: fs, Shards: 2, CacheBytes: 1 << 20, tune: func(o *pebble.Options) {
		o.MemTableSize, o.MemTableStopWritesThreshold = 64<<10, 4
		o.L0CompactionThreshold, o.L0StopWritesThreshold = 4, 24
	}}
}

// killed is the disk of a process that was killed at work, and what it had acknowledged. Some of it
// had been started twice.
func killed(t *testing.T, rng *rand.Rand) (*vfs.MemFS, map[string]uint64) {
	t.Helper()
	disk := vfs.NewCrashableMem()
	acknowledged := map[string]uint64{}
	for range 1 + rng.IntN(2) {
		r := open(t, smallTables(disk))
		for range 20 + rng.IntN(200) {
			name := fmt.Sprint("shop/", rng.IntN(20))
			text := make([]byte, rng.IntN(4000))
			for i := range text {
				text[i] = byte(rng.Uint32())
			}
			r.mustCommit(1, commitOf(name, acknowledged[name], put(state, "", string(text))))
			acknowledged[name]++
		}
		// What the kernel has is there after a kill.
		before := disk.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 100, RNG: rng})
		r.Close()
		disk = before
	}
	return disk, acknowledged
}

// damage changes one of the files, and says what it did.
func damage(t *testing.T, rng *rand.Rand, disk *vfs.MemFS) string {
	t.Helper()
	names, err := disk.List("store")
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	var content []byte
	var name string
	for len(content) == 0 {
		name = names[rng.IntN(len(names))]
		file, err := disk.Open(disk.PathJoin("store", name))
		if err != nil {
			t.Fatal(err)
		}
		content, err = io.ReadAll(file)
		if file.Close(); err != nil {
			t.Fatal(err)
		}
		if len(content) == 0 && strings.HasPrefix(name, "marker.") && rng.IntN(4) == 0 {
			break
		}
	}
	path := disk.PathJoin("store", name)
	kind, at := rng.IntN(5), rng.IntN(len(content)+1)
	if rng.IntN(2) == 0 { // most of what is hard to find is at the end
		at = max(0, len(content)-1-rng.IntN(90<<10))
	}
	at = min(at, max(0, len(content)-1))
	if len(content) == 0 || kind == 4 {
		if err := disk.Remove(path); err != nil {
			t.Fatal(err)
		}
		return name + " deleted"
	}
	what := ""
	switch kind {
	case 0, 1:
		content[at] ^= 1 << rng.IntN(8)
		what = fmt.Sprintf("%s with a bit flipped at %d of %d", name, at, len(content))
	case 2:
		what = fmt.Sprintf("%s cut from %d to %d", name, len(content), at)
		content = content[:at]
	case 3:
		end := min(len(content), at+1+rng.IntN(8<<10))
		clear(content[at:end])
		what = fmt.Sprintf("%s with zeros from %d to %d of %d", name, at, end, len(content))
	}
	file, err := disk.Create(path, vfs.WriteCategoryUnspecified)
	if err != nil {
		t.Fatal(err)
	}
	_, err = file.Write(content)
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		t.Fatal(err)
	}
	return what
}

// TestAcceptedLossIsWrittenDown: with AcceptLoss the store opens with what is there, once, and a
// file says what may be missing.
func TestAcceptedLossIsWrittenDown(t *testing.T) {
	disk := vfs.NewCrashableMem()
	options := setup{Dir: "store", FS: disk}
	r := open(t, options)
	for i := range uint64(10) {
		r.mustCommit(1, commitOf("shop/1", i))
	}
	disk = disk.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 100, RNG: rand.New(rand.NewPCG(1, 1))})
	names, err := disk.List("store")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if !strings.HasSuffix(name, ".log") {
			continue
		}
		file, err := disk.Create(disk.PathJoin("store", name), vfs.WriteCategoryUnspecified) // emptied
		if err := errors.Join(err, file.Close()); err != nil {
			t.Fatal(err)
		}
	}
	options.FS = disk
	_, err = tryOpen(t, options)
	wantErr(t, err, engine.ErrLoss)
	accepting := options.options()
	accepting.Replication.Shards, accepting.Disk.AcceptLoss, accepting.Fatal = 4, true, func(err error) { t.Error(err) }
	s, err := Open(accepting)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	names, _ = disk.List("store")
	if !slices.ContainsFunc(names, func(name string) bool { return strings.HasPrefix(name, "accepted-loss-") }) {
		t.Errorf("no report among %q", names)
	}
	open(t, options) // it was accepted, and is no loss any more
}
