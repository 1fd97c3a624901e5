package sim

import (
	"flag"
	"io"
	"os"
	"runtime"
	"testing"
	"time"
)

var (
	simSeeds = flag.Int("sim.seeds", 0, "how many seeds to play; 0: 200, with -short 30")
	simFirst = flag.Uint64("sim.first", 1, "the first of them")
	simSeed  = flag.Uint64("sim.seed", 0, "play this one only, and print what happens")
)

// played are the runs of TestSeeds, by seed.
var played = map[uint64]Result{}

// TestSeeds plays seeds.
func TestSeeds(t *testing.T) {
	first, seeds := *simFirst, *simSeeds
	var out io.Writer
	switch {
	case *simSeed > 0:
		first, seeds, out = *simSeed, 1, os.Stdout
	case seeds == 0 && testing.Short():
		seeds = 30
	case seeds == 0:
		seeds = 200
	}
	began := time.Now()
	var total Stats
	var digest uint64
	for i := range seeds {
		seed := first + uint64(i)
		r := Run(seed, out)
		total.add(r.Stats)
		digest = digest*31 + r.Digest
		played[seed] = Result{Digest: r.Digest, Stats: r.Stats}
		if err := verdict(r); err != nil {
			t.Errorf("seed %d: %v\nreplay it: go test ./internal/sim -run TestSeeds -sim.seed=%d", seed, err, seed)
		}
	}
	t.Logf("%d seeds in %v, one in %v, digest %x: %+v", seeds, time.Since(began).Round(time.Millisecond),
		(time.Since(began) / time.Duration(seeds)).Round(time.Microsecond), digest, total)
}

// verdict is what is wrong with a run; nil where nothing is.
func verdict(r Result) error {
	if r.Failure != nil {
		return r.Failure
	}
	for _, h := range r.Histories {
		if err := checkLinear(h); err != nil {
			return err
		}
	}
	return nil
}

// TestSameSeedSameRun plays once more what TestSeeds has played, on one processor: what the storage
// engine's goroutines do meanwhile comes in another order then.
func TestSameSeedSameRun(t *testing.T) {
	seeds := uint64(100)
	if testing.Short() {
		seeds = 10
	}
	for seed := uint64(1); seed <= seeds; seed++ {
		before, known := played[seed]
		if !known {
			before = Run(seed, nil)
		}
		if now := runAlone(seed); now.Digest != before.Digest || now.Stats != before.Stats {
			t.Errorf("seed %d: two runs differ: %x %+v and %x %+v", seed, before.Digest, before.Stats, now.Digest,
				now.Stats)
		}
	}
}

func runAlone(seed uint64) Result {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	return Run(seed, nil)
}
