package store

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	wactorv1 "github.com/wactor/wactor/proto/wactor/v1"
)

const benchShards = 32

// syncCount counts syncs of the log.
func syncCount(fs vfs.FS) (vfs.FS, *atomic.Int64) {
	var n atomic.Int64
	return errorfs.Wrap(fs, errorfs.InjectorFunc(func(op errorfs.Op) error {
		switch op.Kind {
		case errorfs.OpFileSync, errorfs.OpFileSyncData, errorfs.OpFileSyncTo:
			if strings.HasSuffix(op.Path, ".log") {
				n.Add(1)
			}
		}
		return nil
	})), &n
}

// benchCommit is a commit like that of a message and its turn: head, state, a reply, a journal
// record, a message id.
func benchCommit(name string, base uint64) *wactorv1.Commit {
	c := commitOf(name, base, put(state, "", benchState), put(wactorv1.RecordKind_RECORD_KIND_OUTBOX, seq(base),
		benchState),
		put(journal, seq(base), benchState), put(seen, generation(1)+fmt.Sprint("wamid.HBgLMTIzNDU2Nzg5MBUCABIYFjNBN",
			base), ""), put(workIndex, "", ""))
	if base > 0 {
		c.Deletes = []*wactorv1.Key{key(wactorv1.RecordKind_RECORD_KIND_OUTBOX, seq(base-1))}
	}
	return c
}

var benchState = strings.Repeat("s", 150)

// BenchmarkCommit has writers commit, each to conversations of its own in one shard after the
// other, in memory (where a sync is free) and on disk. It reports syncs for each commit.
func BenchmarkCommit(b *testing.B) {
	for _, where := range []string{"memory", "disk"} {
		for _, writers := range []int{1, 16, 256} {
			b.Run(fmt.Sprintf("%s/writers=%d", where, writers), func(b *testing.B) {
				var fs vfs.FS = vfs.NewMem()
				dir := "store"
				if where == "disk" {
					fs, dir = vfs.Default, b.TempDir()
				}
				counted, syncs := syncCount(fs)
				r := open(b, setup{FS: counted, Dir: dir, Shards: benchShards, CacheBytes: 128 << 20,
					Lanes: *benchLanes})
				b.ReportAllocs()
				syncs.Store(0)
				b.ResetTimer()
				commitMany(b, r, writers, b.N)
				b.StopTimer()
				b.ReportMetric(float64(syncs.Load())/float64(b.N), "fsyncs/op")
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "commits/s")
				r.Close()
			})
		}
	}
}

var benchLanes = flag.Int("lanes", 0, "lanes of the stores that are benchmarked")

func commitMany(b testing.TB, r *rig, writers, n int) {
	var left atomic.Int64
	left.Store(int64(n))
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			var bases [8]uint64
			done := make(chan error, 1)
			for i := 0; left.Add(-1) >= 0; i++ {
				at := i % len(bases)
				shard := uint32((w+at)%benchShards) + 1
				r.Propose(shard, r.term(shard), command(benchCommit(fmt.Sprintf("shop/49151%06d-%d", w, at),
					bases[at])), func(_ uint64, err error) { done <- err })
				if err := <-done; err != nil {
					b.Error(err)
					return
				}
				bases[at]++
			}
		})
	}
	all.Wait()
}

// BenchmarkSync tells what a sync of the disk costs, to read the others by.
func BenchmarkSync(b *testing.B) {
	file, err := os.Create(b.TempDir() + "/file")
	if err != nil {
		b.Fatal(err)
	}
	defer file.Close()
	block := make([]byte, 1024)
	for b.Loop() {
		if _, err := file.Write(block); err != nil {
			b.Fatal(err)
		}
		if err := file.Sync(); err != nil {
			b.Fatal(err)
		}
	}
}

var benchStored = flag.Int("stored", 0, "stored conversations of BenchmarkOpen and BenchmarkCommitStored; 0: 10,000, "+
	"and 1,000,000 unless -short")

func storedSizes() []int {
	switch {
	case *benchStored > 0:
		return []int{*benchStored}
	case testing.Short():
		return []int{10_000}
	}
	return []int{10_000, 1_000_000}
}

// fill stores conversations through the log.
func fill(b testing.TB, dir string, n int) {
	r := open(b, setup{Dir: dir, Shards: benchShards})
	inFlight := make(chan struct{}, 4096)
	for i := range n {
		shard := uint32(i%benchShards) + 1
		inFlight <- struct{}{}
		c := commitOf(fmt.Sprintf("shop/4915%08d", i), 0, put(state, "", benchState), put(journal, seq(1), benchState),
			put(seen, generation(1)+fmt.Sprint("wamid.HBgLMTIzNDU2Nzg5MBUCABIYFjNBN", i), ""))
		r.Propose(shard, r.term(shard), command(c), func(_ uint64, err error) {
			if err != nil {
				b.Error(err)
			}
			<-inFlight
		})
	}
	for range cap(inFlight) {
		inFlight <- struct{}{}
	}
	if err := r.Close(); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkStored opens a store with many conversations, and then commits to some of them and to
// new ones.
func BenchmarkStored(b *testing.B) {
	for _, n := range storedSizes() {
		dir := ""
		prepare := func(b *testing.B) {
			if dir == "" {
				var err error
				if dir, err = os.MkdirTemp("", "stored"); err != nil {
					b.Fatal(err)
				}
				fill(b, dir, n)
			}
		}
		b.Run(fmt.Sprintf("conversations=%d/open", n), func(b *testing.B) {
			prepare(b)
			var took time.Duration
			for range b.N {
				began := time.Now()
				r := open(b, setup{Dir: dir, Shards: benchShards, CacheBytes: 128 << 20})
				took += time.Since(began)
				r.Close()
			}
			b.ReportMetric(took.Seconds()/float64(b.N)*1000, "ms/open")
		})
		b.Run(fmt.Sprintf("conversations=%d/commit", n), func(b *testing.B) {
			prepare(b)
			r := open(b, setup{Dir: dir, Shards: benchShards, CacheBytes: 128 << 20})
			b.ResetTimer()
			var next atomic.Int64
			var all sync.WaitGroup
			for range 256 {
				all.Go(func() {
					for i := next.Add(1); i <= int64(b.N); i = next.Add(1) {
						visit(b, r, int(i*7919)%n)
					}
				})
			}
			all.Wait()
			b.StopTimer()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "visits/s")
			r.Close()
		})
		if dir != "" {
			os.RemoveAll(dir)
		}
	}
}

// visit does what the store sees of a message to a conversation that is not active: load, look for
// a duplicate, commit.
func visit(b testing.TB, r *rig, i int) {
	shard, name := uint32(i%benchShards)+1, fmt.Sprintf("shop/4915%08d", i)
	revision, err := r.Load(shard, name, func(kindOf, []byte, []byte) error { return nil })
	if err != nil {
		b.Error(err)
	}
	if _, err := r.Seen(shard, name, 1, fmt.Sprint("wamid.new", i)); err != nil {
		b.Error(err)
	}
	if err := r.commit(shard, benchCommit(name, revision)); err != nil {
		b.Error(err)
	}
}
