package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/wactor/wactor/persistence/engine"
	"github.com/wactor/wactor/persistence/record"
)

// errInjected is an error whose text is harmless, and shown.
var errInjected error = syscall.EIO

// fault fails every access of a kind from a time on.
type fault struct {
	kinds map[errorfs.OpKind]bool
	// files that fail end so; empty: all.
	suffix string
	// after is how many accesses work before the first that fails; armed counts only then.
	after atomic.Int64
	armed atomic.Bool
	hit   atomic.Bool
}

func (f *fault) String() string { return "fault" }

// MaybeError implements errorfs.Injector.
func (f *fault) MaybeError(op errorfs.Op) error {
	if !f.armed.Load() || !f.kinds[op.Kind] || !strings.HasSuffix(op.Path, f.suffix) || f.after.Add(-1) >= 0 {
		return nil
	}
	f.hit.Store(true)
	return errInjected
}

func opKinds(ops ...errorfs.OpKind) map[errorfs.OpKind]bool {
	out := map[errorfs.OpKind]bool{}
	for _, op := range ops {
		out[op] = true
	}
	return out
}

// TestFailedSyncIsNeverAcknowledged: from the first sync or write of the log that fails, nothing is
// acknowledged, Fatal ends the process, and the disk holds all that was acknowledged before.
func TestFailedSyncIsNeverAcknowledged(t *testing.T) {
	for name, ops := range map[string]map[errorfs.OpKind]bool{
		"sync":  opKinds(errorfs.OpFileSync, errorfs.OpFileSyncData, errorfs.OpFileSyncTo),
		"write": opKinds(errorfs.OpFileWrite),
	} {
		for seed := range uint64(20) {
			t.Run(fmt.Sprintf("%s/seed=%d", name, seed), func(t *testing.T) {
				rng := rand.New(rand.NewPCG(seed, 1))
				disk := vfs.NewCrashableMem()
				f := &fault{kinds: ops, suffix: ".log"}
				// few, so that the engine does not rotate its log, where it throws at once
				f.after.Store(rng.Int64N(60))
				ended := make(chan error, 10)
				r := open(t, setup{Dir: "store", FS: errorfs.Wrap(disk, f), Lanes: 1 + int(seed%2),
					KeepLog: seed%4 > 1, Fatal: func(err error) {
						ended <- err
						runtime.Goexit() // the process would end here; only the lane does
					}})
				f.armed.Store(true)
				load := startLoad(r, &f.hit)
				if err := <-ended; !strings.Contains(err.Error(), errInjected.Error()) {
					t.Fatalf("the process was ended because of %v", err)
				}
				again := open(t, setup{Dir: "store", FS: disk.CrashClone(vfs.CrashCloneCfg{})})
				load.mu.Lock()
				defer load.mu.Unlock()
				for conversation, revision := range load.acknowledged {
					if got, _ := again.load(1+conversation%4, fmt.Sprint("shop/", conversation)); got < revision {
						t.Fatalf("revision %d was acknowledged, the disk holds %d", revision, got)
					}
				}
				if load.late {
					t.Fatal("a commit was acknowledged after the log had failed")
				}
			})
		}
	}
}

// load is some conversations, each of which commits again as soon as its last commit was
// acknowledged.
type load struct {
	r            *rig
	hit          *atomic.Bool
	mu           sync.Mutex
	acknowledged map[uint32]uint64
	// late: a commit was acknowledged that had been proposed after the failure.
	late bool
}

func startLoad(r *rig, hit *atomic.Bool) *load {
	l := &load{r: r, hit: hit, acknowledged: map[uint32]uint64{}}
	for conversation := range uint32(8) {
		l.commit(conversation, 0)
	}
	return l
}

func (l *load) commit(conversation uint32, base uint64) {
	failed, shard := l.hit.Load(), 1+conversation%4
	c := commitOf(fmt.Sprint("shop/", conversation), base, put(state, "", strings.Repeat("x", 50)))
	l.r.Propose(shard, l.r.term(shard), command(c), func(revision uint64, err error) {
		if err != nil {
			return
		}
		l.mu.Lock()
		l.acknowledged[conversation] = revision
		l.late = l.late || failed
		l.mu.Unlock()
		l.commit(conversation, revision)
	})
}

// TestFullDiskIsSaidAtOnce: a start that has to flush what it replays, and has no room for that,
// ends with an error.
func TestFullDiskIsSaidAtOnce(t *testing.T) {
	disk := vfs.NewCrashableMem()
	r := open(t, setup{Dir: "store", FS: disk})
	for i := range uint64(10) {
		r.mustCommit(1, commitOf("shop/1", i))
	}
	f := &fault{kinds: opKinds(errorfs.OpCreate), suffix: ".sst"}
	f.armed.Store(true)
	crashed := disk.CrashClone(vfs.CrashCloneCfg{})
	s, err := Open(setup{Dir: "store", FS: errorfs.Wrap(crashed, f), Shards: 4, Fatal: func(error) {}}.options())
	if err == nil {
		s.Close()
		t.Fatal("a store that can't be written is open")
	}
	if !strings.Contains(err.Error(), errInjected.Error()) {
		t.Errorf("error %v", err)
	}
	f.armed.Store(false) // there is room again: what was begun ends, and a new start finds everything
	for tries := 0; ; tries++ {
		again, err := tryOpen(t, setup{Dir: "store", FS: crashed})
		if err != nil && tries < 10_000 {
			time.Sleep(time.Millisecond)
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if revision, _ := again.load(1, "shop/1"); revision != 10 {
			t.Errorf("revision %d of 10", revision)
		}
		return
	}
}

// TestFailedReadIsAnError: what can't be read is an error, never "not there".
func TestFailedReadIsAnError(t *testing.T) {
	disk := vfs.NewMem()
	f := &fault{kinds: opKinds(errorfs.OpFileRead, errorfs.OpFileReadAt, errorfs.OpOpen), suffix: ".sst"}
	options := setup{Dir: "store", FS: errorfs.Wrap(disk, f), tune: func(o *pebble.Options) { o.CacheSize = 1 }}
	r := open(t, options)
	for i := range 200 {
		r.mustCommit(1, commitOf(fmt.Sprintf("shop/%03d", i), 0, put(workIndex, "", ""), put(dueIndex, seq(5)+"t", ""),
			put(seen, generation(1)+"id", ""), put(journal, seq(1), strings.Repeat("j", 1000))))
	}
	if err := r.db.Flush(); err != nil {
		t.Fatal(err)
	}
	r = r.restart()
	f.armed.Store(true)
	each := func([]byte, []byte) error { return nil }
	_, loadErr := r.Load(1, "shop/007", nil)
	_, seenErr := r.Seen(1, "shop/007", 1, "id")
	for name, err := range map[string]error{
		"load": loadErr, "seen": seenErr, "scan": r.Scan(1, "shop/007", journal, each),
		"work": r.Work(1, func(string) error { return nil }),
		"due":  r.Due(1, 9, func(int64, string, string) error { return nil }),
	} {
		if !errors.Is(err, errInjected) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if !f.hit.Load() {
		t.Fatal("nothing was read")
	}
	f.armed.Store(false)
	if revision, _ := r.load(1, "shop/007"); revision != 1 {
		t.Fatalf("revision %d once the disk can be read again", revision)
	}
}

// TestFailedOpenIsAnError: whatever read fails during a start, Open returns the error; the next
// start finds everything. No table is written meanwhile, since then the engine crashes the process:
// its failing start does not wait for that.
func TestFailedOpenIsAnError(t *testing.T) {
	disk := vfs.NewMem()
	options := setup{Dir: "store", FS: disk, tune: func(o *pebble.Options) { o.DisableAutomaticCompactions = true }}
	r := open(t, options)
	for i := range uint64(50) {
		r.mustCommit(1, commitOf("shop/1", i))
	}
	if err := r.db.Flush(); err != nil {
		t.Fatal(err)
	}
	r.Close()
	reads := opKinds(errorfs.OpFileRead, errorfs.OpFileReadAt, errorfs.OpOpen, errorfs.OpList, errorfs.OpFileStat,
		errorfs.OpStat)
	failed := 0
	for after := range int64(40) {
		f := &fault{kinds: reads}
		f.after.Store(after)
		f.armed.Store(true)
		faulty := options
		faulty.FS = errorfs.Wrap(disk, f)
		r, err := tryOpen(t, faulty)
		for errors.Is(err, syscall.EAGAIN) { // the start before has failed, and has not ended yet
			time.Sleep(time.Millisecond)
			r, err = tryOpen(t, faulty)
		}
		switch {
		case err != nil:
			failed++
			if !f.hit.Load() {
				t.Fatalf("after %d accesses: %v", after, err)
			}
		default:
			f.armed.Store(false)
			r.Close()
		}
	}
	if failed == 0 {
		t.Fatal("no start failed")
	}
	if revision, _ := open(t, options).load(1, "shop/1"); revision != 50 {
		t.Fatalf("revision %d", revision)
	}
}

// TestDamagedRecordsAreFound writes nonsense where each kind of record lies.
func TestDamagedRecordsAreFound(t *testing.T) {
	headKey, _ := record.Of(1, "shop/1", head, nil)
	for name, damage := range map[string]func(b *pebble.Batch){
		"hard state":    func(b *pebble.Batch) { b.Set(record.Key(1, record.ClassHardState), []byte{0xff}, nil) },
		"no hard state": func(b *pebble.Batch) { b.Delete(record.Key(1, record.ClassHardState), nil) },
		"voters":        func(b *pebble.Batch) { b.Set(record.Key(1, record.ClassConfState), []byte{0xff}, nil) },
		"no voters":     func(b *pebble.Batch) { b.Set(record.Key(1, record.ClassConfState), nil, nil) },
		"applied":       func(b *pebble.Batch) { b.Set(record.Key(1, record.ClassApplied), []byte{1}, nil) },
		"applied too high": func(b *pebble.Batch) {
			b.Set(record.Key(1, record.ClassApplied), positionOf(99, 2), nil)
		},
		"truncated": func(b *pebble.Batch) {
			b.Set(record.Key(1, record.ClassTruncated), make([]byte, 17),
				nil)
		},
		"truncated too high": func(b *pebble.Batch) {
			b.Set(record.Key(1, record.ClassTruncated), positionOf(99, 2), nil)
		},
		"entry": func(b *pebble.Batch) {
			b.Set(record.Key(1, record.ClassApplied), positionOf(3, 2), nil)
			b.Set(record.LogKey(1, 6), []byte{0xff}, nil)
		},
		"entry of another place": func(b *pebble.Batch) {
			b.Set(record.Key(1, record.ClassApplied), positionOf(3, 2), nil)
			b.Set(record.LogKey(1, 6), []byte{0x10, 2, 0x18, 99}, nil)
		},
		"last entry": func(b *pebble.Batch) { b.Set(record.LogKey(1, 99), []byte{}, nil) },
		"a hole": func(b *pebble.Batch) {
			b.Set(record.Key(1, record.ClassApplied), positionOf(3, 2), nil)
			b.Delete(record.LogKey(1, 5), nil)
		},
		"no entries": func(b *pebble.Batch) {
			b.DeleteRange(record.LogKey(1, 0), record.Key(1, record.ClassLog+1),
				nil)
		},
		"head": func(b *pebble.Batch) { b.Set(headKey, []byte("1234567"), nil) },
		"work": func(b *pebble.Batch) { b.Set(append(record.Key(1, record.ClassWork), "no end"...), nil, nil) },
		"due":  func(b *pebble.Batch) { b.Set(append(record.Key(1, record.ClassDue), 0, 0, 0), nil, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			disk := vfs.NewMem()
			r := open(t, setup{Dir: "store", FS: disk, KeepLog: true})
			for i := range uint64(5) {
				r.mustCommit(1, commitOf("shop/1", i))
			}
			b := r.db.NewBatch()
			damage(b)
			if err := b.Commit(pebble.Sync); err != nil {
				t.Fatal(err)
			}
			r.Close()
			again, err := tryOpen(t, setup{Dir: "store", FS: disk})
			if err == nil {
				_, loadErr := again.Load(1, "shop/1", func(_ kindOf, _, _ []byte) error { return nil })
				err = errors.Join(loadErr, again.Work(1, func(string) error { return nil }),
					again.Due(1, 9, func(int64, string, string) error { return nil }))
			}
			wantErr(t, err, engine.ErrCorrupt)
			if !strings.Contains(err.Error(), "shard 1") {
				t.Fatalf("%q does not say where", err)
			}
		})
	}
}

// TestDamagedFileIsFound flips bytes in the engine's files.
func TestDamagedFileIsFound(t *testing.T) {
	disk := vfs.NewMem()
	r := open(t, setup{Dir: "store", FS: disk})
	for i := range 100 {
		r.mustCommit(1, commitOf(fmt.Sprint("shop/", i), 0, put(state, "", strings.Repeat("x", 1000))))
	}
	if err := r.db.Flush(); err != nil {
		t.Fatal(err)
	}
	r.Close()
	damageTables(t, disk)
	r, err := tryOpen(t, setup{Dir: "store", FS: disk})
	if err == nil {
		for i := range 100 {
			_, loadErr := r.Load(1, fmt.Sprint("shop/", i), func(_ kindOf, _, _ []byte) error { return nil })
			err = errors.Join(err, loadErr)
		}
	}
	wantErr(t, err, engine.ErrCorrupt)
	if strings.Contains(err.Error(), "shop/") {
		t.Fatalf("the error names a conversation: %q", err)
	}
}

// positionOf is the stored form of the position of an entry.
func positionOf(index, term uint64) []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, index), term)
}

// damageTables changes each table of a disk.
func damageTables(t *testing.T, disk vfs.FS) {
	t.Helper()
	names, err := disk.List("store")
	if err != nil {
		t.Fatal(err)
	}
	damaged := false
	for _, name := range names {
		if strings.HasSuffix(name, ".sst") {
			file, err := disk.OpenReadWrite("store/"+name, vfs.WriteCategoryUnspecified)
			if err != nil {
				t.Fatal(err)
			}
			_, err = file.WriteAt([]byte("damage"), 200)
			damaged = true
			if err = errors.Join(err, file.Close()); err != nil {
				t.Fatal(err)
			}
		}
	}
	if !damaged {
		t.Fatal("no table was written")
	}
}

// TestADiskWithADamagedTableIsGivenUp where other nodes hold what it held: it ends, and does not
// start again before it is emptied, or its loss is accepted.
func TestADiskWithADamagedTableIsGivenUp(t *testing.T) {
	disk := vfs.NewCrashableMem()
	options := setup{Dir: "store", FS: disk}
	r := open(t, options)
	for i := range 100 {
		r.mustCommit(1, commitOf(fmt.Sprint("shop/", i), 0, put(state, "", strings.Repeat("x", 1000))))
	}
	if err := r.db.Flush(); err != nil {
		t.Fatal(err)
	}
	r.Close()
	damageTables(t, disk)
	ended := make(chan error, 100)
	options.Fatal, options.Replicated = func(err error) { ended <- err }, func() bool { return true }
	r, err := tryOpen(t, options)
	if err == nil {
		for i := range 100 {
			_, _, _ = r.tryLoad(fmt.Sprint("shop/", i))
		}
		_ = r.Close()
	}
	wantErr(t, <-ended, engine.ErrCorrupt)
	options.FS = disk.CrashClone(vfs.CrashCloneCfg{}) // the report is on the disk
	_, err = tryOpen(t, options)
	wantErr(t, err, engine.ErrLoss)
	accepting := options.options()
	accepting.Replication.Shards, accepting.Disk.AcceptLoss, accepting.Disk.Replicated = 4, true, nil
	s, err := Open(accepting)
	if err == nil {
		err = s.Close()
	}
	if errors.Is(err, engine.ErrLoss) {
		t.Errorf("an accepted loss is refused: %v", err)
	}
}
