package store

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
	"github.com/google/go-cmp/cmp"
)

var (
	crashSeeds = flag.Int("crash.seeds", unlessRaced(40, 10), "how many histories of crashes to play")
	crashSeed  = flag.Uint64("crash.seed", 1, "the first of them")
)

// TestNothingAcknowledgedIsLostInACrash plays histories of power cuts: load, a cut at a random
// access to a file, which leaves what was synced and a random part of the rest; a start from that,
// which may be cut as well; a check; and on.
func TestNothingAcknowledgedIsLostInACrash(t *testing.T) {
	for i := range *crashSeeds {
		seed := *crashSeed + uint64(i)
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			checkLeaks(t)
			rng := rand.New(rand.NewPCG(seed, 1))
			h := &crashHistory{t: t, rng: rng, fs: vfs.NewCrashableMem(), options: crashOptions(rng)}
			for shard := range uint32(h.options.Shards) {
				for n := range 3 {
					h.conversations = append(h.conversations, &chain{shard: shard + 1,
						name: fmt.Sprintf("shop/%d\x00%d", shard, n)})
				}
			}
			for range 4 {
				h.round()
			}
		})
	}
}

// crashOptions makes everything small, so that logs are truncated, tables written and logs rotated
// all the time.
func crashOptions(rng *rand.Rand) setup {
	memTable := uint64(1) << (14 + rng.IntN(5))
	return setup{
		Dir: "store", Shards: 1 + rng.IntN(4), Lanes: 1 + rng.IntN(2), LogBytes: 1 << (4 * rng.IntN(5)),
		KeepLog: rng.IntN(2) == 0,
		tune: func(o *pebble.Options) {
			o.MemTableSize = memTable
			o.L0CompactionThreshold = 2
			o.LBaseMaxBytes = 64 << 10
		},
	}
}

// chain is a conversation of which every record follows from its revision.
type chain struct {
	shard uint32
	name  string
	// proposed and acknowledged are revisions.
	proposed, acknowledged atomic.Uint64
}

func (c *chain) generation(revision uint64) uint32 { return uint32(revision%3) + 1 }

func (c *chain) id(revision uint64) string { return fmt.Sprintf("wamid.%d", revision) }

// propose extends the chain by one.
func (c *chain) propose(r *rig, rng *rand.Rand, done func(error)) {
	base := c.proposed.Load()
	n := base + 1
	padding := string(make([]byte, rng.IntN(3000)))
	commit := commitOf(c.name, base,
		put(state, "", fmt.Sprint(n)+padding), put(inbox, seq(n), "m"), put(journal, seq(n), fmt.Sprint(n)),
		put(seen, generation(c.generation(n))+c.id(n), ""), put(dueIndex, seq(1000+n)+"timer", ""))
	if n > 1 {
		commit.Deletes = append(commit.Deletes, key(dueIndex, seq(1000+base)+"timer"))
	}
	if n > 3 {
		commit.Deletes = append(commit.Deletes, key(inbox, seq(n-3)))
	}
	if n%2 == 1 {
		commit.Puts = append(commit.Puts, put(workIndex, "", ""))
	} else {
		commit.Deletes = append(commit.Deletes, key(workIndex, ""))
	}
	c.proposed.Store(n)
	r.Propose(c.shard, r.term(c.shard), command(commit), func(revision uint64, err error) {
		if err == nil {
			c.acknowledged.Store(revision)
		}
		done(err)
	})
}

// load extends the chain, some links at a time.
func (c *chain) load(t *testing.T, r *rig, rng *rand.Rand, commits int) {
	for commits > 0 {
		pipelined := min(commits, 1+rng.IntN(8))
		commits -= pipelined
		done := make(chan error, pipelined)
		for range pipelined {
			c.propose(r, rng, func(err error) { done <- err })
		}
		for range pipelined {
			if err := <-done; err != nil {
				t.Errorf("commit of %q: %v", c.name, err)
				return
			}
		}
	}
}

// check holds the store against the chain: some revision that is not older than what was
// acknowledged, and exactly its records.
func (c *chain) check(t *testing.T, r *rig, acknowledged, proposed uint64) (revision uint64) {
	t.Helper()
	revision, records := r.load(c.shard, c.name)
	if revision < acknowledged || revision > proposed {
		t.Fatalf("%q is at revision %d, acknowledged %d, proposed %d", c.name, revision, acknowledged, proposed)
	}
	var want, wantJournal []stored
	if revision > 0 {
		want = []stored{{head, "", fmt.Sprintf("head %d", revision)}, {state, "", fmt.Sprint(revision)}}
	}
	for i := uint64(1); i <= revision; i++ {
		if i+3 > revision {
			want = append(want, stored{inbox, seq(i), "m"})
		}
		wantJournal = append(wantJournal, stored{journal, seq(i), fmt.Sprint(i)})
	}
	if len(records) > 1 {
		records[1].Value = string(trimZero([]byte(records[1].Value)))
	}
	if diff := cmp.Diff(want, records); diff != "" {
		t.Fatalf("%q at revision %d (-want +got):\n%s", c.name, revision, diff)
	}
	if diff := cmp.Diff(wantJournal, r.scanned(c.shard, c.name, journal)); diff != "" {
		t.Fatalf("journal of %q at revision %d (-want +got):\n%s", c.name, revision, diff)
	}
	for i := uint64(1); i <= revision+2; i++ {
		known, err := r.Seen(c.shard, c.name, c.generation(i), c.id(i))
		if err != nil || known != (i <= revision) {
			t.Fatalf("message %d of %q at revision %d: seen %v, %v", i, c.name, revision, known, err)
		}
	}
	return revision
}

func trimZero(b []byte) []byte {
	for len(b) > 0 && b[len(b)-1] == 0 {
		b = b[:len(b)-1]
	}
	return b
}

// checkIndexes holds the indexes of work and timers against the revisions.
func checkIndexes(t *testing.T, r *rig, chains []*chain, revisions map[*chain]uint64) {
	t.Helper()
	type timer struct {
		Due  int64
		Name string
	}
	for shard := uint32(1); shard <= uint32(r.setup.Shards); shard++ {
		wantWork, gotWork := map[string]bool{}, map[string]bool{}
		wantDue, gotDue := map[timer]bool{}, map[timer]bool{}
		for _, c := range chains {
			if n := revisions[c]; c.shard == shard && n > 0 {
				wantDue[timer{int64(1000 + n), c.name}] = true
				if n%2 == 1 {
					wantWork[c.name] = true
				}
			}
		}
		if err := r.Work(shard, func(name string) error { gotWork[name] = true; return nil }); err != nil {
			t.Fatal(err)
		}
		err := r.Due(shard, 1<<40, func(dueMs int64, name, _ string) error {
			gotDue[timer{dueMs,
				name}] = true
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(wantWork, gotWork); diff != "" {
			t.Fatalf("work of shard %d (-want +got):\n%s", shard, diff)
		}
		if diff := cmp.Diff(wantDue, gotDue); diff != "" {
			t.Fatalf("timers of shard %d (-want +got):\n%s", shard, diff)
		}
	}
}

// crashHistory is one machine over several power cuts.
type crashHistory struct {
	t             *testing.T
	rng           *rand.Rand
	fs            *vfs.MemFS
	options       setup
	conversations []*chain
}

// cut is what a power cut left.
type cut struct {
	fs *vfs.MemFS
	// acknowledged are the revisions that a caller relied on before the cut.
	acknowledged map[*chain]uint64
}

// cutAt returns a file system that is cut at its n-th access, and where the cut will be found.
func (h *crashHistory) cutAt(n int64) (vfs.FS, func() *cut) {
	var accesses atomic.Int64
	var once sync.Once
	var found *cut
	fs, clone := h.fs, vfs.CrashCloneCfg{UnsyncedDataPercent: []int{0, 10, 50, 90, 100}[h.rng.IntN(5)],
		RNG: rand.New(rand.NewPCG(h.rng.Uint64(), 2))}
	take := func() {
		once.Do(func() {
			found = &cut{acknowledged: map[*chain]uint64{}}
			for _, c := range h.conversations {
				found.acknowledged[c] = c.acknowledged.Load()
			}
			found.fs = fs.CrashClone(clone)
		})
	}
	wrapped := errorfs.Wrap(fs, errorfs.InjectorFunc(func(errorfs.Op) error {
		if accesses.Add(1) == n {
			take()
		}
		return nil
	}))
	return wrapped, func() *cut {
		take() // it was never accessed that often: cut now
		return found
	}
}

// round starts the store, perhaps with cuts during the start, checks it, and loads it until it is
// cut.
func (h *crashHistory) round() {
	h.t.Helper()
	if h.rng.IntN(2) == 0 {
		for range 1 + h.rng.IntN(3) {
			h.cutRecovery()
		}
	}
	fs, lost := h.cutAt(20 + h.rng.Int64N(3000))
	r := h.open(fs)
	h.check(r)
	var load sync.WaitGroup
	for _, c := range h.conversations {
		rng, commits := rand.New(rand.NewPCG(h.rng.Uint64(), 3)), 1+h.rng.IntN(40)
		load.Go(func() { c.load(h.t, r, rng, commits) })
	}
	load.Wait()
	left := lost()
	r.Close()
	h.fs = left.fs
	for _, c := range h.conversations {
		c.acknowledged.Store(left.acknowledged[c])
	}
}

// cutRecovery starts the store and cuts it while it does.
func (h *crashHistory) cutRecovery() {
	fs, lost := h.cutAt(1 + h.rng.Int64N(150))
	r := h.open(fs)
	left := lost()
	r.Close()
	h.fs = left.fs
}

func (h *crashHistory) open(fs vfs.FS) *rig {
	h.t.Helper()
	options := h.options
	options.FS = fs
	r, err := tryOpen(h.t, options)
	if err != nil {
		h.t.Fatalf("open after a cut: %v", err)
	}
	return r
}

func (h *crashHistory) check(r *rig) {
	h.t.Helper()
	revisions := map[*chain]uint64{}
	for _, c := range h.conversations {
		revisions[c] = c.check(h.t, r, c.acknowledged.Load(), c.proposed.Load())
		c.proposed.Store(revisions[c])
		c.acknowledged.Store(revisions[c])
	}
	checkIndexes(h.t, r, h.conversations, revisions)
}
